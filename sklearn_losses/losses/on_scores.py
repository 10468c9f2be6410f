"""dL/dp times dp/dz: the loss of a row as a function of its scores, with first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..activations import Activation
from .base import Loss

Array = NDArray[np.floating]


def compose(loss: Loss, activation: Activation) -> Composition:
    """The loss on scores, in the form that the loss declares."""
    if loss.form == "matching":
        return Matching(loss, activation)
    if loss.form == "logarithm":
        return ChainRule(
            activation.logarithm,
            loss.log_value,
            loss.log_gradient,
            partial(_times_direction, loss.log_curvature),
        )
    return ChainRule(activation, loss.value, loss.gradient, loss.curvature_product if loss.curvature else None)


def _times_direction(curvature: Callable[..., Array], y: Array, logs: Array, direction: Array) -> Array:
    return curvature(y, logs) * direction


class Composition:
    """A loss on scores: ``y`` and ``scores`` have the shapes that `Loss` states."""

    has_curvature = True

    def value_and_gradient(self, y: Array, scores: Array) -> tuple[Array, Array]:
        """The loss of every row and its derivative in the row's scores."""
        raise NotImplementedError

    def curvature_at(self, y: Array, scores: Array) -> Callable[[Array], Array]:
        """Every row's Hessian in its scores, as a function to apply to directions."""
        raise NotImplementedError

    def curvature_product(self, y: Array, scores: Array, direction: Array) -> Array:
        """Every row's Hessian in its scores, times a direction."""
        return self.curvature_at(y, scores)(direction)

    def blocks(self, y: Array, scores: Array) -> Array:
        """Every row's Hessian in its scores: (n,) for one score, (n, K, K) for K."""
        if scores.ndim == 1:
            return self.curvature_product(y, scores, np.ones_like(scores))
        product = self.curvature_at(y, scores)
        columns = [product(np.broadcast_to(e, scores.shape)) for e in np.eye(scores.shape[1])]
        return np.stack(columns, axis=2)

    def diagonal(self, y: Array, scores: Array) -> Array:
        """The diagonals of the Hessians, of the scores' shape."""
        if scores.ndim == 1:
            return self.blocks(y, scores)
        product = self.curvature_at(y, scores)
        columns = [product(np.broadcast_to(e, scores.shape))[:, k] for k, e in enumerate(np.eye(scores.shape[1]))]
        return np.stack(columns, axis=1)

    def mean_block(self, y: Array, scores: Array, weights: Array) -> Array:
        """The weighted sum of the Hessians in K scores, (K, K)."""
        return np.tensordot(weights, self.blocks(y, scores), axes=1)


class ChainRule(Composition):
    """Any loss through any activation, ``J' loss'`` and ``J' loss'' J + bend(loss')``."""

    def __init__(
        self,
        activation: Activation,
        value: Callable[..., Array],
        gradient: Callable[..., Array],
        curvature_product: Callable[..., Array] | None,
    ):
        self.activation = activation
        self.value, self.gradient = value, gradient
        self.prediction_curvature_product = curvature_product
        self.has_curvature = curvature_product is not None

    def value_and_gradient(self, y, scores):
        prediction, pull_back = self.activation.linearize(scores)
        return self.value(y, prediction), pull_back(self.gradient(y, prediction))

    def curvature_at(self, y, scores):
        prediction, pull_back = self.activation.linearize(scores)
        gradient = self.gradient(y, prediction)

        def product(direction):
            moved = self.activation.push_forward(scores, direction)
            bent = self.activation.bend(scores, gradient, direction)
            return pull_back(self.prediction_curvature_product(y, prediction, moved)) + bent

        return product


class Matching(Composition):
    """A loss that belongs to its activation: gradient ``p - t``, Hessian the activation's Jacobian."""

    def __init__(self, loss: Loss, activation: Activation):
        self.loss, self.activation = loss, activation

    def value_and_gradient(self, y, scores):
        value, gradient = self.activation.matching(scores, self.loss.targets(y))
        return value + self.loss.offset(y), gradient

    def curvature_at(self, y, scores):
        # the Jacobian is a Hessian, and so its own transpose
        return self.activation.linearize(scores)[1]

    def blocks(self, y, scores):
        return self.activation.jacobian(scores)

    def diagonal(self, y, scores):
        # with K scores the activation is a softmax, whose Jacobian is diag(p) - p p'
        p = self.activation.forward(scores)
        return self.blocks(y, scores) if scores.ndim == 1 else p * (1.0 - p)

    def mean_block(self, y, scores, weights):
        p = self.activation.forward(scores)
        weighted = weights[:, None] * p
        return np.diag(weighted.sum(axis=0)) - np.dot(weighted.T, p)


def absolute(blocks: Array) -> Array:
    """Hessians with their eigenvalues replaced by absolute values: a metric where a loss is not convex."""
    if blocks.ndim == 1:
        return np.abs(blocks)
    values, vectors = np.linalg.eigh(blocks)
    return np.einsum("nik,nk,njk->nij", vectors, np.abs(values), vectors, optimize=True)
