"""One score to the probability of class 1, by three links, and to the logarithms of both classes' probabilities."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from scipy.special import erfc, erfcx, log_ndtr, ndtr

from .base import Activation, Array
from .curvature import Diagonal
from .elementwise import Elementwise

TAIL, FRACTIONS = -8.0, 16  # below, the ratio of density and probability of a normal is a continued fraction of so many
EQUAL = 4.0  # roundings of one: a score whose two probabilities may be equal
SMALL = 0.25  # below, differences of exponentials are series


class LogPair(Activation):
    """``(n,)`` scores to ``(n, 2)``: the logarithms of 1 - p and p.

    Predictions never go below the smallest finite number, so that a target of zero silences them.
    """

    @abstractmethod
    def slopes(self, scores: Array) -> tuple[Array, Array]:
        """First derivatives of both columns."""

    @abstractmethod
    def bends(self, scores: Array) -> tuple[Array, Array, Array, Array]:
        """First and second derivatives of both columns."""

    def linearize(self, scores):
        down, up = self.slopes(scores)
        return self.forward(scores), lambda gradient: up * gradient[:, 1] + down * gradient[:, 0]

    def curvature(self, scores, gradient, curvature):
        down, up, down_bend, up_bend = self.bends(scores)
        # in this order a curvature of zero silences slopes whose squares overflow
        values = curvature[:, 1] * up * up + curvature[:, 0] * down * down
        return Diagonal(values + (gradient[:, 1] * up_bend + gradient[:, 0] * down_bend))


class LogSigmoid(LogPair):
    r"""Logarithms of both class probabilities of the sigmoid: :math:`\log\sigma(-z), \log\sigma(z)`."""

    def forward(self, scores):
        small = np.log1p(np.exp(-np.abs(scores)))
        return _pair(-np.maximum(scores, 0.0) - small, np.minimum(scores, 0.0) - small)

    def slopes(self, scores):
        p, q = _two_probabilities(scores)
        return -p, q

    def bends(self, scores):
        p, q = _two_probabilities(scores)
        bend = -p * q
        return -p, q, bend, bend


class Sigmoid(Elementwise):
    r"""The logistic function, from the score to the probability of class 1.

    .. math:: p = \sigma(z) = \frac{1}{1 + e^{-z}}, \qquad \sigma'(z) = p (1 - p), \qquad 1 - \sigma(z) = \sigma(-z)

    Everything is computed from ``exp(-|z|)``, so that it neither overflows nor loses digits for any finite score.

    References
    ----------
    C. M. Bishop, *Pattern Recognition and Machine Learning*, section 4.3.2. Springer, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_losses.activations import Sigmoid
    >>> Sigmoid().forward(np.array([-1e308, 0.0, 1e308]))
    array([0. , 0.5, 1. ])
    >>> Sigmoid().jacobian(np.array([0.0]))
    array([0.25])
    """

    domains = ("probabilities",)
    canonical = True
    logarithm = LogSigmoid()

    def first(self, scores):
        p, q = _two_probabilities(scores)
        return p, p * q

    def second(self, scores):
        p, q = _two_probabilities(scores)
        slope = p * q
        return slope, slope * (q - p)

    def forward(self, scores):
        return _two_probabilities(scores)[0]

    def of_classes(self, scores):
        p, q = _two_probabilities(scores)
        return np.stack([q, p], axis=1)

    def most_probable(self, scores):
        # the score's sign tells, but where both probabilities may be rounded to the same number
        found = (scores > 0).astype(np.intp)
        close = np.flatnonzero(np.abs(scores) < EQUAL * np.finfo(scores.dtype).eps)
        found[close] = super().most_probable(scores[close])
        return found

    def jacobian_operator(self, scores):
        slope = np.exp(-np.abs(scores))
        whole = 1.0 + slope
        slope /= whole
        slope /= whole
        return Diagonal(slope)

    def matching(self, scores, targets):
        # With the likely label h, 1 where z > 0, and d = h - t: log(1 + e^z) - t z is d z + log(1 + e^-|z|), and
        # p - t is d less the probability of the other label, so that nothing cancels where t is 0 or 1.
        power = np.exp(-np.abs(scores))
        distance = ~np.signbit(scores) - targets
        value = distance * scores
        value += np.log1p(power)
        power /= 1.0 + power
        distance -= np.copysign(power, scores)
        return value, distance


class LogProbit(LogPair):
    r"""Logarithms of both class probabilities of the probit: :math:`\log\Phi(-z), \log\Phi(z)`."""

    def forward(self, scores):
        with np.errstate(over="ignore"):
            return _pair(_floored(log_ndtr(-scores)), _floored(log_ndtr(scores)))

    def slopes(self, scores):
        return -_normal_ratio(-scores)[0], _normal_ratio(scores)[0]

    def bends(self, scores):
        down, down_bend = _normal_ratio(-scores)
        up, up_bend = _normal_ratio(scores)
        return -down, up, down_bend, up_bend


class Probit(Elementwise):
    r"""The normal distribution function, from the score to the probability of class 1.

    .. math:: p = \Phi(z), \qquad \Phi'(z) = \varphi(z) = \frac{e^{-z^2/2}}{\sqrt{2\pi}}, \qquad
              1 - \Phi(z) = \Phi(-z)

    Its tails are lighter than the sigmoid's. Cross-entropy is convex through it: log Phi is concave.

    References
    ----------
    C. I. Bliss, The method of probits, *Science* 79, 1934.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_losses.activations import Probit
    >>> Probit().forward(np.array([-1e308, 0.0, 1e308]))
    array([0. , 0.5, 1. ])
    """

    domains = ("probabilities",)
    logarithm = LogProbit()

    def first(self, scores):
        return ndtr(scores), _normal_density(scores)

    def second(self, scores):
        density = _normal_density(scores)
        return density, -scores * density

    def of_classes(self, scores):
        return np.stack([ndtr(-scores), ndtr(scores)], axis=1)


class LogComplementaryLogLog(LogPair):
    r"""Logarithms of both class probabilities of that link: :math:`-e^z, \log(1 - e^{-e^z})`."""

    def forward(self, scores):
        rate = _rate(scores)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            # log p is z + log(p / rate), where the quotient tends to 1, and close to log 1 that of 1 - q
            small = scores + np.log(np.where(rate > 0.0, -np.expm1(-rate) / rate, 1.0))
            return _pair(-rate, np.where(rate < 1.0, small, np.log1p(-np.exp(-rate))))

    def slopes(self, scores):
        rate = _rate(scores)
        return -rate, _rate_over_expm1(rate)

    def bends(self, scores):
        rate = _rate(scores)
        slope = _rate_over_expm1(rate)
        # 1 - slope - rate, by the Bernoulli numbers where it is a difference of almost equal ones
        square = np.minimum(rate, SMALL) ** 2
        series = square / 12 * (1 - square / 60 * (1 - square / 42 * (1 - square / 40 * (1 - square / 39.6))))
        bend = np.where(rate < SMALL, -0.5 * rate - series, 1.0 - slope - rate)
        with np.errstate(over="ignore"):
            return -rate, slope, -rate, slope * bend


class ComplementaryLogLog(Elementwise):
    r"""The probability of at least one event, from the logarithm of the rate of events.

    .. math:: p = 1 - e^{-e^z}, \qquad p' = e^{z - e^z}

    Not symmetric: p leaves 0 slowly and reaches 1 fast. Its coefficients are those of a proportional-hazards model
    whose times are grouped. Cross-entropy is convex through it.

    References
    ----------
    P. McCullagh and J. A. Nelder, *Generalized Linear Models*, section 4.3. Chapman and Hall, 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_losses.activations import ComplementaryLogLog
    >>> ComplementaryLogLog().forward(np.array([-1e308, np.log(np.log(2.0)), 1e308]))
    array([0. , 0.5, 1. ])
    """

    domains = ("probabilities",)
    logarithm = LogComplementaryLogLog()

    def first(self, scores):
        rate = _rate(scores)
        return -np.expm1(-rate), rate * np.exp(-rate)

    def second(self, scores):
        rate = _rate(scores)
        slope = rate * np.exp(-rate)
        return slope, -slope * np.expm1(np.minimum(scores, 100.0))

    def of_classes(self, scores):
        rate = _rate(scores)
        return np.stack([np.exp(-rate), -np.expm1(-rate)], axis=1)


def _pair(down: Array, up: Array) -> Array:
    """Two columns, kept column by column."""
    columns = np.empty((2, len(up)), up.dtype)
    columns[0], columns[1] = down, up
    return columns.T


def _floored(logs: Array) -> Array:
    return np.maximum(logs, np.finfo(logs.dtype).min, out=logs)


def _two_probabilities(scores: Array) -> tuple[Array, Array]:
    """sigma(z) and sigma(-z), each to full relative accuracy."""
    power = np.exp(-np.abs(scores))
    large = 1.0 / (1.0 + power)
    small = power * large
    positive = scores >= 0.0
    return np.where(positive, large, small), np.where(positive, small, large)


def _normal_density(scores: Array) -> Array:
    """The density of a standard normal; the square of a score in two parts, so that rounding does not grow with it."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        near = np.minimum(np.abs(scores), 50.0)
        coarse = np.rint(near * 1024.0) / 1024.0
        power = np.exp(-0.5 * coarse * coarse) * np.exp(-0.5 * (near - coarse) * (near + coarse))
    return power * near.dtype.type(1.0 / np.sqrt(2.0 * np.pi))


