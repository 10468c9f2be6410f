"""The models of one training set along a path, which begins where all weights are zero or at a given strength."""

from __future__ import annotations

import numpy as np
from scipy.optimize import OptimizeResult

from ..data.threads import worker_threads
from ..estimators.along import AtStrength, Training
from ..minimise.task import Found
from .null_model import NullModel

Array = np.ndarray


def models_along(training: Training, alphas: Array | None, *, n_alphas: int, eps: float) -> list[AtStrength]:
    """The models at these strengths, or at so many from where all weights are zero down to a share of that."""
    estimator = training.estimator
    with worker_threads(training.prepared.work) as workers:
        first = training.objective(workers)
        task = training.task(first)
        if alphas is not None:
            return list(training.along(task, list(alphas)))
        factor = estimator.penalty_factor
        factors = np.ones(first.rows.n_features) if factor is None else np.asarray(factor, dtype=np.float64)
        null = NullModel(task, factors, positive=bool(getattr(estimator, "positive", False)))
        grouped = bool(getattr(estimator, "grouped", False))
        largest = null.smallest_alpha(float(estimator.l1_ratio), grouped=grouped)
        grid = np.geomspace(largest, eps * largest, n_alphas)
        theta, value, gap = null.point(training.with_strength(first, largest))
        result = OptimizeResult(x=theta, fun=value, nit=0, success=True)
        start = training.at(first, largest, Found(theta, value, gap, True, 0, result))
        return [start, *training.along(task, list(grid[1:]), theta)]
