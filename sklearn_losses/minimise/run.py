"""One phase of a fit, as the ways to minimise take it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..objective.objective import Objective
from ..objective.samples import most_rows, sample
from . import thresholds
from .null import Null
from .recorder import Recorder
from .shape import Shape
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

    @cached_property
    def shape(self) -> Shape:
        """What the choice of a way rests on."""
        return Shape.of(self.model, self.start, convex=self.task.convex)

    @property
    def precisely(self) -> bool:
        """Whether to find more digits than were asked for, where that is cheap; not of a start."""
        return self.task.tol < thresholds.STARTING_TOLERANCE

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

    def sampled(self, size: int) -> Objective:
        """The model written out, over a sample of its rows where it has more than so many."""
        if self.shape.n_rows <= min(size, most_rows(self.model)):
            return self.model.written()
        return sample(self.model, size, self.task.random_state)[0]
