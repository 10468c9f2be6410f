"""Cheap approximations of the Hessian, for solvers to measure steps in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from .composition import Array
from .coordinates import TYPICAL_CURVATURE, Conditioned, sample_rows


def hessian_with_common_shift(model: Conditioned, x: Array, *, convex: bool) -> Array:
    """The dense Hessian, with some curvature where there is none because a common shift of all classes' scores
    changes no loss. Gradients have no part in that direction, so that steps stay out of it."""
    hessian = model.hessian(x, convex=convex)
    n_outputs = model.objective.n_outputs
    if n_outputs > 1:
        n_weights = model.objective.n_weights
        for part in (hessian[:n_weights, :n_weights], hessian[n_weights:, n_weights:]):
            size = len(part) // n_outputs
            by_class = np.einsum("kjlj->jkl", part.reshape(n_outputs, size, n_outputs, size)) if size else part
            mean = np.einsum("jkk->j", by_class) / n_outputs
            for j in range(size):
                part[j::size, j::size] += mean[j] / n_outputs
    return hessian


def gram_with_penalty(model: Conditioned) -> Array:
    """A stand-in for the Hessian of a loss that does not give its curvature: every row's is a typical one."""
    n_rows, n_outputs = model.objective.rows.n_rows, model.objective.n_outputs
    one = np.ones(n_rows) if n_outputs == 1 else np.broadcast_to(np.eye(n_outputs), (n_rows, n_outputs, n_outputs))
    gram = TYPICAL_CURVATURE * model.gram(one)
    gram[np.diag_indices_from(gram)] += model.penalty
    return gram


def cholesky_solver(matrix: Array) -> Callable[[Array], Array]:
    """A function that applies the inverse of a positive (semi)definite matrix."""
    diagonal = np.diag_indices_from(matrix)
    jitter = 1e-12 * matrix[diagonal].max()
    while True:
        try:
            factor = cho_factor(matrix, lower=True, check_finite=False)
            return lambda vector: cho_solve(factor, vector, check_finite=False)
        except LinAlgError:
            matrix[diagonal] += jitter
            jitter *= 10


def sampled(model: Conditioned, size: int, random: np.random.RandomState) -> Conditioned:
    """The model on about ``size`` random rows, written out."""
    return model.written(*sample_rows(model.objective.weights, size, random))
