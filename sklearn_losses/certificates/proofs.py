"""Bounds on F - min F at weights that somebody else found, drawn from the data as they came.

Both take the data's `Rows.statistics` if these are known, which saves reading the data once.
"""

from __future__ import annotations

from ..data.statistics import Statistics
from ..losses.on_scores import Array
from ..objective.objective import Objective
from ..objective.split import Split, hard_labels
from ..solvers.augmented_lagrangian.lower_bound import duality_gap
from .gap import Gap, Proof


def by_gradient(
    objective: Objective, theta: Array, statistics: Statistics | None = None, gap: type[Gap] = Gap
) -> Proof:
    """For smooth convex losses with a penalty: theta, perhaps with a better intercept, its value, and the bound."""
    model = objective.conditioned(statistics)
    x = model.from_theta(theta)
    proof = gap(model).proof(x, *model.value_and_gradient(x))
    return proof._replace(x=model.to_theta(proof.x))


def by_dual(
    objective: Objective, theta: Array, dual: Array, statistics: Statistics | None = None
) -> tuple[float, float]:
    """For piecewise-linear losses, from the exact solver's dual of the same rows: the value of theta and the bound."""
    model = hard_labels(objective).conditioned(statistics)
    split = Split(model)
    value, bound = duality_gap(split, split.from_model(model.from_theta(theta)), dual)
    return value * split.value_unit, bound * split.value_unit
