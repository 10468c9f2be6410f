"""Losses with one kink, or the Moreau envelopes of such: sweeps over their duals."""

import numpy as np
from scipy.optimize import OptimizeResult

from ..descent import CALLBACK, CONVERGED, MAXITER, NOT_FINITE
from .boxed import FLAT, Boxed
from .duals import Duals, ended

WAKING = 20  # sweeps after which rows at rest are seen again, whose duals an intercept may need for their sum


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

    .. math:: \sum_i s_i f_i(x_i w + b) + \frac12 \sum_j \mathrm{penalty}_j w_j^2 , \\
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
        rounding, ``n_passes``, and the ``estimate`` of the gap that decides: the bound by the gradient ``jac`` where
        there is one, which is larger, but needs no dual to be believed.
    """
    losses = Boxed(kinks, low, high, width)
    start = np.clip(0.0 if dual is None else dual, low, high)
    duals = Duals(rows, weights, penalty, start, x0[-1] if intercept else None, random_state)
    used, ones = np.flatnonzero(weights > 0.0), np.ones(len(weights))
    active, slack, promising, status = used, np.inf, np.inf, None
    while status is None:
        last = duals.intercept
        gap = duals.sweep(active, ones, kinks, width, low, high)
        pressure = duals.pressure[active]
        active = active[pressure <= slack]
        # as far as scores may still move: by the worst dual, and by the intercept until all rows are seen again
        slack = WAKING * abs(duals.intercept - last) - np.min(pressure, initial=0.0)
        limited = duals.n_sweeps >= maxiter or duals.n_passes >= max_passes
        if duals.n_sweeps > 1 and gap > promising and len(active) and not limited:
            if intercept and duals.n_sweeps % WAKING == 0:
                active, slack = used, np.inf
            continue
        point = _point(duals, losses, constant)
        target = tol * abs(point.fun) + atol
        if point.estimate <= target:
            status = CONVERGED
        elif limited or not np.isfinite(point.fun):
            status = MAXITER if limited else NOT_FINITE
        if callback is not None:
            try:
                callback(intermediate_result=OptimizeResult(point, nit=duals.n_sweeps))
            except StopIteration:
                status = CALLBACK
        active, slack = used, np.inf
        promising = target * min(gap / point.estimate, 1.0) if 0.0 < point.estimate < np.inf else target
    return ended(point, duals, status)


def _point(duals, losses, constant):
    """The parameters that belong to the duals, made feasible, the value there, and what is known about the gap."""
    state, weights, shift = duals.state(), duals.weights, 0.0
    if duals.has_intercept:
        duals.balance(losses.low, losses.high)
        duals.find_coef()
    scores, dual = duals.scores(), duals.dual
    if duals.has_intercept:
        shift = losses.best_shift(scores, weights, duals.intercept)
    values, slopes = losses.value_and_slopes(scores + shift)
    gap = float(weights @ losses.excess(scores + shift, slopes, dual))
    if duals.has_intercept and abs(weights @ dual) > FLAT * (weights @ np.abs(dual)):
        gap = np.inf
    point = OptimizeResult(
        x=duals.coef, fun=float(weights @ values) + duals.penalty + constant, dual=dual, dual_gap=gap
    )
    point.estimate = gap
    if losses.width > 0.0:
        point.jac, point.estimate = duals.gradient(slopes)
    if duals.has_intercept:
        point.x = np.append(point.x, shift)
        if losses.width > 0.0:
            point.jac = np.append(point.jac, weights @ slopes)
        # duals are moved for the proof only: few of them may have had to take up much
        duals.restore(state)
    return point
