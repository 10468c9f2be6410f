"""argmin: which solver an objective gets, where it starts, when it may stop, and what is known about the result.

Whatever the solver, the work goes through `scipy.optimize.minimize`, in coordinates that the scale of the data does
not reach (`objective.parameters`); only "gradient-descent" and callables see the objective as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates import proofs
from ..certificates.gap import Gap
from ..losses import Loss
from ..objective import representer
from ..objective.points import Points
from ..objective.samples import sample
from ..objective.split import hard_labels
from ..solvers import gradient_descent
from . import starts, strategies, thresholds
from .by_name import check_method
from .coordinates import Coordinates
from .credible import is_minimum
from .endings import CONVERGED, LIMIT, ROUNDING, STOPPED, ending
from .exactly import fit_exactly
from .multipliers import fit_by_multipliers
from .over_features import fit_over_features, with_centred_intercepts
from .recorder import Recorder, Visited
from .root_mean import CORNER_STEPS, fit_at_corner, gap_of
from .run import Run
from .smoothly import fit_smoothly
from .task import Found, Task
from .working_features import WorkingFeatures

SAME = 64.0 * np.finfo(float).eps  # relative difference of values that rounding can make

Array = np.ndarray


def fit(task: Task, solver: str | Callable) -> Found:
    """Minimise by the solver that the estimators' parameter names; the result is no worse than any start."""
    # numbers beyond the range of floats are answers that solvers understand: they step back
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        if solver == "gradient-descent":
            solver = gradient_descent
        if not callable(solver) and solver != "auto":
            check_method(solver)
        fitting = Fitting(task, solver)
        return fitting.run()


