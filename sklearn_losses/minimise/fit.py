"""argmin: which solver an objective gets, where it starts, when it may stop, and what is known about the result.

Whatever the solver, the work goes through `scipy.optimize.minimize`, in coordinates that the scale of the data does
not reach (`problem.coordinates`); only "gradient-descent" and callables see the objective as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates import proofs as proofs
from ..certificates.gap import GradientBound, is_negligible, is_out_of_reach
from ..certificates.sampled import SampledBound
from ..objective import representer as reduction
from ..objective.parameters import Conditioned, Unchanged, column_statistics, condition
from ..objective.split import Split, hard_labels
from ..solvers import augmented_lagrangian, gradient_descent
from ..solvers.augmented_lagrangian.lower_bound import duality_gap
from . import strategies as automatic
from .by_name import NEVER, check_method, minimize_by_name
from .recorder import Recorder
from .task import Fit, Problem

WRITTEN_ENTRIES = 1_000_000  # data up to this size is written out in conditioned coordinates once
CERTIFICATION_ROUNDS = 5
CONVERGED, ROUNDING = 0, 2  # statuses of our solvers
VANISHED = 1e-9
CORNER_TOLERANCE, CORNER_STEPS = 1e-12, 50

Array = np.ndarray
Solve = Callable[[Array, float], OptimizeResult]


def fit(problem: Problem, solver: str | Callable, start: Array) -> Fit:
    """Minimise from ``start`` by the solver that the estimators' parameter names."""
    # numbers beyond the range of floats are answers that solvers understand: they step back
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return _fit(problem, solver, start)


def _fit(problem: Problem, solver: str | Callable, start: Array) -> Fit:
    if solver == "gradient-descent":
        solver = gradient_descent
    if callable(solver):
        return _fit_plainly(problem, solver, start)
    if solver != "auto":
        check_method(solver)
    elif reduction.pays(problem.objective):
        return _fit_reduced(problem, start)
    return _fit_in_full(problem, solver, start)


def _fit_in_full(problem: Problem, solver: str, start: Array) -> Fit:
    corner = not problem.objective.loss.separable and problem.has_bound
    exactly = problem.piecewise and solver == "auto"
    conditioned = Conditioned(*condition(hard_labels(problem.objective) if exactly else problem.objective))
    rows = conditioned.objective.rows
    few = rows.n_rows * rows.n_features <= WRITTEN_ENTRIES and not rows.is_sparse
    model = conditioned.written() if few else conditioned

    recorder = Recorder(model.value_and_gradient, conditioned.to_theta, problem.watch)
    short = corner and solver == "auto"
    first = replace(problem, max_iter=min(problem.max_iter, CORNER_STEPS)) if short else problem
    run = Run(first, model, recorder, conditioned.from_theta(start))
    found = _fit_exactly(run) if exactly else _fit_smoothly(run, solver)
    found.theta = conditioned.to_theta(found.theta)
    if corner and not found.converged:
        found = _fit_at_corner(problem, found)
    return _with_report(found, problem)


def _with_report(found: Fit, problem: Problem) -> Fit:
    """SciPy's result in the parameters of the model; derivatives in the solver's coordinates mean nothing outside."""
    result = found.result
    for name in ("jac", "grad", "hess", "hess_inv", "final_simplex", "v", "dual"):
        result.pop(name, None)
    result.x, result.fun, result.n_passes = found.theta, found.value, float(problem.objective.n_passes)
    return found


def _fit_reduced(problem: Problem, start: Array) -> Fit:
    """More features than rows: the equivalent problem in as many features as rows."""
    objective = problem.objective
    statistics = center, _ = column_statistics(objective)
    reduced = reduction.Reduction(objective, center if objective.fit_intercept else np.zeros_like(center))

    outer = problem.watch
    watch = outer and (lambda theta, value: outer(reduced.to_features(theta), value))
    small = replace(problem, objective=reduced.objective, watch=watch)
    found = _fit(small, "auto", reduced.to_reduced(start))
    found.theta = reduced.to_features(found.theta)
    ended = found.converged or found.result.status == ROUNDING
    found.converged = _holds_in_full(found, problem, statistics)
    if ended and not found.converged:
        again = _fit_in_full(problem, "auto", found.theta)
        found = replace(again, n_iter=found.n_iter + again.n_iter)
    return _with_report(found, problem)


