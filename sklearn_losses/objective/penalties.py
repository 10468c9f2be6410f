"""Penalties: what is paid for weights, whatever the data say."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]


class Penalty(ABC):
    """A convex function of the coefficients (K, p), zero at zero, a sum over features. The intercept has none.

    Methods that take ``coef`` or ``v`` take (K, p) and never write to it.

    Attributes
    ----------
    spherical : bool
        Whether it is a function of ``coef coef'`` alone and strongly convex, whatever the number of features.
    """

    spherical: bool

    @abstractmethod
    def value(self, coef: Array) -> float:
        """The penalty."""

    @abstractmethod
    def gradient(self, coef: Array) -> Array:
        """Its gradient, (K, p); where it has a kink, one of its slopes."""

    @abstractmethod
    def curvature(self, coef: Array) -> Array:
        """The diagonal of its Hessian, which has nothing else, (K, p)."""

    @abstractmethod
    def prox(self, coef: Array, step: float | Array) -> Array:
        """The minimiser of ``penalty(u) + sum (u - coef)**2 / (2 step)`` over u; a step for all, or (K, p) of them."""

    @abstractmethod
    def conjugate(self, v: Array) -> float:
        """The largest value of ``sum(v u) - penalty(u)`` over u; inf where it has none."""

    @abstractmethod
    def gap(self, coef: Array, v: Array) -> float:
        """``penalty(coef) + conjugate(v) - sum(v coef)``, never negative, without cancellation; inf where it is."""

    @abstractmethod
    def feasible(self, v: Array) -> float:
        """The largest share of v, from 0 to 1, whose conjugate is finite."""

    @abstractmethod
    def convexity(self, n_features: int) -> Array:
        """How strongly convex the penalty is in every feature's weights, (p,): its curvature at the least."""

    @abstractmethod
    def scaled(self, inverse_scale: Array) -> Penalty:
        """The same penalty of W as a function of V, where ``W = V * inverse_scale``."""

    @abstractmethod
    def times(self, factor: float) -> Penalty:
        """The penalty multiplied by a number that is not negative."""


class L2(Penalty):
    r"""Half the weighted sum of squares, :math:`\frac{1}{2} \sum_{kj} \lambda_j w_{kj}^2`.

    Parameters
    ----------
    strength : float or array-like of shape (p,)
        Not negative.
    """

    def __init__(self, strength: ArrayLike):
        self.strength = np.asarray(strength, dtype=np.float64)
        self._root = np.sqrt(self.strength)
        self.spherical = self.strength.ndim == 0 and bool(self.strength > 0)

    def value(self, coef):
        # a square of a product: neither overflows where the penalty does not
        rooted = (self._root * coef).ravel()
        return 0.5 * float(np.dot(rooted, rooted))

    def gradient(self, coef):
        return self.strength * coef

    def curvature(self, coef):
        return np.broadcast_to(self.strength, coef.shape)

    def prox(self, coef, step):
        return coef / (1.0 + step * self.strength)

    def conjugate(self, v):
        return self.gap(np.zeros_like(v), v)

    def gap(self, coef, v):
        strength = np.broadcast_to(self.strength, v.shape)
        away, held = v - strength * coef, strength > 0
        if np.any(away[~held]):
            return np.inf
        return 0.5 * float(np.sum(away[held] ** 2 / strength[held]))

    def feasible(self, v):
        return 0.0 if np.any(v[np.broadcast_to(self.strength, v.shape) == 0]) else 1.0

    def convexity(self, n_features):
        return np.broadcast_to(self.strength, n_features)

    def scaled(self, inverse_scale):
        return L2((self._root * inverse_scale) ** 2)

    def times(self, factor):
        return L2(factor * self.strength)
