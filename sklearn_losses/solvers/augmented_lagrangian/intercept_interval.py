"""Where the best intercept is not unique: the interval of equally good ones, and its middle."""

import numpy as np

from .working_rows import tangent_slopes

KINKS = 50  # tangents to try in the search for the nearest kink


def shift_to_middle(split, z, length):
    """What to add to all scores z (n,), at a best intercept, to reach the middle of all best intercepts.

    The sum of the losses as a function of the intercept gets steeper at every kink of every row, so the
    interval ends at the kinks nearest to where it is flat. ``length`` is a scale of the scores. An interval
    without end has no middle; then the shift is the one to its other end.
    """
    left, right = (flat_distance(split, z, sign, length) for sign in (-1.0, 1.0))
    if np.isinf(left) and np.isinf(right):
        return 0.0
    if np.isinf(left) or np.isinf(right):
        return right if np.isinf(left) else -left
    return 0.5 * (right - left)


def flat_distance(split, z, sign, length):
    """How far the sum of the losses stays as it is when all scores move in the direction of ``sign``."""
    ahead = 1e-8 * length
    start = z + sign * ahead
    slopes = tangent_slopes(split, start, np.full(z.shape, 0.5 * ahead))
    if abs(split.weights @ slopes) > 1e-9 * (split.weights @ np.abs(slopes)):
        return 0.0
    return ahead + kink_distance(split, start, slopes, sign, 1e6 * length)


def kink_distance(split, z, slopes, sign, far):
    """Distance from the scores to the nearest kink in one direction; infinite if none is within ``far``."""
    value = split.value(z)
    room = np.where(split.weights > 0.0, far, np.inf)
    for _ in range(KINKS):
        # A tangent from further out meets the tangent at z at or behind the nearest kink of its row.
        shortest = room.min()
        end = z + sign * shortest
        contact = split.prox(end, 1.0)
        outer = end - contact
        turn = sign * (outer - slopes)
        bent = turn > 1e-9 * (np.abs(outer) + np.abs(slopes))
        lead = value - split.value(contact) - outer * (z - contact)
        room[bent] = np.minimum(room[bent], np.maximum(lead[bent], 0.0) / turn[bent])
        if room.min() >= shortest:
            break
    return shortest if shortest < far else np.inf
