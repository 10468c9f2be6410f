r"""What is known for certain about a point: one bound on F - min F.

The data term L is convex in all scores z, so it lies above its tangents. With the slopes a of one of them, shares
:math:`\rho_i` that make them sum to zero over the rows for every intercept (`balance`), :math:`v = -X'(\rho a)` and a
lower bound m of the losses,

.. math::
    F(x) - \min F \le \mathrm{pen}(x) + \mathrm{pen}^*(v) - v'x + \sum_i s_i (1 - \rho_i) (\ell_i - m) .

Where the penalty is quadratic, its part is :math:`\sum_j g_j^2 / (2 \lambda_j)` with g the gradient of F where all
shares are one. Where it is a norm, its conjugate is finite for small v only, and all shares are scaled down until v is
small enough. No share at all leaves F - m, which no bound exceeds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from ..data import PerRow
from ..losses.on_scores import Array
from ..objective.objective import Objective
from ..objective.penalties import Penalty
from .balance import CHEAP, balance, mixture, scaled
from .intercept import Slopes, best_shift, slopes_at

EPSILON = float(np.finfo(float).eps)
ROUNDING = 8.0  # of scores that should be zero, relative to the others
FINE = 1e-12  # of slopes' sizes: a sum for which no better intercept is looked for, if its price is cheap
ROUGHLY = 1e-4  # of the best share: what a bound is beside it is of second order
BESIDE = 1.0 - 1e-6  # of a share, where a bound is looked at
OF_SUMS = 4.0 * ROUNDING  # of scores where no bound tells, so that a solver would go on among them


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
        self._penalty = model.parameters.penalty(model.penalty)
        held = self._penalty.holds(model.rows.n_features)
        self._held = np.flatnonzero(held)
        self._of_held = self._penalty if held.all() else self._penalty.take(self._held)
        self._loose = np.flatnonzero(~held)

    def __call__(self, x: Array, value: float, gradient: Array) -> float:
        """The estimate that solvers stop on: the bound, if the slopes where nothing is penalised were zero.

        Intercepts, and weights without a penalty, have the part of a typical curvature.
        """
        slope, free = self.model.parameters.split(gradient)
        coef = self._weights_of(x)
        estimate = float(np.dot(free, free))
        if len(self._loose) and not self._penalty.smooth:
            left = self._penalty.least_slope(coef, slope)[:, self._loose].ravel()
            estimate += float(np.dot(left, left))
        estimate *= 0.5 / self.model.composition.typical_curvature
        if len(self._loose):
            coef, slope = coef[:, self._held], slope[:, self._held]
        above = 0.0 if self._penalty.smooth else self._above(value, coef)
        above = above if above < np.inf else abs(value)
        return estimate + self._of_shares(coef, slope, 0.0, above)

    def proof(self, x: Array, value: float, gradient: Array) -> Proof:
        """The bound at x, or at the same weights with a better intercept. At most one pass."""
        model = self.model
        if not model.fit_intercept:
            return Proof(x, value, self._drawn(x, value, gradient, 0.0))
        scores = model.scores(x)
        slopes = slopes_at(model, scores)
        if slopes.vanish:
            return Proof(x, value, self._drawn(x, value, gradient, 0.0))
        shares = balance(model, scores, 0.0, slopes) if (np.abs(slopes.total) <= FINE * slopes.size).all() else None
        if shares is not None and shares.price <= CHEAP * abs(value):
            dual = model.rows.spread(scaled(slopes.dual.gathered(), shares.shares))
            return Proof(x, value, self._drawn(x, value, model.from_dual(x, slopes.mean, dual)[1], shares.price))
        shift, slopes = best_shift(model, scores, first=slopes)
        return self._with_shift(x, value, scores, shift, slopes)

    def _with_shift(self, x: Array, value: float, scores: PerRow, shift: Array, slopes: Slopes) -> Proof:
        model = self.model
        shifted = x.copy()
        shifted[model.n_weights :] += shift
        balanced = (slopes.dual, 0.0) if slopes.vanish else self._balanced(value, scores, shift, slopes)
        if balanced is None:
            return Proof(x, value, self.at_most(value, np.inf))
        dual, price = balanced
        higher, gradient = model.from_dual(shifted, slopes.mean, dual)
        bound = self._drawn(shifted, higher, gradient, price)
        if higher <= value:
            return Proof(shifted, higher, bound)
        # both points share the lower bound of the minimum
        return Proof(x, value, self.at_most(value, max(bound - (higher - value), 0.0)))

    def _balanced(self, value: float, scores: PerRow, shift: Array, slopes: Slopes) -> tuple[PerRow, float] | None:
        """Slopes that sum to zero, and their price: shares of those at the shift, or a mixture where these are dear."""
        model, shares = self.model, balance(self.model, scores, shift, slopes)
        if shares is None or shares.price > CHEAP * abs(value):
            mixed = mixture(model, scores, slopes, shift)
            if mixed is not None and (shares is None or mixed.price < shares.price):
                return model.rows.spread(mixed.dual), mixed.price
        if shares is None:
            return None
        return model.rows.spread(scaled(slopes.dual.gathered(), shares.shares)), shares.price

    def _drawn(self, x: Array, value: float, gradient: Array, price: float) -> float:
        """The bound, from the slopes that are left of the rows' shares, which had a price."""
        coef, slope = (self._weights_of(vector)[:, self._held] for vector in (x, gradient))
        above = 0.0 if self._penalty.smooth else self._above(value, coef)
        return self.at_most(value, max(self._of_shares(coef, slope, price, above), 0.0))

    def _weights_of(self, x: Array) -> Array:
        return self.model.parameters.split(x)[0]

    def _above(self, value: float, coef: Array) -> float:
        """What the data term is above its lower bound; infinite where it has none."""
        loss = self.model.loss
        if loss.lower_bound is None:
            return np.inf
        return max(value - self._of_held.value(coef) - loss.total(loss.lower_bound)[0], 0.0)

    def _of_shares(self, coef: Array, slope: Array, price: float, above: float) -> float:
        """The least bound over one more share of all slopes."""
        penalty = self._of_held
        if penalty.smooth:
            return penalty.gap_by_gradient(coef, slope) + price
        kink = penalty.gradient(coef)

        def bound(share: float) -> float:
            left = (1.0 - share) * kink + share * slope
            return penalty.gap_by_gradient(coef, left) + price + ((1.0 - share) * (above - price) if share < 1 else 0.0)

        return least_over_shares(bound, penalty, kink - slope)

    def at_most(self, value: float, bound: float) -> float:
        """The smaller one of a bound and of what the losses' lower bound leaves; nan where neither is finite."""
        loss = self.model.loss
        bound = bound if np.isfinite(bound) else np.inf
        if loss.lower_bound is not None:
            bound = min(bound, value - loss.total(loss.lower_bound)[0])
        return bound if np.isfinite(bound) else np.nan


