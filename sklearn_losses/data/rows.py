"""The rows of X as the objective sees them: blocks that stay in cache, summed in a fixed order, in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .threads import ALONE, Workers

Array = NDArray[np.floating]
Sums = tuple  # of floats and arrays, added up element by element

BLOCK_ENTRIES = 400_000
SPARSE_BLOCK_ENTRIES = 4_000_000
GROUPS = 16


class Rows:
    """Dense or sparse rows, never copied as a whole.

    Every quantity that the problem layer needs of X is a sum over rows, `sum`. The blocks do not depend on the
    number of threads and their sums are added in their order, so neither do the bits of any result.

    Parameters
    ----------
    X : ndarray, CSR or CSC of shape (n, p)
        Float32 or float64; blocks are computed in float64.
    n_outputs : int
        How many scores a row gets; they take room in the cache beside the block.
    shift : ndarray of shape (p,), optional
        Subtracted from every row, for columns whose offset would drown their variation. Dense rows only.
    workers : Workers
        Who sums the groups of blocks.

    Attributes
    ----------
    known_finite : bool
        Whether a finite sum over all entries has shown that they are finite.
    """

    known_finite = False

    def __init__(self, X, n_outputs: int = 1, shift: Array | None = None, workers: Workers = ALONE):
        self.X, self.shift, self.workers = X, shift, workers
        self.n_rows, self.n_features = X.shape
        self.is_sparse = sparse.issparse(X)
        if not self.is_sparse:
            size = BLOCK_ENTRIES // (self.n_features + 4 * n_outputs) + 1
        elif X.format == "csr":
            size = SPARSE_BLOCK_ENTRIES // (X.nnz // max(self.n_rows, 1) + 4 * n_outputs + 1) + 1
        else:
            size = self.n_rows
        starts = range(0, max(self.n_rows, 1), max(size, 1))
        blocks = [slice(start, min(start + size, self.n_rows)) for start in starts]
        per_group = -(-len(blocks) // GROUPS)
        self.groups = [blocks[i : i + per_group] for i in range(0, len(blocks), per_group)]

    def block(self, rows: slice):
        """A block of rows in float64: a view where it can be one."""
        if self.is_sparse:
            return self._sparse_block(rows)
        block = self.X[rows]
        if self.shift is not None:
            return block - self.shift
        return np.asarray(block, dtype=np.float64)

    def take(self, indices: NDArray[np.intp] | slice) -> Array:
        """Some rows as a dense float64 array; a new one, unless they are asked for by a slice."""
        if self.is_sparse:
            some = self.X[indices].toarray()
        else:
            some = self.X[indices] if isinstance(indices, slice) else self.only(indices)
        some = np.asarray(some, dtype=np.float64)
        return some if self.shift is None else some - self.shift

    def only(self, indices: NDArray[np.intp]):
        """Some rows of X, copied as they are."""
        X = self.X
        # np.take is the fastest way, but starts with a copy of all of an array that is not C-contiguous
        if not self.is_sparse and X.flags.c_contiguous:
            return np.take(X, indices, axis=0)
        if not self.is_sparse and X.flags.f_contiguous:
            return np.take(X.T, indices, axis=1).T
        return X[indices]

    def transformed(self, indices: NDArray[np.intp], transform: Callable[..., Array]) -> Array:
        """Some rows, each block of them through ``transform(rows, out=...)``, in a new dense array."""
        result = np.empty((len(indices), self.n_features))
        size = BLOCK_ENTRIES // self.n_features + 1

        def of_rows(rows):
            transform(self.take(indices[rows]), out=result[rows])
            return ()

        blocks = [slice(start, start + size) for start in range(0, len(indices), size)]
        list(self.workers.map(lambda block: _quietly(of_rows, [block]), blocks))
        return result

    def sum(self, of_rows: Callable[[slice], Sums]) -> Sums:
        """``of_rows(rows)`` summed over all blocks' rows; it returns a tuple of numbers and arrays."""
        if len(self.groups) == 1:
            return _quietly(of_rows, self.groups[0])
        return _add_up(self.workers.map(lambda group: _quietly(of_rows, group), self.groups))

    def see(self, total: Array) -> None:
        """Learn from a weighted sum of all rows, which is finite only if they are."""
        if not self.known_finite:
            self.known_finite = bool(np.isfinite(total).all())

    def _sparse_block(self, rows: slice):
        X = self.X
        if rows.start > 0 or rows.stop < self.n_rows:
            first, last = X.indptr[rows.start], X.indptr[rows.stop]
            parts = (X.data[first:last], X.indices[first:last], X.indptr[rows.start : rows.stop + 1] - first)
            X = sparse.csr_array(parts, shape=(rows.stop - rows.start, self.n_features))
        return X if X.dtype == np.float64 else X.astype(np.float64)


def stratified(chances: Array, size: int, offsets: Array | float) -> NDArray[np.intp]:
    """Sorted indices of rows: one from each of ``size`` strata of the same chance, at an offset from 0 to 1 in it."""
    positions = (np.arange(size) + offsets) / size
    if chances.min() == chances.max():
        drawn = (positions * len(chances)).astype(np.intp)
    else:
        edges = np.cumsum(chances)
        drawn = np.searchsorted(edges, positions * edges[-1], side="right")
    return np.minimum(drawn, len(chances) - 1)


def _quietly(of_rows: Callable[[slice], Sums], blocks: list[slice]) -> Sums:
    # an infinite or undefined sum is an answer that solvers understand; threads do not inherit this setting
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return _add_up(map(of_rows, blocks))


def _add_up(parts: Iterable[Sums]) -> Sums:
    parts = iter(parts)
    total = list(next(parts))
    for part in parts:
        for i, term in enumerate(part):
            total[i] = total[i] + term
    return tuple(total)
