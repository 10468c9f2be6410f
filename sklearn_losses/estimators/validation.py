"""What comes in from users: checked, with errors that say what, why and what to do instead."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d, validate_data

from ..activations import Activation
from ..data.sources import Source
from ..losses import Loss
from ..losses.metric import one_hot
from .caller import level_of_user
from .doors import check_finite_source, check_source

ALLOWED_DTYPES = (np.float64, np.float32)
LARGEST_NUMBER = 8  # bytes, of which a double keeps all digits that matter
LARGEST_SQUARED, SMALLEST = 1e150, 1e-290  # targets of which floats can still hold sums of squares, and products
ENCODERS = "Encode text columns first, for example with sklearn.preprocessing.OneHotEncoder."
MANY_ENTRIES = 1_000_000  # an array of more is read in threads


def check_fit_data(estimator, X: Any, y: ArrayLike | None, as_target: Callable[[object, ArrayLike], NDArray]):
    """X validated by scikit-learn for fitting, numbers of any type as they came; and y by ``as_target``.

    Whether the entries of an array that `is_looked_through_later` are finite is found out by the fit.
    """
    _refuse_odd_inputs(X)
    if y is None:
        return validate_data(estimator, X, y)  # which says that y is required
    y = as_target(estimator, y)
    if isinstance(X, Source):
        check_source(estimator, X, reset=True)
    else:
        with _named("X", ENCODERS):
            X = validate_data(
                estimator,
                X,
                accept_sparse=("csr", "csc"),
                dtype=None if _is_numbers(X) else ALLOWED_DTYPES,
                accept_large_sparse=True,
                ensure_all_finite=not is_looked_through_later(X),
            )
    check_consistent_length(X, y)
    return X, y


def _is_numbers(X: Any) -> bool:
    """Whether X holds numbers of a type that is computed with block by block, so that it need not be converted."""
    return (isinstance(X, np.ndarray) or issparse(X)) and X.dtype.kind in "biuf" and X.dtype.itemsize <= LARGEST_NUMBER


def is_looked_through_later(X: Any) -> bool:
    """Whether X is an array of numbers so large that reading it takes a while: the first pass shows what it holds."""
    if isinstance(X, Source):
        return True
    return isinstance(X, np.ndarray) and X.dtype.kind in "fiu" and X.size >= MANY_ENTRIES


def check_finite(estimator, X: Any) -> None:
    """Raise a ValueError unless all entries of an X that is looked through later are finite."""
    if not is_looked_through_later(X):
        return
    if isinstance(X, Source):
        check_finite_source(estimator, X)
        return
    assert_all_finite(X, estimator_name=type(estimator).__name__, input_name="X")


def check_rows(estimator, X: Any, *, shown_by_scores: bool = False):
    """X validated for predicting.

    Whether the entries of an array that `is_looked_through_later` are finite may be left to the scores.
    """
    _refuse_odd_inputs(X)
    if isinstance(X, Source):
        return check_source(estimator, X, reset=False)
    dtype = None if _is_numbers(X) and not issparse(X) else ALLOWED_DTYPES
    with _named("X", ENCODERS):
        return validate_data(
            estimator,
            X,
            accept_sparse=("csr", "csc"),
            dtype=dtype,
            ensure_all_finite=not (shown_by_scores and is_looked_through_later(X)),
            reset=False,
        )


def check_labels(estimator, y: ArrayLike) -> NDArray:
    """A column of labels of any type."""
    _refuse_mask_and_dates(y, "y", "text")
    labels = _column(y, "Class probabilities go into fit(..., soft_labels=).")
    assert_all_finite(labels, estimator_name=type(estimator).__name__, input_name="y")
    return labels


def check_targets(estimator, y: ArrayLike) -> NDArray[np.float64]:
    """A column of numbers to predict."""
    name = type(estimator).__name__
    _refuse_mask_and_dates(y, "y", "numbers")
    several = "for several wrap it into sklearn.multioutput.MultiOutputRegressor."
    column = _column(y, f"{name} predicts one number a row; {several}")
    try:
        numbers = column.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"y must hold numbers: {error}. Labels are for LogisticRegressor and SoftmaxClassifier, not for {name}."
        ) from error
    assert_all_finite(numbers, estimator_name=name, input_name="y")
    return numbers


def _column(y: ArrayLike, of_several: str) -> NDArray:
    # scikit-learn asks of everything whether it is a data frame, which takes longer than what a small fit does to y
    if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind in "biuf":
        return np.asarray(y)
    try:
        column = column_or_1d(y)
    except ValueError as error:
        text = str(error).partition("\n")[0]
        if "1d array" not in text:
            raise ValueError(f"y is no column of targets: {text}.") from error
        raise ValueError(text if "shape ()" in text else f"{text} {of_several}") from error
    if np.asarray(y).ndim == 2:  # said here, where the user's line is known
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please use y.ravel().",
            DataConversionWarning,
            stacklevel=level_of_user(),
        )
    if column.dtype == object:
        for i, value in enumerate(column):
            if type(value).__name__ == "NAType" or (isinstance(value, float) and np.isnan(value)):
                raise ValueError(
                    f"Input y contains NaN: row {i} is {value!r}. Rows without a target have to be dropped."
                )
    return column


def check_numbers(values: ArrayLike, name: str, hint: str = "") -> NDArray[np.float64]:
    """Finite numbers in an array of any shape."""
    _refuse_mask_and_dates(values, name, "numbers")
    with _named(name, hint):
        return check_array(values, ensure_2d=False, allow_nd=True, dtype=np.float64, input_name=name)


def check_weights(sample_weight: ArrayLike | None, n_rows: int) -> NDArray[np.float64]:
    """Sample weights divided by the largest one."""
    if sample_weight is None:
        return np.ones(n_rows)
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_rows, sample_weight)
    hint = "Weights of classes are for class_weight." if isinstance(sample_weight, str) else ""
    weights = check_numbers(sample_weight, "sample_weight", hint)
    if weights.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar; got an array of shape {weights.shape}.")
    if len(weights) != n_rows:
        raise ValueError(f"sample_weight has {len(weights)} entries, but X has {n_rows} rows.")
    if (weights < 0).any():
        first = int(np.argmax(weights < 0))
        raise ValueError(
            f"Negative values in sample_weight: entry {first} is {weights[first]}. "
            "A negative weight would reward errors."
        )
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number; all of sample_weight is zero.")
    return weights / weights.max()


def check_size(y: NDArray, used: NDArray, *, squared: bool) -> None:
    """Raise a ValueError when targets are so large that their squares, or so small that products, are no numbers."""
    sizes = np.where(used, np.abs(y), 0.0)
    largest = int(np.argmax(sizes))
    if squared and sizes[largest] > LARGEST_SQUARED:
        raise ValueError(f"y[{largest}] is {y[largest]}, the square of which is beyond floats. Divide y by a constant.")
    if 0 < sizes[largest] < SMALLEST:
        raise ValueError(
            f"y[{largest}] is {y[largest]} and no target is larger: products with it are beyond floats. Multiply y by "
            "a constant."
        )


def check_loss_shapes(loss: Loss, activation: Activation, y: NDArray, n_outputs: int) -> None:
    """Raise a ValueError when a loss of the user's, tried on a few rows, answers in other shapes than it has to."""
    if loss.is_built_in:
        return
    y = y.copy()
    targets = one_hot(y, n_outputs) if y.dtype.kind in "iu" else y
    prediction = activation.forward(np.zeros((len(y), n_outputs) if n_outputs > 1 else len(y)))
    shapes = {"value": (len(y),), "gradient": prediction.shape}
    if loss.curvature is not None:
        shapes["curvature"] = prediction.shape
    for method, shape in shapes.items():
        found = np.shape(getattr(loss, method)(targets, prediction))
        if found != shape:
            raise ValueError(
                f"{loss}.{method}(y, prediction) must have shape {shape} for a prediction of shape "
                f"{prediction.shape}; got {found}. sklearn_losses.check_loss examines a loss."
            )
    if loss.pieces is not None and n_outputs == 1:
        kinks, slopes = (np.shape(part) for part in loss.pieces(targets))
        if not (len(kinks) == 2 and slopes == (len(y), kinks[1] + 1) and kinks[0] == len(y)):
            raise ValueError(
                f"{loss}.pieces(y) must return kinks of shape (n, m) and slopes of shape (n, m + 1); got {kinks} and "
                f"{slopes} for n = {len(y)}. sklearn_losses.check_loss examines a loss."
            )


