"""Piecewise-linear losses of one score, made ready for being evaluated many times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base import Loss
from .multiclass_hinge import scalar_at_kink, scalar_prox
from .on_scores import Array


class Pieces:
    """One convex piecewise-linear function a row.

    Parameters
    ----------
    kinks : ndarray of shape (n, m)
        Rising.
    slopes : ndarray of shape (n, m + 1)
        Not falling.
    lowest : ndarray of shape (n,)
        The values at the kinks where the slopes turn positive.
    """

    def __init__(self, kinks: Array, slopes: Array, lowest: Array):
        # column by column, which is how they are read
        self.kinks, self.slopes, self.lowest = np.asfortranarray(kinks), np.asfortranarray(slopes), lowest
        # each kink's share of the function, zero at the kink: whole slopes at the bottom, rises elsewhere
        rises, bottom = np.diff(slopes), _bottom(slopes)[:, None]
        kink = np.arange(kinks.shape[1])
        self._left = np.asfortranarray(np.where(kink < bottom, -rises, np.where(kink == bottom, slopes[:, :-1], 0.0)))
        self._right = np.asfortranarray(np.where(kink > bottom, rises, np.where(kink == bottom, slopes[:, 1:], 0.0)))

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

    def in_units(self, unit: float, loss_unit: float) -> Pieces:
        """The same functions of scores in another unit, with values in another unit."""
        return Pieces(self.kinks / unit, self.slopes * (unit / loss_unit), self.lowest / loss_unit)

    def with_kinks(self, kinks: Array) -> Pieces:
        """The same slopes between other kinks."""
        return Pieces(kinks, self.slopes, self.lowest)

    def take(self, rows: NDArray[np.intp]) -> Pieces:
        """The functions of some rows."""
        return Pieces(self.kinks[rows], self.slopes[rows], self.lowest[rows])

    def value(self, scores: Array) -> Array:
        value = self.lowest.copy()
        for j in range(self.kinks.shape[1]):
            beyond = scores - self.kinks[:, j]
            value += np.maximum(self._left[:, j] * beyond, self._right[:, j] * beyond)
        return value

    def prox(self, scores: Array, step: float | Array) -> Array:
        return scalar_prox(scores, step, self.kinks, self.slopes)

    def at_kink(self, scores: Array, step: float | Array) -> NDArray[np.intp]:
        """The rows whose proximal point is a kink."""
        return np.flatnonzero(scalar_at_kink(scores, step, self.kinks, self.slopes))


def _bottom(slopes: Array) -> NDArray[np.intp]:
    """The kink of every row where its function stops falling; the last one if it never does."""
    return np.minimum((slopes[:, 1:] < 0.0).sum(axis=1), slopes.shape[1] - 2)
