"""argmin: which solver an objective gets, where it starts, when it may stop, and what is known about the result.

Whatever the solver, the work goes through `scipy.optimize.minimize`, in coordinates that the scale of the data does
not reach (`objective.parameters`); only "gradient-descent" and callables see the objective as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates import proofs
from ..certificates.gap import Gap, is_negligible, is_out_of_reach
from ..certificates.sampled import SampledBound
from ..losses import Loss
from ..objective import representer
from ..objective.objective import Objective
from ..objective.points import Points
from ..objective.preconditioners import typical_inverse
from ..objective.samples import sample
from ..objective.split import Split, hard_labels
from ..solvers import augmented_lagrangian, gradient_descent, newton, quasi_newton
from ..solvers.augmented_lagrangian.lower_bound import duality_gap
from ..solvers.cholesky import regular_factor
from ..solvers.spectral import UNCERTAIN
from . import starts, strategies, thresholds
from .by_name import NEVER, check_method, minimize_by_name
from .endings import CONVERGED, FAILED, LIMIT, ROUNDING, STOPPED, Ending, ending
from .multipliers import fit_by_multipliers
from .recorder import Recorder, Visited
from .root_mean import CORNER_STEPS, RootMeanGap, fit_at_corner
from .task import Found, Task
from .working_features import WorkingFeatures, fit_over_features, with_centred_intercepts

MANY_SWEEPS = 100_000  # which passes over all rows limit before
SAME = 64.0 * np.finfo(float).eps  # relative difference of values that rounding can make

Array = np.ndarray
Solve = Callable[[Array, float], OptimizeResult]
Bound = Gap | SampledBound


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
        tol = max(task.tol, thresholds.STARTING_TOLERANCE) if task.domain == "probabilities" else task.tol
        first = task.with_loss(companion, tol=tol, max_iter=max(task.max_iter // 2, 1), watch=task.watch_start)
        found = Fitting(first, "auto").run()
        self.recorder.n_iter += found.n_iter
        return found.theta

    def among_directions(self) -> Found:
        """Directions have no zero to start from: the best of what is found from where `starts` says."""
        task = self.task
        if task.warm is not None:
            return self.solved(task.warm)
        is_tall = task.objective.rows.n_rows > thresholds.TALL * thresholds.SAMPLED_STARTS
        if is_tall:
            task = replace(task, objective=sample(task.objective, thresholds.SAMPLED_STARTS, task.random_state)[0])
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
        conditioned = (hard_labels(task.objective) if exactly else task.objective).conditioned()
        model = conditioned.written() if strategies.writes_out(conditioned) else conditioned

        self.recorder.enter(model.value_and_gradient, conditioned.to_theta)
        short = corner and solver == "auto"
        first = replace(task, max_iter=min(task.max_iter, CORNER_STEPS)) if short else task
        run = Run(first, model, self.recorder, conditioned.from_theta(start), self)
        if not task.objective.penalty.smooth:
            over_features = WorkingFeatures(model, _gap_of(task)(model), convex=task.convex)
            found = fit_by_multipliers(run) if exactly else fit_over_features(run, over_features)
        else:
            found = _fit_exactly(run) if exactly else _fit_smoothly(run, solver)
        found.theta = conditioned.to_theta(found.theta)
        if not task.objective.penalty.smooth:
            found.theta = with_centred_intercepts(task.objective, found.theta)
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
        found.theta = reduced.to_features(found.theta)
        ended = found.converged or ending(found.result) is ROUNDING
        found = self._in_features(found, statistics, complete=reduced.complete)
        if ended and not found.converged:
            again = self._in_full(found.theta)
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
            tol *= 0.1 * self.allowed(found.value) / found.gap
        n_iter = int(result.get("nit", recorder.n_iter))
        return replace(found, n_iter=n_iter)

    def _judged_plainly(self, point: Visited, result: OptimizeResult, estimate: Gap | None) -> Found:
        task = self.task
        x, value, _ = point
        if estimate is not None:
            x, value, bound = proofs.by_gradient(task.objective, x, gap=_gap_of(task))
            return Found(x, value, bound, bound <= self.allowed(value), 0, result)
        model = task.objective.conditioned()
        converged = (
            not task.kinked
            and not self.recorder.undefined
            and ending(result, "") not in (LIMIT, STOPPED)
            and (not task.loss.smooth or _is_minimum(model, model.from_theta(x), value, task))
        )
        return Found(x, value, np.nan, converged, 0, result, task.kinked, self.recorder.undefined)


@dataclass
class Run:
    """A phase in the coordinates of its solver."""

    task: Task
    model: Objective
    recorder: Recorder
    start: Array
    fitting: Fitting

    @property
    def left(self) -> int:
        """How many iterations are left."""
        return max(self.task.max_iter - self.recorder.n_iter, 1)


def _fit_exactly(run: Run) -> Found:
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
    sweeping = strategies.kinked_plan(model, run.start)
    if sweeping is not None:
        sweeping.max_passes = min(sweeping.max_passes, run.left)
        result = sweeping.minimise(run.start, run.recorder.callback, tol=task.tol, maxiter=MANY_SWEEPS)
        # most of them are over few rows: as many as there were passes count
        run.recorder.n_iter = begun + math.ceil(result.n_passes)
        start, dual = split.from_model(result.x), split.dual_from_model(result.dual)
        result.x, result.dual = start, dual
        result.fun, result.dual_gap = duality_gap(split, start, dual)
        result.success = result.dual_gap <= task.tol * abs(result.fun)
        if result.success or run.recorder.stopped_by_watch:
            return kept(result)
    near = split.with_near_kinks()
    result = solve(near or split, start, dual)
    if near is not None:
        result.fun, result.dual_gap = duality_gap(split, result.x, result.dual)
        if result.success and result.dual_gap > task.tol * abs(result.fun):
            result = solve(split, result.x, result.dual)
    return kept(result)


def _fit_smoothly(run: Run, solver: str) -> Found:
    """Everything else: minimise, prove what was found, and go on with a sharper tolerance if need be."""
    task, recorder, x = run.task, run.recorder, run.start
    solve, bound_of = _automatically(run) if solver == "auto" else _by_name(run, solver)
    tol, bound = task.tol, np.nan
    for _ in range(thresholds.CERTIFICATION_ROUNDS):
        result = solve(x, tol)
        x, value, gradient = recorder.found(result) if solver == "auto" else recorder.point()
        said = CONVERGED if recorder.reached else ending(result, None if solver == "auto" else solver)
        if bound_of is None:
            ended = said not in (LIMIT, STOPPED) and not recorder.reached
            if solver == "auto" and ended and "nhev" not in result and _hides_directions(run.model, x, task):
                result = _by_newton(run, x if value <= run.fitting.null.value else run.start, tol)
                (x, value, _), said = recorder.found(result), ending(result)
            converged = _is_credible(run, x, value, result, said, solver)
            if not (converged or recorder.undefined or task.kinked) and said is CONVERGED:
                tol *= thresholds.SHARPER
                continue
            if said is FAILED and not (converged or task.loss.smooth or run.model.parameters.linear):
                beside = _lowest_beside(run.model, x, task)
                converged = value - beside.fun <= task.tol * abs(value)
                if not converged:  # a class at the tip of a cone has kept the others from moving
                    x, value = beside.x, recorder.fun(beside.x)[0]
                    continue
            return Found(x, value, np.nan, converged, recorder.n_iter, result, task.kinked, recorder.undefined)
        x, value, bound = bound_of.proof(x, value, gradient)
        converged = bound <= run.fitting.allowed(value) or is_negligible(run.model, bound)
        if not converged and said is ROUNDING and is_out_of_reach(run.model, value, task.tol):
            credible = _is_minimum(run.model, x, value, task)
            return Found(x, value, np.nan, credible, recorder.n_iter, result)
        if converged or recorder.stopped_by_watch or recorder.n_iter >= task.max_iter or said is not CONVERGED:
            break
        tol *= 0.1 * run.fitting.allowed(value) / bound if bound > 0 else 1.0
    return Found(x, value, bound, converged, recorder.n_iter, result, undefined=recorder.undefined)


def _is_credible(run: Run, x: Array, value: float, result: OptimizeResult, said: Ending, solver: str) -> bool:
    """Whether a solver that says it has ended at a minimum has, where no bound tells."""
    task, recorder = run.task, run.recorder
    if task.kinked or said in (LIMIT, STOPPED):
        return False
    if task.loss.lower_bound is not None and is_negligible(run.model, value - task.loss.lower_bound):
        return True
    parameters = run.model.parameters
    in_known_metric = parameters.linear or parameters.only_directions
    if not task.loss.smooth:
        # at a kink of a loss that is not convex either no gradient is small: the end is where values stall
        if recorder.has_stalled or said is ROUNDING:
            return True
        return said is CONVERGED and (in_known_metric or _is_minimum(run.model, x, value, task))
    if recorder.undefined:
        return False
    trusted = solver == "auto" and run.model.composition.has_curvature and in_known_metric
    if trusted and (recorder.reached or said is CONVERGED):
        return True
    if trusted and said is ROUNDING and result.estimate <= task.tol * abs(value):
        return True
    return _is_minimum(run.model, x, value, task)


def _hides_directions(model: Objective, x: Array, task: Task) -> bool:
    """Whether columns are so nearly dependent that a Hessian hides how F falls along some directions."""
    width = len(x)
    if width > thresholds.TRIED_PARAMETERS or not (model.parameters.linear and model.composition.has_curvature):
        return False
    if np.any(model.strengths) or not task.convex:
        return False
    size = thresholds.ROWS_FOR_RANK * width
    part = model if model.rows.n_rows <= size else sample(model, size, task.random_state)[0]
    return regular_factor(part.hessian(x).dense(definite=True), UNCERTAIN) is None


def _by_newton(run: Run, x: Array, tol: float) -> OptimizeResult:
    """From where another method ended."""
    points, recorder = Points(run.model, convex=run.task.convex), run.recorder
    options = {"tol": tol, "maxiter": run.left}
    derivatives = {"jac": recorder.gradient, **points.second_derivatives}
    return minimize(recorder.value, x, method=newton, callback=recorder.callback, options=options, **derivatives)


def _is_minimum(model: Objective, x: Array, value: float, task: Task) -> bool:
    """Whether Newton's method from x, or one that follows gradients, finds nothing lower by more than the tolerance."""
    options: dict = {"tol": task.tol, "maxiter": thresholds.TRIED_STEPS}
    method, derivatives = quasi_newton, {}
    few, known = len(x) <= thresholds.TRIED_PARAMETERS and model.parameters.linear, model.composition.has_curvature
    if few and known:
        method, derivatives = newton, Points(model, convex=task.convex).second_derivatives
        options["polish"] = False
    elif few:
        inverse = typical_inverse(model)
        options |= {"metric": lambda x, level: inverse if level == 0 else None, "scaled": True}
    else:
        options["scaled"] = not known
    result = minimize(model.value_and_gradient, x, jac=True, method=method, options=options, **derivatives)
    said = ending(result)  # so many steps that gain next to nothing are an end too
    certain = said in (CONVERGED, LIMIT) or (said is ROUNDING and result.estimate <= task.tol * abs(value))
    return bool(certain and value - result.fun <= task.tol * abs(value))


