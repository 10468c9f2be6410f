"""regularization_path: the fits on all rows, those on the folds, and the strength that these choose."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel, delayed

from ..comparison.metadata import rows_of
from ..estimators import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from ..estimators.along import AtStrength, Training
from ..estimators.caller import level_of_user
from ..losses import Loss, get_loss
from .along import models_along
from .held_out import models
from .result import RegularizationPath

Array = np.ndarray

RULES = ("best", "one-standard-error")


def regularization_path(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    alphas: ArrayLike | None = None,
    n_alphas: int = 100,
    eps: float = 1e-3,
    cv: Any = None,
    scoring: Any = None,
    rule: str = "best",
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_jobs: int | None = None,
) -> RegularizationPath:
    r"""Models for falling strengths of the penalty, each started from the one before and certified.

    The first strength is the smallest one at which every penalised weight is zero,

    .. math:: \alpha_{\max} = \max_j \frac{|g_j|}{f_j \cdot \mathtt{l1\_ratio}}

    with the gradient :math:`g` of the loss at the model without weights (its norm over the classes when grouped, its
    negative part when weights are bounded) and an ``l1_ratio`` of at least 0.001. For losses with kinks it is an upper
    bound.

    Parameters
    ----------
    estimator : LinearRegressor, LogisticRegressor or SoftmaxClassifier
        Any loss, any penalty; its ``alpha`` does not matter. It is not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows.
    y : array-like of shape (n_samples,)
        Targets.
    alphas : array-like of shape (n_alphas,), default=None
        Strengths. None is ``n_alphas`` of them, evenly spaced in logarithms.
    n_alphas : int, default=100
        How many strengths.
    eps : float, default=1e-3
        The last strength beside the first one.
    cv : int, splitter or iterable of splits, default=None
        Folds on which every strength is judged; None for none.
    scoring : str, callable or Loss, default=None
        What judges, as in `sklearn.model_selection.cross_validate`: greater is better. None is minus the estimator's
        own loss.
    rule : {"best", "one-standard-error"}, default="best"
        Which strength is chosen: that of the best mean score, or the largest one whose mean is at least the best mean
        minus its standard error.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows in fits. Scores are not weighted.
    groups : array-like of shape (n_samples,), default=None
        Groups of rows, for ``cv``.
    n_jobs : int, default=None
        How many training sets at a time; None is one, or what `joblib.parallel_config` says.

    Returns
    -------
    RegularizationPath

    Raises
    ------
    ValueError, TypeError
        When a parameter is out of its range, or no strength can be found at which a path begins.

    References
    ----------
    J. Friedman, T. Hastie and R. Tibshirani, Regularization paths for generalized linear models via coordinate descent,
    *Journal of Statistical Software* 33, 2010.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_losses import LinearRegressor, regularization_path
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LinearRegressor("huber", l1_ratio=1.0)
    >>> path = regularization_path(model, X, y, n_alphas=20, cv=3)
    >>> path.coefs_.shape, bool((path.coefs_[0] == 0).all())
    ((20, 10), True)
    >>> bool((path.dual_gaps_ <= 1e-6 * path.objective_values_).all())
    True
    """
    estimator = _checked(estimator)
    grid = _checked_grid(alphas, n_alphas, eps)
    if rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(map(repr, RULES))}; got {rule!r}.")
    if rule != "best" and cv is None:
        raise ValueError(f"rule={rule!r} chooses by scores on folds, and there are none: give cv.")
    X, y, sample_weight, groups = indexable(X, y, sample_weight, groups)
    whole = Training(estimator, X, y, sample_weight)
    points = models_along(whole, grid, n_alphas=n_alphas, eps=eps)
    _warn(points, estimator)
    path = RegularizationPath(estimator, points)
    if cv is None:
        return path
    splitter = check_cv(cv, y, classifier=is_classifier(estimator))
    splits = list(splitter.split(X, y, groups))
    scorer = _scorer(estimator, scoring)
    scores = Parallel(n_jobs=n_jobs)(
        delayed(_scores)(estimator, X, y, sample_weight, train, test, path.alphas_, scorer) for train, test in splits
    )
    path.choose(np.stack(scores, axis=1), rule)
    chosen = clone(estimator).set_params(alpha=path.best_alpha_)
    path.best_estimator_ = chosen.fit(X, y, **({} if sample_weight is None else {"sample_weight": sample_weight}))
    return path


def _checked(estimator: Any) -> Any:
    if not isinstance(estimator, LinearRegressor | LogisticRegressor | SoftmaxClassifier):
        raise TypeError(
            "regularization_path takes LinearRegressor, LogisticRegressor or SoftmaxClassifier; got "
            f"{type(estimator).__name__}. Transform the rows first where they come out of a pipeline."
        )
    return clone(estimator)


def _checked_grid(alphas: ArrayLike | None, n_alphas: Any, eps: Any) -> Array | None:
    if alphas is None:
        if not isinstance(n_alphas, Integral) or int(n_alphas) < 1:
            raise ValueError(f"n_alphas must be an integer >= 1; got {n_alphas!r}.")
        if not isinstance(eps, Real) or not 0 < float(eps) < 1:
            raise ValueError(f"eps must be a number between 0 and 1; got {eps!r}.")
        return None
    grid = np.asarray(alphas, dtype=np.float64)
    if grid.ndim != 1 or not len(grid) or not np.isfinite(grid).all() or (grid < 0).any():
        raise ValueError(f"alphas must be finite numbers >= 0, at least one; got {alphas!r}.")
    return np.sort(grid)[::-1]


def _scorer(estimator: Any, scoring: Any) -> Any:
    if scoring is None:
        return get_loss(estimator.loss).scorer()
    return scoring.scorer() if isinstance(scoring, Loss) else check_scoring(estimator, scoring)


def _scores(estimator, X, y, sample_weight, train, test, alphas, scorer) -> Array:
    """The scores on the test part of the models of the training part, (n_alphas,)."""
    weights = None if sample_weight is None else np.asarray(sample_weight)[train]
    training = Training(estimator, rows_of(X, train), rows_of(y, train), weights)
    held, targets = rows_of(X, test), rows_of(y, test)
    points = models_along(training, alphas, n_alphas=len(alphas), eps=1.0)
    return np.array([float(scorer(model, held, targets)) for model in models(estimator, points, held)])


def _warn(points: list[AtStrength], estimator: Any) -> None:
    failed = [point for point in points if not point.found.converged]
    if failed:
        first = failed[0].found
        warnings.warn(
            f"{len(failed)} of {len(points)} models did not reach tol={estimator.tol}. The first is that of alpha = "
            f"{failed[0].alpha:.3g}: {first.explanation(get_loss(estimator.loss))}",
            ConvergenceWarning,
            stacklevel=level_of_user(),
        )
