"""The Hessian of an objective at a point, as one operator."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..data import PerRow
from ..data.sums import Largest
from ..losses.on_scores import Array
from . import kernels

if TYPE_CHECKING:
    from .objective import Known, Objective


class Hessian:
    """The second derivatives of F at x, to be applied, written out, or known in part.

    With K classes the same change of all classes' scores changes no loss. Gradients have no part in that direction, the
    Hessian of the data none either: `definite` matrices have some curvature there, and `without_common_shift` keeps
    steps out of it.

    Parameters
    ----------
    objective : Objective
        Whose Hessian it is.
    x : ndarray
        Where.
    convex : bool
        Whether the loss is, in the scores; where it is not, written matrices have every row's curvature made positive.
    known : Known, optional
        What a value and a gradient at x have left.

    Raises
    ------
    ValueError
        When the loss has no curvature.
    """

    def __init__(self, objective: Objective, x: Array, *, convex: bool = True, known: Known | None = None):
        objective.require_curvature()
        self.objective, self.x, self.convex = objective, x, convex
        self._known = known

    @cached_property
    def scores(self) -> PerRow:
        """Of all rows at x."""
        return self.objective.scores(self.x) if self._known is None else self._known.scores

    def apply(self, v: Array) -> Array:
        """The Hessian times a vector; the first time at a point costs half a pass more than one."""
        objective, parameters = self.objective, self.objective.parameters
        curvature, total = self._ready
        change = objective.rows.sum(kernels.product, curvature, *parameters.push_forward(self.x, v))
        _, slope, bend, gradient = total
        result = parameters.pull_back(self.x, *change)
        if not objective.loss.separable:
            result = slope * result + bend * (gradient @ v) * gradient
        if not parameters.linear:
            result = result + parameters.bend(self.x, v, *self.outer_gradient)
        return result + objective.of_penalty(self.x, v)

    def dense(self, dtype: type = np.float64, *, definite: bool = False) -> Array:
        """The matrix, from sums that are computed in ``dtype``."""
        objective, parameters = self.objective, self.objective.parameters
        if not parameters.linear:
            return np.stack([self.apply(axis) for axis in np.eye(parameters.size)])
        coef, intercept = parameters.on_rows(self.x)
        (matrix,) = objective.rows.sum(
            kernels.dense_hessian,
            objective.composition,
            coef,
            intercept,
            parameters.transform,
            parameters.fit_intercept,
            self.convex,
            dtype,
            entries=parameters.size**2,
        )
        if not objective.loss.separable:
            matrix *= self._ready[1][1]
        matrix.flat[:: len(matrix) + 1] += objective.strengths
        return self._with_common_shift(matrix) if definite else matrix

    def diagonal(self) -> Array:
        """The diagonal as the columns' variances and the mean curvature make it out; no pass over X."""
        objective, parameters = self.objective, self.objective.parameters
        mean = np.reshape(self.sizes[1], (-1, 1))
        diagonal = mean * parameters.variance
        if parameters.fit_intercept:
            diagonal = np.column_stack([diagonal, mean])
        return parameters.of_classes(diagonal) + objective.strengths

    def of_class(self, k: int, dtype: type = np.float64) -> Array:
        """The block of one of the classes, the intercept last, with every row's curvature made positive."""
        parameters, objective = self.objective.parameters, self.objective
        matrix = self._gram_of_class(k, dtype) if self._even is None else self._even[0][k] * self._even[1]
        matrix.flat[:: len(matrix) + 1] += parameters.by_class(objective.strengths)[k]
        return matrix

    @property
    def is_even(self) -> bool:
        """Whether every row has the same curvature, as without any weights: the classes then share a Gram matrix."""
        return self._even is not None

    @cached_property
    def _even(self) -> tuple[Array, Array] | None:
        _, _, largest, less_smallest = self.sizes
        sizes = np.atleast_1d(largest.array)
        if not ((sizes == -np.atleast_1d(less_smallest.array)).all() and (sizes > 0.0).all()):
            return None
        return sizes / sizes[0], self._gram_of_class(0, np.float64)

    def _gram_of_class(self, k: int, dtype: type) -> Array:
        parameters = self.objective.parameters
        (matrix,) = self.objective.rows.sum(
            kernels.class_gram,
            self.sizes[0],
            k,
            parameters.transform,
            parameters.fit_intercept,
            dtype,
            passes=0,
            entries=parameters.n_features**2,
        )
        return matrix

    def between_and_within(self) -> tuple[Array, Array]:
        """The mean curvature between classes (K, K), definite, and the mean of (row row') by the rows' curvature."""
        objective, parameters = self.objective, self.objective.parameters
        between, total, gram = objective.rows.sum(
            kernels.between_and_within,
            objective.composition,
            self.scores,
            parameters.transform,
            parameters.fit_intercept,
            passes=0,
        )
        return with_common_shift(between), gram / total

    def without_common_shift(self, vector: Array) -> Array:
        """The vector's part in which the classes differ."""
        if self.objective.n_outputs == 1 or not self.objective.parameters.linear:
            return vector
        parameters = self.objective.parameters
        return parameters.of_classes(differences(parameters.by_class(vector)))

    @cached_property
    def sizes(self) -> tuple[PerRow, Array, Largest, Largest]:
        """The sizes of the diagonals of every row's Hessian in its scores, their mean, largest, and less the least."""
        return self.objective.rows.each(kernels.sizes_of_diagonal, self.objective.composition, self.scores, passes=0)

    @cached_property
    def _ready(self) -> tuple[PerRow, tuple]:
        """Every row's second derivatives, and the mean loss and its transformation with their derivatives."""
        objective = self.objective
        (curvature,) = objective.rows.each(kernels.curvature, objective.composition, self.scores, passes=0)
        if objective.loss.separable:
            return curvature, (np.nan, 1.0, 0.0, 0.0)
        here = objective.at_scores(self.scores)
        _, slope, bend = objective.loss.total(here.mean)
        return curvature, (here.mean, slope, bend, objective.adjoint(here.dual, self.x))

    @cached_property
    def outer_gradient(self) -> tuple[Array, Array]:
        """The gradient of F in what the parameters are mapped to."""
        if self._known is not None:
            return self._known.outer_gradient
        objective = self.objective
        coef, _ = objective.parameters.on_rows(self.x)
        here = objective.at_scores(self.scores)
        sums = objective.rows.sum(kernels.pulled_back, here.dual, passes=0.5)
        return objective.put_together(self.x, coef, here.mean, *sums)[1]

    def _with_common_shift(self, matrix: Array) -> Array:
        n_outputs, n_weights = self.objective.n_outputs, self.objective.n_weights
        if n_outputs > 1:
            for part in (matrix[:n_weights, :n_weights], matrix[n_weights:, n_weights:]):
                size = len(part) // n_outputs
                mean = part.diagonal().reshape(n_outputs, size).mean(axis=0)
                of_pairs = part.reshape(n_outputs, size, n_outputs, size)
                np.einsum("kjlj->klj", of_pairs)[...] += mean / n_outputs
        return matrix


def with_common_shift(between: Array) -> Array:
    """A curvature between classes, (K, K), with some along the common shift of them all, which has none of its own."""
    return between + np.trace(between) / len(between) ** 2 if len(between) > 1 else between


def differences(by_class: Array) -> Array:
    """Rows of the classes without what they have in common."""
    return by_class - by_class.mean(axis=0)
