r"""What is known for certain about a point: a bound on F - min F.

F is strongly convex in the penalised coordinates with the penalty's strengths, so that wherever the gradient in
the intercept vanishes

.. math:: F(x) - \min F \le \frac{1}{2} \sum_j \frac{g_j^2}{\mathrm{penalty}_j} .
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from ..solvers import newton, quasi_newton
from .composition import Array
from .coordinates import Conditioned

MANY_OUTPUTS = 32
ROUNDING = 1e-13
EPSILON = float(np.finfo(float).eps)


def gap_estimate(model: Conditioned):
    """The bound as a function ``(x, value, gradient)`` for solvers; nearly one before the intercept is exact."""
    penalised = model.penalty > 0
    strength = np.where(penalised, model.penalty, 1.0)
    counted = penalised | (np.arange(len(strength)) >= model.objective.n_weights)

    def gap(x: Array, value: float, gradient: Array) -> float:
        return 0.5 * float(np.sum(gradient[counted] ** 2 / strength[counted]))

    return gap


def intercept_is_exact(model: Conditioned, value: float, gradient: Array) -> bool:
    """Whether the gradient in the intercept is zero up to rounding, so that the estimate is the bound itself."""
    intercept_gradient = gradient[model.objective.n_weights :]
    return bool((np.abs(intercept_gradient) <= ROUNDING * min(value, np.sqrt(abs(value)))).all())


def is_negligible(model: Conditioned, bound: float) -> bool:
    """Whether a bound is nothing but rounding beside the loss of a model that predicts nothing."""
    objective = model.objective
    zero, _ = objective.of_scores(np.zeros_like(model.scores(np.zeros(objective.n_parameters))))
    return bound <= EPSILON**2 * objective.loss.total(zero)[0]


def is_out_of_reach(model: Conditioned, value: float, tol: float) -> bool:
    """Whether rounding alone keeps the bound above the tolerance: the penalty is nothing beside the data.

    A column of size 1e30 with alpha = 1e-4 is such a case: its weight is known to all digits, but F hardly changes
    with the penalty and no bound can be drawn from it.
    """
    slope = min(value, 2.0 * np.sqrt(value))
    penalised = model.penalty > 0
    variance = np.tile(model.coordinates.variance, model.objective.n_outputs)
    variance = np.concatenate([variance, np.ones(len(penalised) - len(variance))])[penalised]
    return 0.5 * (64.0 * EPSILON * slope) ** 2 * float(np.max(variance / model.penalty[penalised])) > tol * value


def certify(model: Conditioned, x: Array) -> tuple[Array, float, float]:
    """The point with its intercept made exact, its value, and the bound on F - min F. One pass."""
    objective = model.objective
    scores = model.scores(x)
    if objective.fit_intercept:
        shift = best_intercept_shift(objective, scores)
        scores = scores + (shift if scores.ndim == 2 else shift[0])
        x = x.copy()
        x[objective.n_weights :] += shift
    mean, dual = objective.of_scores(scores)
    value, slope, _ = objective.loss.total(mean)
    gradient = slope * model.adjoint(dual) + model.penalty * x
    value += 0.5 * float(np.sum((np.sqrt(model.penalty) * x) ** 2))
    penalised = model.penalty > 0
    gap = 0.5 * float(np.sum(gradient[penalised] ** 2 / model.penalty[penalised]))
    return x, value, gap


def best_intercept_shift(objective, scores: Array) -> Array:
    """What to add to every row's scores to minimise the loss over the intercept; no pass over X."""
    n_outputs = objective.n_outputs

    def moved(shift):
        return scores + (shift if scores.ndim == 2 else shift[0])

    def value_and_gradient(shift):
        mean, dual = objective.of_scores(moved(shift))
        value, slope, _ = objective.loss.total(mean)
        return value, slope * (objective.weights @ dual).reshape(n_outputs)

    def hessian(shift):
        def of_rows(rows):
            z = moved(shift)[rows]
            return (np.tensordot(objective.weights[rows], objective.composition.blocks(objective.targets(rows), z), 1),)

        (mean,) = objective.rows.sum(of_rows)
        slope = objective.loss.total(objective.of_scores(moved(shift))[0])[1]
        # the same shift of all classes changes nothing: give that direction some curvature
        mean = np.reshape(mean, (n_outputs, n_outputs))
        return slope * (mean + (np.trace(mean) / n_outputs**2 if n_outputs > 1 else 0.0))

    direct = objective.composition.has_curvature and n_outputs <= MANY_OUTPUTS
    result = minimize(
        value_and_gradient,
        np.zeros(n_outputs),
        jac=True,
        hess=hessian if direct else None,
        method=newton if direct else quasi_newton,
        options={"tol": 1e-15, "maxiter": 50},
    )
    return result.x
