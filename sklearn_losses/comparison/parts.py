"""Some rows to fit on and others to score on, and what happens there: nothing that fails or warns is lost."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from textwrap import shorten
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.base import clone

from ..estimators.along import certified_models
from .asked import Asked
from .contenders import Contender, Settings
from .metadata import parts_of, rows_of
from .metrics import Metric

RAISE = "raise"
LONGEST = 500  # characters of a message that are kept


@dataclass
class Attempt:
    """What came of a call: its value, or the words of its error; and the words of its warnings."""

    value: Any = None
    error: str = ""
    warned: list[str] = field(default_factory=list)
    seconds: float = 0.0


def attempt(call: Callable[[], Any], *, raising: bool = False) -> Attempt:
    """Call, and write down what happens; errors pass if ``raising``."""
    found = Attempt()
    start = perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found.value = call()
        except Exception as error:
            if raising:
                raise
            found.error = _words(error)
    found.seconds = perf_counter() - start
    found.warned = [_words(warning.message) for warning in caught]
    return found


def _words(message: Any) -> str:
    """One line, not too long."""
    return shorten(f"{type(message).__name__}: {message}", LONGEST, placeholder=" ...")


class Part:
    """A training part and a test part; transformers that are shared by all fits see them once.

    Parameters
    ----------
    asked : Asked
        What is compared.
    train, test : ndarray of int
        Positions among all rows.
    """

    def __init__(self, asked: Asked, train: np.ndarray, test: np.ndarray):
        self.asked = asked
        self._X, self._y = rows_of(asked.X, train), rows_of(asked.y, train)
        self._X_test, self._y_test = rows_of(asked.X, test), rows_of(asked.y, test)
        n_rows = len(asked.y)
        self._fit_metadata = asked.in_fitted(parts_of(asked.routed.fit, train, n_rows))
        self._score_metadata = {name: parts_of(metadata, test, n_rows) for name, metadata in asked.routed.score.items()}

    @property
    def raising(self) -> bool:
        """Whether errors of fits are to be raised."""
        return self.asked.error_score == RAISE

    @cached_property
    def transformed(self) -> Attempt:
        """The fitted transformers and the training rows behind them; both as they are where nothing is shared."""
        if not self.asked.step:
            return Attempt((None, self._X))
        transformers = clone(self.asked.place.estimator[:-1])
        return attempt(lambda: (transformers, transformers.fit_transform(self._X, self._y)), raising=self.raising)

    @cached_property
    def _transformed_test(self) -> Any:
        transformers = self.transformed.value[0]
        return self._X_test if transformers is None else transformers.transform(self._X_test)

    def fit(self, contender: Contender, parameters: Settings) -> Attempt:
        """A model with a loss and other parameters, fitted."""
        if self.transformed.error:
            return Attempt(error=self.transformed.error, warned=self.transformed.warned)
        parameters = self.asked.in_fitted(parameters)

        def fitted() -> Any:
            model = self.asked.fitted_place.with_loss(contender.loss, parameters)
            return model.fit(self.transformed.value[1], self._y, **self._fit_metadata)

        found = attempt(fitted, raising=self.raising)
        found.warned = self.transformed.warned + found.warned
        return found

    def fit_along(self, contender: Contender, path: list[Settings]) -> Attempt:
        """Models of settings that differ in ``alpha`` alone, from the strongest; None for one that is to be fitted."""
        if self.transformed.error or self.transformed.warned:
            return Attempt([])
        settings = [self.asked.in_fitted(parameters) for parameters in path]

        def fitted() -> list:
            first = self.asked.fitted_place.with_loss(contender.loss, settings[0])
            alphas = [parameters["alpha"] for parameters in settings]
            return list(certified_models(first, self.transformed.value[1], self._y, alphas, **self._fit_metadata))

        found = attempt(fitted)
        return found if not found.error and not found.warned else Attempt([], seconds=found.seconds)

    def score(self, model: Any, metric: Metric) -> Attempt:
        """A metric of a fitted model on the test rows; nan if it fails, which is never raised."""
        metadata = self._score_metadata.get(metric.name, {})

        def scored() -> float:
            if metric.of_predictions or not self.asked.step:
                return float(metric.score(model, self._transformed_test, self._y_test, **metadata))
            return float(metric.score(self._whole(model), self._X_test, self._y_test, **metadata))

        found = attempt(scored)
        if found.error:
            found.value = np.nan
        return found

    def _whole(self, model: Any) -> Any:
        """The pipeline that the shared transformers and a model are the fitted steps of."""
        pipeline = clone(self.asked.place.estimator)
        pipeline.steps = [*self.transformed.value[0].steps, (self.asked.step, model)]
        return pipeline
