"""An objective of some features, the others' weights being zero: what a working set is minimised on."""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from ..data import PerRow
from ..losses.on_scores import Array, LossOnScores
from ..solvers.cholesky import regular_factor
from ..solvers.feature_sweeps import Columns
from ..solvers.feature_sweeps.columns import AVAILABLE, SWEEPS
from . import kernels
from .objective import Objective
from .scaled import TYPICAL_CURVATURE
from .secants import Secants

LEAST_BEND = 0.1  # of the mean curvature, that rows without any are given far from the minimum
NEARER = 0.2  # what is left of the distance to the minimum after a step
FEW_ENTRIES, MOSTLY_FULL = 1e5, 3.0  # of sparse rows that are written out: so many, or this many for each one stored
NEARLY_NONE = 1e-9  # of the mean diagonal, which keeps a singular Hessian definite
FEW_NEW = 0.4  # share of the features: products of so few with all take less time than those of all


class FeaturePart:
    """The function, its Hessian, and the way from its vectors to those of all features.

    Parameters
    ----------
    model : Objective
        Of all features.
    features : ndarray of intp
        Some of them, rising.
    convex : bool
        Whether the loss is, in the scores.
    known : FeaturePart, optional
        Of other features of the same model, whose Gram matrix is of use where that stays.
    """

    def __init__(self, model: Objective, features: NDArray[np.intp], *, convex: bool, known: FeaturePart | None = None):
        self.model, self.features, self.convex = model, features, convex
        rows = model.rows.columns(features)
        part = model.replaced(
            rows=rows, penalty=model.penalty.take(features), parameters=model.parameters.of_features(features)
        )
        few = rows.n_rows * rows.n_features <= max(FEW_ENTRIES, MOSTLY_FULL * rows.n_entries)
        self.is_written = few if rows.is_sparse else not is_parabola(part)
        self.objective = part.written() if self.is_written else part
        self._columns = None if self.is_written or not sweeps_pay(part) else part.parameters.columns(rows.csc())
        self.penalty = self.objective.parameters.penalty(self.objective.penalty)
        self.rest = 1.0  # how far the minimum is, relative to the value: less and less is added to what is not curved
        self._scores: tuple[Array, PerRow] | None = None  # where they were asked for last
        self._last: tuple[Array, Array] | None = None
        self._known: tuple[NDArray[np.intp], Array] | None = None
        if known is not None and known._last is not None and self.is_parabola and not rows.is_sparse:
            self._known = known.features, known._last[1]
        self._secants: Secants | None = None

    def with_composition(self, composition: LossOnScores) -> FeaturePart:
        """The same features of another function of the scores."""
        part = copy(self)
        part.model = self.model.replaced(composition=composition)
        part.objective = self.objective.replaced(composition=composition)
        part._last = part._secants = None
        return part

    def with_penalty_of(self, model: Objective) -> FeaturePart:
        """The same features of the same function with another penalty."""
        part, penalty = copy(self), model.penalty.take(self.features)
        if self.is_written:
            penalty = model.parameters.of_features(self.features).penalty(penalty)
        part.model, part.objective = model, self.objective.replaced(penalty=penalty)
        part.penalty = part.objective.parameters.penalty(penalty)
        return part

    @property
    def is_parabola(self) -> bool:
        """Whether the function is one (`is_parabola`)."""
        return is_parabola(self.objective)

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """F and its gradient in these features."""
        known, value, gradient = self.objective.known_value_and_gradient(x)
        self._scores = x.copy(), known.scores
        return value, gradient

    def scores(self, x: Array) -> PerRow:
        """All rows' scores: those of the last point are known."""
        if self._scores is None or not np.array_equal(self._scores[0], x):
            self._scores = x.copy(), self.objective.scores(x)
        return self._scores[1]

    def value_and_gradient_of_all(self, x: Array) -> tuple[float, Array]:
        """F and its gradient in all features, where no other has a weight: the scores are those of these features."""
        scores = self.scores(self.of_all(x)).gathered()
        here = self.model.at_scores(self.model.rows.spread(scores))
        return self.model.from_dual(x, here.mean, here.dual)

    def has_all_of(self, x: Array) -> bool:
        """Whether all weights of a vector are among these."""
        coef, _ = self.model.parameters.split(x)
        return np.count_nonzero(coef) == np.count_nonzero(coef[:, self.features])

    @property
    def work(self) -> float:
        """Multiplications that a Hessian takes."""
        return float(self.objective.rows.n_rows) * self.objective.n_parameters**2

    def of_all(self, x: Array) -> Array:
        """A vector of all features as one of these."""
        coef, intercept = self.model.parameters.split(x)
        return self.objective.parameters.join(coef[:, self.features], intercept)

    def to_all(self, x: Array) -> Array:
        """The vector of all features that a vector of these is."""
        some, intercept = self.objective.parameters.split(x)
        coef = np.zeros((self.model.n_outputs, self.model.rows.n_features))
        coef[:, self.features] = some
        return self.model.parameters.join(coef, intercept)

    def hessian(self, x: Array) -> Array | Columns:
        """The Hessian of what is smooth, with the penalty's squares; a guess from gradients where it is not known."""
        if not self.objective.composition.has_curvature:
            if self._secants is None:
                self._secants = Secants(self)
            return self._secants.at(x)
        if self.is_parabola:
            return self._constant()
        scores = self.scores(x)
        if self.convex:
            return self._definite_at(scores)
        # near a minimum the Hessian is definite although the rows' are not
        matrix = self._with_penalty(self._gram(self._bends(scores, made_positive=False)))
        return matrix if self._is_definite(matrix, x) else self._definite_at(scores)

    def _is_definite(self, matrix: Array, x: Array) -> bool:
        """Whether it is, but for the common shift of the classes, with the bend of the penalty's kinks."""
        n_weights, shape = self.objective.n_weights, (self.objective.n_outputs, -1)
        whole = matrix + 1e3 * NEARLY_NONE * float(np.abs(matrix.diagonal()).mean()) * np.eye(len(matrix))
        coef, kink = x[:n_weights].reshape(shape), self.penalty.kink()
        if not kink.by_weight:
            axes = np.eye(n_weights).reshape(n_weights, *coef.shape)
            whole[:n_weights, :n_weights] += [kink.hessian_product(coef, axis).ravel() for axis in axes]
        return regular_factor(whole, unexplained=NEARLY_NONE) is not None

    def _bends(self, scores: PerRow, *, made_positive: bool) -> Array:
        """Every row's curvature."""
        rows, composition = self.objective.rows, self.objective.composition
        return rows.each(kernels.bends, composition, scores, made_positive, passes=0)[0].gathered()

    def _definite_at(self, scores: PerRow) -> Array | Columns:
        """The Hessian, with every row's curvature made positive."""
        objective, every = self.objective, self._bends(scores, made_positive=not self.convex)
        sizes = every if every.ndim == 1 else np.einsum("nii->n", every) / objective.n_outputs
        lacking = np.maximum(self._least_bend(sizes, scores) - sizes, 0.0)
        if lacking.any():
            every = every + (lacking if every.ndim == 1 else lacking[:, None, None] * np.eye(objective.n_outputs))
        if self._columns is not None:
            return self._by_columns(every)
        matrix = self._gram_of(every)
        if not objective.loss.separable:
            here = objective.at_scores(scores)
            _, slope, bend = objective.loss.total(here.mean)
            pulled = objective.adjoint(here.dual)
            matrix = slope * matrix + bend * np.outer(pulled, pulled)
        return self._with_penalty(matrix)

    def _least_bend(self, bends: Array, scores: PerRow) -> float:
        """A curvature for rows that have none, which far from the minimum may come to have some."""
        mean = float(self.objective.rows.weights_of(slice(None)) @ bends)
        if mean <= 0.0:  # a line: it may bend as far away as the scores are wide
            slope = float(self.objective.at_scores(scores).size.max()) or TYPICAL_CURVATURE
            mean = slope / (1.0 + self.objective.largest(scores))
        least = min(LEAST_BEND, 10.0 * self.rest) * mean
        self.rest *= NEARER  # steps do as well, until less and less of it is left
        return least

    def _by_columns(self, bends: Array) -> Columns:
        assert self._columns is not None
        objective = self.objective
        curvature, squares = objective.rows.weights_of(slice(None)) * bends, objective.strengths[: objective.n_weights]
        return Columns(*self._columns, curvature, squares, intercept=objective.fit_intercept)

    def _constant(self) -> Array | Columns:
        """That of a parabola, as it is."""
        rows = self.objective.rows
        if self._last is None:
            bends = self._bends(rows.spread(np.zeros(rows.n_rows)), made_positive=False)  # which no scores change
            if self._columns is not None:
                return self._by_columns(bends)
            self._last = bends, self._gram_with_known(bends)
        matrix, strengths = self._last[1], self.objective.strengths
        if strengths.any():
            matrix = matrix.copy()
            matrix.flat[:: len(matrix) + 1] += strengths
        return matrix

    def _gram_of(self, bends: Array) -> Array:
        """The Gram matrix by these curvatures, kept for as long as they do not change."""
        if self._last is None or not np.array_equal(self._last[0], bends):
            self._last = bends, self._gram(bends)
        return self._last[1]

    def _gram_with_known(self, bends: Array) -> Array:
        """The Gram matrix of a parabola, of which that of other features may be a part."""
        objective, known, self._known = self.objective, self._known, None
        if known is None:
            return self._gram(bends)
        features, matrix_of_known = known
        is_new = np.zeros(objective.n_parameters, dtype=bool)
        is_new[: len(self.features)] = ~np.isin(self.features, features)
        new, old = np.flatnonzero(is_new), np.flatnonzero(~is_new)
        if len(new) > FEW_NEW * len(self.features):
            return self._gram(bends)
        there = np.append(np.searchsorted(features, self.features), len(features))[old]
        matrix = np.empty((objective.n_parameters,) * 2)
        matrix[np.ix_(old, old)] = matrix_of_known[np.ix_(there, there)]
        arguments = objective.rows.spread(bends), objective.parameters.transform, objective.fit_intercept, new
        (matrix[new],) = objective.rows.sum(kernels.gram_of_some, *arguments, passes=0)
        matrix[:, new] = matrix[new].T
        return matrix

    def _with_penalty(self, matrix: Array) -> Array:
        some = np.zeros(len(matrix))
        some[: self.objective.n_weights] = NEARLY_NONE * float(matrix.diagonal().mean())
        matrix = matrix.copy()
        matrix.flat[:: len(matrix) + 1] += self.objective.strengths + some
        return matrix

    def _gram(self, bends: Array) -> Array:
        objective, parameters = self.objective, self.objective.parameters
        curvature = objective.rows.spread(bends)
        if not objective.rows.is_sparse:
            arguments = curvature, parameters.transform, objective.fit_intercept, np.float64
            return objective.rows.sum(kernels.curved_gram, *arguments, passes=0, entries=parameters.size**2)[0]
        if objective.n_outputs == 1:
            return objective.parameters.gram(*objective.rows.sum(kernels.sparse_gram, curvature, passes=0))
        return self._of_pairs(bends)

    def _of_pairs(self, bends: Array) -> Array:
        objective = self.objective
        n_outputs, width = objective.n_outputs, objective.rows.n_features
        matrix = np.empty((objective.n_parameters,) * 2)
        ends = [np.arange(k * width, (k + 1) * width) for k in range(n_outputs)]
        if objective.fit_intercept:
            ends = [np.append(end, n_outputs * width + k) for k, end in enumerate(ends)]
        for k in range(n_outputs):
            for j in range(k + 1):
                curvature = objective.rows.spread(bends[:, k, j])
                part = objective.parameters.gram(*objective.rows.sum(kernels.sparse_gram, curvature, passes=0))
                matrix[np.ix_(ends[k], ends[j])] = part
                matrix[np.ix_(ends[j], ends[k])] = part
        return matrix


def sweeps_pay(model: Objective) -> bool:
    """Whether Newton's steps are found by sweeps over sparse columns, in less time than from their Gram matrix."""
    rows, composition = model.rows, model.composition
    if not (AVAILABLE and model.penalty.swept == "weights" and rows.n_outputs == 1):
        return False
    if not rows.has_matrix or rows.lengths is not None:
        return False
    if not (model.loss.separable and model.loss.smooth):  # curvatures that come and go with the rows want whole steps
        return False
    by_gram = rows.n_entries**2 / rows.n_rows + SWEEPS * rows.n_features**2
    return composition.convex and composition.has_curvature and 2.0 * SWEEPS * rows.n_entries < by_gram


def is_parabola(objective: Objective) -> bool:
    """Whether an objective is one, but for the penalty's kink."""
    return objective.composition.quadratic and objective.loss.separable and objective.n_outputs == 1
