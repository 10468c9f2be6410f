"""The root mean squared error, whose data term is not a mean over rows but a function of one."""

from __future__ import annotations

import numpy as np

from .errors import SquaredError


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
