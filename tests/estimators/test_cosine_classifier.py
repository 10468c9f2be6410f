"""The classifier by angles: its minima against other starts and another optimiser, and scikit-learn's conventions."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import check_classifiers_train, check_estimator

from sklearn_losses import (
    AMSoftmax,
    ArcFace,
    CosineClassifier,
    CosineLoss,
    CrossEntropy,
    LinearRegressor,
    SoftmaxClassifier,
    SphereFace,
    check_loss,
)

IRIS, THREE = load_iris(return_X_y=True)
RAW, IRIS = IRIS, scale(IRIS)
WINE, WINES = load_wine(return_X_y=True)
WINE = scale(WINE)
LOSSES = (AMSoftmax(), AMSoftmax(margin=0.2, scale=10.0), ArcFace(), ArcFace(margin=0.2, scale=10.0), SphereFace())

every_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)


def true_score(loss, cosine):
    """Textbook's formula for what the true class's cosine becomes."""
    angle, margin = np.arccos(np.clip(cosine, -1, 1)), loss.margin
    if isinstance(loss, AMSoftmax):
        return cosine - margin
    if isinstance(loss, ArcFace):
        return np.where(angle <= np.pi - margin, np.cos(angle + margin), -np.cos(angle + margin) - 2)
    k = np.minimum(np.floor(angle * margin / np.pi), margin - 1)
    return (-1) ** k * np.cos(margin * angle) - 2 * k


def naive(loss, W, X, y, weights=None):
    cosines = X @ W.T / np.linalg.norm(X, axis=1)[:, None] / np.linalg.norm(W, axis=1)
    length = np.linalg.norm(X, axis=1)[:, None] if isinstance(loss, SphereFace) else loss.scale
    rows = np.arange(len(y))
    cosines[rows, y] = true_score(loss, cosines[rows, y])
    scores = length * cosines
    return np.average(logsumexp(scores, axis=1) - scores[rows, y], weights=weights)


@every_loss
def test_the_value_is_the_textbook_s(loss):
    weights = np.random.RandomState(0).uniform(size=len(THREE))
    model = CosineClassifier(loss).fit(IRIS, THREE, sample_weight=weights)
    assert_allclose(model.objective_value_, naive(loss, model.coef_, IRIS, THREE, weights), rtol=1e-9)
    W = np.random.RandomState(1).normal(size=(3, 4))
    objective = model.objective(IRIS, THREE, weights)
    assert_allclose(objective.value(objective.pack(W)), naive(loss, W, IRIS, THREE, weights), rtol=1e-12)
    assert_allclose(objective.unpack(W.ravel())[0], W / np.linalg.norm(W, axis=1)[:, None])


@every_loss
def test_another_optimiser_on_the_naive_formula_finds_nothing_better(loss):
    model = CosineClassifier(loss).fit(IRIS, THREE)
    assert np.isnan(model.dual_gap_)
    assert_allclose(np.linalg.norm(model.coef_, axis=1), 1.0)
    best = minimize(lambda w: naive(loss, w.reshape(3, 4), IRIS, THREE), model.coef_.ravel(), method="BFGS")
    assert best.fun >= model.objective_value_ * (1 - 1e-6)


def from_elsewhere(loss, X, y, seed):
    model = CosineClassifier(loss, warm_start=True)
    model.classes_ = np.unique(y)
    model.coef_ = np.random.RandomState(seed).normal(size=(len(model.classes_), X.shape[1]))
    return model.fit(X, y).objective_value_


@pytest.mark.parametrize("loss", [AMSoftmax(), SphereFace()], ids=repr)
@pytest.mark.parametrize(("X", "y", "n_starts"), [(IRIS, THREE, 6), (WINE, WINES, 6), (RAW, THREE, 3)])
def test_no_random_start_ends_lower(loss, X, y, n_starts):
    found = CosineClassifier(loss).fit(X, y).objective_value_
    assert found <= 1.001 * min(from_elsewhere(loss, X, y, seed) for seed in range(n_starts))


def test_nor_on_digits():
    X, y = load_digits(return_X_y=True)
    X = scale(X)
    found = CosineClassifier().fit(X, y)
    assert found.objective_value_ <= 1.001 * from_elsewhere(AMSoftmax(), X, y, 0)
    assert found.score(X, y) > 0.95


def test_arcface_leaves_the_valley_of_the_solution_without_a_margin():
    assert CosineClassifier(ArcFace()).fit(IRIS, THREE).objective_value_ < 8.82


def test_without_a_margin_two_losses_are_one():
    one, two = (
        CosineClassifier(loss, tol=1e-9).fit(IRIS, THREE) for loss in (AMSoftmax(0.0, 10.0), ArcFace(0.0, 10.0))
    )
    assert_allclose(one.coef_, two.coef_, rtol=1e-6)


def test_sphereface_without_a_margin_is_the_softmax_of_weights_of_length_one():
    model = CosineClassifier(SphereFace(margin=1)).fit(IRIS, THREE)
    scores = IRIS @ model.coef_.T
    assert_allclose(model.decision_function(IRIS), scores, rtol=1e-9)
    value = CrossEntropy()(THREE, model.predict_proba(IRIS))
    assert_allclose(model.objective_value_, value, rtol=1e-12)


@pytest.mark.parametrize("loss", [AMSoftmax(margin=0.2, scale=10.0), ArcFace(margin=0.2, scale=10.0)], ids=repr)
def test_lengths_of_rows_and_weights_do_not_matter(loss):
    model = CosineClassifier(loss).fit(IRIS, THREE)
    lengths = 10.0 ** np.random.RandomState(0).uniform(-300, 290, size=(len(IRIS), 1))
    other = CosineClassifier(loss).fit(IRIS * lengths, THREE)
    assert_allclose(other.objective_value_, model.objective_value_, rtol=1e-9)
    assert_allclose(other.decision_function(IRIS * lengths), model.decision_function(IRIS), atol=1e-4)
    objective = model.objective(IRIS, THREE)
    assert_allclose(objective.value(model.coef_.ravel() * 1e150), model.objective_value_, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "kind"), list(zip(LOSSES, [sparse.csr_array, sparse.csc_matrix] * 3, strict=False)), ids=repr
)
def test_sparse_rows(loss, kind):
    X = np.where(np.random.RandomState(0).uniform(size=IRIS.shape) < 0.3, 0.0, IRIS)
    X = X[X.any(axis=1)]
    y = np.arange(len(X)) % 3
    theta = np.random.RandomState(1).normal(size=12)
    dense, other = (CosineClassifier(loss).objective(data, y) for data in (X, kind(X)))
    assert_allclose(other.value(theta), dense.value(theta), rtol=1e-12)
    assert_allclose(other.value_and_gradient(theta)[1], dense.value_and_gradient(theta)[1], rtol=1e-8, atol=1e-10)
    v = np.random.RandomState(2).normal(size=12)
    assert_allclose(other.hessian_product(theta, v), dense.hessian_product(theta, v), rtol=1e-6, atol=1e-8)
    model = CosineClassifier(loss).fit(kind(X), y)
    assert_allclose(model.decision_function(kind(X)), model.decision_function(X), rtol=1e-9, atol=1e-9)


def test_rows_of_zeros_have_no_angle():
    X, y = IRIS[::10].copy(), THREE[::10]
    X[[4, 7]] = 0.0
    weights = np.ones(len(y))
    with pytest.warns(UserWarning, match="Row 4 of X has nothing but zeros") as caught:
        model = CosineClassifier(AMSoftmax(0.2, 10.0)).fit(X, y)
    assert len(caught) == 1
    assert_allclose(model.predict_proba(X[[4]]), 1 / 3)
    weights[4] = 0.0
    with pytest.warns(UserWarning, match="Row 7 of X"):
        CosineClassifier(AMSoftmax(0.2, 10.0)).fit(X, y, sample_weight=weights)
    weights[7] = 0.0
    without = CosineClassifier(AMSoftmax(0.2, 10.0)).fit(X, y, sample_weight=weights)
    assert_allclose(model.coef_, without.coef_, atol=1e-6)


@pytest.mark.parametrize("loss", [ArcFace(), ArcFace(0.3, 5.0), AMSoftmax(), SphereFace()], ids=repr)
def test_classes_of_one_direction(loss):
    """ArcFace ends at the tip of a cone there, where no gradient vanishes."""
    X, y = np.repeat(np.eye(3), 4, axis=0), np.repeat(np.arange(3), 4)
    model = CosineClassifier(loss).fit(X, y)
    assert model.score(X, y) == 1.0
    assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize(
    "loss", [SphereFace(margin=1), SphereFace(margin=2), SphereFace(margin=3), SphereFace()], ids=repr
)
def test_rows_far_from_the_origin(loss):
    """All directions are alike there, losses of a class vanish beside those of another, and values are large."""
    random = np.random.RandomState(0)
    X, y = random.normal(loc=100, size=(80, 2)), random.randint(2, size=80)
    together = CosineClassifier(loss).objective(X, y).value(np.ones(4))
    for seed in range(5):
        moved = X * (1 + 1e-12 * np.random.RandomState(seed).normal(size=X.shape))
        assert CosineClassifier(loss).fit(moved, y).objective_value_ <= together


@pytest.mark.parametrize("classes", [2, 3])
def test_shapes_and_predictions(classes):
    X, y = IRIS[classes > THREE], np.array(["a", "b", "c"])[THREE[classes > THREE]]
    model = CosineClassifier(AMSoftmax(0.2, 10.0)).fit(X, y)
    assert model.coef_.shape == (classes, 4)
    scores = model.decision_function(X)
    assert scores.shape == ((len(X),) if classes == 2 else (len(X), 3))
    probabilities = model.predict_proba(X)
    assert_allclose(probabilities.sum(axis=1), 1.0)
    assert_array_equal(model.predict(X), model.classes_[probabilities.argmax(axis=1)])
    assert_allclose(model.predict_log_proba(X), np.log(probabilities), atol=1e-9)
    cosines = X @ model.coef_.T / np.linalg.norm(X, axis=1)[:, None]
    expected = 10.0 * cosines
    assert_allclose(scores, expected[:, 1] - expected[:, 0] if classes == 2 else expected, atol=1e-9)
    assert not hasattr(model, "intercept_")


def test_weights_are_repetition():
    weights = np.random.RandomState(0).randint(0, 3, size=len(THREE))
    repeated = np.repeat(np.arange(len(THREE)), weights)
    loss = AMSoftmax(margin=0.2, scale=10.0)
    one = CosineClassifier(loss).fit(IRIS, THREE, sample_weight=weights)
    two = CosineClassifier(loss).fit(IRIS[repeated], THREE[repeated])
    assert_allclose(one.coef_, two.coef_, rtol=1e-6)
    balanced = CosineClassifier(loss, class_weight={0: 2, 1: 1, 2: 1}).fit(IRIS, THREE)
    weighted = CosineClassifier(loss).fit(IRIS, THREE, sample_weight=np.where(THREE == 0, 2.0, 1.0))
    assert_allclose(balanced.coef_, weighted.coef_, rtol=1e-6)


def test_float32_pickles_pipelines_and_searches():
    narrow = CosineClassifier().fit(IRIS.astype(np.float32), THREE)
    assert narrow.coef_.dtype == np.float32
    again = pickle.loads(pickle.dumps(narrow))
    assert_array_equal(again.predict_proba(IRIS), narrow.predict_proba(IRIS))
    grid = {"cosineclassifier__loss__margin": [0.0, 0.3], "cosineclassifier__loss__scale": [5.0, 10.0]}
    search = GridSearchCV(make_pipeline(StandardScaler(), CosineClassifier(AMSoftmax())), grid, cv=3)
    assert search.fit(RAW, THREE).best_score_ > 0.8
    assert clone(CosineClassifier().set_params(loss__margin=0.1)).loss.margin == 0.1


@pytest.mark.parametrize("solver", ["L-BFGS-B", "trust-ncg", "gradient-descent"])
def test_solvers_by_name(solver):
    loss = AMSoftmax(0.2, 5.0)
    best = CosineClassifier(loss).fit(IRIS, THREE).objective_value_
    found = CosineClassifier(loss, solver=solver, max_iter=5000).fit(IRIS, THREE).objective_value_
    assert_allclose(found, best, rtol=1e-4)


def test_limits_and_warm_starts():
    with pytest.warns(ConvergenceWarning, match="without reaching tol"):
        model = CosineClassifier(max_iter=1, warm_start=True).fit(IRIS, THREE)
    model.set_params(max_iter=1000).fit(IRIS, THREE)
    assert model.set_params(warm_start=True).fit(IRIS, THREE).n_iter_ <= 3


def test_what_does_not_fit_says_where_it_does():
    with pytest.raises(ValueError, match="Use it with CosineClassifier"):
        SoftmaxClassifier("am_softmax").fit(IRIS, THREE)
    with pytest.raises(ValueError, match="Use it with CosineClassifier"):
        LinearRegressor("arcface").fit(IRIS, THREE)
    with pytest.raises(ValueError, match="Use it with SoftmaxClassifier"):
        CosineClassifier("cross_entropy").fit(IRIS, THREE)
    with pytest.raises(ValueError, match="margin acts in training only"):
        AMSoftmax().scorer()(CosineClassifier().fit(IRIS, THREE), IRIS, THREE)
    with pytest.raises(TypeError, match="soft_labels"):
        CosineClassifier().fit(IRIS, THREE, soft_labels=np.eye(3)[THREE])


class Squared(CosineLoss):
    """A margin of a user's."""

    def __init__(self, margin=0.1, scale=10.0):
        self.margin, self.scale = margin, scale

    def moved(self, cosine):
        away, bend = 1 - cosine, np.full_like(cosine, -2 * self.margin)
        return cosine - self.margin * away**2, 1 - bend * away, bend


