"""Newton's method with a dense Hessian, for problems whose Hessian is cheap to form and factorise."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.linalg.lapack import dpotrs

from .cholesky import definite_factor, regular_factor
from .descent import Descent
from .line_search import line_search
from .spectral import spectral_inverse, uncertain

POLISHING_STEPS, FINE = 3, 1e-12  # at most, and the share of the parameters from which on they are fine enough
TINY = 1e-300  # a divisor that is zero, but for that
SHORT, PATIENCE = 0.01, 8  # share of a step that is short, and how many in a row say that the model is at fault
WORTH = 1e-3  # share of the value that a step promises, below which short steps are rounding or nearly the end
FIRST_DAMPING, CHANGE = 1e-8, 10.0  # share of its diagonal that is added to a Hessian, and by what it grows and falls
FLATTEN = 0.2  # a longer step costs an evaluation, which is less than another Hessian


def newton(
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
    maxiter=100,
    estimate=None,
    polish=True,
    **unknown,
):
    """Minimise a smooth function by Newton's method; a `scipy.optimize.minimize` method.

    The full step is tried first, so that an iteration costs one evaluation and one Hessian; a line search
    follows only if it fails. Where the Hessian is singular or indefinite its eigenvalues are replaced by their
    absolute values, and null directions get a gradient step: if the gradient has no part in them, this is the
    minimum-norm step (`spectral_inverse`). Where short steps only lower the value, the Hessian's diagonal is raised
    until they are longer (Levenberg, 1944).

    Parameters
    ----------
    fun, x0, args, jac, callback
        As in `scipy.optimize.minimize`.
    hess : callable
        ``hess(x, *args)`` is the symmetric Hessian, shape (p, p).
    hessp : callable, optional
        ``hessp(x, v, *args)``, with which the curvature of directions is found that is lost in the rounding of hess.
    tol, atol : float
        Stop when the estimate of the gap is at most ``tol * |value| + atol``.
    maxiter : int
        Limit on the number of steps.
    estimate : callable, optional
        ``estimate(x, value, gradient)`` of the value minus the minimum, at best a bound; None or inf where
        there is none: then the Newton decrement decides.
    polish : bool
        Whether to take up to three more steps after convergence. They need no new Hessian, which has almost stopped to
        change, and they end close to machine precision.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With `nhev`, the number of Hessians, and `estimate`, of the gap at the end.
    """
    if hess is None:
        raise ValueError("newton needs the Hessian: pass hess, or use quasi_newton.")
    run = Descent(fun, x0, args, jac=jac, callback=callback, tol=tol, atol=atol, maxiter=maxiter, estimate=estimate)
    nhev: int = 0
    damping = Damping()
    solve: Callable | None = None
    while run.status is None:
        start = run.point
        product = None if hessp is None else partial(_product, hessp, start.x, args)
        if solve is not None and run.certified():
            if polish:
                _polish(run, solve, maxiter)
            break
        hessian = np.asarray(hess(start.x, *args), dtype=float)
        solve = _factorise(hessian, product) if damping.share == 0.0 else _damped(hessian, damping.share)
        nhev += 1
        direction = -solve(start.gradient)
        slope = float(direction @ start.gradient)
        if run.finished(-0.5 * slope if damping.share == 0.0 else math.inf, direction):
            if polish and run.has_converged and slope < 0.0:
                _polish(run, solve, maxiter)
            break
        point, step = line_search(run.evaluate, start, direction, slope, flatten=FLATTEN)
        if point is None:
            run.give_up(direction, slope)
            break
        run.advance(point)
        damping.learn(step, -0.5 * slope / max(abs(start.value), TINY))
    return run.result(nhev=nhev)


class Damping:
    """What is added to the Hessian's diagonal, as a share of it, where the model holds for small parts of steps only.

    Flat directions hide the others then. A few short steps are nothing: a piecewise quadratic function takes some.
    """

    def __init__(self):
        self.share, self._short = 0.0, 0

    def learn(self, step, promise):
        """From the share of the last step that was taken, and the share of the value that all of it would have won."""
        self._short = self._short + 1 if step < SHORT and promise > WORTH else 0
        if self._short and (self.share or self._short >= PATIENCE):
            self.share = min(max(FIRST_DAMPING, CHANGE * self.share), 1.0)
        elif step >= 1.0 or promise <= WORTH:
            self.share = self.share / CHANGE if self.share > FIRST_DAMPING else 0.0


def _damped(hessian, damping):
    factor = definite_factor(hessian + np.diag(damping * np.abs(hessian.diagonal())))
    return lambda vector: dpotrs(factor, vector, lower=1)[0]


def _product(hessp, x, args, v):
    return hessp(x, v, *args)


def _polish(run, solve, maxiter):
    direction = -solve(run.point.gradient)
    decrement = -0.5 * float(direction @ run.point.gradient)
    for _ in range(min(POLISHING_STEPS, maxiter - run.nit)):
        if np.abs(direction).max() <= FINE * np.abs(run.point.x).max():
            break
        trial, last = run.evaluate(run.point.x + direction), decrement
        direction = -solve(trial.gradient)
        decrement = -0.5 * float(direction @ trial.gradient)
        if not decrement < last or trial.value > run.point.value + run.point.noise:
            break
        run.polish(trial, decrement)


def _factorise(hessian, product):
    """A function that applies the inverse of the Hessian, made positive definite where it is not."""
    factor = regular_factor(hessian, unexplained=uncertain(len(hessian), product))
    if factor is not None:
        return lambda vector: dpotrs(factor, vector, lower=1)[0]
    return spectral_inverse(hessian, product)
