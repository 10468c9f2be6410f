"""Sums over rows of curvature times (row row'): second derivatives of a loss in the parameters of a linear model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

FEW_ENTRIES = 50_000  # of scaled features, up to which one product over all pairs of outputs is faster than many


def gram(features: Array, curvature: Array, *, ones: bool) -> Array:
    """``sum_i c_i x (row row')`` for curvature (n,) or (n, K, K): a matrix in the order of theta.

    With ``ones``, features have a last column of ones for the intercept, and are a copy that may be overwritten.
    The arithmetic is that of the features' dtype.
    """
    curvature = curvature.astype(features.dtype, copy=False)
    if curvature.ndim == 1:
        return _single(features, curvature, overwrite=ones)
    few = features.size * curvature[0].size <= FEW_ENTRIES
    return _at_once(features, curvature, ones) if few else _pair_by_pair(features, curvature, ones)


def moments(rows: Array, weights: Array) -> tuple[Array, Array, float]:
    """The weighted sums over dense rows of (row row'), of the rows and of ones."""
    return np.dot(rows.T, rows * weights[:, None]), np.dot(weights, rows), float(weights.sum())


def _single(features: Array, weights: Array, *, overwrite: bool) -> Array:
    if (weights >= 0).all():  # a product with one's own transpose takes half the work
        half = np.multiply(features, np.sqrt(weights)[:, None], out=features if overwrite else None)
        return np.dot(half.T, half)
    return np.dot(features.T, features * weights[:, None])


def _at_once(features: Array, curvature: Array, ones: bool) -> Array:
    n_outputs, p = curvature.shape[1], features.shape[1] - ones
    scaled = curvature[:, :, :, None] * features[:, None, None, :]
    parts = np.dot(features.T, scaled.reshape(len(features), -1)).reshape(-1, n_outputs, n_outputs, features.shape[1])
    n_weights = n_outputs * p
    weights = parts[:p, :, :, :p].transpose(1, 0, 2, 3).reshape(n_weights, n_weights)
    if not ones:
        return weights
    total = np.empty((n_weights + n_outputs, n_weights + n_outputs), features.dtype)
    total[:n_weights, :n_weights] = weights
    total[n_weights:, :n_weights] = parts[p, :, :, :p].reshape(n_outputs, n_weights)
    total[:n_weights, n_weights:] = total[n_weights:, :n_weights].T
    total[n_weights:, n_weights:] = parts[p, :, :, p]
    return total


def _pair_by_pair(features: Array, curvature: Array, ones: bool) -> Array:
    n_outputs, p = curvature.shape[1], features.shape[1] - ones
    total = np.empty((n_outputs * features.shape[1],) * 2, features.dtype)
    # where an output's weights and intercept are in theta, and where among its features
    places = [
        [(slice(k * p, (k + 1) * p), slice(0, p)), (slice(n_outputs * p + k, n_outputs * p + k + 1), slice(p, None))]
        for k in range(n_outputs)
    ]
    for k in range(n_outputs):
        for j in range(k + 1):
            # a row bends few of the pairs of outputs when its loss has kinks
            rows = np.flatnonzero(curvature[:, k, j])
            few = 2 * len(rows) < len(features)
            some, weights = (features[rows], curvature[rows, k, j]) if few else (features, curvature[:, k, j])
            part = np.dot(some.T, some * weights[:, None])
            for row, here in places[k][: 1 + ones]:
                for column, there in places[j][: 1 + ones]:
                    total[row, column] = part[here, there]
                    total[column, row] = part[there, here]
    return total
