"""Approximate inverse Hessians, for solvers to measure steps in; each is a function to apply to a gradient.

Those that are made of samples also know the Hessian of a share of the data with the whole penalty, `of_share`.

With K classes the same change of all classes' scores changes no loss. Gradients have no part in that direction, and
every metric here keeps steps out of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..losses.on_scores import Array
from ..solvers.cholesky import LARGE_SUM, regular_factor
from .parameters import TYPICAL_CURVATURE, Conditioned

Inverse = Callable[[Array], Array]


def hessian_with_common_shift(model: Conditioned, x: Array, *, convex: bool, dtype: type = np.float64) -> Array:
    """The dense Hessian, with some curvature in the direction that has none."""
    hessian = model.hessian(x, convex=convex, dtype=dtype)
    n_outputs = model.objective.n_outputs
    if n_outputs > 1:
        n_weights = model.objective.n_weights
        for part in (hessian[:n_weights, :n_weights], hessian[n_weights:, n_weights:]):
            size = len(part) // n_outputs
            mean = part.diagonal().reshape(n_outputs, size).mean(axis=0)
            for j in range(size):
                part[j::size, j::size] += mean[j] / n_outputs
    return hessian


class DenseInverse:
    """The inverse of a dense ``data + penalty``, given by its lower Cholesky factor."""

    def __init__(self, model: Conditioned, factor: Array):
        self._model, self._factor = model, factor

    def __call__(self, vector: Array) -> Array:
        solved = cho_solve((self._factor, True), vector, check_finite=False)
        if self._model.objective.n_outputs == 1:
            return solved
        # what a sum in single precision makes of the common change would not be small
        return _flat(self._model, _without_common_shift(_by_class(self._model, solved)))

    def of_share(self, share: float) -> DenseInverse:
        """The inverse of ``share x data + penalty``."""
        return DenseInverse(self._model, _factor_of_share(self._factor, self._model.penalty, share))


def dense_inverse(model: Conditioned, x: Array, *, convex: bool) -> DenseInverse:
    """The inverse of the whole Hessian."""

    def hessian(dtype: type) -> Array:
        return hessian_with_common_shift(model, x, convex=convex, dtype=dtype)

    work = model.objective.rows.n_rows * model.objective.n_parameters**2
    return DenseInverse(model, _factor_of_sum(hessian, work))


class ByClassInverse:
    """The inverses of dense ``data + penalty`` by their factors, one for every class, or one for all of them."""

    def __init__(self, model: Conditioned, factors: list[Array]):
        self._model, self._factors = model, factors
        self._inverses = np.stack(list(model.objective.rows.workers.map(_inverted, factors)))

    def __call__(self, vector: Array) -> Array:
        by_class = _without_common_shift(_by_class(self._model, vector))
        solved = np.matmul(self._inverses, by_class[:, :, None])[:, :, 0]
        return _flat(self._model, _without_common_shift(solved))

    def of_share(self, share: float) -> ByClassInverse:
        """The inverses of ``share x data + penalty``."""
        penalty = _by_class(self._model, self._model.penalty)[0]
        return ByClassInverse(self._model, [_factor_of_share(factor, penalty, share) for factor in self._factors])


def by_class_inverse(model: Conditioned, x: Array) -> ByClassInverse:
    """The inverse of the Hessian's diagonal blocks, one for every class."""
    objective = model.objective
    curvature = np.abs(objective.composition.diagonal(objective.targets(slice(None)), model.scores(x)))
    curvature = _scaled_by_weights(curvature, objective.weights)
    rows = _rows_with_ones(model)
    single = rows.astype(np.float32)
    penalty = np.diag(_by_class(model, model.penalty)[0])
    # where nothing is known yet every class has the same curvature
    different = objective.n_outputs if (curvature != curvature[:, :1]).any() else 1

    def of_class(k: int) -> Array:
        def block(dtype: type) -> Array:
            half = (single if dtype is np.float32 else rows) * np.sqrt(curvature[:, k, None]).astype(dtype)
            return np.dot(half.T, half) + penalty

        return _factor_of_sum(block, rows.size * rows.shape[1])

    return ByClassInverse(model, list(objective.rows.workers.map(of_class, range(different))))


