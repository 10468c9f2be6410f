"""Losses as metrics and scorers: against scikit-learn's, in every form of input, in every place that takes a scorer."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from cases import CASES, CLASSIFICATION, PROBABILITIES, REGRESSION
from sklearn import metrics
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression, PoissonRegressor, QuantileRegressor, Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_losses import SoftmaxClassifier
from sklearn_losses.losses import (
    AbsoluteError,
    CrossEntropy,
    Focal,
    Gamma,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    PercentageError,
    Poisson,
    Quantile,
    RootMeanSquaredError,
    SquaredError,
    Tweedie,
    ZeroOne,
)

RANDOM = np.random.RandomState(0)
N = 40
WEIGHTS = RANDOM.uniform(0.1, 2.0, N)
LABELS, JOINT_LABELS = np.arange(N) % 2, np.arange(N) % 3
P, JOINT_P = RANDOM.uniform(0.02, 0.98, N), RANDOM.dirichlet(np.ones(3), N)
SCORES, JOINT_SCORES = RANDOM.normal(scale=2.0, size=N), RANDOM.normal(scale=2.0, size=(N, 3))
VALUES, PREDICTED = RANDOM.uniform(0.5, 4.0, N), RANDOM.uniform(0.5, 4.0, N)


# -- scikit-learn's metrics


def half(metric):
    return lambda *args, **kwargs: 0.5 * metric(*args, **kwargs)


def of_labels(*names):
    return lambda y, p, **kwargs: metrics.log_loss(y, p, labels=list(names), **kwargs)


def hinge_of_signs(y, scores, **kwargs):
    return metrics.hinge_loss(2 * y - 1, scores, **kwargs)


def brier(y, p, **kwargs):
    return metrics.brier_score_loss(y, p, scale_by_half=p.ndim == 1, **kwargs)


def errors_of_argmax(y, p, **kwargs):
    return metrics.zero_one_loss(y, p.argmax(axis=1) if p.ndim == 2 else p > 0.5, **kwargs)


SAME = [
    (CrossEntropy(), of_labels(0, 1), LABELS, P),
    (CrossEntropy(), of_labels(0, 1, 2), JOINT_LABELS, JOINT_P),
    (SquaredError(), brier, LABELS, P),
    (SquaredError(), brier, JOINT_LABELS, JOINT_P),
    (Hinge(), hinge_of_signs, LABELS, SCORES),
    (Hinge(multiclass="crammer-singer"), metrics.hinge_loss, JOINT_LABELS, JOINT_SCORES),
    (ZeroOne(), errors_of_argmax, LABELS, P),
    (ZeroOne(), errors_of_argmax, JOINT_LABELS, JOINT_P),
    (ZeroOne(), metrics.zero_one_loss, JOINT_LABELS, LABELS),
    (SquaredError(), metrics.mean_squared_error, VALUES, PREDICTED),
    (AbsoluteError(), metrics.mean_absolute_error, VALUES, PREDICTED),
    (PercentageError(), metrics.mean_absolute_percentage_error, VALUES, PREDICTED),
    (RootMeanSquaredError(), metrics.root_mean_squared_error, VALUES, PREDICTED),
    (Quantile(), metrics.mean_pinball_loss, VALUES, PREDICTED),
    (Poisson(), half(metrics.mean_poisson_deviance), VALUES, PREDICTED),
    (Gamma(), half(metrics.mean_gamma_deviance), VALUES, PREDICTED),
]
for power in (-1.0, 0.0, 1.0, 1.5, 2.0, 3.0):

    def tweedie(y, mean, power=power, **kwargs):
        return 0.5 * metrics.mean_tweedie_deviance(y, mean, power=power, **kwargs)

    SAME.append((Tweedie(power=power), tweedie, VALUES, PREDICTED))
for quantile in (0.1, 0.9):

    def pinball(y, prediction, quantile=quantile, **kwargs):
        return metrics.mean_pinball_loss(y, prediction, alpha=quantile, **kwargs)

    SAME.append((Quantile(quantile=quantile), pinball, VALUES, PREDICTED))


def short(value):
    if isinstance(value, tuple):
        value = value[0]
    return f"{value.ndim}-d" if isinstance(value, np.ndarray) else getattr(value, "__name__", repr(value))


@pytest.mark.parametrize(("loss", "metric", "y", "prediction"), SAME, ids=short)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
def test_scikit_learns_metric(loss, metric, y, prediction, weights):
    found = loss(y, prediction, sample_weight=weights)
    assert isinstance(found, float)
    assert found == pytest.approx(metric(y, prediction, sample_weight=weights), rel=1e-13)


EXPLAINED = [
    (CrossEntropy(), metrics.d2_log_loss_score, JOINT_LABELS, JOINT_P),
    (AbsoluteError(), metrics.d2_absolute_error_score, VALUES, PREDICTED),
    (Quantile(), metrics.d2_pinball_score, VALUES, PREDICTED),
    (SquaredError(), metrics.r2_score, VALUES, PREDICTED),
    (SquaredError(), metrics.d2_tweedie_score, VALUES, PREDICTED),
]


@pytest.mark.parametrize(("loss", "score", "y", "prediction"), EXPLAINED, ids=short)
def test_share_explained(loss, score, y, prediction):
    """scikit-learn's d2 scores are one minus the ratio of a loss to that of the best constant."""
    if prediction.ndim == 2:
        constant = np.tile(np.bincount(y) / len(y), (len(y), 1))
    else:
        robust = isinstance(loss, AbsoluteError | Quantile)
        constant = np.full(len(y), np.median(y) if robust else y.mean())
    assert 1 - loss(y, prediction) / loss(y, constant) == pytest.approx(score(y, prediction), rel=1e-12)


