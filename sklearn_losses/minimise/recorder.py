"""What happens during a fit: the best finite point of all its phases, the number of iterations, and who is told."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

from ..losses import Loss

Array = np.ndarray

STALLED, PROGRESS = 20, 1e-9  # iterations, and the share of the value by which it has to fall in so many


class Visited(NamedTuple):
    """A point in the coordinates of a phase, with its value and gradient."""

    x: Array
    value: float
    gradient: Array


class Recorder:
    """The function that solvers minimise, with a memory of the best finite point, and the callback they call.

    A fit may have several phases, each in coordinates of its own (`enter`); the best of all is `lowest`.

    Parameters
    ----------
    loss : Loss
        For the error that names it.
    watch : callable or None
        Told the parameters, the value and, where there is a bound, an estimate of the gap (nan elsewhere) after every
        iteration; it may raise StopIteration.
    """

    def __init__(self, loss: Loss, watch: Callable | None):
        self.loss, self.watch = loss, watch
        self.n_iter = 0
        self.undefined = False  # whether a value or a gradient was not a number
        self.stop: Callable[[Array, float, Array], bool] | None = None
        self.estimate: Callable[[Array, float, Array], float] | None = None  # of the gap, for those who watch
        self.reached = False  # whether ``stop`` ended the phase
        self.stopped_by_watch = False
        self.has_stalled = False
        self.best: Visited | None = None
        self._earlier: tuple[Array, float] | None = None
        self._recent: deque[float] = deque(maxlen=STALLED)
        self._last: Visited | None = None

    def enter(self, value_and_gradient: Callable, to_theta: Callable[[Array], Array]) -> None:
        """Begin a phase: what is minimised, and the way from the solver's coordinates to the model's parameters."""
        self._earlier = self.lowest
        self.value_and_gradient, self.to_theta = value_and_gradient, to_theta
        self.best, self._last, self.stop, self.reached = None, None, None, False
        self._recent.clear()

    def offer(self, theta: Array, value: float) -> None:
        """Tell of a point that was evaluated elsewhere."""
        if np.isfinite(value) and (self._earlier is None or value < self._earlier[1]):
            self._earlier = (theta, value)

    @property
    def lowest(self) -> tuple[Array, float] | None:
        """The parameters with the least value so far, and that value."""
        if self.best is None or (self._earlier is not None and self._earlier[1] <= self.best.value):
            return self._earlier
        return self.to_theta(self.best.x), self.best.value

    def fun(self, x: Array) -> tuple[float, Array]:
        """Value and gradient."""
        value, gradient = self.value_and_gradient(x)
        finite = math.isfinite(value) and np.isfinite(gradient).all()
        if not finite:
            self.undefined |= not math.isinf(value)
        elif self.best is None or value < self.best.value:
            self.best = Visited(x.copy(), value, gradient)
        return value, gradient

    # Our own solvers ask for both at the same x, which they never change; SciPy would compare all its entries.

    def value(self, x: Array) -> float:
        """The value alone."""
        if self._last is None or self._last.x is not x:
            self._last = Visited(x, *self.fun(x))
        return self._last.value

    def gradient(self, x: Array) -> Array:
        """The gradient alone."""
        self.value(x)
        assert self._last is not None
        return self._last.gradient

    def callback(self, intermediate_result) -> None:
        """Count, tell, and stop where ``stop`` says so of the best point."""
        self.n_iter += 1
        if self.watch is not None:
            # some of SciPy's methods hand over the point alone
            x = np.asarray(getattr(intermediate_result, "x", intermediate_result))
            value = getattr(intermediate_result, "fun", self.best.value if self.best else np.nan)
            gap = getattr(intermediate_result, "dual_gap", None)
            if gap is None:
                gap = self.estimate(*self.best) if self.estimate and self.best else np.nan
            try:
                self.watch(self.to_theta(x), float(value), float(gap))
            except StopIteration:
                self.stopped_by_watch = True
                raise
        self.reached = self.stop is not None and self.best is not None and self.stop(*self.best)
        if self.reached:
            raise StopIteration

    def stalled(self, x: Array, value: float, gradient: Array) -> bool:
        """Whether the value has hardly fallen for many iterations."""
        self._recent.append(value)
        self.has_stalled = len(self._recent) == STALLED and self._recent[0] - value <= PROGRESS * abs(value)
        return self.has_stalled

    def found(self, result: OptimizeResult) -> Visited:
        """What one of our solvers found: values that differ by rounding only it judges by their gradients."""
        best = self.point()
        noise = 64.0 * np.finfo(float).eps * abs(best.value)
        if np.isfinite(result.fun) and result.fun <= best.value + noise:
            return Visited(result.x, float(result.fun), result.jac)
        return best

    def point(self) -> Visited:
        """The best finite point of this phase."""
        if self.best is None:
            raise ValueError(
                f"{self.loss} or its gradient is not finite at the starting point, so it cannot be minimised. Rescale "
                "the targets or the data, or examine the loss with sklearn_losses.check_loss."
            )
        return self.best
