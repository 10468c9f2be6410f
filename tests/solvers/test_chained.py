"""Methods one after the other: the first that succeeds ends it, and the counts are those of all."""

import numpy as np
import pytest
from plain_functions import logistic, rosenbrock

from sklearn_losses.solvers import chained, gradient_descent, newton, quasi_newton
from sklearn_losses.solvers.descent import CALLBACK, MAXITER


def run(problem, start, callback=None, **options):
    return chained(problem.value_and_gradient, start, jac=True, hess=problem.hessian, callback=callback, **options)


def test_a_first_method_that_succeeds_is_all():
    problem = logistic()
    alone = logistic().minimize(quasi_newton, np.zeros(5), tol=1e-8)
    result = run(problem, np.zeros(5), links=[(quasi_newton, {"tol": 1e-8}), (newton, {})])
    np.testing.assert_array_equal(result.x, alone.x)
    assert (result.nit, result.nfev, result.success) == (alone.nit, alone.nfev, True)


def test_the_second_goes_on_where_the_first_one_ended():
    problem, steps = rosenbrock(), []
    start = np.array([-1.2, 1.0])
    links = [(gradient_descent, {"maxiter": 7}), (newton, {"tol": 1e-12})]
    result = run(problem, start, callback=lambda intermediate_result: steps.append(intermediate_result.x), links=links)
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, atol=1e-8)
    assert result.nit == len(steps)
    assert result.nfev == problem.evaluations
    first = rosenbrock().minimize(gradient_descent, start, maxiter=7)
    np.testing.assert_array_equal(steps[6], first.x)
    second = rosenbrock().minimize(newton, first.x, tol=1e-12)
    np.testing.assert_array_equal(result.x, second.x)


@pytest.mark.parametrize("maxiter", [1, 3, 5])
def test_the_limit_is_on_all_steps_together(maxiter):
    links = [(gradient_descent, {"maxiter": 3}), (gradient_descent, {})]
    result = run(rosenbrock(), np.array([-1.2, 1.0]), links=links, maxiter=maxiter)
    assert (result.nit, result.status) == (maxiter, MAXITER)


def test_a_callback_that_stops_the_first_stops_all():
    def stop(intermediate_result):
        raise StopIteration

    result = run(rosenbrock(), np.array([-1.2, 1.0]), stop, links=[(quasi_newton, {}), (newton, {})])
    assert (result.nit, result.status) == (1, CALLBACK)
