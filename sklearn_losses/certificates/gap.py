r"""What is known for certain about a point: one bound on F - min F.

The data term L is convex in all scores z, so it lies above its tangents. With the slopes a of one of them, shares
:math:`\rho_i` that make them sum to zero over the rows for every intercept (`balance`), :math:`v = -X'(\rho a)` and a
lower bound m of the losses,

.. math::
    F(x) - \min F \le \mathrm{pen}(x) + \mathrm{pen}^*(v) - v'x + \sum_i s_i (1 - \rho_i) (\ell_i - m)
    = \sum_j \frac{g_j^2}{2 \lambda_j} + \sum_i s_i (1 - \rho_i) (\ell_i - m) ,

with :math:`g = \lambda x - v`, the gradient of F where all shares are one. No share at all leaves F - m, which no
bound exceeds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..data import PerRow
from ..losses.on_scores import Array
from ..objective.objective import Objective
from .balance import balance
from .intercept import Slopes, best_shift, slopes_at

EPSILON = float(np.finfo(float).eps)
ROUNDING = 8.0  # of scores that should be zero, relative to the others


class Proof(NamedTuple):
    """A point, its value and a bound on the value minus the minimum; nan where none can be drawn."""

    x: Array
    value: float
    bound: float


class Gap:
    """The gap of an objective that is convex and has a penalty on all weights: an estimate, and the proof.

    Parameters
    ----------
    model : Objective
        In the parameters of its solver.
    """

    def __init__(self, model: Objective):
        self.model = model
        penalised = model.strengths > 0
        # weights without a penalty have no part in the estimate, and intercepts that of a typical curvature
        strength = np.where(np.arange(len(penalised)) < model.n_weights, np.inf, 1.0)
        self._root = np.sqrt(np.where(penalised, model.strengths, strength))
        self._penalised = penalised

    def __call__(self, x: Array, value: float, gradient: Array) -> float:
        """The estimate that solvers stop on: the bound, if the gradient in the intercept were zero."""
        scaled = gradient / self._root
        return 0.5 * float(np.dot(scaled, scaled))

    def proof(self, x: Array, value: float, gradient: Array) -> Proof:
        """The bound at x, or at the same weights with a better intercept. At most one pass."""
        model = self.model
        if not model.fit_intercept:
            return self._drawn(x, value, gradient, 0.0)
        scores = model.scores(x)
        slopes = slopes_at(model, scores)
        if slopes.vanish:
            return self._drawn(x, value, gradient, 0.0)
        shift, slopes = best_shift(model, scores)
        return self._with_shift(x, value, scores, shift, slopes)

    def _with_shift(self, x: Array, value: float, scores: PerRow, shift: Array, slopes: Slopes) -> Proof:
        model = self.model
        shifted = x.copy()
        shifted[model.n_weights :] += shift
        dual, price = slopes.dual, 0.0
        if not slopes.vanish:
            balanced = balance(model, scores, shift, slopes)
            if balanced is None:
                return self._drawn(x, value, np.full(x.shape, np.nan), np.inf)
            every, shares, price = dual.gathered(), balanced.shares, balanced.price
            dual = model.rows.spread(every * (shares if every.ndim == 1 else shares[:, None]))
        higher, gradient = model.from_dual(shifted, slopes.mean, dual)
        if higher <= value:
            return self._drawn(shifted, higher, gradient, price)
        # both points share the lower bound of the minimum
        return self._drawn(x, value, gradient, price - (higher - value))

    def _drawn(self, x: Array, value: float, gradient: Array, price: float) -> Proof:
        scaled = gradient[self._penalised] / self._root[self._penalised]
        bound = max(0.5 * float(np.dot(scaled, scaled)) + price, 0.0)
        return Proof(x, value, self.at_most(value, bound))

    def at_most(self, value: float, bound: float) -> float:
        """The smaller one of a bound and of what the losses' lower bound leaves; nan where neither is finite."""
        loss = self.model.loss
        bound = bound if np.isfinite(bound) else np.inf
        if loss.lower_bound is not None:
            bound = min(bound, value - loss.total(loss.lower_bound)[0])
        return bound if np.isfinite(bound) else np.nan


def is_negligible(model: Objective, bound: float) -> bool:
    """Whether a bound is nothing but rounding beside the loss of a model that predicts nothing."""
    zero = model.at_scores(model.scores(np.zeros(model.n_parameters))).mean
    return bound <= model.loss.total((ROUNDING * EPSILON) ** 2 * zero)[0]


def is_out_of_reach(model: Objective, value: float, tol: float) -> bool:
    """Whether rounding alone keeps the bound above the tolerance: the penalty is nothing beside the data.

    A column of size 1e30 with alpha = 1e-4 is such a case: its weight is known to all digits, but F hardly changes
    with the penalty and no bound can be drawn from it.
    """
    slope = min(value, 2.0 * np.sqrt(abs(value)))
    penalised = model.strengths > 0
    variance = np.tile(model.parameters.variance, model.n_outputs)
    variance = np.concatenate([variance, np.ones(len(penalised) - len(variance))])[penalised]
    weakest = float(np.max(variance / model.strengths[penalised], initial=0.0))
    return 0.5 * (64.0 * EPSILON * slope) ** 2 * weakest > tol * abs(value)
