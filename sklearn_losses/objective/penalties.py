"""Penalties: what is paid for weights, whatever the data say."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]


class Penalty(ABC):
    """A convex function of the coefficients (K, p), zero at zero, a sum over features. The intercept has none.

    Methods that take ``coef`` or ``v`` take (K, p) and never write to it. One that is smooth is half a weighted sum of
    squares, whose weights are its `convexity`: solvers take that for its Hessian. One that is not is such a sum and a
    kink, which grows in proportion to the weights.

    Attributes
    ----------
    spherical : bool
        Whether it is a function of ``coef coef'`` alone, perhaps zero, whatever the number of features.
    smooth : bool
        Whether it has neither a kink nor a bound, so that gradients tell all of it.
    by_weight : bool
        Whether it is a sum over single weights, so that the classes' weights of a feature do not see each other.
    swept : {"weights", "groups"} or None
        Of a kink: which of the compiled sweeps minimise it, with strengths ``l1`` (p,): those for sizes of single
        weights, bounded below if ``positive``, or those for lengths of features' weights; by steps of `prox` if none.
    """

    swept: str | None = None

    spherical: bool
    smooth: bool
    by_weight: bool

    @abstractmethod
    def value(self, coef: Array) -> float:
        """The penalty."""

    @abstractmethod
    def gradient(self, coef: Array) -> Array:
        """Its gradient, (K, p); where it has a kink, one of its slopes."""

    @abstractmethod
    def hessian_product(self, coef: Array, v: Array) -> Array:
        """Its Hessian times v, (K, p); at a kink that of its smooth part."""

    @abstractmethod
    def prox(self, coef: Array, step: float | Array) -> Array:
        """The minimiser of ``penalty(u) + sum (u - coef)**2 / (2 step)`` over u; a step for all, or (K, p) of them."""

    def conjugate(self, v: Array) -> float:
        """The largest value of ``sum(v u) - penalty(u)`` over u; inf where it has none."""
        return self.gap(np.zeros_like(v), v)

    @abstractmethod
    def gap(self, coef: Array, v: Array) -> float:
        """``penalty(coef) + conjugate(v) - sum(v coef)``, never negative, without cancellation; inf where it is."""

    @abstractmethod
    def gap_by_gradient(self, coef: Array, gradient: Array) -> float:
        """`gap` at ``v = self.gradient(coef) - gradient``, for those who know the difference with all its digits."""

    @abstractmethod
    def feasible(self, v: Array) -> float:
        """The largest share of v, from 0 to 1, whose conjugate is finite."""

    @abstractmethod
    def idle(self, v: Array) -> float:
        """The largest share of v, from 0 to 1, whose conjugate is zero: at which no weight would leave zero."""

    @abstractmethod
    def least_slope(self, coef: Array, gradient: Array) -> Array:
        """The smallest gradient of a function plus this penalty, given one of them: that of `gradient`, (K, p)."""

    @abstractmethod
    def free(self, coef: Array) -> NDArray[np.bool_]:
        """The weights around which it is smooth, (K, p): all that are not at a kink or at a bound."""

    @abstractmethod
    def on_face(self, coef: Array, trial: Array) -> Array:
        """The trial with zeros where it has crossed a kink or a bound from coef."""

    @abstractmethod
    def holds(self, n_features: int) -> NDArray[np.bool_]:
        """Which features' weights it keeps from growing for ever whatever their signs are, (p,)."""

    @abstractmethod
    def convexity(self, n_features: int) -> Array:
        """How strongly convex the penalty is in every feature's weights, (p,): its curvature at the least."""

    @abstractmethod
    def scaled(self, inverse_scale: Array) -> Penalty:
        """The same penalty of W as a function of V, where ``W = V * inverse_scale``."""

    @abstractmethod
    def times(self, factor: float) -> Penalty:
        """The penalty multiplied by a number that is not negative."""

    @abstractmethod
    def kink(self) -> Penalty:
        """The same without its squares."""

    @abstractmethod
    def take(self, features: NDArray[np.intp]) -> Penalty:
        """The penalty of some features' weights."""


class L2(Penalty):
    r"""Half the weighted sum of squares, :math:`\frac{1}{2} \sum_{kj} \lambda_j w_{kj}^2`.

    Parameters
    ----------
    strength : float or array-like of shape (p,)
        Not negative.
    """

    smooth = True
    by_weight = True

    def __init__(self, strength: ArrayLike):
        self.strength = np.asarray(strength, dtype=np.float64)
        self._root = np.sqrt(self.strength)
        self._holds_all = bool((self.strength > 0).all())
        self.spherical = self.strength.ndim == 0

    def value(self, coef):
        # a square of a product: neither overflows where the penalty does not
        rooted = (self._root * coef).ravel()
        return 0.5 * float(np.dot(rooted, rooted))

    def gradient(self, coef):
        return self.strength * coef

    def hessian_product(self, coef, v):
        return self.strength * v

    def prox(self, coef, step):
        return coef / (1.0 + step * self.strength)

    def gap(self, coef, v):
        return self.gap_by_gradient(coef, self.strength * coef - v)

    def gap_by_gradient(self, coef, gradient):
        root = self._root
        if not self._holds_all:
            root = np.broadcast_to(root, gradient.shape)
            held = root > 0
            if np.any(gradient[~held]):
                return np.inf
            root, gradient = root[held], gradient[held]
        scaled = (gradient / root).ravel()
        return 0.5 * float(np.dot(scaled, scaled))

    def feasible(self, v):
        return 0.0 if np.any(v[np.broadcast_to(self.strength, v.shape) == 0]) else 1.0

    def idle(self, v):
        return 0.0 if np.any(v) else 1.0

    def least_slope(self, coef, gradient):
        return gradient

    def free(self, coef):
        return np.ones(coef.shape, dtype=bool)

    def on_face(self, coef, trial):
        return trial

    def holds(self, n_features):
        return np.full(n_features, self.strength > 0)

    def convexity(self, n_features):
        return np.full(n_features, self.strength)

    def scaled(self, inverse_scale):
        return L2((self._root * inverse_scale) ** 2)

    def times(self, factor):
        return L2(factor * self.strength)

    def kink(self):
        return L2(0.0)

    def take(self, features):
        return L2(strength_of(self.strength, features))


def strength_of(strength: Array, features: NDArray[np.intp]) -> Array:
    """Some features' strengths, where these differ."""
    return strength if strength.ndim == 0 else strength[features]
