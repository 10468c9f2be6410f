"""Errors name what is wrong: y and not X, the estimator's own class, the key, the loss's parameter."""

import datetime
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_losses import CosineClassifier, Focal, Huber, LinearRegressor, LogisticRegressor, SoftmaxClassifier

N = 30
X = np.random.RandomState(0).normal(size=(N, 2))
Y = X[:, 0] + 3.0
LABELS = (X[:, 0] + np.random.RandomState(1).normal(size=N) > 0).astype(int)
DAYS = pd.date_range("2020-01-01", periods=N)
ESTIMATORS = [LinearRegressor, LogisticRegressor, SoftmaxClassifier]


def with_missing(values, missing):
    return pd.Series([missing, *values[1:]], dtype=object)


BAD_TARGETS = {
    "text": (np.full(N, "red"), ValueError, r"^y must hold numbers: .*'red'.*SoftmaxClassifier"),
    "one text": (np.array([1.0, "red"] * (N // 2), dtype=object), ValueError, "^y must hold numbers: .*'red'"),
    "categories": (pd.Series(pd.Categorical(["red", "blue"] * (N // 2))), ValueError, "^y must hold numbers"),
    "two columns": (np.c_[Y, Y], ValueError, "^y should be a 1d array.*LinearRegressor.*MultiOutputRegressor"),
    "frame of two": (pd.DataFrame(np.c_[Y, Y]), ValueError, "^y should be a 1d array.*MultiOutputRegressor"),
    "a number": (3.0, ValueError, r"^y should be a 1d array, got an array of shape \(\) instead\.$"),
    "ragged": ([[1.0], [1.0, 2.0]] * (N // 2), ValueError, "^y is no column of targets: .*inhomogeneous"),
    "sparse": (sparse.csr_array(Y[:, None]), (TypeError, ValueError), "."),
    "days": (DAYS.to_numpy(), TypeError, r"^y has dtype datetime64\[.*\]: turn dates and durations into numbers"),
    "days of a place": (pd.Series(DAYS.tz_localize("UTC")), TypeError, r"^y has dtype datetime64\[.*, UTC\]"),
    "durations": (DAYS - DAYS[0], TypeError, r"^y has dtype timedelta64"),
    "periods": (pd.Series(DAYS.to_period("D")), TypeError, r"^y has dtype period\[D\]"),
    "date objects": ([day.date() for day in DAYS], ValueError, r"^y must hold numbers: .*'datetime.date'"),
    "None": (with_missing(Y, None), ValueError, "^Input y contains NaN"),
    "nan in objects": (with_missing(Y, np.nan), ValueError, "^Input y contains NaN: row 0 is nan"),
    "NA": (with_missing(Y, pd.NA), ValueError, r"^Input y contains NaN: row 0 is <NA>"),
    "NA in a column of its own": (with_missing(Y, pd.NA).astype("Float64"), ValueError, "^Input y contains NaN"),
    "masked": (np.ma.masked_less(Y, 3.0), ValueError, "^y is a masked array with masked entries"),
    "complex": (Y + 1j, ValueError, "^y is no column of targets: Complex data not supported"),
    "too large for a float": ([10**400] * N, ValueError, "^y |^Input y"),
}


@pytest.mark.parametrize(("bad", "error", "message"), BAD_TARGETS.values(), ids=BAD_TARGETS)
@pytest.mark.parametrize("loss", ["squared_error", "mae", "poisson"])
def test_targets(loss, bad, error, message):
    with pytest.raises(error, match=message) as caught:
        LinearRegressor(loss).fit(X, bad)
    for wrong in ("OneHotEncoder", "soft_labels", "X has", "Input X"):
        assert wrong not in str(caught.value)


BAD_LABELS = {
    "two columns": (np.c_[LABELS, LABELS], ValueError, "^y should be a 1d array.*soft_labels"),
    "days": (DAYS.to_numpy(), TypeError, r"^y has dtype datetime64\[.*\]: turn dates and durations into text"),
    "masked": (np.ma.masked_equal(LABELS, 1), ValueError, "^y is a masked array"),
    "None": (
        with_missing(LABELS.astype(str), None),
        ValueError,
        r"mixed types \(NoneType, str_?\).*have to be dropped",
    ),
    "NA": (with_missing(LABELS, pd.NA), ValueError, "^Input y contains NaN: row 0 is <NA>.*have to be dropped"),
    "NA among text": (with_missing(LABELS.astype(str), pd.NA).astype("string"), ValueError, "^Input y contains NaN"),
    "nan among text": (with_missing(LABELS.astype(str), np.nan), ValueError, "^Input y contains NaN: row 0 is nan"),
    "a category without a name": (pd.Series(pd.Categorical([None, *"ab"] * 10)), ValueError, "^Input y contains NaN"),
}


@pytest.mark.parametrize(("bad", "error", "message"), BAD_LABELS.values(), ids=BAD_LABELS)
@pytest.mark.parametrize("estimator", ESTIMATORS[1:])
def test_labels(estimator, bad, error, message):
    with pytest.raises(error, match=message):
        estimator().fit(X, bad)


ONES = np.ones(N)
BAD_NUMBERS = {
    "text": (np.full(N, "balanced"), ValueError, "could not convert string"),
    "complex numbers": (ONES + 1j, ValueError, "Complex data not supported"),
    "complex numbers among others": (pd.Series([*ONES[1:], 1j], dtype=object), TypeError, "'complex'"),
    "days": (DAYS.to_numpy(), TypeError, "turn dates and durations into numbers"),
    "date objects": ([day.date() for day in DAYS], TypeError, "'datetime.date'"),
    "None": (with_missing(ONES, None), ValueError, "NaN"),
}


@pytest.mark.parametrize(("bad", "error", "message"), BAD_NUMBERS.values(), ids=BAD_NUMBERS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_weights_and_soft_labels_are_named(estimator, bad, error, message):
    with pytest.raises(error, match=f"sample_weight .*{message}"):
        estimator().fit(X, LABELS, sample_weight=bad)
    if estimator is not LinearRegressor:
        with pytest.raises(error, match=f"soft_labels .*{message}"):
            estimator().fit(X, LABELS, soft_labels=np.column_stack([bad, bad]))


def test_masked_weights_and_soft_labels():
    masked = np.ma.masked_array(np.full((N, 2), 0.5), np.c_[LABELS, LABELS])
    with pytest.raises(ValueError, match=r"^sample_weight is a masked array"):
        LinearRegressor().fit(X, Y, sample_weight=masked[:, 0])
    with pytest.raises(ValueError, match=r"^soft_labels is a masked array"):
        LogisticRegressor().fit(X, LABELS, soft_labels=masked)


def test_weights_of_classes_are_not_those_of_rows():
    with pytest.raises(ValueError, match=r"^sample_weight must hold numbers: .*'balanced'\. .*class_weight\.$"):
        LogisticRegressor().fit(X, LABELS, sample_weight="balanced")


def test_weights_of_classes_that_are_near_the_largest_float():
    huge, ordinary = {0: 5e307, 1: 1e308}, {0: 0.5, 1: 1.0}
    models = [LogisticRegressor(class_weight=given).fit(X, LABELS) for given in (huge, ordinary)]
    assert_array_equal(models[0].coef_, models[1].coef_)


@pytest.mark.parametrize("estimator", [*ESTIMATORS, CosineClassifier])
def test_a_loss_that_cannot_be_trained_names_others_that_can(estimator):
    with pytest.raises(ValueError, match="cannot be trained") as caught:
        estimator("zero_one").fit(X, LABELS)
    named = re.search(r"Train \w+ with '(\w+)' or '(\w+)'", str(caught.value))
    for loss in named.groups():
        estimator(loss).fit(X, LABELS)


@pytest.mark.parametrize(
    ("given", "name"),
    [("MSE", "mse"), ("CrossEntropy", "cross_entropy"), ("Squared-Hinge", "squared_hinge"), ("logloss", "log_loss")],
)
def test_nearly_a_loss(given, name):
    with pytest.raises(ValueError, match=f"Did you mean '{name}'"):
        LogisticRegressor(given).fit(X, LABELS)


def test_a_parameter_of_losses_that_the_estimator_takes():
    with pytest.raises(TypeError, match=r"loss=AMSoftmax\(margin=...\)") as caught:
        CosineClassifier(margin=1)
    assert "SoftMargin" not in str(caught.value)
    with pytest.raises(TypeError, match=r"CosineClassifier.*'C'") as caught:
        CosineClassifier(C=1)
    assert "alpha" not in str(caught.value)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_dates_in_x(estimator):
    for column, message in (
        (DAYS.tz_localize("UTC"), r"^X\['when'\] has dtype datetime64\[.*, UTC\]: turn dates"),
        (DAYS.to_period("D"), r"^X\['when'\] has dtype period\[D\]"),
        ([day.date() for day in DAYS], r"^X must hold numbers: .*'datetime.date'"),
        (datetime.timedelta(1), r"^X\['when'\] has dtype timedelta64"),
    ):
        with pytest.raises(TypeError, match=message):
            estimator().fit(pd.DataFrame({"a": Y}).assign(when=column), LABELS)


def test_a_class_that_is_the_likeliest_of_no_row():
    soft = np.full((N, 3), [0.2, 0.3, 0.5])
    soft[::2] = [0.5, 0.3, 0.2]
    y = np.array(["a", "b", "c"])[soft.argmax(axis=1)]
    with pytest.raises(ValueError, match=r"\(30, 2\) for the classes \['a', 'c'\] of y; got \(30, 3\)") as caught:
        SoftmaxClassifier().fit(X, y, soft_labels=soft)
    assert "pass y=np.resize(labels, 30) with the 3 labels" in str(caught.value)
    model = SoftmaxClassifier().fit(X, np.resize(["a", "b", "c"], 30), soft_labels=soft)
    assert_array_equal(model.classes_, ["a", "b", "c"])
    with pytest.raises(ValueError, match=r"for the classes \['a'\] of y; got \(30, 3\).*np.resize"):
        SoftmaxClassifier().fit(X, np.full(N, "a"), soft_labels=soft)
    with pytest.raises(ValueError, match=r"got \(30, 1\)\.$"):
        SoftmaxClassifier().fit(X, y, soft_labels=np.ones((N, 1)))


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(
    ("parameters", "advice"),
    [
        ({"C": 10}, r"'C'\. Its strength is alpha = 1 / \(C \* n\)"),
        ({"alpha": 1, "gamma": 1}, r"'gamma'\. It is a parameter of the loss: loss=Focal\(gamma=\.\.\.\)\."),
        ({"epsilon": 1}, r"'epsilon'\. .* loss=EpsilonInsensitive\(epsilon=\.\.\.\) or loss=Squared"),
        ({"max_iterations": 9}, r"'max_iterations'\. Did you mean 'max_iter'\? The parameters are: loss, alpha, "),
    ],
)
def test_unknown_parameters(estimator, parameters, advice):
    with pytest.raises(TypeError, match=rf"^{estimator.__name__}\(\): got an unexpected keyword argument {advice}"):
        estimator(**parameters)
    with pytest.raises(TypeError, match=rf"^{estimator.__name__}\(\): too many positional arguments\. The parameters"):
        estimator("squared_error", 1.0)


def test_unknown_parameters_of_a_class_derived_from_ours():
    class Own(LogisticRegressor):
        pass

    with pytest.raises(TypeError, match=r"^Own\(\): .*'C'"):
        Own(C=1)
    assert Own(alpha=2).get_params() == LogisticRegressor(alpha=2).get_params()
    assert pickle.loads(pickle.dumps(SoftmaxClassifier(alpha=2))).alpha == 2


@pytest.mark.parametrize(
    ("solver", "near"),
    [
        ("lbfgs", "L-BFGS-B"),
        ("l-bfgs", "L-BFGS-B"),
        ("newton-cholesky", "Newton-CG"),
        ("nelder_mead", "Nelder-Mead"),
        ("trust_exact", "trust-exact"),
        ("gradient_descent", "gradient-descent"),
    ],
)
def test_nearly_a_solver(solver, near):
    with pytest.raises(ValueError, match=f"Got '{solver}' instead. Did you mean '{near}'"):
        LogisticRegressor(solver=solver).fit(X, LABELS)
    LogisticRegressor("ce", solver=near, alpha=1.0, tol=1e-3).fit(X, LABELS)


def test_parameters_of_a_loss_that_was_given_by_name():
    model = LogisticRegressor("focal").set_params(loss__gamma=1)
    assert model.loss == Focal(1) or model.loss.gamma == 1
    assert model.get_params()["loss__gamma"] == 1
    assert clone(model).loss.gamma == 1
    assert LinearRegressor().set_params(loss="huber", loss__delta=3.0).loss.delta == 3.0
    assert LinearRegressor(Huber(2.0)).set_params(loss__delta=3.0).loss.delta == 3.0
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier("gce")).set_params(softmaxclassifier__loss__q=0.5)
    assert pipeline[-1].loss.q == 0.5


def test_parameters_that_a_loss_does_not_have():
    with pytest.raises(ValueError, match=r"Invalid parameter 'q' for estimator Focal\(\)"):
        LogisticRegressor("focal").set_params(loss__q=0.5)
    with pytest.raises(ValueError, match=r"Unknown loss 'fokal'\. Did you mean 'focal'"):
        LogisticRegressor("fokal").set_params(loss__gamma=1)
    with pytest.raises(ValueError, match=r"Invalid parameter 'losses' for estimator LogisticRegressor"):
        LogisticRegressor().set_params(losses__q=0.5)


def test_searches_over_losses_and_their_parameters():
    search = GridSearchCV(
        LogisticRegressor("focal", alpha=0.1),
        [{"loss": ["focal", "gce"]}, {"loss": ["focal"], "loss__gamma": [0.5, 1.0]}, {"loss__gamma": [3.0]}],
        cv=2,
    ).fit(X, LABELS)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    models = [LogisticRegressor("focal").set_params(**found) for found in search.cv_results_["params"]]
    kinds = [model.loss if isinstance(model.loss, str) else model.loss.gamma for model in models]
    assert kinds == ["focal", "gce", 0.5, 1.0, 3.0]


BEYOND = {
    "squares": ("squared_error", [1e200], r"^y\[7\] is 1e\+200, the square of which is beyond floats\. Divide y"),
    "squares of a penalty": ("mae", [-1e300], r"^y\[7\] is -1e\+300"),
    "no products": ("poisson", [1e-310], r"^y\[\d+\] is .*e-310 and no target is larger.*Multiply y"),
    "no percentages": ("mape", [1e-310], r"y\[7\] is 1e-310, zero but for rounding\. Drop"),
}


@pytest.mark.parametrize(("loss", "size", "message"), BEYOND.values(), ids=BEYOND)
@pytest.mark.parametrize("alpha", [0, 1e-4])
def test_targets_beyond_floats(loss, size, message, alpha):
    y = Y / Y.max() * 1e-310 if loss == "poisson" else Y.copy()
    if loss != "poisson":
        y[7] = size[0]
    with pytest.raises(ValueError, match=message):
        LinearRegressor(loss, alpha=alpha).fit(X, y)


@pytest.mark.parametrize("loss", ["squared_error", "mae", "rmse", "huber", "poisson", "gamma", "tweedie", "mape"])
@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-280, 1e-100, 1e100, 1e149, 1e200, 1e300])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_model_or_an_error(loss, size):
    y = np.maximum(Y * size, size)
    model = LinearRegressor(loss)
    try:
        model.fit(X, y)
    except ValueError as error:
        assert not 1e-290 < size < 1e149
        assert "y[" in str(error)
        return
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite([model.objective_value_, model.intercept_, *model.coef_]).all()


@pytest.mark.parametrize("penalty", [{"l1_ratio": 1.0}, {"l1_ratio": 0.5}, {"positive": True}])
@pytest.mark.parametrize(
    ("size", "said"),
    [
        (1e-280, r"PercentageError\(\) is so steep .* Multiply y by a constant"),
        (1e-170, r"PercentageError\(\) is so steep .* Multiply y by a constant"),
        (1e170, r"^y\[\d+\] is .* Divide y by a constant"),
    ],
)
def test_percentages_under_a_kinked_penalty(size, said, penalty):
    with pytest.raises(ValueError, match=said):
        LinearRegressor("mape", alpha=0.1, **penalty).fit(X, size * Y)


@pytest.mark.parametrize("dust", [0.1 + 0.2 - 0.3, 1e-20, 1e-320])
@pytest.mark.parametrize("unit", [1e-100, 1.0, 1e100])
def test_percentages_of_what_is_zero_but_for_rounding(dust, unit):
    y = np.where(np.arange(N) == 4, unit * dust, unit * Y)
    with pytest.raises(ValueError, match=r"PercentageError divides by the targets, and y\[4\] is "):
        LinearRegressor("mape").fit(X, y)
    LinearRegressor("mape").fit(X, y, sample_weight=np.arange(N) != 4)  # nor is a row without weight looked at


@pytest.mark.parametrize("loss", ["mape", "poisson", "gamma"])
def test_rows_without_weight_may_have_any_target(loss):
    y, weights = np.where(np.arange(N) < 3, -1.0, abs(Y)), np.arange(N) >= 3
    y[0] = 0.0
    model = LinearRegressor(loss).fit(X, y, weights)
    assert_array_equal(model.coef_, LinearRegressor(loss).fit(X[3:], y[3:]).coef_)


@pytest.mark.parametrize(
    ("scale", "size"), [(1e-40, 1e-30), (1e-40, 1e30), (1e-30, 1.0), (1e30, 1.0), (1e38, 1e-30), (1e38, 1e30)]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_single_precision_of_any_scale(scale, size):
    narrow = (X / np.abs(X).max() * scale).astype(np.float32)
    for loss in ("squared_error", "mae"):
        model = LinearRegressor(loss, alpha=0).fit(narrow, size * Y)
        assert np.isfinite(model.coef_).all()
        np.testing.assert_allclose(model.predict(narrow), size * Y, rtol=1e-3)
    assert np.isfinite(LogisticRegressor().fit(narrow, LABELS).coef_).all()
