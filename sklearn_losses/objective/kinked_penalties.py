"""Penalties with a kink at zero, or a bound there, so that their minimisers have exact zeros."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from .penalties import Array, Penalty, strength_of

INSIDE = 1.0 - 4.0 * float(np.finfo(float).eps)  # of a share, so that rounding leaves the scaled slopes feasible


class KinkedPenalty(Penalty):
    """A kink of strength l1 (p,), or one for all features, and squares of strength l2, of which neither is negative."""

    spherical = False
    smooth = False

    def __init__(self, l1: ArrayLike, l2: ArrayLike = 0.0):
        self.l1, self.l2 = np.asarray(l1, dtype=np.float64), np.asarray(l2, dtype=np.float64)

    @abstractmethod
    def size(self, v: Array) -> Array:
        """What slopes pull away from zero with, to be held by the kink."""

    @abstractmethod
    def of_strengths(self, l1: Array, l2: Array | float = 0.0) -> Penalty:
        """The same kind of penalty."""

    def feasible(self, v):
        return _largest_share(np.where(self.l2 > 0.0, 0.0, self.size(v)), self.l1)

    def idle(self, v):
        return _largest_share(self.size(v), self.l1)

    def holds(self, n_features):
        return np.broadcast_to((self.l1 > 0.0) | (self.l2 > 0.0), n_features)

    def convexity(self, n_features):
        return np.broadcast_to(self.l2, n_features)

    def scaled(self, inverse_scale):
        return self.of_strengths(self.l1 * inverse_scale, (np.sqrt(self.l2) * inverse_scale) ** 2)

    def times(self, factor):
        return self.of_strengths(factor * self.l1, factor * self.l2)

    def kink(self):
        return self.of_strengths(self.l1)

    def take(self, features):
        return self.of_strengths(strength_of(self.l1, features), strength_of(self.l2, features))


class ElasticNet(KinkedPenalty):
    r"""Absolute values and squares :math:`\sum_{kj} (\mu_j |w_{kj}| + \lambda_j w_{kj}^2 / 2)`, perhaps bounded.

    Parameters
    ----------
    l1 : float or array-like of shape (p,)
        The :math:`\mu`, not negative.
    l2 : float or array-like of shape (p,)
        The :math:`\lambda`, not negative.
    positive : bool
        Whether weights below zero cost infinitely much.
    """

    by_weight = True
    swept = "weights"

    def __init__(self, l1: ArrayLike, l2: ArrayLike = 0.0, *, positive: bool = False):
        super().__init__(l1, l2)
        self.positive = positive

    def value(self, coef):
        if self.positive and np.any(coef < 0):
            return np.inf
        rooted = (np.sqrt(self.l2) * coef).ravel()
        return float(np.sum(self.l1 * np.abs(coef))) + 0.5 * float(np.dot(rooted, rooted))

    def gradient(self, coef):
        return self.l1 * np.sign(coef) + self.l2 * coef

    def hessian_product(self, coef, v):
        return self.l2 * v

    def prox(self, coef, step):
        shrunk = np.maximum((coef if self.positive else np.abs(coef)) - step * self.l1, 0.0)
        return (shrunk if self.positive else np.copysign(shrunk, coef)) / (1.0 + step * self.l2)

    def gap(self, coef, v):
        return self.gap_by_gradient(coef, self.gradient(coef) - v)

    def gap_by_gradient(self, coef, gradient):
        v = self.gradient(coef) - gradient
        steep = self.size(v) > self.l1
        # where slopes stay below the kink's only weights cost anything: |w| (l1 -+ v) + l2 w^2 / 2
        gap = np.maximum(self.l1 * np.abs(coef) - v * coef, 0.0)
        if self.l2.any():
            gap += 0.5 * self.l2 * coef**2
        if not steep.any():
            return float(gap.sum())
        l1, l2 = (np.broadcast_to(strength, v.shape) for strength in (self.l1, self.l2))
        if np.any(l2[steep] == 0.0):
            return np.inf
        along = np.sign(v) * coef
        away = np.where(along > 0.0, gradient, l1 * np.sign(v) + l2 * coef - v)
        gap[steep] = ((l1 * (np.abs(coef) - along))[steep]) + 0.5 * away[steep] ** 2 / l2[steep]
        return float(np.sum(gap))

    def least_slope(self, coef, gradient):
        at_zero = np.copysign(np.maximum(np.abs(gradient) - self.l1, 0.0), gradient)
        if self.positive:
            at_zero = np.minimum(gradient + self.l1, 0.0)
        return np.where(coef != 0.0, gradient, at_zero)

    def free(self, coef):
        return (coef != 0.0) | (False if self.positive else self.l1 == 0.0)

    def on_face(self, coef, trial):
        kept = trial * np.sign(coef) > 0.0
        return np.where(kept | (self.l1 == 0.0) & (not self.positive), trial, 0.0)

    def size(self, v):
        return np.maximum(v, 0.0) if self.positive else np.abs(v)

    def of_strengths(self, l1, l2=0.0):
        return ElasticNet(l1, l2, positive=self.positive)


class Grouped(KinkedPenalty):
    r"""A feature's weights over the classes as one: :math:`\sum_j (\mu_j \|w_j\| + \frac{1}{2} \lambda_j \|w_j\|^2)`.

    Parameters
    ----------
    l1 : float or array-like of shape (p,)
        The :math:`\mu`, not negative.
    l2 : float or array-like of shape (p,)
        The :math:`\lambda`, not negative.

    References
    ----------
    M. Yuan and Y. Lin, Model selection and estimation in regression with grouped variables, *Journal of the Royal
    Statistical Society B* 68, 2006.
    """

    by_weight = False
    swept = "groups"

    def value(self, coef):
        size = _norm(coef)
        return float(np.sum(self.l1 * size + 0.5 * self.l2 * size**2))

    def gradient(self, coef):
        return self.l1 * _direction(coef) + self.l2 * coef

    def hessian_product(self, coef, v):
        size, direction = _norm(coef), _direction(coef)
        across = v - direction * np.sum(direction * v, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(size > 0.0, self.l1 / size, 0.0) * np.where(size > 0.0, across, 0.0) + self.l2 * v

    def prox(self, coef, step):
        size = _norm(coef)
        with np.errstate(divide="ignore", invalid="ignore"):
            shrunk = np.where(size > 0.0, np.maximum(1.0 - step * self.l1 / size, 0.0), 0.0)
        return coef * shrunk / (1.0 + step * self.l2)

    def gap(self, coef, v):
        size, pull = _norm(coef), _norm(v)
        l1, l2 = (np.broadcast_to(strength, size.shape) for strength in (self.l1, self.l2))
        steep = pull > l1
        gap = np.maximum(l1 * size - np.sum(v * coef, axis=0), 0.0) + 0.5 * l2 * size**2
        if not steep.any():
            return float(np.sum(gap))
        if np.any(l2[steep] == 0.0):
            return np.inf
        away = _norm(v - l1 * _direction(v) - l2 * coef)[steep]
        turned = np.maximum(size - np.sum(_direction(v) * coef, axis=0), 0.0)[steep]
        gap[steep] = l1[steep] * turned + 0.5 * away**2 / l2[steep]
        return float(np.sum(gap))

    def gap_by_gradient(self, coef, gradient):
        return self.gap(coef, self.gradient(coef) - gradient)

    def least_slope(self, coef, gradient):
        size = _norm(gradient)
        at_zero = _direction(gradient) * np.maximum(size - self.l1, 0.0)
        return np.where(_norm(coef) > 0.0, gradient, at_zero)

    def free(self, coef):
        return np.broadcast_to((_norm(coef) > 0.0) | (self.l1 == 0.0), coef.shape)

    def on_face(self, coef, trial):
        return np.where(self.free(coef), trial, 0.0)

    def size(self, v):
        return _norm(v)

    def of_strengths(self, l1, l2=0.0):
        return Grouped(l1, l2)


def _largest_share(size, limit) -> float:
    """The largest share, up to one, at which no size is beyond its limit."""
    size, limit = np.broadcast_arrays(size, limit)
    beyond = size > limit
    return float(np.min(limit[beyond] / size[beyond])) * INSIDE if beyond.any() else 1.0


def _norm(coef):
    """The lengths of the features' weights, (p,), without overflow."""
    if len(coef) == 1:
        return np.abs(coef[0])
    largest = np.abs(coef).max(axis=0)
    unit = np.where(largest > 0.0, largest, 1.0)
    return unit * np.sqrt(np.sum((coef / unit) ** 2, axis=0))


def _direction(coef):
    size = _norm(coef)
    return coef / np.where(size > 0.0, size, 1.0)
