"""scikit-learn's checks for every loss with every estimator, and for every kind of penalty; it takes minutes."""

import pytest
from estimators.test_scikit_learn import ALL_CLASSIFIERS, REGRESSORS, passes_all_checks
from sklearn.base import clone

from sklearn_losses import ArcFace, CosineClassifier, LinearRegressor, LogisticRegressor, SoftmaxClassifier, SphereFace

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
