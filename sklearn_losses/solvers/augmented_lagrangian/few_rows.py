"""Newton's equations of few rows and many coordinates, in as many unknowns as these rows have directions to bend in.

With the Hessian written as ``B' B + D``, D the penalty, the Woodbury identity needs ``I + B D^-1 B'`` alone. A row of B
is a row of the data times a vector over the outputs, so that B is never formed.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

WORTH_IT = 0.6  # directions for every coordinate up to which this is the shorter way
MANY_COORDINATES = 200  # below, the Hessian itself is as short
REFINEMENTS = 3
ACCURATE = 1e-9  # relative residual
NO_RIDGE = 1e-12  # the equations are definite without one
FLAT = 1e-10  # pivots of blocks that count as zero


class FewRows:
    """``(sum_i (weight_i / step) block_i (x) row_i row_i' + penalty) d = right``, intercepts unpenalised.

    Parameters
    ----------
    problem : Problem
        The problem; its penalty is the same for every output, and zero only for intercepts and for empty columns.
    rows, blocks : ndarray
        The rows that bend and their matrices, (m,) or (m, K, K), positive semidefinite.
    step : float
        The envelopes' step.
    """

    def __init__(self, problem, rows, blocks, step):
        split = problem.split
        self.outputs, self.cut = split.n_outputs, problem.penalty.size - split.n_intercepts
        owner, vectors = directions(blocks.reshape(-1, self.outputs, self.outputs))
        self.vectors = vectors * np.sqrt(split.weights[rows] / step)[owner, None]
        features = split.features(rows)
        self.features = features[owner] if self.outputs > 1 else features
        penalty = problem.penalty[: self.cut // self.outputs]
        self.free = np.flatnonzero(np.tile(penalty == 0.0, self.outputs))
        self.penalty = np.where(penalty == 0.0, 1.0, penalty)
        # the same change of every class's intercept changes no loss, and one class may not bend at all
        self.intercepts = np.full((split.n_intercepts, split.n_intercepts), float(self.outputs > 1) / step)
        self.intercepts += 1e-16 / step * np.eye(split.n_intercepts)
        self.factored = None

    @classmethod
    def suits(cls, problem, rows):
        """Whether the rows are few beside the coordinates, and there is a penalty to hold what they leave open."""
        penalty, outputs = problem.penalty, problem.split.n_outputs
        cut = penalty.size - problem.split.n_intercepts
        if not 0 < rows.size <= WORTH_IT * penalty.size or penalty.size < MANY_COORDINATES:
            return False
        by_output = penalty[:cut].reshape(outputs, -1)
        return bool((by_output > 0.0).any() and (by_output == by_output[0]).all())

    @property
    def few(self):
        """Whether the directions turned out to be few too."""
        return len(self.features) <= WORTH_IT * self.outputs * self.features.shape[1]

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
            inside = cho_solve(factor, inside, check_finite=False)
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
        try:
            factor = cho_factor(inner, lower=True, overwrite_a=True, check_finite=False)
        except LinAlgError:
            return penalty, None, None, None
        vectors = self.vectors[:, : len(self.intercepts)]
        turned = cho_solve(factor, vectors, check_finite=False) if vectors.size else vectors
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


def directions(blocks):
    """Vectors whose outer products add up to the blocks: the blocks' indices (r,), and the vectors (r, K)."""
    blocks = blocks.copy()
    owners, vectors = [], []
    for k in range(blocks.shape[1]):  # a Cholesky decomposition of all blocks at once, without their null vectors
        rows = np.flatnonzero(blocks[:, k, k] > FLAT)
        columns = blocks[rows, :, k] / np.sqrt(blocks[rows, k, k])[:, None]
        blocks[rows] -= columns[:, :, None] * columns[:, None, :]
        owners.append(rows)
        vectors.append(columns)
    return np.concatenate(owners), np.concatenate(vectors)
