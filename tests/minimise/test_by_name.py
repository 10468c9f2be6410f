"""Every way to name a solver, and the objective for those who bring an optimiser of their own."""

from functools import cache, partial
from importlib.metadata import version

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import OptimizeResult, approx_fprime, check_grad, minimize
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.solvers import gradient_descent, newton, quasi_newton, truncated_newton

WITH_GRADIENTS = ("CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP")
WITH_CURVATURE = ("Newton-CG", "trust-ncg", "trust-krylov", "trust-constr", "dogleg", "trust-exact")
WITH_VALUES = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
INSTALLED = tuple(map(int, version("scipy").split(".")[:2]))


@cache
def data(name):
    X, y = {"binary": load_breast_cancer, "joint": load_iris, "values": load_diabetes}[name](return_X_y=True)
    return scale(X)[:, :4], y


PROBLEMS = {
    "binary": LogisticRegressor(alpha=0.01),
    "joint": SoftmaxClassifier(alpha=0.01),
    "margin": LogisticRegressor("squared_hinge", alpha=0.01),
    "values": LinearRegressor("log_cosh", alpha=0.01),
    "log link": LinearRegressor("poisson", alpha=0.01),
}


def problem(name):
    domain = {"margin": "binary", "log link": "values"}.get(name, name)
    return clone(PROBLEMS[name]), *data(domain)


every_problem = pytest.mark.parametrize("name", PROBLEMS)


@every_problem
@pytest.mark.parametrize("solver", WITH_GRADIENTS + WITH_CURVATURE)
def test_methods_of_scipy_reach_the_certified_optimum(solver, name):
    model, X, y = problem(name)
    best = clone(model).set_params(tol=1e-10).fit(X, y)
    for spelling in (solver, solver.lower()):
        model.set_params(solver=spelling, tol=1e-6).fit(X, y)
        assert model.dual_gap_ <= 1e-6 * model.objective_value_
        assert_allclose(model.objective_value_, best.objective_value_, rtol=1e-6)
    assert model.result_.n_passes > 0
    assert 1 <= model.n_iter_ <= 1000
    assert_array_equal(model.result_.x, model.objective(X, y).pack(model.coef_, model.intercept_))


@pytest.mark.parametrize("solver", WITH_VALUES)
def test_methods_without_gradients(solver):
    model, X, y = problem("binary")
    X = X[:, :2]
    best = clone(model).set_params(tol=1e-10).fit(X, y)
    model.set_params(solver=solver, tol=1e-4)
    if solver == "COBYQA" and INSTALLED < (1, 14):
        with pytest.raises(ValueError, match="The installed SciPy has no method 'COBYQA'"):
            model.fit(X, y)
    else:
        model.fit(X, y)
        assert model.dual_gap_ <= 1e-4 * model.objective_value_
        assert_allclose(model.objective_value_, best.objective_value_, rtol=1e-4)


@pytest.mark.parametrize("max_iter", [1, 2, 5])
@pytest.mark.parametrize("solver", WITH_GRADIENTS + WITH_CURVATURE + WITH_VALUES)
def test_every_method_keeps_to_max_iter_and_says_so(solver, max_iter):
    model, X, y = problem("binary")
    model.set_params(solver=solver, max_iter=max_iter, tol=1e-14)
    if solver == "COBYQA" and INSTALLED < (1, 14):
        with pytest.raises(ValueError, match="The installed SciPy has no method 'COBYQA'"):
            model.fit(X, y)
    else:
        with pytest.warns(ConvergenceWarning, match=r"Increase max_iter or tol\.$") as caught:
            model.fit(X, y)
        assert len(caught) == 1
        assert model.n_iter_ <= max_iter


@pytest.mark.parametrize("solver", WITH_GRADIENTS + WITH_CURVATURE)
@pytest.mark.parametrize("loss", ["mse", "focal"])
def test_methods_on_losses_that_are_not_convex(solver, loss):
    X, y = data("binary")
    model = LogisticRegressor(loss, alpha=0.01, solver=solver)
    if solver == "dogleg":
        with pytest.raises(ValueError, match=r"'dogleg' needs a positive definite Hessian.*not convex"):
            model.fit(X, y)
    else:
        best = LogisticRegressor(loss, alpha=0.01, tol=1e-10).fit(X, y)
        model.fit(X, y)
        assert np.isnan(model.dual_gap_)
        assert_allclose(model.objective_value_, best.objective_value_, rtol=1e-5)


