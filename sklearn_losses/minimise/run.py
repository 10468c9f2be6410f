"""One phase of a fit, as the ways to minimise take it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..objective.objective import Objective
from . import thresholds
from .recorder import Recorder
from .starts import Null
from .task import Task

Array = np.ndarray


@dataclass(frozen=True)
class Run:
    """A phase in the coordinates of its solver."""

    task: Task
    model: Objective
    recorder: Recorder
    start: Array
    null: Null

    @property
    def left(self) -> int:
        """How many iterations are left."""
        return max(self.task.max_iter - self.recorder.n_iter, 1)

    def allowed(self, value: float) -> float:
        """The gap that is within the tolerance at a value of F."""
        return self.task.allowed(value, lambda: self.null.value)

    def sharper(self, tol: float, value: float, bound: float) -> float:
        """The tolerance to go on with, where one has left a bound that is too large."""
        return tol * (thresholds.WITHIN * self.allowed(value) / bound if bound > 0 else 1.0)
