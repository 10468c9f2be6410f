"""A scratch copy of blocks in a file without a name, which is gone when nobody reads it any more."""

from __future__ import annotations

import os
from tempfile import TemporaryFile
from threading import Lock
from typing import Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from .sources import STRETCH_BYTES, Source, joined, overlaps, read_rows


class ScratchFile:
    """Blocks written one after the other, each in its own type, into a file without a name."""

    def __init__(self, directory: str | os.PathLike[str]):
        self._file = TemporaryFile(dir=os.fspath(directory))  # noqa: SIM115 - it is to stay open
        finalize(self, self._file.close)
        self._blocks: list[tuple[int, np.dtype, int]] = []  # where they begin, their types, and columns
        self._lock = Lock()
        self._end = 0

    def write(self, X: Any) -> None:
        """Add a block."""
        dtype, n_features = np.dtype(X.dtype), X.shape[1]
        self._blocks.append((self._end, dtype, n_features))
        size = max(STRETCH_BYTES // max(n_features * dtype.itemsize, 1), 1)
        for start in range(0, X.shape[0], size):
            rows = np.ascontiguousarray(read_rows(X, start, min(start + size, X.shape[0])))
            self._file.write(rows.data)
            self._end += rows.nbytes

    def close(self) -> None:
        """The file is gone."""
        self._file.close()

    def read(self, number: int, first: int, last: int) -> NDArray:
        """Some rows of a block."""
        begin, dtype, n_features = self._blocks[number]
        row = n_features * dtype.itemsize
        with self._lock:
            self._file.seek(begin + first * row)
            content = self._file.read((last - first) * row)
        return np.frombuffer(content, dtype).reshape(last - first, n_features)


class ScratchCopy(Source):
    """Rows in such a file."""

    def __init__(self, file: ScratchFile, edges: NDArray[np.intp], **matrix: Any):
        super().__init__(**matrix)
        self.file, self.edges = file, edges

    def close(self):
        self.file.close()

    def __reduce__(self):
        raise TypeError("Data with a scratch copy cannot be sent to another process. Make RowBlocks without cache=.")

    def read(self, start, stop):
        return joined([self.file.read(*part) for part in overlaps(self.edges, start, stop)])
