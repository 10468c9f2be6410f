"""Truncated Newton: conjugate gradients that stop early, and products that are counted."""

import numpy as np
import pytest
from plain_functions import Function, logistic, quadratic, rosenbrock
from scipy.optimize import minimize

from sklearn_losses.solvers import newton, truncated_newton


class Counted:
    """Hessian products, counted."""

    def __init__(self, problem):
        self.problem, self.products = problem, 0
        problem.hessian_product = self

    def __call__(self, x, v):
        self.products += 1
        return self.problem.hessian(x) @ v


def diagonal(problem):
    return lambda x: lambda vector: vector / np.diag(problem.hessian(x))


@pytest.mark.parametrize("start", [(-1.2, 1.0), (10.0, -20.0), (-1.0, 0.5)])
def test_rosenbrock(start):
    result = rosenbrock().minimize(truncated_newton, np.array(start), tol=1e-10)
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, atol=1e-4)


def test_counts_products():
    problem = logistic()
    counted = Counted(problem)
    result = problem.minimize(truncated_newton, np.zeros(5), tol=1e-8)
    assert result.success
    assert result.nhessp == counted.products > 0


def test_diagonal_preconditioner_removes_bad_scaling():
    problem = quadratic(np.diag(np.logspace(-6, 6, 50)), np.ones(50))
    result = problem.minimize(truncated_newton, np.zeros(50), tol=1e-12, preconditioner=diagonal(problem))
    assert result.success
    assert result.fun - 1.0 <= 1e-12
    assert result.nhessp <= 4


def test_condition_1e12_without_a_preconditioner():
    problem = quadratic(np.diag(np.logspace(-6, 6, 7)), np.ones(7))
    result = problem.minimize(truncated_newton, np.zeros(7), tol=1e-6, accuracy=1e-4)
    assert result.success


def test_loose_tolerance_takes_fewer_products():
    bound = {alpha: lambda x, f, g, alpha=alpha: g @ g / (2 * alpha) for alpha in (1e-4,)}[1e-4]
    used = []
    for tol in (1e-2, 1e-6, 1e-10):
        problem = logistic(n_rows=300, n_columns=200, alpha=1e-4)
        used.append(problem.minimize(truncated_newton, np.zeros(200), tol=tol, estimate=bound).nhessp)
    assert used == sorted(set(used))


def test_more_columns_than_rows():
    problem = logistic(n_rows=50, n_columns=400, alpha=1e-3)
    best = problem.minimize(newton, np.zeros(400), tol=1e-14).fun
    result = problem.minimize(
        truncated_newton,
        np.zeros(400),
        tol=1e-8,
        preconditioner=diagonal(problem),
        estimate=lambda x, value, gradient: gradient @ gradient / 2e-3,
    )
    assert result.success
    assert result.fun - best <= 1e-8 * best
    assert result.nfev <= 15 and result.nhessp <= 120


def test_limit_on_products():
    problem = logistic(n_columns=50)
    result = problem.minimize(truncated_newton, np.zeros(50), maxiter=3, max_products=2, tol=1e-14)
    assert result.nhessp <= 3 * 2 + 2


def test_negative_curvature_is_left_behind():
    problem = Function(
        lambda x: 5.0 + (0.25 * x**4 - 0.5 * x**2).sum(),
        lambda x: x**3 - x,
        lambda x: np.diag(3.0 * x**2 - 1.0),
    )
    result = problem.minimize(truncated_newton, np.array([1e-2, -1e-3, 0.4]), tol=1e-12)
    assert result.success
    np.testing.assert_allclose(result.x, [1.0, -1.0, 1.0], atol=1e-5)


def test_products_that_are_not_finite_leave_the_best_point():
    problem = logistic()
    problem.hessian_product = lambda x, v: np.full(5, np.nan)
    result = problem.minimize(truncated_newton, np.zeros(5), tol=1e-8)
    assert np.isfinite(result.x).all()
    assert result.fun <= problem.value(np.zeros(5))


def test_the_first_step_is_no_longer_than_is_asked_for():
    seen = []

    def fun(x):
        seen.append(float(x[0]))
        return float(np.sqrt(1.0 + x[0] ** 2)), x / np.sqrt(1.0 + x**2)

    def product(x, v):
        return v / (1.0 + x**2) ** 1.5

    options = {"tol": 1e-12, "longest": lambda x, direction: 0.5 / np.abs(direction).max()}
    found = minimize(fun, np.array([3.0]), jac=True, hessp=product, method=truncated_newton, options=options)
    assert found.success
    assert seen[:2] == [3.0, 2.5]  # where Newton's step leads to -27


def test_a_preconditioner_that_misses_the_curvature_is_given_up():
    scales, target = np.logspace(0, 1, 40), np.linspace(1, 2, 40)
    problem = quadratic(np.diag(scales), target)
    missed = np.where(np.arange(40) % 4 < 3, 1e12 * np.logspace(0, 4, 40), 1.0)  # as if most directions were flat

    def of_a_sample(x):
        return lambda vector: missed * vector

    options = {"preconditioner": of_a_sample, "accuracy": 0.03}
    misled = problem.minimize(truncated_newton, target + 1e-3, tol=1e-5, **options)
    result = problem.minimize(truncated_newton, target + 1e-3, tol=1e-5, simpler=diagonal(problem), **options)
    assert misled.fun - 1.0 <= 1e-5 * misled.fun  # what linear solves left is not passed over
    assert misled.nhessp > 5 * result.nhessp  # why another one is needed
    assert result.success
    assert result.fun - 1.0 <= 1e-12


def test_what_a_linear_solve_has_left_is_no_small_decrement():
    # the preconditioner takes the first direction for flat, where all of the gradient is that is not in the second
    problem = quadratic(np.diag([1e8, 1e-4]), np.array([1.0, 1e6]))
    options = {"preconditioner": lambda x: lambda vector: np.array([1e8, 1e4]) * vector, "max_products": 1}
    result = problem.minimize(truncated_newton, np.array([1.0 + 1e-6, 0.0]), tol=1e-3, **options)
    assert not result.success or result.fun - 1.0 < 1e-2
