"""What the three estimators share: from validated data to an objective, to a fit, to fitted attributes."""

from __future__ import annotations

import copy
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from ..activations import Activation
from ..data.rows import Rows
from ..data.threads import ALONE, Workers, worker_threads
from ..losses import AbsoluteError, CrossEntropy, Loss, get_loss
from ..losses.on_scores import compose
from ..minimise.fit import fit
from ..minimise.task import Problem
from ..objective.objective import Objective
from ..objective.split import has_exact_form, weighted_median
from . import validation
from .callbacks import CALLBACK_FRAMES, CallbackSupportMixin, Progress

FRAMES_TO_USER = 4 + CALLBACK_FRAMES  # from a warning in a fit to the line that called it
NARROW = 0.05  # share of the spread of y below which the core of a loss is narrow
FIXED_SEED = 0  # where random_state is None, so that the same data give the same bits
STARTING_TOLERANCE = 1e-4  # of the solution of another loss to start from


@dataclass
class Task:
    """Validated data and what is to be minimised on it."""

    X: Any
    y: np.ndarray
    weights: np.ndarray
    loss: Loss
    activation: Activation
    domain: str
    n_outputs: int
    attributes: dict  # fitted attributes that are known before the fit

    @property
    def work(self) -> int:
        """Multiplications in one pass over the data."""
        entries = self.X.nnz if sparse.issparse(self.X) else self.X.size
        return 2 * entries * self.n_outputs

    @property
    def convex(self) -> bool:
        return self.loss.is_convex_on(self.domain)

    @property
    def piecewise(self) -> bool:
        """Whether the exact solver of piecewise-linear losses can take it."""
        return self.convex and not self.loss.smooth and has_exact_form(self.loss, self.n_outputs)

    def companion(self) -> Loss | None:
        """A loss to start from: cross-entropy where this one is not convex, absolute error where it is almost that."""
        if self.domain == "probabilities":
            return None if self.convex else CrossEntropy()
        if self.domain == "scores" or self.loss.core is None:
            return None
        distances = np.abs(self.y - weighted_median(self.y, self.weights))
        almost_straight = self.loss.core < NARROW * weighted_median(distances, self.weights)
        return AbsoluteError() if almost_straight else None

    def objective(self, estimator, workers: Workers = ALONE) -> Objective:
        """The objective of an estimator's penalty and intercept; rows of weight zero have no part in it."""
        X, y, weights = self.X, self.y, self.weights
        if not weights.all():
            counts = weights > 0
            X, y, weights = X[counts], y[counts], weights[counts]
        return Objective(
            Rows(X, self.n_outputs, None, workers),
            y,
            weights / weights.sum(),
            loss=self.loss,
            composition=compose(self.loss, self.activation),
            penalty=float(estimator.alpha),
            n_outputs=self.n_outputs,
            fit_intercept=bool(estimator.fit_intercept),
            regression=self.domain == "values",
        )

    def start(self, estimator, objective: Objective) -> np.ndarray:
        """Where a cold fit starts: at zero; in regression with an intercept in the middle of y."""
        theta = np.zeros(objective.n_parameters)
        if self.domain == "values" and estimator.fit_intercept:
            if self.loss.link == "log":
                theta[-1] = np.log(max(np.average(self.y, weights=self.weights), np.finfo(float).tiny))
            else:
                theta[-1] = weighted_median(self.y, self.weights)
        return theta


