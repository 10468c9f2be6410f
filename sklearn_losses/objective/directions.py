"""Parameters on spheres: classes that are directions, and weights whose lengths are scores of their own."""

from __future__ import annotations

from typing import Self

import numpy as np

from ..activations.curvature import row_dot
from .parameters import Array, Parameters


class Curved(Parameters):
    """A map that is not linear, from one weight for every feature and class; there is no intercept."""

    linear = False

    def __init__(self, n_features: int, n_outputs: int):
        super().__init__(n_features, n_outputs, fit_intercept=False)
        self.variance = np.zeros(n_features)

    def of_model(self, coef, intercept):
        return coef.ravel()

    def penalty(self, penalty):
        return penalty

    def of_features(self, features) -> Self:
        return type(self)(len(features), self.n_outputs)

    def for_written(self):
        return self


class Directions(Curved):
    """Only the directions of the rows of x count: coefficients have rows of length one, and there is no intercept.

    A row of zeros has no direction and stays what it is. Gradients have no part along the rows of x.
    """

    only_directions = True

    def __init__(self, n_features: int, n_outputs: int):
        super().__init__(n_features, n_outputs)
        self._last: tuple[Array, Array, Array] | None = None  # solvers ask for everything at one point

    def on_rows(self, x):
        return self.directions(x)[0], np.zeros(self.n_outputs)

    def model(self, x):
        return self.on_rows(x)

    def push_forward(self, x, v):
        directions, lengths = self.directions(x)
        return across(directions, self.split(v)[0]) / lengths, np.zeros(self.n_outputs)

    def pull_back(self, x, coef, intercept):
        directions, lengths = self.directions(x)
        return (across(directions, coef) / lengths).ravel()

    def bend(self, x, v, coef, intercept):
        directions, lengths = self.directions(x)
        change, gradient = self.split(v)[0] / lengths, coef / lengths
        tangent, slope = across(directions, gradient), row_dot(directions, gradient)
        turned = directions * row_dot(tangent, change) + tangent * row_dot(directions, change)
        return -(turned + slope * across(directions, change)).ravel()

    def directions(self, x: Array) -> tuple[Array, Array]:
        """Rows of length one, and the lengths (K, 1); one for a row of zeros."""
        last = self._last
        if last is None or not np.array_equal(last[0], x):
            last = self._last = (np.array(x), *directions_of(self.split(x)[0]))
        return last[1], last[2]


class WithLengths(Curved):
    """x is the weights, and beside every product of a row with them there is their length: 2 K scores, no intercept.

    The model on rows has K coefficients of zero with the lengths for intercepts.
    """

    def __init__(self, n_features: int, n_outputs: int):
        super().__init__(n_features, n_outputs)
        self.n_scores = 2 * n_outputs

    def on_rows(self, x):
        weights = self.split(x)[0]
        return self._with_none(weights), np.concatenate([np.zeros(self.n_outputs), directions_of(weights)[1][:, 0]])

    def model(self, x):
        return self.split(x)

    def push_forward(self, x, v):
        change = self.split(v)[0]
        lengths = row_dot(directions_of(self.split(x)[0])[0], change)[:, 0]
        return self._with_none(change), np.concatenate([np.zeros(self.n_outputs), lengths])

    def pull_back(self, x, coef, intercept):
        of_lengths = intercept[self.n_outputs :, None]
        return (coef[: self.n_outputs] + of_lengths * directions_of(self.split(x)[0])[0]).ravel()

    def bend(self, x, v, coef, intercept):
        directions, lengths = directions_of(self.split(x)[0])
        return (intercept[self.n_outputs :, None] * across(directions, self.split(v)[0]) / lengths).ravel()

    def _with_none(self, coef: Array) -> Array:
        return np.concatenate([coef, np.zeros_like(coef)])


def directions_of(matrix: Array) -> tuple[Array, Array]:
    """Rows of length one, and the lengths (K, 1); one for a row of zeros."""
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    largest = np.where(largest > 0.0, largest, 1.0)
    scaled = matrix / largest
    rest = np.sqrt(row_dot(scaled, scaled))
    rest = np.where(rest > 0.0, rest, 1.0)
    return scaled / rest, largest * rest


def across(directions: Array, rows: Array) -> Array:
    """What rows have across the directions, of length one, of the same number."""
    return rows - row_dot(directions, rows) * directions
