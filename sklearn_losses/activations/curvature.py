"""Second derivatives in the scores of every row, as one operator: applied, on the diagonal, in blocks, or summed."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class Curvature(ABC):
    """The symmetric matrix of every row that maps a change of its scores to a change of its gradient.

    One number a row for scores ``(n,)``, a K x K matrix a row for scores ``(n, K)``. It holds arrays, no functions,
    so that it can be kept beside the rows and pickled.
    """

    @abstractmethod
    def apply(self, direction: Array) -> Array:
        """Every row's matrix times its part of a direction of the scores' shape."""

    @abstractmethod
    def diagonal(self) -> Array:
        """The diagonals, of the scores' shape."""

    @abstractmethod
    def blocks(self) -> Array:
        """The matrices themselves: (n,) for one score, (n, K, K) for K."""

    @abstractmethod
    def weighted_sum(self, weights: Array) -> Array:
        """The sum over rows of weight x matrix: a number for one score, (K, K) for K."""


class Diagonal(Curvature):
    """Nothing but a diagonal, of the scores' shape."""

    def __init__(self, values: Array):
        self.values = values

    def apply(self, direction):
        return self.values * direction

    def diagonal(self):
        return self.values

    def blocks(self):
        return self.values if self.values.ndim == 1 else self.values[:, :, None] * np.eye(self.values.shape[1])

    def weighted_sum(self, weights):
        total = np.dot(weights, self.values)
        return total if self.values.ndim == 1 else np.diag(total)


class Blocks(Curvature):
    """Matrices (n, K, K) that have no structure to use."""

    def __init__(self, matrices: Array):
        self.matrices = matrices

    def apply(self, direction):
        return np.einsum("nij,nj->ni", self.matrices, direction)

    def diagonal(self):
        return np.einsum("nii->ni", self.matrices)

    def blocks(self):
        return self.matrices

    def weighted_sum(self, weights):
        return np.tensordot(weights, self.matrices, axes=1)


class Covariance(Curvature):
    """``diag(p) - p p'`` of probabilities (n, K): the softmax's Jacobian and the cross-entropy's Hessian."""

    def __init__(self, p: Array):
        self.p = p

    def apply(self, direction):
        return self.p * (direction - row_dot(self.p, direction))

    def diagonal(self):
        return self.p * (1.0 - self.p)

    def blocks(self):
        blocks = -self.p[:, :, None] * self.p[:, None, :]
        classes = np.arange(self.p.shape[1])
        # p_i (1 - p_i) as p_i times the sum of the others: no digits are lost where p_i is almost one
        blocks[:, classes, classes] = self.p * others(self.p)
        return blocks

    def weighted_sum(self, weights):
        weighted = weights[:, None] * self.p
        return np.diag(weighted.sum(axis=0)) - np.dot(weighted.T, self.p)


class Centred(Curvature):
    """``(I - p 1') diag(r) (I - 1 p')``: any loss through a softmax, whose scores count from their mean under p.

    Parameters
    ----------
    p, r : ndarray of shape (n, K)
        Probabilities, and the diagonal in the centred scores.
    """

    def __init__(self, p: Array, r: Array):
        self.p, self.r = p, r

    def apply(self, direction):
        bent = self.r * (direction - row_dot(self.p, direction))
        return bent - self.p * bent.sum(axis=1, keepdims=True)

    def diagonal(self):
        return self.r * others(self.p) ** 2 + self.p**2 * others(self.r)

    def blocks(self):
        # the share of p_i p_j in the two mixed terms is taken out of r first
        share = self.r - 0.5 * self.r.sum(axis=1, keepdims=True) * self.p
        blocks = share[:, :, None] * self.p[:, None, :]
        blocks = -(blocks + blocks.transpose(0, 2, 1))
        classes = np.arange(self.p.shape[1])
        blocks[:, classes, classes] = self.diagonal()
        return blocks

    def weighted_sum(self, weights):
        share = self.r - 0.5 * self.r.sum(axis=1, keepdims=True) * self.p
        mixed = np.dot((weights[:, None] * share).T, self.p)
        return np.diag(np.dot(weights, self.r)) - (mixed + mixed.T)


class ByProducts(Curvature):
    """Matrices (n, K, K) that are known by their products alone."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Of the scores."""

    def diagonal(self):
        return np.einsum("nii->ni", self.blocks())

    def blocks(self):
        axes = np.eye(self.shape[1])
        return np.stack([self.apply(np.broadcast_to(axis, self.shape)) for axis in axes], axis=2)

    def weighted_sum(self, weights):
        return np.tensordot(weights, self.blocks(), axes=1)


def absolute(blocks: Array) -> Array:
    """Matrices of rows, (n,) or (n, K, K), with absolute eigenvalues: for steps where a loss is not convex."""
    if blocks.ndim == 1:
        return np.abs(blocks)
    values, vectors = np.linalg.eigh(blocks)
    return np.einsum("nik,nk,njk->nij", vectors, np.abs(values), vectors, optimize=True)


def row_dot(a: Array, b: Array) -> Array:
    """The inner products of rows, as a column."""
    return np.einsum("ij,ij->i", a, b)[:, None]


def others(a: Array) -> Array:
    """In every column the sum of the other columns."""
    return a @ (1.0 - np.eye(a.shape[1], dtype=a.dtype))
