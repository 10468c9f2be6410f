"""A comparison of losses: every fold, the means, and how sure they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..corrected_t import CorrectedMean
from .axes import GRID, axes_for, without_frame

ROW, BELOW = 0.45, 0.5  # inches for each loss, and from the axis to the legend


class LossComparisonDisplay:
    """Scores of losses on the same folds, a row each: the folds as dots, the mean, and its 95 % interval.

    The interval is that of the corrected resampled t, and about one loss. Losses share the ups and downs of the folds,
    so that intervals may overlap although one loss is better in every fold: whether two differ is for
    `LossComparison.difference` to say.

    Use `from_comparison`, or `LossComparison.plot`.

    Parameters
    ----------
    scores : dict of str to ndarray of shape (n_folds,)
        The scores by the labels of the losses; nan where there is none.
    means : dict of str to CorrectedMean
        Their means with their intervals.
    metric : str
        What the scores are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure around it.
    folds_ : matplotlib PathCollection
        The dots of all folds.
    means_ : matplotlib PathCollection
        The means.
    intervals_ : matplotlib LineCollection
        The intervals.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_losses import SoftmaxClassifier, compare_losses
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxClassifier(alpha=0.01)
    >>> comparison = compare_losses(
    ...     model, X, y, losses=["ce", "hinge"], scoring="accuracy"
    ... )
    >>> display = comparison.plot()
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['ce', 'hinge']
    >>> plt.close(display.figure_)
    """

    def __init__(self, scores: dict[str, NDArray], means: dict[str, CorrectedMean], *, metric: str):
        self.scores = scores
        self.means = means
        self.metric = metric

    @classmethod
    def from_comparison(cls, comparison: Any, metric: Any = None, *, ax: Any = None) -> LossComparisonDisplay:
        """Draw a comparison by one of its metrics.

        Parameters
        ----------
        comparison : LossComparison
            What `compare_losses` returned.
        metric : str, Loss or callable, default=None
            The metric; None is the first.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        LossComparisonDisplay
        """
        name = comparison.metrics[0] if metric is None else comparison.name_of_metric(metric)
        scores = dict(zip(comparison.losses, comparison.scores[name], strict=True))
        means = {}
        for label, row in scores.items():
            finite = np.isfinite(row)
            means[label] = CorrectedMean.over_folds(row[finite], comparison.n_train[finite], comparison.n_test[finite])
        return cls(scores, means, metric=name).plot(ax)

    def plot(self, ax: Any = None) -> LossComparisonDisplay:
        """Draw the scores, the first loss on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        LossComparisonDisplay
            The display itself.
        """
        rows = np.arange(len(self.scores))
        self.ax_ = axes_for(ax, (6.4, 1.6 + ROW * len(rows)))
        self.figure_ = self.ax_.figure
        folds = np.concatenate(list(self.scores.values()))
        places = np.repeat(rows, [len(row) for row in self.scores.values()])
        self.folds_ = self.ax_.scatter(folds, places, s=22, color="0.55", alpha=0.6, linewidth=0, label="a fold")
        means = [mean.mean for mean in self.means.values()]
        self.means_ = self.ax_.scatter(means, rows, s=48, marker="D", color="C0", zorder=3, label="mean")
        ends = np.array([mean.interval for mean in self.means.values()])
        self.intervals_ = self.ax_.hlines(
            rows, ends[:, 0], ends[:, 1], color="C0", linewidth=2, zorder=2, label="95 % interval"
        )
        self.ax_.set_yticks(rows, list(self.scores))
        self.ax_.set(
            title=f"{self.metric} of losses on the same folds",
            xlabel=f"{self.metric} (greater is better)",
            ylim=(len(rows) - 0.5, -0.5),
        )
        self.ax_.grid(axis="x", **GRID)
        without_frame(self.ax_)
        for row, mean in enumerate(means):
            if np.isnan(mean):
                across = self.ax_.get_yaxis_transform()
                self.ax_.text(0.5, row, "no score", transform=across, color="0.5", ha="center", va="center")
        height = self.ax_.get_window_extent().height / self.figure_.dpi
        below = (0.5, -BELOW / height)
        self.legend_ = self.ax_.legend(
            frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=below, ncols=3, borderaxespad=0.0
        )
        return self
