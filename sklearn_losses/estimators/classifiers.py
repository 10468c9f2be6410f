"""The three estimators: one objective, any loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if

from ..activations import Link
from ..losses import get_loss
from ..objective.objective import Objective
from . import validation
from .callbacks import with_callbacks
from .classes import check_class_weight, check_soft_labels, encode_labels, weighted_classes, with_class_weights
from .constructor import naming_unknown_parameters
from .linear_model import LinearModel, Prepared
from .predictions import also_of_collections

__all__ = ["LogisticRegressor", "SoftmaxClassifier"]

PREDICTED_ROWS = 16_384  # whose probabilities are computed at once, in cache


def _has_probabilities(estimator) -> bool:
    """Whether the loss is defined on probabilities; the AttributeError otherwise says what to do."""
    try:
        loss = get_loss(estimator.loss)
    except (TypeError, ValueError):
        return True  # fit will say what is wrong with it
    if not loss.has_probabilities:
        raise AttributeError(
            f"{loss} acts on scores and has no probabilities. Wrap the estimator into "
            "sklearn.calibration.CalibratedClassifierCV, or train it with a loss on probabilities."
        )
    return True


class Classifier(ClassifierMixin, LinearModel):
    """What all classifiers share: labels, and predictions by scores."""

    _binary_only = False
    _domains: tuple[str, ...] = ("probabilities", "scores")
    _instead = "Use it with LinearRegressor."
    _trained_with = "'cross_entropy' or 'hinge'"
    _task = Prepared

    def _prepare(self, X, y, sample_weight, soft_labels):
        self._check_parameters()
        loss, domain = self._loss_for()
        X, y = validation.check_fit_data(self, X, y, validation.check_labels)
        classes, codes = encode_labels(y)
        target: np.ndarray = codes
        weights = validation.check_weights(sample_weight, len(y))
        check_class_weight(self.class_weight, classes)
        if soft_labels is not None:
            target = check_soft_labels(soft_labels, len(y), classes)
        weights, target = with_class_weights(self.class_weight, classes, weights, target)
        classes, target = weighted_classes(self, classes, weights, target, binary_only=self._binary_only)
        binary = len(classes) == 2 and self._task is Prepared
        if binary:
            target = target.astype(np.float64) if target.ndim == 1 else np.ascontiguousarray(target[:, 1])
        attributes = {"classes_": classes, "loss_": loss}
        n_outputs = 1 if binary else len(classes)
        activation = loss.own_link(domain, n_outputs)
        validation.check_loss_shapes(loss, activation, target[np.flatnonzero(weights)[:3]], n_outputs)
        return self._task(X, target, weights, loss, activation, domain, n_outputs, attributes)

    @also_of_collections
    def decision_function(self, X):
        """Scores of the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, RowBlocks, dask collection} of shape (n_samples, n_features)

        Returns
        -------
        ndarray or dask.array of shape (n_samples,) or (n_samples, n_classes)
            For two classes the signed score, positive for ``classes_[1]``.
        """
        return self._scored(X)[1]

    @also_of_collections
    def predict(self, X):
        """The most probable class of every row.

        Parameters
        ----------
        X : {array-like, sparse matrix, RowBlocks, dask collection} of shape (n_samples, n_features)

        Returns
        -------
        ndarray or dask.array of shape (n_samples,)
        """
        model, scores = self._scored(X)
        most = _link_of(model, scores).most_probable if model.loss_.has_probabilities else _highest
        return np.take(model.classes_, _by_blocks(most, scores, np.empty(len(scores), np.intp)))

    def score(self, X, y=None, sample_weight=None):
        """The share of rows whose class is predicted.

        Parameters
        ----------
        X : {array-like, sparse matrix, RowBlocks} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), optional
            True labels; may be left out where the blocks of X carry them.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows.

        Returns
        -------
        float
        """
        y, prediction, weights = self._to_score(X, y, sample_weight)
        return accuracy_score(y, prediction, sample_weight=weights)

    @available_if(_has_probabilities)
    @also_of_collections
    def predict_proba(self, X):
        """Probabilities of the classes, for losses that are defined on them.

        Parameters
        ----------
        X : {array-like, sparse matrix, RowBlocks, dask collection} of shape (n_samples, n_features)

        Returns
        -------
        ndarray or dask.array of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        model, scores = self._scored(X)
        out = np.empty((len(scores), len(model.classes_)), scores.dtype)
        return _by_blocks(_link_of(model, scores).of_classes, scores, out)

    @available_if(_has_probabilities)
    @also_of_collections
    def predict_log_proba(self, X):
        """Logarithms of the class probabilities, finite also where a probability rounds to zero.

        Parameters
        ----------
        X : {array-like, sparse matrix, RowBlocks, dask collection} of shape (n_samples, n_features)

        Returns
        -------
        ndarray or dask.array of shape (n_samples, n_classes)
        """
        model, scores = self._scored(X)
        link = _link_of(model, scores)
        if link.logarithm is None:
            return np.log(np.maximum(link.of_classes(scores), np.finfo(scores.dtype).tiny))
        return np.ascontiguousarray(link.logarithm.forward(scores))


