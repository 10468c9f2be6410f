"""An augmented Lagrangian for piecewise-linear losses: Moreau envelopes, semismooth Newton, a duality gap.

The problem is to minimise ``F(x) = sum_i s_i loss_i(z_i) + 0.5 sum_j penalty_j x_j^2`` with ``z =
forward(x)``. Around a dual ``center`` each loss is replaced by its Moreau envelope: with ``v = z + step *
center`` and ``z' = prox(v, step)``, the gradient of the envelope is the dual ``a = (v - z') / step``,
always a subgradient of the loss at ``z'``, and its generalised Hessian is ``(I - Dprox(v)) / step``, zero
but for the few rows that bend there. Newton's method minimises the smooth sum, the center moves to
the dual it found, and so on: the centers converge to the exact dual solution, with no need for a tiny step.

Every dual met on the way bounds the minimum from below (Fenchel-Young). What stands here is an estimate of that bound;
`lower_bound` proves it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .newton_equations import DENSE_LIMIT, DENSE_WORK, JOINT_DENSE_WORK, Solve, newton_equations
from .problem import Array, Bending, KinkedProblem

SMALLEST_RIDGE = 1e-14  # of the diagonal; it grows where steps are left open
ENOUGH = 0.01  # of what a new center gains, below which a Newton step is not worth taking
ROUGH_STEPS = 4  # after a new center, with a sample of the rows that bend
ACCURATE = 0.2  # of the mismatch: how much of the gap Newton's equations may leave
NARROWEST, TINY_SCORES, IN_NEED = 1e-5, 1e-4, 1e-4  # step beside the first, beside scores, and where these do not help
LONGEST = 10.0  # times the size of the scores, or of what duals move them by: a change of a score in one step
USED_UP = 0.99  # of the longest change, from which on a longer one is allowed
NOTHING = 1e-10  # of rounding of F: a gain that is none
FEW_TIMES, MANY_TIMES = 2.0, 10.0  # the mismatch, from which a gap is Newton's to close: by products, and by factors
OPEN = 1e6  # times the longest change: a direction that the rows leave open
MORE_RIDGE, LESS_RIDGE = 1e3, 1e-3  # than before, where a direction is open and where it is not
LOWER = 0.9  # of the lowest gap so far: progress
FAST, HARDLY = 0.01, 0.9  # share of the mismatch that a new center may leave, after Newton's steps and after none
HARDLY_ANY, SOON = 2, 4  # Newton steps for a center: narrower envelopes take few, others stay as they are
MUCH, MORE, LESS = 0.1, 0.3, 0.5  # of a step that the next one is, the slower its centers were
SINGULAR = 1e-12  # of the largest singular value: the common shift of the classes
CLOSER = 0.01  # of a step that is too long, where no shorter one is known
ENDS = 0.1  # share of the losses that the first step leaves
ENDLESS, ENDED = 1e30, 1e-30  # first steps at the most and at the least
FEASIBLE = 1e-9  # weighted mean of slopes, beside that of their sizes, that may yet be mended where it has to be zero
SETTLED = 1e-9  # change of the parameters that weights in place of repeated rows may make
EPSILON = float(np.finfo(float).eps)
TINY = float(np.finfo(float).tiny)


@dataclass
class Subproblem:
    """The losses of some rows, a penalty, and a linear function of x that stands for the rows left out."""

    terms: KinkedProblem
    penalty: Array
    linear: Array
    constant: float = 0.0

    def __post_init__(self) -> None:
        self.penalised = self.penalty > 0.0
        side = min(self.penalty.size, self.terms.n_rows * self.terms.n_outputs)
        most = DENSE_WORK if self.terms.n_outputs == 1 else JOINT_DENSE_WORK
        cheap = side**3 <= most * self.terms.work or not self.penalised.any()
        self.dense = bool(self.penalty.size <= DENSE_LIMIT and cheap)

    @classmethod
    def whole(cls, problem: KinkedProblem) -> Subproblem:
        """All rows."""
        return cls(problem, problem.penalty, np.zeros_like(problem.penalty))

    def value(self, x: Array, losses: Array) -> float:
        """F(x), for the losses of all rows there."""
        penalty = self.penalty @ x**2
        return float(self.terms.weights @ losses + self.linear @ x + self.constant + 0.5 * penalty)


@dataclass
class DualPoint:
    """Parameters and duals: an estimate of how far they are from the minimum."""

    x: Array
    z: Array
    dual: Array
    gradient: Array  # of the envelope
    value: float
    mismatch: float  # the part of the gap that moving the center removes; Newton's steps remove the rest
    gap: float  # up to rounding that of the dual, once it is feasible
    feasible: bool  # the gradient is almost zero where there is no penalty

    @property
    def bound(self) -> float:
        """The gap where it means something."""
        return self.gap if self.feasible else np.inf

    def improves(self, other: DualPoint) -> bool:
        """Whether this point promises more than another."""
        return (self.bound, self.gap) < (other.bound, other.gap)


def evaluate(problem: Subproblem, x: Array, z: Array, center: Array, step: float) -> DualPoint:
    """The point (x, z) with the dual that the envelope around ``center`` gives it."""
    return with_dual(problem, x, z, problem.terms.dual(z + step * center, step))


def with_dual(problem: Subproblem, x: Array, z: Array, dual: Array) -> DualPoint:
    """The point (x, z) with any dual."""
    terms, penalised = problem.terms, problem.penalised
    gradient = terms.adjoint(dual) + problem.linear + problem.penalty * x
    losses, excess = terms.value_and_excess(z, dual)
    mismatch = float(terms.weights @ np.maximum(excess, 0.0))
    shift = 0.5 * float(gradient[penalised] ** 2 @ (1.0 / problem.penalty[penalised]))
    free = np.abs(gradient[~penalised])
    feasible = not free.size or bool(free.max() <= FEASIBLE * mean_size(terms, dual))
    gap = mismatch + shift + float(free @ (1.0 + np.abs(x[~penalised])))
    return DualPoint(x, z, dual, gradient, problem.value(x, losses), mismatch, gap, feasible)


def mean_size(terms: KinkedProblem, dual: Array) -> float:
    """The weighted mean of the largest coordinate of every row's dual."""
    sizes = np.abs(dual)
    return float(terms.weights @ (sizes if dual.ndim == 1 else sizes.max(axis=1)))


