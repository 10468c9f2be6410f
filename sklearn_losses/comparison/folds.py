"""One fold: each loss's search inside the training part, the fit of what it chose, and its scores on the test part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .asked import Asked
from .contenders import Contender, Settings
from .parts import RAISE, Part
from .search import Choice, InnerSearch
from .splitters import Fold


@dataclass(frozen=True)
class Remark:
    """Something not to be lost: what kind of thing happened, how often, to what metric, and the first one's words."""

    kind: str
    words: str
    times: int = 1
    metric: str = ""


@dataclass(frozen=True)
class Record:
    """What one loss did in one fold."""

    label: str
    fold: int
    fit_time: float
    scores: dict[str, float]
    parameters: Settings
    remarks: list[Remark]
    n_search_fits: int = 0


def compare_on(asked: Asked, fold: Fold, contenders: list[Contender]) -> Iterator[Record]:
    """The records of some losses on one fold."""
    searches = {each.label: InnerSearch(asked, each) for each in contenders if len(each.candidates) > 1}
    for train, test in fold.inner if searches else []:
        part = Part(asked, train, test)
        for search in searches.values():
            search.run(part)
    whole = Part(asked, fold.train, fold.test)
    for contender in contenders:
        yield _record(asked, fold, whole, contender, searches.get(contender.label))


def _record(asked: Asked, fold: Fold, part: Part, contender: Contender, search: InnerSearch | None) -> Record:
    choice = Choice(contender.candidates[0]) if search is None else search.choose()
    remarks = [] if search is None else list(_remarks_on_search(search, choice))
    seconds = search.seconds if search else 0.0
    n_search_fits = search.n_fits if search else 0
    if choice.parameters is None:
        remarks.append(Remark("failed", "no candidate of the inner search could be fitted and scored"))
        failed = dict.fromkeys((metric.name for metric in asked.metrics), _score_of_failure(asked))
        return Record(contender.label, fold.number, seconds, failed, {}, remarks, n_search_fits)

    fit = part.fit(contender, choice.parameters)
    seconds += part.transformed.seconds + fit.seconds
    remarks += [Remark("warned", words) for words in fit.warned[:1]]
    if fit.error:
        remarks.append(Remark("failed", fit.error))
    scores = {}
    for metric in asked.metrics:
        found = None if fit.error else part.score(fit.value, metric)
        scores[metric.name] = _score_of_failure(asked) if found is None else found.value
        if found is not None and found.error:
            remarks.append(Remark("unanswered", found.error, metric=metric.name))
        elif found is not None and found.warned:
            remarks.append(Remark("metric warned", found.warned[0], metric=metric.name))
    return Record(contender.label, fold.number, seconds, scores, choice.parameters, remarks, n_search_fits)


def _score_of_failure(asked: Asked) -> float:
    return np.nan if asked.error_score == RAISE else float(asked.error_score)


def _remarks_on_search(search: InnerSearch, choice: Choice) -> Iterator[Remark]:
    if search.errors:
        yield Remark("search failed", search.errors[0], len(search.errors))
    if search.warnings:
        yield Remark("search warned", search.warnings[0], len(search.warnings))
    if search.unanswered and not choice.by_own_loss:
        yield Remark("search unanswered", search.unanswered[0], len(search.unanswered), search.metric.name)
    if choice.by_own_loss:
        yield Remark("own loss", repr(search.contender.loss), metric=search.metric.name)
