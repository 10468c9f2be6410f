"""Newton's method with a kink in its model, and the parabolas that it minimises, with and without a compiler."""

import numpy as np
import pytest
from lopsided import Lopsided
from scipy.optimize import minimize

from sklearn_losses.objective.kinked_penalties import ElasticNet, Grouped
from sklearn_losses.solvers import proximal_newton
from sklearn_losses.solvers.feature_sweeps import quadratic
from sklearn_losses.solvers.feature_sweeps.quadratic import minimise_quadratic, without

RANDOM = np.random.RandomState(0)
K, P = 2, 6
PENALTIES = {
    "lasso": ElasticNet(0.3),
    "factors": ElasticNet(np.linspace(0.1, 1.0, P)),
    "positive": ElasticNet(0.2, positive=True),
    "groups": Grouped(0.4),
    "of one's own": Lopsided(0.2),
}
penalties = pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)


@pytest.fixture(params=[True, False], ids=["compiled", "without a compiler"])
def compiled(request, monkeypatch):
    monkeypatch.setattr(quadratic, "AVAILABLE", request.param and quadratic.AVAILABLE)


def a_gram(rank):
    rows = RANDOM.normal(size=(rank, K * P)) * np.geomspace(0.1, 3.0, K * P)
    return rows.T @ rows / rank


@penalties
@pytest.mark.parametrize("rank", [40, 8])
def test_a_parabola_with_a_kink(penalty, rank, compiled):
    gram, start = a_gram(rank), RANDOM.normal(size=(K, P))
    start = np.abs(start) * (RANDOM.uniform(size=(K, P)) < 0.5)
    slope = (gram @ RANDOM.normal(size=K * P)).reshape(K, P)
    found = minimise_quadratic(gram, slope, start, penalty, 1e-10)
    there = slope + (gram @ (found - start).ravel()).reshape(K, P)
    left = penalty.least_slope(found, there + penalty.gradient(found))
    assert np.abs(left).max() < 1e-7


def test_nothing_bends():
    start = np.ones((K, P))
    np.testing.assert_array_equal(
        minimise_quadratic(np.zeros((K * P, K * P)), np.ones((K, P)), start, ElasticNet(0.1), 1e-6), start
    )


def test_coordinates_that_are_always_at_their_best():
    gram, slope = a_gram(40), RANDOM.normal(size=K * P)
    loose = np.arange(K * P) % 3 == 0
    reduced, left, of_loose = without(gram, slope, loose)
    move = np.zeros(K * P)
    move[~loose] = RANDOM.normal(size=(~loose).sum())
    move[loose] = of_loose(move[~loose])
    np.testing.assert_allclose((gram @ move + slope)[loose], 0.0, atol=1e-12)
    np.testing.assert_allclose(reduced @ move[~loose] + left, (gram @ move + slope)[~loose], atol=1e-12)


def quartic(penalty, n_free):
    """A smooth function that is no parabola, plus the penalty, and its Hessian."""
    rows, targets = RANDOM.normal(size=(30, K * P + n_free)), RANDOM.normal(size=30)

    def fun(x):
        errors = rows @ x - targets
        coef = x[: K * P].reshape(K, P)
        gradient = rows.T @ (errors + errors**3) / 30
        gradient[: K * P] += penalty.gradient(coef).ravel()
        return np.mean(errors**2 / 2 + errors**4 / 4) + penalty.value(coef), gradient

    def hess(x):
        errors = rows @ x - targets
        matrix = (rows.T * (1 + 3 * errors**2)) @ rows / 30
        matrix.flat[: K * P * (len(x) + 1) : len(x) + 1] += np.tile(penalty.convexity(P), K)
        return matrix

    return fun, hess


@penalties
@pytest.mark.parametrize("n_free", [0, 2])
def test_minimum(penalty, n_free, compiled):
    fun, hess = quartic(penalty, n_free)
    options = {"penalty": penalty, "n_outputs": K, "n_free": n_free, "tol": 1e-14}
    found = minimize(fun, np.zeros(K * P + n_free), jac=True, hess=hess, method=proximal_newton, options=options)
    assert found.success
    assert found.nit < 15
    coef, slope = found.x[: K * P].reshape(K, P), found.jac[: K * P].reshape(K, P)
    assert np.abs(penalty.least_slope(coef, slope)).max() < 1e-6
    assert np.abs(found.jac[K * P :]).max(initial=0.0) < 1e-6


def test_it_stops_where_it_is_told_to():
    fun, hess = quartic(PENALTIES["lasso"], 0)
    options = {"penalty": PENALTIES["lasso"], "n_outputs": K}

    def run(callback=None, **more):
        start = np.zeros(K * P)
        return minimize(
            fun, start, jac=True, hess=hess, method=proximal_newton, callback=callback, options=options | more
        )

    assert run(maxiter=1).nit == 1
    assert run(estimate=lambda x, value, gradient: 0.0).nit == 0

    def stop(intermediate_result):
        raise StopIteration

    assert run(callback=stop).status == 99
    with pytest.raises(ValueError, match="pass hess"):
        minimize(fun, np.zeros(K * P), jac=True, method=proximal_newton, options=options)