def row_products(a: Array, b: Array) -> Array:
    """The scalar product of every row of a with the same row of b."""
    return a * b if a.ndim == 1 else np.einsum("ij,ij->i", a, b)


class Envelopes:
    """An augmented Lagrangian under way.

    Parameters
    ----------
    problem : Subproblem
        What is minimised.
    x, z, center : ndarray
        Where from; z are the scores of x, and the envelopes are centered on the dual ``center``.
    step : float
        The width of the envelopes.
    """

    def __init__(self, problem: Subproblem, x: Array, z: Array, center: Array, step: float):
        self.problem, self.center, self.step = problem, center, step
        self.point = self.best = evaluate(problem, x, z, center, step)
        self.smallest_step = NARROWEST * step
        # change of a score to allow in one step
        self.longest = LONGEST * max(np.abs(z).max(), step * np.abs(self.point.dual).max(), step)
        self.ridge = SMALLEST_RIDGE
        self.newton_steps = 0  # since the center moved
        self.left = np.inf  # the mismatch when the center moved
        self.lowest = np.inf  # gap so far, feasible or not
        self.idle = 0  # how many times the center has moved since the gap got lower
        self.stale = 0  # how many steps were taken since then
        self.solve: Solve | None = None  # Newton's equations of the last step
        self.bending = problem.terms.bending(self.point.dual)  # the rows that bend in the envelopes at the point
        self.settled = False  # whether Newton's method saw nothing left to move

    def advance(self) -> bool:
        """Take one Newton step, or move the center where the last one was enough; return whether it moved."""
        problem, point = self.problem, self.point
        if self.newton_steps > 0 and self.is_solved(self.last_expectation()):
            return self.recenter()
        rough = self.newton_steps < ROUGH_STEPS
        solve = self.solve = newton_equations(problem, self.bending, self.step, ACCURATE * point.mismatch, rough)
        direction = solve(-point.gradient, self.ridge)
        if self.is_solved(-float(point.gradient @ direction)):
            return self.recenter()
        direction, along = self.shorten(solve, direction)
        t = line_search(problem, point, direction, along, self.center, self.step, self.longest)
        if t * np.abs(along).max() > USED_UP * self.longest:  # scores of heavy-tailed rows may have far to go
            self.longest *= 2.0
        x, z = point.x + t * direction, point.z + t * along
        if not problem.dense:
            x, z = settle_intercepts(problem, x, z, self.center, self.step)
        self.newton_steps += 1
        self.settled = bool(np.abs(direction).max() <= SETTLED * np.abs(x).max())
        self.point = evaluate(problem, x, z, self.center, self.step)
        self.compare()
        return False

    def recenter(self) -> bool:
        """Move the center; return that it moved."""
        self.settled = self.settled or self.newton_steps == 0
        self.move_center()
        self.point = evaluate(self.problem, self.point.x, self.point.z, self.center, self.step)
        self.compare()
        return True

    def last_expectation(self) -> float:
        """What a Newton step should gain by the equations of the last one, where solving them again is cheap."""
        if not self.problem.dense or self.solve is None:
            return np.inf
        gradient = self.point.gradient
        return float(gradient @ self.solve(gradient, self.ridge))

    def is_solved(self, expected: float) -> bool:
        """Whether a Newton step that should lower the envelopes by so much gains less than a new center."""
        rounding = NOTHING * EPSILON * abs(self.point.value)
        if self.problem.dense:  # one more Newton step would end it
            enough = expected <= ENOUGH * self.point.mismatch and self.point.gap <= MANY_TIMES * self.point.mismatch
        else:
            enough = self.point.gap <= FEW_TIMES * self.point.mismatch
        return expected <= rounding or (self.newton_steps > 0 and enough)

    def shorten(self, solve: Solve, direction: Array) -> tuple[Array, Array]:
        """Regularise a step that the rows in the window leave open; return it and the scores' change."""
        forward = self.problem.terms.forward
        along = forward(direction)
        while np.abs(along).max() > OPEN * self.longest and self.ridge < 1.0:
            self.ridge *= MORE_RIDGE
            direction = solve(-self.point.gradient, self.ridge)
            along = forward(direction)
        self.ridge = max(LESS_RIDGE * self.ridge, SMALLEST_RIDGE)
        return direction, along

    def compare(self) -> None:
        """Keep the point if it has the smallest gap so far."""
        self.bending = self.problem.terms.bending(self.point.dual)
        self.stale += 1
        if self.point.gap < LOWER * self.lowest:
            self.lowest, self.idle, self.stale = self.point.gap, 0, 0
        if self.point.improves(self.best):
            self.best = self.point

    def move_center(self) -> None:
        """Center the envelopes on the dual just found; shorten the step unless that alone converges fast."""
        progress = self.point.mismatch / self.left if self.left > 0.0 else 0.0
        shorter = self.step
        if progress > (FAST if self.newton_steps > 0 else HARDLY):
            shorter *= MUCH if progress > HARDLY else MORE if self.newton_steps <= HARDLY_ANY else LESS
        # shorter steps cost digits of the duals; tiny scores need few of them, and without progress nothing is lost
        smallest = min(self.smallest_step, TINY_SCORES * np.abs(self.point.z).max())
        smallest *= IN_NEED if progress > HARDLY else 1.0
        if self.newton_steps > SOON or shorter < smallest:
            shorter = self.step
        self.idle += shorter == self.step
        self.step = shorter
        self.center, self.left, self.newton_steps = self.point.dual, self.point.mismatch, 0


