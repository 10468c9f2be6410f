"""A classifier by angles: margin softmax on cosines."""

from __future__ import annotations

import copy
import warnings

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..data import rows_of
from ..data.threads import ALONE, Workers
from ..losses import CosineLoss
from ..losses.metric import one_hot
from ..objective import kernels
from ..objective.directions import Directions, WithLengths
from ..objective.objective import Objective
from ..objective.penalties import L2
from . import settings, validation
from .callbacks import with_callbacks
from .caller import level_of_user
from .classifiers import Classifier
from .constructor import naming_unknown_parameters
from .doors import come_in
from .linear_model import Prepared

__all__ = ["CosineClassifier"]

COLLAPSED = 1e-3  # of the longest class's weights


class OnSpheres(Prepared):
    """Rows of length one, and classes that are directions; rows' lengths are in the targets, if the loss wants them."""

    loss: CosineLoss

    def objective(self, estimator, workers: Workers = ALONE) -> Objective:
        rows = rows_of(self.X, self.y, self.weights, self.n_outputs, workers).unit()
        assert rows.lengths is not None
        lengths = rows.lengths.values
        if not lengths.all():
            first = int(np.flatnonzero(self.weights)[np.argmin(lengths)])
            warnings.warn(
                f"Row {first} of X has nothing but zeros: it has no angle with any class, and all its cosines are "
                "taken for 0.",
                UserWarning,
                stacklevel=level_of_user(),
            )
        if self.loss.by_row:
            targets = one_hot(rows.targets_of(slice(None)), self.n_outputs) * lengths[:, None]
            rows = rows.with_targets(targets, rows.weights_of(slice(None)))
        parameters = WithLengths if self.loss.by_class else Directions
        return Objective(
            rows,
            loss=self.loss,
            composition=self.loss.on_scores(self.activation),
            penalty=L2(0.0),
            fit_intercept=False,
            parameters=parameters(rows.n_features, self.n_outputs),
        )

    def start(self, objective, fitted):
        return objective.pack(fitted.coef_)

    def model(self, coef, intercept):
        return {"coef_": coef}


class CosineClassifier(Classifier):
    r"""Linear classifier by the angles between rows and classes, with a margin: AM-Softmax, ArcFace, SphereFace.

    .. math:: F(W) = \frac{\sum_i s_i \, \ell(y_i, c_i)}{\sum_i s_i}, \qquad
              c_{ik} = \frac{w_k \cdot x_i}{\|w_k\| \, \|x_i\|}

    Only the directions of rows and of weights count, so that there is neither an intercept nor a penalty; with
    `LSoftmax` their lengths count too. The margin
    acts in training only: it asks rows to be closer to their class than to be right takes. Because the origin matters,
    centre the columns first (``StandardScaler``). F is not convex: the fit starts from the solution without a margin.

    Parameters
    ----------
    loss : str or CosineLoss, default="am_softmax"
        What to minimise: "am_softmax", "arcface", "sphereface", "l_softmax", or an instance of a loss on cosines.
    class_weight : dict, "balanced" or None, default=None
        As for `SoftmaxClassifier`.
    solver : str or callable, default="auto"
        As for `SoftmaxClassifier`.
    tol : float, default=1e-6
        The fit ends when the next step is expected to lower F by less than ``tol * |F|``.
    max_iter : int, default=1000
        Limit on the solver's iterations.
    warm_start : bool, default=False
        Whether to start from the previous solution when features and classes are the same.
    random_state : int, RandomState or None, default=None
        Seed for the row samples of the solver for large data and, with ArcFace, for some of its starts; None is a
        fixed one.
    verbose : int, default=0
        If positive, print a line an iteration and one at the end.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    coef_ : ndarray of shape (n_classes, n_features)
        The classes' directions, rows of length one (with `LSoftmax` of any length); also for two classes there are two.
    loss_ : Loss
        The loss that was minimised.
    objective_value_ : float
        F at the solution.
    dual_gap_ : float
        nan: for a function that is not convex there is no bound on F minus its minimum.
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
    SoftmaxClassifier : Scores with lengths and an intercept; with the loss `SoftMargin` it has a margin too.

    References
    ----------
    F. Wang, J. Cheng, W. Liu and H. Liu, Additive margin softmax for face verification, *IEEE Signal Processing
    Letters* 25, 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_losses import AMSoftmax, CosineClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> loss = AMSoftmax(margin=0.2, scale=10.0)
    >>> model = make_pipeline(StandardScaler(), CosineClassifier(loss)).fit(X, y)
    >>> bool(model.score(X, y) > 0.85)
    True
    """

    _domains = ("cosines",)
    _instead = "Use it with SoftmaxClassifier."
    _trained_with = "'am_softmax' or 'arcface'"
    _task = OnSpheres

    @naming_unknown_parameters
    def __init__(
        self,
        loss="am_softmax",
        *,
        class_weight=None,
        solver="auto",
        tol=1e-6,
        max_iter=1000,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.loss = loss
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y=None, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix, RowBlocks, dask collection} of shape (n_samples, n_features)
            The rows, in memory or wherever else they may be (:ref:`large_data`); coefficients are float32 for rows of
            float32, and float64 for all other numbers. A row of zeros has no angle: all its cosines are 0, and a
            UserWarning names the first.
        y : array-like of shape (n_samples,), optional
            Class labels; left out where the blocks of X carry them.
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
            Of weights of any length, which it does not depend on.
        """
        return self._objective(X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # a row and its opposite are never of one class: no weight makes a class win everywhere, as a check wants
        tags.classifier_tags.poor_score = True
        return tags

    def _check_parameters(self):
        settings.check_fit_parameters(self)

    def _endless(self, task, objective, theta):
        loss = task.loss
        if not loss.by_class:
            return None
        losses = objective.losses(objective.scores(theta)).gathered()
        if losses.max() < np.log(2.0):  # every row is nearer to its class, with the margin
            return (
                f"{loss} tells all rows apart, so it has no finite solution: coefficients could grow for ever. Use "
                f"SphereFace(margin={loss.margin}), whose weights have length one."
            )
        lengths = np.linalg.norm(objective.unpack(theta)[0], axis=1)
        lost = task.attributes["classes_"][lengths <= COLLAPSED * lengths.max()]
        if not len(lost):
            return None
        return (
            f"{loss} has taken all length from the weights of {len(lost)} of {len(lengths)} classes, the first of "
            f"them {lost[0]}: where no direction is close to all rows of a class its score does best at zero. Use "
            f"SphereFace(margin={loss.margin}), whose weights have length one."
        )

    def _scored(self, X):
        model = copy.copy(self)
        check_is_fitted(model)
        X = validation.check_rows(model, come_in(X, targets=False).X)
        n_rows, n_classes = X.shape[0], len(model.classes_)
        rows = rows_of(X, np.zeros(n_rows, dtype=np.intp), n_outputs=n_classes).unit()
        coef = model.coef_.astype(np.float64)
        cosines = rows.each(kernels.scores, coef, np.zeros(n_classes))[0].gathered()
        assert rows.lengths is not None
        length = model.loss_.scale
        if model.loss_.by_row:
            length = np.minimum(rows.lengths.values, np.finfo(float).max)[:, None]
        scores = length * cosines
        return model, scores[:, 1] - scores[:, 0] if n_classes == 2 else scores
