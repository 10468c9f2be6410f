"""Scores of new rows, block by block where X would have to be converted or is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite

from ..data.sources import Source
from .doors import check_finite_rows

BLOCK_BYTES = 8 << 20  # of converted rows


def scores_of(estimator: Any, X: Any, coef: NDArray, intercept: NDArray) -> NDArray:
    """``X coef + intercept``, (n, K), for any numbers; finite ones.

    Raises
    ------
    ValueError
        When X has entries that are not finite, and this shows.
    """
    converted = _converted(X, coef.dtype)
    if issparse(X) or (isinstance(X, np.ndarray) and X.dtype.kind == "f" and X.dtype == converted):
        return _scores(estimator, X, coef, intercept)
    scores = np.empty((X.shape[0], coef.shape[1]), converted)
    for start, rows in _blocks(estimator, X, converted):
        scores[start : start + len(rows)] = _scores(estimator, rows, coef, intercept)
    return scores


def _converted(X: Any, of_model: np.dtype) -> np.dtype:
    """The type that rows are computed in: single precision only where rows and model have it."""
    single = X.dtype == np.float32 and of_model == np.float32
    return np.dtype(np.float32 if single else np.float64)


def _blocks(estimator: Any, X: Any, dtype: np.dtype) -> Iterator[tuple[int, NDArray]]:
    size = max(BLOCK_BYTES // (X.shape[1] * dtype.itemsize), 1)
    for start in range(0, X.shape[0], size):
        stop = min(start + size, X.shape[0])
        if isinstance(X, Source):
            rows = X.read(start, stop)
            check_finite_rows(estimator, rows, start)
        else:
            rows = X[start:stop]
        yield start, rows.astype(dtype, copy=False)


def _scores(estimator: Any, X: Any, coef: NDArray, intercept: NDArray) -> NDArray:
    with np.errstate(over="ignore", invalid="ignore"):
        scores = X @ coef + intercept
    if np.isfinite(scores).all():
        return scores
    assert_all_finite(X, estimator_name=type(estimator).__name__, input_name="X")
    return _of_huge_rows(X, coef, intercept)


def _of_huge_rows(X: Any, coef: NDArray, intercept: NDArray) -> NDArray:
    """Scores computed from rows divided by their largest entry, so that sums do not overflow; clipped to finite."""
    dense = X.toarray() if issparse(X) else X
    size = np.maximum(np.abs(dense).max(axis=1, keepdims=True), 1.0)
    limit = np.finfo(dense.dtype).max
    with np.errstate(over="ignore"):
        return np.clip((dense / size @ coef + intercept / size) * size, -limit, limit)
