"""A piecewise-linear objective as the exact solver sees it."""

from __future__ import annotations

from copy import copy

import numpy as np

from ..losses import Loss
from ..losses.multiclass_hinge import JointHinge
from ..losses.on_scores import Array
from ..losses.pieces import Pieces
from ..solvers.augmented_lagrangian.problem import Bending, Indices, KinkedProblem
from .objective import Objective

NO_PENALTY = 1e-24  # of a strength in the solver's units, which is none beside rounding
DIGITS = 16.0  # times the rounding of targets that a fit to all of them leaves
FAR = 100.0  # units from the median at which a target counts as an outlier
CLEAR = 1e-12  # relative change of a value of F that says nothing
OFFSET = 100.0  # units from zero at which kinks are computed from targets that are centered before


class Split(KinkedProblem):
    """The losses of a conditioned objective row by row, in units in which the solver knows what rounding is.

    In regression x, the scores, duals and losses are in units of their own: the median of y (where there is an
    intercept), its spread, a typical loss, and for every row the steepness of its loss. So the solver never meets
    the scale or the offset of the targets; `to_model`, `from_model`, `dual_from_model` and `value_unit` lead out of
    the units and into them.

    Parameters
    ----------
    model : Objective
        The objective in conditioned parameters. Its loss declares `pieces` for one score or `joint_pieces` for K.
        Soft labels must have become `hard_labels` before.

    Raises
    ------
    ValueError
        When the pieces of a row's loss are not finite; the message names the target.
    """

    losses: Pieces | JointHinge

    def __init__(self, model: Objective):
        self.n_rows, self.n_outputs = model.rows.n_rows, model.n_outputs
        self.n_intercepts = self.n_outputs * model.fit_intercept
        self.work = self.n_outputs * model.rows.n_entries
        self.unit, self.value_unit, self.center = 1.0, 1.0, 0.0
        self.steepness = np.ones(self.n_rows)
        if self.n_outputs > 1:
            y = model.rows.targets_of(slice(None))
            self.losses = model.loss.joint_pieces(y if y.ndim == 1 else y.argmax(axis=1))
        else:
            model = self._choose_units(model)
        self.model, self.weights = model, model.rows.weights_of(slice(None))
        with np.errstate(over="ignore"):
            penalty = np.minimum(model.strengths * self.unit / self.value_unit * self.unit, np.finfo(float).max)
        # beside rounding, a weaker penalty than this is none
        self.penalty = np.where(penalty < NO_PENALTY, 0.0, penalty)
        self._measure()

    def _choose_units(self, model: Objective) -> Objective:
        """Write the pieces in units of their own; return the model with the weights that go with them."""
        y, weights = model.rows.targets_of(slice(None)), model.rows.weights_of(slice(None))
        pieces = Pieces.of(model.loss, y)
        _check_finite(pieces, y)
        if model.regression:
            if model.fit_intercept:
                self.center = weighted_median(pieces.kinks[:, 0], weights)
            self.unit = _spread(pieces.kinks[:, 0] - self.center, weights) or abs(self.center) or 1.0
            pieces = _centered(pieces, model.loss, y, self.center, self.unit)
        self.steepness = 0.5 * (pieces.slopes[:, -1] - pieces.slopes[:, 0])
        if not model.regression and (self.steepness == self.steepness[0]).all():
            self.losses, self.steepness = pieces, np.ones(self.n_rows)
            return model
        self.steepness = np.where(self.steepness > 0.0, self.steepness, 1.0)
        weighted = weights * self.steepness
        total = float(weighted.sum())
        self.value_unit = self.unit * total
        self.losses = pieces.in_units(self.unit, self.unit * self.steepness)
        return model.replaced(rows=model.rows.with_weights(weighted / total), parameters=model.parameters)

    def _measure(self) -> None:
        losses = self.losses
        self.targets, self.together = None, False
        if isinstance(losses, Pieces):
            self.kinks, self.left, self.right = losses.kinks, losses.left, losses.right
            self.least = float(self.weights @ losses.least) if losses.bounded else -np.inf
            size = float(self.weights @ np.abs(losses.kinks).max(axis=1)) + abs(self.center) / self.unit / DIGITS
        else:
            self.kinks, self.left, self.right, self.least, size = None, None, None, 0.0, 1.0
            self.targets, self.together = losses.target, losses.together
        self.rounding = DIGITS * float(np.finfo(float).eps) * size

    # out of the units and into them

    def to_model(self, x: Array) -> Array:
        """The solver's x in the coordinates of the model."""
        x = self.unit * x
        if self.n_intercepts:
            x[-self.n_intercepts :] += self.center
        return x

    def from_model(self, x: Array) -> Array:
        """The model's x in the solver's units."""
        x = x.copy()
        if self.n_intercepts:
            x[-self.n_intercepts :] -= self.center
        return x / self.unit

    def dual_from_model(self, dual: Array) -> Array:
        """Slopes of the loss in the solver's units."""
        return dual / self.steepness if dual.ndim == 1 else dual

    def is_rounded(self, x: Array, value: float) -> bool:
        """Whether the rounding of the solver's x or of its model may change the value of F."""
        size = abs(self.center) / self.unit + float(np.abs(x).max(initial=1.0))
        return bool(np.finfo(float).eps * size > CLEAR * value)

    def with_near_kinks(self) -> Split | None:
        """The same with far kinks, those of outliers in y, moved nearer; None where there are none.

        A loss is the same up to a constant on the sides of its kinks, so that a solution on the same side of a moved
        kink as of the true one solves both problems, and the size of an outlier costs no digits.
        """
        if self.kinks is None or not self.model.regression:
            return None
        middle = weighted_median(self.kinks[:, 0], self.weights)
        near = np.clip(self.kinks, middle - FAR, middle + FAR)
        if (near == self.kinks).all():
            return None
        assert isinstance(self.losses, Pieces)
        moved = copy(self)
        moved.losses = self.losses.with_kinks(near)
        moved._measure()
        return moved

    # what the solver asks for

    def forward(self, x: Array) -> Array:
        return self.model.scores(x).gathered()

    def adjoint(self, dual: Array) -> Array:
        return self.model.adjoint(self.model.rows.spread(dual))

    def gram(self, rows: Indices, strengths: Array, dtype: type) -> Array:
        return self.model.gram(rows if len(rows) < self.n_rows else slice(None), strengths, dtype)

    def features(self, rows: Indices) -> Array:
        return self.model.written(rows).rows.take(slice(None))

    def take(self, rows: Indices) -> Split:
        part = copy(self)
        part.model = self.model.only(rows)
        part.weights, part.n_rows = self.weights[rows], len(rows)
        part.work = self.work * len(rows) // max(self.n_rows, 1)
        part.losses, part.steepness = self.losses.take(rows), self.steepness[rows]
        part._measure()
        return part

    def value(self, scores: Array) -> Array:
        return self.losses.value(scores)

    def value_and_excess(self, scores: Array, dual: Array) -> tuple[Array, Array]:
        return self.losses.value_and_excess(scores, dual)

    def slope(self, scores: Array) -> Array:
        return self.losses.slope(scores)

    def dual(self, scores: Array, step: float) -> Array:
        return self.losses.dual(scores, step)

    def bending(self, dual: Array) -> Bending:
        if isinstance(self.losses, Pieces):
            return Bending(self.losses.bending(dual))
        return Bending(*self.losses.bending(dual))


