"""Newton's equations of the envelopes: dense, by few rows and by conjugate gradients, against one another and naive."""

import numpy as np
import pytest
from kinked_problems import crammer_singer, hinge, plain, weston_watkins

from sklearn_losses.solvers.augmented_lagrangian import conjugate_gradients as by_products
from sklearn_losses.solvers.augmented_lagrangian.conjugate_gradients import conjugate_gradients
from sklearn_losses.solvers.augmented_lagrangian.envelopes import Subproblem
from sklearn_losses.solvers.augmented_lagrangian.few_rows import FewRows, directions
from sklearn_losses.solvers.augmented_lagrangian.newton_equations import (
    dense,
    hessian,
    in_double_precision,
)
from sklearn_losses.solvers.cholesky import LARGE_SUM

JOINT = {"weston-watkins": weston_watkins, "crammer-singer": crammer_singer}


def kinked_problem(name, n_rows, width, alpha, intercept):
    """A problem with an empty column and a penalty everywhere else, a dual that bends, and a right-hand side."""
    random = np.random.default_rng(0)
    outputs = 4 if name in JOINT else 1
    rows = random.normal(size=(n_rows, width // outputs))
    rows[:, 0] = 0.0
    targets = random.integers(0, 4, n_rows)
    loss = JOINT[name](targets, 4) if outputs == 4 else hinge(targets > 1)
    terms = plain(rows, loss, alpha, intercept=intercept)
    terms.penalty[: terms.cut : width // outputs] = 0.0
    shape = n_rows if outputs == 1 else (n_rows, outputs)
    right = terms.adjoint(random.normal(size=shape))
    return Subproblem.whole(terms), terms.bending(terms.dual(random.normal(size=shape), 0.5)), right


def naive_hessian(terms, bending):
    """The sum over bending rows of weight x matrix (x) row row'."""
    jacobian = terms.jacobian(bending.rows)
    moved = np.stack([bending.project(jacobian[:, :, j]) for j in range(jacobian.shape[2])], axis=2)
    if bending.support is None:
        moved = jacobian
    return np.einsum("m,mkp,mkq->pq", terms.weights[bending.rows], jacobian, moved)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("name", ["hinge", *JOINT])
def test_hessian_of_the_bending_rows(name, intercept):
    problem, bending, _ = kinked_problem(name, 90, 24, 1e-2, intercept)
    expected = 3.0 * naive_hessian(problem.terms, bending)
    np.testing.assert_allclose(hessian(problem, bending, 3.0, np.float64), expected, atol=1e-13)


@pytest.mark.parametrize("name", JOINT)
def test_directions_span_the_bending_of_every_row(name):
    _, bending, _ = kinked_problem(name, 90, 24, 1e-2, False)
    owner, vectors = directions(bending)
    matrices = np.zeros((bending.rows.size, 4, 4))
    np.add.at(matrices, owner, vectors[:, :, None] * vectors[:, None, :])
    units = [bending.project(np.broadcast_to(unit, bending.support.shape)) for unit in np.eye(4)]
    np.testing.assert_allclose(matrices, np.stack(units, axis=2), atol=1e-14)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("alpha", [1e-6, 1e-2])
@pytest.mark.parametrize("name", ["hinge", *JOINT])
@pytest.mark.parametrize("ridge", [1e-14, 1e-6])
def test_few_rows_solve_the_same_equations(name, alpha, intercept, ridge):
    problem, bending, right = kinked_problem(name, 90, 240, alpha, intercept)
    terms, step = problem.terms, 0.5
    bending = bending.take(slice(20))
    assert FewRows.suits(problem, bending)
    few = FewRows(problem, bending, 1.0 / step, step)
    found = few.solve(right, ridge)
    whole = naive_hessian(terms, bending) / step
    penalty = np.where(problem.penalty == 0.0, 1.0, problem.penalty)
    penalty[terms.cut :] = 0.0
    if ridge == 1e-6:  # a little more of every feature's own curvature, on average over the outputs
        curvature = np.diag(whole)[: terms.cut].reshape(terms.n_outputs, -1).mean(axis=0)
        penalty[: terms.cut] += np.tile(ridge * (penalty[: len(curvature)] + curvature), terms.n_outputs)
    whole += np.diag(penalty)
    if intercept:
        whole[terms.cut :, terms.cut :] += few.intercepts
    np.testing.assert_allclose(whole @ found, right, atol=1e-8 * np.abs(right).max())


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("name", ["hinge", *JOINT])
@pytest.mark.parametrize("duplicated", [False, True])
def test_many_rows_are_enough_in_single_precision(name, intercept, duplicated):
    problem, _, right = kinked_problem(name, 3000, 100, 1e-6, intercept)
    terms = problem.terms
    if duplicated:  # the penalty alone tells the two columns apart
        terms.rows[:, 2] = terms.rows[:, 1]
    shape = 3000 if terms.n_outputs == 1 else (3000, terms.n_outputs)
    bending = terms.bending(terms.dual(np.random.default_rng(1).normal(size=shape), 2.0))
    assert bending.rows.size * problem.penalty.size**2 >= LARGE_SUM
    precisely = in_double_precision(problem, bending, 0.5, 2.0)
    for ridge in (1e-14, 1e-3):
        expected, found = precisely(right, ridge), dense(problem, bending, 0.5, 2.0)(right, ridge)
        exactly = duplicated or ridge == 1e-3
        np.testing.assert_allclose(found, expected, rtol=0, atol=(1e-12 if exactly else 1e-3) * np.abs(expected).max())
    assert not dense(problem, bending, 0.5, 2.0)(np.zeros_like(right), 1e-14).any()


def test_few_rows_leave_what_has_no_penalty_to_others():
    problem, bending, right = kinked_problem("hinge", 90, 240, 1e-2, False)
    right[0] = 1.0
    assert FewRows(problem, bending, 2.0, 0.5).solve(right, 1e-14) is None
    problem.penalty[:] = 0.0
    assert not FewRows.suits(problem, bending)


@pytest.mark.parametrize("few_features", [0, 200])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("name", ["hinge", *JOINT])
def test_conjugate_gradients_solve_the_same_equations(name, intercept, few_features, monkeypatch):
    monkeypatch.setattr(by_products, "FEW_FEATURES", few_features)
    problem, bending, right = kinked_problem(name, 90, 24, 1e-1, intercept)
    terms = problem.terms
    right[: terms.cut : 24 // terms.n_outputs] = 0.0  # of the empty column
    if terms.n_outputs > 1 and intercept:  # the same for every class: no loss changes
        right[terms.cut :] -= right[terms.cut :].mean()
    found = conjugate_gradients(problem, bending, 2.0, 0.5, right, 0.0, tolerance=1e-12)
    whole = 2.0 * naive_hessian(terms, bending) + np.diag(problem.penalty)
    np.testing.assert_allclose(whole @ found, right, atol=1e-9)


@pytest.mark.parametrize("few_features", [0, 200])
@pytest.mark.parametrize("name", ["hinge", *JOINT])
def test_conjugate_gradients_where_no_row_bends(name, few_features, monkeypatch):
    # nor is there a penalty on the empty column, as on an intercept
    monkeypatch.setattr(by_products, "FEW_FEATURES", few_features)
    problem, bending, right = kinked_problem(name, 90, 24, 1e-1, False)
    right[:: 24 // problem.terms.n_outputs] = 0.0
    found = conjugate_gradients(problem, bending.take(slice(0)), 2.0, 0.5, right, 0.0, tolerance=1e-12)
    np.testing.assert_allclose(found, 10.0 * right, atol=1e-12)
    problem.penalty[:], problem.penalised[:] = 0.0, False
    found = conjugate_gradients(problem, bending.take(slice(0)), 2.0, 0.5, right, 0.0)
    assert np.isfinite(found).all()
    assert found @ right > 0.0
