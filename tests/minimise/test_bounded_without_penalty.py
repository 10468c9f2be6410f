"""Weights that may not be negative and have no penalty: nothing proves an end, which has to be true all the same."""

import numpy as np
import pytest
from random_situations import PseudoHuber
from scipy.optimize import linprog, minimize

from sklearn_losses import (
    AbsoluteError,
    Huber,
    LinearRegressor,
    LogCosh,
    RootMeanSquaredError,
    SquaredEpsilonInsensitive,
    SquaredError,
)

EXACT = [
    SquaredError(),
    Huber(),
    LogCosh(),
    SquaredEpsilonInsensitive(0.0),
    AbsoluteError(),
    RootMeanSquaredError(),
]


def rows(n=30):
    rng = np.random.default_rng(0)
    X, weights = np.abs(rng.normal(size=(n, 8))), np.abs(rng.normal(size=8))
    return X, X @ weights + 3.0


@pytest.mark.parametrize("n", [5, 30])
@pytest.mark.parametrize("unit", [1.0, 1e6])
@pytest.mark.parametrize("loss", EXACT, ids=repr)
def test_an_exact_fit_ends_and_claims_nothing(loss, unit, n):
    X, y = rows(n)
    model = LinearRegressor(loss, alpha=0.0, positive=True).fit(X, unit * y)
    np.testing.assert_allclose(model.predict(X), unit * y, rtol=1e-11)
    assert np.isnan(model.dual_gap_)
    assert model.result_.success
    assert model.n_iter_ < 500


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_straight_lines_are_as_low_as_a_linear_programme(unit):
    X, y = rows()
    y = unit * (y + np.random.default_rng(1).normal(size=len(y)))
    design, slack = np.column_stack([X, np.ones(len(y))]), np.eye(len(y))
    cost = np.append(np.zeros(9), np.full(len(y), 1.0 / len(y)))
    limits = np.block([[design, -slack], [-design, -slack]])
    bounds = [(0, None)] * 8 + [(None, None)] + [(0, None)] * len(y)
    expected = unit * linprog(cost, limits, np.append(y, -y) / unit, bounds=bounds).fun
    model = LinearRegressor(AbsoluteError(), alpha=0.0, positive=True).fit(X, y)
    assert model.objective_value_ <= expected * (1.0 + 1e-6)


@pytest.mark.parametrize("loss", [Huber(), LogCosh(), PseudoHuber()], ids=["huber", "log-cosh", "a user's"])
def test_targets_far_beyond_the_core_of_a_loss(loss):
    """Slopes of one are nothing beside values of a million, and yet everything is left to gain."""
    X, y = rows()
    y = 1e6 * (y + np.random.default_rng(1).normal(size=len(y)))
    model = LinearRegressor(loss, alpha=0.0, positive=True).fit(X, y)
    lines = LinearRegressor(AbsoluteError(), alpha=0.0, positive=True).fit(X, y)
    assert model.objective_value_ <= lines.objective_value_ * (1.0 + 1e-6)


def test_least_squares_are_those_of_a_bounded_solver():
    X, y = rows()
    y = y - 2.0 * X[:, 0] + np.random.default_rng(1).normal(size=len(y))
    design = np.column_stack([X, np.ones(len(y))])

    def mean(x):
        error = design @ x - y
        return 0.5 * np.mean(error**2), design.T @ error / len(y)

    bounds = [(0, None)] * 8 + [(None, None)]
    found = minimize(mean, np.zeros(9), jac=True, bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-12})
    ours = LinearRegressor(alpha=0.0, positive=True).fit(X, y)
    assert (ours.coef_ == 0.0).any()
    assert mean(np.append(ours.coef_, ours.intercept_))[0] <= found.fun * (1.0 + 1e-8)