class Fitting:
    """One fit: its starts, its phases, and the best point of them all."""

    def __init__(self, task: Task, solver: str | Callable):
        self.task, self.solver = task, solver
        self.null = starts.Null(task)
        self.recorder = Recorder(task.loss, task.watch)

    def run(self) -> Found:
        if self.task.objective.parameters.only_directions:
            return self.reported(self.among_directions())
        if not self.task.objective.parameters.linear:
            self.recorder.offer(self.null.theta, self.null.value)
            return self.reported(self.no_worse(self.among_directions()))
        found = self.solved(self.start())
        if not self.task.convex and self.task.domain == "probabilities" and self.task.objective.fit_intercept:
            found = self.against_shares(found)
        return self.reported(self.no_worse(found))

    def start(self) -> Array:
        """The previous solution where it is better than the null model, another loss's solution, or the null model."""
        task = self.task
        if task.warm is not None:
            value, gradient = task.objective.value_and_gradient(task.warm)
            if value < self.null.value and np.isfinite(gradient).all():
                self.recorder.offer(task.warm, value)
                return task.warm
        companion = None if callable(self.solver) else starts.companion(task)
        if companion is None:
            return self.null.nearly if self.solver == "auto" and task.piecewise else self.null.theta
        tol = task.tol
        if task.domain == "probabilities":  # from where this loss goes on by itself
            task, tol = self._on_fewer_rows(), max(task.tol, thresholds.STARTING_TOLERANCE)
        first = task.with_loss(companion, tol=tol, max_iter=max(task.max_iter // 2, 1), watch=task.watch_start)
        found = Fitting(first, "auto").run()
        self.recorder.n_iter += found.n_iter
        return found.theta

    def _on_fewer_rows(self) -> Task:
        """The task on a sample of rows, where these are many: all that is to be found on it is a start."""
        task, objective = self.task, self.task.objective
        size = max(thresholds.SAMPLED_STARTS, thresholds.ROWS_A_PARAMETER * objective.n_parameters)
        if objective.rows.n_rows <= thresholds.TALL * size:
            return task
        return replace(task, objective=sample(objective, size, task.random_state)[0])

    def among_directions(self) -> Found:
        """Directions have no zero to start from: the best of what is found from where `starts` says."""
        task = self.task
        if task.warm is not None:
            return self.solved(task.warm)
        task = self._on_fewer_rows()
        is_tall = task is not self.task
        start = starts.class_means(task)
        if callable(self.solver):
            return self.solved(start)
        for loss in task.loss.easier():
            start = self._roughly(task, start, loss, thresholds.EASIER_TOLERANCE).theta
        start = min(start, starts.towards_classes(task), key=task.objective.value)
        if task.loss.random_starts:
            start = self._in_the_lowest_valley(task, start)
        elif is_tall:
            start = self._roughly(task, start).theta
        return self.solved(start)

    def _in_the_lowest_valley(self, task: Task, start: Array) -> Array:
        """The end of a descent from a start, or from one of a few random directions if that is lower.

        Where descents take long, two that end alike are enough.
        """
        takes_long = task.objective.rows.n_rows * task.objective.n_parameters > thresholds.MANY_ENTRIES
        tol = thresholds.VALLEY_TOLERANCE if takes_long else thresholds.STARTING_TOLERANCE
        best = self._roughly(task, start, tol=tol)
        for other in starts.random_directions(task):
            found = self._roughly(task, other, tol=tol)
            if takes_long and abs(found.value - best.value) <= 2.0 * tol * abs(best.value):
                break
            if found.value < best.value - tol * abs(best.value):  # or rounding would choose among equals
                best = found
        return best.theta

    def _roughly(self, task: Task, start: Array, loss: Loss | None = None, tol: float = 0.0) -> Found:
        """What a loss, or the task's, leads to from a start, with few digits."""
        tol = max(task.tol, tol or thresholds.STARTING_TOLERANCE)
        half = max(task.max_iter // 2, 1)
        rough = task.with_loss(loss or task.loss, tol=tol, max_iter=half, watch=task.watch_start)
        found = Fitting(replace(rough, warm=start), "auto").run()
        self.recorder.n_iter += found.n_iter
        return found

    def solved(self, start: Array) -> Found:
        """By the solver that was asked for, from a start."""
        if not isinstance(self.solver, str):
            return self._plainly(self.solver, start)
        if self.solver == "auto" and strategies.reduces(self.task.objective):
            return self._reduced(start)
        return self._in_full(start)

    def against_shares(self, found: Found) -> Found:
        """Where the model that predicts the classes' shares is better, the solver goes on from there."""
        theta = starts.log_odds(self.task)
        value = self.null.value_at(theta)
        self.recorder.offer(theta, value)
        if not value < found.value - self.task.tol * abs(found.value) or callable(self.solver):
            return found
        again = self.solved(theta)
        return again if again.value <= found.value else found

    def no_worse(self, found: Found) -> Found:
        """The best point of all phases and starts, with what is known about the minimum."""
        if not found.converged:
            self.recorder.offer(self.null.theta, self.null.value)
        lowest = self.recorder.lowest
        if lowest is None or not lowest[1] < found.value - SAME * abs(found.value):
            return found
        theta, value = lowest
        gap = max(found.gap - (found.value - value), 0.0)
        same = found.converged and found.value - value <= self.allowed(value)
        converged = same or gap <= self.allowed(value)
        return replace(found, theta=theta, value=value, gap=gap, converged=converged)

    def allowed(self, value: float) -> float:
        """The gap that is within the tolerance at a value of F."""
        return self.task.allowed(value, lambda: self.null.value)

    def reported(self, found: Found) -> Found:
        """SciPy's result in the parameters of the model; what belongs to the solver's coordinates goes."""
        result = found.result
        for name in ("jac", "grad", "hess", "hess_inv", "final_simplex", "v", "dual", "estimate", "dual_gap"):
            result.pop(name, None)
        result.x, result.fun, result.success = found.theta, found.value, found.converged
        result.n_passes = float(self.task.objective.n_passes)
        if not np.isnan(found.gap):
            result.dual_gap = found.gap
        return found

    def _in_full(self, start: Array) -> Found:
        task, solver = self.task, str(self.solver)
        corner = not task.loss.separable and task.has_bound
        exactly = task.piecewise and solver == "auto"
        at = Coordinates(hard_labels(task.objective) if exactly else task.objective)
        model = at.model

        self.recorder.enter(model.value_and_gradient, at.to_theta)
        short = corner and solver == "auto"
        first = replace(task, max_iter=min(task.max_iter, CORNER_STEPS)) if short else task
        run = Run(first, model, self.recorder, at.from_theta(start), self.null)
        if not task.objective.penalty.smooth:
            over_features = WorkingFeatures(model, gap_of(task)(model), convex=task.convex)
            found = fit_by_multipliers(run) if exactly else fit_over_features(run, over_features)
        else:
            found = fit_exactly(run) if exactly else fit_smoothly(run, solver)
        theta = at.to_theta(found.theta)
        if not task.objective.penalty.smooth:
            theta = with_centred_intercepts(task.objective, theta)
        found = replace(found, theta=theta)
        if corner and not found.converged and not self.recorder.stopped_by_watch:
            found = fit_at_corner(task, found, self.null.value, lambda inside: Fitting(inside, "auto").run())
        return found

    def _reduced(self, start: Array) -> Found:
        """More features than rows: the equivalent problem in as many features as rows."""
        task, objective = self.task, self.task.objective
        statistics = center, _ = objective.rows.statistics()
        reduced = representer.Reduction(objective, center if objective.fit_intercept else np.zeros_like(center))

        outer = task.watch
        watch = outer and (lambda theta, value, gap: outer(reduced.to_features(theta), value, gap))
        if reduced.objective.rows.n_features == 0:  # rows that are all alike
            return self._in_full(start)
        # values of the reduced problem are not those of the whole, so that its best point is not of this record
        small = Fitting(replace(task, objective=reduced.objective, watch=watch, warm=None), "auto")
        small.recorder.n_iter = self.recorder.n_iter
        found = small._in_full(reduced.to_reduced(start))
        self.recorder.n_iter = small.recorder.n_iter
        ended = found.converged or ending(found.result) is ROUNDING
        found = replace(found, theta=reduced.to_features(found.theta))
        found = self._in_features(found, statistics, complete=reduced.complete)
        if ended and not found.converged:
            again = self._in_full(found.theta if found.value <= self.null.value else start)
            found = replace(again, n_iter=found.n_iter + again.n_iter)
        return found

    def _in_features(self, found: Found, statistics: tuple[Array, Array], *, complete: bool) -> Found:
        """Whether the solution of the reduced problem solves the whole, to which a bound is drawn anew if there is one.

        The Gram matrix of the rows loses features that are small beside others, and is then not ``complete``.
        """
        objective = self.task.objective
        if not self.task.loss.separable or np.isnan(found.gap):
            value = objective.value(found.theta)
            same = abs(value - found.value) <= self.allowed(value) and (complete or not self.task.convex)
            gap = found.gap if same else np.nan
            return replace(found, value=value, gap=gap, converged=found.converged and same)
        if found.dual is None:
            theta, value, gap = proofs.by_gradient(objective, found.theta, statistics)
        else:
            theta, (value, gap) = found.theta, proofs.by_dual(objective, found.theta, found.dual, statistics)
        return replace(found, theta=theta, value=value, gap=gap, converged=gap <= self.allowed(value))

    def _plainly(self, method: Callable, start: Array) -> Found:
        """A callable on the objective as it is, in the model's own parameters."""
        task, objective, recorder = self.task, self.task.objective, self.recorder
        recorder.enter(objective.value_and_gradient, lambda theta: theta)
        second = objective.composition.has_curvature
        points = Points(objective, convex=task.convex)
        estimate = recorder.estimate = Gap(objective) if task.has_bound else None
        tol = task.tol
        for _ in range(thresholds.CERTIFICATION_ROUNDS):
            result = minimize(
                recorder.fun,
                start,
                jac=True,
                hess=(lambda theta: points.hessian(theta).dense()) if second else None,
                hessp=points.hessian_product if second else None,
                method=method,
                callback=recorder.callback,
                options={"maxiter": task.max_iter, "tol": tol, "estimate": estimate},
            )
            point = recorder.point()
            found = self._judged_plainly(point, result, estimate)
            # gradient descent starts again, so that its trace is that of one run; a minimiser of the user's own runs
            # once
            if found.converged or method is not gradient_descent or ending(result) is not CONVERGED:
                break
            if not found.gap > 0:
                break
            tol *= thresholds.WITHIN * self.allowed(found.value) / found.gap
        n_iter = int(result.get("nit", recorder.n_iter))
        return replace(found, n_iter=n_iter)

    def _judged_plainly(self, point: Visited, result: OptimizeResult, estimate: Gap | None) -> Found:
        task = self.task
        x, value, _ = point
        if estimate is not None:
            x, value, bound = proofs.by_gradient(task.objective, x, gap=gap_of(task))
            return Found(x, value, bound, bound <= self.allowed(value), 0, result)
        model = task.objective.conditioned()
        converged = (
            not task.kinked
            and not self.recorder.undefined
            and ending(result, "") not in (LIMIT, STOPPED)
            and (not task.loss.smooth or is_minimum(model, model.from_theta(x), value, task))
        )
        return Found(x, value, np.nan, converged, 0, result, task.kinked, self.recorder.undefined)
