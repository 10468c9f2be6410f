"""What a loss is: the factor dL/dp of the chain rule, and the metric and scorer that come with it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from .metric import weighted_mean_loss
from .scorer import LossScorer

Array = NDArray[np.floating]


class Loss(BaseEstimator):
    """Base class of all losses; derive from it to train with a loss of your own.

    A loss knows a target and a prediction, and nothing else: no X, no weights, no mean, no penalty. It declares
    where it is defined and gives its value and its gradient there; the curvature is optional and makes training
    faster. Its parameters are those of ``__init__``, kept under their own names as in every scikit-learn
    estimator, so that it clones, pickles, prints itself and answers ``loss__delta`` in a grid.

    **Shapes**, for every method of every loss:

    ============== ===================== ============================== =================================
    domain         problem               ``y``                          ``prediction``
    ============== ===================== ============================== =================================
    probabilities  two classes           (n,), in [0, 1]                (n,), probability of class 1
    probabilities  K classes             (n, K), one-hot or soft rows   (n, K), probabilities
    scores         two classes           (n,), in [0, 1]                (n,), signed score
    scores         K classes             (n, K), one-hot or soft rows   (n, K), scores
    values         regression            (n,)                           (n,)
    ============== ===================== ============================== =================================

    ``value`` returns (n,), ``gradient`` and ``curvature`` return the prediction's shape. The inputs must not be
    changed, and nothing may be stored on the loss by any of these methods.

    Attributes
    ----------
    domain : str or tuple of str
        "probabilities", "scores", "values", or several of them.
    convex : bool or str, default=False
        Whether the loss is convex *in the scores* of the model (not merely in the prediction); the name of a
        domain means convex there only.
    smooth : bool, default=True
        False where the gradient jumps (hinge, absolute error).
    curvature : method or None
        ``curvature(y, prediction)``, elementwise second derivative. Where a loss for K classes is not a sum over
        the columns, ``curvature_product`` has to be given too.
    pieces : method or None
        For convex losses that are piecewise linear in one score or value: ``pieces(y)`` returns the kinks
        (n, m), increasing, and the slopes (n, m + 1), not decreasing. With it the fit is exact and certified.
    prox, prox_curvature : method or None
        The same for K scores. ``prox(y, scores, step)`` is the proximal operator, row by row;
        ``prox_curvature(y, scores, step)`` returns the indices of the rows where the Jacobian of
        ``scores - prox`` is not zero, and those matrices (m, K, K).
    lower_bound : float or None
        A number that no value of the loss is below, where there is one; 0.0 for every loss of this package. With it
        the bound on F - min F is never above F - lower_bound.
    core : float or None
        For errors that are straight lines far out: half the width of the part that is not, in the units of y. A fit
        in which that is narrow beside the spread of y starts from the absolute error's.
    falls_for_ever : bool, default=False
        For losses on scores: whether the loss falls for ever as a margin grows (exponential) instead of having a
        minimum (hinge), so that separable classes without a penalty have no solution. On probabilities it does.
    link : {"identity", "log"}
        For losses on values: how scores become predictions. With "log" predictions are positive.
    form : {"prediction", "logarithm", "matching"}
        In which form the problem layer evaluates the loss. "prediction": by the chain rule through the
        activation. "logarithm": the loss also has ``log_value``, ``log_gradient`` and ``log_curvature``, which take
        the logarithm of the prediction (two columns of them for two classes), so that no digit of a tiny
        probability is lost. "matching": the loss belongs to its activation, its gradient in the scores is
        ``prediction - targets(y)`` and ``offset(y)`` completes its value.

    Examples
    --------
    The quartic error, for regression and for probabilities:

    >>> from sklearn_losses import Loss
    >>> class QuarticError(Loss):
    ...     domain = ("probabilities", "values")
    ...
    ...     def value(self, y, prediction):
    ...         error = (prediction - y) ** 4
    ...         return error if error.ndim == 1 else error.sum(axis=1)
    ...
    ...     def gradient(self, y, prediction):
    ...         return 4 * (prediction - y) ** 3
    >>> float(QuarticError()([0, 1, 1], [0.5, 0.5, 1.0]))
    0.041666666666666664
    """

    domain: ClassVar[str | tuple[str, ...]] = ()
    convex: bool | str = False
    smooth: bool = True
    core: float | None = None
    falls_for_ever: bool = False
    link: ClassVar[str] = "identity"
    form: ClassVar[str] = "prediction"
    trainable: ClassVar[bool] = True
    separable: ClassVar[bool] = True
    lower_bound: float | None = None
    curvature: Any = None
    pieces: Any = None
    prox: Any = None
    prox_curvature: Any = None

    def value(self, y: Array, prediction: Array) -> Array:
        """The loss of every row.

        Parameters
        ----------
        y : ndarray
            Targets, of the shape that the class states for the domain.
        prediction : ndarray
            Predictions.

        Returns
        -------
        ndarray of shape (n,)
        """
        raise NotImplementedError(f"{type(self).__name__} has to define value(y, prediction).")

    def gradient(self, y: Array, prediction: Array) -> Array:
        """The derivative of every row's loss in its prediction, of the prediction's shape.

        Where the loss has a kink, any subgradient.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define gradient(y, prediction).")

    def curvature_product(self, y: Array, prediction: Array, direction: Array) -> Array:
        """Every row's Hessian in its prediction, times a direction of the prediction's shape."""
        assert self.curvature is not None
        return self.curvature(y, prediction) * direction

    def total(self, mean: float) -> tuple[float, float, float]:
        """The data term as a function of the weighted mean of the values, with its two derivatives.

        It is the mean itself for every loss but the root mean squared error.
        """
        return mean, 1.0, 0.0

    def inner(self) -> Loss:
        """The loss whose mean is transformed: itself where nothing is."""
        return self

    def check_parameters(self) -> None:
        """Raise a ValueError when a parameter of the loss is out of its range."""

    def check_target(self, y: Array) -> None:
        """Raise a ValueError that names the first target for which the loss is undefined."""

    def targets(self, y: Array) -> Array:
        """The targets that the loss compares with: y itself unless the loss moves it (label smoothing)."""
        return y

    def offset(self, y: Array) -> Array | float:
        """What the matching form leaves out of the value because it does not depend on the prediction."""
        return 0.0

    def is_convex_on(self, domain: str) -> bool:
        """Whether the loss is convex in the scores of a model whose predictions live in ``domain``."""
        return self.convex is True or self.convex == domain

    @property
    def domains(self) -> tuple[str, ...]:
        """``domain`` as a tuple."""
        return (self.domain,) if isinstance(self.domain, str) else tuple(self.domain)

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The loss as a metric: its weighted mean over the rows.

        Parameters
        ----------
        y_true : array-like
            Class indices (n,), or one-hot or soft rows (n, K); targets (n,) in regression.
        y_pred : array-like
            For losses on probabilities (n, K), or (n,) for the probability of class 1; for losses on scores
            (n, K), or (n,) for the signed score; predictions (n,) in regression. Two columns are two classes,
            and the loss takes its binary form.
        sample_weight : array-like of shape (n,), optional
            Non-negative weights of the rows.

        Returns
        -------
        float
            Zero is best. Infinite where the loss is (cross-entropy of a class that was called impossible).

        Raises
        ------
        ValueError
            When shapes disagree, probabilities are not probabilities, or a target is outside the loss's range.
        """
        return weighted_mean_loss(self, y_true, y_pred, sample_weight)

    def scorer(self) -> LossScorer:
        """A scikit-learn scorer, minus the loss, for ``scoring=`` in cross-validation and searches.

        Returns
        -------
        LossScorer
            It asks the estimator for what the loss is defined on (``predict_proba``, ``decision_function`` or
            ``predict``) and finds the columns by the estimator's ``classes_``.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.model_selection import cross_val_score
        >>> from sklearn_losses import SquaredError
        >>> X, y = load_iris(return_X_y=True)
        >>> scores = cross_val_score(LogisticRegression(max_iter=1000), X, y, scoring=SquaredError().scorer())
        >>> print(scores.mean().round(3))
        -0.065
        """
        return LossScorer(self)