def _normal_ratio(scores: Array) -> tuple[Array, Array]:
    """The derivatives of log Phi: the ratio r of density and probability, and -r (r + z)."""
    root = scores.dtype.type(np.sqrt(2.0))
    middle = np.clip(scores, TAIL, 0.0) / -root
    ratio = scores.dtype.type(np.sqrt(2.0 / np.pi)) / erfcx(middle)
    right = _normal_density(scores) / (1.0 - 0.5 * erfc(np.maximum(scores, 0.0) / root))
    ratio = np.where(scores > 0.0, right, ratio)
    rest = ratio + scores
    tail = scores < TAIL
    if tail.any():
        # r + z = 1 / (x + 2 / (x + 3 / (x + ...))) at x = -z, where it would be a difference of almost equal numbers
        x = -scores[tail]
        fraction = np.zeros_like(x)
        for k in range(FRACTIONS, 0, -1):
            fraction = k / (x + fraction)
        rest[tail], ratio[tail] = fraction, x + fraction
    return ratio, -ratio * rest


def _rate(scores: Array) -> Array:
    """The exponential of scores, at most the largest number."""
    with np.errstate(over="ignore"):
        rate = np.exp(scores)
    return np.minimum(rate, np.finfo(rate.dtype).max)


def _rate_over_expm1(rate: Array) -> Array:
    """``rate / (exp(rate) - 1)``, which is 1 at zero and nothing for large rates."""
    near = np.minimum(rate, 1e3)
    with np.errstate(invalid="ignore"):
        return np.where(near > 0.0, near * np.exp(-near) / -np.expm1(-near), 1.0)
