"""Newton's method for a smooth function plus a penalty with a kink, which stays as it is in the model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..descent import NO_DECREASE, ROUNDING, Descent, Point
from .quadratic import minimise_quadratic, without

Array = np.ndarray

ACCURACY = 0.03  # of the slopes that a model may leave, beside those it starts with: the next model is another one
EXACT = 1e-13  # the same of a parabola, which is no model
SUFFICIENT = 1e-4  # share of the decrease that the model promises
SHORTEST, TRIALS, LONGEST = 1e-10, 40, 6  # of steps, and of searches where none, or some, step is good enough
FLAT = 0.3  # share of the slope at the start that may be left at the end of a step
CLOSEST = 0.1  # to an end of an interval, beside its width
DAMPED, UNDAMPED = 10.0, 0.1  # how the damping changes after steps that were cut short, and after whole ones


def proximal_newton(
    fun,
    x0,
    args=(),
    *,
    jac=None,
    hess=None,
    hessp=None,
    callback=None,
    tol=1e-6,
    atol=0.0,
    maxiter=100,
    estimate=None,
    penalty,
    n_outputs=1,
    n_free=0,
    **unknown,
):
    """Minimise a smooth function plus a penalty with a kink; a `scipy.optimize.minimize` method.

    Parameters
    ----------
    fun, x0, args, jac, callback
        As in `scipy.optimize.minimize`, of the sum of both: x is the weights, output by output, and then ``n_free``
        coordinates without a penalty. At a kink the gradient of the penalty counts as zero.
    hess : callable
        ``hess(x, *args)`` is the Hessian of the smooth function plus the penalty's squares, positive semidefinite: a
        matrix, or `Columns`.
    tol, atol : float
        Stop when the estimate of the gap is at most ``tol * |value| + atol``.
    maxiter : int
        Limit on the number of steps.
    estimate : callable, optional
        ``estimate(x, value, gradient)`` of the value minus the minimum; None or inf where there is none: then the
        decrease that the model promises decides.
    penalty : object
        Of the weights (K, p): its `kink`, the same without squares, has `value`, `gradient`, `prox`, `least_slope`,
        `free`, `on_face`, `hessian_product`, `take`, ``by_weight`` and ``swept``. Where that is "weights" or "groups"
        it is ``l1`` times the sizes of single weights, bounded if ``positive``, or of a feature's over the classes.
    n_outputs, n_free : int
        K, and the number of the other coordinates.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With `nhev`, the number of Hessians, and `estimate`, of the gap at the end.

    References
    ----------
    J. D. Lee, Y. Sun and M. A. Saunders, Proximal Newton-type methods for minimizing composite functions, *SIAM Journal
    on Optimization* 24, 2014.
    """
    if hess is None:
        raise ValueError("proximal_newton needs the Hessian: pass hess.")
    run = Descent(fun, x0, args, jac=jac, callback=callback, tol=tol, atol=atol, maxiter=maxiter, estimate=estimate)
    kinked = _Kinked(penalty, n_outputs, run.point.x.size - n_free)
    nhev, damping = 0, 0.0
    while run.status is None and not run.certified():
        start = run.point
        model = _model(hess(start.x, *args))
        nhev += 1
        if damping:
            model = model.damped(damping)
        direction = kinked.step(model, start, ACCURACY)
        slope = kinked.promised(start, direction)
        if run.finished(-0.5 * slope, direction):
            break
        point, share = _search(run.evaluate, start, direction, slope, kinked)
        if point is None:
            if damping > 1e3:
                run.status = ROUNDING if -slope <= 8.0 * start.noise else NO_DECREASE
                break
            damping = max(DAMPED * damping, 1e-4)
            if -slope <= start.noise:
                run.status = ROUNDING
            continue
        damping = max(DAMPED * damping, 1e-6) if share < 0.1 else UNDAMPED * damping if damping > 1e-8 else 0.0
        run.advance(point)
    return run.result(nhev=nhev)


def minimum_of_parabola(x: Array, gradient: Array, hessian, penalty, n_free: int, accuracy: float = EXACT) -> Array:
    """The minimiser of a parabola of one output plus a penalty's kink.

    Parameters
    ----------
    x, gradient : ndarray of shape (m,)
        A point and the gradient there, as `proximal_newton` has them.
    hessian : ndarray of shape (m, m) or Columns
        Of all but the kink.
    penalty, n_free
        As `proximal_newton` takes them.
    accuracy : float
        Share of the largest slope at x that may be left.
    """
    return x + _Kinked(penalty, 1, x.size - n_free).step(_model(hessian), Point(x, 0.0, gradient), accuracy)


class Matrix:
    """A Hessian that is written out."""

    def __init__(self, values: Array):
        self.values = values

    def damped(self, share: float) -> Matrix:
        """With so much of the mean diagonal added to it."""
        return Matrix(self.values + share * float(self.values.diagonal().mean()) * np.eye(len(self.values)))

    def step(self, coef: Array, slope: Array, kink, accuracy: float) -> Array:
        """To the minimiser of the parabola with this slope at coef (K, p) plus the kink of the weights."""
        never_held = kink.free(np.zeros(coef.shape))
        loose = np.append(never_held.ravel(), np.ones(len(slope) - coef.size, dtype=bool))
        if not loose.any():
            found = minimise_quadratic(self.values, slope.reshape(coef.shape), coef, kink, accuracy)
            return (found - coef).ravel()
        reduced, left, of_loose = without(self.values, slope, loose)
        held = np.flatnonzero(~never_held[0])
        some = coef[:, held]
        found = minimise_quadratic(reduced, left.reshape(some.shape), some, kink.take(held), accuracy)
        step = np.zeros_like(slope)
        step[~loose] = (found - some).ravel()
        step[loose] = of_loose(step[~loose])
        return step


def _model(hessian):
    return Matrix(np.asarray(hessian, dtype=float)) if isinstance(hessian, np.ndarray) else hessian


class _Kinked:
    """The penalty's kink as a function of the vector x; its squares count as part of what is smooth."""

    def __init__(self, penalty, n_outputs: int, n_weights: int):
        self.kink, self.n_outputs, self.n_weights = penalty.kink(), n_outputs, n_weights

    def weights(self, x: Array) -> Array:
        return x[: self.n_weights].reshape(self.n_outputs, -1)

    def smooth_slope(self, point: Point) -> Array:
        slope = point.gradient.copy()
        slope[: self.n_weights] -= self.kink.gradient(self.weights(point.x)).ravel()
        return slope

    def step(self, model, point: Point, accuracy: float) -> Array:
        """The step to the minimiser of the model."""
        return model.step(self.weights(point.x), self.smooth_slope(point), self.kink, accuracy)

    def slope_along(self, point: Point, direction: Array) -> float:
        """The derivative of the whole along a direction."""
        coef, move = self.weights(point.x), self.weights(direction)
        at_kinks = np.where(self.kink.free(coef), 0.0, move)
        leaving = self.kink.value(at_kinks) if at_kinks.any() else 0.0
        if not np.isfinite(leaving):  # beyond a bound, which counts as a kink of both sides
            leaving = self.kink.value(np.abs(at_kinks))
        return float(point.gradient @ direction) + leaving

    def promised(self, point: Point, direction: Array) -> float:
        """The decrease to first order: negative unless the point is a minimum."""
        coef = self.weights(point.x)
        trial = coef + self.weights(direction)
        return float(self.smooth_slope(point) @ direction) + self.kink.value(trial) - self.kink.value(coef)


