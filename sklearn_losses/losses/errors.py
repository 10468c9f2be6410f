"""Errors: functions of the difference between prediction and target, on probabilities or on values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from .base import Array, Loss, is_real
from .kinks import KinksAndSlopes, slope_at, value_at


class ErrorLoss(Loss, ABC):
    """``rho((prediction - y) / unit)``, summed over the columns where there are K of them.

    A concrete loss gives rho and its two derivatives, elementwise.
    """

    lower_bound = 0.0
    domain: ClassVar[str | tuple[str, ...]] = ("probabilities", "values")
    convex: bool | str = "values"

    @abstractmethod
    def value_of_error(self, error: Array) -> Array:
        """Rho."""

    @abstractmethod
    def gradient_of_error(self, error: Array) -> Array:
        """First derivative of rho."""

    @abstractmethod
    def curvature_of_error(self, error: Array) -> Array:
        """Second derivative of rho."""

    def unit(self, y: Array) -> Array | None:
        """What the error of every row is measured in; None for the unit of y."""
        return None

    def value(self, y, prediction):
        with np.errstate(over="ignore"):
            values = self.value_of_error(_divided(prediction - y, self.unit(y)))
        return values if values.ndim == 1 else values.sum(axis=1)

    def gradient(self, y, prediction):
        unit = self.unit(y)
        with np.errstate(over="ignore"):
            return _divided(self.gradient_of_error(_divided(prediction - y, unit)), unit)

    def curvature(self, y, prediction):
        unit = self.unit(y)
        with np.errstate(over="ignore"):
            return _divided(_divided(self.curvature_of_error(_divided(prediction - y, unit)), unit), unit)


class KinkedErrorLoss(ErrorLoss):
    """An error loss whose rho is convex and piecewise linear: a concrete one gives its pieces, and nothing else.

    Its least value is zero. At a kink the gradient is the subgradient nearest to zero.
    """

    smooth = False

    @abstractmethod
    def pieces_of_error(self) -> KinksAndSlopes:
        """Kinks of rho, rising, and its slopes, one more of them and not falling; both in units of the error."""

    def value_of_error(self, error):
        return value_at(error, self.pieces_of_error())

    def gradient_of_error(self, error):
        return slope_at(error, self.pieces_of_error())

    def curvature_of_error(self, error):
        return np.zeros_like(error)

    def pieces(self, y):
        """Kinks and slopes of the loss as a function of the prediction."""
        kinks, slopes = map(np.asarray, self.pieces_of_error())
        unit = self.unit(y)
        if unit is None:
            return y[:, None] + kinks, np.broadcast_to(slopes, (len(y), len(slopes)))
        return y[:, None] + unit[:, None] * kinks, slopes / unit[:, None]


class SquaredError(ErrorLoss):
    r"""Squared error; on probabilities the Brier score.

    .. math:: L(y, p) = (p - y)^2, \qquad \text{K classes: } \sum_k (p_k - y_k)^2

    Ordinary least squares in regression (convex). On the probabilities of a sigmoid or softmax it is bounded and
    not convex, and its gradient carries the factor p (1 - p), so that it learns slowly where the model is
    confidently wrong.

    References
    ----------
    A. M. Legendre, *Nouvelles methodes pour la determination des orbites des cometes*, 1805.
    G. W. Brier, Verification of forecasts expressed in terms of probability, *Monthly Weather Review* 78, 1950.

    Examples
    --------
    >>> from sklearn_losses import SquaredError
    >>> model_2 = [[0.1, 0.2, 0.7], [0.1, 0.7, 0.2], [0.3, 0.4, 0.3]]
    >>> round(SquaredError()([2, 1, 0], model_2), 4)
    0.34
    """

    quadratic = True

    def value_of_error(self, error):
        return error * error

    def gradient_of_error(self, error):
        return 2.0 * error

    def curvature_of_error(self, error):
        return np.full_like(error, 2.0)


class AbsoluteError(KinkedErrorLoss):
    r"""Absolute error.

    .. math:: L(y, p) = |p - y|, \qquad \text{K classes: } \sum_k |p_k - y_k|

    In regression the minimiser is a conditional median: convex, robust to outliers in y, solved exactly. On
    probabilities it is not convex; it is robust to wrong labels.

    References
    ----------
    R. Koenker, *Quantile Regression*, chapter 1. Cambridge University Press, 2005. On probabilities: A. Ghosh,
    H. Kumar and P. S. Sastry, Robust loss functions under label noise for deep neural networks, *AAAI* 2017.

    Examples
    --------
    >>> from sklearn_losses import AbsoluteError
    >>> AbsoluteError()([3.0, 1.0], [2.0, 4.0])
    2.0
    """

    def pieces_of_error(self):
        return (0.0,), (-1.0, 1.0)


class Huber(ErrorLoss):
    r"""Huber's loss: squared inside delta, absolute outside.

    .. math:: L(y, p) = \begin{cases} e^2 / 2 & |e| \le \delta \\ \delta (|e| - \delta / 2) & |e| > \delta
              \end{cases}, \qquad e = p - y

    Convex in regression. Close to the absolute error for small delta, half the squared error for a large one.

    Parameters
    ----------
    delta : float, default=1.0
        Where the squared part ends, in the units of y; positive.

    References
    ----------
    P. J. Huber, Robust estimation of a location parameter, *Annals of Mathematical Statistics* 35, 1964.

    Examples
    --------
    >>> from sklearn_losses import Huber
    >>> Huber(delta=1.0)([0.0], [3.0])
    2.5
    """

    def __init__(self, delta=1.0):
        self.delta = delta

    def check_parameters(self):
        if not (is_real(self.delta) and 0 < self.delta < np.inf):
            raise ValueError(f"delta must be a finite number > 0; got {self.delta!r}.")

    def value_of_error(self, error):
        size = np.abs(error)
        inside = np.minimum(size, self.delta)
        return inside * (size - 0.5 * inside)

    def envelope(self, y):
        """That of delta times the absolute error."""
        return y, np.broadcast_to([-self.delta, self.delta], (len(y), 2)), 1.0

    def gradient_of_error(self, error):
        return np.clip(error, -self.delta, self.delta)

    def curvature_of_error(self, error):
        return (np.abs(error) <= self.delta).astype(error.dtype)


class LogCosh(ErrorLoss):
    r"""Logarithm of the hyperbolic cosine of the error: a smooth absolute error.

    .. math:: L(y, p) = \log\cosh(p - y)

    About :math:`e^2/2` for small errors and :math:`|e| - \log 2` for large ones; twice differentiable everywhere.
    Convex in regression.

    References
    ----------
    R. A. Saleh and A. K. Md. E. Saleh, Statistical properties of the log-cosh loss function used in machine
    learning, 2022.

    Examples
    --------
    >>> from sklearn_losses import LogCosh
    >>> round(LogCosh()([0.0], [1e-8]) / 1e-16, 6)
    0.5
    """

    def value_of_error(self, error):
        size = np.abs(error)
        # log1p(sinh(e)^2) / 2 keeps the digits of small errors, |e| + log1p(exp(-2|e|)) - log 2 those of large ones
        near = 0.5 * np.log1p(np.sinh(np.minimum(size, 1.0)) ** 2)
        return np.where(size < 1.0, near, size + (np.log1p(self._tail(size)) - np.log(2.0)))

    def gradient_of_error(self, error):
        return np.tanh(error)

    def curvature_of_error(self, error):
        tail = self._tail(np.abs(error))
        return 4.0 * tail / (1.0 + tail) ** 2

    @staticmethod
    def _tail(size: Array) -> Array:
        return np.exp(-2.0 * np.minimum(size, 1e3))


def _divided(values: Array, unit: Array | None) -> Array:
    return values if unit is None else values / unit
