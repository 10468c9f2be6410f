"""Where the best intercept is not unique: the interval of equally good ones, and its middle."""

from __future__ import annotations

import numpy as np

from .problem import Array, KinkedProblem

FLAT = 1e-12  # slope of the weighted losses, relative to all rows' slopes, that is zero
NEAR = 1e-12  # scores' distance from a kink, relative to both, that is none
SAME = 1e-13  # relative difference of values on an interval of minimisers


def in_the_middle(problem: KinkedProblem, x: Array, value: float) -> Array:
    """x with the intercept, its last coordinate, in the middle of the best ones; x itself if F is higher there."""
    z = problem.forward(x)
    shift = shift_to_middle(problem, z)
    moved = x.copy()
    moved[-1] += shift
    there = problem.weights @ problem.value(z + shift) + 0.5 * problem.penalty @ moved**2
    return moved if there - value <= SAME * abs(value) else x


def shift_to_middle(problem: KinkedProblem, z: Array) -> float:
    """What to add to all scores z (n,), at a best intercept, to reach the middle of all best intercepts.

    The sum of the losses as a function of the intercept gets steeper at every kink of every row, so the interval ends
    at the nearest kinks on both sides of where it is flat. An interval without end has no middle; then the shift is the
    one to its other end.
    """
    left, right = flat_distance(problem, z, -1.0), flat_distance(problem, z, 1.0)
    if np.isinf(left) and np.isinf(right):
        return 0.0
    if np.isinf(left) or np.isinf(right):
        return right if np.isinf(left) else -left
    return 0.5 * (right - left)


def flat_distance(problem: KinkedProblem, z: Array, sign: float) -> float:
    """How far the sum of the losses stays as it is when all scores move in the direction of ``sign``."""
    assert problem.kinks is not None and problem.left is not None and problem.right is not None
    distance = sign * (problem.kinks - z[:, None])
    here = NEAR * (np.abs(problem.kinks) + np.abs(z)[:, None])
    passed = distance <= here if sign > 0.0 else distance > here  # kinks below the pieces that lie ahead
    ahead = np.where(passed, problem.right, problem.left).sum(axis=1)
    if abs(problem.weights @ ahead) > FLAT * (problem.weights @ np.abs(ahead)):
        return 0.0
    turns = (distance > here) & (problem.right > problem.left)
    return float(distance[turns].min(initial=np.inf))
