"""Activations: the factor dp/dz of the chain rule, from scores to predictions.

Scores are ``(n,)`` for one output or ``(n, K)`` for K classes. Every activation knows four things about
itself, and none of them forms a Jacobian unless it is asked for one:

* ``forward(scores)``: the predictions;
* ``linearize(scores)``: the predictions together with the function that pulls a gradient back, ``J' g``;
* ``push_forward(scores, direction)``: ``J v``, how predictions move when scores do;
* ``bend(scores, gradient, direction)``: ``sum_k g_k (d2 p_k / dz2) v``, the activation's own curvature.

With them, the Hessian of ``loss(y, p(z))`` in the scores, applied to a direction, is
``J' loss''(J v) + bend(loss', v)`` for every loss and every activation.

Two more facts are declared where they exist: ``logarithm``, the activation whose predictions are the logarithms
of this one's (losses that live on a logarithmic scale go through it and never see a rounded probability), and
``matching(scores, targets)``, the convex loss whose gradient is ``p - t``, with that gradient.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Exponential", "Identity", "LogSigmoid", "LogSoftmax", "Sigmoid", "Softmax"]

Array = NDArray[np.floating]
PullBack = Callable[[Array], Array]


class Activation:
    """What all activations share; see the module's docstring for the vocabulary."""

    logarithm: Activation

    def forward(self, scores: Array) -> Array:
        """Predictions, of the scores' shape unless the class says otherwise."""
        raise NotImplementedError

    def linearize(self, scores: Array) -> tuple[Array, PullBack]:
        """Predictions and the function that maps a gradient in them to a gradient in the scores."""
        raise NotImplementedError

    def push_forward(self, scores: Array, direction: Array) -> Array:
        """The change of the predictions along a direction of the scores, ``J v``."""
        raise NotImplementedError

    def bend(self, scores: Array, gradient: Array, direction: Array) -> Array:
        """The activation's second derivatives, weighted by a gradient and applied to a direction."""
        raise NotImplementedError

    def matching(self, scores: Array, targets: Array) -> tuple[Array, Array]:
        """``A(z) - t.z`` of every row, where ``A' = forward``, and its gradient ``p - t``.

        That is the loss which matches the activation, up to a constant in t [1]_.

        References
        ----------
        .. [1] D. P. Helmbold, J. Kivinen and M. K. Warmuth, Relative loss bounds for single neurons,
           *IEEE Transactions on Neural Networks* 10(6), 1999.
        """
        raise NotImplementedError

    def pull_back(self, scores: Array, gradient: Array) -> Array:
        """A gradient with respect to the predictions, pulled back to the scores: ``J' g``."""
        return self.linearize(scores)[1](gradient)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Identity(Activation):
    r"""The prediction is the score, :math:`p = z`.

    Examples
    --------
    >>> import numpy as np
    >>> Identity().jacobian(np.array([-2.0, 3.0]))
    array([1., 1.])
    """

    def forward(self, scores):
        return scores

    def linearize(self, scores):
        return scores, lambda gradient: gradient

    def push_forward(self, scores, direction):
        return direction

    def bend(self, scores, gradient, direction):
        return np.zeros_like(direction)

    def jacobian(self, scores: Array) -> Array:
        """Derivative of every prediction in its own score: ones, or (n, K, K) identities."""
        if scores.ndim == 1:
            return np.ones_like(scores)
        return np.broadcast_to(np.eye(scores.shape[1]), (*scores.shape, scores.shape[1])).copy()


class Sigmoid(Activation):
    r"""The logistic function, from the score to the probability of class 1.

    .. math:: p = \sigma(z) = \frac{1}{1 + e^{-z}}, \qquad \sigma'(z) = p (1 - p), \qquad 1 - \sigma(z) = \sigma(-z)

    Everything is computed from ``exp(-|z|)``, so that it neither overflows nor loses digits for any finite score.

    References
    ----------
    C. M. Bishop, *Pattern Recognition and Machine Learning*, section 4.3.2. Springer, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_losses.activations import Sigmoid
    >>> Sigmoid().forward(np.array([-1e308, 0.0, 1e308]))
    array([0. , 0.5, 1. ])
    >>> Sigmoid().jacobian(np.array([0.0]))
    array([0.25])
    """

    @property
    def logarithm(self):
        return LogSigmoid()

    def forward(self, scores):
        return _two_probabilities(scores)[0]

    def linearize(self, scores):
        p, q = _two_probabilities(scores)
        slope = p * q
        return p, lambda gradient: slope * gradient

    def push_forward(self, scores, direction):
        return self.jacobian(scores) * direction

    def bend(self, scores, gradient, direction):
        p, q = _two_probabilities(scores)
        return p * q * (q - p) * gradient * direction

    def jacobian(self, scores: Array) -> Array:
        """The derivative p (1 - p), of the scores' shape."""
        p, q = _two_probabilities(scores)
        return p * q

    def matching(self, scores, targets):
        # With the likely label h, 1 where z > 0, and d = h - t: log(1 + e^z) - t z is d z + log(1 + e^-|z|), and
        # p - t is d less the probability of the other label, so that nothing cancels where t is 0 or 1.
        power = np.exp(-np.abs(scores))
        distance = ~np.signbit(scores) - targets
        value = distance * scores
        value += np.log1p(power)
        power /= 1.0 + power
        distance -= np.copysign(power, scores)
        return value, distance


