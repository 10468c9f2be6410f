"""argmin: which solver an objective gets, where it starts, when it may stop, and what is known about the result.

Whatever the solver, the work goes through `scipy.optimize.minimize`, in coordinates that the scale of the data does
not reach (`problem.coordinates`); only "gradient-descent" and callables see the objective as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from . import automatic
from .problem import Conditioned, Objective, Split, condition, hard_labels, reduction
from .problem.certificate import certify, gap_estimate, intercept_is_exact
from .problem.coordinates import Unchanged, column_statistics
from .scipy_methods import NEVER, check_method, minimize_by_name
from .solvers import augmented_lagrangian, gradient_descent

WRITTEN_ENTRIES = 1_000_000  # data up to this size is written out in conditioned coordinates once
CERTIFICATION_ROUNDS = 5

Array = np.ndarray
Watch = Callable[[Array, float], None]


@dataclass
class Problem:
    """One minimisation: the objective, what its loss declares on this domain, and the limits."""

    objective: Objective
    convex: bool
    piecewise: bool  # convex, and in the form that the exact solver takes
    tol: float
    max_iter: int
    random_state: np.random.RandomState
    watch: Watch | None = None

    @property
    def has_bound(self) -> bool:
        """Whether strong convexity bounds F - min F."""
        return self.convex and self.objective.loss.smooth and bool(np.all(self.objective.penalty > 0))

    @property
    def kinked(self) -> bool:
        """Whether a solver that follows gradients cannot tell how far it is from the minimum."""
        return self.convex and not self.objective.loss.smooth


@dataclass
class Fit:
    """The best point in the objective's own parameters, and what is known about it."""

    theta: Array
    value: float
    gap: float
    converged: bool
    n_iter: int
    result: OptimizeResult = field(repr=False)

    def explanation(self) -> str:
        """For a fit that did not converge: what was reached, and what to do."""
        reached = f"F - min F is at most {self.gap:.3g}. " if np.isfinite(self.gap) else ""
        if self.result.get("success"):
            return (
                f"{reached}The gradient of this loss jumps, so a solver that follows it cannot tell how far the minimum "
                "is. Use solver='auto'; a loss of your own needs pieces(y) for that."
            )
        return (
            f"{reached}The solver says: {self.result.get('message', 'nothing')} Increase max_iter or tol; a loss of "
            "your own can be examined with sklearn_losses.check_loss."
        )


def fit(problem: Problem, solver: str | Callable, start: Array) -> Fit:
    """Minimise from ``start`` by the solver that the estimators' parameter names."""
    if solver == "gradient-descent":
        solver = gradient_descent
    if callable(solver):
        return _fit_plainly(problem, solver, start)
    if solver != "auto":
        check_method(solver)
    elif reduction.pays(problem.objective):
        return _fit_reduced(problem, start)
    exactly = problem.piecewise and solver == "auto"
    objective, coordinates = condition(hard_labels(problem.objective) if exactly else problem.objective)
    model = Conditioned(objective, coordinates)
    x = coordinates.from_theta(objective.with_shift(start, 1.0))
    if objective.rows.n_rows * objective.rows.n_features <= WRITTEN_ENTRIES and not objective.rows.is_sparse:
        model = model.written()

    recorder = Recorder(problem, model, lambda x: objective.with_shift(coordinates.to_theta(x), -1.0))
    found = _fit_exactly(recorder, x) if exactly else _fit_smoothly(recorder, solver, x)
    found.theta = recorder.to_theta(found.theta)
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
    center, _ = column_statistics(objective)
    reduced = reduction.Reduction(objective, center if objective.fit_intercept else np.zeros_like(center))
    watch = None
    if problem.watch is not None:
        watch = lambda theta, value: problem.watch(reduced.to_features(theta), value)
    found = fit(replace(problem, objective=reduced.objective, watch=watch), "auto", reduced.to_reduced(start))
    found.theta = reduced.to_features(found.theta)
    return _with_report(found, problem)


class Recorder:
    """The function that solvers minimise, with a memory of the best finite point, and the callback they call."""

    def __init__(self, problem: Problem, model: Conditioned | Objective, to_theta: Callable[[Array], Array]):
        self.problem, self.model, self.to_theta = problem, model, to_theta
        self.best: tuple[Array, float, Array] | None = None
        self.n_iter = 0
        self.stop: Callable[[Array, float, Array], bool] | None = None
        self.stopped_by_watch = False

    def fun(self, x: Array) -> tuple[float, Array]:
        value, gradient = self.model.value_and_gradient(x)
        if np.isfinite(value) and (self.best is None or value < self.best[1]) and np.isfinite(gradient).all():
            self.best = (x.copy(), value, gradient)
        return value, gradient

    def callback(self, intermediate_result) -> None:
        self.n_iter += 1
        x = np.asarray(getattr(intermediate_result, "x", intermediate_result))
        if self.problem.watch is not None:
            value = getattr(intermediate_result, "fun", self.best[1] if self.best else np.nan)
            try:
                self.problem.watch(self.to_theta(x), float(value))
            except StopIteration:
                self.stopped_by_watch = True
                raise
        if self.stop is not None and self.best is not None and self.stop(*self.best):
            raise StopIteration

    def checked(self, result: OptimizeResult) -> tuple[Array, float, Array]:
        """What a solver found, if it is finite."""
        return (result.x, float(result.fun), result.jac) if np.isfinite(result.fun) else self.point()

    def point(self) -> tuple[Array, float, Array]:
        if self.best is None:
            raise ValueError(
                f"The objective of {self.problem.objective.loss} is not finite at the starting point. Rescale the "
                "targets or the data, or check the loss with sklearn_losses.check_loss."
            )
        return self.best


