"""One function under many strengths of a penalty: what those before foretell is where cold fits end too."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.preprocessing import scale

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.estimators.along import certified_models
from sklearn_losses.minimise import thresholds
from sklearn_losses.minimise.foretold import Curve, Foretold

X, Y = load_breast_cancer(return_X_y=True)
X, Y = scale(X), Y
DIGITS, NUMBERS = load_digits(return_X_y=True)
DIGITS, NUMBERS = DIGITS[::3] / 16, NUMBERS[::3]
TALL, LABELS = make_classification(8000, 6, n_informative=4, n_redundant=0, random_state=0)
FINE = np.geomspace(1.0, 1e-3, 12)

CASES = {
    "Newton": (LogisticRegressor(), X, Y),
    "kinks in the slope": (LogisticRegressor("squared_hinge"), X, Y),
    "no intercept": (LogisticRegressor(fit_intercept=False), X, Y),
    "factors": (LogisticRegressor(penalty_factor=np.linspace(0.1, 2.0, X.shape[1])), X, Y),
    "one row a number": (LinearRegressor("log_cosh"), X[:, 1:], X[:, 0]),
    "a link": (LinearRegressor("poisson"), X[:, 1:], np.exp(X[:, 0])),
    "three classes": (SoftmaxClassifier(), DIGITS[NUMBERS < 3], NUMBERS[NUMBERS < 3]),
    "a preconditioner for every class": (SoftmaxClassifier(), DIGITS, NUMBERS),
    "a preconditioner of a sample": (LogisticRegressor(), TALL, LABELS),
    "wide": (LogisticRegressor(), X[:20], Y[:20]),
    "absolute values": (LogisticRegressor(l1_ratio=0.5), X[:, :8], Y),
    "squared errors": (LinearRegressor(), X[:, 1:], X[:, 0]),
}


@pytest.mark.parametrize("name", CASES)
def test_models_are_those_of_cold_fits(name):
    estimator, rows, y = CASES[name]
    models = list(certified_models(estimator, rows, y, list(FINE)))
    for alpha, model in list(zip(FINE, models, strict=True))[2::3]:
        cold = type(estimator)(**estimator.get_params() | {"alpha": alpha}).fit(rows, y)
        assert model.get_params() == cold.get_params()
        assert model.dual_gap_ <= 1e-6 * model.objective_value_
        assert abs(model.objective_value_ - cold.objective_value_) <= 1e-6 * cold.objective_value_
        assert vars(model).keys() == vars(cold).keys()
        assert model.result_.n_passes > 0
        assert_allclose(model.coef_, cold.coef_, atol=1e-2 * np.abs(cold.coef_).max())


@pytest.fixture
def evaluations(monkeypatch):
    """How many each minimum took, or None where another way was taken."""
    seen = []
    fitted = Foretold.fitted

    def watched(self, task):
        found = fitted(self, task)
        seen.append(None if found is None else found.result.nfev)
        return found

    monkeypatch.setattr(Foretold, "fitted", watched)
    return seen


@pytest.mark.parametrize("name", ["Newton", "a preconditioner for every class", "a preconditioner of a sample"])
def test_foretold_minima_take_few_evaluations(name, evaluations):
    estimator, rows, y = CASES[name]
    list(certified_models(estimator, rows, y, list(FINE)))
    assert evaluations[0] is None  # from nothing
    assert np.mean(evaluations[3:]) < 4


def test_strengths_in_any_order_repeated_and_far_apart(evaluations):
    alphas = [1e-3, 1.0, 1.0, 1.0 - 1e-12, 1e2, 0.9, 0.7]
    for alpha, model in zip(alphas, certified_models(LogisticRegressor(), X, Y, alphas), strict=True):
        cold = LogisticRegressor(alpha=alpha).fit(X, Y)
        assert_allclose(model.coef_, cold.coef_, atol=1e-3 * np.abs(cold.coef_).max())
    assert None not in evaluations[1:]


def test_who_is_lost_leaves_it_to_others(monkeypatch, evaluations):
    monkeypatch.setattr(thresholds, "FORETOLD_STEPS", 1)
    models = list(certified_models(LogisticRegressor(), X, Y, list(np.geomspace(1.0, 1e-4, 4))))
    assert evaluations == [None] * 4
    assert all(model.dual_gap_ <= 1e-6 * model.objective_value_ for model in models)


def test_what_cannot_be_certified_is_not_begun():
    assert list(certified_models(LogisticRegressor("focal"), X, Y, [1.0, 0.1])) == []
    assert list(certified_models(LogisticRegressor("hinge"), X, Y, [1.0, 0.1])) == []


def test_what_did_not_converge_is_none():
    models = list(certified_models(LogisticRegressor(max_iter=1), X, Y, [1.0, 1e-4]))
    assert models[1] is None


def test_a_curve_is_a_polynomial_through_even_steps():
    curve = Curve()
    for level in (0.0, 0.5, 0.5 + 1e-9, 1.0, 1.5):
        curve.learn(level, np.array([level**3, 1.0]))
    assert_allclose(curve.at(2.0), [8.0, 1.0])
    assert_allclose(curve.at(1.5 + 1e-9), [1.5**3, 1.0], rtol=1e-12)
    assert_allclose(curve.at(9.0), [1.5**3, 1.0])  # too far to say
