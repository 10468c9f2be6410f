"""A change of variables that makes every feature's scale and offset nobody's problem.

Solvers move in x = (V, c), where every column is centred and has about unit spread; the model is

    W = V / scale,    b = c - W center.

The penalty stays that of W: in x its strength is ``penalty / scale**2`` for every feature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.rows import Rows, stratified
from ..losses.on_scores import Array
from .objective import Objective

# the curvature of a typical loss in its score; it only balances data against penalty in the scale of a column
TYPICAL_CURVATURE = 0.25

# offsets beyond this many spreads are subtracted from the rows themselves, because sums would lose their digits
FAR_OFFSET = 1e4

SAMPLED_ROWS = 1_024
FEW_ROWS = 32  # samples' worth of rows up to which all of them are read


@dataclass(frozen=True)
class Coordinates:
    """Column centers, inverse scales and what is left of the variances, (p,) each.

    An inverse scale of zero keeps the weight of a column that says nothing at zero.
    """

    center: Array
    inverse_scale: Array
    variance: Array
    n_outputs: int
    fit_intercept: bool

    def to_theta(self, x: Array) -> Array:
        """Parameters of the model; linear, so directions are translated too."""
        n_weights = self.n_outputs * len(self.center)
        coef = x[:n_weights].reshape(self.n_outputs, -1) * self.inverse_scale
        if not self.fit_intercept:
            return coef.ravel()
        return np.concatenate([coef.ravel(), x[n_weights:] - coef @ self.center])

    def from_theta(self, theta: Array) -> Array:
        """Where a model's parameters are in these coordinates."""
        n_weights = self.n_outputs * len(self.center)
        coef = theta[:n_weights].reshape(self.n_outputs, -1)
        used = self.inverse_scale > 0
        scaled = np.divide(coef, self.inverse_scale, out=np.zeros_like(coef), where=used)
        if not self.fit_intercept:
            return scaled.ravel()
        return np.concatenate([scaled.ravel(), theta[n_weights:] + np.where(used, coef, 0.0) @ self.center])

    def gradient(self, theta_gradient: Array) -> Array:
        """A gradient in theta as a gradient in x: the transpose of `to_theta`."""
        n_weights = self.n_outputs * len(self.center)
        coef = theta_gradient[:n_weights].reshape(self.n_outputs, -1)
        if not self.fit_intercept:
            return (coef * self.inverse_scale).ravel()
        intercept = theta_gradient[n_weights:]
        centred = coef - intercept[:, None] * self.center
        return np.concatenate([(centred * self.inverse_scale).ravel(), intercept])

    def transform(self, rows: Array, out: Array | None = None) -> Array:
        """Dense rows in these coordinates, in ``out`` or a new array."""
        transformed = np.subtract(rows, self.center, out=out)
        transformed *= self.inverse_scale
        return transformed

    def penalty(self, strengths: Array) -> Array:
        """Strengths of the penalty on W as strengths on V."""
        return (np.sqrt(strengths) * self.inverse_scale) ** 2


@dataclass(frozen=True)
class Unchanged:
    """The coordinates of rows that are written out in them already."""

    variance: Array

    def to_theta(self, x: Array) -> Array:
        return x

    def from_theta(self, theta: Array) -> Array:
        return theta

    def gradient(self, theta_gradient: Array) -> Array:
        return theta_gradient

    def transform(self, rows: Array, out: Array | None = None) -> Array:
        if out is None:
            return rows
        np.copyto(out, rows)
        return out

    def penalty(self, strengths: Array) -> Array:
        return strengths