class LogSigmoid(Activation):
    r"""Logarithms of both class probabilities, ``(n,)`` scores to ``(n, 2)``: :math:`\log\sigma(-z), \log\sigma(z)`."""

    def forward(self, scores):
        small = np.log1p(np.exp(-np.abs(scores)))
        columns = np.empty((2, len(scores)), small.dtype)
        np.subtract(-np.maximum(scores, 0.0), small, out=columns[0])
        np.subtract(np.minimum(scores, 0.0), small, out=columns[1])
        return columns.T

    def linearize(self, scores):
        p, q = _two_probabilities(scores)
        return self.forward(scores), lambda gradient: q * gradient[:, 1] - p * gradient[:, 0]

    def push_forward(self, scores, direction):
        p, q = _two_probabilities(scores)
        return np.stack([-p * direction, q * direction], axis=1)

    def bend(self, scores, gradient, direction):
        p, q = _two_probabilities(scores)
        return -gradient.sum(axis=1) * p * q * direction


class Softmax(Activation):
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

    @property
    def logarithm(self):
        return LogSoftmax()

    def forward(self, scores):
        p = np.exp(_below_top(scores))
        p /= p.sum(axis=1, keepdims=True)
        return p

    def linearize(self, scores):
        p = self.forward(scores)
        return p, lambda gradient: _covariance_product(p, gradient)

    def push_forward(self, scores, direction):
        return _covariance_product(self.forward(scores), direction)

    def bend(self, scores, gradient, direction):
        # the derivative of p * (g - p.g) along v, with dp = J v
        p = self.forward(scores)
        dp = _covariance_product(p, direction)
        return dp * (gradient - _row_dot(p, gradient)) - p * _row_dot(dp, gradient)

    def jacobian(self, scores: Array) -> Array:
        """The matrices p_i (delta_ij - p_j), of shape (n, K, K)."""
        p = self.forward(scores)
        jacobian = -p[:, :, None] * p[:, None, :]
        diagonal = np.arange(scores.shape[1])
        # p_i (1 - p_i) as p_i times the sum of the others: no digits are lost where p_i is almost one
        others = p @ (1.0 - np.eye(len(diagonal)))
        jacobian[:, diagonal, diagonal] = p * others
        return jacobian

    def matching(self, scores, targets):
        shifted, powers, rest = _log_sum_exp_parts(scores)
        value = np.log1p(rest[:, 0]) - _row_dot(targets, shifted)[:, 0]
        powers /= 1.0 + rest
        powers -= targets
        return value, powers


class LogSoftmax(Activation):
    r"""Logarithms of the class probabilities, :math:`\log p_i = z_i - \log\sum_c e^{z_c}`."""

    def forward(self, scores):
        shifted, _, rest = _log_sum_exp_parts(scores)
        return shifted - np.log1p(rest)

    def linearize(self, scores):
        logs = self.forward(scores)
        p = np.exp(logs)
        return logs, lambda gradient: gradient - p * gradient.sum(axis=1, keepdims=True)

    def push_forward(self, scores, direction):
        p = Softmax().forward(scores)
        return direction - _row_dot(p, direction)

    def bend(self, scores, gradient, direction):
        p = Softmax().forward(scores)
        return -gradient.sum(axis=1, keepdims=True) * _covariance_product(p, direction)


class Exponential(Activation):
    r"""The inverse of the log link, :math:`p = e^z`, for predictions that are positive.

    Scores beyond 709.78 give infinity, quietly: the objective is infinite there, and a solver steps back.

    References
    ----------
    P. McCullagh and J. A. Nelder, *Generalized Linear Models*, second edition. Chapman and Hall, 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_losses.activations import Exponential
    >>> Exponential().forward(np.array([0.0, -1e308]))
    array([1., 0.])
    """

    @property
    def logarithm(self):
        return Identity()

    def forward(self, scores):
        with np.errstate(over="ignore"):
            return np.exp(scores)

    def linearize(self, scores):
        p = self.forward(scores)
        return p, lambda gradient: p * gradient

    def push_forward(self, scores, direction):
        return self.forward(scores) * direction

    def bend(self, scores, gradient, direction):
        return self.forward(scores) * gradient * direction

    def jacobian(self, scores: Array) -> Array:
        """The derivative, which is the prediction itself."""
        return self.forward(scores)

    def matching(self, scores, targets):
        p = self.forward(scores)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(np.isinf(p), np.inf, p - targets * scores), p - targets


def _two_probabilities(scores: Array) -> tuple[Array, Array]:
    """sigma(z) and sigma(-z), each to full relative accuracy."""
    power = np.exp(-np.abs(scores))
    large = 1.0 / (1.0 + power)
    small = power * large
    positive = scores >= 0.0
    return np.where(positive, large, small), np.where(positive, small, large)


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


def _row_dot(a: Array, b: Array) -> Array:
    return np.einsum("ij,ij->i", a, b)[:, None]


def _covariance_product(p: Array, v: Array) -> Array:
    """(diag(p) - p p') v for every row."""
    return p * (v - _row_dot(p, v))
