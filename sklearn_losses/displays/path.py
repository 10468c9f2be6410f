"""A regularisation path: the weights of features as the penalty gives way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .axes import GRID, axes_for, legend_beside, without_frame

MOST_NAMES = 12  # of features in the legend


class RegularizationPathDisplay:
    """The weight of every feature against the strength of the penalty, the strongest on the left.

    Use `from_path` to make one.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths.
    coefs : ndarray of shape (n_alphas, n_features)
        The weights there.
    feature_names : list of str
        The names of the features.
    best_alpha : float or None
        The strength that cross-validation chose.
    ylabel : str
        What the weights are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure around it.
    lines_ : list of matplotlib Line2D
        A line for each feature.
    best_line_ : matplotlib Line2D or None
        The mark at the chosen strength.
    legend_ : matplotlib Legend
        The features with the largest weights, and the mark.
    """

    def __init__(
        self,
        alphas: NDArray,
        coefs: NDArray,
        *,
        feature_names: list[str],
        best_alpha: float | None = None,
        ylabel: str = "weight",
    ):
        self.alphas = alphas
        self.coefs = coefs
        self.feature_names = feature_names
        self.best_alpha = best_alpha
        self.ylabel = ylabel

    @classmethod
    def from_path(
        cls, path: Any, *, output: int | None = None, feature_names: Any = None, ax: Any = None
    ) -> RegularizationPathDisplay:
        """Draw a path.

        Parameters
        ----------
        path : RegularizationPath
            What ``regularization_path`` returned; ``alphas_`` and ``coefs_`` are read, and ``best_alpha_`` and
            ``feature_names_in_`` where they are.
        output : int, default=None
            Which of several classes' weights to draw; None draws the length of each feature's weights over all classes.
        feature_names : list of str, default=None
            Names of the features; None takes those of the path.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        RegularizationPathDisplay
        """
        alphas, coefs = np.asarray(path.alphas_, dtype=float), np.asarray(path.coefs_, dtype=float)
        ylabel = "weight"
        if coefs.ndim == 3 and output is not None:
            ylabel = f"weight for class {output}"
            coefs = coefs[:, output]
        elif coefs.ndim == 3:
            several = coefs.shape[1] > 1
            ylabel = "length of a feature's weights over the classes" if several else ylabel
            coefs = np.linalg.norm(coefs, axis=1) if several else coefs[:, 0]
        if feature_names is None:
            feature_names = getattr(path, "feature_names_in_", None)
        names = [f"x{i}" for i in range(coefs.shape[1])] if feature_names is None else [str(n) for n in feature_names]
        if len(names) != coefs.shape[1]:
            raise ValueError(f"feature_names has {len(names)} names, but the path has {coefs.shape[1]} features.")
        best = getattr(path, "best_alpha_", None)
        return cls(alphas, coefs, feature_names=names, best_alpha=best, ylabel=ylabel).plot(ax)

    def plot(self, ax: Any = None) -> RegularizationPathDisplay:
        """Draw the path.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        RegularizationPathDisplay
            The display itself.
        """
        self.ax_ = axes_for(ax)
        self.figure_ = self.ax_.figure
        self.lines_ = [
            self.ax_.plot(self.alphas, weights, label=name, linewidth=1.4)[0]
            for name, weights in zip(self.feature_names, self.coefs.T, strict=True)
        ]
        positive = self.alphas[self.alphas > 0]
        if len(positive) == len(self.alphas):
            self.ax_.set_xscale("log")
        elif len(positive):
            self.ax_.set_xscale("symlog", linthresh=positive.min())
        self.best_line_ = None
        if self.best_alpha is not None:
            self.best_line_ = self.ax_.axvline(
                self.best_alpha, color="0.3", linestyle=":", label=f"chosen: {self.best_alpha:.3g}"
            )
        self.ax_.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
        self.ax_.set(
            title="Weights along the regularisation path",
            xlabel="alpha (stronger to the left)",
            ylabel=self.ylabel,
            xlim=(self.alphas.max(), self.alphas.min()),
        )
        self.ax_.grid(**GRID)
        without_frame(self.ax_)
        self.legend_ = self._legend()
        return self

    def _legend(self) -> Any:
        """The features that matter most, as many as can be told apart."""
        largest = np.argsort(-np.abs(self.coefs).max(axis=0), kind="stable")[:MOST_NAMES]
        handles = [self.lines_[feature] for feature in sorted(largest)]
        if self.best_line_ is not None:
            handles.append(self.best_line_)
        title = None if len(self.lines_) <= MOST_NAMES else f"{MOST_NAMES} largest of {len(self.lines_)}"
        return legend_beside(self.ax_, len(handles), handles=handles, title=title)