def kronecker_inverse(model: Conditioned, x: Array) -> Inverse:
    """The inverse of (mean curvature between classes) x (Gram matrix of the rows) + penalty, for many classes.

    Both factors are diagonalised once, the second one relative to the penalty, which makes the inverse exact.
    """
    objective = model.objective
    targets, scores = objective.targets(slice(None)), model.scores(x)
    between = objective.composition.mean_block(targets, scores, objective.weights)
    between += np.trace(between) / objective.n_outputs**2
    weights = objective.weights * np.abs(objective.composition.diagonal(targets, scores)).sum(axis=1)
    rows = _rows_with_ones(model)
    gram = (rows * (weights / weights.sum())[:, None]).T @ rows
    penalty = _by_class(model, model.penalty)[0]
    root = np.sqrt(np.maximum(penalty, 1e-12 * penalty.max() + np.finfo(float).tiny))
    row_values, row_vectors = np.linalg.eigh(gram / np.outer(root, root))
    class_values, class_vectors = np.linalg.eigh(between)
    strength = 1.0 + np.maximum(np.outer(class_values, row_values), 0.0)

    def apply(vector: Array) -> Array:
        by_class = _by_class(model, vector) / root
        turned = class_vectors.T @ by_class @ row_vectors / strength
        return _flat(model, class_vectors @ turned @ row_vectors.T / root)

    return apply


def typical_inverse(model: Conditioned) -> Inverse:
    """A stand-in for losses that do not give their curvature: every row's is a typical one."""
    rows = _rows_with_ones(model)
    half = rows * np.sqrt(TYPICAL_CURVATURE * model.objective.weights)[:, None]
    block = half.T @ half
    block[np.diag_indices_from(block)] += _by_class(model, model.penalty)[0]
    factor = _definite_factor(_with_unused(block))
    return lambda vector: _flat(model, cho_solve((factor, True), _by_class(model, vector).T, check_finite=False).T)


def diagonal_inverse(model: Conditioned, x: Array) -> Inverse:
    """Division by the Hessian's diagonal as the columns' variances and the mean curvature make it out."""
    objective = model.objective
    scores = model.scores(x)

    def of_rows(rows):
        curvature = objective.composition.diagonal(objective.targets(rows), scores[rows])
        return (np.dot(np.abs(curvature).T, objective.weights[rows]),)

    (mean,) = objective.rows.sum(of_rows)
    mean = np.reshape(mean, (-1, 1))
    diagonal = mean * model.coordinates.variance
    if objective.fit_intercept:
        diagonal = np.column_stack([diagonal, mean])
    diagonal = _flat(model, diagonal) + model.penalty
    floor = 1e-12 * diagonal.max()
    return lambda vector: vector / np.maximum(diagonal, floor)


def _factor_of_sum(hessian: Callable[[type], Array], work: float) -> Array:
    """The factor of a sum over rows, in single precision if it is a large one that this knows enough of."""
    if work >= LARGE_SUM:
        factor = regular_factor(_with_unused(hessian(np.float32).astype(np.float64)))
        if factor is not None:
            return factor
    return _definite_factor(_with_unused(hessian(np.float64)))


def _definite_factor(matrix: Array) -> Array:
    """The lower Cholesky factor of a matrix, or of one with a little added to its diagonal until it is definite."""
    jitter = 1e-12 * matrix.diagonal().max() + np.finfo(float).tiny
    while True:
        try:
            return cho_factor(matrix, lower=True, check_finite=False)[0]
        except LinAlgError:
            matrix = matrix + jitter * np.eye(len(matrix))
            jitter *= 10


def _inverted(factor: Array) -> Array:
    return cho_solve((factor, True), np.eye(len(factor)), check_finite=False)


def _factor_of_share(factor: Array, penalty: Array, share: float) -> Array:
    """The factor of ``share x data + penalty`` from that of ``data + penalty``."""
    lower = np.tril(factor)
    matrix = share * (lower @ lower.T)
    matrix[np.diag_indices_from(matrix)] += (1.0 - share) * penalty
    return _definite_factor(matrix)


def _without_common_shift(by_class: Array) -> Array:
    return by_class - by_class.mean(axis=0)


def _with_unused(matrix: Array) -> Array:
    """The matrix, with ones on its diagonal for the parameters of constant columns, which have no part in anything."""
    diagonal = matrix.diagonal()
    np.fill_diagonal(matrix, np.where(diagonal == 0, 1.0, diagonal))
    return matrix


def _rows_with_ones(model: Conditioned) -> Array:
    rows = model.objective.rows.X
    return np.column_stack([rows, np.ones(len(rows))]) if model.objective.fit_intercept else rows


def _scaled_by_weights(curvature: Array, weights: Array) -> Array:
    return curvature.reshape(len(weights), -1) * weights[:, None]


def _by_class(model: Conditioned, vector: Array) -> Array:
    """A parameter vector as one row a class, with the intercept last."""
    coef, intercept = model.objective.split(vector)
    return np.column_stack([coef, intercept]) if model.objective.fit_intercept else coef


def _flat(model: Conditioned, by_class: Array) -> Array:
    if not model.objective.fit_intercept:
        return by_class.ravel()
    return model.objective.join(by_class[:, :-1], by_class[:, -1])
