"""Margin softmax on cosines: cross-entropy of scores in which the true class's cosine has been made smaller."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..activations import Curvature, Identity, Softmax
from .base import Array, Loss, is_real
from .on_scores import LossOnScores
from .true_class import CrossEntropy

NEAR_POLE = 1e-8  # a sine below it is not known: it is the rounding of the cosine


class OfEntropy(LossOnScores):
    """Cross-entropy of scores that are made of others."""

    @classmethod
    def suits(cls, loss, link):
        return link.linear

    def __init__(self, loss, link):
        super().__init__(loss, link)
        self.has_curvature = True
        self.entropy = CrossEntropy().on_scores(Softmax())

    def entropy_of(self, target: Array, scores: Array, true: Any) -> tuple[Array, Array]:
        """Cross-entropy with one-hot targets and its gradient, down to its last digits where rows are right.

        p - 1 is minus the sum of the others: what is left of rows that are right is all that there is to learn from.
        """
        value, gradient = self.entropy.value_and_gradient(target, scores)
        gradient[true] = 0.0
        gradient[true] = -np.dot(gradient, np.ones(gradient.shape[1]))
        return value, gradient


class OnCosines(OfEntropy):
    """Cross-entropy of ``length x cosine``, where the true class's cosine is moved; lengths are in the targets."""

    loss: CosineLoss

    def value_and_gradient(self, y, scores):
        at = self._stretched(y, scores)
        value, gradient = self.entropy_of(at.target, at.scores, at.true)
        gradient *= at.length
        gradient[at.true] *= at.rate
        return value, gradient

    def curvature(self, y, scores):
        at = self._stretched(y, scores)
        _, gradient = self.entropy_of(at.target, at.scores, at.true)
        rates, bends = np.repeat(at.length, scores.shape[1], axis=1), np.zeros_like(gradient)
        rates[at.true] *= at.rate
        bends[at.true] = gradient[at.true] * at.bend * at.length[:, 0]
        return Stretched(self.entropy.curvature(at.target, at.scores), rates, bends)

    def _stretched(self, y: Array, cosines: Array) -> AtCosines:
        true = np.arange(len(y)), y.argmax(axis=1)
        stretched = np.clip(cosines, -1.0, 1.0)
        moved, rate, bend = self.loss.moved(stretched[true])
        stretched[true] = moved
        length = self.loss.scale * np.dot(y, np.ones((y.shape[1], 1)))
        stretched *= length
        target = np.zeros_like(stretched)
        target[true] = 1.0
        return AtCosines(target, true, length, rate, bend, stretched)


class AtCosines(NamedTuple):
    """One-hot targets, where their ones are, lengths (n, 1), two derivatives of the moved cosines, and the scores."""

    target: Array
    true: tuple[NDArray[np.intp], NDArray[np.intp]]
    length: Array
    rate: Array
    bend: Array
    scores: Array


class Stretched(Curvature):
    """Second derivatives after every score has become a function of itself: ``D C D + diag(r)``.

    Parameters
    ----------
    inner : Curvature
        C, in the new scores.
    rates, bends : ndarray of shape (n, K)
        D, their first derivatives, and r, the gradient times their second ones.
    """

    def __init__(self, inner: Curvature, rates: Array, bends: Array):
        self.inner, self.rates, self.bends = inner, rates, bends

    def apply(self, direction):
        return self.rates * self.inner.apply(self.rates * direction) + self.bends * direction

    def diagonal(self):
        return self.rates**2 * self.inner.diagonal() + self.bends

    def blocks(self):
        blocks = self.rates[:, :, None] * self.inner.blocks() * self.rates[:, None, :]
        classes = np.arange(self.rates.shape[1])
        blocks[:, classes, classes] += self.bends
        return blocks

    def weighted_sum(self, weights):
        return np.tensordot(weights, self.blocks(), axes=1)


class CosineLoss(Loss, ABC):
    """Cross-entropy of cosines times a length, where the true class's cosine is replaced by a smaller number.

    A concrete loss says only what it does to the true class's cosine, `moved`, and how long scores are: ``scale``, an
    attribute or a parameter, and with ``by_row`` also the row's own length. ``prediction`` holds the cosines (n, K)
    between rows and classes, also for two classes; ``y`` has in the true class's column a one, or with ``by_row`` the
    row's length. The margin acts in training only.

    Attributes
    ----------
    scale : float, default=1.0
        How long scores are.
    by_row : bool, default=False
        Whether scores are also as long as their row.
    by_class : bool, default=False
        Whether scores are also as long as their class's weights, which then keep their lengths.

    Examples
    --------
    A margin of one's own, which grows with the distance:

    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_losses import CosineClassifier, CosineLoss
    >>> class Squared(CosineLoss):
    ...     def __init__(self, margin=0.1, scale=10.0):
    ...         self.margin, self.scale = margin, scale
    ...
    ...     def moved(self, cosine):
    ...         away, bend = 1 - cosine, np.full_like(cosine, -2 * self.margin)
    ...         return cosine - self.margin * away**2, 1 - bend * away, bend
    >>> model = CosineClassifier(Squared()).fit(*load_iris(return_X_y=True))
    >>> model.coef_.shape
    (3, 4)
    """

    domain = "cosines"
    log_odds = True
    lower_bound = 0.0
    scale: float = 1.0
    by_row: bool = False
    by_class: ClassVar[bool] = False
    forms: ClassVar[tuple[type[LossOnScores], ...]] = (OnCosines,)

    @abstractmethod
    def moved(self, cosine: Array) -> tuple[Array, Array, Array]:
        """What the true class's cosine (n,), in [-1, 1], becomes, with its first and second derivatives."""

    def easier(self) -> list[CosineLoss]:
        """Losses of less margin, the first of none."""
        return [Unmoved(self.scale, self.by_row)]

    def value(self, y, prediction):
        return self.on_scores(Identity()).value_and_gradient(y, prediction)[0]

    def gradient(self, y, prediction):
        return self.on_scores(Identity()).value_and_gradient(y, prediction)[1]

    def curvature(self, y, prediction):
        return self.on_scores(Identity()).curvature(y, prediction).diagonal()

    def curvature_product(self, y, prediction, direction):
        """Every row's Hessian in its prediction times a direction."""
        return self.on_scores(Identity()).curvature(y, prediction).apply(direction)

    def _check(self, name: str, valid: bool, wanted: str) -> None:
        parameter = getattr(self, name)
        if not (is_real(parameter) and valid):
            raise ValueError(f"{name} must be {wanted}; got {parameter!r}.")

    def _check_scale(self) -> None:
        self._check("scale", is_real(self.scale) and 0 < self.scale < np.inf, "a finite number > 0")


