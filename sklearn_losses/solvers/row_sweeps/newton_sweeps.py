"""Newton's method whose equations are solved by sweeps over the duals of sparse rows."""

import numpy as np
from scipy.optimize import OptimizeResult

from ..descent import CALLBACK, CONVERGED, EPSILON, MAXITER, NOT_FINITE, Point
from ..line_search import line_search
from .boxed import FLAT
from .duals import TINY, Duals, ended

FLATTEST = 1e-10  # curvature, beside the mean, that a row counts with at least
MOST_SWEEPS = 8  # for one step
ACCURACY = 0.1  # of Newton's equations: the share of the gap between them and their duals that may be left
SHARE_OF_TARGET = 0.3  # of the tolerance, below which they need not be solved
NEWTON_STEPS = 20  # to the best intercept
SHORTER = 0.25  # than a step that led away from it


def newton_sweeps(
    fun,
    x0,
    args=(),
    *,
    rows,
    weights,
    penalty,
    losses,
    intercept=False,
    dual=None,
    jac=None,
    callback=None,
    tol=1e-6,
    atol=0.0,
    maxiter=1000,
    max_passes=np.inf,
    random_state=0,
    **unknown,
):
    r"""Minimise convex smooth losses plus a quadratic penalty over sparse rows.

    A `scipy.optimize.minimize` method that reads the problem from its options and needs neither ``fun`` nor ``jac``.
    With x = (w, b), it minimises

    .. math:: \sum_i s_i f_i(x_i w + b) + \frac12 \sum_j \mathrm{penalty}_j w_j^2

    by Newton's method. The parabolas that touch the losses have duals of their own, and a few sweeps over these take
    the place of conjugate gradients.

    Parameters
    ----------
    fun, x0, args, jac, callback
        As SciPy passes them; of x0 only the intercept matters.
    rows : CSR matrix or array of shape (n, p)
        Without duplicate entries.
    weights : ndarray of shape (n,)
        The s above, not negative.
    penalty : float or ndarray of shape (p,)
        Positive.
    losses : callable
        ``losses(z)`` returns every row's loss, its slope and its curvature, three arrays (n,).
    intercept : bool
        Whether there is a b.
    dual : ndarray of shape (n,), optional
        To start from: most often the slopes at an earlier solution.
    tol, atol : float
        Stop when the gap is at most ``tol * |value| + atol``.
    maxiter, max_passes : int, float
        Limits on the sweeps, and on how often the data is read.
    random_state : int
        Seed for the order of the rows. It does not change what they converge to.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With ``dual`` (n,), ``estimate``, the bound on the gap by the gradient, and ``n_passes``.
    """
    start = np.zeros(len(weights)) if dual is None else dual
    duals = Duals(rows, weights, penalty, start, x0[-1] if intercept else None, random_state)
    run = NewtonSteps(duals, losses)
    status = None if np.isfinite(run.value) else NOT_FINITE
    proof = None
    while status is None:
        limited = duals.n_sweeps >= maxiter or duals.n_passes >= max_passes
        proof = run.prove() if limited or run.estimate() <= tol * abs(run.value) + atol else None
        if proof is not None and proof.estimate <= tol * abs(proof.fun) + atol:
            status = CONVERGED
        elif limited:
            status = MAXITER
        elif not run.advance(maxiter - duals.n_sweeps, SHARE_OF_TARGET * (tol * abs(run.value) + atol)):
            status = NOT_FINITE
        elif callback is not None:
            try:
                callback(intermediate_result=OptimizeResult(x=run.x(), fun=run.value, nit=duals.n_sweeps))
            except StopIteration:
                status, proof = CALLBACK, None
    point = run.prove() if proof is None else proof
    return ended(OptimizeResult(point, dual=duals.dual), duals, status)


