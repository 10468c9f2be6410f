"""Rows that are somewhere else than in an array: read in stretches or by number, from any thread, never as a whole."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rows import Indices
from .stamps import FileStamp, stamps_of

STRETCH_BYTES = 16 << 20  # that are read at once where rows are looked for, or where a store has small chunks
RECENT = 2  # chunks that are kept: two threads work on neighbouring blocks


class Source(ABC):
    """A matrix whose rows are read.

    Parameters
    ----------
    shape : tuple of two ints
        Rows and columns.
    dtype : dtype
        Of the arrays that are read; any of numbers.
    names : sequence of str, optional
        Of the columns.
    stamps : iterable of FileStamp
        Of the files that it is read from.
    """

    ndim = 2

    def __init__(
        self,
        shape: tuple[int, int],
        dtype: Any,
        names: Sequence[str] | None = None,
        stamps: Iterable[FileStamp] = (),
    ):
        self.shape, self.dtype, self.names = (int(shape[0]), int(shape[1])), np.dtype(dtype), names
        self.stamps = list(stamps)

    @abstractmethod
    def read(self, start: int, stop: int) -> NDArray:
        """The rows from ``start`` to ``stop``, as they are stored."""

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.shape[0] * self.shape[1]

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of what is held elsewhere; nothing is read any more."""

    def take(self, indices: Indices) -> NDArray:
        """Rows by their numbers, as a new array; read in their order in the source."""
        order = np.argsort(indices, kind="stable")
        wanted = np.asarray(indices)[order]
        found = np.empty((len(wanted), self.shape[1]), self.dtype)
        first = 0
        for _, stop in self.stretches():
            last = int(np.searchsorted(wanted, stop))
            if last > first:
                here = wanted[first:last]
                found[order[first:last]] = self.read(int(here[0]), int(here[-1]) + 1)[here - here[0]]
                first = last
        return found

    def read_columns(self, where: slice) -> NDArray:
        """Some columns of all rows: it takes as long as reading everything."""
        return np.concatenate([self.read(start, stop)[:, where] for start, stop in self.stretches()])

    def first_not_finite(self) -> tuple[int, NDArray] | None:
        """The number of the first row that has entries that are not finite, and the row (1, p)."""
        for start, stop in self.stretches():
            rows = self.read(start, stop)
            if not (finite := np.isfinite(rows)).all():
                row = int(np.argmin(finite.all(axis=1)))
                return start + row, rows[row : row + 1]
        return None

    def stretches(self) -> Iterable[tuple[int, int]]:
        """All rows in pieces that are read at once."""
        size = max(STRETCH_BYTES // max(self.shape[1] * self.dtype.itemsize, 1), 1)
        return ((start, min(start + size, self.shape[0])) for start in range(0, self.shape[0], size))


class Chunked(Source):
    """Rows in chunks that are loaded as wholes, one at a time; the last few are kept.

    Parameters
    ----------
    edges : array-like of int
        Where the chunks begin, and the number of rows.
    **matrix
        As for `Source`.
    """

    def __init__(self, edges: Any, **matrix: Any):
        super().__init__(**matrix)
        self.edges = np.asarray(edges, dtype=np.intp)
        self._recent: OrderedDict[int, NDArray] = OrderedDict()
        self._lock = RLock()

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name not in ("_recent", "_lock")}

    def __setstate__(self, state):
        self.__dict__ = state | {"_recent": OrderedDict(), "_lock": RLock()}

    @abstractmethod
    def load(self, number: int) -> NDArray:
        """One of the chunks; never called by two threads at once."""

    def chunk(self, number: int) -> NDArray:
        """The same, from memory if it was among the last."""
        with self._lock:
            if number not in self._recent:
                while len(self._recent) >= RECENT:
                    self._recent.popitem(last=False)
                self._recent[number] = self.load(number)
            return self._recent[number]

    def read(self, start, stop):
        return joined([self.chunk(number)[first:last] for number, first, last in overlaps(self.edges, start, stop)])

    def stretches(self):
        edges = np.unique(self.edges).tolist()  # without the empty ones
        return itertools.pairwise(edges)


class Sliced(Source):
    """Anything with a shape, a dtype and slices: datasets of HDF5, arrays of other libraries.

    Parameters
    ----------
    array : object
        What is sliced.
    """

    def __init__(self, array: Any):
        super().__init__(array.shape, array.dtype, stamps=stamps_of(array))
        self.array = array

    def read(self, start, stop):
        return read_rows(self.array, start, stop)

    def __getstate__(self):
        return vars(self) | {"array": by_path(self.array)}

    def __setstate__(self, state):
        self.__dict__ = state | {"array": reopened(state["array"])}


class SlicedInChunks(Chunked):
    """The same for a store that decodes whole chunks of rows, which would be decoded again for every block."""

    def __init__(self, array: Any, chunk_rows: int):
        n_rows = array.shape[0]
        row = max(array.shape[1] * np.dtype(array.dtype).itemsize, 1)
        together = chunk_rows * max(STRETCH_BYTES // (4 * chunk_rows * row), 1)
        edges = np.append(np.arange(0, n_rows, together), n_rows)
        super().__init__(edges, shape=array.shape, dtype=array.dtype, stamps=stamps_of(array))
        self.array = array

    def load(self, number):
        return read_rows(self.array, int(self.edges[number]), int(self.edges[number + 1]))

    def __getstate__(self):
        return super().__getstate__() | {"array": by_path(self.array)}

    def __setstate__(self, state):
        super().__setstate__(state | {"array": reopened(state["array"])})


def sliced(array: Any) -> Source:
    """The source of anything that has slices."""
    chunks = getattr(array, "chunks", None)
    rows = chunks[0] if isinstance(chunks, tuple) and chunks else None
    return SlicedInChunks(array, int(rows)) if isinstance(rows, int | np.integer) and rows > 0 else Sliced(array)


def read_rows(array: Any, start: int, stop: int) -> NDArray:
    """A slice of rows as an array; a RuntimeError if there are fewer."""
    rows = np.asarray(array[start:stop])
    if len(rows) != stop - start:
        raise RuntimeError(f"Rows {start} to {stop} were asked for and {len(rows)} came: X has become shorter.")
    return rows


def overlaps(edges: NDArray[np.intp], start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """The parts between edges that rows are in: their numbers, and which of their rows these are."""
    number = int(np.searchsorted(edges, start, side="right")) - 1
    while start < stop:
        first, last = int(edges[number]), int(edges[number + 1])
        if start < last:
            yield number, start - first, min(stop, last) - first
        start, number = max(start, last), number + 1


def joined(parts: list[NDArray]) -> NDArray:
    """Parts one below the other; a single one as it is."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


class ByPath:
    """A dataset in an HDF5 file, whose handles do not leave their process."""

    def __init__(self, module: str, path: str, name: str):
        self.module, self.path, self.name = module, path, name


def by_path(array: Any) -> Any:
    """What to pickle instead of an array."""
    path = getattr(getattr(array, "file", None), "filename", None)
    return array if path is None else ByPath(type(array).__module__.partition(".")[0], path, array.name)


def reopened(array: Any) -> Any:
    """The array that such a thing stands for."""
    if not isinstance(array, ByPath):
        return array
    from importlib import import_module

    return import_module(array.module).File(array.path, "r")[array.name]
