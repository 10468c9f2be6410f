"""What a path found: models at every strength, what is known of each, and the one that was chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..displays import RegularizationPathDisplay
from ..estimators.along import AtStrength


class RegularizationPath:
    """Models for falling strengths of the penalty; returned by `regularization_path`.

    Attributes
    ----------
    estimator : estimator
        Whose loss and penalty it is.
    alphas_ : ndarray of shape (n_alphas,)
        Strengths, falling.
    coefs_ : ndarray of shape (n_alphas, n_features) or (n_alphas, n_classes, n_features)
        The estimators' ``coef_``, one after the other.
    intercepts_ : ndarray of shape (n_alphas,) or (n_alphas, n_classes)
        Their ``intercept_``.
    objective_values_ : ndarray of shape (n_alphas,)
        F there.
    dual_gaps_ : ndarray of shape (n_alphas,)
        Guaranteed bounds on F minus its minimum; nan where there is none.
    scores_ : ndarray of shape (n_alphas, n_folds)
        With ``cv``: of every fold.
    mean_scores_ : ndarray of shape (n_alphas,)
        With ``cv``: their means.
    standard_errors_ : ndarray of shape (n_alphas,)
        With ``cv``: their standard deviations over the square root of the number of folds.
    best_alpha_ : float
        With ``cv``: the strength that was chosen.
    best_estimator_ : estimator
        With ``cv``: the estimator at this strength, fitted to all rows.
    classes_ : ndarray of shape (n_classes,)
        The labels, of classifiers.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X had any.

    See Also
    --------
    regularization_path : Makes one.
    RegularizationPathDisplay : Draws one.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_losses import LinearRegressor, regularization_path
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LinearRegressor("mae", l1_ratio=1.0)
    >>> path = regularization_path(model, X, y, n_alphas=5)
    >>> path.to_frame()["n_nonzero"].tolist()[0]
    0
    """

    best_estimator_: Any

    def __init__(self, estimator: Any, points: list[AtStrength]):
        self.estimator = estimator
        self.alphas_ = np.array([point.alpha for point in points])
        self.coefs_ = np.stack([point.attributes["coef_"] for point in points])
        self.intercepts_ = np.stack([np.asarray(point.attributes["intercept_"]) for point in points])
        self.objective_values_ = np.array([point.found.value for point in points])
        self.dual_gaps_ = np.array([point.found.gap for point in points])
        first = points[0].attributes
        for name in ("classes_", "n_features_in_", "feature_names_in_"):
            if name in first:
                setattr(self, name, first[name])

    def __repr__(self) -> str:
        n_weights = np.count_nonzero(self.coefs_.reshape(len(self.alphas_), -1), axis=1)
        chosen = f"; best alpha {self.best_alpha_:.3g}" if hasattr(self, "best_alpha_") else ""
        return (
            f"RegularizationPath of {self.estimator}: {len(self.alphas_)} strengths from {self.alphas_[0]:.3g} to "
            f"{self.alphas_[-1]:.3g}, {n_weights.min()} to {n_weights.max()} weights{chosen}"
        )

    def choose(self, scores: NDArray, rule: str) -> None:
        """Choose a strength by the scores (n_alphas, n_folds) of its models on the folds."""
        n_folds = scores.shape[1]
        self.scores_, self.mean_scores_ = scores, scores.mean(axis=1)
        self.standard_errors_ = (
            scores.std(axis=1, ddof=1) / np.sqrt(n_folds) if n_folds > 1 else np.full(len(scores), np.nan)
        )
        known = np.isfinite(self.mean_scores_)
        if not known.any():
            raise ValueError("No strength has a finite score on all folds. Choose another scoring.")
        best = int(np.argmax(np.where(known, self.mean_scores_, -np.inf)))  # the first one is the strongest
        if rule == "one-standard-error":
            if n_folds == 1:
                raise ValueError("rule='one-standard-error' needs the scores of more than one fold; use rule='best'.")
            enough = self.mean_scores_[best] - self.standard_errors_[best]
            best = int(np.argmax(known & (self.mean_scores_ >= enough)))
        self.best_alpha_ = float(self.alphas_[best])

    def to_frame(self):
        """A table with a row for every strength.

        Returns
        -------
        pandas.DataFrame
            With the columns alpha, objective_value, dual_gap, n_nonzero (weights that are not zero), and where there
            were folds mean_score and standard_error.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "RegularizationPath.to_frame needs pandas: pip install 'sklearn_losses[frame]'."
            ) from error
        weights = self.coefs_.reshape(len(self.alphas_), -1)
        columns = {
            "alpha": self.alphas_,
            "objective_value": self.objective_values_,
            "dual_gap": self.dual_gaps_,
            "n_nonzero": np.count_nonzero(weights, axis=1),
        }
        if hasattr(self, "mean_scores_"):
            columns |= {"mean_score": self.mean_scores_, "standard_error": self.standard_errors_}
        return pd.DataFrame(columns)

    def plot(self, *, output: int | None = None, feature_names: Any = None, ax: Any = None):
        """Draw the weights against the strengths.

        Parameters
        ----------
        output : int, default=None
            Which of several classes' weights; None is the length of each feature's weights over all classes.
        feature_names : list of str, default=None
            Names of the features; None takes those of X.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        RegularizationPathDisplay
        """
        return RegularizationPathDisplay.from_path(self, output=output, feature_names=feature_names, ax=ax)
