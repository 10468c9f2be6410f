"""Labels as classes with weights: encoded, weighed, and without those that are lost."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets

from ..losses.base import is_real
from ..losses.metric import check_simplex
from .validation import check_numbers


def encode_labels(y: NDArray) -> tuple[NDArray, NDArray[np.intp]]:
    """The sorted classes, and the index of every row's class."""
    if y.dtype == object and not all(isinstance(label, str) for label in y.ravel()):
        kinds = sorted({type(label).__name__ for label in y.ravel()})
        mixed = f"labels of mixed types ({', '.join(kinds)}), which have no order"
        raise ValueError(
            f"Unknown label type: y holds {mixed if len(kinds) > 1 else 'objects'}. Make them all text, or give y a "
            "numeric dtype, for example with y.astype(int)."
            + (" Rows without a label have to be dropped." if {"NoneType", "NAType"} & set(kinds) else "")
        )
    classes, codes = _unique(y)
    # integers that repeat are labels; scikit-learn's check, which looks for fractions, takes longer than the rest
    if y.dtype.kind not in "biu" or 2 * len(classes) > len(y):
        try:
            check_classification_targets(y)
        except ValueError as error:
            raise ValueError(f"{error} For a continuous target use LinearRegressor.") from error
    return classes, codes


def _unique(y: NDArray) -> tuple[NDArray, NDArray[np.intp]]:
    if np.can_cast(y.dtype, np.intp) and int(y.max()) - int(y.min()) < len(y):  # integers to be counted, not sorted
        codes = y.astype(np.intp) - int(y.min())
        found = np.flatnonzero(np.bincount(codes))
        classes = (found + int(y.min())).astype(y.dtype)
        return classes, np.searchsorted(found, codes) if found[-1] >= len(found) else codes
    classes = np.unique(y)
    return classes, np.searchsorted(classes, y)


def check_class_weight(class_weight, classes: NDArray) -> None:
    """Raise a ValueError for anything but None, "balanced", and non-negative weights of labels of y."""
    if class_weight is None or (isinstance(class_weight, str) and class_weight == "balanced"):
        return
    if not isinstance(class_weight, Mapping):
        raise ValueError(f"class_weight must be a dict, 'balanced' or None; got {class_weight!r}.")
    labels = classes.tolist()
    for key, weight in class_weight.items():
        if key not in labels:
            raise ValueError(f"class_weight has the key {_plain(key)!r}, which is no label of y; those are {labels}.")
        if not (is_real(weight) and 0 <= weight < np.inf):
            raise ValueError(f"class_weight must be finite and non-negative; got {weight!r} for {_plain(key)!r}.")


def with_class_weights(
    class_weight, classes: NDArray, weights: NDArray, targets: NDArray
) -> tuple[NDArray[np.float64], NDArray]:
    """Weights of the rows, and targets, when every class counts as much as its weight says.

    A row's soft labels are so many rows with a label each, of these weights, so that the shares of its classes change
    with theirs.
    """
    if class_weight is None:
        return weights, targets
    if isinstance(class_weight, str):
        totals = class_totals(weights, targets, len(classes))
        counts = totals > 0
        of_class = np.divide(totals[counts].min(), totals, out=np.zeros_like(totals), where=counts)
    else:
        of_class = np.array([class_weight.get(label, 1.0) for label in classes.tolist()], dtype=np.float64)
        of_class /= of_class.max() or 1.0  # whose sums are finite
    if targets.ndim == 1:
        return weights * of_class[targets], targets
    shares = targets * of_class
    of_row = shares.sum(axis=1)
    return weights * of_row, np.divide(shares, of_row[:, None], out=targets.copy(), where=of_row[:, None] > 0)


def class_totals(weights: NDArray, targets: NDArray, n_classes: int) -> NDArray[np.float64]:
    """The weight of every class: of its rows, or its share of them."""
    if targets.ndim == 2:
        return weights @ targets
    return np.bincount(targets, weights=weights, minlength=n_classes).astype(np.float64, copy=False)


def weighted_classes(
    estimator, classes: NDArray, weights: NDArray, targets: NDArray, *, binary_only: bool
) -> tuple[NDArray, NDArray]:
    """The classes that have any weight, and the targets among them.

    A class without weight is dropped like the rows themselves: ensembles pass their draws as weights.

    Raises
    ------
    ValueError
        When fewer than two classes are left, or more than two for a binary classifier.
    """
    name = type(estimator).__name__
    if len(classes) < 2:
        raise ValueError(
            f"{name} needs samples of at least 2 classes in the data, but the data contains only one class: "
            f"{classes.tolist()[0]!r}."
        )
    left = class_totals(weights, targets, len(classes)) > 0
    if np.count_nonzero(left) < 2:
        raise ValueError(
            f"The class {classes[~left].tolist()[0]!r} has no row with a positive weight: after removing zero weights "
            + (f"only one class is left: {classes[left].tolist()[0]!r}." if left.any() else "no class is left.")
        )
    if not left.all():
        classes = classes[left]
        # codes of rows without weight are never looked at
        targets = targets[:, left] if targets.ndim == 2 else np.maximum(np.cumsum(left) - 1, 0)[targets]
    if binary_only and len(classes) > 2:
        raise ValueError(
            "Only binary classification is supported. The type of the target is multiclass. "
            f"Use SoftmaxClassifier for the {len(classes)} classes of this target."
        )
    return classes, targets


def check_soft_labels(soft_labels: ArrayLike, n_rows: int, classes: NDArray) -> NDArray[np.float64]:
    """Rows of class probabilities, of sum one."""
    rows = check_numbers(soft_labels, "soft_labels")
    wanted = (
        f"one row a sample and one column a class in sorted order, shape {(n_rows, len(classes))} for the classes "
        f"{classes.tolist()} of y; got {rows.shape}."
    )
    if rows.ndim != 2:
        hint = " Probabilities p of the second class alone are np.column_stack([1 - p, p])." if rows.ndim == 1 else ""
        raise ValueError(f"Expected 2D array as soft_labels: {wanted}{hint}")
    if rows.shape != (n_rows, len(classes)):
        hint = (
            " Beside soft_labels y only says which labels the columns belong to, so a label that is the likeliest of "
            f"no row has to be in it all the same: pass y=np.resize(labels, {n_rows}) with the {rows.shape[1]} labels."
        )
        raise ValueError(f"soft_labels must have {wanted}" + (hint if rows.shape[1] > len(classes) else ""))
    check_simplex(rows, "soft_labels")
    return rows / rows.sum(axis=1, keepdims=True)


def _plain(label):
    return label.item() if isinstance(label, np.generic) else label
