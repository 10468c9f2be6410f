"""Parquet files by row groups, each decoded into one matrix."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import Collected, Opened, edges_of
from .sources import Chunked, Source
from .stamps import FileStamp

SINGLE = ("halffloat", "float", "bool", "int8", "uint8", "int16", "uint16")  # types that float32 holds
DOUBLE = ("double", "int32", "uint32", "int64", "uint64")


class ParquetFiles:
    """Files, and which of their columns are what; `RowBlocks.from_parquet` says what the parameters are."""

    def __init__(self, path: Any, *, columns: Sequence[str] | None, target: str | None, weight: str | None):
        self.path, self.target, self.weight = path, target, weight
        self.dataset = dataset_of(path)
        names = self.dataset.schema.names
        self.columns = [name for name in names if name not in (target, weight)] if columns is None else list(columns)
        for name in [*self.columns, *(given for given in (target, weight) if given is not None)]:
            if name not in names:
                raise ValueError(f"There is no column {name!r} in {path!r}; those are {names}.")
        if not self.columns:
            raise ValueError(f"Found array with 0 feature(s): {path!r} has no columns but target and weight.")

    def __repr__(self) -> str:
        return f"ParquetFiles({self.path!r})"

    def opened(self, cache: Any, targets: bool) -> Opened:
        """What is in the files; nothing is read of X, but where it is copied."""
        groups = RowGroups(self.path, self.dataset, self.columns)
        source: Source = groups
        if cache is not None:
            source = Collected(groups.chunks(), cache, self.columns).copy or groups
        return Opened(source, *(self._column(name) if targets else None for name in (self.target, self.weight)))

    def _column(self, name: str | None) -> NDArray | None:
        if name is None:
            return None
        return self.dataset.to_table(columns=[name]).column(0).to_numpy()


class RowGroups(Chunked):
    """The features in the row groups of a dataset."""

    def __init__(self, path: Any, dataset: Any, columns: Sequence[str]):
        self.path, self.columns = path, list(columns)
        self._groups = groups_of(dataset)
        edges = edges_of([group.row_groups[0].num_rows for group in self._groups])
        if not edges[-1]:
            raise ValueError(f"Found array with 0 sample(s): {path!r} has no rows, and at least one is needed.")
        types = {name: str(dataset.schema.field(name).type) for name in columns}
        for name, kind in types.items():
            if kind not in SINGLE + DOUBLE:
                raise ValueError(
                    f"X must hold numbers: column {name!r} is of the type {kind}. Leave it out by columns=, or write "
                    "the file with numbers in its place."
                )
        single = all(kind in SINGLE for kind in types.values())
        super().__init__(
            edges,
            shape=(edges[-1], len(types)),
            dtype=np.float32 if single else np.float64,
            names=self.columns,
            stamps=[FileStamp(file) for file in dataset.files if os.path.isfile(file)],
        )

    def __getstate__(self):
        return super().__getstate__() | {"_groups": None}

    def __setstate__(self, state):
        super().__setstate__(state)
        self._groups = groups_of(dataset_of(self.path))

    def load(self, number):
        table = self._groups[number].to_table(columns=self.columns, use_threads=False)
        expected = int(self.edges[number + 1] - self.edges[number])
        if table.num_rows != expected:
            raise RuntimeError(f"{self.path!r} had {expected} rows in row group {number}, and has {table.num_rows}.")
        rows = np.empty((expected, self.shape[1]), self.dtype)
        for number, name in enumerate(self.columns):
            rows[:, number] = table.column(name).to_numpy()
        return rows

    def chunks(self) -> Iterator[NDArray]:
        """All of them, one after the other."""
        return (self.load(number) for number in range(len(self._groups)))


def dataset_of(path: Any) -> Any:
    """The dataset at a path."""
    try:
        from pyarrow import dataset
    except ImportError as error:
        raise ImportError(
            "RowBlocks.from_parquet reads with pyarrow, which is not installed: pip install 'sklearn-losses[files]'."
        ) from error
    return dataset.dataset(path, format="parquet")


def groups_of(dataset: Any) -> list:
    """Its row groups, in order."""
    return [group for file in dataset.get_fragments() for group in file.split_by_row_group()]