def test_hinge_of_the_documents_is_above_scikit_learns():
    assert Hinge()(JOINT_LABELS, JOINT_SCORES) > metrics.hinge_loss(JOINT_LABELS, JOINT_SCORES)


# -- the documents' table

TRUE = [2, 1, 0]  # pig, dog, cat
MODEL_1 = [[0.3, 0.3, 0.4], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7]]
MODEL_2 = [[0.1, 0.2, 0.7], [0.1, 0.7, 0.2], [0.3, 0.4, 0.3]]
TABLE = [
    (ZeroOne(), 1 / 3, 1 / 3, "0.33", "0.33"),
    (SquaredError(), 0.806667, 0.34, "0.81", "0.34"),
    (CrossEntropy(), 1.378389, 0.639108, "1.38", "0.64"),  # the document prints 0.6392 for the last
]


@pytest.mark.parametrize(("loss", "model_1", "model_2", "print_1", "print_2"), TABLE, ids=short)
def test_cat_dog_pig(loss, model_1, model_2, print_1, print_2):
    for y in (TRUE, np.eye(3)[TRUE]):
        assert loss(y, MODEL_1) == pytest.approx(model_1, abs=1e-6)
        assert loss(y, MODEL_2) == pytest.approx(model_2, abs=1e-6)
    assert (f"{loss(TRUE, MODEL_1):.2f}", f"{loss(TRUE, MODEL_2):.2f}") == (print_1, print_2)


def test_cat_dog_pig_row_by_row():
    np.testing.assert_allclose(-np.log([0.4, 0.4, 0.1]).sum() / 3, CrossEntropy()(TRUE, MODEL_1), rtol=1e-15)
    np.testing.assert_allclose(SquaredError().value(np.eye(3)[TRUE], np.array(MODEL_1)), [0.54, 0.54, 1.34])


# -- forms of input


@pytest.mark.parametrize("case", PROBABILITIES, ids=str)
def test_class_indices_are_one_hot_rows(case):
    expected = case.loss(JOINT_LABELS, JOINT_P, sample_weight=WEIGHTS)
    assert case.loss(np.eye(3)[JOINT_LABELS], JOINT_P, sample_weight=WEIGHTS) == expected
    assert case.loss(JOINT_LABELS.tolist(), JOINT_P.tolist(), sample_weight=WEIGHTS.tolist()) == expected
    assert case.loss(JOINT_LABELS.astype(np.float32), JOINT_P, sample_weight=WEIGHTS) == expected
    assert case.loss(JOINT_LABELS.astype(np.uint8), JOINT_P, sample_weight=WEIGHTS) == expected


