"""Many rows, few that matter: solve for the rows whose loss can bend, and keep the others as lines.

At the solution only a few rows sit on a kink of their loss. Where the loss of a row is linear as far as its
score may still move, the row contributes a linear function of the parameters, and all such rows together
one vector: a single pass over the data. What is left is a problem in a small share of the rows (Portnoy and
Koenker, 1997, for quantile regression). It lies below the whole one, since a convex loss lies above its
tangents; a row that left its tangent after all shows up in the duality gap over all rows, and joins the
working rows of the next round.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .envelopes import DualPoint, Subproblem, row_products
from .problem import Array, Indices, KinkedProblem


@dataclass
class WorkingRows:
    """The problem in the working rows alone, and the tangents that stand for the other rows of ``whole``."""

    whole: Subproblem
    problem: Subproblem
    rows: Indices
    slopes: Array  # of all rows' tangents; zero for the working rows

    @classmethod
    def within(cls, whole: Subproblem, x: Array, z: Array, reach: Array) -> WorkingRows:
        """Work on the rows of ``whole`` whose loss bends within ``reach`` (n,) of their scores."""
        terms = whole.terms
        working = bends(terms, z, reach)
        rows = np.flatnonzero(working)
        slopes = terms.slope(z)
        slopes[rows] = 0.0
        heights = np.where(working, 0.0, terms.value(z) - row_products(slopes, z))
        linear = whole.linear + terms.adjoint(slopes)
        constant = whole.constant + float(terms.weights @ heights)
        return cls(whole, Subproblem(terms.take(rows), whole.penalty, linear, constant), rows, slopes)

    def extend(self, point: DualPoint) -> DualPoint:
        """The point of the whole problem that a point of the working rows' problem means."""
        terms = self.whole.terms
        z = terms.forward(point.x)
        dual = self.slopes.copy()
        dual[self.rows] = point.dual
        losses, excess = terms.value_and_excess(z, dual)
        mismatch = float(terms.weights @ np.maximum(excess, 0.0))
        gap = point.gap - point.mismatch + mismatch
        return replace(point, z=z, dual=dual, value=self.whole.value(point.x, losses), mismatch=mismatch, gap=gap)


def bends(terms: KinkedProblem, z: Array, reach: Array) -> NDArray[np.bool_]:
    """Mask of the rows whose loss is not linear where any one score moves by up to ``reach`` (n,).

    By convexity it is linear on the hull of these moves where it has the same slope at all their ends.
    """
    mask = np.zeros(len(z), dtype=bool)
    first: Array | None = None
    for k in range(terms.n_outputs):
        move = reach if z.ndim == 1 else reach[:, None] * (np.arange(z.shape[1]) == k)
        for end in (z + move, z - move):
            slope = terms.slope(end)
            if first is None:
                first = slope
            differs = slope != first
            mask |= differs if differs.ndim == 1 else differs.any(axis=1)
    return mask
