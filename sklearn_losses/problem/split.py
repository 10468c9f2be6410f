"""A piecewise-linear objective as the augmented Lagrangian sees it: linear scores, and a proximal operator per row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..losses.piecewise import scalar_at_kink, scalar_prox
from .composition import Array
from .coordinates import Conditioned
from .objective import Objective


class Split:
    """``sum_i s_i loss_i(z_i) + penalty``, split into ``z = forward(x)`` and losses that act on z row by row.

    Parameters
    ----------
    model : Conditioned
        The objective in conditioned coordinates. Its loss declares `pieces` for one score, or `prox` and
        `prox_curvature` for K.
    """

    def __init__(self, model: Conditioned):
        self.model = model
        objective = model.objective
        self.loss = objective.loss
        self.weights = objective.weights
        self.n_rows, self.n_outputs = objective.rows.n_rows, objective.n_outputs
        self.n_intercepts = self.n_outputs * objective.fit_intercept
        self.penalty = model.penalty
        self.y = objective.targets(slice(None))
        self.kinks, self.slopes = self.loss.pieces(self.y) if self.n_outputs == 1 else (None, None)
        self._active: tuple[NDArray, Conditioned] | None = None

    def forward(self, x: Array) -> Array:
        return self.model.scores(x)

    def adjoint(self, dual: Array) -> Array:
        return self.model.adjoint(dual)

    def value(self, scores: Array) -> Array:
        return self.loss.value(self.y, scores)

    def prox(self, scores: Array, step: float | Array) -> Array:
        if self.n_outputs == 1:
            return scalar_prox(scores, step, self.kinks, self.slopes)
        return self.loss.prox(self.y, scores, step)

    def curvature(self, scores: Array, step: float | Array) -> tuple[NDArray[np.intp], Array]:
        if self.n_outputs == 1:
            rows = np.flatnonzero(scalar_at_kink(scores, step, self.kinks, self.slopes))
            return rows, np.ones(len(rows))
        return self.loss.prox_curvature(self.y, scores, step)

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


def has_exact_form(loss, n_outputs: int) -> bool:
    """Whether a loss declares what the exact solver needs."""
    return loss.pieces is not None if n_outputs == 1 else loss.prox is not None and loss.prox_curvature is not None


def hard_labels(objective: Objective) -> Objective:
    """The same objective with soft rows of K classes written as weighted rows of one class each.

    Losses on scores are linear in their targets, so nothing changes but the form.
    """
    y = objective.y
    if y.ndim == 1:
        return objective
    rows, classes = np.nonzero(y)
    expanded = objective.only(rows)
    expanded.y, expanded.weights = classes, objective.weights[rows] * y[rows, classes]
    return expanded
