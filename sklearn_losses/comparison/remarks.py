"""What failed, warned or could not be answered, counted over all folds and put into sentences."""

from __future__ import annotations

from .folds import Record, Remark

SENTENCES = {
    "failed": "{share} fits failed; the first: {words}",
    "warned": "{share} fits warned; the first: {words}",
    "search failed": "{share} fits of the inner search failed; the first: {words}",
    "search warned": "{share} fits of the inner search warned; the first: {words}",
    "search unanswered": "{metric} is missing for {share} fits of the inner search; the first: {words}",
    "unanswered": "{metric} is missing in {share} folds: {words}",
    "metric warned": "{metric} warned in {share} folds; the first: {words}",
    "own loss": "the inner search went by minus {words} in {share} folds, because {metric} had no answer.",
}


def sentences(records: list[Record]) -> list[str]:
    """A sentence for every kind of thing that happened, about all losses to which it happened in the same way."""
    losses: dict[str, list[str]] = {}
    for label in dict.fromkeys(record.label for record in records):
        for sentence in _about([record for record in records if record.label == label]):
            losses.setdefault(sentence, []).append(label)
    return [f"{', '.join(labels)}: {sentence}" for sentence, labels in losses.items()]


def _about(records: list[Record]) -> list[str]:
    """The sentences on one loss."""
    remarks = [remark for record in records for remark in record.remarks]
    grouped: dict[tuple[str, str], list[Remark]] = {}
    for kind in SENTENCES:
        for remark in remarks:
            if remark.kind == kind:
                grouped.setdefault((kind, remark.metric), []).append(remark)
    n_fits = {"search": sum(record.n_search_fits for record in records)}
    return [
        SENTENCES[kind].format(
            share=_share(sum(remark.times for remark in group), n_fits.get(kind.split()[0], len(records))),
            metric=metric,
            words=group[0].words.removeprefix("AttributeError: "),
        )
        for (kind, metric), group in grouped.items()
    ]


def _share(times: int, out_of: int) -> str:
    return f"all {out_of}" if times == out_of else f"{times} of {out_of}"
