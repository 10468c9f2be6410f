"""What the exact solver asks of a problem."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Bending:
    """The rows whose dual is not fixed by the piece of the loss that their scores are on.

    A dual moves freely there along the zero-sum vectors on its support: by the matrix ``diag(q) - q q' / sum(q)`` for
    the mask q of a row. With one score it is a number and just moves.
    """

    rows: Indices
    support: NDArray[np.bool_] | None = None  # (m, K) for K scores

    def take(self, chosen: slice) -> Bending:
        """Some of these rows."""
        return Bending(self.rows[chosen], None if self.support is None else self.support[chosen])

    def project(self, moves: Array) -> Array:
        """Moves of the scores of these rows, (m,) or (m, K), as moves of their duals."""
        if self.support is None:
            return moves
        inside = np.where(self.support, moves, 0.0)
        mean = inside.sum(axis=1, keepdims=True) / self.support.sum(axis=1, keepdims=True)
        return inside - self.support * mean


class KinkedProblem(ABC):
    r"""Convex piecewise-linear losses of linear scores, one a row, and a quadratic penalty.

    .. math:: F(x) = \sum_i s_i \, \ell_i(z_i) + \frac{1}{2} \sum_j \mathrm{penalty}_j x_j^2, \qquad z = A x

    The P parameters are, output by output, the weights of p features, then one intercept an output or none. Scores and
    duals are (n,) for one output and (n, K) for K. A dual is a subgradient of a loss somewhere: every method that takes
    one is told to rely on that, and every method that returns one returns it exactly, without rounding, at the ends of
    its range.

    Attributes
    ----------
    n_rows, n_outputs, n_intercepts : int
        n, K, and K or zero.
    weights : ndarray of shape (n,)
        The s, positive. They sum to one, but in a part of the rows.
    penalty : ndarray of shape (P,)
        Not negative; zero for the intercepts.
    least : float
        The weighted sum of the least values of all losses; minus infinity if one falls for ever.
    rounding : float
        What F is above ``least`` where the losses have the least values that rounding allows.
    work : int
        Multiplications of `forward`.
    kinks, left, right : ndarray of shape (n, m), or None
        Of losses of one score: a constant plus ``sum_j max(left_j (z - kink_j), right_j (z - kink_j))``, left not
        above right; one of them is zero, but for the kink of the least value. None for K scores.
    targets : ndarray of int, shape (n,), or None
        Of losses of K scores the right classes t: they grow with the violations ``1 + z_j - z_t`` of the wrong ones.
    together : bool
        Whether a loss is the largest violation, if positive, or the sum of those that are.

    Columns of A should have a weighted root mean square of about one, slopes a range of about one, and the losses of
    an intercept alone their minimum at scores of about one: rounding is known in these units.
    """

    n_rows: int
    n_outputs: int
    n_intercepts: int
    weights: Array
    penalty: Array
    least: float
    rounding: float
    work: int
    kinks: Array | None
    left: Array | None
    right: Array | None
    targets: Indices | None
    together: bool

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """The scores A x."""

    @abstractmethod
    def adjoint(self, dual: Array) -> Array:
        """``sum_i s_i dual_i (x) row_i`` (P,), the transpose of `forward` with the weights."""

    @abstractmethod
    def gram(self, rows: Indices, strengths: Array, dtype: type) -> Array:
        """For one output: ``sum_i s_i strength_i row_i row_i'`` over some rows, (P, P), computed in ``dtype``."""

    @abstractmethod
    def features(self, rows: Indices) -> Array:
        """Some rows of A for one output as a dense array (m, p), without the intercept's ones."""

    @abstractmethod
    def take(self, rows: Indices) -> Self:
        """The terms of some rows, with their weights as they are, and the whole penalty."""

    @abstractmethod
    def value(self, scores: Array) -> Array:
        """The losses (n,)."""

    @abstractmethod
    def value_and_excess(self, scores: Array, dual: Array) -> tuple[Array, Array]:
        """The losses and ``loss(z) + conjugate(a) - a.z``, which is not negative, and zero where a belongs to z."""

    @abstractmethod
    def slope(self, scores: Array) -> Array:
        """A subgradient of every loss at the scores, in their shape."""

    @abstractmethod
    def dual(self, scores: Array, step: float) -> Array:
        """The gradients of the losses' Moreau envelopes: ``(v - prox(v, step)) / step`` at scores v."""

    @abstractmethod
    def bending(self, dual: Array) -> Bending:
        """The rows where `dual`, which returned this, moves with its scores."""
