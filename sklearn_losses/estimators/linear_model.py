"""What the three estimators share: from validated data to an objective, to a fit, to fitted attributes."""

from __future__ import annotations

import copy
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from ..activations import Link
from ..certificates.recession import Margins, recession
from ..data import Rows, rows_of
from ..data.dask_collections import is_collection
from ..data.threads import ALONE, Workers, worker_threads
from ..losses import Loss, get_loss
from ..minimise.fit import fit
from ..minimise.task import Found, Task
from ..objective.objective import Objective
from . import settings, validation
from .callbacks import CallbackSupportMixin, Progress
from .caller import level_of_user
from .doors import come_in
from .penalty import penalty_of
from .scoring import scores_of

FIXED_SEED = 0  # where random_state is None, so that the same data give the same bits
NAMED_FEATURES = 3  # at most, in a message
OF_LAST_FIT = ("feature_names_in_", "_known")  # which the next one may not have


@dataclass
class Prepared:
    """Validated data and what is to be minimised on it."""

    X: Any
    y: np.ndarray
    weights: np.ndarray
    loss: Loss
    activation: Link
    domain: str
    n_outputs: int
    attributes: dict  # fitted attributes that are known before the fit

    @property
    def work(self) -> int:
        """Multiplications in one pass over the data."""
        entries = self.X.nnz if sparse.issparse(self.X) else self.X.size
        return 2 * entries * self.n_outputs

    def objective(self, estimator, workers: Workers = ALONE) -> Objective:
        """The objective of an estimator's penalty and intercept; rows of weight zero have no part in it."""
        return Objective(
            rows_of(self.X, self.y, self.weights, self.n_outputs, workers),
            loss=self.loss,
            composition=self.loss.on_scores(self.activation),
            penalty=penalty_of(estimator, self.X.shape[1], self.n_outputs),
            fit_intercept=bool(estimator.fit_intercept),
            regression=self.domain == "values",
        )

    def asked(self, estimator, objective: Objective, **told: Any) -> Task:
        """What an estimator asks for, and what else there is to tell (`Task`)."""
        return Task(
            objective,
            self.activation,
            self.domain,
            tol=estimator.tol,
            max_iter=estimator.max_iter,
            random_state=FIXED_SEED if estimator.random_state is None else estimator.random_state,
            **told,
        )

    def start(self, objective: Objective, fitted: LinearModel) -> np.ndarray:
        """The parameters of a model that has been fitted."""
        return objective.pack(fitted.coef_, fitted.intercept_)

    def model(self, coef: np.ndarray, intercept: np.ndarray) -> dict:
        """The fitted attributes that coefficients and an intercept are."""
        return {"coef_": coef, "intercept_": intercept[()]}


