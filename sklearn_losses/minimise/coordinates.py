"""Where solvers move: an objective in parameters without scale and offset, written out where it is small."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ..objective.objective import Objective
from ..objective.penalties import Penalty
from . import strategies
from .task import Found, Task

Array = np.ndarray


class Coordinates:
    """The objective as a solver sees it, and the way to and from its own parameters.

    Parameters
    ----------
    objective : Objective
        As it came.
    written : bool, optional
        Whether its rows are copied, centred and scaled; where that pays by default.
    """

    def __init__(self, objective: Objective, *, written: bool | None = None):
        self._conditioned = objective.conditioned()
        self._is_written = strategies.writes_out(self._conditioned) if written is None else written
        self.model = self._conditioned.written() if self._is_written else self._conditioned
        self.to_theta, self.from_theta = self._conditioned.to_theta, self._conditioned.from_theta

    def under(self, penalty: Penalty) -> Objective:
        """The model with another penalty of the same coefficients."""
        if self._is_written:
            penalty = self._conditioned.parameters.penalty(penalty)
        return self.model.replaced(penalty=penalty)


class InCommon(ABC):
    """What fits of the same rows and loss have in common, whatever the strength of their penalty is."""

    @abstractmethod
    def fitted(self, task: Task) -> Found | None:
        """The minimum of one of the tasks; None where it is to be found in another way."""

    def learn(self, task: Task, theta: Array) -> None:
        """Remember a minimum that was found in another way, if there is any use in it; by default there is none."""
        return
