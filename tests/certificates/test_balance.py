"""Slopes that do not sum to zero are balanced, and the bound that is drawn from them holds wherever it is drawn."""

from functools import cache

import numpy as np
import pytest

from sklearn_losses import CrossEntropy, Huber, LinearRegressor, LogisticRegressor, Loss, SoftmaxClassifier
from sklearn_losses.certificates.balance import balance, mixture
from sklearn_losses.certificates.gap import Gap
from sklearn_losses.certificates.intercept import best_shift, slopes_at
from sklearn_losses.minimise.root_mean import RootMeanGap

CASES = {
    "ce": (LogisticRegressor, "ce"),
    "smoothed": (LogisticRegressor, CrossEntropy(label_smoothing=0.1)),
    "squared hinge": (LogisticRegressor, "squared_hinge"),
    "exponential": (LogisticRegressor, "exponential"),
    "softmax": (SoftmaxClassifier, "ce"),
    "joint squared hinge": (SoftmaxClassifier, "squared_hinge"),
    "least squares": (LinearRegressor, "squared_error"),
    "huber": (LinearRegressor, Huber(0.1)),
    "log cosh": (LinearRegressor, "log_cosh"),
    "poisson": (LinearRegressor, "poisson"),
    "rmse": (LinearRegressor, "rmse"),
}


@cache
def problem(name, alpha, seed=0):
    kind, loss = CASES[name]
    random = np.random.default_rng(seed)
    X = random.normal(size=(40, 3))
    if kind is LinearRegressor:
        y = random.poisson(3.0, 40).astype(float)
    else:
        y = random.integers(0, 2 if kind is LogisticRegressor else 3, 40)
    weights = random.uniform(0.0, 2.0, 40) * (random.random(40) < 0.9)
    model = kind(loss, alpha=alpha, tol=1e-12).fit(X, y, weights)
    return model, model.objective(X, y, weights)


@pytest.mark.parametrize("name", [name for name in CASES if name != "rmse"])
@pytest.mark.parametrize("distance", [0.1, 3.0, 100.0])
def test_shares_make_slopes_sum_to_zero(name, distance):
    _, objective = problem(name, 1e-2)
    random = np.random.default_rng(1)
    scores = distance * random.normal(size=(objective.rows.n_rows, objective.n_outputs))
    scores = scores[:, 0] if objective.n_outputs == 1 else scores
    weights, scores = objective.rows.weights, objective.rows.spread(scores)
    slopes = slopes_at(objective, scores)
    balanced, dual = balance(objective, scores, 0.0, slopes), slopes.dual.gathered()
    assert balanced.shares.min() >= 0
    assert balanced.shares.max() == 1 or (np.sign(dual) == np.sign(dual[0])).all()
    shares = balanced.shares if dual.ndim == 1 else balanced.shares[:, None]
    left = weights @ (shares * dual)
    assert np.abs(left).max() <= 1e-12 * (weights @ np.abs(dual)).max()
    assert 0 <= balanced.price <= slopes.mean


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("alpha", [1e-4, 1e-2, 10.0])
@pytest.mark.parametrize("distance", [1e-8, 1e-3, 1.0, 30.0, 1e4])
@np.errstate(over="ignore", invalid="ignore")
def test_the_bound_holds_anywhere(name, alpha, distance):
    model, objective = problem(name, alpha)
    conditioned = objective.conditioned()
    gap = (RootMeanGap if name == "rmse" else Gap)(conditioned)
    optimum = conditioned.from_theta(objective.pack(model.coef_, model.intercept_))
    random = np.random.default_rng(2)
    for _ in range(2):
        x = optimum + distance * random.normal(size=optimum.shape)
        value, gradient = conditioned.value_and_gradient(x)
        if not np.isfinite(value):
            continue
        proof = gap.proof(x, value, gradient)
        again = conditioned.value_and_gradient(proof.x)[0]
        assert proof.value == pytest.approx(again, rel=1e-12)
        assert proof.value <= value * (1 + 1e-12)  # no intercept that raises F
        assert proof.value - model.objective_value_ <= proof.bound + 1e-12 * proof.value
        assert proof.bound <= proof.value


