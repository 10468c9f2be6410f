r"""A bound on F - min F for tall data that does not pay for a small penalty with passes over all rows.

A convex loss lies above its tangents. With the tangent at x in place of the loss of every row outside of a sample S,

.. math:: F(y) \ge G(y) = F(x) + \nabla F(x)' (y - x) + D_S(y, x) + \frac{1}{2} \|y - x\|^2_{\mathrm{penalty}} ,

where D_S, the Bregman divergence of the sample's part of F, keeps its curvature. So min G is below min F, and finding
it takes passes over the sample only. Where the bound by the gradient alone knows no curvature but the penalty's, this
one knows a share of the true one.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from ..losses.on_scores import Array
from ..objective.objective import Objective
from ..objective.preconditioners import ByClassInverse, DenseInverse
from ..solvers import quasi_newton
from .gap import EPSILON, Gap, Proof, is_out_of_reach
from .intercept import best_shift, slopes_at

SHARE = 0.5  # of what the tolerance leaves that may be lost in finding the minimum of G
FAST = 0.1  # share of the gap that a step may leave for another one to be tried
STEPS = 30  # at most; one or two are nearly always enough


class SampledBound:
    """The bound as a function ``(x, value, gradient)`` for solvers; far from the optimum an estimate of it.

    Parameters
    ----------
    model : Objective
        The problem on all rows.
    part : Objective
        Some of its rows.
    weights : ndarray
        The weights of these rows in the problem.
    inverse : DenseInverse or ByClassInverse
        An approximate inverse Hessian of the problem near its optimum.
    tol : float
        The gap that is to be proved, relative to the value.
    """

    def __init__(
        self,
        model: Objective,
        part: Objective,
        weights: Array,
        inverse: DenseInverse | ByClassInverse,
        tol: float,
    ):
        self._everywhere = Gap(model)
        self._part = part.replaced(rows=part.rows.with_weights(weights), parameters=part.parameters)
        self._inverse, self._tol = inverse.of_share(float(weights.sum())), tol
        self._least = -np.inf  # the largest lower bound of min F so far, which bounds the value of every point

    def __call__(self, x: Array, value: float, gradient: Array) -> float:
        estimate = 0.5 * float(gradient @ self._inverse(gradient))
        wanted = self._tol * abs(value)
        if not estimate <= wanted or is_out_of_reach(self._everywhere.model, value, self._tol):
            return estimate
        if not self._proved(value) <= wanted:
            self._least = max(self._least, value - self.from_sample(x, gradient, SHARE * (wanted - estimate)))
        return self._proved(value)

    def proof(self, x: Array, value: float, gradient: Array) -> Proof:
        """x, its value, and the bound: that of all rows where the sample did not prove enough."""
        self(x, value, gradient)
        bound = self._proved(value)
        if bound <= self._tol * abs(value):
            return Proof(x, value, self._everywhere.at_most(value, bound))
        return self._everywhere.proof(x, value, gradient)

    def _proved(self, value: float) -> float:
        """What is known of a point with this value, and the rounding of the difference."""
        return value - self._least + EPSILON * abs(value)

    def from_sample(self, x: Array, gradient: Array, slack: float) -> float:
        """G(x) less a lower bound of min G, which is found but for the slack."""
        part = self._part
        at_x, slope = part.value_and_gradient(x)
        tilt = gradient - slope
        # a Newton step or two from x are nearly always enough; far from the optimum they may leave the range of floats
        y, slope, gap = x, gradient, np.inf
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(STEPS):
                y, least, slope, bound = self._settled(y - self._inverse(slope), tilt)
                gap, last = bound, gap
                if not slack < gap < FAST * last:
                    break
        if not gap <= slack:
            _, least, _, gap = self._settled(self._lowest(x, tilt, slack), tilt)
        return at_x + float(tilt @ x) - least + gap

    def _settled(self, y: Array, tilt: Array) -> tuple[Array, float, Array, float]:
        """y with the best intercept for the sample, G there, its gradient, and the bound on G - min G."""
        part = self._part
        scores, value = part.scores(y), 0.0
        if part.fit_intercept:
            shift, slopes = best_shift(part, scores, tilt[part.n_weights :])
            y = y.copy()
            y[part.n_weights :] += shift
        else:
            slopes = slopes_at(part, scores)
        value, slope = part.from_dual(y, slopes.mean, slopes.dual)
        value, slope = value + float(tilt @ y), slope + tilt
        # without a lower bound of its own, G has one only where its slope in the intercept is zero
        exact = slopes.vanish or not part.fit_intercept
        coef, of_coef = (part.parameters.split(vector)[0] for vector in (y, slope))
        bound = part.parameters.penalty(part.penalty).gap_by_gradient(coef, of_coef) if exact else np.inf
        return y, value, slope, bound

    def _lowest(self, x: Array, tilt: Array, slack: float) -> Array:
        def tilted(y):
            value, slope = self._part.value_and_gradient(y)
            return value + float(tilt @ y), slope + tilt

        options = {
            "preconditioner": lambda y, level: self._inverse if level == 0 else None,
            "estimate": Gap(self._part),
            "tol": 0.0,
            "atol": slack,
            "maxiter": STEPS,
        }
        return minimize(tilted, x, jac=True, method=quasi_newton, options=options).x
