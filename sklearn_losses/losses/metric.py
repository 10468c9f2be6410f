"""A loss as a metric: targets and predictions of any accepted form brought into the shapes a loss is written in."""

from __future__ import annotations

from numbers import Integral
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, check_consistent_length

Array = NDArray[np.floating]

# how far rows of probabilities may be from one: float32 predictions and printed tables pass, scores do not
SIMPLEX_TOLERANCE = 1e-3


class Evaluated(Protocol):
    """What a metric asks of a loss."""

    @property
    def domains(self) -> tuple[str, ...]: ...

    def check_parameters(self) -> None: ...

    def check_target(self, y: Array) -> None: ...

    def value(self, y: Array, prediction: Array) -> Array: ...

    def total(self, mean: float) -> tuple[float, float, float]: ...


def weighted_mean_loss(loss: Evaluated, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> float:
    """The weighted mean of a loss, for `Loss.__call__`."""
    loss.check_parameters()
    prediction = _floats(y_pred, "y_pred")
    target = _floats(y_true, "y_true")
    check_consistent_length(target, prediction, sample_weight)
    if {"probabilities", "values"} <= set(loss.domains):
        _refuse_labels(loss, y_true, y_pred)
    target, prediction = _in_shape(loss, target, prediction)
    loss.check_target(target)
    mean = weighted_mean(loss.value(target, prediction), sample_weight)
    return float(loss.total(mean)[0])


def weighted_mean(values: NDArray, sample_weight: ArrayLike | None) -> float:
    """The mean of the rows with a positive weight."""
    if sample_weight is None:
        return float(np.mean(values))
    weights = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weights.shape != values.shape or (weights < 0).any() or not weights.any():
        raise ValueError(
            f"sample_weight must hold one non-negative weight a row ({len(values)} of them), not all zero."
        )
    used = weights > 0
    return float(np.average(values[used], weights=weights[used] / weights.max()))


def one_hot(classes: NDArray[np.integer], n_classes: int) -> Array:
    """Rows with a one in the column of their class."""
    rows = np.zeros((len(classes), n_classes))
    rows[np.arange(len(classes)), classes] = 1.0
    return rows


def check_simplex(rows: Array, name: str) -> None:
    """Raise a ValueError naming the first row that is not a probability distribution."""
    bad = (rows < 0).any(axis=1) | (rows > 1 + SIMPLEX_TOLERANCE).any(axis=1)
    bad |= np.abs(rows.sum(axis=1) - 1.0) > SIMPLEX_TOLERANCE
    if bad.any():
        first = int(np.argmax(bad))
        raise ValueError(
            f"The rows of {name} must be non-negative and sum to one; row {first} is {rows[first].tolist()}."
        )


def _floats(values: ArrayLike, name: str) -> Array:
    if type(values) is np.ndarray and _is_ready(values):
        return values
    if np.asarray(values).dtype.kind in "mM":
        raise TypeError(f"{name} holds dates or durations: turn them into numbers first.")
    try:
        array = check_array(values, ensure_2d=False, dtype=np.float64, input_name=name)
    except (TypeError, ValueError) as error:
        if np.asarray(values).dtype.kind not in "OUS":
            raise
        raise ValueError(
            f"{name} holds labels that are not numbers. A loss as a metric takes class indices 0..K-1; "
            "loss.scorer() takes the labels themselves."
        ) from error
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _is_ready(values: Array) -> bool:
    """Whether nothing is to be converted or refused, as with what models predict."""
    return values.dtype == np.float64 and values.ndim == 1 and values.size > 0 and bool(np.isfinite(values).all())


def _refuse_labels(loss: Evaluated, y_true: ArrayLike, y_pred: ArrayLike) -> None:
    """A loss on probabilities or values would take two integers beside probabilities for values to predict."""
    target, prediction = np.asarray(y_true), np.asarray(y_pred)
    if target.dtype == object and all(isinstance(label, Integral) for label in target.ravel()):
        target = target.astype(np.int64)
    if target.dtype.kind not in "iu" or prediction.dtype.kind in "iub" or prediction.squeeze().ndim > 1:
        return
    labels = np.unique(target)
    if len(labels) <= 2 and not set(labels) <= {0, 1} and ((prediction >= 0) & (prediction <= 1)).all():
        raise ValueError(
            f"y_true holds the integers {labels.tolist()} beside probabilities. {loss} as a metric takes class indices "
            "0 and 1, loss.scorer() the labels themselves; targets of a regression have to be floats."
        )


def _in_shape(loss: Evaluated, target: Array, prediction: Array) -> tuple[Array, Array]:
    """Target and prediction as `value` expects them."""
    if loss.domains == ("values",):
        if target.ndim != 1 or prediction.ndim != 1:
            raise ValueError(
                f"{loss} is a regression loss: y_true and y_pred must both be of shape (n,), "
                f"not {target.shape} and {prediction.shape}."
            )
        return target, prediction
    if "cosines" in loss.domains and not (prediction.ndim == 2 and (np.abs(prediction) <= 1 + SIMPLEX_TOLERANCE).all()):
        raise ValueError(f"{loss} is defined on cosines: y_pred must be (n, K), with entries in [-1, 1].")
    on_probabilities = not {"scores", "cosines"} & set(loss.domains)
    if prediction.ndim == 1:
        if not {"scores", "values"} & set(loss.domains) and not ((prediction >= 0) & (prediction <= 1)).all():
            raise ValueError(f"{loss} is defined on probabilities; y_pred has values outside [0, 1].")
        if target.ndim == 2:
            target = _class_rows(target, 2)[:, 1]
        elif "values" not in loss.domains and not ((target >= 0) & (target <= 1)).all():
            raise ValueError("With y_pred of shape (n,), y_true must be 0, 1 or a probability of class 1.")
        return target, prediction
    n_classes = prediction.shape[1]
    if on_probabilities:
        check_simplex(prediction, "y_pred")
    target = _class_rows(target, n_classes)
    if n_classes > 2 or "cosines" in loss.domains:
        return target, prediction
    binary = prediction[:, 1] if on_probabilities else prediction[:, 1] - prediction[:, 0]
    return target[:, 1], binary


def _check_columns(rows: Array, n_classes: int) -> None:
    if rows.shape[1] != n_classes:
        raise ValueError(f"y_true has {rows.shape[1]} columns, but y_pred is about {n_classes} classes.")


def _class_rows(target: Array, n_classes: int) -> Array:
    if target.ndim == 2:
        _check_columns(target, n_classes)
        check_simplex(target, "y_true")
        return target
    classes = target.astype(np.intp)
    if (classes != target).any() or classes.min() < 0 or classes.max() >= n_classes:
        raise ValueError(
            f"y_true must hold class indices from 0 to {n_classes - 1} (the columns of y_pred), or one row of "
            f"{n_classes} class probabilities each."
        )
    return one_hot(classes, n_classes)
