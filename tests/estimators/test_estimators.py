"""The estimators as citizens of scikit-learn: what they show, and where they can be put."""

import pickle
from importlib.metadata import version

import cases
import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.metrics import accuracy_score, make_scorer, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils import estimator_html_repr

from sklearn_losses import CosineClassifier, CrossEntropy, Huber, LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.losses import NAMES

X, LABELS = load_breast_cancer(return_X_y=True)
X = scale(X)
IRIS, THREE = load_iris(return_X_y=True)
ROWS, Y = load_diabetes(return_X_y=True)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[THREE]

FITTED = {
    "coef_",
    "intercept_",
    "n_features_in_",
    "n_iter_",
    "loss_",
    "objective_value_",
    "dual_gap_",
    "result_",
}
MODELS = {
    "binary": (LogisticRegressor(), X, LABELS),
    "multiclass": (SoftmaxClassifier("hinge", alpha=0.01), IRIS, SPECIES),
    "regression": (LinearRegressor(Huber(delta=20.0)), ROWS, Y),
}
every_model = pytest.mark.parametrize(("model", "rows", "y"), MODELS.values(), ids=MODELS)
classification = pytest.mark.parametrize("case", cases.CLASSIFICATION, ids=str)


def fitted_attributes(model):
    return {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}


# What is fitted


@every_model
def test_fitted_attributes(model, rows, y):
    model = clone(model)
    assert not fitted_attributes(model)
    assert model.fit(rows, y) is model
    assert fitted_attributes(model) == FITTED | ({"classes_"} if is_classifier(model) else set())
    assert isinstance(model.n_iter_, int)
    assert isinstance(model.objective_value_, float)
    assert isinstance(model.dual_gap_, float)
    assert 0 <= model.dual_gap_ <= 1e-6 * model.objective_value_
    assert isinstance(model.result_.n_passes, float)
    assert model.result_.fun == model.objective_value_
    assert model.n_features_in_ == rows.shape[1]


@classification
def test_shapes_of_classifiers(case):
    binary = LogisticRegressor(case.loss, alpha=0.01).fit(X, LABELS)
    joint = SoftmaxClassifier(case.loss, alpha=0.01).fit(IRIS, SPECIES)
    assert (binary.coef_.shape, binary.intercept_.shape) == ((1, 30), (1,))
    assert (joint.coef_.shape, joint.intercept_.shape) == ((3, 4), (3,))
    assert_allclose(joint.intercept_.sum(), 0, atol=1e-8)
    assert binary.decision_function(X).shape == LABELS.shape
    assert joint.decision_function(IRIS).shape == (150, 3)
    assert_array_equal(joint.classes_, ["setosa", "versicolor", "virginica"])
    assert binary.score(X, LABELS) > 0.9
    assert joint.score(IRIS, SPECIES) > 0.8
    assert not np.any([LogisticRegressor(case.loss, fit_intercept=False).fit(X, LABELS).intercept_])


@classification
def test_probabilities_exist_where_the_loss_has_them(case):
    for model, rows, y in ((LogisticRegressor(), X, LABELS), (SoftmaxClassifier(), IRIS, SPECIES)):
        model.set_params(loss=case.loss, alpha=0.01)
        has_them = "probabilities" in case.domains or case.loss.log_odds
        assert hasattr(model, "predict_proba") == hasattr(model, "predict_log_proba") == has_them
        model.fit(rows, y)
        scores = model.decision_function(rows)
        joint = np.column_stack([0 * scores, scores]) if scores.ndim == 1 else scores
        assert_array_equal(model.predict(rows), model.classes_[joint.argmax(axis=1)])
        if has_them:
            assert_allclose(model.predict_proba(rows), softmax(joint, axis=1), rtol=1e-12)
            assert_allclose(model.predict_log_proba(rows), np.log(model.predict_proba(rows)), rtol=1e-9, atol=1e-12)
            assert_array_equal(model.predict(rows), model.classes_[model.predict_proba(rows).argmax(axis=1)])
        else:
            with pytest.raises(AttributeError, match="has no attribute 'predict_proba'") as caught:
                _ = model.predict_proba
            assert "CalibratedClassifierCV" in str(caught.value.__cause__)


