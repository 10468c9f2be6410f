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
from ..solvers.balancing import shares_of_signs, stationary
from .intercept import ROUNDING as OF_SUM
from .intercept import Slopes, best_shift

ROUNDING = 1e-12  # of the null vector of the classes' sums
NEARLY = 1e-4  # of the slopes' sizes
CHEAP = 1e-12  # of F: a price that needs no other, nor all its digits
BEYOND = (1e3, 1e6, 1e9, 1e12, 1e15)  # times the sum that rounding has left, until that is nothing beside what is mixed


class Mixture(NamedTuple):
    """Slopes of every row that sum to zero, and what it costs that they are not those at the shift itself."""

    dual: Array
    price: float


def mixture(objective: Objective, scores: PerRow, slopes: Slopes, shift: Array) -> Mixture | None:
    """A mean of the slopes at the best shift, whose sum is rounding, and of those a little beyond it.

    Both are slopes of tangents, of which every mean lies below a convex loss, whatever its least value is. None where
    no such mean sums to zero.
    """
    if not (np.isfinite(slopes.mean) and objective.loss.separable):
        return None
    if objective.loss.lower_bound is not None and not (np.abs(slopes.total) <= NEARLY * slopes.size).all():
        return None  # far from a sum of zero: shares cost no more
    weights, here = objective.rows.weights_of(slice(None)), _without_common(slopes.dual.gathered())
    total = np.atleast_1d(weights @ here)
    for times in BEYOND:
        beyond, there = best_shift(objective, scores, times * total)
        if not np.isfinite(there.mean):
            continue
        other = _without_common(there.dual.gathered())
        rest = 1.0 / (1.0 + times)
        dual = here + rest * (other - here)
        left, size = weights @ dual, weights @ np.abs(dual)
        if (np.abs(left) <= OF_SUM * size).all():
            below = slopes.mean - there.mean - float(np.atleast_1d(weights @ other) @ (shift - beyond))
            return Mixture(dual, rest * max(below, 0.0))
    return None


def _without_common(dual: Array) -> Array:
    """Slopes without what rounding has left of the sums over the classes, where these are nothing else."""
    if dual.ndim == 1:
        return dual
    common = dual.mean(axis=1, keepdims=True)
    return dual - common if np.abs(common).max() <= OF_SUM else dual


class Balance(NamedTuple):
    """Every row's share of its slope, (n,), and what the scaling costs."""

    shares: Array
    price: float


def balance(objective: Objective, scores: PerRow, shift: Array | float, slopes: Slopes) -> Balance | None:
    """Shares with which the slopes at shifted scores sum to zero; None where the loss has no bound to pay with."""
    lowest = objective.loss.lower_bound
    if lowest is None or not objective.loss.separable or not np.isfinite(slopes.mean):
        return None
    dual, weights = slopes.dual.gathered(), objective.rows.weights_of(slice(None))
    shares = shares_of(objective, weights, dual)
    if shares is None:
        return None
    dearest = float(1.0 - shares.min()) * (slopes.mean - lowest)
    if dearest <= CHEAP * abs(slopes.mean):
        return Balance(shares, dearest)
    above = objective.losses(scores, shift).gathered() - lowest
    scaled = shares < 1.0  # an infinite loss that keeps its whole tangent costs nothing
    price = float(weights[scaled] @ ((1.0 - shares[scaled]) * above[scaled]))
    return Balance(shares, price)


def shares_of(objective: Objective, weights: Array, dual: Array) -> Array | None:
    """Shares of the rows' slopes with which these sum to zero in every output; None where there are none."""
    return shares_of_signs(weights, dual) if objective.n_outputs == 1 else _of_classes(objective, weights, dual)


def scaled(dual: Array, shares: Array) -> Array:
    """Every row's slopes times its share."""
    return dual * (shares if dual.ndim == 1 else shares[:, None])


def _of_classes(objective: Objective, weights: Array, dual: Array) -> Array | None:
    """One share a class, with which the classes' sums of slopes cancel in every output."""
    y, n_outputs = objective.rows.targets_of(slice(None)), objective.n_outputs
    codes = y if y.ndim == 1 else y.argmax(axis=1)
    sums = np.zeros((n_outputs, n_outputs))  # of the slopes in every output (column) by the rows of a class
    np.add.at(sums, codes, weights[:, None] * dual)
    # a row's slopes sum to zero: the one of its own class, of which rounding leaves few digits, is not asked for
    flows = sums - np.diag(sums.diagonal())
    shares = stationary(flows) if (flows >= 0).all() else _null_vector(sums)
    return None if shares is None else shares[codes]


def _null_vector(sums: Array) -> Array | None:
    """The same where a class may also push down another one; None where some share would be negative."""
    vector = np.linalg.svd(sums.T)[2][-1]
    vector = vector * np.sign(vector[np.argmax(np.abs(vector))])
    if vector.min() < 0 or np.abs(vector @ sums).max() > ROUNDING * (vector @ np.abs(sums)).max():
        return None
    return vector / vector.max()
