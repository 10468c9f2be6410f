r"""The two joint hinge losses of K scores, as the exact solver takes them.

A dual of row i with class t is zero, or pulls down wrong classes and pushes up the right one: its coordinates sum to
zero, and those of wrong classes are

* Weston-Watkins, ``sum_{j != t} max(0, 1 + z_j - z_t)``: in [0, 1];
* Crammer-Singer, ``max(0, max_{j != t} 1 + z_j - z_t)``: not negative, of sum at most one.

The conjugate of both is the dual of the right class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .on_scores import Array

Indices = NDArray[np.intp]

INSIDE = np.nextafter(1.0, 0.0)  # of a range that ends at one


class JointHinge(ABC):
    """One convex piecewise-linear function of K scores a row.

    Parameters
    ----------
    target : ndarray of int, shape (n,)
        The right classes.

    Attributes
    ----------
    together : bool
        Whether the duals of wrong classes have one in sum, or one each.
    """

    together: bool

    def __init__(self, target: Indices):
        self.target = target
        self._correct = (np.arange(len(target)), target)

    def take(self, rows: Indices) -> Self:
        """The functions of some rows."""
        return type(self)(self.target[rows])

    def value(self, scores: Array) -> Array:
        """The functions at scores (n, K)."""
        return self._value(self._violations(scores))

    def value_and_excess(self, scores: Array, dual: Array) -> tuple[Array, Array]:
        """The functions, and how far above their tangents of slope ``dual`` they are, without cancellation."""
        violations = self._violations(scores)
        return self._value(violations), self._excess(violations, dual)

    def slope(self, scores: Array) -> Array:
        """Subgradients at the scores."""
        slope = self._slope(self._violations(scores))
        slope[self._correct] = 0.0
        slope[self._correct] = -slope.sum(axis=1)
        return slope

    def dual(self, scores: Array, step: float) -> Array:
        """``(v - prox(v, step)) / step``."""
        violations = self._violations(scores)
        rows = np.flatnonzero((violations > 0.0).any(axis=1))
        dual = np.zeros_like(violations)
        dual[rows] = self._dual(violations[rows] / step, self.target[rows])
        return dual

    def bending(self, dual: Array) -> tuple[Indices, NDArray[np.bool_]]:
        """The rows where `dual` moves with its scores, and which of its coordinates (m, K) do."""
        support = self._support(dual)
        rows = np.flatnonzero(support.sum(axis=1) > 1)
        return rows, support[rows]

    def _violations(self, scores: Array) -> Array:
        """``1 + z_j - z_t``, zero for the right class itself."""
        violations = scores - (scores[self._correct] - 1.0)[:, None]
        violations[self._correct] = 0.0
        return violations

    @abstractmethod
    def _value(self, violations: Array) -> Array:
        """The functions of the violations."""

    @abstractmethod
    def _excess(self, violations: Array, dual: Array) -> Array:
        """Their distance to the tangents, as a sum of terms that are not negative."""

    @abstractmethod
    def _slope(self, violations: Array) -> Array:
        """Subgradients, whatever they are for the right class."""

    @abstractmethod
    def _dual(self, pulls: Array, target: Indices) -> Array:
        """The duals of rows whose violations divided by the step are the pulls."""

    @abstractmethod
    def _support(self, dual: Array) -> NDArray[np.bool_]:
        """Where a dual is not at an end of its range."""


class WestonWatkins(JointHinge):
    """``sum_{j != t} max(0, 1 + z_j - z_t)``."""

    together = False

    def _value(self, violations):
        return np.maximum(violations, 0.0).sum(axis=1)

    def _excess(self, violations, dual):
        return (np.maximum(violations, 0.0) - dual * violations).sum(axis=1)

    def _slope(self, violations):
        return (violations > 0.0).astype(float)

    def _dual(self, pulls, target):
        # a_j = clip(u_j - S, 0, 1) with S = sum_j a_j = -a_t
        correct = (np.arange(len(target)), target)
        pulls[correct] = -np.inf
        dual = np.clip(pulls - _sum_of_clips(pulls)[:, None], 0.0, 1.0)
        dual[correct] = 0.0
        dual[correct] = -dual.sum(axis=1)
        return dual

    def _support(self, dual):
        support = (dual > 0.0) & (dual < 1.0)
        support[self._correct] = support.any(axis=1)
        return support


class CrammerSinger(JointHinge):
    """``max(0, max_{j != t} 1 + z_j - z_t)``."""

    together = True

    def _value(self, violations):
        return violations.max(axis=1)

    def _excess(self, violations, dual):
        largest = violations.max(axis=1)
        below = largest[:, None] - violations
        below[self._correct] = 0.0
        return np.einsum("ij,ij->i", dual, below) + (1.0 + dual[self._correct]) * largest

    def _slope(self, violations):
        slope = np.zeros_like(violations)
        slope[np.arange(len(slope)), violations.argmax(axis=1)] = 1.0
        return slope

    def _dual(self, pulls, target):
        # with e_t added, the projection of the pulls, one for the right class, onto the simplex
        correct = (np.arange(len(target)), target)
        pulls[correct] = 1.0
        descending = -np.sort(-pulls, axis=1)
        excess = np.cumsum(descending, axis=1) - 1.0
        size = (descending * np.arange(1, pulls.shape[1] + 1) > excess).sum(axis=1)
        threshold = np.take_along_axis(excess, size[:, None] - 1, axis=1)[:, 0] / size
        dual = np.maximum(pulls - threshold[:, None], 0.0)
        left = dual[correct]  # of the one that all classes share
        dual[correct] = 0.0
        dual[correct] = np.where(left > 0.0, np.maximum(-dual.sum(axis=1), -INSIDE), -1.0)
        return dual

    def _support(self, dual):
        support = dual > 0.0
        support[self._correct] = dual[self._correct] > -1.0
        return support


def _sum_of_clips(u: Array) -> Array:
    """The unique root S of S = sum_j clip(u_j - S, 0, 1) in every row; entries of -inf count for nothing."""
    # h(S) = S - sum_j clip(u_j - S, 0, 1) increases, with slope 1 + (number of terms strictly inside their
    # clip): a term enters at S = u_j - 1 and leaves at S = u_j. At S = 0 h is not positive, so only the
    # breakpoints right of 0 matter.
    terms = u.shape[1]
    breaks = np.maximum(np.concatenate([u - 1.0, u], axis=1), 0.0)
    order = np.argsort(breaks, axis=1)
    breaks = np.take_along_axis(breaks, order, axis=1)
    slope = 1.0 + np.cumsum(np.where(order < terms, 1.0, -1.0), axis=1)
    h = np.cumsum(slope[:, :-1] * np.diff(breaks, axis=1), axis=1)
    h -= np.clip(u, 0.0, 1.0).sum(axis=1, keepdims=True) - breaks[:, :1]
    passed = (h <= 0.0).sum(axis=1)
    start = np.take_along_axis(breaks, passed[:, None], axis=1)[:, 0]
    # Between two breakpoints the terms inside their clip are known: solve for S with them.
    return _solve_between(u, start, passed, breaks)


def _solve_between(u: Array, start: Array, passed: Indices, breaks: Array) -> Array:
    """S on the linear piece that begins at ``start``, from the terms inside their clip there."""
    last = breaks.shape[1] - 1
    end = np.take_along_axis(breaks, np.minimum(passed + 1, last)[:, None], axis=1)[:, 0]
    middle = np.where(passed < last, 0.5 * (start + end), start + 1.0)[:, None]
    full = u - middle >= 1.0
    inside = (u > middle) & ~full
    return (full.sum(axis=1) + np.where(inside, u, 0.0).sum(axis=1)) / (1.0 + inside.sum(axis=1))
