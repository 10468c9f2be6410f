"""Piecewise-linear functions of one number: value and slope from kinks and slopes.

A function that has a least value, zero, is a sum over its kinks: right of kink k its term rises by ``right`` a unit,
left of it by ``left``, the steps of the positive and of the negative part of the slope. So no value is a difference
of large ones, and the slope at a kink is the subgradient nearest to zero.

Kinks are numbers that rise, slopes numbers that do not fall, one more of them; the first is not positive, the last
not negative.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
SIZE = [(0.0, -1.0, 1.0)]  # the steps of |x| for positive numbers
KinksAndSlopes = tuple[tuple[float, ...], tuple[float, ...]]


def value_at(x: Array, pieces: KinksAndSlopes) -> Array:
    """The function's values."""
    steps, even = _steps(pieces)
    size = np.abs(x) if even else x
    first, *rest = [_value(size, *step) for step in steps]
    return sum(rest, first) if rest else first


def slope_at(x: Array, pieces: KinksAndSlopes) -> Array:
    """The function's slopes."""
    steps, even = _steps(pieces)
    if steps == SIZE:
        return np.sign(x)
    size = np.abs(x) if even else x
    first, *rest = [_slope(size, *step) for step in steps]
    slope = sum(rest, first) if rest else first
    return np.sign(x) * slope if even else slope


def mirrored(y: Array, pieces: KinksAndSlopes) -> tuple[Array, Array]:
    """Kinks (n, m) and slopes (n, m + 1) of ``y f(z) + (1 - y) f(-z)`` for y (n,)."""
    kinks = np.unique([sign * kink for kink in pieces[0] for sign in (-1.0, 1.0)])
    between = np.concatenate([[kinks[0] - 1.0], 0.5 * (kinks[1:] + kinks[:-1]), [kinks[-1] + 1.0]])
    slopes = np.outer(y, slope_at(between, pieces)) - np.outer(1 - y, slope_at(-between, pieces))
    return np.broadcast_to(kinks, (len(y), len(kinks))), slopes


@lru_cache(maxsize=128)
def _steps(pieces: KinksAndSlopes) -> tuple[list[tuple[float, float, float]], bool]:
    """Every kink with ``left`` and ``right``, and whether the function is even: then of positive numbers alone."""
    kinks, slopes = pieces
    steps = [
        (kink, max(-before, 0.0) - max(-after, 0.0), max(after, 0.0) - max(before, 0.0))
        for kink, before, after in zip(kinks, slopes[:-1], slopes[1:], strict=True)
    ]
    even = steps == [(-kink, right, left) for kink, left, right in reversed(steps)]
    if even:  # a kink at zero is none for positive numbers, but a line that goes on falling
        steps = [(kink, 0.0 if kink else -right, right) for kink, _, right in steps if kink >= 0.0]
    return steps, even


def _value(x: Array, kink: float, left: float, right: float) -> Array:
    if right == 0.0:
        return np.maximum(0.0, _times(left, kink - x))
    beyond = x if kink == 0.0 else x - kink
    if left == -right:
        return _times(right, beyond)
    if left == 0.0:
        return np.maximum(0.0, _times(right, beyond))
    return np.maximum(right * beyond, -left * beyond)


def _slope(x: Array, kink: float, left: float, right: float) -> Array:
    number = x.dtype.type
    if right == 0.0:
        return (x < kink) * number(-left)
    if left == 0.0:
        return (x > kink) * number(right)
    return (x > kink) * number(right) - (x < kink) * number(left)


def _times(factor: float, x: Array) -> Array:
    return x if factor == 1.0 else factor * x
