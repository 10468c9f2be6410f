"""Collections of Dask: in chunks that are matrices, read here one by one, or kept where a cluster has them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from .blocks import edges_of
from .cluster import Cluster, client_now
from .far import FarMatrix
from .sources import Chunked, Source


def is_collection(values: Any) -> bool:
    """Whether it is one of Dask's."""
    dask = sys.modules.get("dask")
    return dask is not None and bool(dask.is_dask_collection(values))


def is_frame(collection: Any) -> bool:
    """Whether a collection has named columns."""
    return hasattr(collection, "columns")


def opened(X: Any, *others: Any) -> tuple[Source, list]:
    """A source of the rows of X, and other collections (or anything else, as it is) in memory."""
    if not hasattr(type(X), "to_delayed"):
        raise TypeError(f"X is a {type(X).__name__}; of Dask's collections arrays and dataframes can be fitted.")
    delayed, names, client = pieces(X, as_matrix), names_of(X), client_now()
    columns = [column_of(other) if is_collection(other) else [] for other in others]
    asked = [piece for column in columns for piece in column]
    source, found = _here(delayed, names, asked) if client is None else _there(Cluster(client), delayed, names, asked)
    known = iter(found)
    parts = [[np.asarray(next(known)) for _ in column] for column in columns]
    return source, [np.concatenate(part) if part else other for part, other in zip(parts, others, strict=True)]


def pieces(X: Any, function: Callable) -> list:
    """A function of every chunk of rows, not computed yet.

    Raises
    ------
    ValueError
        When the chunks are none of whole rows, or of lengths that nobody knows.
    """
    if is_frame(X):
        import dask

        _check_columns(X)
        return [dask.delayed(function, pure=False)(chunk) for chunk in X.to_delayed()]
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead: X has shape {X.shape}.")
    if np.isnan(X.shape).any():
        raise ValueError(
            "The chunks of X have unknown lengths, so that its rows have no numbers. Call X.compute_chunk_sizes() "
            "first, or pass the dataframe that X was made of."
        )
    if len(X.chunks[1]) > 1:
        raise ValueError(
            f"X has its columns in {len(X.chunks[1])} chunks, and a chunk must have whole rows. Pass "
            "X.rechunk({1: -1})."
        )
    return _of_chunks(function, X)


def column_of(values: Any) -> list:
    """The chunks of targets or weights."""
    return _of_chunks(np.asarray, values) if hasattr(values, "map_blocks") else list(values.to_delayed())


def _of_chunks(function: Callable, array: Any) -> list:
    """A function of the chunks of an array, not computed yet.

    Their names are new: under the array's own, the scheduler would meet another plan of the same chunks, optimised
    otherwise, as soon as its owner computes anything from it.
    """
    meta = np.empty((0,) * array.ndim, array.dtype)
    named = array.map_blocks(function, name=f"rows-{uuid4().hex}", dtype=array.dtype, meta=meta)
    return list(named.to_delayed().ravel())


def names_of(X: Any) -> list | None:
    """The names of the columns, if all of them are text."""
    names = list(X.columns) if is_frame(X) else []
    return names if names and all(isinstance(name, str) for name in names) else None


def _check_columns(frame: Any) -> None:
    for name, dtype in frame.dtypes.items():
        if getattr(dtype, "kind", "O") not in "biuf":
            raise ValueError(
                f"X must hold numbers: column {name!r} has dtype {dtype}. Leave it out, or encode it first, for "
                "example with dask_ml.preprocessing."
            )


def as_matrix(chunk: Any) -> NDArray:
    """A chunk, an array or a data frame, as an array of numbers."""
    if issparse(chunk):
        raise TypeError("The chunks of X are sparse matrices, and must be arrays.")
    if hasattr(chunk, "to_numpy"):
        single = all(dtype == np.float32 for dtype in chunk.dtypes)
        return chunk.to_numpy(dtype=np.float32 if single else np.float64, na_value=np.nan)
    rows = np.asarray(chunk)
    if rows.ndim != 2 or rows.dtype.kind not in "biuf":
        raise TypeError(f"The chunks of X must be matrices of numbers; one has shape {rows.shape} of {rows.dtype}.")
    return rows


def as_it_is(chunk: Any) -> Any:
    """A chunk."""
    return chunk


def facts(matrix: NDArray) -> tuple[int, int, np.dtype]:
    """Rows, columns and type."""
    return *matrix.shape, matrix.dtype


class DaskChunks(Chunked):
    """Chunks that are computed in this process, one after the other."""

    def __init__(self, delayed: list, edges: Any, **matrix: Any):
        super().__init__(edges, **matrix)
        self.delayed = delayed

    def load(self, number):
        rows = self.delayed[number].compute()
        expected = int(self.edges[number + 1] - self.edges[number])
        if len(rows) != expected:
            raise RuntimeError(f"Chunk {number} of X has {len(rows)} rows, and had {expected} when it was first read.")
        return rows


def _here(delayed: list, names: list | None, asked: list) -> tuple[Source, list]:
    import dask

    looked_at = [dask.delayed(facts)(chunk) for chunk in delayed]
    found, values = dask.compute(looked_at, asked)
    edges, matrix = _shape(found)
    return DaskChunks(delayed, edges, names=names, **matrix), list(values)


def _there(cluster: Cluster, delayed: list, names: list | None, asked: list) -> tuple[Source, list]:
    futures = cluster.load([*delayed, *asked])
    matrices, others = futures[: len(delayed)], futures[len(delayed) :]
    try:
        found = cluster.bring([*(cluster.submit(facts, matrix) for matrix in matrices), *others])
    except BaseException:
        cluster.close()  # nobody else will
        raise
    edges, matrix = _shape(found[: len(delayed)])
    return FarMatrix(cluster, matrices, edges, names=names, **matrix), found[len(delayed) :]


def _shape(found: Sequence) -> tuple[NDArray[np.intp], dict[str, Any]]:
    lengths, columns, dtypes = zip(*found, strict=True)
    if len(set(columns)) > 1:
        raise ValueError(f"The chunks of X have different numbers of columns: {sorted(set(columns))}.")
    edges = edges_of(lengths)
    return edges, {"shape": (int(edges[-1]), columns[0]), "dtype": np.result_type(*dtypes)}
