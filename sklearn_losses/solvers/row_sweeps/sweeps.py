"""Losses with one kink, or the Moreau envelopes of such: sweeps over their duals, ended by a duality gap."""

import numpy as np
from scipy.optimize import OptimizeResult, brentq

from ..descent import CALLBACK, CONVERGED, EPSILON, MAXITER, MESSAGES, NOT_FINITE
from .duals import Duals

DOUBLINGS = 200  # of the reach within which an intercept is looked for
WAKING = 20  # sweeps after which rows at rest are seen again, whose duals an intercept may need for their sum
FLAT = 1e-12  # a sum of slopes, beside that of their sizes, that counts as zero


def sweeps(
    fun,
    x0,
    args=(),
    *,
    rows,
    weights,
    penalty,
    kinks,
    low,
    high,
    width=0.0,
    constant=0.0,
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
    r"""Minimise losses with one kink, or their Moreau envelopes, plus a quadratic penalty, over sparse rows.

    A `scipy.optimize.minimize` method that reads the problem from its options and needs neither ``fun`` nor ``jac``.
    With x = (w, b), it minimises

    .. math:: \sum_i s_i f_i(x_i w + b) + \frac12 \sum_j \mathrm{penalty}_j w_j^2 , \qquad
        f_i(z) = \max_{\mathrm{low}_i \le a \le \mathrm{high}_i} \left( a (z - \mathrm{kink}_i)
        - \frac{\mathrm{width}}{2} a^2 \right)

    by giving the dual a of one row after the other its best value. Rows whose duals are held firmly at a bound rest
    until the others are done, and the true gap is looked at when it seems to be small enough.

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
    kinks, low, high : ndarray of shape (n,)
        Where each loss has its kink, and the slopes on its two sides; finite where the width is zero.
    width : float
        Zero for a kink; the squared hinge is the envelope of width 1/2 with slopes from minus infinity to zero.
    constant : float
        Added to the value.
    intercept : bool
        Whether there is a b. Where the best one is not unique, it is the middle of the interval.
    dual : ndarray of shape (n,), optional
        To start from.
    tol, atol : float
        Stop when the gap is at most ``tol * |value| + atol``.
    maxiter, max_passes : int, float
        Limits on the sweeps, and on how often the data is read, which rows at rest do not count for.
    random_state : int
        Seed for the order of the rows. It does not change what they converge to.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With ``dual`` (n,), whose weighted sum is zero if there is an intercept, the ``dual_gap`` that it proves up to
        rounding, and ``n_passes``.
    """
    if width == 0.0 and not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ValueError("A loss with a kink needs finite slopes; an infinite one needs a width.")
    start = np.clip(0.0 if dual is None else dual, low, high)
    duals = Duals(rows, weights, penalty, start, x0[-1] if intercept else None, random_state)
    used, ones = np.flatnonzero(weights > 0.0), np.ones(len(weights))
    active, slack, target, status = used, np.inf, np.inf, None
    while status is None:
        last = duals.intercept
        gap = duals.sweep(active, ones, kinks, width, low, high)
        pressure = duals.pressure[active]
        active = active[pressure <= slack]
        # as far as scores may still move: by the worst dual, and by the intercept until all rows are seen again
        slack = WAKING * abs(duals.intercept - last) - np.min(pressure, initial=0.0)
        limited = duals.n_sweeps >= maxiter or duals.n_passes >= max_passes
        if duals.n_sweeps > 1 and gap > target and len(active) and not limited:
            if intercept and duals.n_sweeps % WAKING == 0:
                active, slack = used, np.inf
            continue
        point = _point(duals, kinks, low, high, width, constant)
        target = tol * abs(point.fun) + atol
        if point.dual_gap <= target:
            status = CONVERGED
        elif limited or not np.isfinite(point.fun):
            status = MAXITER if limited else NOT_FINITE
        if callback is not None:
            try:
                callback(intermediate_result=OptimizeResult(point, nit=duals.n_sweeps))
            except StopIteration:
                status = CALLBACK
        active, slack = used, np.inf
    return OptimizeResult(
        point,
        nit=duals.n_sweeps,
        n_passes=duals.n_passes,
        status=status,
        success=status == CONVERGED,
        message=MESSAGES[status],
    )


def _point(duals, kinks, low, high, width, constant):
    """The parameters that belong to the duals, made feasible, the value there, and the duality gap."""
    state = duals.state()
    if duals.has_intercept:
        duals.balance(low, high)
    duals.find_coef()
    beyond, dual, x = duals.scores() - kinks, duals.dual, duals.coef
    if duals.has_intercept:
        shift = _best_shift(beyond, low, high, width, duals.weights, duals.intercept)
        x, beyond = np.append(x, shift), beyond + shift
    losses, slopes = _losses(beyond, low, high, width)
    value = float(duals.weights @ losses) + duals.penalty + constant
    # Fenchel-Young: what each loss and its conjugate are above the product of score and dual
    excess = (slopes - dual) * (beyond - 0.5 * width * (slopes + dual))
    gap = float(duals.weights @ np.maximum(excess, 0.0))
    if duals.has_intercept:
        if abs(duals.weights @ dual) > FLAT * (duals.weights @ np.abs(dual)):
            gap = np.inf
        # duals are only moved for the proof: few of them may have had to take up much
        duals.restore(state)
    return OptimizeResult(x=x, fun=value, dual=dual, dual_gap=gap)


def _losses(beyond, low, high, width):
    """Every row's loss so far beyond its kink, and its slope there."""
    if width == 0.0:
        slopes = np.where(beyond > 0.0, high, low)
        return slopes * beyond, slopes
    slopes = np.clip(beyond / width, low, high)
    return slopes * (beyond - 0.5 * width * slopes), slopes


def _root(rising, guess):
    """Where a continuous function that does not fall is zero."""
    left = right = guess
    reach = 0.01 * (1.0 + abs(guess))
    for _ in range(DOUBLINGS):
        if rising(left) > 0.0:
            left -= reach
        elif rising(right) < 0.0:
            right += reach
        else:
            return left if left == right else brentq(rising, left, right, xtol=EPSILON * (1.0 + abs(guess)))
        reach *= 2.0
    return guess


def _best_shift(beyond, low, high, width, weights, guess):
    """The intercept where the slopes sum to zero; in the middle where that is an interval."""
    if width > 0.0:
        return _root(lambda shift: float(weights @ np.clip((beyond + shift) / width, low, high)), guess)
    order = np.argsort(-beyond)
    ends = -beyond[order]  # the kinks that a growing intercept meets
    total = weights @ low + np.cumsum((weights * (high - low))[order])
    flat = FLAT * float(weights @ (high - low))
    first = int(np.searchsorted(total, -flat))
    if first + 1 < len(ends) and total[first] <= flat:
        # rows without weight and slopes that do not change end no interval
        last = int(np.searchsorted(total, flat, side="right"))
        return 0.5 * (ends[first] + ends[min(last, len(ends) - 1)])
    return ends[min(first, len(ends) - 1)]
