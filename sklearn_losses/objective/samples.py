"""Row samples that stand for all rows, written out in the parameters of an objective."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state

from ..losses.on_scores import Array
from . import kernels
from .objective import Objective

RandomState = int | np.random.RandomState  # as scikit-learn's random_state

UNEVEN = 2.0  # factor by which a sample may miss the variance of a column before size decides who is drawn
MOST_ENTRIES = 1e8  # of a sample, which is a copy


def sample(objective: Objective, size: int, random_state: RandomState) -> tuple[Objective, Array]:
    """The function on about ``size`` rows, in their order, and the weights that these rows have among all.

    Rows are drawn in proportion to their weights. Where such a sample misses the spread of some column (rare
    features, heavy tails), half of the chances go by squared row norms instead.
    """
    rows, random = objective.rows, check_random_state(random_state)
    size = min(size, most_rows(objective))
    drawn, weights = rows.draw(size, random)
    part = objective.written(drawn, weights)
    if not _is_even(objective, part):
        norms, total = rows.each(kernels.sizes_of_rows, objective.parameters.transform)
        (chances,) = rows.each(kernels.chances, norms, total, passes=0)
        drawn, weights = rows.draw(size, random, chances)
        part = objective.written(drawn, weights)
    return part, rows.weights_of(drawn)


def most_rows(objective: Objective) -> int:
    """How many rows a copy may have."""
    return max(int(MOST_ENTRIES) // objective.rows.n_features, 1)


def thinned(part: Objective, size: int) -> Objective:
    """About ``size`` evenly spaced rows of a sample: a smaller sample."""
    rows = slice(0, None, max(part.rows.n_rows // size, 1))
    weights = part.rows.weights_of(rows)
    return part.written(rows, weights / weights.sum())


def _is_even(objective: Objective, part: Objective) -> bool:
    expected = objective.parameters.variance
    (found,) = part.rows.sum(kernels.mean_squares, passes=0)
    varies = expected > 0
    ratio = found[varies] / expected[varies]
    return bool((ratio > 1 / UNEVEN).all() and (ratio < UNEVEN).all())
