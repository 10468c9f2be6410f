r"""Whether F, without a penalty, has no minimiser because it falls for ever along some direction.

A direction d of the parameters is a proof of that, a *recession direction* [1]_, if no row's loss grows along it and
some row's falls for ever. A row that is fitted best by infinite scores, for example one with a hard label under
cross-entropy, allows the directions in which its margins do not shrink. Any other row, and a pair of classes that
share a soft label, is *pinned*: its scores have to stay. So d solves a system of linear inequalities. For classes
that is complete or quasi-complete separation [2]_; for log-linear models a category without events.

Where such a d exists, the gradient vanishes on the rows that can still fall, and only on those. What rows with slopes
left leave free is a small space, in which a linear program finds d.

.. [1] R. T. Rockafellar, *Convex Analysis*, section 8. Princeton University Press, 1970.
.. [2] A. Albert and J. A. Anderson, On the existence of maximum likelihood estimates in logistic regression models,
   *Biometrika* 71, 1984.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from ..losses.on_scores import Array
from ..objective.objective import Objective
from ..objective.scaled import Scaled

VANISHED = 1e-2  # share of the largest slope without any weights; more only makes the program larger
ROUNDING = 1e-12  # of the largest score
RANK = 1e-12  # of the largest eigenvalue of a Gram matrix
SLACK = 1e-6  # of the largest margin, for what should be zero
MANY_PARAMETERS = 500  # of a dense program that only a warning rests on
MANY_ENTRIES = 2e7  # of pinned rows, or of the linear program
ENOUGH = 5  # pinned rows a parameter that will most often show that nothing is free
FAR = 10.0  # units of the score in which F is looked at once more


@dataclass(frozen=True)
class Recession:
    """A direction along which F falls for ever.

    Attributes
    ----------
    direction : ndarray
        In the order of theta.
    features : ndarray of int
        Those whose weights run away, the largest first, in units of their spread; empty where all could.
    complete : bool
        Whether the loss of every row falls.
    """

    direction: Array
    features: np.ndarray
    complete: bool


@np.errstate(over="ignore", invalid="ignore", under="ignore")
def recession(objective: Objective, theta: Array) -> Recession | None:
    """The proof that F has no minimiser, drawn from a point where a fit has ended; None where none is found.

    It is found where the classes are separated at theta, and otherwise for moderate numbers of rows and parameters.
    """
    margins = Margins(objective)
    if not margins.can_fall.any():
        return None
    scores = objective.scores(theta).gathered()
    if margins.separate(scores):
        return Recession(theta, np.empty(0, dtype=np.intp), complete=True)
    slopes, typical = (
        margins.slopes(objective.at_scores(objective.rows.spread(at)).dual.gathered())
        for at in (scores, _of_nothing(objective))
    )
    free = margins.can_fall & (slopes <= VANISHED * typical.max())
    if not free.any() or objective.n_parameters > MANY_PARAMETERS:
        return None
    model = objective.conditioned()
    space = _left_free(model, margins, ~free)
    if space is None:
        return None
    moved = np.stack([margins.of(model.scores(x).gathered()) for x in space.T], axis=-1)
    x = _falling(space, moved[free], objective.n_weights) if np.isfinite(moved).all() else None
    if x is None:
        return None
    moved = margins.of(model.scores(x).gathered())
    proved = np.abs(moved[~free]).max(initial=0.0) <= SLACK and moved[free].min() >= -SLACK
    start = model.from_theta(theta)
    value, further = (model.value_and_gradient(at)[0] for at in (start, start + FAR * x))
    if not proved or further > value + SLACK * abs(value):
        return None
    return Recession(model.to_theta(x), _running_away(x, objective), complete=False)


def are_separated(objective: Objective, theta: Array) -> bool:
    """Whether every row is on its class's side at theta, so that F falls for ever as theta grows."""
    return Margins(objective).separate(objective.scores(theta).gathered())


class Margins:
    """What the rows' losses depend on, (n,) or a column for every class: they may grow where the loss can fall."""

    def __init__(self, objective: Objective):
        loss, y = objective.loss, objective.targets()
        self.sides: Array | None = None  # +1 where the score may grow, -1 where it may fall, 0 where it has to stay
        if objective.regression:
            self.sides = -(y <= 0).astype(float) * (loss.link == "log")
        elif not ("probabilities" in loss.domains or loss.falls_for_ever):
            self.sides = np.zeros(len(y))
        elif objective.n_outputs == 1:
            targets = loss.targets(y)
            self.sides = (targets == 1).astype(float) - (targets == 0)
        if self.sides is not None:
            self.can_fall = self.sides != 0
            return
        targets = loss.targets(y)
        self.rows = np.arange(len(y))
        self.likeliest = targets.argmax(axis=1)
        others = np.ones(targets.shape, dtype=bool)
        others[self.rows, self.likeliest] = False
        self.others = others  # of every row's likeliest class against the other ones
        self.can_fall = (targets == 0)[others]

    def of(self, scores: Array) -> Array:
        """The margins, linear in the scores; flat for K classes."""
        if self.sides is not None:
            return np.where(self.sides < 0, -scores, scores)
        return (scores[self.rows, self.likeliest][:, None] - scores)[self.others]

    def separate(self, scores: Array) -> bool:
        """Whether all of them may grow, and are positive."""
        return bool(self.can_fall.all() and self.of(scores).min() > ROUNDING * np.abs(scores).max())

    def slopes(self, dual: Array) -> Array:
        """How fast the losses change with them, from the derivatives in the scores."""
        return np.abs(dual if self.sides is not None else dual[self.others])

    def gram(self, model: Objective, pinned: np.ndarray) -> Array:
        """The Gram matrix of some margins, as functions of the parameters."""
        weights = np.maximum(model.rows.weights_of(slice(None)), np.finfo(float).tiny)
        if self.sides is not None:
            rows = np.flatnonzero(pinned)
            return model.gram(rows, 1.0 / weights[rows], np.float64)
        held: Array = np.zeros(self.others.shape)
        held[self.others] = pinned
        rows = np.flatnonzero(held.any(axis=1))
        likeliest, held = self.likeliest[rows], held[rows]
        # of e_t - e_j, with t the likeliest class and j another one
        blocks = held[:, :, None] * np.eye(held.shape[1])
        at = np.arange(len(rows))
        blocks[at, likeliest, :] -= held
        blocks[at, :, likeliest] -= held
        blocks[at, likeliest, likeliest] += held.sum(axis=1)
        return model.gram(rows, blocks / weights[rows, None, None], np.float64) + _common_shift(model)


