"""All folds, one after the other or in parallel, reported to scikit-learn's callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, clone
from sklearn.utils.parallel import Parallel, delayed

from ..estimators.callbacks import CallbackSupportMixin, with_callbacks
from .asked import Asked
from .contenders import Contender
from .folds import Record, compare_on
from .splitters import Fold


class LossComparer(CallbackSupportMixin, BaseEstimator):
    """The estimator as which scikit-learn's callbacks see a comparison, with a task for every loss and fold.

    Parameters
    ----------
    asked : Asked
        What is compared.
    folds : list of Fold
        On which folds.
    n_jobs : int or None
        How many fits at a time.
    """

    def __init__(self, asked: Asked | None = None, folds: list[Fold] | None = None, n_jobs: int | None = None):
        self.asked = asked
        self.folds = folds
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, X: Any, y: Any) -> list[Record]:
        """The records of all losses on all folds."""
        assert self.asked is not None and self.folds is not None
        n_tasks = len(self.asked.contenders) * len(self.folds)
        root = self._init_callback_context("compare", max_subtasks=n_tasks) if hasattr(self, "set_callbacks") else None
        found = run(self.asked, self.folds, self.n_jobs)
        records = []
        with self._reported(root, X, y):
            for _ in range(n_tasks):
                with self._reported(root and root.subcontext("loss-on-fold"), X, y):
                    records.append(next(found))
        return records

    @contextmanager
    def _reported(self, task: Any, X: Any, y: Any) -> Iterator[None]:
        """Around a task: tell the callbacks, where there are any."""
        if task is not None:
            task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        yield
        if task is not None:
            task.call_on_fit_task_end(estimator=self, X=X, y=y)


def run(asked: Asked, folds: list[Fold], n_jobs: int | None) -> Iterator[Record]:
    """The records, each as soon as it is there."""
    together = _together(asked, len(folds), effective_n_jobs(n_jobs))
    tasks = [(fold, contenders) for fold in folds for contenders in together]
    if effective_n_jobs(n_jobs) == 1:
        for fold, contenders in tasks:
            yield from compare_on(asked, fold, contenders)
        return
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    for records in parallel(delayed(_all)(asked, fold, contenders) for fold, contenders in tasks):
        yield from records


def _together(asked: Asked, n_folds: int, n_workers: int) -> list[list[Contender]]:
    """Which losses make up a task: all of them where they share transformers and folds keep all workers busy."""
    if asked.step and n_workers <= n_folds:
        return [asked.contenders]
    return [[contender] for contender in asked.contenders]


def _all(asked: Asked, fold: Fold, contenders: list[Contender]) -> list[Record]:
    return list(compare_on(asked, fold, contenders))


def callbacks_of(estimator: Any) -> list[Any]:
    """The callbacks that were set on an estimator or anywhere inside it, each once."""
    found = [callback for part in _parts(estimator) for callback in getattr(part, "_skl_callbacks", ())]
    return [callback for i, callback in enumerate(found) if not any(callback is other for other in found[:i])]


def without_callbacks(estimator: Any) -> Any:
    """A clone on which no callbacks are set."""
    estimator = clone(estimator)
    for part in _parts(estimator):
        remove: Callable | None = getattr(part, "set_callbacks", None)
        if remove is not None:
            remove()
    return estimator


def _parts(estimator: Any) -> list[Any]:
    return [estimator, *estimator.get_params(deep=True).values()]