@pytest.mark.parametrize("case", CLASSIFICATION, ids=str)
def test_two_columns_are_one(case):
    scores = "scores" in case.domains
    one, two = (SCORES, np.stack([np.zeros(N), SCORES], axis=1)) if scores else (P, np.stack([1 - P, P], axis=1))
    expected = case.loss(LABELS, one)
    for y in (LABELS, LABELS.astype(bool), np.eye(2)[LABELS], LABELS[:, None]):
        for prediction in (one, one[:, None], two, two.tolist()):
            assert case.loss(y, prediction) == pytest.approx(expected, rel=1e-14)
    if scores:
        assert case.loss(LABELS, two + 5.0) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("case", CLASSIFICATION, ids=str)
def test_soft_targets(case):
    """The metric of soft rows is the mean of what the loss says of every row."""
    y = RANDOM.dirichlet(np.ones(3), N)
    prediction = JOINT_SCORES if "scores" in case.domains else JOINT_P
    assert case.loss(y, prediction) == pytest.approx(np.mean(case.loss.value(y, prediction)), rel=1e-14)
    one = SCORES if "scores" in case.domains else P
    assert case.loss(P, one) == pytest.approx(np.mean(case.loss.value(P, one)), rel=1e-14)


@pytest.mark.parametrize("case", REGRESSION, ids=str)
def test_regression_forms(case):
    expected = case.loss(VALUES, PREDICTED, sample_weight=WEIGHTS)
    assert case.loss(VALUES.tolist(), PREDICTED.tolist(), sample_weight=WEIGHTS.tolist()) == expected
    assert case.loss(VALUES[:, None], PREDICTED[:, None], sample_weight=WEIGHTS) == expected


@pytest.mark.parametrize("case", CASES, ids=str)
def test_weights(case):
    """Whole weights repeat rows, zero weights remove them, and only ratios count, however large the weights are."""
    if "scores" in case.domains:
        y, prediction = JOINT_LABELS, JOINT_SCORES
    elif "probabilities" in case.domains:
        y, prediction = JOINT_LABELS, JOINT_P
    else:
        y, prediction = VALUES, PREDICTED
    counts = np.arange(N) % 3
    repeated = case.loss(np.repeat(y, counts), np.repeat(prediction, counts, axis=0))
    for weights in (counts, 1e300 * counts, 1e-310 * counts):
        assert case.loss(y, prediction, sample_weight=weights) == pytest.approx(repeated, rel=1e-12)
    assert case.loss(y, prediction, sample_weight=np.ones(N)) == pytest.approx(case.loss(y, prediction), rel=1e-14)


def test_a_row_of_weight_zero_does_not_count_even_where_the_loss_is_infinite():
    assert CrossEntropy()([1, 1], [0.0, 0.5], sample_weight=[0, 1]) == pytest.approx(np.log(2))
    assert CrossEntropy()([1, 1], [0.0, 0.5]) == np.inf


def test_labels_for_the_classification_error():
    assert ZeroOne()(["cat", "dog", "pig"], ["cat", "dog", "dog"]) == pytest.approx(1 / 3)
    assert ZeroOne()(["cat", "dog"], ["dog", "dog"], sample_weight=[3, 1]) == 0.75
    assert ZeroOne()([0, 5], [5, 5]) == 0.5


def test_perfect_predictions_cost_nothing():
    for loss in (CrossEntropy(), KLDivergence(), Focal(), SquaredError(), AbsoluteError(), ZeroOne()):
        assert loss(JOINT_LABELS, np.eye(3)[JOINT_LABELS]) == 0.0
        assert loss(LABELS, LABELS.astype(float)) == 0.0


# -- bad input

