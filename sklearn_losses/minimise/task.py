"""One minimisation, whatever solves it: what is asked, and what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import OptimizeResult

from ..activations import Link
from ..losses import Loss
from ..objective.objective import Objective
from ..objective.samples import RandomState
from ..objective.split import are_hard, has_exact_form
from . import thresholds
from .endings import CONVERGED, FAILED, LIMIT, ROUNDING, STOPPED, Ending

Array = np.ndarray


# more iterations only where these have run out
WHAT_HELPS = {
    LIMIT: " Increase max_iter or tol.",
    ROUNDING: " Increase tol, or rescale X or y.",
    STOPPED: "",
    FAILED: " Increase tol, or try another solver.",
    CONVERGED: " Increase tol, or try another solver.",
}


@dataclass(frozen=True)
class Task:
    """The objective, the pair of loss and activation that it is made of, and the limits."""

    objective: Objective
    activation: Link
    domain: str
    tol: float
    max_iter: int
    random_state: RandomState
    watch: Callable[[Array, float, float], None] | None = None
    watch_start: Callable[[Array, float, float], None] | None = None  # while another loss's solution is looked for
    warm: Array | None = None  # parameters to start from, if they are better than none

    @property
    def loss(self) -> Loss:
        """The loss that is minimised."""
        return self.objective.loss

    @property
    def convex(self) -> bool:
        """Whether the loss is convex in the scores."""
        return self.objective.composition.convex

    @property
    def piecewise(self) -> bool:
        """Whether the exact solver of piecewise-linear losses can take it."""
        return has_exact_form(self.objective)

    @property
    def may_vanish(self) -> bool:
        """Whether separable classes could drive F to the loss's least value, at infinity or by long scores."""
        if self.domain == "values" or self.loss.lower_bound is None:
            return False
        return not self.objective.penalty.holds(self.objective.rows.n_features).any()

    @property
    def reaches_least(self) -> bool:
        """Whether finite scores have the loss's least value, so that F has a minimum on separable classes.

        With some losses those of rows far on the right side do, with others those that match a soft label.
        """
        if not are_hard(self.objective):
            return True
        n_outputs = self.objective.n_outputs
        targets = np.array([0.0, 1.0]) if n_outputs == 1 else np.eye(n_outputs)
        far = thresholds.FAR_SCORE * (2.0 * targets - 1.0)
        values, _ = self.objective.composition.value_and_gradient(targets, far)
        return self.loss.lower_bound is not None and bool((values <= self.loss.lower_bound).all())

    @property
    def has_bound(self) -> bool:
        """Whether a bound on F - min F can be drawn: a penalty on all weights, and a gradient that is continuous.

        A penalty that is not strongly convex bounds nothing unless the loss is bounded.
        """
        penalty, n_features = self.objective.penalty, self.objective.rows.n_features
        strong = self.loss.lower_bound is not None or bool((penalty.convexity(n_features) > 0).all())
        return self.convex and self.loss.smooth and strong and self.holds_all

    @property
    def holds_all(self) -> bool:
        """Whether there is a penalty on all weights."""
        return bool(self.objective.penalty.holds(self.objective.rows.n_features).all())

    @property
    def kinked(self) -> bool:
        """Whether a solver that follows gradients cannot tell how far it is from the minimum."""
        return self.convex and not self.loss.smooth

    def allowed(self, value: float, null: Callable[[], float]) -> float:
        """The gap that is within the tolerance at a value of F; a log-likelihood may pass through zero."""
        size = abs(value)
        if self.loss.lower_bound is None:
            size = max(size, null() - value)
        return self.tol * size

    def with_loss(self, loss: Loss, **changes) -> Task:
        """The same rows and penalty with another loss."""
        objective = self.objective.replaced(loss=loss, composition=loss.on_scores(self.activation))
        return replace(self, objective=objective, warm=None, watch_start=None, **({"watch": None} | changes))


@dataclass(frozen=True)
class Found:
    """The best point in the objective's own parameters, and what is known about it."""

    theta: Array
    value: float
    gap: float  # the bound on F - min F; nan where there is none
    converged: bool
    n_iter: int
    result: OptimizeResult = field(repr=False)
    kinked: bool = False  # found by following gradients that jump
    undefined: bool = False  # the loss gave nan on the way
    dual: Array | None = field(default=None, repr=False)  # of the exact solver
    said: Ending = LIMIT  # by the last solver, of its end

    def explanation(self, loss: Loss) -> str:
        """For a fit that did not converge: what was reached, and what to do."""
        reached = f"F - min F is at most {self.gap:.3g}. " if np.isfinite(self.gap) else ""
        own = not loss.is_built_in
        if self.kinked:
            more = " A loss of your own needs pieces(y) for that." if own else ""
            return (
                f"{reached}The gradient of this loss jumps, so a solver that follows it cannot tell how far the "
                f"minimum is. Use solver='auto'.{more}"
            )
        if self.undefined:
            reached += f"{loss} was not a number at some of the points that were tried. "
        said = str(self.result.get("message") or "nothing").rstrip(".: ")
        advice = f" Is its gradient right? sklearn_losses.check_loss examines {loss}." if own else ""
        return f"{reached}The solver says: {said}.{WHAT_HELPS[self.said]}{advice}"
