"""Sums over sparse rows of weight times (row row'), without writing the rows out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .rows import Array, Indices, Rows

SPARSE = 0.05  # share of entries that are stored, up to which products of sparse rows are faster than of dense ones


class Moments(NamedTuple):
    """Weighted sums over rows: of (row row'), of the rows, and of ones."""

    products: Array  # (p, p)
    sums: Array  # (p,)
    total: float


def sparse_moments(rows: Rows, indices: Indices | slice, curvature: Array) -> Moments | None:
    """Those of curvature times some rows' weights, as they are stored; None where they are not sparse enough."""
    if not rows.has_matrix or rows.lengths is not None:
        return None
    if rows.n_entries > SPARSE * rows.n_rows * rows.n_features:
        return None
    X = rows.csr()
    weights = curvature * rows.weights_of(indices)
    some = X if isinstance(indices, slice) and indices == slice(None) else X[indices]
    scaled = some.copy()
    scaled.data = some.data * np.repeat(weights, np.diff(some.indptr))
    return Moments((some.T @ scaled).toarray(), some.T @ weights, float(weights.sum()))
