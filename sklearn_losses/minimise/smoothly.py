"""Smooth losses, and those that are not convex: a solver, what proves or tries its end, and sharper tolerances."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates.gap import Gap, is_negligible, is_out_of_reach
from ..certificates.recession import are_separated
from ..certificates.sampled import SampledBound
from . import thresholds
from .by_name import NEVER, minimize_by_name
from .credible import by_newton, further, hides_directions, is_credible, is_minimum, leaves_slope, lowest_beside
from .endings import CONVERGED, FAILED, LIMIT, ROUNDING, STOPPED, ending
from .plans import Plan
from .recorder import Recorder
from .root_mean import gap_of
from .run import Run
from .task import Found

Array = np.ndarray
SolveFrom = Callable[[Array, float], OptimizeResult]
Bound = Gap | SampledBound


def fit_smoothly(run: Run, plan: Callable[[Run], Plan]) -> Found:
    """By a plan of ours."""
    return _proved(run, *_planned(run, plan(run)))


def fit_by_name(run: Run, name: str) -> Found:
    """By one of SciPy's methods."""
    return _proved(run, *_by_name(run, name), name)


def _proved(run: Run, solve: SolveFrom, bound_of: Bound | None, name: str | None = None) -> Found:
    """Minimise, prove what was found or try it, and go on with a sharper tolerance if need be."""
    task, recorder, x = run.task, run.recorder, run.start
    tol, bound = task.tol, np.nan
    for _ in range(thresholds.CERTIFICATION_ROUNDS):
        result = solve(x, tol)
        x, value, gradient = recorder.point() if name else recorder.found(result)
        said = CONVERGED if recorder.reached else ending(result, name)
        if bound_of is None:
            over = recorder.n_iter >= task.max_iter
            ended = said not in (LIMIT, STOPPED) and not (recorder.reached or over)
            doubtful = False
            if name is None and ended and "nhev" not in result:
                doubtful = leaves_slope(run, x, value, gradient)
                newton_tells = len(x) <= thresholds.TRIED_PARAMETERS
                if (doubtful and newton_tells) or hides_directions(run.model, x, task):
                    result = by_newton(run, x if value <= run.null.value else run.start, tol)
                    (x, value, _), said, doubtful = recorder.found(result), ending(result), False
            converged = not doubtful and is_credible(run, x, value, result, said, name)
            if not (converged or recorder.undefined or task.kinked or over) and said is CONVERGED:
                tol *= thresholds.SHARPER
                continue
            if said is FAILED and not (converged or task.loss.smooth or run.model.parameters.linear):
                beside = lowest_beside(run.model, x, task)
                converged = value - beside.fun <= task.tol * abs(value)
                if not (converged or over):  # a class at the tip of a cone has kept the others from moving
                    x, value = beside.x, recorder.fun(beside.x)[0]
                    continue
            if said is FAILED and task.loss.smooth and run.model.parameters.linear and not (converged or over):
                end = further(run.model, x, task)
                if end.fun < value - run.allowed(value):  # which another step could have led to
                    x, value = end.x, recorder.fun(end.x)[0]
                    continue
            return Found(x, value, np.nan, converged, recorder.n_iter, result, task.kinked, recorder.undefined)
        x, value, bound = bound_of.proof(x, value, gradient)
        converged = bound <= run.allowed(value) or is_negligible(run.model, bound)
        if not converged and said is ROUNDING and is_out_of_reach(run.model, value, task.tol):
            credible = is_minimum(run.model, x, value, task, run.allowed(value))
            return Found(x, value, np.nan, credible, recorder.n_iter, result)
        if converged or recorder.stopped_by_watch or recorder.n_iter >= task.max_iter or said is not CONVERGED:
            break
        tol = run.sharper(tol, value, bound)
    return Found(x, value, bound, converged, recorder.n_iter, result, undefined=recorder.undefined)


def _planned(run: Run, chosen: Plan) -> tuple[SolveFrom, Bound | None]:
    task, recorder = run.task, run.recorder
    if chosen.points is not None:
        recorder.enter(chosen.points.value_and_gradient, recorder.to_theta)
    bound = recorder.estimate = (chosen.bound or gap_of(task)(run.model)) if task.has_bound else None
    begun = [chosen.start]
    loose = not run.model.strengths.any() and chosen.start is not run.start
    if loose and not recorder.value(chosen.start) <= run.null.value:
        begun = [run.start]  # without a penalty a sample may lead anywhere
    if task.may_vanish:
        recorder.stop = _nothing_left(run)
        recorder.value(chosen.start)
        if recorder.stop(*recorder.point()):
            return lambda x, tol: _no_steps(chosen.start, recorder), bound
    if not task.loss.smooth:
        small = recorder.stop
        recorder.stop = lambda *point: recorder.stalled(*point) or (small is not None and small(*point))

    def solve(x, tol):
        return minimize(
            recorder.value,
            begun.pop() if begun else x,
            jac=recorder.gradient,
            method=chosen.method,
            callback=recorder.callback,
            options={"tol": tol, "maxiter": run.left, "estimate": bound} | chosen.options,
            **chosen.derivatives,
        )

    return solve, bound


def _nothing_left(run: Run) -> Callable[[Array, float, Array], bool]:
    """Whether nothing is left to learn at a point: F is rounding, or falls for ever as the classes are separated.

    While a row of little weight is on the wrong side, a small F says nothing.
    """
    model, task = run.model, run.task
    least = task.loss.lower_bound or 0.0
    rounding, small = (
        least + share * (run.null.value - least) for share in (thresholds.VANISHED_TO_ZERO, thresholds.VANISHED)
    )
    if model.parameters.only_directions or task.reaches_least:
        small = rounding

    def nothing_left(x: Array, value: float, gradient: Array) -> bool:
        return value <= rounding or (value <= small and are_separated(model, x))

    return nothing_left


def _no_steps(x: Array, recorder: Recorder) -> OptimizeResult:
    value, gradient = recorder.point()[1:]
    message = "Nothing is left to learn at the start."
    return OptimizeResult(x=x, fun=value, jac=gradient, nit=0, status=0, success=True, estimate=0.0, message=message)


def _by_name(run: Run, name: str) -> tuple[SolveFrom, Bound | None]:
    task, model, recorder = run.task, run.model, run.recorder
    bound = recorder.estimate = gap_of(task)(model) if task.has_bound else None

    def solve(x, tol):
        if bound is not None:
            recorder.stop = lambda x, value, gradient: bound(x, value, gradient) <= tol * abs(value)
        result = minimize_by_name(
            name,
            model,
            recorder.fun,
            x,
            convex=task.convex,
            callback=recorder.callback,
            tol=NEVER if bound is not None else thresholds.WITHIN * tol,
            max_iter=run.left,
        )
        recorder.reached = recorder.stop is not None and recorder.stop(*recorder.point())
        return result

    return solve, bound
