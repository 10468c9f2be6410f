"""The models of a path as scorers ask them about held-out rows, whose scores under all of them are one product."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..estimators import validation
from ..estimators.along import AtStrength
from ..estimators.doors import come_in
from ..estimators.scoring import scores_of

AT_ONCE = 4_000_000  # scores, 32 MB


def models(estimator: Any, points: list[AtStrength], X: Any) -> Iterator[Any]:
    """Fitted estimators, which know what they predict for the rows X."""
    n_scores = np.atleast_2d(points[0].attributes["coef_"]).shape[0]
    size = max(AT_ONCE // max(n_scores * X.shape[0], 1), 1)
    for start in range(0, len(points), size):
        some = [_model(estimator, point) for point in points[start : start + size]]
        rows = validation.check_rows(some[0], come_in(X, targets=False).X)
        coef = np.concatenate([np.atleast_2d(model.coef_) for model in some])
        intercept = np.concatenate([np.atleast_1d(model.intercept_) for model in some])
        scores = np.asfortranarray(scores_of(some[0], rows, coef.T, intercept))
        for model, own in zip(some, np.split(scores, len(some), axis=1), strict=True):
            yield _knowing(model, X, own[:, 0] if n_scores == 1 else own)


def _model(estimator: Any, point: AtStrength) -> Any:
    model = copy.copy(estimator)
    vars(model).update(point.attributes)
    return model


def _knowing(model: Any, X: Any, scores: np.ndarray) -> Any:
    plain = copy.copy(model)

    def of_rows(rows: Any) -> tuple[Any, np.ndarray]:
        return (plain, scores) if rows is X else plain._scored(rows)

    model._scored = of_rows
    return model
