"""The weights of a fitted model, with the names of its features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .axes import GRID, axes_for, legend_outside, without_frame

ROW = 0.28  # inches for each feature


class CoefficientDisplay:
    """The weights of a linear model's features, the largest on top; a mark for each class where there are several.

    Weights are comparable where the features are: on one scale.

    Use `from_estimator` to make one.

    Parameters
    ----------
    coefs : ndarray of shape (n_outputs, n_features)
        The weights, of the features that are shown.
    feature_names : list of str
        Their names.
    labels : list of str
        What the outputs are: one word for each row of ``coefs``.
    n_left_out : int
        How many features are not shown.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure around it.
    points_ : list of matplotlib PathCollection
        The weights, an artist for each output.
    stems_ : list of matplotlib LineCollection
        The lines from zero to them.
    legend_ : matplotlib Legend or None
        The classes, where there are several.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_losses import SoftmaxClassifier
    >>> from sklearn_losses.displays import CoefficientDisplay
    >>> iris = load_iris()
    >>> model = SoftmaxClassifier(alpha=0.01).fit(iris.data, iris.target)
    >>> names = iris.feature_names
    >>> display = CoefficientDisplay.from_estimator(model, feature_names=names)
    >>> display.feature_names[0]
    'petal length (cm)'
    >>> plt.close(display.figure_)
    """

    def __init__(self, coefs: NDArray, feature_names: list[str], *, labels: list[str], n_left_out: int = 0):
        self.coefs = coefs
        self.feature_names = feature_names
        self.labels = labels
        self.n_left_out = n_left_out

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, feature_names: Any = None, max_features: int | None = 20, ax: Any = None
    ) -> CoefficientDisplay:
        """Draw the weights of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted linear model, or a pipeline that ends in one.
        feature_names : list of str, default=None
            Names of the model's features. None takes those that it was fitted with; behind a pipeline's transformers,
            those that they give.
        max_features : int or None, default=20
            How many features to show, those with the largest weights; None shows all.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        CoefficientDisplay
        """
        check_is_fitted(estimator)
        model = estimator
        while isinstance(model, Pipeline):
            model = model.steps[-1][1]
        if not hasattr(model, "coef_"):
            raise TypeError(f"CoefficientDisplay shows the coef_ of linear models, which {model!r} does not have.")
        coefs = np.atleast_2d(model.coef_)
        names = _names(estimator, coefs.shape[1]) if feature_names is None else [str(name) for name in feature_names]
        if len(names) != coefs.shape[1]:
            raise ValueError(f"feature_names has {len(names)} names, but the model has {coefs.shape[1]} features.")
        order = np.argsort(-np.abs(coefs).max(axis=0), kind="stable")[:max_features]
        return cls(
            coefs[:, order],
            [names[feature] for feature in order],
            labels=_labels(model, len(coefs)),
            n_left_out=len(names) - len(order),
        ).plot(ax)

    def plot(self, ax: Any = None) -> CoefficientDisplay:
        """Draw the weights.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        CoefficientDisplay
            The display itself.
        """
        n_outputs, n_features = self.coefs.shape
        self.ax_ = axes_for(ax, (6.4, 1.4 + ROW * max(3, n_features * (1 + 0.25 * (n_outputs - 1)))))
        self.figure_ = self.ax_.figure
        self.points_, self.stems_ = [], []
        rows = np.arange(n_features)
        for i, (label, weights) in enumerate(zip(self.labels, self.coefs, strict=True)):
            places = rows + 0.6 * ((i + 0.5) / n_outputs - 0.5)
            self.stems_.append(self.ax_.hlines(places, 0.0, weights, color=f"C{i % 10}", linewidth=1.5))
            self.points_.append(self.ax_.scatter(weights, places, s=24, color=f"C{i % 10}", label=label, zorder=3))
        self.ax_.axvline(0.0, color="0.4", linewidth=0.8)
        self.ax_.set_yticks(rows, self.feature_names)
        shown = f" ({n_features} largest of {n_features + self.n_left_out})" if self.n_left_out else ""
        self.ax_.set(
            title=f"Weights of the features{shown}",
            xlabel=f"weight for {self.labels[0]}" if n_outputs == 1 else "weight",
            ylim=(n_features - 0.5, -0.5),
        )
        self.ax_.grid(axis="x", **GRID)
        without_frame(self.ax_)
        self.legend_ = legend_outside(self.ax_, title="class") if n_outputs > 1 else None
        return self


def _names(estimator: Any, n_features: int) -> list[str]:
    """Names of the features that reach the model."""
    if isinstance(estimator, Pipeline) and len(estimator.steps) > 1:
        return [str(name) for name in estimator[:-1].get_feature_names_out()]
    model = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    names = getattr(model, "feature_names_in_", None)
    return [f"x{i}" for i in range(n_features)] if names is None else [str(name) for name in names]


def _labels(model: Any, n_outputs: int) -> list[str]:
    """What a weight argues for: a class, or larger predictions."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        return ["the prediction" if n_outputs == 1 else f"output {i}" for i in range(n_outputs)]
    return [f"class {classes[1]}"] if n_outputs == 1 else [str(label) for label in classes]
