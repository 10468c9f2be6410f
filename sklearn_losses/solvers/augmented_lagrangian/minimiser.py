"""Exact minimisation of convex piecewise-linear losses with a quadratic penalty, ended by a duality gap."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import OptimizeResult

from .envelopes import Problem, Run, first_step, zero_scores
from .intercept_interval import shift_to_middle
from .row_scale import EvenSplit, steepness
from .working_rows import WorkingRows

SMALL = 1_000_000  # rows times coordinates up to which a run goes on to the last digit at once
MANY = 2500  # rows from which on a sample and working rows save time
ROUNDS = 4  # of working rows
FAILURES = 2  # of working rows, after which all rows are used
EXACT = 1e-13  # relative gap at which there is nothing left to gain
NEARLY_EXACT = 1e-10  # relative gap at which little is
ROUNDING = 1e-15  # gap that is zero, relative to the losses at score zero


def augmented_lagrangian(
    fun, x0, args=(), *, jac=None, callback=None, split, tol=1e-6, maxiter=1000, random_state=0, **unknown
):
    """Minimise ``sum_i s_i loss_i(z_i) + 0.5 sum_j penalty_j x_j^2`` over x, exactly; ``z = forward(x)``.

    A custom method for `scipy.optimize.minimize`, for losses that are convex and piecewise linear in z. It
    reads the problem from ``split`` and needs neither ``fun`` nor ``jac``. Many rows are first reduced to a
    sample, then to the rows near a kink of their loss, so that it takes about ten passes over the data.

    Parameters
    ----------
    fun, x0, args, jac, callback
        As SciPy passes them.
    split : object
        The problem as numbers: ``n_rows``, ``n_outputs``, ``n_intercepts``, ``weights`` (n,), summing to one,
        ``penalty`` (P,), ``work``, the multiplications of ``forward``, and the functions ``forward(x)``,
        ``adjoint(a) = sum_i s_i a_i (x) row_i``, ``value(z)``, ``prox(v, step)``, ``curvature(v, step)``,
        ``gram(rows, blocks, dtype)``, ``product(rows, blocks, v)``, ``features(rows)``, these rows of the data, dense,
        and ``take(rows)``, the split of some rows, whose weights stay as they are.
    tol : float
        The duality gap to reach, relative to F.
    maxiter : int
        The number of Newton and multiplier steps, most of them on a part of the rows.
    random_state : int
        Seed for the rows on which large problems start. It does not change what they converge to.

    Returns
    -------
    OptimizeResult
        With ``dual_gap``, a bound on F - min F, and ``dual``, the feasible dual that proves it.
    """
    scale = 1.0 if split.n_outputs > 1 else steepness(split)
    uneven = np.max(scale) > 10.0 or np.min(scale) < 0.1
    problem = Problem(EvenSplit(split, scale) if uneven else split, split.penalty, np.zeros(split.penalty.size))
    fit = Fit(problem, tol, maxiter, callback, np.random.default_rng(random_state))
    try:
        fit.solve(np.array(x0, dtype=float))
        result = fit.result(stopped=False)
    except StopIteration:
        result = fit.result(stopped=True)
    if uneven:
        result.dual *= scale
    return result


@dataclass
class Fit:
    """One call of the solver: the best point so far, and what may still be spent."""

    problem: Problem
    tol: float
    maxiter: int
    callback: object
    random: np.random.Generator

    def __post_init__(self):
        split = self.problem.split
        self.scale = split.weights @ np.abs(split.value(zero_scores(split)))
        self.best = None
        self.nit = 0

    def solve(self, x):
        """Step until certified; where steps are cheap, for small problems or few rows, to the last digit."""
        run = self.start(x)
        rows, failures = self.problem.split.n_rows, 0
        while not self.finished(run, exact=rows * x.size <= SMALL):
            moved = self.advance(run)
            self.keep(run.best)
            self.report(run.point)
            if moved and failures < FAILURES and rows >= MANY and self.few_rows_bend(run):
                if self.solve_working_rows(run):
                    break
                failures += 1

    def finished(self, run, exact):
        """Whether to end: certified (and, if exact, nothing more to gain), or no way forward."""
        certified = self.is_certified(run.best)
        if certified and not exact:
            return True
        patience = 15 if run.best.bound <= NEARLY_EXACT * abs(run.best.value) else 60
        stalled = run.idle >= 15 or run.stale >= patience if certified else run.idle >= 40 or run.stale >= 300
        return self.is_exact(run.best) or stalled or self.nit >= self.maxiter

    def allowed(self, point):
        """The gap that counts as reached: relative to F, or as small as rounding errors where F is zero."""
        return max(self.tol * abs(point.value), 100.0 * ROUNDING * self.scale)

    def is_certified(self, point):
        return point.bound <= self.allowed(point)

    def is_exact(self, point):
        return point.bound <= max(EXACT * abs(point.value), ROUNDING * self.scale)

    def advance(self, run):
        self.nit += 1
        return run.advance()

    def keep(self, point):
        if self.best is None or point.improves(self.best):
            self.best = point

    def report(self, point):
        if self.callback is not None:
            state = OptimizeResult(x=point.x, fun=point.value, jac=point.gradient, dual_gap=self.best.bound)
            self.callback(intermediate_result=state)

    def start(self, x):
        """A run on all rows, from x or from the solution for a random sample of many rows."""
        problem, split = self.problem, self.problem.split
        size = max(500, 20 * x.size // split.n_outputs)
        if split.n_rows < max(MANY, 5 * size):
            z = split.forward(x)
            run = Run.start(problem, x, z, np.zeros_like(z), first_step(split))
        else:
            rows = np.sort(self.random.choice(split.n_rows, size, replace=False))
            run = self.start_from_sample(x, split.take(rows))
        self.keep(run.best)
        return run

    def start_from_sample(self, x, sample, share=0.25):
        """Solve for the sample, then smooth all rows so that a given share of the sample's bend."""
        problem = self.problem
        total = sample.weights.sum()
        part = Problem(sample, total * problem.penalty, total * problem.linear)
        z = sample.forward(x)
        widest = first_step(sample)
        run = Run.start(part, x, z, np.zeros_like(z), widest)
        least = 1e-4 * total * self.scale
        while run.lowest > max(0.01 * abs(run.best.value), least) and run.stale < 20 and self.nit < self.maxiter:
            self.advance(run)
        x, z, step = run.best.x, run.best.z, run.step
        while step < widest and share_in_window(sample, z, middle_duals(sample, z, step), step) < share:
            step *= 1.5
        z = problem.split.forward(x)
        return Run.start(problem, x, z, middle_duals(problem.split, z, step), step)

    def few_rows_bend(self, run):
        """Whether few enough rows are in the window to solve for the rows around it alone."""
        return share_in_window(self.problem.split, run.point.z, run.center, run.step) <= 0.05

    def solve_working_rows(self, run):
        """Solve for working rows, from where the run stands; return whether that certified a solution."""
        point, center, step = run.point, run.center, run.step
        lowest = point.value - 10.0 * run.lowest
        reach = np.full(self.problem.split.n_rows, 0.5 * step * np.abs(center).max())
        for turn in range(ROUNDS):
            work = WorkingRows.within(self.problem, point.x, point.z, reach)
            if not 0 < work.rows.size <= 0.5 * reach.size:
                return False
            z = work.problem.split.forward(point.x)
            part = Run.start(work.problem, point.x, z, center[work.rows], step)
            if not self.solve_part(part, turn > 0, lowest):
                return False
            previous, point = point, work.extend(part.best)
            self.keep(point)
            self.report(point)
            done = self.is_exact(point) if turn < 2 else self.is_certified(point)
            if done or self.nit >= self.maxiter:
                break
            center, step = point.dual, part.step
            reach = distance(point.z, previous.z)
            reach += reach.mean() + 1e-7 * run.longest
        return self.is_certified(point)

    def solve_part(self, part, exact, lowest):
        """Step until finished; return whether it is a solution, not a sign that too many rows were left out.

        Tangents in place of losses can leave too little to hold the parameters.
        """
        last = self.nit + 150
        while not self.finished(part, exact):
            self.advance(part)
            if part.point.value < lowest or self.nit >= last:
                return False
        return True

    def result(self, stopped):
        best = self.best
        success = bool(self.is_certified(best))
        split = self.problem.split
        if success and split.n_outputs == split.n_intercepts == 1:
            best = with_middle_intercept(self.problem, best)
        status = 99 if stopped else 0 if success else 1
        return OptimizeResult(
            x=best.x,
            fun=best.value,
            jac=best.gradient,
            dual=best.dual,
            dual_gap=best.bound,
            nit=self.nit,
            status=status,
            success=success and not stopped,
            message=self.message(status),
        )

    def message(self, status):
        gap, bound = self.best.bound, self.allowed(self.best)
        if status == 99:
            return f"Stopped by the callback; the duality gap is {gap:.2e}."
        if status == 0:
            free = not self.problem.penalised[: self.best.x.size - self.problem.split.n_intercepts].all()
            if free and self.best.value <= 100.0 * ROUNDING * self.scale + gap:
                return "Without a penalty, separable (or interpolated) data have many solutions: this is one."
            return f"The duality gap is {gap:.2e}, at most tol * |F| = {bound:.2e}."
        spent = "maxiter steps" if self.nit >= self.maxiter else "no more progress"
        return f"Ended by {spent} with a duality gap of {gap:.2e}, above tol * |F| = {bound:.2e}."


