"""The minimiser of a parabola in many weights plus a penalty with a kink, exact in the end.

Cheap steps find which weights are zero and which sign the others have: coordinate descent, or without a compiler
proximal gradients with momentum. What then remains is a linear system.
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg.lapack import dpotrs

from ..cholesky import regular_factor
from ..descent import EPSILON

try:
    from .compiled import of_gram, of_groups
except ImportError:  # installed without a compiler
    of_gram = of_groups = None  # type: ignore[assignment]

AVAILABLE = of_gram is not None

Array = np.ndarray

ROUNDS, IDLE = 30, 4  # and how many in a row may gain next to nothing
SWEEPS, MOST_SWEEPS = 15, 400  # of a round, to begin with and at most
STEPS_ON_SUPPORT = 8  # linear systems between two rounds of steps that find signs
STEPS_BESIDE_SWEEPS = 1  # where these are sweeps, which cost less
PROXIMAL_STEPS = 40  # of a round, where there are no sweeps
SINGULAR = 1e-12  # of a diagonal entry: a squared pivot that rounding may have made
RIDGE = 1e-9  # of the mean diagonal, which makes a singular matrix definite: its steps are steps all the same
POWERS = 8  # products that find the largest eigenvalue within LARGER
LARGER = 1.05  # for every product, because powers come from below


def minimise_quadratic(gram: Array, slope: Array, coef: Array, penalty, accuracy: float) -> Array:
    """The minimiser of ``slope' d + d' gram d / 2 + penalty(coef + d)`` over ``coef + d``.

    Parameters
    ----------
    gram : ndarray of shape (K p, K p)
        Positive semidefinite, C-contiguous.
    slope, coef : ndarray of shape (K, p)
        The slope at coef, without the penalty's kink.
    penalty : object
        A kink that no weight is without, as `proximal_newton` takes it.
    accuracy : float
        Share of the largest slope at coef that may be left.
    """
    state = _State(gram, slope.copy(), coef.copy(), penalty)
    diagonal = gram.diagonal()  # of a matrix that is nothing without it
    if not coef.size or not diagonal.any() or not np.isfinite(gram.sum()):
        return coef
    size = float(diagonal.max(initial=0.0) * np.abs(coef).max(initial=0.0) + np.abs(slope).max(initial=0.0))
    left, last, idle = state.left(), np.inf, 0
    allowed = max(accuracy * left, 64.0 * EPSILON * size)
    sweeping, effort = AVAILABLE and penalty.swept == "weights", SWEEPS
    for _ in range(ROUNDS):
        if left <= allowed or idle >= IDLE:
            break
        state.find_signs(effort, allowed)
        more = sweeping and effort < MOST_SWEEPS  # sweeps are left to be tried, before systems are solved again
        for _ in range(STEPS_BESIDE_SWEEPS if more else STEPS_ON_SUPPORT):
            if state.left_on_support() <= 0.1 * allowed or not state.solve_on_support():
                break
        left = state.left()
        if left > 0.5 * last:
            effort = min(2 * effort, MOST_SWEEPS)
        idle = idle + 1 if left > 0.9 * last and not more else 0
        last = left
    return state.coef


class _State:
    """Weights on their way, and the slope of the parabola there."""

    def __init__(self, gram: Array, slope: Array, coef: Array, penalty):
        self.gram, self.slope, self.coef, self.penalty = gram, slope, coef, penalty
        self.shape = coef.shape
        self._step: Array | None = None  # of proximal gradients
        self._bends: Array | None = None  # of groups

    def left(self) -> float:
        """The largest slope that the penalty does not hold."""
        return float(np.abs(self._least_slope()).max(initial=0.0))

    def left_on_support(self) -> float:
        """The same over the weights that are not at a kink."""
        return float(np.abs(self._least_slope()[self.penalty.free(self.coef)]).max(initial=0.0))

    def _least_slope(self) -> Array:
        return self.penalty.least_slope(self.coef, self.slope + self.penalty.gradient(self.coef))

    def move_to(self, coef: Array) -> None:
        self.slope = self.slope + (self.gram @ (coef - self.coef).ravel()).reshape(self.shape)
        self.coef = coef

    def change(self, coef: Array) -> float:
        """How much larger the whole is at other weights."""
        move = (coef - self.coef).ravel()
        along = float(self.slope.ravel() @ move) + 0.5 * float(move @ (self.gram @ move))
        return along + self.penalty.value(coef) - self.penalty.value(self.coef)

    def find_signs(self, sweeps: int, allowed: float) -> None:
        if not AVAILABLE or self.penalty.swept is None:
            self._accelerated(PROXIMAL_STEPS)
            return
        kinks = np.ascontiguousarray(np.broadcast_to(self.penalty.l1, self.shape))
        coef, slope = self.coef.copy(), self.slope.ravel().copy()
        largest = float(self.gram.diagonal().max(initial=0.0))
        tol = 0.01 * allowed * allowed / largest  # which may be infinite, where a power of a float would raise
        if self.penalty.swept == "weights":
            of_gram(self.gram, kinks.ravel(), coef.ravel(), slope, self.penalty.positive, tol, sweeps)
        else:
            if self._bends is None:
                self._bends = self._largest_of_groups()
            of_groups(self.gram, kinks[0], self._bends, coef, slope, np.empty(self.shape[0]), tol, sweeps)
        self.coef, self.slope = coef, slope.reshape(self.shape)

    def _largest_of_groups(self) -> Array:
        """The largest eigenvalue of every feature's own block."""
        n_outputs, width = self.shape
        blocks = self.gram.reshape(n_outputs, width, n_outputs, width)
        own = np.einsum("kjlj->jkl", blocks)
        return np.ascontiguousarray(np.linalg.eigvalsh(own)[:, -1]) * (1.0 + 16.0 * EPSILON)

    def _accelerated(self, steps: int) -> None:
        """Proximal gradient steps with momentum, which starts again where it points uphill."""
        if self._step is None:
            self._step = self._steps()
        coef, slope, ahead, at, t = self.coef, self.slope, self.coef, self.slope, 1.0
        for _ in range(steps):
            following = self.penalty.prox(ahead - self._step * at, self._step)
            move = following - coef
            there = slope + (self.gram @ move.ravel()).reshape(self.shape)
            if float(np.sum((ahead - following) * move)) > 0.0:
                t = 1.0
            faster = 0.5 + np.sqrt(0.25 + t * t)
            momentum = (t - 1.0) / faster
            ahead, at, t = following + momentum * move, there + momentum * (there - slope), faster
            coef, slope = following, there
        self.coef, self.slope = coef, slope

    def _steps(self) -> Array:
        """Steps of every feature, short enough for descent."""
        diagonal = self.gram.diagonal().reshape(self.shape).max(axis=0)
        scale = np.tile(np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0)), self.shape[0])
        vector = np.random.RandomState(0).normal(size=scale.size)
        for _ in range(POWERS):
            vector = vector / np.linalg.norm(vector)
            vector = (self.gram @ (vector / scale)) / scale
        largest = LARGER**POWERS * float(np.linalg.norm(vector))
        bound = float(np.max(np.abs(self.gram / np.outer(scale, scale)).sum(axis=1), initial=1.0))
        return (1.0 / (scale**2 * min(max(largest, 1e-8), bound))).reshape(self.shape)

    def solve_on_support(self) -> bool:
        """A Newton step among the weights that are not at a kink; whether it was one."""
        free = self.penalty.free(self.coef)
        inside = np.flatnonzero(free)
        if not len(inside):
            return False
        block = self.gram[np.ix_(inside, inside)] + self._bend_of_penalty(inside)
        factor = regular_factor(block, unexplained=SINGULAR * len(inside))
        if factor is None:
            block.flat[:: len(inside) + 1] += RIDGE * float(block.diagonal().mean())
            factor = regular_factor(block, unexplained=SINGULAR * len(inside))
        if factor is None:
            return False
        gradient = (self.slope + self.penalty.gradient(self.coef)).ravel()[inside]
        direction = np.zeros(self.coef.size)
        direction[inside] = -dpotrs(factor, gradient, lower=1)[0]
        return self._take(direction.reshape(self.shape))

    def _bend_of_penalty(self, inside: Array) -> Array | float:
        """The second derivatives of a kink that bends away from zero."""
        if self.penalty.by_weight:
            return 0.0
        axes = np.zeros((len(inside), *self.shape))
        axes.reshape(len(inside), -1)[np.arange(len(inside)), inside] = 1.0
        columns = [self.penalty.hessian_product(self.coef, axis).ravel()[inside] for axis in axes]
        return np.array(columns)

    def _take(self, direction: Array) -> bool:
        """As much of a step as lowers the whole: with zeros where weights change sign, or up to the first such."""
        trial = self.penalty.on_face(self.coef, self.coef + direction)
        if self.change(trial) < 0.0:
            self.move_to(trial)
            return True
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(direction * self.coef < 0.0, -self.coef / direction, np.inf)
        first = float(share.min(initial=np.inf)) if self.penalty.by_weight else 0.5
        if not first < 1.0:
            return False
        trial = self.coef + first * direction
        if self.penalty.by_weight:
            trial[share <= first] = 0.0
        if not self.change(trial) < 0.0:
            return False
        self.move_to(trial)
        return True


def without(gram: Array, slope: Array, loose: Array) -> tuple[Array, Array, Callable[[Array], Array]]:
    """Gram and slope of the other coordinates when the loose ones are always at their best, and where that is.

    The function returned maps moves of the others to those of the loose ones.
    """
    held, apart = np.flatnonzero(~loose), np.flatnonzero(loose)
    inner, across = gram[np.ix_(apart, apart)], gram[np.ix_(apart, held)]
    come_first = not loose[: len(held)].any()
    among = gram[: len(held), : len(held)] if come_first else gram[np.ix_(held, held)]
    values, vectors = np.linalg.eigh(inner)
    bent = values > len(values) * EPSILON * max(float(values.max(initial=0.0)), 0.0)
    inverse = (vectors[:, bent] / values[bent]) @ vectors[:, bent].T if bent.any() else np.zeros_like(inner)
    pulled = inverse @ across
    reduced = np.ascontiguousarray(among - across.T @ pulled)
    alone = inverse @ slope[apart]
    return reduced, slope[held] - across.T @ alone, lambda move: -(alone + pulled @ move)