def _check_finite(pieces: Pieces, y: Array) -> None:
    finite = np.isfinite(pieces.kinks).all(axis=1) & np.isfinite(pieces.slopes).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(f"The loss of y[{row}] = {y[row]!r} is out of the range of floats. Drop the row or rescale y.")


def _centered(pieces: Pieces, loss: Loss, y: Array, center: float, unit: float) -> Pieces:
    """The pieces as functions of scores less a center.

    Kinks of targets far from zero have lost digits; those of a loss of the error alone are found again from the
    targets less the center.
    """
    moved = pieces.shifted(center)
    if abs(center) <= OFFSET * unit:
        return moved
    with np.errstate(all="ignore"):
        again = Pieces.of(loss, y - center)
    same = again.slopes.shape == moved.slopes.shape and (again.slopes == moved.slopes).all()
    rounding = 8.0 * np.finfo(float).eps * (np.abs(pieces.kinks) + abs(center))
    return again if same and (np.abs(again.kinks - moved.kinks) <= rounding).all() else moved


def _spread(distances: Array, weights: Array) -> float:
    """A typical distance from zero; zero only if all are."""
    distances = np.abs(distances)
    return weighted_median(distances, weights) or float(distances.max())


def weighted_median(values: Array, weights: Array) -> float:
    """The smallest value with half of the weight at or below it."""
    if (weights == weights[0]).all():
        half = (len(values) - 1) // 2
        return float(np.partition(values, half)[half])
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(cumulative, 0.5 * cumulative[-1])]])


def has_exact_form(objective: Objective) -> bool:
    """Whether the loss is convex, of straight lines, and declares what the exact solver needs."""
    loss = objective.loss
    if loss.smooth or not objective.composition.convex:
        return False
    return loss.pieces is not None if objective.n_outputs == 1 else loss.joint_pieces is not None


def are_hard(objective: Objective) -> bool:
    """Whether all rows of a classification have one class each."""
    y = objective.rows.targets_of(slice(None))
    return y.dtype.kind in "iu" or bool(np.isin(y, (0.0, 1.0)).all())


def hard_labels(objective: Objective) -> Objective:
    """The same objective with soft rows written as weighted rows of one class each.

    Losses on scores are linear in their targets, so nothing changes but the form.
    """
    rows = objective.rows
    if objective.regression or are_hard(objective):
        return objective
    y = rows.targets_of(slice(None))
    shares = y if y.ndim == 2 else np.stack([1.0 - y, y], axis=1)
    indices, classes = np.nonzero(shares)
    codes = classes if y.ndim == 2 else classes.astype(np.float64)
    weights = rows.weights_of(indices) * shares[indices, classes]
    return objective.replaced(rows=rows.only(indices).with_targets(codes, weights))
