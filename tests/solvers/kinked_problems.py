"""Kinked problems as plain numbers, for the tests of the exact solver."""

import numpy as np
import scipy.sparse as sp

from sklearn_losses.losses.multiclass_hinge import CrammerSinger, WestonWatkins
from sklearn_losses.losses.pieces import Pieces
from sklearn_losses.solvers.augmented_lagrangian.problem import Bending, KinkedProblem


def scalar(kinks, slopes):
    """Piecewise-linear losses of one score that are zero at their lowest kinks."""
    n = max(len(kinks), len(slopes))
    kinks, slopes = (np.broadcast_to(a, (n, a.shape[1])).astype(float) for a in (kinks, slopes))
    return Pieces(kinks, slopes, np.zeros(n))


class Plain(KinkedProblem):
    """Rows, weights, losses and penalty as the solver asks for them; counts its passes over the data."""

    def __init__(self, rows, loss, alpha, weights=None, intercept=True, n_outputs=1):
        self.rows, self.loss = rows, loss
        self.n_rows, n_features = rows.shape
        self.n_outputs = n_outputs
        weights = np.ones(self.n_rows) if weights is None else weights
        self.weights = weights / weights.sum()
        self.n_intercepts = self.n_outputs * intercept
        self.cut = n_features * self.n_outputs
        self.penalty = np.concatenate([np.full(self.cut, float(alpha)), np.zeros(self.n_intercepts)])
        self.kinks, self.left, self.right = (
            (loss.kinks, loss.left, loss.right) if n_outputs == 1 else (None, None, None)
        )
        self.targets, self.together = (None, False) if n_outputs == 1 else (loss.target, loss.together)
        self.least = self.weights @ loss.least if n_outputs == 1 else 0.0
        self.rounding = 4e-15 * (1.0 if n_outputs > 1 else self.weights @ np.abs(loss.kinks).max(axis=1))
        self.passes = 0.0
        self.work = self.n_outputs * (rows.nnz if sp.issparse(rows) else rows.size)

    def forward(self, x):
        self.passes += 0.5
        z = self.rows @ x[: self.cut].reshape(self.n_outputs, -1).T
        z = z + x[self.cut :] if self.n_intercepts else z
        return z[:, 0] if self.n_outputs == 1 else z

    def adjoint(self, dual):
        self.passes += 0.5
        a = (self.weights * dual.T).T.reshape(len(dual), self.n_outputs)
        return np.concatenate([(self.rows.T @ a).T.ravel(), a.sum(axis=0)[: self.n_intercepts]])

    def jacobian(self, rows):
        """The scores of some rows as a dense matrix (m, K, P)."""
        dense = self.features(rows)
        eye = np.eye(self.n_outputs)
        weights = np.einsum("kl,mj->mklj", eye, dense).reshape(len(dense), self.n_outputs, self.cut)
        ones = np.broadcast_to(eye, (len(dense), *eye.shape))[:, :, : self.n_intercepts]
        return np.concatenate([weights, ones], axis=2)

    def features(self, rows):
        return self.rows[rows].toarray() if sp.issparse(self.rows) else self.rows[rows]

    def gram(self, rows, strengths, dtype):
        jacobian = self.jacobian(rows)[:, 0]
        return (jacobian.T * (strengths * self.weights[rows])).astype(dtype) @ jacobian.astype(dtype)

    def value(self, scores):
        return self.loss.value(scores)

    def value_and_excess(self, scores, dual):
        return self.loss.value_and_excess(scores, dual)

    def slope(self, scores):
        return self.loss.slope(scores)

    def dual(self, scores, step):
        return self.loss.dual(scores, step)

    def bending(self, dual):
        found = self.loss.bending(dual)
        return Bending(found) if self.n_outputs == 1 else Bending(*found)

    def take(self, rows):
        intercept = self.n_intercepts > 0
        part = Plain(self.rows[rows], self.loss.take(rows), 0.0, None, intercept, self.n_outputs)
        part.weights, part.penalty = self.weights[rows], self.penalty
        part.least = part.weights @ part.loss.least if self.n_outputs == 1 else 0.0
        return part


def plain(rows, loss, alpha, weights=None, intercept=True):
    """The problem of a loss, which for K scores comes with K."""
    loss, n_outputs = loss if isinstance(loss, tuple) else (loss, 1)
    return Plain(rows, loss, alpha, weights, intercept, n_outputs)


def hinge(y):
    y = np.asarray(y, dtype=float)
    return scalar((2.0 * y - 1.0)[:, None], np.column_stack([-y, 1.0 - y]))


def soft_hinge(y):
    """The hinge for probabilities y, less its least value."""
    return scalar(np.array([[-1.0, 1.0]]), np.column_stack([-y, 1.0 - 2.0 * y, 1.0 - y]))


def quantile(y, q=0.5):
    return scalar(np.asarray(y, dtype=float)[:, None], np.array([[-q, 1.0 - q]]))


def epsilon_insensitive(y, epsilon=0.3):
    return scalar(np.column_stack([y - epsilon, y + epsilon]), np.array([[-1.0, 0.0, 1.0]]))


def weston_watkins(t, n_classes=3):
    return WestonWatkins(np.asarray(t, dtype=int)), n_classes


def crammer_singer(t, n_classes=3):
    return CrammerSinger(np.asarray(t, dtype=int)), n_classes


def classes(n, p, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, p))
    return rows, (rows @ rng.normal(size=p) + noise * rng.normal(size=n) > 0).astype(float)


def values(n, p, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, p))
    return rows, rows @ rng.normal(size=p) + rng.standard_t(3, size=n) + 0.2
