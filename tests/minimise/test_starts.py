"""No fit is worse than where it could have started, and a bad start is as good as none."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sklearn_losses import (
    CosineClassifier,
    Hinge,
    Huber,
    LinearRegressor,
    LogCosh,
    LogisticRegressor,
    Loss,
    Quantile,
    SoftmaxClassifier,
)
from sklearn_losses.activations import Identity
from sklearn_losses.minimise.null import Null
from sklearn_losses.minimise.starts import companion
from sklearn_losses.minimise.task import Task

CLASSIFICATION = ("ce", "squared_hinge", "exponential", "hinge")
REGRESSION = ("squared_error", "huber", "log_cosh", "poisson", "gamma", "absolute_error", "rmse")


def data(regression, seed=0, classes=2):
    random = np.random.default_rng(seed)
    X = random.normal(size=(80, 3))
    scores = X @ random.normal(size=(3, classes)) + random.normal(size=(80, classes))
    return X, np.exp(0.3 * scores[:, 0]) if regression else scores.argmax(axis=1)


def value_of(model, X, y):
    objective = model.objective(X, y)
    return objective.value(objective.pack(model.coef_, model.intercept_))


def fitted(model, *data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*data)


CHANGES = {
    "units": lambda X, y: (1e6 * X, y),
    "small units": lambda X, y: (1e-9 * X, y),
    "shifted": lambda X, y: (X + 1e4, y),
    "signs": lambda X, y: (-X, y),
    "targets": lambda X, y: (X, y if y.dtype.kind == "i" else 1e3 * y + 30),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("loss", [*CLASSIFICATION, *REGRESSION])
def test_a_refit_on_other_rows_is_as_good_as_a_cold_fit(loss, change):
    kind = LinearRegressor if loss in REGRESSION else SoftmaxClassifier
    X, y = data(loss in REGRESSION, classes=3)
    other = CHANGES[change](X, y)
    cold = fitted(kind(loss, alpha=1e-3), *other)
    model = fitted(fitted(kind(loss, alpha=1e-3, warm_start=True), X, y), *other)
    assert model.objective_value_ <= cold.objective_value_ * (1 + 3e-6)
    assert model.dual_gap_ >= model.objective_value_ - cold.objective_value_ - 1e-9 * abs(cold.objective_value_)


@pytest.mark.parametrize("solver", ["auto", "gradient-descent", "L-BFGS-B", "Nelder-Mead"])
@pytest.mark.parametrize("loss", ["ce", "mse", "focal", "log_cosh", "poisson", "huber"])
@pytest.mark.parametrize("max_iter", [1, 3])
def test_never_above_the_start(loss, solver, max_iter):
    regression = loss in REGRESSION
    X, y = data(regression)
    y = y if regression else (y & (np.arange(len(y)) % 3 == 0)).astype(int)  # one in six, so that zero is no constant
    model = (LinearRegressor if regression else LogisticRegressor)(loss, alpha=1e-3, solver=solver, max_iter=max_iter)
    fitted(model, X, y)
    objective = model.objective(X, y)
    assert model.objective_value_ == pytest.approx(value_of(model, X, y), rel=1e-12)
    assert model.objective_value_ <= objective.value(np.zeros(4)) * (1 + 1e-12)
    warm = fitted(
        fitted(model.set_params(max_iter=100, solver="auto"), X, y).set_params(
            warm_start=True, max_iter=max_iter, solver=solver
        ),
        X,
        y,
    )
    best = warm.objective_value_
    assert fitted(warm, X, y).objective_value_ <= best * (1 + 1e-12)


@pytest.mark.parametrize("loss", ["ce", "squared_hinge", "exponential", "log_cosh", "squared_error", "gamma"])
def test_the_null_model_is_the_best_constant(loss):
    regression = loss in REGRESSION
    X, y = data(regression, classes=3)
    kind = LinearRegressor if regression else SoftmaxClassifier
    best = kind(loss, tol=1e-12).fit(np.zeros((80, 1)), y)
    objective = kind(loss).objective(X, y)
    activation = Identity()  # which a null model does not ask for
    null = Null(Task(objective, activation, "values" if regression else "scores", 1e-6, 10, 0))
    if loss == "ce":
        null = Null(Task(objective, activation, "probabilities", 1e-6, 10, 0))
    assert null.value == pytest.approx(best.objective_value_, rel=1e-9)
    assert null.value == pytest.approx(objective.value(null.theta), rel=1e-12)


@pytest.mark.parametrize("solver", ["auto", "L-BFGS-B", "TNC", "trust-ncg", "Nelder-Mead"])
@pytest.mark.parametrize("max_iter", [1, 2, 5, 40])
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegressor("mse"),
        SoftmaxClassifier("focal"),
        LinearRegressor(Huber(delta=1e-3)),
        CosineClassifier("arcface"),
        CosineClassifier("sphereface"),
    ],
)
def test_max_iter_holds_for_the_starts_too(model, max_iter, solver):
    X, y = data(isinstance(model, LinearRegressor), classes=2 if isinstance(model, LogisticRegressor) else 3)
    model = fitted(clone(model).set_params(solver=solver, max_iter=max_iter), X, y)
    assert 1 <= model.n_iter_ <= max_iter


@pytest.mark.parametrize("max_iter", [1, 3, 5, 8])
@pytest.mark.parametrize("alpha", [1e-2, 1e-6])
@pytest.mark.parametrize("loss", ["mae", "rmse", Quantile(0.2)])
@pytest.mark.parametrize("shape", [(400, 60), (30, 80)])
def test_max_iter_holds_for_all_phases(loss, shape, alpha, max_iter):
    random = np.random.default_rng(0)
    X = random.normal(size=shape) * (random.random(shape) < 0.1)
    y = X @ random.normal(size=shape[1]) + random.normal(size=shape[0])
    model = fitted(LinearRegressor(loss, alpha=alpha, max_iter=max_iter), csr_array(X), y)
    assert model.n_iter_ <= max_iter


def test_the_trace_of_gradient_descent_begins_at_the_null_model():
    X, y = data(False)
    y = y & (np.arange(80) % 2)
    model = fitted(LogisticRegressor(solver="gradient-descent", max_iter=3), X, y)
    share = y.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert model.result_.trace["value"][0] == pytest.approx(entropy, rel=1e-9)


class Tilted(Loss):
    """Straight lines of slopes -1 and 3 around a core of width one."""

    domain = "values"
    convex = True

    def value(self, y, prediction):
        error = prediction - y
        return error + 2.0 * np.logaddexp(error, -error)

    def gradient(self, y, prediction):
        return 1.0 + 2.0 * np.tanh(prediction - y)


@pytest.mark.parametrize(
    ("loss", "unit", "expected"),
    [
        (Huber(1.0), 1.0, None),
        (Huber(1.0), 1e3, "AbsoluteError()"),
        (LogCosh(), 1e4, "AbsoluteError()"),
        ("squared_error", 1e6, None),
        (Tilted(), 1e3, "Quantile(quantile=0.25)"),
    ],
)
def test_losses_of_straight_lines_start_from_these(loss, unit, expected):
    X, y = data(True)
    objective = LinearRegressor(loss).objective(X, unit * y)
    found = companion(Task(objective, Identity(), "values", 1e-6, 10, 0))
    assert found is None if expected is None else repr(found) == expected
    assert not isinstance(found, Quantile) or found.quantile == pytest.approx(0.25)


@pytest.mark.parametrize("loss", ["ce", "mse", "gce"])
def test_separable_rows_without_a_penalty_end(loss):
    random = np.random.default_rng(0)
    X, y = random.normal(size=(50, 300)), random.integers(0, 3, 50)
    model = fitted(SoftmaxClassifier(loss, alpha=0), X, y)
    assert model.n_iter_ < 100
    assert (model.predict(X) == y).all()


@pytest.mark.parametrize(
    ("loss", "seed"), [("squared_hinge", 1), ("modified_huber", 3), ("squared_hinge", 6), ("modified_huber", 6)]
)
def test_separable_classes_are_learnt_to_the_end_where_that_exists(loss, seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(31, 12)), random.integers(0, 6, 31)
    found = SoftmaxClassifier(loss, alpha=0.0).fit(X[:25], y[:25])
    assert found.objective_value_ < 1e-15


@pytest.mark.parametrize("loss", ["mse", "focal"])
@pytest.mark.parametrize("weight", [1.0, 1e8, 2e13])
def test_the_value_of_shares_is_that_of_the_model_however_rare_a_class_is(loss, weight):
    X, y, weights = np.array([[0.04], [0.4]]), [0, 1], [1.0, weight]
    model = fitted(LogisticRegressor(loss, alpha=1e-4), X, y, weights)
    objective = model.objective(X, y, weights)
    value = objective.value(objective.pack(model.coef_, model.intercept_))
    assert model.objective_value_ == pytest.approx(value, rel=1e-9, abs=0)


@pytest.mark.parametrize("multiclass", ["weston-watkins", "crammer-singer"])
def test_soft_labels_of_joint_hinges_have_a_best_constant_too(multiclass):
    random = np.random.default_rng(0)
    X, weights = random.normal(size=(12, 3)), np.where(np.arange(12) == 5, 5e3, 1.0)
    soft = random.dirichlet(np.ones(4), 12)
    soft[5] = [0.9, 0.1, 0.0, 0.0]
    model = SoftmaxClassifier(Hinge(multiclass), alpha=1e-3, max_iter=1, solver="gradient-descent")
    fitted(model, X, soft.argmax(axis=1), weights, soft)
    exact = SoftmaxClassifier(Hinge(multiclass), alpha=1e9).fit(X, soft.argmax(axis=1), weights, soft)
    assert model.objective_value_ <= exact.objective_value_ * (1 + 1e-9)
