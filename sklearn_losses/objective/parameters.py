"""What solvers move in: maps from one flat vector x to the coefficients and intercepts of a model, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.rows import Transform
from .penalties import Penalty

Array = NDArray[np.floating]


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

    def columns(self, stored: Any) -> tuple[Any, Array]:
        """The stored CSC columns as the scores see them, but for what is subtracted from every row; and that."""
        return stored, np.zeros(self.n_features)

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