@pytest.mark.parametrize("solver", WITH_GRADIENTS)
def test_a_kink_is_admitted(solver):
    X, y = data("binary")
    model = LogisticRegressor("hinge", alpha=0.01, solver=solver, max_iter=300)
    best = LogisticRegressor("hinge", alpha=0.01, tol=1e-9).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="without reaching tol"):
        model.fit(X, y)
    assert_allclose(model.objective_value_, best.objective_value_, rtol=0.1)
    assert model.objective_value_ >= best.objective_value_ * (1 - 1e-9)


@pytest.mark.parametrize("name", ["binary", "joint", "margin"])
def test_gradient_descent(name):
    model, X, y = problem(name)
    best = clone(model).fit(X, y)
    found = model.set_params(solver="gradient-descent", tol=1e-4, max_iter=10_000).fit(X, y)
    assert found.dual_gap_ <= 1e-4 * found.objective_value_
    assert_allclose(found.objective_value_, best.objective_value_, rtol=1e-4)
    trace = found.result_.trace
    assert len(trace["value"]) == len(trace["gradient_norm"]) == found.n_iter_ + 1
    assert (np.diff(trace["value"]) <= 0).all()
    assert trace["value"][0] <= model.objective(X, y).value(np.zeros(len(found.result_.x))) * (1 + 1e-12)


def test_fixed_steps():
    model, X, y = problem("binary")
    steps = partial(gradient_descent, step_size=0.5, backtracking=False)
    with pytest.warns(ConvergenceWarning, match="20 iterations"):
        model.set_params(solver=steps, max_iter=20).fit(X, y)
    objective = model.objective(X, y)
    theta = np.zeros(objective.n_parameters)
    theta[-1] = np.log(np.mean(y) / (1 - np.mean(y)))  # the model without features
    values = []
    for _ in range(21):
        value, gradient = objective.value_and_gradient(theta)
        values.append(value)
        theta = theta - 0.5 * gradient
    assert_allclose(model.result_.trace["value"], values, rtol=1e-9)


@pytest.mark.parametrize("solver", [newton, quasi_newton, truncated_newton], ids=lambda solver: solver.__name__)
@every_problem
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # on their own they have no bound
def test_our_solvers_as_callables(solver, name):
    model, X, y = problem(name)
    best = clone(model).set_params(tol=1e-10).fit(X, y)
    found = model.set_params(solver=solver, tol=1e-8).fit(X, y)
    assert_allclose(found.objective_value_, best.objective_value_, rtol=1e-6)


def test_a_minimiser_of_ones_own():
    seen = {}

    def own(fun, x0, args=(), *, jac, hess, hessp, callback, maxiter, tol, **unknown):
        seen.update(maxiter=maxiter, tol=tol, start=x0.copy())
        x = x0
        for _ in range(20):
            x = x - np.linalg.lstsq(hess(x), jac(x), rcond=None)[0]  # a common shift of all classes is free
            callback(OptimizeResult(x=x, fun=fun(x)))
        return OptimizeResult(x=x, fun=fun(x), jac=jac(x), nit=20, success=True, status=0, message="done")

    model, X, y = problem("joint")
    found = model.set_params(solver=own, max_iter=77, tol=1e-5).fit(X, y)
    best = clone(model).set_params(solver="auto", tol=1e-10).fit(X, y)
    assert seen["maxiter"] == 77
    assert seen["tol"] == 1e-5
    assert_array_equal(seen["start"], 0)
    assert_allclose(found.objective_value_, best.objective_value_, rtol=1e-8)
    assert found.n_iter_ == 20
    assert found.result_.message == "done"


def test_a_minimiser_that_claims_too_much_beside_columns_that_say_nothing():
    def lazy(fun, x0, args=(), **options):
        x = np.array([1e-4, 0.5 * best.coef_[1], 0.5 * best.intercept_ + 1.0 - 1e5])
        return OptimizeResult(x=x, fun=fun(x), nit=1, success=True, status=0, message="done")

    X, y = np.column_stack([np.full(40, 1e9), np.arange(40) % 7]), np.arange(40) % 5
    best = LinearRegressor("log_cosh", alpha=0).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="without reaching tol"):
        model = LinearRegressor("log_cosh", alpha=0, solver=lazy).fit(X, y)
    assert_allclose(model.coef_[0], 1e-4)


def test_a_minimiser_that_claims_too_much():
    def lazy(fun, x0, args=(), **options):
        return OptimizeResult(x=x0, fun=fun(x0), nit=1, success=True, status=0, message="perfect")

    model, X, y = problem("binary")
    with pytest.warns(ConvergenceWarning, match=r"F - min F is at most .*The solver says: perfect"):
        model.set_params(solver=lazy).fit(X, y)


