"""Every map from a vector to a model keeps the promises of the contract; and the reduction of wide data."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.objective.directions import Directions, WithLengths
from sklearn_losses.objective.parameters import AsTheyAre
from sklearn_losses.objective.representer import Reduction
from sklearn_losses.objective.scaled import Scaled

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(80, 5)) * [1e-6, 1.0, 1e3, 1e8, 1.0] + [0.0, 3.0, 0.0, 1e9, 1e12]
CLASSES = np.arange(80) % 3
P, K = 4, 3
CENTER, SCALE = RANDOM.normal(size=P), RANDOM.uniform(0.5, 2.0, size=P)
SHAPE = {"center": CENTER, "inverse_scale": SCALE, "variance": np.ones(P)}
CASES = {
    "as they are": AsTheyAre(P, K, fit_intercept=True),
    "without intercept": AsTheyAre(P, K, fit_intercept=False),
    "scaled": Scaled(K, True, **SHAPE),
    "scaled, without intercept": Scaled(K, False, **SHAPE | {"center": np.zeros(P)}),
    "less an origin": Scaled(K, True, **SHAPE, origin=RANDOM.normal(size=P)),
    "directions": Directions(P, K),
    "with lengths": WithLengths(P, K),
}
every_map = pytest.mark.parametrize("parameters", CASES.values(), ids=CASES)


def point_and_directions(parameters):
    """A point, a direction there, and a gradient in what it becomes on the rows."""
    random = np.random.RandomState(4)
    x, v = random.normal(size=(2, parameters.size))
    return x, v, tuple(random.normal(size=part.shape) for part in parameters.on_rows(x))


def central(function, x, v, step=1e-6):
    """The derivatives of every part of a function along v."""
    ahead, behind = function(x + step * v), function(x - step * v)
    return [(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]


@every_map
def test_a_map_and_its_derivatives(parameters):
    x, v, gradient = point_and_directions(parameters)
    change = parameters.push_forward(x, v)
    for found, expected in zip(change, central(parameters.on_rows, x, v), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-8)
    pulled = parameters.pull_back(x, *gradient)
    assert pulled @ v == pytest.approx(sum(np.sum(a * b) for a, b in zip(gradient, change, strict=True)))
    (turned,) = central(lambda x: (parameters.pull_back(x, *gradient),), x, v)
    np.testing.assert_allclose(np.broadcast_to(parameters.bend(x, v, *gradient), v.shape), turned, atol=1e-7)
    assert not parameters.linear or not np.any(parameters.bend(x, v, *gradient))


def test_a_column_that_says_nothing_becomes_part_of_the_intercept():
    constant = np.column_stack([np.full(80, 3e8), X[:, 1]])
    objective = LinearRegressor(alpha=0).objective(constant, X[:, 2])
    theta = np.array([-2e-5, 0.5, 1.0])
    model = objective.conditioned()
    assert model.value(model.from_theta(theta)) == pytest.approx(objective.value(theta))


@every_map
def test_a_model_has_a_place(parameters):
    x, _, _ = point_and_directions(parameters)
    model = parameters.model(x)
    for found, expected in zip(parameters.model(parameters.of_model(*model)), model, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)
    some = np.array([0, 2])
    part = parameters.of_features(some)
    matrix, intercept = parameters.split(x)
    without = np.zeros_like(matrix)
    without[:, some] = matrix[:, some]
    small, whole = (q.on_rows(q.join(m, intercept)) for q, m in ((part, matrix[:, some]), (parameters, without)))
    np.testing.assert_allclose(small[0], whole[0][:, some], atol=1e-12)
    np.testing.assert_allclose(small[1], whole[1], atol=1e-12)


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
@pytest.mark.parametrize("largest", [1.0, 1e7])
def test_the_reduction_of_wide_data_is_the_same_problem(kind, fit_intercept, largest):
    random = np.random.RandomState(3)
    data = random.normal(size=(30, 90)) * (random.uniform(size=(30, 90)) < 0.5)
    data[7] = data[3]  # a duplicated row
    data[:, 11] *= largest
    y = np.arange(30) % 3
    objective = SoftmaxClassifier(alpha=0.2, fit_intercept=fit_intercept).objective(kind(data), y)
    reduced = Reduction(objective, objective.rows.statistics())
    assert list(reduced.apart) == ([11] if largest > 1.0 else [])
    assert reduced.objective.rows.n_features < 30 + (largest > 1.0)
    theta = random.normal(size=reduced.objective.n_parameters)
    width = reduced.objective.rows.n_features
    theta[width - 1 : 3 * width : width] /= largest
    full = reduced.to_features(theta)
    assert objective.value(full) == pytest.approx(reduced.objective.value(theta), rel=1e-10)
    np.testing.assert_allclose(reduced.to_reduced(full), theta, rtol=1e-8, atol=1e-8)