def _holds_in_full(found: Fit, problem: Problem, statistics: tuple[Array, Array]) -> bool:
    """Whether the solution of the reduced problem solves the whole, to which the bound is drawn anew if there is one.

    The Gram matrix of the rows loses features that are small beside others.
    """
    allowed = problem.tol * abs(found.value)
    if not problem.objective.loss.separable or np.isnan(found.gap):
        reduced, found.value = found.value, problem.objective.value(found.theta)
        return found.converged and abs(found.value - reduced) <= allowed
    if found.dual is None:
        found.theta, found.value, found.gap = proofs.by_gradient(problem.objective, found.theta, statistics)
    else:
        found.value, found.gap = proofs.by_dual(problem.objective, found.theta, found.dual, statistics)
    return found.gap <= allowed


def _fit_plainly(problem: Problem, method: Callable, start: Array) -> Fit:
    """A callable on the objective as it is, in the model's own parameters."""
    objective = problem.objective
    recorder = Recorder(objective.value_and_gradient, lambda theta: theta, problem.watch)
    second = objective.composition.has_curvature
    plain = Conditioned(objective, Unchanged(np.ones(objective.rows.n_features)))
    gap = GradientBound(plain) if problem.has_bound else None
    tol = problem.tol
    for _ in range(CERTIFICATION_ROUNDS):
        result = minimize(
            recorder.fun,
            start,
            jac=True,
            hess=objective.hessian if second else None,
            hessp=objective.hessian_product if second else None,
            method=method,
            callback=recorder.callback,
            options={"maxiter": problem.max_iter, "tol": tol, "gap": gap},
        )
        theta, value, _ = recorder.point()
        bound, converged = np.nan, bool(result.success) and not problem.kinked
        if gap is not None:
            theta, value, bound = proofs.by_gradient(objective, theta)
            converged = bound <= problem.tol * abs(value)
        # gradient descent starts again, so that its trace is that of one run; a minimiser of the user's own runs once
        if converged or method is not gradient_descent or not result.success:
            break
        tol *= 0.1 * problem.tol * abs(value) / bound
    n_iter = int(result.get("nit", recorder.n_iter))
    return _with_report(Fit(theta, value, bound, converged, n_iter, result, problem.kinked), problem)


@dataclass
class Run:
    """A problem in the coordinates of its solver."""

    problem: Problem
    model: Conditioned
    recorder: Recorder
    start: Array


def _fit_exactly(run: Run) -> Fit:
    """Piecewise-linear losses: an exact solution with a duality gap of its own."""
    problem, model = run.problem, run.model
    n_iter = 0

    def solve(split: Split, x: Array, dual: Array | None = None) -> OptimizeResult:
        nonlocal n_iter

        def callback(intermediate_result: OptimizeResult) -> None:
            intermediate_result.x = split.to_model(intermediate_result.x)
            intermediate_result.fun *= split.value_unit
            intermediate_result.dual_gap *= split.value_unit
            run.recorder.callback(intermediate_result)

        options = {"problem": split, "dual": dual, "tol": problem.tol, "random_state": problem.random_state}
        options["maxiter"] = problem.max_iter - n_iter
        method = augmented_lagrangian
        found = minimize(run.recorder.fun, x, jac=True, method=method, callback=callback, options=options)
        n_iter += int(found.nit)
        return found

    split = Split(model)
    near = split.with_near_kinks()
    result = solve(near or split, split.from_model(run.start))
    if near is not None:
        result.fun, result.dual_gap = duality_gap(split, result.x, result.dual)
        if result.success and result.dual_gap > problem.tol * abs(result.fun):
            result = solve(split, result.x, result.dual)
    x, value, gap = split.to_model(result.x), float(result.fun), float(result.dual_gap)
    value, gap = value * split.value_unit, gap * split.value_unit
    if split.is_rounded(float(result.fun)):
        lower, value = value - gap, model.value_and_gradient(x)[0]
        gap = max(value - lower, 0.0)
    return Fit(x, value, gap, bool(result.success), n_iter, result, dual=result.dual)


