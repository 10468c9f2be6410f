"""The model without penalised weights, and the smallest strength of the penalty at which it is the best one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..certificates import proofs
from ..certificates.by_pieces import PiecesGap
from ..losses.pieces import Pieces
from ..minimise.fit import fit
from ..minimise.null import Null
from ..minimise.root_mean import gap_of
from ..minimise.task import Task
from ..objective.envelope import losses_of
from ..objective.kinked_penalties import ElasticNet
from ..objective.objective import Objective
from ..objective.penalties import L2
from ..objective.split import hard_labels

Array = np.ndarray

LEAST_RATIO = 1e-3  # share of absolute values without which no strength makes all weights zero
EXACT = 1e-10  # tolerance of fits of the null model
BESIDE = 1e-9  # of the size of a score: how far from a kink its two slopes are looked at
STRONG = 10.0  # times the largest slope that a feature can have


class NullModel:
    """Intercept and features without a penalty, at their best; the weights of all others are zero.

    Parameters
    ----------
    task : Task
        Of some strength of the penalty, which does not matter.
    factors : ndarray of shape (p,)
        What the features' penalties are multiplied by.
    positive : bool
        Whether weights are bounded.
    """

    def __init__(self, task: Task, factors: Array, *, positive: bool):
        self.task, self.factors, self.positive = task, factors, positive
        objective = task.objective
        if not factors.any():
            raise ValueError(
                "No feature has a penalty, so that the strengths of a path have no beginning. Give alphas."
            )
        self.dual: Array | None = None  # slopes at kinks, which gradients do not know
        if task.piecewise and objective.n_outputs == 1 and factors.all():
            self.theta = Null(task).theta
            self.dual = self._between_slopes()
        elif task.piecewise:
            self.theta, self.dual = self._held_at_zero()
        else:
            self.theta = Null(task).theta if factors.all() else self._of_loose_features()
        if not math.isfinite(objective.value(self.theta)):
            raise ValueError(
                f"{task.loss} is not finite for the model without weights, so that the strengths of a path have no "
                "beginning. Give alphas."
            )

    def smallest_alpha(self, ratio: float, *, grouped: bool) -> float:
        """The strength at which every penalised weight is zero."""
        held = np.flatnonzero(self.factors > 0)
        pull = -self._slopes()[:, held] / self.factors[held]
        if grouped:
            pull = np.linalg.norm(pull, axis=0)
        largest = float(np.max(pull if self.positive else np.abs(pull)))
        if not (math.isfinite(largest) and largest > 0):
            raise ValueError(
                "No weight leaves zero however weak the penalty is, since no penalised feature says anything about y, "
                "so that the strengths of a path have no beginning. Give alphas."
            )
        return largest / max(ratio, LEAST_RATIO)

    def point(self, objective: Objective) -> tuple[Array, float, float]:
        """Parameters, value and bound for an objective with another strength of the penalty."""
        task = replace(self.task, objective=objective)
        if self.dual is not None and task.holds_all:
            model = hard_labels(objective).conditioned()
            x = model.from_theta(self.theta)
            _, value, bound = PiecesGap(model, losses_of(model)).proof(x, model.scores(x).gathered(), self.dual)
            return self.theta, value, bound
        if not task.has_bound:
            return self.theta, objective.value(self.theta), np.nan
        return proofs.by_gradient(objective, self.theta, gap=gap_of(task))

    def _slopes(self) -> Array:
        """The gradient of the data term in the coefficients, (K, p)."""
        objective = self.task.objective
        if self.dual is not None:
            objective = hard_labels(objective)
            return objective.parameters.split(objective.adjoint(objective.rows.spread(self.dual)))[0]
        smooth = objective.replaced(penalty=L2(0.0))
        return smooth.parameters.split(smooth.value_and_gradient(self.theta)[1])[0]

    def _of_loose_features(self) -> Array:
        """Fitted without the others."""
        loose, objective = np.flatnonzero(self.factors == 0), self.task.objective
        part = objective.replaced(
            rows=objective.rows.columns(loose),
            penalty=ElasticNet(0.0, positive=True) if self.positive else L2(0.0),
            parameters=objective.parameters.of_features(loose),
        )
        found = fit(self._exactly(part), "auto")
        some, intercept = part.parameters.split(found.theta)
        coef = np.zeros((objective.n_outputs, objective.rows.n_features))
        coef[:, loose] = some
        return objective.parameters.join(coef, intercept)

    def _held_at_zero(self) -> tuple[Array, Array]:
        """By a penalty that no slope can overcome; its dual solution is one for every stronger penalty."""
        objective = self.task.objective
        _, spread = objective.rows.statistics()
        steepest = np.abs(losses_of(hard_labels(objective)).slope(_zeros(objective))).max()
        strength = (
            STRONG * float(steepest * max(spread.max(), np.finfo(float).tiny)) / self.factors[self.factors > 0].min()
        )
        held = ElasticNet(strength * self.factors, positive=self.positive)
        found = fit(self._exactly(objective.replaced(penalty=held)), "auto")
        assert found.dual is not None
        return found.theta, found.dual

    def _exactly(self, objective: Objective) -> Task:
        return replace(self.task, objective=objective, tol=min(self.task.tol, EXACT), warm=None)

    def _between_slopes(self) -> Array:
        """Slopes of losses of one score that sum to zero: rows at kinks have the same share of their two slopes."""
        objective = hard_labels(self.task.objective)
        losses = losses_of(objective)
        assert isinstance(losses, Pieces)
        scores = objective.scores(self.theta).gathered()
        beside = BESIDE * (1.0 + np.abs(scores))
        low, high = losses.slope(scores - beside), losses.slope(scores + beside)
        if not objective.fit_intercept:
            return np.clip(0.0, low, high)
        weights = objective.rows.weights_of(slice(None))
        least, most = float(weights @ low), float(weights @ high)
        share = min(max(-least / (most - least), 0.0), 1.0) if most > least else 0.0
        return low + share * (high - low)


def _zeros(objective: Objective) -> Array:
    rows = hard_labels(objective).rows
    return np.zeros(rows.n_rows if objective.n_outputs == 1 else (rows.n_rows, objective.n_outputs))
