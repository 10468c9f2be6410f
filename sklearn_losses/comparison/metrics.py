"""What models are judged by: every accepted form of ``scoring`` as named functions, greater is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sklearn.metrics import get_scorer, get_scorer_names

from ..losses import NAMES, Loss, LossScorer

COLUMNS = ("loss", "fold", "fit_time")  # of the table beside the metrics
PARAMETER = "param_"


@dataclass(frozen=True)
class Metric:
    """A number to be had from a fitted estimator and rows: greater is better.

    Parameters
    ----------
    name : str
        Its column.
    score : callable
        ``score(estimator, X, y, **metadata)``.
    asks : object or None
        What knows which metadata the metric asks for; None for one that was made here, from a name or a loss, and
        asks for none.
    of_predictions : bool
        Whether it looks at predictions alone, so that a pipeline's last step can answer for the whole.
    """

    name: str
    score: Callable[..., float]
    asks: Any = None
    of_predictions: bool = True


def name_of(metric: Any) -> str:
    """The column of a metric, and the label of a loss, that came without one: the string itself, or the repr."""
    if isinstance(metric, str):
        return metric
    plain_function = callable(metric) and hasattr(metric, "__qualname__")
    return metric.__name__ if plain_function else repr(metric)


def read_scoring(scoring: Any, estimator: Any) -> list[Metric]:
    """The metrics that ``scoring`` stands for, checked."""
    if scoring is None:
        return [Metric("score", own_score, asks=estimator)]
    if isinstance(scoring, Mapping):
        named = list(scoring.items())
    elif isinstance(scoring, list | tuple):
        named = [(name_of(metric), metric) for metric in scoring]
    else:
        named = [(name_of(scoring), scoring)]
    if not named:
        raise ValueError("scoring is empty; leave it out to compare the estimator's own score.")
    names = [name for name, _ in named]
    for name in names:
        if not isinstance(name, str) or name in COLUMNS or name.startswith(PARAMETER):
            raise ValueError(
                f"A metric cannot be called {name!r}: names are strings, and {', '.join(COLUMNS)} and {PARAMETER}... "
                "are other columns of the table. Give scoring a dict with another name."
            )
        if names.count(name) > 1:
            raise ValueError(f"scoring has two metrics called {name!r}. Give it a dict with a name for each.")
    return [_metric(name, metric) for name, metric in named]


def own_score(estimator, X, y, **metadata) -> float:
    """The estimator's own score: accuracy of classifiers, R² of regressors."""
    return estimator.score(X, y, **metadata)


def _metric(name: str, metric: Any) -> Metric:
    if isinstance(metric, str):
        return Metric(name, _scorer_by_name(metric))
    if isinstance(metric, Loss):
        metric.check_parameters()
        return Metric(name, metric.scorer())
    if isinstance(metric, type) or not callable(metric):
        raise TypeError(
            "scoring takes names of scikit-learn's scorers, scorers, callables score(estimator, X, y), loss objects, "
            f"or a list or dict of these; got {metric!r}."
        )
    asks = metric if hasattr(metric, "get_metadata_routing") else None
    return Metric(name, metric, asks, of_predictions=isinstance(metric, LossScorer))


def _scorer_by_name(name: str) -> Callable[..., float]:
    known = get_scorer_names()
    if name in known:
        return get_scorer(name)
    if name in NAMES:
        raise ValueError(
            f"{name!r} is the name of a loss, not of a scorer. To compare by it, pass the object: "
            f"scoring={NAMES[name].__name__}(), which is reported as minus the loss."
        )
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"Unknown metric {name!r}.{hint} sklearn.metrics.get_scorer_names() lists the names.")
