"""An augmented Lagrangian for piecewise-linear losses: Moreau envelopes, semismooth Newton, a duality gap.

The problem is to minimise ``F(x) = sum_i s_i loss_i(z_i) + 0.5 sum_j penalty_j x_j^2`` with ``z =
forward(x)``. Around a dual ``center`` each loss is replaced by its Moreau envelope: with ``v = z + step *
center`` and ``z' = prox(v, step)``, the gradient of the envelope is the dual ``a = (v - z') / step``,
always a subgradient of the loss at ``z'``, and its generalised Hessian is ``(I - Dprox(v)) / step``, zero
but for the few rows whose ``z'`` is a kink. Newton's method minimises the smooth sum, the center moves to
the dual it found, and so on: the centers converge to the exact dual solution, with no need for a tiny step.

Every dual met on the way bounds the minimum from below (Fenchel-Young: the conjugate at ``a`` is ``a.z' -
loss(z')``), so each point comes with a guaranteed bound on its distance to the minimum: the duality gap.
"""

from dataclasses import dataclass

import numpy as np

from .newton_equations import DENSE_LIMIT, DENSE_WORK, newton_equations

SMALLEST_RIDGE = 1e-14
ENOUGH = 0.01  # of what a new center gains, below which a Newton step is not worth taking
ROUGH_STEPS = 4  # after a new center, with a sample of the rows that bend
FEASIBLE = 1e-9  # residual of a weighted mean of slopes that counts as zero where there is no penalty
EPSILON = np.finfo(float).eps
TINY = np.finfo(float).tiny


@dataclass
class Problem:
    """The rows of ``split``, a penalty, and a linear function of x that stands for rows left out."""

    split: object
    penalty: np.ndarray
    linear: np.ndarray
    constant: float = 0.0

    def __post_init__(self):
        self.penalised = self.penalty > 0.0
        side = min(self.penalty.size, self.split.n_rows * self.split.n_outputs)
        cheap = side**3 <= DENSE_WORK * self.split.work or not self.penalised.any()
        self.dense = self.penalty.size <= DENSE_LIMIT and cheap

    def value(self, x, losses):
        """F(x), for the losses of all rows there."""
        return self.split.weights @ losses + self.linear @ x + self.constant + 0.5 * (self.penalty @ x**2)


@dataclass
class Point:
    """Parameters and duals; if the dual is feasible, they prove ``value - gap <= min F <= value``."""

    x: np.ndarray
    z: np.ndarray
    dual: np.ndarray
    gradient: np.ndarray  # of the envelope
    value: float
    mismatch: float  # the part of the gap that moving the center removes; Newton's steps remove the rest
    gap: float
    feasible: bool  # the gradient is zero up to rounding where there is no penalty

    @property
    def bound(self):
        """The gap where it is one: a bound on F - min F."""
        return self.gap if self.feasible else np.inf

    def improves(self, other):
        """Whether this point proves more than another, or promises more where neither proves anything."""
        return (self.bound, self.gap) < (other.bound, other.gap)


def evaluate(problem, x, z, center, step):
    """The point (x, z) with the dual that the envelope around ``center`` gives it."""
    split = problem.split
    v = z + step * center
    nearest = split.prox(v, step)
    dual = (v - nearest) / step
    gradient = split.adjoint(dual) + problem.linear + problem.penalty * x
    # Fenchel-Young at z' = nearest: loss(z) + conjugate(a) - a.z = loss(z) - loss(z') - a.(z - z') >= 0
    losses = split.value(z)
    mismatch = losses - split.value(nearest) - row_products(dual, z - nearest)
    mismatch = split.weights @ np.maximum(mismatch, 0.0)
    penalised = problem.penalised
    shift = 0.5 * (gradient[penalised] ** 2 @ (1.0 / problem.penalty[penalised]))
    free = np.abs(gradient[~penalised])
    gap = mismatch + shift + free @ (1.0 + np.abs(x[~penalised]))
    feasible = bool(np.all(free <= FEASIBLE))
    return Point(x, z, dual, gradient, problem.value(x, losses), mismatch, gap, feasible)


def duality_gap(split, x, dual):
    """F(x), and a bound on F(x) - min F from a dual that is nearly optimal."""
    problem = Problem(split, split.penalty, np.zeros(split.penalty.size))
    point = evaluate(problem, x, split.forward(x), dual, first_step(split))
    return point.value, point.bound


