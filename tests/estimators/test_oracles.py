"""Other libraries, and brute force, minimise the same classification objectives."""

import warnings
from functools import cache, partial

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils import compute_class_weight

from sklearn_losses import Focal, GeneralizedCrossEntropy, Hinge, LogisticRegressor, SoftmaxClassifier

LOADERS = {"breast_cancer": load_breast_cancer, "digits": load_digits, "iris": load_iris, "wine": load_wine}
CLASSIFICATION = [case.loss for case in cases.CLASSIFICATION]
every_loss = pytest.mark.parametrize("loss", CLASSIFICATION, ids=repr)


@cache
def data(name, standardised=True):
    X, y = LOADERS[name](return_X_y=True)
    return (StandardScaler().fit_transform(X) if standardised else X), y


def ours(y, loss="cross_entropy", **parameters):
    parameters = {"tol": 1e-10} | parameters
    return (LogisticRegressor if len(np.unique(y)) == 2 else SoftmaxClassifier)(loss, **parameters)


def oracle(C=1.0, **parameters):
    return LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12, max_iter=1000, **parameters)


def assert_same_model(model, other, atol=1e-6):
    intercept = np.broadcast_to(other.intercept_, model.intercept_.shape)
    if len(intercept) > 1:  # a common shift of all classes changes nothing; ours sum to zero
        intercept = intercept - intercept.mean()
    assert_allclose(model.coef_, other.coef_, rtol=1e-6, atol=atol)
    assert_allclose(model.intercept_, intercept, rtol=1e-6, atol=atol)


def value(model, X, y, coef, intercept, **options):
    objective = model.objective(X, y, **options)
    return objective.value(objective.pack(coef, intercept))


# Cross-entropy: scikit-learn's LogisticRegression


@pytest.mark.parametrize("C", [0.05, 1.0])
@pytest.mark.parametrize("standardised", [True, False], ids=["standardised", "raw"])
@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine"])
def test_cross_entropy(name, standardised, C):
    X, y = data(name, standardised)
    model = ours(y, alpha=1 / (C * len(y))).fit(X, y)
    assert_same_model(model, oracle(C).fit(X, y))
    assert model.dual_gap_ <= 1e-10 * model.objective_value_


def test_cross_entropy_on_digits():
    X, y = data("digits", False)
    X = X / 16
    assert_same_model(ours(y, alpha=1 / len(y), tol=1e-14).fit(X, y), oracle().fit(X, y))


@pytest.mark.parametrize("name", ["breast_cancer", "iris"])
def test_cross_entropy_without_intercept(name):
    X, y = data(name)
    model = ours(y, alpha=1 / len(y), fit_intercept=False).fit(X, y)
    assert_same_model(model, oracle(fit_intercept=False).fit(X, y))
    assert_array_equal(model.intercept_, 0)


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_sample_weights(name):
    X, y = data(name)
    weights = np.random.RandomState(0).uniform(0, 3, size=len(y))
    model = ours(y, alpha=1 / weights.sum()).fit(X, y, sample_weight=weights)
    assert_same_model(model, oracle().fit(X, y, sample_weight=weights))


@pytest.mark.parametrize("class_weight", ["balanced", {0: 0.2, 1: 5.0}, {1: 3.0}], ids=str)
@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_class_weights(name, class_weight):
    X, y = data(name)
    weights = np.random.RandomState(0).uniform(0, 3, size=len(y))
    classes = np.unique(y)
    complete = class_weight if class_weight == "balanced" else dict.fromkeys(classes, 1.0) | class_weight
    per_class = compute_class_weight(complete, classes=classes, y=y, sample_weight=weights)
    alpha = 1 / (weights @ per_class[y])
    model = ours(y, alpha=alpha, class_weight=class_weight).fit(X, y, sample_weight=weights)
    assert_same_model(model, oracle(class_weight=class_weight).fit(X, y, sample_weight=weights))


SPARSE = [
    getattr(sparse, f"{name}_{kind}")
    for name in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
    for kind in ("array", "matrix")
]


@pytest.mark.parametrize("container", SPARSE, ids=lambda container: container.__name__)
@pytest.mark.parametrize(("name", "loss"), [("breast_cancer", "hinge")])
def test_sparse_equals_dense(name, loss, container):
    X, y = data(name, standardised=False)
    keep = y < 2
    X, y = X[keep][:60, :30], y[keep][:60]
    X = np.where(np.median(X, axis=0) >= X, 0, X)
    dense, thin = (ours(y, loss, alpha=0.01).fit(x, y) for x in (X, container(X)))
    assert_allclose(thin.coef_, dense.coef_, rtol=1e-5, atol=1e-7 * np.abs(dense.coef_).max())
    assert_allclose(thin.objective_value_, dense.objective_value_, rtol=1e-9)
    assert_allclose(thin.decision_function(container(X)), dense.decision_function(X), rtol=1e-5, atol=1e-5)
    assert_array_equal(thin.predict(container(X)), dense.predict(X))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("name", ["breast_cancer", "iris"])
