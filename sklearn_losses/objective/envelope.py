"""Piecewise-linear losses made smooth around the duals that are known so far."""

from __future__ import annotations

import numpy as np

from ..activations.curvature import Blocks, Curvature, Diagonal
from ..losses import Loss
from ..losses.multiclass_hinge import JointHinge
from ..losses.on_scores import Array, LossOnScores
from ..losses.pieces import Pieces
from .objective import Objective


class Envelope(LossOnScores):
    r"""The augmented Lagrangian of losses in their scores, :math:`\min_u \ell(u) + y (z - u) + (z - u)^2 / (2 t)`.

    With the dual solution for y it has the same minimiser as the losses themselves, whatever the step t. Its slopes are
    duals: subgradients of the losses somewhere.

    Parameters
    ----------
    losses : Pieces or JointHinge
        Of all rows. Targets are the rows' numbers.
    dual : ndarray of shape (n,) or (n, K)
        The y.
    step : float
        The t.
    reach : float
        Over slopes that are not small, how far away the losses may bend.

    References
    ----------
    R. T. Rockafellar, Augmented Lagrangians and applications of the proximal point algorithm in convex programming,
    *Mathematics of Operations Research* 1, 1976.
    """

    convex = True
    smooth = True
    has_curvature = True
    pieces = None
    envelope = None

    def __init__(self, losses: Pieces | JointHinge, dual: Array, step: float, reach: float = 1.0):
        self.losses, self.dual, self.step = losses, dual, step
        self.typical_curvature = 1.0 / reach

    @classmethod
    def suits(cls, loss, link):
        return False  # it is no form of a loss: it knows rows

    def at(self, y: Array, scores: Array) -> tuple[Pieces | JointHinge, Array, Array, Array]:
        """The losses of some rows, their known duals, the scores moved by these, and the slopes there."""
        if len(y) == len(self.dual):
            losses, dual = self.losses, self.dual
        else:
            rows = y.astype(np.intp)
            losses, dual = self.losses.take(rows), self.dual[rows]
        moved = scores + self.step * dual
        return losses, dual, moved, losses.dual(moved, self.step)

    def value_and_gradient(self, y, scores):
        losses, dual, moved, slopes = self.at(y, scores)
        value = losses.value(moved - self.step * slopes)
        square = 0.5 * self.step * (slopes - dual) * (slopes + dual)
        return value + (square if square.ndim == 1 else square.sum(axis=1)), slopes

    def curvature(self, y, scores) -> Curvature:
        losses, _, _, slopes = self.at(y, scores)
        if isinstance(losses, Pieces):
            bends = np.zeros(len(y))
            bends[losses.bending(slopes)] = 1.0 / self.step
            return Diagonal(bends)
        rows, support = losses.bending(slopes)
        inside = support.astype(float)
        matrices = np.zeros((len(y), *support.shape[1:], support.shape[1]))
        matrices[rows] = inside[:, :, None] * np.eye(support.shape[1])
        matrices[rows] -= inside[:, :, None] * inside[:, None, :] / inside.sum(axis=1)[:, None, None]
        return Blocks(matrices / self.step)


def losses_of(objective: Objective) -> Pieces | JointHinge:
    """The pieces of every row's loss; soft labels must have become hard ones before."""
    y = objective.targets()
    if objective.n_outputs == 1:
        return Pieces.of(objective.loss, y)
    codes = objective.rows.targets_of(slice(None))
    return objective.loss.joint_pieces(codes if codes.ndim == 1 else codes.argmax(axis=1))


def enveloped(objective: Objective, envelope: Envelope) -> Objective:
    """The objective with an envelope in place of its losses, which has no bound that anybody knows."""
    rows = objective.rows
    numbers = rows.with_targets(np.arange(rows.n_rows, dtype=np.float64), rows.weights_of(slice(None)))
    return objective.replaced(rows=numbers, loss=Loss(), composition=envelope, parameters=objective.parameters)
