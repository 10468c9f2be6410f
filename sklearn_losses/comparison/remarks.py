"""What failed, warned or could not be answered, counted over all folds and put into sentences."""

from __future__ import annotations

from .folds import Record, Remark

SENTENCES = {
    "failed": "{times} of {n_folds} fits failed; the first: {words}",
    "warned": "{times} of {n_folds} fits warned; the first: {words}",
    "search failed": "{times} of {n_search_fits} fits of the inner search failed; the first: {words}",
    "search warned": "{times} of {n_search_fits} fits of the inner search warned; the first: {words}",
    "unanswered": "no {metric} in {times} of {n_folds} folds: {words}",
    "metric warned": "{metric} warned in {times} of {n_folds} folds; the first: {words}",
    "own loss": "the inner search went by minus {words} in {times} of {n_folds} folds, because {metric} has no answer",
}


def sentences(records: list[Record]) -> list[str]:
    """A sentence for every loss and kind of thing that happened to it."""
    labels = list(dict.fromkeys(record.label for record in records))
    return [f"{label}: {sentence}" for label in labels for sentence in _about([r for r in records if r.label == label])]


def _about(records: list[Record]) -> list[str]:
    """The sentences on one loss."""
    remarks = [remark for record in records for remark in record.remarks]
    grouped: dict[tuple[str, str], list[Remark]] = {}
    for kind in SENTENCES:
        for remark in remarks:
            if remark.kind == kind:
                grouped.setdefault((kind, remark.metric), []).append(remark)
    n_search_fits = sum(record.n_search_fits for record in records)
    return [
        SENTENCES[kind].format(
            times=sum(remark.times for remark in group),
            n_folds=len(records),
            n_search_fits=n_search_fits,
            metric=metric,
            words=group[0].words,
        )
        for (kind, metric), group in grouped.items()
    ]