def check_domains(loss: Loss) -> None:
    """Raise a ValueError when a loss of the user's says nothing known of where it is defined."""
    known = ("probabilities", "scores", "values", "cosines", "labels")
    if not set(loss.domains) & set(known):
        wanted = ", ".join(map(repr, known[:-1]))
        raise ValueError(f"The domain of {loss} must be one or several of {wanted}; it is {loss.domain!r}.")


def _refuse_odd_inputs(X) -> None:
    """Inputs that scikit-learn would take and misread."""
    _refuse_what_is_to_be_opened(X)
    _refuse_mask_and_dates(X, "X", "numbers")
    names = [name for name, _ in _frame_columns(X)]
    if len(set(names)) < len(names):
        repeated = [name for i, name in enumerate(names) if name in names[:i]]
        raise ValueError(f"X has two columns named {repeated[0]!r}; feature names must be unique.")
    dtype = getattr(X, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "SV":
        raise ValueError(f"X has dtype {dtype}: byte strings and records are not numbers.")


def _refuse_what_is_to_be_opened(X) -> None:
    """Paths, files and iterators, which stand for rows and are none."""
    what = f"X is {X!r}" if isinstance(X, str | os.PathLike) else f"X is a {type(X).__name__}"
    if isinstance(X, str | os.PathLike) or type(X).__module__.startswith(("pyarrow.dataset", "pyarrow._dataset")):
        raise TypeError(
            f"{what}, which is not opened here. RowBlocks.from_parquet(path) reads Parquet files; others come in as "
            "memory maps, or as datasets of h5py and zarr."
        )
    if isinstance(X, Iterator):
        raise TypeError(
            f"{what}, which can be run through once, and a fit takes several passes. Pass RowBlocks(function), whose "
            "function returns a new iterator over blocks every time it is called."
        )


def _refuse_mask_and_dates(values, name: str, instead: str) -> None:
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array with masked entries, which would be read as data. Impute them or drop their "
            "rows first."
        )
    named = [("", getattr(values, "dtype", getattr(values, "type", "")))]
    for column, dtype in [(f"[{column!r}]", dtype) for column, dtype in _frame_columns(values)] or named:
        # by name, as NumPy, pandas, polars and Arrow call them
        if str(dtype).lower().startswith(("date", "time", "duration", "period")):
            raise TypeError(f"{name}{column} has dtype {dtype}: turn dates and durations into {instead} first.")


def _frame_columns(values) -> list[tuple]:
    """Names and types of the columns of a data frame or an Arrow table."""
    if hasattr(values, "column_names") and hasattr(values, "schema"):
        return list(zip(values.column_names, values.schema.types, strict=True))
    if hasattr(values, "columns") and hasattr(values, "dtypes"):
        return list(zip(values.columns, values.dtypes, strict=True))
    return []


@contextmanager
def _named(name: str, hint: str) -> Iterator[None]:
    """Around a validation: errors of conversion say of what, and what to do with text."""
    try:
        yield
    except (TypeError, ValueError) as error:
        text = str(error)
        if "could not convert string" in text:
            raise ValueError(f"{name} must hold numbers: {text}. {hint}".rstrip()) from error
        if "float() argument must be" in text:
            raise TypeError(f"{name} must hold numbers: {text}.") from error
        if "Complex data" in text:
            raise ValueError(f"{name} must hold real numbers. Complex data not supported.") from error
        raise
