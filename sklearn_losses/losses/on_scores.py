"""dL/dp times dp/dz: a loss and a link as one function of the scores, with first and second derivatives.

A *form* is a way to evaluate such a pair. The chain rule works for every pair; where it would lose digits or time, a
family of losses lists a better form first (`Loss.forms`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..activations import Blocks, ByProducts, Curvature, Diagonal, Link

if TYPE_CHECKING:
    from .base import Loss
    from .logarithmic import LogarithmicLoss

Array = NDArray[np.floating]

STEP, FAR_STEP = 1e-4, 1e-8  # of differences, and what is added for the rounding of large scores


class LossOnScores(ABC):
    """A loss as a function of the scores of a model; made by `Loss.on_scores`.

    ``y`` and ``scores`` have the shapes that `Loss` states, values are in the units of the loss. Rows do not see each
    other, no argument is changed, and nothing is kept between calls.

    Attributes
    ----------
    loss : Loss
    link : Link
    convex : bool
        Whether every row's loss is convex in its scores. Certificates rest on it.
    smooth : bool
        Whether the gradient is continuous.
    has_curvature : bool
        Whether `curvature` is known.
    quadratic : bool
        Whether it is the same number for every row and score.
    pieces : callable or None
        ``pieces(y)`` as in `Loss`, where the loss is convex and piecewise linear in one score.
    envelope : callable or None
        ``envelope(y)`` as in `Loss`.
    typical_curvature : float
        By which estimates judge slopes in which nothing else is curved.
    """

    quadratic: bool = False
    typical_curvature: float = 1.0

    def __init__(self, loss: Loss, link: Link):
        self.loss, self.link = loss, link
        self.convex = loss.is_convex_through(link)
        self.smooth = loss.smooth
        self.has_curvature = loss.curvature is not None
        self.quadratic = loss.quadratic and link.linear
        self.pieces: Callable[[Array], tuple[Array, Array]] | None = None
        self.envelope: Callable[[Array], tuple[Array, Array, float]] | None = None
        if self.convex and link.linear:
            self.pieces, self.envelope = loss.pieces, loss.envelope

    @classmethod
    @abstractmethod
    def suits(cls, loss: Loss, link: Link) -> bool:
        """Whether a pair can be evaluated in this form."""

    @abstractmethod
    def value_and_gradient(self, y: Array, scores: Array) -> tuple[Array, Array]:
        """The loss of every row, (n,), and its derivative in the row's scores, of their shape.

        Values may be infinite; gradients are numbers wherever the value is finite, at a kink a subgradient.
        """

    @abstractmethod
    def curvature(self, y: Array, scores: Array) -> Curvature:
        """The second derivatives of every row in its scores; only where `has_curvature`."""


class Direct(LossOnScores):
    """Any loss whose prediction is the score itself."""

    @classmethod
    def suits(cls, loss, link):
        return link.linear

    def value_and_gradient(self, y, scores):
        return self.loss.value(y, scores), self.loss.gradient(y, scores)

    def curvature(self, y, scores):
        if scores.ndim == 1 or self.loss.curvature_product is None:
            return Diagonal(self.loss.curvature(y, scores))
        return Products(self.loss, y, scores)


class ThroughPrediction(LossOnScores):
    """Any loss through any link, by the chain rule."""

    @classmethod
    def suits(cls, loss, link):
        return True

    def value_and_gradient(self, y, scores):
        prediction, pull_back = self.link.linearize(scores)
        return self.loss.value(y, prediction), pull_back(self.loss.gradient(y, prediction))

    def curvature(self, y, scores):
        prediction = self.link.forward(scores)
        gradient = self.loss.gradient(y, prediction)
        if scores.ndim == 1 or self.loss.curvature_product is None:
            return self.link.curvature(scores, gradient, self.loss.curvature(y, prediction))
        bend = self.link.curvature(scores, gradient, np.zeros_like(prediction))
        return Products(self.loss, y, prediction, self.link.jacobian_operator(scores), bend)


class ThroughLogarithm(LossOnScores):
    """A `LogarithmicLoss` through the logarithm of a link: no digit of a tiny probability is lost."""

    loss: LogarithmicLoss

    @classmethod
    def suits(cls, loss, link):
        return link.logarithm is not None

    def __init__(self, loss: Loss, link: Link):
        super().__init__(loss, link)
        assert link.logarithm is not None
        self.logarithm = link.logarithm

    def value_and_gradient(self, y, scores):
        logs, pull_back = self.logarithm.linearize(scores)
        return self.loss.log_value(y, logs), pull_back(self.loss.log_gradient(y, logs))

    def curvature(self, y, scores):
        logs = self.logarithm.forward(scores)
        gradient, curvature = self.loss.log_gradient(y, logs), self.loss.log_curvature(y, logs)
        return self.logarithm.curvature(scores, gradient, curvature)


class Matching(LossOnScores):
    """A `LogarithmicLoss` that belongs to its link: gradient ``p - t``, curvature the link's Jacobian."""

    loss: LogarithmicLoss

    @classmethod
    def suits(cls, loss, link):
        return link.canonical and loss.is_own(link)

    def value_and_gradient(self, y, scores):
        value, gradient = self.link.matching(scores, self.loss.targets(y))
        return self.loss.completed(y, value, gradient), gradient

    def curvature(self, y, scores):
        return self.link.jacobian_operator(scores)


class ByDifferences(LossOnScores):
    """A form whose curvature is made of differences of its slopes: to try what was found by, not to find it."""

    def __init__(self, form: LossOnScores):
        super().__init__(form.loss, form.link)
        self.form, self.has_curvature = form, True

    @classmethod
    def suits(cls, loss, link):
        return False

    def value_and_gradient(self, y, scores):
        return self.form.value_and_gradient(y, scores)

    def curvature(self, y, scores):
        if scores.ndim == 1:
            return Diagonal(self._along(y, scores, 1.0))
        columns = [self._along(y, scores, axis) for axis in np.eye(scores.shape[1])]
        blocks = np.stack(columns, axis=2)
        return Blocks(0.5 * (blocks + blocks.transpose(0, 2, 1)))

    def _along(self, y: Array, scores: Array, axis: Array | float) -> Array:
        step = STEP + FAR_STEP * np.abs(scores if scores.ndim == 1 else scores.max(axis=1, keepdims=True))
        ahead, behind = (self.form.value_and_gradient(y, scores + side * step * axis)[1] for side in (0.5, -0.5))
        return (ahead - behind) / step


class Products(ByProducts):
    """The curvature of a loss for K classes that is known by its products only, through a link where there is one."""

    def __init__(
        self,
        loss: Loss,
        y: Array,
        prediction: Array,
        jacobian: Curvature | None = None,
        bend: Curvature | None = None,
    ):
        self.loss, self.y, self.prediction = loss, y, prediction
        self.jacobian, self.bend = jacobian, bend

    def apply(self, direction):
        product = self.loss.curvature_product
        assert product is not None
        if self.jacobian is None or self.bend is None:
            return product(self.y, self.prediction, direction)
        bent = product(self.y, self.prediction, self.jacobian.apply(direction))
        return self.jacobian.apply(bent) + self.bend.apply(direction)

    @property
    def shape(self):
        return self.prediction.shape
