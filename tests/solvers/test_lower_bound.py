"""The lower bound that a dual proves, and what is done where its premise does not hold."""

import numpy as np
import pytest
from kinked_problems import crammer_singer, epsilon_insensitive, hinge, plain, quantile, weston_watkins
from scipy.optimize import minimize

from sklearn_losses.solvers.augmented_lagrangian import augmented_lagrangian
from sklearn_losses.solvers.augmented_lagrangian.envelopes import Subproblem, with_dual
from sklearn_losses.solvers.augmented_lagrangian.lower_bound import balanced, duality_gap, prove, repair

LOSSES = {
    "hinge": lambda y: hinge(y > 0),
    "quantile": lambda y: quantile(y, 0.8),
    "epsilon-insensitive": epsilon_insensitive,
    "weston-watkins": lambda y: weston_watkins(np.abs(y) % 3),
    "crammer-singer": lambda y: crammer_singer(np.abs(y) % 3),
}


def some_problem(name, alpha, seed=0, n=40):
    rng = np.random.default_rng(seed)
    return plain(rng.normal(size=(n, 3)), LOSSES[name](rng.integers(-3, 4, n)), alpha, rng.uniform(0.1, 1.0, n)), rng


def any_dual(problem, rng):
    shape = problem.n_rows if problem.n_outputs == 1 else (problem.n_rows, problem.n_outputs)
    return problem.dual(3.0 * rng.normal(size=shape), 0.5)


def best(problem):
    options = {"problem": problem, "tol": 1e-12}
    return minimize(lambda x: 0.0, np.zeros(problem.penalty.size), method=augmented_lagrangian, options=options)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1.0])
def test_no_dual_is_taken_on_trust(name, alpha):
    """Slopes that do not sum to zero prove less, not something false."""
    problem, rng = some_problem(name, alpha)
    least = best(problem).fun
    for size in (0.0, 0.1, 1e3):
        x = size * rng.normal(size=problem.penalty.size)
        value, gap = duality_gap(problem, x, any_dual(problem, rng))
        expected = problem.weights @ problem.value(problem.forward(x)) + 0.5 * problem.penalty @ x**2
        assert value == pytest.approx(expected, rel=1e-14)
        assert value - least - 1e-12 * value <= gap <= value


@pytest.mark.parametrize("name", LOSSES)
def test_balanced_slopes_sum_to_zero_and_stay_slopes(name):
    problem, rng = some_problem(name, 1.0)
    dual = any_dual(problem, rng)
    found = balanced(problem, dual)
    assert np.abs(problem.weights @ dual).max() > 1e-3
    np.testing.assert_allclose(problem.weights @ found, 0.0, atol=1e-16)
    factor = np.divide(found, dual, out=np.zeros_like(dual), where=dual != 0.0)
    assert ((factor >= 0.0) & (factor <= 1.0 + 1e-15)).all()
    assert factor.max() == pytest.approx(1.0)


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_nearly_balanced_is_hardly_changed(name):
    problem, _ = some_problem(name, 1e-2)
    dual = best(problem).dual
    heavier = np.where(np.arange(problem.n_rows) % 2, 1.0, 1.0 - 1e-7)
    dual = (dual.T * heavier).T
    _, gap = duality_gap(problem, best(problem).x, dual)
    assert gap <= 1e-5


@pytest.mark.parametrize("name", ["quantile", "epsilon-insensitive"])
def test_without_a_penalty_the_duals_of_bending_rows_are_moved(name):
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(60, 3))
    problem = plain(rows, LOSSES[name](rows[:, 0] + rng.normal(size=60)), 0.0)
    result = best(problem)
    bending = problem.bending(result.dual).rows
    assert len(bending) == 4
    dual = result.dual.copy()
    dual[bending] += 1e-6 * rng.normal(size=4)
    assert prove(problem, dual, problem.adjoint(dual)) is None
    point = with_dual(Subproblem.whole(problem), result.x, problem.forward(result.x), dual)
    proof = repair(problem, point)
    np.testing.assert_allclose(problem.adjoint(proof.dual), 0.0, atol=1e-15)
    assert proof.gap(problem, result.x, point.z) <= 1e-12


def test_without_bending_rows_nothing_can_be_repaired():
    problem = plain(np.eye(3), quantile(np.zeros(3)), 0.0)
    dual = np.array([0.5, 0.5, -0.5])
    point = with_dual(Subproblem.whole(problem), np.ones(4), problem.forward(np.ones(4)), dual)
    assert repair(problem, point) is None
    value, gap = duality_gap(problem, np.ones(4), dual)
    assert gap == value


def test_losses_of_another_least_value():
    problem = plain(np.zeros((2, 1)), quantile(np.array([1.0, 3.0])), 1.0)
    problem.loss.least[:] = 5.0
    problem.least = 5.0
    value, gap = duality_gap(problem, np.zeros(2), np.array([-0.5, -0.5]))
    assert (value, gap) == (6.0, 1.0)
