"""The model without features: weights of zero and the best constant, from which cold fits of convex losses start."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.optimize import minimize

from ..certificates.intercept import Slopes, least_shift
from ..data import rows_of
from ..losses.metric import one_hot
from ..objective.hessian import with_common_shift
from ..objective.objective import Objective
from ..objective.penalties import L2
from ..objective.split import Split, weighted_median
from ..solvers import augmented_lagrangian
from . import thresholds
from .task import Task

Array = np.ndarray


class Null:
    """The model without features: weights of zero and, where there is an intercept, the best constant."""

    def __init__(self, task: Task):
        self.task = task
        self._y, self._weights = _distinct_targets(task.objective)

    @cached_property
    def theta(self) -> Array:
        """Its parameters."""
        return self._with_constant(self._constant() if self.task.objective.fit_intercept else 0.0)

    @property
    def nearly(self) -> Array:
        """Parameters near them, found at once: for a solver that is exact from anywhere."""
        return self._with_constant(_first_constant(self.task))

    def _with_constant(self, constant: Array | float) -> Array:
        objective = self.task.objective
        theta = np.zeros(objective.n_parameters)
        if objective.fit_intercept:
            theta[objective.n_weights :] = constant
        return theta

    @cached_property
    def value(self) -> float:
        """F there, without a pass over X; infinite where the loss is not finite."""
        return self.value_at(self.theta)

    def value_at(self, theta: Array) -> float:
        """F at parameters whose weights are zero."""
        intercept = theta[self.task.objective.n_weights :] if self.task.objective.fit_intercept else 0.0
        mean = self._slopes(
            np.broadcast_to(intercept, self.task.objective.parameters.n_scores), self._y, self._weights
        ).mean
        value = self.task.loss.total(mean)[0]
        return value if np.isfinite(value) else np.inf

    def _constant(self) -> Array | float:
        task, objective = self.task, self.task.objective
        first = _first_constant(task)
        if task.piecewise and objective.n_outputs > 1:
            return _joint_constant(task)
        if task.loss.link == "log" or not task.convex or (objective.n_outputs > 1 and not task.loss.smooth):
            return first
        y, weights = self._y, self._weights
        if len(weights) > thresholds.MANY_TARGETS:
            step = len(weights) // thresholds.MANY_TARGETS
            y, weights = y[::step], weights[::step] / weights[::step].sum()

        def at(shift: Array) -> Slopes:
            return self._slopes(first + shift, y, weights)

        def curvature(shift: Array) -> Array | None:
            composition = objective.composition
            if not composition.has_curvature:
                return None
            targets, scores = self._targets(y), self._scores(first + shift, len(weights))
            total = composition.curvature(targets, scores).weighted_sum(weights)
            return with_common_shift(np.reshape(total, (objective.n_outputs, objective.n_outputs)))

        reach = float(np.abs(y - first).max()) if task.domain == "values" else 1.0
        shift, _ = least_shift(at, curvature, objective.n_outputs, reach=reach)
        return first + shift

    def _slopes(self, constant: Array, y: Array, weights: Array) -> Slopes:
        n_scores = self.task.objective.parameters.n_scores
        values, dual = self.task.objective.composition.value_and_gradient(
            self._targets(y), self._scores(constant, len(weights))
        )
        total, size = weights @ dual, weights @ np.abs(dual)
        return Slopes(float(weights @ values), np.reshape(total, n_scores), np.reshape(size, n_scores), dual)

    def _targets(self, y: Array) -> Array:
        return one_hot(y, self.task.objective.n_outputs) if y.dtype.kind in "iu" else y

    def _scores(self, constant: Array, n_rows: int) -> Array:
        n_outputs = self.task.objective.n_outputs
        return np.full(n_rows, constant[0]) if n_outputs == 1 else np.tile(constant, (n_rows, 1))


def _joint_constant(task: Task) -> Array | float:
    """The best constants of a piecewise-linear loss of K scores: exact, on one row a class."""
    objective = task.objective
    y, weights = _distinct_targets(objective)
    if y.ndim == 2:  # a soft label is hard ones with its shares for weights
        shares = weights @ y
        y = np.flatnonzero(shares > 0.0)
        weights = shares[y]
    rows = rows_of(np.zeros((len(y), 1)), y, weights, objective.n_outputs)
    small = objective.replaced(rows=rows, penalty=L2(1.0)).conditioned()
    split = Split(small)
    options = {"problem": split, "tol": task.tol}
    x = split.from_model(np.zeros(small.n_parameters))
    found = minimize(lambda x: (0.0, x), x, jac=True, method=augmented_lagrangian, options=options)
    return small.to_theta(split.to_model(found.x))[small.n_weights :]


def _first_constant(task: Task) -> Array | float:
    """Zero, in regression the middle of y, and the shares' log-odds where they predict these: many losses' best."""
    if not task.objective.fit_intercept or task.domain == "scores":
        return 0.0
    if task.domain == "probabilities":
        return _constant_of_shares(task.objective) if task.convex else 0.0
    y, weights = task.objective.rows.targets_of(slice(None)), task.objective.rows.weights_of(slice(None))
    if task.loss.link == "log":
        return float(np.log(max(np.average(y, weights=weights), np.finfo(float).tiny)))
    return weighted_median(y, weights)


def _constant_of_shares(objective: Objective) -> Array | float:
    """The scores whose probabilities are the classes' shares; zero where a class has none."""
    y, weights = _distinct_targets(objective)
    if objective.n_outputs == 1:
        shares = np.array([weights @ (1.0 - y), weights @ y])
    else:
        shares = weights @ y if y.ndim == 2 else weights
    if not (shares > 0.0).all():
        return 0.0
    scores = np.log(shares)
    return scores[1:] - scores[:1] if objective.n_outputs == 1 else scores - scores.mean()


def _distinct_targets(objective: Objective) -> tuple[Array, Array]:
    """The targets with their weights: of hard labels one a class, which is all that a constant can tell apart."""
    y, weights = objective.rows.targets_of(slice(None)), objective.rows.weights_of(slice(None))
    if objective.regression or y.ndim == 2:
        return y, weights
    if y.dtype.kind in "iu":
        return np.arange(objective.n_outputs), np.bincount(y, weights=weights, minlength=objective.n_outputs)
    second, first = y == 0.0, y == 1.0
    if not (second | first).all():
        return y, weights
    return np.array([0.0, 1.0]), np.array([weights @ second, weights @ first])
