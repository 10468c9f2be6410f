"""Duals inside their ranges, with slacks: what an interior point method moves beside the parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from .joint_gram import in_order, joint_features, of_simplices, of_stars
from .problem import Array, KinkedProblem

SMALLEST = 1e-3  # slack to begin with


def interior_of(problem: KinkedProblem, z: Array) -> Interior:
    """Duals of a problem somewhere inside, for scores z."""
    if problem.targets is None:
        return Boxes(problem, Kinks(problem), z)
    return Simplices(problem, z) if problem.together else Boxes(problem, WrongClasses(problem), z)


class Interior(ABC):
    """The duals of all rows and their slacks, (n, m) each, at given scores.

    Every slack has a room: the way of a dual to an end of its range. For the solution their products are zero. Where
    the scores move by dz, the duals move by ``B (dz + e)``, with a positive semidefinite matrix B a row.
    """

    def __init__(self, problem: KinkedProblem):
        self.problem = problem
        self.used: tuple[tuple[Array, Array], ...] = ()  # what the last move uses up, and of what

    @abstractmethod
    def dual(self) -> Array:
        """The duals, as the problem knows them."""

    @abstractmethod
    def aim(self, product: float, corrected: bool) -> Array:
        """``B e``, as duals, for all products to become that; corrected by what is left of them after the last move."""

    @abstractmethod
    def follow(self, along: Array) -> None:
        """Find the move of duals and slacks for a move of the scores, towards what was aimed at."""

    @abstractmethod
    def products(self, length: float) -> Array:
        """All products of slack and room after a step of that length."""

    @abstractmethod
    def ratios(self) -> Array:
        """Slack by room: small where a dual is free to move, large where an end of its range holds it."""

    @abstractmethod
    def step(self, length: float, z: Array) -> None:
        """Take the step, which leads to scores z."""

    @abstractmethod
    def hessian(self) -> Array:
        """``sum_i s_i B_i (x) row_i row_i'``, in the order of the parameters."""

    def longest(self) -> float:
        """The longest step, up to one, that uses up no slack and no room."""
        return 1.0 / max(1.0, *(float((change / room).max()) for change, room in self.used))

    def mean(self, length: float) -> float:
        """The weighted mean product after a step of that length."""
        return float(self.problem.weights @ self.products(length).mean(axis=1)) / float(self.problem.weights.sum())


class Terms(ABC):
    """Losses as sums of ``max(low t, high t)`` for linear functions t of a row's scores, with a dual each.

    Attributes
    ----------
    low, high : ndarray
        That broadcast to (n, m): the ends of the duals' ranges.
    share : float
        Of the range, where duals begin.
    """

    low: Array
    high: Array
    share: float

    @abstractmethod
    def at(self, z: Array) -> Array:
        """The linear functions at the scores, (n, m)."""

    @abstractmethod
    def moved(self, along: Array) -> Array:
        """How they move with the scores."""

    @abstractmethod
    def collected(self, duals: Array) -> Array:
        """The transpose of `moved`: duals of terms as duals of losses."""

    @abstractmethod
    def hessian(self, strengths: Array) -> Array:
        """The weighted sum of ``strength (dt/dx) (dt/dx)'`` over all terms."""


class Boxes(Interior):
    """Losses of terms with a dual each."""

    d_dual: Array  # of the last step
    d_over: Array
    d_under: Array

    def __init__(self, problem: KinkedProblem, terms: Terms, z: Array):
        super().__init__(problem)
        self.terms = terms
        t = terms.at(z)
        # room to both ends of the range, each with all its digits
        range_ = np.broadcast_to(terms.high - terms.low, t.shape)
        self.below, self.above = terms.share * range_, (1.0 - terms.share) * range_
        slack = max(float(np.abs(t).mean()), SMALLEST)
        self.over, self.under = np.maximum(t, 0.0) + slack, np.maximum(-t, 0.0) + slack
        self.look(z)

    def look(self, z: Array) -> None:
        """See what follows from the scores."""
        self.missed = self.terms.at(z) - self.over + self.under
        self.strengths = 1.0 / self.ratios()

    def dual(self):
        below, above = self.terms.low + self.below, self.terms.high - self.above
        return self.terms.collected(np.where(self.below < self.above, below, above))

    def aim(self, product, corrected):
        upper, lower = product - self.over * self.above, product - self.under * self.below
        if corrected:
            upper += self.d_dual * self.d_over
            lower -= self.d_dual * self.d_under
        self.aims = upper, lower
        self.pulled = self.missed - upper / self.above + lower / self.below
        return self.terms.collected(self.strengths * self.pulled)

    def follow(self, along):
        upper, lower = self.aims
        self.d_dual = self.strengths * (self.terms.moved(along) + self.pulled)
        self.d_over = (upper + self.over * self.d_dual) / self.above
        self.d_under = (lower - self.under * self.d_dual) / self.below
        self.used = (
            (self.d_dual, self.above),
            (-self.d_dual, self.below),
            (-self.d_over, self.over),
            (-self.d_under, self.under),
        )

    def products(self, length):
        if length == 0.0:
            return 0.5 * (self.over * self.above + self.under * self.below)
        change = length * self.d_dual
        upper = (self.over + length * self.d_over) * (self.above - change)
        return 0.5 * (upper + (self.under + length * self.d_under) * (self.below + change))

    def ratios(self):
        return self.over / self.above + self.under / self.below

    def step(self, length, z):
        self.below = self.below + length * self.d_dual
        self.above = self.above - length * self.d_dual
        self.over = self.over + length * self.d_over
        self.under = self.under + length * self.d_under
        self.look(z)

    def hessian(self):
        return self.terms.hessian(self.strengths)


