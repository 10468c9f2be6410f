"""The rows of X, which nothing else touches: blocks that stay in cache, summed in a fixed tree, in threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from .dense import ArrayRows
from .far import FarMatrix, FarRows
from .in_memory import RowsInMemory
from .read import ReadRows
from .row_blocks import RowBlocks
from .rows import Block, Meter, PerRow, Rows
from .sources import Source
from .sparse import SparseRows, csr_of
from .stamps import stamps_of
from .threads import ALONE, Workers

__all__ = ["Block", "Meter", "PerRow", "RowBlocks", "Rows", "Source", "csr_of", "rows_of"]


def rows_of(
    X: Any, y: NDArray, weights: NDArray | None = None, n_outputs: int = 1, workers: Workers = ALONE
) -> RowsInMemory:
    """The rows of an array, of a CSR or CSC matrix, or of a source, which is neither changed nor copied.

    Parameters
    ----------
    X : ndarray, sparse matrix or Source of shape (n, p)
        Of any real dtype.
    y : ndarray of shape (n,) or (n, K)
        Targets, class codes or soft rows.
    weights : ndarray of shape (n,), optional
        Not negative, and not all zero; only their ratios matter. Rows of weight zero have no part in anything.
    n_outputs : int
        How many scores a row gets.
    workers : Workers
        Who works on the blocks.
    """
    kept = None
    weights = np.ones(X.shape[0]) if weights is None else weights
    if not weights.all():
        kept = np.flatnonzero(weights)
        y, weights = y[kept], weights[kept]
    weights = weights / weights.sum()
    if isinstance(X, Source):
        meter = Meter(len(weights) * X.shape[1], X.stamps)
        kind = FarRows if isinstance(X, FarMatrix) else ReadRows
        return kind(X, y, weights, n_outputs, workers=workers, kept=kept, meter=meter)
    if not issparse(X):
        meter = Meter(len(weights) * X.shape[1], stamps_of(X))
        return ArrayRows(X, y, weights, n_outputs, workers=workers, kept=kept, meter=meter)
    if not X.has_canonical_format:  # entries that are stored twice are to be added up
        X = X.copy()
        X.sum_duplicates()
    return SparseRows(X, y, weights, n_outputs, workers=workers, kept=kept)
