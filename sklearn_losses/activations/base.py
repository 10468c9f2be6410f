"""What an activation is, and what makes one the link of a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .curvature import Curvature

Array = NDArray[np.floating]
PullBack = Callable[[Array], Array]


class Activation(ABC):
    """A function from scores to predictions with what the chain rule asks of it.

    Scores are ``(n,)`` for one output or ``(n, K)`` for K classes. Nothing is stored on an activation, and no
    argument is changed.
    """

    @abstractmethod
    def forward(self, scores: Array) -> Array:
        """Predictions, of the scores' shape unless the class says otherwise."""

    @abstractmethod
    def linearize(self, scores: Array) -> tuple[Array, PullBack]:
        """Predictions p and the function that pulls a gradient in them back to the scores, ``g -> J' g``."""

    @abstractmethod
    def curvature(self, scores: Array, gradient: Array, curvature: Array) -> Curvature:
        """Second derivatives in the scores of a function of the predictions.

        Parameters
        ----------
        scores : ndarray of shape (n,) or (n, K)
            Where.
        gradient, curvature : ndarray of the predictions' shape
            The function's derivatives g and, elementwise, c in the predictions.

        Returns
        -------
        Curvature
            ``J' diag(c) J + sum_k g_k (d2 p_k / dz2)``.
        """

    def pull_back(self, scores: Array, gradient: Array) -> Array:
        """A gradient with respect to the predictions, pulled back to the scores: ``J' g``."""
        return self.linearize(scores)[1](gradient)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Link(Activation):
    """An activation that stands between the scores of a model and what a loss is defined on.

    Attributes
    ----------
    domains : tuple of str
        What the predictions are: "probabilities", "scores", "values".
    linear : bool
        Whether predictions are the scores themselves, so that kinks stay kinks and lines lines.
    canonical : bool
        Whether the link has a matching loss: then it gives `matching`.
    logarithm : Activation or None
        The activation whose predictions are the logarithms of this one's (two columns, ``1 - p`` and ``p``, for the
        probability of class 1). Losses that live on a logarithmic scale go through it and never see a rounded
        probability.
    """

    domains: ClassVar[tuple[str, ...]]
    linear: ClassVar[bool] = False
    canonical: ClassVar[bool] = False
    logarithm: ClassVar[Activation | None] = None

    @abstractmethod
    def jacobian_operator(self, scores: Array) -> Curvature:
        """The Jacobians dp/dz, which for links are symmetric."""

    def jacobian(self, scores: Array) -> Array:
        """The Jacobians themselves: (n,) for one score a row, (n, K, K) for K."""
        return self.jacobian_operator(scores).blocks()

    def of_classes(self, scores: Array) -> Array:
        """Where predictions are probabilities, those of all classes (n, K): of two classes 1 - p and p."""
        p = self.forward(scores)
        return p if p.ndim == 2 else np.stack([1.0 - p, p], axis=1)

    def most_probable(self, scores: Array) -> NDArray[np.intp]:
        """The number of every row's most probable class, the first of equal ones."""
        return self.of_classes(scores).argmax(axis=1)

    def matching(self, scores: Array, targets: Array) -> tuple[Array, Array]:
        """``A(z) - t.z`` of every row, where ``A' = forward``, and its gradient ``p - t``.

        That is the loss which matches the link, up to a constant in t [1]_. It is convex, and its curvature is
        `jacobian_operator`.

        References
        ----------
        .. [1] D. P. Helmbold, J. Kivinen and M. K. Warmuth, Relative loss bounds for single neurons,
           *IEEE Transactions on Neural Networks* 10(6), 1999.
        """
        raise NotImplementedError(f"{self} has no matching loss.")