def _fit_smoothly(run: Run, solver: str) -> Fit:
    """Everything else: minimise, make the intercept exact, certify, and go on with a sharper tolerance if need be."""
    problem, model, recorder, x = run.problem, run.model, run.recorder, run.start
    solve, bound_of = _automatically(run) if solver == "auto" else _by_name(run, solver)
    tol = problem.tol
    for _ in range(CERTIFICATION_ROUNDS):
        result = solve(x, tol)
        x, value, gradient = recorder.found(result) if solver == "auto" else recorder.point()
        if bound_of is None:
            # at a kink of a loss that is neither smooth nor convex no gradient is small: the end is where values stall
            ended = bool(result.success) or result.status == ROUNDING or recorder.has_stalled
            converged = ended and not problem.kinked
            return Fit(x, value, np.nan, converged, recorder.n_iter, result, problem.kinked)
        x, value, bound = bound_of.proof(x, value, gradient)
        converged = bound <= problem.tol * abs(value) or is_negligible(model, bound)
        if not converged and result.status == ROUNDING and is_out_of_reach(model, value, problem.tol):
            return Fit(x, value, np.nan, True, recorder.n_iter, result)
        if converged or recorder.stopped_by_watch or recorder.n_iter >= problem.max_iter or result.status != CONVERGED:
            break
        tol *= 0.1 * problem.tol * abs(value) / bound
    return Fit(x, value, bound, converged, recorder.n_iter, result)


def _fit_at_corner(problem: Problem, found: Fit) -> Fit:
    """A transformed mean, total(mean), whose minimum is at or near the corner where the mean is zero.

    The transformation is concave, so that its tangent at the present mean leaves an ordinary problem with the penalty
    alpha / total'(mean), and their sequence descends; at the corner the penalty goes to zero with the mean.
    """
    objective = problem.objective
    part = objective.over(objective.rows)
    part.loss = objective.loss.inner()
    # near the corner the values are squares of rounding errors, on which a solver would dwell
    inside = replace(problem, objective=part, tol=CORNER_TOLERANCE, max_iter=CORNER_STEPS, watch=None)
    alpha, theta, n_iter = float(np.max(objective.penalty)), found.theta, found.n_iter
    mean, _ = objective.of_scores(objective.scores(theta))
    gap, converged = np.inf, False
    while not converged and mean > 0 and n_iter < problem.max_iter:
        part.penalty = alpha / objective.loss.total(mean)[1]
        inner = _fit(inside, "auto", theta)
        theta, n_iter = inner.theta, n_iter + inner.n_iter
        mean, _ = objective.of_scores(objective.scores(theta))
        total, slope, _ = objective.loss.total(mean)
        square = float(np.sum(objective.split(theta)[0] ** 2))
        value = total + 0.5 * alpha * square
        # Strong convexity bounds the gap by the gradient, alpha W - total' penalty W. Beyond the stationary strength
        # the residuals, as duals, are feasible, and the gap is at most the data term.
        gap = (alpha - slope * part.penalty) ** 2 * square / (2 * alpha)
        gap = min(gap, total) if slope * part.penalty >= alpha else gap
        converged = gap <= problem.tol * value
    return Fit(theta, objective.value(theta), gap, converged or mean == 0, n_iter, found.result)


def _automatically(run: Run) -> tuple[Solve, GradientBound | SampledBound | None]:
    problem, recorder = run.problem, run.recorder
    tol = problem.tol if problem.has_bound and problem.objective.loss.separable else None
    chosen = automatic.plan(run.model, run.start, convex=problem.convex, tol=tol, random_state=problem.random_state)
    gap = (chosen.bound or GradientBound(run.model)) if problem.has_bound else None
    starts = [chosen.start]
    if problem.may_vanish:
        # separable classes without a penalty: F falls for ever, and once it is this small nothing is left to learn
        recorder.stop = lambda x, value, gradient: value <= VANISHED
    elif not problem.objective.loss.smooth:
        recorder.stop = recorder.stalled

    def solve(x, tol):
        return minimize(
            recorder.value,
            starts.pop() if starts else x,
            jac=recorder.gradient,
            method=chosen.method,
            callback=recorder.callback,
            options={"tol": tol, "maxiter": problem.max_iter - recorder.n_iter, "gap": gap} | chosen.options,
            **chosen.derivatives,
        )

    return solve, gap


def _by_name(run: Run, name: str) -> tuple[Solve, GradientBound | None]:
    problem, model, recorder = run.problem, run.model, run.recorder
    gap = GradientBound(model) if problem.has_bound else None

    def solve(x, tol):
        if gap is not None:
            recorder.stop = lambda x, value, gradient: gap(x, value, gradient) <= tol * abs(value)
        result = minimize_by_name(
            name,
            model,
            recorder.fun,
            x,
            convex=problem.convex,
            callback=recorder.callback,
            tol=NEVER if gap is not None else 0.1 * problem.tol,
            max_iter=problem.max_iter,
        )
        if recorder.stop is not None and recorder.stop(*recorder.point()):
            result.status, result.success = 0, True
        return result

    return solve, gap
