"""Sums over rows of a matrix over K outputs times (row row'), for the three kinds of matrices that joint losses have.

Each kind is sparse or of low rank, so that no row's matrix (K, K) is ever formed. Features f are dense rows, with an
intercept's one at the end where there is one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .problem import Array, Indices, KinkedProblem

ENTRIES = 4_000_000  # of a part of the rows, spread out over all outputs or squared


def joint_features(problem: KinkedProblem, rows: Indices) -> Array:
    """Features of some rows, with ones for the intercepts."""
    features = problem.features(rows)
    return np.column_stack([features, np.ones(len(rows))]) if problem.n_intercepts else features


def in_order(matrix: Array, problem: KinkedProblem) -> Array:
    """A matrix for all features of one output, then of the next, in the order of the problem's parameters."""
    places = np.arange(len(matrix)).reshape(problem.n_outputs, -1)
    cut = places.shape[1] - (problem.n_intercepts > 0)
    order = np.concatenate([places[:, :cut].ravel(), places[:, cut:].ravel()])
    return matrix[np.ix_(order, order)]


def of_projections(features: Array, weights: Array, support: NDArray[np.bool_]) -> Array:
    """``sum_i weight_i (diag(q_i) - q_i q_i' / sum(q_i)) (x) f_i f_i'`` for masks q (m, K)."""
    n_outputs, width = support.shape[1], features.shape[1]
    total = np.zeros((n_outputs, width, n_outputs * width), features.dtype)
    weights = weights.astype(features.dtype)
    shares = support * (weights / support.sum(axis=1))[:, None].astype(features.dtype)
    for some in _parts(len(features), n_outputs * width):
        spread = (shares[some, :, None] * features[some, None, :]).reshape(-1, n_outputs * width)
        for k in range(n_outputs):
            rows = np.flatnonzero(support[some, k])
            own = features[some][rows]
            total[k] -= np.dot(own.T, spread[rows])
            total[k, :, k * width : (k + 1) * width] += np.dot(own.T, own * weights[some][rows, None])
    return total.reshape(n_outputs * width, -1)


def of_simplices(features: Array, weights: Array, strengths: Array) -> Array:
    """``sum_i weight_i (diag(d_i) - d_i d_i' / sum(d_i)) (x) f_i f_i'`` for strengths d (m, K)."""
    n_outputs, width = strengths.shape[1], features.shape[1]
    total = np.zeros((n_outputs * width, n_outputs * width))
    scaled = strengths * np.sqrt(weights / strengths.sum(axis=1))[:, None]
    for some in _parts(len(features), n_outputs * width):
        spread = (scaled[some, :, None] * features[some, None, :]).reshape(-1, n_outputs * width)
        total -= np.dot(spread.T, spread)
    for k in range(n_outputs):
        own = slice(k * width, (k + 1) * width)
        total[own, own] += np.dot(features.T, features * (weights * strengths[:, k])[:, None])
    return total


def of_stars(features: Array, weights: Array, strengths: Array, targets: Indices) -> Array:
    """``sum_i weight_i sum_j d_ij (e_t - e_j) (e_t - e_j)' (x) f_i f_i'`` for targets t and strengths d (m, K)."""
    n_outputs, width = strengths.shape[1], features.shape[1]
    total = np.zeros((n_outputs, width, n_outputs, width))
    diagonal = np.einsum("kpkq->kpq", total)
    strengths = weights[:, None] * strengths
    for k in range(n_outputs):
        rows = np.flatnonzero(targets == k)
        by_class = np.zeros((n_outputs, width, width))
        for some in _parts(len(rows), width**2):
            own = features[rows[some]]
            squares = (own[:, :, None] * own[:, None, :]).reshape(len(own), -1)
            by_class += np.dot(strengths[rows[some]].T, squares).reshape(by_class.shape)
        by_class[k] = 0.0
        diagonal += by_class
        diagonal[k] += by_class.sum(axis=0)
        total[k] -= by_class.transpose(1, 0, 2)
        total[:, :, k] -= by_class
    return total.reshape(n_outputs * width, -1)


def _parts(n_rows: int, width: int) -> list[slice]:
    size = max(ENTRIES // max(width, 1), 1)
    return [slice(start, start + size) for start in range(0, n_rows, size)]
