"""Exact minimisation of convex piecewise-linear losses with a quadratic penalty, ended by a duality gap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import OptimizeResult

from .envelopes import EPSILON, TINY, DualPoint, Envelopes, Subproblem, first_step, with_dual, zero_scores
from .intercept_interval import shift_to_middle
from .interior_point import InteriorPoint
from .knowledge import Knowledge, Solution
from .lower_bound import LowerBound, nearest_dual
from .problem import Array, Indices, KinkedProblem
from .working_rows import WorkingRows

SMALL = 1_000_000  # rows times coordinates and outputs up to which a run goes on to the last digit at once
MANY = 2500  # rows from which on a sample and working rows save time
MANY_ROWS = 2  # for every coordinate without a penalty, which make the solution unique as a rule
NEARBY = 3  # rows for every coordinate to begin with, where parameters have been good
INNER_STEPS = 200  # of an interior point method, which takes ten to seventy
LOST = 25  # steps without a smaller gap after an interior point, whose duals were not told apart
ROUNDS = 4  # of working rows
FAILURES = 2  # of working rows, after which all rows are used
MANY_COORDINATES = 5_000  # of joint losses, whose Newton equations take seconds beyond
SEVERAL = 5  # classes from which on many rows bend at once, whatever their number is
CHEAP = 1e8  # multiplications of Newton's equations for all rows that nothing else is cheaper than
ALMOST_EXACT = 1e-8  # relative gap from which envelopes take a few steps to the last digit
NEARLY_EXACT = 1e-10  # relative gap at which little is
LOST_STEPS, LOST_CENTERS = 300, 40  # without a smaller gap where nothing is certified yet: there is nothing to lose
LATE_STEPS, LATE_CENTERS, LAST_STEPS = 60, 15, 15  # the same where something is, and where that is nearly exact
SAMPLE, FEWEST = 10, 500  # rows of a sample for every coordinate, and at the least
WORTH_A_SAMPLE = 3  # times as many rows as a sample has
ROUGHLY, ROUGH_STEPS = 0.01, 20  # relative gap at which a sample's solution is as good as it, and idle steps before
NOTHING = 1e-4  # of the losses at score zero: a gap that leaves a sample nothing to say
WIDER = 1.5  # than the last window, one in which more rows bend
NEAR_SHARE = 0.05  # of all rows in the window, below which working rows are few
NEAREST = 20  # times as many rows as bend to begin with near good parameters
NARROWEST, WIDEST = 1e-3, 0.3  # first steps of a run that goes on, beside those of one that begins
OF_ROOT = 10.0  # times the root of a relative gap: how far scores are from those of the solution
BELOW = 10.0  # times the gap that the value of working rows may fall by, before too much is left out
SPARE = 1e-7  # of the longest move of a score: reach that rounding needs
PART_STEPS = 150  # of one set of working rows
FAR_AWAY = 10.0  # steps, where losses are straight lines
FLAT = 1e-13  # relative difference of values on an interval of minimisers
CONVERGED, LIMIT, ROUNDING, STOPPED = 0, 1, 2, 99  # statuses of results


def augmented_lagrangian(
    fun, x0, args=(), *, jac=None, callback=None, problem, dual=None, tol=1e-6, maxiter=1000, random_state=0, **unknown
):
    """Minimise ``sum_i s_i loss_i(z_i) + 0.5 sum_j penalty_j x_j^2`` over x, exactly; ``z = forward(x)``.

    A custom method for `scipy.optimize.minimize`, for losses that are convex and piecewise linear in z. It reads
    ``problem`` alone, and neither ``fun`` nor ``jac``. Many rows are first reduced to a sample, then to the rows near a
    kink of their loss, so that it takes about ten passes over the data.

    Parameters
    ----------
    fun, x0, args, jac, callback
        As SciPy passes them. The solution is never worse than x0, nor than zero.
    problem : KinkedProblem
        What is minimised.
    dual : ndarray of the scores' shape, optional
        Near the dual solution, to start from beside x0.
    tol : float
        The duality gap to reach, relative to F.
    maxiter : int
        The number of Newton and multiplier steps, most of them on a part of the rows.
    random_state : int or numpy.random.RandomState
        Seed for the rows on which large problems start. It does not change what they converge to.

    Returns
    -------
    OptimizeResult
        With ``dual_gap``, a bound on F - min F however the run ended, and the ``dual`` that proves it. ``status`` is 0
        where the gap is within ``tol * F``, or F is its least value up to rounding; 1 at ``maxiter``; 2 where progress
        ended before, most often by rounding; 99 where the callback raised StopIteration.
    """
    search = Search(problem, tol, maxiter, callback, random_state)
    try:
        search.solve(np.array(x0, dtype=float), dual)
        return search.result(stopped=False)
    except StopIteration:
        return search.result(stopped=True)


class Search:
    """One call of the solver: what is known so far, and what may still be spent."""

    def __init__(self, problem: KinkedProblem, tol: float, maxiter: int, callback: Callable | None, seed):
        self.problem, self.whole = problem, Subproblem.whole(problem)
        self.tol, self.maxiter, self.callback, self.seed = tol, maxiter, callback, seed
        self.nit = 0
        self.known = Knowledge(problem, tol)
        # but for intercepts, which one score decides; otherwise there is no telling when the parameters have settled
        self.is_unique = bool(self.whole.penalised[: problem.penalty.size - problem.n_intercepts].all())
        self.inner: DualPoint | None = None  # inside the ranges of duals, where nothing exact was found

    def solve(self, x: Array, dual: Array | None) -> None:
        """Step until certified; where steps are cheap, for small problems or few rows, to the last digit."""
        if not x.size:
            self.known.proof = LowerBound(self.problem.slope(self.known.best.z), x)
            return
        rows, failures = self.problem.n_rows, 0
        exact = rows * x.size * self.problem.n_outputs <= SMALL
        run = self.start(x, dual, exact)
        if self.nit and not exact and self.known.is_certified():
            return
        if rows >= MANY and self.few_rows_bend(run):
            if self.solve_working_rows(run):
                return
            failures += 1
        crossing = self.inner is not None
        while True:
            if crossing and run.stale >= LOST and not self.known.is_exact(run.best):
                run, crossing = self.start_from_zero(), False
            if self.finished(run, exact):
                if exact and run.settled:
                    self.known.settle_for(run.point)
                if exact or self.known.is_certified() or self.nit >= self.maxiter:
                    break
                exact = True  # what an estimate promised takes more digits to prove
                continue
            moved = self.advance(run)
            self.known.keep(run.point)
            self.report(run.point)
            if moved and failures < FAILURES and rows >= MANY and self.few_rows_bend(run):
                if self.solve_working_rows(run):
                    break
                failures += 1

    def finished(self, run: Envelopes, exact: bool) -> bool:
        """Whether a run promises the tolerance (and, if exact, has nothing more to gain), or finds no way forward."""
        point = run.best
        promised = self.known.is_within(self.tol, point)
        if promised and not exact:
            return True
        if self.nit >= self.maxiter or (self.known.is_exact(point) and (run.settled or not (exact and self.is_unique))):
            return True
        if not promised and not self.known.is_certified():
            return run.idle >= LOST_CENTERS or run.stale >= LOST_STEPS
        steps = LAST_STEPS if point.bound <= NEARLY_EXACT * abs(point.value) else LATE_STEPS
        return run.idle >= LATE_CENTERS or run.stale >= steps

    # stepping

    def advance(self, run: Envelopes) -> bool:
        self.nit += 1
        return run.advance()

    def report(self, point: DualPoint) -> None:
        if self.callback is not None:
            gap = min(self.known.estimate(), max(self.known.best.value - self.problem.least, 0.0))
            state = OptimizeResult(x=point.x, fun=point.value, jac=point.gradient, dual_gap=gap)
            self.callback(intermediate_result=state)

    def start(self, x: Array, dual: Array | None, exact: bool) -> Envelopes:
        """A run on all rows, from x (and a dual), from zero if that is better, or from a random sample of many rows."""
        problem, whole = self.problem, self.whole
        z = self.known.best.z
        if x.any():
            z = problem.forward(x)
            there = Solution(x, z, whole.value(x, problem.value(z)))
            if there.value <= self.known.best.value:
                self.known.best = there
            else:
                x, z, dual = self.known.best.x, self.known.best.z, None
        size = max(FEWEST, SAMPLE * x.size // problem.n_outputs)
        many = problem.n_rows >= max(MANY, WORTH_A_SAMPLE * size)
        cold = not x[: x.size - problem.n_intercepts].any()
        few = problem.n_rows >= max(MANY, NEAREST * NEARBY * x.size) and whole.dense and problem.n_outputs == 1
        if dual is not None:
            run = self.continued(x, z, nearest_dual(problem, dual))
        elif few and not cold:
            run = self.start_nearby(x, z)
        elif self.inside_pays(many):
            run = self.start_from_inside(exact)
        elif many:
            run = self.start_from_sample(x, problem.take(self.sample(size)))
        else:
            run = Envelopes(whole, x, z, np.zeros_like(z), first_step(problem))
        self.known.keep(run.point)
        return run

    def start_from_zero(self) -> Envelopes:
        """A run that relies on nothing."""
        z = zero_scores(self.problem)
        return Envelopes(self.whole, np.zeros_like(self.whole.penalty), z, z, first_step(self.problem))

    def start_nearby(self, x: Array, z: Array) -> Envelopes:
        """Bend the few rows nearest to a kink: parameters that were good for most rows still are."""
        problem = self.problem
        assert problem.kinks is not None
        distances = np.abs(problem.kinks - z[:, None]).min(axis=1)
        few = min(NEARBY * x.size, problem.n_rows // NEAREST) - 1
        step = 2.0 * max(float(np.partition(distances, few)[few]), EPSILON * np.abs(z).max())
        return Envelopes(self.whole, x, z, middle_duals(problem, z, step), step)

    def continued(self, x: Array, z: Array, dual: Array) -> Envelopes:
        """A run from parameters and duals that belong together, the narrower, the better they do."""
        there = with_dual(self.whole, x, z, dual)
        self.known.keep(there)
        share = OF_ROOT * np.sqrt(there.gap / max(there.value - self.problem.least, TINY))
        return Envelopes(self.whole, x, z, dual, float(np.clip(share, NARROWEST, WIDEST)) * first_step(self.problem))

    def inside_pays(self, many: bool) -> bool:
        """Whether Newton's equations for all rows cost less than those of many more steps for the rows that bend."""
        problem, size = self.problem, self.whole.penalty.size
        if not self.is_unique and problem.n_rows * problem.n_outputs < MANY_ROWS * size:
            return False  # of many solutions the envelopes find the same again
        if problem.n_outputs == 1:
            return self.whole.dense and not many
        width = size if problem.together else size // problem.n_outputs
        cheap = size * (problem.n_rows * width + size**2 // 3) <= CHEAP
        cheap = cheap and (not many or problem.n_outputs >= SEVERAL)
        few_rows = problem.n_rows <= 2 * size and self.whole.dense and problem.n_outputs >= SEVERAL
        return size <= MANY_COORDINATES and (cheap or few_rows)

    def start_from_inside(self, exact: bool) -> Envelopes:
        """A run from where an interior point method ends.

        Its point is close to the solution, but on no face of the ranges of duals as the solution is: where the run may
        be exact, the point counts only if the run is not.
        """
        inside = InteriorPoint(self.whole)
        self.go_inside(inside, exact, self.report)
        self.inner = inside.best
        if not exact:
            self.known.keep(inside.best)
        return inside.envelopes()

    def go_inside(self, inside: InteriorPoint, exact: bool, report: Callable[[DualPoint], None] | None = None) -> None:
        """Step until the gap is within the tolerance, or, for a run that may be exact, it is clear which duals move."""
        for _ in range(INNER_STEPS):
            best = inside.best
            if exact:
                enough = self.known.is_within(ALMOST_EXACT, best) and (inside.is_clear or self.known.is_exact(best))
            else:
                enough = self.known.is_within(self.tol, best)
            if enough or self.nit >= self.maxiter:
                break
            self.nit += 1
            moved = inside.advance()
            if report is not None:
                report(inside.point)
            if not moved:
                break

    def sample(self, size: int) -> Indices:
        """About so many rows, one from each of as many equal stretches."""
        random = self.seed if isinstance(self.seed, np.random.RandomState) else np.random.RandomState(self.seed)
        positions = (np.arange(size) + random.uniform(size=size)) * (self.problem.n_rows / size)
        return np.unique(np.minimum(positions.astype(np.intp), self.problem.n_rows - 1))

    def start_from_sample(self, x: Array, sample: KinkedProblem, share: float = 0.25) -> Envelopes:
        """Solve for the sample, then smooth all rows so that a given share of the sample's bend."""
        total = sample.weights.sum()
        part = Subproblem(sample, total * self.problem.penalty, np.zeros_like(x))
        z = sample.forward(x)
        widest = first_step(sample)
        run = Envelopes(part, x, z, np.zeros_like(z), widest)
        least = NOTHING * total * self.known.scale
        while run.stale < ROUGH_STEPS and self.nit < self.maxiter:
            if not run.lowest > max(ROUGHLY * abs(run.best.value), least):
                break
            self.advance(run)
        x, z, step = run.best.x, run.best.z, run.step
        while step < widest and share_in_window(sample, z, middle_duals(sample, z, step), step) < share:
            step *= WIDER
        z = self.problem.forward(x)
        return Envelopes(self.whole, x, z, middle_duals(self.problem, z, step), step)

    def few_rows_bend(self, run: Envelopes) -> bool:
        """Whether few enough rows are in the window to solve for the rows around it alone."""
        return run.bending.rows.size <= NEAR_SHARE * self.problem.n_rows

    def solve_working_rows(self, run: Envelopes) -> bool:
        """Solve for working rows, from where the run stands; return whether that certified a solution."""
        point, center, step = run.point, run.center, run.step
        lowest = point.value - BELOW * run.lowest
        reach = np.full(self.problem.n_rows, 0.5 * step * np.abs(center).max())
        for turn in range(ROUNDS):
            work = WorkingRows.within(self.whole, point.x, point.z, reach)
            if not 0 < work.rows.size <= 0.5 * reach.size:
                return False
            part = self.start_part(work, point.x, center[work.rows], step)
            cheap = part.problem.dense  # steps by conjugate gradients are not, and go no further than asked
            if not self.solve_part(part, turn > 0 and cheap, lowest):
                return False
            previous, point = point, work.extend(part.best)
            self.known.keep(point)
            self.report(point)
            done = self.known.is_exact(point) if turn < 2 and cheap else self.known.is_certified()
            if done or self.nit >= self.maxiter:
                break
            center, step = point.dual, part.step
            reach = distance(point.z, previous.z)
            reach += reach.mean() + SPARE * run.longest
        return self.known.is_certified()

    def start_part(self, work: WorkingRows, x: Array, center: Array, step: float) -> Envelopes:
        """A run on working rows: from inside, which takes the fewest steps, where their duals are numbers."""
        problem = work.problem
        if problem.dense and problem.terms.n_outputs == 1:
            inside = InteriorPoint(problem)
            self.go_inside(inside, exact=True)
            if self.known.is_within(ALMOST_EXACT, inside.best):
                return inside.envelopes()
        return Envelopes(problem, x, problem.terms.forward(x), center, step)

    def solve_part(self, part: Envelopes, exact: bool, lowest: float) -> bool:
        """Step until finished; return whether it is a solution, not a sign that too many rows were left out.

        Tangents in place of losses can leave too little to hold the parameters.
        """
        last = self.nit + PART_STEPS
        while not self.finished(part, exact):
            self.advance(part)
            if part.point.value < lowest or self.nit >= last:
                return False
        return True

    # the end

    def result(self, stopped: bool) -> OptimizeResult:
        known = self.known
        if self.inner is not None and known.estimate() > known.nothing(known.best.value):
            known.keep(self.inner)
        known.compute_anew(self.whole)
        gap = known.gap()
        success = gap <= self.tol * abs(known.best.value) or known.has_vanished(known.best.value)
        if success and self.problem.n_outputs == self.problem.n_intercepts == 1:
            self.move_to_middle()
            gap = known.gap()
        best = known.best
        status = STOPPED if stopped else CONVERGED if success else LIMIT if self.nit >= self.maxiter else ROUNDING
        return OptimizeResult(
            x=best.x,
            fun=best.value,
            dual=known.proof.dual if known.proof is not None else np.zeros_like(best.z),
            dual_gap=gap,
            nit=self.nit,
            status=status,
            success=success and not stopped,
            message=self.message(status, gap),
        )

    def move_to_middle(self) -> None:
        """Put the intercept, the last coordinate, in the middle of the best."""
        best = self.known.best
        shift = shift_to_middle(self.problem, best.z)
        if shift == 0.0:
            return
        x, z = best.x.copy(), best.z + shift
        x[-1] += shift
        value = self.whole.value(x, self.problem.value(z))
        if value - best.value <= FLAT * abs(best.value):
            self.known.best = Solution(x, z, value, best.gap)

    def message(self, status: int, gap: float) -> str:
        value = self.known.best.value
        reached = f"the dual gap is {gap / abs(value) if value else gap:.2g} of F"
        if status == STOPPED:
            return f"Stopped by the callback; {reached}."
        if status == CONVERGED and self.known.has_vanished(value):
            free = not self.whole.penalised[: self.known.best.x.size - self.problem.n_intercepts].all()
            many = "; separable (or interpolated) data have many such solutions" if free else ""
            return f"F is its least value up to rounding{many}."
        if status == CONVERGED:
            return f"Converged: {reached}, at most tol = {self.tol:.2g}."
        spent = "maxiter steps" if status == LIMIT else "no more progress, rounding"
        return f"Ended by {spent}; {reached}, above tol = {self.tol:.2g}."


def distance(z: Array, other: Array) -> Array:
    """How far each row's scores moved at most."""
    moved = np.abs(z - other)
    return moved if moved.ndim == 1 else moved.max(axis=1)


def share_in_window(terms: KinkedProblem, z: Array, center: Array, step: float) -> float:
    """Share of the rows that bend around z, smoothed by the given step."""
    return terms.bending(terms.dual(z + step * center, step)).rows.size / terms.n_rows


def middle_duals(terms: KinkedProblem, z: Array, step: float) -> Array:
    """Duals in the middle of their range: the mean of the losses' slopes far away along every score."""
    far = FAR_AWAY * step
    total = np.zeros_like(z)
    for k in range(terms.n_outputs):
        move = far if z.ndim == 1 else far * (np.arange(z.shape[1]) == k)
        total += terms.slope(z + move) + terms.slope(z - move)
    return total / (2.0 * terms.n_outputs)
