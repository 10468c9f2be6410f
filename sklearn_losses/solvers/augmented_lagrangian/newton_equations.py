"""Newton's equations of the envelopes: by factorisation, or for many coordinates by conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..cholesky import LARGE_SUM, regular_factor
from .few_rows import NO_RIDGE, FewRows
from .problem import Array, Bending

if TYPE_CHECKING:
    from .envelopes import Subproblem

DENSE_LIMIT = 2500  # coordinates up to which they are factorised
DENSE_WORK = 12_000  # unless there is a penalty, and the shorter way's cube is more times the work of a product
JOINT_ENTRIES = 10_000_000  # of a part of the rows, spread out over all outputs
SAMPLE = 40  # rows for every coordinate that make a rough Hessian

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
    matrix, scale = scaled_matrix(problem, bending, strength, step, np.float64)
    diagonal = np.diag_indices_from(matrix)

    @cache
    def factorise(ridge: float) -> tuple[Array, bool]:
        while True:
            matrix[diagonal] = 1.0 + ridge
            try:
                return cho_factor(matrix, lower=True, check_finite=False)
            except LinAlgError:
                ridge *= 100.0

    def solve(right: Array, ridge: float) -> Array:
        return scale * cho_solve(factorise(ridge), scale * right, check_finite=False)

    return solve


def scaled_matrix(
    problem: Subproblem, bending: Bending, strength: float, step: float, dtype: type
) -> tuple[Array, Array]:
    """The matrix with ones on its diagonal, and by what its rows and columns were multiplied for that."""
    matrix = hessian(problem, bending, strength, dtype)
    diagonal = np.diag_indices_from(matrix)
    matrix[diagonal] += problem.penalty
    keep_definite(matrix, problem, step)
    scale = 1.0 / np.sqrt(matrix[diagonal])
    matrix *= scale
    matrix *= scale[:, None]
    return matrix, scale


def hessian(problem: Subproblem, bending: Bending, strength: float, dtype: type) -> Array:
    """The bending rows' part of the matrix."""
    terms, size, rows = problem.terms, problem.penalty.size, bending.rows
    if not rows.size:
        return np.zeros((size, size), dtype)
    if bending.support is None:
        return terms.gram(rows, np.full(rows.size, strength), dtype)
    features: Array = terms.features(rows)
    if terms.n_intercepts:
        features = np.column_stack([features, np.ones(rows.size)])
    blocks = joint_gram(features.astype(dtype, copy=False), strength * terms.weights[rows], bending.support)
    n_outputs, width = terms.n_outputs, features.shape[1]
    # output by output, the intercepts last
    places = np.arange(n_outputs * width).reshape(n_outputs, width)
    cut = width - 1 if terms.n_intercepts else width
    order = np.concatenate([places[:, :cut].ravel(), places[:, cut:].ravel()])
    return blocks[np.ix_(order, order)]


def joint_gram(features: Array, weights: Array, support: NDArray[np.bool_]) -> Array:
    """``sum_i weight_i (diag(q_i) - q_i q_i' / sum(q_i)) (x) f_i f_i'`` for masks q (m, K), output by output."""
    n_outputs, width = support.shape[1], features.shape[1]
    total = np.zeros((n_outputs, width, n_outputs, width), features.dtype)
    weights = weights.astype(features.dtype)
    shares = support * (weights / support.sum(axis=1))[:, None].astype(features.dtype)
    size = max(JOINT_ENTRIES // (n_outputs * width), 1)
    for start in range(0, len(features), size):
        some = slice(start, start + size)
        spread = (shares[some, :, None] * features[some, None, :]).reshape(-1, n_outputs * width)
        for k in range(n_outputs):
            rows = np.flatnonzero(support[some, k])
            own = features[some][rows]
            total[k].reshape(width, -1)[:] -= np.dot(own.T, spread[rows])
            total[k, :, k] += np.dot(own.T, own * weights[some][rows, None])
    return total.reshape(n_outputs * width, -1)


def keep_definite(matrix: Array, problem: Subproblem, step: float) -> None:
    """Make moves that no row in the window resists, and no penalty, cost a little."""
    # Columns are scaled such that all rows in the window would mean a curvature of about 1 / step.
    diagonal = np.diag_indices_from(matrix)
    matrix[diagonal] = np.maximum(matrix[diagonal], 1e-16 / step)
    count = problem.terms.n_intercepts
    if problem.terms.n_outputs > 1 and count:
        # The same change of every class's intercept changes no loss: intercepts that sum to zero are meant.
        matrix[-count:, -count:] += 1.0 / step


def conjugate_gradients(
    problem: Subproblem,
    bending: Bending,
    strength: float,
    step: float,
    right: Array,
    enough: float,
    tolerance: float = 0.1,
    maxiter: int = 500,
) -> Array:
    """Newton's equations by conjugate gradients in the penalty's metric, with the intercepts eliminated."""
    terms, penalty = problem.terms, problem.penalty
    part = terms.take(bending.rows)
    cut = right.size - terms.n_intercepts

    def apply(vector: Array) -> Array:
        return strength * part.adjoint(bending.project(part.forward(vector))) + penalty * vector

    units = np.eye(terms.n_intercepts, right.size, cut)
    columns = np.array([apply(unit) for unit in units]).reshape(units.shape)
    inverse = np.linalg.pinv(columns[:, cut:], rcond=1e-12, hermitian=True)
    diagonal = np.where(problem.penalised, penalty, 1.0 / step)
    direction = np.zeros_like(right)
    direction[cut:] = inverse @ right[cut:]
    residual = right - direction[cut:] @ columns
    residual[cut:] = 0.0
    search = residual / diagonal
    norm = start = residual @ search
    for _ in range(maxiter):
        if norm <= max(tolerance**2 * start, enough):
            break
        product = apply(search)
        intercepts = -inverse @ product[cut:]
        product += intercepts @ columns
        length = norm / (search @ product)
        direction += length * search
        direction[cut:] += length * intercepts
        residual -= length * product
        residual[cut:] = 0.0
        scaled = residual / diagonal
        previous, norm = norm, residual @ scaled
        search = scaled + (norm / previous) * search
    return direction
