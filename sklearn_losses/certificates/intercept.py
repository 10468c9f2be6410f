"""The best intercept for given scores: what to add to every row's scores so that the mean loss is least.

It takes no pass over X. Every trial costs one evaluation of the losses, and none is accepted that raises the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from ..data import PerRow
from ..losses.on_scores import Array
from ..objective.hessian import with_common_shift
from ..objective.objective import Objective
from ..solvers import quasi_newton

EPSILON = float(np.finfo(float).eps)
ROUNDING = 64.0 * EPSILON  # of a sum, relative to the sum of its terms' sizes
TRIALS = 100  # at most: bisection alone takes sixty to the last digit
FAST = 0.5  # share of the slope that a good step may leave
LONGER = 4.0  # than the last step, the next one towards a root that is not enclosed yet
SECANTS = 5  # trials that may fall short of the root before steps grow
STEP = 1e-4  # of differences
CHEAP_HESSIAN = 1e9  # multiplications that the Hessian in the intercepts may cost


class Slopes(NamedTuple):
    """The mean loss at a shift, its derivatives in it, the sizes of what they are sums of, (K,), and every row's."""

    mean: float
    total: Array
    size: Array
    dual: Any

    @property
    def vanish(self) -> bool:
        """Whether the derivatives are zero up to rounding."""
        return bool((np.abs(self.total) <= ROUNDING * self.size).all())


def slopes_at(objective: Objective, scores: PerRow, shift: Array | float = 0.0, tilt: Array | float = 0.0) -> Slopes:
    """What the losses' derivatives at scores plus a shift add up to, plus a tilt."""
    here = objective.at_scores(scores, shift)
    return Slopes(here.mean, here.total + tilt, here.size + np.abs(tilt), here.dual)


def best_shift(
    objective: Objective, scores: PerRow, tilt: Array | float = 0.0, first: Slopes | None = None
) -> tuple[Array, Slopes]:
    """What to add to all scores so that the mean loss, plus tilt times the shift, is least; the slopes there.

    Those without a shift are the first ones that are looked at, unless they are known.
    """

    def at(shift: Array) -> Slopes:
        return slopes_at(objective, scores, shift, tilt)

    def hessian(shift: Array) -> Array | None:
        if not objective.composition.has_curvature or objective.rows.n_rows * objective.n_outputs**2 > CHEAP_HESSIAN:
            return None
        return objective.mean_curvature(scores, shift)

    return least_shift(at, hessian, objective.n_outputs, tilt, 1.0 + objective.largest(scores), first)


def least_shift(
    at: Callable[[Array], Slopes],
    hessian: Callable[[Array], Array | None],
    n_outputs: int,
    tilt: Array | float = 0.0,
    reach: float = 1.0,
    first: Slopes | None = None,
) -> tuple[Array, Slopes]:
    """The shift with the least mean loss, by its slopes ``at(shift)`` and the mean curvature, where that is known.

    ``reach`` is the size of the shifts that are tried first where no curvature tells.
    """
    start = np.zeros(n_outputs)
    found = first or at(start)
    if found.vanish:
        return start, found
    search = _along_the_line if n_outputs == 1 else _in_all_directions
    shift, least = search(at, hessian, found, tilt, reach)
    # beyond rounding the mean never rises
    rise = least.mean + float(np.sum(tilt * shift)) - found.mean
    if np.isfinite(least.mean) and rise <= ROUNDING * abs(found.mean):
        return shift, least
    return start, found


def _along_the_line(at, hessian, first: Slopes, tilt, reach: float) -> tuple[Array, Slopes]:
    """One intercept: the root of a rising slope, by secants inside a bracket that bisection narrows."""
    start, curvature, slope = np.zeros(1), hessian(np.zeros(1)), float(first.total[0])
    step = -np.sign(slope) * reach
    if curvature is not None and curvature.item() * reach > abs(slope):  # where nothing is curved Newton goes too far
        step = -slope / curvature.item()
    ends: dict[bool, float] = {slope > 0: 0.0}  # the nearest points with a positive and with a negative slope
    last, last_slope, shift = 0.0, slope, float(step)
    best = (start, first)
    for trial in range(TRIALS):
        found = at(np.array([shift]))
        slope = float(found.total[0])
        if np.isfinite(found.mean) and abs(slope) <= abs(best[1].total[0]):
            best = (np.array([shift]), found)
        if found.vanish:
            break
        ends[slope > 0 or not np.isfinite(slope)] = shift
        proposed = shift - slope * (shift - last) / (slope - last_slope) if slope != last_slope else np.nan
        fast = abs(slope) <= FAST * abs(last_slope)
        if len(ends) == 2:
            inside = min(ends.values()) < proposed < max(ends.values())
            following = proposed if inside and fast else 0.5 * (ends[True] + ends[False])
        else:
            longest = shift + LONGER * (shift - last)
            near = trial < SECANTS and (proposed - shift) * (longest - proposed) > 0
            following = proposed if near else longest
        if following == shift or not np.isfinite(following):
            break
        last, last_slope, shift = shift, slope, following
    return best


def _in_all_directions(at, hessian, first: Slopes, tilt, reach: float) -> tuple[Array, Slopes]:
    """Several intercepts: Newton's method, its steps halved until the mean falls; else a quasi-Newton method."""
    shift: Array = np.zeros(len(first.total))
    found, inverse = first, None
    for _ in range(TRIALS):
        if inverse is None:
            known = hessian(shift)
            inverse = _pseudo_inverse(_by_differences(at, shift) if known is None else known)
            if inverse is None:
                break
        step = -inverse @ found.total
        trial = _lower(at, shift, found, step, tilt)
        if trial is None:
            break
        stalled = np.abs(trial[1].total).max() > FAST * np.abs(found.total).max()
        shift, found = trial
        if found.vanish:
            return shift, found
        inverse = None if stalled else inverse
    if (np.abs(found.total) <= 100.0 * ROUNDING * found.size).all():
        return shift, found

    def value_and_gradient(shift: Array) -> tuple[float, Array]:
        here = at(shift)
        return here.mean + float(np.sum(tilt * shift)), here.total

    options = {"tol": EPSILON, "maxiter": TRIALS}
    shift = minimize(value_and_gradient, shift, jac=True, method=quasi_newton, options=options).x
    return shift, at(shift)


def _lower(at, shift: Array, found: Slopes, step: Array, tilt) -> tuple[Array, Slopes] | None:
    """A point along the step with a lower mean, or where means no longer tell with smaller slopes."""
    noise = ROUNDING * abs(found.mean)
    for _ in range(30):
        trial = at(shift + step)
        fall = found.mean - trial.mean - float(np.sum(tilt * step))
        smaller = np.abs(trial.total).max() < np.abs(found.total).max()
        if fall > noise or (fall >= -noise and smaller):
            return shift + step, trial
        step = 0.5 * step
    return None


def _by_differences(at, shift: Array) -> Array:
    """The mean curvature from differences of slopes, which a few steps make up for; some along the common shift."""
    columns = [(at(shift + STEP * e).total - at(shift - STEP * e).total) / (2.0 * STEP) for e in np.eye(len(shift))]
    return with_common_shift(0.5 * (np.array(columns) + np.transpose(columns)))


def _pseudo_inverse(matrix: Array | None) -> Array | None:
    if matrix is None or not np.isfinite(matrix).all():
        return None
    values, vectors = np.linalg.eigh(matrix)
    curved = values > EPSILON * len(values) * values[-1]
    return (vectors[:, curved] / values[curved]) @ vectors[:, curved].T if curved.any() else None
