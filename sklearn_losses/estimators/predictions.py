"""Predictions for collections of Dask: collections, of the same chunks, that are computed when their time comes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..data.dask_collections import as_it_is, is_collection, is_frame, pieces


def also_of_collections(method: Callable) -> Callable:
    """A method that predicts for rows, and now also for a collection of Dask."""

    @wraps(method)
    def predict(self, X):
        if not is_collection(X):
            return method(self, X)
        check_is_fitted(self)
        return mapped(copy.copy(self), method.__name__, X)

    return predict


def mapped(model: Any, name: str, X: Any) -> Any:
    """A method of a model, of every chunk."""
    import dask.array

    chunks = pieces(X, as_it_is)
    like = of_nothing(model, name, X)
    shapes = [(np.nan,)] * len(chunks) if is_frame(X) else [(length,) for length in X.chunks[0]]
    of_chunk = dask.delayed(of_rows)
    model = dask.delayed(model)
    return dask.array.concatenate(
        [
            dask.array.from_delayed(of_chunk(model, name, chunk, like), (*shape, *like.shape[1:]), meta=like)
            for shape, chunk in zip(shapes, chunks, strict=True)
        ],
        allow_unknown_chunksizes=is_frame(X),
    )


def of_nothing(model: Any, name: str, X: Any) -> NDArray:
    """The method's answer for no rows, from that for a row of zeros: columns that do not fit are noticed here."""
    row: Any = np.zeros((1, X.shape[1]), np.float64 if is_frame(X) else X.dtype)
    if is_frame(X):
        import pandas as pd

        row = pd.DataFrame(row, columns=list(X.columns)).astype(dict(X.dtypes))
    return getattr(model, name)(row)[:0]


def of_rows(model: Any, name: str, chunk: Any, like: NDArray) -> NDArray:
    """The answer for a chunk, which may have no rows."""
    return getattr(model, name)(chunk) if len(chunk) else like
