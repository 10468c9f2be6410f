"""What comes in from users: checked, with errors that say what, why and what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d, validate_data

from ..activations import Activation
from ..data.sources import Source
from ..losses import Loss
from ..losses.metric import check_simplex, one_hot
from .doors import check_finite_source, check_source

ALLOWED_DTYPES = (np.float64, np.float32)
LARGEST_NUMBER = 8  # bytes, of which a double keeps all digits that matter
LARGEST_SQUARED, SMALLEST = 1e150, 1e-290  # targets of which floats can still hold sums of squares, and products
MANY_ENTRIES = 1_000_000  # an array of more is read in threads


def check_penalty(estimator) -> None:
    """Raise a ValueError where the penalty or the intercept is not what it may be."""
    alpha = estimator.alpha
    _demand(estimator, "alpha", _is_real(alpha) and 0 <= alpha < np.inf, "a finite number >= 0")
    _demand(estimator, "fit_intercept", isinstance(estimator.fit_intercept, bool | np.bool_), "a bool")
    ratio, factor = estimator.l1_ratio, estimator.penalty_factor
    _demand(estimator, "l1_ratio", _is_real(ratio) and 0 <= ratio <= 1, "a number from 0 to 1")
    for name in ("positive", "grouped"):
        _demand(estimator, name, isinstance(getattr(estimator, name, False), bool | np.bool_), "a bool")
    if factor is not None:
        factors = np.asarray(factor)
        valid = (
            factors.dtype.kind in "iufb" and factors.ndim == 1 and bool((np.isfinite(factors) & (factors >= 0)).all())
        )
        _demand(estimator, "penalty_factor", valid, "None or an array of finite numbers >= 0, one a feature")
    if getattr(estimator, "grouped", False) and ratio == 0:
        raise ValueError(
            f"grouped=True of {type(estimator).__name__} does nothing with l1_ratio=0: squares have no groups. Set "
            "l1_ratio > 0, or grouped=False."
        )
    _check_solver_of_penalty(estimator)


def _check_solver_of_penalty(estimator) -> None:
    """Raise a ValueError where the penalty has kinks or bounds that the solver would not see."""
    bounds = getattr(estimator, "positive", False)
    kinks = estimator.alpha > 0 and estimator.l1_ratio > 0
    if (bounds or kinks) and estimator.solver != "auto":
        part = "positive=True bounds the weights" if bounds else f"l1_ratio={estimator.l1_ratio!r} has a kink at zero"
        raise ValueError(
            f"solver={estimator.solver!r} of {type(estimator).__name__} follows gradients, and {part}, where there are "
            "none: its weights would not be zero, nor its minimum one. Use solver='auto'."
        )


def check_factors(estimator, n_features: int) -> None:
    """Raise a ValueError where there is not one penalty factor a feature."""
    factor = estimator.penalty_factor
    if factor is not None and len(factor) != n_features:
        raise ValueError(
            f"penalty_factor of {type(estimator).__name__} has {len(factor)} numbers, but X has {n_features} features: "
            "give one a feature."
        )


def _demand(estimator, parameter: str, valid: bool, wanted: str) -> None:
    if not valid:
        raise ValueError(
            f"The {parameter!r} parameter of {type(estimator).__name__} must be {wanted}. "
            f"Got {getattr(estimator, parameter)!r} instead."
        )


def check_fit_parameters(estimator) -> None:
    """Raise a ValueError that names a parameter of the fit that is out of its range."""
    demand = partial(_demand, estimator)
    tol, max_iter, solver, seed = estimator.tol, estimator.max_iter, estimator.solver, estimator.random_state
    demand("tol", _is_real(tol) and 0 <= tol < np.inf, "a finite number >= 0")
    demand("max_iter", isinstance(max_iter, Integral) and int(max_iter) >= 1, "an integer >= 1")
    demand("warm_start", isinstance(estimator.warm_start, bool | np.bool_), "a bool")
    demand(
        "verbose",
        isinstance(estimator.verbose, bool | Integral) and int(estimator.verbose) >= 0,
        "an integer >= 0",
    )
    demand(
        "random_state",
        seed is None
        or isinstance(seed, np.random.RandomState)
        or seed is np.random
        or (isinstance(seed, Integral) and 0 <= int(seed) < 2**32),
        "an integer from 0 to 2**32 - 1, a numpy.random.RandomState or None",
    )
    demand(
        "solver",
        isinstance(solver, str) or callable(solver),
        "'auto', 'gradient-descent', the name of a scipy.optimize.minimize method, or a callable",
    )


def check_fit_data(estimator, X: Any, y: ArrayLike | None, as_target: Callable[[object, ArrayLike], NDArray]):
    """X validated by scikit-learn for fitting, numbers of any type as they came; and y by ``as_target``.

    Whether the entries of an array that `is_looked_through_later` are finite is found out by the fit.
    """
    _refuse_odd_inputs(X)
    y = None if y is None else as_target(estimator, y)  # without y scikit-learn says that it is required
    if isinstance(X, Source) and y is not None:
        check_source(estimator, X, reset=True)
        check_consistent_length(X, y)
        return X, y
    with _named(X):
        return validate_data(
            estimator,
            X,
            y,
            accept_sparse=("csr", "csc"),
            dtype=None if _is_numbers(X) else ALLOWED_DTYPES,
            accept_large_sparse=True,
            ensure_all_finite=not is_looked_through_later(X),
        )


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


def check_rows(estimator, X: Any):
    """X validated for predicting."""
    _refuse_odd_inputs(X)
    if isinstance(X, Source):
        return check_source(estimator, X, reset=False)
    dtype = None if _is_numbers(X) and not issparse(X) else ALLOWED_DTYPES
    with _named(X):
        return validate_data(estimator, X, accept_sparse=("csr", "csc"), dtype=dtype, reset=False)


def check_labels(estimator, y: ArrayLike) -> NDArray:
    """A column of labels of any type."""
    _refuse_mask_and_dates(y, "y", "text")
    return _column(y, "Class probabilities go into fit(..., soft_labels=).")


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
    try:
        column = column_or_1d(y, warn=True)
    except ValueError as error:
        text = str(error).partition("\n")[0]
        if "1d array" not in text:
            raise ValueError(f"y is no column of targets: {text}.") from error
        raise ValueError(text if "shape ()" in text else f"{text} {of_several}") from error
    if column.dtype == object:
        for i, value in enumerate(column):
            if type(value).__name__ == "NAType" or (isinstance(value, float) and np.isnan(value)):
                raise ValueError(
                    f"Input y contains NaN: row {i} is {value!r}. Rows without a target have to be dropped."
                )
    return column


def encode_labels(y: NDArray) -> tuple[NDArray, NDArray[np.intp]]:
    """The sorted classes, and the index of every row's class."""
    if y.dtype == object and not all(isinstance(label, str) for label in y.ravel()):
        kinds = sorted({type(label).__name__ for label in y.ravel()})
        mixed = f"labels of mixed types ({', '.join(kinds)}), which have no order"
        raise ValueError(
            f"Unknown label type: y holds {mixed if len(kinds) > 1 else 'objects'}. Make them all text, or give y a "
            "numeric dtype, for example with y.astype(int)."
            + (" Rows without a label have to be dropped." if {"NoneType", "NAType"} & set(kinds) else "")
        )
    classes, codes = _unique(y)
    # integers that repeat are labels; scikit-learn's check, which looks for fractions, takes longer than the rest
    if y.dtype.kind not in "biu" or 2 * len(classes) > len(y):
        try:
            check_classification_targets(y)
        except ValueError as error:
            raise ValueError(f"{error} For a continuous target use LinearRegressor.") from error
    return classes, codes


