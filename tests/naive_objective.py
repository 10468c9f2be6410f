"""What a fit minimises, by the textbook's formulas in 80 bits, from the data and the coefficients alone.

None of the package's code is used: not its losses, activations or objective. A kink is written as ``relu``, which can
be rounded off by a width, so that one minimiser serves smooth and piecewise-linear losses.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Float = np.longdouble
Array = np.ndarray


def relu(u: Array, width: float) -> Array:
    """max(0, u), or a smooth function above it by at most 0.7 widths."""
    return np.maximum(u, 0) if width == 0 else width * np.logaddexp(Float(0), u / width)


def absolute(u: Array, width: float) -> Array:
    return relu(u, width) + relu(-u, width)


def softplus(z: Array) -> Array:
    return np.logaddexp(Float(0), z)


def log_sum(z: Array) -> Array:
    top = z.max(axis=1, keepdims=True)
    return top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))


def log_probabilities(z: Array) -> tuple[Array, Array]:
    """log p and log(1 - p) of every class: (n, K), two columns for one score."""
    if z.ndim == 1:
        log_p = np.stack([-softplus(z), -softplus(-z)], axis=1)
        return log_p, log_p[:, ::-1]
    others = np.stack([log_sum(np.delete(z, k, axis=1))[:, 0] for k in range(z.shape[1])], axis=1)
    total = log_sum(z)
    return z - total, others - total


def columns(t: Array) -> Array:
    return np.stack([1 - t, t], axis=1) if t.ndim == 1 else t


def weighted_sum(t: Array, values: Array) -> Array:
    return np.where(t > 0, t * np.where(t > 0, values, 0), 0).sum(axis=1)


def cross_entropy(loss, t, z, width):
    t, smoothing = columns(t), getattr(loss, "label_smoothing", 0.0)
    t = (1 - Float(smoothing)) * t + Float(smoothing) / t.shape[1]
    return weighted_sum(t, -log_probabilities(z)[0])


def kl_divergence(loss, t, z, width):
    t = columns(t)
    return weighted_sum(t, np.log(np.where(t > 0, t, 1)) - log_probabilities(z)[0])


def focal(loss, t, z, width):
    log_p, log_q = log_probabilities(z)
    return weighted_sum(columns(t), -np.exp(Float(loss.gamma) * log_q) * log_p)


def generalized_cross_entropy(loss, t, z, width):
    return weighted_sum(columns(t), -np.expm1(Float(loss.q) * log_probabilities(z)[0]) / Float(loss.q))


def of_probability_errors(rho: Callable) -> Callable:
    """A function of p - t: of class 1 for two classes, summed over the columns for more."""

    def formula(loss, t, z, width):
        binary, t = z.ndim == 1, columns(t)
        log_p, log_q = log_probabilities(z)
        error = (1 - t) * np.exp(log_p) - t * np.exp(log_q)
        values = rho(loss, error, width)
        return values[:, 1] if binary else values.sum(axis=1)

    return formula


def of_errors(rho: Callable) -> Callable:
    return lambda loss, t, z, width: rho(loss, z - t, width)


def square(loss, e, width):
    return e**2


def absolute_error(loss, e, width):
    return absolute(e, width)


def huber(loss, e, width):
    delta = Float(loss.delta)
    return np.where(np.abs(e) <= delta, e**2 / 2, delta * (np.abs(e) - delta / 2))


def log_cosh(loss, e, width):
    size = np.abs(e)
    near = np.log1p(2 * np.sinh(np.minimum(size, 1) / 2) ** 2)
    return np.where(size < 1, near, size + np.log1p(np.exp(-2 * size)) - np.log(Float(2)))


def quantile(loss, e, width):
    q = Float(loss.quantile)
    return (1 - q) * relu(e, width) + q * relu(-e, width)


def epsilon_insensitive(loss, e, width):
    epsilon = Float(loss.epsilon)
    return relu(e - epsilon, width) + relu(-e - epsilon, width)


def squared_epsilon_insensitive(loss, e, width):
    return np.maximum(0, np.abs(e) - Float(loss.epsilon)) ** 2


def quartic(loss, e, width):
    return e**4


def pseudo_huber(loss, e, width):
    core = Float(loss.width)
    return e**2 / (np.sqrt(core**2 + e**2) + core)


def gaussian(loss, e, width):
    sigma = Float(loss.sigma)
    return e**2 / (2 * sigma**2) + np.log(sigma) + np.log(8 * np.arctan(Float(1))) / 2


def percentage_error(loss, t, z, width):
    return absolute(z - t, width) / np.abs(t)


def poisson(loss, t, z, width):
    return np.where(t > 0, t * (np.log(np.where(t > 0, t, 1)) - z), 0) - t + np.exp(z)


def gamma(loss, t, z, width):
    d = np.log(t) - z
    return np.where(np.abs(d) < 1e-3, d**2 / 2 + d**3 / 6 + d**4 / 24 + d**5 / 120, np.exp(d) - d - 1)


def tweedie(loss, t, z, width):
    p = Float(loss.power)
    if loss.power in (1, 2):
        return (poisson if loss.power == 1 else gamma)(loss, t, z, width)
    constant = np.maximum(t, 0) ** (2 - p) / ((1 - p) * (2 - p))
    fall = np.where(t == 0, 0, t * np.exp((1 - p) * np.where(t == 0, 0, z)))
    return constant - fall / (1 - p) + np.exp((2 - p) * z) / (2 - p)


def of_margins(phi: Callable, over: Callable = np.sum) -> Callable:
    """A function of how far the true class is above each of the others."""

    def formula(loss, t, z, width):
        if z.ndim == 1:
            return weighted_sum(columns(t), np.stack([phi(-z, width), phi(z, width)], axis=1))
        values = [over(phi(z[:, [k]] - np.delete(z, k, axis=1), width), axis=1) for k in range(z.shape[1])]
        return weighted_sum(t, np.stack(values, axis=1))

    return formula


def hinge(loss, t, z, width):
    if z.ndim == 2 and loss.multiclass == "crammer-singer":
        if width == 0:
            return of_margins(lambda m, width: np.maximum(1 - m, 0), np.max)(loss, t, z, width)
        largest = [
            width * np.logaddexp(Float(0), log_sum((1 - z[:, [k]] + np.delete(z, k, axis=1)) / width)[:, 0])
            for k in range(z.shape[1])
        ]
        return weighted_sum(t, np.stack(largest, axis=1))
    return of_margins(lambda m, width: relu(1 - m, width))(loss, t, z, width)


def modified_huber(m, width):
    return np.where(m >= -1, np.maximum(1 - m, 0) ** 2, -4 * m)


FORMULAS: dict[str, dict[str, Callable]] = {
    "CrossEntropy": {"probabilities": cross_entropy},
    "KLDivergence": {"probabilities": kl_divergence},
    "Focal": {"probabilities": focal},
    "GeneralizedCrossEntropy": {"probabilities": generalized_cross_entropy},
    "SquaredError": {"probabilities": of_probability_errors(square), "values": of_errors(square)},
    "AbsoluteError": {"probabilities": of_probability_errors(absolute_error), "values": of_errors(absolute_error)},
    "Huber": {"probabilities": of_probability_errors(huber), "values": of_errors(huber)},
    "LogCosh": {"probabilities": of_probability_errors(log_cosh), "values": of_errors(log_cosh)},
    "Hinge": {"scores": hinge},
    "SquaredHinge": {"scores": of_margins(lambda m, width: np.maximum(1 - m, 0) ** 2)},
    "ModifiedHuber": {"scores": of_margins(modified_huber)},
    "Exponential": {"scores": of_margins(lambda m, width: np.exp(-m))},
    "LeastSquares": {"scores": of_margins(lambda m, width: (1 - m) ** 2)},
    "PercentageError": {"values": percentage_error},
    "RootMeanSquaredError": {"values": of_errors(square)},
    "Quantile": {"values": of_errors(quantile)},
    "EpsilonInsensitive": {"values": of_errors(epsilon_insensitive)},
    "SquaredEpsilonInsensitive": {"values": of_errors(squared_epsilon_insensitive)},
    "Poisson": {"values": poisson},
    "Gamma": {"values": gamma},
    "Tweedie": {"values": tweedie},
    # those of users, defined beside the random situations
    "QuarticError": {"probabilities": of_probability_errors(quartic), "values": of_errors(quartic)},
    "PseudoHuber": {"values": of_errors(pseudo_huber)},
    "GaussianLogLikelihood": {"values": of_errors(gaussian)},
    "LogisticMargin": {"scores": cross_entropy},
}


@dataclass(frozen=True)
class NaiveObjective:
    """F of some data as a function of coefficients (K, p) and intercepts (K,)."""

    loss: object
    domain: str
    X: Array  # (n, p)
    target: Array  # (n,), or (n, K) for K > 2
    weights: Array  # (n,), of sum one
    alpha: float
    n_outputs: int
    fit_intercept: bool

    def scores(self, coef: Array, intercept: Array) -> Array:
        scores = self.X @ np.asarray(coef, Float).T + np.asarray(intercept, Float)
        return scores[:, 0] if self.n_outputs == 1 else scores

    def of_rows(self, scores: Array, width: float = 0.0) -> Array:
        formula = FORMULAS[type(self.loss).__name__][self.domain]
        with np.errstate(all="ignore"):
            return formula(self.loss, self.target, scores, width)

    def total(self, mean: Array) -> Array:
        return np.sqrt(mean) if type(self.loss).__name__ == "RootMeanSquaredError" else mean

    def value(self, coef: Array, intercept: Array, width: float = 0.0) -> Array:
        with np.errstate(all="ignore"):
            mean = self.weights @ self.of_rows(self.scores(coef, intercept), width)
            return self.total(mean) + Float(self.alpha) / 2 * np.sum(np.asarray(coef, Float) ** 2)

    def rounding(self, coef: Array, intercept: Array, epsilon: float) -> float:
        """How far F moves when every score moves by a few roundings of the products that it is the sum of."""
        scores = self.scores(coef, intercept)
        with np.errstate(all="ignore"):
            # with those of the columns' means, which a fit of centred columns adds to the intercept
            sizes = np.abs(self.X) + self.weights @ np.abs(self.X)
            size = sizes @ np.abs(np.asarray(coef, Float)).T + np.abs(np.asarray(intercept, Float))
            size = size[:, 0] if self.n_outputs == 1 else size
            if self.domain == "values":
                size = size + (1 if getattr(self.loss, "link", "identity") == "log" else np.abs(self.target))
            here = self.of_rows(scores)
            moved: Array = np.zeros_like(here)
            for k in range(self.n_outputs):
                step = 8 * epsilon * (size if size.ndim == 1 else size * (np.arange(self.n_outputs) == k))
                ends = [np.abs(self.of_rows(scores + sign * step) - here) for sign in (1, -1)]
                moved = moved + np.maximum(*ends)
            mean = self.weights @ here
            change = self.total(mean + self.weights @ moved) - self.total(mean)
            found = float(change + 64 * epsilon * np.abs(self.value(coef, intercept)))
            return np.inf if np.isnan(found) else found  # scores whose rounding is more than exponentials can take