BAD = [
    (CrossEntropy(), [0, 1], [0.5, 1.5], r"defined on probabilities; y_pred has values outside \[0, 1\]"),
    (ZeroOne(), [0, 1], [0.5, 1.5], r"defined on probabilities; y_pred has values outside \[0, 1\]"),
    (CrossEntropy(), [0, 2], [0.5, 0.5], r"y_true must be 0, 1 or a probability of class 1"),
    (Hinge(), [-1, 1], [0.5, 0.5], r"y_true must be 0, 1 or a probability of class 1"),
    (CrossEntropy(), [0, 3], [[0.5, 0.3, 0.2]] * 2, r"class indices from 0 to 2 \(the columns of y_pred\)"),
    (CrossEntropy(), [0, -1], [[0.5, 0.3, 0.2]] * 2, "class indices from 0 to 2"),
    (CrossEntropy(), [0, 0.5], [[0.5, 0.3, 0.2]] * 2, "class indices from 0 to 2"),
    (SquaredError(), [0, 1], [[0.5, 0.3, 0.2], [0.5, 0.6, 0.2]], r"rows of y_pred .* row 1 is \[0.5, 0.6, 0.2\]"),
    (SquaredError(), [0, 1], [[0.5, 0.3, 0.2], [1.1, -0.2, 0.1]], r"rows of y_pred must be non-negative .* row 1"),
    (CrossEntropy(), [[0.5, 0.3, 0.1]], [[0.5, 0.3, 0.2]], "rows of y_true must be non-negative and sum to one; row 0"),
    (CrossEntropy(), [[0.5, 0.4]], [0.5], "rows of y_true must be non-negative and sum to one; row 0"),
    (CrossEntropy(), [[0.5, 0.5]], [[0.5, 0.3, 0.2]], "y_true has 2 columns, but y_pred is about 3 classes"),
    (CrossEntropy(), [[0.5, 0.3, 0.2]], [0.5], "y_true has 3 columns, but y_pred is about 2 classes"),
    (CrossEntropy(), ["cat", "dog"], [0.5, 0.5], r"y_true holds labels that are not numbers.*loss\.scorer\(\)"),
    (SquaredError(), np.array([1, 2], object), [0.5, 0.5], r"integers \[1, 2\] beside probabilities"),
    (AbsoluteError(), pd.Series([-1, 1], dtype=object), [0.5, 0.5], r"integers \[-1, 1\] beside probabilities"),
    (CrossEntropy(), [0, 1, 1], [0.5, 0.5], "inconsistent numbers of samples"),
    (CrossEntropy(), [0, 1], [0.5, np.nan], "y_pred contains NaN"),
    (CrossEntropy(), [np.nan, 1], [0.5, 0.5], "y_true contains NaN"),
    (SquaredError(), [0.0, 1.0], [np.inf, 1.0], "y_pred contains infinity"),
    (Poisson(), [[1.0, 2.0]], [[1.0, 2.0]], r"is a regression loss: y_true and y_pred must both be of shape \(n,\)"),
    (Poisson(), [1.0, 2.0], [1.0, 0.0], r"needs positive predictions; the one of row 1 is 0\.0"),
    (Poisson(), [1.0, -2.0], [1.0, 1.0], r"defined for y >= 0; y\[1\] is -2\.0"),
    (PercentageError(), [1.0, 0.0], [1.0, 1.0], r"y\[1\] is 0\. Drop those rows"),
    (Huber(delta=-1.0), [1.0], [1.0], "delta must be a finite number > 0"),
    (ZeroOne(), ["a", "b"], ["a"], "2 and 1 rows"),
    (CrossEntropy(), np.zeros((1, 1, 1)), [0.5], "dim 3"),
    (CrossEntropy(), [], [], "minimum of 1 is required"),
    (SquaredError(), [1, 2, 2], [0.2, 0.9, 0.8], r"integers \[1, 2\] beside probabilities.*scorer\(\)"),
    (SquaredError(), [1, 2], np.array([[0.2], [0.9]]), r"integers \[1, 2\]"),
    (AbsoluteError(), np.array([-1, 1, 1], dtype=np.int8), [0.2, 0.9, 0.8], r"integers \[-1, 1\]"),
    (Huber(), [[3], [3]], [0.0, 1.0], r"integers \[3\] .*have to be floats"),
    (LogCosh(), [0, 2], np.float32([0.5, 0.5]), r"integers \[0, 2\]"),
]


@pytest.mark.parametrize(("loss", "y", "prediction", "text"), BAD, ids=[f"{b[0]}-{i}" for i, b in enumerate(BAD)])
def test_bad_input(loss, y, prediction, text):
    with pytest.raises(ValueError, match=text):
        loss(y, prediction)


BAD_WEIGHTS = [
    ([1.0, -1.0], "non-negative weight a row"),
    ([0.0, 0.0], "not all zero"),
    ([1.0, np.nan], "sample_weight contains NaN"),
    ([1.0, 1.0, 1.0], r"inconsistent numbers of samples|one non-negative weight a row \(2 of them\)"),
    ([[1.0, 1.0], [1.0, 1.0]], r"one non-negative weight a row \(2 of them\)"),
]


