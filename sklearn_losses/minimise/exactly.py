"""Piecewise-linear losses: the exact solver, from where sweeps over rows lead."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..objective.split import Split
from ..solvers import augmented_lagrangian
from ..solvers.augmented_lagrangian.lower_bound import duality_gap
from . import strategies, thresholds
from .run import Run
from .task import Found

Array = np.ndarray


def fit_exactly(run: Run) -> Found:
    """Piecewise-linear losses: an exact solution with a duality gap of its own."""
    task, model = run.task, run.model
    begun = run.recorder.n_iter

    def solve(split: Split, x: Array, dual: Array | None = None) -> OptimizeResult:
        def callback(intermediate_result: OptimizeResult) -> None:
            intermediate_result.x = split.to_model(intermediate_result.x)
            intermediate_result.fun *= split.value_unit
            intermediate_result.dual_gap *= split.value_unit
            run.recorder.callback(intermediate_result)

        options = {"problem": split, "dual": dual, "tol": task.tol, "random_state": task.random_state}
        options["maxiter"], method, before = run.left, augmented_lagrangian, run.recorder.n_iter
        found = minimize(run.recorder.fun, x, jac=True, method=method, callback=callback, options=options)
        run.recorder.n_iter = before + int(found.nit)  # many steps are taken without a callback
        return found

    def kept(result: OptimizeResult) -> Found:
        x, value, gap = split.to_model(result.x), float(result.fun), float(result.dual_gap)
        value, gap = value * split.value_unit, gap * split.value_unit
        if split.is_rounded(result.x, float(result.fun)):
            lower, value = value - gap, task.objective.value(run.recorder.to_theta(x))
            gap = max(value - lower, 0.0)
        n_iter, converged = run.recorder.n_iter - begun, bool(result.success) or gap <= task.tol * abs(value)
        return Found(x, value, gap, converged, n_iter, result, dual=result.dual)

    split = Split(model)
    start, dual = split.from_model(run.start), None
    sweeping = strategies.kinked_plan(model, split, run.start, run.left)
    if sweeping is not None:
        result = sweeping.minimise(run.start, run.recorder.callback, tol=task.tol, maxiter=thresholds.MANY_SWEEPS)
        # most of them are over few rows: as many as there were passes count
        run.recorder.n_iter = begun + math.ceil(result.n_passes)
        start, dual = split.from_model(result.x), split.dual_from_model(result.dual)
        result.x, result.dual = start, dual
        result.fun, result.dual_gap = duality_gap(split, start, dual)
        result.success = result.dual_gap <= task.tol * abs(result.fun)
        if result.success or run.recorder.stopped_by_watch:
            return kept(result)
        if split.n_outputs > 1 and result.dual_gap > thresholds.HANDED_OVER * abs(result.fun):
            dual = None
    near = split.with_near_kinks()
    result = solve(near or split, start, dual)
    if near is not None:
        result.fun, result.dual_gap = duality_gap(split, result.x, result.dual)
        if result.success and result.dual_gap > task.tol * abs(result.fun):
            result = solve(split, result.x, result.dual)
    return kept(result)
