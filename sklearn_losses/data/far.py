"""Rows on the workers of a cluster: sums run where the rows are, and partial sums come here.

A chunk owns the blocks that begin in it, and borrows the rows that the last of them needs from the chunks after it. So
its blocks are those of an array in memory, and their sums, added up in one tree over all blocks, have the same bits
however the rows are divided. Targets and weights are in memory here, and travel with the chunks once.
"""

from __future__ import annotations

import threading
from functools import partial
from itertools import pairwise
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import Listed
from .cluster import Cluster
from .dense import DenseBlock
from .in_memory import Parts, of_block, quietly
from .lengths import Lengths
from .read import ReadRows
from .rows import Array, Indices, Kernel, PerRow
from .sources import Source
from .sums import Sums, Tree
from .threads import worker_threads


class FarMatrix(Source):
    """A matrix in chunks of rows that are on workers.

    Parameters
    ----------
    cluster : Cluster
        Where they are.
    matrices : list of Future
        The chunks.
    edges : ndarray of intp
        Where they begin, and the number of rows.
    **matrix
        As for `Source`.
    """

    def __init__(self, cluster: Cluster, matrices: list, edges: NDArray[np.intp], **matrix: Any):
        super().__init__(**matrix)
        self.cluster, self.matrices, self.edges = cluster, matrices, edges

    def close(self):
        self.cluster.close()

    def read(self, start, stop):
        return self.take(np.arange(start, stop))

    def take(self, indices):
        """One trip, to all chunks that have some of the rows."""
        of_chunk = np.searchsorted(self.edges, indices, side="right") - 1
        chunks = np.unique(of_chunk)
        asked = [
            self.cluster.submit(picked, self.matrices[chunk], indices[of_chunk == chunk] - self.edges[chunk])
            for chunk in chunks
        ]
        found = np.empty((len(indices), self.shape[1]), self.dtype)
        for chunk, rows in zip(chunks, self.cluster.bring(asked), strict=True):
            found[of_chunk == chunk] = rows
        return found

    def stretches(self):
        return pairwise(np.unique(self.edges).tolist())

    def first_not_finite(self):
        asked = [self.cluster.submit(first_not_finite_of, matrix) for matrix in self.matrices]
        for start, found in zip(self.edges, self.cluster.bring(asked), strict=False):
            if found is not None:
                row, values = found
                return int(start) + row, values
        return None


class FarParts(PerRow):
    """Results for every row that are kept by the workers, a `Parts` for every chunk."""

    def __init__(self, cluster: Cluster, futures: list):
        self.cluster, self.futures = cluster, futures

    def gathered(self):
        found = self.cluster.bring([self.cluster.submit(joined_parts, future) for future in self.futures])
        return np.concatenate(found)


