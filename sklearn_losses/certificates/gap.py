r"""What is known for certain about a point: a bound on F - min F.

F is strongly convex in the penalised coordinates with the penalty's strengths, so that wherever the gradient in
the intercept vanishes

.. math:: F(x) - \min F \le \frac{1}{2} \sum_j \frac{g_j^2}{\mathrm{penalty}_j} .
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from ..losses.on_scores import Array
from ..objective.objective import Objective
from ..objective.parameters import Conditioned
from ..solvers import quasi_newton

CHORDS = 8  # steps with one Hessian before giving up on them
CHEAP_HESSIAN = 1e9  # multiplications that the Hessian in the intercepts may cost
ROUNDING = 1e-13
EPSILON = float(np.finfo(float).eps)


class GradientBound:
    """The bound as a function ``(x, value, gradient)`` for solvers; only nearly one before the intercept is exact."""

    def __init__(self, model: Conditioned):
        self.model = model
        penalised = model.penalty > 0
        # weights without a penalty have no part in it
        strength = np.where(np.arange(len(penalised)) < model.objective.n_weights, np.inf, 1.0)
        self._root = np.sqrt(np.where(penalised, model.penalty, strength))

    def __call__(self, x: Array, value: float, gradient: Array) -> float:
        scaled = gradient / self._root
        return 0.5 * float(np.dot(scaled, scaled))

    def proof(self, x: Array, value: float, gradient: Array) -> tuple[Array, float, float]:
        """x, with its intercept made exact if need be, its value, and the bound."""
        if intercept_is_exact(self.model, value, gradient):
            return x, value, self(x, value, gradient)
        return certify(self.model, x)


def intercept_is_exact(model: Conditioned, value: float, gradient: Array) -> bool:
    """Whether the gradient in the intercept is zero up to rounding, so that the estimate is the bound itself."""
    intercept_gradient = gradient[model.objective.n_weights :]
    return bool((np.abs(intercept_gradient) <= ROUNDING * min(value, np.sqrt(abs(value)))).all())


def is_negligible(model: Conditioned, bound: float) -> bool:
    """Whether a bound is nothing but rounding beside the loss of a model that predicts nothing."""
    objective = model.objective
    shape = (objective.rows.n_rows, objective.n_outputs)
    zero, _ = objective.of_scores(np.zeros(shape[: 1 if objective.n_outputs == 1 else 2]))
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
    weakest = float(np.max(variance / model.penalty[penalised], initial=0.0))
    return 0.5 * (64.0 * EPSILON * slope) ** 2 * weakest > tol * value


def certify(model: Conditioned, x: Array, tilt: Array | float = 0.0) -> tuple[Array, float, float]:
    """The point with its intercept made exact, its value, and the bound on F - min F. One pass.

    With a tilt, all of it is about ``F(x) + tilt' x``.
    """
    x, value, gradient = with_exact_intercept(model, x, tilt)
    return x, value, bound_by_gradient(model, gradient)


def bound_by_gradient(model: Conditioned, gradient: Array) -> float:
    """The bound where the gradient in the intercept vanishes."""
    penalised = model.penalty > 0
    return 0.5 * float(np.sum(gradient[penalised] ** 2 / model.penalty[penalised]))


def with_exact_intercept(model: Conditioned, x: Array, tilt: Array | float) -> tuple[Array, float, Array]:
    """The best point that differs from x in the intercept only, with the value and the gradient there. One pass."""
    objective = model.objective
    tilt = np.broadcast_to(tilt, x.shape)
    scores = model.scores(x)
    if objective.fit_intercept:
        shift, mean, dual = _best_shift(objective, scores, tilt[objective.n_weights :])
        x = x.copy()
        x[objective.n_weights :] += shift
    else:
        mean, dual = objective.of_scores(scores)
    value, gradient = model.from_dual(x, mean, dual)
    return x, value + float(tilt @ x), gradient + tilt


def _best_shift(objective: Objective, scores: Array, tilt: Array) -> tuple[Array, float, Array]:
    """What to add to every row's scores so that the gradient in the intercept, plus a tilt, vanishes.

    With it the mean loss there and every row's derivative. It takes no pass over X.

    Near the optimum a few steps with one Hessian are enough; farther away a solver takes over.
    """
    shift: Array = np.zeros(objective.n_outputs)
    mean, dual = objective.of_scores(scores)
    inverse, size = None, np.inf
    if objective.composition.has_curvature and scores.size * objective.n_outputs <= CHEAP_HESSIAN:
        for _ in range(CHORDS):
            residual = np.reshape(objective.weights @ dual, objective.n_outputs) + tilt
            last, size = size, np.abs(residual).max()
            small = ROUNDING * min(mean, np.sqrt(abs(mean)))
            if size <= small or (size > 0.5 * last and size <= 100 * small):
                return shift, mean, dual
            if size > 0.5 * last:
                break
            if inverse is None:
                values, vectors = np.linalg.eigh(_intercept_hessian(objective, scores))
                curved = values > EPSILON * len(values) * values[-1]
                inverse = (vectors[:, curved] / values[curved]) @ vectors[:, curved].T
            shift = shift - inverse @ residual
            mean, dual = objective.of_scores(_moved(scores, shift))
    shift = _minimise_over_intercept(objective, scores, tilt)
    return shift, *objective.of_scores(_moved(scores, shift))


def _moved(scores: Array, shift: Array) -> Array:
    return scores + (shift if scores.ndim == 2 else shift[0])


def _intercept_hessian(objective: Objective, scores: Array) -> Array:
    """The mean curvature in the intercept, (K, K), with some along the common shift of classes that has none."""

    def of_rows(rows):
        y, z, weights = objective.targets(rows), scores[rows], objective.weights[rows]
        if z.ndim == 1:
            return (np.dot(weights, objective.composition.blocks(y, z)),)
        return (objective.composition.mean_block(y, z, weights),)

    n_outputs = objective.n_outputs
    hessian = np.reshape(objective.rows.sum(of_rows)[0], (n_outputs, n_outputs))
    return hessian + np.trace(hessian) / n_outputs**2 if n_outputs > 1 else hessian


def _minimise_over_intercept(objective: Objective, scores: Array, tilt: Array) -> Array:
    def value_and_gradient(shift):
        mean, dual = objective.of_scores(_moved(scores, shift))
        return mean + float(tilt @ shift), np.reshape(objective.weights @ dual, objective.n_outputs) + tilt

    options = {"tol": 1e-15, "maxiter": 100}
    start = np.zeros(objective.n_outputs)
    return minimize(value_and_gradient, start, jac=True, method=quasi_newton, options=options).x