class Kinks(Terms):
    """Losses of one score: a term for every kink."""

    share = 0.5

    def __init__(self, problem: KinkedProblem):
        assert problem.kinks is not None and problem.left is not None and problem.right is not None
        self.problem, self.kinks = problem, problem.kinks
        self.bends = problem.left < problem.right
        self.low, self.high = problem.left, np.where(self.bends, problem.right, problem.left + 1.0)

    def at(self, z):
        return z[:, None] - self.kinks

    def moved(self, along):
        return along[:, None]

    def collected(self, duals):
        return np.where(self.bends, duals, 0.0).sum(axis=1)

    def hessian(self, strengths):
        return self.problem.gram(np.arange(self.problem.n_rows), self.collected(strengths), np.float64)


class Violations:
    """``1 + z_j - z_t`` of every class against the right one, for which it is zero."""

    def __init__(self, problem: KinkedProblem):
        assert problem.targets is not None
        self.problem, self.targets = problem, problem.targets
        self.correct = (np.arange(problem.n_rows), self.targets)
        self.features = joint_features(problem, self.correct[0])

    def at(self, z: Array) -> Array:
        violations = self.moved(z) + 1.0
        violations[self.correct] = 0.0
        return violations

    def moved(self, along: Array) -> Array:
        return along - along[self.correct][:, None]

    def balanced(self, duals: Array) -> Array:
        """Duals whose right class takes up what the wrong ones have."""
        balanced = duals.copy()
        balanced[self.correct] = 0.0
        balanced[self.correct] = -balanced.sum(axis=1)
        return balanced


class WrongClasses(Terms):
    """Weston and Watkins' losses: a term for every wrong class, and one for the right class that nobody collects."""

    low, high = np.zeros((1, 1)), np.ones((1, 1))

    def __init__(self, problem: KinkedProblem):
        self.problem, self.violations = problem, Violations(problem)
        # all of a row's terms pull at its right class: the more there are, the less each of them
        self.share = 1.0 / problem.n_outputs

    def at(self, z):
        return self.violations.at(z)

    def moved(self, along):
        return self.violations.moved(along)

    def collected(self, duals):
        return self.violations.balanced(duals)

    def hessian(self, strengths):
        features, targets = self.violations.features, self.violations.targets
        return in_order(of_stars(features, self.problem.weights, strengths, targets), self.problem)


class Simplices(Interior):
    """Crammer and Singer's losses: duals of a row's classes share one, what is left of it being the right class's."""

    d_inside: Array  # of the last step
    d_under: Array

    def __init__(self, problem: KinkedProblem, z: Array):
        super().__init__(problem)
        self.violations = Violations(problem)
        t = self.violations.at(z)
        self.inside = np.full(t.shape, 1.0 / t.shape[1])
        self.top = t.max(axis=1) + 1.0
        self.under = self.top[:, None] - t
        self.look(z)

    def look(self, z: Array) -> None:
        """See what follows from the scores."""
        self.missed = self.violations.at(z) - self.top[:, None] + self.under
        self.strengths = self.inside / self.under
        self.total = self.strengths.sum(axis=1)

    def dual(self):
        return self.violations.balanced(self.inside)

    def aim(self, product, corrected):
        self.aims = product - self.under * self.inside
        if corrected:
            self.aims -= self.d_under * self.d_inside
        self.pulled = self.missed + self.aims / self.inside
        return self.strengths * (self.pulled - self.means(self.pulled)[:, None])

    def means(self, moves: Array) -> Array:
        """Every row's mean of moves, by the strengths."""
        return np.einsum("ij,ij->i", self.strengths, moves) / self.total

    def follow(self, along):
        moves = self.violations.moved(along) + self.pulled
        self.d_top = self.means(moves)
        self.d_inside = self.strengths * (moves - self.d_top[:, None])
        self.d_under = (self.aims - self.under * self.d_inside) / self.inside
        self.used = ((-self.d_inside, self.inside), (-self.d_under, self.under))

    def products(self, length):
        if length == 0.0:
            return self.under * self.inside
        return (self.under + length * self.d_under) * (self.inside + length * self.d_inside)

    def ratios(self):
        return self.under / self.inside

    def step(self, length, z):
        self.inside = self.inside + length * self.d_inside
        self.under = self.under + length * self.d_under
        self.top = self.top + length * self.d_top
        self.look(z)

    def hessian(self):
        return in_order(of_simplices(self.violations.features, self.problem.weights, self.strengths), self.problem)
