"""Losses on values only: of the relative error, quantile, and insensitive to small errors."""

from __future__ import annotations

import numpy as np

from .base import is_real
from .errors import ErrorLoss, KinkedErrorLoss


class PercentageError(KinkedErrorLoss):
    r"""Absolute error relative to the target (MAPE), as a fraction.

    .. math:: L(y, p) = \frac{|p - y|}{|y|}

    Convex, with a kink. Undefined where a target is zero.

    References
    ----------
    A. de Myttenaere et al., Mean absolute percentage error for regression models, *Neurocomputing* 192, 2016.

    Examples
    --------
    >>> from sklearn_losses import PercentageError
    >>> PercentageError()([2.0, 4.0], [1.0, 4.0])
    0.25
    """

    domain = "values"
    convex = True

    def check_target(self, y):
        size = np.abs(y)
        # a difference of equal numbers is not always zero, nor has every number a reciprocal
        zero = size <= np.maximum(np.finfo(float).eps * size.max(), 1 / np.finfo(float).max)
        if zero.any():
            first = int(np.argmax(zero))
            what = "0" if y[first] == 0 else f"{y[first]}, zero but for rounding"
            raise ValueError(
                f"PercentageError divides by the targets, and y[{first}] is {what}. Drop those rows, shift y away "
                "from zero, or use AbsoluteError."
            )

    def unit(self, y):
        return np.abs(y)

    def pieces_of_error(self):
        return (0.0,), (-1.0, 1.0)


class Quantile(KinkedErrorLoss):
    r"""Quantile (pinball) loss; its minimiser is a conditional quantile.

    .. math:: L(y, p) = \begin{cases} q\,(y - p) & y \ge p \\ (1 - q)(p - y) & y < p \end{cases}

    Convex, with a kink at y; :math:`q = 1/2` is half the absolute error.

    Parameters
    ----------
    quantile : float, default=0.5
        The q in (0, 1).

    References
    ----------
    R. Koenker and G. Bassett, Regression quantiles, *Econometrica* 46, 1978.

    Examples
    --------
    >>> from sklearn_losses import Quantile
    >>> Quantile(quantile=0.75)([1.0, 1.0], [0.0, 2.0])
    0.5
    """

    domain = "values"
    convex = True

    def __init__(self, quantile=0.5):
        self.quantile = quantile

    def check_parameters(self):
        if not (is_real(self.quantile) and 0 < self.quantile < 1):
            raise ValueError(f"quantile must be in (0, 1), both ends excluded; got {self.quantile!r}.")

    def pieces_of_error(self):
        return (0.0,), (-self.quantile, 1 - self.quantile)


class EpsilonInsensitive(KinkedErrorLoss):
    r"""Absolute error beyond a tube, the loss of support vector regression.

    .. math:: L(y, p) = \max(0, |p - y| - \varepsilon)

    Convex, with kinks at both edges of the tube.

    Parameters
    ----------
    epsilon : float, default=0.1
        Half the width of the tube, in the units of y; not negative.

    References
    ----------
    V. Vapnik, *The Nature of Statistical Learning Theory*. Springer, 1995.

    Examples
    --------
    >>> from sklearn_losses import EpsilonInsensitive
    >>> EpsilonInsensitive(epsilon=0.5)([0.0, 0.0], [0.5, 2.5])
    1.0
    """

    domain = "values"
    convex = True

    def __init__(self, epsilon=0.1):
        self.epsilon = epsilon

    def check_parameters(self):
        if not (is_real(self.epsilon) and 0 <= self.epsilon < np.inf):
            raise ValueError(f"epsilon must be a finite number >= 0; got {self.epsilon!r}.")

    def pieces_of_error(self):
        return (-self.epsilon, self.epsilon), (-1.0, 0.0, 1.0)


class SquaredEpsilonInsensitive(ErrorLoss):
    r"""Squared error beyond a tube.

    .. math:: L(y, p) = \max(0, |p - y| - \varepsilon)^2

    Convex and differentiable.

    Parameters
    ----------
    epsilon : float, default=0.1
        Half the width of the tube, in the units of y; not negative.

    References
    ----------
    C.-H. Ho and C.-J. Lin, Large-scale linear support vector regression, *JMLR* 13, 2012.

    Examples
    --------
    >>> from sklearn_losses import SquaredEpsilonInsensitive
    >>> SquaredEpsilonInsensitive(epsilon=0.5)([0.0, 0.0], [0.5, 2.5])
    2.0
    """

    domain = "values"
    convex = True

    def __init__(self, epsilon=0.1):
        self.epsilon = epsilon

    def check_parameters(self):
        if not (is_real(self.epsilon) and 0 <= self.epsilon < np.inf):
            raise ValueError(f"epsilon must be a finite number >= 0; got {self.epsilon!r}.")

    def value_of_error(self, error):
        return np.maximum(0.0, np.abs(error) - self.epsilon) ** 2

    def gradient_of_error(self, error):
        return 2.0 * np.sign(error) * np.maximum(0.0, np.abs(error) - self.epsilon)

    def curvature_of_error(self, error):
        return 2.0 * (np.abs(error) > self.epsilon).astype(error.dtype)
