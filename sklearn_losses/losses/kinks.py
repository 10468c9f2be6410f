"""Piecewise-linear functions of one number: value and slope from kinks and slopes.

A function that has a least value, zero, is a sum over its kinks: right of kink k its term rises by ``right`` a unit,
left of it by ``left``, the steps of the positive and of the negative part of the slope. So no value is a difference
of large ones, and the slope at a kink is the subgradient nearest to zero.

Kinks are numbers that rise, slopes numbers that do not fall, one more of them; the first is not positive, the last
not negative.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Pieces = tuple[tuple[float, ...], tuple[float, ...]]


def value_at(x: Array, pieces: Pieces) -> Array:
    """The function's values."""
    return reduce(np.add, (_value(x, *step) for step in _steps(pieces)))


def slope_at(x: Array, pieces: Pieces) -> Array:
    """The function's slopes."""
    return reduce(np.add, (_slope(x, *step) for step in _steps(pieces)))


def mirrored(y: Array, pieces: Pieces) -> tuple[Array, Array]:
    """Kinks (n, m) and slopes (n, m + 1) of ``y f(z) + (1 - y) f(-z)`` for y (n,)."""
    kinks = np.unique([sign * kink for kink in pieces[0] for sign in (-1.0, 1.0)])
    between = np.concatenate([[kinks[0] - 1.0], 0.5 * (kinks[1:] + kinks[:-1]), [kinks[-1] + 1.0]])
    slopes = np.outer(y, slope_at(between, pieces)) - np.outer(1 - y, slope_at(-between, pieces))
    return np.broadcast_to(kinks, (len(y), len(kinks))), slopes


def _steps(pieces: Pieces) -> Iterator[tuple[float, float, float]]:
    for kink, before, after in zip(pieces[0], pieces[1][:-1], pieces[1][1:], strict=True):
        yield kink, max(-before, 0.0) - max(-after, 0.0), max(after, 0.0) - max(before, 0.0)


def _value(x: Array, kink: float, left: float, right: float) -> Array:
    if left == right:
        return _times(left, np.abs(_less(x, kink)))
    if right == 0.0:
        return np.maximum(0.0, _times(left, kink - x))
    if left == 0.0:
        return np.maximum(0.0, _times(right, _less(x, kink)))
    beyond = _less(x, kink)
    return np.maximum(right * beyond, -left * beyond)


def _slope(x: Array, kink: float, left: float, right: float) -> Array:
    if left == right:
        return _times(left, np.sign(_less(x, kink)))
    number = x.dtype.type
    if right == 0.0:
        return (x < kink) * number(-left)
    if left == 0.0:
        return (x > kink) * number(right)
    return (x > kink) * number(right) - (x < kink) * number(left)


def _less(x: Array, kink: float) -> Array:
    return x if kink == 0.0 else x - kink


def _times(factor: float, x: Array) -> Array:
    return x if factor == 1.0 else factor * x
