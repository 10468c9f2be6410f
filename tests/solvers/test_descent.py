"""What all smooth solvers promise, whatever their direction."""

import numpy as np
import pytest
from plain_functions import SOLVERS, Function, logistic, quadratic
from scipy.optimize import minimize

from sklearn_losses.solvers import gradient_descent, newton, quasi_newton, truncated_newton
from sklearn_losses.solvers.descent import CALLBACK, CONVERGED, DIVERGED, MAXITER, NO_DECREASE, NOT_FINITE, ROUNDING

pytestmark = pytest.mark.parametrize("solver", SOLVERS)

START = np.array([2.0, -3.0, 1.0, 0.5, 4.0])


def strong_convexity_bound(alpha):
    return lambda x, value, gradient: gradient @ gradient / (2.0 * alpha)


def test_reaches_the_tolerance_that_the_gap_guarantees(solver):
    problem = logistic(alpha=1e-2)
    best = problem.minimize(newton, START, tol=1e-15).fun
    result = problem.minimize(solver, START, tol=1e-6, estimate=strong_convexity_bound(1e-2))
    assert result.success and result.status == CONVERGED
    assert result.fun - best - 1e-15 <= result.estimate <= 1e-6 * result.fun
    np.testing.assert_allclose(result.jac, problem.gradient(result.x), rtol=1e-13)


def test_absolute_tolerance(solver):
    problem = quadratic(np.diag([1.0, 2.0]), np.array([1.0, -1.0]), least=0.0)
    result = problem.minimize(solver, np.zeros(2), tol=0.0, atol=1e-8)
    assert result.success
    assert result.fun <= 2e-8


def test_a_bound_that_does_not_exist_leaves_the_decision_to_the_decrement(solver):
    problem = logistic()
    without = problem.minimize(solver, START, tol=1e-8)
    for nothing in (None, np.inf, np.nan):
        result = problem.minimize(solver, START, tol=1e-8, estimate=lambda *point, nothing=nothing: nothing)
        assert result.success
        np.testing.assert_array_equal(result.x, without.x)


def test_starts_at_the_optimum(solver):
    problem = quadratic(np.eye(3), np.ones(3))
    result = problem.minimize(solver, np.ones(3))
    assert result.success
    assert (result.nit, result.nfev, problem.evaluations) == (0, 1, 1)
    np.testing.assert_array_equal(result.x, np.ones(3))


def test_one_parameter(solver):
    result = logistic(n_columns=1).minimize(solver, np.zeros(1), tol=1e-10)
    assert result.success
    assert result.x.shape == result.jac.shape == (1,)


def test_counts_what_it_evaluates(solver):
    problem = logistic()
    result = problem.minimize(solver, START)
    assert result.nfev == result.njev == problem.evaluations


def test_iteration_limit(solver):
    result = logistic().minimize(solver, START, tol=1e-14, maxiter=2)
    assert result.status == MAXITER and not result.success
    assert result.nit == 2
    assert result.fun < logistic().value(START)


def test_no_iterations_at_all(solver):
    result = logistic().minimize(solver, START, maxiter=0)
    assert result.status == MAXITER
    np.testing.assert_array_equal(result.x, START)


def test_callback_sees_every_iterate(solver):
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)

    problem = logistic()
    result = problem.minimize(solver, START, callback=callback)
    assert [state.nit for state in seen] == list(range(1, result.nit + 1))
    np.testing.assert_array_equal(seen[-1].x, result.x)
    for state in seen:
        assert state.fun == problem.value(state.x)
    assert np.all(np.diff([problem.value(START)] + [state.fun for state in seen]) <= 1e-14)


def test_callback_ends_the_run(solver):
    def callback(intermediate_result):
        if intermediate_result.nit == 2:
            raise StopIteration

    problem = logistic()
    result = problem.minimize(solver, START, tol=1e-14, callback=callback)
    assert result.status == CALLBACK and not result.success
    assert result.nit == 2
    assert result.fun == problem.value(result.x) < problem.value(START)


def test_interrupt_reaches_the_user(solver):
    def callback(intermediate_result):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        logistic().minimize(solver, START, callback=callback)


def test_callback_cannot_disturb_the_run(solver):
    def callback(intermediate_result):
        intermediate_result.x[:] = 7.0
        intermediate_result.jac[:] = 7.0

    undisturbed = logistic().minimize(solver, START)
    np.testing.assert_array_equal(logistic().minimize(solver, START, callback=callback).x, undisturbed.x)


def test_a_gradient_of_the_wrong_sign_is_no_success(solver):
    right = logistic()
    wrong = Function(right.value, lambda x: -right.gradient(x), right.hessian)
    result = wrong.minimize(solver, START)
    assert result.status == NO_DECREASE and not result.success
    np.testing.assert_array_equal(result.x, START)


