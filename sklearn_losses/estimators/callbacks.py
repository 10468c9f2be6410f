"""Iterations as seen from outside: scikit-learn's callbacks where it has them, and the lines of ``verbose``."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9 has no callbacks

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing to support."""

    def with_callbacks(method):
        """Nothing to manage."""
        return method


__all__ = ["CallbackSupportMixin", "Progress", "with_callbacks"]


class Progress:
    """One fit's report to callbacks and to the screen.

    Parameters
    ----------
    estimator : estimator
        The one that is fitted.
    X, y : array-like
        Its data, for callbacks that score.
    metadata : dict
        What else was passed to fit.
    attributes : callable
        Parameters to the fitted attributes that a usable copy of the estimator needs.
    passes : callable
        How many passes over the data the fit has taken so far.
    """

    def __init__(self, estimator, X, y, metadata: dict, attributes: Callable, passes: Callable[[], float]):
        self.estimator, self.passes = estimator, passes
        # a copy of the estimator is not to keep the feature names of the model before
        unnamed = {name: None for name in vars(estimator) if name == "feature_names_in_"}
        self.attributes = lambda theta: unnamed | attributes(theta)
        # callbacks that score hand the metadata on to metrics, which know of no soft labels
        known = {name: value for name, value in metadata.items() if value is not None and name != "soft_labels"}
        self.data = {"X": X, "y": y, "metadata": known}
        self.context = None
        self.n_iter = 0
        self.begun = perf_counter()
        if hasattr(estimator, "_init_callback_context"):
            # callables may take as many iterations as they like, and gradient descent starts again
            limited = isinstance(estimator.solver, str) and estimator.solver != "gradient-descent"
            self.context = estimator._init_callback_context(max_subtasks=estimator.max_iter if limited else None)
            self.context.call_on_fit_task_begin(estimator=estimator, **self.data)

    @property
    def watch(self) -> Callable[[np.ndarray, float, float], None] | None:
        """What to call after every iteration; None if nobody looks."""
        watched = self.context is not None and hasattr(self.estimator, "_skl_callbacks")
        return self._iterated if watched or self.estimator.verbose else None

    @property
    def watch_start(self) -> Callable[[np.ndarray, float, float], None] | None:
        """The same while the solution of another loss is looked for, of which callbacks hear nothing."""
        return self._iterated_on_start if self.estimator.verbose else None

    def say(self, what: str, value: float, gap: float, name: str = "estimated gap") -> None:
        """Print a line, if the estimator is to be verbose."""
        if self.estimator.verbose:
            bound = f", {name} {gap:.2g}" if np.isfinite(gap) else ""
            effort = f"{self.passes():.1f} passes, {perf_counter() - self.begun:.2f} s"
            print(f"{type(self.estimator).__name__}: {what}, objective {value:.8g}{bound}, {effort}")

    def _iterated_on_start(self, theta: np.ndarray, value: float, gap: float) -> None:
        self.n_iter += 1
        self.say(f"iteration {self.n_iter}, on the start by another loss", value, gap)

    def _iterated(self, theta: np.ndarray, value: float, gap: float) -> None:
        """Report an iteration; StopIteration passes on a callback's wish to stop."""
        self.n_iter += 1
        self.say(f"iteration {self.n_iter}", value, gap)
        if self.context is None:
            return
        task = self.context.subcontext(task_name="iteration")
        task.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        stop = task.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.attributes(theta),
            **self.data,
        )
        if stop:
            raise StopIteration

    def finish(self, found) -> None:
        """Report the end of the fit, and what it found."""
        ended = "converged" if found.converged else "stopped"
        self.say(f"{ended} after {found.n_iter} iterations", found.value, found.gap, "gap at most")
        if self.context is not None:
            self.context.call_on_fit_task_end(
                estimator=self.estimator,
                reconstruction_attributes=lambda: self.attributes(found.theta),
                **self.data,
            )
