"""Links of single scores: the identity and the exponential."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from .base import Array, Link
from .curvature import Diagonal


class Elementwise(Link):
    """A link whose every prediction is a function of its own score; a concrete one gives two derivatives."""

    @abstractmethod
    def first(self, scores: Array) -> tuple[Array, Array]:
        """Predictions and their derivatives."""

    @abstractmethod
    def second(self, scores: Array) -> tuple[Array, Array]:
        """First and second derivatives."""

    def forward(self, scores):
        return self.first(scores)[0]

    def linearize(self, scores):
        p, slope = self.first(scores)
        return p, lambda gradient: slope * gradient

    def curvature(self, scores, gradient, curvature):
        slope, bend = self.second(scores)
        return Diagonal(curvature * slope * slope + bend * gradient)

    def jacobian_operator(self, scores):
        return Diagonal(self.first(scores)[1])


class Identity(Elementwise):
    r"""The prediction is the score, :math:`p = z`.

    Examples
    --------
    >>> import numpy as np
    >>> Identity().jacobian(np.array([-2.0, 3.0]))
    array([1., 1.])
    """

    domains = ("scores", "values", "cosines")
    linear = True

    def first(self, scores):
        return scores, np.ones_like(scores)

    def second(self, scores):
        return np.ones_like(scores), np.zeros_like(scores)

    def linearize(self, scores):
        return scores, lambda gradient: gradient

    def curvature(self, scores, gradient, curvature):
        return Diagonal(curvature)


class Exp(Elementwise):
    r"""The inverse of the log link, :math:`p = e^z`, for predictions that are positive.

    Scores beyond 709.78 give infinity, quietly: the objective is infinite there, and a solver steps back.

    References
    ----------
    P. McCullagh and J. A. Nelder, *Generalized Linear Models*, second edition. Chapman and Hall, 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_losses.activations import Exp
    >>> Exp().forward(np.array([0.0, -1e308]))
    array([1., 0.])
    """

    domains = ("values",)
    canonical = True
    logarithm = Identity()

    def first(self, scores):
        with np.errstate(over="ignore"):
            p = np.exp(scores)
        return p, p

    def second(self, scores):
        return self.first(scores)

    def matching(self, scores, targets):
        p = self.forward(scores)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(np.isinf(p), np.inf, p - targets * scores), p - targets
