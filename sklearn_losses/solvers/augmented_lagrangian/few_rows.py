"""Newton's equations of few rows and many coordinates, in as many unknowns as these rows have directions to bend in.

With the Hessian written as ``B' B + D``, D the penalty, the Woodbury identity needs ``I + B D^-1 B'`` alone. A row of B
is a row of the data times a vector over the outputs, so that B is never formed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_solve

from ..cholesky import factor_if_definite
from .problem import Array, Bending, Indices

if TYPE_CHECKING:
    from .envelopes import Subproblem

WORTH_IT = 0.6  # directions for every coordinate up to which this is the shorter way
MANY_COORDINATES = 200  # below, the Hessian itself is as short
REFINEMENTS = 3  # of a solution, each of which wins most of a factor's digits
ACCURATE = 1e-9  # relative residual
NO_RIDGE = 1e-12  # the equations are definite without one


class FewRows:
    """``(sum_i strength s_i bending_i (x) row_i row_i' + penalty) d = right``, intercepts unpenalised.

    Parameters
    ----------
    problem : Subproblem
        The problem; its penalty is the same for every output, and zero only for intercepts and for empty columns.
    bending : Bending
        The rows that bend.
    strength : float
        What their matrices are multiplied with.
    step : float
        The envelopes' step.
    """

    def __init__(self, problem: Subproblem, bending: Bending, strength: float, step: float):
        terms = problem.terms
        self.outputs, self.cut = terms.n_outputs, problem.penalty.size - terms.n_intercepts
        owner, vectors = directions(bending)
        weights = strength * terms.weights[bending.rows]
        self.vectors = vectors * np.sqrt(weights)[owner, None]
        features = terms.features(bending.rows)
        self.features = features[owner] if self.outputs > 1 else features
        penalty = problem.penalty[: self.cut // self.outputs]
        self.free = np.flatnonzero(np.tile(penalty == 0.0, self.outputs))
        self.penalty = np.where(penalty == 0.0, 1.0, penalty)
        # the same change of every class's intercept changes no loss, and one class may not bend at all
        self.intercepts = np.full((terms.n_intercepts, terms.n_intercepts), float(self.outputs > 1) / step)
        self.intercepts += 1e-16 / step * np.eye(terms.n_intercepts)
        self.factored: tuple | None = None

    @classmethod
    def suits(cls, problem: Subproblem, bending: Bending) -> bool:
        """Whether the directions are few beside the coordinates, and a penalty holds what they leave open."""
        penalty, outputs = problem.penalty, problem.terms.n_outputs
        if not 0 < bending.rows.size <= WORTH_IT * penalty.size or penalty.size < MANY_COORDINATES:
            return False
        if bending.support is not None and bending.support.sum() - bending.rows.size > WORTH_IT * penalty.size:
            return False
        by_output = penalty[: penalty.size - problem.terms.n_intercepts].reshape(outputs, -1)
        return bool((by_output > 0.0).any() and (by_output == by_output[0]).all())

    def solve(self, right, ridge):
        """d, or None where a coordinate without penalty moves, or rounding keeps the residual from being small."""
        if right[self.free].any():
            return None
        if self.factored is None or self.factored[0] != ridge:
            self.factored = (ridge, *self.factorise(ridge))
        _, penalty, factor, turned, schur = self.factored
        if factor is None:
            return None

        def approximately(right):
            weights = right[: self.cut].reshape(self.outputs, -1) / penalty
            inside = self.forward(weights)
            intercepts = right[self.cut :]
            if intercepts.size:
                intercepts = np.linalg.lstsq(schur, intercepts - turned.T @ inside, rcond=1e-14)[0]
                inside = inside + self.vectors @ intercepts
            inside = cho_solve((factor, True), inside, check_finite=False)
            return np.concatenate([(weights - self.backward(inside) / penalty).ravel(), intercepts])

        solution = approximately(right)
        for _ in range(REFINEMENTS):
            left = right - self.apply(solution, penalty)
            if np.linalg.norm(left) <= ACCURATE * np.linalg.norm(right):
                return solution
            solution = solution + approximately(left)
        return None

    def factorise(self, ridge):
        """The penalty with the ridge, ``I + B D^-1 B'`` factorised (None if that fails), and what intercepts need."""
        penalty = self.penalty
        if ridge > NO_RIDGE:  # relative to the Hessian's diagonal, on average over the outputs
            curvature = np.sum(self.vectors**2, axis=1) @ self.features**2 / self.outputs
            penalty = penalty + ridge * (penalty + curvature)
        half = self.features / np.sqrt(penalty)
        inner = half @ half.T
        inner *= self.vectors @ self.vectors.T
        inner[np.diag_indices_from(inner)] += 1.0
        factor = factor_if_definite(inner)
        if factor is None:
            return penalty, None, None, None
        vectors = self.vectors[:, : len(self.intercepts)]
        turned = cho_solve((factor, True), vectors, check_finite=False) if vectors.size else vectors
        return penalty, factor, turned, vectors.T @ turned + self.intercepts

    def forward(self, weights):
        """B times weights of shape (K, p)."""
        return np.einsum("rk,rk->r", self.features @ weights.T, self.vectors)

    def backward(self, inside):
        """The transpose of `forward`."""
        return (inside[:, None] * self.vectors).T @ self.features

    def apply(self, vector, penalty):
        """The Hessian times a vector."""
        weights, intercepts = vector[: self.cut].reshape(self.outputs, -1), vector[self.cut :]
        inside = self.forward(weights)
        if not intercepts.size:
            return (self.backward(inside) + penalty * weights).ravel()
        inside += self.vectors @ intercepts
        of_intercepts = self.vectors.T @ inside + self.intercepts @ intercepts
        return np.concatenate([(self.backward(inside) + penalty * weights).ravel(), of_intercepts])


def directions(bending: Bending) -> tuple[Indices, Array]:
    """Orthonormal vectors of the directions in which rows bend: the number of each one's row (r,), and they (r, K)."""
    support = bending.support
    if support is None:
        return np.arange(bending.rows.size), np.ones((bending.rows.size, 1))
    # Helmert's: the j-th coordinate of a support against all that stand before it
    before = np.cumsum(support, axis=1) - 1
    owner, output = np.nonzero(support & (before > 0))
    count = before[owner, output]
    vectors = np.where(support[owner] & (before[owner] < count[:, None]), 1.0, 0.0)
    vectors[np.arange(len(owner)), output] = -count
    return owner, vectors / np.sqrt(count * (count + 1.0))[:, None]
