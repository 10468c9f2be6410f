"""What a comparison found: scores, differences with intervals and tests, and the best loss."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..corrected_t import CorrectedMean, check_adjustment, check_rope, table_of_differences
from ..displays import LossComparisonDisplay
from ..losses import Loss
from . import tables
from .contenders import Contender, Settings
from .folds import Record
from .metrics import PARAMETER, Metric, name_of
from .remarks import sentences
from .splitters import Fold

UNEVEN = 1.1  # the largest training part over the smallest, from which on one variance for all is doubtful


class LossComparison:
    r"""Losses compared on the same folds; returned by `compare_losses`.

    It prints itself as a table, in a terminal and in a notebook. Greater is better for every metric.

    Attributes
    ----------
    losses : dict of str to Loss
        The losses by their labels, in the order in which they were given.
    metrics : list of str
        The names of the metrics; the first one is the default of `plot`.
    scores : dict of str to ndarray of shape (n_losses, n_folds)
        For each metric, nan where there is no answer.
    fit_times : ndarray of shape (n_losses, n_folds)
        Seconds, the inner search included. Where losses share fitted transformers, their time counts for each.
    best_params : dict of str to list of dict
        For each loss the parameters that were chosen, fold by fold; none where nothing could be fitted.
    notes : list of str
        What failed, warned, or could not be answered, a sentence each; none is the best news.
    n_train, n_test : ndarray of shape (n_folds,)
        Rows of the folds.
    splitter : str
        Where the folds come from.

    See Also
    --------
    compare_losses : Makes one.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_losses import LogisticRegressor, compare_losses
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), LogisticRegressor(alpha=0.01))
    >>> losses = ["cross_entropy", "squared_hinge"]
    >>> comparison = compare_losses(model, X, y, losses=losses, scoring="roc_auc")
    >>> comparison.best("roc_auc")
    'cross_entropy'
    >>> comparison.to_frame().columns.tolist()
    ['loss', 'fold', 'fit_time', 'roc_auc']
    """

    def __init__(
        self,
        losses: dict[str, Loss],
        scores: dict[str, NDArray],
        fit_times: NDArray,
        best_params: dict[str, list[Settings]],
        notes: list[str],
        n_train: NDArray,
        n_test: NDArray,
        splitter: str,
    ):
        self.losses = losses
        self.metrics = list(scores)
        self.scores = scores
        self.fit_times = fit_times
        self.best_params = best_params
        self.notes = notes
        self.n_train, self.n_test = n_train, n_test
        self.splitter = splitter

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return len(self.n_train)

    def to_frame(self):
        """Every loss in every fold.

        Returns
        -------
        pandas.DataFrame
            The columns ``loss``, ``fold`` (from 0), ``fit_time`` (seconds, inner search included), one for each metric,
            and ``param_...`` for each parameter that was searched, nan where a loss does not take it.
        """
        names = dict.fromkeys(name for found in self.best_params.values() for one in found for name in one)
        chosen = [parameters for label in self.losses for parameters in self.best_params[label]]
        columns: dict = {
            "loss": np.repeat(np.array(list(self.losses), dtype=object), self.n_folds),
            "fold": np.tile(np.arange(self.n_folds), len(self.losses)),
            "fit_time": self.fit_times.ravel(),
        }
        columns |= {metric: scores.ravel() for metric, scores in self.scores.items()}
        columns |= {PARAMETER + name: [parameters.get(name, np.nan) for parameters in chosen] for name in names}
        return frame_of(columns)

    def best(self, metric: Any) -> str:
        """The label of the loss with the greatest mean.

        Parameters
        ----------
        metric : str, Loss or callable
            One of the metrics that were compared.

        Returns
        -------
        str
            Of equals the first. A loss without an answer in a fold in which another has one is out of the running: the
            folds that it misses may be the hard ones.
        """
        means = self.means(metric)
        if np.isnan(means).all():
            raise ValueError(f"No loss has a score by {name_of(metric)!r} in every fold. " + " ".join(self.notes))
        return list(self.losses)[int(np.nanargmax(means))]

    def means(self, metric: Any) -> NDArray:
        """Mean scores, in the order of the losses.

        Parameters
        ----------
        metric : str, Loss or callable
            One of the metrics that were compared.

        Returns
        -------
        ndarray of shape (n_losses,)
            Over the folds in which any loss has a score; nan for a loss that misses one of them.
        """
        scores = self.scores[self.name_of_metric(metric)]
        answered = ~np.isnan(scores).all(axis=0)
        return scores[:, answered].mean(axis=1) if answered.any() else np.full(len(scores), np.nan)

    def difference(self, baseline: Any, metric: Any, adjust: str | None = None, rope: float | None = None):
        r"""How much better than one loss the others are, and how sure that is.

        The folds are paired, and their training parts overlap: the interval and the test are those of the corrected
        resampled t-test, whose variance is larger than that of independent differences,

        .. math:: \left(\frac{1}{J} + \frac{n_\text{test}}{n_\text{train}}\right) s^2

        for J folds in which both losses have a finite score, with J - 1 degrees of freedom.

        Parameters
        ----------
        baseline : str or Loss
            The loss that the others are compared with.
        metric : str, Loss or callable
            One of the metrics that were compared.
        adjust : {None, "holm"}, default=None
            "holm" makes the p-values hold for all losses at once; only those that are finite count as tests.
        rope : float, default=None
            Half the width of the region of practical equivalence, in the units of the metric. Where it is given, the
            probabilities that the loss is worse, equivalent and better are those of the Bayesian correlated t-test.

        Returns
        -------
        pandas.DataFrame
            A row for each other loss: ``loss``; ``mean_difference``, its score minus the baseline's, so that
            **positive is better than the baseline**; ``lower`` and ``upper`` of the 95 % interval, never adjusted;
            ``p_value``, two-sided; ``n_folds``, the number of paired finite scores; with ``rope`` also ``worse``,
            ``equivalent`` and ``better``.

        Raises
        ------
        ValueError
            For unknown names, and where the splitter gave a single fold, which says nothing about variance.

        Warns
        -----
        UserWarning
            When the training parts differ in size by more than 10 %.

        References
        ----------
        C. Nadeau and Y. Bengio, Inference for the generalization error, *Machine Learning* 52, 2003.

        R. R. Bouckaert and E. Frank, Evaluating the replicability of significance tests for comparing learning
        algorithms, *PAKDD* 2004.

        G. Corani and A. Benavoli, A Bayesian approach for comparing cross-validated algorithms on multiple data sets,
        *Machine Learning* 100, 2015.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn_losses import LogisticRegressor, compare_losses
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> losses = ["cross_entropy", "squared_error"]
        >>> comparison = compare_losses(
        ...     LogisticRegressor(alpha=0.01), X, y, losses=losses, scoring="accuracy"
        ... )
        >>> difference = comparison.difference(
        ...     "cross_entropy", "accuracy", rope=0.01
        ... )
        >>> bool(difference.loc[0, "lower"] < 0 < difference.loc[0, "upper"])
        True
        """
        label, scores = self._label(baseline), self.scores[self.name_of_metric(metric)]
        check_adjustment(adjust)
        check_rope(rope)
        if self.n_folds == 1:
            raise ValueError(
                f"{self.splitter} gives a single fold, and one number says nothing about its variance. Compare with a "
                "cv of several folds, such as cv=5 or RepeatedStratifiedKFold()."
            )
        self._warn_of_uneven_folds()
        by_label = dict(zip(self.losses, scores, strict=True))
        pairs = {other: by_label[other] - by_label[label] for other in self.losses if other != label}
        means = {other: self._mean_of(pair) for other, pair in pairs.items()}
        return frame_of({"loss": list(means)} | table_of_differences(list(means.values()), adjust, rope))

    def plot(self, metric: Any = None, ax: Any = None) -> LossComparisonDisplay:
        """Draw the scores: folds, means and intervals.

        Parameters
        ----------
        metric : str, Loss or callable, default=None
            One of the metrics that were compared; None is the first.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        LossComparisonDisplay
        """
        return LossComparisonDisplay.from_comparison(self, metric, ax=ax)

    def __repr__(self) -> str:
        return tables.as_text(self)

    def _repr_html_(self) -> str:
        return tables.as_html(self)

    def _mean_of(self, values: NDArray) -> CorrectedMean:
        finite = np.isfinite(values)
        return CorrectedMean.over_folds(values[finite], self.n_train[finite], self.n_test[finite])

    def _label(self, loss: Any) -> str:
        return _one_of(self.losses, name_of(loss), "loss")

    def name_of_metric(self, metric: Any) -> str:
        """The column of a metric, which may be given as it was to `compare_losses`."""
        return _one_of(self.scores, name_of(metric), "metric")

    def _warn_of_uneven_folds(self) -> None:
        fewest, most = self.n_train.min(), self.n_train.max()
        if most > UNEVEN * fewest:
            warnings.warn(
                f"The folds train on {fewest} to {most} rows. The test takes them for alike, by their mean size; folds "
                "of equal size make it exact.",
                stacklevel=3,
            )


def put_together(
    records: list[Record], contenders: list[Contender], metrics: list[Metric], folds: list[Fold], *, splitter: str
) -> LossComparison:
    """The comparison that records make up, in whichever order they came."""
    by_place = {(record.label, record.fold): record for record in records}
    table = [[by_place[contender.label, fold.number] for fold in folds] for contender in contenders]
    labels = [contender.label for contender in contenders]
    return LossComparison(
        {contender.label: contender.loss for contender in contenders},
        {m.name: np.array([[record.scores[m.name] for record in row] for row in table], float) for m in metrics},
        np.array([[record.fit_time for record in row] for row in table]),
        {label: [record.parameters for record in row] for label, row in zip(labels, table, strict=True)},
        sentences([record for row in table for record in row]),
        np.array([len(fold.train) for fold in folds]),
        np.array([len(fold.test) for fold in folds]),
        splitter,
    )


def _one_of(known: Iterable[str], name: str, kind: str) -> str:
    if name in known:
        return name
    near = get_close_matches(name, list(known), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"There is no {kind} {name!r} in this comparison.{hint} There are: {', '.join(known)}.")


def frame_of(columns: dict[str, Any]):
    """A data frame, if pandas is there."""
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise ImportError(
            "Data frames need pandas, which is not installed: pip install 'sklearn-losses[frame]'. The numbers are in "
            "the attributes scores, fit_times and best_params."
        ) from error
    return DataFrame(columns)