class LinearClassifier(Classifier):
    """What both classifiers with a penalty share."""

    @with_callbacks
    def fit(self, X, y=None, sample_weight=None, soft_labels=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix, RowBlocks, dask collection} of shape (n_samples, n_features)
            The rows, in memory or wherever else they may be (:ref:`large_data`); coefficients are float32 for rows of
            float32, and float64 for all other numbers.
        y : array-like of shape (n_samples,), optional
            Class labels; left out where the blocks of X carry them.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights of the rows; only their ratios matter.
        soft_labels : array-like of shape (n_samples, n_classes), optional
            Class probabilities to train on instead of the labels, rows of sum one, columns in the order of the
            sorted labels.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            When the data, a weight or a parameter is unusable; the previous model is left as it was.
        """
        return self._fit(X, y, sample_weight, soft_labels)

    def objective(self, X, y=None, sample_weight=None, soft_labels=None) -> Objective:
        """The objective that ``fit`` would minimise on these data, for an optimiser of your own.

        Parameters
        ----------
        X, y, sample_weight, soft_labels
            As in `fit`.

        Returns
        -------
        Objective
        """
        return self._objective(X, y, sample_weight, soft_labels)


def _link_of(model, scores: np.ndarray) -> Link:
    """What makes probabilities of a model's scores."""
    return model.loss_.own_link("probabilities", 1 if scores.ndim == 1 else scores.shape[1])


def _highest(scores: np.ndarray) -> np.ndarray:
    """The number of the class of the highest score."""
    return (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)


def _by_blocks(of_rows: Callable, scores: np.ndarray, out: np.ndarray) -> np.ndarray:
    """What a function makes of the scores, some rows at a time, in ``out``."""
    for start in range(0, len(scores), PREDICTED_ROWS):
        where = slice(start, start + PREDICTED_ROWS)
        out[where] = of_rows(scores[where])
    return out


