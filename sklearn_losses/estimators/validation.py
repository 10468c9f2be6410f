"""What comes in from users: checked, with errors that say what, why and what to do instead."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, validate_data

from ..activations import Activation
from ..losses import Loss
from ..losses.metric import check_simplex, one_hot

ALLOWED_DTYPES = (np.float64, np.float32)
MANY_ENTRIES = 1_000_000  # an array of more is read in threads


def check_parameters(estimator) -> None:
    """Raise a ValueError that names a parameter out of its range."""
    name = type(estimator).__name__

    def demand(parameter: str, valid: bool, wanted: str) -> None:
        if not valid:
            raise ValueError(
                f"The {parameter!r} parameter of {name} must be {wanted}. "
                f"Got {getattr(estimator, parameter)!r} instead."
            )

    alpha, tol, max_iter, solver = estimator.alpha, estimator.tol, estimator.max_iter, estimator.solver
    seed = estimator.random_state
    demand("alpha", _is_real(alpha) and 0 <= alpha < np.inf, "a finite number >= 0")
    demand("tol", _is_real(tol) and 0 <= tol < np.inf, "a finite number >= 0")
    demand("max_iter", isinstance(max_iter, Integral) and int(max_iter) >= 1, "an integer >= 1")
    demand("fit_intercept", isinstance(estimator.fit_intercept, bool | np.bool_), "a bool")
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


def check_fit_data(estimator, X: ArrayLike, y: ArrayLike, **options):
    """X and y validated by scikit-learn for fitting; X in float64, or float32 where it came so.

    Whether the entries of an array that `is_looked_through_later` are finite is found out by the fit.
    """
    _refuse_odd_inputs(X)
    try:
        return validate_data(
            estimator,
            X,
            y,
            accept_sparse=("csr", "csc"),
            dtype=ALLOWED_DTYPES,
            accept_large_sparse=True,
            ensure_all_finite=not is_looked_through_later(X),
            **options,
        )
    except ValueError as error:
        raise _with_hint(error) from error


def is_looked_through_later(X) -> bool:
    """Whether X is an array of numbers so large that reading it takes a while: the first pass shows what it holds."""
    return isinstance(X, np.ndarray) and X.dtype.kind in "fiu" and X.size >= MANY_ENTRIES


def check_finite(estimator, X: NDArray) -> None:
    """Raise a ValueError unless all entries of an X that is looked through later are finite."""
    if not is_looked_through_later(X):
        return
    try:
        assert_all_finite(X, estimator_name=type(estimator).__name__, input_name="X")
    except ValueError as error:
        raise _with_hint(error) from error


def check_rows(estimator, X: ArrayLike):
    """X validated for predicting."""
    _refuse_odd_inputs(X)
    try:
        return validate_data(estimator, X, accept_sparse=("csr", "csc"), dtype=ALLOWED_DTYPES, reset=False)
    except ValueError as error:
        raise _with_hint(error) from error


def encode_labels(y: NDArray) -> tuple[NDArray, NDArray[np.intp]]:
    """The sorted classes, and the index of every row's class."""
    if y.dtype == object and not all(isinstance(label, str) for label in y.ravel()):
        kinds = sorted({type(label).__name__ for label in y.ravel()})
        mixed = f"labels of mixed types ({', '.join(kinds)}), which have no order"
        raise ValueError(
            f"Unknown label type: y holds {mixed if len(kinds) > 1 else 'objects'}. Make them all text, or give y a "
            "numeric dtype, for example with y.astype(int)."
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


def check_number_of_classes(estimator, classes: NDArray, *, binary_only: bool) -> None:
    """At least two classes, and for the binary classifier not more."""
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs samples of at least 2 classes in the data, but the data contains only "
            f"one class: {classes.tolist()[0]!r}."
        )
    if binary_only and len(classes) > 2:
        raise ValueError(
            "Only binary classification is supported. The type of the target is multiclass. "
            f"Use SoftmaxClassifier for the {len(classes)} classes of this target."
        )


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


def with_class_weights(class_weight, classes: NDArray, codes: NDArray, weights: NDArray) -> NDArray:
    """Weights multiplied by those of the rows' classes."""
    if class_weight is None:
        return weights
    if isinstance(class_weight, str) and class_weight != "balanced":
        raise ValueError(f"class_weight must be a dict, 'balanced' or None; got {class_weight!r}.")
    if class_weight == "balanced":
        totals = np.bincount(codes, weights=weights, minlength=len(classes))
        per_class = np.divide(totals.sum() / len(classes), totals, out=np.zeros(len(classes)), where=totals > 0)
    else:
        per_class = compute_class_weight(class_weight, classes=classes, y=classes[codes])
    if not (np.isfinite(per_class).all() and (per_class >= 0).all()):
        raise ValueError(f"class_weight must be finite and non-negative; got {class_weight!r}.")
    return weights * per_class[codes]


def check_class_totals(classes: NDArray, totals: NDArray) -> None:
    """Raise a ValueError when weights leave a class without any row."""
    empty = totals <= 0
    if empty.any():
        left = classes[~empty].tolist()
        raise ValueError(
            f"The class {classes[empty].tolist()[0]!r} has no row with a positive weight: after removing zero weights "
            + (f"only one class is left: {left[0]!r}." if len(left) == 1 else f"the classes left are {left}.")
        )


def check_soft_labels(soft_labels: ArrayLike, n_rows: int, classes: NDArray) -> NDArray[np.float64]:
    """Rows of class probabilities, of sum one."""
    rows = check_array(soft_labels, dtype=np.float64, input_name="soft_labels")
    if rows.shape != (n_rows, len(classes)):
        raise ValueError(
            f"soft_labels must have one row a sample and one column a class in sorted order, shape "
            f"{(n_rows, len(classes))} for the classes {classes.tolist()} of y; got {rows.shape}."
        )
    check_simplex(rows, "soft_labels")
    return rows / rows.sum(axis=1, keepdims=True)


def check_loss_shapes(loss: Loss, activation: Activation, y: NDArray, n_outputs: int) -> None:
    """Raise a ValueError when a loss, tried on a few rows, answers in other shapes than it has to."""
    y = y[:3].copy()
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


def _refuse_odd_inputs(X) -> None:
    """Inputs that scikit-learn would take and misread."""
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise ValueError("X is a masked array with masked entries, which would be read as data. Impute them first.")
    for name, dtype in _dtypes(X):
        if dtype.kind in "mM":
            raise TypeError(f"X{name} has dtype {dtype}: turn dates and durations into numbers first.")
        if dtype.kind in "SV":
            raise ValueError(f"X{name} has dtype {dtype}: byte strings and records are not numbers.")
    columns = getattr(X, "columns", None)
    if columns is not None and len(set(columns)) < len(columns):
        repeated = [c for i, c in enumerate(columns) if c in list(columns[:i])]
        raise ValueError(f"X has two columns named {repeated[0]!r}; feature names must be unique.")


def _dtypes(X):
    if hasattr(X, "dtypes") and hasattr(X, "columns"):
        named = zip(X.columns, X.dtypes, strict=True)
        return [(f"[{name!r}]", dtype) for name, dtype in named if isinstance(dtype, np.dtype)]
    dtype = getattr(X, "dtype", None)
    return [("", dtype)] if isinstance(dtype, np.dtype) else []


def _with_hint(error: ValueError) -> ValueError:
    text = str(error)
    if "could not convert string" in text:
        text += " Encode text columns first, for example with sklearn.preprocessing.OneHotEncoder."
    elif "y should be a 1d array" in text:
        text += " Class probabilities go into fit(..., soft_labels=)."
    return ValueError(text)
