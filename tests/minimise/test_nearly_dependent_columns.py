"""Columns that depend on each other but for a ten-billionth: Hessians, whose entries are squares, cannot show it."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_losses import LinearRegressor, LogisticRegressor, Loss, ModifiedHuber, SoftmaxClassifier, SquaredHinge
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


def test_noise_of_the_products_is_no_direction():
    # centred without being copied, a column that is large beside its spread leaves many digits of a product
    random = np.random.RandomState(0)
    X = np.repeat(random.normal(size=(2, 12)), 4, axis=0)
    X[4:, 7] = X[0, 7] + 0.002
    center, scale = X.mean(axis=0), X.std(axis=0)

    def product(v):
        scores = X @ (v / scale) - center @ (v / scale)
        return (X.T @ scores - center * scores.sum()) / scale

    scaled = (X - center) / scale
    step = spectral_inverse(scaled.T @ scaled, product)(scaled.T @ np.ones(8) + scaled[0])
    assert np.abs(step).max() < 10.0


@pytest.mark.parametrize("loss", ["gamma", "poisson", "squared_error", "log_cosh"])
@pytest.mark.parametrize("seed", range(3))
def test_few_rows_again_and_again_in_sparse_storage(loss, seed):
    random = np.random.RandomState(seed)
    X = np.repeat(random.normal(size=(2, 12)), 4, axis=0)
    X[4:, 7] = X[0, 7] + 0.002
    y = np.repeat([0.4, 2.7], 4)
    model = LinearRegressor(loss, alpha=0).fit(sp.csr_array(X), y)
    assert model.objective_value_ < 1e-20
    assert np.abs(model.coef_).max() < 1e4


@pytest.mark.parametrize("loss", [ModifiedHuber(), SquaredHinge()], ids=repr)
@pytest.mark.parametrize("seed", range(4))
def test_weights_over_many_decades(loss, seed):
    random = np.random.RandomState(seed)
    X, y = random.normal(size=(5, 18)), np.array([0, 0, 1, 0, 1])
    weights = 10.0 ** random.permutation([-9.0, -5.0, -1.0, 3.0, 6.0])
    model = LogisticRegressor(loss, alpha=0).fit(X, y, weights)
    assert model.objective_value_ < 1e-16
    assert np.abs(model.coef_).max() < 10.0


@pytest.mark.parametrize("loss", ["kl_divergence", "brier"])
@pytest.mark.parametrize("estimator", [LogisticRegressor, SoftmaxClassifier])
def test_soft_labels_that_are_met_exactly(estimator, loss):
    X, soft = np.array([[-2.0], [2.0]]), np.array([[0.176, 0.824], [0.820, 0.180]])
    model = estimator(loss, alpha=0).fit(X, [1, 0], [0.1, 0.03], soft_labels=soft)
    assert model.objective_value_ < 1e-16
    np.testing.assert_allclose(model.predict_proba(X), soft, rtol=1e-7)
