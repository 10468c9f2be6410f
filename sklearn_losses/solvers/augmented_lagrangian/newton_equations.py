"""Newton's equations of the envelopes: by factorisation, or for many coordinates by products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_solve

from ..cholesky import LARGE_SUM, factor_if_definite, regular_factor
from .conjugate_gradients import conjugate_gradients
from .few_rows import NO_RIDGE, FewRows
from .joint_gram import in_order, joint_features, of_projections
from .problem import Array, Bending

if TYPE_CHECKING:
    from .envelopes import Subproblem

DENSE_LIMIT = 2500  # coordinates up to which they are factorised
DENSE_WORK = 12_000  # unless there is a penalty, and the shorter way's cube is more times the work of a product
JOINT_DENSE_WORK = 4_000  # the same for losses of K scores, whose products see all classes at once
SAMPLE = 40  # rows for every coordinate that make a rough Hessian
LARGER = 100.0  # than the last ridge, one that makes a matrix with ones on its diagonal definite

Solve = Callable[[Array, float], Array]


def newton_equations(problem: Subproblem, bending: Bending, step: float, enough: float, rough: bool) -> Solve:
    """The function ``(right, ridge) -> d`` that solves (gram / step + penalty) d = right for the rows that bend.

    With many coordinates, only until the residual means as little as ``enough`` in the duality gap; if ``rough``, for
    some of these rows at equal distances, where they are many.
    """
    stride = 1
    if rough:
        size = SAMPLE * problem.penalty.size // problem.terms.n_outputs
        stride = max(bending.rows.size // max(size, 1), 1)
        bending = bending.take(slice(None, None, stride))
    strength = stride / step  # rows that were left out are made up for
    if not problem.dense:
        return lambda right, ridge: conjugate_gradients(problem, bending, strength, step, right, enough)
    if not FewRows.suits(problem, bending):
        return dense(problem, bending, strength, step)
    few = FewRows(problem, bending, strength, step)
    whole = cache(lambda: dense(problem, bending, strength, step))

    def solve(right: Array, ridge: float) -> Array:
        solution = few.solve(right, ridge)
        return whole()(right, ridge) if solution is None else solution

    return solve


def dense(problem: Subproblem, bending: Bending, strength: float, step: float) -> Solve:
    """The same by factorising the whole matrix; a large sum in single precision, if that knows enough of it."""
    size, n_rows = problem.penalty.size, bending.rows.size
    if n_rows * problem.terms.n_outputs < 2 * size or n_rows * size**2 < LARGE_SUM:
        return in_double_precision(problem, bending, strength, step)
    matrix, scale = scaled_matrix(problem, bending, strength, step, np.float32)
    factor = regular_factor(matrix)
    if factor is None:
        return in_double_precision(problem, bending, strength, step)
    precisely = cache(lambda: in_double_precision(problem, bending, strength, step))

    def solve(right: Array, ridge: float) -> Array:
        largest = np.abs(right).max()
        if ridge > NO_RIDGE or not 0.0 < largest < np.inf:
            return precisely()(right, ridge)
        single = (scale * (right / largest)).astype(np.float32)
        return scale * largest * cho_solve((factor, True), single, check_finite=False)

    return solve


def in_double_precision(problem: Subproblem, bending: Bending, strength: float, step: float) -> Solve:
    """The same whatever the matrix, with as much of a ridge as it needs."""
    return solver_of(*scaled_matrix(problem, bending, strength, step, np.float64))


def solver_of(matrix: Array, scale: Array) -> Solve:
    """The function that solves equations with a matrix which `scaled` has made, with as much of a ridge as it needs."""
    diagonal = np.diag_indices_from(matrix)

    @cache
    def factorise(ridge: float) -> Array:
        matrix[diagonal] = 1.0 + ridge
        while (factor := factor_if_definite(matrix)) is None:
            ridge *= LARGER
            matrix[diagonal] = 1.0 + ridge
        return factor

    def solve(right: Array, ridge: float) -> Array:
        return scale * cho_solve((factorise(ridge), True), scale * right, check_finite=False)

    return solve


def scaled(matrix: Array) -> tuple[Array, Array]:
    """A matrix, changed to have ones on its diagonal, and by what its rows and columns were multiplied for that."""
    diagonal = matrix.diagonal()
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    matrix *= scale
    matrix *= scale[:, None]
    return matrix, scale


def scaled_matrix(
    problem: Subproblem, bending: Bending, strength: float, step: float, dtype: type
) -> tuple[Array, Array]:
    """The matrix of the equations, scaled."""
    matrix = hessian(problem, bending, strength, dtype)
    matrix[np.diag_indices_from(matrix)] += problem.penalty
    keep_definite(matrix, problem, step)
    return scaled(matrix)


def hessian(problem: Subproblem, bending: Bending, strength: float, dtype: type) -> Array:
    """The bending rows' part of the matrix."""
    terms, size, rows = problem.terms, problem.penalty.size, bending.rows
    if not rows.size:
        return np.zeros((size, size), dtype)
    if bending.support is None:
        return terms.gram(rows, np.full(rows.size, strength), dtype)
    features: Array = joint_features(terms, rows).astype(dtype, copy=False)
    return in_order(of_projections(features, strength * terms.weights[rows], bending.support), terms)


def keep_definite(matrix: Array, problem: Subproblem, step: float) -> None:
    """Make moves that no row in the window resists, and no penalty, cost a little."""
    # Columns are scaled such that all rows in the window would mean a curvature of about 1 / step.
    diagonal = np.diag_indices_from(matrix)
    matrix[diagonal] = np.maximum(matrix[diagonal], 1e-16 / step)
    hold_common_shift(matrix, problem)


def hold_common_shift(matrix: Array, problem: Subproblem) -> None:
    """Keep the parameters of K outputs from moving together, which changes no loss: sums of zero are meant."""
    n_outputs, count = problem.terms.n_outputs, problem.terms.n_intercepts
    if n_outputs == 1:
        return
    cut = len(matrix) - count
    for own, size in ((slice(0, cut), cut // n_outputs), (slice(cut, None), int(count > 0))):
        if size:
            blocks = matrix[own, own].reshape(n_outputs, size, n_outputs, size)
            of_outputs = np.einsum("kjlj->jkl", blocks)
            of_outputs += np.einsum("jkk->j", of_outputs)[:, None, None] / n_outputs
