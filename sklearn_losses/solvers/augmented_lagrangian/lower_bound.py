r"""A lower bound of F that a dual proves, and the duality gap.

By Fenchel and Young, wherever :math:`A' (s a)` is zero in the coordinates without a penalty,

.. math:: F(x) - \min F \le \sum_i s_i (\ell_i(z_i) + \ell_i^*(a_i) - a_i z_i)
          + \sum_j \frac{(A' (s a) + \mathrm{penalty}\, x)_j^2}{2 \, \mathrm{penalty}_j} .

The premise is checked here, and made true where it is not: for intercepts by scaling duals down, otherwise by moving
those of the rows that bend. What either costs is in the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..balancing import shares_of_signs, stationary
from .envelopes import EPSILON, SMALLEST_RIDGE, DualPoint, Subproblem
from .newton_equations import in_double_precision, scaled, solver_of
from .problem import Array, KinkedProblem

ROUNDING = 64 * EPSILON  # what is left of a weighted mean of slopes that is zero, beside the root mean square of slopes
REPAIRS = 3  # steps to a feasible dual, one of which is enough inside of all ranges
EVERYWHERE = 1e30  # a step so long that the proximal operator's dual is the nearest one in the range of duals


@dataclass(frozen=True)
class LowerBound:
    """A dual that is feasible up to rounding, and its pull ``A' (s a)``."""

    dual: Array
    pull: Array

    def gap(self, problem: KinkedProblem, x: Array, z: Array) -> float:
        """The bound on F(x) - min F, for the scores z of x."""
        penalised = problem.penalty > 0.0
        _, excess = problem.value_and_excess(z, self.dual)
        mismatch = problem.weights @ np.maximum(excess, 0.0)
        gradient = self.pull + problem.penalty * x
        shift = 0.5 * (gradient[penalised] ** 2 @ (1.0 / problem.penalty[penalised]))
        rounding = np.abs(gradient[~penalised]) @ (1.0 + np.abs(x[~penalised]))
        return float(mismatch + shift + rounding)


def duality_gap(problem: KinkedProblem, x: Array, dual: Array) -> tuple[float, float]:
    """F(x), and a bound on F(x) - min F from a dual that is nearly optimal."""
    z = problem.forward(x)
    value = float(problem.weights @ problem.value(z) + 0.5 * (problem.penalty @ x**2))
    proof = prove(problem, dual, problem.adjoint(dual))
    gap = np.inf if proof is None else proof.gap(problem, x, z)
    return value, min(gap, value - problem.least)


def prove(problem: KinkedProblem, dual: Array, pull: Array) -> LowerBound | None:
    """The bound of a dual with that pull, balanced if need be; None where only `repair` can make it feasible."""
    if is_feasible(problem, dual, pull):
        return LowerBound(dual, pull)
    count = problem.n_intercepts
    if not count or pull[:-count][problem.penalty[:-count] == 0.0].any():  # empty columns have neither
        return None
    dual = balanced(problem, dual)
    pull = problem.adjoint(dual)
    return LowerBound(dual, pull) if is_feasible(problem, dual, pull) else None


def is_feasible(problem: KinkedProblem, dual: Array, pull: Array) -> bool:
    """Whether the pull is zero up to rounding where there is no penalty."""
    size = np.sqrt(problem.weights @ (dual**2 if dual.ndim == 1 else (dual**2).sum(axis=1)))
    return bool((np.abs(pull[problem.penalty == 0.0]) <= ROUNDING * size).all())


def repair(problem: KinkedProblem, point: DualPoint) -> LowerBound | None:
    """The bound of the dual that is nearest to a point's among those without a pull where there is no penalty.

    Duals move by as much as they have room, and to any digits: they are not read off from scores.
    """
    moves = _moves_of_one(problem, point.dual) if problem.n_outputs == 1 else _moves_of_many(problem, point.dual)
    if moves is None:
        return None
    dual: Array = point.dual
    pull: Array = point.gradient - problem.penalty * point.x
    for _ in range(REPAIRS):
        dual = nearest_dual(problem, dual + moves(-(pull + problem.penalty * point.x)))
        pull = problem.adjoint(dual)
        proof = prove(problem, dual, pull)
        if proof is not None:
            return proof
    return None


def _moves_of_one(problem: KinkedProblem, dual: Array) -> Callable[[Array], Array] | None:
    assert problem.left is not None and problem.right is not None
    rises = np.cumsum(problem.right - problem.left, axis=1)
    slopes = problem.left.sum(axis=1)[:, None] + np.column_stack([np.zeros(len(dual)), rises])
    room = np.abs(dual[:, None] - slopes).min(axis=1)  # to the nearest slope: off it the loss bends
    rows = np.flatnonzero(room > 0.0)
    if not rows.size:
        return None
    strengths = (room[rows] / room.max()) ** 2
    matrix = problem.gram(rows, strengths, np.float64)
    matrix[np.diag_indices_from(matrix)] += problem.penalty
    solve, part = solver_of(*scaled(matrix)), problem.take(rows)

    def moves(pull: Array) -> Array:
        change = np.zeros_like(dual)
        change[rows] = strengths * part.forward(solve(pull, SMALLEST_RIDGE))
        return change

    return moves


def _moves_of_many(problem: KinkedProblem, dual: Array) -> Callable[[Array], Array] | None:
    bending = problem.bending(dual)
    if not bending.rows.size:
        return None
    solve, part = in_double_precision(Subproblem.whole(problem), bending, 1.0, 1.0), problem.take(bending.rows)

    def moves(pull: Array) -> Array:
        change = np.zeros_like(dual)
        change[bending.rows] = bending.project(part.forward(solve(pull, SMALLEST_RIDGE)))
        return change

    return moves


def nearest_dual(problem: KinkedProblem, dual: Array) -> Array:
    """The nearest dual in the range of duals."""
    return problem.dual(EVERYWHERE * dual, EVERYWHERE)


def balanced(problem: KinkedProblem, dual: Array) -> Array:
    """The dual with some rows scaled down such that its weighted sum over the rows is zero for every output.

    A convex function's conjugate at a scaled slope is no more than in between its values at the slope and at zero.
    """
    weights = problem.weights
    if dual.ndim == 1:
        return shares_of_signs(weights, dual) * dual
    # one factor for every right class, whose coordinate is the one below zero
    right = dual.argmin(axis=1)
    flow = np.zeros((dual.shape[1], dual.shape[1]))
    np.add.at(flow, right, weights[:, None] * dual)
    return stationary(flow)[right][:, None] * dual