def test_float32_stays_float32(name, container):
    X, y = data(name)
    X = X.astype(np.float32)
    model = ours(y, alpha=1 / len(y), tol=1e-6).fit(container(X), y)
    assert_same_model(model, oracle().fit(X.astype(np.float64), y), atol=2e-3)
    for found in (model.coef_, model.intercept_, model.decision_function(X), model.predict_proba(X)):
        assert found.dtype == np.float32


def test_float32_is_as_exact_as_it_can_be():
    X, y = data("breast_cancer")
    X = X.astype(np.float32)
    model = ours(y, alpha=1 / len(y)).fit(X, y)
    assert_allclose(model.coef_, oracle().fit(X.astype(np.float64), y).coef_, rtol=1e-5)


def test_soft_labels_are_weighted_copies():
    X, y = data("iris")
    soft = np.random.RandomState(0).dirichlet(np.ones(3), size=len(y))
    copies = oracle().fit(np.tile(X, (3, 1)), np.repeat([0, 1, 2], len(y)), sample_weight=soft.T.ravel())
    assert_same_model(ours(y, alpha=1 / len(y)).fit(X, y, soft_labels=soft), copies)


# Margin losses: libsvm and liblinear


@pytest.mark.parametrize("C", [0.01, 1.0])
def test_hinge_is_the_support_vector_machine(C):
    X, y = data("breast_cancer")
    svc = SVC(C=C, kernel="linear", tol=1e-9).fit(X, y)
    model = ours(y, "hinge", alpha=1 / (C * len(y)), tol=1e-9).fit(X, y)
    least = value(model, X, y, svc.coef_, svc.intercept_)
    assert least * (1 - 1e-6) <= model.objective_value_ <= least * (1 + 1e-9)
    assert_allclose(model.objective_value_, value(model, X, y, model.coef_, model.intercept_), rtol=1e-12)
    assert_allclose(model.coef_, svc.coef_, atol=1e-4 * np.abs(svc.coef_).max())
    assert 0 <= model.dual_gap_ <= 1e-9 * least


@pytest.mark.parametrize("name", ["breast_cancer", "digits"])
def test_squared_hinge_without_intercept_is_liblinear(name):
    X, y = data(name)
    keep = y < 2
    X, y = X[keep], y[keep]
    svc = LinearSVC(C=0.1, fit_intercept=False, dual=False, tol=1e-12, max_iter=100_000).fit(X, y)
    model = ours(y, "squared_hinge", alpha=1 / (0.1 * len(y)), fit_intercept=False).fit(X, y)
    assert_same_model(model, svc)


@pytest.mark.parametrize("name", ["iris", "wine"])
def test_crammer_singer_is_liblinear(name):
    X, y = data(name)
    svc = LinearSVC(
        C=0.1, multi_class="crammer_singer", fit_intercept=False, tol=1e-10, max_iter=1_000_000, random_state=0
    )
    with warnings.catch_warnings():
        # older releases crawl just short of so tight a tolerance; the comparison decides whether they were close enough
        warnings.simplefilter("ignore", ConvergenceWarning)
        svc.fit(X, y)
    loss = Hinge(multiclass="crammer-singer")
    model = ours(y, loss, alpha=1 / (0.1 * len(y)), fit_intercept=False, tol=1e-9).fit(X, y)
    assert_allclose(model.objective_value_, value(model, X, y, svc.coef_, 0.0), rtol=1e-7)
    assert_allclose(model.coef_, svc.coef_, atol=1e-3 * np.abs(svc.coef_).max())


def test_weston_watkins_is_its_quadratic_program():
    X, y = data("iris")
    X, y = X[::5, :2], y[::5]
    n, n_classes, alpha = len(y), 3, 0.1
    rows, others = np.nonzero(np.arange(n_classes) != y[:, None])
    true = y[rows]
    n_model, n_slack = 3 * n_classes, len(rows)
    ones = np.column_stack([X, np.ones(n)])[rows]
    margin = np.zeros((n_slack, n_classes, 3))
    margin[np.arange(n_slack), true] += ones
    margin[np.arange(n_slack), others] -= ones
    constraint = np.hstack([margin.reshape(n_slack, n_model), np.eye(n_slack)])
    strength = np.concatenate([np.tile([alpha, alpha, 0.0], n_classes), np.zeros(n_slack)])
    cost = np.concatenate([np.zeros(n_model), np.full(n_slack, 1 / n)])
    found = minimize(
        lambda x: (cost @ x + 0.5 * strength @ x**2, cost + strength * x),
        np.concatenate([np.zeros(n_model), np.ones(n_slack)]),
        jac=True,
        method="SLSQP",
        bounds=[(None, None)] * n_model + [(0, None)] * n_slack,
        constraints={"type": "ineq", "fun": lambda x: constraint @ x - 1, "jac": lambda x: constraint},
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert found.success
    model = ours(y, "hinge", alpha=alpha, tol=1e-9).fit(X, y)
    assert_allclose(model.objective_value_, found.fun, rtol=1e-7)
    assert_allclose(model.coef_, found.x[:n_model].reshape(n_classes, 3)[:, :2], atol=1e-4)


# No library: the best of many random starts


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("breast_cancer", "mse"),
        ("iris", "mae"),
        ("wine", Focal(gamma=2.0)),
        ("breast_cancer", Focal(gamma=0.5)),
        ("iris", GeneralizedCrossEntropy(q=0.7)),
        ("wine", "log_cosh"),
        ("iris", "mse"),
    ],
    ids=str,
)
def test_best_of_thirty_random_starts(name, loss):
    X, y = data(name)
    model = ours(y, loss, alpha=0.01, tol=1e-8).fit(X, y)
    assert np.isnan(model.dual_gap_)
    objective = model.objective(X, y)
    random = np.random.RandomState(0)
    best = min(
        minimize(
            objective.value_and_gradient,
            random.normal(size=objective.n_parameters),
            jac=True,
            method="L-BFGS-B",
        ).fun
        for _ in range(30)
    )
    assert model.objective_value_ <= best * (1 + 1e-6)


