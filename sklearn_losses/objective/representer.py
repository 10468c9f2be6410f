"""More features than rows: the same problem in as many features as there are rows.

The best W, or one of them, is a combination of the centred rows A = X - center (the representer theorem). With the
factorisation A A' = L L' the scores are A W' = L V' for V = W A' L^-T', and the penalty is the same, ||W|| = ||V||: so
the rows of L take the place of those of X. Beside a column that is much larger than the others, A A' would lose these:
it stays as it is, a column beside those of L.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from ..data import Rows
from ..data.statistics import Statistics
from ..losses.on_scores import Array
from .objective import Objective

DOMINANT = 1e4  # times the squares of all smaller columns, which lose a quarter of their digits in sums with such a one
FEW = 10  # times as many rows as columns that stand apart


def apart(objective: Objective, statistics: Statistics) -> NDArray[np.intp]:
    """The columns, a few at most, that are much larger than all smaller ones together."""
    center, spread = statistics
    sizes = spread if objective.fit_intercept else np.hypot(spread, center)
    order = np.argsort(-sizes, kind="stable")
    with np.errstate(over="ignore"):
        squares = sizes[order] ** 2
    smaller = np.append(np.cumsum(squares[::-1])[-2::-1], 0.0)
    most = max(objective.rows.n_rows // FEW, 1)
    dominant = np.flatnonzero(squares[:most] > DOMINANT * smaller[:most])
    return np.sort(order[: dominant[-1] + 1]) if dominant.size else dominant


class Reduction:
    """An objective over n rows and p > n features as one over n rows and little more than n features.

    Its penalty is `spherical`.
    """

    def __init__(self, objective: Objective, statistics: Statistics):
        self.full = objective
        self.center = statistics[0] if objective.fit_intercept else np.zeros_like(statistics[0])
        self.apart = apart(objective, statistics)
        self.others = np.setdiff1d(np.arange(objective.rows.n_features), self.apart)
        self.rows = objective.rows.columns(self.others) if self.apart.size else objective.rows
        gram = self.rows.inner_products(self.center[self.others])
        factor, pivots, rank, _ = dpstrf(gram, lower=1, tol=np.finfo(float).eps * len(gram) * gram.diagonal().max())
        self.pivots = pivots[:rank] - 1
        # rows that depend on others may be rows that do so but for what rounding has taken
        self.complete = rank >= len(gram) - int(objective.fit_intercept)
        factor = np.tril(factor)[:, :rank]
        self.triangle = factor[:rank]
        features = np.empty((len(gram), rank + self.apart.size))
        features[pivots - 1, :rank] = factor
        features[:, rank:] = self._columns_apart(objective.rows)
        self.objective = objective.replaced(rows=objective.rows.with_features(features))

    def _columns_apart(self, rows: Rows) -> Array:
        if not self.apart.size:
            return np.empty((rows.n_rows, 0))
        return rows.columns(self.apart).take(slice(None)) - self.center[self.apart]

    def to_reduced(self, theta: Array) -> Array:
        """Parameters of the reduced model with the same scores as a model of the features."""
        coef, intercept = self.full.parameters.split(theta)
        rows = self.rows.take(self.pivots) - self.center[self.others]
        reduced = self._solve(rows @ coef[:, self.others].T, trans="N").T
        reduced = np.column_stack([reduced, coef[:, self.apart]])
        return self.objective.parameters.join(reduced, intercept + coef @ self.center)

    def to_features(self, theta: Array) -> Array:
        """Parameters of the model of the features."""
        reduced, intercept = self.objective.parameters.split(theta)
        rank = len(self.pivots)
        shares = self._solve(reduced[:, :rank].T, trans="T")
        coef = np.empty((len(reduced), self.full.rows.n_features))
        coef[:, self.others] = shares.T @ self.rows.take(self.pivots)
        coef[:, self.others] -= np.outer(shares.sum(axis=0), self.center[self.others])
        coef[:, self.apart] = reduced[:, rank:]
        return self.full.parameters.join(coef, intercept - coef @ self.center)

    def _solve(self, right: Array, trans: str) -> Array:
        # rows that are all alike leave no triangle, and older LAPACK wrappers refuse an empty one
        return solve_triangular(self.triangle, right, lower=True, trans=trans) if right.size else right
