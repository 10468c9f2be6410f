"""Newton's equations of the envelopes by conjugate gradients, for many coordinates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .joint_gram import joint_features
from .problem import Array, Bending

if TYPE_CHECKING:
    from .envelopes import Subproblem

FEW_FEATURES = 200  # of joint losses, up to which every output's own part of the matrix is inverted
HELD = 1e-12  # curvature of what has no penalty, relative to that of a row
TOLERANCE = 0.1  # relative residual, in the measure of the penalty

Product = Callable[[Array], Array]


def conjugate_gradients(
    problem: Subproblem,
    bending: Bending,
    strength: float,
    step: float,
    right: Array,
    enough: float,
    tolerance: float = TOLERANCE,
    maxiter: int = 500,
) -> Array:
    """The equations of some bending rows, whose matrices are multiplied by the strength.

    Until the residual means as little as ``enough`` in the duality gap, or is small beside the right-hand side.
    """
    terms, penalty = problem.terms, problem.penalty
    part = terms.take(bending.rows)
    measure = 1.0 / np.where(problem.penalised, penalty, 1.0 / step)
    # where no row bends, nothing resists a move of what has no penalty: an empty column's weight, for one
    held = np.where(problem.penalised, penalty, HELD / step)

    def apply(vector: Array) -> Array:
        return strength * part.adjoint(bending.project(part.forward(vector))) + penalty * vector

    if terms.n_outputs > 1 and penalty.size <= FEW_FEATURES * terms.n_outputs:
        precondition = by_output(problem, bending, strength, held)
        return descend(apply, precondition, measure, right, tolerance, enough, maxiter)

    # weights alone, with the intercepts that are best for them
    cut = right.size - terms.n_intercepts
    units = np.eye(terms.n_intercepts, right.size, cut)
    columns = np.array([apply(unit) for unit in units]).reshape(units.shape)
    inverse = np.linalg.pinv(columns[:, cut:], rcond=1e-12, hermitian=True)

    def apply_to_weights(weights: Array) -> Array:
        product = apply(np.concatenate([weights, np.zeros(terms.n_intercepts)]))
        return (product - (inverse @ product[cut:]) @ columns)[:cut]

    reduced = right - (inverse @ right[cut:]) @ columns
    measure = measure[:cut]
    # columns have a mean square of about one: nearly the diagonal
    inverse_diagonal = 1.0 / (held[:cut] + strength * terms.weights[bending.rows].sum())
    weights = descend(apply_to_weights, inverse_diagonal.__mul__, measure, reduced[:cut], tolerance, enough, maxiter)
    intercepts = inverse @ (right[cut:] - columns[:, :cut] @ weights)
    return np.concatenate([weights, intercepts])


def descend(
    apply: Product, precondition: Product, measure: Array, right: Array, tolerance: float, enough: float, maxiter: int
) -> Array:
    """Preconditioned conjugate gradients from zero, until the residual is small in a diagonal measure.

    A direction that nothing resists ends them, and is the answer if it is the first.
    """
    direction, residual = np.zeros_like(right), right.copy()
    search = precondition(residual)
    norm = residual @ search
    limit = max(tolerance**2 * float(measure @ residual**2), enough)
    for _ in range(maxiter):
        if measure @ residual**2 <= limit:
            break
        product = apply(search)
        resistance = search @ product
        if not resistance > 0.0:
            return direction if direction.any() else search
        length = norm / resistance
        direction += length * search
        residual -= length * product
        scaled = precondition(residual)
        previous, norm = norm, residual @ scaled
        search = scaled + (norm / previous) * search
    return direction


def by_output(problem: Subproblem, bending: Bending, strength: float, diagonal: Array) -> Product:
    """The inverse of the matrix without what couples one output with another."""
    terms = problem.terms
    assert bending.support is not None
    features = joint_features(terms, bending.rows)
    weights = strength * terms.weights[bending.rows]
    n_outputs, count, width = terms.n_outputs, terms.n_intercepts, features.shape[1]
    cut = problem.penalty.size - count
    own = weights * (1.0 - 1.0 / bending.support.sum(axis=1))

    def by_class(vector: Array) -> Array:
        weights = vector[:cut].reshape(n_outputs, -1)
        return np.column_stack([weights, vector[cut:]]) if count else weights

    blocks = np.empty((n_outputs, width, width))
    for k, mask in enumerate(bending.support.T):
        blocks[k] = np.dot(features[mask].T, features[mask] * own[mask, None])
    blocks[:, np.arange(width), np.arange(width)] += by_class(diagonal)
    inverses = np.linalg.inv(blocks)

    def precondition(vector: Array) -> Array:
        moves = np.einsum("kij,kj->ki", inverses, by_class(vector))
        return np.concatenate([moves[:, : width - 1].ravel(), moves[:, -1]]) if count else moves.ravel()

    return precondition
