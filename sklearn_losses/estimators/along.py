"""The models of one training set under one strength of the penalty after the other: the rows are prepared once."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..data.threads import worker_threads
from ..minimise.along import fits_along
from ..minimise.task import Found, Task
from ..objective.objective import Objective
from .linear_model import Prepared, fitted_attributes, of_fit
from .penalty import penalty_of

Array = np.ndarray


@dataclass(frozen=True)
class AtStrength:
    """What is known at one strength."""

    alpha: float
    attributes: dict  # fitted attributes of a model that predicts
    found: Found


class Training:
    """Validated data and the objectives on it.

    Parameters
    ----------
    estimator : LinearModel
        Never changed.
    X, y, sample_weight, soft_labels
        As its ``fit`` takes them.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None, soft_labels: Any = None):
        self.estimator = estimator
        self.scratch = copy.copy(estimator)
        self.prepared: Prepared = self.scratch._prepared(X, y, sample_weight, soft_labels)

    def objective(self, workers: Any) -> Objective:
        """That of the estimator's own strength."""
        return self.prepared.objective(self.estimator, workers)

    def task(self, objective: Objective) -> Task:
        """What is asked for at the objective's strength."""
        return self.prepared.asked(self.estimator, objective)

    def with_strength(self, objective: Objective, alpha: float) -> Objective:
        """The objective with another strength of the penalty."""
        penalty = penalty_of(self.estimator, objective.rows.n_features, objective.n_outputs, alpha)
        return objective.replaced(penalty=penalty)

    def at(self, objective: Objective, alpha: float, found: Found) -> AtStrength:
        """What was found at a strength."""
        attributes = fitted_attributes(self.scratch, self.prepared, objective, found.theta)
        return AtStrength(float(alpha), attributes, found)

    def along(self, task: Task, alphas: Sequence[float], theta: Array | None = None) -> Iterator[AtStrength]:
        """The models at these strengths, each from those before it; the first from theta, or from nothing."""
        penalties = [self.with_strength(task.objective, alpha).penalty for alpha in alphas]
        found = fits_along(task, penalties, theta, self.estimator.solver) if len(alphas) else iter(())
        yield from map(partial(self.at, task.objective), alphas, found)


def certified_models(
    estimator: Any, X: Any, y: Any, alphas: Sequence[float], sample_weight: Any = None, soft_labels: Any = None
) -> Iterator[Any]:
    """Models that a ``fit`` at every one of these strengths would find too; None in the place of those not certified.

    Nothing is yielded where nothing could be certified.
    """
    training = Training(estimator, X, y, sample_weight, soft_labels)
    with worker_threads(training.prepared.work) as workers:
        task = training.task(training.objective(workers))
        if not task.has_bound:
            return
        for one in training.along(task, alphas):
            if not one.found.converged or not np.isfinite(one.found.gap):
                yield None
                continue
            model = copy.copy(estimator).set_params(alpha=one.alpha)
            vars(model).update(one.attributes | of_fit(one.found))
            yield model