class Conditioned:
    """An objective in conditioned coordinates, over the same rows and without a copy of them."""

    # whether the scores of a point are kept for what else is asked about it, which saves half a pass each time
    keeps_scores = False

    def __init__(self, objective: Objective, coordinates: Coordinates | Unchanged):
        self.objective, self.coordinates = objective, coordinates
        self._scored: tuple[Array, Array] | None = None
        self._curved: tuple[Array, Callable[[Array], Array]] | None = None
        penalty = coordinates.penalty(np.broadcast_to(objective.penalty, objective.rows.n_features))
        # one strength a parameter, in the order of x; zero for intercepts
        n_intercepts = objective.n_parameters - objective.n_weights
        self.penalty = np.concatenate([np.tile(penalty, objective.n_outputs), np.zeros(n_intercepts)])

    def to_theta(self, x: Array) -> Array:
        """Parameters for the rows as they came, whatever was subtracted from them."""
        return self.objective.with_shift(self.coordinates.to_theta(x), -1.0)

    def from_theta(self, theta: Array) -> Array:
        """Where parameters for the rows as they came are in these coordinates."""
        return self.coordinates.from_theta(self.objective.with_shift(theta, 1.0))

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        if self.keeps_scores:
            return self.from_dual(x, *self.objective.of_scores(self.scores(x)))
        value, gradient = self.objective.value_and_gradient(self.coordinates.to_theta(x))
        return value, self.coordinates.gradient(gradient)

    def from_dual(self, x: Array, mean: float, dual: Array) -> tuple[float, Array]:
        """F and its gradient at x, from the mean loss there and every row's derivative in its scores."""
        value, slope, _ = self.objective.loss.total(mean)
        value += 0.5 * float(np.sum((np.sqrt(self.penalty) * x) ** 2))
        return value, slope * self.adjoint(dual) + self.penalty * x

    def hessian_product(self, x: Array, v: Array) -> Array:
        # solvers ask for many products at one point
        if self._curved is None or self._curved[0] is not x:
            self._curved = (x, self.objective.hessian_at(self.coordinates.to_theta(x), self.scores(x)))
        return self.coordinates.gradient(self._curved[1](self.coordinates.to_theta(v)))

    def scores(self, x: Array) -> Array:
        if self._scored is not None and self._scored[0] is x:
            return self._scored[1]
        scores = self.objective.scores(self.coordinates.to_theta(x))
        if self.keeps_scores:
            self._scored = (x, scores)
        return scores

    def adjoint(self, dual: Array) -> Array:
        return self.coordinates.gradient(self.objective.adjoint(dual))

    def hessian(self, x: Array, *, convex: bool = True, dtype: type = np.float64) -> Array:
        theta, transform = self.coordinates.to_theta(x), self.coordinates.transform
        hessian = self.objective.data_hessian(theta, convex=convex, transform=transform, dtype=dtype)
        hessian.flat[:: len(hessian) + 1] += self.penalty
        return hessian

    def gram(self, rows: NDArray[np.intp], blocks: Array, dtype: type) -> Array:
        return self.written(rows).objective.gram(blocks, dtype)

    def only(self, indices: NDArray[np.intp]) -> Conditioned:
        return Conditioned(self.objective.only(indices), self.coordinates)

    def written(self, indices=slice(None), weights: Array | None = None) -> Conditioned:
        """The model over some rows (all by default), copied and written out in these coordinates."""
        if isinstance(self.coordinates, Unchanged) and weights is None:
            return self if isinstance(indices, slice) else self.only(indices)
        objective = self.objective
        transform = self.coordinates.transform
        if isinstance(indices, slice):
            rows = transform(objective.rows.take(indices))
        else:
            rows = objective.rows.transformed(indices, transform)
        part = objective.over(
            Rows(rows, objective.n_outputs, None, objective.rows.workers),
            y=objective.y[indices],
            weights=objective.weights[indices] if weights is None else weights,
        )
        part.penalty = self.penalty[: rows.shape[1]]
        return Conditioned(part, Unchanged(self.coordinates.variance))


