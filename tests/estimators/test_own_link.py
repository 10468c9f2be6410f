"""A loss whose own link is another one makes another model: fitted, certified, and with that link's probabilities."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

from sklearn_losses import CrossEntropy, LogisticRegressor, SquaredError
from sklearn_losses.activations import ComplementaryLogLog, Elementwise, Probit, Sigmoid

X, Y = load_breast_cancer(return_X_y=True)
X, Y = scale(X)[:, [1, 8, 9]], Y


class Cauchit(Elementwise):
    """The distribution function of a Cauchy variable, without more than an outsider would write."""

    domains = ("probabilities",)

    def first(self, scores):
        return 0.5 + np.arctan(scores) / np.pi, 1.0 / (np.pi * (1.0 + scores**2))

    def second(self, scores):
        slope = self.first(scores)[1]
        return slope, -2.0 * scores * slope / (1.0 + scores**2)


class OtherEntropy(CrossEntropy):
    other = Probit

    def own_link(self, domain, n_outputs=1):
        return self.other()


class OfEvents(OtherEntropy):
    other = ComplementaryLogLog


class Brier(SquaredError):
    def own_link(self, domain, n_outputs=1):
        return Cauchit()


@pytest.mark.parametrize(
    ("loss", "family"),
    [(OtherEntropy(), sm.families.links.Probit()), (OfEvents(), sm.families.links.CLogLog())],
    ids=["probit", "complementary log-log"],
)
def test_coefficients_and_probabilities_are_those_of_statsmodels(loss, family):
    oracle = sm.GLM(Y, sm.add_constant(X), family=sm.families.Binomial(family)).fit()
    model = LogisticRegressor(loss, alpha=0, tol=1e-10).fit(X, Y)
    np.testing.assert_allclose(np.append(model.intercept_, model.coef_), oracle.params, rtol=1e-5)
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities[:, 1], oracle.predict(), rtol=1e-5)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), probabilities, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), oracle.predict() > 0.5)


@pytest.mark.parametrize("loss", [OtherEntropy(), OfEvents()], ids=lambda loss: loss.other.__name__)
def test_it_is_certified_where_the_loss_is_convex_through_it(loss):
    model = LogisticRegressor(loss, alpha=1e-3).fit(X, Y)
    assert model.dual_gap_ <= 1e-6 * model.objective_value_
    others = LogisticRegressor(alpha=1e-3).fit(X, Y)
    assert np.abs(model.coef_ - others.coef_).max() > 0.1


def test_a_link_that_gives_two_derivatives_and_nothing_else():
    model = LogisticRegressor(Brier(), alpha=1e-3).fit(X, Y)
    assert np.isnan(model.dual_gap_)
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities[:, 1], Cauchit().forward(model.decision_function(X)))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), probabilities)
    assert model.loss_(Y, probabilities) + 0.5e-3 * np.sum(model.coef_**2) == pytest.approx(model.objective_value_)


@pytest.mark.parametrize("link", [Sigmoid(), Probit(), ComplementaryLogLog()], ids=repr)
def test_probabilities_of_both_classes_keep_their_digits(link):
    scores = np.linspace(-6.0, 3.0, 50)
    both = link.of_classes(scores)
    np.testing.assert_array_equal(both[:, 1], link.forward(scores))
    np.testing.assert_allclose(np.log(both), link.logarithm.forward(scores), rtol=1e-12, atol=1e-15)