# Two classes are one problem, whichever estimator they are given to


@every_loss
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft labels"])
def test_two_classes_of_softmax_are_the_binary_problem(loss, soft):
    X, y = data("breast_cancer")
    positive = np.random.RandomState(0).uniform(size=len(y)) * 0.2 + 0.8 * y
    labels = {"soft_labels": np.column_stack([1 - positive, positive])} if soft else {}
    binary = LogisticRegressor(loss, alpha=0.01).fit(X, y, **labels)
    joint = SoftmaxClassifier(loss, alpha=0.01).fit(X, y, **labels)
    for name in ("coef_", "intercept_", "objective_value_"):
        assert_array_equal(getattr(binary, name), getattr(joint, name))
    assert binary.coef_.shape == (1, X.shape[1])
    assert_array_equal(binary.decision_function(X), joint.decision_function(X))
    assert_array_equal(binary.predict(X), joint.predict(X))


# What any weighted mean has to satisfy


@every_loss
@pytest.mark.parametrize("name", ["breast_cancer", "iris"])
def test_weights_are_repetitions(name, loss):
    X, y = data(name)
    X, y = X[::2, :4], y[::2]
    counts = np.random.RandomState(0).randint(0, 4, size=len(y))
    model = ours(y, loss, alpha=0.01, tol=1e-9)
    weighted = clone(model).fit(X, y, sample_weight=counts)
    repeated = clone(model).fit(X.repeat(counts, axis=0), y.repeat(counts))
    scaled = clone(model).fit(X, y, sample_weight=1e300 * counts)
    assert_allclose(weighted.objective_value_, repeated.objective_value_, rtol=1e-8)
    size = np.abs(repeated.coef_).max()
    assert_allclose(weighted.coef_, repeated.coef_, atol=1e-5 * size)
    assert_allclose(scaled.coef_, weighted.coef_, atol=1e-5 * size)


@every_loss
@pytest.mark.parametrize("name", ["breast_cancer", "iris"])
def test_the_dual_gap_bounds_what_is_left(name, loss):
    X, y = data(name)
    rough, exact = (ours(y, loss, alpha=0.01, tol=tol).fit(X, y) for tol in (1e-3, 1e-10))
    domain = "probabilities" if "probabilities" in loss.domains else "scores"
    convex = loss.on_scores(loss.own_link(domain)).convex
    assert np.isfinite(rough.dual_gap_) == convex
    if convex:
        left = rough.objective_value_ - exact.objective_value_
        assert -1e-12 <= left <= rough.dual_gap_ + 1e-12 <= 1e-3 * rough.objective_value_ + 2e-12
    assert rough.result_.n_passes <= exact.result_.n_passes
    assert rough.result_.n_passes > 0


@pytest.mark.parametrize("name", ["breast_cancer", "iris"])
@pytest.mark.parametrize("loss", ["cross_entropy", "hinge", "focal"])
def test_warm_start_continues(name, loss):
    X, y = data(name)
    model = ours(y, loss, alpha=0.01, warm_start=True, tol=1e-6)
    cold = model.fit(X, y).result_.n_passes
    first = model.objective_value_
    again = model.fit(X, y)
    assert again.result_.n_passes < cold or loss == "hinge"  # the exact solver starts its duals afresh
    assert again.objective_value_ <= first * (1 + 1e-12)
    labels = np.array(["a", "b", "c"])[y]
    fresh = ours(y, loss, alpha=0.01, tol=1e-6).fit(X, labels)
    assert_array_equal(model.fit(X, labels).coef_, fresh.coef_)  # other classes: nothing to continue from


def test_no_warning_is_needed_for_raw_data():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loader, loss in ((load_breast_cancer, "hinge"), (load_wine, "mse"), (load_digits, "ce")):
            X, y = loader(return_X_y=True)
            model = partial(ours, y)(loss, tol=1e-6).fit(X, y)
            assert model.score(X, y) > 0.97
