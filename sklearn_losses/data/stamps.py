"""Files that must stay as they are while they are read: several passes over one that changes find nothing."""

from __future__ import annotations

import os
from typing import Any

import numpy as np


class FileStamp:
    """Size and time of a file, by which is seen that it has changed.

    Parameters
    ----------
    path : str
        Of the file.
    written : bool
        Whether this process may write to it; then only its size counts.
    """

    def __init__(self, path: str, *, written: bool = False):
        self.path, self.written = path, written
        self._seen = self._now()

    def _now(self) -> tuple[int, int]:
        found = os.stat(self.path)
        return found.st_size, 0 if self.written else found.st_mtime_ns

    def check(self) -> None:
        """Raise a RuntimeError if the file is not what it was."""
        try:
            now = self._now()
        except OSError as error:
            raise RuntimeError(f"{self.path} can no longer be read: {error}.") from error
        if now != self._seen:
            (size, _), (before, _) = now, self._seen
            what = f"has {size} bytes instead of {before}" if size != before else "has been written to"
            raise RuntimeError(
                f"{self.path} {what} since it was first read. Data must stay as they are until the end: fit again, or "
                "fit a copy."
            )


class FolderStamp(FileStamp):
    """The same for a folder, with the sum of the sizes and the latest of the times of all its files."""

    def _now(self) -> tuple[int, int]:
        found = [
            os.stat(os.path.join(folder, name)) for folder, _, names in os.walk(self.path) for name in ["", *names]
        ]
        if not found:
            raise FileNotFoundError(f"no such folder: {self.path}")
        return sum(one.st_size for one in found), 0 if self.written else max(one.st_mtime_ns for one in found)


def stamps_of(array: Any) -> list[FileStamp]:
    """Those of the file or folder that an array is in, or a view of one, where that is known."""
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    folder = getattr(getattr(array, "store", None), "root", None)  # of zarr's local stores
    if isinstance(folder, str | os.PathLike) and os.path.isdir(folder):
        return [FolderStamp(os.path.normpath(os.path.join(folder, getattr(array, "path", ""))))]
    path = getattr(array, "filename", None) or getattr(getattr(array, "file", None), "filename", None)
    if not isinstance(path, str | os.PathLike) or not os.path.isfile(path):
        return []
    mode = getattr(array, "mode", None) or getattr(getattr(array, "file", None), "mode", "r")
    return [FileStamp(os.fspath(path), written=mode not in ("r", "c"))]
