"""Losses of the probability given to the true class: cross-entropy and its relatives."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from scipy.special import xlogy

from ..activations import ComplementaryLogLog, Probit
from .base import Array, is_real
from .logarithmic import LogarithmicLoss, relative_entropy
from .on_scores import Matching


class TrueClassLoss(LogarithmicLoss):
    """``sum_k t_k h(log p_k)``: h of the true class's probability, weighted by the targets where these are soft.

    A concrete loss gives h and its two derivatives as functions of the *logarithm* of the probability. Two
    classes are two columns, 1 - p and p.
    """

    domain = "probabilities"

    @abstractmethod
    def value_of_log(self, log_p: Array) -> Array:
        """H, the loss of a row whose true class got probability ``exp(log_p)``."""

    @abstractmethod
    def gradient_of_log(self, log_p: Array) -> Array:
        """First derivative of h in log_p."""

    @abstractmethod
    def curvature_of_log(self, log_p: Array) -> Array:
        """Second derivative of h in log_p."""

    def log_value(self, y, log_p):
        value = np.einsum("ij,ij->i", _columns(self.targets(y)), self.value_of_log(log_p))
        return self.completed(y, value)

    def log_gradient(self, y, log_p):
        return _columns(self.targets(y)) * self.gradient_of_log(log_p)

    def log_curvature(self, y, log_p):
        return _columns(self.targets(y)) * self.curvature_of_log(log_p)

    def value(self, y, prediction):
        targets, _, log_p = self._on_logs(y, prediction)
        with np.errstate(over="ignore"):
            return self.completed(y, (targets * self.value_of_log(log_p)).sum(axis=1))

    def gradient(self, y, prediction):
        targets, p, log_p = _above_zero(*self._on_logs(y, prediction))
        columns = np.where(targets > 0, targets * self.gradient_of_log(log_p) / p, 0.0)
        return columns if prediction.ndim == 2 else columns[:, 1] - columns[:, 0]

    def curvature(self, y, prediction):
        targets, p, log_p = _above_zero(*self._on_logs(y, prediction))
        with np.errstate(over="ignore"):
            bends = (self.curvature_of_log(log_p) - self.gradient_of_log(log_p)) / p / p
            columns = np.where(targets > 0, targets * bends, 0.0)
        return columns if prediction.ndim == 2 else columns.sum(axis=1)

    def _on_logs(self, y: Array, prediction: Array) -> tuple[Array, Array, Array]:
        """Targets, probabilities and their logarithms in columns; those without a target do not count: 0 log 0 is 0."""
        targets = _columns(self.targets(y))
        p = _columns(prediction)
        with np.errstate(divide="ignore"):
            log_p = np.log(p) if prediction.ndim == 2 else np.stack([np.log1p(-prediction), np.log(prediction)], axis=1)
        counts = targets > 0
        return targets, np.where(counts, p, 1.0), np.where(counts, log_p, 0.0)


class LogLikelihoodLoss(TrueClassLoss):
    """``-sum_k t_k log p_k`` up to a constant: the loss that matches sigmoid and softmax."""

    convex = True
    convex_through = (Probit, ComplementaryLogLog)
    forms = (Matching, *LogarithmicLoss.forms)

    def value_of_log(self, log_p):
        return -log_p

    def gradient_of_log(self, log_p):
        return np.full_like(log_p, -1.0)

    def curvature_of_log(self, log_p):
        return np.zeros_like(log_p)


class CrossEntropy(LogLikelihoodLoss):
    r"""Cross-entropy, the negative log-likelihood of the labels (log loss).

    .. math:: L(y, p) = -\sum_k t_k \log p_k, \qquad t = (1 - \varepsilon) y + \varepsilon / K

    For two classes :math:`-[y\log p + (1 - y)\log(1 - p)]`, which with labels of -1 and +1 is
    :math:`\log(1 + e^{-ys})`. Its gradient in the scores of a sigmoid or a softmax is :math:`p - t`. Convex.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        The :math:`\varepsilon` in [0, 1) that is spread evenly over the classes.

    References
    ----------
    I. J. Good, Rational decisions, *Journal of the Royal Statistical Society B* 14, 1952. Label smoothing:
    C. Szegedy et al., Rethinking the Inception architecture for computer vision, *CVPR* 2016.

    Examples
    --------
    >>> from sklearn_losses import CrossEntropy
    >>> model_2 = [[0.1, 0.2, 0.7], [0.1, 0.7, 0.2], [0.3, 0.4, 0.3]]
    >>> round(CrossEntropy()([2, 1, 0], model_2), 4)
    0.6391
    """

    def __init__(self, label_smoothing=0.0):
        self.label_smoothing = label_smoothing

    def check_parameters(self):
        if not (is_real(self.label_smoothing) and 0 <= self.label_smoothing < 1):
            raise ValueError(f"label_smoothing must be in [0, 1); got {self.label_smoothing!r}.")

    def targets(self, y):
        if self.label_smoothing == 0:
            return y
        n_classes = 2 if y.ndim == 1 else y.shape[1]
        return (1 - self.label_smoothing) * y + self.label_smoothing / n_classes


class KLDivergence(LogLikelihoodLoss):
    r"""Kullback-Leibler divergence from the prediction to the target distribution.

    .. math:: L(y, p) = \sum_k y_k \log\frac{y_k}{p_k}

    It is the cross-entropy minus the entropy of the targets: never negative, zero only where p equals y, the
    same gradient and so the same fit. For hard labels it *is* the cross-entropy. Convex.

    References
    ----------
    S. Kullback and R. A. Leibler, On information and sufficiency, *Annals of Mathematical Statistics* 22, 1951.

    Examples
    --------
    >>> from sklearn_losses import KLDivergence
    >>> KLDivergence()([[0.2, 0.3, 0.5]], [[0.2, 0.3, 0.5]])
    0.0
    """

    def completed(self, y, value, away=None):
        entropy = xlogy(y, y).sum(axis=1) if y.ndim == 2 else xlogy(y, y) + xlogy(1 - y, 1 - y)
        value = np.maximum(value + entropy, 0.0)
        if away is None:
            return value
        # of targets that are nearly met, the terms of all classes, or those of one class and the other
        targets, off = (y, away) if y.ndim == 2 else (np.stack([y, 1.0 - y], axis=1), np.stack([away, -away], axis=1))
        near = (np.abs(off) < 0.5 * targets).all(axis=1)
        value[near] = relative_entropy(targets[near], off[near], off[near]).sum(axis=1)
        return value


class Focal(TrueClassLoss):
    r"""Focal loss: cross-entropy that looks away from rows which are already classified well.

    .. math:: L(y, p) = -(1 - p_y)^\gamma \log p_y

    With :math:`\gamma = 0` it is the cross-entropy; otherwise it is not convex in the scores.

    Parameters
    ----------
    gamma : float, default=2.0
        The focusing exponent, not negative.

    References
    ----------
    T.-Y. Lin et al., Focal loss for dense object detection, *ICCV* 2017.

    Examples
    --------
    >>> from sklearn_losses import Focal
    >>> round(Focal(gamma=2.0)([1], [0.5]), 6)
    0.173287
    """

    def __init__(self, gamma=2.0):
        self.gamma = gamma

    @property
    def convex(self):  # type: ignore[override]
        return self.gamma == 0

    def check_parameters(self):
        if not (is_real(self.gamma) and 0 <= self.gamma < np.inf):
            raise ValueError(f"gamma must be a finite number >= 0; got {self.gamma!r}.")

    # with q = 1 - p and r = -log(p) / q, which tends to 1 where q vanishes, no power of q is divided by q

    def value_of_log(self, log_p):
        return -((-np.expm1(log_p)) ** self.gamma) * log_p

    def gradient_of_log(self, log_p):
        p, q, r = self._p_q_r(log_p)
        return -(q**self.gamma) * (1 + self.gamma * p * r)

    def curvature_of_log(self, log_p):
        p, q, r = self._p_q_r(log_p)
        # for gamma < 1 this has a pole at q = 0, which the bend in the scores has not: stay finite
        power = np.maximum(q, np.finfo(q.dtype).tiny) ** (self.gamma - 1)
        return self.gamma * p * power * (2 + log_p + (self.gamma - 1) * p * r)

    @staticmethod
    def _p_q_r(log_p):
        log_p = np.maximum(log_p, np.finfo(log_p.dtype).min)
        q = -np.expm1(log_p)
        return np.exp(log_p), q, np.divide(-log_p, q, out=np.ones_like(q), where=q > 0)


class GeneralizedCrossEntropy(TrueClassLoss):
    r"""Generalised cross-entropy, between cross-entropy (q to 0) and absolute error (q = 1); for noisy labels.

    .. math:: L(y, p) = \frac{1 - p_y^q}{q}

    Bounded by 1/q, so that a mislabelled row cannot take over; not convex in the scores.

    Parameters
    ----------
    q : float, default=0.7
        In (0, 1].

    References
    ----------
    Z. Zhang and M. R. Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy
    labels, *NeurIPS* 2018.

    Examples
    --------
    >>> from sklearn_losses import GeneralizedCrossEntropy
    >>> GeneralizedCrossEntropy(q=1.0)([1, 0], [0.75, 0.75])
    0.5
    """

    def __init__(self, q=0.7):
        self.q = q

    def check_parameters(self):
        if not (is_real(self.q) and 0 < self.q <= 1):
            raise ValueError(f"q must be in (0, 1]; got {self.q!r}. For q = 0 use CrossEntropy().")

    def value_of_log(self, log_p):
        return -np.expm1(self.q * log_p) / self.q

    def gradient_of_log(self, log_p):
        return -np.exp(self.q * log_p)

    def curvature_of_log(self, log_p):
        return -self.q * np.exp(self.q * log_p)


def _above_zero(targets: Array, p: Array, log_p: Array) -> tuple[Array, Array, Array]:
    """Probabilities and logarithms that can be divided by: the smallest normal number for zero."""
    tiny = np.finfo(p.dtype).tiny
    return targets, np.maximum(p, tiny), np.maximum(log_p, np.log(tiny))


def _columns(y: Array) -> Array:
    """Two columns for two classes; K columns stay as they are."""
    return y if y.ndim == 2 else np.stack([1.0 - y, y], axis=1)
