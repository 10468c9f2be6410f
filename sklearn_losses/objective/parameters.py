"""What solvers move in: maps from one flat vector x to the coefficients and intercepts of a model, and back.

Features of any scale and offset are nobody's problem in `Scaled` parameters (V, c), where every column is centred and
has about unit spread:

    W = V / scale,    b = c - W center.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..activations.curvature import row_dot
from ..data import Rows
from ..data.rows import Transform
from .penalties import Penalty

Array = NDArray[np.floating]

# the curvature of a typical loss in its score; it only balances data against penalty in the scale of a column
TYPICAL_CURVATURE = 0.25

# offsets beyond this many spreads are subtracted from the rows themselves, because sums would lose their digits
FAR_OFFSET = 1e4


class Parameters(ABC):
    """The map from x to the model of a row, and what follows from it for derivatives.

    x is a matrix (K, p) row by row, then K numbers if there is an intercept. Rows may have lost an origin
    (`Rows.origin`): `on_rows` is the model of rows as they are stored, `model` that of rows as they came.

    Parameters
    ----------
    n_features, n_outputs : int
        p and K.
    fit_intercept : bool
        Whether there are intercepts.

    Attributes
    ----------
    n_scores : int
        How many scores a row has: K, unless the model has more to say of every class.
    linear : bool
        Whether the map is, so that it adds no curvature of its own; only then does `transform` exist.
    only_directions : bool
        Whether the lengths of the classes' parts of x change nothing.
    variance : ndarray of shape (p,)
        Of every feature, as far as it is known, in the units of x.
    """

    linear = True
    only_directions = False
    variance: Array

    def __init__(self, n_features: int, n_outputs: int, fit_intercept: bool):
        self.n_features, self.n_outputs, self.fit_intercept = n_features, n_outputs, fit_intercept
        self.n_scores = n_outputs
        self.n_weights = n_features * n_outputs
        self.size = self.n_weights + n_outputs * fit_intercept

    @abstractmethod
    def on_rows(self, x: Array) -> tuple[Array, Array]:
        """Coefficients (K, p) and intercepts (K,) for the rows as they are stored."""

    @abstractmethod
    def model(self, x: Array) -> tuple[Array, Array]:
        """The same for the rows as they came."""

    @abstractmethod
    def of_model(self, coef: Array, intercept: Array) -> Array:
        """Where such a model is."""

    @abstractmethod
    def push_forward(self, x: Array, v: Array) -> tuple[Array, Array]:
        """How `on_rows` changes at x along v."""

    @abstractmethod
    def pull_back(self, x: Array, coef: Array, intercept: Array) -> Array:
        """A gradient in what `on_rows` returns as a gradient at x: the transpose of `push_forward`."""

    @abstractmethod
    def bend(self, x: Array, v: Array, coef: Array, intercept: Array) -> Array | float:
        """How `pull_back` of a fixed gradient changes at x along v: zero where the map is linear."""

    def gram(self, products: Array, sums: Array, total: float) -> Array:
        """From sums over stored rows of (row row'), of rows and of ones, that of (row row') as the scores see them.

        For one output, with an intercept's one at the end of a row; the map must be linear.
        """
        return np.block([[products, sums[:, None]], [sums, total]]) if self.fit_intercept else products

    def for_written(self) -> Parameters:
        """What these parameters are for rows to which `transform` has been applied."""
        return AsTheyAre(self.n_features, self.n_outputs, self.fit_intercept, self.variance)

    @abstractmethod
    def of_features(self, features: NDArray[np.intp]) -> Parameters:
        """These parameters for some of the features: the same intercepts, as the weights of the others are zero."""

    @property
    def transform(self) -> Transform | None:
        """For dense rows, those whose products with x are the scores; None where these are the rows themselves."""
        return None

    @abstractmethod
    def penalty(self, penalty: Penalty) -> Penalty:
        """The penalty of coefficients as one of the (K, p) matrix in x."""

    def split(self, x: ArrayLike) -> tuple[Array, Array]:
        """The matrix (K, p) and the intercepts (K,) in a vector of this size; zeros where there are none."""
        x = np.asarray(x, dtype=np.float64)
        if x.shape != (self.size,):
            raise ValueError(f"theta must have shape ({self.size},); got {x.shape}.")
        matrix = x[: self.n_weights].reshape(self.n_outputs, -1)
        return matrix, x[self.n_weights :] if self.fit_intercept else np.zeros(self.n_outputs)

    def join(self, matrix: Array, intercept: Array) -> Array:
        """The vector of a matrix (K, p) and intercepts (K,)."""
        return np.concatenate([matrix.ravel(), intercept]) if self.fit_intercept else matrix.ravel()

    def by_class(self, x: Array) -> Array:
        """A vector as one row a class, with the intercept last."""
        matrix, intercept = self.split(x)
        return np.column_stack([matrix, intercept]) if self.fit_intercept else matrix

    def of_classes(self, by_class: Array) -> Array:
        """The vector of such rows."""
        if not self.fit_intercept:
            return by_class.ravel()
        return self.join(by_class[:, :-1], by_class[:, -1])


class AsTheyAre(Parameters):
    """x is the model.

    Parameters
    ----------
    variance : ndarray of shape (p,), optional
        Of the features; ones by default.
    """

    def __init__(self, n_features: int, n_outputs: int, fit_intercept: bool, variance: Array | None = None):
        super().__init__(n_features, n_outputs, fit_intercept)
        self.variance = np.ones(n_features) if variance is None else variance

    def on_rows(self, x):
        return self.split(x)

    def model(self, x):
        return self.split(x)

    def of_model(self, coef, intercept):
        return self.join(coef, intercept)

    def push_forward(self, x, v):
        return self.split(v)

    def pull_back(self, x, coef, intercept):
        return self.join(coef, intercept)

    def bend(self, x, v, coef, intercept):
        return 0.0

    def penalty(self, penalty):
        return penalty

    def of_features(self, features):
        return AsTheyAre(len(features), self.n_outputs, self.fit_intercept, self.variance[features])


class Scaled(Parameters):
    """Centred and scaled features.

    Parameters
    ----------
    center, inverse_scale : ndarray of shape (p,)
        Of the columns of the rows as they are stored. An inverse scale of zero keeps the weight of a column that says
        nothing at zero.
    variance : ndarray of shape (p,)
        What is left of the columns' variances.
    origin : ndarray of shape (p,) or None
        What the stored rows have lost already.
    """

    def __init__(
        self,
        n_outputs: int,
        fit_intercept: bool,
        *,
        center: Array,
        inverse_scale: Array,
        variance: Array,
        origin: Array | None = None,
    ):
        super().__init__(len(center), n_outputs, fit_intercept)
        self.center, self.inverse_scale, self.variance, self.origin = center, inverse_scale, variance, origin

    def on_rows(self, x):
        matrix, intercept = self.split(x)
        coef = matrix * self.inverse_scale
        return coef, intercept - coef @ self.center

    def model(self, x):
        coef, intercept = self.on_rows(x)
        return coef, intercept if self.origin is None else intercept - coef @ self.origin

    def of_model(self, coef, intercept):
        used = self.inverse_scale > 0
        matrix = np.divide(coef, self.inverse_scale, out=np.zeros_like(coef), where=used)
        offset = self.center if self.origin is None else self.center + self.origin
        return self.join(matrix, intercept + np.where(used, coef, 0.0) @ offset)

    def push_forward(self, x, v):
        return self.on_rows(v)

    def pull_back(self, x, coef, intercept):
        if not self.fit_intercept:
            return (coef * self.inverse_scale).ravel()
        return self.join((coef - intercept[:, None] * self.center) * self.inverse_scale, intercept)

    def bend(self, x, v, coef, intercept):
        return 0.0

    def gram(self, products, sums, total):
        center, scale = self.center, self.inverse_scale
        left = sums - total * center  # of the rows less their center
        products = products - np.outer(left, center)
        products -= np.outer(center, sums)
        products *= scale
        products *= scale[:, None]
        return super().gram(products, scale * left, total)

    @property
    def transform(self):
        return self._transformed

    def _transformed(self, rows: Array, out: Array | None = None) -> Array:
        transformed = np.subtract(rows, self.center, out=out)
        transformed *= self.inverse_scale
        return transformed

    def penalty(self, penalty):
        return penalty.scaled(self.inverse_scale)

    def of_features(self, features):
        return Scaled(
            self.n_outputs,
            self.fit_intercept,
            center=self.center[features],
            inverse_scale=self.inverse_scale[features],
            variance=self.variance[features],
            origin=None if self.origin is None else self.origin[features],
        )


class Directions(Parameters):
    """Only the directions of the rows of x count: coefficients have rows of length one, and there is no intercept.

    A row of zeros has no direction and stays what it is. Gradients have no part along the rows of x.
    """

    linear = False
    only_directions = True

    def __init__(self, n_features: int, n_outputs: int):
        super().__init__(n_features, n_outputs, fit_intercept=False)
        self.variance = np.zeros(n_features)
        self._last: tuple[Array, Array, Array] | None = None  # solvers ask for everything at one point

    def on_rows(self, x):
        return self.directions(x)[0], np.zeros(self.n_outputs)

    def model(self, x):
        return self.on_rows(x)

    def of_model(self, coef, intercept):
        return coef.ravel()

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

    def penalty(self, penalty):
        return penalty

    def of_features(self, features):
        return Directions(len(features), self.n_outputs)

    def for_written(self):
        return self

    def directions(self, x: Array) -> tuple[Array, Array]:
        """Rows of length one, and the lengths (K, 1); one for a row of zeros."""
        last = self._last
        if last is None or not np.array_equal(last[0], x):
            last = self._last = (np.array(x), *directions_of(self.split(x)[0]))
        return last[1], last[2]


class WithLengths(Parameters):
    """x is the weights, and beside every product of a row with them there is their length: 2 K scores, no intercept.

    The model on rows has K coefficients of zero with the lengths for intercepts.
    """

    linear = False

    def __init__(self, n_features: int, n_outputs: int):
        super().__init__(n_features, n_outputs, fit_intercept=False)
        self.variance, self.n_scores = np.zeros(n_features), 2 * n_outputs

    def on_rows(self, x):
        weights = self.split(x)[0]
        return self._with_none(weights), np.concatenate([np.zeros(self.n_outputs), directions_of(weights)[1][:, 0]])

    def model(self, x):
        return self.split(x)

    def of_model(self, coef, intercept):
        return coef.ravel()

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

    def penalty(self, penalty):
        return penalty

    def of_features(self, features):
        return WithLengths(len(features), self.n_outputs)

    def for_written(self):
        return self

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


def conditioned(
    rows: Rows, penalty: Penalty, fit_intercept: bool, statistics: tuple[Array, Array] | None = None
) -> tuple[Rows, Scaled]:
    """Parameters in which rows have unit spread, and these rows, less an origin where offsets are extreme.

    The `Rows.statistics` are read from the rows, unless they are known.
    """
    center, spread = statistics or rows.statistics()
    if not fit_intercept:
        spread = np.hypot(spread, center)
        center = np.zeros_like(center)
    far = (np.abs(center) > FAR_OFFSET * spread) & (spread > 0)
    if far.any():
        rows = rows.from_origin(np.where(far, center, 0.0))
        center = center if rows.origin is None else center - rows.origin
    scale = np.hypot(np.sqrt(TYPICAL_CURVATURE) * spread, np.sqrt(penalty.convexity(rows.n_features)))
    with np.errstate(divide="ignore", over="ignore"):
        inverse = np.where(spread > 0, 1.0 / scale, 0.0)
    inverse = np.minimum(inverse, np.finfo(float).max)
    return rows, Scaled(
        rows.n_outputs,
        fit_intercept,
        center=center,
        inverse_scale=inverse,
        variance=(spread * inverse) ** 2,
        origin=rows.origin,
    )
