"""How X comes in: in memory as before, or by something that is read in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import validate_data

from ..data import dask_collections
from ..data.blocks import check_dtype
from ..data.dask_collections import is_collection
from ..data.row_blocks import RowBlocks
from ..data.sources import Source, sliced


@dataclass
class Given:
    """X, as an array-like or a `Source`, and what goes with its rows; as a context, until X is read no more."""

    X: Any
    y: Any
    weights: Any

    @property
    def all(self) -> tuple:
        """The three."""
        return self.X, self.y, self.weights

    def __enter__(self) -> Given:
        return self

    def __exit__(self, *_) -> None:
        if isinstance(self.X, Source):
            self.X.close()


def come_in(X: Any, y: Any = None, weights: Any = None, *, targets: bool = True) -> Given:
    """What is given, opened where it is not in memory.

    Raises
    ------
    ValueError
        When targets or weights are given twice.
    """
    if isinstance(X, RowBlocks):
        opened = X.opened(targets=targets)
        if opened.y is not None and y is not None:
            raise ValueError("y is given twice: in the blocks of X, and beside them. Leave one of them out.")
        if opened.weights is not None and weights is not None:
            raise ValueError(
                "Weights are given twice: in the blocks of X, and as sample_weight. Leave one of them out."
            )
        return Given(opened.X, opened.y if y is None else y, opened.weights if weights is None else weights)
    if is_collection(X):
        source, (y, weights) = dask_collections.opened(X, y, weights)
        return Given(source, y, weights)
    if is_record_batch(X):
        import pyarrow

        return Given(pyarrow.Table.from_batches([X]), y, weights)
    if is_sliced(X):
        if len(X.shape) != 2:
            raise ValueError(f"Expected 2D array, got {len(X.shape)}D array instead: X has shape {X.shape}.")
        check_dtype(X.dtype, "X")
        return Given(sliced(X), y, weights)
    return Given(X, y, weights)


def is_record_batch(X: Any) -> bool:
    """Whether X is a part of an Arrow table, whose names scikit-learn sees in tables only."""
    return type(X).__name__ == "RecordBatch" and type(X).__module__.startswith("pyarrow")


def is_sliced(X: Any) -> bool:
    """Whether X is something with shape, dtype and slices that is not an array: a dataset of a file."""
    if isinstance(X, np.ndarray) or issparse(X) or hasattr(X, "__dlpack__") or hasattr(X, "iloc"):
        return False
    return isinstance(getattr(X, "dtype", None), np.dtype) and hasattr(X, "shape") and hasattr(X, "__getitem__")


def check_source(estimator: Any, X: Source, *, reset: bool) -> Source:
    """What scikit-learn checks of arrays: rows and columns, and the names of these."""
    for count, of in zip(X.shape, ("sample", "feature"), strict=True):
        if not count:
            raise ValueError(
                f"Found array with 0 {of}(s) (shape={X.shape}) while a minimum of 1 is required by "
                f"{type(estimator).__name__}."
            )
    names = None if X.names is None else np.asarray(X.names, dtype=object)
    fitted = vars(estimator).get("feature_names_in_")
    if reset:
        validate_data(estimator, X, reset=True, skip_check_array=True)
        if names is not None:
            estimator.feature_names_in_ = names
    elif names is None or fitted is None:
        validate_data(estimator, X, reset=False, skip_check_array=True)
    elif len(names) != len(fitted):
        raise ValueError(
            f"X has {len(names)} features, but {type(estimator).__name__} is expecting {len(fitted)} features as input."
        )
    elif (names != fitted).any():
        column = int(np.argmax(names != fitted))
        raise ValueError(
            "The feature names should match those that were passed during fit, in the same order: column "
            f"{column} is {names[column]!r}, and was {fitted[column]!r}."
        )
    return X


def check_finite_source(estimator: Any, X: Source) -> None:
    """Raise a ValueError that names the first row with an entry that is not finite."""
    found = X.first_not_finite()
    if found is not None:
        _raise_not_finite(estimator, *found)


def check_finite_rows(estimator: Any, rows: NDArray, start: int) -> None:
    """The same for some rows, from a number on."""
    finite = np.isfinite(rows)
    if not finite.all():
        row = int(np.argmin(finite.all(axis=1)))
        _raise_not_finite(estimator, start + row, rows[row : row + 1])


def _raise_not_finite(estimator: Any, number: int, row: NDArray) -> None:
    try:
        assert_all_finite(row, estimator_name=type(estimator).__name__, input_name="X")
    except ValueError as error:
        text, _, more = str(error).partition("\n")
        raise ValueError(f"{text} The first such row is row {number}.\n{more}") from error
