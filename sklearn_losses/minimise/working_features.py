"""Penalties with a kink: minimise over the features that may have a weight, and look at all of them in between.

At the minimum most weights are zero, and the slopes of all features tell which are not. So the work goes into a working
set, whose Hessian is small, and every round costs one pass over all features.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates.gap import Gap
from ..objective.objective import Objective
from ..objective.part import FeaturePart
from ..objective.penalties import Penalty
from ..solvers import proximal_newton
from ..solvers.descent import CONVERGED, MAXITER, MESSAGES, ROUNDING

Array = np.ndarray

FIRST_FEATURES = 64  # of a working set at the least, beyond the weights that are not zero
NEAR = 0.98  # of the slope at which a weight leaves zero, from which it may do so soon
SHARE = 0.1  # of the gap over all features that a working set may leave
SHARPER = 0.3  # of the tolerance
ROUNDS = 100
IDLE = 3  # rounds in a row that gain nothing


class WorkingFeatures:
    """A `scipy.optimize.minimize` method for an objective whose penalty has kinks.

    Parameters
    ----------
    model : Objective
        In the parameters of its solver.
    estimate : Gap
        Of the distance to the minimum.
    convex : bool
        Whether the loss is, in the scores.
    """

    def __init__(self, model: Objective, estimate: Gap, *, convex: bool):
        self.model, self.estimate, self.convex = model, estimate, convex
        self.penalty: Penalty = model.parameters.penalty(model.penalty)
        self.part: FeaturePart | None = None

    def __call__(self, fun, x0, args=(), *, jac, callback=None, tol, maxiter, **unknown) -> OptimizeResult:
        """Value and gradient of all features are asked of ``fun`` and ``jac``, those of some of the part they are."""
        x, nit, idle, status = np.array(x0, dtype=float), 0, 0, MAXITER
        value, gradient = fun(x), jac(x)
        left = self.estimate(x, value, gradient)
        for _ in range(ROUNDS):
            if left <= tol * abs(value):
                status = CONVERGED
                break
            if nit >= maxiter or idle >= IDLE:
                status = ROUNDING if idle >= IDLE else MAXITER
                break
            result = self._over_some(x, value, gradient, left, tol, maxiter - nit, callback)
            nit += result.nit
            before, x = value, result.x
            value, gradient = fun(x), jac(x)
            last, left = left, self.estimate(x, value, gradient)
            gained = before - value > 8.0 * np.finfo(float).eps * abs(value) or left < 0.5 * last
            idle = 0 if gained else idle + 1
            if result.status == 99:
                status = 99
                break
        said = MESSAGES[status]
        return OptimizeResult(
            x=x, fun=value, jac=gradient, nit=nit, status=status, success=status == CONVERGED, message=said, estimate=left
        )

    def _over_some(self, x, value, gradient, left, tol, maxiter, callback) -> OptimizeResult:
        part = self._part(x, gradient)
        part.rest = min(left / abs(value), 1.0) if value else 1.0
        start = part.of_all(x)

        def told(intermediate_result):
            intermediate_result.x = part.to_all(intermediate_result.x)
            callback(intermediate_result=intermediate_result)

        options = {
            "tol": SHARPER * tol,
            "atol": SHARE * left,
            "maxiter": maxiter,
            "estimate": type(self.estimate)(part.objective),
            "penalty": part.penalty,
            "n_outputs": self.model.n_outputs,
            "n_free": part.objective.n_parameters - part.objective.n_weights,
        }
        result = minimize(
            part.objective.value_and_gradient,
            start,
            jac=True,
            hess=part.hessian,
            method=proximal_newton,
            callback=told if callback is not None else None,
            options=options,
        )
        result.x = part.to_all(result.x)
        return result

    def _part(self, x: Array, gradient: Array) -> FeaturePart:
        """The features in which something is to be gained, and those that have weights."""
        features = self._chosen(x, gradient)
        if self.part is None or not np.array_equal(self.part.features, features):
            self.part = FeaturePart(self.model, features, convex=self.convex)
        return self.part

    def _chosen(self, x: Array, gradient: Array) -> Array:
        n = self.model.n_weights
        coef, slope = (vector[:n].reshape(self.model.n_outputs, -1) for vector in (x, gradient))
        near = np.abs(self.penalty.times(NEAR).least_slope(np.zeros_like(coef), slope)).max(axis=0, initial=0.0)
        used = coef.any(axis=0) | (self.penalty.free(np.zeros_like(coef)) & (slope != 0.0)).any(axis=0)
        others = np.where(used, 0.0, near)
        most = max(FIRST_FEATURES, int(np.count_nonzero(used)))
        if np.count_nonzero(others) > most:
            others[np.argpartition(-others, most)[most:]] = 0.0
        return np.flatnonzero(used | (others > 0.0))
