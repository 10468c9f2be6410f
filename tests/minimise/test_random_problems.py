"""Awkward data of many kinds, drawn at random: a certificate is never below what another fit finds."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sklearn_losses import Hinge, LinearRegressor, LogisticRegressor, SoftmaxClassifier

REGRESSION = (
    "squared_error",
    "huber",
    "log_cosh",
    "poisson",
    "tweedie",
    "rmse",
    "absolute_error",
    "quantile",
    "epsilon_insensitive",
)
CLASSIFICATION = ("cross_entropy", "squared_hinge", "modified_huber", "least_squares", "hinge", Hinge("crammer-singer"))


def rows(kind, shape, random):
    X = random.normal(size=shape)
    return {
        "plain": X,
        "integers": np.round(X),
        "heavy tails": random.standard_t(1.2, shape),
        "collinear": X[:, :1] + 1e-3 * X,
        "duplicates": np.repeat(X[: shape[0] // 4], 4, axis=0),
        "scales": X * 10.0 ** random.uniform(-6, 6, shape[1]),
        "offsets": X + 10.0 ** random.uniform(0, 7, shape[1]),
    }[kind]


def problem(kind, seed):
    """An estimator and its data."""
    random = np.random.default_rng(seed)
    X = rows(kind, (40, 60) if seed % 2 else (200, 6), random)
    settings = {"alpha": random.choice([1e-8, 1e-5, 1e-2, 1e4]), "fit_intercept": bool(random.random() < 0.7)}
    scores = (X - X.mean(axis=0)) / X.std(axis=0) @ random.normal(size=(X.shape[1], 3)) / np.sqrt(X.shape[1])
    if seed % 3 == 0:
        y = np.exp(np.clip(scores[:, 0] + 0.3 * random.standard_t(2, len(X)), -3, 3))
        return LinearRegressor(random.choice(REGRESSION), **settings), X, y
    noisy = np.where(random.random(len(X)) < 0.3, random.integers(0, 3, len(X)), scores.argmax(axis=1))
    loss = CLASSIFICATION[random.integers(len(CLASSIFICATION))]
    if seed % 3 == 1:
        return LogisticRegressor(loss, **settings), X, (noisy > 0).astype(int)
    return SoftmaxClassifier(loss, **settings), X, noisy


def objective_at(model, objective):
    return objective.value(objective.pack(model.coef_, model.intercept_))


@pytest.mark.parametrize("seed", range(9))
@pytest.mark.parametrize("kind", ["plain", "integers", "heavy tails", "collinear", "duplicates", "scales", "offsets"])
def test_no_certificate_is_below_the_truth(kind, seed):
    model, X, y = problem(kind, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        other = clone(model).set_params(tol=1e-9).fit(X[::-1], y[::-1])
        model.fit(X, y)
    objective = model.objective(X, y)
    value, gap = model.objective_value_, model.dual_gap_
    # a column of size 1e7 times a rounded weight is a score with an error of 1e-9
    size = 1.0 + np.abs(X).max() * np.abs(model.coef_).max()
    rounding = 1e-9 * abs(value) + 1e-13 * size
    assert objective_at(model, objective) == pytest.approx(value, rel=1e-9, abs=1e-13 * size)
    if not np.isnan(gap):
        assert gap >= 0
        assert objective_at(other, objective) >= value - gap - rounding
