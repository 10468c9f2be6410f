"""A Hessian that stays what it is made of, sparse columns and a curvature for every row, and steps by sweeps over them.

Where many weights are not zero a Gram matrix of their columns takes long, and systems with it longer: a sweep reads
every entry twice, and what it leaves after a few dozens the next Newton step takes up.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

try:
    from .compiled import of_columns
except ImportError:  # installed without a compiler
    of_columns = None  # type: ignore[assignment]

AVAILABLE = of_columns is not None

Array = np.ndarray

SWEEPS = 40  # for a step: few are enough at first, and more steps cost little more than more sweeps
ENOUGH = 0.1  # of the slope that may be left: how much the moves of the last sweep may still be worth
CANCELLED = 1e-10  # of a column's square: what is left of it beside the intercept is rounding below


class Columns:
    """``A' diag(curvature) A + diag(squares)`` for the columns A less a center, and the intercept's row and column.

    Parameters
    ----------
    matrix : CSC matrix or array of shape (n, m)
        In float64, without duplicate entries.
    center : ndarray of shape (m,)
        Subtracted from every row.
    curvature : ndarray of shape (n,)
        Not negative.
    squares : ndarray of shape (m,)
        Not negative.
    intercept : bool
        Whether there is one, the last coordinate.
    """

    def __init__(self, matrix: Any, center: Array, curvature: Array, squares: Array, *, intercept: bool):
        self.matrix, self.center, self.curvature, self.squares = matrix, center, curvature, squares
        self.intercept = intercept
        total = float(curvature.sum()) if intercept else 0.0
        self._inverse_total = 1.0 / total if total > 0.0 else 0.0
        self._sums = matrix.T @ curvature
        squared = type(matrix)((matrix.data**2, matrix.indices, matrix.indptr), shape=matrix.shape)
        self._own = squared.T @ curvature

    def damped(self, share: float) -> Columns:
        """With so much of the mean diagonal added to it."""
        other = copy(self)
        other.squares = self.squares + share * float((self._own + self.squares).mean())
        return other

    def step(self, coef: Array, slope: Array, kink, accuracy: float) -> Array:
        """To, or towards, the minimiser of the parabola with this slope at coef (1, m) plus the kink."""
        matrix, width = self.matrix, coef.shape[1]
        first, of_intercept = coef[0], float(slope[-1]) if self.intercept else 0.0
        # the intercept is always at its best, so that it does not matter what columns are less
        reduced = slope[:width] + of_intercept * (self.center - self._sums * self._inverse_total)
        beside = np.maximum(self._own - self._sums**2 * self._inverse_total, CANCELLED * self._own)
        bends = beside + self.squares
        left = np.abs(kink.least_slope(coef, reduced + kink.gradient(coef))).max(initial=0.0)
        largest = bends.max(initial=0.0)
        if not largest > 0.0:
            return np.zeros(len(slope))
        found, image = first.copy(), np.zeros(matrix.shape[0])
        _, total = of_columns(
            matrix.indptr,
            matrix.indices,
            matrix.data,
            self.curvature,
            self._sums,
            self._inverse_total,
            self.squares,
            bends,
            np.ascontiguousarray(np.broadcast_to(kink.l1, width)),
            reduced,
            first,
            found,
            image,
            kink.positive,
            (ENOUGH * accuracy * left) * (ENOUGH * accuracy * left) / largest,
            SWEEPS,
        )
        move = found - first
        if not self.intercept:
            return move
        shift = -(of_intercept + total) * self._inverse_total
        return np.append(move, shift + float(self.center @ move))
