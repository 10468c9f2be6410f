"""Cross-entropy that asks the true class's score to be a margin above the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from ..activations import Blocks, Diagonal, Identity, Sigmoid, Softmax
from .base import Array, Loss, is_real
from .on_scores import LossOnScores
from .true_class import CrossEntropy


class OnLoweredScores(LossOnScores):
    """Cross-entropy after the true class's score has been lowered, weighted by the targets where these are soft."""

    loss: SoftMargin

    @classmethod
    def suits(cls, loss, link):
        return link.linear

    def __init__(self, loss, link):
        super().__init__(loss, link)
        self.has_curvature = True

    def value_and_gradient(self, y, scores):
        entropy = _cross_entropy(scores)
        total, slopes = np.zeros(len(y)), np.zeros_like(scores)
        for share, target, lowered in self._lowered(y, scores):
            value, gradient = entropy.value_and_gradient(target, lowered)
            total += share * value
            slopes += (share if y.ndim == 1 else share[:, None]) * gradient
        return total, slopes

    def curvature(self, y, scores):
        entropy = _cross_entropy(scores)
        parts = [(share, entropy.curvature(target, lowered)) for share, target, lowered in self._lowered(y, scores)]
        if len(parts) == 1:
            return parts[0][1]
        if y.ndim == 1:
            return Diagonal(np.sum([share * part.diagonal() for share, part in parts], axis=0))
        return Blocks(np.sum([share[:, None, None] * part.blocks() for share, part in parts], axis=0))

    def _lowered(self, y: Array, scores: Array) -> Iterator[tuple[Array, Array, Array]]:
        """Shares, targets and scores of all true classes there may be; at once where every row is sure of its own."""
        margin, sure = self.loss.margin, np.ones(len(y))
        if y.ndim == 1:
            if ((y == 0.0) | (y == 1.0)).all():
                yield sure, y, scores - margin * (2.0 * y - 1.0)
                return
            yield y, sure, scores - margin
            yield 1.0 - y, 0.0 * sure, scores + margin
        elif ((y == 0.0) | (y == 1.0)).all():
            yield sure, y, _lowered(scores, y, margin)
        else:
            for k, share in enumerate(y.T):
                target = np.zeros_like(y)
                target[:, k] = 1.0
                yield share, target, _lowered(scores, target, margin)


def _lowered(scores: Array, target: Array, margin: float) -> Array:
    """Scores below the largest of their row, the true class's a margin lower: huge scores would hide it."""
    with np.errstate(over="ignore"):
        below_top = scores - scores.max(axis=1, keepdims=True)
    return np.maximum(below_top, np.finfo(scores.dtype).min) - margin * target


def _cross_entropy(scores: Array) -> LossOnScores:
    return CrossEntropy().on_scores(Sigmoid() if scores.ndim == 1 else Softmax())


class SoftMargin(Loss):
    r"""Soft-margin softmax: cross-entropy of scores among which the true class's is a margin lower.

    .. math:: L(y, z) = \log\Big(1 + \sum_{j \ne t} e^{m + z_j - z_t}\Big), \qquad
              \text{for two classes } \log(1 + e^{m \mp s})

    With soft targets, the target-weighted sum over which class is the true one. Convex; with m = 0 it is the
    cross-entropy. The margin acts in training only: probabilities are the softmax of the scores. Because scores may
    grow, a margin asks for larger weights, and what it changes is a matter of the penalty: without one and with
    separable classes it changes nothing.

    Parameters
    ----------
    margin : float, default=1.0
        The m by which the true class's score has to be above the others, not negative; in the units of the scores.

    References
    ----------
    X. Liang, X. Wang, Z. Lei, S. Liao and S. Z. Li, Soft-margin softmax for deep classification, *ICONIP* 2017.

    Examples
    --------
    >>> from sklearn_losses import SoftMargin
    >>> round(SoftMargin(margin=1.0)([1], [1.0]), 6)
    0.693147
    """

    lower_bound = 0.0
    domain = "scores"
    convex = True
    log_odds = True
    falls_for_ever = True
    forms: ClassVar[tuple[type[LossOnScores], ...]] = (OnLoweredScores,)

    def __init__(self, margin=1.0):
        self.margin = margin

    def check_parameters(self):
        if not (is_real(self.margin) and 0 <= self.margin < np.inf):
            raise ValueError(f"margin must be a finite number >= 0; got {self.margin!r}.")

    def value(self, y, prediction):
        return OnLoweredScores(self, Identity()).value_and_gradient(y, prediction)[0]

    def gradient(self, y, prediction):
        return OnLoweredScores(self, Identity()).value_and_gradient(y, prediction)[1]

    def curvature(self, y, prediction):
        return OnLoweredScores(self, Identity()).curvature(y, prediction).diagonal()

    def curvature_product(self, y, prediction, direction):
        """Every row's Hessian in its prediction times a direction."""
        return OnLoweredScores(self, Identity()).curvature(y, prediction).apply(direction)
