"""Penalties with a kink: minimised over working sets, and then either proved, or tried, or nearest to zero."""

from __future__ import annotations

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates.gap import OF_SUMS, is_negligible, negligible
from ..objective.objective import Objective
from . import thresholds
from .endings import Ending, ending
from .root_mean import gap_of
from .run import Run
from .task import Found
from .working_features import WorkingFeatures

Array = np.ndarray

LONGER, LONGEST = 8.0, 1e30  # steps that try an end without a bound


def fit_over_features(run: Run) -> Found:
    """Minimise, and see whether that is the minimum: by a bound, or where there is none by looking beside it."""
    estimate = gap_of(run.task)(run.model)
    return minimum_over_features(run, WorkingFeatures(run.model, estimate, convex=run.task.convex))


def minimum_over_features(run: Run, method: WorkingFeatures) -> Found:
    """The same, by a method that other fits may have begun."""
    run.recorder.enter(method.value_and_gradient, run.recorder.to_theta)
    run.recorder.estimate = method.estimate
    return _proved(run, method) if run.task.has_bound else _tried(run, method)


def _proved(run: Run, method: WorkingFeatures) -> Found:
    """Prove what was found, and go on with a sharper tolerance if need be."""
    task, recorder, x, tol = run.task, run.recorder, run.start, run.task.tol
    for _ in range(thresholds.CERTIFICATION_ROUNDS):
        result = _minimised(run, method, x, tol)
        x, value, gradient = _nearest_to_zero(run, result.x, float(result.fun), result.jac)
        x, value, bound = method.estimate.proof(x, value, gradient)
        converged = bound <= run.allowed(value) or is_negligible(run.model, bound)
        ended = ending(result) is Ending.CONVERGED
        if converged or recorder.stopped_by_watch or recorder.n_iter >= task.max_iter or not ended:
            break
        tol = run.sharper(tol, value, bound)
    return Found(x, value, bound, converged, recorder.n_iter, result, task.kinked, recorder.undefined)


def _tried(run: Run, method: WorkingFeatures) -> Found:
    """Look for something lower, and go on from there if there is anything."""
    task, recorder, x, tol = run.task, run.recorder, run.start, run.task.tol
    exact, enough = _of_exact_fit(run)
    for _ in range(thresholds.CERTIFICATION_ROUNDS):
        result = _minimised(run, method, x, tol, atol=thresholds.WITHIN * exact, enough=enough)
        x, value, gradient = _nearest_to_zero(run, result.x, float(result.fun), result.jac)
        ended = ending(result) is Ending.CONVERGED
        lower = _lower_beside(run, x, value, gradient) if ended and not value <= enough else None
        converged = ended and not recorder.undefined and lower is None
        if lower is None or recorder.n_iter >= task.max_iter:
            break
        x, tol = lower, tol * thresholds.SHARPER
    return Found(x, value, np.nan, converged, recorder.n_iter, result, task.kinked, recorder.undefined)


def _minimised(run: Run, method: WorkingFeatures, x: Array, tol: float, **more: float) -> OptimizeResult:
    recorder, options = run.recorder, {"tol": tol, "maxiter": run.left, **more}
    return minimize(recorder.fun, x, jac=True, method=method, callback=recorder.callback, options=options)


def _of_exact_fit(run: Run) -> tuple[float, float]:
    """What rounding leaves of the value of one, above its least, and up to where that is: no slope tells more there."""
    loss = run.task.loss
    if loss.lower_bound is None:
        return 0.0, -np.inf
    exact = negligible(run.model, OF_SUMS)
    return exact, loss.total(loss.lower_bound)[0] + exact


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
