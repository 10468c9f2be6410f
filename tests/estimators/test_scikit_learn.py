"""scikit-learn's own checks, with nothing expected to fail: every estimator, every loss.

`check_estimator` runs for the typical ones here; every pair of an estimator and a loss, and more penalties, are in
`tests/by_hand/test_every_pair.py`.
"""

import os
import subprocess
import sys

import cases
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_blobs
from sklearn.metrics import recall_score
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_class_weight_balanced_linear_classifier,
    check_dataframe_column_names_consistency,
    check_estimator,
    check_inplace_ensure_writeable,
)

from sklearn_losses import Hinge, LinearRegressor, LogisticRegressor, PercentageError, SoftmaxClassifier


def one_of_each(losses):
    """The first loss of every class of losses."""
    return list({type(loss): loss for loss in reversed(losses)}.values())


CLASSIFICATION = [case.loss for case in cases.CLASSIFICATION]
REGRESSION = [case.loss for case in cases.REGRESSION]
ALL_CLASSIFIERS = [estimator(loss) for loss in CLASSIFICATION for estimator in (LogisticRegressor, SoftmaxClassifier)]
REGRESSORS = [LinearRegressor(loss) for loss in REGRESSION]
JOINT = ("cross_entropy", "focal", "brier", "squared_hinge", Hinge("crammer-singer"))  # more than several times two
CLASSIFIERS = [*map(LogisticRegressor, one_of_each(CLASSIFICATION)), *map(SoftmaxClassifier, JOINT)]
ESTIMATORS = CLASSIFIERS + [LinearRegressor(loss) for loss in one_of_each(REGRESSION)]
PENALISED = [
    LinearRegressor("huber", alpha=0.3, l1_ratio=0.5, positive=True),
    LogisticRegressor(alpha=0.1, l1_ratio=0.5),
    SoftmaxClassifier(alpha=0.1, l1_ratio=1.0, grouped=True),
]

every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
every_classifier = pytest.mark.parametrize("estimator", CLASSIFIERS, ids=repr)

# scikit-learn runs this one only in a process that was started with SCIPY_ARRAY_API=1
NEEDS_ARRAY_API = "check_array_api_input"


def passes_all_checks(estimator):
    results = check_estimator(estimator, on_skip=None)
    assert len(results) > 50
    assert {found["check_name"] for found in results if found["status"] != "passed"} <= {NEEDS_ARRAY_API}


# one estimator for each way to solve; two more below, in a process of their own; the others are checked by hand
TYPICAL = [
    *map(LogisticRegressor, ("brier", "hinge")),
    *map(SoftmaxClassifier, ("cross_entropy", Hinge("crammer-singer"))),
    *map(LinearRegressor, ("huber", "poisson", "rmse", "mape")),
]


@pytest.mark.parametrize("estimator", TYPICAL + PENALISED, ids=repr)
def test_check_estimator(estimator):
    passes_all_checks(estimator)


def test_check_estimator_with_array_api_dispatch():
    program = (
        "from sklearn.utils.estimator_checks import check_estimator\n"
        "from sklearn_losses import *\n"
        "for estimator in (LinearRegressor(), LogisticRegressor()):\n"
        "    print({found['status'] for found in check_estimator(estimator, on_skip=None)})\n"
    )
    environment = os.environ | {"SCIPY_ARRAY_API": "1"}
    process = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert process.stdout.split("\n") == ["{'passed'}"] * 2 + [""], process.stderr


# What check_estimator runs for scikit-learn's own estimators only.


@every_estimator
def test_column_names(estimator):
    check_dataframe_column_names_consistency(type(estimator).__name__, estimator)


@every_estimator
def test_read_only_data(estimator):
    check_inplace_ensure_writeable(type(estimator).__name__, estimator)


@every_classifier
def test_balanced_weights_equal_written_out_weights(estimator):
    check_class_weight_balanced_linear_classifier(type(estimator).__name__, estimator)


@every_classifier
def test_balanced_weights_help_a_rare_class(estimator):
    X, y = make_blobs(500, centers=[[0, 0], [2, 2]], random_state=5)
    some = (y == 0) | (np.arange(500) % 10 == 0)
    X, y = X[some], y[some]
    plain = clone(estimator).fit(X, y)
    balanced = clone(estimator).set_params(class_weight="balanced").fit(X, y)
    assert recall_score(y, balanced.predict(X)) > recall_score(y, plain.predict(X))


@every_estimator
def test_tags(estimator):
    tags = get_tags(estimator)
    assert tags.input_tags.sparse
    assert not tags.non_deterministic
    if is_classifier(estimator):
        assert tags.classifier_tags.multi_class == isinstance(estimator, SoftmaxClassifier)
    else:
        positive = isinstance(estimator.loss, PercentageError) or estimator.loss.link == "log"
        assert tags.target_tags.positive_only == positive
