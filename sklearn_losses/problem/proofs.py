"""Bounds on F - min F at weights that somebody else found, drawn from the data as they came."""

from __future__ import annotations

from ..solvers.envelopes import duality_gap
from .certificate import certify
from .composition import Array
from .coordinates import Conditioned, condition
from .objective import Objective
from .split import Split, hard_labels


def by_gradient(objective: Objective, theta: Array) -> tuple[Array, float, float]:
    """For smooth convex losses with a penalty: theta with its intercept made exact, its value, and the bound."""
    shifted, coordinates = condition(objective)
    x = coordinates.from_theta(shifted.with_shift(theta, 1.0))
    x, value, bound = certify(Conditioned(shifted, coordinates), x)
    return shifted.with_shift(coordinates.to_theta(x), -1.0), value, bound


def by_dual(objective: Objective, theta: Array, dual: Array) -> tuple[float, float]:
    """For piecewise-linear losses, from the exact solver's dual of the same rows: the value of theta and the bound."""
    shifted, coordinates = condition(hard_labels(objective))
    split = Split(Conditioned(shifted, coordinates))
    x = split.from_model(coordinates.from_theta(shifted.with_shift(theta, 1.0)))
    value, bound = duality_gap(split, x, dual)
    return value * split.loss_unit, bound * split.loss_unit
