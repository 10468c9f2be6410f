"""Coordinates that hide scale and offset, row samples, and the reduction of wide data."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.data.rows import Rows
from sklearn_losses.objective.parameters import Conditioned, _statistics, condition
from sklearn_losses.objective.representer import Reduction
from sklearn_losses.objective.samples import draw

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(80, 5)) * [1e-6, 1.0, 1e3, 1e8, 1.0] + [0.0, 3.0, 0.0, 1e9, 1e12]
CLASSES = np.arange(80) % 3


def same_function(estimator, y, data=X):
    """A model in conditioned coordinates, with its objective."""
    objective, coordinates = condition(estimator.objective(data, y))
    return objective, coordinates, Conditioned(objective, coordinates)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("estimator", [SoftmaxClassifier, LinearRegressor])
def test_the_same_objective_in_other_coordinates(estimator, fit_intercept):
    data = X[:, :4]
    y = CLASSES if estimator is SoftmaxClassifier else X[:, 1]
    original = estimator(alpha=0.1, fit_intercept=fit_intercept).objective(data, y)
    objective, coordinates, model = same_function(estimator(alpha=0.1, fit_intercept=fit_intercept), y, data)
    x = np.random.RandomState(1).normal(size=original.n_parameters)
    theta = objective.with_shift(coordinates.to_theta(x), -1.0)
    value, gradient = model.value_and_gradient(x)
    assert value == pytest.approx(original.value(theta), rel=1e-9)
    np.testing.assert_allclose(coordinates.from_theta(coordinates.to_theta(x)), x, rtol=1e-9, atol=1e-9)

    direction = np.random.RandomState(2).normal(size=len(x))
    change = model.value_and_gradient(x + 1e-6 * direction)[0] - model.value_and_gradient(x - 1e-6 * direction)[0]
    assert change / 2e-6 == pytest.approx(gradient @ direction, rel=1e-5, abs=1e-7)

    written = model.written()
    assert written.value_and_gradient(x)[0] == pytest.approx(value, rel=1e-9)
    np.testing.assert_allclose(
        written.hessian(x) @ direction, model.hessian_product(x, direction), rtol=1e-6, atol=1e-8
    )
    assert np.abs(model.hessian(x)).max() < 100


def test_a_distant_column_is_subtracted_from_the_rows():
    objective, coordinates, _ = same_function(LogisticRegressor(), CLASSES > 0)
    assert objective.rows.shift is not None
    assert (coordinates.center == 0).all()
    theta = np.random.RandomState(1).normal(size=6)
    np.testing.assert_allclose(objective.with_shift(objective.with_shift(theta, 1.0), -1.0), theta, atol=1e-3)


def statistics(data, weights):
    return _statistics(Rows(data), weights)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e150, 1e300])
def test_statistics_of_columns_of_any_size(size):
    data, weights = RANDOM.normal(size=(50, 3)), np.full(50, 0.02)
    data[:, 2] = 7.0
    center, spread = statistics(data * size, weights)
    np.testing.assert_allclose(center, data.mean(axis=0) * size, rtol=1e-10, atol=1e-12 * size)
    np.testing.assert_allclose(spread[:2], data[:, :2].std(axis=0) * size, rtol=1e-10)
    assert spread[2] == 0


def test_statistics_of_sparse_columns():
    data = sparse.random(200, 6, density=0.3, format="csc", random_state=0)
    weights = RANDOM.uniform(size=200)
    weights /= weights.sum()
    for given, expected in zip(statistics(data, weights), statistics(data.toarray(), weights), strict=True):
        np.testing.assert_allclose(given, expected, rtol=1e-12)


def test_statistics_do_not_take_a_far_first_row_for_variation():
    data = np.zeros((1_000, 1))
    data[0] = 1e9
    data[1:, 0] = np.arange(999)
    weights = np.r_[0.0, np.full(999, 1 / 999)]
    center, spread = statistics(data, weights)
    np.testing.assert_allclose(center, 499.0, rtol=1e-6)
    assert spread[0] > 0


@pytest.mark.parametrize(("heavy", "by_weight"), [(1.0, True), (1e6, True), (1.0, False)])
def test_row_samples_keep_the_weighted_mean(heavy, by_weight):
    weights = RANDOM.uniform(0.5, 1.5, size=10_000)
    weights[17] *= heavy
    weights /= weights.sum()
    values = np.linspace(0, 1, 10_000)
    chances = weights if by_weight else np.full(10_000, 1e-4)
    indices, sampled = draw(weights, chances, 500, np.random.RandomState(0))
    assert len(np.unique(indices)) == len(indices)
    assert sampled.sum() == pytest.approx(1.0)
    # one draw from each stratum of sorted rows: the error is that of a stratum, not of a random sample
    assert sampled @ values[indices] == pytest.approx(weights @ values, abs=2e-3 if by_weight else 5e-2)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_reduction_of_wide_data_is_the_same_problem(kind, fit_intercept):
    random = np.random.RandomState(3)
    data = random.normal(size=(30, 90)) * (random.uniform(size=(30, 90)) < 0.5)
    data[7] = data[3]  # a duplicated row
    y = np.arange(30) % 3
    objective = SoftmaxClassifier(alpha=0.2, fit_intercept=fit_intercept).objective(kind(data), y)
    center = data.mean(axis=0) if fit_intercept else np.zeros(90)
    reduced = Reduction(objective, center)
    assert reduced.objective.rows.n_features < 30
    theta = random.normal(size=reduced.objective.n_parameters)
    full = reduced.to_features(theta)
    assert objective.value(full) == pytest.approx(reduced.objective.value(theta), rel=1e-10)
    np.testing.assert_allclose(reduced.to_reduced(full), theta, rtol=1e-8, atol=1e-8)
