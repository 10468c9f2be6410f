"""Quasi-Newton around a preconditioner: few evaluations with a good one, a better one where the first was poor."""

import numpy as np
import pytest
from plain_functions import Function, logistic, quadratic, rosenbrock

from sklearn_losses.solvers import newton, quasi_newton


def inverse(matrix):
    return lambda vector: np.linalg.solve(matrix, vector)


@pytest.mark.parametrize("n_columns", [2, 5, 20])
def test_rosenbrock_without_a_metric(n_columns):
    result = rosenbrock().minimize(quasi_newton, np.full(n_columns, -0.5), tol=1e-12)
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, atol=1e-4)


def test_exact_preconditioner_solves_a_quadratic_in_one_step():
    matrix = np.diag(np.logspace(-6, 6, 13))
    problem = quadratic(matrix, np.ones(13))
    result = problem.minimize(quasi_newton, np.zeros(13), tol=1e-12, preconditioner=lambda x, level: inverse(matrix))
    assert result.success
    assert problem.evaluations == 2


def test_condition_1e12_with_a_preconditioner_that_is_right_within_a_factor_of_three():
    random = np.random.default_rng(0)
    curvatures = np.logspace(-6, 6, 25)
    rough = np.diag(curvatures * 3.0 ** random.uniform(-1, 1, 25))
    problem = quadratic(np.diag(curvatures), np.ones(25))
    result = problem.minimize(quasi_newton, np.zeros(25), tol=1e-12, preconditioner=lambda x, level: inverse(rough))
    assert result.success
    assert result.fun - 1.0 <= 1e-11
    assert problem.evaluations <= 30


def tall(n_rows=20_000, n_columns=20, seed=0):
    """Logistic loss on many rows, and its Hessian on the first few of them."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n_rows, n_columns)) * np.logspace(-2, 2, n_columns)
    x[:, 0] += 10.0 * x[:, 1]
    score = x @ (random.standard_normal(n_columns) / np.logspace(-2, 2, n_columns))
    signed = np.where(score + random.logistic(size=n_rows) > 0, 1.0, -1.0)[:, None] * x
    alpha = 1e-4

    def wrong(w, rows):
        return 0.5 * (1.0 - np.tanh(0.5 * (signed[:rows] @ w)))

    def hessian(w, rows=n_rows):
        p = wrong(w, rows)
        return signed[:rows].T @ ((p * (1 - p) / rows)[:, None] * signed[:rows]) + alpha * np.eye(n_columns)

    return Function(
        lambda w: np.logaddexp(0.0, -signed @ w).mean() + 0.5 * alpha * w @ w,
        lambda w: -signed.T @ wrong(w, n_rows) / n_rows + alpha * w,
        hessian,
    )


def bound(x, value, gradient):
    return gradient @ gradient / 2e-4


def test_few_passes_with_the_hessian_of_a_subsample():
    problem = tall()
    start = problem.minimize(newton, np.zeros(20), tol=1e-2, polish=False).x
    problem.evaluations = 0
    result = problem.minimize(
        quasi_newton,
        start,
        tol=1e-6,
        estimate=bound,
        preconditioner=lambda x, level: None if level else inverse(problem.hessian(x, 1000)),
    )
    assert result.success and result.estimate <= 1e-6 * result.fun
    assert result.npreconditioners == 1
    assert problem.evaluations <= 10


def test_asks_for_a_better_preconditioner_when_progress_is_slow():
    problem = tall()
    levels = []

    def preconditioner(x, level):
        levels.append(level)
        return inverse(problem.hessian(x)) if level else inverse(np.diag(np.diag(problem.hessian(x))))

    result = problem.minimize(quasi_newton, np.zeros(20), tol=1e-6, estimate=bound, preconditioner=preconditioner)
    assert result.success
    assert levels[:2] == [0, 1]
    assert result.npreconditioners == len(levels)
    patient = problem.minimize(
        quasi_newton, np.zeros(20), tol=1e-6, estimate=bound, preconditioner=preconditioner, patience=np.inf
    )
    assert patient.npreconditioners == 1
    assert result.nfev < patient.nfev


def test_asks_no_more_once_there_is_nothing_better():
    levels = []

    def preconditioner(x, level):
        levels.append(level)
        return None if level else np.copy

    result = tall().minimize(quasi_newton, np.zeros(20), tol=1e-6, maxiter=60, preconditioner=preconditioner)
    assert levels == [0, 1]
    assert result.npreconditioners == 1


def test_a_preconditioner_may_be_missing_from_the_start():
    without = logistic().minimize(quasi_newton, np.zeros(5))
    result = logistic().minimize(quasi_newton, np.zeros(5), preconditioner=lambda x, level: None)
    np.testing.assert_array_equal(result.x, without.x)
    assert result.npreconditioners == 0


@pytest.mark.parametrize("useless", [np.nan, -1.0, 1e-300])
def test_carries_on_without_a_preconditioner_that_points_nowhere(useless):
    problem = logistic()
    result = problem.minimize(
        quasi_newton,
        np.zeros(5),
        tol=1e-8,
        estimate=bound,
        preconditioner=lambda x, level: lambda vector: useless * vector,
    )
    assert result.success


def test_a_preconditioner_of_the_wrong_sign_proves_nothing():
    problem = logistic()
    best = problem.minimize(newton, np.zeros(5), tol=1e-14).fun
    result = problem.minimize(quasi_newton, np.zeros(5), tol=1e-8, preconditioner=lambda x, level: np.negative)
    assert result.success
    assert result.fun - best <= 1e-6


def test_reaches_rounding_of_the_gradient():
    problem = logistic(alpha=1e-2)
    result = problem.minimize(
        quasi_newton, np.zeros(5), tol=1e-20, preconditioner=lambda x, level: inverse(problem.hessian(x))
    )
    assert result.success
    assert np.abs(result.jac).max() < 1e-10


@pytest.mark.parametrize("memory", [0, 1, 50])
def test_memory(memory):
    problem = logistic()
    preconditioner = inverse(problem.hessian(np.zeros(5)))
    result = problem.minimize(
        quasi_newton, np.zeros(5), tol=1e-8, memory=memory, preconditioner=lambda x, level: preconditioner
    )
    assert result.success


def test_positive_semidefinite_preconditioner_on_a_function_that_is_not_convex():
    """Squared error on a sigmoid, with the Gauss-Newton matrix as preconditioner."""
    random = np.random.default_rng(0)
    x = random.standard_normal((300, 4))
    y = (x @ [1.0, -2.0, 0.5, 0.0] + random.logistic(size=300) > 0).astype(float)

    def probability(w):
        return 0.5 * (1.0 + np.tanh(0.5 * (x @ w)))

    def gradient(w):
        p = probability(w)
        return 2.0 * x.T @ ((p - y) * p * (1 - p)) / 300

    def gauss_newton(w, level):
        p = probability(w)
        return inverse(2.0 * x.T @ ((p * (1 - p))[:, None] ** 2 * x) / 300 + 1e-6 * np.eye(4))

    problem = Function(lambda w: np.mean((probability(w) - y) ** 2), gradient, None)
    result = problem.minimize(quasi_newton, np.zeros(4), tol=1e-10, preconditioner=gauss_newton)
    assert result.success
    assert np.abs(result.jac).max() < 1e-4
    assert result.nfev <= 20
