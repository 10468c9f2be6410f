"""Center and spread of columns, in sums over rows that lose no column for its size, its offset or its weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .rows import Array, Block, Indices, Rows
from .sums import Largest

EPSILON, TINY = float(np.finfo(float).eps), float(np.finfo(float).tiny)
CANCELLED = 1e-6  # of a mean square: a variance below it has lost digits

Statistics = tuple[Array, Array]


def statistics_of_dense(rows: Rows, first: Array, least_weight: float) -> Statistics:
    """Weighted mean and standard deviation of the columns of dense rows, whose first one is given."""
    with np.errstate(over="ignore", invalid="ignore"):
        offset, square = rows.sum(dense_moments, first)
    look = dense_extremes, dense_scaled_moments
    return _with_a_closer_look(rows, first, offset, square, np.zeros(len(first), bool), least_weight, *look)


def statistics_of_sparse(rows: Rows, least_weight: float) -> Statistics:
    """The same for sparse rows."""
    mean, square, n_entries = rows.sum(sparse_moments)
    look = sparse_extremes, sparse_scaled_moments
    return _with_a_closer_look(rows, np.zeros_like(mean), mean, square, n_entries == 0, least_weight, *look)


def _with_a_closer_look(
    rows: Rows,
    origin: Array,
    offset: Array,
    square: Array,
    empty: NDArray[np.bool_],
    least_weight: float,
    extremes: Callable,
    moments: Callable,
) -> Statistics:
    """From the moments about an origin; those that do not say enough are taken again, of columns scaled to [0, 1]."""
    with np.errstate(over="ignore", invalid="ignore"):
        center, variance = origin + offset, square - offset**2
        near = variance <= CANCELLED * np.maximum(square, center**2)
        doubtful = np.flatnonzero((near | ~np.isfinite(square) | (square < TINY / EPSILON)) & ~empty)
        spread = np.sqrt(np.maximum(variance, 0.0))
        if len(doubtful):
            center[doubtful], spread[doubtful] = _looked_at(rows, doubtful, least_weight, extremes, moments)
    return center, spread


def _looked_at(
    rows: Rows, columns: Indices, least_weight: float, extremes: Callable, moments: Callable
) -> tuple[Array, Array]:
    high, low = (found.array for found in rows.sum(extremes, columns))
    low = -low
    half = 0.5 * high - 0.5 * low
    constant = low == high  # nothing else is: a weight that is held at zero for less would be missing in a proof
    center, spread = 0.5 * low + 0.5 * high, np.zeros(len(columns))
    varying = np.flatnonzero(~constant)
    if not len(varying):
        return center, spread
    columns, low, half = columns[varying], low[varying], half[varying]
    mean, _ = rows.sum(moments, columns, low, half, np.zeros(len(columns)))
    _, variance = rows.sum(moments, columns, low, half, mean)
    # two entries that are a range apart have at least this variance, which sums may lose beside a dominating weight
    variance = np.maximum(variance, 0.5 * least_weight)
    center[varying] = 2.0 * (0.5 * low + half * mean)
    spread[varying] = np.minimum(half * np.sqrt(variance), 0.5 * np.finfo(float).max) * 2.0
    return center, spread


def dense_moments(block: Block, origin: Array) -> tuple[Array, Array]:
    """Weighted mean and mean square of the columns less an origin."""
    moved = block.dense() - origin
    return block.mean(moved), np.einsum("i,ij,ij->j", block.weights, moved, moved)


def dense_extremes(block: Block, columns: Indices) -> tuple[Largest, Largest]:
    """Largest entries of some columns, and of these columns' negatives."""
    some = block.dense()[:, columns]
    return Largest(some.max(axis=0)), Largest(-some.min(axis=0))


def dense_scaled_moments(block: Block, columns: Indices, low: Array, half: Array, center: Array) -> tuple[Array, Array]:
    """Weighted mean and mean square of ``(x - low) / (2 half) - center``, which no size of x overflows."""
    scaled = (0.5 * block.dense()[:, columns] - 0.5 * low) / half - center
    return block.mean(scaled), np.dot(block.weights, scaled**2)


def sparse_moments(block) -> tuple[Array, Array, Indices]:
    """Weighted mean and mean square of columns, and the numbers of their entries."""
    stored = block.stored()
    squares = type(stored)((stored.data**2, stored.indices, stored.indptr), shape=stored.shape)
    by_row = stored.format == "csr"
    counts = np.bincount(stored.indices, minlength=stored.shape[1]) if by_row else np.diff(stored.indptr)
    return stored.T @ block.weights, squares.T @ block.weights, counts


def sparse_extremes(block, columns: Indices) -> tuple[Largest, Largest]:
    """As `dense_extremes`."""
    some = block.stored()[:, columns]
    return Largest(some.max(axis=0).toarray().ravel()), Largest(-some.min(axis=0).toarray().ravel())


def sparse_scaled_moments(block, columns: Indices, low: Array, half: Array, center: Array) -> tuple[Array, Array]:
    """As `dense_scaled_moments`."""
    some = block.stored()[:, columns].tocoo()
    where, n_columns = some.col, len(columns)

    def total(values: Array) -> Array:
        return np.bincount(where, weights=values, minlength=n_columns).astype(np.float64)

    weights = block.weights[some.row]
    full = np.bincount(where, minlength=n_columns) == some.shape[0]
    zeros = np.where(full, 0.0, np.maximum(block.weights.sum() - total(weights), 0.0))
    scaled = (0.5 * some.data - 0.5 * low[where]) / half[where] - center[where]
    zero = -0.5 * low / half - center
    return total(weights * scaled) + zeros * zero, total(weights * scaled**2) + zeros * zero**2
