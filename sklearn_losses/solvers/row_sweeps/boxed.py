"""Losses of rows that are the largest of their lines, or parabolas, over an interval of slopes."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from ..descent import EPSILON

DOUBLINGS = 200  # of the reach within which an intercept is looked for
FLAT = 1e-12  # a sum of slopes, beside that of their sizes, that counts as zero


@dataclass
class Boxed:
    """``max over low <= a <= high of a (z - kink) - width a^2 / 2`` for every row, arrays (n,) but for the width."""

    kinks: np.ndarray
    low: np.ndarray
    high: np.ndarray
    width: float

    def __post_init__(self):
        if self.width == 0.0 and not (np.isfinite(self.low).all() and np.isfinite(self.high).all()):
            raise ValueError("A loss with a kink needs finite slopes; an infinite one needs a width.")

    def value_and_slopes(self, scores):
        """Every row's loss and its slope."""
        beyond = scores - self.kinks
        if self.width == 0.0:
            slopes = np.where(beyond > 0.0, self.high, self.low)
            return slopes * beyond, slopes
        slopes = np.clip(beyond / self.width, self.low, self.high)
        return slopes * (beyond - 0.5 * self.width * slopes), slopes

    def excess(self, scores, slopes, dual):
        """How far each loss is above its tangent of slope ``dual``, by Fenchel and Young."""
        return np.maximum((slopes - dual) * (scores - self.kinks - 0.5 * self.width * (slopes + dual)), 0.0)

    def best_shift(self, scores, weights, guess):
        """What to add to all scores so that the slopes sum to zero; in the middle where that is an interval."""
        if self.width > 0.0:
            return _root(lambda shift: float(weights @ self.value_and_slopes(scores + shift)[1]), guess)
        order = np.argsort(scores - self.kinks)[::-1]
        ends = (self.kinks - scores)[order]  # where a growing shift meets the kinks
        total = weights @ self.low + np.cumsum((weights * (self.high - self.low))[order])
        flat = FLAT * float(weights @ (self.high - self.low))
        first = min(int(np.searchsorted(total, -flat)), len(ends) - 1)
        if abs(total[first]) > flat:
            return ends[first]
        # rows without weight end no interval
        last = min(int(np.searchsorted(total, flat, side="right")), len(ends) - 1)
        return 0.5 * (ends[first] + ends[last])


def _root(rising, guess):
    """Where a continuous function that does not fall is zero."""
    left = right = guess
    reach = 0.01 * (1.0 + abs(guess))
    for _ in range(DOUBLINGS):
        if rising(left) > 0.0:
            left -= reach
        elif rising(right) < 0.0:
            right += reach
        else:
            return left if left == right else brentq(rising, left, right, xtol=EPSILON * (1.0 + abs(guess)))
        reach *= 2.0
    return guess
