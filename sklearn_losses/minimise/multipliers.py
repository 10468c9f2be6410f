"""Piecewise-linear losses under a penalty with a kink: smooth problems, one after the other, around ever better duals.

Every smooth problem is minimised over working sets of features, from the solution of the last one, whose slopes are the
duals of the next. After a few of them the duals hardly change, and prove how far the minimum is.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates.by_pieces import PiecesGap
from ..certificates.gap import OF_SUMS, Gap, negligible
from ..certificates.intercept import best_shift
from ..objective.envelope import Envelope, enveloped, losses_of
from ..objective.split import Split
from ..solvers.descent import CALLBACK, CONVERGED, MAXITER, MESSAGES, ROUNDING
from .run import Run
from .task import Found
from .working_features import WorkingFeatures

Array = np.ndarray

FIRST_STEP = 0.3  # of the envelopes, in units of scores over slopes: straight lines become parabolas of this width
NARROWER, NARROWEST = 0.3, 1e-6  # than the last envelope, where that has gained little, and of the first one's width
LEAST_WIDTH = 1e-290  # of which floats can hold the reciprocals of all envelopes
SLOW = 0.2  # share of the gap that an envelope may leave without the next one being narrower
INSIDE = 0.1  # share of the gap to which an envelope is minimised
ROUNDS, IDLE = 60, 8  # envelopes at most, and how many may gain less than a tenth
COARSE = 1e-2  # accuracy, relative to the value, of the first one


def fit_by_multipliers(run: Run) -> Found:
    """The solution, with a gap that the duals of the last problem prove."""
    return Multipliers(run).found()


class Multipliers:
    """The best solution so far, the best lower bound, and the duals."""

    def __init__(self, run: Run):
        self.run, self.model = run, run.model
        self.losses = losses_of(run.model)
        self.gap = PiecesGap(run.model, self.losses)
        split = Split(run.model)
        self.exact = negligible(run.model, OF_SUMS)  # the value of an exact fit
        slopes = np.abs(self.losses.slope(run.model.scores(run.start).gathered()))
        steepness = float(np.mean(slopes.reshape(len(slopes), -1).max(axis=1)))
        self.width = split.unit / max(steepness, np.finfo(float).tiny)
        if self.width < LEAST_WIDTH:
            raise ValueError(
                f"{run.task.loss} is so steep on targets as small as these that products with its slopes are beyond "
                "floats. Multiply y by a constant."
            )
        self.dual = np.zeros(slopes.shape)
        self.best_dual = self.dual
        self.x, self.value, self.lowest = run.start, np.inf, -np.inf

    def found(self) -> Found:
        run, recorder, task = self.run, self.run.recorder, self.run.task
        x, step, left, status, idle = run.start, FIRST_STEP * self.width, np.inf, MAXITER, 0
        envelope = Envelope(self.losses, self.dual, step, self.width)
        smooth = enveloped(self.model, envelope)
        over_features = WorkingFeatures(smooth, Gap(smooth), convex=True, precisely=False)
        begun = recorder.n_iter
        for _ in range(ROUNDS):
            solved = self._solved(over_features, x, left)
            x, dual = self._with_best_intercept(over_features.model, solved.x, envelope)
            self._keep(x, dual)
            last, left = left, max(self.value - self.lowest, 0.0)
            if left <= task.tol * abs(self.value) or self.value <= self.exact:
                status = CONVERGED
            elif recorder.stopped_by_watch:
                status = CALLBACK
            elif idle >= IDLE:
                status = ROUNDING
            elif recorder.n_iter - begun < task.max_iter:
                idle = 0 if left < 0.9 * last else idle + 1
                if solved.status == ROUNDING:  # slopes of a narrow envelope are differences of scores that are rounded
                    step = min(step / NARROWER, FIRST_STEP * self.width)
                elif left > SLOW * last:
                    step = max(NARROWER * step, NARROWEST * self.width)
                self.dual, envelope = dual, Envelope(self.losses, dual, step, self.width)
                over_features.with_composition(envelope)
                continue
            break
        said = MESSAGES[status]
        result = OptimizeResult(x=self.x, fun=self.value, status=status, success=status == CONVERGED, message=said)
        bound = left if task.holds_all else np.nan
        return Found(self.x, self.value, bound, status == CONVERGED, recorder.n_iter, result, dual=self.best_dual)

    def _solved(self, over_features: WorkingFeatures, x: Array, left: float) -> OptimizeResult:
        recorder, model = self.run.recorder, over_features.model
        value = model.value(x)
        wanted = INSIDE * min(left, COARSE * abs(value)) / max(abs(value), np.finfo(float).tiny)
        options = {"tol": max(wanted, 0.01 * self.run.task.tol), "maxiter": self.run.left}
        options["atol"] = INSIDE * self.exact
        function = model.value_and_gradient
        return minimize(function, x, jac=True, method=over_features, callback=recorder.callback, options=options)

    def _with_best_intercept(self, smooth, x: Array, envelope: Envelope) -> tuple[Array, Array]:
        """The solution with an intercept at which the duals sum to zero, and these duals."""
        scores = smooth.scores(x)
        if not smooth.fit_intercept:
            return x, smooth.at_scores(scores).dual.gathered()
        shift, slopes = best_shift(smooth, scores)
        x = x.copy()
        x[smooth.n_weights :] += shift
        return x, slopes.dual.gathered()

    def _keep(self, x: Array, dual: Array) -> None:
        found, value, bound = self.gap.proof(x, self.model.scores(x).gathered(), dual)
        if value < self.value:
            self.x, self.value = found, value
        bound += self.gap.loose_part(x, dual, self.width)
        if not np.isnan(bound) and value - bound > self.lowest:
            self.lowest, self.best_dual = value - bound, dual
