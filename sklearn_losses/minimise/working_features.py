"""Penalties with a kink: minimise over the features that may have a weight, and look at all of them in between.

At the minimum most weights are zero, and the slopes of all features tell which are not. So the work goes into a working
set, whose Hessian is small, and every round costs one pass over all features.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..certificates.gap import Gap
from ..losses.on_scores import LossOnScores
from ..objective.objective import Objective
from ..objective.part import FeaturePart, sweeps_pay
from ..objective.penalties import Penalty
from ..solvers import proximal_newton
from ..solvers.descent import CALLBACK, CONVERGED, MAXITER, MESSAGES, ROUNDING
from ..solvers.feature_sweeps import minimum_of_parabola

Array = np.ndarray

FIRST_FEATURES = 64  # of a working set at the least, beyond the weights that are not zero
FIRST_OF_ROOT = 2.0  # times the root of all features: their Gram matrix takes less time than a pass over wide data
NEAR, NEAR_OF_FEW = 0.98, 0.8  # of the slope at which a weight leaves zero, from which it may do so soon
SPARE, SPARE_OF_PARABOLA = 1.5, 8.0  # times as many features as are wanted may stay in a working set
SHARE = 0.1  # of the gap over all features that a working set may leave
SHARPER = 0.3  # of the tolerance
MOST_OF_ALL = 0.9  # of all features, in a working set that has no round to wait for
POLISHING_STEPS, CHEAP = 3, 2e7  # at most, and multiplications of a Hessian or of a system
MANY_ENTRIES = 2e7  # of sparse columns, 160 MB of a copy
EXACT, ROUGH = 1e-13, 0.03  # share of the value, and of the slopes, that the end of a parabola may leave
ROUNDS = 100  # of working sets at most
IDLE = 3  # rounds in a row that gain nothing


def until(enough: float, callback: Callable) -> Callable:
    """The callback, which ends the work once a value is enough."""

    def told(intermediate_result: OptimizeResult) -> None:
        callback(intermediate_result=intermediate_result)
        if intermediate_result.fun <= enough:
            raise StopIteration

    return told


def of_all_features(part: FeaturePart, callback: Callable) -> Callable:
    """The callback, which is told of vectors of all features."""

    def told(intermediate_result: OptimizeResult) -> None:
        intermediate_result.x = part.to_all(intermediate_result.x)
        callback(intermediate_result=intermediate_result)

    return told


def _status_after(callback: Callable, x: Array, value: float) -> int:
    """Tell of a point; the status that the answer leads to."""
    try:
        callback(intermediate_result=OptimizeResult(x=x, fun=value))
    except StopIteration:
        return CALLBACK
    return CONVERGED


class Seen(NamedTuple):
    """A point, and what its features together have said of it: value, gradient, and how much may be left."""

    x: Array
    value: float
    gradient: Array
    left: float

    def is_better_than(self, last: Seen) -> bool:
        """By more than rounding, or nearer to the minimum."""
        lower = last.value - self.value > 8.0 * np.finfo(float).eps * abs(self.value)
        return bool(lower or self.left < 0.5 * last.left)


class WorkingFeatures:
    """A `scipy.optimize.minimize` method for an objective whose penalty has kinks.

    Parameters
    ----------
    model : Objective
        In the parameters of its solver.
    estimate : Gap
        Of the distance to the minimum.
    convex : bool
        Whether the loss is, in the scores.
    precisely : bool
        Whether to find more digits than were asked for, where that is cheap.
    """

    def __init__(self, model: Objective, estimate: Gap, *, convex: bool, precisely: bool = True):
        self.model, self.estimate, self.convex, self.precisely = model, estimate, convex, precisely
        self.penalty: Penalty = model.parameters.penalty(model.penalty)
        self.part: FeaturePart | None = None
        # sweeps read features without weights once in a while only
        self._all_at_once = model.rows.n_entries <= MANY_ENTRIES and sweeps_pay(model)

    def __call__(
        self, fun, x0, args=(), *, jac, callback=None, tol, atol=0.0, enough=-np.inf, maxiter, **unknown
    ) -> OptimizeResult:
        """Value and gradient of all features are asked of ``fun`` and ``jac``, those of some of the part they are.

        A value of ``enough`` leaves nothing but rounding.
        """
        here, nit, idle, status = self._seen(fun, jac, np.array(x0, dtype=float)), 0, 0, MAXITER
        for _ in range(ROUNDS):
            if here.value <= enough:
                status = CONVERGED
                break
            if here.left <= tol * abs(here.value) + atol:
                here, status = self._polished(fun, jac, here), CONVERGED
                break
            if nit >= maxiter or idle >= IDLE:
                status = ROUNDING if idle >= IDLE else MAXITER
                break
            told = callback and until(enough, callback)
            options = {"tol": SHARPER * tol, "atol": SHARPER * atol, "maxiter": maxiter - nit}
            result = self._over_some(here, told, options)
            nit += result.nit
            last, here = here, self._seen(fun, jac, result.x)
            if callback is not None and not result.told:
                result.status = _status_after(callback, here.x, here.value)
            idle = 0 if here.is_better_than(last) else idle + 1
            if result.status == CALLBACK and here.value > enough:
                status = CALLBACK
                break
        result = OptimizeResult(x=here.x, fun=here.value, jac=here.gradient, estimate=here.left, nit=nit)
        return OptimizeResult(result, status=status, success=status == CONVERGED, message=MESSAGES[status])

    def _seen(self, fun: Callable, jac: Callable, x: Array) -> Seen:
        value, gradient = fun(x), jac(x)
        return Seen(x, value, gradient, self.estimate(x, value, gradient))

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """F and its gradient over all features: by what the working set knows, where it has all weights."""
        if self.part is not None and self.part.has_all_of(x):
            return self.part.value_and_gradient_of_all(x)
        return self.model.value_and_gradient(x)

    def with_composition(self, composition: LossOnScores) -> None:
        """Go on with another function of the scores of the same rows."""
        self.model = self.model.replaced(composition=composition)
        self.estimate = type(self.estimate)(self.model)
        self.part = None if self.part is None else self.part.with_composition(composition)

    def with_penalty_of(self, model: Objective) -> None:
        """Go on with another penalty of the same function."""
        self.model, self.penalty = model, model.parameters.penalty(model.penalty)
        self.estimate = type(self.estimate)(model)
        self.part = None if self.part is None else self.part.with_penalty_of(model)

    def _polished(self, fun: Callable, jac: Callable, here: Seen) -> Seen:
        """After another step or two, where these are cheap: weights then equal repetition."""
        if not self.precisely or here.left <= EXACT * abs(here.value) or self._part(here).work > CHEAP:
            return here
        options = {"tol": EXACT, "atol": 0.0, "maxiter": POLISHING_STEPS}
        better = self._seen(fun, jac, self._over_some(here._replace(left=0.0), None, options).x)
        return better if better.value <= here.value + 64.0 * np.finfo(float).eps * abs(here.value) else here

    def _over_some(self, here: Seen, callback: Callable | None, options: dict) -> OptimizeResult:
        """Go on from a point, over a working set, by options of `proximal_newton`."""
        last, part = self.part, self._part(here)
        ends = self._may_end(part, last)
        if part.is_parabola:  # all of it is known from here
            takes_long = len(part.features) ** 3 > CHEAP
            return self._to_minimum(part, here, ROUGH if takes_long and not ends else EXACT)
        part.rest = min(here.left / abs(here.value), 1.0) if here.value else 1.0
        if not ends:
            options = options | {"atol": max(SHARE * here.left, options["atol"])}

        result = minimize(
            part.value_and_gradient,
            part.of_all(here.x),
            jac=True,
            hess=part.hessian,
            method=proximal_newton,
            callback=callback and of_all_features(part, callback),
            options=options | self._of_part(part),
        )
        result.x, result.told = part.to_all(result.x), True
        return result

    def _of_part(self, part: FeaturePart) -> dict:
        """What `proximal_newton` is told of a working set."""
        return {
            "estimate": type(self.estimate)(part.objective),
            "penalty": part.penalty,
            "n_outputs": self.model.n_outputs,
            "n_free": part.objective.n_parameters - part.objective.n_weights,
        }

    @staticmethod
    def _to_minimum(part: FeaturePart, here: Seen, accuracy: float) -> OptimizeResult:
        """One step, of which the callback is told when its end has been looked at."""
        start, slope = part.of_all(here.x), part.of_all(here.gradient)
        n_free = part.objective.n_parameters - part.objective.n_weights
        end = minimum_of_parabola(start, slope, part.hessian(start), part.penalty, n_free, accuracy)
        return OptimizeResult(x=part.to_all(end), nit=1, status=CONVERGED, told=False)

    def _part(self, here: Seen) -> FeaturePart:
        """The features in which something is to be gained, and those that have weights."""
        if self._all_at_once and self.part is not None:
            return self.part
        features = np.arange(self.model.rows.n_features) if self._all_at_once else self._chosen(here)
        if self.part is None or not self._is_enough(self.part, features):
            self.part = FeaturePart(self.model, features, convex=self.convex, known=self.part)
        return self.part

    @staticmethod
    def _may_end(part: FeaturePart, last: FeaturePart | None) -> bool:
        """Whether a working set may be the last one: it has nearly all features, or none that the last one had not."""
        if len(part.features) > MOST_OF_ALL * part.model.rows.n_features:
            return True
        return last is not None and bool(np.isin(part.features, last.features, assume_unique=True).all())

    @staticmethod
    def _is_enough(known: FeaturePart, wanted: Array) -> bool:
        """Whether a working set has all that is wanted, and not much else that has to be read again."""
        spare = SPARE_OF_PARABOLA if known.is_parabola else SPARE
        return len(known.features) <= spare * len(wanted) and bool(
            np.isin(wanted, known.features, assume_unique=True).all()
        )

    def _chosen(self, here: Seen) -> Array:
        coef, slope = (self.model.parameters.split(vector)[0] for vector in (here.x, here.gradient))
        few = self.model.rows.n_features <= self.model.rows.n_rows  # so that not many are near
        kinks = self.penalty.times(NEAR_OF_FEW if few else NEAR)
        near = np.abs(kinks.least_slope(np.zeros_like(coef), slope)).max(axis=0, initial=0.0)
        used = coef.any(axis=0) | (self.penalty.free(np.zeros_like(coef)) & (slope != 0.0)).any(axis=0)
        others = np.where(used, 0.0, near)
        first = int(FIRST_OF_ROOT * np.sqrt(self.model.rows.n_features))
        most = max(FIRST_FEATURES, first, int(np.count_nonzero(used)))
        if np.count_nonzero(others) > most:
            others[np.argpartition(-others, most)[most:]] = 0.0
        return np.flatnonzero(used | (others > 0.0))
