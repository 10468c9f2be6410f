"""Losses whose curvature is one number: their objective is a parabola, known everywhere from one point."""

import numpy as np
import pytest
from cases import CASES
from scipy import sparse

from sklearn_losses import LinearRegressor, LogisticRegressor
from sklearn_losses.objective.part import FeaturePart


@pytest.mark.parametrize("loss", [case.loss for case in CASES if case.loss.quadratic], ids=repr)
def test_a_loss_that_says_so_has_one_curvature(loss):
    rng = np.random.RandomState(0)
    y, scores = rng.uniform(size=9), 10 * rng.normal(size=9)
    assert np.ptp(loss.curvature(y, scores)) == 0.0


def data(kind, regression):
    rng = np.random.RandomState(1)
    X = rng.normal(size=(40, 7)) * np.logspace(-2, 3, 7) + 5.0
    y = X @ rng.normal(size=7) if regression else rng.randint(2, size=40)
    return {"dense": X, "float32": X.astype(np.float32), "csc": sparse.csc_array(X)}[kind], y, rng.randint(3, size=40)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("kind", ["dense", "float32", "csc"])
@pytest.mark.parametrize("model", [LinearRegressor(), LogisticRegressor("least_squares")], ids=["values", "margins"])
def test_the_gradient_of_all_features_follows_from_a_step_among_some(model, kind, positive):
    X, y, weights = data(kind, isinstance(model, LinearRegressor))
    model.set_params(alpha=0.3, l1_ratio=0.6, positive=positive)
    objective = model.objective(X, y, weights).conditioned()
    part = FeaturePart(objective, np.array([0, 2, 3, 6]), convex=True)
    assert part.is_parabola
    rng = np.random.RandomState(2)
    start, end = np.abs(rng.normal(size=(2, 5)))
    slopes = [part.of_all(objective.value_and_gradient(part.to_all(x))[1]) for x in (start, end)]
    passes = objective.n_passes
    expected = slopes[0] + part.hessian(start) @ (end - start)
    assert objective.n_passes == passes
    np.testing.assert_allclose(expected, slopes[1], rtol=1e-8, atol=1e-8 * np.abs(slopes).max())


@pytest.mark.parametrize("kind", ["dense", "float32", "csc"])
def test_a_fit_reads_the_data_a_few_times(kind):
    X, y, weights = data(kind, True)
    y = y + np.random.RandomState(3).normal(size=len(y))
    model = LinearRegressor(alpha=0.3, l1_ratio=1.0).fit(X, y, weights)
    assert model.dual_gap_ <= 1e-9 * model.objective_value_
    assert model.result_.n_passes <= 4.5