class LinearModel(CallbackSupportMixin, BaseEstimator):
    """A linear model that minimises a loss; the estimators say what y is and what scores mean."""

    _domains: tuple[str, ...]  # on which losses may be defined
    _instead: str  # what to use losses with that are defined on others
    _trained_with: str  # losses to take in the place of one that cannot be trained
    _known: tuple[Any, np.ndarray] | None = None  # rows, and their scores, which somebody has computed already

    @abstractmethod
    def _prepare(self, X, y, sample_weight, soft_labels) -> Prepared:
        """Validate the data; write what scikit-learn keeps of X on this object, which `fit` makes a copy for."""

    def _fit(self, X, y, sample_weight=None, soft_labels=None):
        with come_in(X, y, sample_weight) as given:
            return self._fit_to(given.X, given.y, given.weights, soft_labels)

    def _fit_to(self, X, y, sample_weight, soft_labels):
        # Validation and the fit work on a copy: whatever fails or is interrupted leaves the old model as it was.
        scratch = copy.copy(self)
        task = scratch._prepare(X, y, sample_weight, soft_labels)

        with worker_threads(task.work) as workers:
            objective = task.objective(self, workers)

            attributes = partial(fitted_attributes, scratch, task, objective)
            metadata = {"sample_weight": sample_weight, "soft_labels": soft_labels}
            progress = Progress(self, X, y, metadata, attributes, lambda: objective.n_passes)
            asked = task.asked(
                self,
                objective,
                watch=progress.watch,
                watch_start=progress.watch_start,
                warm=self._previous(task, objective),
            )
            with _finite_entries(self, task.X, objective.rows, smooth=task.loss.smooth):
                found = fit(asked, self.solver)
            self._check_finite(found, task.loss)
            endless = scratch._endless(task, objective, found.theta)
            progress.finish(found)
        self._warn(found, task.loss, endless)

        # A new dictionary, in one step, so that no interrupt leaves half of a model.
        kept = {name: value for name, value in vars(self).items() if name not in OF_LAST_FIT}
        self.__dict__ = kept | attributes(found.theta) | of_fit(found)
        return self

    def _check_parameters(self) -> None:
        """Raise a ValueError that names a parameter out of its range."""
        settings.check_fit_parameters(self)
        settings.check_penalty(self)

    def _endless(self, task: Prepared, objective: Objective, theta: np.ndarray) -> str | None:
        """Why F may have no minimiser, or none that is of use, and what to do."""
        if self.alpha == 0 and objective.penalty.smooth:
            return _why_endless(objective, theta, self)
        if objective.fit_intercept and objective.loss.link == "log" and Margins(objective).can_fall.all():
            return (
                f"y is zero in every row, so {type(self).__name__} has no finite solution: the intercept could fall "
                "for ever. What it predicts is as good as zero."
            )
        return None

    def _previous(self, task: Prepared, objective: Objective) -> np.ndarray | None:
        """The previous solution, if the fit may start from it."""
        return task.start(objective, self) if self.warm_start and self._continues(task) else None

    def _continues(self, task: Prepared) -> bool:
        """Whether there is a model of the same features and classes to start from."""
        if not hasattr(self, "coef_") or np.size(self.coef_) != task.n_outputs * task.X.shape[1]:
            return False
        if "classes_" not in task.attributes:
            return True
        return np.array_equal(self.__dict__.get("classes_", ()), task.attributes["classes_"])

    def _check_finite(self, found, loss: Loss) -> None:
        if not (np.isfinite(found.value) and np.isfinite(found.theta).all()):
            raise ValueError(
                f"{type(self).__name__} with {loss} came upon numbers beyond floats. Rescale X or y, or examine the "
                "loss with sklearn_losses.check_loss."
            )

    def _warn(self, found, loss: Loss, endless: str | None) -> None:
        if endless is not None:
            message = endless
        elif not found.converged:
            message = (
                f"{type(self).__name__} with {self.solver!r} stopped after {found.n_iter} iterations at objective "
                f"{found.value:.6g} without reaching tol={self.tol}. " + found.explanation(loss)
            )
        else:
            return
        warnings.warn(message, ConvergenceWarning, stacklevel=level_of_user())

    def _objective(self, X, y, sample_weight=None, soft_labels=None) -> Objective:
        X, y, sample_weight = come_in(X, y, sample_weight).all
        task = copy.copy(self)._prepare(X, y, sample_weight, soft_labels)
        validation.check_finite(self, task.X)
        return task.objective(self)

    def _prepared(self, X, y, sample_weight=None, soft_labels=None) -> Prepared:
        """The validated data of a fit, and what is minimised on them; this object learns what is to be known of X."""
        X, y, sample_weight = come_in(X, y, sample_weight).all
        return self._prepare(X, y, sample_weight, soft_labels)

    def _to_score(self, X, y, sample_weight) -> tuple:
        """Targets, predictions and weights, in memory; y may come with X."""
        if is_collection(X):
            given = (y, self.predict(X), sample_weight)
            y, prediction, sample_weight = (np.asarray(each) if is_collection(each) else each for each in given)
        else:
            X, y, sample_weight = come_in(X, y, sample_weight).all
            prediction = self.predict(X)
        if y is None:
            raise ValueError(f"{type(self).__name__}.score requires y to be passed, but the target y is None.")
        return y, prediction, sample_weight

    def _scored(self, X):
        """The model as it is now, whatever another thread fits meanwhile, and its scores of rows of any size."""
        model = copy.copy(self)
        check_is_fitted(model)
        if model._known is not None and model._known[0] is X:
            return model, model._known[1]
        coef = np.atleast_2d(model.coef_)
        # an entry that is not finite makes a score so, unless a product library skips its weights, all zero
        X = validation.check_rows(model, come_in(X, targets=False).X, shown_by_scores=bool(coef.any(axis=0).all()))
        scores = scores_of(model, X, coef.T, np.atleast_1d(model.intercept_))
        return model, scores[:, 0] if scores.shape[1] == 1 else scores

    def _knowing(self, X: Any, scores: np.ndarray) -> Self:
        """The same model, which knows its scores of the rows X."""
        model = copy.copy(self)
        model._known = X, scores
        return model

    def _loss_for(self) -> tuple[Loss, str]:
        """A copy of the loss, and the domain among those of this estimator that it is defined on."""
        loss = get_loss(self.loss) if isinstance(self.loss, str) else clone(get_loss(self.loss))
        if not loss.trainable:
            raise ValueError(
                f"{loss} cannot be trained: it is constant almost everywhere, so its gradient is zero wherever it "
                f"exists and points nowhere. Train {type(self).__name__} with {self._trained_with}; {loss} is for "
                "evaluating classifiers."
            )
        validation.check_domains(loss)
        for domain in self._domains:
            if domain in loss.domains:
                return loss, domain
        instead = "Use it with CosineClassifier." if "cosines" in loss.domains else self._instead
        raise ValueError(
            f"{loss} is defined on {' and '.join(loss.domains)}, which {type(self).__name__} does not predict. "
            f"{instead}"
        )

    def set_params(self, **params):
        """Set the parameters of this estimator.

        ``loss__gamma`` sets the loss's gamma, also of a loss that was given by name, which becomes an object.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            When the estimator, or its loss, has no parameter of such a name.
        """
        loss = params.get("loss", self.loss)
        if isinstance(loss, str) and any(name.startswith("loss__") for name in params):
            params["loss"] = get_loss(loss)
        return super().set_params(**params)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def fitted_attributes(validated: LinearModel, task: Prepared, objective: Objective, theta: np.ndarray) -> dict:
    """The fitted attributes that a model needs to predict."""
    coef, intercept = objective.unpack(theta)
    of_input = {name: value for name, value in vars(validated).items() if name.endswith("_in_")}
    dtype = np.float32 if task.X.dtype == np.float32 else np.float64
    coef, intercept = (_narrowed(np.asarray(values), dtype) for values in (coef, intercept))
    return of_input | task.attributes | task.model(coef, intercept)


