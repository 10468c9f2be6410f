"""Unusable input is refused in plain words, and the model that was there before is as good as ever."""

import re
import warnings
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError

from sklearn_losses import Hinge, Huber, LinearRegressor, LogisticRegressor, Loss, SoftmaxClassifier, ZeroOne
from sklearn_losses.estimators.validation import MANY_ENTRIES

N = 60


def rows(n_features=3, seed=0):
    return np.random.RandomState(seed).normal(size=(N, n_features))


X = rows()
NOISE = np.random.RandomState(1).logistic(size=N)
LABELS = (X @ [1.0, -2.0, 0.5] + NOISE > 0).astype(int)
THREE = np.digitize(X @ [1.0, -2.0, 0.5] + NOISE, [-1.0, 1.0])
Y = X @ [1.0, -2.0, 0.5] + 3 + 0.1 * NOISE
ONES = np.ones(N)


def changed(array, index, value):
    array = np.array(array)
    array[index] = value
    return array


def assert_intact(model, fit, error, message, X=X):
    """A failing fit raises ``error`` with ``message`` in it, and leaves a fitted model as it was."""
    before, predictions = deepcopy(vars(model)), model.predict(X)
    with pytest.raises(error, match=message):
        fit(model)
    assert vars(model).keys() == before.keys()
    assert_array_equal(model.coef_, before["coef_"])
    assert_array_equal(model.predict(X), predictions)


def frame(**columns):
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]} | columns)


def as_matrix(array):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(array)


