"""A guess of the Hessian of a working set whose loss has no curvature to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..losses.on_scores import Array
from .scaled import TYPICAL_CURVATURE

if TYPE_CHECKING:
    from .part import FeaturePart


class Secants:
    """A positive definite guess of the Hessian, which learns from how gradients change (damped BFGS).

    M. J. D. Powell, Algorithms for nonlinear constraints that use Lagrangian functions, *Mathematical Programming* 14,
    1978.
    """

    def __init__(self, part: FeaturePart):
        self.part = part
        objective = part.objective
        n_rows, n_outputs = objective.rows.n_rows, objective.n_outputs
        bends = np.full(n_rows, TYPICAL_CURVATURE)
        if n_outputs > 1:
            bends = bends[:, None, None] * np.eye(n_outputs)
        self.data = part._gram(bends)
        self.data.flat[:: len(self.data) + 1] += 1e-6 * float(self.data.diagonal().mean())
        self.fresh = True
        self.last: tuple[Array, Array] | None = None

    def at(self, x: Array) -> Array:
        """The guess at a point."""
        objective = self.part.objective
        coef, _ = objective.parameters.on_rows(x)
        pulled = objective.value_and_gradient(x)[1]
        of_penalty = objective.parameters.pull_back(x, objective.penalty.gradient(coef), np.zeros(objective.n_outputs))
        slope = pulled - of_penalty
        if self.last is not None:
            self._learn(x - self.last[0], slope - self.last[1])
        self.last = x.copy(), slope
        return self.part._with_penalty(self.data)

    def _learn(self, step: Array, change: Array) -> None:
        image = self.data @ step
        bend, expected = float(step @ change), float(step @ image)
        if not expected > 0.0:
            return
        if self.fresh and bend > 0.0:
            self.data *= bend / expected
            image, expected, self.fresh = image * (bend / expected), bend, False
        if bend < 0.2 * expected:
            share = 0.8 * expected / (expected - bend)
            change = share * change + (1.0 - share) * image
            bend = float(step @ change)
        self.data += np.outer(change, change) / bend - np.outer(image, image) / expected
