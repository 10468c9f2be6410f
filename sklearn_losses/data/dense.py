"""Dense rows: any array in memory or mapped into it, in any order and dtype."""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .drawing import stratified
from .gram import moments
from .in_memory import RowsInMemory
from .lengths import lengths_of_dense
from .rows import Array, Block, Indices, Rows, Transform
from .statistics import statistics_of_dense
from .sums import Tree

BLOCK_ENTRIES = 400_000  # 3 MB, so that a block stays in a core's cache
SAMPLED_ROWS = 1_024  # for statistics that only steer solvers: spreads of a normal within 2 %
FEW_ROWS = 32  # samples' worth of rows up to which the statistics are read from all of them
KEPT_ENTRIES = 10_000_000  # of all data, 80 MB: up to here they are written in C order and float64 once
CHUNK_ENTRIES, CHUNK_GROUPS = 500_000, 4  # of columns, whose sum of inner products is as large as the result
WIDE = 100  # features, from which on it pays to look which have coefficients
FEW_USED = 0.1  # share of the features: so few are picked out of the rows in the time of a product with all
COPIED_COLUMNS = 256  # at once, of another order: read and written within the cache


class DenseBlock(Block):
    """Rows of an array, C-contiguous and in float64: in another order or precision sums have other bits.

    They are read when a kernel asks for them, which not all do.
    """

    def __init__(self, read: Callable[[], Array], y: NDArray, weights: Array, n_outputs: int):
        super().__init__(y, weights, n_outputs)
        self._read = read

    @cached_property
    def rows(self) -> Array:
        """The rows."""
        return self._read()

    # Products with small results are written np.dot, which lets the other thread work; matmul does so for large ones.

    def scores(self, coef, intercept):
        rows, coef = self._of_used(coef)
        if self.n_outputs == 1:
            return rows @ coef[0] + intercept[0]
        scores = (coef @ rows.T).T
        scores += intercept
        return scores

    def _of_used(self, coef: Array) -> tuple[Array, Array]:
        """The rows and coefficients, of those features only that have any where these are few."""
        if coef.shape[1] < WIDE:
            return self.rows, coef
        used = np.flatnonzero(coef.any(axis=0))
        if len(used) > FEW_USED * coef.shape[1]:
            return self.rows, coef
        return np.take(self.rows, used, axis=1), coef[:, used]

    def dense(self):
        return self.rows

    def products(self, curvature):
        return moments(self.rows, self.weighted(curvature))

    def lengths(self):
        return lengths_of_dense(self.rows)

    def _adjoint(self, dual):
        return np.dot(dual.T, self.rows)


