"""Half unit deviances of the exponential dispersion models, on positive means with a log link."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from .base import Array, is_real
from .logarithmic import LogarithmicLoss, relative_entropy
from .on_scores import Matching


class DevianceLoss(LogarithmicLoss):
    """A loss of the logarithm of a positive mean; a concrete one gives it with its derivatives in that logarithm.

    ``value``, ``gradient`` and ``curvature`` in the mean follow by the chain rule.
    """

    domain = "values"
    link = "log"
    convex = True

    def check_target(self, y):
        self._refuse(y < 0, y, ">= 0")

    def value(self, y, prediction):
        return self.log_value(y, self._log(prediction))

    def gradient(self, y, prediction):
        return self.log_gradient(y, self._log(prediction)) / prediction

    def curvature(self, y, prediction):
        log_mean = self._log(prediction)
        return (self.log_curvature(y, log_mean) - self.log_gradient(y, log_mean)) / prediction / prediction

    def _log(self, prediction: Array) -> Array:
        if (prediction <= 0).any():
            first = int(np.argmax(prediction <= 0))
            raise ValueError(f"{self} needs positive predictions; the one of row {first} is {prediction[first]}.")
        return np.log(prediction)

    def _refuse(self, bad: np.ndarray, y: Array, condition: str) -> None:
        if bad.any():
            first = int(np.argmax(bad))
            raise ValueError(f"{self} is defined for y {condition}; y[{first}] is {y[first]}.")


class Poisson(DevianceLoss):
    r"""Half the Poisson deviance, for counts and frequencies.

    .. math:: L(y, \mu) = y \log\frac{y}{\mu} - y + \mu, \qquad \mu = e^z

    Convex in the score; gradient there :math:`\mu - y`. y must not be negative.

    References
    ----------
    P. McCullagh and J. A. Nelder, *Generalized Linear Models*, second edition. Chapman and Hall, 1989.

    Examples
    --------
    >>> from sklearn_losses import Poisson
    >>> Poisson()([0.0, 2.0], [1.0, 2.0])
    0.5
    """

    forms = (Matching, *LogarithmicLoss.forms)

    def completed(self, y, value, away=None):
        value = np.maximum(value + (xlogy(y, y) - y), 0.0)
        return value if away is None else relative_entropy(y, away, value)

    def log_value(self, y, log_mean):
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.exp(log_mean)
            return np.where(np.isinf(mean), np.inf, self.completed(y, mean - y * log_mean, mean - y))

    def log_gradient(self, y, log_mean):
        with np.errstate(over="ignore"):
            return np.exp(log_mean) - y

    def log_curvature(self, y, log_mean):
        with np.errstate(over="ignore"):
            return np.exp(log_mean)


class Gamma(DevianceLoss):
    r"""Half the Gamma deviance, for positive amounts whose spread grows with their mean.

    .. math:: L(y, \mu) = \log\frac{\mu}{y} + \frac{y}{\mu} - 1, \qquad \mu = e^z

    Convex in the score. y must be positive.

    References
    ----------
    P. McCullagh and J. A. Nelder, *Generalized Linear Models*, second edition. Chapman and Hall, 1989.

    Examples
    --------
    >>> from sklearn_losses import Gamma
    >>> round(Gamma()([1.0], [2.0]), 6)
    0.193147
    """

    def check_target(self, y):
        self._refuse(y <= 0, y, "> 0")

    def log_value(self, y, log_mean):
        ratio = np.log(y) - log_mean
        with np.errstate(over="ignore"):
            return np.maximum(np.expm1(ratio) - ratio, 0.0)

    def log_gradient(self, y, log_mean):
        with np.errstate(over="ignore"):
            return -np.expm1(np.log(y) - log_mean)

    def log_curvature(self, y, log_mean):
        with np.errstate(over="ignore"):
            return np.exp(np.log(y) - log_mean)


class Tweedie(DevianceLoss):
    r"""Half the Tweedie deviance of a power, between Poisson (1) and Gamma (2) for amounts with exact zeros.

    .. math:: L(y, \mu) = \frac{\max(y, 0)^{2-p}}{(1-p)(2-p)} - \frac{y \mu^{1-p}}{1-p} + \frac{\mu^{2-p}}{2-p},
              \qquad \mu = e^z

    with the Poisson and Gamma deviances as its limits at powers 1 and 2. Convex in the score for powers from 1 to
    2. y must be >= 0 for powers in [1, 2), > 0 for powers from 2 on, and may be any number for powers <= 0.

    Parameters
    ----------
    power : float, default=1.5
        The variance is proportional to the mean to this power. No distribution exists between 0 and 1.

    References
    ----------
    B. Jorgensen, *The Theory of Dispersion Models*. Chapman and Hall, 1997.

    Examples
    --------
    >>> from sklearn_losses import Tweedie
    >>> Tweedie(power=1.5)([0.0, 4.0], [1.0, 4.0])
    1.0
    """

    def __init__(self, power=1.5):
        self.power = power

    @property
    def convex(self):  # type: ignore[override]
        return 1 <= self.power <= 2

    def check_parameters(self):
        if not (is_real(self.power) and np.isfinite(self.power) and not 0 < self.power < 1):
            raise ValueError(
                f"power must be a finite number outside (0, 1), where no Tweedie distribution exists; "
                f"got {self.power!r}."
            )

    def check_target(self, y):
        if self.power >= 2:
            self._refuse(y <= 0, y, f"> 0 when power is {self.power}")
        elif self.power >= 1:
            self._refuse(y < 0, y, f">= 0 when power is {self.power}")

    def _limit(self) -> DevianceLoss | None:
        return {1: Poisson(), 2: Gamma()}.get(self.power)

    def log_value(self, y, log_mean):
        if limit := self._limit():
            return limit.log_value(y, log_mean)
        a, b = 1 - self.power, 2 - self.power
        rise, fall = self._terms(y, log_mean)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            scale = np.maximum(y, 0.0) ** b
            # with d = log(mu / y) and 1 / (a b) = 1 / a - 1 / b: nothing cancels close to y nor to powers 1 and 2
            d = log_mean - np.log(np.maximum(y, 0.0))
            close = scale * (np.expm1(b * d) / b - np.expm1(a * d) / a)
            value = np.where(np.abs(d) < 1.0, close, scale / (a * b) - fall / a + rise / b)
        # where a term overflows, the larger one is positive
        return np.where(np.isinf(rise) | np.isinf(fall), np.inf, np.maximum(value, 0.0))

    def log_gradient(self, y, log_mean):
        if limit := self._limit():
            return limit.log_gradient(y, log_mean)
        rise, fall = self._terms(y, log_mean)
        with np.errstate(invalid="ignore"):
            return rise - fall

    def log_curvature(self, y, log_mean):
        if limit := self._limit():
            return limit.log_curvature(y, log_mean)
        rise, fall = self._terms(y, log_mean)
        with np.errstate(over="ignore", invalid="ignore"):
            return (2 - self.power) * rise - (1 - self.power) * fall

    def _terms(self, y: Array, log_mean: Array) -> tuple[Array, Array]:
        """``mu^(2-p)`` and ``y mu^(1-p)``; the latter is zero where y is, however small mu may be."""
        with np.errstate(over="ignore"):
            fall = y * np.exp((1 - self.power) * np.where(y == 0, 0.0, log_mean))
            return np.exp((2 - self.power) * log_mean), fall