class Unmoved(CosineLoss):
    """The softmax of cosines without a margin."""

    def __init__(self, scale=1.0, by_row=False):
        self.scale, self.by_row = scale, by_row

    def moved(self, cosine):
        return cosine, np.ones_like(cosine), np.zeros_like(cosine)

    def easier(self):
        return []


class AMSoftmax(CosineLoss):
    r"""Additive margin softmax, also known as CosFace: a constant is taken from the true class's cosine.

    .. math:: L = -\log \frac{e^{s (c_t - m)}}{e^{s (c_t - m)} + \sum_{j \ne t} e^{s c_j}}

    where :math:`c_k` is the cosine of the angle between row and class k. For `CosineClassifier`. The default is the
    paper's, for learned features; linear models of a table cannot push rows that far apart, and a scale of 5 to 15
    is often better.

    Parameters
    ----------
    margin : float, default=0.35
        The m, not negative; with 0 it is the softmax of cosines (normalised softmax).
    scale : float, default=30.0
        The s, positive.

    References
    ----------
    F. Wang, J. Cheng, W. Liu and H. Liu, Additive margin softmax for face verification, *IEEE Signal Processing
    Letters* 25, 2018. H. Wang et al., CosFace: large margin cosine loss for deep face recognition, *CVPR* 2018, has
    scale 64.

    Examples
    --------
    >>> from sklearn_losses import AMSoftmax
    >>> round(AMSoftmax(margin=0.5, scale=2.0)([0], [[0.5, 0.0]]), 6)
    0.693147
    """

    def __init__(self, margin=0.35, scale=30.0):
        self.margin, self.scale = margin, scale

    def check_parameters(self):
        self._check("margin", is_real(self.margin) and 0 <= self.margin < np.inf, "a finite number >= 0")
        self._check_scale()

    def moved(self, cosine):
        return cosine - self.margin, np.ones_like(cosine), np.zeros_like(cosine)


class ArcFace(CosineLoss):
    r"""ArcFace: the angle between row and true class is made larger by a constant.

    .. math:: L = -\log \frac{e^{s \psi(\theta_t)}}{e^{s \psi(\theta_t)} + \sum_{j \ne t} e^{s \cos\theta_j}}, \qquad
              \psi(\theta) = \begin{cases} \cos(\theta + m) & \theta \le \pi - m \\
              -\cos(\theta + m) - 2 & \theta > \pi - m \end{cases}

    where :math:`\theta_k` is the angle between row and class k. :math:`\psi` falls, and its derivative is continuous.
    For `CosineClassifier`. As a function of the weights the loss has the point of a cone at :math:`\theta_t = 0`, so
    that a class whose rows are all alike ends there. The defaults are the paper's, for learned features; linear models
    of a table want smaller ones.

    Parameters
    ----------
    margin : float, default=0.5
        The m in radians, in [0, pi]; with 0 it is `AMSoftmax` with margin 0.
    scale : float, default=64.0
        The s, positive.

    References
    ----------
    J. Deng, J. Guo, N. Xue and S. Zafeiriou, ArcFace: additive angular margin loss for deep face recognition, *CVPR*
    2019.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_losses import ArcFace
    >>> round(ArcFace(margin=np.pi / 3, scale=2.0)([0], [[0.5, -0.5]]), 6)
    0.693147
    """

    random_starts = 8

    def __init__(self, margin=0.5, scale=64.0):
        self.margin, self.scale = margin, scale

    @property
    def smooth(self):  # type: ignore[override]
        return self.margin == 0

    def check_parameters(self):
        self._check("margin", is_real(self.margin) and 0 <= self.margin <= np.pi, "in [0, pi]")
        self._check_scale()

    def moved(self, cosine):
        along, across = np.cos(self.margin), np.sin(self.margin)
        sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
        known = np.maximum(sine, NEAR_POLE)
        # cos(theta + m) and its derivatives in cos(theta); beyond pi - m the mirror image
        moved, rate, bend = cosine * along - sine * across, along + across * cosine / known, across / known**3
        beyond = cosine < -along
        sign = np.where(beyond, -1.0, 1.0)
        return sign * moved - 2.0 * beyond, sign * rate, sign * bend
