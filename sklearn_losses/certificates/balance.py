r"""Slopes that sum to zero: what a bound needs wherever a parameter has no penalty to hold it, as an intercept has.

A loss lies above its tangent, :math:`\ell(t) \ge \ell + a (t - z)`, and above its least value m; so it lies above every
mean of the two, a line of slope :math:`\rho a` that is lower at z by :math:`(1 - \rho) (\ell - m)`. Rows whose slopes
outweigh the others' are scaled down until the sum is zero, and the bound pays the price.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..data import PerRow
from ..losses.on_scores import Array
from ..objective.objective import Objective
from .intercept import Slopes

ROUNDING = 1e-12  # of the null vector of the classes' sums


class Balance(NamedTuple):
    """Every row's share of its slope, (n,), and what the scaling costs."""

    shares: Array
    price: float


def balance(objective: Objective, scores: PerRow, shift: Array, slopes: Slopes) -> Balance | None:
    """Shares with which the slopes at shifted scores sum to zero; None where the loss has no bound to pay with."""
    lowest = objective.loss.lower_bound
    if lowest is None or not objective.loss.separable or not np.isfinite(slopes.mean):
        return None
    dual, weights = slopes.dual.gathered(), objective.rows.weights_of(slice(None))
    if objective.n_outputs == 1:
        shares: Array | None = _of_signs(weights, dual)
    else:
        shares = _of_classes(objective, weights, dual)
    if shares is None:
        return None
    above = objective.losses(scores, shift).gathered() - lowest
    scaled = shares < 1.0  # an infinite loss that keeps its whole tangent costs nothing
    price = float(weights[scaled] @ ((1.0 - shares[scaled]) * above[scaled]))
    return Balance(shares, price)


def _of_signs(weights: Array, dual: Array) -> Array:
    positive = dual > 0
    rises, falls = (float(weights[side] @ np.abs(dual[side])) for side in (positive, ~positive))
    heavier = positive if rises > falls else ~positive
    return np.where(heavier, min(rises, falls) / max(rises, falls), 1.0)


def _of_classes(objective: Objective, weights: Array, dual: Array) -> Array | None:
    """One share a class: the null vector of the classes' sums, which themselves sum to zero over the outputs."""
    y, n_outputs = objective.rows.targets_of(slice(None)), objective.n_outputs
    codes = y if y.ndim == 1 else y.argmax(axis=1)
    sums = np.zeros((n_outputs, n_outputs))
    np.add.at(sums.T, codes, weights[:, None] * dual)
    vector = np.linalg.svd(sums)[2][-1]
    vector = vector * np.sign(vector[np.argmax(np.abs(vector))])
    vector = np.where(np.abs(sums).sum(axis=0) == 0, vector.max(), vector)  # classes without slopes keep them
    if vector.min() < 0 or np.abs(sums @ vector).max() > ROUNDING * (np.abs(sums) @ vector).max():
        return None
    return (vector / vector.max())[codes]
