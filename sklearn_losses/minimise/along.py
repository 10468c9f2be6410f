"""One function under one penalty after the other: what a fit has made ready serves the next one too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from scipy.optimize import OptimizeResult

from ..certificates.gap import Gap
from ..objective.objective import Objective
from ..objective.part import FeaturePart, is_parabola
from ..objective.penalties import Penalty
from ..objective.triangle import Triangle
from ..solvers.feature_sweeps import minimum_of_parabola
from . import strategies, thresholds
from .coordinates import Coordinates, InCommon
from .fit import Fitting, fit
from .foretold import Foretold
from .null import Null
from .over_features import minimum_over_features, with_centred_intercepts
from .run import Run
from .task import Found, Task
from .working_features import WorkingFeatures

Array = np.ndarray


def fits_along(task: Task, penalties: list[Penalty], theta: Array | None, solver: str | Callable) -> Iterator[Found]:
    """The minima under these penalties, each from the one before it; the first from theta, or from nothing."""
    if solver == "auto" and strategies.goes_by_triangle(task.objective, len(penalties)):
        triangle = Triangle(task.objective)
        start = None if theta is None else triangle.to_reduced(theta)
        for found in fits_along(replace(task, objective=triangle.objective), penalties, start, solver):
            found.result.x = triangle.to_full(found.theta)
            yield replace(found, theta=found.result.x)
        return
    shared = _shared(task, penalties, solver)
    for penalty in penalties:
        passes = task.objective.n_passes
        one = replace(task, objective=task.objective.replaced(penalty=penalty), warm=theta)
        soon = None if shared is None else shared.fitted(one)
        found = soon if soon is not None and soon.converged else fit(one, solver)
        if shared is not None and found is not soon:
            shared.learn(one, found.theta)
        found.result.n_passes = float(task.objective.n_passes - passes)
        theta = found.theta
        yield found


def _shared(task: Task, penalties: list[Penalty], solver) -> InCommon | None:
    """What the fits under these penalties have in common, where they have anything."""
    kinks = not any(penalty.smooth for penalty in penalties)
    if kinks and task.convex and task.loss.smooth and task.loss.separable:
        return (Parabola if Parabola.suits(task, len(penalties)) else Shared)(task, penalties[0])
    first = replace(task, objective=task.objective.replaced(penalty=penalties[0]))
    return Foretold(first) if solver == "auto" and len(penalties) > 1 and Foretold.suits(first) else None


class Shared(InCommon):
    """Coordinates and a working set that fits of the same rows have in common.

    Parameters
    ----------
    task : Task
        For its objective's rows and loss.
    penalty : Penalty
        The first one.
    """

    def __init__(self, task: Task, penalty: Penalty):
        self.at = Coordinates(task.objective.replaced(penalty=penalty))
        self.method = WorkingFeatures(self.at.model, Gap(self.at.model), convex=True, precisely=False)

    def fitted(self, task: Task) -> Found:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            return self._fitted(task)

    def _fitted(self, task: Task) -> Found:
        model = self.at.under(task.objective.penalty)
        self.method.with_penalty_of(model)
        fitting = Fitting(task, "auto")
        fitting.recorder.enter(model.value_and_gradient, self.at.to_theta)
        start = self.at.from_theta(fitting.null.theta if task.warm is None else task.warm)
        found = minimum_over_features(Run(task, model, fitting.recorder, start, fitting.null), self.method)
        theta = with_centred_intercepts(task.objective, self.at.to_theta(found.theta))
        return fitting.reported(replace(found, theta=theta))


class Parabola(InCommon):
    """A function that its Hessian and one gradient know everywhere, so that fits of it read no data before their end.

    Parameters
    ----------
    task : Task
        One that it `suits`.
    penalty : Penalty
        The first one.
    """

    def __init__(self, task: Task, penalty: Penalty):
        self.at = Coordinates(task.objective.replaced(penalty=penalty), written=True)
        model = self.at.model
        self.part = FeaturePart(model, np.arange(model.rows.n_features), convex=True)
        self.part.hessian(np.zeros(model.n_parameters))  # which parts with other penalties then have too
        self._last: tuple[Array, Array] | None = None  # the last minimum, and the slope of the data term there

    @staticmethod
    def suits(task: Task, n_fits: int) -> bool:
        """Whether it has a bound, and a Hessian that is worth making for so many fits."""
        rows = task.objective.rows
        small = rows.n_rows * rows.n_features**2 <= n_fits * thresholds.PARABOLA and not rows.is_sparse
        return is_parabola(task.objective) and task.has_bound and small

    def learn(self, task: Task, theta: Array) -> None:
        self._last = None  # that minimum is another one

    def fitted(self, task: Task) -> Found:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            return self._fitted(task)

    def _fitted(self, task: Task) -> Found:
        null, model = Null(task), self.at.under(task.objective.penalty)
        part = self.part.with_penalty_of(model)
        x, slope = self._last or self._start(model, null.theta if task.warm is None else task.warm)
        n_free, of_penalty = model.n_parameters - model.n_weights, self._slope_of_penalty(model, x)
        x = minimum_of_parabola(x, slope + of_penalty, part.hessian(x), part.penalty, n_free)
        value, gradient = model.value_and_gradient(x)
        slope = gradient - self._slope_of_penalty(model, x)
        x, value, bound = Gap(model).proof(x, value, gradient)
        theta, self._last = self.at.to_theta(x), (x, slope)
        converged = bound <= task.allowed(value, lambda: null.value)
        return Found(theta, value, bound, converged, 1, OptimizeResult(x=theta, fun=value, nit=1))

    def _start(self, model: Objective, theta: Array) -> tuple[Array, Array]:
        """Where parameters are, and the slope of the data term there."""
        x = self.at.from_theta(theta)
        return x, model.value_and_gradient(x)[1] - self._slope_of_penalty(model, x)

    @staticmethod
    def _slope_of_penalty(model: Objective, x: Array) -> Array:
        coef, intercept = model.parameters.split(x)
        return model.parameters.join(model.penalty.gradient(coef), np.zeros_like(intercept))
