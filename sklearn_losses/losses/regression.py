"""Losses on values that are more than a function of the error: relative, quantile, insensitive and root mean square."""

from __future__ import annotations

from numbers import Real

import numpy as np

from .base import Loss
from .errors import ErrorLoss, SquaredError


class PercentageError(Loss):
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

    lower_bound = 0.0
    domain = "values"
    convex = True
    smooth = False

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

    def value(self, y, prediction):
        with np.errstate(over="ignore"):
            return np.abs(prediction - y) / np.abs(y)

    def gradient(self, y, prediction):
        with np.errstate(over="ignore"):
            return np.sign(prediction - y) / np.abs(y)

    def curvature(self, y, prediction):
        return np.zeros_like(prediction)

    def pieces(self, y):
        """Kinks and slopes of the loss as a function of the prediction."""
        return y[:, None], np.stack([-1 / np.abs(y), 1 / np.abs(y)], axis=1)


class RootMeanSquaredError(SquaredError):
    r"""Square root of the mean squared error.

    .. math:: F = \sqrt{\textstyle\sum_i s_i (p_i - y_i)^2 / \sum_i s_i}

    The only loss here that is not a mean over rows: the data term is transformed as a whole. It is a norm of the
    residuals, hence convex; with a penalty it is ridge regression whose strength adapts to the noise (as in the
    square-root lasso), and at zero residuals it has a corner.

    References
    ----------
    A. Belloni, V. Chernozhukov and L. Wang, Square-root lasso, *Biometrika* 98, 2011.

    Examples
    --------
    >>> from sklearn_losses import RootMeanSquaredError
    >>> RootMeanSquaredError()([0.0, 0.0], [3.0, 3.0])
    3.0
    """

    domain = "values"
    convex = True
    separable = False

    def total(self, mean):
        root = float(np.sqrt(mean))
        if root == 0.0:
            return 0.0, 0.0, 0.0
        return root, 0.5 / root, -0.25 / (root * mean) if root * mean > 0 else -np.inf

    def inner(self):
        return SquaredError()


class Quantile(ErrorLoss):
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
    smooth = False

    def __init__(self, quantile=0.5):
        self.quantile = quantile

    def check_parameters(self):
        if not (isinstance(self.quantile, Real) and 0 < self.quantile < 1):
            raise ValueError(f"quantile must be in (0, 1), both ends excluded; got {self.quantile!r}.")

    def of_error(self, error):
        return np.maximum((1 - self.quantile) * error, -self.quantile * error)

    def slope(self, error):
        return np.where(error > 0, 1 - self.quantile, np.where(error < 0, -self.quantile, 0.0))

    def bend(self, error):
        return np.zeros_like(error)

    def pieces(self, y):
        """Kinks and slopes of the loss as a function of the prediction."""
        return y[:, None], np.broadcast_to([-self.quantile, 1 - self.quantile], (len(y), 2))


class EpsilonInsensitive(ErrorLoss):
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
    smooth = False

    def __init__(self, epsilon=0.1):
        self.epsilon = epsilon

    def check_parameters(self):
        if not (isinstance(self.epsilon, Real) and 0 <= self.epsilon < np.inf):
            raise ValueError(f"epsilon must be a finite number >= 0; got {self.epsilon!r}.")

    def of_error(self, error):
        return np.maximum(0.0, np.abs(error) - self.epsilon)

    def slope(self, error):
        return np.sign(error) * (np.abs(error) > self.epsilon)

    def bend(self, error):
        return np.zeros_like(error)

    def pieces(self, y):
        """Kinks and slopes of the loss as a function of the prediction."""
        kinks = np.stack([y - self.epsilon, y + self.epsilon], axis=1)
        return kinks, np.broadcast_to([-1.0, 0.0, 1.0], (len(y), 3))


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
        if not (isinstance(self.epsilon, Real) and 0 <= self.epsilon < np.inf):
            raise ValueError(f"epsilon must be a finite number >= 0; got {self.epsilon!r}.")

    def of_error(self, error):
        return np.maximum(0.0, np.abs(error) - self.epsilon) ** 2

    def slope(self, error):
        return 2.0 * np.sign(error) * np.maximum(0.0, np.abs(error) - self.epsilon)

    def bend(self, error):
        return 2.0 * (np.abs(error) > self.epsilon).astype(error.dtype)
