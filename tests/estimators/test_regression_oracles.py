"""Other libraries, and brute force, minimise the same regression objectives."""

from functools import cache

import cases
import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.linear_model import (
    GammaRegressor,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
    TweedieRegressor,
)
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVR

from sklearn_losses import (
    EpsilonInsensitive,
    Huber,
    LinearRegressor,
    Quantile,
    RootMeanSquaredError,
    SquaredEpsilonInsensitive,
    Tweedie,
)
from sklearn_losses.losses import get_loss

REGRESSION = [case.loss for case in cases.REGRESSION]
every_loss = pytest.mark.parametrize("loss", REGRESSION, ids=repr)


@cache
def data():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def weights_of(y):
    return np.random.RandomState(0).uniform(0, 3, size=len(y))


def ours(loss, **parameters):
    return LinearRegressor(loss, **{"tol": 1e-10} | parameters)


def value(model, X, y, coef, intercept, sample_weight=None):
    objective = model.objective(X, y, sample_weight)
    return objective.value(objective.pack(coef, intercept))


def assert_same_model(model, other, rtol=1e-6):
    assert_allclose(model.coef_, other.coef_, rtol=rtol, atol=rtol * np.abs(other.coef_).max())
    assert_allclose(model.intercept_, other.intercept_, rtol=rtol)


# Least squares and its root


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("a", [0.0, 1.0, 1000.0])
def test_squared_error_is_ridge(a, fit_intercept, weighted):
    X, y = data()
    weights = weights_of(y) if weighted else None
    total = weights.sum() if weighted else len(y)
    ridge = Ridge(alpha=a, fit_intercept=fit_intercept).fit(X, y, sample_weight=weights)
    model = ours("squared_error", alpha=2 * a / total, fit_intercept=fit_intercept).fit(X, y, sample_weight=weights)
    assert_same_model(model, ridge)


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 1.0])
def test_root_mean_squared_error_is_on_the_path_of_ridge(alpha):
    X, y = data()

    def objective(log_strength):
        ridge = Ridge(alpha=np.exp(log_strength) * len(y)).fit(X, y)
        return np.sqrt(np.mean((ridge.predict(X) - y) ** 2)) + 0.5 * alpha * ridge.coef_ @ ridge.coef_

    least = minimize_scalar(objective, bounds=(-15, 10), method="bounded", options={"xatol": 1e-9})
    model = ours(RootMeanSquaredError(), alpha=alpha, tol=1e-9).fit(X, y)
    assert_allclose(model.objective_value_, least.fun, rtol=1e-9)
    assert_same_model(model, Ridge(alpha=np.exp(least.x) * len(y)).fit(X, y), rtol=1e-4)


def test_root_mean_squared_error_where_nothing_is_left():
    X = np.random.RandomState(0).normal(size=(50, 3))
    y = X @ [1.0, -2.0, 3.0] + 4
    model = ours("rmse", alpha=0, tol=1e-6).fit(X, y)
    assert_allclose(model.predict(X), y, rtol=1e-6)


def test_root_mean_squared_error_interpolates_with_the_least_norm():
    X = np.random.RandomState(0).normal(size=(10, 20))
    y = X[:, 0].copy()
    model = ours("rmse", alpha=1e-4, tol=1e-6).fit(X, y)
    centred = X - X.mean(axis=0)
    assert_allclose(model.coef_, np.linalg.pinv(centred) @ (y - y.mean()), atol=1e-4)


# Quantiles and absolute errors: linear programs


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_quantile_is_the_linear_program(quantile, weighted):
    X, y = data()
    weights = weights_of(y) if weighted else None
    program = QuantileRegressor(quantile=quantile, alpha=0, solver="highs").fit(X, y, sample_weight=weights)
    model = ours(Quantile(quantile), alpha=0, tol=1e-8).fit(X, y, sample_weight=weights)
    least = value(model, X, y, program.coef_, program.intercept_, weights)
    assert_allclose(model.objective_value_, least, rtol=1e-8)
    assert_allclose(model.coef_, program.coef_, atol=1e-5 * np.abs(program.coef_).max())
    assert_allclose(model.intercept_, program.intercept_, rtol=1e-5)


@pytest.mark.parametrize("quantile", [0.25, 0.5])
def test_quantile_is_statsmodels(quantile):
    X, y = data()
    found = sm.QuantReg(y, sm.add_constant(X)).fit(q=quantile, p_tol=1e-9, max_iter=10_000)
    model = ours(Quantile(quantile), alpha=0, tol=1e-8).fit(X, y)
    assert model.objective_value_ <= value(model, X, y, found.params[1:], found.params[0]) * (1 + 1e-8)
    assert_allclose(np.r_[model.intercept_, model.coef_], found.params, atol=0.02)


