"""The penalty that an estimator's parameters describe."""

from __future__ import annotations

import numpy as np

from ..objective.kinked_penalties import ElasticNet, Grouped
from ..objective.penalties import L2, Penalty
from . import settings


def penalty_of(estimator, n_features: int, n_outputs: int, alpha: float | None = None) -> Penalty:
    """``alpha * sum_j f_j (l1_ratio |w_j| + (1 - l1_ratio) / 2 w_j^2)``, perhaps bounded, or by groups of classes.

    With the estimator's own alpha unless another one is given.
    """
    settings.check_factors(estimator, n_features)
    factor = estimator.penalty_factor
    alpha = estimator.alpha if alpha is None else alpha
    strength = alpha * (1.0 if factor is None else np.asarray(factor, dtype=np.float64))
    ratio, positive = float(estimator.l1_ratio), bool(getattr(estimator, "positive", False))
    if not positive and (ratio == 0.0 or not np.any(strength)):
        return L2(strength)
    l1, l2 = strength * ratio, strength * (1.0 - ratio)
    if getattr(estimator, "grouped", False) and n_outputs > 1:
        return Grouped(l1, l2)
    return ElasticNet(l1, l2, positive=positive)