def row_products(a, b):
    """The scalar product of every row of a with the same row of b."""
    return a * b if a.ndim == 1 else np.einsum("ij,ij->i", a, b)


@dataclass
class Run:
    """An augmented Lagrangian under way."""

    problem: Problem
    center: np.ndarray
    step: float
    point: Point
    best: Point
    smallest_step: float
    longest: float  # change of a score to allow in one step
    ridge: float = SMALLEST_RIDGE
    newton_steps: int = 0  # since the center moved
    left: float = np.inf  # the mismatch when the center moved
    lowest: float = np.inf  # gap so far, feasible or not
    idle: int = 0  # how many times the center has moved since the gap got lower
    stale: int = 0  # how many steps were taken since then
    solve: object = None  # Newton's equations of the last step

    @classmethod
    def start(cls, problem, x, z, center, step):
        point = evaluate(problem, x, z, center, step)
        longest = 10.0 * max(np.abs(z).max(), step * np.abs(point.dual).max(), step)
        return cls(problem, center, step, point, point, 1e-5 * step, longest)

    def advance(self):
        """Take one Newton step, or move the center where the last one was enough; return whether it moved."""
        problem, x, z = self.problem, self.point.x, self.point.z
        if self.newton_steps > 0 and self.is_solved(self.last_expectation()):
            return self.recenter()
        v, rough = z + self.step * self.center, self.newton_steps < ROUGH_STEPS
        solve = self.solve = newton_equations(problem, v, self.step, 0.2 * self.point.mismatch, rough)
        direction = solve(-self.point.gradient, self.ridge)
        if self.is_solved(-(self.point.gradient @ direction)):
            return self.recenter()
        direction, along = self.shorten(solve, direction)
        t = line_search(problem, self.point, direction, along, self.center, self.step, self.longest)
        if t * np.abs(along).max() > 0.99 * self.longest:  # scores of heavy-tailed rows may have far to go
            self.longest *= 2.0
        x, z = x + t * direction, z + t * along
        if not problem.dense:
            x, z = settle_intercepts(problem, x, z, self.center, self.step)
        self.newton_steps += 1
        self.point = evaluate(problem, x, z, self.center, self.step)
        self.compare()
        return False

    def recenter(self):
        """Move the center; return that it moved."""
        self.move_center()
        self.point = evaluate(self.problem, self.point.x, self.point.z, self.center, self.step)
        self.compare()
        return True

    def last_expectation(self):
        """What a Newton step should gain by the equations of the last one, where solving them again is cheap."""
        if not self.problem.dense:
            return np.inf
        gradient = self.point.gradient
        return gradient @ self.solve(gradient, self.ridge)

    def is_solved(self, expected):
        """Whether a Newton step that should lower the envelopes by so much gains less than a new center."""
        rounding = 1e-10 * EPSILON * abs(self.point.value)
        if self.problem.dense:  # one more Newton step would end it
            enough = expected <= ENOUGH * self.point.mismatch and self.point.gap <= 10.0 * self.point.mismatch
        else:
            enough = self.point.gap <= 2.0 * self.point.mismatch
        return expected <= rounding or (self.newton_steps > 0 and enough)

    def shorten(self, solve, direction):
        """Regularise a step that the rows in the window leave open; return it and the scores' change."""
        forward = self.problem.split.forward
        along = forward(direction)
        while np.abs(along).max() > 1e6 * self.longest and self.ridge < 1.0:
            self.ridge *= 1e3
            direction = solve(-self.point.gradient, self.ridge)
            along = forward(direction)
        self.ridge = max(1e-3 * self.ridge, SMALLEST_RIDGE)
        return direction, along

    def compare(self):
        """Keep the point if it has the smallest gap so far."""
        self.stale += 1
        if self.point.gap < 0.9 * self.lowest:
            self.lowest, self.idle, self.stale = self.point.gap, 0, 0
        if self.point.improves(self.best):
            self.best = self.point

    def move_center(self):
        """Center the envelopes on the dual just found; shorten the step unless that alone converges fast."""
        progress = self.point.mismatch / self.left if self.left > 0.0 else 0.0
        shorter = self.step
        if self.newton_steps > 0 and progress > 0.01:
            shorter *= 0.1 if progress > 0.9 else 0.3 if self.newton_steps <= 2 else 0.5
        # shorter steps cost digits of the duals; tiny scores need few of them, and without progress nothing is lost
        smallest = min(self.smallest_step, 1e-4 * np.abs(self.point.z).max()) * (1e-4 if progress > 0.9 else 1.0)
        if self.newton_steps > 4 or shorter < smallest:
            shorter = self.step
        self.idle += shorter == self.step
        self.step = shorter
        self.center, self.left, self.newton_steps = self.point.dual, self.point.mismatch, 0


