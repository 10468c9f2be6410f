"""The processes of joblib find what one finds: all that needs them is here, since they are slow to start."""

import numpy as np
import pandas as pd
import pytest
from compared import HAS_CALLBACKS, PIPELINE, Listening, X, Y
from losses.test_custom_loss import PowerError
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score

from sklearn_losses import Hinge, Huber, LinearRegressor, LogisticRegressor, SoftmaxClassifier, compare_losses
from sklearn_losses.losses import SquaredError

IRIS, THREE = load_iris(return_X_y=True)
MODELS = {
    "binary": (LogisticRegressor(), X, Y),
    "multiclass": (
        SoftmaxClassifier("hinge", alpha=0.01),
        IRIS,
        np.array(["setosa", "versicolor", "virginica"])[THREE],
    ),
    "regression": (LinearRegressor(Huber(delta=20.0)), *load_diabetes(return_X_y=True)),
    "a loss of one's own": (SoftmaxClassifier(PowerError(power=1.5), alpha=0.01), IRIS, THREE),
}


@pytest.mark.parametrize(("model", "rows", "y"), MODELS.values(), ids=MODELS)
def test_scores_of_folds(model, rows, y):
    one, two = (cross_val_score(model, rows, y, cv=2, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert_array_equal(one, two)


@pytest.mark.parametrize("scoring", [SquaredError().scorer(), PowerError().scorer()], ids=repr)
def test_a_search_by_a_loss(scoring):
    grid = {"loss__power": [1.5, 2.0]}
    model = LogisticRegressor(PowerError(), alpha=0.01)
    one, two = (GridSearchCV(model, grid, cv=2, scoring=scoring, n_jobs=n_jobs).fit(X, Y) for n_jobs in (1, 2))
    assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert two.best_estimator_.loss_.power == two.best_params_["loss__power"]


@pytest.mark.parametrize("n_folds", [1, 2])
def test_parallel_runs_find_the_same(n_folds):
    """With no more workers than folds losses share transformers; with more, every loss is a task of its own."""
    model = clone(PIPELINE)
    if HAS_CALLBACKS:
        model.set_callbacks(listening := Listening())
    options = {
        "losses": ["ce", Hinge(), "mse"],
        "cv": list(StratifiedKFold(2).split(X, Y))[:n_folds],
        "inner_cv": 2,
        "scoring": ["neg_log_loss", "accuracy"],
        "param_grid": {"model__alpha": [0.1, 1e-3]},
    }
    alone, together = (compare_losses(model, X, Y, n_jobs=n_jobs, **options) for n_jobs in (None, 2))
    pd.testing.assert_frame_equal(
        alone.to_frame().drop(columns="fit_time"), together.to_frame().drop(columns="fit_time"), check_exact=True
    )
    assert alone.notes == together.notes
    assert (together.fit_times > 0).all()
    if HAS_CALLBACKS:
        assert listening.events.count("end loss-on-fold") == 2 * 3 * n_folds
