"""Smooth functions under one penalty after the other: each minimum is foretold by those before it.

Along a fine grid of strengths the minimum is a smooth curve in the logarithm of the strength. What a polynomial through
the last few minima foretells is a step or two from the next one, and where Hessians are dear, that of a few strengths
ago shows the way. The end is proved like any other, so that nothing depends on where a fit has begun.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates.gap import Gap
from ..objective.objective import Objective
from ..objective.points import Points
from ..objective.preconditioners import ByClassInverse, DenseInverse, by_class_inverse, dense_inverse
from ..objective.samples import most_rows, sample
from ..solvers import newton, quasi_newton
from . import plans, strategies, thresholds
from .coordinates import Coordinates, InCommon
from .shape import Shape
from .task import Found, Task

Array = np.ndarray


class Foretold(InCommon):
    """What fits of the same rows have in common: coordinates, the last minima, and a preconditioner.

    Parameters
    ----------
    task : Task
        With the first penalty.
    """

    def __init__(self, task: Task):
        self.at = Coordinates(task.objective)
        model = self.at.model
        shape = Shape.of(model, np.zeros(model.n_parameters), convex=True)
        at_once = strategies.choose(shape).minimise == strategies.Smoothly(plans.all_at_once)
        few = model.n_parameters <= thresholds.FEW_PARAMETERS
        # where a cold fit has more digits than were asked for, so has this one
        self._tol = thresholds.NEWTON_TOLERANCE if at_once else math.inf
        self._preconditioner = None if at_once and few else KeptPreconditioner(model, shape, task)
        self._curve = Curve()
        self._is_lost = False

    @staticmethod
    def suits(task: Task) -> bool:
        """Whether the minima of an objective can be foretold, and proved."""
        objective = task.objective
        if not (task.has_bound and task.loss.separable and objective.penalty.smooth and objective.parameters.linear):
            return False
        shape = Shape.of(objective, np.zeros(objective.n_parameters), convex=True)
        return shape.has_hessians and shape.factorises_by_class and not strategies.reduces(objective)

    def learn(self, task: Task, theta: Array) -> None:
        self._curve.learn(_level(task), self.at.from_theta(theta))

    def fitted(self, task: Task) -> Found | None:
        """The minimum, if it is found soon and proved."""
        if self._is_lost or not self._curve.minima:
            return None
        level, model = _level(task), self.at.under(task.objective.penalty)
        bound = Gap(model)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            result = self._solved(task, model, self._curve.at(level), bound)
            x, value, gap = bound.proof(result.x, float(result.fun), result.jac)
        if not gap <= task.allowed(value, lambda: value):
            self._is_lost = True
            return None
        if self._preconditioner is not None:
            self._preconditioner.served(result.nit)
        self._curve.learn(level, x)
        theta = self.at.to_theta(x)
        result.update(x=theta, fun=value, success=True, dual_gap=gap)
        del result.jac, result.estimate  # in the coordinates of this method
        return Found(theta, value, gap, True, int(result.nit), result)

    def _solved(self, task: Task, model: Objective, start: Array, bound: Gap) -> OptimizeResult:
        options: dict = {"estimate": bound, "tol": min(task.tol, self._tol)}
        options["maxiter"] = min(task.max_iter, thresholds.FORETOLD_STEPS)
        if self._preconditioner is None:
            method, options["polish"], derivatives = newton, False, Points(model).second_derivatives
        else:
            method, derivatives = quasi_newton, {}
            options |= {"preconditioner": self._preconditioner.under(model), "patience": self._preconditioner.patience}
        return minimize(model.value_and_gradient, start, jac=True, method=method, options=options, **derivatives)


class Curve:
    """Minima by the logarithms of their strengths, and the polynomial through the last ones."""

    def __init__(self):
        self.minima: list[tuple[float, Array]] = []

    def learn(self, level: float, x: Array) -> None:
        """Remember a minimum."""
        self.minima.append((level, x))

    def at(self, level: float) -> Array:
        """What the last minima foretell; the last one itself for a strength that is far from it, or next to it."""
        last, x = self.minima[-1]
        step = abs(level - last)
        if not thresholds.NEXT_TO < step < thresholds.FAR:
            return x
        known = [(last, x)]
        for other, minimum in reversed(self.minima):
            # minima close to each other know nothing of what is far from both
            if abs(other - known[-1][0]) >= thresholds.EVEN * step and len(known) < thresholds.FORETELLING:
                known.append((other, minimum))
        levels = np.array([other for other, _ in known])
        guess = np.zeros_like(x)
        for i, (own, minimum) in enumerate(known):
            others = np.delete(levels, i)
            guess += np.prod((level - others) / (own - others)) * minimum
        return guess


class KeptPreconditioner:
    """An approximate inverse Hessian, kept as long as the passes that a better one would save cost less than it.

    Parameters
    ----------
    model : Objective
        The function.
    shape : Shape
        Its sizes.
    task : Task
        For the seed of a sample of rows.
    """

    def __init__(self, model: Objective, shape: Shape, task: Task):
        self._is_joint = shape.n_outputs == 1 or model.n_parameters <= thresholds.FEW_PARAMETERS
        size = thresholds.BY_CLASS_SAMPLES[1] if shape.samples is None else shape.samples[1]
        whole = (self._is_joint and shape.samples is None) or shape.n_rows <= size
        whole = whole and shape.n_rows <= most_rows(model)
        self._part = model.written() if whole else sample(model, size, task.random_state)[0]
        blocks = 0.5 * (shape.n_outputs + 1) if self._is_joint else 1.0
        share = self._part.rows.n_rows / shape.n_rows
        self._passes = blocks * share * shape.width / thresholds.HESSIAN_COST  # that one costs
        self._inverse: DenseInverse | ByClassInverse | None = None
        self._lost = 0.0  # passes for want of a better one

    @property
    def patience(self) -> float:
        """Steps for which no better one is made."""
        return 1.0 + self._passes

    def under(self, model: Objective):
        """As `quasi_newton` asks for it."""
        part = self._part.replaced(penalty=model.parameters.penalty(model.penalty), parameters=self._part.parameters)

        def preconditioner(x: Array, level: int) -> DenseInverse | ByClassInverse:
            if level > 0 or self._inverse is None:
                hessian = part.hessian(x)
                self._inverse = dense_inverse(hessian) if self._is_joint else by_class_inverse(hessian)
                self._lost = 0.0
            return self._inverse

        return preconditioner

    def served(self, n_steps: int) -> None:
        """Told how many steps a minimum has taken."""
        self._lost += max(n_steps - thresholds.SOON, 0)
        if self._lost > self._passes:
            self._inverse = None


def _level(task: Task) -> float:
    return math.log(float(task.objective.penalty.convexity(task.objective.rows.n_features).max()))
