"""The minimum of a naive objective: Newton's method in 80 bits on differences, and linear programmes by HiGHS."""

from itertools import pairwise

import numpy as np
from naive_objective import Array, Float, NaiveObjective, columns
from scipy.optimize import linprog

PIECEWISE = ("Hinge", "AbsoluteError", "PercentageError", "Quantile", "EpsilonInsensitive")
LARGEST = 60  # parameters that are worth a factorisation in 80 bits
LARGEST_ROWS = 250
STEPS = 60
NOTHING = Float(1e-18)


def is_piecewise(naive: NaiveObjective) -> bool:
    return type(naive.loss).__name__ in PIECEWISE and naive.domain != "probabilities"


def is_small(naive: NaiveObjective) -> bool:
    n, p = naive.X.shape
    return n * naive.n_outputs <= LARGEST_ROWS and naive.n_outputs * (p + 1) <= LARGEST


class Standardised:
    """The objective in the weights of centred and scaled columns: a flat vector of V (K, p), then c (K,)."""

    def __init__(self, naive: NaiveObjective):
        self.naive = naive
        X = naive.X
        self.center = naive.weights @ X if naive.fit_intercept else np.zeros(X.shape[1], Float)
        self.rows = X - self.center
        scale = np.sqrt(naive.weights @ self.rows**2)
        lost = scale <= 1e-17 * np.abs(X).max(axis=0, initial=0)  # constant but for rounding
        self.rows[:, lost] = 0
        self.scale = np.where(scale > 0, scale, 1)
        self.rows = self.rows / self.scale
        ones = np.full((len(X), 1), float(naive.fit_intercept))
        self.features = np.hstack([self.rows, ones])  # (n, p + 1)
        strength = Float(naive.alpha) / self.scale**2
        self.penalty = np.tile(np.append(strength, 0), naive.n_outputs).reshape(naive.n_outputs, -1)

    def to_model(self, v: Array) -> tuple[Array, Array]:
        coef = v[:, :-1] / self.scale
        return coef, v[:, -1] * self.naive.fit_intercept - coef @ self.center

    def from_model(self, coef: Array, intercept: Array) -> Array:
        coef = np.asarray(coef, Float)
        c = np.asarray(intercept, Float) + coef @ self.center
        return np.hstack([coef * self.scale, c[:, None]])

    def scores(self, v: Array) -> Array:
        scores = self.features @ v.T
        return scores[:, 0] if self.naive.n_outputs == 1 else scores

    def value(self, v: Array, width: float) -> Array:
        mean = self.naive.weights @ self.naive.of_rows(self.scores(v), width)
        return self.naive.total(mean) + (self.penalty * v**2).sum() / 2

    def derivatives(self, v: Array, width: float, step: float) -> tuple[Array, Array]:
        """Gradient and Hessian by central differences in the scores."""
        naive, z = self.naive, self.scores(v)
        axes = [Float(step)] if z.ndim == 1 else list(step * np.eye(naive.n_outputs, dtype=Float))
        of = naive.of_rows
        here = of(z, width)
        ahead, behind = [of(z + h, width) for h in axes], [of(z - h, width) for h in axes]
        first = np.stack([(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)], axis=1)
        second = np.zeros((len(here), len(axes), len(axes)), Float)
        for i, one in enumerate(axes):
            second[:, i, i] = (ahead[i] - 2 * here + behind[i]) / step**2
            for j in range(i):
                mixed = (
                    of(z + one + axes[j], width)
                    - of(z + one - axes[j], width)
                    - of(z - one + axes[j], width)
                    + of(z - one - axes[j], width)
                ) / (4 * step**2)
                second[:, i, j] = second[:, j, i] = mixed
        weights, features = naive.weights, self.features
        gradient = (first * weights[:, None]).T @ features
        blocks = [
            [(features * (weights * second[:, i, j])[:, None]).T @ features for j in range(len(axes))]
            for i in range(len(axes))
        ]
        hessian = np.block(blocks)
        mean = weights @ here
        if naive.total(mean) is not mean:  # the root of the mean
            root = naive.total(mean)
            gradient, flat = gradient / (2 * root), gradient.ravel() / (2 * root)
            hessian = hessian / (2 * root) - np.outer(flat, flat) / root
        gradient = gradient + self.penalty * v
        hessian[np.diag_indices(len(hessian))] += self.penalty.ravel()
        return gradient, hessian


def solve(hessian: Array, gradient: Array) -> Array:
    """Minus the inverse times the gradient, by a Cholesky factorisation in 80 bits, shifted until it is positive."""
    size = np.sqrt(np.maximum(np.abs(np.diag(hessian)), np.finfo(Float).tiny))
    scaled = hessian / np.outer(size, size)
    shift = Float(0)
    for _ in range(24):
        lower = scaled + shift * np.eye(len(scaled), dtype=Float)
        if _factorise(lower):
            x = -gradient / size
            for i in range(len(x)):
                x[i] = (x[i] - lower[i, :i] @ x[:i]) / lower[i, i]
            for i in reversed(range(len(x))):
                x[i] = (x[i] - lower[i + 1 :, i] @ x[i + 1 :]) / lower[i, i]
            return x / size
        shift = max(10 * shift, Float(1e-17))
    return -gradient / size**2


def _factorise(a: Array) -> bool:
    for j in range(len(a)):
        if not a[j, j] > 1e-19:
            return False
        a[j, j] = np.sqrt(a[j, j])
        a[j + 1 :, j] /= a[j, j]
        a[j + 1 :, j + 1 :] -= np.outer(a[j + 1 :, j], a[j + 1 :, j])
    return True


