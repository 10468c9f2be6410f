"""Joint hinges of K scores: sweeps over their duals, a vector for every row."""

import numpy as np
from scipy.optimize import OptimizeResult

from ..descent import CALLBACK, CONVERGED, MAXITER, NOT_FINITE
from .duals import ended
from .joint_duals import JointDuals

A_DIGIT = 0.1  # of the gap, after which duals at rest are seen again


def joint_sweeps(
    fun,
    x0,
    args=(),
    *,
    rows,
    weights,
    penalty,
    losses,
    targets,
    most,
    total,
    jac=None,
    callback=None,
    tol=1e-6,
    atol=0.0,
    maxiter=1000,
    max_passes=np.inf,
    random_state=0,
    **unknown,
):
    r"""Minimise joint hinges of K scores plus a quadratic penalty, over sparse rows.

    A `scipy.optimize.minimize` method that reads the problem from its options and needs neither ``fun`` nor ``jac``.
    With x = W, class by class, it minimises

    .. math:: \sum_i s_i f_i(W x_i) + \frac12 \sum_j \mathrm{penalty}_j |w_j|^2 , \qquad
        f_i(z) = \max_a \sum_{c \ne t_i} a_c (1 + z_c - z_{t_i})

    over :math:`0 \le a_c \le \mathrm{most}` of sum at most ``total``, by giving the duals a of one row after the other
    their best values. Classes and rows whose duals are held firmly at a bound rest until the others are done.

    Parameters
    ----------
    fun, x0, args, jac, callback
        As SciPy passes them; of x0 only the size matters.
    rows : CSR matrix or array of shape (n, p)
        Without duplicate entries.
    weights : ndarray of shape (n,)
        The s above, not negative.
    penalty : float or ndarray of shape (p,)
        Positive.
    losses : callable
        ``losses(z, a)`` returns every row's loss, and how far it is above its tangent of slope a.
    targets : ndarray of int, shape (n,)
        The right classes t.
    most, total : float
        One of them infinite: 1 and infinity are Weston and Watkins' hinge, infinity and 1 Crammer and Singer's.
    tol, atol : float
        Stop when the gap is at most ``tol * |value| + atol``.
    maxiter, max_passes : int, float
        Limits on the sweeps, and on how often the data is read, which classes and rows at rest do not count for.
    random_state : int
        Seed for the order of the rows. It does not change what they converge to.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With ``dual`` (n, K), the ``dual_gap`` that it proves up to rounding, and ``n_passes``.
    """
    n_outputs = x0.size // rows.shape[1]
    duals = JointDuals(rows, weights, penalty, targets, n_outputs, most, total, random_state)
    promising, status = np.inf, None
    while status is None:
        gap = duals.sweep()
        limited = duals.n_sweeps >= maxiter or duals.n_passes >= max_passes
        if gap > promising and len(duals.active) and not limited:
            continue
        point = _point(duals, losses)
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
        duals.wake()
        share = min(gap / point.dual_gap, 1.0) if 0.0 < point.dual_gap < np.inf else 1.0
        promising = max(target * share, A_DIGIT * gap)
    return ended(point, duals, status)


def _point(duals, losses):
    """The parameters that belong to the duals, the value there, and the gap that the duals prove."""
    duals.clear()
    values, excess = losses(duals.scores(), duals.dual)
    return OptimizeResult(
        x=duals.coef.ravel(),
        fun=float(duals.weights @ values) + duals.penalty,
        dual=duals.dual,
        dual_gap=float(duals.weights @ np.maximum(excess, 0.0)),
    )
