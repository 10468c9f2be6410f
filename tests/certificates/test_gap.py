"""The bound on F - min F is never below the truth, and it is what stops a fit."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_wine

from sklearn_losses import LinearRegressor, LogisticRegressor, Loss, SoftmaxClassifier
from sklearn_losses.certificates.gap import Gap, negligible
from sklearn_losses.certificates.sampled import SampledBound
from sklearn_losses.objective.preconditioners import dense_inverse


class LogDensity(Loss):
    """Minus the logarithm of a normal density: where the prediction is the target there is its constant left."""

    domain = "values"
    convex = True

    def value(self, y, prediction):
        return 0.5 * (prediction - y) ** 2 + 0.5 * np.log(2.0 * np.pi)

    def gradient(self, y, prediction):
        return prediction - y


@given(
    seed=st.integers(0, 10_000),
    alpha=st.sampled_from([1e-4, 1e-2, 1.0]),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
)
@settings(max_examples=30, deadline=None, derandomize=True)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_hinge", "squared_error", "huber", "poisson"])
def test_the_bound_holds_at_any_point(loss, seed, alpha, scale):
    random = np.random.RandomState(seed)
    X = random.normal(size=(30, 3)) * scale
    regression = loss in ("squared_error", "huber", "poisson")
    y = random.poisson(2.0, size=30) if regression else np.arange(30) % 2
    model = (LinearRegressor if regression else LogisticRegressor)(loss, alpha=alpha).fit(X, y)
    conditioned = model.objective(X, y).conditioned()
    x = random.normal(size=4)
    _, value, bound = Gap(conditioned).proof(x, *conditioned.value_and_gradient(x))
    assert value - model.objective_value_ <= bound * (1 + 1e-9) + 1e-12 * value


@given(
    seed=st.integers(0, 10_000),
    alpha=st.sampled_from([1e-8, 1e-4, 1e-2, 1.0]),
    distance=st.sampled_from([1e-6, 1e-4, 1e-2, 1.0]),
)
@settings(max_examples=30, deadline=None, derandomize=True)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_hinge", "huber", "poisson"])
def test_the_bound_from_some_rows_holds_too(loss, seed, alpha, distance):
    random = np.random.RandomState(seed)
    X = random.normal(size=(60, 3))
    weights = random.uniform(0.1, 3.0, size=60)
    regression = loss in ("huber", "poisson")
    y = random.poisson(2.0, size=60) if regression else (X[:, 0] + random.normal(size=60) > 0).astype(int)
    model = (LinearRegressor if regression else LogisticRegressor)(loss, alpha=alpha, tol=1e-12).fit(X, y, weights)
    everywhere = model.objective(X, y, weights).conditioned()
    optimum = everywhere.pack(model.coef_, model.intercept_)
    x = optimum + distance * random.normal(size=4)
    rows = random.permutation(60)[:20]
    part, own = everywhere.written(rows, np.full(20, 1 / 20)), everywhere.rows.weights_of(rows)

    bound = SampledBound(everywhere, part, own, dense_inverse(part.hessian(optimum)), tol=1e-6)
    value, gradient = everywhere.value_and_gradient(x)
    proved = bound.from_sample(x, gradient, slack=1e-12 * value)
    rounding = 1e-13 * (1 + abs(value))
    assert value - model.objective_value_ <= proved * (1 + 1e-9) + rounding

    # and close to the optimum it is the truth times the share of the rows, where the gradient's bound is lost
    if distance == 1e-4 and alpha == 1e-8 and loss in ("cross_entropy", "poisson"):
        _, _, by_gradient = Gap(everywhere).proof(x, value, gradient)
        assert proved <= 20 * (value - model.objective_value_) < by_gradient


@pytest.mark.parametrize("tol", [1e-2, 1e-6, 1e-10])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_hinge", "hinge", "modified_huber"])
def test_the_tolerance_is_kept(loss, tol):
    X, y = load_wine(return_X_y=True)
    exact = SoftmaxClassifier(loss, tol=1e-12).fit(X, y)
    model = SoftmaxClassifier(loss, tol=tol).fit(X, y)
    assert 0 <= model.dual_gap_ <= tol * model.objective_value_
    assert model.objective_value_ - exact.objective_value_ <= model.dual_gap_ + 1e-12
    assert model.objective_value_ == pytest.approx(
        model.objective(X, y).value(model.objective(X, y).pack(model.coef_, model.intercept_))
    )


def test_no_bound_without_penalty_or_convexity():
    X, y = load_breast_cancer(return_X_y=True)
    noisy = np.where(np.arange(len(y)) % 5 == 0, 1 - y, y)
    assert np.isnan(LogisticRegressor(alpha=0).fit(X, noisy).dual_gap_)
    assert np.isnan(LogisticRegressor("mse").fit(X, y).dual_gap_)


ORDERS = {
    "rows": lambda X: X,
    "columns": np.asfortranarray,
    "every other column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "single precision": lambda X: X.astype(np.float32),
}


@pytest.fixture(scope="module")
def tall():
    random = np.random.RandomState(0)
    X = random.normal(size=(120_000, 100))
    return X, X[:, :20].sum(axis=1) + 3 * random.logistic(size=len(X)) > 0


@pytest.mark.parametrize(("order", "loss"), [*itertools.product(ORDERS, ["cross_entropy"]), ("columns", "hinge")])
def test_tall_data_take_few_passes_and_little_memory(order, loss, tall):
    X, y = tall
    X = ORDERS[order](X)
    tracemalloc.start()
    model = LogisticRegressor(loss).fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64e6
    assert model.result_.n_passes <= (8 if loss == "cross_entropy" else 20)
    assert model.dual_gap_ <= 1e-6 * model.objective_value_


@pytest.mark.parametrize("loss", [LogDensity(), "squared_error", "huber"], ids=str)
def test_what_rounding_leaves_of_an_exact_fit_is_no_constant_of_the_loss(loss):
    random = np.random.RandomState(0)
    X, y = random.normal(size=(90, 2)), 100.0 * random.normal(size=90)
    objective = LinearRegressor(loss, alpha=1e-12).objective(X, y).conditioned()
    assert negligible(objective) <= 1e-12 * objective.value(np.zeros(3))
