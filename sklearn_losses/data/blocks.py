"""Blocks of rows, looked through once for shapes, types, targets and weights, then read again and again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from .scratch import ScratchCopy, ScratchFile
from .sources import Chunked, Source, by_path, joined, overlaps, read_rows, reopened
from .stamps import FileStamp, stamps_of


@dataclass
class Opened:
    """A source, and targets and weights where the blocks carry them."""

    X: Source
    y: NDArray | None
    weights: NDArray | None


class Collected:
    """The first look at blocks: shapes, types, targets and weights; and a scratch copy if there is to be one."""

    def __init__(self, blocks: Iterable, cache: str | os.PathLike[str] | None, names: Sequence[str] | None):
        self.lengths: list[int] = []
        self.dtype: Any = None  # the numpy.dtype that holds all blocks
        self.n_features: int | None = None
        self.names, self.carried = names, 0
        self.stamps: list[FileStamp] = []
        self.parts: list = []  # of a list: those of a callable are not kept
        self.copy: ScratchCopy | None = None
        self._y: list[NDArray] = []
        self._weights: list[NDArray] = []
        file = None if cache is None else ScratchFile(cache)
        for number, block in enumerate(blocks):
            X = self._look_at(number, block)
            if isinstance(blocks, list | tuple):
                self.parts.append(X)
            if file is not None:
                file.write(X)
        if not sum(self.lengths):
            raise ValueError("Found array with 0 sample(s): RowBlocks has no rows, and at least one is needed.")
        if file is not None:
            self.copy = ScratchCopy(file, self.edges, **self.matrix)

    @property
    def edges(self) -> NDArray[np.intp]:
        """Where blocks begin, and the number of rows."""
        return edges_of(self.lengths)

    @property
    def matrix(self) -> dict[str, Any]:
        """What a `Source` is made of."""
        shape = (sum(self.lengths), self.n_features)
        return {"shape": shape, "dtype": self.dtype, "names": self.names, "stamps": self.stamps}

    def targets(self) -> tuple[NDArray | None, NDArray | None]:
        """Targets and weights of all rows."""
        y = np.concatenate(self._y) if self._y else None
        return y, np.concatenate(self._weights) if self._weights else None

    def _look_at(self, number: int, block: Any) -> Any:
        X, *more = block if isinstance(block, tuple) else (block,)
        X = as_rows(X, number)
        carried = len(more)
        if carried > 2:
            raise ValueError(f"Block {number} is a tuple of {1 + carried}; it should be (X, y) or (X, y, weights).")
        if number == 0:
            self.n_features, self.carried = X.shape[1], carried
        if X.shape[1] != self.n_features:
            raise ValueError(f"Block {number} has {X.shape[1]} columns, and the blocks before have {self.n_features}.")
        if carried != self.carried:
            raise ValueError(
                f"Block {number} has {carried} arrays beside X, and the blocks before have {self.carried}."
            )
        for name, values, kept in zip(("y", "weights"), more, (self._y, self._weights), strict=False):
            values = np.asarray(values)
            if values.ndim == 2 and values.shape[1] == 1:
                values = values[:, 0]
            if values.shape != (X.shape[0],):
                raise ValueError(f"Block {number} has {X.shape[0]} rows, and its {name} the shape {values.shape}.")
            kept.append(values.copy())
        self.lengths.append(int(X.shape[0]))
        self.dtype = np.dtype(X.dtype) if self.dtype is None else np.result_type(self.dtype, X.dtype)
        self.stamps += stamps_of(X)
        return X


def opened(blocks: Any, cache: str | os.PathLike[str] | None, targets: bool) -> Opened:
    """What is in blocks: one pass over those of a function, none over those of a list."""
    first = Collected(blocks() if callable(blocks) else blocks, cache, None)
    source: Source
    if first.copy is not None:
        source = first.copy
    elif callable(blocks):
        source = Iterated(blocks, first)
    else:
        source = Listed(first.parts, **first.matrix)
    return Opened(source, *first.targets()) if targets else Opened(source, None, None)


def edges_of(lengths: Sequence[int]) -> NDArray[np.intp]:
    """Where blocks of some lengths begin, and the number of rows."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)


def as_rows(X: Any, number: int) -> Any:
    """A block as something with rows of numbers."""
    if issparse(X):
        raise TypeError(
            f"Block {number} is a sparse matrix, and RowBlocks takes dense ones. Stack sparse blocks with "
            "scipy.sparse.vstack: only their entries take memory."
        )
    if not (hasattr(X, "shape") and hasattr(X, "dtype")):
        X = np.asarray(X)
    if len(X.shape) != 2:
        raise ValueError(f"Expected 2D array, got {len(X.shape)}D array instead: block {number} has shape {X.shape}.")
    check_dtype(X.dtype, f"Block {number}")
    return X


def check_dtype(dtype: Any, what: str) -> None:
    """Raise a TypeError unless it is one of real numbers."""
    if getattr(dtype, "kind", "") not in "biuf":
        raise TypeError(
            f"{what} has dtype {dtype}, and must hold real numbers. Encode text and dates first, row by row, as the "
            "blocks are made."
        )


class Listed(Source):
    """Blocks of a list, of which slices are read."""

    def __init__(self, parts: list, **matrix: Any):
        super().__init__(**matrix)
        self.parts, self.edges = parts, edges_of([part.shape[0] for part in parts])

    def __getstate__(self):
        return vars(self) | {"parts": [by_path(part) for part in self.parts]}

    def __setstate__(self, state):
        self.__dict__ = state | {"parts": [reopened(part) for part in state["parts"]]}

    def read(self, start, stop):
        parts = overlaps(self.edges, start, stop)
        return joined([read_rows(self.parts[number], first, last) for number, first, last in parts])


class Iterated(Chunked):
    """Blocks of a function, which come in their order: going back is beginning again."""

    def __init__(self, function: Callable[[], Iterable], first: Collected):
        super().__init__(first.edges, **first.matrix)
        self.function = function
        self._iterator: Iterator | None = None
        self._next = 0

    def __getstate__(self):
        return super().__getstate__() | {"_iterator": None, "_next": 0}

    def load(self, number):
        if self._iterator is None or number < self._next:
            self._iterator, self._next = iter(self.function()), 0
        while True:
            block = next(self._iterator, None)
            self._next += 1
            if block is None:
                self._iterator = None
                raise RuntimeError(
                    f"The function of RowBlocks gave {self._next - 1} blocks, and {len(self.edges) - 1} the first "
                    "time. It must return a new iterator over the same blocks every time it is called."
                )
            if self._next > number:
                return self._checked(number, block)

    def _checked(self, number: int, block: Any) -> NDArray:
        X = np.asarray(block[0] if isinstance(block, tuple) else block)
        expected = (int(self.edges[number + 1] - self.edges[number]), self.shape[1])
        if X.shape != expected:
            self._iterator = None
            raise RuntimeError(f"Block {number} of RowBlocks has shape {X.shape}, and {expected} the first time.")
        return X
