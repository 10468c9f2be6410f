"""L-Softmax: weights that keep their lengths, and what becomes of these in a linear model."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.datasets import load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from sklearn_losses import CosineClassifier, LSoftmax, SoftmaxClassifier, SphereFace
from sklearn_losses.activations import Identity

X, Y = load_iris(return_X_y=True)
SCALED = scale(X)


def naive(margin, W, X, y, weights=None):
    rows, lengths = np.arange(len(y)), np.linalg.norm(W, axis=1)[y]
    scores, reach = X @ W.T, np.linalg.norm(X, axis=1) * lengths
    angle = np.arccos(np.clip(scores[rows, y] / reach, -1, 1))
    k = np.minimum(np.floor(angle * margin / np.pi), margin - 1)
    scores[rows, y] = reach * ((-1) ** k * np.cos(margin * angle) - 2 * k)
    return np.average(logsumexp(scores, axis=1) - scores[rows, y], weights=weights)


@pytest.mark.parametrize("margin", [1, 2, 3])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_the_value_is_the_textbook_s(margin, kind):
    random = np.random.RandomState(margin)
    W, weights = random.normal(size=(3, 4)), random.uniform(size=len(Y))
    objective = CosineClassifier(LSoftmax(margin)).objective(kind(SCALED), Y, weights)
    assert_allclose(objective.value(objective.pack(W)), naive(margin, W, SCALED, Y, weights), rtol=1e-12)
    assert_allclose(objective.unpack(W.ravel())[0], W)


@pytest.mark.parametrize("margin", [1, 2, 3])
def test_derivatives_in_products_and_lengths(margin):
    random = np.random.RandomState(margin)
    lengths = random.uniform(0.5, 2.0, size=(12, 3))
    scores = np.column_stack([lengths * random.uniform(-0.9, 0.9, size=(12, 3)), lengths])
    y = np.eye(3)[np.arange(12) % 3] * random.uniform(0.5, 3.0, (12, 1))
    loss, direction = LSoftmax(margin).on_scores(Identity()), random.normal(size=scores.shape)
    (up, above), (down, below) = (loss.value_and_gradient(y, scores + s * 1e-6 * direction) for s in (1, -1))
    assert_allclose((loss.value_and_gradient(y, scores)[1] * direction).sum(axis=1), (up - down) / 2e-6, rtol=1e-6)
    curvature = loss.curvature(y, scores)
    assert_allclose(curvature.apply(direction), (above - below) / 2e-6, rtol=1e-5, atol=1e-7)
    assert_allclose(curvature.diagonal(), np.einsum("nii->ni", curvature.blocks()))
    assert_allclose(curvature.weighted_sum(np.ones(12)), curvature.blocks().sum(axis=0), atol=1e-12)


def test_lengths_of_one_are_sphereface():
    W = np.random.RandomState(0).normal(size=(3, 4))
    W /= np.linalg.norm(W, axis=1)[:, None]
    values = [CosineClassifier(loss(3)).objective(X, Y).value(W.ravel()) for loss in (LSoftmax, SphereFace)]
    assert_allclose(*values, rtol=1e-12)


def test_without_a_margin_it_is_the_softmax_without_penalty_and_intercept():
    y = np.roll(Y, 20)  # classes that no weights tell apart
    model = CosineClassifier(LSoftmax(margin=1), tol=1e-10).fit(X, y)
    plain = SoftmaxClassifier(alpha=0.0, fit_intercept=False, tol=1e-10).fit(X, y)
    assert_allclose(model.objective_value_, plain.objective_value_, rtol=1e-9)
    assert_allclose(model.predict_proba(X), plain.predict_proba(X), atol=1e-4)
    assert_allclose(model.decision_function(X), X @ model.coef_.T, rtol=1e-9)


def test_another_optimiser_on_the_naive_formula_finds_nothing_better():
    model = CosineClassifier(LSoftmax()).fit(X, Y)  # rows of positive entries, so that all angles are small
    assert np.linalg.norm(model.coef_, axis=1).min() > 1.0
    assert np.isnan(model.dual_gap_)
    assert_allclose(model.objective_value_, naive(2, model.coef_, X, Y), rtol=1e-9)
    best = minimize(lambda w: naive(2, w.reshape(3, 4), X, Y), model.coef_.ravel(), method="BFGS")
    assert best.fun >= model.objective_value_ * (1 - 1e-5)


@pytest.mark.parametrize("margin", [2, 4])
def test_a_class_that_collapses_is_named_and_so_is_the_way_out(margin):
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    with pytest.warns(ConvergenceWarning, match="1 of 3 classes, the first of them versicolor.*Use SphereFace") as said:
        model = CosineClassifier(LSoftmax(margin)).fit(SCALED, names)
    assert len(said) == 1
    lengths = np.linalg.norm(model.coef_, axis=1)
    assert lengths[1] < 1e-4 * lengths[0]
    assert model.objective_value_ < np.log(3)


def test_no_fit_is_worse_than_no_weights():
    rows, y = load_wine(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="taken all length"):
        model = CosineClassifier(LSoftmax(margin=3)).fit(scale(rows), y)
    assert model.objective_value_ <= np.log(3) * (1 + 1e-14)  # which the mean of equal losses is but for rounding


def test_rows_that_the_margin_tells_apart_have_no_finite_solution():
    rows, y = load_wine(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="tells all rows apart.*Use SphereFace"):
        model = CosineClassifier(LSoftmax(margin=1)).fit(scale(rows), y)
    assert model.score(scale(rows), y) == 1.0