class Wrong(Squared):
    """Whose derivative is wrong."""

    def moved(self, cosine):
        value, rate, bend = super().moved(cosine)
        return value, 2 * rate, bend


def test_a_margin_of_one_s_own():
    check_loss(Squared())
    with pytest.raises(AssertionError, match="the gradient"):
        check_loss(Wrong())
    plain, own = (CosineClassifier(loss).fit(IRIS, THREE) for loss in (Squared(margin=0.0), AMSoftmax(0.0, 10.0)))
    assert_allclose(plain.objective_value_, own.objective_value_, rtol=1e-6)


class WithoutExcuse(CosineClassifier):
    """Which says that its scores are good."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = False
        return tags


@pytest.mark.parametrize("loss", [AMSoftmax(), SphereFace(margin=2)], ids=repr)
def test_the_checks_of_accuracy_need_no_excuse(loss):
    check_classifiers_train("WithoutExcuse", WithoutExcuse(loss))


@pytest.mark.filterwarnings("ignore:Row .* of X has nothing but zeros")
def test_check_estimator():
    results = check_estimator(CosineClassifier(AMSoftmax(margin=0.2, scale=10.0)), on_skip=None)
    assert {result["check_name"] for result in results if result["status"] != "passed"} <= {"check_array_api_input"}