def _unique(y: NDArray) -> tuple[NDArray, NDArray[np.intp]]:
    if np.can_cast(y.dtype, np.intp) and int(y.max()) - int(y.min()) < len(y):  # integers to be counted, not sorted
        codes = y.astype(np.intp) - int(y.min())
        found = np.flatnonzero(np.bincount(codes))
        return (found + int(y.min())).astype(y.dtype), np.searchsorted(found, codes) if found[-1] >= len(
            found
        ) else codes
    classes = np.unique(y)
    return classes, np.searchsorted(classes, y)


def check_weights(sample_weight: ArrayLike | None, n_rows: int) -> NDArray[np.float64]:
    """Sample weights divided by the largest one."""
    if sample_weight is None:
        return np.ones(n_rows)
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_rows, sample_weight)
    weights = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
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


def check_class_weight(class_weight, classes: NDArray) -> None:
    """Raise a ValueError for anything but None, "balanced", and non-negative weights of labels of y."""
    if class_weight is None or (isinstance(class_weight, str) and class_weight == "balanced"):
        return
    if not isinstance(class_weight, Mapping):
        raise ValueError(f"class_weight must be a dict, 'balanced' or None; got {class_weight!r}.")
    labels = classes.tolist()
    for key, weight in class_weight.items():
        if key not in labels:
            raise ValueError(f"class_weight has the key {_plain(key)!r}, which is no label of y; those are {labels}.")
        if not (_is_real(weight) and 0 <= weight < np.inf):
            raise ValueError(f"class_weight must be finite and non-negative; got {weight!r} for {_plain(key)!r}.")


def with_class_weights(
    class_weight, classes: NDArray, weights: NDArray, targets: NDArray
) -> tuple[NDArray[np.float64], NDArray]:
    """Weights of the rows, and targets, when every class counts as much as its weight says.

    A row's soft labels are so many rows with a label each, of these weights, so that the shares of its classes change
    with theirs.
    """
    if class_weight is None:
        return weights, targets
    if isinstance(class_weight, str):
        totals = class_totals(weights, targets, len(classes))
        counts = totals > 0
        of_class = np.divide(totals[counts].min(), totals, out=np.zeros_like(totals), where=counts)
    else:
        of_class = np.array([class_weight.get(label, 1.0) for label in classes.tolist()], dtype=np.float64)
    if targets.ndim == 1:
        return weights * of_class[targets], targets
    shares = targets * of_class
    of_row = shares.sum(axis=1)
    return weights * of_row, np.divide(shares, of_row[:, None], out=targets.copy(), where=of_row[:, None] > 0)


