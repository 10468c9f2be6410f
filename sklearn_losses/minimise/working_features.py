"""Penalties with a kink: minimise over the features that may have a weight, and look at all of them in between.

At the minimum most weights are zero, and the slopes of all features tell which are not. So the work goes into a working
set, whose Hessian is small, and every round costs one pass over all features.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates.gap import OF_SUMS, Gap, is_negligible, negligible
from ..losses.on_scores import LossOnScores
from ..objective.objective import Objective
from ..objective.part import FeaturePart, sweeps_pay
from ..objective.penalties import Penalty
from ..solvers import proximal_newton
from ..solvers.descent import CALLBACK, CONVERGED, MAXITER, MESSAGES, ROUNDING
from ..solvers.feature_sweeps import minimum_of_parabola
from . import thresholds
from .endings import Ending, ending
from .run import Run
from .task import Found

Array = np.ndarray

FIRST_FEATURES = 64  # of a working set at the least, beyond the weights that are not zero
NEAR = 0.98  # of the slope at which a weight leaves zero, from which it may do so soon
SPARE, SPARE_OF_PARABOLA = 1.5, 8.0  # times as many features as are wanted may stay in a working set
SHARE = 0.1  # of the gap over all features that a working set may leave
SHARPER = 0.3  # of the tolerance
MOST_OF_ALL = 0.9  # of all features, in a working set that has no round to wait for
POLISHED, POLISHING_STEPS, CHEAP = 1e-18, 3, 2e7  # tolerance, steps, and multiplications of a Hessian
MANY_ENTRIES = 2e7  # of sparse columns, 160 MB of a copy
EXACT = 1e-13  # share of the value, and of the slopes, that the end of a parabola may leave
ROUNDS = 100  # of working sets at most
IDLE = 3  # rounds in a row that gain nothing
LONGER, LONGEST = 8.0, 1e30  # steps that try an end without a bound


def fit_over_features(run: Run, method: WorkingFeatures) -> Found:
    """Minimise, prove what was found, and go on with a sharper tolerance if need be."""
    task, recorder, x = run.task, run.recorder, run.start
    estimate = recorder.estimate = method.estimate
    tol, bound, converged, exact, enough = task.tol, np.nan, False, 0.0, -np.inf
    if not task.has_bound and task.loss.lower_bound is not None:
        # an exact fit: no slope tells how far the minimum is where values are rounding
        exact = negligible(run.model, OF_SUMS)
        enough = task.loss.total(task.loss.lower_bound)[0] + exact
    for _ in range(thresholds.CERTIFICATION_ROUNDS):
        options = {"tol": tol, "atol": 0.1 * exact, "enough": enough, "maxiter": run.left}
        result = minimize(recorder.fun, x, jac=True, method=method, callback=recorder.callback, options=options)
        x, value, gradient = _nearest_to_zero(run, result.x, float(result.fun), result.jac)
        ended = ending(result) is Ending.CONVERGED
        if not task.has_bound:
            lower = _lower_beside(run, x, value, gradient) if ended and not value <= enough else None
            converged = ended and not recorder.undefined and lower is None
            if lower is None or recorder.n_iter >= task.max_iter:
                break
            x, tol = lower, tol * thresholds.SHARPER
            continue
        x, value, bound = estimate.proof(x, value, gradient)
        converged = bound <= run.allowed(value) or is_negligible(run.model, bound)
        if converged or recorder.stopped_by_watch or recorder.n_iter >= task.max_iter or not ended:
            break
        tol = run.sharper(tol, value, bound)
    return Found(x, value, bound, converged, recorder.n_iter, result, task.kinked, recorder.undefined)


def _lower_beside(run: Run, x: Array, value: float, gradient: Array) -> Array | None:
    """A point that is lower by more than the tolerance, along steps of prox, longer and longer; None if none is.

    Slopes that are small beside the value tell nothing where the loss is a line.
    """
    model, best = run.model, None
    penalty = model.parameters.penalty(model.penalty)
    coef, intercept = model.parameters.split(x)
    slope, tilt = model.parameters.split(gradient)
    slope = slope - penalty.gradient(coef)
    step, least = 1.0, value - run.task.tol * abs(value)
    while step < LONGEST:
        trial = model.parameters.join(penalty.prox(coef - step * slope, step), intercept - step * tilt)
        there = run.recorder.fun(trial)[0]
        if not there < least:
            break
        best, least, step = trial, there, LONGER * step
    return best


def _nearest_to_zero(run: Run, x: Array, value: float, gradient: Array) -> tuple[Array, float, Array]:
    """The solution with the most zeros of all that differ by a shift of a feature's weights of all classes.

    The sum of their absolute values is least at any of their medians, an interval for an even number of classes, of
    which the end with the smaller weights is taken.
    """
    model, penalty = run.model, run.model.penalty
    loose = penalty.convexity(model.rows.n_features) == 0.0
    if model.n_outputs == 1 or not penalty.by_weight or not loose.any():
        return x, value, gradient
    coef, intercept = model.parameters.split(x)
    ordered = np.sort(coef, axis=0)
    ends = (coef - ordered[(model.n_outputs - 1) // 2], coef - ordered[model.n_outputs // 2])
    sizes = [np.sum(end**2, axis=0) for end in ends]
    moved = np.where(loose, np.where(sizes[0] <= sizes[1], *ends), coef)
    if np.array_equal(moved, coef):
        return x, value, gradient
    shifted = model.parameters.join(moved, intercept)
    there, slope = run.recorder.fun(shifted)
    noise = 64.0 * np.finfo(float).eps * abs(value)
    return (shifted, there, slope) if there <= value + noise else (x, value, gradient)


def with_centred_intercepts(objective: Objective, theta: Array) -> Array:
    """The same model with intercepts of sum zero: what all classes have in common changes nothing."""
    if objective.n_outputs == 1:
        return theta
    coef, intercept = objective.parameters.split(theta)
    return objective.parameters.join(coef, intercept - intercept.mean())


def until(enough: float, callback: Callable) -> Callable:
    """The callback, which ends the work once a value is enough."""

    def told(intermediate_result: OptimizeResult) -> None:
        callback(intermediate_result=intermediate_result)
        if intermediate_result.fun <= enough:
            raise StopIteration

    return told


def _status_after(callback: Callable, x: Array, value: float) -> int:
    """Tell of a point; the status that the answer leads to."""
    try:
        callback(intermediate_result=OptimizeResult(x=x, fun=value))
    except StopIteration:
        return CALLBACK
    return CONVERGED


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
    precisely : bool
        Whether to find more digits than were asked for, where that is cheap.
    """

    def __init__(self, model: Objective, estimate: Gap, *, convex: bool, precisely: bool = True):
        self.model, self.estimate, self.convex, self.precisely = model, estimate, convex, precisely
        self.penalty: Penalty = model.parameters.penalty(model.penalty)
        self.part: FeaturePart | None = None
        # sweeps read features without weights once in a while only
        self._all_at_once = model.rows.n_entries <= MANY_ENTRIES and sweeps_pay(model)

    def __call__(
        self, fun, x0, args=(), *, jac, callback=None, tol, atol=0.0, enough=-np.inf, maxiter, **unknown
    ) -> OptimizeResult:
        """Value and gradient of all features are asked of ``fun`` and ``jac``, those of some of the part they are.

        A value of ``enough`` leaves nothing but rounding.
        """
        x, nit, idle, status = np.array(x0, dtype=float), 0, 0, MAXITER
        value, gradient = fun(x), jac(x)
        left = self.estimate(x, value, gradient)
        for _ in range(ROUNDS):
            if value <= enough:
                status = CONVERGED
                break
            if left <= tol * abs(value) + atol:
                status = CONVERGED
                x, value, gradient, left = self._polished(fun, jac, x, value, gradient, left)
                break
            if nit >= maxiter or idle >= IDLE:
                status = ROUNDING if idle >= IDLE else MAXITER
                break
            told = callback and until(enough, callback)
            result = self._over_some(x, value, gradient, left, SHARPER * tol, maxiter - nit, told, SHARPER * atol)
            nit += result.nit
            before, x = value, result.x
            value, gradient = fun(x), jac(x)
            if callback is not None and not result.told:
                result.status = _status_after(callback, x, value)
            last, left = left, self.estimate(x, value, gradient)
            gained = before - value > 8.0 * np.finfo(float).eps * abs(value) or left < 0.5 * last
            idle = 0 if gained else idle + 1
            if result.status == CALLBACK and value > enough:
                status = CALLBACK
                break
        said = MESSAGES[status]
        return OptimizeResult(
            x=x,
            fun=value,
            jac=gradient,
            nit=nit,
            status=status,
            success=status == CONVERGED,
            message=said,
            estimate=left,
        )

    def with_composition(self, composition: LossOnScores) -> None:
        """Go on with another function of the scores of the same rows."""
        self.model = self.model.replaced(composition=composition)
        self.estimate = type(self.estimate)(self.model)
        self.part = None if self.part is None else self.part.with_composition(composition)

    def with_penalty_of(self, model: Objective) -> None:
        """Go on with another penalty of the same function."""
        self.model, self.penalty = model, model.parameters.penalty(model.penalty)
        self.estimate = type(self.estimate)(model)
        self.part = None if self.part is None else self.part.with_penalty_of(model)

    def _polished(self, fun, jac, x, value, gradient, left):
        """After another step or two, where these are cheap: weights then equal repetition."""
        if not self.precisely or left <= EXACT * abs(value) or self._part(x, gradient).work > CHEAP:
            return x, value, gradient, left
        better = self._over_some(x, value, gradient, 0.0, POLISHED, POLISHING_STEPS, None).x
        there, slope = fun(better), jac(better)
        if not there <= value + 64.0 * np.finfo(float).eps * abs(value):
            return x, value, gradient, left
        return better, there, slope, self.estimate(better, there, slope)

    def _over_some(self, x, value, gradient, left, tol, maxiter, callback, atol=0.0) -> OptimizeResult:
        part = self._part(x, gradient)
        if part.is_parabola:  # all of it is known from here
            return self._to_minimum(part, x, gradient)
        part.rest = min(left / abs(value), 1.0) if value else 1.0
        start = part.of_all(x)

        def told(intermediate_result):
            intermediate_result.x = part.to_all(intermediate_result.x)
            callback(intermediate_result=intermediate_result)

        options = {
            "tol": tol,
            "atol": atol if len(part.features) > MOST_OF_ALL * self.model.rows.n_features else max(SHARE * left, atol),
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
        result.x, result.told = part.to_all(result.x), True
        return result

    @staticmethod
    def _to_minimum(part: FeaturePart, x: Array, gradient: Array) -> OptimizeResult:
        """One step, of which the callback is told when its end has been looked at."""
        start, n_free = part.of_all(x), part.objective.n_parameters - part.objective.n_weights
        end = minimum_of_parabola(start, part.of_all(gradient), part.hessian(start), part.penalty, n_free)
        return OptimizeResult(x=part.to_all(end), nit=1, status=CONVERGED, told=False)

    def _part(self, x: Array, gradient: Array) -> FeaturePart:
        """The features in which something is to be gained, and those that have weights."""
        if self._all_at_once and self.part is not None:
            return self.part
        features = np.arange(self.model.rows.n_features) if self._all_at_once else self._chosen(x, gradient)
        if self.part is None or not self._is_enough(self.part, features):
            self.part = FeaturePart(self.model, features, convex=self.convex)
        return self.part

    @staticmethod
    def _is_enough(known: FeaturePart, wanted: Array) -> bool:
        """Whether a working set has all that is wanted, and not much else that has to be read again."""
        spare = SPARE_OF_PARABOLA if known.is_parabola else SPARE
        return len(known.features) <= spare * len(wanted) and bool(
            np.isin(wanted, known.features, assume_unique=True).all()
        )

    def _chosen(self, x: Array, gradient: Array) -> Array:
        coef, slope = (self.model.parameters.split(vector)[0] for vector in (x, gradient))
        near = np.abs(self.penalty.times(NEAR).least_slope(np.zeros_like(coef), slope)).max(axis=0, initial=0.0)
        used = coef.any(axis=0) | (self.penalty.free(np.zeros_like(coef)) & (slope != 0.0)).any(axis=0)
        others = np.where(used, 0.0, near)
        most = max(FIRST_FEATURES, int(np.count_nonzero(used)))
        if np.count_nonzero(others) > most:
            others[np.argpartition(-others, most)[most:]] = 0.0
        return np.flatnonzero(used | (others > 0.0))
