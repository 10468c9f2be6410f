"""Gradient descent: fixed and searched steps, and the trace."""

import numpy as np
import pytest
from plain_functions import logistic, quadratic, rosenbrock

from sklearn_losses.solvers import gradient_descent
from sklearn_losses.solvers.descent import DIVERGED, MAXITER


def test_fixed_step_is_the_textbook_iteration():
    problem = logistic()
    expected = np.full(5, 2.0)
    for _ in range(7):
        expected = expected - 0.5 * problem.gradient(expected)
    result = problem.minimize(gradient_descent, np.full(5, 2.0), tol=0.0, maxiter=7, step_size=0.5, backtracking=False)
    assert result.status == MAXITER
    np.testing.assert_array_equal(result.x, expected)
    assert problem.evaluations == 8


@pytest.mark.parametrize("backtracking", [True, False])
def test_trace_holds_every_iterate(backtracking):
    problem = logistic()
    iterates = [np.zeros(5)]

    def callback(intermediate_result):
        iterates.append(intermediate_result.x)

    result = problem.minimize(gradient_descent, np.zeros(5), callback=callback, backtracking=backtracking)
    assert len(iterates) == result.nit + 1
    np.testing.assert_array_equal(result.trace["value"], [problem.value(x) for x in iterates])
    np.testing.assert_allclose(
        result.trace["gradient_norm"], [np.linalg.norm(problem.gradient(x)) for x in iterates], rtol=1e-14
    )


def test_backtracking_never_climbs():
    result = rosenbrock().minimize(gradient_descent, np.array([-1.2, 1.0]), maxiter=300, step_size=100.0)
    assert np.all(np.diff(result.trace["value"]) < 0)


def test_a_fixed_step_that_is_too_long_diverges_but_stays_finite():
    problem = quadratic(np.diag([1.0, 1e3]), np.ones(2))
    result = problem.minimize(gradient_descent, np.zeros(2), step_size=0.1, backtracking=False, maxiter=400)
    assert result.status == DIVERGED and not result.success
    assert result.fun == problem.value(result.x) == result.trace["value"].min()


def test_speed_is_that_of_the_condition_number():
    condition = 10.0
    problem = quadratic(np.diag([1.0, condition]), np.zeros(2), least=0.0)
    result = problem.minimize(
        gradient_descent, np.ones(2), tol=0.0, maxiter=20, step_size=2 / (1 + condition), backtracking=False
    )
    rate = ((condition - 1) / (condition + 1)) ** 2
    np.testing.assert_allclose(result.trace["value"][1:] / result.trace["value"][:-1], rate, rtol=1e-10)


@pytest.mark.parametrize("step_size", [0.0, -1.0, np.inf, np.nan])
def test_says_what_is_wrong_with_the_step(step_size):
    with pytest.raises(ValueError, match="step_size must be positive and finite"):
        logistic().minimize(gradient_descent, np.zeros(5), step_size=step_size)
