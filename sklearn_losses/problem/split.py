"""A piecewise-linear objective as the augmented Lagrangian sees it: linear scores, and a proximal operator per row."""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from ..losses.piecewise import scalar_at_kink, scalar_prox
from .composition import Array
from .coordinates import Conditioned
from .objective import Objective

NO_PENALTY = 1e-24
FAR = 100.0  # units from the median at which a target counts as an outlier


class Split:
    """``sum_i s_i loss_i(z_i) + penalty``, split into ``z = forward(x)`` and losses that act on z row by row.

    In regression x, z and the losses are in units of their own, the spread of y and a typical loss, so that the
    solver never meets the scale of the targets; `to_model`, `from_model` and `loss_unit` lead out of them.

    Parameters
    ----------
    model : Conditioned
        The objective in conditioned coordinates. Its loss declares `pieces` for one score, or `prox` and
        `prox_curvature` for K.
    units : tuple of float, optional
        Those of x and of the loss.
    """

    kinks: Array
    slopes: Array

    def __init__(self, model: Conditioned, units: tuple[float, float] | None = None):
        self.model = model
        objective = model.objective
        self.loss = objective.loss
        self.weights = objective.weights
        self.n_rows, self.n_outputs = objective.rows.n_rows, objective.n_outputs
        self.n_intercepts = self.n_outputs * objective.fit_intercept
        self.y = objective.targets(slice(None))
        self.unit, self.loss_unit = units or (1.0, 1.0)
        if self.n_outputs == 1:
            kinks, slopes = self.loss.pieces(self.y)
            if units is None and objective.regression:
                self.unit, self.loss_unit = _units(kinks, slopes, self.weights)
            self.kinks, self.slopes = kinks / self.unit, slopes * (self.unit / self.loss_unit)
        penalty = model.penalty * (self.unit**2 / self.loss_unit)
        # beside rounding, a weaker penalty than this is none
        self.penalty = np.where(penalty < NO_PENALTY, 0.0, penalty)
        self._at_first_kink: Array | None = None
        self._active: tuple[NDArray, Conditioned] | None = None

    def to_model(self, x: Array) -> Array:
        """The solver's x in the coordinates of the model."""
        return self.unit * x

    def from_model(self, x: Array) -> Array:
        """The model's x in the solver's units."""
        return x / self.unit

    def with_near_kinks(self) -> Split | None:
        """The same with far kinks, those of outliers in y, moved nearer; None where there are none.

        A loss is the same up to a constant on the sides of its kinks, so that a solution on the same side of a moved
        kink as of the true one solves both problems, and the size of an outlier costs no digits.
        """
        if not self.model.objective.regression:
            return None
        center = weighted_median(self.kinks[:, 0], self.weights)
        near = np.clip(self.kinks, center - FAR, center + FAR)
        if (near == self.kinks).all():
            return None
        moved = copy(self)
        moved._at_first_kink = self.value(self.kinks[:, 0])
        moved.kinks = near
        return moved

    def agrees_with(self, moved: Split, x: Array) -> bool:
        """Whether x is on the same pieces of all losses here and with the kinks moved."""
        z = self.forward(x)[:, None]
        changed = moved.kinks != self.kinks
        return bool((((z > self.kinks) == (z > moved.kinks)) & (z != moved.kinks) | ~changed).all())

    def forward(self, x: Array) -> Array:
        return self.model.scores(x)

    def adjoint(self, dual: Array) -> Array:
        return self.model.adjoint(dual)

    def value(self, scores: Array) -> Array:
        if self._at_first_kink is None:
            return self.loss.value(self.y, self.unit * scores) / self.loss_unit
        value = self._at_first_kink + self.slopes[:, 0] * (scores - self.kinks[:, 0])
        for j in range(self.kinks.shape[1]):
            rise = self.slopes[:, j + 1] - self.slopes[:, j]
            value += rise * np.maximum(scores - self.kinks[:, j], 0.0)
        return value

    def prox(self, scores: Array, step: float | Array) -> Array:
        if self.n_outputs == 1:
            return scalar_prox(scores, step, self.kinks, self.slopes)
        return self.loss.prox(self.y, scores, step)

    def curvature(self, scores: Array, step: float | Array) -> tuple[NDArray[np.intp], Array]:
        if self.n_outputs == 1:
            rows = np.flatnonzero(scalar_at_kink(scores, step, self.kinks, self.slopes))
            return rows, np.ones(len(rows))
        return self.loss.prox_curvature(self.y, scores, step)

    def take(self, rows: NDArray[np.intp]) -> Split:
        """The terms of some rows, with their weights as they are and the whole penalty."""
        part = Split(self.model.only(rows), (self.unit, self.loss_unit))
        if self._at_first_kink is not None:
            part._at_first_kink, part.kinks = self._at_first_kink[rows], self.kinks[rows]
        return part

    def gram(self, rows: NDArray[np.intp], blocks: Array) -> Array:
        return self._only(rows).gram(blocks)

    def product(self, rows: NDArray[np.intp], blocks: Array, v: Array) -> Array:
        active = self._only(rows)
        moved = active.scores(v)
        turned = blocks * moved if blocks.ndim == 1 else np.einsum("nij,nj->ni", blocks, moved)
        return active.adjoint(turned)

    def _only(self, rows: NDArray[np.intp]) -> Conditioned:
        # conjugate gradients ask for many products with the same rows
        if self._active is None or self._active[0] is not rows:
            self._active = (rows, self.model.only(rows))
        return self._active[1]


def _units(kinks: Array, slopes: Array, weights: Array) -> tuple[float, float]:
    """The spread of the kinks, and the loss over such a distance."""
    center = weighted_median(kinks[:, 0], weights)
    distances = np.abs(kinks[:, 0] - center)
    unit = weighted_median(distances, weights) or float(distances.max()) or abs(center) or 1.0
    return unit, unit * float(weights @ np.abs(slopes).max(axis=1))


def weighted_median(values: Array, weights: Array) -> float:
    """The smallest value with half of the weight at or below it."""
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(cumulative, 0.5 * cumulative[-1])]])


def has_exact_form(loss, n_outputs: int) -> bool:
    """Whether a loss declares what the exact solver needs."""
    return loss.pieces is not None if n_outputs == 1 else loss.prox is not None and loss.prox_curvature is not None


def hard_labels(objective: Objective) -> Objective:
    """The same objective with soft rows written as weighted rows of one class each.

    Losses on scores are linear in their targets, so nothing changes but the form.
    """
    y = objective.y
    if objective.regression or y.dtype.kind in "iu" or np.isin(y, (0.0, 1.0)).all():
        return objective
    shares = y if y.ndim == 2 else np.stack([1.0 - y, y], axis=1)
    rows, classes = np.nonzero(shares)
    expanded = objective.only(rows)
    expanded.y = classes if y.ndim == 2 else classes.astype(np.float64)
    expanded.weights = objective.weights[rows] * shares[rows, classes]
    return expanded
