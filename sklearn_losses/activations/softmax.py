"""K scores to K probabilities, and to their logarithms."""

from __future__ import annotations

import numpy as np

from .base import Activation, Array, Link
from .curvature import Centred, Covariance, row_dot


class LogSoftmax(Activation):
    r"""Logarithms of the class probabilities, :math:`\log p_i = z_i - \log\sum_c e^{z_c}`."""

    def forward(self, scores):
        shifted, _, rest = _log_sum_exp_parts(scores)
        return shifted - np.log1p(rest)

    def linearize(self, scores):
        shifted, powers, rest = _log_sum_exp_parts(scores)
        # what a class leaves to the others, to all digits also where it is almost certain: the top power is one
        left = 1.0 - powers
        left += rest
        shifted -= np.log1p(rest)
        share = 1.0 / (1.0 + rest)
        left *= share
        p = powers
        p *= share

        def pull_back(gradient):
            """``g - p G`` as ``g (1 - p) - p (G - g)``."""
            of_others = gradient.sum(axis=1, keepdims=True) - gradient
            of_others *= p
            pulled = left * gradient
            pulled -= of_others
            return pulled

        return shifted, pull_back

    def curvature(self, scores, gradient, curvature):
        p = _probabilities(scores)
        return Centred(p, curvature - p * gradient.sum(axis=1, keepdims=True))


class Softmax(Link):
    r"""K scores to K probabilities.

    .. math:: p_i = \frac{e^{z_i}}{\sum_c e^{z_c}}, \qquad
              \frac{\partial p_i}{\partial z_j} = p_i (\delta_{ij} - p_j)

    References
    ----------
    J. S. Bridle, Probabilistic interpretation of feedforward classification network outputs, in
    *Neurocomputing*, NATO ASI Series 68, 227-236, 1990.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_losses.activations import Softmax
    >>> Softmax().forward(np.array([[0.0, 0.0], [1e308, -1e308]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    >>> Softmax().jacobian(np.array([[0.0, 0.0]]))
    array([[[ 0.25, -0.25],
            [-0.25,  0.25]]])
    """

    domains = ("probabilities",)
    canonical = True
    logarithm = LogSoftmax()

    def forward(self, scores):
        return _probabilities(scores)

    def linearize(self, scores):
        p = _probabilities(scores)
        return p, Covariance(p).apply

    def curvature(self, scores, gradient, curvature):
        p = _probabilities(scores)
        # the gradient in the scores, p (g - p.g), is the diagonal of the activation's own second derivatives
        return Centred(p, Covariance(p).apply(gradient) + p * p * curvature)

    def jacobian_operator(self, scores):
        return Covariance(_probabilities(scores))

    def matching(self, scores, targets):
        shifted, powers, rest = _log_sum_exp_parts(scores)
        value = np.log1p(rest[:, 0]) - row_dot(targets, shifted)[:, 0]
        powers /= 1.0 + rest
        powers -= targets
        return value, powers


def _probabilities(scores: Array) -> Array:
    p = np.exp(_below_top(scores))
    p /= p.sum(axis=1, keepdims=True)
    return p


def _below_top(scores: Array) -> Array:
    """Scores minus the largest of their row; never below the smallest finite number."""
    with np.errstate(over="ignore"):
        shifted = np.subtract(scores, scores.max(axis=1, keepdims=True), dtype=np.result_type(scores, np.float32))
    return np.maximum(shifted, np.finfo(shifted.dtype).min, out=shifted)


def _log_sum_exp_parts(scores: Array) -> tuple[Array, Array, Array]:
    """Shifted scores, their powers, and what the classes below the top one add: log-sum-exp is top + log1p(rest)."""
    shifted = _below_top(scores)
    powers = np.exp(shifted)
    at_top = shifted == 0.0
    ties = at_top.sum(axis=1, keepdims=True, dtype=powers.dtype) - 1.0
    rest = (powers - at_top).sum(axis=1, keepdims=True) + ties
    return shifted, powers, rest
