"""Whether a solver that says it has ended at a minimum has, where no bound tells: claims are tried."""

from __future__ import annotations

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates.gap import is_negligible, negligible
from ..losses.on_scores import ByDifferences
from ..objective.objective import Objective
from ..objective.points import Points
from ..objective.samples import sample
from ..solvers import newton, quasi_newton
from ..solvers.cholesky import regular_factor
from ..solvers.spectral import UNCERTAIN
from . import thresholds
from .endings import CONVERGED, LIMIT, ROUNDING, STOPPED, Ending, ending
from .run import Run
from .task import Task

Array = np.ndarray


def is_credible(run: Run, x: Array, value: float, result: OptimizeResult, said: Ending, name: str | None) -> bool:
    """Whether a solver, ours or SciPy's of a name, that says it has ended at a minimum has, where no bound tells."""
    task, recorder = run.task, run.recorder
    if task.kinked or said in (LIMIT, STOPPED):
        return False
    allowed = run.allowed(value)
    if said is ROUNDING and task.loss.smooth and (noise := rounding_of(run.model, x, value)) > allowed:
        least = -np.inf if task.loss.lower_bound is None else task.loss.lower_bound
        return value - least <= min(thresholds.AN_EXACT_FIT * noise, thresholds.SAME * abs(run.null.value))
    parameters = run.model.parameters
    in_known_metric = parameters.linear or parameters.only_directions
    trusted = name is None and run.model.composition.has_curvature and in_known_metric
    if trusted and task.loss.smooth and not recorder.undefined:
        ended = recorder.reached or said is CONVERGED
        if ended or (said is ROUNDING and result.estimate <= allowed):
            return True
    if task.loss.lower_bound is not None and is_negligible(run.model, value - task.loss.lower_bound):
        return True
    if not task.loss.smooth:
        # at a kink of a loss that is not convex either no gradient is small: the end is where values stall
        if recorder.has_stalled or said is ROUNDING:
            return True
        return said is CONVERGED and (in_known_metric or is_minimum(run.model, x, value, task, allowed))
    return not recorder.undefined and is_minimum(run.model, x, value, task, allowed)


def rounding_of(model: Objective, x: Array, value: float) -> float:
    """How much F changes where rounding moves the parameters."""
    random = np.random.RandomState(0)
    moved = [x * (1.0 + thresholds.ROUNDED * random.choice([-1.0, 1.0], len(x))) for _ in range(3)]
    return max(abs(model.value(z) - value) for z in moved)


def leaves_slope(run: Run, x: Array, value: float, gradient: Array) -> bool:
    """Whether a step down the gradient, as long as the curvature there says, gains more than is allowed.

    What a sample's rows say of the curvature may be far more than there is.
    """
    model, task, nothing = run.model, run.task, thresholds.SAME * abs(run.null.value)
    if not (task.loss.smooth and task.convex and model.composition.has_curvature and model.parameters.linear):
        return False
    if value <= nothing:
        return False
    square, curvature = gradient @ gradient, gradient @ model.hessian(x).apply(gradient)
    return bool(0.5 * square * square > max(run.allowed(value), nothing) * curvature)


def hides_directions(model: Objective, x: Array, task: Task) -> bool:
    """Whether columns are so nearly dependent that a Hessian hides how F falls along some directions."""
    width = len(x)
    if width > thresholds.TRIED_PARAMETERS or not (model.parameters.linear and model.composition.has_curvature):
        return False
    if np.any(model.strengths) or not task.convex:
        return False
    size = thresholds.ROWS_FOR_RANK * width
    part = model if model.rows.n_rows <= size else sample(model, size, task.random_state)[0]
    return regular_factor(part.hessian(x).dense(definite=True), UNCERTAIN) is None


def by_newton(run: Run, x: Array, tol: float) -> OptimizeResult:
    """From where another method ended."""
    points, recorder = Points(run.model, convex=run.task.convex), run.recorder
    options = {"tol": tol, "maxiter": run.left}
    derivatives = {"jac": recorder.gradient, **points.second_derivatives}
    return minimize(recorder.value, x, method=newton, callback=recorder.callback, options=options, **derivatives)


def is_minimum(model: Objective, x: Array, value: float, task: Task, allowed: float) -> bool:
    """Whether a few more steps find nothing that is lower by more than is allowed."""
    result = further(model, x, task)
    said = ending(result)  # so many steps that gain next to nothing are an end too
    certain = said in (CONVERGED, LIMIT) or (said is ROUNDING and result.estimate <= allowed)
    # an end far above says nothing: rounding has moved the scores on the way into these parameters
    return bool(certain and value - allowed <= result.fun <= value + max(allowed, negligible(model)))


def further(model: Objective, x: Array, task: Task) -> OptimizeResult:
    """A few more steps from x by Newton's method, or by one that follows gradients."""
    options: dict = {"tol": task.tol, "maxiter": thresholds.TRIED_STEPS}
    method, derivatives = quasi_newton, {}
    known = model.composition.has_curvature
    if len(x) <= thresholds.TRIED_PARAMETERS and model.parameters.linear:
        seen = model if known else model.replaced(composition=ByDifferences(model.composition))
        method, derivatives = newton, Points(seen, convex=task.convex).second_derivatives
        options |= {"tol": 0.1 * task.tol, "polish": False}
    else:
        options["scaled"] = not known
    return minimize(model.value_and_gradient, x, jac=True, method=method, options=options, **derivatives)


def lowest_beside(model: Objective, x: Array, task: Task) -> OptimizeResult:
    """The lowest end of descents from points beside x, which at the tip of a cone are no lower than x itself."""
    random, options = np.random.RandomState(0), {"tol": task.tol, "maxiter": thresholds.TRIED_STEPS}
    size = thresholds.BESIDE * np.linalg.norm(x) / len(x)
    beside = [x + size * random.normal(size=len(x)) for _ in range(3)]
    ends = [minimize(model.value_and_gradient, z, jac=True, method=quasi_newton, options=options) for z in beside]
    return min(ends, key=lambda end: end.fun)
