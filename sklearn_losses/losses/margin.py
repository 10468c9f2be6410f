"""Margin losses: functions phi of how far a score is on the right side; they act on scores and skip the activation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .base import Array, Loss
from .multiclass_hinge import (
    crammer_singer_curvature,
    crammer_singer_prox,
    weston_watkins_curvature,
    weston_watkins_prox,
)


class MarginLoss(Loss):
    """``phi(s)`` for class 1 and ``phi(-s)`` for class 0; jointly for K classes ``sum_{j != t} phi(z_t - z_j)``.

    With soft targets, the target-weighted sum over which class is the true one. A concrete loss gives phi and its
    two derivatives.
    """

    lower_bound = 0.0
    domain = "scores"
    convex = True

    def of_margin(self, margin: Array) -> Array:
        """Phi, elementwise."""
        raise NotImplementedError

    def slope(self, margin: Array) -> Array:
        """First derivative of phi."""
        raise NotImplementedError

    def bend(self, margin: Array) -> Array:
        """Second derivative of phi."""
        raise NotImplementedError

    def value(self, y, prediction):
        with np.errstate(over="ignore", invalid="ignore"):
            if y.ndim == 1:
                return _weigh(y, self.of_margin(prediction)) + _weigh(1 - y, self.of_margin(-prediction))
            return _over_true_classes(y, lambda true: self._value(prediction, true))

    def gradient(self, y, prediction):
        with np.errstate(over="ignore", invalid="ignore"):
            if y.ndim == 1:
                return _weigh(y, self.slope(prediction)) - _weigh(1 - y, self.slope(-prediction))
            return _over_true_classes(y, lambda true: self._gradient(prediction, true))

    def curvature(self, y, prediction):
        with np.errstate(over="ignore", invalid="ignore"):
            if y.ndim == 1:
                return _weigh(y, self.bend(prediction)) + _weigh(1 - y, self.bend(-prediction))
            return _over_true_classes(y, lambda true: self._curvature(prediction, true))

    def curvature_product(self, y, prediction, direction):
        with np.errstate(over="ignore", invalid="ignore"):
            if y.ndim == 1:
                return self.curvature(y, prediction) * direction
            return _over_true_classes(y, lambda true: self._curvature_product(prediction, true, direction))

    # Joint form for rows whose true class is known: with m_j = z_t - z_j, every term phi(m_j) pulls column t down
    # and column j up.

    def counted(self, margins: Array, true: np.ndarray) -> Array:
        """One for the terms phi(m_j) that count, zero for the others: all but the true class's own."""
        counted = np.ones_like(margins)
        counted[np.arange(len(true)), true] = 0.0
        return counted

    def _value(self, scores: Array, true: np.ndarray) -> Array:
        margins = _margins(scores, true)
        return _weigh(self.counted(margins, true), self.of_margin(margins)).sum(axis=1)

    def _gradient(self, scores: Array, true: np.ndarray) -> Array:
        margins = _margins(scores, true)
        slopes = _weigh(self.counted(margins, true), self.slope(margins))
        gradient = -slopes
        gradient[np.arange(len(true)), true] = slopes.sum(axis=1)
        return gradient

    def _bends(self, scores: Array, true: np.ndarray) -> Array:
        margins = _margins(scores, true)
        return _weigh(self.counted(margins, true), self.bend(margins))

    def _curvature(self, scores: Array, true: np.ndarray) -> Array:
        diagonal = self._bends(scores, true)
        diagonal[np.arange(len(true)), true] = diagonal.sum(axis=1)
        return diagonal

    def _curvature_product(self, scores: Array, true: np.ndarray, direction: Array) -> Array:
        pulls = self._bends(scores, true) * _margins(direction, true)
        product = -pulls
        product[np.arange(len(true)), true] = pulls.sum(axis=1)
        return product


class Hinge(MarginLoss):
    r"""Hinge loss of the support vector machine, :math:`\phi(m) = \max(0, 1 - m)`.

    .. math:: \text{weston-watkins: } \sum_{j \ne t} \max(0, 1 + z_j - z_t), \qquad
              \text{crammer-singer: } \max_{j \ne t} \max(0, 1 + z_j - z_t)

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

    smooth = False

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
            return self.of_margin(margins).sum(axis=1)
        return self.of_margin(margins.min(axis=1))

    def of_margin(self, margin):
        return np.maximum(0.0, 1.0 - margin)

    def slope(self, margin):
        return -(margin < 1.0).astype(margin.dtype)

    def bend(self, margin):
        return np.zeros_like(margin)

    def pieces(self, y):
        """Kinks and slopes of the two-class loss as a function of the score."""
        return np.broadcast_to([-1.0, 1.0], (len(y), 2)), np.stack([-y, 1 - 2 * y, 1 - y], axis=1)

    def prox(self, y, scores, step):
        """Proximal operator of the joint loss for K classes; y is one-hot."""
        prox = weston_watkins_prox if self.multiclass == "weston-watkins" else crammer_singer_prox
        return prox(scores, step, y.argmax(axis=1))

    def prox_curvature(self, y, scores, step):
        """Rows where the proximal operator moves less than its argument, and by which matrix."""
        curvature = weston_watkins_curvature if self.multiclass == "weston-watkins" else crammer_singer_curvature
        return curvature(scores, step, y.argmax(axis=1))


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

    def of_margin(self, margin):
        return np.maximum(0.0, 1.0 - margin) ** 2

    def slope(self, margin):
        return -2.0 * np.maximum(0.0, 1.0 - margin)

    def bend(self, margin):
        return 2.0 * (margin < 1.0).astype(margin.dtype)


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

    def of_margin(self, margin):
        gap = np.maximum(0.0, 1.0 - margin)
        inside = np.minimum(gap, 2.0)
        return inside * (2.0 * gap - inside)

    def slope(self, margin):
        return -2.0 * np.clip(1.0 - margin, 0.0, 2.0)

    def bend(self, margin):
        return 2.0 * ((margin < 1.0) & (margin >= -1.0)).astype(margin.dtype)


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

    def of_margin(self, margin):
        return np.exp(-margin)

    def slope(self, margin):
        return -np.exp(-margin)

    def bend(self, margin):
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

    def of_margin(self, margin):
        return (1.0 - margin) ** 2

    def slope(self, margin):
        return -2.0 * (1.0 - margin)

    def bend(self, margin):
        return np.full_like(margin, 2.0)


def _weigh(weights: Array, terms: Array) -> Array:
    """Weighted terms, where a weight of zero silences an infinite term."""
    return np.where(weights == 0.0, 0.0, weights * np.where(weights == 0.0, 0.0, terms))


def _margins(scores: Array, true: np.ndarray) -> Array:
    """How far the true class's score is above every class's."""
    return scores[np.arange(len(true)), true][:, None] - scores


def _over_true_classes(y: Array, of_true: Callable[[np.ndarray], Array]) -> Array:
    """``sum_k y_k of_true(k)``; one call where every row is sure of its class."""
    likely = y.argmax(axis=1)
    if (y[np.arange(len(y)), likely] == 1.0).all():
        return of_true(likely)
    parts = (of_true(np.full(len(y), k)) for k in range(y.shape[1]))
    total = np.zeros(())
    for w, part in zip(y.T, parts, strict=True):
        total = total + _weigh(w if part.ndim == 1 else w[:, None], part)
    return total
