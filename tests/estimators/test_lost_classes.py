"""Classes without weight are dropped like their rows: what counts is the weight of the targets that are fitted."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier

from sklearn_losses import CrossEntropy, LogisticRegressor, SoftmaxClassifier

RANDOM = np.random.RandomState(0)
N = 60
X = RANDOM.normal(size=(N, 3))
THREE = np.digitize(X[:, 0] + RANDOM.logistic(size=N), [-1, 1])
NAMES = np.array(["ape", "bee", "cat"])
LOSSES = ["cross_entropy", CrossEntropy(label_smoothing=0.2), "brier", "hinge", "squared_hinge"]


def same(model, expected):
    assert_array_equal(model.classes_, expected.classes_)
    assert model.coef_.shape == expected.coef_.shape
    assert_allclose(model.coef_, expected.coef_, rtol=1e-4, atol=1e-5)
    assert_allclose(model.objective_value_, expected.objective_value_, rtol=1e-7)
    assert_array_equal(model.predict(X), expected.predict(X))


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_class_without_weight_is_like_one_without_rows(loss, class_weight, lost):
    left = lost != THREE
    weights = RANDOM.uniform(0.5, 2, N) * left
    y = NAMES[THREE]
    model = SoftmaxClassifier(loss, alpha=0.1, tol=1e-10, class_weight=class_weight)
    same(clone(model).fit(X, y, weights), clone(model).fit(X[left], y[left], weights[left]))


def test_of_four_classes_three_are_left():
    y = np.where(np.arange(N) < 5, 7, THREE)
    left = y != 7
    model = SoftmaxClassifier(CrossEntropy(label_smoothing=0.3), alpha=0.1, tol=1e-10)
    same(clone(model).fit(X, y, left), clone(model).fit(X[left], y[left]))


def test_two_of_three_classes_are_a_binary_problem():
    left = THREE > 0
    model = LogisticRegressor(alpha=0.1, tol=1e-10)
    same(clone(model).fit(X, THREE, left), clone(model).fit(X[left], THREE[left]))
    with pytest.raises(ValueError, match="Use SoftmaxClassifier for the 3 classes"):
        model.fit(X, THREE)


def test_a_class_weight_of_zero_drops_the_class():
    left = THREE != 1
    model = SoftmaxClassifier(alpha=0.1, tol=1e-10)
    lost = clone(model).set_params(class_weight={1: 0.0, 2: 3.0}).fit(X, THREE)
    same(lost, clone(model).set_params(class_weight={2: 3.0}).fit(X[left], THREE[left]))


def test_names_of_a_lost_class_are_no_mistake():
    weighted = SoftmaxClassifier(class_weight={0: 2.0, 1: 1.0, 2: 5.0}, alpha=0.1).fit(X, THREE, THREE > 0)
    assert_array_equal(weighted.classes_, [1, 2])
    with pytest.raises(ValueError, match="has the key 3, which is no label"):
        SoftmaxClassifier(class_weight={1: 2.0, 3: 1.0}).fit(X, THREE, THREE > 0)


@pytest.mark.parametrize("weights", [THREE == 1, np.where(THREE == 2, 1e-5, 0)])
def test_one_class_is_too_few(weights):
    with pytest.raises(ValueError, match=r"The class 0 has no row .* only one class is left: [12]\."):
        SoftmaxClassifier().fit(X, THREE, weights)


def test_no_class_is_too_few():
    with pytest.raises(ValueError, match="no class is left"):
        SoftmaxClassifier(class_weight={0: 0, 1: 0, 2: 0}).fit(X, THREE)


SOFT = 0.6 * np.eye(3)[THREE] + 0.4 * np.eye(3)[(THREE + 1) % 3]


def test_soft_labels_keep_a_class_that_the_labels_lose():
    weights = 1.0 * (THREE != 2)
    model = SoftmaxClassifier(alpha=0.1, tol=1e-10).fit(X, THREE, weights, SOFT)
    assert_array_equal(model.classes_, [0, 1, 2])
    some = weights > 0
    y = np.resize(np.arange(3), some.sum())
    same(model, SoftmaxClassifier(alpha=0.1, tol=1e-10).fit(X[some], y, soft_labels=SOFT[some]))


def test_soft_labels_lose_a_class_that_the_labels_keep():
    soft = SOFT[:, [0, 2]] / SOFT[:, [0, 2]].sum(axis=1, keepdims=True)
    model = SoftmaxClassifier(alpha=0.1, tol=1e-10)
    with_zeros = np.insert(soft, 1, 0.0, axis=1)
    same(model.fit(X, THREE, soft_labels=with_zeros), clone(model).fit(X, 2 * (THREE > 0), soft_labels=soft))


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0, 2: 0.5}, {0: 0.0, 2: 0.5}])
def test_class_weights_are_those_of_shares(class_weight):
    weights = RANDOM.uniform(0.5, 2, N)
    model = SoftmaxClassifier(alpha=0.1, tol=1e-10, class_weight=class_weight)
    rows = np.repeat(np.arange(N), 3)
    copies = clone(model).fit(X[rows], np.tile(np.arange(3), N), (weights[:, None] * SOFT).ravel())
    same(clone(model).fit(X, THREE, weights, SOFT), copies)
    hard = clone(model).fit(X, THREE, weights, np.eye(3)[THREE])
    same(hard, clone(model).fit(X, THREE, weights))


@pytest.mark.parametrize("model", [SoftmaxClassifier(), SoftmaxClassifier("hinge", class_weight="balanced")], ids=repr)
def test_ensembles_draw_rows_by_weights(model):
    iris, y = load_iris(return_X_y=True)
    iris, y = iris[:103], NAMES[y[:103]]  # three rows of the last class
    bag = BaggingClassifier(model, n_estimators=4, random_state=0).fit(iris, y)  # one of the draws misses that class
    assert {len(part.classes_) for part in bag.estimators_} == {2, 3}
    assert bag.score(iris, y) > 0.9
    assert AdaBoostClassifier(SoftmaxClassifier(), n_estimators=3).fit(iris, y).score(iris, y) > 0.9


def test_a_refit_with_a_lost_class_starts_anew():
    model = SoftmaxClassifier(warm_start=True, alpha=0.1, tol=1e-10).fit(X, THREE)
    left = THREE != 0
    same(model.fit(X, THREE, left), SoftmaxClassifier(alpha=0.1, tol=1e-10).fit(X[left], THREE[left]))