@pytest.mark.parametrize("name", NAMES)
def test_names_mean_losses(name):
    loss = NAMES[name]
    if not loss.trainable:
        with pytest.raises(ValueError, match=r"cannot be trained"):
            LogisticRegressor(name).fit(X, LABELS)
    else:
        estimator, rows, y = LogisticRegressor, X, LABELS
        if loss().domains == ("values",):
            estimator, rows, y = LinearRegressor, ROWS, Y
        if loss().domains == ("cosines",):
            for given in (name, loss(margin=1)):
                assert isinstance(CosineClassifier(given).fit(IRIS, SPECIES).loss_, loss)
            return
        by_name, by_object = (estimator(given, alpha=0.01).fit(rows, y) for given in (name, loss()))
        assert_array_equal(by_name.coef_, by_object.coef_)
        assert isinstance(by_name.loss_, loss)
        assert by_name.loss == name


def test_soft_labels_replace_the_labels():
    hard = np.eye(3)[THREE]
    model = SoftmaxClassifier(alpha=0.01, tol=1e-9)
    exact, given = clone(model).fit(IRIS, SPECIES), clone(model).fit(IRIS, SPECIES, soft_labels=hard)
    assert_allclose(given.coef_, exact.coef_, atol=1e-5)
    smooth = SoftmaxClassifier(CrossEntropy(label_smoothing=0.3), alpha=0.01, tol=1e-9).fit(IRIS, SPECIES)
    by_hand = SoftmaxClassifier(alpha=0.01, tol=1e-9).fit(IRIS, SPECIES, soft_labels=0.7 * hard + 0.1)
    assert_allclose(by_hand.coef_, smooth.coef_, atol=1e-5)
    assert by_hand.fit(IRIS, SPECIES, soft_labels=pd.DataFrame(hard)).score(IRIS, SPECIES) > 0.9


@every_model
def test_the_same_fit_twice_is_the_same_to_the_bit(model, rows, y):
    first, second = clone(model).fit(rows, y), clone(model).fit(rows, y)
    assert_array_equal(first.coef_, second.coef_)
    assert_array_equal(first.intercept_, second.intercept_)


# How they look


@every_model
def test_text_and_html(model, rows, y):
    model = clone(model)
    assert repr(clone(LogisticRegressor())) == "LogisticRegressor()"
    before = estimator_html_repr(model)
    assert type(model).__name__ in before
    after = estimator_html_repr(model.fit(rows, y))
    assert "fitted" in after
    if tuple(map(int, version("scikit-learn").split(".")[:2])) >= (1, 9):
        assert "coef_" in after
        assert "dual_gap_" in after
    assert {name for name in dir(model) if hasattr(model, name)} >= fitted_attributes(model)


def test_parameters():
    expected = {
        "loss": "cross_entropy",
        "alpha": 1e-4,
        "l1_ratio": 0.0,
        "penalty_factor": None,
        "fit_intercept": True,
        "class_weight": None,
        "solver": "auto",
        "tol": 1e-6,
        "max_iter": 1000,
        "warm_start": False,
        "random_state": None,
        "verbose": 0,
    }
    assert LogisticRegressor().get_params() == expected | {"positive": False}
    assert SoftmaxClassifier().get_params() == expected | {"grouped": False}
    del expected["class_weight"]
    assert LinearRegressor().get_params() == expected | {"loss": "squared_error", "positive": False}
    assert is_classifier(LogisticRegressor())
    assert is_classifier(SoftmaxClassifier())
    assert is_regressor(LinearRegressor())


@every_model
def test_feature_names(model, rows, y):
    table = pd.DataFrame(rows).add_prefix("x")
    named = clone(model).fit(table, y)
    assert_array_equal(named.feature_names_in_, table.columns)
    assert_allclose(named.coef_, clone(model).fit(rows, y).coef_, rtol=1e-9)
    assert not hasattr(named.fit(rows, y), "feature_names_in_")


@every_model
def test_clone_pickle_and_joblib(model, rows, y, tmp_path):
    model = clone(model).fit(rows, y)
    assert not fitted_attributes(clone(model))
    joblib.dump(model, tmp_path / "model.joblib")
    for copy in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")):
        assert_array_equal(copy.predict(rows), model.predict(rows))
        assert copy.dual_gap_ == model.dual_gap_
        assert repr(copy.loss_) == repr(model.loss_)


# Where they can be put


def test_search_over_losses_and_their_parameters():
    model = make_pipeline(StandardScaler(), LinearRegressor(Huber()))
    grid = [
        {"linearregressor__loss__delta": [1.0, 10.0, 100.0]},
        {"linearregressor__loss": ["squared_error", "absolute_error", Huber(delta=50.0)]},
    ]
    search = GridSearchCV(model, grid, scoring="neg_mean_absolute_error", cv=3).fit(ROWS, Y)
    assert len(set(search.cv_results_["mean_test_score"])) == 6
    losses = {"loss": ["cross_entropy", "brier", "hinge", "focal"], "alpha": [1e-3, 1e-1]}
    search = GridSearchCV(SoftmaxClassifier(), losses, cv=3, refit="accuracy", scoring=["accuracy", "f1_macro"])
    assert search.fit(IRIS, SPECIES).best_score_ > 0.95


