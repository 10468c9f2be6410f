"""compare_losses: check everything, draw the folds once, let every loss work on them."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import indexable
from sklearn.utils.validation import check_random_state

from .asked import Asked
from .contenders import Place, read_contenders
from .metadata import Metadata, route
from .metrics import read_scoring
from .parts import RAISE
from .result import LossComparison, put_together
from .running import LossComparer, callbacks_of, without_callbacks
from .splitters import draw, name_of_splitter, read_cv, with_inner_splits


def compare_losses(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    losses: Any,
    cv: Any = 5,
    scoring: Any = None,
    param_grid: Any = None,
    inner_cv: Any = 5,
    groups: Any = None,
    sample_weight: Any = None,
    params: Metadata | None = None,
    error_score: float | str = np.nan,
    n_jobs: int | None = None,
    random_state: Any = None,
) -> LossComparison:
    r"""Compare losses by cross-validation, all on the same folds, each with its own best parameters.

    With ``param_grid`` every fit is preceded by a search inside its own training rows (nested cross-validation), so
    that a loss is judged at the strength that suits it: losses differ in curvature, and at one common ``alpha`` the
    strength would decide and not the loss.

    Parameters
    ----------
    estimator : estimator
        A model of this package, or a pipeline that ends in one. Its ``loss`` is exchanged; it is not changed itself.
    X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        The rows, as the estimator takes them.
    y : array-like of shape (n_samples,)
        Targets.
    losses : list of str or Loss, or dict
        Names and loss objects; a dict gives them other labels than their name or repr.
    cv : int, splitter or iterable of splits, default=5
        The folds, drawn once for all losses. An integer means stratified folds for classifiers, unshuffled unless
        ``random_state`` is given.
    scoring : str, callable, Loss, list or dict of these, default=None
        Metrics; **greater is better for each**. Names of scikit-learn's scorers, scorers, callables
        ``score(estimator, X, y)``, and loss objects, which are reported as minus the loss. None is the estimator's
        ``score``. A metric that a loss cannot answer (log loss for a hinge, which has no probabilities) is nan for that
        loss alone.
    param_grid : dict or list of dict, default=None
        Values for other parameters, as in `sklearn.model_selection.GridSearchCV`. What only some losses take
        (``loss__delta``) is searched for those. The first metric selects, or for a loss that cannot answer it, minus
        the loss itself.
    inner_cv : int, splitter, default=5
        The splits of the inner search. An integer is as for ``cv``, and keeps ``groups`` whole where they are given.
    groups : array-like of shape (n_samples,), default=None
        Groups of rows, for ``cv`` and ``inner_cv``.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows in fits. As in `sklearn.model_selection.cross_validate` metrics are not weighted, except
        as requested through scikit-learn's metadata routing.
    params : dict, default=None
        What else goes to fits, such as ``soft_labels``: to the last step of a pipeline, or where scikit-learn's
        metadata routing says.
    error_score : "raise" or float, default=nan
        The score of a fit that fails; "raise" raises its error instead.
    n_jobs : int, default=None
        How many fits at a time; None is one, or what `joblib.parallel_config` says, and -1 as many as processors.
    random_state : int, RandomState or None, default=None
        Shuffles the folds of integers ``cv`` and ``inner_cv``.

    Returns
    -------
    LossComparison
        Prints itself as a table; see `LossComparison.difference` for intervals and tests.

    Raises
    ------
    ValueError, TypeError
        For losses, names, an estimator or a grid that do not fit together, before the first fit. A fit that fails is
        no error: it is counted and named in the result.

    See Also
    --------
    sklearn.model_selection.cross_validate : One estimator.
    LossComparison : What is returned.

    Notes
    -----
    With ``param_grid``, strengths ``alpha`` of a smooth convex loss share what is prepared of a training part, and are
    solved from the strongest to the weakest, each from what those before foretell; what is not certified by its
    ``dual_gap_`` is fitted by itself. Transformers that the grid does not touch are fitted once for all losses and
    candidates. The chosen candidate is fitted anew, from nothing but the training rows.

    A progress bar: ``estimator.set_callbacks(sklearn.callback.ProgressBar())`` (scikit-learn 1.9).

    References
    ----------
    S. Varma and R. Simon, Bias in error estimation when using cross-validation for model selection,
    *BMC Bioinformatics* 7, 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_losses import LogisticRegressor, compare_losses
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> comparison = compare_losses(
    ...     make_pipeline(StandardScaler(), LogisticRegressor(alpha=0.01)),
    ...     X,
    ...     y,
    ...     losses=["cross_entropy", "squared_error", "hinge"],
    ...     scoring=["accuracy", "neg_log_loss"],
    ... )
    >>> comparison.best("neg_log_loss")
    'cross_entropy'
    """
    if y is None:
        raise ValueError("compare_losses needs targets y: what is a loss to be compared with?")
    place = Place(estimator)
    if callbacks := callbacks_of(estimator):
        place = Place(without_callbacks(estimator))
    X, y, sample_weight, groups = indexable(X, y, sample_weight, groups)
    error_score = _check_error_score(error_score)
    metrics = read_scoring(scoring, place.estimator)
    contenders = read_contenders(place, losses, param_grid, y)

    random_state = _check_seed(random_state)
    classifier = is_classifier(estimator)
    splitter = read_cv(cv, y, classifier=classifier, random_state=random_state)
    inner = read_cv(inner_cv, y, classifier=classifier, random_state=random_state, grouped=groups is not None)
    routed = route(place, metrics, splitter, inner, groups, _merged(sample_weight, params))
    folds = draw(splitter, X, y, routed.split)
    if any(len(contender.candidates) > 1 for contender in contenders):
        folds = [with_inner_splits(fold, inner, X, y, routed.inner_split) for fold in folds]

    comparer = LossComparer(Asked(place, contenders, metrics, X, y, routed, error_score), folds, n_jobs)
    if callbacks:
        comparer.set_callbacks(*callbacks)
    records = comparer.fit(X, y)
    return put_together(records, contenders, metrics, folds, splitter=name_of_splitter(cv, splitter))


def _check_error_score(error_score: Any) -> float | str:
    if error_score == RAISE or (isinstance(error_score, Real)):
        return error_score
    raise ValueError(f"error_score must be 'raise' or the number that a failed fit scores; got {error_score!r}.")


def _check_seed(random_state: Any) -> Any:
    """As it is if it is an integer, so that the folds are those of a splitter with that integer."""
    if random_state is None or isinstance(random_state, Integral):
        return random_state
    return check_random_state(random_state)


def _merged(sample_weight: Any, params: Metadata | None) -> Metadata:
    params = {} if params is None else dict(params)
    if sample_weight is None:
        return params
    if "sample_weight" in params:
        raise ValueError("sample_weight is given twice: as an argument and in params.")
    return params | {"sample_weight": sample_weight}