@pytest.mark.parametrize("loss", ["absolute_error", "quantile"])
def test_published_medians(loss):
    engel = sm.datasets.engel.load_pandas().data
    model = ours(loss, alpha=0, tol=1e-8).fit(engel[["income"]], engel["foodexp"])
    assert_allclose([model.intercept_, *model.coef_], [81.4823, 0.5602], atol=5e-5)
    stackloss = sm.datasets.stackloss.load_pandas().data
    model = ours(loss, alpha=0, tol=1e-8).fit(stackloss[["AIRFLOW", "WATERTEMP", "ACIDCONC"]], stackloss["STACKLOSS"])
    assert_allclose([model.intercept_, *model.coef_], [-39.6899, 0.8319, 0.5739, -0.0609], atol=5e-5)


def test_percentage_error_is_a_weighted_median():
    X, y = data()
    program = QuantileRegressor(quantile=0.5, alpha=0, solver="highs").fit(X, y, sample_weight=1 / y)
    model = ours("percentage_error", alpha=0, tol=1e-8).fit(X, y)
    assert_allclose(model.objective_value_, value(model, X, y, program.coef_, program.intercept_), rtol=1e-8)
    assert_allclose(model.coef_, program.coef_, atol=1e-5 * np.abs(program.coef_).max())
    negative = ours("percentage_error", alpha=0, tol=1e-8).fit(X, -y)
    assert_allclose(negative.objective_value_, model.objective_value_, rtol=1e-8)


# Support vector regression


@pytest.mark.parametrize("epsilon", [0.0, 5.0, 40.0])
@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("epsilon_insensitive", EpsilonInsensitive),
        ("squared_epsilon_insensitive", SquaredEpsilonInsensitive),
    ],
)
def test_epsilon_insensitive_is_liblinear(name, loss, epsilon):
    X, y = data()
    y, C = y - y.mean(), 0.1
    svr = LinearSVR(
        C=C, loss=name, epsilon=epsilon, fit_intercept=False, tol=1e-10, max_iter=1_000_000, random_state=0
    ).fit(X, y)
    model = ours(loss(epsilon), alpha=1 / (C * len(y)), fit_intercept=False, tol=1e-9).fit(X, y)
    assert_allclose(model.objective_value_, value(model, X, y, svr.coef_, 0.0), rtol=1e-7)
    assert_allclose(model.coef_, svr.coef_, atol=1e-3 * np.abs(svr.coef_).max())


