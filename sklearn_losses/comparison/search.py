"""The inner search: the candidates of one loss, scored on the inner splits of one fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .asked import Asked
from .contenders import Contender, Settings, alike
from .metrics import Metric
from .parts import RAISE, Attempt, Part


@dataclass(frozen=True)
class Choice:
    """The candidate with the best mean score, and whether it was the loss's own that was asked; None without any."""

    parameters: Settings | None
    by_own_loss: bool = False


class InnerSearch:
    """The scores of one loss's candidates, split by split.

    Candidates that differ in their strength alone share what is prepared of the rows, and are solved from the strongest
    to the weakest, each from what those before foretell: a certified optimum of a convex loss is the one that a cold
    fit finds, to within the model's tolerance. All else is fitted cold.

    Parameters
    ----------
    asked : Asked
        What is compared.
    contender : Contender
        The loss and its candidates.

    Attributes
    ----------
    n_fits : int
        How many there were, repeated ones once.
    errors, warnings, unanswered : list of str
        The words of those that failed, that warned, and to which the metric had no answer.
    seconds : float
        What all of it took.
    """

    def __init__(self, asked: Asked, contender: Contender):
        self.contender = contender
        self.metric, self.own = asked.metrics[0], Metric("", contender.loss.scorer())
        self.paths = paths(contender.candidates, f"{asked.place.prefix}alpha" if asked.has_strengths else "")
        self.failed = np.nan if asked.error_score == RAISE else float(asked.error_score)
        self.n_fits, self.seconds = 0, 0.0
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.unanswered: list[str] = []
        self._scores: list[np.ndarray] = []
        self._own_scores: list[np.ndarray] = []

    def run(self, part: Part) -> None:
        """Fit and score all candidates on one split."""
        scores, own = np.full((2, len(self.contender.candidates)), np.nan)
        self.seconds += part.transformed.seconds
        for path in self.paths:
            settings = [self.contender.candidates[candidate] for candidate in path]
            along = part.fit_along(self.contender, settings) if len(path) > 1 else Attempt([])
            self.seconds += along.seconds
            models = along.value or [None] * len(path)
            for candidate, parameters, model in zip(path, settings, models, strict=True):
                fit = self._fit(part, parameters) if model is None else Attempt(model)
                self.n_fits += 1
                scores[candidate], own[candidate] = self._score(part, fit)
        self._scores.append(scores)
        self._own_scores.append(own)

    def choose(self) -> Choice:
        """The best candidate by the metric, or by the loss itself where the metric has no answer at all."""
        for scores, own in ((self._scores, False), (self._own_scores, True)):
            table = np.array(scores)
            # a split on which no candidate has a score says nothing about them
            answered = table[~np.isnan(table).all(axis=1)]
            means = answered.mean(axis=0) if len(answered) else np.array([np.nan])
            if not np.isnan(means).all():
                return Choice(self.contender.candidates[int(np.nanargmax(means))], own)
        return Choice(None)

    def _fit(self, part: Part, parameters: Settings) -> Attempt:
        found = part.fit(self.contender, parameters)
        self.seconds += found.seconds
        self.errors += [found.error] if found.error else []
        self.warnings += found.warned[:1]
        return found

    def _score(self, part: Part, fit: Attempt) -> tuple[float, float]:
        if fit.error:
            return self.failed, self.failed
        by_metric, by_own = part.score(fit.value, self.metric), Attempt(np.nan)
        if np.isnan(by_metric.value):
            self.unanswered.append(by_metric.error or "it is nan")
            by_own = part.score(fit.value, self.own)
        self.seconds += by_metric.seconds + by_own.seconds
        return by_metric.value, by_own.value


def paths(candidates: list[Settings], strength: str) -> list[list[int]]:
    """Positions of candidates that differ in their strength alone, from the strongest to the weakest."""
    alone: list[list[int]] = []
    found: list[tuple[Settings, list[int]]] = []
    for position, candidate in enumerate(candidates):
        rest = {name: value for name, value in candidate.items() if name != strength}
        path = next((path for other, path in found if alike(rest, other)), None)
        if strength not in candidate:
            alone.append([position])
        elif path is None:
            found.append((rest, [position]))
        else:
            path.append(position)
    return alone + [sorted(path, key=lambda position: -candidates[position][strength]) for _, path in found]