class NewtonSteps:
    """Where the method stands: the duals, the coefficients that belong to them, and the losses there."""

    def __init__(self, duals, losses):
        self.duals, self.losses = duals, losses
        self.used = np.flatnonzero(duals.weights > 0.0)
        self.no_bound = np.full(len(duals.weights), np.inf)
        self.stand_at(duals.scores() + duals.intercept)

    def stand_at(self, scores):
        """Take note of the losses at these scores, those of the duals."""
        values, self.slopes, bends = self.losses(scores)
        weights = self.duals.weights
        self.scores, self.value = scores, float(weights @ values) + self.duals.penalty
        self.bends = np.maximum(bends, FLATTEST * float(weights @ bends) + TINY)

    def x(self, shift=0.0):
        """The parameters, the intercept shifted."""
        coef, duals = self.duals.coef, self.duals
        return np.append(coef, duals.intercept + shift) if duals.has_intercept else coef

    def estimate(self):
        """The gap if every loss were the parabola that touches it."""
        return 0.5 * float(self.duals.weights @ ((self.slopes - self.duals.dual) ** 2 / self.bends))

    def prove(self):
        """The point with the best intercept, and the bound by the gradient there."""
        duals, value, slopes, shift = self.duals, self.value, self.slopes, 0.0
        if duals.has_intercept:
            shift = self._best_shift()
            values, slopes, _ = self.losses(self.scores + shift)
            value = float(duals.weights @ values) + duals.penalty
        gradient, gap = duals.gradient(slopes)
        if duals.has_intercept:
            left = float(duals.weights @ slopes)
            gap = gap if abs(left) <= FLAT * float(duals.weights @ np.abs(slopes)) else np.inf
            gradient = np.append(gradient, left)
        return OptimizeResult(x=self.x(shift), fun=value, jac=gradient, estimate=gap)

    def _best_shift(self):
        """What to add to the intercept so that the slopes sum to zero, or to less than they do."""
        weights, shift, least, step = self.duals.weights, 0.0, np.inf, 0.0
        for _ in range(NEWTON_STEPS):
            _, slopes, bends = self.losses(self.scores + shift + step)
            total = float(weights @ slopes)
            if not abs(total) < least:  # rows without curvature send it anywhere
                step *= SHORTER
                continue
            shift, least = shift + step, abs(total)
            if least <= EPSILON * float(weights @ np.abs(slopes)):
                break
            step = -total / (float(weights @ bends) + TINY)
        return shift

    def advance(self, most, enough):
        """Take a Newton step by at most so many sweeps, up to a gap; return whether it led to finite numbers."""
        duals, start = self.duals, self.scores
        state, penalty = duals.state(), duals.penalty
        self._solve(min(MOST_SWEEPS, most), enough)
        moved = duals.scores() + duals.intercept - start
        rise, bend = duals.penalty_along(state)

        def along(x):
            """The value and its slope at a share of the step, which takes no pass over the rows."""
            share = float(x[0])
            values, slopes, _ = self.losses(start + share * moved)
            value = float(duals.weights @ values) + penalty + share * (rise + 0.5 * share * bend)
            return Point(x, value, np.array([duals.weights @ (slopes * moved) + rise + share * bend]))

        slope = float(duals.weights @ (self.slopes * moved)) + rise
        origin = Point(np.zeros(1), self.value, np.array([slope]))
        point, share = line_search(along, origin, np.ones(1), slope)
        if point is None:
            share = 1.0  # better duals need not mean a lower value
        elif share != 1.0:
            duals.move(state, share)
        self.stand_at(start + share * moved)
        if not np.isfinite(self.value):
            duals.restore(state)
            self.stand_at(start)
            return False
        return True

    def _solve(self, most, enough):
        """Sweep until the duals of the parabolas are good enough."""
        offset, first = self.bends * self.scores - self.slopes, None
        for _ in range(most):
            gap = self.duals.sweep(self.used, self.bends, offset, 1.0, -self.no_bound, self.no_bound)
            first = gap if first is None else first
            if not gap > max(ACCURACY * first, enough):
                break
