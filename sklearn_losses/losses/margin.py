"""Margin losses: functions phi of how far a score is on the right side; they act on scores and skip the activation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from ..activations import Blocks, Curvature, Diagonal, Identity
from .base import Array, Loss
from .kinks import KinksAndSlopes, mirrored, slope_at, value_at
from .multiclass_hinge import CrammerSinger, WestonWatkins
from .on_scores import LossOnScores


class OnMargins(LossOnScores):
    """A margin loss on scores: its Hessian for K classes is that of springs between the true class and the others."""

    loss: MarginLoss

    @classmethod
    def suits(cls, loss, link):
        return link.linear

    def value_and_gradient(self, y, scores):
        return self.loss.value(y, scores), self.loss.gradient(y, scores)

    def curvature(self, y, scores):
        if scores.ndim == 1:
            return Diagonal(self.loss.curvature(y, scores))
        return self.loss.springs(y, scores)


class MarginLoss(Loss, ABC):
    """``phi(s)`` for class 1 and ``phi(-s)`` for class 0; jointly for K classes ``sum_{j != t} phi(z_t - z_j)``.

    With soft targets, the target-weighted sum over which class is the true one. A concrete loss gives phi and its
    two derivatives.
    """

    lower_bound = 0.0
    domain = "scores"
    convex = True
    forms: ClassVar[tuple[type[LossOnScores], ...]] = (OnMargins,)

    @abstractmethod
    def value_of_margin(self, margin: Array) -> Array:
        """Phi, elementwise."""

    @abstractmethod
    def gradient_of_margin(self, margin: Array) -> Array:
        """First derivative of phi."""

    @abstractmethod
    def curvature_of_margin(self, margin: Array) -> Array:
        """Second derivative of phi."""

    def value(self, y, prediction):
        with np.errstate(over="ignore", invalid="ignore"):
            if y.ndim == 1:
                return _weigh(y, self.value_of_margin(prediction)) + _weigh(1 - y, self.value_of_margin(-prediction))
            return _over_true_classes(y, lambda true: self._value(prediction, true))

    def gradient(self, y, prediction):
        with np.errstate(over="ignore", invalid="ignore"):
            if y.ndim == 1:
                return _weigh(y, self.gradient_of_margin(prediction)) - _weigh(
                    1 - y, self.gradient_of_margin(-prediction)
                )
            return _over_true_classes(y, lambda true: self._gradient(prediction, true))

    def curvature(self, y, prediction):
        with np.errstate(over="ignore", invalid="ignore"):
            if y.ndim == 1:
                return _weigh(y, self.curvature_of_margin(prediction)) + _weigh(
                    1 - y, self.curvature_of_margin(-prediction)
                )
            return self.springs(y, prediction).diagonal()

    def curvature_product(self, y, prediction, direction):
        """Every row's Hessian in its prediction times a direction."""
        return OnMargins(self, Identity()).curvature(y, prediction).apply(direction)

    def springs(self, y: Array, scores: Array) -> Curvature:
        """The Hessians in K scores."""
        likely = y.argmax(axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            if _is_sure(y, likely):
                return Springs(self._bends(scores, likely), likely)
            ties = np.zeros((*scores.shape, scores.shape[1]), scores.dtype)
            for k, share in enumerate(y.T):
                true = np.full(len(y), k)
                ties[:, k] = _weigh(share[:, None], self._bends(scores, true))
        ties = ties + ties.transpose(0, 2, 1)
        blocks, classes = -ties, np.arange(scores.shape[1])
        blocks[:, classes, classes] += ties.sum(axis=2)
        return Blocks(blocks)

    # Joint form for rows whose true class is known: with m_j = z_t - z_j, every term phi(m_j) pulls column t down
    # and column j up.

    def counted(self, margins: Array, true: np.ndarray) -> Array:
        """One for the terms phi(m_j) that count, zero for the others: all but the true class's own."""
        counted = np.ones_like(margins)
        counted[np.arange(len(true)), true] = 0.0
        return counted

    def _value(self, scores: Array, true: np.ndarray) -> Array:
        margins = _margins(scores, true)
        return _weigh(self.counted(margins, true), self.value_of_margin(margins)).sum(axis=1)

    def _gradient(self, scores: Array, true: np.ndarray) -> Array:
        margins = _margins(scores, true)
        slopes = _weigh(self.counted(margins, true), self.gradient_of_margin(margins))
        gradient = -slopes
        gradient[np.arange(len(true)), true] = slopes.sum(axis=1)
        return gradient

    def _bends(self, scores: Array, true: np.ndarray) -> Array:
        margins = _margins(scores, true)
        return _weigh(self.counted(margins, true), self.curvature_of_margin(margins))


class Springs(Curvature):
    """Hessians in K scores of rows whose true class is known.

    Parameters
    ----------
    bends : ndarray of shape (n, K)
        Second derivatives of every term; zero for the true class.
    true : ndarray of shape (n,)
        The true classes.
    """

    def __init__(self, bends: Array, true: np.ndarray):
        self.bends, self.true = bends, true

    def apply(self, direction):
        with np.errstate(over="ignore", invalid="ignore"):
            pulls = self.bends * _margins(direction, self.true)
            product = -pulls
            product[np.arange(len(self.true)), self.true] = pulls.sum(axis=1)
            return product

    def diagonal(self):
        diagonal = self.bends.copy()
        diagonal[np.arange(len(self.true)), self.true] = diagonal.sum(axis=1)
        return diagonal

    def blocks(self):
        rows, classes = np.arange(len(self.true)), np.arange(self.bends.shape[1])
        blocks = np.zeros((*self.bends.shape, len(classes)), self.bends.dtype)
        blocks[rows, self.true] = blocks[rows, :, self.true] = -self.bends
        blocks[:, classes, classes] = self.diagonal()
        return blocks

    def weighted_sum(self, weights):
        n_classes = self.bends.shape[1]
        ties = np.dot((np.arange(n_classes)[:, None] == self.true) * weights, self.bends)
        return np.diag(ties.sum(axis=0) + ties.sum(axis=1)) - (ties + ties.T)


class KinkedMarginLoss(MarginLoss):
    """A margin loss whose phi is convex and piecewise linear: a concrete one gives its pieces, and nothing else.

    Its least value is zero. At a kink the gradient is the subgradient nearest to zero.
    """

    smooth = False

    @abstractmethod
    def pieces_of_margin(self) -> KinksAndSlopes:
        """Kinks of phi, rising, and its slopes, one more of them and not falling."""

    def value_of_margin(self, margin):
        return value_at(margin, self.pieces_of_margin())

    def gradient_of_margin(self, margin):
        return slope_at(margin, self.pieces_of_margin())

    def curvature_of_margin(self, margin):
        return np.zeros_like(margin)

    def pieces(self, y):
        """Kinks and slopes of the two-class loss as a function of the score."""
        return mirrored(y, self.pieces_of_margin())


class Hinge(KinkedMarginLoss):
    r"""Hinge loss of the support vector machine, :math:`\phi(m) = \max(0, 1 - m)`.

    .. math:: \text{weston-watkins: } & \sum_{j \ne t} \max(0, 1 + z_j - z_t) \\
              \text{crammer-singer: } & \max_{j \ne t} \max(0, 1 + z_j - z_t)

    Convex, with a kink at margin 1. It has no probabilities: for these wrap the estimator into
    ``sklearn.calibration.CalibratedClassifierCV``.

    Parameters
    ----------
    multiclass : {"weston-watkins", "crammer-singer"}, default="weston-watkins"
        Whether the wrong classes' terms are summed or the largest one is taken. Two classes: no difference.

    References
    ----------
    C. Cortes and V. Vapnik, Support-vector networks, *Machine Learning* 20, 1995. J. Weston and C. Watkins,
    Support vector machines for multi-class pattern recognition, *ESANN* 1999. K. Crammer and Y. Singer, On the
    algorithmic implementation of multiclass kernel-based vector machines, *JMLR* 2, 2001.

    Examples
    --------
    >>> from sklearn_losses import Hinge
    >>> Hinge()([1, 0], [0.5, 0.5])
    1.0
    >>> Hinge()([0], [[1.0, 0.5, 0.5]]), Hinge("crammer-singer")([0], [[1.0, 0.5, 0.5]])
    (1.0, 0.5)
    """

    def __init__(self, multiclass="weston-watkins"):
        self.multiclass = multiclass

    def check_parameters(self):
        if self.multiclass not in ("weston-watkins", "crammer-singer"):
            raise ValueError(f"multiclass must be 'weston-watkins' or 'crammer-singer'; got {self.multiclass!r}.")

    def counted(self, margins, true):
        counted = super().counted(margins, true)
        if self.multiclass == "weston-watkins":
            return counted
        wrong = np.where(counted == 1.0, margins, np.inf)
        largest_term = np.zeros_like(margins)
        largest_term[np.arange(len(true)), wrong.argmin(axis=1)] = 1.0
        return largest_term

    def _value(self, scores, true):
        # as in general, in fewer steps: the exact solver asks for it often
        margins = _margins(scores, true)
        margins[np.arange(len(true)), true] = np.inf
        if self.multiclass == "weston-watkins":
            return self.value_of_margin(margins).sum(axis=1)
        return self.value_of_margin(margins.min(axis=1))

    def pieces_of_margin(self):
        return (1.0,), (-1.0, 0.0)

    def joint_pieces(self, target):
        """The joint loss of K scores and right classes ``target`` (n,), as the exact solver takes it."""
        return (WestonWatkins if self.multiclass == "weston-watkins" else CrammerSinger)(target)


class SquaredHinge(MarginLoss):
    r"""Squared hinge loss, :math:`\phi(m) = \max(0, 1 - m)^2`: convex and differentiable.

    References
    ----------
    Y. Tang, Deep learning using linear support vector machines, *ICML workshop* 2013.

    Examples
    --------
    >>> from sklearn_losses import SquaredHinge
    >>> SquaredHinge()([1, 0], [0.5, 0.5])
    1.25
    """

    def value_of_margin(self, margin):
        return np.maximum(0.0, 1.0 - margin) ** 2

    def gradient_of_margin(self, margin):
        return -2.0 * np.maximum(0.0, 1.0 - margin)

    def curvature_of_margin(self, margin):
        return 2.0 * (margin < 1.0).astype(margin.dtype)

    def envelope(self, y):
        """That of a wall at margin 1."""
        return *_kink_of_margin(y, 1.0, -np.inf), 0.5


class ModifiedHuber(MarginLoss):
    r"""Modified Huber loss: the squared hinge, continued by a line from margin -1 down.

    .. math:: \phi(m) = \begin{cases} \max(0, 1 - m)^2 & m \ge -1 \\ -4m & m < -1 \end{cases}

    Convex and differentiable, and less impressed by outliers than the squared hinge.

    References
    ----------
    T. Zhang, Solving large scale linear prediction problems using stochastic gradient descent algorithms,
    *ICML* 2004.

    Examples
    --------
    >>> from sklearn_losses import ModifiedHuber
    >>> ModifiedHuber()([1, 1], [0.5, -2.0])
    4.125
    """

    def value_of_margin(self, margin):
        gap = np.maximum(0.0, 1.0 - margin)
        inside = np.minimum(gap, 2.0)
        return inside * (2.0 * gap - inside)

    def gradient_of_margin(self, margin):
        return -2.0 * np.clip(1.0 - margin, 0.0, 2.0)

    def curvature_of_margin(self, margin):
        return 2.0 * ((margin < 1.0) & (margin >= -1.0)).astype(margin.dtype)

    def envelope(self, y):
        """That of four times the hinge."""
        return *_kink_of_margin(y, 1.0, -4.0), 0.5


class Exponential(MarginLoss):
    r"""Exponential loss of AdaBoost, :math:`\phi(m) = e^{-m}`: convex, and very sensitive to outliers.

    References
    ----------
    J. Friedman, T. Hastie and R. Tibshirani, Additive logistic regression: a statistical view of boosting,
    *Annals of Statistics* 28, 2000.

    Examples
    --------
    >>> from sklearn_losses import Exponential
    >>> Exponential()([1, 0], [0.0, 0.0])
    1.0
    """

    falls_for_ever = True

    def value_of_margin(self, margin):
        return np.exp(-margin)

    def gradient_of_margin(self, margin):
        return -np.exp(-margin)

    def curvature_of_margin(self, margin):
        return np.exp(-margin)


class LeastSquares(MarginLoss):
    r"""Least squares on the margin, :math:`\phi(m) = (1 - m)^2`: regression on labels -1 and +1, as RidgeClassifier.

    Convex, with a closed form; it also punishes margins above 1.

    References
    ----------
    R. Rifkin, G. Yeo and T. Poggio, Regularized least-squares classification, in *Advances in Learning Theory*,
    2003.

    Examples
    --------
    >>> from sklearn_losses import LeastSquares
    >>> LeastSquares()([1, 0], [0.5, 0.5])
    1.25
    """

    quadratic = True

    def value_of_margin(self, margin):
        return (1.0 - margin) ** 2

    def gradient_of_margin(self, margin):
        return -2.0 * (1.0 - margin)

    def curvature_of_margin(self, margin):
        return np.full_like(margin, 2.0)


def _weigh(weights: Array, terms: Array) -> Array:
    """Weighted terms, where a weight of zero silences an infinite term."""
    return np.where(weights == 0.0, 0.0, weights * np.where(weights == 0.0, 0.0, terms))


def _kink_of_margin(y: Array, kink: float, slope: float) -> tuple[Array, Array]:
    """The kinks and the slopes on their two sides in the score, where a function of the margin has a slope, then none.

    y is zero or one.
    """
    first = (y == 1.0)[:, None]
    return np.where(y == 1.0, kink, -kink), np.where(first, (slope, 0.0), (0.0, -slope))


def _margins(scores: Array, true: np.ndarray) -> Array:
    """How far the true class's score is above every class's."""
    return scores[np.arange(len(true)), true][:, None] - scores


def _is_sure(y: Array, likely: np.ndarray) -> bool:
    """Whether every row has one class for certain."""
    return bool((y[np.arange(len(y)), likely] == 1.0).all())


def _over_true_classes(y: Array, of_true: Callable[[np.ndarray], Array]) -> Array:
    """``sum_k y_k of_true(k)``; one call where every row is sure of its class."""
    likely = y.argmax(axis=1)
    if _is_sure(y, likely):
        return of_true(likely)
    parts = (of_true(np.full(len(y), k)) for k in range(y.shape[1]))
    total = np.zeros(())
    for w, part in zip(y.T, parts, strict=True):
        total = total + _weigh(w if part.ndim == 1 else w[:, None], part)
    return total
