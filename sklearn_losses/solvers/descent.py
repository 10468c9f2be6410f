"""What every descent method shares: evaluating points, deciding when to stop, and reporting.

A method runs like this, and `Descent` keeps the books::

    run = Descent(fun, x0, ...)
    while not run.finished(decrement := ...):
        trial, step = line_search(run.evaluate, run.point, direction, ...)
        run.advance(trial)
    return run.result()
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

CONVERGED, MAXITER, ROUNDING, NO_DECREASE, NOT_FINITE, DIVERGED, CALLBACK = 0, 1, 2, 3, 4, 5, 99  # statuses

MESSAGES = {
    CONVERGED: "The estimated distance to the minimum is below the tolerance.",
    MAXITER: "The iteration limit was reached before the tolerance.",
    ROUNDING: "Rounding prevents further progress before the tolerance was reached.",
    NO_DECREASE: "No step along a descent direction decreases the value.",
    NOT_FINITE: "The value or the gradient is not finite at the starting point.",
    DIVERGED: "The iterates diverge: the value has no lower bound, or a fixed step is too long.",
    CALLBACK: "The callback raised StopIteration.",
}

EPSILON = float(np.finfo(float).eps)
FLAT = 0.5  # share of the slope that the last step may leave: with more, the curvature that foresaw its gain is none
IDLE_LIMIT = 3  # iterations without progress, all at rounding level, before a run ends


class Point(NamedTuple):
    """A point with its value and gradient; the value is inf where either is not finite."""

    x: np.ndarray
    value: float
    gradient: np.ndarray
    floor: float = 0.0  # rounding of the values that a run began with: small values may be differences of such

    @property
    def noise(self):
        """The change of the value that rounding alone can cause."""
        return 8.0 * EPSILON * abs(self.value) + self.floor


class Descent:
    """The books of one run: its best point, its counts, and the reason it ended.

    Parameters
    ----------
    fun, x0, args, jac, callback
        As in `scipy.optimize.minimize`; `jac` is a callable, or True when `fun` returns value and gradient.
    tol, atol : float
        The run has converged when the estimate is at most ``tol * |value| + atol``.
    maxiter : int
        Limit on the number of accepted steps.
    estimate : callable or None
        ``estimate(x, value, gradient)`` of the value minus the minimum, at best a bound; where it is not finite,
        or None, the Newton decrement by the preconditioner of the method takes its place, unless it is negative.
    """

    def __init__(self, fun, x0, args=(), *, jac, callback, tol, atol, maxiter, estimate):
        if jac is not True and not callable(jac):
            raise ValueError("The solver needs the gradient: pass jac=True (fun returns both) or a callable.")
        self._fun, self._jac, self._args = fun, jac, args
        self._callback, self._estimate = callback, estimate
        self._tol, self._atol, self._maxiter = tol, atol, maxiter
        self.nit = self.nfev = 0
        self.status: int | None = None
        self.estimate = math.inf
        self._here: float | None = None  # the estimate at the point, once it was asked for
        self._least_decrement, self._idle = math.inf, 0
        self._floor = 0.0
        self.point = self.evaluate(np.array(x0, dtype=float, ndmin=1))
        self._floor = EPSILON * abs(self.point.value)
        self._ceiling = max(1.0, abs(self.point.value)) / EPSILON
        if not math.isfinite(self.point.value):
            self.status = NOT_FINITE

    def evaluate(self, x):
        """Value and gradient at x: one pass over the data."""
        self.nfev += 1
        answer = self._fun(x, *self._args)
        value, gradient = answer if self._jac is True else (answer, None)
        value = float(value)
        if math.isfinite(value):
            gradient = self._jac(x, *self._args) if gradient is None else gradient
            gradient = np.array(gradient, dtype=float)  # a copy: the function may use its array again
            if np.isfinite(gradient).all():
                return Point(x, value, gradient, self._floor)
        return Point(x, math.inf, np.full(x.shape, math.nan))

    def advance(self, point):
        """Accept a point as the next iterate."""
        self.point, self._here = point, None
        self.nit += 1
        if self._callback is not None:
            state = OptimizeResult(x=point.x.copy(), fun=point.value, jac=point.gradient.copy(), nit=self.nit)
            try:
                self._callback(intermediate_result=state)
            except StopIteration:
                self.status = CALLBACK

    def certified(self):
        """Whether the run ends here by the estimate alone, before any work on a direction."""
        estimate = self._estimated_here(math.inf)
        if estimate <= self.target:
            self.estimate, self.status = estimate, CONVERGED
        return self.status is not None

    def finished(self, decrement, direction, left=0.0):
        """Whether the run ends at the current point, given its Newton decrement ``0.5 * g' M^-1 g`` and the step.

        What is ``left`` of the decrement by a linear solve that was cut short counts as well. A decrement knows the
        gain of a step only where the curvature is what the method thinks it is, so that an end by it alone is tried:
        the step is taken.
        """
        if self.status is not None:
            return True
        self.estimate = self._estimated_here(decrement + left)
        if abs(self.point.value) > self._ceiling:
            self.status = DIVERGED
        elif 0.0 <= self.estimate <= self.target and self._is_certain(decrement + left, direction):
            self.status = CONVERGED
        elif self._stalled(decrement):
            self.status = ROUNDING
        elif self.nit >= self._maxiter:
            self.status = MAXITER
        return self.status is not None

    def _is_certain(self, decrement, direction):
        """Whether there is another estimate than the decrement, or a step leaves at most half of the slope."""
        if self.estimate != decrement or decrement == 0.0 or self.nit >= self._maxiter:
            return True
        start, trial = self.point, self.evaluate(self.point.x + direction)
        if not -2.0 * FLAT * decrement <= float(trial.gradient @ direction):
            return False
        if trial.value <= start.value + start.noise:
            self.advance(trial)
        return self.status is None

    @property
    def has_converged(self) -> bool:
        """Whether the run has ended where the estimate is small enough."""
        return self.status == CONVERGED

    @property
    def target(self):
        """The estimate at which the run has converged."""
        return self._tol * abs(self.point.value) + self._atol

    def estimated(self, gradient, decrement):
        """The estimate if the gradient at the current point were this one."""
        found = math.inf if self._estimate is None else self._estimate(self.point.x, self.point.value, gradient)
        return float(found) if found is not None and math.isfinite(found) else decrement

    def _estimated_here(self, decrement):
        if self._here is None:
            self._here = self.estimated(self.point.gradient, math.inf)
        return self._here if math.isfinite(self._here) else decrement

    def _stalled(self, decrement):
        """Whether the decrement, below the rounding of the value, has stopped falling too."""
        if decrement > self.point.noise:
            self._idle = 0
        elif decrement < 0.5 * self._least_decrement:
            self._least_decrement, self._idle = decrement, 0
        else:
            self._idle += 1
        return self._idle >= IDLE_LIMIT

    def polish(self, trial, decrement):
        """Take one more step after convergence, if it lowered the decrement."""
        self.advance(trial)
        self.estimate = self._estimated_here(decrement)

    def give_up(self, direction, slope):
        """End the run because no step along the direction was acceptable."""
        tiny_step = np.abs(direction).max() <= 4.0 * EPSILON * np.abs(self.point.x).max()
        tiny_gain = -slope <= 8.0 * self.point.noise
        self.status = ROUNDING if tiny_step or tiny_gain else NO_DECREASE

    def result(self, **more):
        """The SciPy result at the best point."""
        assert self.status is not None
        point = self.point
        return OptimizeResult(
            x=point.x,
            fun=point.value,
            jac=point.gradient,
            estimate=self.estimate,
            nit=self.nit,
            nfev=self.nfev,
            njev=self.nfev,
            status=self.status,
            success=self.status == CONVERGED,
            message=MESSAGES[self.status],
            **more,
        )
