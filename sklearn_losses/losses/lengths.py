"""L-Softmax: the angle's margin of SphereFace on scores that keep the lengths of the weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..activations import ByProducts, Curvature
from .base import Array
from .cosine import OfEntropy
from .sphere import MultipliedAngle


class OnLengths(OfEntropy):
    """Cross-entropy of ``|w| cosine``, where the true class's cosine is moved, as a function of both.

    Scores are (n, 2 K): a unit row's products with the weights, then the lengths of the weights. Without these, (n, K),
    all of them are one.
    """

    loss: LSoftmax

    def value_and_gradient(self, y, scores):
        at = self._moved(y, scores)
        value, gradient = self.entropy_of(at.target, at.stretched, at.true)
        return value, at.pulled_back(gradient)

    def curvature(self, y, scores):
        at = self._moved(y, scores)
        _, gradient = self.entropy_of(at.target, at.stretched, at.true)
        return Lengthened(self.entropy.curvature(at.target, at.stretched), at, gradient * at.by_row * at.bends)

    def _moved(self, y: Array, scores: Array) -> AtLengths:
        rows, true, n_classes = np.arange(len(y)), y.argmax(axis=1), y.shape[1]
        products, lengths = scores[:, :n_classes], scores[:, n_classes:]
        length = lengths[rows, true] if lengths.size else np.ones(len(y))
        cosine = np.clip(products[rows, true] / np.where(length > 0.0, length, 1.0), -1.0, 1.0)
        moved, rate, bend = self.loss.moved(cosine)
        target, stretched = np.zeros_like(products), products.copy()
        rates, along, bends = np.ones_like(products), np.zeros_like(products), np.zeros_like(products)
        target[rows, true], stretched[rows, true], rates[rows, true] = 1.0, length * moved, rate
        along[rows, true] = moved - cosine * rate
        bends[rows, true] = np.divide(bend, length, out=np.zeros_like(bend), where=length > 0.0)
        by_row = y.sum(axis=1, keepdims=True)
        return AtLengths(
            target, (rows, true), by_row * stretched, by_row, rates, along, bends, cosine[:, None], bool(lengths.size)
        )


class AtLengths(NamedTuple):
    """Scores whose true one is ``length psi(product / length)``, and how they change with products and lengths."""

    target: Array
    true: tuple[NDArray[np.intp], NDArray[np.intp]]  # where its ones are
    stretched: Array  # the scores (n, K), as long as their rows
    by_row: Array  # lengths of rows (n, 1)
    rates: Array  # derivatives in the products
    along: Array  # derivatives in the lengths
    bends: Array  # second derivatives in the products
    cosine: Array  # of the true class (n, 1)
    has_lengths: bool

    def pushed_forward(self, direction: Array) -> Array:
        """The change of the scores along one of products and lengths."""
        products, lengths = self.split(direction)
        return self.by_row * (self.rates * products + self.along * lengths)

    def pulled_back(self, gradient: Array) -> Array:
        """A gradient in the scores as one in products and lengths."""
        gradient = self.by_row * gradient
        return self.joined(self.rates * gradient, self.along * gradient)

    def split(self, direction: Array) -> tuple[Array, Array | float]:
        n_classes = self.target.shape[1]
        return direction[:, :n_classes], direction[:, n_classes:] if self.has_lengths else 0.0

    def joined(self, products: Array, lengths: Array) -> Array:
        return np.concatenate([products, lengths], axis=1) if self.has_lengths else products


class Lengthened(ByProducts):
    """Second derivatives in products and lengths, from C in the scores, `AtLengths`, and the slopes times its bends."""

    def __init__(self, inner: Curvature, at: AtLengths, bends: Array):
        self.inner, self.at, self.bends = inner, at, bends

    def apply(self, direction):
        products, lengths = self.at.split(direction)
        turned = self.bends * (products - self.at.cosine * lengths)
        change = self.at.pulled_back(self.inner.apply(self.at.pushed_forward(direction)))
        return change + self.at.joined(turned, -self.at.cosine * turned)

    @property
    def shape(self):
        n_rows, n_classes = self.bends.shape
        return n_rows, n_classes * (1 + self.at.has_lengths)


class LSoftmax(MultipliedAngle):
    r"""L-Softmax (large-margin softmax): the angle between row and true class is multiplied by an integer.

    .. math:: L &= -\log \frac{e^{|w_t| |x| \psi(\theta_t)}}{e^{|w_t| |x| \psi(\theta_t)}
              + \sum_{j \ne t} e^{|w_j| |x| \cos\theta_j}}, \\
              \psi(\theta) &= (-1)^k \cos(m \theta) - 2 k, \quad
              \theta \in \left[\frac{k \pi}{m}, \frac{(k + 1) \pi}{m}\right]

    where :math:`\theta_k` is the angle between row and class k: `SphereFace` with weights that keep their lengths. For
    `CosineClassifier`, where it has a ``coef_`` with rows of any length. It was made for networks, which learn
    features with small angles. In a linear model of given features a class whose rows lie in all directions does best
    with no weights at all, and rows that the margin tells apart with weights that grow for ever: a fit in which either
    happens warns. Use `SphereFace`, its form with a well-posed problem.

    As a loss on cosines, ``LSoftmax()(y, cosines)``, all lengths are one.

    Parameters
    ----------
    margin : int, default=2
        The m, at least 1; with 1 it is the softmax without penalty and intercept.

    References
    ----------
    W. Liu, Y. Wen, Z. Yu and M. Yang, Large-margin softmax loss for convolutional neural networks, *ICML* 2016.

    Examples
    --------
    >>> from sklearn_losses import LSoftmax
    >>> round(LSoftmax(margin=2)([0], [[0.5, -0.5]]), 6)
    0.693147
    """

    by_class = True
    forms = (OnLengths,)

    def __init__(self, margin=2):
        self.margin = margin

    @property
    def smooth(self):  # type: ignore[override]
        return self.margin == 1

    def easier(self):
        return []