# Generalised linear models


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 0.1, 10.0])
@pytest.mark.parametrize(
    ("loss", "peer"),
    [
        ("poisson", PoissonRegressor()),
        ("gamma", GammaRegressor()),
        (Tweedie(power=1.5), TweedieRegressor(power=1.5, link="log")),
        (Tweedie(power=1.9), TweedieRegressor(power=1.9, link="log")),
        (Tweedie(power=1), PoissonRegressor()),
        (Tweedie(power=2), GammaRegressor()),
    ],
    ids=str,
)
def test_generalised_linear_models(loss, peer, alpha, weighted):
    X, y = data()
    weights = weights_of(y) if weighted else None
    peer = clone(peer).set_params(alpha=alpha, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    peer.fit(X, y, sample_weight=weights)
    model = ours(loss, alpha=alpha).fit(X, y, sample_weight=weights)
    assert_same_model(model, peer)
    assert_allclose(model.predict(X), peer.predict(X), rtol=1e-6)


def test_poisson_with_zeros():
    X, y = data()
    counts = np.random.RandomState(0).poisson(0.3, size=len(y))
    peer = PoissonRegressor(alpha=0.01, solver="newton-cholesky", tol=1e-10).fit(X, counts)
    assert_same_model(ours("poisson", alpha=0.01).fit(X, counts), peer)


# Robust regression at a fixed scale


def test_huber_is_statsmodels_at_its_scale():
    data_set = sm.datasets.stackloss.load()
    X, y = np.asarray(data_set.exog), np.asarray(data_set.endog)
    found = sm.RLM(y, sm.add_constant(X), M=sm.robust.norms.HuberT()).fit(update_scale=False, tol=1e-12, maxiter=1000)
    model = ours(Huber(delta=1.345 * found.scale), alpha=0, tol=1e-12).fit(X, y)
    assert_allclose([model.intercept_, *model.coef_], found.params, rtol=1e-5)


def test_huber_ends_at_squares_and_at_medians():
    X, y = data()
    squares = ours("squared_error", alpha=0).fit(X, y)
    assert_same_model(ours(Huber(delta=1e6), alpha=0).fit(X, y), squares)
    median = ours("absolute_error", alpha=0, tol=1e-8).fit(X, y)
    narrow = ours(Huber(delta=1e-3), alpha=0, tol=1e-8).fit(X, y)
    assert_allclose(narrow.predict(X), median.predict(X), rtol=1e-3)


# y of any scale, X with nothing to say


def rescaled(loss, factor):
    """A loss for targets times ``factor``, and what it makes of a loss value."""
    for name in ("delta", "epsilon"):
        if hasattr(loss, name):
            loss = type(loss)(**{name: getattr(loss, name) * 40 * factor})
    squares = type(loss).__name__ in ("SquaredError", "SquaredEpsilonInsensitive", "Huber")
    return loss, factor**2 if squares else factor


@pytest.mark.parametrize("factor", [1e-8, 1e6, 1e12])
@pytest.mark.parametrize(
    "name", ["squared_error", "absolute_error", "huber", "rmse", "quantile", "epsilon_insensitive", "mape"]
)
def test_targets_of_any_scale(name, factor):
    X, y = data()
    models = []
    for scale in (1.0, factor):
        loss, size = rescaled(get_loss(name), scale)
        alpha = 0.1 * size / scale**2 if name != "mape" else 0.1 / scale**2
        models.append(ours(loss, alpha=alpha, tol=1e-9).fit(X, y * scale))
        stated = value(models[-1], X, y * scale, models[-1].coef_, models[-1].intercept_)
        assert_allclose(models[-1].objective_value_, stated, rtol=1e-9)
    usual, other = models
    assert_allclose(other.coef_ / factor, usual.coef_, atol=1e-5 * np.abs(usual.coef_).max())
    assert_allclose(other.intercept_ / factor, usual.intercept_, rtol=1e-5)


@every_loss
@pytest.mark.parametrize("constant", [1.0, 3e-8, 5e12])
def test_constant_targets(loss, constant):
    X, _ = data()
    model = ours(loss, tol=1e-6).fit(X, np.full(len(X), constant))
    assert_allclose(model.predict(X), constant, rtol=1e-6, atol=getattr(loss, "epsilon", 0))


@pytest.mark.parametrize("outlier", [1e6, 1e9, 1e15])
@pytest.mark.parametrize(
    "loss",
    ["absolute_error", "epsilon_insensitive", "quantile", "mape", "log_cosh", Huber(delta=10.0)],
    ids=str,
)
def test_an_outlier_is_no_obstacle(loss, outlier):
    X, y = data()
    y = np.where(np.arange(len(y)) == 7, outlier, y)
    model = LinearRegressor(loss, alpha=0).fit(X, y)
    without = LinearRegressor(loss, alpha=0).fit(np.delete(X, 7, axis=0), np.delete(y, 7))
    assert model.objective_value_ <= value(model, X, y, without.coef_, without.intercept_) * (1 + 2e-6)


@pytest.mark.parametrize("loss", ["absolute_error", "epsilon_insensitive", Huber(delta=10.0)], ids=str)
def test_bounded_slopes_do_not_see_how_far_an_outlier_is(loss):
    X, y = data()
    y = y.copy()
    y[7] = 1000.0
    near = ours(loss, alpha=0, tol=1e-9).fit(X, y)
    y[7] = 1e6
    far = ours(loss, alpha=0, tol=1e-12).fit(X, y)  # tol is relative to F, which the outlier rules
    assert_allclose(far.coef_, near.coef_, atol=1e-3 * np.abs(near.coef_).max())


@every_loss
def test_a_constant_column_gets_exactly_zero(loss):
    X, y = data()
    wide = np.column_stack([X[:, :4], np.full(len(X), 7.3), np.zeros(len(X)), X[:, 4:]])
    model = ours(loss, alpha=0.1, tol=1e-9).fit(wide, y)
    assert_array_equal(model.coef_[4:6], 0.0)
    narrow = ours(loss, alpha=0.1, tol=1e-9).fit(X, y)
    assert_allclose(np.delete(model.coef_, [4, 5]), narrow.coef_, atol=1e-4 * np.abs(narrow.coef_).max())


# What any weighted mean has to satisfy


@every_loss
def test_weights_are_repetitions(loss):
    X, y = data()
    counts = np.random.RandomState(0).randint(0, 4, size=len(y))
    weighted = ours(loss, alpha=0.1, tol=1e-9).fit(X, y, sample_weight=counts)
    repeated = ours(loss, alpha=0.1, tol=1e-9).fit(X.repeat(counts, axis=0), y.repeat(counts))
    assert_allclose(weighted.objective_value_, repeated.objective_value_, rtol=1e-8)
    assert_allclose(weighted.coef_, repeated.coef_, atol=1e-4 * np.abs(repeated.coef_).max())


@every_loss
def test_sparse_and_float32(loss):
    X, y = data()
    X = np.where(X > 0, X, 0).astype(np.float32)
    dense, single, thin = (
        LinearRegressor(loss, alpha=0.1, tol=1e-8).fit(rows, y)
        for rows in (X.astype(np.float64), X, sparse.csr_array(X))
    )
    size = np.abs(dense.coef_).max()
    for model in (single, thin):
        assert model.coef_.dtype == model.intercept_.dtype == model.predict(X).dtype == np.float32
        assert_allclose(model.coef_, dense.coef_, atol=1e-3 * size)
        assert_allclose(model.predict(X), dense.predict(X), rtol=1e-3)


@every_loss
def test_the_dual_gap_bounds_what_is_left(loss):
    X, y = data()
    rough, exact = (ours(loss, alpha=0.1, tol=tol).fit(X, y) for tol in (1e-3, 1e-9))
    left = rough.objective_value_ - exact.objective_value_
    size = exact.objective_value_
    convex = loss.on_scores(loss.own_link("values")).convex
    assert np.isfinite(rough.dual_gap_) == convex
    if convex:
        assert -1e-11 * size <= left <= rough.dual_gap_ + 1e-11 * size
        assert rough.dual_gap_ <= 1e-3 * rough.objective_value_
    assert 0 < rough.result_.n_passes <= exact.result_.n_passes


@every_loss
def test_shapes_and_score(loss):
    X, y = data()
    model = LinearRegressor(loss).fit(X, y)
    assert model.coef_.shape == (X.shape[1],)
    assert isinstance(model.intercept_, float)
    assert isinstance(model.n_iter_, int)
    assert model.predict(X).shape == y.shape
    assert model.score(X, y) == r2_score(y, model.predict(X))
    assert model.score(X, y) > 0.1
    assert not hasattr(model, "decision_function")


def test_predictions_of_log_links_are_means():
    X, y = data()
    model = ours("poisson", alpha=0).fit(X, y)
    assert_allclose(model.predict(X), np.exp(X @ model.coef_ + model.intercept_))
    assert_allclose(model.predict(X).mean(), y.mean())


@pytest.mark.parametrize("loss", ["squared_error", "quantile", "gamma"])
def test_warm_start_continues(loss):
    X, y = data()
    model = ours(loss, alpha=0.1, warm_start=True, tol=1e-6)
    cold = model.fit(X, y).result_.n_passes
    first = model.objective_value_
    again = model.fit(X, y)
    assert again.objective_value_ <= first * (1 + 1e-12)
    assert again.result_.n_passes <= cold or loss == "quantile"  # the exact solver starts its duals afresh


@pytest.mark.parametrize("seed", [4, 6, 9, 21])
def test_scores_at_the_moved_kinks_of_outliers_are_not_taken_for_a_solution(seed):
    random = np.random.RandomState(seed)
    X = random.standard_t(1.2, (300, 5))
    line = X @ random.normal(size=5) * 0.01
    noise = random.choice([0, 0.05], 300) * random.normal(size=300) / 2
    y = np.clip(line + noise, line - 0.0999, line + 0.0999)
    assert LinearRegressor("epsilon_insensitive", alpha=0).fit(X, y).objective_value_ < 1e-15


@pytest.mark.parametrize(
    ("shape", "alpha", "seed"), [((200, 300), 0.1, 72), ((200, 300), 0.01, 10), ((8, 50), 0.01, 200)]
)
def test_an_interpolating_root_mean_squared_error_ends_in_few_steps(shape, alpha, seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=shape)
    y = X @ random.normal(size=shape[1]) / np.sqrt(shape[1])
    model = LinearRegressor("rmse", alpha=alpha).fit(X, y)
    assert model.n_iter_ < 300
    assert model.dual_gap_ <= 1e-6 * model.objective_value_
