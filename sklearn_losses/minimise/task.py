"""One minimisation, whatever solves it: what is asked, and what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import OptimizeResult

from ..objective.objective import Objective
from ..objective.samples import RandomState

Array = np.ndarray


@dataclass
class Problem:
    """The objective, what its loss declares on this domain, and the limits."""

    objective: Objective
    convex: bool
    piecewise: bool  # convex, and in the form that the exact solver takes
    tol: float
    max_iter: int
    random_state: RandomState
    watch: Callable[[Array, float], None] | None = None

    @property
    def may_vanish(self) -> bool:
        """Whether separable classes could drive F to zero at infinity."""
        return self.convex and not self.objective.regression and not np.any(self.objective.penalty)

    @property
    def has_bound(self) -> bool:
        """Whether strong convexity bounds F - min F."""
        return self.convex and self.objective.loss.smooth and bool(np.all(self.objective.penalty > 0))

    @property
    def kinked(self) -> bool:
        """Whether a solver that follows gradients cannot tell how far it is from the minimum."""
        return self.convex and not self.objective.loss.smooth


@dataclass
class Fit:
    """The best point in the objective's own parameters, and what is known about it."""

    theta: Array
    value: float
    gap: float
    converged: bool
    n_iter: int
    result: OptimizeResult = field(repr=False)
    kinked: bool = False  # found by following gradients that jump
    dual: Array | None = field(default=None, repr=False)  # of the exact solver

    def explanation(self) -> str:
        """For a fit that did not converge: what was reached, and what to do."""
        reached = f"F - min F is at most {self.gap:.3g}. " if np.isfinite(self.gap) else ""
        if self.kinked:
            return (
                f"{reached}The gradient of this loss jumps, so a solver that follows it cannot tell how far the "
                "minimum is. Use solver='auto'; a loss of your own needs pieces(y) for that."
            )
        return (
            f"{reached}The solver says: {self.result.get('message', 'nothing')} Increase max_iter or tol; a loss of "
            "your own can be examined with sklearn_losses.check_loss."
        )
