"""A penalty of one's own: all that the contract asks of one, and nothing that a solver knows."""

import numpy as np

from sklearn_losses.objective.kinked_penalties import KinkedPenalty


class Lopsided(KinkedPenalty):
    """Sizes that cost ``below`` times as much for weights below zero, and squares."""

    by_weight = True

    def __init__(self, l1, l2=0.0, below=2.0):
        super().__init__(l1, l2)
        self.below = below

    def _kink(self, coef):
        return np.where(coef < 0.0, -self.below * self.l1, np.where(coef > 0.0, self.l1, 0.0))

    def value(self, coef):
        return float(np.sum(self._kink(coef) * coef) + 0.5 * np.sum(self.l2 * coef**2))

    def gradient(self, coef):
        return self._kink(coef) + self.l2 * coef

    def hessian_product(self, coef, v):
        return self.l2 * v

    def prox(self, coef, step):
        above, under = coef - step * self.l1, coef + step * self.below * self.l1
        return (np.maximum(above, 0.0) + np.minimum(under, 0.0)) / (1.0 + step * self.l2)

    def gap(self, coef, v):
        return self.gap_by_gradient(coef, self.gradient(coef) - v)

    def gap_by_gradient(self, coef, gradient):
        v, l2 = self.gradient(coef) - gradient, np.broadcast_to(self.l2, coef.shape)
        beyond = np.maximum(v - self.l1, 0.0) + np.minimum(v + self.below * self.l1, 0.0)
        if np.any(beyond[l2 == 0.0]):
            return np.inf
        square = np.divide((beyond - l2 * coef) ** 2, 2.0 * l2, out=np.zeros_like(v), where=l2 > 0.0)
        return float(np.sum(np.maximum((self._kink(coef) - (v - beyond)) * coef, 0.0) + square))

    def least_slope(self, coef, gradient):
        at_zero = np.maximum(gradient - self.below * self.l1, 0.0) + np.minimum(gradient + self.l1, 0.0)
        return np.where(coef != 0.0, gradient, at_zero)

    def free(self, coef):
        return (coef != 0.0) | (self.l1 == 0.0)

    def on_face(self, coef, trial):
        return np.where((trial * np.sign(coef) > 0.0) | (self.l1 == 0.0), trial, 0.0)

    def size(self, v):
        return np.maximum(v, -v / self.below)

    def of_strengths(self, l1, l2=0.0):
        return Lopsided(l1, l2, self.below)