def settle_intercepts(
    problem: Subproblem, x: Array, z: Array, center: Array, step: float, maxiter: int = 20
) -> tuple[Array, Array]:
    """Minimise the envelopes over the intercepts alone: Newton's method in the scores, without a pass."""
    terms = problem.terms
    count = terms.n_intercepts
    if not count:
        return x, z
    shift = np.zeros(count)

    def residual(shift: Array) -> tuple[Array, Array]:
        dual = terms.dual(z + step * center + (shift if z.ndim == 2 else shift[0]), step)
        return np.atleast_1d(terms.weights @ dual) + problem.linear[-count:], dual

    left, dual = residual(shift)
    for _ in range(maxiter):
        bending = terms.bending(dual)
        slope = curvature_of_intercepts(bending, terms.weights[bending.rows]) / step
        change = -np.linalg.lstsq(slope, left, rcond=SINGULAR)[0]
        while np.abs(change).max() > EPSILON * step:
            trial, dual_there = residual(shift + change)
            if np.linalg.norm(trial) < np.linalg.norm(left):
                break
            change *= 0.5
        else:
            break
        shift, left, dual = shift + change, trial, dual_there
    x = x.copy()
    x[-count:] += shift
    return x, z + (shift if z.ndim == 2 else shift[0])


def curvature_of_intercepts(bending: Bending, weights: Array) -> Array:
    """The weighted sum of the bending rows' matrices, (K, K)."""
    if bending.support is None:
        return np.array([[weights.sum()]])
    share = weights / bending.support.sum(axis=1)
    return np.diag(weights @ bending.support) - (bending.support.T * share) @ bending.support