def _fit_plainly(problem: Problem, method: Callable, start: Array) -> Fit:
    """A callable on the objective as it is, in the model's own parameters."""
    objective = problem.objective
    recorder = Recorder(problem, objective, lambda theta: theta)
    second = objective.composition.has_curvature
    gap = gap_estimate(Conditioned(objective, Unchanged())) if problem.has_bound else None
    result = minimize(
        recorder.fun,
        start,
        jac=True,
        hess=objective.hessian if second else None,
        hessp=objective.hessian_product if second else None,
        method=method,
        callback=recorder.callback,
        options={"maxiter": problem.max_iter, "tol": problem.tol, "gap": gap},
    )
    theta, value, _ = recorder.point()
    gap, converged = np.nan, bool(result.success) and not problem.kinked
    if problem.has_bound:
        plain = Conditioned(*condition(objective))
        x = plain.coordinates.from_theta(plain.objective.with_shift(theta, 1.0))
        x, value, gap, _ = certify(plain, x)
        theta = plain.objective.with_shift(plain.coordinates.to_theta(x), -1.0)
        converged = gap <= problem.tol * abs(value)
    return _with_report(Fit(theta, value, gap, converged, int(result.get("nit", recorder.n_iter)), result), problem)


def _fit_exactly(recorder: Recorder, x: Array) -> Fit:
    """Piecewise-linear losses: an exact solution with a duality gap of its own."""
    problem = recorder.problem
    result = minimize(
        recorder.fun,
        x,
        jac=True,
        method=augmented_lagrangian,
        callback=recorder.callback,
        options={"split": Split(recorder.model), "tol": problem.tol, "maxiter": problem.max_iter},
    )
    return Fit(result.x, float(result.fun), float(result.dual_gap), bool(result.success), int(result.nit), result)


def _fit_smoothly(recorder: Recorder, solver: str, x: Array) -> Fit:
    """Everything else: minimise, make the intercept exact, certify, and go on with a sharper tolerance if need be."""
    problem, model = recorder.problem, recorder.model
    bounded = problem.has_bound
    gap = gap_estimate(model) if bounded else None
    run = _scipy_run(recorder, solver, gap) if solver != "auto" else _automatic_run(recorder, x, gap)
    tol = problem.tol
    for _ in range(CERTIFICATION_ROUNDS):
        result = run(x, tol)
        # our solvers return the best point, judged by its gradient where values differ by rounding only
        x, value, gradient = recorder.point() if solver != "auto" else recorder.checked(result)
        if not bounded:
            converged = (bool(result.success) or result.status == ROUNDING) and not problem.kinked
            return Fit(x, float(value), np.nan, converged, recorder.n_iter, result)
        if gap is not None and intercept_is_exact(model, value, gradient):
            bound = gap(x, value, gradient)
        else:
            x, value, bound, _ = certify(model, x)
        converged = bound <= problem.tol * abs(value)
        if converged or recorder.stopped_by_watch or recorder.n_iter >= problem.max_iter or result.status != 0:
            break
        tol *= 0.1 * problem.tol * abs(value) / bound
    return Fit(x, value, bound, converged, recorder.n_iter, result)


ROUNDING = 2  # the status of our solvers where rounding ends the progress


def _automatic_run(recorder: Recorder, x: Array, gap) -> Callable[[Array, float], OptimizeResult]:
    problem = recorder.problem
    chosen = automatic.plan(recorder.model, x, convex=problem.convex, random=problem.random_state)
    starts = [chosen.start]

    def run(x, tol):
        return minimize(
            recorder.fun,
            starts.pop() if starts else x,
            jac=True,
            method=chosen.method,
            callback=recorder.callback,
            options={"tol": tol, "maxiter": problem.max_iter - recorder.n_iter, "gap": gap} | chosen.options,
            **chosen.derivatives,
        )

    return run


def _scipy_run(recorder: Recorder, name: str, gap) -> Callable[[Array, float], OptimizeResult]:
    problem = recorder.problem

    def run(x, tol):
        if gap is not None:
            recorder.stop = lambda x, value, gradient: gap(x, value, gradient) <= tol * abs(value)
        result = minimize_by_name(
            name,
            recorder.model,
            recorder.fun,
            x,
            convex=problem.convex,
            has_curvature=recorder.model.objective.composition.has_curvature,
            callback=recorder.callback,
            tol=NEVER if gap is not None else 0.1 * problem.tol,
            max_iter=problem.max_iter,
        )
        if recorder.stop is not None and recorder.stop(*recorder.point()):
            result.status, result.success = 0, True
        return result

    return run