def _search(
    evaluate: Callable[[Array], Point], start: Point, direction: Array, slope: float, kinked: _Kinked
) -> tuple[Point | None, float]:
    """A step that keeps enough of what was promised, and at whose end the function hardly rises or falls along it."""
    shares, slopes = [0.0, np.inf], [slope, np.inf]  # of the nearest points before and behind the lowest one
    best, reached, share = None, 0.0, 1.0
    for trial in range(TRIALS):
        point = evaluate(start.x + share * direction)
        lower = point.value <= start.value + SUFFICIENT * share * slope + start.noise * (share == 1.0)
        along = kinked.slope_along(point, direction) if np.isfinite(point.value) else np.inf
        if lower and (best is None or point.value < best.value):
            best, reached = point, share
        if lower and (abs(along) <= FLAT * abs(slope) or (along < 0.0 and share == 1.0)):
            return point, share
        if best is not None and trial >= LONGEST:
            break
        behind = not lower or along > 0.0
        shares[behind], slopes[behind] = share, along
        share = _between(*shares, *slopes)
        if share < SHORTEST:
            break
    return best, reached


def _between(first: float, last: float, falling: float, rising: float) -> float:
    """Where a line through two slopes is zero, but not next to an end; the middle where there is no such line."""
    width = last - first
    if not (falling < 0.0 < rising < np.inf):
        return first + 0.5 * width if first > 0.0 else 0.3 * last
    share = first - falling * width / (rising - falling)
    return float(np.clip(share, first + CLOSEST * width, last - CLOSEST * width))
