"""Losses that live on the logarithm of a prediction: of class probabilities, or of a positive mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from .base import Array, Loss
from .on_scores import Direct, LossOnScores, ThroughLogarithm, ThroughPrediction


class LogarithmicLoss(Loss, ABC):
    """A loss that is also given as a function of the logarithm of its prediction.

    Logarithms of the probability of class 1 are two columns, those of ``1 - p`` and ``p``. A loss whose gradient in
    the scores of its own link is ``prediction - targets(y)`` lists the form `Matching` first.
    """

    lower_bound = 0.0
    forms: ClassVar[tuple[type[LossOnScores], ...]] = (ThroughLogarithm, Direct, ThroughPrediction)

    @abstractmethod
    def log_value(self, y: Array, logs: Array) -> Array:
        """The loss of every row, (n,)."""

    @abstractmethod
    def log_gradient(self, y: Array, logs: Array) -> Array:
        """Its derivatives in the logarithms, of their shape."""

    @abstractmethod
    def log_curvature(self, y: Array, logs: Array) -> Array:
        """Its second derivatives in the logarithms, elementwise, of their shape."""

    def completed(self, y: Array, value: Array, away: Array | None = None) -> Array:
        """The values (n,) with the terms that depend on y alone, which `Link.matching` and others leave out.

        Where it is known, ``away`` is ``prediction - targets(y)``.
        """
        return value


def relative_entropy(y: Array, away: Array, value: Array) -> Array:
    """``y log(y / m) - y + m`` for ``m = y + away`` not far from y, where nothing cancels; elsewhere a given value."""
    near = np.abs(away) < 0.5 * y
    ratio = np.divide(away, y, out=np.zeros_like(value), where=near)
    return np.where(near, y * (ratio - np.log1p(ratio)), value)
