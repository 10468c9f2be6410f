"""An objective at the points that a solver asks about, with a memory of the last one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..losses.on_scores import Array
from .hessian import Hessian
from .objective import Known, Objective


class Points:
    """Value, gradient and Hessian as functions of x, which is all that solvers hand over.

    They ask about the Hessian where they have just asked for the gradient, and for many products at one point: what
    that point has cost is kept until they go to another one.

    Parameters
    ----------
    objective : Objective
        The function.
    convex : bool
        Whether its loss is, in the scores.
    keeps_scores : bool
        Whether a value keeps the scores of all rows for the Hessian, which saves it half a pass.
    """

    def __init__(self, objective: Objective, *, convex: bool = True, keeps_scores: bool = False):
        self.objective, self.convex, self.keeps_scores = objective, convex, keeps_scores
        self._known: tuple[Array, Known] | None = None
        self._hessian: Hessian | None = None

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """F and its gradient."""
        if not self.keeps_scores:
            return self.objective.value_and_gradient(x)
        known, value, gradient = self.objective.known_value_and_gradient(x)
        self._known = x.copy(), known
        return value, gradient

    def hessian(self, x: Array) -> Hessian:
        """The Hessian as an operator."""
        if self._hessian is None or not np.array_equal(self._hessian.x, x):
            here = self._known if self._known is not None and np.array_equal(self._known[0], x) else None
            self._hessian = self.objective.hessian(x.copy(), convex=self.convex, known=here and here[1])
        return self._hessian

    def hessian_product(self, x: Array, v: Array) -> Array:
        """The Hessian times a vector."""
        return self.hessian(x).apply(v)

    def dense_hessian(self, x: Array) -> Array:
        """The Hessian as a definite matrix, or one that is as nearly so as the loss is convex."""
        return self.hessian(x).dense(definite=True)

    @property
    def second_derivatives(self) -> dict[str, Callable]:
        """Both, by SciPy's names."""
        return {"hess": self.dense_hessian, "hessp": self.hessian_product}