@pytest.mark.parametrize("seed", range(5))
def test_classes_of_very_different_weight_are_balanced(seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(60, 4)), np.arange(60) % 4
    weights = 10.0 ** random.uniform(-6, 3, 4)[y]
    for loss in ("ce", CrossEntropy(label_smoothing=0.25)):
        model = SoftmaxClassifier(loss, alpha=1e-2).fit(X, y, weights)
        assert model.dual_gap_ <= 1e-6 * model.objective_value_


def test_no_bound_without_a_curvature_in_the_intercept_or_something_to_pay_with():
    _, objective = problem("ce", 1e-2)
    objective.loss.lower_bound = None
    scores = objective.rows.spread(np.full(objective.rows.n_rows, 1e9))
    assert balance(objective, scores, 0.0, slopes_at(objective, scores)) is None


# Losses whose least value nobody knows: there is nothing to pay with, and the sums that rounding leaves are mixed away


class Gaussian(Loss):
    """Minus the logarithm of a density, which may be negative."""

    domain = "values"
    convex = True

    def __init__(self, sigma=1.0):
        self.sigma = sigma

    def value(self, y, prediction):
        return 0.5 * ((prediction - y) / self.sigma) ** 2 + np.log(self.sigma)

    def gradient(self, y, prediction):
        return (prediction - y) / self.sigma**2


class Unbounded(Loss):
    """Cross-entropy on scores, of which nothing is said but that it is convex."""

    domain = "scores"
    convex = True

    def value(self, y, prediction):
        return np.logaddexp.reduce(prediction, axis=1) - (y * prediction).sum(axis=1)

    def gradient(self, y, prediction):
        return np.exp(prediction - np.logaddexp.reduce(prediction, axis=1)[:, None]) - y


@pytest.mark.parametrize("sigma", [1e-3, 0.064, 1.0])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_residuals_of_rounding_have_a_bound_without_a_least_value(sigma, offset):
    X, y = np.array([[400.0], [700.0], [650.0]]), np.array([-0.4, -0.9, -0.8]) + offset
    model = LinearRegressor(Gaussian(sigma), alpha=1e-4).fit(X[:2], y[:2], [3.0, 1.0])
    assert model.dual_gap_ <= 1e-6 * abs(model.objective_value_)
    model.fit(X, y)
    assert model.dual_gap_ <= 1e-6 * abs(model.objective_value_)


@pytest.mark.parametrize("alpha", [1e-5, 2e-4, 1e-2])
def test_classes_that_are_nearly_certain_have_a_bound_without_a_least_value(alpha):
    X, y = np.random.default_rng(0).integers(-4, 5, (8, 6)).astype(float), np.array([0, 0, 1, 0, 2, 1, 2, 0])
    model = SoftmaxClassifier(Unbounded(), alpha=alpha).fit(X, y)
    known = SoftmaxClassifier("ce", alpha=alpha, tol=1e-12).fit(X, y)
    assert model.objective_value_ - known.objective_value_ <= model.dual_gap_ + 1e-14
    assert model.dual_gap_ <= 1e-6 * model.objective_value_ * 10.0


@pytest.mark.parametrize("name", ["ce", "softmax", "least squares", "log cosh", "poisson"])
def test_mixed_slopes_sum_to_zero_for_little(name):
    _, objective = problem(name, 1e-2)
    random = np.random.default_rng(1)
    scores = random.normal(size=(objective.rows.n_rows, objective.n_outputs))
    scores = objective.rows.spread(scores[:, 0] if objective.n_outputs == 1 else scores)
    shift, _ = best_shift(objective, scores)
    near = shift * (1.0 + 1e-9)
    slopes = slopes_at(objective, scores, near)
    mixed = mixture(objective, scores, slopes, near)
    weights = objective.rows.weights
    assert np.abs(weights @ slopes.dual.gathered()).max() > 1e-12
    assert (np.abs(weights @ mixed.dual) <= 1e-14 * (weights @ np.abs(mixed.dual))).all()
    assert 0.0 <= mixed.price <= 1e-3 * slopes.mean