class LinearModel(CallbackSupportMixin, BaseEstimator):
    """A linear model that minimises a loss; the estimators say what y is and what scores mean."""

    @abstractmethod
    def _prepare(self, X, y, sample_weight, soft_labels) -> Task:
        """Validate the data; write what scikit-learn keeps of X on this object, which `fit` makes a copy for."""

    def _fit(self, X, y, sample_weight=None, soft_labels=None):
        # Validation and the fit work on a copy: whatever fails or is interrupted leaves the old model as it was.
        scratch = copy.copy(self)
        task = scratch._prepare(X, y, sample_weight, soft_labels)

        with worker_threads(task.work) as workers:
            objective = task.objective(self, workers)

            def attributes(theta):
                coef, intercept = objective.unpack(theta)
                dtype = task.X.dtype
                return task.attributes | {
                    "coef_": coef.astype(dtype),
                    "intercept_": np.asarray(intercept, dtype)[()],
                }

            progress = Progress(self, X, y, {"sample_weight": sample_weight, "soft_labels": soft_labels}, attributes)
            problem = Problem(
                objective,
                convex=task.convex,
                piecewise=task.piecewise,
                tol=self.tol,
                max_iter=self.max_iter,
                random_state=FIXED_SEED if self.random_state is None else self.random_state,
                watch=progress.watch,
            )
            with _finite_entries(self, task.X, objective.rows, smooth=task.loss.smooth):
                found = fit(problem, self.solver, self._start(task, objective))
            separable = self.alpha == 0 and task.domain != "values" and is_separated(objective, found.theta)
            progress.finish(found.theta)
        self._warn(found, separable)

        fitted = attributes(found.theta)
        self.__dict__.pop("feature_names_in_", None)
        kept = {name: value for name, value in vars(scratch).items() if name.endswith("_in_")}
        for name, value in (kept | fitted).items():
            setattr(self, name, value)
        self.n_iter_ = max(1, found.n_iter)
        self.objective_value_, self.dual_gap_, self.result_ = found.value, found.gap, found.result
        return self

    def _start(self, task: Task, objective: Objective) -> np.ndarray:
        """The previous solution, that of a companion loss, or zero."""
        if self.warm_start and self._continues(task):
            return objective.pack(self.coef_, self.intercept_)
        start = task.start(self, objective)
        companion = task.companion()
        if companion is None or callable(self.solver) or self.solver == "gradient-descent":
            return start
        first = replace(task, loss=companion)
        problem = Problem(
            first.objective(self, objective.rows.workers),
            convex=first.convex,
            piecewise=first.piecewise,
            tol=max(self.tol, STARTING_TOLERANCE),
            max_iter=self.max_iter,
            random_state=FIXED_SEED if self.random_state is None else self.random_state,
        )
        return fit(problem, "auto", start).theta

    def _continues(self, task: Task) -> bool:
        """Whether there is a model of the same features and classes to start from."""
        if not hasattr(self, "coef_") or np.size(self.coef_) != task.n_outputs * task.X.shape[1]:
            return False
        if "classes_" not in task.attributes:
            return True
        return np.array_equal(self.__dict__.get("classes_", ()), task.attributes["classes_"])

    def _warn(self, found, separable: bool) -> None:
        if separable:
            warnings.warn(
                f"The classes are perfectly separable and alpha is 0, so {type(self).__name__} has no unique finite "
                "solution: the coefficients could grow for ever. Set alpha > 0.",
                ConvergenceWarning,
                stacklevel=FRAMES_TO_USER,
            )
        elif not found.converged:
            warnings.warn(
                f"{type(self).__name__} with {self.solver!r} stopped after {found.n_iter} iterations at objective "
                f"{found.value:.6g} without reaching tol={self.tol}. " + found.explanation(),
                ConvergenceWarning,
                stacklevel=FRAMES_TO_USER,
            )

    def _objective(self, X, y, sample_weight=None, soft_labels=None) -> Objective:
        task = copy.copy(self)._prepare(X, y, sample_weight, soft_labels)
        validation.check_finite(self, task.X)
        return task.objective(self)

    def _scores(self, X) -> np.ndarray:
        """x W' + b, for rows of any size."""
        check_is_fitted(self)
        X = validation.check_rows(self, X)
        coef = np.atleast_2d(self.coef_).T
        with np.errstate(over="ignore", invalid="ignore"):
            scores = X @ coef + self.intercept_
        if not np.isfinite(scores).all():
            scores = _scores_of_huge_rows(X, coef, np.atleast_1d(self.intercept_))
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def _loss_for(self, domains: tuple[str, ...], instead: str) -> tuple[Loss, str]:
        """A copy of the loss, and the domain among those of this estimator that it is defined on."""
        loss = clone(get_loss(self.loss))
        if not loss.trainable:
            raise ValueError(
                f"{loss} cannot be trained: it is constant almost everywhere, so its gradient is zero wherever it "
                f"exists and points nowhere. Train {type(self).__name__} with 'cross_entropy' or 'hinge', and evaluate "
                f"with {loss}."
            )
        for domain in domains:
            if domain in loss.domains:
                return loss, domain
        raise ValueError(
            f"{loss} is defined on {' and '.join(loss.domains)}, which {type(self).__name__} does not predict. "
            f"{instead}"
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


@contextmanager
def _finite_entries(estimator, X, rows: Rows, *, smooth: bool) -> Iterator[None]:
    """Around a fit: a ValueError if X has entries that are not finite.

    Validation leaves a large X to this. It is looked through only if the fit did not come upon a finite gradient, which
    is a sum over all entries.
    """
    # rows of weight zero are not among those of the fit; and where a loss has kinks undefined numbers take long
    if rows.X is not X or not smooth:
        validation.check_finite(estimator, X)
        yield
        return
    try:
        yield
    except Exception:
        validation.check_finite(estimator, X)
        raise
    if not rows.known_finite:
        validation.check_finite(estimator, X)


def is_separated(objective: Objective, theta: np.ndarray) -> bool:
    """Whether every row's true class has the largest score."""
    scores = objective.scores(theta)
    y = objective.y
    if scores.ndim == 1:
        return bool(((scores > 0) == (y > 0.5)).all() and (scores != 0).all())
    true = y if y.ndim == 1 else y.argmax(axis=1)
    others = scores.copy()
    others[np.arange(len(true)), true] = -np.inf
    return bool((scores[np.arange(len(true)), true] > others.max(axis=1)).all())


def _scores_of_huge_rows(X, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """Scores computed from rows divided by their largest entry, so that sums do not overflow; clipped to finite."""
    dense = X.toarray() if sparse.issparse(X) else X
    size = np.maximum(np.abs(dense).max(axis=1, keepdims=True), 1.0)
    limit = np.finfo(dense.dtype).max
    with np.errstate(over="ignore"):
        return np.clip((dense / size @ coef + intercept / size) * size, -limit, limit)
