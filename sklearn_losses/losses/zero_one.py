"""The classification error: for evaluation only."""

from __future__ import annotations

import numpy as np

from .base import Loss
from .metric import weighted_mean


class ZeroOne(Loss):
    r"""Classification error, the share of rows whose predicted label is wrong. For evaluation, not for training.

    .. math:: L(y, p) = [\arg\max_k p_k \ne \arg\max_k y_k]

    As a function of a model's weights it is constant almost everywhere: its gradient is zero wherever it exists,
    so no solver can follow it; and it cannot tell a model that is just wrong from one that is wrong and sure.

    Examples
    --------
    >>> from sklearn_losses import ZeroOne
    >>> model_2 = [[0.1, 0.2, 0.7], [0.1, 0.7, 0.2], [0.3, 0.4, 0.3]]
    >>> round(ZeroOne()([2, 1, 0], model_2), 4)
    0.3333
    >>> ZeroOne()(["cat", "dog"], ["cat", "cat"])
    0.5
    """

    lower_bound = 0.0
    domain = ("labels", "probabilities")
    smooth = False
    trainable = False

    def value(self, y, prediction):
        if prediction.ndim == 1:
            return ((prediction > 0.5) != (y > 0.5)).astype(float)
        return (prediction.argmax(axis=1) != y.argmax(axis=1)).astype(float)

    def gradient(self, y, prediction):
        return np.zeros_like(prediction)

    def __call__(self, y_true, y_pred, sample_weight=None):
        true, predicted = np.asarray(y_true), np.asarray(y_pred)
        if predicted.ndim == 1 and true.ndim == 1 and predicted.dtype.kind != "f":
            if true.shape != predicted.shape:
                raise ValueError(f"y_true and y_pred have {len(true)} and {len(predicted)} rows.")
            return weighted_mean(true != predicted, sample_weight)
        return super().__call__(y_true, y_pred, sample_weight)
