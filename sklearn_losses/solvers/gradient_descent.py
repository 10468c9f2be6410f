"""Gradient descent, with its trace: the yardstick, and the subject of studies on the speed of learning."""

import math

import numpy as np
from scipy.linalg.blas import dnrm2

from .descent import CONVERGED, Descent

DECREASE = 1e-4  # share of the predicted decrease that a step must reach
SHRINK, GROW = 0.5, 2.0  # of steps that are too long, and of the next one after a good one
MAX_HALVINGS = 100  # which leave 1e-30 of a step


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
    estimate=None,
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
        Stop when the estimate of the gap is at most ``tol * |value| + atol``.
    maxiter : int
        Limit on the number of steps.
    estimate : callable, optional
        ``estimate(x, value, gradient)`` of the value minus the minimum, at best a bound; None or inf where
        there is none: then ``0.5 * step_size * ||gradient||^2`` decides.
    step_size : float, optional
        The step, or with backtracking the first one to try; 1.0 by default.
    backtracking : bool
        Halve the step until the value decreases enough (Armijo) and try twice the accepted step next.
        Without it every step has the same size, whatever the value does, as long as it is finite.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With ``trace``, a dict of arrays ``value`` and ``gradient_norm``, an entry per iterate, the start included.
    """
    step = 1.0 if step_size is None else float(step_size)
    if not 0.0 < step < np.inf:
        raise ValueError(f"step_size must be positive and finite, got {step_size!r}.")
    run = Descent(fun, x0, args, jac=jac, callback=callback, tol=tol, atol=atol, maxiter=maxiter, estimate=estimate)
    best = run.point
    trace = [(run.point.value, dnrm2(run.point.gradient))]
    while run.status is None:
        start = run.point
        _, norm = trace[-1]
        slope = -norm * norm
        if run.finished(-0.5 * step * slope, -step * start.gradient):
            break
        point, accepted = _backtrack(run, slope, step) if backtracking else _fixed_step(run, step)
        if point is None:
            run.give_up(-step * start.gradient, step * slope)
            break
        run.advance(point)
        best = min(best, point, key=lambda point: point.value)
        trace.append((point.value, dnrm2(point.gradient)))
        if backtracking:
            step = GROW * accepted
    if run.status != CONVERGED:
        run.point = best
    value, gradient_norm = np.array(trace).T
    return run.result(trace={"value": value, "gradient_norm": gradient_norm})


def _fixed_step(run, step):
    point = run.evaluate(run.point.x - step * run.point.gradient)
    return (point, step) if math.isfinite(point.value) else (None, 0.0)


def _backtrack(run, slope, step):
    start = run.point
    for _ in range(MAX_HALVINGS):
        point = run.evaluate(start.x - step * start.gradient)
        if point.value <= start.value + DECREASE * step * slope and point.value < start.value:
            return point, step
        step *= SHRINK
    return None, 0.0