BAD_ROWS = {
    "nan": (changed(X, (1, 2), np.nan), ValueError, "Input X contains NaN"),
    "infinity": (changed(X, (1, 2), np.inf), ValueError, "Input X contains infinity"),
    "minus infinity": (changed(X, (1, 2), -np.inf), ValueError, "Input X contains infinity"),
    "complex": (X + 1j, ValueError, "Complex data not supported"),
    "object with None": (changed(X.astype(object), (0, 0), None), ValueError, "NaN"),
    "text": (changed(X.astype(object), (0, 0), "red"), ValueError, "could not convert string.*OneHotEncoder"),
    "bytes": (X.astype("S8"), ValueError, "byte strings and records are not numbers"),
    "datetime": (X.astype("datetime64[s]"), TypeError, "datetime64"),
    "timedelta": (X.astype("timedelta64[s]"), TypeError, "timedelta64"),
    "masked": (np.ma.masked_greater(X, 1.0), ValueError, "masked entries"),
    "matrix": (as_matrix(X), TypeError, "np.matrix is not supported"),
    "structured": (np.zeros(N, dtype=[("a", float)]), ValueError, "records are not numbers"),
    "ragged": ([[1.0, 2.0, 3.0], [1.0]] * (N // 2), ValueError, "inhomogeneous"),
    "a number": (1.0, ValueError, "2D"),
    "one dimension": (X[:, 0], ValueError, "Reshape your data"),
    "three dimensions": (X[:, :, None], ValueError, "dim 3"),
    "no rows": (X[:0], ValueError, "minimum of 1 is required"),
    "no columns": (X[:, :0], ValueError, "minimum of 1 is required"),
    "wrong length": (X[1:], ValueError, "inconsistent numbers of samples"),
    "nothing": (None, ValueError, "2D"),
    "frame with NA": (frame(c=pd.array([pd.NA] + [1] * (N - 1), dtype="Int64")), ValueError, "NaN"),
    "frame with text": (frame(c="red"), ValueError, "could not convert string.*OneHotEncoder"),
    "frame with categories": (
        frame(c=pd.Categorical(["red", "blue"] * (N // 2))),
        ValueError,
        "OneHotEncoder",
    ),
    "frame with dates": (
        frame(c=pd.date_range("2020", periods=N)),
        TypeError,
        r"X\['c'\] has dtype datetime64",
    ),
    "names of two types": (
        frame().rename(columns={"a": 0}),
        TypeError,
        "only supported if all input features have",
    ),
    "a name twice": (frame().set_axis(["a", "b", "a"], axis=1), ValueError, "two columns named 'a'"),
    "sparse nan": (sparse.csr_array(changed(X, (1, 2), np.nan)), ValueError, "Input X contains NaN"),
    "sparse complex": (sparse.csr_array(X + 1j), ValueError, "Complex data not supported"),
    "sparse too short": (sparse.csr_array(X[1:]), ValueError, "inconsistent numbers of samples"),
}

MODELS = {
    "binary": (LogisticRegressor(), LABELS),
    "multiclass": (SoftmaxClassifier("hinge"), THREE),
    "regression": (LinearRegressor(), Y),
}
every_model = pytest.mark.parametrize(("model", "y"), MODELS.values(), ids=MODELS)


@every_model
@pytest.mark.parametrize(("bad", "error", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows(model, y, bad, error, message):
    model = clone(model).fit(X, y)
    assert_intact(model, lambda model: model.fit(bad, y), error, message)


MANY = np.random.RandomState(2).normal(size=(50_000, 20))  # so many that validation leaves them to the fit


@pytest.mark.parametrize(
    ("model", "bad", "solver"),
    [
        (LogisticRegressor(), np.nan, "auto"),
        (LogisticRegressor("hinge"), np.inf, "L-BFGS-B"),
        (LogisticRegressor("mse"), -np.inf, "gradient-descent"),
        (SoftmaxClassifier(), np.inf, "L-BFGS-B"),
        (LinearRegressor("huber"), -np.inf, "gradient-descent"),
        (LinearRegressor("poisson"), np.nan, "auto"),
    ],
    ids=repr,
)
def test_one_bad_entry_among_many(model, solver, bad):
    score = MANY[:, 0]
    kinds = {LogisticRegressor: score > 0, SoftmaxClassifier: np.digitize(score, [-1, 1]), LinearRegressor: score**2}
    y = kinds[type(model)]
    model = clone(model).set_params(tol=1e-2).fit(MANY, y).set_params(max_iter=3, solver=solver)
    rows = changed(MANY, (31_000, 7), bad)
    message = "Input X contains NaN" if np.isnan(bad) else "Input X contains infinity"
    assert_intact(model, lambda model: model.fit(rows, y), ValueError, message, MANY)
    assert_intact(model, lambda model: model.objective(rows, y), ValueError, message, MANY)
    nothing = changed(np.ones(len(y)), 31_000, 0.0)
    assert_intact(model, lambda model: model.fit(rows, y, sample_weight=nothing), ValueError, message, MANY)


BAD_LABELS = {
    "nan": (changed(LABELS.astype(float), 3, np.nan), "Input y contains NaN"),
    "infinity": (changed(LABELS.astype(float), 3, np.inf), "Input y contains infinity"),
    "none": (None, "requires y to be passed"),
    "continuous": (Y, "Unknown label type: continuous.*LinearRegressor"),
    "one-hot": (np.eye(2)[LABELS], r"y should be a 1d array.*soft_labels"),
    "wrong length": (LABELS[1:], "inconsistent numbers of samples"),
    "mixed types": (np.array([0, "a"] * (N // 2), dtype=object), r"mixed types \(int, str\)"),
    "none among text": (np.array([None, "a"] * (N // 2), dtype=object), r"mixed types \(NoneType, str\)"),
    "integers as objects": (LABELS.astype(object), r"y holds objects.*y\.astype\(int\)"),
    "one class": (np.full(N, 7), r"only one class: 7\."),
    "one class of text": (np.full(N, "cat"), r"only one class: 'cat'\."),
    "empty": ([], "inconsistent numbers of samples|minimum of 1"),
}


@pytest.mark.parametrize("estimator", [LogisticRegressor(), SoftmaxClassifier("hinge")], ids=repr)
@pytest.mark.parametrize(("bad", "message"), BAD_LABELS.values(), ids=BAD_LABELS)
def test_bad_labels(estimator, bad, message):
    model = clone(estimator).fit(X, LABELS)
    assert_intact(model, lambda model: model.fit(X, bad), ValueError, message)


def test_three_classes_for_the_binary_classifier():
    message = (
        r"Only binary classification is supported\. The type of the target is multiclass\. "
        "Use SoftmaxClassifier for the 3 classes"
    )
    assert_intact(LogisticRegressor().fit(X, LABELS), lambda model: model.fit(X, THREE), ValueError, message)


def test_one_row():
    for estimator in (LogisticRegressor(), SoftmaxClassifier()):
        with pytest.raises(ValueError, match="one class: 1"):
            estimator.fit(X[:1], [1])
    assert_allclose(LinearRegressor().fit(X[:1], [5.0]).predict(X), 5.0)


BAD_TARGETS = {
    "nan": (changed(Y, 3, np.nan), "Input y contains NaN"),
    "infinity": (changed(Y, 3, np.inf), "Input y contains infinity"),
    "none": (None, "requires y to be passed"),
    "text": (np.full(N, "red"), "could not convert string|dtype='numeric'"),
    "complex": (Y + 1j, "Complex data not supported"),
    "two columns": (np.column_stack([Y, Y]), "y should be a 1d array"),
    "wrong length": (Y[1:], "inconsistent numbers of samples"),
}


@pytest.mark.parametrize(("bad", "message"), BAD_TARGETS.values(), ids=BAD_TARGETS)
def test_bad_targets(bad, message):
    assert_intact(LinearRegressor().fit(X, Y), lambda model: model.fit(X, bad), ValueError, message)


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("percentage_error", changed(Y, 4, 0.0), r"y\[4\] is 0\. Drop those rows.*AbsoluteError"),
        ("poisson", changed(abs(Y), 4, -1.0), r"Poisson\(\) is defined for y >= 0; y\[4\] is -1\.0"),
        ("gamma", changed(abs(Y), 4, 0.0), r"Gamma\(\) is defined for y > 0; y\[4\] is 0\.0"),
        ("tweedie", changed(abs(Y), 4, -1.0), r"y >= 0 when power is 1\.5; y\[4\] is -1\.0"),
    ],
)
def test_targets_outside_the_range_of_a_loss(loss, y, message):
    model = LinearRegressor(loss).fit(X, abs(Y) + 1)
    assert_intact(model, lambda model: model.fit(X, y), ValueError, message)


BAD_WEIGHTS = {
    "negative": (changed(ONES, 5, -1.0), "Negative values in sample_weight: entry 5 is -1.0"),
    "all zero": (0 * ONES, "all of sample_weight is zero"),
    "zero": (0.0, "all of sample_weight is zero"),
    "nan": (changed(ONES, 5, np.nan), "sample_weight contains NaN"),
    "infinity": (changed(ONES, 5, np.inf), "sample_weight contains infinity"),
    "two columns": (np.ones((N, 2)), "must be 1D"),
    "wrong length": (ONES[1:], "sample_weight"),
    "text": (np.full(N, "heavy"), "could not convert string"),
    "complex": (ONES + 1j, "Complex data not supported"),
}


@every_model
@pytest.mark.parametrize(("bad", "message"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_bad_weights(model, y, bad, message):
    model = clone(model).fit(X, y)
    assert_intact(model, lambda model: model.fit(X, y, sample_weight=bad), ValueError, message)


def test_weights_that_remove_a_class():
    message = "The class 1 has no row with a positive weight: after removing zero weights only one class is left: 0"
    model = LogisticRegressor().fit(X, LABELS)
    assert_intact(model, lambda model: model.fit(X, LABELS, 1 - LABELS), ValueError, message)


BAD_SOFT_LABELS = {
    "sum": (changed(np.full((N, 2), 0.5), (6, 0), 0.7), r"6"),
    "negative": (changed(np.full((N, 2), 0.5), 6, [-0.5, 1.5]), r"6"),
    "nan": (changed(np.full((N, 2), 0.5), 6, np.nan), "soft_labels contains NaN"),
    "too many columns": (
        np.full((N, 3), 1 / 3),
        r"shape \(60, 2\) for the classes \[0, 1\] of y; got \(60, 3\)",
    ),
    "too few rows": (np.full((N - 1, 2), 0.5), r"got \(59, 2\)"),
    "one dimension": (np.full(N, 0.5), r"2D array as soft_labels.*got \(60,\).*np.column_stack\(\[1 - p, p\]\)"),
    "three dimensions": (np.full((N, 2, 1), 0.5), r"2D array as soft_labels.*got \(60, 2, 1\)"),
    "text": (np.full((N, 2), "half"), "could not convert string"),
}


@pytest.mark.parametrize(("bad", "message"), BAD_SOFT_LABELS.values(), ids=BAD_SOFT_LABELS)
def test_bad_soft_labels(bad, message):
    model = LogisticRegressor().fit(X, LABELS)
    assert_intact(model, lambda model: model.fit(X, LABELS, soft_labels=bad), ValueError, message)


def test_soft_labels_without_any_weight_on_a_class():
    model = SoftmaxClassifier().fit(X, LABELS)
    soft = np.tile([1.0, 0.0], (N, 1))
    assert_intact(model, lambda model: model.fit(X, LABELS, soft_labels=soft), ValueError, "The class 1 has no row")


BAD_PARAMETERS = {
    "alpha": [-1, np.nan, np.inf, "strong", None, True, 1j],
    "tol": [-1e-3, np.nan, np.inf, "tight", None],
    "max_iter": [0, -1, 1.5, "many", None],
    "fit_intercept": ["yes", None, 2],
    "warm_start": ["yes", None],
    "verbose": [-1, "loud", None],
    "solver": [None, 3, object()],
    "random_state": ["seed", -1],
}


@every_model
@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_bad_parameters(model, y, name):
    model = clone(model).fit(X, y)
    estimator = type(model).__name__
    for bad in BAD_PARAMETERS[name]:
        message = rf"The '{name}' parameter of {estimator} must be .* Got {re.escape(repr(bad))} instead\."
        assert_intact(model, lambda model, bad=bad: model.set_params(**{name: bad}).fit(X, y), ValueError, message)
        model.set_params(**{name: type(model)().get_params()[name]})


def test_unknown_solver():
    for bad in ("lbfgs", "sgd", ""):
        with pytest.raises(ValueError, match=r"'auto', 'gradient-descent'.*l-bfgs-b.*Got '.*' instead"):
            LogisticRegressor(solver=bad).fit(X, LABELS)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("bal", "class_weight must be a dict, 'balanced' or None; got 'bal'"),
        (["balanced"], r"class_weight must be a dict, 'balanced' or None; got \['balanced'\]"),
        ({5: 1.0}, r"class_weight has the key 5, which is no label of y; those are \[0, 1\]"),
        ({0: 1.0, 1: 2.0, np.int64(5): 1.0}, "has the key 5, which is no label"),
        ({"0": 1.0}, "has the key '0', which is no label"),
        ({0: "heavy"}, "finite and non-negative; got 'heavy' for 0"),
        ({0: -1.0}, "finite and non-negative"),
        ({0: np.nan}, "finite and non-negative"),
        ({0: 0.0}, "The class 0 has no row with a positive weight"),
    ],
    ids=str,
)
def test_bad_class_weights(class_weight, message):
    model = LogisticRegressor().fit(X, LABELS)
    model.set_params(class_weight=class_weight)
    assert_intact(model, lambda model: model.fit(X, LABELS), ValueError, message)


class WrongShape(Loss):
    domain = "values"

    def value(self, y, prediction):
        return ((y - prediction) ** 2).sum()

    def gradient(self, y, prediction):
        return prediction - y


@pytest.mark.parametrize(
    ("estimator", "y", "error", "message"),
    [
        (
            LogisticRegressor("cros_entropy"),
            LABELS,
            ValueError,
            "Unknown loss 'cros_entropy'. Did you mean 'cross_entropy'",
        ),
        (LogisticRegressor(None), LABELS, TypeError, "must be one of the names .*; got None"),
        (LogisticRegressor(np.square), LABELS, TypeError, "an instance of sklearn_losses.Loss"),
        (LogisticRegressor(Hinge), LABELS, TypeError, r"must be an instance: Hinge\(\), not the class Hinge"),
        (
            LogisticRegressor("quantile"),
            LABELS,
            ValueError,
            r"Quantile\(\) is defined on values.*Use it with LinearRegressor",
        ),
        (
            LinearRegressor("hinge"),
            Y,
            ValueError,
            r"Hinge\(\) is defined on scores.*LogisticRegressor or SoftmaxClassifier",
        ),
        (
            SoftmaxClassifier(ZeroOne()),
            THREE,
            ValueError,
            r"ZeroOne\(\) cannot be trained: it is constant almost everywhere",
        ),
        (LinearRegressor(Huber(delta=-1.0)), Y, ValueError, "delta"),
        (LinearRegressor(WrongShape()), Y, ValueError, r"WrongShape\(\)"),
    ],
    ids=lambda value: repr(value) if isinstance(value, LinearRegressor | LogisticRegressor | SoftmaxClassifier) else "",
)
def test_bad_losses(estimator, y, error, message):
    model = type(estimator)().fit(X, y)
    assert_intact(model, lambda model: model.set_params(loss=estimator.loss).fit(X, y), error, message)


# Predicting


@every_model
def test_bad_rows_to_predict(model, y):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        clone(model).predict(X)
    model = clone(model).fit(frame(), y)
    for bad, error, message in (
        (frame()[["b", "a", "c"]], ValueError, "same order"),
        (frame()[["a", "b"]], ValueError, "now missing"),
        (frame(c="red"), ValueError, "could not convert string.*OneHotEncoder"),
        (frame(c=pd.date_range("2020", periods=N)), TypeError, "datetime64"),
    ):
        with pytest.raises(error, match=message):
            model.predict(bad)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    model = clone(model).fit(X, y)
    for bad, error, message in (
        (X[:, :2], ValueError, "X has 2 features.*expecting 3 features"),
        (changed(X, (0, 0), np.nan), ValueError, "Input X contains NaN"),
        (X.astype("datetime64[s]"), TypeError, "datetime64"),
        (np.ma.masked_greater(X, 1.0), ValueError, "masked entries"),
        (X[0], ValueError, "Reshape your data"),
    ):
        with pytest.raises(error, match=message):
            model.predict(bad)


# Odd but usable


def same_fit(model, y, rows, *, usual=X, rtol=1e-6, **options):
    found, expected = clone(model).fit(rows, y, **options), clone(model).fit(usual, y)
    assert_allclose(found.coef_, expected.coef_, rtol=rtol, atol=rtol * np.abs(expected.coef_).max())
    assert_allclose(found.intercept_, expected.intercept_, rtol=rtol, atol=rtol)
    return found


def wide_indices(matrix):
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    return matrix


CELLS = (np.tile(np.repeat(np.arange(N), 3), 2), np.tile(np.arange(3), 2 * N))
WIDE = np.zeros((2 * N, 6))
WIDE[::2, ::2] = X
ODD_ROWS = {
    "lists": X.tolist(),
    "numbers as objects": X.astype(object),
    "decimals": np.array([[Decimal(float(x)) for x in row] for row in X], dtype=object),
    "fractions": np.array([[Fraction(float(x)) for x in row] for row in X], dtype=object),
    "big-endian": X.astype(">f8"),
    "Fortran": np.asfortranarray(X),
    "strided": WIDE[::2, ::2],
    "reversed twice": X[::-1].copy()[::-1],
    "unmasked": np.ma.masked_array(X),
    "longdouble": X.astype(np.longdouble),
    "numeric text": X.astype(str).astype(object),
    "frame": frame(),
    "int64 indices": wide_indices(sparse.csr_array(X)),
    "every entry in two parts": sparse.coo_array((np.tile(X.ravel() / 2, 2), CELLS), shape=X.shape),
}


@every_model
@pytest.mark.parametrize("odd", ODD_ROWS.values(), ids=ODD_ROWS)
def test_odd_rows(model, y, odd):
    before = deepcopy(odd)
    same_fit(clone(model).set_params(tol=1e-10), y, odd)
    if isinstance(odd, np.ndarray):
        assert_array_equal(odd, before)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64, np.float16, np.float32])
def test_narrow_types_do_not_wrap_around(dtype):
    narrow = (100 * rows(seed=3)).clip(0, 255 if dtype != np.int8 else 127).astype(dtype)
    same_fit(LogisticRegressor(tol=1e-10), LABELS, narrow, usual=narrow.astype(float), rtol=1e-5)


def test_huge_integers():
    huge = (np.random.RandomState(3).uniform(-1, 1, size=(N, 3)) * 2**62).astype(np.int64)
    same_fit(LogisticRegressor(tol=1e-10), LABELS, huge, usual=huge.astype(float))
    unsigned = np.full((N, 3), np.iinfo(np.uint64).max) - np.arange(3 * N, dtype=np.uint64).reshape(N, 3)
    assert np.isfinite(LogisticRegressor().fit(unsigned, LABELS).coef_).all()


def test_read_only_and_memory_mapped(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    same_fit(LogisticRegressor(), LABELS, mapped, rtol=0)


LABELLINGS = {
    "text": np.array(["no", "yes"]),
    "bool": np.array([False, True]),
    "objects": np.array(["no", "yes"], dtype=object),
    "near 2**62": np.array([2**62, 2**62 + 1]),
    "uint8": np.array([200, 255], dtype=np.uint8),
    "far apart in int8": np.array([-128, 127], dtype=np.int8),
    "the largest of all": np.array([2**64 - 2, 2**64 - 1], dtype=np.uint64),
    "both ends": np.array([-(2**63), 2**63 - 1]),
    "negative": np.array([-5, -1]),
    "floats": np.array([0.0, 3.0]),
}


@pytest.mark.parametrize("names", LABELLINGS.values(), ids=LABELLINGS)
def test_labels_of_many_kinds(names):
    for container in (np.asarray, list, pd.Series):
        model = LogisticRegressor().fit(X, container(names[LABELS]))
        assert_array_equal(model.classes_, names)
        assert_array_equal(model.coef_, LogisticRegressor().fit(X, LABELS).coef_)
        assert set(model.predict(X)) == set(names)


def test_pandas_labels():
    expected = LogisticRegressor().fit(X, LABELS)
    text = np.array(["no", "yes"])[LABELS]
    for y in (
        pd.Series(text, dtype="string"),
        pd.Series(pd.Categorical(text, categories=["maybe", "no", "yes"])),
        pd.Series(LABELS, index=np.random.RandomState(0).permutation(N)),  # rows are matched by position
        pd.Series(LABELS, dtype="Int64"),
    ):
        assert_array_equal(LogisticRegressor().fit(X, y).coef_, expected.coef_)


def test_labels_in_a_column():
    with pytest.warns(DataConversionWarning, match="column-vector"):
        model = LogisticRegressor().fit(X, LABELS[:, None])
    assert_array_equal(model.coef_, LogisticRegressor().fit(X, LABELS).coef_)


@every_model
@pytest.mark.parametrize("weight", [1e308, 1e-320, 3.0], ids=str)
def test_equal_weights_of_any_size(model, y, weight):
    same_fit(clone(model).set_params(tol=1e-10), y, X, sample_weight=np.full(N, weight))
    same_fit(clone(model).set_params(tol=1e-10), y, X, sample_weight=weight)


def test_rows_of_zero_weight_are_not_there():
    some = np.arange(N) % 3 > 0
    far = np.where(some[:, None], X, 1e6)
    for model, y in MODELS.values():
        model = clone(model).set_params(tol=1e-10, alpha=0.1)
        weighted = clone(model).fit(far, y, sample_weight=some)
        assert_allclose(weighted.coef_, clone(model).fit(X[some], y[some]).coef_, atol=1e-5)


def test_two_rows():
    for estimator in (LogisticRegressor(alpha=0.1), SoftmaxClassifier("hinge", alpha=0.1)):
        assert_array_equal(estimator.fit(X[:2], [0, 1]).predict(X[:2]), [0, 1])


def test_more_columns_than_rows():
    wide = rows(200)
    for loss in ("cross_entropy", "hinge", "mse"):
        model = LogisticRegressor(loss, alpha=0.01).fit(wide, LABELS)
        assert model.score(wide, LABELS) == 1


def test_rows_of_zeros():
    for estimator in (LogisticRegressor(), SoftmaxClassifier()):
        model = estimator.fit(np.zeros((N, 3)), LABELS)
        assert_array_equal(model.coef_, 0)
        assert_allclose(model.predict_proba(X)[:, 1], LABELS.mean(), rtol=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegressor(),
        LogisticRegressor("hinge"),
        LogisticRegressor("mse"),
        LinearRegressor(),
        LinearRegressor("mae"),
    ]
    + [SoftmaxClassifier(loss) for loss in ("cross_entropy", "brier", "hinge", "squared_hinge")]
    + [LinearRegressor(loss) for loss in ("rmse", "poisson", "huber")],
    ids=repr,
)
def test_fewer_rows_than_columns_and_all_alike(model, storage, fit_intercept):
    y = np.arange(7) % (3 if isinstance(model, SoftmaxClassifier) else 2)
    for value in (0.0, 2.5) if fit_intercept else (0.0,):
        alike = np.full((7, 12), value)
        wide = clone(model).set_params(fit_intercept=fit_intercept).fit(storage(alike), y)
        assert_array_equal(wide.coef_, 0)
        narrow = clone(model).set_params(fit_intercept=fit_intercept).fit(storage(alike[:, :2]), y)
        assert_allclose(wide.predict(alike), narrow.predict(alike[:, :2]), rtol=1e-5, atol=1e-12)


def test_a_constant_column():
    constant = np.column_stack([X, np.full(N, 0.1)])
    for alpha in (0.0, 0.01):
        model = LogisticRegressor(alpha=alpha, tol=1e-10).fit(constant, LABELS)
        assert model.coef_[0, 3] == 0
        assert_allclose(
            model.coef_[0, :3], LogisticRegressor(alpha=alpha, tol=1e-10).fit(X, LABELS).coef_[0], rtol=1e-5
        )


def test_a_column_twice():
    twice = np.column_stack([X, X[:, 0]])
    for alpha, rtol in ((0.0, 1e-2), (0.01, 1e-6)):
        model = LogisticRegressor(alpha=alpha, tol=1e-12).fit(twice, LABELS)
        assert_allclose(model.coef_[0, 0], model.coef_[0, 3], rtol=rtol)
    single = LogisticRegressor(alpha=0, tol=1e-12).fit(X, LABELS)
    plain = LogisticRegressor(alpha=0, tol=1e-12).fit(twice, LABELS)
    assert_allclose(plain.decision_function(twice), single.decision_function(X), rtol=1e-4, atol=1e-5)


def test_separable_classes_without_a_penalty():
    y = (X[:, 0] > 0).astype(int)
    for estimator in (LogisticRegressor(alpha=0), SoftmaxClassifier(alpha=0)):
        with pytest.warns(ConvergenceWarning, match="perfectly separable and alpha is 0.*Set alpha > 0"):
            estimator.fit(X, y)
        assert np.isfinite(estimator.coef_).all()


def test_many_classes():
    y = np.arange(N) % 30
    assert SoftmaxClassifier().fit(X, y).coef_.shape == (30, 3)


# Scales: what is predicted must not depend on the units of X


SCALINGS = {
    "offset 1e6": (1.0, 1e6),
    "offset 1e8": (1.0, 1e8),
    "columns": (np.array([1e-8, 1.0, 1e8]), 0.0),
    "1e10": (1e10, 0.0),
    "1e30": (1e30, 0.0),
    "1e150": (1e150, 0.0),
    "1e300": (1e300, 0.0),
    "1e-10": (1e-10, 0.0),
    "1e-150": (1e-150, 0.0),
    "1e-300": (1e-300, 0.0),
}


def scores_of(model, rows):
    return model.decision_function(rows) if hasattr(model, "decision_function") else model.predict(rows)


WITHOUT_A_PENALTY = [
    (LogisticRegressor(), LABELS),
    (LogisticRegressor("hinge"), LABELS),
    (SoftmaxClassifier(), THREE),
    (SoftmaxClassifier("brier"), THREE),
    (SoftmaxClassifier("squared_hinge"), THREE),
    (LinearRegressor(), Y),
    (LinearRegressor("huber"), Y),
    (LinearRegressor("absolute_error"), Y),
    (LinearRegressor("poisson"), Y.clip(0)),
]


@cache
def fitted_without_a_penalty(number):
    model, y = WITHOUT_A_PENALTY[number]
    return clone(model).set_params(alpha=0, tol=1e-10).fit(X, y)


@pytest.mark.parametrize(("factor", "offset"), SCALINGS.values(), ids=SCALINGS)
@pytest.mark.parametrize("number", range(len(WITHOUT_A_PENALTY)), ids=[repr(model) for model, _ in WITHOUT_A_PENALTY])
def test_without_a_penalty_units_do_not_matter(number, factor, offset):
    usual, y = fitted_without_a_penalty(number), WITHOUT_A_PENALTY[number][1]
    other = clone(usual).fit(X * factor + offset, y)
    assert_allclose(other.objective_value_, usual.objective_value_, rtol=1e-6)
    scores = [scores_of(usual, X), scores_of(other, X * factor + offset)]
    assert_allclose(scores[1], scores[0], rtol=1e-3, atol=1e-3 * np.abs(scores[0]).max())
    assert_array_equal(np.sign(scores[1].round(6)), np.sign(scores[0].round(6)))


@pytest.mark.parametrize("factor", [1e4, 1e8, 1e10, 1e30])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_hinge", "hinge"])
def test_a_penalty_that_drowns_is_no_obstacle(loss, factor):
    model = LogisticRegressor(loss).fit(X * factor, LABELS)
    plain = LogisticRegressor(loss, alpha=0).fit(X, LABELS)
    assert_allclose(model.objective_value_, plain.objective_value_, rtol=1e-5)


@pytest.mark.parametrize("size", [1e20, 1e100, 1e200, 1e308])
@pytest.mark.parametrize("loss", ["cross_entropy", "hinge", "mse"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # a bound may be out of reach
def test_one_huge_cell(loss, size):
    huge = changed(X, (5, 1), size)
    model = LogisticRegressor(loss, alpha=1e-3).fit(huge, LABELS)
    assert np.isfinite(model.coef_).all()
    objective = model.objective(huge, LABELS)
    without = LogisticRegressor(loss, alpha=1e-3).fit(X[:, [0, 2]], LABELS)
    rest = objective.pack(np.insert(without.coef_, 1, 0.0, axis=1), without.intercept_)
    assert model.objective_value_ <= objective.value(rest) * (1 + 1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("weights", [[1.0, -2.0, 0.5], [1.0, 0.0, 0.5]])
def test_large_arrays_to_predict_are_looked_through(bad, weights):
    model = LogisticRegressor().fit(X, LABELS)
    model.coef_ = np.array([weights])
    large = np.zeros((MANY_ENTRIES // 3 + 1, 3))
    large[-1, 0] = 1e308
    large[-2, 0] = -1e308
    assert_array_equal(model.predict(large)[-2:], [0, 1])
    large[7, 1] = bad
    message = "Input X contains NaN" if np.isnan(bad) else "Input X contains infinity"
    with pytest.raises(ValueError, match=message):
        model.predict(large)


def test_the_most_probable_class_where_probabilities_are_rounded():
    model = LogisticRegressor(fit_intercept=False).fit(X, LABELS)
    model.coef_ = np.array([[1.0, 0.0, 0.0]])
    sizes = np.concatenate([[0.0, 1e-300], np.finfo(float).eps * np.array([0.1, 0.25, 0.4, 0.6, 1.0, 2.0, 8.0])])
    rows = np.concatenate([sizes, -sizes])[:, None] * [[1.0, 0.0, 0.0]]
    p = model.predict_proba(rows)
    assert (p[:, 0] == p[:, 1]).any()
    assert_array_equal(model.predict(rows), p.argmax(axis=1))


@pytest.mark.parametrize("size", [1e100, 1e308])
def test_predicting_huge_rows_is_quiet(size):
    model = LogisticRegressor().fit(X, LABELS)
    far = np.where(np.arange(3) == 1, size, 0.0)[None] * [[1], [-1]]
    assert_array_equal(model.predict_proba(far), [[1, 0], [0, 1]])
    assert np.isfinite(model.predict_log_proba(far)).all()
    assert np.isfinite(model.decision_function(far)).all()
    assert_array_equal(model.predict(np.full((1, 3), size) * np.sign(model.coef_)), [1])


def test_logarithms_of_probabilities_are_finite():
    model = LogisticRegressor().fit(X, LABELS)
    far = 2e4 * np.sign(model.coef_)
    scores, logs = model.decision_function(far), model.predict_log_proba(far)
    assert_allclose(logs[:, 0], -scores, rtol=1e-12)
    joint = SoftmaxClassifier().fit(X, THREE)
    scores, logs = joint.decision_function(1e4 * X), joint.predict_log_proba(1e4 * X)
    assert_allclose(logs, scores - scores.max(axis=1, keepdims=True), atol=1)
