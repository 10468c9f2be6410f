"""Piecewise-linear losses: the exact solver, from the start or from where sweeps over rows lead."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..objective.split import Split
from ..solvers import augmented_lagrangian
from ..solvers.augmented_lagrangian.intercept_interval import in_the_middle
from ..solvers.augmented_lagrangian.lower_bound import duality_gap
from . import thresholds
from .joint_sweeping import JointSweeping
from .run import Run
from .sweeping import OverRows, Sweeping, kinked_passes
from .task import Found

Array = np.ndarray


def fit_exactly(run: Run) -> Found:
    """An exact solution with a duality gap of its own."""
    exact = Exact(run)
    return exact.solution_from(exact.split.from_model(run.start))


def fit_after_sweeps(run: Run) -> Found:
    """The same from where sweeps over the rows' duals lead, which may be there already."""
    exact, task, recorder = Exact(run), run.task, run.recorder
    split, begun, left = exact.split, recorder.n_iter, run.left
    result = _sweeping(run, split).minimise(run.start, recorder.callback, tol=task.tol, maxiter=thresholds.MANY_SWEEPS)
    # most of them are over few rows: as many as there were passes count, the last one of which may be begun only
    recorder.n_iter = begun + min(math.ceil(result.n_passes), left)
    result.x, result.dual = split.from_model(result.x), split.dual_from_model(result.dual)
    result.fun, result.dual_gap = duality_gap(split, result.x, result.dual)
    result.success = result.dual_gap <= task.tol * abs(result.fun)
    if result.success or recorder.stopped_by_watch or recorder.n_iter >= task.max_iter:
        return exact.found(result)
    rough = split.n_outputs > 1 and result.dual_gap > thresholds.HANDED_OVER * abs(result.fun)
    return exact.solution_from(result.x, None if rough else result.dual)


def _sweeping(run: Run, split: Split) -> OverRows:
    model = run.model
    if model.n_outputs > 1:
        return JointSweeping(model, split, min(JointSweeping.passes(model), run.left))
    return Sweeping(model, model.rows.csr(), min(kinked_passes(model), run.left))


class Exact:
    """The objective of a run as the exact solver sees it, and the way back."""

    def __init__(self, run: Run):
        self.run, self.split = run, Split(run.model)

    def solution_from(self, x: Array, dual: Array | None = None) -> Found:
        """The solution, by way of one of the same losses with nearer kinks where targets have outliers."""
        split, tol = self.split, self.run.task.tol
        near = split.with_near_kinks()
        result = self._solved(near or split, x, dual)
        if near is not None:
            result.fun, result.dual_gap = duality_gap(split, result.x, result.dual)
            if result.success and result.dual_gap > tol * abs(result.fun):
                result = self._solved(split, result.x, result.dual)
            elif result.success and split.n_intercepts:
                result.x = in_the_middle(split, result.x, float(result.fun))  # of the true kinks
        return self.found(result)

    def _solved(self, split: Split, x: Array, dual: Array | None) -> OptimizeResult:
        task, recorder = self.run.task, self.run.recorder

        def callback(intermediate_result: OptimizeResult) -> None:
            intermediate_result.x = split.to_model(intermediate_result.x)
            intermediate_result.fun *= split.value_unit
            intermediate_result.dual_gap *= split.value_unit
            recorder.callback(intermediate_result)

        options = {"problem": split, "dual": dual, "tol": task.tol, "random_state": task.random_state}
        options["maxiter"], method, before = self.run.left, augmented_lagrangian, recorder.n_iter
        result = minimize(recorder.fun, x, jac=True, method=method, callback=callback, options=options)
        recorder.n_iter = before + int(result.nit)  # many steps are taken without a callback
        return result

    def found(self, result: OptimizeResult) -> Found:
        """What a result in the solver's units says of the model."""
        task, recorder, split = self.run.task, self.run.recorder, self.split
        x, value, gap = split.to_model(result.x), float(result.fun), float(result.dual_gap)
        value, gap = value * split.value_unit, gap * split.value_unit
        if split.is_rounded(result.x, float(result.fun)):
            lower, value = value - gap, task.objective.value(recorder.to_theta(x))
            gap = max(value - lower, 0.0)
        converged = bool(result.success) or gap <= task.tol * abs(value)
        return Found(x, value, gap, converged, recorder.n_iter, result, dual=result.dual)