def line_search(
    problem: Subproblem,
    point: DualPoint,
    direction: Array,
    along: Array,
    center: Array,
    step: float,
    longest: float,
    tolerance: float = 0.1,
    maxiter: int = 60,
) -> float:
    """Step length at which the envelope's slope along the direction is (nearly) zero; no pass over the data.

    No score moves by more than ``longest``.
    """
    terms, penalty = problem.terms, problem.penalty
    constant = (problem.linear + penalty * point.x) @ direction
    quadratic = penalty @ direction**2
    middle = point.z + step * center

    def slope(t: float) -> float:
        dual = terms.dual(middle + t * along, step)
        return float(terms.weights @ row_products(dual, along) + constant + t * quadratic)

    start = float(point.gradient @ direction)
    # what rounding leaves of a slope near zero: a dual is a difference of scores, divided by the step
    rounding = EPSILON / step * float(terms.weights @ row_products(np.abs(point.z), np.abs(along)))
    low, slope_low = 0.0, start
    high: float | None = None
    slope_high = 0.0
    limit = longest / max(np.abs(along).max(), TINY)
    t = min(1.0, limit)
    for trial in range(1, maxiter + 1):
        slope_t = slope(t)
        if abs(slope_t) <= max(tolerance * abs(start), rounding) or (slope_t < 0.0 and t >= limit):
            return t
        # The slope increases with t: regula falsi, halving the kept end's slope (Illinois), now and then a
        # geometric bisection.
        if slope_t < 0.0:
            low, slope_low, slope_high = t, slope_t, 0.5 * slope_high
        else:
            high, slope_high, slope_low = t, slope_t, 0.5 * slope_low
        if high is None:
            t = min(2.0 * t, limit)
        elif trial % 3 == 0:
            t = np.sqrt(low * high) if low > 0.0 else CLOSER * high
        else:
            t = (low * slope_high - high * slope_low) / (slope_high - slope_low)
    return low


def zero_scores(terms: KinkedProblem) -> Array:
    """Scores of zero for all rows, in their shape."""
    return np.zeros(terms.n_rows if terms.n_outputs == 1 else (terms.n_rows, terms.n_outputs))


def first_step(terms: KinkedProblem) -> float:
    """A step with which the proximal operator alone would remove nine tenths of the losses at score zero.

    Losses of K scores bend in K directions at once, and take steps K times as long to be as smooth.
    """
    z = zero_scores(terms)
    total = terms.weights @ terms.value(z)

    def enough(step: float) -> bool:
        return bool(terms.weights @ terms.value(z - step * terms.dual(z, step)) <= ENDS * total)

    step = 1.0
    while not enough(step) and step < ENDLESS:
        step *= 2.0
    while total > 0.0 and step > ENDED and enough(0.5 * step):
        step *= 0.5
    return terms.n_outputs * step
