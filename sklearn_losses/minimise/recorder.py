"""What happens during a run: the best finite point, the number of iterations, and who is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from scipy.optimize import OptimizeResult

Array = np.ndarray

STALLED, PROGRESS = 20, 1e-9  # iterations, and the share of the value by which it has to fall in so many


class Recorder:
    """The function that solvers minimise, with a memory of the best finite point, and the callback they call.

    Parameters
    ----------
    value_and_gradient : callable
        What is minimised.
    to_theta : callable
        From the solver's coordinates to the model's parameters.
    watch : callable or None
        Told the parameters and the value after every iteration; it may raise StopIteration.
    """

    def __init__(
        self,
        value_and_gradient: Callable[[Array], tuple[float, Array]],
        to_theta: Callable[[Array], Array],
        watch: Callable | None,
    ):
        self.value_and_gradient, self.to_theta, self.watch = value_and_gradient, to_theta, watch
        self.best: tuple[Array, float, Array] | None = None
        self.n_iter = 0
        self.stop: Callable[[Array, float, Array], bool] | None = None
        self.stopped_by_watch = False
        self.has_stalled = False
        self._recent: deque[float] = deque(maxlen=STALLED)
        self._last: tuple[Array, float, Array] | None = None

    def fun(self, x: Array) -> tuple[float, Array]:
        """Value and gradient."""
        value, gradient = self.value_and_gradient(x)
        if np.isfinite(value) and (self.best is None or value < self.best[1]) and np.isfinite(gradient).all():
            self.best = (x.copy(), value, gradient)
        return value, gradient

    # Our own solvers ask for both at the same x, which they never change; SciPy would compare all its entries.

    def value(self, x: Array) -> float:
        """The value alone."""
        if self._last is None or self._last[0] is not x:
            self._last = (x, *self.fun(x))
        return self._last[1]

    def gradient(self, x: Array) -> Array:
        """The gradient alone."""
        self.value(x)
        assert self._last is not None
        return self._last[2]

    def callback(self, intermediate_result) -> None:
        """Count, tell, and stop where ``stop`` says so of the best point."""
        self.n_iter += 1
        if self.watch is not None:
            # some of SciPy's methods hand over the point alone
            x = np.asarray(getattr(intermediate_result, "x", intermediate_result))
            value = getattr(intermediate_result, "fun", self.best[1] if self.best else np.nan)
            try:
                self.watch(self.to_theta(x), float(value))
            except StopIteration:
                self.stopped_by_watch = True
                raise
        if self.stop is not None and self.best is not None and self.stop(*self.best):
            raise StopIteration

    def stalled(self, x: Array, value: float, gradient: Array) -> bool:
        """Whether the value has hardly fallen for many iterations."""
        self._recent.append(value)
        self.has_stalled = len(self._recent) == STALLED and self._recent[0] - value <= PROGRESS * abs(value)
        return self.has_stalled

    def found(self, result: OptimizeResult) -> tuple[Array, float, Array]:
        """What one of our solvers found: values that differ by rounding only it judges by their gradients."""
        return (result.x, float(result.fun), result.jac) if np.isfinite(result.fun) else self.point()

    def point(self) -> tuple[Array, float, Array]:
        """The best finite point."""
        if self.best is None:
            raise ValueError(
                "The objective is not finite at the starting point. Rescale the targets or the data, or examine the "
                "loss with sklearn_losses.check_loss."
            )
        return self.best
