"""What the reference lists: the public names, the methods of each, and where the user guide explains it."""

from __future__ import annotations

import inspect
import re

import sklearn_losses
from sklearn_losses import activations
from sklearn_losses.losses import LOSSES

# What one calls on a loss. The other methods of `Loss` are for those who write one, and stand on its own page.
OF_A_LOSS = ("__call__", "value", "gradient", "curvature", "scorer", "get_params", "set_params")

# The label in the user guide for every name that is not a loss with a section of its own.
GUIDE = {
    "LinearRegressor": "objective",
    "LogisticRegressor": "objective",
    "SoftmaxClassifier": "objective",
    "Loss": "own-loss",
    "LossScorer": "losses",
    "get_loss": "losses",
    "check_loss": "checking-a-loss",
}


def objective_class() -> type:
    """The class of what ``estimator.objective(X, y)`` returns, wherever it is kept."""
    return type(sklearn_losses.LinearRegressor().objective([[0.0], [1.0]], [0.0, 1.0]))


def public_objects() -> dict[str, object]:
    """Everything that the reference documents by its own page, by its full name."""
    named = {f"sklearn_losses.{name}": getattr(sklearn_losses, name) for name in sklearn_losses.__all__}
    named |= {
        f"sklearn_losses.activations.{name}": found
        for name, found in vars(activations).items()
        if inspect.isclass(found) and not name.startswith("_")
    }
    objective = objective_class()
    return named | {f"{objective.__module__}.{objective.__qualname__}": objective}


def public_methods(cls: type) -> list[str]:
    """The methods that a user calls, inherited ones too: those of the package first, then scikit-learn's."""
    is_loss = issubclass(cls, sklearn_losses.Loss) and cls is not sklearn_losses.Loss
    methods = []
    for name in dir(cls):
        if name.startswith("_") and name != "__call__":
            continue
        if is_loss and name not in OF_A_LOSS:
            continue
        if callable(found := getattr(cls, name)) and not inspect.isclass(found):
            methods.append(name)
    return sorted(methods, key=lambda name: _place(cls, name))


def _place(cls: type, name: str) -> tuple:
    """Order of a method on its page: what is called first stands first."""
    usual = ("__call__", "fit", "predict", "predict_proba", "predict_log_proba", "decision_function", "score",
             "objective", "value", "gradient", "curvature", "scorer")  # fmt: skip
    rank = usual.index(name) if name in usual else len(usual)
    ours = any(name in vars(base) for base in cls.__mro__ if base.__module__.startswith("sklearn_losses"))
    return rank, not ours, name


def guide_label(name: str) -> str:
    """The label of the user guide's section on a public name."""
    if name.startswith("sklearn_losses.activations."):
        return "derivations"
    short = name.rpartition(".")[2]
    if short == objective_class().__name__:
        return "objective-in-your-hands"
    if short in {loss.__name__ for loss in LOSSES}:
        return f"loss-{short.lower()}"
    return GUIDE[short]


def context() -> dict[str, dict]:
    """What the templates of autosummary look up."""
    objects = public_objects()
    return {
        "public_methods": {name: public_methods(found) for name, found in objects.items() if inspect.isclass(found)},
        "guide": {name: guide_label(name) for name in objects},
    }


def keep_initials(app, what, name, obj, options, lines) -> None:
    """Escape the initial at the start of a line, which would begin an enumerated list: "S. Kullback and R. Leibler"."""
    lines[:] = [re.sub(r"^(\s*)([A-Z]\. )", r"\1\\\2", line) for line in lines]
