"""What is compared: labelled losses, the model in which they are exchanged, and the candidates of a grid for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from ..losses import Loss
from ..losses.labels import label_losses

Settings = dict[str, Any]

FEW_ROWS = 5  # of a regression target, to try an estimator's parameters on


@dataclass(frozen=True)
class Contender:
    """A loss under its label, and the settings of other parameters that it is to be searched over."""

    label: str
    loss: Loss
    candidates: list[Settings]


class Place:
    """Where in an estimator the loss is a parameter: in the estimator itself, or in a pipeline's last step.

    Parameters
    ----------
    estimator : estimator
        One of this package or another that takes loss objects as its parameter ``loss``, or a pipeline that ends in
        one.
    """

    def __init__(self, estimator: Any):
        model, prefix = estimator, ""
        while isinstance(model, Pipeline):
            name, model = model.steps[-1]
            prefix += f"{name}__"
        # scikit-learn's own estimators take names of their own losses, and no objects
        foreign = isinstance(model, type) or type(model).__module__.partition(".")[0] == "sklearn"
        if foreign or not (isinstance(model, BaseEstimator) and "loss" in model.get_params()):
            raise ValueError(
                "compare_losses exchanges the loss of a model that takes loss objects: a LogisticRegressor, "
                f"SoftmaxClassifier or LinearRegressor, or a Pipeline with one as its last step; got {model!r}."
            )
        self.estimator, self.model, self.prefix = estimator, model, prefix

    @property
    def is_ours(self) -> bool:
        """Whether the model is one of this package, which can be asked for its objective."""
        return hasattr(self.model, "objective")

    @property
    def loss_name(self) -> str:
        """The loss's name among the parameters of the estimator."""
        return f"{self.prefix}loss"

    def with_loss(self, loss: Loss, parameters: Settings) -> BaseEstimator:
        """A copy of the estimator with another loss, then with other values of other parameters."""
        estimator = clone(self.estimator).set_params(**{self.loss_name: clone(loss)})
        # as in scikit-learn's searches: values may be estimators themselves
        return estimator.set_params(**clone(parameters, safe=False))

    def check(self, loss: Loss, parameters: Settings, y: Any) -> None:
        """Raise what the model has to say about its parameters, its loss and its classes, before any fit."""
        # what a loss computes, and for which targets, is a matter of its fits
        silent = type(type(loss).__name__, (type(loss),), SILENT)(**loss.get_params(deep=False))
        model: Any = Place(self.with_loss(silent, parameters)).model
        if not self.is_ours:
            return
        factors = model.get_params().get("penalty_factor")  # one a feature
        model.objective(np.ones((len(y), 1 if factors is None else np.size(factors))), y)


SILENT: dict[str, Callable] = {
    "value": lambda self, y, prediction: np.zeros(len(prediction)),
    "gradient": lambda self, y, prediction: np.zeros_like(prediction),
    "check_target": lambda self, y: None,
}


def read_contenders(place: Place, losses: Any, param_grid: Any, y: Any) -> list[Contender]:
    """The losses with their candidates; every combination is accepted by the estimator."""
    named = label_losses(losses)
    grids = _grids_by_loss(place, named, param_grid)
    contenders = [Contender(label, loss, _candidates(grids[label])) for label, loss in named.items()]
    few = _few_targets(place.model, y)
    for contender in contenders:
        for parameters in contender.candidates:
            place.check(contender.loss, parameters, few)
    return contenders


def _few_targets(model: Any, y: Any) -> Any:
    """Targets that stand for all: the classes, or the first numbers."""
    targets = np.asarray(y)
    if not is_classifier(model) or targets.ndim != 1:
        return targets[:FEW_ROWS]
    try:
        return np.unique(targets)
    except TypeError:  # labels that cannot be sorted: the model says so
        return targets


def _grids_by_loss(place: Place, losses: dict[str, Loss], param_grid: Any) -> dict[str, list[Settings]]:
    """For each loss the grids without the parameters that it does not take."""
    if param_grid is None:
        return {label: [{}] for label in losses}
    grids = ParameterGrid(param_grid).param_grid
    names = {name for grid in grids for name in grid}
    taken = {label: {f"{place.loss_name}__{name}" for name in loss.get_params()} for label, loss in losses.items()}
    _check_names(place, names, set().union(*taken.values()))

    def takes(label: str, name: str) -> bool:
        return not name.startswith(f"{place.loss_name}__") or name in taken[label]

    return {
        label: [{name: values for name, values in grid.items() if takes(label, name)} for grid in grids]
        for label in losses
    }


def _check_names(place: Place, names: set[str], of_losses: set[str]) -> None:
    """Raise a ValueError for names in a grid that would exchange the loss, or that no loss takes."""
    steps = place.prefix.split("__")[:-1]
    ways = ["".join(f"{step}__" for step in steps[:i]) for i in range(len(steps))]
    replacing = {place.loss_name}.union(*({f"{way}steps", way + step} for way, step in zip(ways, steps, strict=True)))
    for name in sorted(names):
        if name in replacing:
            raise ValueError(
                f"param_grid has {name!r}, which would replace the loss itself. The losses to compare go into losses=."
            )
        if name.startswith(f"{place.loss_name}__") and name not in of_losses:
            known = f"they take {', '.join(sorted(of_losses))}" if of_losses else "they take none"
            raise ValueError(f"param_grid has {name!r}, a parameter that none of the losses takes; {known}.")


def _candidates(grids: list[Settings]) -> list[Settings]:
    """The combinations of all grids; those once that are alike without what a loss does not take."""
    distinct: list[Settings] = []
    for candidate in ParameterGrid([grid for grid in grids if grid] or [{}]):
        if len(grids) == 1 or not any(alike(candidate, other) for other in distinct):
            distinct.append(candidate)
    return distinct


def alike(first: Settings, second: Settings) -> bool:
    """Whether two settings are the same; values are compared as arrays are."""
    return first.keys() == second.keys() and all(_equal(first[name], second[name]) for name in first)


def _equal(first: Any, second: Any) -> bool:
    return first is second or np.array_equal(first, second)
