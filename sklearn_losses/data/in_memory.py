"""Rows in memory: blocks are slices of arrays, summed in threads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .drawing import capped, counted, stratified
from .lengths import Lengths, factors
from .rows import Array, Block, Indices, Kernel, Meter, PerRow, Rows
from .sums import Sums, Tree, fold_size
from .threads import ALONE, Workers


class Parts(PerRow):
    """Results by the number of their block."""

    def __init__(self, parts: list):
        self.parts = parts

    def gathered(self) -> Array:
        return self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)


class RowsInMemory(Rows):
    """Rows whose X, targets and weights are arrays; what is large is never copied as a whole.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
        Of any real dtype; blocks are in float64.
    y : ndarray
        Targets of the kept rows, as `Block` has them.
    weights : ndarray
        Their weights, positive and of sum one.
    n_outputs : int
        How many scores a row gets.
    workers : Workers
        Who works on the blocks.
    meter : Meter, optional
        Counts the passes; a new one by default.
    kept : ndarray of intp, optional
        The rows of X that are meant, sorted; all by default.
    origin : ndarray of shape (p,), optional
        Subtracted from every row.
    lengths : Lengths, optional
        Of the kept rows, which blocks divide them by.
    """

    def __init__(
        self,
        X: Any,
        y: NDArray,
        weights: Array,
        n_outputs: int = 1,
        *,
        workers: Workers = ALONE,
        meter: Meter | None = None,
        kept: Indices | None = None,
        origin: Array | None = None,
        lengths: Lengths | None = None,
    ):
        self.X, self.y, self.weights, self.n_outputs = X, y, weights, n_outputs
        self.workers, self.kept, self.origin, self.lengths = workers, kept, origin, lengths
        self.n_rows, self.n_features = X.shape[0] if kept is None else len(kept), X.shape[1]
        self.meter = meter or Meter(self.n_rows * self.n_features)
        self.block_size = max(self._block_size(), 1)
        self.n_blocks = -(-max(self.n_rows, 1) // self.block_size)
        self._blocks: dict[int, Block] = {}

    @abstractmethod
    def _block_size(self) -> int:
        """Rows of a block, by shapes alone."""

    @abstractmethod
    def _block(self, where: slice) -> Block:
        """The block of some of the kept rows."""

    @abstractmethod
    def dense(self, where: slice | Indices) -> Array:
        """Some rows in float64, C-contiguous; a view where they can be one."""

    @abstractmethod
    def _picked(self, indices: Indices | slice) -> Any:
        """Some of the kept rows of X as they are; a view where they can be one."""

    @abstractmethod
    def _over(self, X: Any, y: NDArray, weights: Array, **options: Any) -> RowsInMemory:
        """Rows of the same kind, workers and meter, with the other options of a constructor."""

    def block(self, number: int) -> Block:
        """One of the blocks; those of few rows are made once."""
        if self.n_blocks > 1 and not self._keeps_blocks():
            return self._block(self.where(number))
        if number not in self._blocks:
            self._blocks[number] = self._block(self.where(number))
        return self._blocks[number]

    def _keeps_blocks(self) -> bool:
        """Whether the blocks of these rows, perhaps in another type and order than X, are to stay in memory."""
        return False

    def where(self, number: int) -> slice:
        """Which rows are in a block."""
        return slice(number * self.block_size, min((number + 1) * self.block_size, self.n_rows))

    def sum(self, kernel: Kernel, *small: Any, passes: float = 1.0, entries: int = 0) -> Sums:
        self.meter.count(self, passes)
        if self.n_blocks == 1:
            return quietly(kernel, self.block(0), *of_block(small, 0))
        fold = fold_size(self.n_blocks, entries)

        def of_some(start: int) -> dict:
            some = Tree(self.n_blocks)
            for number in range(start, min(start + fold, self.n_blocks)):
                some.put(0, number, self.apply(kernel, small, number))
            return some.nodes

        tree = Tree(self.n_blocks)
        for nodes in self.workers.map(of_some, range(0, self.n_blocks, fold)):
            tree.put_all(nodes)
        return tree.total()

    def each(self, kernel: Kernel, *small: Any, passes: float = 1.0) -> tuple:
        self.meter.count(self, passes)
        if self.n_blocks == 1:
            part, *sums = quietly(kernel, self.block(0), *of_block(small, 0))
            return Parts([part]), *sums
        tree, parts = Tree(self.n_blocks), []
        found = self.workers.map(lambda number: self.apply(kernel, small, number), range(self.n_blocks))
        for number, (part, *sums) in enumerate(found):
            parts.append(part)
            tree.put(0, number, tuple(sums))
        return Parts(parts), *tree.total()

    def apply(self, kernel: Kernel, small: Iterable, number: int) -> tuple:
        """What a kernel finds in one of the blocks."""
        return quietly(kernel, self.block(number), *of_block(small, number))

    def spread(self, values: Array) -> Parts:
        return Parts([values[self.where(number)] for number in range(self.n_blocks)])

    def draw(self, size: int, random: np.random.RandomState, chances: PerRow | None = None) -> tuple[Indices, Array]:
        by = capped(self.weights if chances is None else chances.gathered(), size)
        return counted(stratified(by, size, random.uniform(size=size), self.block_size), self.weights, by)

    def weights_of(self, indices: Indices | slice) -> Array:
        return self.weights[indices]

    def targets_of(self, indices: Indices | slice) -> NDArray:
        return self.y[indices]

    def take(self, indices: Indices | slice) -> Array:
        some = self.dense(indices)
        return some.copy() if isinstance(indices, slice) else some

    def only(self, indices: Indices) -> Rows:
        lengths = None if self.lengths is None else self.lengths[indices]
        X, y, weights = self._picked(indices), self.y[indices], self.weights[indices]
        return self._over(X, y, weights, origin=self.origin, lengths=lengths)

    def with_weights(self, weights: Array) -> Rows:
        return self.with_targets(self.y, weights)

    def with_targets(self, y: NDArray, weights: Array) -> Rows:
        return self._over(self.X, y, weights, kept=self.kept, origin=self.origin, lengths=self.lengths)

    def unit(self) -> Rows:
        lengths = Lengths(*np.ascontiguousarray(self.each(factors)[0].gathered().T))
        return self._over(self.X, self.y, self.weights, kept=self.kept, origin=self.origin, lengths=lengths)

    def split(self, starts: Iterable[int], size: int, work: Callable[[slice], Any]) -> Iterator:
        """``work(slice)`` for slices of a size that begin at the starts, by the workers and in order."""
        return self.workers.map(lambda start: quietly(work, slice(start, start + size)), starts)


def of_block(small: Iterable, number: int) -> Iterator:
    """The arguments of a kernel for one of the blocks."""
    return (argument.parts[number] if type(argument) is Parts else argument for argument in small)


def quietly(function: Callable, *arguments: Any) -> Any:
    """Call it; an infinite or undefined sum is an answer that solvers understand (threads do not inherit this)."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return function(*arguments)