# The objective in public


@pytest.mark.parametrize("case", cases.TRAINABLE, ids=str)
@pytest.mark.parametrize("domain", ["binary", "joint", "values"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_derivatives_of_the_objective(case, domain, fit_intercept):
    estimator = {"binary": LogisticRegressor, "joint": SoftmaxClassifier, "values": LinearRegressor}[domain]
    fits = "values" in case.domains if domain == "values" else {"probabilities", "scores"} & set(case.domains)
    X, y = data(domain)
    X = X[::5]
    y = y[::5] / 100 if domain == "values" else y[::5]
    if not fits:
        with pytest.raises(ValueError, match="is defined on"):
            estimator(case.loss).objective(X, y)
    else:
        weights = np.random.RandomState(1).uniform(size=len(y))
        model = estimator(case.loss, alpha=0.1, fit_intercept=fit_intercept)
        objective = model.objective(X, y, sample_weight=weights)
        n_outputs = {"binary": 1, "joint": 3, "values": 1}[domain]
        assert objective.n_parameters == n_outputs * (4 + fit_intercept)
        theta, v = np.random.RandomState(2).normal(scale=0.3, size=(2, objective.n_parameters))
        value, gradient = objective.value_and_gradient(theta)
        assert value == objective.value(theta)
        error = check_grad(objective.value, lambda t: objective.value_and_gradient(t)[1], theta, epsilon=1e-7)
        assert error <= 1e-5 * max(1.0, np.abs(gradient).max())
        if objective.composition.has_curvature and case.loss.smooth:
            step = 1e-5 * v
            change = objective.value_and_gradient(theta + step)[1] - objective.value_and_gradient(theta - step)[1]
            expected = change / 2e-5
            assert_allclose(objective.hessian_product(theta, v), expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["binary", "joint", "values"])
def test_pack_and_unpack(name):
    model, X, y = problem(name)
    model.fit(X, y)
    objective = model.objective(X, y)
    theta = objective.pack(model.coef_, model.intercept_)
    coef, intercept = objective.unpack(theta)
    assert_array_equal(coef, model.coef_)
    assert_array_equal(intercept, model.intercept_)
    assert np.shape(intercept) == np.shape(model.intercept_)
    assert_allclose(objective.value(theta), model.objective_value_, rtol=1e-12)
    with pytest.raises(ValueError, match="theta must have shape"):
        objective.value(theta[1:])
    with pytest.raises(ValueError, match="coef must hold"):
        objective.pack(np.ones(77))


@pytest.mark.parametrize("name", ["binary", "joint", "values"])
def test_the_objective_is_the_formula(name):
    model, X, y = problem(name)
    weights = np.random.RandomState(0).uniform(size=len(y))
    objective = model.set_params(alpha=0.3).objective(X, y, sample_weight=weights)
    theta = np.random.RandomState(0).normal(size=objective.n_parameters)
    coef, intercept = objective.unpack(theta)
    scores = X @ np.atleast_2d(coef).T + intercept
    if name == "values":
        loss = np.log(np.cosh(scores[:, 0] - y))
    else:
        scores = np.hstack([np.zeros_like(scores), scores]) if scores.shape[1] == 1 else scores
        loss = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]
    expected = weights @ loss / weights.sum() + 0.15 * np.sum(coef**2)
    assert_allclose(objective.value(theta), expected, rtol=1e-12)


def test_any_optimiser_can_have_it():
    model, X, y = problem("joint")
    objective = model.objective(X, y)
    found = minimize(
        objective.value_and_gradient,
        np.zeros(objective.n_parameters),
        jac=True,
        hessp=objective.hessian_product,
        method="trust-ncg",
        options={"gtol": 1e-10},
    )
    coef, intercept = objective.unpack(found.x)
    best = model.set_params(tol=1e-12).fit(X, y)
    assert_allclose(coef, best.coef_, atol=1e-6)
    assert_allclose(intercept - intercept.mean(), best.intercept_, atol=1e-6)
    assert_allclose(approx_fprime(found.x, objective.value), 0, atol=1e-6)


def test_objective_refuses_what_fit_refuses_and_sets_nothing():
    model, X, y = problem("binary")
    before = vars(model).copy()
    model.objective(X, y)
    assert vars(model) == before
    with pytest.raises(ValueError, match="Negative values in sample_weight"):
        model.objective(X, y, sample_weight=-np.ones(len(y)))
