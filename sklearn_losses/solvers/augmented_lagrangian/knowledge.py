"""What one run of the exact solver knows: the best solution, and the best lower bound of F."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .envelopes import EPSILON, DualPoint, Subproblem, zero_scores
from .lower_bound import LowerBound, prove, repair
from .problem import Array, KinkedProblem

EXACT = 1e-13  # relative gap at which there is nothing left to gain
ROUNDED = 1e-15  # the same for a gap that is rounding, relative to the losses at score zero
CLEAR = 1e-13  # relative error of a value that says nothing
SAME = 4 * EPSILON  # relative difference of values that is rounding


@dataclass(frozen=True)
class Solution:
    """Parameters, their scores and F there, with what F - min F is thought to be."""

    x: Array
    z: Array
    value: float
    gap: float = np.inf

    def is_better_than(self, other: Solution) -> bool:
        """Whether F is lower; among values that are the same but for rounding, whether it is nearer to the minimum."""
        same = abs(self.value - other.value) <= SAME * abs(other.value)
        return self.gap < other.gap if same else self.value < other.value


class Knowledge:
    """The best solution so far, and what bounds F from below.

    Parameters
    ----------
    problem : KinkedProblem
        The whole problem.
    tol : float
        The duality gap to reach, relative to F.
    """

    def __init__(self, problem: KinkedProblem, tol: float):
        self.problem, self.tol = problem, tol
        zero = zero_scores(problem)
        at_zero = float(problem.weights @ problem.value(zero))
        self.scale = at_zero - (problem.least if np.isfinite(problem.least) else 0.0)
        self.best = Solution(np.zeros_like(problem.penalty), zero, at_zero)
        self.leader: DualPoint | None = None  # by an estimate, the point with the highest lower bound
        self.proof: LowerBound | None = None
        self.tried: DualPoint | None = None  # the last leader that a proof was drawn from

    def keep(self, point: DualPoint) -> None:
        """Remember a point of the whole problem if F, or its lower bound, is the best so far."""
        found = Solution(point.x, point.z, point.value, point.bound)
        if found.is_better_than(self.best):
            self.best = found
        if self.leader is None or not np.isfinite(self.leader.bound):
            higher = self.leader is None or point.improves(self.leader)
        else:
            rise = point.value - self.leader.value - (point.bound - self.leader.bound)
            same = abs(rise) <= SAME * abs(point.value)
            higher = point.improves(self.leader) if same else rise > 0.0
        if higher:
            self.leader = point

    def settle_for(self, point: DualPoint) -> None:
        """Take the last point of a run that ended exact: which of such values is the lowest, rounding decides."""
        if point.value - self.best.value <= self.nothing(point.value):
            self.best = Solution(point.x, point.z, point.value, point.bound)

    def compute_anew(self, whole: Subproblem) -> None:
        """The best value from its parameters where it has become small: scores were summed up along the way."""
        best = self.best
        if ROUNDED * self.scale > CLEAR * best.value and best.x.any():
            z = self.problem.forward(best.x)
            self.best = Solution(best.x, z, whole.value(best.x, self.problem.value(z)), best.gap)

    def estimate(self) -> float:
        """What F - min F is at most by the estimate of the best lower bound."""
        if self.leader is None:
            return np.inf
        return max(self.best.value - self.leader.value + self.leader.bound, 0.0)

    def gap(self) -> float:
        """What F - min F is at most."""
        leader, best, problem = self.leader, self.best, self.problem
        if leader is not None and leader is not self.tried:
            self.tried = leader
            pull = leader.gradient - problem.penalty * leader.x
            proof = prove(problem, leader.dual, pull) or repair(problem, leader)
            known = np.inf if self.proof is None else self.proof.gap(problem, best.x, best.z)
            if proof is not None and proof.gap(problem, best.x, best.z) < known:
                self.proof = proof
        known = np.inf if self.proof is None else self.proof.gap(problem, best.x, best.z)
        return min(known, max(best.value - problem.least, 0.0))

    def is_certified(self) -> bool:
        """Whether F is proved to be within the tolerance of its minimum, or is zero but for rounding."""
        if self.has_vanished(self.best.value):
            return True
        allowed = self.tol * abs(self.best.value)
        return self.estimate() <= allowed and self.gap() <= allowed

    def has_vanished(self, value: float) -> bool:
        """Whether F is its least value but for rounding."""
        return value - self.problem.least <= self.problem.rounding

    def is_within(self, tol: float, point: DualPoint) -> bool:
        """Whether a point promises a relative gap."""
        return point.bound <= tol * abs(point.value) or self.has_vanished(point.value)

    def is_exact(self, point: DualPoint) -> bool:
        """Whether nothing is left to gain."""
        return point.bound <= self.nothing(point.value) or self.has_vanished(point.value)

    def nothing(self, value: float) -> float:
        """The gap at a value of F that leaves nothing to gain."""
        return max(EXACT * abs(value), min(ROUNDED * self.scale, self.tol * abs(value)))
