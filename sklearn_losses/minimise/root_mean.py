r"""The root mean squared error: a norm of all residuals at once, with a corner where they vanish.

It is the largest :math:`\sum_i s_i q_i r_i` over all q with :math:`\sum_i s_i q_i^2 \le 1`, so that every such q whose
mean is zero bounds the minimum from below. Residuals less their mean, divided by their norm, are one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..certificates.gap import Gap, Proof, least_over_shares
from .task import Found, Task

Array = np.ndarray

CORNER_TOLERANCE, CORNER_STEPS = 1e-12, 50  # of squared errors, whose root has half as many digits
IDLE, NARROWER = 5, 0.99  # steps in a row that may leave more than this share of the gap
SMALLEST = 1e-7  # share of the null model's root mean square whose residuals are well above rounding


class RootMeanGap(Gap):
    """The gap of a root mean squared error with a penalty on all weights."""

    def proof(self, x: Array, value: float, gradient: Array) -> Proof:
        """The bound at x, from its residuals. At most one pass."""
        model, weights = self.model, self.model.rows.weights_of(slice(None))
        here = model.at_scores(model.scores(x))
        residuals = 0.5 * here.dual.gathered()
        size = float(np.sqrt(here.mean))
        if model.fit_intercept:
            residuals = residuals - weights @ residuals
        norm = float(np.sqrt(weights @ residuals**2))
        if not norm > 0.0:
            return Proof(x, value, self.at_most(value, np.inf))
        # the best share of this q: the bound is convex in it
        coef = self._weights_of(x)[:, self._held]
        pulled = self._weights_of(model.adjoint(model.rows.spread(residuals / norm)))[:, self._held]

        def bound(share: float) -> float:
            return (size - share * norm) + self._of_held.gap(coef, -share * pulled)

        if self._of_held.smooth:  # a parabola
            square = float(np.sum(pulled**2 / self._of_held.convexity(coef.shape[1])))
            least = bound(min(max((norm - float(np.sum(coef * pulled))) / square, 0.0), 1.0) if square > 0.0 else 1.0)
        else:
            least = least_over_shares(bound, self._of_held, -pulled)
        return Proof(x, value, self.at_most(value, max(least, 0.0)))


def gap_of(task: Task) -> type[Gap]:
    """The gap that belongs to a loss."""
    return Gap if task.loss.separable else RootMeanGap


def fit_at_corner(task: Task, found: Found, null_value: float, solve: Callable[[Task], Found]) -> Found:
    """Go on where the mean goes to zero, whose root has no curvature there that a solver could follow.

    The root is concave, so that its tangent at the present mean leaves an ordinary problem with the penalty
    alpha / total'(mean), and their sequence descends; at the corner the penalty goes to zero with the mean. Residuals
    that are nothing but rounding bound nothing: those of a mean just above it do, and with nearly the same shares.
    """
    corner = Corner(task, found, solve)
    least = (SMALLEST * null_value) ** 2
    mean = corner.mean_at(found.theta)
    while not corner.converged and mean > least and corner.n_iter < task.max_iter and corner.idle < IDLE:
        mean = corner.step(mean)
    if not corner.converged and mean <= least and corner.n_iter < task.max_iter:
        corner.step(least)
    gap = max(corner.best.value - corner.lowest, 0.0)
    return replace(corner.best, gap=gap, converged=corner.converged, n_iter=corner.n_iter)


class Corner:
    """The best point on the way to the corner, and the best lower bound of the minimum."""

    def __init__(self, task: Task, found: Found, solve: Callable[[Task], Found]):
        self.task, self.best, self._solve = task, found, solve
        self.lowest, self.n_iter = found.value - found.gap, found.n_iter
        self.idle = 0  # steps in a row that hardly narrowed the gap
        # near the corner the values are squares of rounding errors, on which a solver would dwell
        self._inside = task.with_loss(task.loss.inner(), tol=CORNER_TOLERANCE)
        self._model = task.objective.conditioned()
        self._gap = RootMeanGap(self._model)

    @property
    def converged(self) -> bool:
        return self.best.value - self.lowest <= self.task.tol * self.best.value

    def mean_at(self, theta: Array) -> float:
        objective = self.task.objective
        return objective.at_scores(objective.scores(theta)).mean

    def step(self, mean: float) -> float:
        """Solve the problem that the tangent at a mean leaves; return the mean at its solution."""
        task = self.task
        strength = 1.0 / task.loss.total(mean)[1]
        part = self._inside.objective.replaced(penalty=task.objective.penalty.times(strength))
        left = min(CORNER_STEPS, max(task.max_iter - self.n_iter, 1))
        inner = self._solve(replace(self._inside, objective=part, warm=self.best.theta, max_iter=left))
        self.n_iter += max(inner.n_iter, 1)
        x = self._model.from_theta(inner.theta)
        _, value, bound = self._gap.proof(x, *self._model.value_and_gradient(x))
        before = self.best.value - self.lowest
        self.lowest = max(self.lowest, value - bound)
        if value < self.best.value:
            self.best = replace(self.best, theta=inner.theta, value=value)
        self.idle = 0 if self.best.value - self.lowest < NARROWER * before else self.idle + 1
        return self.mean_at(inner.theta)
