"""One function under one penalty after the other: what a fit has made ready serves the next one too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from ..certificates.gap import Gap
from ..objective.penalties import Penalty
from ..objective.triangle import Triangle, has_triangle
from . import strategies
from .fit import Fitting, fit
from .foretold import Foretold
from .run import Run
from .task import Found, Task
from .working_features import WorkingFeatures, fit_over_features, with_centred_intercepts

Array = np.ndarray

FEW = 5  # fits that are faster without a factorisation


def fits_along(task: Task, penalties: list[Penalty], theta: Array | None, solver: str | Callable) -> Iterator[Found]:
    """The minima under these penalties, each from the one before it; the first from theta, or from nothing."""
    if has_triangle(task.objective) and len(penalties) > FEW and solver == "auto":
        triangle = Triangle(task.objective)
        start = None if theta is None else triangle.to_reduced(theta)
        for found in fits_along(replace(task, objective=triangle.objective), penalties, start, solver):
            found.theta = found.result.x = triangle.to_full(found.theta)
            yield found
        return
    kinks = not any(penalty.smooth for penalty in penalties)
    shared = Shared(task, penalties[0]) if kinks and task.convex and task.loss.smooth and task.loss.separable else None
    first = replace(task, objective=task.objective.replaced(penalty=penalties[0]))
    foretold = Foretold(first) if solver == "auto" and len(penalties) > 1 and Foretold.suits(first) else None
    for penalty in penalties:
        passes = task.objective.n_passes
        one = replace(task, objective=task.objective.replaced(penalty=penalty), warm=theta)
        soon = shared.fitted(one) if shared is not None else foretold.fitted(one) if foretold is not None else None
        found = soon if soon is not None and soon.converged else fit(one, solver)
        if foretold is not None and found is not soon:
            foretold.learn(one, found.theta)
        found.result.n_passes = float(task.objective.n_passes - passes)
        theta = found.theta
        yield found


class Shared:
    """Coordinates and a working set that fits of the same rows have in common.

    Parameters
    ----------
    task : Task
        For its objective's rows and loss.
    penalty : Penalty
        The first one.
    """

    def __init__(self, task: Task, penalty: Penalty):
        self.conditioned = task.objective.replaced(penalty=penalty).conditioned()
        self.is_written = strategies.writes_out(self.conditioned)
        self.model = self.conditioned.written() if self.is_written else self.conditioned
        self.method = WorkingFeatures(self.model, Gap(self.model), convex=True, precisely=False)

    def fitted(self, task: Task) -> Found:
        """The minimum of one of the tasks."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            return self._fitted(task)

    def _fitted(self, task: Task) -> Found:
        conditioned, penalty = self.conditioned, task.objective.penalty
        if self.is_written:
            penalty = conditioned.parameters.penalty(penalty)
        model = self.model.replaced(penalty=penalty)
        self.method.with_penalty_of(model)
        fitting = Fitting(task, "auto")
        fitting.recorder.enter(model.value_and_gradient, conditioned.to_theta)
        start = fitting.null.theta if task.warm is None else task.warm
        found = fit_over_features(
            Run(task, model, fitting.recorder, conditioned.from_theta(start), fitting.null), self.method
        )
        found.theta = with_centred_intercepts(task.objective, conditioned.to_theta(found.theta))
        return fitting.reported(found)