def least_over_shares(bound: Callable[[float], float], penalty: Penalty, v: Array) -> float:
    """The least value of a convex bound over the shares of slopes v that have a conjugate."""
    feasible = penalty.feasible(v)
    least = bound(feasible)
    if bound(feasible * BESIDE) >= least:  # which rises from there to smaller shares
        return least
    idle = penalty.idle(v)
    if idle < feasible:
        least = min(least, bound(idle))
        if np.isfinite(least):
            options = {"xatol": ROUGHLY * feasible}
            between = minimize_scalar(bound, bounds=(idle, feasible), method="bounded", options=options)
            least = min(least, float(between.fun))
    return least


def is_negligible(model: Objective, bound: float) -> bool:
    """Whether a bound is nothing but rounding of the scores."""
    return bound <= negligible(model)


def negligible(model: Objective, rounding: float = ROUNDING) -> float:
    """What rounding makes of an exact fit: beside the loss of a model that predicts nothing, or of rounded targets."""
    zero = model.at_scores(model.scores(np.zeros(model.n_parameters))).mean
    least = (rounding * EPSILON) ** 2 * zero
    if model.regression and model.loss.link == "identity":
        targets = model.targets()
        exact, rounded = (
            model.at_scores(model.rows.spread(scores)).mean
            for scores in (targets, targets * (1.0 + rounding * EPSILON))
        )
        least = max(least, rounded - exact)
    return model.loss.total(least)[0] if np.isfinite(least) else 0.0


def is_out_of_reach(model: Objective, value: float, tol: float) -> bool:
    """Whether rounding alone keeps the bound above the tolerance: the penalty is nothing beside the data.

    A column of size 1e30 with alpha = 1e-4 is such a case: its weight is known to all digits, but F hardly changes
    with the penalty and no bound can be drawn from it.
    """
    slope = min(abs(value), 2.0 * np.sqrt(abs(value)))
    penalised = model.strengths > 0
    variance = np.tile(model.parameters.variance, model.n_outputs)
    variance = np.concatenate([variance, np.ones(len(penalised) - len(variance))])[penalised]
    weakest = float(np.max(variance / model.strengths[penalised], initial=0.0))
    return 0.5 * (64.0 * EPSILON * slope) ** 2 * weakest > tol * abs(value)