def _lowest_beside(model: Objective, x: Array, task: Task) -> OptimizeResult:
    """The lowest end of descents from points beside x, which at the tip of a cone are no lower than x itself."""
    random, options = np.random.RandomState(0), {"tol": task.tol, "maxiter": thresholds.TRIED_STEPS}
    size = thresholds.BESIDE * np.linalg.norm(x) / len(x)
    beside = [x + size * random.normal(size=len(x)) for _ in range(3)]
    ends = [minimize(model.value_and_gradient, z, jac=True, method=quasi_newton, options=options) for z in beside]
    return min(ends, key=lambda end: end.fun)


def _gap_of(task: Task) -> type[Gap]:
    return Gap if task.loss.separable else RootMeanGap


def _automatically(run: Run) -> tuple[Solve, Bound | None]:
    task, recorder = run.task, run.recorder
    tol = task.tol if task.has_bound and task.loss.separable else None
    precisely = task.tol < thresholds.STARTING_TOLERANCE
    chosen = strategies.plan(
        run.model, run.start, convex=task.convex, tol=tol, random_state=task.random_state, precisely=precisely
    )
    if chosen.points is not None:
        recorder.value_and_gradient = chosen.points.value_and_gradient
    bound = recorder.estimate = (chosen.bound or _gap_of(task)(run.model)) if task.has_bound else None
    begun = [chosen.start]
    if task.may_vanish:
        # separable classes without a penalty: F falls for ever, and once it is this small nothing is left to learn
        least = task.loss.lower_bound or 0.0
        share = thresholds.VANISHED_ANGLES if run.model.parameters.only_directions else thresholds.VANISHED
        vanished = least + share * (run.fitting.null.value - least)
        recorder.stop = lambda x, value, gradient: value <= vanished
        if recorder.fun(chosen.start)[0] <= vanished:
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


def _no_steps(x: Array, recorder: Recorder) -> OptimizeResult:
    value, gradient = recorder.point()[1:]
    message = "Nothing is left to learn at the start."
    return OptimizeResult(x=x, fun=value, jac=gradient, nit=0, status=0, success=True, estimate=0.0, message=message)


def _by_name(run: Run, name: str) -> tuple[Solve, Bound | None]:
    task, model, recorder = run.task, run.model, run.recorder
    bound = recorder.estimate = _gap_of(task)(model) if task.has_bound else None

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
            tol=NEVER if bound is not None else 0.1 * tol,
            max_iter=run.left,
        )
        recorder.reached = recorder.stop is not None and recorder.stop(*recorder.point())
        return result

    return solve, bound