def class_totals(weights: NDArray, targets: NDArray, n_classes: int) -> NDArray[np.float64]:
    """The weight of every class: of its rows, or its share of them."""
    if targets.ndim == 2:
        return weights @ targets
    return np.bincount(targets, weights=weights, minlength=n_classes).astype(np.float64, copy=False)


def weighted_classes(
    estimator, classes: NDArray, weights: NDArray, targets: NDArray, *, binary_only: bool
) -> tuple[NDArray, NDArray]:
    """The classes that have any weight, and the targets among them.

    A class without weight is dropped like the rows themselves: ensembles pass their draws as weights.

    Raises
    ------
    ValueError
        When fewer than two classes are left, or more than two for a binary classifier.
    """
    name = type(estimator).__name__
    if len(classes) < 2:
        raise ValueError(
            f"{name} needs samples of at least 2 classes in the data, but the data contains only one class: "
            f"{classes.tolist()[0]!r}."
        )
    left = class_totals(weights, targets, len(classes)) > 0
    if np.count_nonzero(left) < 2:
        raise ValueError(
            f"The class {classes[~left].tolist()[0]!r} has no row with a positive weight: after removing zero weights "
            + (f"only one class is left: {classes[left].tolist()[0]!r}." if left.any() else "no class is left.")
        )
    if not left.all():
        classes = classes[left]
        # codes of rows without weight are never looked at
        targets = targets[:, left] if targets.ndim == 2 else np.maximum(np.cumsum(left) - 1, 0)[targets]
    if binary_only and len(classes) > 2:
        raise ValueError(
            "Only binary classification is supported. The type of the target is multiclass. "
            f"Use SoftmaxClassifier for the {len(classes)} classes of this target."
        )
    return classes, targets


def check_soft_labels(soft_labels: ArrayLike, n_rows: int, classes: NDArray) -> NDArray[np.float64]:
    """Rows of class probabilities, of sum one."""
    rows = check_array(soft_labels, ensure_2d=False, allow_nd=True, dtype=np.float64, input_name="soft_labels")
    wanted = (
        f"one row a sample and one column a class in sorted order, shape {(n_rows, len(classes))} for the classes "
        f"{classes.tolist()} of y; got {rows.shape}."
    )
    if rows.ndim != 2:
        hint = " Probabilities p of the second class alone are np.column_stack([1 - p, p])." if rows.ndim == 1 else ""
        raise ValueError(f"Expected 2D array as soft_labels: {wanted}{hint}")
    if rows.shape != (n_rows, len(classes)):
        hint = (
            " Beside soft_labels y only says which labels the columns belong to, so a label that is the likeliest of "
            f"no row has to be in it all the same: pass y=np.resize(labels, {n_rows}) with the {rows.shape[1]} labels."
        )
        raise ValueError(f"soft_labels must have {wanted}" + (hint if rows.shape[1] > len(classes) else ""))
    check_simplex(rows, "soft_labels")
    return rows / rows.sum(axis=1, keepdims=True)


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
    """Raise a ValueError when a loss, tried on a few rows, answers in other shapes than it has to."""
    y = y.copy()
    targets = one_hot(y, n_outputs) if y.dtype.kind in "iu" else y
    prediction = activation.forward(np.zeros((len(y), n_outputs) if n_outputs > 1 else len(y)))
    for method, shape in (("value", (len(y),)), ("gradient", prediction.shape)):
        found = np.shape(getattr(loss, method)(targets, prediction))
        if found != shape:
            raise ValueError(
                f"{loss}.{method}(y, prediction) must have shape {shape} for a prediction of shape "
                f"{prediction.shape}; got {found}. sklearn_losses.check_loss examines a loss."
            )


def _is_real(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _plain(label):
    return label.item() if isinstance(label, np.generic) else label


def _refuse_odd_inputs(X) -> None:
    """Inputs that scikit-learn would take and misread."""
    _refuse_mask_and_dates(X, "X", "numbers")
    names = [name for name, _ in _frame_columns(X)]
    if len(set(names)) < len(names):
        repeated = [name for i, name in enumerate(names) if name in names[:i]]
        raise ValueError(f"X has two columns named {repeated[0]!r}; feature names must be unique.")
    dtype = getattr(X, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "SV":
        raise ValueError(f"X has dtype {dtype}: byte strings and records are not numbers.")


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
def _named(X) -> Iterator[None]:
    """Around a validation of X: errors of conversion say that it is X, and what to do."""
    try:
        yield
    except (TypeError, ValueError) as error:
        text = str(error)
        if "could not convert string" in text:
            hint = "Encode text columns first, for example with sklearn.preprocessing.OneHotEncoder."
            raise ValueError(f"X must hold numbers: {text}. {hint}") from error
        if "float() argument must be" in text:
            raise TypeError(f"X must hold numbers: {text}.") from error
        raise
