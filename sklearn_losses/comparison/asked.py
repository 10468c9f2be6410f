"""What is asked of a comparison, as every fold needs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sklearn.pipeline import Pipeline

from ..estimators import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from .contenders import Contender, Place, Settings
from .metadata import Metadata, Routed
from .metrics import Metric


@dataclass(frozen=True)
class Asked:
    """Who is compared, by what, on which data.

    Parameters
    ----------
    place : Place
        The estimator and its loss.
    contenders : list of Contender
        The losses and their candidates.
    metrics : list of Metric
        What judges them; the first one selects in the inner search.
    X, y : array-like
        All rows.
    routed : Routed
        Metadata of all rows.
    error_score : float or "raise"
        The score of a fit that fails.
    """

    place: Place
    contenders: list[Contender]
    metrics: list[Metric]
    X: Any
    y: Any
    routed: Routed
    error_score: float | str

    @cached_property
    def step(self) -> str:
        """The name of a pipeline's last step where its transformers do the same for all, and so may do it once."""
        estimator = self.place.estimator
        if type(estimator) is not Pipeline or len(estimator.steps) == 1 or getattr(estimator, "transform_input", None):
            return ""
        step = estimator.steps[-1][0]
        searched = {name for contender in self.contenders for candidate in contender.candidates for name in candidate}
        # by scikit-learn's routing, transformers may ask for metadata themselves
        routed = any(self.routed.score.values()) or not all(map(self._is_of(step), self.routed.fit))
        return "" if routed or not all(map(self._is_of(step), searched)) else step

    @cached_property
    def fitted_place(self) -> Place:
        """What is fitted on each part: the last step behind shared transformers, or the estimator as it is."""
        return Place(self.place.estimator.steps[-1][1]) if self.step else self.place

    @property
    def has_strengths(self) -> bool:
        """Whether what is fitted is known so well that several strengths of its penalty can be solved together."""
        # a subclass may fit in another way, and somebody else's alpha may be anything
        model = self.fitted_place.estimator
        plain = type(model) in (LinearRegressor, LogisticRegressor, SoftmaxClassifier)
        return plain and model.solver == "auto" and not model.verbose

    def in_fitted(self, named: Settings | Metadata) -> dict[str, Any]:
        """Parameters or metadata under the names that what is fitted has for them."""
        return {name.removeprefix(f"{self.step}__") if self.step else name: value for name, value in named.items()}

    @staticmethod
    def _is_of(step: str):
        return lambda name: name.startswith(f"{step}__")
