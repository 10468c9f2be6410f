"""Several losses at a time, each under a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sklearn.base import clone

from . import get_loss
from .base import Loss


def label_losses(losses: Any) -> dict[str, Loss]:
    """Copies of loss objects by their labels, from names and objects, or a dict with a label for each.

    Without a dict the label is the name as it was given, or the object's repr.
    """
    if isinstance(losses, str | Loss) or not isinstance(losses, Iterable):
        raise TypeError(f"losses must be a list of names and loss objects, or a dict of labels; got {losses!r}.")
    if isinstance(losses, Mapping):
        labelled = list(losses.items())
    else:
        labelled = [(loss if isinstance(loss, str) else repr(loss), loss) for loss in losses]
    if not labelled:
        raise ValueError("losses is empty: give at least one name or loss object.")
    labels = [label for label, _ in labelled]
    for label in labels:
        if not isinstance(label, str):
            raise TypeError(f"The labels of losses must be strings; got {label!r}.")
        if labels.count(label) > 1:
            raise ValueError(f"losses has {label!r} twice. Give a dict with a label for each.")
    return {label: clone(get_loss(loss)) for label, loss in labelled}
