"""SphereFace, whose margin multiplies the angle: a piecewise Chebyshev polynomial of the cosine."""

from __future__ import annotations

import numpy as np

from .base import Array, is_real
from .cosine import CosineLoss

MOST_PIECES = 64


class MultipliedAngle(CosineLoss):
    """A loss that multiplies the angle between row and true class by its ``margin``, an integer."""

    by_row = True
    margin: int

    def check_parameters(self):
        valid = is_real(self.margin) and self.margin in range(1, MOST_PIECES + 1)
        self._check("margin", valid, f"an integer from 1 to {MOST_PIECES}")

    def moved(self, cosine):
        return falling_chebyshev(cosine, int(self.margin))


class SphereFace(MultipliedAngle):
    r"""SphereFace (A-Softmax): the angle between row and true class is multiplied by an integer.

    .. math:: L &= -\log \frac{e^{|x| \psi(\theta_t)}}{e^{|x| \psi(\theta_t)} + \sum_{j \ne t} e^{|x| \cos\theta_j}}, \\
              \psi(\theta) &= (-1)^k \cos(m \theta) - 2 k, \quad
              \theta \in \left[\frac{k \pi}{m}, \frac{(k + 1) \pi}{m}\right]

    where :math:`\theta_k` is the angle between row and class k. Scores are as long as rows, so that the fit depends on
    the unit of X: the shorter rows are, the less it can tell classes apart. For `CosineClassifier`.

    Parameters
    ----------
    margin : int, default=4
        The m, at least 1; with 1 it is the softmax with weights of length one and without intercept.

    References
    ----------
    W. Liu, Y. Wen, Z. Yu, M. Li, B. Raj and L. Song, SphereFace: deep hypersphere embedding for face recognition,
    *CVPR* 2017.

    Examples
    --------
    >>> from sklearn_losses import SphereFace
    >>> round(SphereFace(margin=2)([0], [[0.5, -0.5]]), 6)
    0.693147
    """

    def __init__(self, margin=4):
        self.margin = margin

    def easier(self):
        return [SphereFace(margin) for margin in range(1, int(self.margin))]


def falling_chebyshev(cosine: Array, degree: int) -> tuple[Array, Array, Array]:
    """``(-1)**k T(c) - 2 k`` for the k-th falling piece of a Chebyshev polynomial T, and its two derivatives in c."""
    k = np.minimum(np.floor(degree * np.arccos(cosine) / np.pi), degree - 1)
    one, zero = np.ones_like(cosine), np.zeros_like(cosine)
    before, now = (one, zero, zero), (cosine, one, zero)
    for _ in range(degree - 1):
        value = 2 * cosine * now[0] - before[0]
        slope = 2 * now[0] + 2 * cosine * now[1] - before[1]
        bend = 4 * now[1] + 2 * cosine * now[2] - before[2]
        before, now = now, (value, slope, bend)
    sign = 1.0 - 2.0 * (k % 2)
    return sign * now[0] - 2.0 * k, sign * now[1], sign * now[2]
