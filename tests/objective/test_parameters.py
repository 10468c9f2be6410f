"""Parameters that hide scale and offset, and the reduction of wide data."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.objective.representer import Reduction

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(80, 5)) * [1e-6, 1.0, 1e3, 1e8, 1.0] + [0.0, 3.0, 0.0, 1e9, 1e12]
CLASSES = np.arange(80) % 3


def same_function(estimator, y, data=X):
    """An objective in conditioned parameters."""
    return estimator.objective(data, y).conditioned()


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("estimator", [SoftmaxClassifier, LinearRegressor])
def test_the_same_objective_in_other_coordinates(estimator, fit_intercept):
    data = X[:, :4]
    y = CLASSES if estimator is SoftmaxClassifier else X[:, 1]
    original = estimator(alpha=0.1, fit_intercept=fit_intercept).objective(data, y)
    model = same_function(estimator(alpha=0.1, fit_intercept=fit_intercept), y, data)
    x = np.random.RandomState(1).normal(size=original.n_parameters)
    theta = model.to_theta(x)
    value, gradient = model.value_and_gradient(x)
    assert value == pytest.approx(original.value(theta), rel=1e-9)
    np.testing.assert_allclose(model.from_theta(model.to_theta(x)), x, rtol=1e-9, atol=1e-9)

    direction = np.random.RandomState(2).normal(size=len(x))
    change = model.value_and_gradient(x + 1e-6 * direction)[0] - model.value_and_gradient(x - 1e-6 * direction)[0]
    assert change / 2e-6 == pytest.approx(gradient @ direction, rel=1e-5, abs=1e-7)

    written = model.written()
    assert written.value_and_gradient(x)[0] == pytest.approx(value, rel=1e-9)
    np.testing.assert_allclose(
        written.hessian(x).dense() @ direction, model.hessian_product(x, direction), rtol=1e-6, atol=1e-8
    )
    assert np.abs(model.hessian(x).dense()).max() < 100


def test_a_distant_column_is_subtracted_from_the_rows():
    model = same_function(LogisticRegressor(), CLASSES > 0)
    np.testing.assert_array_equal(np.flatnonzero(model.rows.origin), [4])
    assert model.parameters.center[4] == 0
    x = np.random.RandomState(1).normal(size=6)
    np.testing.assert_allclose(model.from_theta(model.to_theta(x)), x, atol=1e-3)


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
