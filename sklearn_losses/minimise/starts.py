"""Where fits start: at the previous solution, at another loss's, or where nothing is known of the features.

Each function is one such place, or None where there is none; `strategies.STARTS` says which comes first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils import check_random_state

from ..losses import AbsoluteError, CrossEntropy, Loss, Quantile
from ..objective import kernels
from ..objective.samples import sample
from ..objective.split import weighted_median
from . import thresholds
from .null import Null
from .task import Task

if TYPE_CHECKING:
    from .fit import Fitting

Array = np.ndarray


def previous(fitting: Fitting) -> Array | None:
    """The solution of the fit before, where it is better than a start without features."""
    task, null = fitting.task, fitting.null
    if task.warm is None or not task.objective.parameters.linear:
        return task.warm
    value, gradient = task.objective.value_and_gradient(task.warm)
    cold = null.value_at(null.nearly) if _exactly(fitting) else null.value
    if not (value < cold and np.isfinite(gradient).all()):
        return None
    fitting.recorder.offer(task.warm, value)
    return task.warm


def among_directions(fitting: Fitting) -> Array | None:
    """Directions have no zero to start from: the best of what the classes' means and random ones lead to."""
    task = fitting.task
    if task.objective.parameters.linear:
        return None
    task = _on_fewer_rows(task)
    start = class_means(task)
    if callable(fitting.solver):
        return start
    for loss in task.loss.easier():
        start = _roughly(fitting, task, start, loss, thresholds.EASIER_TOLERANCE)[0]
    start = min(start, towards_classes(task), key=task.objective.value)
    if task.loss.random_starts:
        return _in_the_lowest_valley(fitting, task, start)
    return start if task is fitting.task else _roughly(fitting, task, start)[0]


def of_another_loss(fitting: Fitting) -> Array | None:
    """The solution of a loss that leads to this one's (`companion`)."""
    task = fitting.task
    loss = None if callable(fitting.solver) or not fitting.spare else companion(task)
    if loss is None:
        return None
    tol = task.tol
    if task.domain == "probabilities":  # from where this loss goes on by itself
        task, tol = _on_fewer_rows(task), max(task.tol, thresholds.STARTING_TOLERANCE)
    return fitting.minimum_of(task.with_loss(loss, tol=tol, watch=task.watch_start)).theta


def without_features(fitting: Fitting) -> Array:
    """The best constant; one near it, found at once, for a solver that is exact from anywhere."""
    return fitting.null.nearly if _exactly(fitting) else fitting.null.theta


def _exactly(fitting: Fitting) -> bool:
    return fitting.solver == "auto" and fitting.task.piecewise


def _on_fewer_rows(task: Task) -> Task:
    """The task on a sample of rows, where these are many: all that is to be found on it is a start."""
    objective = task.objective
    size = max(thresholds.SAMPLED_STARTS, thresholds.ROWS_A_PARAMETER * objective.n_parameters)
    if objective.rows.n_rows <= thresholds.TALL * size:
        return task
    return replace(task, objective=sample(objective, size, task.random_state)[0])


def _in_the_lowest_valley(fitting: Fitting, task: Task, start: Array) -> Array:
    """The end of a descent from a start, or from one of a few random directions if that is lower.

    Where descents take long, two that end alike are enough.
    """
    takes_long = task.objective.rows.n_rows * task.objective.n_parameters > thresholds.MANY_ENTRIES
    tol = thresholds.VALLEY_TOLERANCE if takes_long else thresholds.STARTING_TOLERANCE
    best, least = _roughly(fitting, task, start, tol=tol)
    for other in random_directions(task):
        theta, value = _roughly(fitting, task, other, tol=tol)
        if takes_long and abs(value - least) <= 2.0 * tol * abs(least):
            break
        if value < least - tol * abs(least):  # or rounding would choose among equals
            best, least = theta, value
    return best


def _roughly(
    fitting: Fitting, task: Task, start: Array, loss: Loss | None = None, tol: float = 0.0
) -> tuple[Array, float]:
    """What a loss, or the task's, leads to from a start, with few digits, and its value there."""
    tol = max(task.tol, tol or thresholds.STARTING_TOLERANCE)
    rough = task.with_loss(loss or task.loss, tol=tol, watch=task.watch_start)
    if fitting.spare < 1:
        return start, rough.objective.value(start)
    found = fitting.minimum_of(replace(rough, warm=start))
    return found.theta, found.value


def log_odds(task: Task) -> Array:
    """Parameters of the model that predicts the classes' shares, whatever the features are."""
    null = Null(task.with_loss(CrossEntropy()))
    return null.theta


def class_means(task: Task) -> Array:
    """Directions that cosines of no size would turn to: from the mean of all rows to the means of the classes."""
    objective, loss = task.objective, next(iter(task.loss.easier()), task.loss)
    coef = np.zeros((objective.n_outputs, objective.rows.n_features))
    _, slopes, _ = objective.rows.sum(
        kernels.value_and_gradient, loss.on_scores(task.activation), coef, np.zeros(objective.n_outputs)
    )
    lost = ~slopes.any(axis=1)
    slopes[lost] = check_random_state(task.random_state).normal(size=slopes.shape)[lost]
    return objective.parameters.of_model(-slopes, np.zeros(objective.n_outputs))


def towards_classes(task: Task) -> Array:
    """The directions of the sums of every class's rows: where all rows are close together none is far from its own."""
    sums, intercept = task.objective.rows.sum(kernels.sums_of_classes, passes=0.5)
    return task.objective.parameters.of_model(sums, intercept)


def random_directions(task: Task) -> list[Array]:
    """Other starts for a loss whose minima differ."""
    random = check_random_state(task.random_state)
    return [random.normal(size=task.objective.n_parameters) for _ in range(task.loss.random_starts)]


def companion(task: Task) -> Loss | None:
    """A loss to start from: cross-entropy where this one is not convex, straight lines where it is almost that."""
    if task.domain == "probabilities":
        entropy = CrossEntropy()
        return None if task.convex or not entropy.is_convex_through(task.activation) else entropy
    if task.domain == "scores" or not task.convex or not task.loss.smooth or task.loss.link != "identity":
        return None
    rows = task.objective.rows
    targets, weights = rows.targets_of(slice(None)), rows.weights_of(slice(None))
    return _straight_lines(task.loss, targets, weights) if task.loss.separable else None


def _straight_lines(loss: Loss, y: Array, weights: Array) -> Loss | None:
    """The loss of straight lines that a loss is but for a part that is narrow beside the spread of y."""
    center = weighted_median(y, weights)
    distances = np.abs(y - center)
    spread = weighted_median(distances, weights) or float(weights @ distances)
    if not 0 < spread < np.inf:
        return None
    errors = spread * np.array([-2.0, -thresholds.NARROW, thresholds.NARROW, 2.0])
    with np.errstate(all="ignore"):
        far_below, below, above, far_above = loss.gradient(np.full(4, center), center + errors)
    if not (
        thresholds.STRAIGHT * far_above <= above <= far_above and far_below <= below <= thresholds.STRAIGHT * far_below
    ):
        return None
    if not (0 < far_above < np.inf and -np.inf < far_below < 0):
        return None
    share = float(far_below / (far_below - far_above))
    return AbsoluteError() if abs(share - 0.5) < thresholds.EVEN_SLOPES else Quantile(share)
