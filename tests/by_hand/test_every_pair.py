"""scikit-learn's checks for every loss with every estimator, and for every kind of penalty; it takes minutes."""

import pytest
from estimators.test_scikit_learn import ALL_CLASSIFIERS, REGRESSORS, passes_all_checks
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from sklearn_losses import (
    ArcFace,
    CosineClassifier,
    LinearRegressor,
    LogisticRegressor,
    LSoftmax,
    SoftmaxClassifier,
    SphereFace,
)

PENALTIES = [
    {"alpha": 0.01, "l1_ratio": 1.0},
    {"alpha": 0.01, "l1_ratio": 0.5},
    {"alpha": 0.01, "l1_ratio": 0.5, "positive": True},
    {"alpha": 0.01, "positive": True},
    {"alpha": 0.0, "positive": True},
    {"alpha": 0.01, "l1_ratio": 1.0, "grouped": True},
    {"alpha": 0.01, "l1_ratio": 0.5, "grouped": True},
]
ESTIMATORS = [
    *(LinearRegressor(loss) for loss in ("squared_error", "huber", "quantile", "rmse", "poisson")),
    *(LogisticRegressor(loss) for loss in ("cross_entropy", "hinge", "squared_hinge", "brier")),
    *(SoftmaxClassifier(loss) for loss in ("cross_entropy", "hinge", "squared_hinge", "brier")),
]
PENALISED = [
    clone(estimator).set_params(**penalty)
    for estimator in ESTIMATORS
    for penalty in PENALTIES
    if set(penalty) <= set(estimator.get_params())
]


COSINES = [CosineClassifier(loss) for loss in (ArcFace(0.2, 10.0), SphereFace(margin=2))]


@pytest.mark.filterwarnings("ignore:Row .* of X has nothing but zeros")
@pytest.mark.parametrize("estimator", COSINES + ALL_CLASSIFIERS + REGRESSORS + PENALISED, ids=repr)
def test_every_pair(estimator):
    passes_all_checks(estimator)


# the data of these checks have rows in all directions, or are separable: collapses and runaways are what is asked for
@pytest.mark.filterwarnings("ignore:LSoftmax.* (has taken all length|tells all rows apart)")
@pytest.mark.filterwarnings("ignore:Row .* of X has nothing but zeros")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.EstimatorCheckFailedWarning")
def test_l_softmax():
    many = "a class collapses, to one of several minima: which one is decided by the order of sums"
    expected = dict.fromkeys(["check_sample_weight_equivalence_on_dense_data"], many)
    expected |= dict.fromkeys(["check_sample_weight_equivalence_on_sparse_data"], many)
    results = check_estimator(CosineClassifier(LSoftmax()), on_skip=None, expected_failed_checks=expected)
    others = {result["check_name"] for result in results if result["status"] != "passed"} - set(expected)
    assert others <= {"check_array_api_input"}