def test_inside_other_estimators():
    calibrated = CalibratedClassifierCV(SoftmaxClassifier("hinge", alpha=0.01), cv=3).fit(IRIS, SPECIES)
    assert_allclose(calibrated.predict_proba(IRIS).sum(axis=1), 1)
    assert OneVsRestClassifier(LogisticRegressor("hinge")).fit(IRIS, SPECIES).score(IRIS, SPECIES) > 0.9
    assert SelectFromModel(LogisticRegressor(alpha=0.1)).fit_transform(X, LABELS).shape[1] < 30
    both = [("ce", SoftmaxClassifier()), ("brier", SoftmaxClassifier("brier"))]
    assert VotingClassifier(both, voting="soft").fit(IRIS, SPECIES).score(IRIS, SPECIES) > 0.95
    assert StackingClassifier(both, SoftmaxClassifier()).fit(IRIS, SPECIES).score(IRIS, SPECIES) > 0.95
    assert BaggingClassifier(LogisticRegressor(), 3, random_state=0).fit(X, LABELS).score(X, LABELS) > 0.95
    logarithm = TransformedTargetRegressor(LinearRegressor(), func=np.log, inverse_func=np.exp)
    assert logarithm.fit(ROWS, Y).score(ROWS, Y) > 0.3
    probabilities = cross_val_predict(LogisticRegressor("brier"), X, LABELS, method="predict_proba", cv=3)
    assert probabilities.shape == (569, 2)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def soft_labels():
    return 0.9 * np.eye(3)[THREE] + 0.1 / 3


def test_weights_and_soft_labels_through_cross_validation():
    weights = np.random.RandomState(0).uniform(size=len(THREE))
    params = {"sample_weight": weights, "soft_labels": soft_labels()}
    model = SoftmaxClassifier(alpha=0.01)
    found = cross_validate(model, IRIS, THREE, params=params, return_estimator=True, return_indices=True)
    for model, train in zip(found["estimator"], found["indices"]["train"], strict=True):
        alone = SoftmaxClassifier(alpha=0.01).fit(IRIS[train], THREE[train], weights[train], soft_labels()[train])
        assert_array_equal(model.coef_, alone.coef_)


@pytest.mark.usefixtures("routing")
def test_metadata_routing():
    weights = np.random.RandomState(0).uniform(size=len(THREE))
    metadata = {"sample_weight": weights, "soft_labels": soft_labels()}
    model = SoftmaxClassifier(alpha=0.01).set_fit_request(sample_weight=True, soft_labels=True)
    model = model.set_score_request(sample_weight=True)
    pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
    expected = clone(model).fit(scale(IRIS), THREE, **metadata)
    assert_allclose(pipeline.fit(IRIS, THREE, **metadata)[-1].coef_, expected.coef_, rtol=1e-4)
    scoring = make_scorer(accuracy_score).set_score_request(sample_weight=True)
    scores = cross_validate(pipeline, IRIS, THREE, params=metadata, scoring=scoring)
    assert (scores["test_score"] > 0.75).all()
    search = GridSearchCV(pipeline, {"softmaxclassifier__loss": ["ce", "brier"]}, cv=3, scoring=scoring)
    assert search.fit(IRIS, THREE, **metadata).best_score_ > 0.8
    regressor = LinearRegressor().set_fit_request(sample_weight=True)
    scoring = make_scorer(r2_score).set_score_request(sample_weight=True)
    params = {"sample_weight": np.arange(1.0, len(Y) + 1)}
    scores = cross_validate(regressor, ROWS, Y, params=params, scoring=scoring, error_score="raise")
    assert np.isfinite(scores["test_score"]).all()


@pytest.mark.usefixtures("routing")
def test_metadata_that_nobody_requested():
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="soft_labels"):
        cross_validate(SoftmaxClassifier(), IRIS, THREE, params={"soft_labels": soft_labels()}, error_score="raise")


@every_model
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array, pd.DataFrame, list])
def test_predicting_from_any_container(model, rows, y, container):
    model = clone(model).fit(rows, y)
    some = container(rows[:20].tolist() if container is list else rows[:20])
    if is_classifier(model):
        assert_array_equal(model.predict(some), model.predict(rows)[:20])
    else:
        assert_allclose(model.predict(some), model.predict(rows)[:20], rtol=1e-12)