def _of_nothing(objective: Objective) -> Array:
    """The scores of a model without weights, about."""
    if objective.n_outputs > 1:
        return np.zeros((objective.rows.n_rows, objective.n_outputs))
    rows = objective.rows
    events = np.maximum(rows.targets_of(slice(None)), 0.0)
    mean = rows.weights_of(slice(None)) @ events if objective.regression else 1.0
    return np.full(objective.rows.n_rows, np.log(max(mean, np.finfo(float).tiny)))


def _left_free(model: Objective, margins: Margins, pinned: np.ndarray) -> Array | None:
    """The parameters' directions in which no pinned margin moves, in columns; None for none, or for too much work."""
    n_parameters, n_outputs = model.n_parameters, model.n_outputs
    chosen = np.flatnonzero(pinned)
    stride = max(1, chosen.size // (ENOUGH * n_parameters))
    for step in sorted({stride, 1}, reverse=True):
        some = np.zeros_like(pinned)
        some[chosen[::step]] = True
        if n_parameters * n_outputs * np.count_nonzero(some) > MANY_ENTRIES:
            return None
        gram = margins.gram(model, some) if some.any() else np.zeros((n_parameters, n_parameters))
        assert isinstance(model.parameters, Scaled)
        unused = np.tile(model.parameters.inverse_scale == 0, n_outputs)
        gram.flat[: len(unused) * (n_parameters + 1) : n_parameters + 1] += unused
        if not np.isfinite(gram).all():
            return None
        values, vectors = np.linalg.eigh(gram)
        space = vectors[:, values <= RANK * max(values[-1], 1.0)]
        if not space.shape[1]:
            return None
    return None if space.shape[1] * margins.can_fall.size > MANY_ENTRIES else space


def _falling(space: Array, moved: Array, n_weights: int) -> Array | None:
    """The direction in a space along which no margin shrinks and the most grow, by at most one; None without any."""
    left, sizes, right = np.linalg.svd(moved, full_matrices=len(moved) < space.shape[1])
    n_moving = np.count_nonzero(sizes > SLACK)
    if n_moving == 0:
        return None
    idle, space = space @ right[n_moving:].T, space @ right[:n_moving].T
    moved = left[:, :n_moving] * sizes[:n_moving]
    found = linprog(
        -moved.sum(axis=0),
        A_ub=np.concatenate([-moved, moved]),
        b_ub=np.repeat([0.0, 1.0], len(moved)),
        bounds=(None, None),
        method="highs",
    )
    if found.status != 0 or (moved @ found.x).max() < 0.5:
        return None
    x = space @ found.x
    return _with_fewest_weights(x, idle, n_weights) if idle.size else x


def _with_fewest_weights(x: Array, idle: Array, n_weights: int) -> Array:
    """The direction plus what moves nothing, of the smallest sum of absolute weights."""
    n_idle = idle.shape[1]
    weights, free = np.eye(n_weights), idle[:n_weights]
    found = linprog(
        np.concatenate([np.zeros(n_idle), np.ones(n_weights)]),
        A_ub=np.block([[free, -weights], [-free, -weights]]),
        b_ub=np.concatenate([-x[:n_weights], x[:n_weights]]),
        bounds=[(None, None)] * n_idle + [(0, None)] * n_weights,
        method="highs",
    )
    return x + idle @ found.x[:n_idle] if found.status == 0 else x


def _common_shift(objective: Objective) -> Array:
    """The square of what all classes' parameters have in common, of which nothing depends."""
    alike = np.full((objective.n_outputs, objective.n_outputs), 1.0 / objective.n_outputs)
    square = np.zeros((objective.n_parameters, objective.n_parameters))
    n = objective.n_weights
    square[:n, :n] = np.kron(alike, np.eye(objective.rows.n_features))
    square[n:, n:] = alike[: objective.n_parameters - n, : objective.n_parameters - n]
    return square


def _running_away(x: Array, objective: Objective) -> np.ndarray:
    sizes = np.abs(x[: objective.n_weights]).reshape(objective.n_outputs, -1).max(axis=0)
    order = np.argsort(-sizes, kind="stable")
    return order[sizes[order] > SLACK * np.abs(x).max()]
