"""Squared errors of many rows as those of as many rows as features: what is left of them by a QR factorisation.

With the rows and the targets less their means and times the roots of their weights, ``[A, a] = Q R``, the mean squared
error of weights w is ``||A w - a||^2 = ||R [w, -1]||^2``, and the best intercept is that of the means.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr

from ..data import Rows, rows_of
from ..losses import SquaredError
from ..losses.on_scores import Array
from ..solvers.cholesky import regular_factor
from . import kernels
from .objective import Objective


def has_triangle(objective: Objective) -> bool:
    """Whether an objective is one of squared errors on dense rows."""
    return objective.regression and type(objective.loss) is SquaredError and not objective.rows.is_sparse


def _triangle(rows: Rows, center: Array, middle: float) -> Array:
    """R, from the Gram matrix where no column is close to what others make of it."""
    (gram,) = rows.sum(kernels.gram_with_targets, center, middle)
    lower = regular_factor(gram)
    if lower is not None:
        return np.triu(lower.T)
    features, y, weights = rows.take(slice(None)), rows.targets_of(slice(None)), rows.weights_of(slice(None))
    rows.meter.count(rows)
    whole = np.column_stack([features - center, y - middle]) * np.sqrt(weights)[:, None]
    (factor,) = qr(whole, mode="r", overwrite_a=True, check_finite=False)
    return factor[: whole.shape[1]]


class Triangle:
    """The objective without intercept on the rows of R, and the way back to all rows.

    Parameters
    ----------
    objective : Objective
        One that `has_triangle`.
    """

    def __init__(self, objective: Objective):
        rows, self.full = objective.rows, objective
        self.center, self.middle = np.zeros(rows.n_features), 0.0
        if objective.fit_intercept:
            center, middle = rows.sum(kernels.means)
            self.center, self.middle = center, float(middle)
        factor = _triangle(rows, self.center, self.middle)
        factor *= np.sqrt(len(factor))  # rows of a mean
        self.objective = Objective(
            rows_of(np.ascontiguousarray(factor[:, :-1]), factor[:, -1]),
            loss=objective.loss,
            composition=objective.composition,
            penalty=objective.penalty,
            fit_intercept=False,
            regression=True,
        )

    def to_full(self, theta: Array) -> Array:
        """Parameters of all rows, with the best intercept."""
        return self.full.parameters.join(theta[None], np.array([self.middle - self.center @ theta]))

    def to_reduced(self, theta: Array) -> Array:
        """The same without an intercept."""
        return self.full.parameters.split(theta)[0][0]
