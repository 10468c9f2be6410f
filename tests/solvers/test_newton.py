"""Newton's method: quadratic convergence, and Hessians that are singular, indefinite or worse."""

import numpy as np
import pytest
from plain_functions import Function, logistic, quadratic, rosenbrock

from sklearn_losses.solvers import newton
from sklearn_losses.solvers.descent import CONVERGED, MAXITER, ROUNDING


def test_one_step_solves_a_quadratic():
    random = np.random.default_rng(0)
    root = random.standard_normal((6, 6))
    minimiser = random.standard_normal(6)
    problem = quadratic(root @ root.T + np.eye(6), minimiser)
    result = problem.minimize(newton, np.zeros(6))
    assert result.success
    np.testing.assert_allclose(result.x, minimiser, rtol=1e-12)
    assert problem.evaluations == 2 + (result.nit == 2)


@pytest.mark.parametrize("rotated", [False, True])
def test_condition_1e12(rotated):
    curvatures = np.logspace(-6, 6, 13)
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((13, 13)))[0] if rotated else np.eye(13)
    problem = quadratic(basis @ np.diag(curvatures) @ basis.T, np.ones(13))
    result = problem.minimize(newton, np.zeros(13), tol=1e-12)
    assert result.success
    assert result.fun - 1.0 <= 1e-12


@pytest.mark.parametrize("start", [(-1.2, 1.0), (10.0, -20.0), (0.0, 0.0)])
def test_rosenbrock(start):
    result = rosenbrock().minimize(newton, np.array(start), tol=1e-10)
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, atol=1e-8)


def test_a_few_more_steps_end_at_machine_precision():
    problem = logistic()
    rough, polished = (problem.minimize(newton, np.zeros(5), tol=1e-4, polish=p) for p in (False, True))
    assert polished.nhev == rough.nhev
    assert polished.nfev == rough.nfev + 3
    assert np.abs(polished.jac).max() < 1e-6 * np.abs(rough.jac).max()
    assert polished.estimate < rough.estimate


def test_polishing_ends_where_steps_are_not_seen_any_more():
    problem = logistic()
    exact = problem.minimize(newton, np.zeros(5), tol=1e-20)
    rough, polished = (problem.minimize(newton, exact.x, tol=1e-4, polish=p) for p in (False, True))
    assert polished.nfev == rough.nfev


def test_the_last_step_respects_the_iteration_limit():
    problem = logistic()
    needed = problem.minimize(newton, np.zeros(5), tol=1e-4, polish=False).nit
    result = problem.minimize(newton, np.zeros(5), tol=1e-4, maxiter=needed)
    assert result.success and result.nit == needed


def test_reaches_1e_12_and_beyond():
    problem = logistic(alpha=1e-3)
    result = problem.minimize(newton, np.zeros(5), tol=1e-20)
    assert result.status == CONVERGED
    assert np.abs(result.jac).max() < 1e-15


def test_duplicated_column_without_penalty_shares_the_weight():
    random = np.random.default_rng(0)
    x = random.standard_normal((50, 3))
    x = np.column_stack([x, x[:, 0]])
    y = x @ [1.0, -1.0, 0.5, 1.0] + 0.1 * random.standard_normal(50)
    problem = Function(
        lambda w: 0.5 * np.mean((x @ w - y) ** 2),
        lambda w: x.T @ (x @ w - y) / 50,
        lambda w: x.T @ x / 50,
    )
    result = problem.minimize(newton, np.zeros(4), tol=1e-12)
    assert result.success
    np.testing.assert_allclose(result.x, np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-9)


def test_zero_hessian_means_a_gradient_step():
    """A Huber-like function far out, where its curvature is zero but its slope is not."""
    problem = Function(
        lambda x: np.where(abs(x) <= 1, 0.5 * x**2, abs(x) - 0.5).sum(),
        lambda x: np.clip(x, -1.0, 1.0),
        lambda x: np.diag((abs(x) <= 1).astype(float)),
    )
    result = problem.minimize(newton, np.array([50.0, -3.0]), tol=0.0, atol=1e-12)
    assert result.success
    np.testing.assert_allclose(result.x, 0.0, atol=1e-6)


def test_leaves_a_saddle_in_the_right_direction():
    problem = Function(
        lambda x: 5.0 + 0.5 * x[0] ** 2 + 0.25 * x[1] ** 4 - 0.5 * x[1] ** 2,
        lambda x: np.array([x[0], x[1] ** 3 - x[1]]),
        lambda x: np.diag([1.0, 3.0 * x[1] ** 2 - 1.0]),
    )
    result = problem.minimize(newton, np.array([1.0, 1e-3]), tol=1e-12)
    assert result.success
    np.testing.assert_allclose(result.x, [0.0, 1.0], atol=1e-6)


def test_damping_carries_on_where_the_full_step_overshoots():
    """Newton's method on sqrt(1 + x^2) diverges from |x| > 1 with full steps."""
    problem = Function(
        lambda x: np.sqrt(1.0 + x**2).sum(),
        lambda x: x / np.sqrt(1.0 + x**2),
        lambda x: np.diag((1.0 + x**2) ** -1.5),
    )
    result = problem.minimize(newton, np.array([30.0, -4.0, 0.1]), tol=1e-14)
    assert result.success
    np.testing.assert_allclose(result.x, 0.0, atol=1e-6)
    assert result.nit < 30


def test_a_hessian_that_is_not_finite_is_not_used():
    problem = quadratic(np.eye(2), np.ones(2))
    problem.hessian = lambda x: np.full((2, 2), np.nan)
    result = problem.minimize(newton, np.zeros(2))
    assert result.success
    np.testing.assert_allclose(result.x, 1.0)


def test_separable_data_without_a_penalty():
    result = logistic(alpha=0.0, separable=True).minimize(newton, np.zeros(5), maxiter=30)
    assert result.status in (MAXITER, ROUNDING)
    assert result.fun < 1e-6
    assert np.isfinite(result.x).all()


def test_order_of_the_hessian_in_memory_does_not_matter():
    problem = logistic()
    column_major = logistic()
    column_major.hessian = lambda x: np.asfortranarray(problem.hessian(x))
    np.testing.assert_allclose(
        column_major.minimize(newton, np.zeros(5)).x, problem.minimize(newton, np.zeros(5)).x, rtol=1e-12
    )


def test_the_hessian_is_left_alone():
    problem = logistic()
    kept = problem.hessian(np.zeros(5))
    original = kept.copy()
    problem.hessian = lambda x: kept
    problem.minimize(newton, np.zeros(5))
    np.testing.assert_array_equal(kept, original)