class DenseRows(RowsInMemory):
    """Rows of an array, or of something that is read as arrays."""

    is_sparse = False

    @abstractmethod
    def _columns(self, starts: Indices, size: int) -> Iterator[NDArray]:
        """So many columns of the kept rows from each of the starts, as they are stored."""

    @property
    def n_entries(self) -> int:  # type: ignore[override]
        return self.n_rows * self.n_features

    def _block_size(self) -> int:
        return BLOCK_ENTRIES // (self.n_features + 4 * self.n_outputs) + 1

    def _block(self, where: slice) -> DenseBlock:
        # rows keep blocks: were these to keep the rows, the memory of both would wait for the garbage collector
        rows = weakref.proxy(self)
        return DenseBlock(lambda: rows._read(where), self.y[where], self.weights[where], self.n_outputs)

    def _read(self, where: slice) -> Array:
        return self.dense(where, out=self._copy[where] if self._keeps_blocks() else None)

    @cached_property
    def _copy(self) -> Array:
        """Where blocks that are kept are written: one array, whose memory comes faster than that of many."""
        return np.empty((self.n_rows, self.n_features))

    def dense(self, where, out=None):
        rows = self._moved(where, out)
        return rows if self.lengths is None else self.lengths[where].divide(rows)

    def _moved(self, where, out=None):
        some = self._picked(where)
        if self.origin is not None:
            return np.subtract(some, self.origin, out=out, dtype=np.float64, order="C")
        return in_rows(some, out)

    def with_features(self, features: Array) -> Rows:
        return dense_like(self, features, self.y, self.weights)

    def statistics(self):
        """Of tall data from a sample, unless a column is so rare or heavy-tailed that two halves of it disagree."""
        if self.n_rows > FEW_ROWS * SAMPLED_ROWS:
            (center, spread), (_, other) = self._of_samples(0.25, 0.75)
            if (spread < 2 * other).all() and (other < 2 * spread).all():
                return center, spread
        return statistics_of_dense(self, self.dense(slice(0, 1))[0], float(self.weights.min()))

    def _of_samples(self, *offsets: float) -> list[tuple[Array, Array]]:
        # stratified by weight, so that it does not matter whether the rows are sorted
        drawn = [stratified(self.weights, SAMPLED_ROWS, offset, self.block_size) for offset in offsets]
        indices, where = np.unique(np.concatenate(drawn), return_inverse=True)
        rows, y, weights = self.take(indices), self.y[indices], np.full(SAMPLED_ROWS, 1 / SAMPLED_ROWS)
        parts = np.split(where, len(offsets))
        return [ArrayRows(rows[part], y[part], weights, meter=self.meter).statistics() for part in parts]

    def csr(self):
        return None

    def inner_products(self, center):
        shift = center if self.origin is None else center + self.origin
        size = max(CHUNK_ENTRIES // self.n_rows, 1)
        groups = np.array_split(np.arange(0, self.n_features, size), CHUNK_GROUPS)

        def of_group(group: Indices) -> tuple:
            total = np.zeros((self.n_rows, self.n_rows))
            for start, columns in zip(group, self._columns(group, size), strict=True):
                chunk = np.subtract(columns, shift[start : start + size], dtype=np.float64)
                total += chunk @ chunk.T
            return (total,)

        self.meter.count(self)
        tree = Tree(CHUNK_GROUPS)
        for number, part in enumerate(self.workers.map(of_group, groups)):
            tree.put(0, number, part)
        return tree.total()[0]

    def from_origin(self, origin):
        return self._over(self.X, self.y, self.weights, kept=self.kept, origin=origin)


class ArrayRows(DenseRows):
    """Rows of an array."""

    def _picked(self, indices):
        X, indices = self.X, indices if self.kept is None else self.kept[indices]
        # np.take is the fastest way, but starts with a copy of all of an array that is not C-contiguous
        if X.flags.c_contiguous and not isinstance(indices, slice):
            return np.take(X, indices, axis=0)
        if X.flags.f_contiguous and not isinstance(indices, slice):
            return np.take(X.T, indices, axis=1).T
        return X[indices]

    def _keeps_blocks(self):
        return self.meter.n_entries <= KEPT_ENTRIES

    def _over(self, X, y, weights, **options):
        return ArrayRows(X, y, weights, self.n_outputs, workers=self.workers, meter=self.meter, **options)

    def columns(self, features):
        X, origin = self.X, self.origin if self.origin is None else self.origin[features]
        X = np.take(X, features, axis=1) if X.flags.c_contiguous else X[:, features]
        return self._over(X, self.y, self.weights, kept=self.kept, origin=origin)

    def written(self, transform: Transform | None, indices: Indices | slice = slice(None)) -> Rows:
        whole = transform is None and isinstance(indices, slice) and indices == slice(None)
        if whole and self.kept is None and self.origin is None and self.lengths is None and self.X.dtype == np.float64:
            return self
        return written(self, transform, indices)

    def _columns(self, starts, size):
        for start in starts:
            columns = self.X[:, start : start + size]
            yield columns if self.kept is None else columns[self.kept]


def in_rows(some: NDArray, out: Array | None = None) -> Array:
    """An array in C order and float64: itself, or a copy, which goes where there is room for one."""
    if some.flags.c_contiguous and some.dtype == np.float64:
        return some
    copy = np.empty(some.shape) if out is None else out
    for start in range(0, some.shape[1], COPIED_COLUMNS):
        columns = slice(start, start + COPIED_COLUMNS)
        copy[:, columns] = some[:, columns]
    return copy


def dense_like(rows: RowsInMemory, features: Array, y: NDArray, weights: Array) -> ArrayRows:
    """Dense rows that take part in the same work."""
    return ArrayRows(features, y, weights, rows.n_outputs, workers=rows.workers, meter=rows.meter)


def written(rows: RowsInMemory, transform: Transform | None, indices: Indices | slice) -> ArrayRows:
    """Some rows, each block of them through ``transform(rows, out=...)``, as new dense rows."""
    if transform is None:
        return dense_like(rows, rows.take(indices), rows.y[indices], rows.weights[indices])
    everything = isinstance(indices, slice) and indices == slice(None)
    some = np.arange(rows.n_rows)[indices] if isinstance(indices, slice) and not everything else indices
    n_rows = rows.n_rows if isinstance(some, slice) else len(some)
    result = np.empty((n_rows, rows.n_features))

    def write(where: slice) -> None:
        transform(rows.dense(where if isinstance(some, slice) else some[where]), out=result[where])

    size = BLOCK_ENTRIES // max(rows.n_features, 1) + 1
    for _ in rows.split(range(0, n_rows, size), size, write):
        pass
    return dense_like(rows, result, rows.y[indices], rows.weights[indices])
