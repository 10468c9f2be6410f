"""Row samples that stand for all rows, written out in conditioned coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ..data.rows import stratified
from ..losses.on_scores import Array
from .parameters import Conditioned

RandomState = int | np.random.RandomState  # as scikit-learn's random_state

UNEVEN = 2.0  # factor by which a sample may miss the variance of a column before size decides who is drawn


def sample(model: Conditioned, size: int, random_state: RandomState) -> tuple[Conditioned, Array]:
    """The model on about ``size`` rows, in their order, and the weights that these rows have among all.

    Rows are drawn in proportion to their weights. Where such a sample misses the spread of some column (rare
    features, heavy tails), half of the chances go by squared row norms instead.
    """
    weights, random = model.objective.weights, check_random_state(random_state)
    rows, drawn_weights = draw(weights, weights, size, random)
    part = model.written(rows, drawn_weights)
    if not _is_even(model, part):
        chances = 0.5 * weights + 0.5 * _shares_of_size(model)
        rows, drawn_weights = draw(weights, chances, size, random)
        part = model.written(rows, drawn_weights)
    return part, weights[rows]


def draw(weights: Array, chances: Array, size: int, random: np.random.RandomState) -> tuple[NDArray[np.intp], Array]:
    """About ``size`` rows, drawn by their chances (of sum one), with weights that keep every mean unbiased.

    One is drawn from each of ``size`` strata of the rows in their order, so that sorted data is covered evenly; a
    row whose chance is larger than a stratum is drawn several times and counts so often.
    """
    drawn = stratified(chances, size, random.uniform(size=size))
    first = np.flatnonzero(np.diff(drawn, prepend=-1))
    indices, counts = drawn[first], np.diff(first, append=size)
    drawn_weights = weights[indices] / chances[indices] * counts
    return indices, drawn_weights / drawn_weights.sum()


def thinned(part: Conditioned, size: int) -> Conditioned:
    """About ``size`` evenly spaced rows of a sample: a smaller sample."""
    rows = slice(0, None, max(part.objective.rows.n_rows // size, 1))
    weights = part.objective.weights[rows]
    return part.written(rows, weights / weights.sum())


def _is_even(model: Conditioned, part: Conditioned) -> bool:
    expected = model.coordinates.variance
    rows, weights = part.objective.rows, part.objective.weights
    (found,) = rows.sum(lambda some: (np.dot(weights[some], np.square(rows.X[some])),))
    varies = expected > 0
    ratio = found[varies] / expected[varies]
    return bool((ratio > 1 / UNEVEN).all() and (ratio < UNEVEN).all())


def _shares_of_size(model: Conditioned) -> Array:
    """Every row's share of the weighted sum of squared row norms."""
    objective = model.objective
    sizes = np.empty(objective.rows.n_rows)

    def of_rows(rows):
        block = objective.rows.block(rows)
        dense = model.coordinates.transform(block if isinstance(block, np.ndarray) else block.toarray())
        sizes[rows] = np.einsum("ij,ij->i", dense, dense)
        return ()

    objective.rows.sum(of_rows)
    objective.meter.count(objective.rows)
    shares = objective.weights * sizes
    return shares / shares.sum()
