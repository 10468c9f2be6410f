"""Piecewise-linear losses of one score, made ready for being evaluated many times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base import Loss
from .on_scores import Array


class Pieces:
    """One convex piecewise-linear function a row: ``least + sum_j max(left_j (z - kink_j), right_j (z - kink_j))``.

    Parameters
    ----------
    kinks : ndarray of shape (n, m)
        Rising.
    slopes : ndarray of shape (n, m + 1)
        Not falling.
    least : ndarray of shape (n,)
        The values at the kinks where the slopes turn positive.
    """

    def __init__(self, kinks: Array, slopes: Array, least: Array):
        # column by column, which is how they are read
        self.kinks, self.slopes, self.least = np.asfortranarray(kinks), np.asfortranarray(slopes), least
        # each kink's share of the function, zero at the kink: whole slopes at the bottom, rises elsewhere
        rises, bottom = np.diff(slopes), _bottom(slopes)[:, None]
        kink = np.arange(kinks.shape[1])
        self.left = np.asfortranarray(np.where(kink < bottom, -rises, np.where(kink == bottom, slopes[:, :-1], 0.0)))
        self.right = np.asfortranarray(np.where(kink > bottom, rises, np.where(kink == bottom, slopes[:, 1:], 0.0)))

    @classmethod
    def of(cls, loss: Loss, y: Array) -> Pieces:
        """The pieces that a loss declares, without kinks where nothing bends."""
        assert loss.pieces is not None
        kinks, slopes = loss.pieces(y)
        bends = np.diff(slopes) > 0.0
        most = max(int(bends.sum(axis=1).max(initial=0)), 1)
        if most < kinks.shape[1]:
            # the first kinks that bend, and others where a row has not so many; one is found without sorting
            first = np.argsort(~bends, axis=1, kind="stable")[:, :most] if most > 1 else bends.argmax(axis=1)[:, None]
            kept = np.sort(first, axis=1)
            kinks = np.take_along_axis(kinks, kept, axis=1)
            slopes = np.concatenate([slopes[:, :1], np.take_along_axis(slopes, kept + 1, axis=1)], axis=1)
        at_bottom = np.take_along_axis(kinks, _bottom(slopes)[:, None], axis=1)[:, 0]
        return cls(kinks, slopes, loss.value(y, at_bottom))

    @property
    def bounded(self) -> bool:
        """Whether no function falls for ever."""
        return bool((self.slopes[:, 0] <= 0.0).all() and (self.slopes[:, -1] >= 0.0).all())

    def shifted(self, center: float) -> Pieces:
        """The same functions of scores less the center."""
        return Pieces(self.kinks - center, self.slopes, self.least)

    def in_units(self, unit: float, value_units: Array) -> Pieces:
        """The same functions of scores in another unit, each with values in a unit of its own."""
        slopes = self.slopes / (value_units / unit)[:, None]
        return Pieces(self.kinks / unit, slopes, self.least / value_units)

    def with_kinks(self, kinks: Array) -> Pieces:
        """The same slopes between other kinks."""
        return Pieces(kinks, self.slopes, self.least)

    def take(self, rows: NDArray[np.intp]) -> Pieces:
        """The functions of some rows."""
        return Pieces(self.kinks[rows], self.slopes[rows], self.least[rows])

    def value(self, scores: Array) -> Array:
        """The functions at the scores (n,)."""
        value = self.least.copy()
        for j in range(self.kinks.shape[1]):
            beyond = scores - self.kinks[:, j]
            value += np.maximum(self.left[:, j] * beyond, self.right[:, j] * beyond)
        return value

    def value_and_excess(self, scores: Array, dual: Array) -> tuple[Array, Array]:
        """The functions, and how far above their tangents of slope ``dual`` they are, without cancellation."""
        value, excess = self.least.copy(), np.zeros_like(self.least)
        single = self.kinks.shape[1] == 1
        for j in range(self.kinks.shape[1]):
            beyond = scores - self.kinks[:, j]
            term = np.maximum(self.left[:, j] * beyond, self.right[:, j] * beyond)
            value += term
            excess += term - (dual if single else self._share(dual, j)) * beyond
        return value, excess

    def _share(self, dual: Array, j: int) -> Array:
        """How much of a slope belongs to the j-th kink: the slopes that turn there, less those on the bottom's side."""
        slope = self.slopes[:, j]
        return np.clip(dual, slope, self.slopes[:, j + 1]) - (slope - self.left[:, j])

    def slope(self, scores: Array) -> Array:
        """Subgradients at the scores."""
        slope = self.slopes[:, 0].copy()
        for j in range(self.kinks.shape[1]):
            np.copyto(slope, self.slopes[:, j + 1], where=scores > self.kinks[:, j])
        return slope

    def dual(self, scores: Array, step: float | Array) -> Array:
        """``(v - prox(v, step)) / step``: a slope of the function, or where prox is a kink one between two slopes."""
        # the line through a kink turns from one slope to the next in between: a chain of clips, from the last kink back
        dual = self.slopes[:, -1]
        for j in reversed(range(self.kinks.shape[1])):
            dual = np.maximum(self.slopes[:, j], np.minimum((scores - self.kinks[:, j]) / step, dual))
        return dual

    def bending(self, dual: Array) -> NDArray[np.intp]:
        """The rows where `dual` is between two slopes."""
        at_kink = np.ones(len(dual), dtype=bool)
        for slope in self.slopes.T:
            at_kink &= dual != slope
        return np.flatnonzero(at_kink)


def _bottom(slopes: Array) -> NDArray[np.intp]:
    """The kink of every row where its function stops falling; the last one if it never does."""
    return np.minimum((slopes[:, 1:] < 0.0).sum(axis=1), slopes.shape[1] - 2)
