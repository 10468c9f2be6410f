"""Newton's equations of the envelopes: by factorisation, or for many coordinates by conjugate gradients."""

from functools import cache

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..cholesky import LARGE_SUM, regular_factor
from .few_rows import NO_RIDGE, FewRows

DENSE_LIMIT = 2500  # coordinates up to which they are factorised
DENSE_WORK = 12_000  # unless there is a penalty, and the shorter way's cube is more times the work of a product
SAMPLE = 40  # rows for every coordinate that make a rough Hessian


def newton_equations(problem, v, step, enough, rough):
    """The function that solves (gram / step + penalty) d = right, for the window of rows that bend around v.

    With many coordinates, only until the residual means as little as ``enough`` in the duality gap; if
    ``rough``, for a sample of the rows in the window, where they are many.
    """
    window = problem.split.curvature(v, step)
    if rough:
        window = thin(*window, SAMPLE * problem.penalty.size // problem.split.n_outputs)
    if not problem.dense:
        return lambda right, ridge: conjugate_gradients(problem, window, step, right, enough)
    rows, blocks = window
    if FewRows.suits(problem, rows):
        few = FewRows(problem, rows, blocks, step)
        if few.few:
            whole = cache(lambda: dense(problem, window, step))

            def solve(right, ridge):
                solution = few.solve(right, ridge)
                return whole()(right, ridge) if solution is None else solution

            return solve
    return dense(problem, window, step)


def dense(problem, window, step):
    """The same by factorising the whole matrix; a large sum in single precision, if that knows enough of it."""
    size, n_rows = problem.penalty.size, window[0].size
    if n_rows * problem.split.n_outputs < 2 * size or n_rows * size**2 < LARGE_SUM:
        return in_double_precision(problem, window, step)
    matrix, scale = scaled_matrix(problem, window, step, np.float32)
    factor = regular_factor(matrix)
    if factor is None:
        return in_double_precision(problem, window, step)
    precisely = cache(lambda: in_double_precision(problem, window, step))

    def solve(right, ridge):
        largest = np.abs(right).max()
        if ridge > NO_RIDGE or not 0.0 < largest < np.inf:
            return precisely()(right, ridge)
        single = (scale * (right / largest)).astype(np.float32)
        return scale * largest * cho_solve((factor, True), single, check_finite=False)

    return solve


def in_double_precision(problem, window, step):
    """The same whatever the matrix, with as much of a ridge as it needs."""
    matrix, scale = scaled_matrix(problem, window, step, np.float64)
    diagonal = np.diag_indices_from(matrix)

    @cache
    def factorise(ridge):
        while True:
            matrix[diagonal] = 1.0 + ridge
            try:
                return cho_factor(matrix, lower=True, check_finite=False)
            except LinAlgError:
                ridge *= 100.0

    def solve(right, ridge):
        return scale * cho_solve(factorise(ridge), scale * right, check_finite=False)

    return solve


def scaled_matrix(problem, window, step, dtype):
    """The matrix with ones on its diagonal, and by what its rows and columns were multiplied for that."""
    rows, blocks = window
    size = problem.penalty.size
    matrix = problem.split.gram(rows, blocks / step, dtype) if rows.size else np.zeros((size, size), dtype)
    diagonal = np.diag_indices_from(matrix)
    matrix[diagonal] += problem.penalty
    keep_definite(matrix, problem, step)
    scale = 1.0 / np.sqrt(matrix[diagonal])
    matrix *= scale
    matrix *= scale[:, None]
    return matrix, scale


def thin(rows, blocks, size):
    """About ``size`` of the rows at equal distances, with blocks that make up for the others."""
    stride = max(rows.size // size, 1)
    return rows[::stride], stride * blocks[::stride]


def keep_definite(matrix, problem, step):
    """Make moves that no row in the window resists, and no penalty, cost a little."""
    # Columns are scaled such that all rows in the window would mean a curvature of about 1 / step.
    diagonal = np.diag_indices_from(matrix)
    matrix[diagonal] = np.maximum(matrix[diagonal], 1e-16 / step)
    split = problem.split
    if split.n_outputs > 1 and split.n_intercepts:
        # The same change of every class's intercept changes no loss: intercepts that sum to zero are meant.
        matrix[-split.n_intercepts :, -split.n_intercepts :] += 1.0 / step


def conjugate_gradients(problem, window, step, right, enough, tolerance=0.1, maxiter=500):
    """Newton's equations by conjugate gradients in the penalty's metric, with the intercepts eliminated."""
    split, penalty = problem.split, problem.penalty
    cut = right.size - split.n_intercepts

    def apply(vector):
        return split.product(*window, vector) / step + penalty * vector

    units = np.eye(split.n_intercepts, right.size, cut)
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
