"""A comparison as a table: plain for a terminal, HTML for a notebook."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from .contenders import Settings

if TYPE_CHECKING:
    from .result import LossComparison

LEGEND = "Mean ± standard deviation over folds; greater is better; * is the best mean."
MOST_VALUES = 3  # of a parameter that are shown


@dataclass(frozen=True)
class Cell:
    """What stands in a row and column."""

    text: str
    best: bool = False


def as_text(comparison: LossComparison) -> str:
    """The table in characters."""
    header, rows = _table(comparison)
    lines = [header, *([cell.text + " *" * cell.best for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    notes = [f"- {note}" for note in comparison.notes]
    return "\n".join([_title(comparison), "", *padded, "", LEGEND, *notes])


def as_html(comparison: LossComparison) -> str:
    """The table for a notebook, in its own colours."""
    header, rows = _table(comparison)
    left = ' style="text-align: left; padding: 0.2em 1em 0.2em 0"'
    head = "".join(f'<th scope="col"{left}>{escape(text)}</th>' for text in header)
    body = "".join(
        f'<tr><th scope="row"{left}>{escape(label.text)}</th>'
        + "".join(
            f"<td{left}>{f'<strong>{escape(cell.text)}</strong> *' if cell.best else escape(cell.text)}</td>"
            for cell in cells
        )
        + "</tr>"
        for label, *cells in rows
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in comparison.notes)
    return (
        f"<div><p>{escape(_title(comparison))}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p><small>{escape(LEGEND)}</small></p>" + (f"<ul>{notes}</ul>" if notes else "") + "</div>"
    )


def _title(comparison: LossComparison) -> str:
    n_losses, n_folds = len(comparison.losses), comparison.n_folds
    losses = "1 loss" if n_losses == 1 else f"{n_losses} losses"
    folds = "1 fold" if n_folds == 1 else f"the same {n_folds} folds"
    train, test = comparison.n_train.mean(), comparison.n_test.mean()
    return f"{losses} on {folds} of {train:.0f} + {test:.0f} rows ({comparison.splitter.split('(')[0]})"


def _table(comparison: LossComparison) -> tuple[list[str], list[list[Cell]]]:
    chosen = list(comparison.best_params.values())
    names = list(dict.fromkeys(name for found in chosen for parameters in found for name in parameters))
    columns = [[Cell(label) for label in comparison.losses]]
    columns += [_scores(comparison, metric) for metric in comparison.metrics]
    columns.append([Cell(_duration(times.mean())) for times in comparison.fit_times])
    columns += [[Cell(_values(found, name)) for found in chosen] for name in names]
    header = ["loss", *comparison.metrics, "fit time", *_short(names)]
    return header, [list(row) for row in zip(*columns, strict=True)]


def _scores(comparison: LossComparison, metric: str) -> list[Cell]:
    scores, means = comparison.scores[metric], comparison.means(metric)
    finite = [row[np.isfinite(row)] for row in scores]
    deviations = [row.std(ddof=1) if len(row) > 1 else np.nan for row in finite]
    digits = _digits([deviation for deviation in deviations if deviation > 0])
    greatest = np.nanmax(means) if len(means) > 1 and not np.isnan(means).all() else np.nan
    cells = []
    for row, values, mean, deviation in zip(scores, finite, means, deviations, strict=True):
        text = "–" if np.isnan(row).all() else f"{np.nanmean(row):.{digits}f}"
        if not np.isnan(deviation):
            text += f" ± {deviation:.{digits}f}"
        if 0 < len(values) < len(row):
            text += f" ({len(values)} of {len(row)} folds)"
        cells.append(Cell(text, best=bool(mean == greatest)))
    return cells


def _digits(deviations: list[float]) -> int:
    """Decimals that show two digits of a typical deviation."""
    return int(np.clip(1 - np.floor(np.log10(np.median(deviations))), 0, 8)) if deviations else 4


def _duration(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _short(names: list[str]) -> list[str]:
    """Names of parameters without what all of them begin with, a pipeline's step."""
    while len({name.partition("__")[0] for name in names}) == 1 and all("__" in name for name in names):
        names = [name.partition("__")[2] for name in names]
    return names


def _values(found: list[Settings], name: str) -> str:
    """The values that the folds chose, the most frequent first."""
    values = Counter(_as_word(parameters[name]) for parameters in found if name in parameters)
    shown = [word if count == len(found) else f"{word} ×{count}" for word, count in values.most_common(MOST_VALUES)]
    return ", ".join(shown) + (", ..." if len(values) > MOST_VALUES else "")


def _as_word(value: Any) -> str:
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    return f"{value:.4g}" if number else " ".join(str(value).split())
