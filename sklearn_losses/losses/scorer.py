"""A loss as a scikit-learn scorer."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_regressor
from sklearn.utils.metadata_routing import MetadataRequest

from .metric import weighted_mean


class Scored(Protocol):
    """What a scorer asks of a loss."""

    @property
    def domains(self) -> tuple[str, ...]: ...

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float: ...


class LossScorer:
    """Minus a loss, called as ``scorer(estimator, X, y)``; made by `Loss.scorer`.

    Unlike a scorer made of a metric, it knows the estimator's ``classes_``, so a fold that lacks a class is no
    trouble and labels may be strings.

    Parameters
    ----------
    loss : Loss
        The loss to report.
    """

    def __init__(self, loss: Scored):
        self.loss = loss
        self._requests = MetadataRequest(owner=self)
        self.set_score_request(sample_weight=None)

    def __call__(self, estimator: Any, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Minus the weighted mean loss of the estimator on X and y; greater is better."""
        domains = self.loss.domains
        if "labels" in domains:
            wrong = np.asarray(y) != np.asarray(estimator.predict(X))
            return -weighted_mean(wrong, sample_weight)
        if domains == ("values",) or ("values" in domains and is_regressor(estimator)):
            return -self.loss(np.asarray(y, dtype=np.float64), estimator.predict(X), sample_weight)
        if "cosines" in domains:
            raise ValueError(
                f"{self.loss} is defined on cosines, and its margin acts in training only. Score predictions with "
                "CrossEntropy().scorer()."
            )
        response = "decision_function" if "scores" in domains else "predict_proba"
        try:
            method = getattr(estimator, response)
        except AttributeError as error:
            raise AttributeError(
                f"{self.loss} is defined on {domains[0]} and needs {response}, which {type(estimator).__name__} "
                "does not offer here."
            ) from error
        indices = _class_indices(np.asarray(y), np.asarray(estimator.classes_))
        return -self.loss(indices, method(X), sample_weight)

    def set_score_request(self, *, sample_weight: bool | str | None = None) -> LossScorer:
        """Ask scikit-learn's metadata routing to pass ``sample_weight`` to this scorer."""
        self._requests.score.add_request(param="sample_weight", alias=sample_weight)
        return self

    def get_metadata_routing(self) -> MetadataRequest:
        """The metadata that this scorer asks for."""
        return self._requests

    def __repr__(self) -> str:
        return f"LossScorer({self.loss!r})"


def _class_indices(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    unknown = ~np.isin(y, classes)
    if unknown.any():
        raise ValueError(
            f"y holds the label {y[unknown].tolist()[0]!r}, which the estimator was not trained on; "
            "use stratified folds so that every training fold has every class."
        )
    return np.searchsorted(classes, y)
