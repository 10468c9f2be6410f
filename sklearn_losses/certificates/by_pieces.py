r"""The bound on F - min F of piecewise-linear losses, from any duals of their rows.

By Fenchel and Young, with shares :math:`\rho_i` that let the slopes sum to zero and the penalty's conjugate be finite,
and the least values :math:`m_i` of the losses,

.. math::
    F(x) - \min F \le \sum_i s_i \left[(1 - \rho_i) (\ell_i - m_i) + \rho_i (\ell_i + \ell_i^*(a_i) - a_i z_i)\right]
    + \mathrm{pen}(x) + \mathrm{pen}^*(v) - v'x , \qquad v = -X'(\rho a) ,

because a conjugate is convex and :math:`\ell^*(0) = -m`.
"""

from __future__ import annotations

import numpy as np

from ..losses.multiclass_hinge import JointHinge
from ..losses.on_scores import Array
from ..losses.pieces import Pieces
from ..objective.objective import Objective
from .balance import scaled, shares_of
from .gap import Proof, least_over_shares
from .intercept import ROUNDING


class PiecesGap:
    """The bound for one objective, whose penalty is on all weights.

    Columns that are constant have no weight in a solver's parameters, and need none: the intercept says as much.

    Parameters
    ----------
    model : Objective
        In the parameters of its solver, with the losses as they are.
    losses : Pieces or JointHinge
        Of its rows.
    """

    def __init__(self, model: Objective, losses: Pieces | JointHinge):
        self.model, self.losses = model, losses
        self.weights = model.rows.weights_of(slice(None))
        self.bounded = losses.bounded if isinstance(losses, Pieces) else True
        self.least = losses.least if isinstance(losses, Pieces) else np.zeros(len(self.weights))
        self.penalty = model.parameters.penalty(model.penalty)
        held = self.penalty.holds(model.rows.n_features)
        self.held = np.flatnonzero(held)
        self.of_held = self.penalty if held.all() else self.penalty.take(self.held)
        self.loose = np.flatnonzero(~held & (model.parameters.variance > 0))

    def loose_part(self, x: Array, dual: Array, reach: float) -> float:
        """An estimate, no bound, of what weights without a penalty leave: of parabolas as wide as scores may go.

        A weight at a bound may have a slope that pulls it there.
        """
        if not len(self.loose):
            return 0.0
        coef = self.model.parameters.split(x)[0][:, self.loose]
        pulled = self.model.parameters.split(self.model.adjoint(self.model.rows.spread(dual)))[0][:, self.loose]
        left = self.penalty.take(self.loose).least_slope(coef, pulled)
        return 0.5 * reach * float(np.sum(left**2))

    def proof(self, x: Array, scores: Array, dual: Array) -> Proof:
        """x, its value, and the bound by the duals of its rows, which are at scores. Half a pass."""
        coef, _ = self.model.parameters.split(x)
        values, excess = self.losses.value_and_excess(scores, dual)
        value = float(self.weights @ values) + self.penalty.value(coef)
        shares: Array = np.ones(len(values))
        total = np.atleast_1d(self.weights @ dual)
        if self.model.fit_intercept and (np.abs(total) > ROUNDING * (self.weights @ np.abs(dual))).any():
            balanced = shares_of(self.model, self.weights, dual) if self.bounded else None
            if balanced is None:
                return Proof(x, value, self._at_most(value, np.inf))
            shares = balanced
        pulled, _ = self.model.parameters.split(self.model.adjoint(self.model.rows.spread(scaled(dual, shares))))
        coef, pulled = coef[:, self.held], pulled[:, self.held]
        above = values - self.least

        def bound(share: float) -> float:
            kept = share * shares
            lost = float(self.weights @ ((1.0 - kept) * above)) if (kept < 1.0).any() else 0.0
            return lost + float(self.weights @ (kept * excess)) + self.of_held.gap(coef, -share * pulled)

        return Proof(x, value, self._at_most(value, least_over_shares(bound, self.of_held, -pulled)))

    def _at_most(self, value: float, bound: float) -> float:
        if self.bounded:
            bound = min(bound, value - float(self.weights @ self.least))
        return max(bound, 0.0) if np.isfinite(bound) else np.nan
