"""The models of one training set along falling strengths of the penalty, each from the solution before it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.threads import worker_threads
from ..estimators.linear_model import FIXED_SEED, Prepared, fitted_attributes
from ..estimators.penalty import penalty_of
from ..minimise.along import fits_along
from ..minimise.task import Task
from ..objective.objective import Objective
from .null_model import NullModel

Array = np.ndarray


@dataclass(frozen=True)
class PathPoint:
    """What is known at one strength."""

    alpha: float
    attributes: dict  # fitted attributes of a model
    value: float
    gap: float
    converged: bool


class Training:
    """Validated data and the objectives on it.

    Parameters
    ----------
    estimator : LinearModel
        Never changed.
    X, y, sample_weight
        As its ``fit`` takes them.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any):
        self.estimator = estimator
        self.scratch = copy.copy(estimator)
        self.prepared: Prepared = self.scratch._prepared(X, y, sample_weight)

    def points(self, alphas: Array | None, *, n_alphas: int, eps: float) -> list[PathPoint]:
        """The models at these strengths, or at so many from where all weights are zero down to a share of that."""
        with worker_threads(self.prepared.work) as workers:
            first = self.prepared.objective(self.estimator, workers)
            task = self._task(first)
            if alphas is not None:
                return self._fitted(task, list(alphas), [], None)
            factor = self.estimator.penalty_factor
            factors = np.ones(first.rows.n_features) if factor is None else np.asarray(factor, dtype=np.float64)
            positive = bool(getattr(self.estimator, "positive", False))
            null = NullModel(task, factors, positive=positive)
            grouped = bool(getattr(self.estimator, "grouped", False))
            largest = null.smallest_alpha(float(self.estimator.l1_ratio), grouped=grouped)
            grid = np.geomspace(largest, eps * largest, n_alphas)
            theta, value, gap = null.point(self._with_strength(first, largest))
            start = PathPoint(largest, self._attributes(first, theta), value, gap, True)
            return self._fitted(task, list(grid[1:]), [start], theta)

    def _fitted(self, task: Task, alphas: list[float], points: list[PathPoint], theta: Array | None) -> list[PathPoint]:
        penalties = [self._with_strength(task.objective, alpha).penalty for alpha in alphas]
        found = fits_along(task, penalties, theta, self.estimator.solver) if alphas else ()
        for alpha, one in zip(alphas, found, strict=True):
            attributes = self._attributes(task.objective, one.theta)
            points.append(PathPoint(float(alpha), attributes, one.value, one.gap, one.converged))
        return points

    def _with_strength(self, objective: Objective, alpha: float) -> Objective:
        penalty = penalty_of(self.estimator, objective.rows.n_features, objective.n_outputs, alpha)
        return objective.replaced(penalty=penalty)

    def _task(self, objective: Objective) -> Task:
        estimator, prepared = self.estimator, self.prepared
        seed = FIXED_SEED if estimator.random_state is None else estimator.random_state
        kind = (prepared.activation, prepared.domain)
        return Task(objective, *kind, tol=estimator.tol, max_iter=estimator.max_iter, random_state=seed)

    def _attributes(self, objective: Objective, theta: Array) -> dict:
        return fitted_attributes(self.scratch, self.prepared, objective, theta)
