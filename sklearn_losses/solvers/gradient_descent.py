"""Gradient descent, with its trace: the yardstick, and the subject of studies on the speed of learning."""

import numpy as np

from .descent import CONVERGED, Descent

DECREASE = 1e-4
SHRINK, GROW = 0.5, 2.0
MAX_HALVINGS = 100


def gradient_descent(
    fun,
    x0,
    args=(),
    *,
    jac=None,
    hess=None,
    hessp=None,
    callback=None,
    tol=1e-6,
    atol=0.0,
    maxiter=1000,
    gap=None,
    step_size=None,
    backtracking=True,
    **unknown,
):
    """Minimise a smooth function by gradient descent; a `scipy.optimize.minimize` method.

    Parameters
    ----------
    fun, x0, args, jac, callback
        As in `scipy.optimize.minimize`.
    tol, atol : float
        Stop when the gap is at most ``tol * |value| + atol``.
    maxiter : int
        Limit on the number of steps.
    gap : callable, optional
        ``gap(x, value, gradient)``, an upper bound on the value minus the minimum, or None or inf where
        there is none: then ``0.5 * step_size * ||gradient||^2`` decides.
    step_size : float, optional
        The step, or with backtracking the first one to try; 1.0 by default.
    backtracking : bool
        Halve the step until the value decreases enough (Armijo) and try twice the accepted step next.
        Without it every step has the same size, whatever the value does, as long as it is finite.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With `trace`, a dict of arrays `value` and `gradient_norm`, an entry per iterate, the start included.
    """
    step = 1.0 if step_size is None else float(step_size)
    if not 0.0 < step < np.inf:
        raise ValueError(f"step_size must be positive and finite, got {step_size!r}.")
    run = Descent(fun, x0, args, jac=jac, callback=callback, tol=tol, atol=atol, maxiter=maxiter, gap=gap)
    best = run.point
    trace = [(run.point.value, np.linalg.norm(run.point.gradient))]
    while run.status is None:
        start = run.point
        slope = -float(start.gradient @ start.gradient)
        if run.finished(-0.5 * step * slope):
            break
        point, accepted = _search(run, start, slope, step, MAX_HALVINGS if backtracking else 0)
        if point is None:
            run.give_up(-step * start.gradient, step * slope)
            break
        run.advance(point)
        best = min(best, point, key=lambda point: point.value)
        trace.append((point.value, np.linalg.norm(point.gradient)))
        if backtracking:
            step = GROW * accepted
    if run.status != CONVERGED:
        run.point = best
    value, gradient_norm = np.array(trace).T
    return run.result(trace={"value": value, "gradient_norm": gradient_norm})


def _search(run, start, slope, step, max_halvings):
    """The next point and its step; without halvings any finite point will do."""
    for _ in range(max_halvings + 1):
        point = run.evaluate(start.x - step * start.gradient)
        enough = start.value + DECREASE * step * slope if max_halvings else np.inf
        if (
            np.isfinite(point.value)
            and point.value <= enough
            and (point.value < start.value or not max_halvings)
        ):
            return point, step
        step *= SHRINK
    return None, 0.0
