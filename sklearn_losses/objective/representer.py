"""More features than rows: the same problem in as many features as there are rows.

The best W is a combination of the centred rows A = X - center (the representer theorem). With the factorisation
A A' = L L' the scores are A W' = L V' for V = W A' L^-T', and the penalty is the same, ||W|| = ||V||: so the rows of L
take the place of those of X.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from ..losses.on_scores import Array
from .objective import Objective


class Reduction:
    """An objective over n rows and p > n features as one over n rows and at most n features.

    Its penalty is `spherical`.
    """

    def __init__(self, objective: Objective, center: Array):
        self.full, self.center = objective, center
        gram = objective.rows.inner_products(center)
        factor, pivots, rank, _ = dpstrf(gram, lower=1, tol=np.finfo(float).eps * len(gram) * gram.diagonal().max())
        self.pivots = pivots[:rank] - 1
        # rows that depend on others may be rows that do so but for what rounding has taken
        self.complete = rank >= len(gram) - int(objective.fit_intercept)
        factor = np.tril(factor)[:, :rank]
        self.triangle = factor[:rank]
        features = np.empty_like(factor)
        features[pivots - 1] = factor
        self.objective = objective.replaced(rows=objective.rows.with_features(features))

    def to_reduced(self, theta: Array) -> Array:
        """Parameters of the reduced model with the same scores as a model of the features."""
        coef, intercept = self.full.parameters.split(theta)
        rows = self.full.rows.take(self.pivots) - self.center
        reduced = self._solve(rows @ coef.T, trans="N").T
        return self.objective.parameters.join(reduced, intercept + coef @ self.center)

    def to_features(self, theta: Array) -> Array:
        """Parameters of the model of the features."""
        reduced, intercept = self.objective.parameters.split(theta)
        shares = self._solve(reduced.T, trans="T")
        coef = shares.T @ self.full.rows.take(self.pivots) - np.outer(shares.sum(axis=0), self.center)
        return self.full.parameters.join(coef, intercept - coef @ self.center)

    def _solve(self, right: Array, trans: str) -> Array:
        # rows that are all alike leave no triangle, and older LAPACK wrappers refuse an empty one
        return solve_triangular(self.triangle, right, lower=True, trans=trans) if right.size else right
