"""Linear regression with any loss."""

from __future__ import annotations

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from ..losses import get_loss
from ..objective.objective import Objective
from . import validation
from .callbacks import with_callbacks
from .constructor import naming_unknown_parameters
from .linear_model import LinearModel, Prepared
from .predictions import also_of_collections

__all__ = ["LinearRegressor"]


def _is_for_any_target(loss) -> bool:
    """Whether zero and negative targets make sense: the loss is defined there and predictions get there."""
    try:
        loss = get_loss(loss)
        loss.check_target(np.array([0.0, -1.0]))
    except (TypeError, ValueError):
        return False
    return loss.link == "identity"


class LinearRegressor(RegressorMixin, LinearModel):
    r"""Linear regression with any loss: least squares, robust, quantile, relative, or a GLM with log link.

    .. math:: F(w, b) = \frac{\sum_i s_i \, \ell(y_i, \phi(w'x_i + b))}{\sum_i s_i}
        + \alpha \sum_j f_j \left(r |w_j| + \frac{1 - r}{2} w_j^2\right)

    with :math:`r` the ``l1_ratio`` and :math:`f` the ``penalty_factor``: by default half the sum of squares.
    :math:`\phi` is the exponential for Poisson, Gamma and Tweedie, and the identity otherwise. The intercept is
    not penalised. ``Ridge(alpha=a)`` minimises the same squared error with :math:`\alpha = 2a / \sum_i s_i`;
    ``PoissonRegressor(alpha=a)`` and its kin the same deviances with :math:`\alpha = a`.

    Parameters
    ----------
    loss : str or Loss, default="squared_error"
        What to minimise: a name or an instance of a loss for regression.
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
    solver : str or callable, default="auto"
        As for `LogisticRegressor`.
    tol : float, default=1e-6
        The fit ends when F is within ``tol * |F|`` of its minimum, certified where the problem allows it.
    max_iter : int, default=1000
        Limit on the solver's iterations.
    warm_start : bool, default=False
        Whether to start from the previous solution when the features are the same.
    random_state : int, RandomState or None, default=None
        Seed for the row samples of the solver for large data; None is a fixed one. The optimum does not depend on it.
    verbose : int, default=0
        If positive, print a line an iteration and one at the end: the objective, an estimate of F minus its minimum
        and at the end the bound on it, where there is one, and the passes over X and the seconds so far.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Weights w.
    intercept_ : float
        Intercept b.
    loss_ : Loss
        The loss that was minimised.
    objective_value_ : float
        F at the solution.
    dual_gap_ : float
        Guaranteed bound on F minus its minimum, in the units of F; nan where there is none.
    n_iter_ : int
        Iterations of the solver.
    result_ : scipy.optimize.OptimizeResult
        What the solver returned, with ``n_passes``, the passes over X that the fit took.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where X had any.

    References
    ----------
    R. Koenker, *Quantile Regression*. Cambridge University Press, 2005. P. J. Huber and E. M. Ronchetti, *Robust
    Statistics*, second edition. Wiley, 2009. P. McCullagh and J. A. Nelder, *Generalized Linear Models*, 1989.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_losses import LinearRegressor, Quantile
    >>> X, y = load_diabetes(return_X_y=True)
    >>> upper = LinearRegressor(Quantile(0.9), alpha=0).fit(X, y)
    >>> print(round((y < upper.predict(X)).mean(), 1))
    0.9
    """

    _domains = ("values",)
    _instead = "Use it with LogisticRegressor or SoftmaxClassifier."
    _trained_with = "'squared_error' or 'absolute_error'"

    @naming_unknown_parameters
    def __init__(
        self,
        loss="squared_error",
        *,
        alpha=1e-4,
        l1_ratio=0.0,
        penalty_factor=None,
        positive=False,
        fit_intercept=True,
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
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = not _is_for_any_target(self.loss)
        return tags

    @with_callbacks
    def fit(self, X, y=None, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix, RowBlocks, dask collection} of shape (n_samples, n_features)
            The rows, in memory or wherever else they may be (:ref:`large_data`); coefficients are float32 for rows of
            float32, and float64 for all other numbers.
        y : array-like of shape (n_samples,), optional
            Targets; left out where the blocks of X carry them.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights of the rows; only their ratios matter.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            When the data, a weight or a parameter is unusable; the previous model is left as it was.
        """
        return self._fit(X, y, sample_weight)

    def objective(self, X, y=None, sample_weight=None) -> Objective:
        """The objective that ``fit`` would minimise on these data, for an optimiser of your own.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        Objective
        """
        return self._objective(X, y, sample_weight)

    def _prepare(self, X, y, sample_weight, soft_labels):
        self._check_parameters()
        loss, domain = self._loss_for()
        X, y = validation.check_fit_data(self, X, y, validation.check_targets)
        weights = validation.check_weights(sample_weight, len(y))
        used = weights > 0
        validation.check_size(y, used, squared=loss.link == "identity")
        loss.check_target(np.where(used, y, y[used.argmax()]))
        activation = loss.own_link("values")
        validation.check_loss_shapes(loss, activation, y[np.flatnonzero(used)[:3]], 1)
        return Prepared(X, y, weights, loss, activation, domain, 1, {"loss_": loss})

    @also_of_collections
    def predict(self, X):
        """Predictions, on the scale of y.

        Parameters
        ----------
        X : {array-like, sparse matrix, RowBlocks, dask collection} of shape (n_samples, n_features)

        Returns
        -------
        ndarray or dask.array of shape (n_samples,)
        """
        model, scores = self._scored(X)
        return model.loss_.own_link("values").forward(scores)

    def score(self, X, y=None, sample_weight=None):
        """R squared: the share of the variance of y that is predicted.

        Parameters
        ----------
        X : {array-like, sparse matrix, RowBlocks} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), optional
            True values; may be left out where the blocks of X carry them.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows.

        Returns
        -------
        float
        """
        y, prediction, weights = self._to_score(X, y, sample_weight)
        return r2_score(y, prediction, sample_weight=weights)
