"""Columns that depend on each other but for a ten-billionth: Hessians, whose entries are squares, cannot show it."""

import numpy as np
import pytest

from sklearn_losses import LinearRegressor, LogisticRegressor, Loss, SoftmaxClassifier
from sklearn_losses.minimise import shape
from sklearn_losses.solvers.spectral import spectral_inverse

RANDOM = np.random.RandomState(0)
N, DEGREE = 400, 10
TIMES = RANDOM.uniform(-9.0, -3.0, N)
POWERS = TIMES[:, None] ** np.arange(1, DEGREE + 1)
SIGNAL = np.sin(3.0 * TIMES) + 0.3 * RANDOM.normal(size=N)
COUNTS = RANDOM.poisson(np.exp(np.sin(TIMES)))


CENTRED = ((TIMES + 6.0) / 3.0)[:, None] ** np.arange(DEGREE + 1)
ORTHOGONAL = np.linalg.qr(CENTRED)[0][:, 1:] * np.sqrt(N)  # the same span, with an intercept


MODELS = [
    (LinearRegressor(alpha=0), SIGNAL),
    (LinearRegressor("huber", alpha=0), SIGNAL),
    (LinearRegressor("rmse", alpha=0), SIGNAL),
    (LinearRegressor("poisson", alpha=0), COUNTS),
    (LogisticRegressor(alpha=0), SIGNAL > 0),
    (LogisticRegressor("squared_hinge", alpha=0), SIGNAL > 0),
    (SoftmaxClassifier(alpha=0), np.digitize(SIGNAL, [-0.5, 0.5])),
]


@pytest.mark.parametrize("tall", [False, True], ids=["at once", "on samples"])
@pytest.mark.parametrize(("model", "y"), MODELS, ids=[repr(model) for model, _ in MODELS])
def test_the_minimum_is_found_all_the_same(model, y, tall, monkeypatch):
    expected = model.fit(ORTHOGONAL, y).objective_value_
    if tall:
        monkeypatch.setattr(shape, "sample_sizes", lambda n_rows, n_parameters: (50, 100))
    assert model.fit(POWERS, y).objective_value_ == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_the_minimum_without_an_intercept(offset):
    X = RANDOM.normal(size=(7, 3)) + offset
    y = RANDOM.normal(size=7)
    best = np.mean((y - X @ np.linalg.lstsq(X, y, rcond=None)[0]) ** 2)
    model = LinearRegressor(alpha=0, fit_intercept=False).fit(X, y)
    assert model.objective_value_ == pytest.approx(best, rel=1e-6)


class GaussianLogLikelihood(Loss):
    domain = "values"
    convex = True

    def value(self, y, prediction):
        return 0.5 * ((prediction - y) / 0.2) ** 2 + np.log(0.2)

    def gradient(self, y, prediction):
        return (prediction - y) / 0.04

    def curvature(self, y, prediction):
        return np.full_like(prediction, 25.0)


def test_two_rows_that_differ_by_next_to_nothing():
    # the Gram matrix of the rows has rank one but for rounding
    X = np.array([[20.0, 4e7, 6e8], [20.0, 4e7, 6e8 - 1.0]])
    model = LinearRegressor(GaussianLogLikelihood(), alpha=1e-12, fit_intercept=False).fit(X, np.array([0.2, 0.5]))
    assert model.objective_value_ == pytest.approx(np.log(0.2), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_eigenvalues_that_are_lost_in_the_matrix_are_found_by_products(seed):
    random = np.random.RandomState(seed)
    left, right = (np.linalg.qr(random.normal(size=(size, 6)))[0] for size in (30, 6))
    X = left * [1.0, 1.0, 0.1, 1e-5, 1e-9, 1e-11] @ right.T
    axes, target = np.linalg.svd(X, full_matrices=False)[0], random.normal(size=30)

    def missed(inverse):
        return np.abs(axes.T @ (X @ inverse(X.T @ target) - target)).max()

    assert missed(spectral_inverse(X.T @ X, lambda v: X.T @ (X @ v))) < 1e-4
    assert missed(spectral_inverse(X.T @ X)) > 0.1


def test_a_direction_that_is_null_stays_null():
    X = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 6.0, 1.0]])
    step = spectral_inverse(X.T @ X, lambda v: X.T @ (X @ v))(X.T @ np.ones(3))
    np.testing.assert_allclose(X @ step, X @ np.linalg.lstsq(X, np.ones(3), rcond=None)[0], rtol=1e-10)
    assert np.abs(step).max() < 1.0