def condition(objective: Objective, statistics: tuple[Array, Array] | None = None) -> tuple[Objective, Coordinates]:
    """Coordinates for an objective; and the objective over shifted rows where offsets are extreme.

    The `column_statistics` are read from the rows, unless they are known.
    """
    rows = objective.rows
    center, spread = statistics or column_statistics(objective)
    if not objective.fit_intercept:
        spread = np.hypot(spread, center)
        center = np.zeros_like(center)
    elif not rows.is_sparse and (np.abs(center) > FAR_OFFSET * spread).any():
        shifted = Rows(rows.X, objective.n_outputs, center, rows.workers)
        objective = objective.over(shifted)
        center = np.zeros_like(center)
    scale = np.hypot(np.sqrt(TYPICAL_CURVATURE) * spread, np.sqrt(objective.penalty))
    with np.errstate(divide="ignore", over="ignore"):
        inverse = np.where(spread > 0, 1.0 / scale, 0.0)
    inverse = np.minimum(inverse, np.finfo(float).max)
    variance = (spread * inverse) ** 2
    return objective, Coordinates(center, inverse, variance, objective.n_outputs, objective.fit_intercept)


def column_statistics(objective: Objective) -> tuple[Array, Array]:
    """Center and spread of every column; exactly zero spread for constant columns.

    They only steer solvers, so that for tall data a sample of rows will do, unless a column is so rare or so
    heavy-tailed that two halves of the sample disagree about it.
    """
    rows, weights = objective.rows, objective.weights
    if not rows.is_sparse and rows.n_rows > FEW_ROWS * SAMPLED_ROWS:
        halves = []
        for start in (0.25, 0.75):
            # stratified by weight, so that it does not matter whether the rows are sorted
            part = Rows(rows.take(stratified(weights, SAMPLED_ROWS, start)))
            halves.append(_statistics(part, np.full(SAMPLED_ROWS, 1 / SAMPLED_ROWS)))
            objective.meter.count(part)
        (center, spread), (_, other) = halves
        if (spread < 2 * other).all() and (other < 2 * spread).all():
            return center, spread
    objective.meter.count(rows)
    return _statistics(rows, weights)


def _statistics(rows: Rows, weights: Array) -> tuple[Array, Array]:
    """Weighted mean and standard deviation of every column, whatever its size."""
    if rows.is_sparse:
        return _sparse_statistics(rows, weights)
    first = rows.take(slice(0, 1))[0]
    with np.errstate(over="ignore", invalid="ignore"):
        offset, square = _moments(rows, weights, first, np.ones_like(first))
        variance = square - offset**2
        # sums of squares that overflowed or underflowed, and columns that look constant, get a closer look
        doubtful = ~np.isfinite(square) | (square < np.finfo(float).tiny / np.finfo(float).eps)
    unit = np.ones_like(first)
    if doubtful.any():
        size = _largest(rows)
        unit = np.where(doubtful & (size > 0), np.maximum(size, np.finfo(float).tiny), 1.0)
        offset, square = _moments(rows, weights, first, unit)
        variance = square - offset**2
    # a first row far from the mean costs digits of the variance; never call a varying column constant for that
    spread = np.sqrt(np.maximum(variance, np.finfo(float).eps ** 2 * square))
    return first + offset * unit, spread * unit


def _moments(rows: Rows, weights: Array, first: Array, unit: Array) -> tuple[Array, Array]:
    """Weighted mean and mean square of ``x / unit - first / unit``."""
    plain = (unit == 1.0).all()

    def of_rows(where):
        block = rows.block(where)
        shifted = block - first if plain else block / unit - first / unit
        return np.dot(weights[where], shifted), np.einsum("i,ij,ij->j", weights[where], shifted, shifted)

    return rows.sum(of_rows)


def _largest(rows: Rows) -> Array:
    largest = np.zeros(rows.n_features)
    for group in rows.groups:
        for where in group:
            np.maximum(largest, np.abs(rows.block(where)).max(axis=0), out=largest)
    return largest


def _sparse_statistics(rows: Rows, weights: Array) -> tuple[Array, Array]:
    def of_rows(where):
        block = rows.block(where)
        squares = type(block)((block.data**2, block.indices, block.indptr), shape=block.shape)
        return block.T @ weights[where], squares.T @ weights[where]

    mean, square = rows.sum(of_rows)
    variance = square - mean**2
    # a full column may be constant up to rounding
    return mean, np.sqrt(np.where(variance > 1e-14 * square, variance, 0.0))
