"""The folds, drawn once: the outer ones from ``cv``, and those of the inner search from ``inner_cv``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold, check_cv

from .metadata import Metadata, parts_of, rows_of

TrainAndTest = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Fold:
    """Rows to train and to test on, and how the inner search splits the former (as positions among all rows)."""

    number: int
    train: np.ndarray
    test: np.ndarray
    inner: list[TrainAndTest] = field(default_factory=list)


def read_cv(cv: Any, y: Any, *, classifier: bool, random_state: Any, grouped: bool = False) -> Any:
    """A splitter; an integer is shuffled where a random_state is given, and keeps groups whole if asked to."""
    splitter = check_cv(cv, y, classifier=classifier)
    if not (cv is None or isinstance(cv, Integral)) or (random_state is None and not grouped):
        return splitter
    kind = type(splitter)
    if grouped:
        kind = StratifiedGroupKFold if kind is StratifiedKFold else GroupKFold
    shuffling = {} if random_state is None else {"shuffle": True, "random_state": random_state}
    return kind(splitter.get_n_splits(), **shuffling)


def name_of_splitter(cv: Any, splitter: Any) -> str:
    """How to speak of the splitter: a list of splits has no name of its own."""
    return repr(splitter) if cv is None or isinstance(cv, Integral) or hasattr(cv, "split") else "the given splits"


def draw(splitter: Any, X: Any, y: Any, asked: Metadata) -> list[Fold]:
    """The outer folds."""
    splits = [tuple(map(_as_positions, split)) for split in splitter.split(X, y, **asked)]
    if not splits:
        raise ValueError(f"{splitter!r} gives no folds.")
    return [Fold(number, train, test) for number, (train, test) in enumerate(splits)]


def with_inner_splits(fold: Fold, splitter: Any, X: Any, y: Any, asked: Metadata) -> Fold:
    """The fold with the splits of its training part."""
    X, y, asked = rows_of(X, fold.train), rows_of(y, fold.train), parts_of(asked, fold.train, len(y))
    try:
        splits = [tuple(map(_as_positions, split)) for split in splitter.split(X, y, **asked)]
        if not splits or not all(len(part) for split in splits for part in split):
            raise ValueError(f"{splitter!r} gives parts without rows; are there fewer groups than splits?")
    except ValueError as error:
        raise ValueError(f"inner_cv cannot split the training part of fold {fold.number}: {error}") from error
    return replace(fold, inner=[(fold.train[train], fold.train[test]) for train, test in splits])


def _as_positions(rows: Any) -> np.ndarray:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows
