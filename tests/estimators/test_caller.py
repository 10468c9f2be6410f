"""Warnings point at the line of the user, whoever stands in between."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from inspect import currentframe

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier

HAS_CALLBACKS = tuple(map(int, version("scikit-learn").split(".")[:2])) >= (1, 9)
X = np.random.RandomState(0).normal(size=(60, 3))
Y = X[:, 0] + np.random.RandomState(1).normal(size=60)
LABELS = (Y > 0).astype(int)
HASTY = {"max_iter": 1, "tol": 1e-14, "solver": "L-BFGS-B"}


class Silent:
    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass


class Derived(LogisticRegressor):
    def fit(self, X, y):
        return super().fit(X, y)


def files_of(call):
    """The files that the warnings of a call point at."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return {warning.filename for warning in caught if issubclass(warning.category, ConvergenceWarning)}


def of(model):
    hasty = clone(model).set_params(**HASTY)
    y = Y if isinstance(model, LinearRegressor) else LABELS
    return lambda: hasty.fit(X, y)


HASTE = LogisticRegressor(**HASTY)
CALLS = {
    "binary": of(LogisticRegressor()),
    "joint": of(SoftmaxClassifier()),
    "regression": of(LinearRegressor("log_cosh")),
    "fit_predict": lambda: HASTE.fit(X, LABELS).predict(X),
    "separable": lambda: LogisticRegressor(alpha=0).fit(X, X[:, 0] > 0),
    "pipeline": lambda: make_pipeline(StandardScaler(), HASTE).fit(X, LABELS),
    "search": lambda: GridSearchCV(HASTE, {"alpha": [1e-3, 1e-2]}, cv=2).fit(X, LABELS),
    "search over a pipeline": lambda: GridSearchCV(make_pipeline(StandardScaler(), HASTE), {}, cv=2).fit(X, LABELS),
    "cross-validation": lambda: cross_val_score(HASTE, X, LABELS, cv=2),
    "bagging": lambda: BaggingClassifier(HASTE, n_estimators=2).fit(X, LABELS),
    "several outputs": lambda: MultiOutputClassifier(HASTE).fit(X, np.c_[LABELS, LABELS]),
    "selection": lambda: SelectFromModel(HASTE).fit(X, LABELS),
    "joblib": lambda: joblib.Parallel(1)([joblib.delayed(HASTE.fit)(X, LABELS)]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_line_is_in_this_file(call):
    assert files_of(call) == {__file__}


@pytest.mark.parametrize("column", [LABELS[:, None], LABELS[:, None].tolist(), pd.DataFrame({"y": LABELS})])
def test_of_targets_in_a_column(column):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed") as caught:
        make_pipeline(StandardScaler(), LogisticRegressor()).fit(X, column)
    assert [warning.filename for warning in caught] == [__file__]


def test_it_is_the_very_line():
    model = LogisticRegressor(**HASTY)
    with pytest.warns(ConvergenceWarning) as caught:
        line = currentframe().f_lineno + 1
        model.fit(X, LABELS)
    assert [(warning.filename, warning.lineno) for warning in caught] == [(__file__, line)]


def test_with_callbacks():
    model = LogisticRegressor(**HASTY)
    if not HAS_CALLBACKS:
        assert not hasattr(model, "set_callbacks")
    else:
        assert files_of(lambda: clone(model).set_callbacks(Silent()).fit(X, LABELS)) == {__file__}


def test_of_a_class_derived_from_ours():
    assert files_of(lambda: Derived(**HASTY).fit(X, LABELS)) == {__file__}


def test_where_no_line_is_the_users():
    with ThreadPoolExecutor(1) as executor:
        (file,) = files_of(lambda: executor.submit(LogisticRegressor(**HASTY).fit, X, LABELS).result())
    assert file.endswith("thread.py")
