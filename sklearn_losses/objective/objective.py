"""The objective: rows, a loss on scores, a penalty and parameters, put together."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data import PerRow, Rows
from ..data.sparse_gram import sparse_moments
from ..losses import Loss
from ..losses.on_scores import Array, LossOnScores
from . import kernels
from .hessian import Hessian
from .parameters import AsTheyAre, Parameters
from .penalties import Penalty
from .scaled import conditioned

WRITTEN_AT_ONCE = 4_000_000  # entries of some of the rows, 32 MB


class AtScores(NamedTuple):
    """The mean loss at given scores, every row's slopes there, their weighted sums and those of their sizes, (K,)."""

    mean: float
    dual: PerRow
    total: Array
    size: Array


class Known(NamedTuple):
    """What a value and a gradient leave behind for the Hessian at their point."""

    scores: PerRow
    outer_gradient: tuple[Array, Array]  # in what the parameters are mapped to


class Objective:
    r"""What a fit minimises, as a function of one flat parameter vector.

    .. math:: F(W, b) = \frac{\sum_i s_i \ell(y_i, \phi(x_i W' + b))}{\sum_i s_i} + \mathrm{penalty}(W)

    The intercept b is not penalised. A parameter vector theta is W row by row, then b; `pack` and `unpack`
    translate. Made by the estimators' ``objective(X, y)``; minimise it with any optimiser you like.

    It never changes; `conditioned`, `written`, `only` and `replaced` return new objectives, whose vectors may be others
    (`Parameters`): `to_theta` and `from_theta` translate these.

    Parameters
    ----------
    rows : Rows
        The data, with targets and weights.
    loss : Loss
        For what it declares, and the mean's transformation (`Loss.total`).
    composition : LossOnScores
        The loss on scores.
    penalty : Penalty
        Of the coefficients.
    fit_intercept : bool
        Whether there is a b.
    regression : bool
        Whether `unpack` returns coefficients (p,) and a float.
    parameters : Parameters, optional
        What a vector means; W and b themselves by default.

    Attributes
    ----------
    n_parameters : int
        Length of theta.
    """

    def __init__(
        self,
        rows: Rows,
        *,
        loss: Loss,
        composition: LossOnScores,
        penalty: Penalty,
        fit_intercept: bool,
        regression: bool = False,
        parameters: Parameters | None = None,
    ):
        self.rows, self.loss, self.composition, self.penalty = rows, loss, composition, penalty
        self.fit_intercept, self.regression = fit_intercept, regression
        self.n_outputs = rows.n_outputs
        self.parameters = parameters or AsTheyAre(rows.n_features, rows.n_outputs, fit_intercept)
        self.n_weights, self.n_parameters = self.parameters.n_weights, self.parameters.size

    def replaced(
        self,
        *,
        rows: Rows | None = None,
        loss: Loss | None = None,
        composition: LossOnScores | None = None,
        penalty: Penalty | None = None,
        parameters: Parameters | None = None,
    ) -> Objective:
        """The same objective with other rows, another loss, another penalty or other parameters."""
        return Objective(
            rows or self.rows,
            loss=loss or self.loss,
            composition=composition or self.composition,
            penalty=penalty or self.penalty,
            fit_intercept=self.fit_intercept,
            regression=self.regression,
            parameters=parameters or (self.parameters if rows is None else None),
        )

    def conditioned(self, statistics: tuple[Array, Array] | None = None) -> Objective:
        """The same function in parameters that scale and offset of the columns do not reach.

        The `Rows.statistics` are read from the rows, unless they are known. Parameters that are not linear stay.
        """
        if not self.parameters.linear:
            return self
        rows, parameters = conditioned(self.rows, self.penalty, self.fit_intercept, statistics)
        return self.replaced(rows=rows, parameters=parameters)

    def written(self, indices: NDArray[np.intp] | slice = slice(None), weights: Array | None = None) -> Objective:
        """The function over some rows (all by default), copied and written out in these parameters.

        Their weights stay what they are, unless others are given.
        """
        parameters = self.parameters
        rows = self.rows.written(parameters.transform, indices)
        return self.replaced(
            rows=rows if weights is None else rows.with_weights(weights),
            penalty=parameters.penalty(self.penalty),
            parameters=parameters.for_written(),
        )

    def only(self, indices: NDArray[np.intp]) -> Objective:
        """The function's terms for some rows, with their weights as they are."""
        return self.replaced(rows=self.rows.only(indices), parameters=self.parameters)

    @property
    def n_passes(self) -> float:
        """Passes over the data so far."""
        return self.rows.meter.passes

    @cached_property
    def strengths(self) -> Array:
        """How strongly convex the penalty is in every parameter, zero for intercepts."""
        convexity = self.parameters.penalty(self.penalty).convexity(self.rows.n_features)
        return np.concatenate([np.tile(convexity, self.n_outputs), np.zeros(self.n_parameters - self.n_weights)])

    # Translations

    def pack(self, coef: ArrayLike, intercept: ArrayLike = 0.0) -> Array:
        """The parameter vector of coefficients (1, p), (K, p) or (p,) and an intercept (1,), (K,) or a float."""
        coef = np.array(coef, dtype=np.float64)
        if coef.size != self.n_weights:
            raise ValueError(f"coef must hold {self.n_outputs} x {self.rows.n_features} numbers; got {coef.size}.")
        return self.parameters.of_model(
            coef.reshape(self.n_outputs, -1), np.broadcast_to(intercept, self.n_outputs).astype(np.float64)
        )

    def unpack(self, theta: ArrayLike) -> tuple[Array, Array | float]:
        """Coefficients and intercept, of the fitted attributes' shapes; an intercept of zero where there is none."""
        coef, intercept = self.parameters.model(np.asarray(theta, dtype=np.float64))
        return (coef[0], float(intercept[0])) if self.regression else (coef, intercept)

    def to_theta(self, x: Array) -> Array:
        """W and b, for the rows as they came, as a vector."""
        return self.parameters.join(*self.parameters.model(x))

    def from_theta(self, theta: Array) -> Array:
        """Where such a vector is in these parameters."""
        return self.parameters.of_model(*self.parameters.split(theta))

    # The function and its derivatives

    def value(self, theta: ArrayLike) -> float:
        """F at theta."""
        return self.value_and_gradient(theta)[0]

    def value_and_gradient(self, theta: ArrayLike) -> tuple[float, Array]:
        """F and its gradient, in one pass over the data."""
        x = _numbers(theta)
        coef, intercept = self.parameters.on_rows(x)
        sums = self.rows.sum(kernels.value_and_gradient, self.composition, coef, intercept)
        value, _, gradient = self.put_together(x, coef, *sums)
        return value, gradient

    def known_value_and_gradient(self, x: Array) -> tuple[Known, float, Array]:
        """What the Hessian can use of them, with the scores of all rows, and the same; still one pass."""
        coef, intercept = self.parameters.on_rows(x)
        scores, *sums = self.rows.each(kernels.scored_value_and_gradient, self.composition, coef, intercept)
        value, outer, gradient = self.put_together(x, coef, *sums)
        return Known(scores, outer), value, gradient

    def hessian_product(self, theta: ArrayLike, v: ArrayLike) -> Array:
        """The Hessian of F at theta times a vector.

        Raises
        ------
        ValueError
            When the loss has no curvature.
        """
        return self.hessian(_numbers(theta)).apply(_numbers(v))

    def hessian(self, x: Array, *, convex: bool = True, known: Known | None = None) -> Hessian:
        """The Hessian of F as an operator, perhaps at a point of which something is known."""
        return Hessian(self, x, convex=convex, known=known)

    def require_curvature(self) -> None:
        """Raise a ValueError where the loss has none."""
        if not self.composition.has_curvature:
            raise ValueError(
                f"{self.loss} has no curvature(y, prediction), so its Hessian is not known. Give it one, or use a "
                "solver that needs gradients only."
            )

    # In two halves, by way of the scores

    def scores(self, x: Array) -> PerRow:
        """All rows' scores, (n,) or (n, K)."""
        coef, intercept = self.parameters.on_rows(x)
        return self.rows.each(kernels.scores, coef, intercept, passes=0.5)[0]

    def at_scores(self, scores: PerRow, shift: Array | float = 0.0) -> AtScores:
        """The losses at scores to which a shift, a number or one a score, is added; no pass over X."""
        dual, mean, total, size = self.rows.each(
            kernels.slopes, self.composition, scores, self._per_output(shift), passes=0
        )
        return AtScores(
            float(mean), dual, np.reshape(total, self.parameters.n_scores), np.reshape(size, self.parameters.n_scores)
        )

    def largest(self, scores: PerRow) -> float:
        """The size of the largest score."""
        return float(self.rows.sum(kernels.largest, scores, passes=0)[0].array)

    def losses(self, scores: PerRow, shift: Array | float = 0.0) -> PerRow:
        """Every row's loss there."""
        return self.rows.each(kernels.losses, self.composition, scores, self._per_output(shift), passes=0)[0]

    def mean_curvature(self, scores: PerRow, shift: Array | float = 0.0) -> Array:
        """The mean curvature there, (K, K), with some along the common shift of classes that has none."""
        (matrix,) = self.rows.sum(kernels.mean_curvature, self.composition, scores, self._per_output(shift), passes=0)
        return matrix + np.trace(matrix) / self.n_outputs**2 if self.n_outputs > 1 else matrix

    def targets(self) -> Array:
        """All rows' targets, as losses take them."""
        return self.rows.each(kernels.all_targets, passes=0)[0].gathered()

    def gram(self, indices: NDArray[np.intp] | slice, curvature: Array, dtype: type = np.float64) -> Array:
        """The weighted sum over some rows of curvature (m,) or (m, K, K) x (row row'), in these parameters.

        The products are computed in ``dtype``.
        """
        if curvature.ndim == 1 and self.parameters.linear:
            moments = sparse_moments(self.rows, indices, curvature)
            if moments is not None:
                return self.parameters.gram(*moments).astype(dtype, copy=False)
        # of all dense rows the blocks are written out one by one, which leaves no copy of them
        if isinstance(indices, slice) and indices == slice(None) and not self.rows.is_sparse:
            return self._gram_of_all(curvature, dtype)
        size = max(WRITTEN_AT_ONCE // self.rows.n_features, 1)
        meant = np.arange(self.rows.n_rows)[indices]
        parts = [slice(start, start + size) for start in range(0, len(meant), size)] or [slice(0)]
        matrix = self.written(meant[parts[0]])._gram_of_all(curvature[parts[0]], dtype)
        for part in parts[1:]:
            matrix += self.written(meant[part])._gram_of_all(curvature[part], dtype)
        return matrix

    def _gram_of_all(self, curvature: Array, dtype: type) -> Array:
        (matrix,) = self.rows.sum(
            kernels.curved_gram,
            self.rows.spread(curvature),
            self.parameters.transform,
            self.fit_intercept,
            dtype,
            passes=0,
            entries=self.n_parameters**2,
        )
        return matrix

    def adjoint(self, dual: PerRow, x: Array | None = None) -> Array:
        """The transpose of `scores` at x, weighted: the sum over rows of weight x dual x row as a gradient.

        The point matters where the parameters are not linear.
        """
        coef, intercept = self.rows.sum(kernels.pulled_back, dual, passes=0.5)
        self._see(coef)
        return self.parameters.pull_back(np.empty(0) if x is None else x, coef, intercept)

    def from_dual(self, x: Array, mean: float, dual: PerRow) -> tuple[float, Array]:
        """F and its gradient at x, from the mean loss there and every row's slopes."""
        coef, _ = self.parameters.on_rows(x)
        sums = self.rows.sum(kernels.pulled_back, dual, passes=0.5)
        value, _, gradient = self.put_together(x, coef, mean, *sums)
        return value, gradient

    def of_penalty(self, x: Array, v: Array) -> Array:
        """The penalty's Hessian at x times a vector."""
        coef, _ = self.parameters.on_rows(x)
        change, _ = self.parameters.push_forward(x, v)
        of_coef = self.penalty.hessian_product(coef, change)
        return self.parameters.pull_back(x, of_coef, np.zeros(self.parameters.n_scores))

    def put_together(
        self, x: Array, coef: Array, mean: float, of_coef: Array, of_intercept: Array
    ) -> tuple[float, tuple[Array, Array], Array]:
        """F, its gradient in coefficients and intercepts, and the one in x, from the mean loss and its gradient."""
        self._see(of_coef)
        # an infinite or undefined F is an answer that solvers understand; they step back from it
        with np.errstate(over="ignore", invalid="ignore"):
            value, slope, _ = self.loss.total(float(mean))
            value += self.penalty.value(coef)
            outer = slope * of_coef + self.penalty.gradient(coef), slope * of_intercept
            return value, outer, self.parameters.pull_back(x, *outer)

    def _see(self, total: Array) -> None:
        # a sum over all entries is finite only if they are
        meter = self.rows.meter
        if not meter.known_finite:
            meter.known_finite = bool(np.isfinite(total).all())

    def _per_output(self, shift: Array | float) -> Array:
        return np.broadcast_to(np.asarray(shift, dtype=np.float64), self.parameters.n_scores)


def _numbers(vector: ArrayLike) -> Array:
    """A vector side by side in memory: some kinds of BLAS sum one with strides in another order."""
    return np.ascontiguousarray(vector, dtype=np.float64)
