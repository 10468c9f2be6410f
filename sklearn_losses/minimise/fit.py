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
from ..objective import representer
from ..objective.points import Points
from ..objective.split import hard_labels
from ..solvers import gradient_descent
from . import starts, strategies, thresholds
from .by_name import check_method
from .coordinates import Coordinates
from .credible import is_minimum
from .endings import CONVERGED, LIMIT, ROUNDING, STOPPED, Ending, ending
from .null import Null
from .over_features import with_centred_intercepts
from .recorder import Recorder, Visited
from .root_mean import CORNER_STEPS, fit_at_corner, gap_of
from .run import Run
from .smoothly import fit_by_name
from .task import Found, Task

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
        self.null = Null(task)
        self.recorder = Recorder(task.loss, task.watch)

    def run(self) -> Found:
        task, parameters = self.task, self.task.objective.parameters
        if not (parameters.linear or parameters.only_directions):
            self.recorder.offer(self.null.theta, self.null.value)
        found = self.solved(strategies.start(self))
        if not task.convex and task.domain == "probabilities" and task.objective.fit_intercept and parameters.linear:
            found = self.against_shares(found)
        return self.reported(self.no_worse(found))

    @property
    def spare(self) -> int:
        """How many iterations are left for places to start from: of half of all."""
        return self.task.max_iter // 2 - self.recorder.n_iter

    @property
    def is_over(self) -> bool:
        """Whether no iteration is left."""
        return self.recorder.stopped_by_watch or self.recorder.n_iter >= self.task.max_iter

    def minimum_of(self, task: Task) -> Found:
        """The minimum of another task, a place to start from, whose iterations count as this one's."""
        found = Fitting(replace(task, max_iter=self.spare), "auto").run()
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
        if not value < found.value - self.task.tol * abs(found.value) or callable(self.solver) or self.is_over:
            return found
        again = self.solved(theta)
        return again if again.value <= found.value else replace(found, n_iter=again.n_iter)

    def no_worse(self, found: Found) -> Found:
        """The best point of all phases and starts, with what is known about the minimum."""
        if not (found.converged or self.task.objective.parameters.only_directions):
            self.recorder.offer(self.null.theta, self.null.value)
        lowest = self.recorder.lowest
        if lowest is None or not lowest[1] < found.value - thresholds.SAME * abs(found.value):
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
        return replace(found, said=STOPPED if self.recorder.stopped_by_watch else self._said(result))

    def _said(self, result: OptimizeResult) -> Ending:
        """What the last solver says of its end."""
        if not callable(self.solver):
            return ending(result, None if self.solver == "auto" else self.solver)
        return ending(result, None if self.solver is gradient_descent else "")

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
        found = strategies.choose(run.shape).minimise(run) if solver == "auto" else fit_by_name(run, solver)
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
        statistics = objective.rows.statistics()
        reduced = representer.Reduction(objective, statistics)

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
        if ended and not (found.converged or self.is_over):
            return self._in_full(found.theta if found.value <= self.null.value else start)
        return found

    def _in_features(self, found: Found, statistics: tuple[Array, Array], *, complete: bool) -> Found:
        """Whether the solution of the reduced problem solves the whole, to which a bound is drawn anew if there is one.

        The Gram matrix of the rows loses features that are small beside others, and is then not ``complete``.
        """
        objective = self.task.objective
        if not self.task.loss.separable or np.isnan(found.gap):
            value = objective.value(found.theta)
            change = max(self.allowed(value), thresholds.SAME * abs(self.null.value))
            same = abs(value - found.value) <= change and (complete or not self.task.convex)
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
            and (not task.loss.smooth or is_minimum(model, model.from_theta(x), value, task, self.allowed(value)))
        )
        return Found(x, value, np.nan, converged, 0, result, task.kinked, self.recorder.undefined)
