"""Rows drawn by their chances: first how many of every block, then which of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rows import Array, Indices

CERTAIN = 2.0  # strata that a row covers for one of them to be all its own


def capped(chances: Array, size: int) -> Array:
    """Chances of which none is above that of two strata: few heavy rows would be drawn and nothing beside them."""
    stratum, heavy = chances.sum() / size, np.zeros(len(chances), bool)
    while (larger := ~heavy & (chances > CERTAIN * stratum)).any():
        heavy |= larger
        left, others = size - CERTAIN * np.count_nonzero(heavy), chances[~heavy].sum()
        if not (left > 0 and others > 0):
            break
        stratum = others / left
    return np.where(heavy, CERTAIN * stratum, chances) if heavy.any() else chances


def stratified(chances: Array, size: int, offsets: Array | float, block_size: int) -> Indices:
    """Sorted indices of rows: one from each of ``size`` strata of the same chance, at an offset from 0 to 1 in it."""
    positions = (np.arange(size) + offsets) / size
    if chances.min() == chances.max():
        return np.minimum((positions * len(chances)).astype(np.intp), len(chances) - 1)
    starts = np.arange(0, len(chances), block_size)
    totals = np.array([chances[start : start + block_size].sum() for start in starts])
    edges = np.cumsum(totals)
    positions *= edges[-1]
    of_block = np.minimum(np.searchsorted(edges, positions, side="right"), len(starts) - 1)
    drawn = np.empty(size, np.intp)
    for number in np.unique(of_block):
        here, start = of_block == number, starts[number]
        within = np.cumsum(chances[start : start + block_size])
        left = positions[here] - (edges[number] - totals[number])
        drawn[here] = start + np.minimum(np.searchsorted(within, left, side="right"), len(within) - 1)
    return drawn


def counted(drawn: Indices, weights: Array, chances: Array) -> tuple[Indices, Array]:
    """The different ones of sorted indices, and weights of sum one with which every mean is unbiased."""
    first: NDArray[np.intp] = np.flatnonzero(np.diff(drawn, prepend=-1))
    indices, counts = drawn[first], np.diff(first, append=len(drawn))
    expected = chances[indices] * (len(drawn) / chances.sum())
    # a row that is sure to be drawn stands for itself alone, however often it was
    sure = expected >= CERTAIN * (1 - 1e-9)
    drawn_weights = weights[indices] * np.where(sure, 1.0, counts / np.where(sure, 1.0, expected))
    return indices, drawn_weights / drawn_weights.sum()