def settle_intercepts(problem, x, z, center, step, maxiter=20):
    """Minimise the envelopes over the intercepts alone: Newton's method in the scores, without a pass."""
    split = problem.split
    count = split.n_intercepts
    if not count:
        return x, z
    shift = np.zeros(count)

    def residual(shift):
        v = z + step * center + (shift if z.ndim == 2 else shift[0])
        duals = (v - split.prox(v, step)) / step
        return np.atleast_1d(split.weights @ duals) + problem.linear[-count:], v

    left, v = residual(shift)
    for _ in range(maxiter):
        rows, blocks = split.curvature(v, step)
        slope = np.tensordot(split.weights[rows], blocks, axes=1).reshape(count, count) / step
        change = -np.linalg.lstsq(slope, left, rcond=1e-12)[0]
        while np.abs(change).max() > EPSILON * step:
            trial, v_trial = residual(shift + change)
            if np.linalg.norm(trial) < np.linalg.norm(left):
                break
            change *= 0.5
        else:
            break
        shift, left, v = shift + change, trial, v_trial
    x = x.copy()
    x[-count:] += shift
    return x, z + (shift if z.ndim == 2 else shift[0])


def line_search(problem, point, direction, along, center, step, longest, tolerance=0.1, maxiter=60):
    """Step length at which the envelope's slope along the direction is (nearly) zero; no pass over the data.

    No score moves by more than ``longest``.
    """
    split, penalty = problem.split, problem.penalty
    constant = (problem.linear + penalty * point.x) @ direction
    quadratic = penalty @ direction**2

    def slope(t):
        v = point.z + t * along + step * center
        dual = (v - split.prox(v, step)) / step
        return split.weights @ row_products(dual, along) + constant + t * quadratic

    start = point.gradient @ direction
    # what rounding leaves of a slope near zero: a dual is a difference of scores, divided by the step
    rounding = EPSILON / step * (split.weights @ row_products(np.abs(point.z), np.abs(along)))
    low, slope_low, high, slope_high = 0.0, start, None, None
    limit = longest / max(np.abs(along).max(), TINY)
    t = min(1.0, limit)
    for trial in range(1, maxiter + 1):
        slope_t = slope(t)
        if abs(slope_t) <= max(tolerance * abs(start), rounding) or (slope_t < 0.0 and t >= limit):
            return t
        # The slope increases with t: regula falsi, halving the kept end's slope (Illinois), now and then a
        # geometric bisection.
        if slope_t < 0.0:
            low, slope_low, slope_high = t, slope_t, slope_high and 0.5 * slope_high
        else:
            high, slope_high, slope_low = t, slope_t, 0.5 * slope_low
        if high is None:
            t = min(2.0 * t, limit)
        elif trial % 3 == 0:
            t = np.sqrt(low * high) if low > 0.0 else 0.01 * high
        else:
            t = (low * slope_high - high * slope_low) / (slope_high - slope_low)
    return low


def zero_scores(split):
    """Scores of zero for all rows, in their shape."""
    return np.zeros(split.n_rows if split.n_outputs == 1 else (split.n_rows, split.n_outputs))


def first_step(split):
    """A step with which the proximal operator alone would remove nine tenths of the losses at score zero.

    Losses of K scores bend in K directions at once, and take steps K times as long to be as smooth.
    """
    z = zero_scores(split)
    total = split.weights @ split.value(z)

    def enough(step):
        return split.weights @ split.value(split.prox(z, step)) <= 0.1 * total

    step = 1.0
    while not enough(step) and step < 1e30:
        step *= 2.0
    while total > 0.0 and step > 1e-30 and enough(0.5 * step):
        step *= 0.5
    return split.n_outputs * step
