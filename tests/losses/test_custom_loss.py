"""A loss of one's own, from value and gradient alone, goes wherever a built-in one goes."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sklearn_losses import (
    Huber,
    LinearRegressor,
    LogisticRegressor,
    Loss,
    SoftmaxClassifier,
    SquaredError,
    SquaredHinge,
    check_loss,
)

X, LABELS = load_breast_cancer(return_X_y=True)
IRIS, THREE = load_iris(return_X_y=True)
ROWS, Y = load_diabetes(return_X_y=True)
X, IRIS, ROWS = scale(X), scale(IRIS), scale(ROWS)


class PowerError(Loss):
    """|p - y| to some power, at most 25 lines."""

    domain = ("probabilities", "values")
    convex = "values"

    def __init__(self, power=2.0):
        self.power = power

    def value(self, y, prediction):
        error = abs(prediction - y) ** self.power
        return error if error.ndim == 1 else error.sum(axis=1)

    def gradient(self, y, prediction):
        error = prediction - y
        return self.power * np.sign(error) * abs(error) ** (self.power - 1)


class OwnHinge(Loss):
    """The squared hinge, written again for two classes and for K."""

    domain = "scores"
    convex = True

    def value(self, y, scores):
        if scores.ndim == 1:
            return y * self._phi(scores) + (1 - y) * self._phi(-scores)
        true = (y * scores).sum(axis=1, keepdims=True)
        return self._phi(true - scores).sum(axis=1) - self._phi(0.0)

    def gradient(self, y, scores):
        if scores.ndim == 1:
            return y * self._slope(scores) - (1 - y) * self._slope(-scores)
        slope = self._slope((y * scores).sum(axis=1, keepdims=True) - scores)
        return y * slope.sum(axis=1, keepdims=True) - slope

    def _phi(self, margin):
        return np.maximum(0.0, 1.0 - margin) ** 2

    def _slope(self, margin):
        return -2.0 * np.maximum(0.0, 1.0 - margin)


class Pseudo(Loss):
    """Pseudo-Huber with its curvature."""

    domain = ("probabilities", "values")
    convex = "values"

    def __init__(self, delta=1.0):
        self.delta = delta

    def value(self, y, prediction):
        value = self.delta**2 * (np.hypot(1.0, (prediction - y) / self.delta) - 1.0)
        return value if value.ndim == 1 else value.sum(axis=1)

    def gradient(self, y, prediction):
        return (prediction - y) / np.hypot(1.0, (prediction - y) / self.delta)

    def curvature(self, y, prediction):
        return np.hypot(1.0, (prediction - y) / self.delta) ** -3


def test_they_pass_the_check():
    for loss in (PowerError(), PowerError(3.0), Pseudo(0.5)):
        check_loss(loss)


@pytest.mark.parametrize(
    ("own", "known", "estimator", "data"),
    [
        (PowerError(), SquaredError(), LogisticRegressor, (X, LABELS)),
        (PowerError(), SquaredError(), SoftmaxClassifier, (IRIS, THREE)),
        (PowerError(), SquaredError(), LinearRegressor, (ROWS, Y)),
        (OwnHinge(), SquaredHinge(), LogisticRegressor, (X, LABELS)),
        (OwnHinge(), SquaredHinge(), SoftmaxClassifier, (IRIS, THREE)),
    ],
    ids=str,
)
def test_it_finds_what_the_built_in_loss_finds(own, known, estimator, data):
    mine, theirs = (estimator(loss, alpha=0.01, tol=1e-9).fit(*data) for loss in (own, known))
    assert_allclose(mine.objective_value_, theirs.objective_value_, rtol=1e-8)
    assert_allclose(mine.coef_, theirs.coef_, atol=1e-3 * np.abs(theirs.coef_).max())
    assert np.isfinite(mine.dual_gap_) == np.isfinite(theirs.dual_gap_)


def test_curvature_saves_passes():
    class WithoutCurvature(Pseudo):
        curvature = None

    exact, plain = (LinearRegressor(loss, tol=1e-9).fit(ROWS, Y) for loss in (Pseudo(20.0), WithoutCurvature(20.0)))
    assert_allclose(exact.coef_, plain.coef_, rtol=1e-3)
    assert exact.n_iter_ <= plain.n_iter_
    robust = LinearRegressor(Huber(delta=20.0)).fit(ROWS, Y)
    assert_allclose(exact.predict(ROWS), robust.predict(ROWS), atol=10)


def test_in_a_grid():
    model = make_pipeline(StandardScaler(), LogisticRegressor(PowerError(), alpha=0.01))
    grid = {"logisticregressor__loss__power": [1.5, 2.0, 4.0], "logisticregressor__alpha": [0.01, 0.1]}
    search = GridSearchCV(model, grid, cv=3).fit(X, LABELS)
    assert len(search.cv_results_["params"]) == 6
    assert search.best_score_ > 0.95
    losses = GridSearchCV(model, {"logisticregressor__loss": [PowerError(), Pseudo(), "hinge"]}, cv=3)
    assert losses.fit(X, LABELS).best_score_ > 0.95


def test_cloned_and_pickled():
    model = SoftmaxClassifier(PowerError(power=1.5), alpha=0.01)
    copy = clone(model)
    assert copy.loss is not model.loss
    assert copy.loss.power == 1.5
    fitted = model.fit(IRIS, THREE)
    again = pickle.loads(pickle.dumps(fitted))
    assert_allclose(again.predict_proba(IRIS), fitted.predict_proba(IRIS), rtol=0)


def test_its_parameters_show():
    model = LogisticRegressor(PowerError(power=1.5))
    assert repr(model) == "LogisticRegressor(loss=PowerError(power=1.5))"
    assert model.get_params()["loss__power"] == 1.5
    assert model.set_params(loss__power=3.0).loss.power == 3.0
    with pytest.raises(ValueError, match="Invalid parameter 'weight'"):
        model.set_params(loss__weight=1.0)


def test_as_a_metric_and_a_scorer():
    model = LogisticRegressor(PowerError(), alpha=0.01).fit(X, LABELS)
    value = PowerError()(LABELS, model.predict_proba(X))
    assert_allclose(value, SquaredError()(LABELS, model.predict_proba(X)))
    assert_allclose(PowerError().scorer()(model, X, LABELS), -value)


class Square(Loss):
    domain = "values"
    convex = True

    def value(self, y, prediction):
        return (prediction - y) ** 2

    def gradient(self, y, prediction):
        return 2 * (prediction - y)


class OneCurvature(Square):
    def curvature(self, y, prediction):
        return 2.0


class CurvatureOfNothing(Square):
    def curvature(self, y, prediction):
        return np.full_like(prediction, np.nan)


class OnePiece(Square):
    smooth = False

    def pieces(self, y):
        return y, np.array([-1.0, 1.0])


class Nowhere(Square):
    domain = "vals"


class Downwards(Square):
    def value(self, y, prediction):
        return -((prediction - y) ** 2)

    def gradient(self, y, prediction):
        return -2 * (prediction - y)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (LinearRegressor(OneCurvature()), r"OneCurvature\(\).curvature\(y, prediction\) must have shape \(3,\)"),
        (LinearRegressor(CurvatureOfNothing(), solver="trust-ncg"), r"second derivatives of CurvatureOfNothing\(\)"),
        (LinearRegressor(CurvatureOfNothing(), solver="trust-exact"), r"second derivatives of CurvatureOfNothing\(\)"),
        (LinearRegressor(CurvatureOfNothing(), solver="dogleg"), r"second derivatives of CurvatureOfNothing\(\)"),
        (LinearRegressor(OnePiece()), r"OnePiece\(\).pieces\(y\) must return kinks .* got \(3,\) and \(2,\)"),
        (LinearRegressor(Nowhere()), r"domain of Nowhere\(\) must be one or several of .*; it is 'vals'"),
        (LogisticRegressor(Nowhere()), r"domain of Nowhere\(\) must be one or several of .*; it is 'vals'"),
        (LinearRegressor(Downwards(), alpha=0.01, l1_ratio=1.0), r"Downwards\(\) came upon numbers beyond floats"),
    ],
)
def test_what_is_wrong_with_it_is_said_of_it(model, said):
    with pytest.raises(ValueError, match=said):
        model.fit(ROWS, Y if isinstance(model, LinearRegressor) else Y > 100)


def test_one_that_falls_for_ever_ends_in_a_warning():
    with pytest.warns(ConvergenceWarning, match=r"check_loss examines Downwards\(\)"):
        LinearRegressor(Downwards(), solver="L-BFGS-B").fit(ROWS, Y)


def test_with_a_method_of_scipy():
    found = LogisticRegressor(PowerError(), alpha=0.01, solver="L-BFGS-B", tol=1e-8).fit(X, LABELS)
    auto = LogisticRegressor(PowerError(), alpha=0.01, tol=1e-8).fit(X, LABELS)
    assert_allclose(found.objective_value_, auto.objective_value_, rtol=1e-6)
    with pytest.raises(ValueError, match=r"'trust-ncg' needs second derivatives, and PowerError\(\) has no curvature"):
        LogisticRegressor(PowerError(), solver="trust-ncg").fit(X, LABELS)
