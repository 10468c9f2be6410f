"""Many rows, few that matter: solve for the rows whose loss can bend, and keep the others as lines.

At the solution only a few rows sit on a kink of their loss. Where the loss of a row is linear as far as its
score may still move, the row contributes a linear function of the parameters, and all such rows together
one vector: a single pass over the data. What is left is a problem in a small share of the rows (Portnoy and
Koenker, 1997, for quantile regression). It lies below the whole one, since a convex loss lies above its
tangents; a row that left its tangent after all shows up in the duality gap over all rows, and joins the
working rows of the next round.
"""

from dataclasses import dataclass, replace

import numpy as np

from .envelopes import Problem, row_products


@dataclass
class WorkingRows:
    """The problem in the working rows alone, and the tangents that stand for the other rows of ``whole``."""

    whole: Problem
    problem: Problem
    rows: np.ndarray
    slopes: np.ndarray  # of all rows' tangents; zero for the working rows
    heights: np.ndarray  # of the tangents at score zero

    @classmethod
    def within(cls, whole, x, z, reach):
        """Work on the rows of ``whole`` whose loss bends within ``reach`` (n,) of their scores."""
        split = whole.split
        working = bends(split, z, reach)
        rows = np.flatnonzero(working)
        slopes = tangent_slopes(split, z, reach)
        slopes[rows] = 0.0
        heights = np.where(working, 0.0, split.value(z) - row_products(slopes, z))
        linear = whole.linear + split.adjoint(slopes)
        constant = whole.constant + split.weights @ heights
        return cls(whole, Problem(split.take(rows), whole.penalty, linear, constant), rows, slopes, heights)

    def extend(self, point):
        """The point of the whole problem that a point of the working rows' problem means."""
        split = self.whole.split
        z = split.forward(point.x)
        losses = split.value(z)
        excess = losses - self.heights - row_products(self.slopes, z)
        excess[self.rows] = 0.0
        excess = split.weights @ np.maximum(excess, 0.0)
        dual = self.slopes.copy()
        dual[self.rows] = point.dual
        value = self.whole.value(point.x, losses)
        return replace(point, z=z, dual=dual, value=value, mismatch=point.mismatch + excess, gap=point.gap + excess)


def bends(split, z, reach):
    """Mask of the rows whose loss is not linear where any one score moves by up to ``reach`` (n,).

    By convexity it is then linear on the hull of these moves. (Second differences of the losses are zero up
    to rounding.)
    """
    value = split.value(z)
    mask = np.zeros(value.shape, dtype=bool)
    for k in range(split.n_outputs):
        move = reach if z.ndim == 1 else reach[:, None] * (np.arange(z.shape[1]) == k)
        above, below = split.value(z + move), split.value(z - move)
        mask |= above + below - 2.0 * value > 1e-12 * (np.abs(above) + np.abs(below) + reach)
    return mask


def tangent_slopes(split, z, reach):
    """Gradients of the losses at z, exact where the loss is linear within ``reach`` (n,)."""
    # A proximal step much shorter than the reach finds the slope but for cancellation, which a long one
    # from the point that this slope leads to repairs.
    short = 0.01 * reach
    columns = short if z.ndim == 1 else short[:, None]
    slopes = (z - split.prox(z, short)) / columns
    v = z + slopes
    return v - split.prox(v, 1.0)