def newton(problem: Standardised, v: Array, width: float, step: float, steps: int = STEPS) -> Array:
    """Damped Newton steps until F does not fall any more."""
    value = problem.value(v, width)
    for _ in range(steps):
        gradient, hessian = problem.derivatives(v, width, step)
        if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            break
        direction = solve(hessian, gradient.ravel()).reshape(v.shape)
        length, last = Float(1), value
        while length > 1e-12:
            candidate = v + length * direction
            there = problem.value(candidate, width)
            if there < value:
                v, value = candidate, there
                break
            length /= 4
        while length >= 1 and np.isfinite(value):  # straight lines far out: longer steps pay
            length *= 4
            there = problem.value(v + length * direction, width)
            if not there < value:
                break
            v, value = v + length * direction, there
        if not last - value > NOTHING * np.abs(value):
            break
    return v


def core_of(naive: NaiveObjective) -> float:
    """The distance in scores over which a row's loss changes its shape."""
    name, loss = type(naive.loss).__name__, naive.loss
    if naive.domain != "values" or getattr(loss, "link", "identity") == "log":
        return 1.0
    spread = _spread(naive)
    return {"Huber": lambda: min(loss.delta, spread), "PseudoHuber": lambda: min(loss.width, spread)}.get(
        name, lambda: min(1.0, spread) if name == "LogCosh" else spread
    )()


def _spread(naive: NaiveObjective) -> float:
    middle = np.sort(naive.target)[len(naive.target) // 2]
    return float(naive.weights @ np.abs(naive.target - middle)) or float(np.abs(middle)) or 1.0


def minimise(naive: NaiveObjective, start: tuple[Array, Array]) -> tuple[Array, Array]:
    """A point as low as this gets from a start: coefficients (K, p) and intercepts (K,)."""
    problem = Standardised(naive)
    v = problem.from_model(*start)
    core = core_of(naive)
    with np.errstate(all="ignore"):
        if not is_piecewise(naive):
            noise = 1e-13 * float(np.abs(problem.scores(v)).max(initial=0))
            return problem.to_model(newton(problem, v, 0.0, max(1e-6 * core, noise)))
        best, least = v, problem.value(v, 0.0)
        for exponent in range(1, 19):
            width = core * 10.0 ** (-exponent / 2)
            v = newton(problem, v, width, 1e-3 * width, steps=12)
            if problem.value(v, 0.0) < least:
                best, least = v, problem.value(v, 0.0)
    return problem.to_model(best)


def affine_terms(naive: NaiveObjective):
    """A piecewise-linear loss as (weights (n,), [(slopes (K,), constants (n,)), ...]): a sum of largest of lines."""
    name, loss, t, K = type(naive.loss).__name__, naive.loss, naive.target, naive.n_outputs
    one, zero, weights = np.ones(1), np.zeros_like(t), naive.weights
    if name == "AbsoluteError":
        return [(weights, [(one, -t), (-one, t)])]
    if name == "PercentageError":
        return [(weights / np.abs(t), [(one, -t), (-one, t)])]
    if name == "Quantile":
        q = loss.quantile
        return [(weights, [((1 - q) * one, -(1 - q) * t), (-q * one, q * t)])]
    if name == "EpsilonInsensitive":
        return [(weights, [(one, -t - loss.epsilon), (-one, t - loss.epsilon), (0 * one, zero)])]
    if K == 1:
        ones = np.ones(len(t))
        return [
            (weights * t, [(-one, ones), (0 * one, 0 * ones)]),
            (weights * (1 - t), [(one, ones), (0 * one, 0 * ones)]),
        ]
    terms, ones, eye = [], np.ones(len(t)), np.eye(K)
    for k in range(K):
        lines = [(eye[j] - eye[k], ones) for j in range(K) if j != k]
        nothing = (np.zeros(K), 0 * ones)
        together = [[*lines, nothing]] if loss.multiclass == "crammer-singer" else [[line, nothing] for line in lines]
        terms += [(weights * columns(t)[:, k], group) for group in together]
    return terms


def by_linear_programme(naive: NaiveObjective) -> tuple[Array, Array] | None:
    """The minimum of a piecewise-linear loss without a penalty, by HiGHS; None where it does not succeed."""
    problem = Standardised(naive)
    unit = _spread(naive) if naive.domain == "values" else 1.0
    middle = np.sort(naive.target)[len(naive.target) // 2] if naive.domain == "values" and naive.fit_intercept else 0.0
    features, n, K = np.asarray(problem.features, float), len(naive.X), naive.n_outputs
    terms = affine_terms(naive)
    n_weights = K * features.shape[1]
    starts = n_weights + n * np.arange(len(terms) + 1)
    rows, bounds = [], []
    for (_, lines), (begin, end) in zip(terms, pairwise(starts), strict=True):
        for slopes, constants in lines:
            row = np.zeros((n, starts[-1]))
            row[:, :n_weights] = np.kron(np.asarray(slopes, float), features)
            row[:, begin:end] = -np.eye(n)
            rows.append(row)
            bounds.append(
                -np.asarray((constants + slopes[0] * middle) / unit if naive.domain == "values" else constants, float)
            )
    cost = np.concatenate([np.zeros(n_weights), *(np.asarray(weights, float) for weights, _ in terms)])
    cost = cost / cost.max()
    free = [(None, None)] * n_weights + [(None, None)] * (starts[-1] - n_weights)
    found = linprog(cost, np.vstack(rows), np.concatenate(bounds), bounds=free, method="highs")
    if found.x is None:
        return None
    v = np.asarray(found.x[:n_weights], Float).reshape(K, -1) * unit
    v[:, -1] += middle
    return problem.to_model(v)
