"""Rows that are no problem with an objective: two ways to do the same thing, ours and another."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LassoCV, LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold

from sklearn_losses import (
    AMSoftmax,
    ArcFace,
    CosineClassifier,
    LinearRegressor,
    LogisticRegressor,
    SoftmaxClassifier,
    compare_losses,
    regularization_path,
)

from . import data

STRENGTHS = np.logspace(-4, 1, 8)
LOSSES = ("cross_entropy", "squared_hinge", "brier", "hinge", "modified_huber")


@dataclass(frozen=True)
class Race:
    """A line of the table: what both do at a scale of the data, and the share of the other's time that is aimed at.

    ``runners(scale)`` gives ours, the other, and its name: functions without arguments, whose results are numbers to
    be shown beside their times, or nothing.
    """

    title: str
    target: float
    runners: Callable[[float], tuple[Callable[[], Any], Callable[[], Any], str]]


def predict(method):
    def runners(scale):
        X, y = data.classification(int(scale * 500_000), 30)
        ours, other = LogisticRegressor().fit(X[:5000], y[:5000]), LogisticRegression().fit(X[:5000], y[:5000])
        return lambda: getattr(ours, method)(X) is None, lambda: getattr(other, method)(X) is None, "LogisticRegression"

    return runners


def grid(scale):
    """The time of a fit: theirs is five times the strengths of one loss, ours those of five losses."""
    X, y = data.bundled("breast_cancer")
    folds = StratifiedKFold(5)
    ours = GridSearchCV(LogisticRegressor(), {"loss": LOSSES, "alpha": STRENGTHS}, cv=folds, refit=False)
    other = GridSearchCV(
        LogisticRegression(solver="newton-cholesky", tol=1e-4, max_iter=1000),
        {"C": np.repeat(1 / (STRENGTHS * len(y)), len(LOSSES))},
        cv=folds,
        refit=False,
    )
    return lambda: ours.fit(X, y).cv_results_ is None, lambda: other.fit(X, y).cv_results_ is None, "newton-cholesky"


def refit(loss):
    def runners(scale):
        n = int(scale * 20_000)
        X, y = data.classification(n, 50) if loss == "hinge" else data.noisy_line(n, 50)
        model = LogisticRegressor(loss, alpha=1e-4) if loss == "hinge" else LinearRegressor(loss, alpha=1e-4)
        new = np.random.default_rng(0).choice(n, n // 100, replace=False)
        before, old = X.copy(), y.copy()
        before[new], old[new] = X[np.roll(new, 1)], y[np.roll(new, 1)]
        fitted = clone(model).set_params(warm_start=True).fit(before, old)

        # a fit leaves a shallow copy's original as it is
        return (
            lambda: copy.copy(fitted).fit(X, y).objective_value_,
            lambda: clone(model).fit(X, y).objective_value_,
            "cold",
        )

    return runners


def joint_pairs(scale):
    X, y = data.classification(800, 10, n_classes=80)
    ours, other = (
        SoftmaxClassifier(loss, alpha=1 / len(y), fit_intercept=False) for loss in ("hinge", "squared_hinge")
    )
    return lambda: ours.fit(X, y).objective_value_, lambda: other.fit(X, y).objective_value_, "our squared hinge"


def lasso_path(scale):
    X, y = data.sparse_line(int(scale * 10_000), 200)
    folds = list(KFold(5, shuffle=True, random_state=0).split(X))
    alphas = regularization_path(LinearRegressor(l1_ratio=1.0), X, y, n_alphas=100).alphas_

    def ours():
        return regularization_path(LinearRegressor(l1_ratio=1.0), X, y, alphas=alphas, cv=folds).best_alpha_

    def other():
        return 2 * LassoCV(alphas=alphas / 2, cv=folds, tol=1e-6, max_iter=100_000).fit(X, y).alpha_

    return ours, other, "LassoCV, tol=1e-6"


def logistic_path(scale):
    X, y = data.sparse_classes(int(scale * 5_000), 100)
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
    alphas = regularization_path(LogisticRegressor(l1_ratio=1.0), X, y, n_alphas=100).alphas_

    def ours():
        model = LogisticRegressor(l1_ratio=1.0)
        return regularization_path(model, X, y, alphas=alphas, cv=folds, scoring="neg_log_loss").best_alpha_

    def other():
        Cs = 1 / (alphas * 0.8 * len(y))
        settings = {"l1_ratios": [1.0], "solver": "liblinear", "tol": 1e-4, "max_iter": 1000, "intercept_scaling": 10.0}
        model = LogisticRegressionCV(Cs=Cs, cv=folds, scoring="neg_log_loss", use_legacy_attributes=False, **settings)
        return 1 / (0.8 * len(y) * model.fit(X, y).C_)

    return ours, other, "LogisticRegressionCV liblinear"


def margins(name, digits):
    def runners(scale):
        X, y = data.bundled("digits") if digits else data.classification(int(scale * 100_000), 60, n_classes=8)
        ours = CosineClassifier({"am_softmax": AMSoftmax(0.2, 10.0), "arcface": ArcFace(0.2, 10.0)}[name])
        other = SoftmaxClassifier()
        return lambda: ours.fit(X, y).objective_value_, lambda: other.fit(X, y).objective_value_, "our cross-entropy"

    return runners


def strengths(scale):
    """Two losses, so that there is something to compare; the other fits them cold at every second or third strength."""
    X, y = data.classification(int(scale * 20_000), 100)
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
    alphas, losses = np.logspace(-5, 1, 20), ["cross_entropy", "squared_hinge"]

    def ours():
        compare_losses(LogisticRegressor(), X, y, losses=losses, cv=folds, param_grid={"alpha": alphas}, inner_cv=3)

    def other():
        for train, _ in folds:
            for inner, _ in StratifiedKFold(3).split(X[train], y[train]):
                rows = train[inner]
                for loss in losses:
                    for alpha in alphas[:: len(alphas) // 8][:8]:
                        LogisticRegressor(loss, alpha=alpha).fit(X[rows], y[rows])

    return ours, other, "8 cold fits"