def with_middle_intercept(problem, point):
    """The point with its intercept, the last coordinate, in the middle of the best; the dual stays valid."""
    shift = shift_to_middle(problem.split, point.z, max(1.0, np.abs(point.z).max()))
    if shift == 0.0:
        return point
    x, z = point.x.copy(), point.z + shift
    x[-1] += shift
    rise = problem.value(x, problem.split.value(z)) - point.value
    if rise > 1e-13 * abs(point.value):
        return point
    return replace(point, x=x, z=z, value=point.value + rise, gap=point.gap + max(rise, 0.0))


def distance(z, other):
    """How far each row's scores moved at most."""
    moved = np.abs(z - other)
    return moved if moved.ndim == 1 else moved.max(axis=1)


def share_in_window(split, z, center, step):
    """Share of the rows that bend around z, smoothed by the given step."""
    rows, _ = split.curvature(z + step * center, step)
    return rows.size / split.n_rows


def middle_duals(split, z, step):
    """Duals in the middle of their range: the mean of the losses' slopes far away along every score."""
    far, short = 10.0 * step, 0.01 * step
    total = np.zeros_like(z)
    for k in range(split.n_outputs):
        move = far if z.ndim == 1 else far * (np.arange(z.shape[1]) == k)
        for v in (z + move, z - move):
            total += (v - split.prox(v, short)) / short
    return total / (2.0 * split.n_outputs)