class FarRows(ReadRows):
    """Rows of a `FarMatrix`."""

    X: FarMatrix
    _chunks: list[tuple[int, Any]] | None = None

    @property
    def cluster(self) -> Cluster:
        """Where they are."""
        return self.X.cluster

    def _over(self, X, y, weights, **options):
        if isinstance(X, np.ndarray):
            return super()._over(X, y, weights, **options)
        return FarRows(X, y, weights, self.n_outputs, workers=self.workers, meter=self.meter, **options)

    def sum(self, kernel: Kernel, *small: Any, passes: float = 1.0, entries: int = 0) -> Sums:
        self.meter.count(self, passes)
        return self._added(self._sent(summed, kernel, small))

    def each(self, kernel: Kernel, *small: Any, passes: float = 1.0) -> tuple:
        self.meter.count(self, passes)
        both = self._sent(kept_and_summed, kernel, small)
        parts = [self.cluster.submit(itemgetter(0), future) for future in both]
        return FarParts(self.cluster, parts), *self._added([self.cluster.submit(itemgetter(1), f) for f in both])

    def _added(self, futures: list) -> Sums:
        tree = Tree(self.n_blocks)
        for nodes in self.cluster.bring(futures):
            tree.put_all(nodes)
        return tree.total()

    def _sent(self, task: Any, kernel: Kernel, small: tuple) -> list:
        """The futures of a task for every chunk."""
        sent = []
        for chunk, (first, rows) in enumerate(self.chunks()):
            last = self.chunks()[chunk + 1][0] if chunk + 1 < len(self.chunks()) else self.n_blocks
            here = []
            for argument in small:
                if isinstance(argument, FarParts):
                    argument = argument.futures[chunk]
                elif isinstance(argument, Parts):
                    argument = Parts(argument.parts[first:last])
                here.append(argument)
            sent.append(self.cluster.submit(task, rows, kernel, first, self.n_blocks, *here))
        return sent

    def chunks(self) -> list[tuple[int, Any]]:
        """For every chunk that owns blocks: the number of the first, and a future of these blocks' rows."""
        if self._chunks is None:
            edges = self.X.edges if self.kept is None else np.searchsorted(self.kept, self.X.edges)
            starts = -(-edges // self.block_size)  # the first block of every chunk
            self._chunks = [
                (int(first), self._chunk(number, int(first) * self.block_size, int(last) * self.block_size))
                for number, (first, last) in enumerate(pairwise(starts))
                if first < last
            ]
        return self._chunks

    def _chunk(self, number: int, start: int, stop: int) -> Any:
        """The rows from ``start`` to ``stop``, those that are left of this chunk's and those that it borrows."""
        where = slice(start, min(stop, self.n_rows))
        rows = np.arange(where.start, where.stop) if self.kept is None else self.kept[where]
        edges = self.X.edges
        mine = int(np.searchsorted(rows, edges[number + 1]))
        borrowed = []
        for other in range(number + 1, len(edges) - 1):
            first, last = np.searchsorted(rows, [edges[other], edges[other + 1]])
            if first < last:
                borrowed.append(self.cluster.submit(picked, self.X.matrices[other], rows[first:last] - edges[other]))
        here = rows[:mine] - edges[number]
        wanted = slice(int(here[0]), int(here[-1]) + 1) if self.kept is None else here
        weights = self.weights[where]
        weights = weights[:1] if weights.min() == weights.max() else weights
        beside = (packed(self.y[where]), weights, self.n_outputs, self.X.dtype, self.origin)
        lengths = None if self.lengths is None else self.lengths[where]
        return self.cluster.submit(rows_of_chunk, self.X.matrices[number], wanted, beside, lengths, *borrowed)


# What runs on the workers

_buffers = threading.local()


class HeldRows(ReadRows):
    """Rows that a worker holds, whose blocks are converted into one buffer a thread.

    Dask's workers give memory back to the system at once (MALLOC_TRIM_THRESHOLD_), so that a fresh array for every
    block would cost its pages every time.
    """

    def block(self, number):
        """None is kept, not even a single one: its rows are in the buffer, where those of another chunk come next."""
        return self._block(self.where(number))

    def _block(self, where):
        return DenseBlock(partial(self._buffered, where), self.y[where], self.weights[where], self.n_outputs)

    def _buffered(self, where: slice) -> Array:
        if self.X.dtype == np.float64 or self.origin is not None or self.lengths is not None:
            return self.dense(where)
        size = self.block_size * self.n_features
        if getattr(_buffers, "array", np.empty(0)).size < size:
            _buffers.array = np.empty(size)
        rows = _buffers.array[: (where.stop - where.start) * self.n_features].reshape(-1, self.n_features)
        np.copyto(rows, self._picked(where))
        return rows


def rows_of_chunk(
    matrix: NDArray, wanted: slice | Indices, beside: tuple, lengths: Lengths | None, *borrowed: NDArray
) -> HeldRows:
    """The rows of some blocks, of which none is copied but those that are borrowed."""
    y, weights, n_outputs, dtype, origin = beside
    n_borrowed = sum(map(len, borrowed))
    kept = None
    if isinstance(wanted, slice):
        matrix = matrix[wanted]
    else:
        kept = np.append(wanted, len(matrix) + np.arange(n_borrowed)).astype(np.intp)
    shape = (len(matrix) + n_borrowed, matrix.shape[1])
    source = Listed([matrix, *borrowed], shape=shape, dtype=dtype)
    y = unpacked(y)
    weights = np.full(len(y), weights[0]) if len(weights) == 1 else weights
    return HeldRows(source, y, weights, n_outputs, kept=kept, origin=origin, lengths=lengths)


def summed(rows: ReadRows, kernel: Kernel, first: int, n_blocks: int, *small: Any) -> dict:
    """The nodes that some blocks, from a number on, are in the tree over all of them."""
    tree = Tree(n_blocks)
    with worker_threads(0):
        for number in range(rows.n_blocks):
            tree.put(0, first + number, quietly(kernel, rows.block(number), *of_block(small, number)))
    return tree.nodes


def kept_and_summed(rows: ReadRows, kernel: Kernel, first: int, n_blocks: int, *small: Any) -> tuple[Parts, dict]:
    """What is kept of the same blocks, then the nodes."""
    tree, parts = Tree(n_blocks), []
    with worker_threads(0):
        for number in range(rows.n_blocks):
            part, *sums = quietly(kernel, rows.block(number), *of_block(small, number))
            parts.append(part)
            tree.put(0, first + number, tuple(sums))
    return Parts(parts), tree.nodes


def picked(matrix: NDArray, indices: Indices) -> NDArray:
    """Some rows."""
    return matrix[indices]


def joined_parts(parts: Parts) -> Array:
    """Parts as one array."""
    return parts.gathered()


def first_not_finite_of(matrix: NDArray) -> tuple[int, NDArray] | None:
    """The first row that has entries that are not finite."""
    finite = np.isfinite(matrix).all(axis=1)
    row = int(np.argmin(finite))
    return None if finite.all() else (row, matrix[row : row + 1])


def packed(y: NDArray) -> tuple[NDArray, np.dtype]:
    """Targets to be sent: whole small numbers take a byte each."""
    small = y.size > 0 and y.min() >= 0 and y.max() < 256 and bool((y == np.floor(y)).all())
    return (y.astype(np.uint8) if small else y), y.dtype


def unpacked(sent: tuple[NDArray, np.dtype]) -> NDArray:
    """What was sent."""
    values, dtype = sent
    return values.astype(dtype, copy=False)
