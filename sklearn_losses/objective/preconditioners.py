"""Approximate inverse Hessians, in which solvers measure steps; each is a function to apply to a gradient.

Those that are made of samples also know the Hessian of a share of the data with the whole penalty, `of_share`. All of
them keep steps out of the common shift of the classes (`Hessian`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import cho_solve

from ..activations.curvature import row_dot
from ..losses.on_scores import Array
from ..solvers.cholesky import definite_factor, factor_of_sum, regular_factor
from . import kernels
from .hessian import Hessian, differences
from .objective import Objective
from .scaled import TYPICAL_CURVATURE

LEAST_SHARE = 1e-6  # of the mean diagonal: losses that have vanished leave a block without curvature

Inverse = Callable[[Array], Array]


class DenseInverse:
    """The inverse of a dense ``data + penalty``, given by its lower Cholesky factor."""

    def __init__(self, hessian: Hessian, factor: Array):
        self._hessian, self._factor = hessian, factor

    def __call__(self, vector: Array) -> Array:
        # what a sum in single precision makes of the common shift would not be small
        return self._hessian.without_common_shift(cho_solve((self._factor, True), vector, check_finite=False))

    def of_share(self, share: float) -> DenseInverse:
        """The inverse of ``share x data + penalty``."""
        return DenseInverse(self._hessian, _factor_of_share(self._factor, self._hessian.objective.strengths, share))


def dense_inverse(hessian: Hessian) -> DenseInverse:
    """The inverse of the whole Hessian; of a loss that is not convex as it is, if that is well definite."""
    objective = hessian.objective
    if not hessian.convex:
        as_it_is = _with_unused(objective.hessian(hessian.x).dense(definite=True))
        factor = regular_factor(as_it_is)
        if factor is not None:
            return DenseInverse(hessian, factor)

    def matrix(dtype: type) -> Array:
        return _with_unused(hessian.dense(dtype, definite=True))

    return DenseInverse(hessian, factor_of_sum(matrix, objective.rows.n_rows * objective.n_parameters**2))


class ByClassInverse:
    """The inverses of dense ``data + penalty`` by their factors, one for every class."""

    def __init__(self, hessian: Hessian, factors: list[Array]):
        self._hessian, self._factors = hessian, factors
        self._inverses = np.stack(list(hessian.objective.rows.workers.map(_inverted, factors)))

    def __call__(self, vector: Array) -> Array:
        parameters = self._hessian.objective.parameters
        by_class = differences(parameters.by_class(vector))
        return parameters.of_classes(differences(np.matmul(self._inverses, by_class[:, :, None])[:, :, 0]))

    def of_share(self, share: float) -> ByClassInverse:
        """The inverses of ``share x data + penalty``."""
        objective = self._hessian.objective
        penalty = objective.parameters.by_class(objective.strengths)[0]
        return ByClassInverse(self._hessian, [_factor_of_share(factor, penalty, share) for factor in self._factors])


def by_class_inverse(hessian: Hessian) -> ByClassInverse:
    """The inverse of the Hessian's diagonal blocks, one for every class."""
    objective = hessian.objective
    width = objective.rows.n_features + objective.fit_intercept

    work = 0 if hessian.is_even else objective.rows.n_rows * width**2

    def of_class(k: int) -> Array:
        return factor_of_sum(lambda dtype: _with_unused(hessian.of_class(k, dtype)), work)

    return ByClassInverse(hessian, list(objective.rows.workers.map(of_class, range(objective.n_outputs))))


class TangentInverse:
    """The inverses of the Hessian's diagonal blocks for `Directions`, one for every class.

    Turning a direction bends the scores too: the slope along it, if it is negative, adds its size to the diagonal.
    """

    def __init__(self, hessian: Hessian):
        objective, x = hessian.objective, hessian.x
        directions, _ = objective.parameters.on_rows(x)
        slopes = np.maximum(-row_dot(directions, hessian.outer_gradient[0])[:, 0], 0.0)

        matrices = list(objective.rows.workers.map(hessian.of_class, range(objective.n_outputs)))
        # a class whose losses have vanished beside those of others has nothing to learn: it does not turn far
        least = LEAST_SHARE * max(matrix.trace() for matrix in matrices) / len(matrices[0])

        def inverted(k: int) -> Array:
            matrix = matrices[k]
            matrix.flat[:: len(matrix) + 1] += slopes[k] + least
            return _inverted(definite_factor(_with_unused(matrix)))

        self._inverses = np.stack(list(objective.rows.workers.map(inverted, range(len(matrices)))))

    def __call__(self, vector: Array) -> Array:
        return np.matmul(self._inverses, vector.reshape(*self._inverses.shape[:2], 1)).ravel()


def kronecker_inverse(hessian: Hessian) -> Inverse:
    """The inverse of (mean curvature between classes) x (Gram matrix of the rows) + penalty, for many classes.

    Both factors are diagonalised once, the second one relative to the penalty, which makes the inverse exact.
    """
    parameters = hessian.objective.parameters
    between, gram = hessian.between_and_within()
    penalty = parameters.by_class(hessian.objective.strengths)[0]
    least = 1e-12 * (penalty.max() or gram.diagonal().max())  # where there is none
    root = np.sqrt(np.maximum(penalty, least + np.finfo(float).tiny))
    row_values, row_vectors = np.linalg.eigh(gram / np.outer(root, root))
    class_values, class_vectors = np.linalg.eigh(between)
    strength = 1.0 + np.maximum(np.outer(class_values, row_values), 0.0)

    def apply(vector: Array) -> Array:
        by_class = parameters.by_class(vector) / root
        turned = class_vectors.T @ by_class @ row_vectors / strength
        return parameters.of_classes(class_vectors @ turned @ row_vectors.T / root)

    return apply


def typical_inverse(objective: Objective) -> Inverse:
    """A stand-in for losses that do not give their curvature: every row's is a typical one."""
    parameters = objective.parameters
    (block,) = objective.rows.sum(
        kernels.even_gram, TYPICAL_CURVATURE, parameters.transform, parameters.fit_intercept, passes=0
    )
    block[np.diag_indices_from(block)] += parameters.by_class(objective.strengths)[0]
    factor = definite_factor(_with_unused(block))

    def apply(vector: Array) -> Array:
        return parameters.of_classes(cho_solve((factor, True), parameters.by_class(vector).T, check_finite=False).T)

    return apply


def diagonal_inverse(hessian: Hessian) -> Inverse:
    """Division by the Hessian's diagonal."""
    diagonal = hessian.diagonal()
    floor = 1e-12 * diagonal.max()
    return lambda vector: vector / np.maximum(diagonal, floor)


def _inverted(factor: Array) -> Array:
    return cho_solve((factor, True), np.eye(len(factor)), check_finite=False)


def _factor_of_share(factor: Array, penalty: Array, share: float) -> Array:
    """The factor of ``share x data + penalty`` from that of ``data + penalty``."""
    lower = np.tril(factor)
    matrix = share * (lower @ lower.T)
    matrix[np.diag_indices_from(matrix)] += (1.0 - share) * penalty
    return definite_factor(matrix)


def _with_unused(matrix: Array) -> Array:
    """The matrix, with ones on its diagonal for the parameters of constant columns, which have no part in anything."""
    diagonal = matrix.diagonal()
    np.fill_diagonal(matrix, np.where(diagonal == 0, 1.0, diagonal))
    return matrix
