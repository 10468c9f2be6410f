"""Fits of piecewise-linear losses: offsets, units, outliers, starts, intervals of minimisers, and what is said."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog
from sklearn.exceptions import ConvergenceWarning

from sklearn_losses import (
    AbsoluteError,
    EpsilonInsensitive,
    Hinge,
    LinearRegressor,
    LogisticRegressor,
    PercentageError,
    Quantile,
    SoftmaxClassifier,
)
from sklearn_losses.minimise import sweeping

ERRORS = [AbsoluteError(), Quantile(0.1), EpsilonInsensitive(0.5), EpsilonInsensitive(0.0)]


def value_at(model, X, y, sample_weight=None):
    objective = model.objective(X, y, sample_weight=sample_weight)
    return objective.value(objective.pack(model.coef_, model.intercept_))


def few_steps(model, *data):
    """A fit that may end early, and whether it said so."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data)
    assert all(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    return model, bool(caught)


def line(n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, 5.0 * (X[:, 0] + rng.standard_normal(n))


# Offsets and units of the targets


@pytest.mark.parametrize("alpha", [0.0, 1e-4])
@pytest.mark.parametrize("offset", [1e6, -1e8, 1e9])
@pytest.mark.parametrize("loss", ERRORS, ids=repr)
def test_targets_far_from_zero(loss, offset, alpha):
    X, y = line()
    near = LinearRegressor(loss, alpha=alpha).fit(X, y)
    far = LinearRegressor(loss, alpha=alpha).fit(X, y + offset)
    spacing = np.spacing(abs(offset))
    np.testing.assert_allclose(far.objective_value_, near.objective_value_, rtol=1e-9, atol=spacing)
    np.testing.assert_allclose(far.coef_, near.coef_, atol=10 * spacing + 1e-9)
    assert far.objective_value_ == pytest.approx(value_at(far, X, y + offset), abs=spacing)
    assert far.dual_gap_ <= 1e-6 * far.objective_value_


@pytest.mark.parametrize("unit", [1e-140, 1e-30, 1e30, 1e140])
@pytest.mark.parametrize("loss", [AbsoluteError(), Quantile(0.9), PercentageError()], ids=repr)
def test_targets_of_any_unit(loss, unit):
    X, y = line()
    plain = LinearRegressor(loss, alpha=0.0).fit(X, y)
    other = LinearRegressor(loss, alpha=0.0).fit(X, unit * y)
    np.testing.assert_allclose(other.coef_ / unit, plain.coef_, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
@pytest.mark.parametrize("model", [LinearRegressor("absolute_error"), LogisticRegressor("hinge")], ids=repr)
def test_single_precision_of_any_scale(model, scale):
    X, y = line()
    X = (scale * X).astype(np.float32)
    y = y if isinstance(model, LinearRegressor) else y > 0
    model.fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert 0.0 <= model.dual_gap_ <= 1e-6 * model.objective_value_


def test_percentage_error_of_a_target_that_is_nothing_names_the_row():
    X, y = line(40)
    y[7] = 1e-320
    with pytest.raises(ValueError, match=r"y\[7\]"):
        LinearRegressor("percentage_error").fit(X, y)


@pytest.mark.parametrize("epsilon", [1e-6, 1e-3, 0.5])
@pytest.mark.parametrize("outlier", [1e3, 1e6])
def test_one_outlier_beside_a_line(epsilon, outlier):
    """The line turns as far as the tube of 14 rows lets it; HiGHS finds that too, in small numbers."""
    x = np.arange(1.0, 17.0)
    y = np.where(x == 16.0, outlier, x)
    model = LinearRegressor(EpsilonInsensitive(epsilon), alpha=0.0).fit(x[:, None], y)
    design = np.column_stack([x - 8.0, np.ones(16)])
    constraints = [np.hstack([sign * design, -np.eye(16)]) for sign in (1.0, -1.0)]
    target = np.where(x == 16.0, 100.0, 0.0)  # beside the line, in units of epsilon, with the outlier moved nearer
    bounds = [(None, None)] * 2 + [(0.0, None)] * 16
    limits = np.concatenate([target + 1.0, 1.0 - target])
    answer = linprog(np.repeat([0.0, 1.0 / 16.0], [2, 16]), np.vstack(constraints), limits, bounds=bounds)
    expected = epsilon * (answer.fun - 100.0 / 16.0) + (outlier - 16.0) / 16.0
    assert model.objective_value_ == pytest.approx(expected, rel=1e-12)
    assert model.dual_gap_ <= 1e-6 * model.objective_value_


# Exact fits


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("loss", ERRORS, ids=repr)
def test_rows_on_a_line_claim_nothing(loss, offset):
    X, _ = line(60)
    y = X @ [1.0, -2.0, 0.5] + offset
    model = LinearRegressor(loss, alpha=0.0).fit(X, y)
    assert model.objective_value_ <= 1e-14 + np.spacing(offset)
    assert 0.0 <= model.dual_gap_ <= model.objective_value_


@pytest.mark.parametrize("loss", ["hinge", Hinge("crammer-singer")])
@pytest.mark.parametrize("classes", [2, 3])
def test_rows_of_zeros(loss, classes):
    y = np.arange(6) % classes
    for fit_intercept in (False, True):
        model = SoftmaxClassifier(loss, fit_intercept=fit_intercept).fit(np.zeros((6, 10)), y)
        assert not model.coef_.any()
        assert model.dual_gap_ <= 1e-6 * model.objective_value_


# Starts


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", ["hinge", "joint", "quantile"])
@pytest.mark.parametrize("max_iter", [1, 3])
def test_refits_of_a_few_steps_get_no_worse(kind, max_iter, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(90, 3))
    y = rng.integers(0, 3, 90)
    model = {
        "hinge": LogisticRegressor("hinge", alpha=1e-3),
        "joint": SoftmaxClassifier("hinge", alpha=1e-3),
        "quantile": LinearRegressor(Quantile(0.9), alpha=1e-3),
    }[kind]
    y = y > 0 if kind == "hinge" else y
    model.set_params(max_iter=max_iter, warm_start=True)
    best = type(model)(model.loss, alpha=1e-3).fit(X, y).objective_value_
    values = []
    for _ in range(6):
        few_steps(model, X, y)
        assert model.dual_gap_ >= model.objective_value_ - best - 1e-12
        values.append(model.objective_value_)
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(values))


@pytest.mark.parametrize("change", ["1e3 x", "1e-6 x", "-x", "x + 50", "y + 1e6"])
@pytest.mark.parametrize("kind", ["hinge", "joint", "quantile"])
def test_a_start_for_other_data_does_no_harm(kind, change):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(200, 3)), rng.normal(size=200)
    y += 2.0 * X[:, 0]
    other = {"1e3 x": 1e3 * X, "1e-6 x": 1e-6 * X, "-x": -X, "x + 50": X + 50.0}.get(change, X)
    target = y + 1e6 * (change == "y + 1e6")
    model = {
        "hinge": LogisticRegressor("hinge", alpha=1e-2),
        "joint": SoftmaxClassifier("hinge", alpha=1e-2),
        "quantile": LinearRegressor(Quantile(0.9), alpha=1e-2),
    }[kind]
    if kind != "quantile":
        y, target = (np.digitize(a - a.mean(), [-1.0, 1.0][: 1 + (kind == "joint")]) for a in (y, target))
    cold = type(model)(model.loss, alpha=1e-2).fit(other, target)
    model.set_params(warm_start=True).fit(X, y).fit(other, target)
    assert model.objective_value_ == pytest.approx(cold.objective_value_, rel=2e-6)
    assert model.dual_gap_ <= 1e-6 * model.objective_value_
    start = value_at(model.fit(X, y), other, target)
    few_steps(model.set_params(max_iter=1), other, target)
    assert model.objective_value_ <= start * (1 + 1e-12)
    assert model.dual_gap_ >= model.objective_value_ - cold.objective_value_


def test_random_state_reaches_the_sample():
    X, y = line(20_000)
    fits = [LogisticRegressor("hinge", alpha=1e-3, random_state=seed).fit(X, y > 0) for seed in (1, 2, 1)]
    np.testing.assert_array_equal(fits[0].coef_, fits[2].coef_)
    assert not np.array_equal(fits[0].coef_, fits[1].coef_)
    assert fits[0].objective_value_ == pytest.approx(fits[1].objective_value_, rel=2e-6)
    state = np.random.RandomState(1)
    np.testing.assert_array_equal(
        LogisticRegressor("hinge", alpha=1e-3, random_state=state).fit(X, y > 0).coef_, fits[0].coef_
    )


# Intervals of minimisers


@pytest.mark.parametrize(
    ("q", "y", "middle"),
    [
        (0.25, [1.0, 2.0, 3.0, 10.0], 1.5),
        (0.75, [1.0, 2.0, 3.0, 10.0], 6.5),
        (0.5, [-7.0, 1e6, 2e6, 1e9], 1.5e6),
        (0.5, [4.0, 0.0], 2.0),
        (0.5, [1.0, 2.0, 3.0], 2.0),
    ],
)
@pytest.mark.parametrize("alpha", [0.0, 1e-4, 1.0])
def test_middle_of_an_interval_of_quantiles(q, y, middle, alpha):
    for X in (np.zeros((len(y), 1)), sp.csr_array((len(y), 2))):
        model = LinearRegressor(Quantile(q), alpha=alpha).fit(X, y)
        assert model.intercept_ == middle
        assert not model.coef_.any()


@pytest.mark.parametrize("alpha", [0.0, 1e-4, 1.0])
@pytest.mark.parametrize(
    ("loss", "y", "middle"),
    [
        (Quantile(0.5), [-99.0, -99.63, -100.26, 101.11, 100.48, 102.85], 0.74),
        (AbsoluteError(), [-99.0, -99.63, -100.26, 101.11, 100.48, 102.85], 0.74),
        (EpsilonInsensitive(1.0), [-99.0, -100.0, 100.0, 102.0], 0.5),
        (EpsilonInsensitive(100.0), [0.0, 1.0, 0.0, 1.0], 0.5),  # F is zero
    ],
)
def test_middle_between_heaps_that_are_far_apart(loss, y, middle, alpha):
    for X in (np.zeros((len(y), 1)), sp.csr_array((len(y), 2))):
        assert LinearRegressor(loss, alpha=alpha).fit(X, y).intercept_ == pytest.approx(middle, abs=1e-12)


def test_middle_with_weights_features_and_two_kinks():
    y = np.array([0.0, 4.0, 1.0])
    model = LinearRegressor("absolute_error").fit(np.zeros((3, 1)), y, sample_weight=[1.0, 3.0, 2.0])
    assert model.intercept_ == 2.5
    tube = LinearRegressor(EpsilonInsensitive(1.0)).fit(np.zeros((2, 1)), [0.0, 5.0])
    assert tube.intercept_ == 2.5
    x = np.array([-1.0, 1.0, -1.0, 1.0])  # beside a slope that the penalty holds at zero
    model = LinearRegressor("absolute_error", alpha=1e3).fit(x[:, None], [0.0, 0.0, 1.0, 1.0])
    assert model.intercept_ == pytest.approx(0.5, abs=1e-12)


def test_middle_of_an_interval_of_hinge_intercepts():
    """Between rows of both classes far from each other, all intercepts of an interval are as good."""
    x = np.array([-3.0, -2.0, 2.0, 3.0])[:, None]
    y = np.array([0, 0, 1, 1])
    model = LogisticRegressor("hinge", alpha=1e-2).fit(x, y)
    flipped = LogisticRegressor("hinge", alpha=1e-2).fit(-x, y)
    assert model.intercept_[0] == pytest.approx(0.0, abs=1e-12)
    assert flipped.intercept_[0] == pytest.approx(0.0, abs=1e-12)


# What is said


def test_messages_speak_of_f():
    X, y = line()
    model, warned = few_steps(LinearRegressor("absolute_error", max_iter=3), X, 1e6 * y)
    assert warned
    assert model.result_.status == 1
    assert not model.result_.success
    assert f"{model.dual_gap_ / model.objective_value_:.2g} of F" in model.result_.message
    done = LinearRegressor("absolute_error").fit(X, 1e6 * y)
    assert done.result_.status == 0
    assert done.result_.success
    assert done.result_.dual_gap * 1e-6 <= done.objective_value_


def test_callbacks_hear_of_values_in_the_units_of_f():
    X, y = line(100)
    model, _ = few_steps(LinearRegressor("absolute_error", max_iter=2, verbose=0), X, 1e3 * y)
    assert model.objective_value_ <= AbsoluteError()(1e3 * y, np.full(100, np.median(1e3 * y))) * (1 + 1e-12)


# One-hot fields


def one_hot_fields(n=3000, fields=6, levels=60):
    rng = np.random.default_rng(0)
    level = (levels * rng.random((n, fields)) ** 2).astype(int) + levels * np.arange(fields)
    X = sp.csr_array((np.ones(n * fields), level.ravel(), np.arange(n + 1) * fields), shape=(n, fields * levels))
    return X, X @ rng.normal(size=fields * levels) + 2.0 * rng.logistic(size=n)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("swept", [True, False])
def test_hinge_of_one_hot_fields_takes_few_passes(swept, fit_intercept, monkeypatch):
    if not swept:
        monkeypatch.setattr(sweeping, "AVAILABLE", False)
    X, z = one_hot_fields()
    model = LogisticRegressor("hinge", alpha=1 / len(z), fit_intercept=fit_intercept, max_iter=250).fit(X, z > 0)
    assert model.dual_gap_ <= 1e-6 * model.objective_value_
    assert model.result_.n_passes <= 500


@pytest.mark.parametrize("loss", [PercentageError(), AbsoluteError()])
@pytest.mark.parametrize("unit", [1.0, 8e11])
def test_two_heaps_are_fitted_whatever_slacks_vanish(loss, unit):
    X, y = unit * np.array([[0.0], [0.0], [1.0], [1.0], [0.0], [0.0]]), np.array([-130.0, -130, 250, 250, -130, -130])
    model = LinearRegressor(loss, alpha=1e-12).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-6)