@pytest.mark.parametrize(("weights", "text"), BAD_WEIGHTS, ids=str)
@pytest.mark.parametrize(("loss", "prediction"), [(CrossEntropy(), [0.5, 0.5]), (ZeroOne(), [0, 1])], ids=short)
def test_bad_weights(loss, prediction, weights, text):
    with pytest.raises(ValueError, match=text):
        loss([0, 1], prediction, sample_weight=weights)


# -- scorers

IRIS = load_iris(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def classifier():
    return make_pipeline(StandardScaler(), LogisticRegression())


@pytest.mark.parametrize(
    ("loss", "name", "data"),
    [
        (CrossEntropy(), "neg_log_loss", IRIS),
        (CrossEntropy(), "neg_log_loss", CANCER),
        (SquaredError(), "neg_brier_score", CANCER),
    ],
    ids=short,
)
def test_scores_of_classifiers(loss, name, data):
    found = cross_val_score(classifier(), *data, cv=FOLDS, scoring=loss.scorer())
    np.testing.assert_allclose(found, cross_val_score(classifier(), *data, cv=FOLDS, scoring=name), rtol=1e-12)


def test_scores_of_regressors():
    X, y = DIABETES
    for loss, name, model in (
        (SquaredError(), "neg_mean_squared_error", Ridge()),
        (AbsoluteError(), "neg_mean_absolute_error", Ridge()),
        (PercentageError(), "neg_mean_absolute_percentage_error", Ridge()),
        (RootMeanSquaredError(), "neg_root_mean_squared_error", Ridge()),
    ):
        found = cross_val_score(model, X, y, cv=3, scoring=loss.scorer())
        np.testing.assert_allclose(found, cross_val_score(model, X, y, cv=3, scoring=name), rtol=1e-12)
    deviance = cross_val_score(PoissonRegressor(), X, y, cv=3, scoring=Poisson().scorer())
    expected = cross_val_score(PoissonRegressor(), X, y, cv=3, scoring="neg_mean_poisson_deviance")
    np.testing.assert_allclose(deviance, expected / 2, rtol=1e-12)
    median = QuantileRegressor(alpha=0, solver="highs").fit(X, y)
    assert Quantile().scorer()(median, X, y) == pytest.approx(-0.5 * metrics.mean_absolute_error(y, median.predict(X)))


def test_scores_of_margins_and_labels():
    X, y = CANCER
    model = make_pipeline(StandardScaler(), LinearSVC()).fit(X, y)
    assert Hinge().scorer()(model, X, y) == pytest.approx(-metrics.hinge_loss(y, model.decision_function(X)))
    assert ZeroOne().scorer()(model, X, y) == pytest.approx(model.score(X, y) - 1)
    X, y = IRIS
    model = LinearSVC().fit(X, y)
    found = Hinge(multiclass="crammer-singer").scorer()(model, X, y)
    assert found == pytest.approx(-metrics.hinge_loss(y, model.decision_function(X)))


def test_string_labels():
    X, y = IRIS
    names = np.array(["virginica", "setosa", "versicolor"])[y]  # sorted, they come in another order
    for loss in (CrossEntropy(), SquaredError(), ZeroOne()):
        expected = cross_val_score(classifier(), X, y, cv=FOLDS, scoring=loss.scorer())
        for labels in (names, names.astype(object), names.tolist()):
            found = cross_val_score(classifier(), X, labels, cv=FOLDS, scoring=loss.scorer())
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_fold_without_a_class_can_be_scored():
    X, y = IRIS
    folds = [(np.arange(0, 150, 2), np.arange(1, 40, 2)), (np.arange(1, 150, 2), np.arange(50, 150, 2))]
    scores = cross_val_score(GaussianNB(), X, y, cv=folds, scoring=CrossEntropy().scorer(), error_score="raise")
    assert np.isfinite(scores).all()


def test_a_label_that_was_not_trained_on():
    X, y = IRIS
    names = np.array(["a", "b", "c"])[y]
    text = "y holds the label 'a', which the estimator was not trained on; use stratified folds"
    with pytest.raises(ValueError, match=text):
        cross_val_score(GaussianNB(), X, names, cv=KFold(3), scoring=CrossEntropy().scorer(), error_score="raise")


def test_a_model_without_what_the_loss_needs():
    X, y = IRIS
    svm, bayes = LinearSVC().fit(X, y), GaussianNB().fit(X, y)
    with pytest.raises(AttributeError, match=r"CrossEntropy\(\) .* needs predict_proba, which LinearSVC"):
        CrossEntropy().scorer()(svm, X, y)
    with pytest.raises(AttributeError, match=r"Hinge\(\) .* needs decision_function, which GaussianNB"):
        Hinge().scorer()(bayes, X, y)


def test_grid_search():
    X, y = IRIS
    grid = {"logisticregression__C": [1e-3, 1.0]}
    search = GridSearchCV(classifier(), grid, cv=FOLDS, scoring=SquaredError().scorer()).fit(X, y)
    assert search.best_params_ == {"logisticregression__C": 1.0}
    assert search.score(X, y) == SquaredError().scorer()(search.best_estimator_, X, y)
    assert -0.1 < search.best_score_ < 0
    assert repr(clone(search).scoring) == "LossScorer(SquaredError())"


def test_several_metrics_at_once():
    X, y = IRIS
    scoring = {"cross_entropy": CrossEntropy().scorer(), "error": ZeroOne().scorer(), "accuracy": "accuracy"}
    found = cross_validate(classifier(), X, y, cv=FOLDS, scoring=scoring)
    single = cross_val_score(classifier(), X, y, cv=FOLDS, scoring=CrossEntropy().scorer())
    np.testing.assert_allclose(found["test_cross_entropy"], single, rtol=1e-12)
    np.testing.assert_allclose(found["test_error"], found["test_accuracy"] - 1, atol=1e-15)
    grid = {"loss": ["cross_entropy", "mse"], "alpha": [0.01]}
    search = GridSearchCV(SoftmaxClassifier(tol=1e-3), grid, cv=3, scoring=scoring, refit="cross_entropy").fit(X, y)
    assert search.best_params_["loss"] == "cross_entropy"


def test_metadata_routing():
    X, y = CANCER
    weights = np.random.RandomState(1).uniform(0.0, 3.0, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = CrossEntropy().scorer().set_score_request(sample_weight=True)
        model = LogisticRegression(max_iter=5000, C=1e-3).set_fit_request(sample_weight=True)
        found = cross_validate(model, X, y, cv=FOLDS, scoring=scorer, params={"sample_weight": weights})
        search = GridSearchCV(model, {"C": [1e-3]}, cv=FOLDS, scoring=scorer).fit(X, y, sample_weight=weights)
        plain = CrossEntropy().scorer().set_score_request(sample_weight=False)
        unweighted = cross_validate(model, X, y, cv=FOLDS, scoring=plain, params={"sample_weight": weights})
    for i, (train, test) in enumerate(FOLDS.split(X, y)):
        fitted = clone(model).fit(X[train], y[train], sample_weight=weights[train])
        p = fitted.predict_proba(X[test])
        assert found["test_score"][i] == pytest.approx(-CrossEntropy()(y[test], p, weights[test]), rel=1e-6)
        assert unweighted["test_score"][i] == pytest.approx(-CrossEntropy()(y[test], p), rel=1e-6)
    assert search.best_score_ == pytest.approx(found["test_score"].mean(), rel=1e-6)


def test_metadata_routing_asks_for_a_decision():
    X, y = CANCER
    with sklearn.config_context(enable_metadata_routing=True):
        model = LogisticRegression(max_iter=5000).set_fit_request(sample_weight=True)
        with pytest.raises(UnsetMetadataPassedError, match=r"sample_weight.*LossScorer.*set_score_request"):
            cross_validate(model, X, y, scoring=CrossEntropy().scorer(), params={"sample_weight": np.ones(len(y))})


def test_print():
    assert repr(Focal(gamma=1.0).scorer()) == "LossScorer(Focal(gamma=1.0))"


def test_targets_of_a_regression_may_be_any_numbers():
    for y, prediction in (
        ([1.0, 2.0], [0.5, 1.0]),
        ([1, 2], [0.5, 1.5]),
        ([2, 3], [0, 1]),
        ([0, 4, 7], [0.5, 0.5, 0.5]),
    ):
        assert SquaredError()(y, prediction) == np.mean((np.array(y) - prediction) ** 2)
    X, y = np.arange(6.0)[:, None], np.array([2, 3, 2, 3, 2, 3])
    model = DummyRegressor(strategy="constant", constant=0.5).fit(X, y)
    assert SquaredError().scorer()(model, X, y) == -np.mean((y - 0.5) ** 2)
