"""What a loss is: the factor dL/dp of the chain rule, and the metric and scorer that come with it."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..activations import Exp, Identity, Link, Sigmoid, Softmax
from .metric import weighted_mean_loss
from .on_scores import Direct, LossOnScores, ThroughPrediction
from .scorer import LossScorer

Array = NDArray[np.floating]


if TYPE_CHECKING:  # scikit-learn's carries no types, and behind it nobody would see what is asked of a loss

    class BaseEstimator:
        """As scikit-learn's."""

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...

        def set_params(self, **params: Any) -> Any: ...
else:
    from sklearn.base import BaseEstimator


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
        "probabilities", "scores", "values", or several of them; "labels" beside them for what is evaluated only.
    convex : bool or str, default=False
        Whether the loss is convex *in the scores* of the model (not merely in the prediction) through the domain's
        own link: sigmoid or softmax, identity, or the exponential where `link` says so. The name of a domain means
        convex there only. Certificates rest on it.
    convex_through : tuple of types of Link, default=()
        Other links through which it is convex too; through any other link it counts as not convex.
    smooth : bool, default=True
        False where the gradient jumps (hinge, absolute error).
    lower_bound : float or None, default=None
        A number that no value of the loss is below, in the units of the loss; None where there is none, or it is not
        known. The certificate of a fit is never larger than what is left above it. 0.0 for every loss of this package.
    link : {"identity", "log"}
        For losses on values: how scores become predictions. With "log" predictions are positive.
    log_odds : bool, default=False
        For losses on scores: whether these are log-odds, so that a classifier has probabilities all the same.
    curvature : method or None
        ``curvature(y, prediction)``, the elementwise second derivative, of the prediction's shape. Without it fits
        take more passes over the data.
    quadratic : bool, default=False
        Whether the curvature is the same number for every row and prediction, so that fits through the identity take
        fewer passes over the data.
    curvature_product : method or None
        ``curvature_product(y, prediction, direction)``, every row's Hessian in its prediction times a direction of the
        prediction's shape. It has to be given beside `curvature`, which is the Hessian's diagonal, where a loss for K
        classes is not a sum over the columns.
    pieces : method or None
        For losses that are convex and piecewise linear in one score or value: ``pieces(y)`` returns for ``y`` (n,)
        the kinks (n, m), increasing, and the slopes (n, m + 1), not decreasing. With it the fit is exact and
        certified. Errors and margin losses have families whose value and gradient follow from the pieces.
    joint_pieces : method or None
        The same for K scores: ``joint_pieces(target)`` for the right classes (n,) returns the row functions that
        `multiclass_hinge.JointHinge` describes.
    envelope : method or None
        For convex losses of one score or value that are Moreau envelopes of a kink: ``envelope(y)`` returns for ``y``
        (n,), if labels zero or one, the kinks (n,), the slopes on their two sides (n, 2), which may be infinite, and a
        width, so that the loss is the largest ``a (z - kink) - width a^2 / 2`` over slopes a in between. Sparse fits
        take fewer passes with it.
    falls_for_ever : bool, default=False
        For losses on scores: whether the loss falls for ever as a margin grows (exponential) instead of having a
        minimum (hinge), so that separable classes without a penalty have no solution. On probabilities it does.
    forms : tuple of types of LossOnScores
        How the loss is evaluated on scores, the best form first; the first one that suits the link is taken.
    trainable : bool, default=True
        False for losses that are metrics only.
    separable : bool, default=True
        False where the data term of a fit is not the mean of the rows' losses but a function of it, `total`, and
        `inner` is the loss whose mean that is.
    random_starts : int, default=0
        For models that are not linear in their parameters: from how many random places fits start beside the usual
        one, where minima differ.

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
    convex_through: ClassVar[tuple[type[Link], ...]] = ()
    smooth: bool = True
    lower_bound: float | None = None
    link: ClassVar[str] = "identity"
    log_odds: ClassVar[bool] = False
    curvature: Any = None
    quadratic: ClassVar[bool] = False
    curvature_product: Any = None
    pieces: Any = None
    envelope: Any = None
    joint_pieces: Any = None
    falls_for_ever: bool = False
    forms: ClassVar[tuple[type[LossOnScores], ...]] = (Direct, ThroughPrediction)
    trainable: ClassVar[bool] = True
    separable: ClassVar[bool] = True
    random_starts: ClassVar[int] = 0

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

    def total(self, mean: float) -> tuple[float, float, float]:
        """The data term as a function of the weighted mean of the rows' losses, with its two derivatives."""
        return mean, 1.0, 0.0

    def inner(self) -> Loss:
        """The loss whose mean `total` is a function of."""
        return self

    def easier(self) -> Sequence[Loss]:
        """For models that are not linear in their parameters: losses that lead to this one, the easiest first."""
        return ()

    def check_parameters(self) -> None:
        """Raise a ValueError when a parameter of the loss is out of its range."""

    def check_target(self, y: Array) -> None:
        """Raise a ValueError that names the first target (n,) for which the loss is undefined."""

    def targets(self, y: Array) -> Array:
        """What predictions are compared with, of y's shape: y itself unless the loss moves it (label smoothing)."""
        return y

    def own_link(self, domain: str, n_outputs: int = 1) -> Link:
        """The link between a model's scores and one of the loss's domains: another one makes another model."""
        if domain == "probabilities":
            return Sigmoid() if n_outputs == 1 else Softmax()
        return Exp() if domain == "values" and self.link == "log" else Identity()

    def is_own(self, link: Link) -> bool:
        """Whether a link is the own one of all the domains that it shares with the loss."""
        shared = set(link.domains) & set(self.domains)
        return all(type(link) in {type(self.own_link(domain, k)) for k in (1, 2)} for domain in shared)

    def is_convex_through(self, link: Link) -> bool:
        """Whether the loss is convex in the scores of a model with this link."""
        shared = set(link.domains) & set(self.domains)
        declared = self.convex is True or shared == {self.convex}
        return (declared and self.is_own(link)) or type(link) in self.convex_through

    def on_scores(self, link: Link) -> LossOnScores:
        """The loss as a function of scores, through a link, in its best form.

        Parameters
        ----------
        link : Link
            A link of `sklearn_losses.activations` or of your own.

        Returns
        -------
        LossOnScores

        Raises
        ------
        ValueError
            When the loss is not defined on what the link predicts.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_losses import CrossEntropy
        >>> from sklearn_losses.activations import Probit
        >>> loss = CrossEntropy().on_scores(Probit())
        >>> y, scores = np.array([1.0, 0.0]), np.array([-1e100, 0.0])
        >>> value, gradient = loss.value_and_gradient(y, scores)
        >>> print(value, gradient.round(4), loss.convex)
        [5.00000000e+199 6.93147181e-001] [-1.000e+100  7.979e-001] True
        """
        if not set(link.domains) & set(self.domains):
            raise ValueError(
                f"{self} is defined on {' and '.join(self.domains)}; {link} predicts {' or '.join(link.domains)}."
            )
        return next(form(self, link) for form in self.forms if form.suits(self, link))

    @property
    def is_built_in(self) -> bool:
        """Whether the package has it, rather than its user."""
        return type(self).__module__.startswith("sklearn_losses.")

    @property
    def has_probabilities(self) -> bool:
        """Whether a classifier that is trained with it predicts probabilities."""
        return self.log_odds or "probabilities" in self.domains

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
        >>> model = LogisticRegression(max_iter=1000)
        >>> scores = cross_val_score(model, X, y, scoring=SquaredError().scorer())
        >>> print(scores.mean().round(3))
        -0.065
        """
        return LossScorer(self)


def is_real(parameter: object) -> bool:
    """Whether a parameter is a real number; infinities and nan are, and no bool is."""
    return isinstance(parameter, Real) and not isinstance(parameter, bool | np.bool_)
