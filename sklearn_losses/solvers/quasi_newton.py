"""Limited-memory BFGS around a given preconditioner, for tall data: one pass over the rows per iteration."""

import math
from collections import deque

import numpy as np

from .descent import EPSILON, Descent
from .line_search import line_search

WINDOW = 2  # iterations over which the rate of progress is measured


def quasi_newton(
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
    preconditioner=None,
    memory=20,
    patience=6.0,
    scaled=False,
    **unknown,
):
    """Minimise a smooth function by L-BFGS around an approximate inverse Hessian.

    A `scipy.optimize.minimize` method. With the Hessian of a row subsample as preconditioner the unit step is almost
    a Newton step, and the pairs of steps and gradient changes learn what the subsample missed. The unit step
    is tried first, so that an iteration costs one evaluation. Without a preconditioner it is ordinary L-BFGS.

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
        there is none: then the Newton decrement by the current preconditioner decides.
    preconditioner : callable, optional
        ``preconditioner(x, level)`` returns a function that applies a symmetric positive definite approximation of
        the inverse Hessian to a vector. It is called with level 0 at the start, then with 1, 2, ... whenever
        a better one is wanted (more rows, or the same at the present x); None if it has nothing better.
    memory : int
        Number of pairs kept.
    patience : float
        A better preconditioner is asked for when, at the present rate, reaching the tolerance would take more
        iterations than this.
    scaled : bool
        Whether it is right but for a factor, which the last pair then tells (Oren and Luenberger, 1974).

    Returns
    -------
    scipy.optimize.OptimizeResult
        With `estimate`, of the gap at the end, and `npreconditioners`, the number of preconditioners used.
    """
    run = Descent(fun, x0, args, jac=jac, callback=callback, tol=tol, atol=atol, maxiter=maxiter, estimate=estimate)
    inverse = InverseHessian(preconditioner if run.status is None else None, run.point.x, memory, scaled)
    pace = Pace(patience)
    while run.status is None:
        start = run.point
        direction = -inverse.apply(start.gradient)
        slope = float(direction @ start.gradient)
        if run.finished(-0.5 * slope, direction):
            break
        if pace.slow(run.estimate, run.target) and inverse.refresh(start.x):
            pace.clear()
            continue
        point, _ = line_search(run.evaluate, start, direction, slope, first=inverse.first_step(start))
        if point is not None:
            run.advance(point)
            inverse.learn(point.x - start.x, point.gradient - start.gradient)
        elif not inverse.simplify():
            run.give_up(direction, slope)
    return run.result(npreconditioners=inverse.level)


class InverseHessian:
    """The inverse Hessian of L-BFGS: recent steps and gradient changes around a preconditioner."""

    def __init__(self, preconditioner, x, memory, scaled):
        self._preconditioner, self._precondition, self._scaled = preconditioner, None, scaled
        self._pairs: deque = deque(maxlen=memory)
        self._scale = 1.0
        self.level = 0
        self.refresh(x)

    def apply(self, vector):
        """The two-loop recursion (Nocedal, Math. Comp. 35, 1980)."""
        vector = vector.copy()
        shares = []
        for step, change, curvature in reversed(self._pairs):
            shares.append(float(step @ vector) / curvature)
            vector -= shares[-1] * change
        vector = vector if self._precondition is None else self._precondition(vector)
        if self._precondition is None or self._scaled:
            vector = self._scale * vector
        for step, change, curvature in self._pairs:
            vector += (shares.pop() - float(change @ vector) / curvature) * step
        return vector

    def learn(self, step, change):
        """Add a pair, unless its curvature is not positive."""
        curvature, square = float(step @ change), float(change @ change)
        if curvature > EPSILON * math.sqrt(square) * float(np.linalg.norm(step)) and square > 0.0:
            self._pairs.append((step, change, curvature))
            if self._precondition is not None and self._scaled:
                square = float(change @ self._precondition(change))
            self._scale = curvature / square

    def simplify(self):
        """After a failure, drop the pairs, or without pairs the preconditioner; False if nothing is left to drop."""
        if not self._pairs and self._precondition is None:
            return False
        if not self._pairs:
            self._preconditioner = self._precondition = None
        self._pairs.clear()
        self._scale = 1.0
        return True

    def refresh(self, x):
        """Ask for a better preconditioner; False if there is none."""
        better = None if self._preconditioner is None else self._preconditioner(x, self.level)
        if better is None:
            self._preconditioner = None
            return False
        self._precondition = better
        self.level += 1
        return True

    def first_step(self, point):
        """One, except for the very first step of plain L-BFGS, when nothing is known about the scale."""
        if self._precondition is not None or self._pairs:
            return 1.0
        return min(1.0, 1.0 / float(np.abs(point.gradient).sum()))


class Pace:
    """The rate at which the gap closes."""

    def __init__(self, patience):
        self._patience = patience
        self._gaps: deque = deque(maxlen=WINDOW + 1)

    def slow(self, gap, target):
        """Whether the target is more iterations away than patience allows, going by the last few."""
        if not 0.0 < target < gap:
            return False
        self._gaps.append(gap)
        if len(self._gaps) <= WINDOW:
            return False
        rate = math.log(self._gaps[0] / gap) / WINDOW
        iterations_left = math.log(gap / target) / rate if rate > 0.0 else math.inf
        return iterations_left > self._patience

    def clear(self):
        """Start measuring anew."""
        self._gaps.clear()