class LogisticRegressor(LinearClassifier):
    r"""Binary linear classifier with any loss: on the probability of a sigmoid, or on the signed score.

    .. math:: F(w, b) = \frac{\sum_i s_i \, \ell(y_i, \phi(w'x_i + b))}{\sum_i s_i}
        + \alpha \sum_{j} f_j \left(r |w_{j}| + \frac{1 - r}{2} w_{j}^2\right)

    with :math:`r` the ``l1_ratio`` and :math:`f` the ``penalty_factor``: by default half the sum of squares.
    :math:`\phi` is the sigmoid for losses on probabilities and the identity for margin losses. The intercept
    is not penalised. ``LogisticRegression(C=C)`` and ``LinearSVC(C=C)`` minimise the same with
    :math:`\alpha = 1 / (C \sum_i s_i)`. Despite its name it is a classifier.

    Parameters
    ----------
    loss : str or Loss, default="cross_entropy"
        What to minimise: a name or an instance of a loss for classification. Losses that are not convex in the
        scores start from the cross-entropy solution (with solver "auto" or one of SciPy's).
    alpha : float, default=1e-4
        Strength of the penalty, not negative.
    l1_ratio : float, default=0.0
        Share of absolute values in the penalty, from 0 (squares alone) to 1 (absolute values alone, whose weights may
        be exactly zero).
    penalty_factor : array-like of shape (n_features,), default=None
        What every feature's penalty is multiplied by, not negative; zero leaves a feature without one. None is ones.
    positive : bool, default=False
        Whether no weight may be negative. The intercept may.
    fit_intercept : bool, default=True
        Whether to fit b; without it b is zero.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied with those of the rows; of soft labels with every class's share. A class
        that is not named has weight one. "balanced" gives every class the same total.
    solver : str or callable, default="auto"
        "auto" chooses by loss and data; "gradient-descent"; a method name of ``scipy.optimize.minimize``; or a
        callable with SciPy's signature for custom minimisers. The last two kinds run on rescaled and on the
        original parameters respectively.
    tol : float, default=1e-6
        The fit ends when F is within ``tol * |F|`` of its minimum, certified where the problem allows it.
    max_iter : int, default=1000
        Limit on the solver's iterations.
    warm_start : bool, default=False
        Whether to start from the previous solution when features and classes are the same.
    random_state : int, RandomState or None, default=None
        Seed for the row samples of the solver for large data; None is a fixed one. The optimum does not depend on it.
    verbose : int, default=0
        If positive, print a line an iteration and one at the end: the objective, an estimate of F minus its minimum
        and at the end the bound on it, where there is one, and the passes over X and the seconds so far.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels.
    coef_ : ndarray of shape (1, n_features)
        Weights W.
    intercept_ : ndarray of shape (1,)
        Intercept b.
    loss_ : Loss
        The loss that was minimised.
    objective_value_ : float
        F at the solution.
    dual_gap_ : float
        Guaranteed bound on F minus its minimum, in the units of F; nan where there is none (losses that are not
        convex, alpha = 0).
    n_iter_ : int
        Iterations of the solver.
    result_ : scipy.optimize.OptimizeResult
        What the solver returned, with ``n_passes``, the passes over X that the fit took.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X had any.

    See Also
    --------
    SoftmaxClassifier : Two or more classes, jointly.

    References
    ----------
    D. R. Cox, The regression analysis of binary sequences, *Journal of the Royal Statistical Society B* 20, 1958.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn_losses import LogisticRegressor
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LogisticRegressor("brier").fit(X, y)
    >>> model.predict(X[:3])
    array([0, 0, 0])
    >>> bool(LogisticRegressor("hinge").fit(X, y).score(X, y) > 0.97)
    True
    """

    _binary_only = True

    @naming_unknown_parameters
    def __init__(
        self,
        loss="cross_entropy",
        *,
        alpha=1e-4,
        l1_ratio=0.0,
        penalty_factor=None,
        positive=False,
        fit_intercept=True,
        class_weight=None,
        solver="auto",
        tol=1e-6,
        max_iter=1000,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.loss = loss
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.penalty_factor = penalty_factor
        self.positive = positive
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = bool(self.positive)  # where the classes ask for negative weights
        return tags


class SoftmaxClassifier(LinearClassifier):
    r"""Linear classifier for two or more classes, jointly, with any loss: on softmax probabilities, or on scores.

    .. math:: F(W, b) = \frac{\sum_i s_i \, \ell(y_i, \phi(W x_i + b))}{\sum_i s_i}
        + \alpha \sum_{kj} f_j \left(r |w_{kj}| + \frac{1 - r}{2} w_{kj}^2\right)

    with :math:`r` the ``l1_ratio`` and :math:`f` the ``penalty_factor``: by default half the sum of squares.
    :math:`\phi` is the softmax for losses on probabilities and the identity for margin losses. The intercept
    is not penalised. ``LogisticRegression(C=C)`` minimises the same cross-entropy with
    :math:`\alpha = 1 / (C \sum_i s_i)`. With two classes it is the very problem of `LogisticRegressor`.

    Parameters
    ----------
    loss : str or Loss, default="cross_entropy"
        What to minimise: a name or an instance of a loss for classification. Losses that are not convex in the
        scores start from the cross-entropy solution (with solver "auto" or one of SciPy's).
    alpha : float, default=1e-4
        Strength of the penalty, not negative.
    l1_ratio : float, default=0.0
        Share of absolute values in the penalty, from 0 (squares alone) to 1 (absolute values alone, whose weights may
        be exactly zero).
    penalty_factor : array-like of shape (n_features,), default=None
        What every feature's penalty is multiplied by, not negative; zero leaves a feature without one. None is ones.
    grouped : bool, default=False
        Whether the absolute values are replaced by the length of a feature's weights over the classes, which is zero
        for all of them or for none.
    fit_intercept : bool, default=True
        Whether to fit b; without it b is zero.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied with those of the rows; of soft labels with every class's share. A class
        that is not named has weight one. "balanced" gives every class the same total.
    solver : str or callable, default="auto"
        As for `LogisticRegressor`.
    tol : float, default=1e-6
        The fit ends when F is within ``tol * |F|`` of its minimum, certified where the problem allows it.
    max_iter : int, default=1000
        Limit on the solver's iterations.
    warm_start : bool, default=False
        Whether to start from the previous solution when features and classes are the same.
    random_state : int, RandomState or None, default=None
        Seed for the row samples of the solver for large data; None is a fixed one. The optimum does not depend on it.
    verbose : int, default=0
        If positive, print a line an iteration and one at the end: the objective, an estimate of F minus its minimum
        and at the end the bound on it, where there is one, and the passes over X and the seconds so far.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    coef_ : ndarray of shape (n_classes, n_features), or (1, n_features) for two classes
        Weights W.
    intercept_ : ndarray of shape (n_classes,) or (1,)
        Intercepts b; of several classes' the sum is zero.
    loss_ : Loss
        The loss that was minimised.
    objective_value_ : float
        F at the solution.
    dual_gap_ : float
        Guaranteed bound on F minus its minimum, in the units of F; nan where there is none (losses that are not
        convex, alpha = 0).
    n_iter_ : int
        Iterations of the solver.
    result_ : scipy.optimize.OptimizeResult
        What the solver returned, with ``n_passes``, the passes over X that the fit took.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X had any.

    See Also
    --------
    LogisticRegressor : The same for two classes only.

    References
    ----------
    J. S. Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_losses import SoftmaxClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxClassifier().fit(X, y)
    >>> model.coef_.shape, bool(model.dual_gap_ <= 1e-6 * model.objective_value_)
    ((3, 4), True)
    """

    @naming_unknown_parameters
    def __init__(
        self,
        loss="cross_entropy",
        *,
        alpha=1e-4,
        l1_ratio=0.0,
        penalty_factor=None,
        grouped=False,
        fit_intercept=True,
        class_weight=None,
        solver="auto",
        tol=1e-6,
        max_iter=1000,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.loss = loss
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.penalty_factor = penalty_factor
        self.grouped = grouped
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