def of_fit(found: Found) -> dict:
    """The fitted attributes that tell of a fit."""
    return {
        "n_iter_": max(1, found.n_iter),
        "objective_value_": found.value,
        "dual_gap_": found.gap,
        "result_": found.result,
    }


def _narrowed(values: np.ndarray, dtype: type) -> np.ndarray:
    """The values in the precision of X, unless they are beyond its range."""
    largest = np.abs(values).max(initial=0.0)
    limits = np.finfo(dtype)
    return values if largest > limits.max or 0 < largest < limits.smallest_normal else values.astype(dtype)


@contextmanager
def _finite_entries(estimator, X, rows: Rows, *, smooth: bool) -> Iterator[None]:
    """Around a fit: a ValueError if X has entries that are not finite.

    Validation leaves a large X to this. It is looked through only if the fit did not come upon a finite gradient, which
    is a sum over all entries.
    """
    # rows of weight zero are not among those of the fit; and where a loss has kinks undefined numbers take long
    if rows.n_rows != X.shape[0] or not smooth:
        validation.check_finite(estimator, X)
        yield
        return
    try:
        yield
    except Exception:
        with suppress(OSError, RuntimeError):  # of data that cannot be read any more, which the fit has met too
            validation.check_finite(estimator, X)
        raise
    if not rows.meter.known_finite:
        validation.check_finite(estimator, X)


def _why_endless(objective: Objective, theta: np.ndarray, estimator) -> str | None:
    """Why F has no minimiser, and which coefficients run away where that is known; None where it may have one."""
    found = recession(objective, theta)
    if found is None:
        return None
    if found.complete:
        reason = "y is zero in every row" if objective.regression else "The classes are perfectly separable"
        growing = "the coefficients"
    else:
        names = vars(estimator).get("feature_names_in_", range(estimator.n_features_in_))
        runaways = [repr(names[feature]) for feature in found.features[:NAMED_FEATURES]]
        if len(found.features) > NAMED_FEATURES:
            runaways.append(f"{len(found.features) - NAMED_FEATURES} more")
        plural = "s" if len(runaways) > 1 else ""
        features = f"feature{plural} {' and '.join(runaways)}" if runaways else "the intercept"
        kind = (
            "y is zero in every row set apart" if objective.regression else "The classes are quasi-completely separable"
        )
        reason, growing = f"{kind} by {features}", f"the coefficient{plural} of {features}" if runaways else features
    name = type(estimator).__name__
    return (
        f"{reason} and alpha is 0, so {name} has no unique finite solution: {growing} could grow for ever. "
        "Set alpha > 0."
    )