def test_start_outside_the_domain(solver):
    nowhere = Function(lambda x: np.nan, lambda x: x, lambda x: np.eye(len(x)))
    result = nowhere.minimize(solver, START)
    assert result.status == NOT_FINITE and not result.success
    np.testing.assert_array_equal(result.x, START)


def barrier():
    """``x - log(x)`` in every coordinate: undefined for x <= 0, least at 1."""

    def value(x):
        return (x - np.log(x)).sum() if (x > 0).all() else np.nan

    return Function(value, lambda x: 1.0 - 1.0 / np.where(x == 0, np.nan, x), lambda x: np.diag(x**-2.0))


@pytest.mark.parametrize("start", [0.01, 5.0, 100.0])
def test_steps_back_from_where_the_value_is_not_finite(solver, start):
    result = barrier().minimize(solver, np.array([start, 2.0]), tol=1e-8, maxiter=5000)
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, atol=1e-3)


@pytest.mark.parametrize("poison", ["value", "gradient"])
def test_a_value_that_is_lost_midway_leaves_the_best_point(solver, poison):
    problem = logistic()

    def fun(x):
        value, gradient = problem.value_and_gradient(x)
        if problem.evaluations > 3:
            return (np.nan, gradient) if poison == "value" else (value, gradient * np.nan)
        return value, gradient

    result = Function(problem.value, problem.gradient, problem.hessian)
    result.value_and_gradient = fun
    result = result.minimize(solver, START, tol=1e-14)
    assert not result.success
    assert np.isfinite(result.x).all() and np.isfinite(result.jac).all()
    assert result.fun == problem.value(result.x) <= problem.value(START)


def test_without_a_tolerance_it_ends_where_rounding_begins(solver):
    problem = logistic(alpha=1e-1)
    result = problem.minimize(solver, START, tol=0.0)
    assert result.status == ROUNDING and not result.success
    assert np.abs(result.jac).max() < 1e-7
    assert problem.evaluations < 200


def test_unbounded_below_stays_finite(solver):
    slope = np.array([1.0, -2.0])
    line = Function(lambda x: slope @ x, lambda x: slope, lambda x: np.zeros((2, 2)))
    result = line.minimize(solver, np.zeros(2), maxiter=50)
    assert result.status in (MAXITER, DIVERGED) and not result.success
    assert np.isfinite(result.x).all() and np.isfinite(result.fun)


def test_separable_data_without_a_penalty_stays_finite(solver):
    result = logistic(alpha=0.0, separable=True).minimize(solver, np.zeros(5), maxiter=100)
    assert np.isfinite(result.x).all()
    assert 0.0 <= result.fun < 0.05


def test_same_bits_every_time(solver):
    first, second = (logistic().minimize(solver, START) for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)


def test_separate_gradient_and_extra_arguments(solver):
    problem = logistic()
    result = minimize(
        lambda x, shift: problem.value(x - shift),
        START,
        args=(1.0,),
        jac=lambda x, shift: problem.gradient(x - shift),
        hess=lambda x, shift: problem.hessian(x - shift),
        hessp=lambda x, v, shift: problem.hessian(x - shift) @ v,
        method=solver,
        tol=1e-12,
    )
    np.testing.assert_allclose(result.x - 1.0, problem.minimize(newton, START).x, atol=1e-4)


def test_leaves_the_start_alone_and_takes_integers(solver):
    start = np.array([2, -3, 1, 0, 4])
    assert logistic().minimize(solver, start).success
    np.testing.assert_array_equal(start, [2, -3, 1, 0, 4])


def test_reuse_of_one_gradient_array_by_the_function(solver):
    problem = logistic()
    shared = np.empty(5)

    def fun(x):
        shared[:] = problem.gradient(x)
        return problem.value(x), shared

    reusing = Function(problem.value, problem.gradient, problem.hessian)
    reusing.value_and_gradient = fun
    np.testing.assert_array_equal(reusing.minimize(solver, START).x, problem.minimize(solver, START).x)


def test_says_what_derivatives_it_needs(solver):
    with pytest.raises(ValueError, match="needs the gradient"):
        solver(lambda x: x @ x, START, hess=np.outer, hessp=np.outer)
    missing = {newton: "needs the Hessian", truncated_newton: "needs Hessian products"}
    if solver in (gradient_descent, quasi_newton):
        assert solver(lambda x: (x @ x, 2.0 * x), START, jac=True).success is not None
    else:
        with pytest.raises(ValueError, match=missing[solver]):
            solver(lambda x: (x @ x, 2.0 * x), START, jac=True)
