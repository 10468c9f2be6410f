"""Parameters in which features of any scale and offset are nobody's problem: columns centred, of about unit spread.

W = V / scale,    b = c - W center.
"""

from __future__ import annotations

import numpy as np

from ..data import Rows
from .parameters import Array, Parameters
from .penalties import Penalty

# the curvature of a typical loss in its score; it only balances data against penalty in the scale of a column
TYPICAL_CURVATURE = 0.25

# offsets beyond this many spreads are subtracted from the rows themselves, because sums would lose their digits
FAR_OFFSET = 1e4


class Scaled(Parameters):
    """Centred and scaled features.

    Parameters
    ----------
    center, inverse_scale : ndarray of shape (p,)
        Of the columns of the rows as they are stored. An inverse scale of zero keeps the weight of a column that says
        nothing at zero.
    variance : ndarray of shape (p,)
        What is left of the columns' variances.
    origin : ndarray of shape (p,) or None
        What the stored rows have lost already.
    """

    def __init__(
        self,
        n_outputs: int,
        fit_intercept: bool,
        *,
        center: Array,
        inverse_scale: Array,
        variance: Array,
        origin: Array | None = None,
    ):
        super().__init__(len(center), n_outputs, fit_intercept)
        self.center, self.inverse_scale, self.variance, self.origin = center, inverse_scale, variance, origin

    def on_rows(self, x):
        matrix, intercept = self.split(x)
        coef = matrix * self.inverse_scale
        return coef, intercept - coef @ self.center

    def model(self, x):
        coef, intercept = self.on_rows(x)
        return coef, intercept if self.origin is None else intercept - coef @ self.origin

    def of_model(self, coef, intercept):
        used = self.inverse_scale > 0
        matrix = np.divide(coef, self.inverse_scale, out=np.zeros_like(coef), where=used)
        offset = self.center if self.origin is None else self.center + self.origin
        return self.join(matrix, intercept + coef @ offset)

    def push_forward(self, x, v):
        return self.on_rows(v)

    def pull_back(self, x, coef, intercept):
        if not self.fit_intercept:
            return (coef * self.inverse_scale).ravel()
        return self.join((coef - intercept[:, None] * self.center) * self.inverse_scale, intercept)

    def bend(self, x, v, coef, intercept):
        return 0.0

    def gram(self, products, sums, total):
        center, scale = self.center, self.inverse_scale
        left = sums - total * center  # of the rows less their center
        products = products - np.outer(left, center)
        products -= np.outer(center, sums)
        products *= scale
        products *= scale[:, None]
        return super().gram(products, scale * left, total)

    def columns(self, stored):
        scaled = stored.data * np.repeat(self.inverse_scale, np.diff(stored.indptr))
        matrix = type(stored)((scaled, stored.indices, stored.indptr), shape=stored.shape)
        return matrix, self.center * self.inverse_scale

    @property
    def transform(self):
        return self._transformed

    def _transformed(self, rows: Array, out: Array | None = None) -> Array:
        transformed = np.subtract(rows, self.center, out=out)
        transformed *= self.inverse_scale
        return transformed

    def penalty(self, penalty):
        return penalty.scaled(self.inverse_scale)

    def of_features(self, features):
        return Scaled(
            self.n_outputs,
            self.fit_intercept,
            center=self.center[features],
            inverse_scale=self.inverse_scale[features],
            variance=self.variance[features],
            origin=None if self.origin is None else self.origin[features],
        )


def conditioned(
    rows: Rows, penalty: Penalty, fit_intercept: bool, statistics: tuple[Array, Array] | None = None
) -> tuple[Rows, Scaled]:
    """Parameters in which rows have unit spread, and these rows, less an origin where offsets are extreme.

    The `Rows.statistics` are read from the rows, unless they are known.
    """
    center, spread = statistics or rows.statistics()
    if not fit_intercept:
        spread = np.hypot(spread, center)
        center = np.zeros_like(center)
    far = (np.abs(center) > FAR_OFFSET * spread) & (spread > 0)
    if far.any():
        rows = rows.from_origin(np.where(far, center, 0.0))
        center = center if rows.origin is None else center - rows.origin
    scale = np.hypot(np.sqrt(TYPICAL_CURVATURE) * spread, np.sqrt(penalty.convexity(rows.n_features)))
    with np.errstate(divide="ignore", over="ignore"):
        inverse = np.where(spread > 0, 1.0 / scale, 0.0)
    inverse = np.minimum(inverse, np.finfo(float).max)
    return rows, Scaled(
        rows.n_outputs,
        fit_intercept,
        center=center,
        inverse_scale=inverse,
        variance=(spread * inverse) ** 2,
        origin=rows.origin,
    )
