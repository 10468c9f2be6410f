"""A line search on values and slopes that keeps working when the values are mostly rounding noise."""

import math
from typing import NamedTuple

from .descent import Point

DECREASE = 0.1  # share of the predicted first-order decrease that a step must reach
MARGIN = 0.1  # a new trial keeps this distance from both ends of the bracket
GROWTH = 10.0  # of a step at most, where the slope falls short of its root
MAX_TRIALS = 30  # of one search; most take one or two


class Trial(NamedTuple):
    """A point on the line; the slope is nan where the point is not finite."""

    step: float
    point: Point
    slope: float

    @property
    def value(self):
        return self.point.value


def line_search(evaluate, start, direction, slope, *, first=1.0, flatten=0.9, max_trials=MAX_TRIALS):
    """Find a step along a descent direction; the first trial is accepted whenever it is good enough.

    A step is good if it satisfies the Wolfe conditions, or their approximate form on slopes alone when the
    value has not risen by more than rounding (Hager and Zhang, SIAM J. Optim. 16, 2005). Every trial costs
    one evaluation of value and gradient, and points that are not finite only shrink the bracket.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(x)`` returns a `Point`.
    start : Point
        Where the line begins.
    direction : ndarray
        Descent direction.
    slope : float
        ``direction @ start.gradient``, negative.
    first : float
        First step to try.
    flatten : float
        Share of the initial slope that may remain after a step; with less the step is closer to the minimum.

    Returns
    -------
    point : Point or None
        The accepted point; None if no trial decreased the value.
    step : float
        The step to it, 0.0 if there is none.
    """
    if not -math.inf < slope < 0.0:
        return None, 0.0
    low, high = Trial(0.0, start, slope), None
    step = first
    for _ in range(max_trials):
        x = start.x + step * direction
        if (x == start.x).all():
            break
        point = evaluate(x)
        trial = Trial(step, point, float(direction @ point.gradient))
        if _acceptable(trial, start, slope, flatten):
            return point, step
        if trial.slope < 0.0 and trial.value <= start.value + start.noise:
            low = trial
        else:
            high = trial
        step = _inside(low, high, start.noise) if high else _beyond(trial, slope)
    if low.value < start.value + DECREASE * low.step * slope:
        return low.point, low.step
    return None, 0.0


def _acceptable(trial, start, slope, flatten):
    if not trial.slope >= flatten * slope:
        return False
    if trial.value <= start.value + DECREASE * trial.step * slope:
        return True
    return trial.value <= start.value + start.noise and trial.slope <= (2.0 * DECREASE - 1.0) * slope


def _inside(low, high, noise):
    """The minimiser of the cubic through both ends; where their values are noise, that of a parabola."""
    width = high.step - low.step
    if not math.isfinite(high.value):
        return low.step + MARGIN * width
    change = high.value - low.value
    if abs(change) <= noise:
        share = low.slope / (low.slope - high.slope) if high.slope > 0.0 else 0.5
    else:
        share = _cubic_minimiser(change, low.slope * width, high.slope * width)
    return low.step + min(max(share, MARGIN), 1.0 - MARGIN) * width


def _cubic_minimiser(change, slope_low, slope_high):
    """The minimiser of the cubic on [0, 1] that rises by ``change`` and has these slopes at the ends."""
    middle = slope_low + slope_high - 3.0 * change
    square = middle * middle - slope_low * slope_high
    if not 0.0 <= square < math.inf:
        return MARGIN if change > 0.0 else 0.5
    root = math.sqrt(square)
    bottom = slope_high - slope_low + 2.0 * root
    return 1.0 - (slope_high + root - middle) / bottom if bottom > 0.0 else 0.5


def _beyond(trial, slope):
    """A longer step: where the slopes would vanish if they went on changing as they did."""
    bend = trial.slope - slope
    factor = -slope / bend if bend > 0.0 else GROWTH
    return trial.step * min(max(factor, 2.0), GROWTH)
