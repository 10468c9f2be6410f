r"""An interior point method (Mehrotra, 1992) for problems whose Newton equations are cheap for all rows at once.

A loss is the largest of linear functions, ``max_a a.z - conjugate(a)`` over the range of its duals. The duals stay
inside of it; products of their room and of slacks, which for the solution are zero, become so together. Ten to thirty
Newton steps end with parameters and duals that are optimal to many digits, whatever the data.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from .envelopes import SMALLEST_RIDGE, TINY, Envelopes, Subproblem, with_dual
from .interiors import Interior, interior_of
from .newton_equations import Solve, hold_common_shift, scaled, solver_of
from .problem import Array

ALMOST = 0.995  # of the way to where a dual or a slack is used up
NOTHING = 1e-20  # mean product, beside F: rounding is all that is left
SHORT = 1e-8  # step that leads nowhere
OPEN = 1e6  # of parameters beside scores: a change that the rows leave open
STALE, LOWER = 8, 0.9  # steps without a gap that is lower by a tenth
NARROW = 1e-3  # step, beside the size of scores by that of duals
NARROWEST = 1e-5  # in the same unit: duals are differences of scores, divided by the step
SAME = 0.8  # share of the widest gap between ratios that is as wide
CLEAR = np.log(10.0)  # distance to both kinds of duals
ENDLESS = 700.0  # a logarithm whose power is just a float


class InteriorPoint:
    """An interior point method under way, from x = 0.

    Attributes
    ----------
    best : DualPoint
        That of the smallest gap so far.
    """

    def __init__(self, problem: Subproblem):
        self.problem = problem
        x = np.zeros_like(problem.penalty)
        z = problem.terms.forward(x)
        self.interior = interior_of(problem.terms, z)
        self.point = self.best = with_dual(problem, x, z, self.interior.dual())
        self.stale = 0
        self.found: tuple[Interior, Array] = self.interior, z  # at the best point

    def advance(self) -> bool:
        """Take one predicted and corrected step; return whether it leads anywhere."""
        interior, point, terms = self.interior, self.point, self.problem.terms
        mean = interior.mean(0.0)
        if not mean > NOTHING * abs(point.value):
            return False
        solve = self.newton_equations()

        def move(product: float, corrected: bool) -> tuple[Array, Array]:
            pull = interior.aim(product, corrected)
            direction, along = self.regular(solve, -point.gradient - terms.adjoint(pull))
            interior.follow(along)
            return direction, along

        move(0.0, False)
        left = interior.mean(interior.longest())
        direction, along = move((left / mean) ** 3 * mean, True)
        length = ALMOST * interior.longest()
        if not length > SHORT:
            return False
        z = point.z + length * along
        interior.step(length, z)
        self.point = with_dual(self.problem, point.x + length * direction, z, interior.dual())
        self.stale = 0 if self.point.gap < LOWER * self.best.gap else self.stale + 1
        if self.point.improves(self.best):
            self.best, self.found = self.point, (copy(interior), z)
        return self.stale < STALE

    @property
    def is_clear(self) -> bool:
        """Whether it is clear which duals are free to move."""
        return between(*self.found)[1]

    def envelopes(self) -> Envelopes:
        """What goes on from here to the face of the ranges of duals that the solution is on: these bend, others not."""
        best = self.best
        return Envelopes(self.problem, best.x, best.z, best.dual, between(*self.found)[0])

    def regular(self, solve: Solve, right: Array) -> tuple[Array, Array]:
        """A direction that is short where it changes no scores, and the scores' change."""
        ridge = SMALLEST_RIDGE
        while True:
            direction = solve(right, ridge)
            along = self.problem.terms.forward(direction)
            if ridge >= 1.0 or np.abs(direction).max() <= OPEN * (1.0 + np.abs(along).max()):
                return direction, along
            ridge *= 1e3

    def newton_equations(self) -> Solve:
        """The function that solves them."""
        matrix = self.interior.hessian()
        matrix[np.diag_indices_from(matrix)] += self.problem.penalty
        hold_common_shift(matrix, self.problem)
        return solver_of(*scaled(matrix))


def between(interior: Interior, z: Array) -> tuple[float, bool]:
    """A step of envelopes between the duals that are free and those that an end of their range holds, at scores z.

    The ratios of slack to room of the free are products / room^2, of the others slack^2 / products: in the middle is
    the size of scores by that of duals. Rows count by their weights, so that repeating one is weighting it. With the
    step comes whether it is clear which duals are free.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        # slacks may have vanished altogether: a ratio is then no more than a side
        logs = np.nan_to_num(np.log(interior.ratios()), posinf=ENDLESS, neginf=-ENDLESS)
    weights = np.broadcast_to(interior.problem.weights[:, None], logs.shape).ravel() + TINY
    order = np.argsort(logs, axis=None)
    logs, weights = logs.ravel()[order], weights[order]
    gaps = np.diff(logs)
    size = max(np.abs(z).mean(), 1.0) / max(np.abs(interior.dual()).max(), TINY)
    if not gaps.size:
        return float(max(np.exp(logs[0]), NARROWEST * size)), True
    first = 1 + int(np.flatnonzero(gaps >= SAME * gaps.max())[-1])  # of those at an end
    below, above = (np.average(logs[part], weights=weights[part]) for part in (slice(first), slice(first, None)))
    middle = 0.5 * (below + above) + np.log(NARROW)
    step = np.exp(np.clip(middle, logs[first - 1] + CLEAR, max(logs[first] - CLEAR, logs[first - 1])))
    return float(max(step, NARROWEST * size)), bool(gaps[first - 1] >= 3.0 * CLEAR)
