"""A piecewise-linear objective as the augmented Lagrangian sees it: linear scores, and a proximal operator per row."""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from ..losses.on_scores import Array
from ..losses.pieces import Pieces
from .objective import Objective

NO_PENALTY = 1e-24
FAR = 100.0  # units from the median at which a target counts as an outlier
CLEAR = 1e-6  # units


class Split:
    """``sum_i s_i loss_i(z_i) + penalty``, split into ``z = forward(x)`` and losses that act on z row by row.

    In regression x, z and the losses are in units of their own, the spread of y and a typical loss, so that the
    solver never meets the scale of the targets; `to_model`, `from_model` and `loss_unit` lead out of them.

    Parameters
    ----------
    model : Objective
        The objective in conditioned parameters. Its loss declares `pieces` for one score, or `prox` and
        `prox_curvature` for K.
    """

    def __init__(self, model: Objective):
        self.model = model
        rows = model.rows
        self.loss = model.loss
        self.weights = rows.weights_of(slice(None))
        self.n_rows, self.n_outputs = rows.n_rows, model.n_outputs
        self.n_intercepts = self.n_outputs * model.fit_intercept
        self.y = model.targets()
        self.unit, self.loss_unit = 1.0, 1.0
        self.pieces: Pieces | None = None
        if self.n_outputs == 1:
            self.pieces = Pieces.of(self.loss, self.y)
            if model.regression:
                self.unit, self.loss_unit = _units(self.pieces, self.weights)
                self.pieces = self.pieces.in_units(self.unit, self.loss_unit)
        penalty = model.strengths * (self.unit**2 / self.loss_unit)
        # beside rounding, a weaker penalty than this is none
        self.penalty = np.where(penalty < NO_PENALTY, 0.0, penalty)
        self._active: tuple[NDArray, Objective] | None = None

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
        if self.pieces is None or not self.model.regression:
            return None
        kinks = self.pieces.kinks
        center = weighted_median(kinks[:, 0], self.weights)
        near = np.clip(kinks, center - FAR, center + FAR)
        if (near == kinks).all():
            return None
        moved = copy(self)
        moved.pieces = self.pieces.with_kinks(near)
        return moved

    def agrees_with(self, moved: Split, x: Array) -> bool:
        """Whether x is on the same pieces of all losses here and with the kinks moved."""
        assert self.pieces is not None and moved.pieces is not None
        z, far, near = self.forward(x)[:, None], self.pieces.kinks, moved.pieces.kinks
        clear = np.abs(z - near) > CLEAR  # of the moved kink, on which rounding would decide about the side
        return bool((((z > far) == (z > near)) & clear | (near == far)).all())

    @property
    def work(self) -> int:
        """Multiplications of `forward`."""
        return self.n_outputs * self.model.rows.n_entries

    def forward(self, x: Array) -> Array:
        return self.model.scores(x).gathered()

    def adjoint(self, dual: Array) -> Array:
        return self.model.adjoint(self.model.rows.spread(dual))

    def value(self, scores: Array) -> Array:
        return self.loss.value(self.y, scores) if self.pieces is None else self.pieces.value(scores)

    def prox(self, scores: Array, step: float | Array) -> Array:
        return self.loss.prox(self.y, scores, step) if self.pieces is None else self.pieces.prox(scores, step)

    def curvature(self, scores: Array, step: float | Array) -> tuple[NDArray[np.intp], Array]:
        if self.pieces is None:
            return self.loss.prox_curvature(self.y, scores, step)
        rows = self.pieces.at_kink(scores, step)
        return rows, np.ones(len(rows))

    def take(self, rows: NDArray[np.intp]) -> Split:
        """The terms of some rows, with their weights as they are and the whole penalty."""
        part = copy(self)
        part.model = self.model.only(rows)
        part.weights, part.y, part.n_rows = self.weights[rows], self.y[rows], len(rows)
        part.pieces = None if self.pieces is None else self.pieces.take(rows)
        part._active = None
        return part

    def features(self, rows: NDArray[np.intp]) -> Array:
        """Some rows of the data, without a one for the intercept."""
        return self.model.written(rows).rows.take(slice(None))

    def gram(self, rows: NDArray[np.intp], blocks: Array, dtype: type) -> Array:
        return self.model.gram(rows, blocks, dtype)

    def product(self, rows: NDArray[np.intp], blocks: Array, v: Array) -> Array:
        active = self._only(rows)
        moved = active.scores(v).gathered()
        turned = blocks * moved if blocks.ndim == 1 else np.einsum("nij,nj->ni", blocks, moved)
        return active.adjoint(active.rows.spread(turned))

    def _only(self, rows: NDArray[np.intp]) -> Objective:
        # conjugate gradients ask for many products with the same rows
        if self._active is None or self._active[0] is not rows:
            self._active = (rows, self.model.only(rows))
        return self._active[1]


def _units(pieces: Pieces, weights: Array) -> tuple[float, float]:
    """The spread of the kinks, and the loss over such a distance."""
    first = pieces.kinks[:, 0]
    center = weighted_median(first, weights)
    distances = np.abs(first - center)
    unit = weighted_median(distances, weights) or float(distances.max()) or abs(center) or 1.0
    return unit, unit * float(weights @ np.abs(pieces.slopes).max(axis=1))


def weighted_median(values: Array, weights: Array) -> float:
    """The smallest value with half of the weight at or below it."""
    if (weights == weights[0]).all():
        half = (len(values) - 1) // 2
        return float(np.partition(values, half)[half])
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
    rows = objective.rows
    y = rows.targets_of(slice(None))
    if objective.regression or y.dtype.kind in "iu" or np.isin(y, (0.0, 1.0)).all():
        return objective
    shares = y if y.ndim == 2 else np.stack([1.0 - y, y], axis=1)
    indices, classes = np.nonzero(shares)
    codes = classes if y.ndim == 2 else classes.astype(np.float64)
    weights = rows.weights_of(indices) * shares[indices, classes]
    return objective.replaced(rows=rows.only(indices).with_targets(codes, weights))
