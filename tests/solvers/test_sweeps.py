"""Sweeps on plain data: against a naive loop, against other libraries, by their gaps, and on awkward rows."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.svm import SVC, LinearSVC

from sklearn_losses.solvers import newton_sweeps, sweeps
from sklearn_losses.solvers.row_sweeps import duals
from sklearn_losses.solvers.row_sweeps.compiled import sweep

CONVERGED, MAXITER, NOT_FINITE, CALLBACK = 0, 1, 4, 99


def sparse_rows(n_rows=60, n_columns=80, density=0.1, seed=0):
    """Random rows, two of them without entries, and the signs of a noisy linear score."""
    random = np.random.default_rng(seed)
    X = sp.random(
        n_rows, n_columns, density, format="lil", random_state=random, data_rvs=lambda n: random.normal(size=n)
    )
    X[[3, n_rows - 1]] = 0.0
    X = sp.csr_array(X.tocsr())
    score = X @ random.normal(size=n_columns) + 0.7
    return X, np.where(score + random.logistic(size=n_rows) > 0.0, 1.0, -1.0)


@dataclass
class Boxed:
    """Losses for `sweeps`: max over low <= a <= high of a (z - kink) - width a^2 / 2."""

    kinks: np.ndarray
    low: np.ndarray
    high: np.ndarray
    width: float = 0.0

    def slopes(self, z):
        if self.width == 0.0:
            return np.where(z > self.kinks, self.high, self.low)
        return np.clip((z - self.kinks) / self.width, self.low, self.high)

    def value(self, z):
        slopes = self.slopes(z)
        return slopes * (z - self.kinks) - 0.5 * self.width * slopes**2

    def conjugate(self, a):
        return a * self.kinks + 0.5 * self.width * a**2

    def take(self, rows):
        return Boxed(self.kinks[rows], self.low[rows], self.high[rows], self.width)


def boxed(name, y):
    """A loss by its name, for labels or numbers y."""
    one = np.ones(len(y))
    inf = np.full(len(y), np.inf)
    return {
        "hinge": Boxed(y, np.minimum(-y, 0.0), np.maximum(-y, 0.0)),
        "squared_hinge": Boxed(y, np.where(y > 0, -inf, 0.0), np.where(y > 0, 0.0, inf), 0.5),
        "modified_huber": Boxed(y, np.where(y > 0, -4.0, 0.0), np.where(y > 0, 0.0, 4.0), 0.5),
        "quantile": Boxed(y, -0.8 * one, 0.2 * one),
        "absolute": Boxed(y, -one, one),
        "huber": Boxed(y, -one, one, 1.0),
        "squared": Boxed(y, -inf, inf, 1.0),
    }[name]


LOSSES = ("hinge", "squared_hinge", "modified_huber", "quantile", "absolute", "huber", "squared")


def gap_of(result):
    return result.dual_gap if "dual_gap" in result else result.estimate


def logistic(y):
    def losses(z):
        p = expit(-y * z)
        return np.logaddexp(0.0, -y * z), -y * p, p * (1.0 - p)

    return losses


def poisson(y):
    def losses(z):
        mean = np.exp(z)
        return mean - y * z, mean - y, mean

    return losses


@dataclass
class Problem:
    """What is minimised, and both solvers on it."""

    X: object
    loss: object
    penalty: object = 0.01
    weights: np.ndarray | None = None
    intercept: bool = False

    def __post_init__(self):
        n_rows = self.X.shape[0]
        weights = np.ones(n_rows) if self.weights is None else np.asarray(self.weights, dtype=float)
        self.s = weights / weights.sum()

    def solve(self, start=None, **options):
        own = isinstance(self.loss, Boxed)
        numbers = vars(self.loss) if own else {"losses": self.loss}
        options = {"rows": self.X, "weights": self.s, "penalty": self.penalty, "intercept": self.intercept} | options
        options = {"maxiter": 20_000} | options
        start = np.zeros(self.X.shape[1] + self.intercept) if start is None else start
        return minimize(None, start, method=sweeps if own else newton_sweeps, options=numbers | options)

    def scores(self, x):
        return self.X @ x[: self.X.shape[1]] + (x[-1] if self.intercept else 0.0)

    def value(self, x):
        z = self.scores(x)
        losses = self.loss.value(z) if isinstance(self.loss, Boxed) else self.loss(z)[0]
        return self.s @ losses + 0.5 * np.sum(self.penalty * x[: self.X.shape[1]] ** 2)

    def coef_of(self, dual):
        return -(self.X.T @ (self.s * dual)) / self.penalty

    def lower_bound(self, dual):
        """The value of the dual problem, written down as in a textbook."""
        w = self.coef_of(dual)
        return -(self.s @ self.loss.conjugate(dual)) - 0.5 * np.sum(self.penalty * w**2)


def naive_sweep(X, order, bend, offset, damping, low, high, step, dual, coef, bias, rate):
    """One row after the other, without any cleverness."""
    X, gap, pressure = X.toarray(), 0.0, np.zeros(len(dual))
    for i in order:
        residual = bend[i] * (X[i] @ coef + bias) - offset[i] - damping * dual[i]
        held = residual if dual[i] >= high[i] else -residual if dual[i] <= low[i] else -abs(residual)
        with np.errstate(divide="ignore"):
            best = np.clip(dual[i] + residual / damping, low[i], high[i]) - dual[i]
        gap += step[i] * (residual * best - 0.5 * damping * best**2) / bend[i]
        along = bend[i] * step[i] * (X[i] @ X[i] + rate) + damping
        new = np.clip(dual[i] + residual / along, low[i], high[i])
        coef -= step[i] * (new - dual[i]) * X[i]
        bias -= step[i] * (new - dual[i]) * rate
        dual[i], pressure[i] = new, held
    return gap, bias, pressure


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("damping", [1e-300, 0.5, 1.0])
def test_compiled_loop_is_the_naive_one(damping, index):
    random = np.random.default_rng(3)
    X, _ = sparse_rows()
    n = X.shape[0]
    bend, offset = random.uniform(0.1, 2.0, n), random.normal(size=n)
    low, high = -random.uniform(0.0, 1.0, n), random.uniform(0.0, 1.0, n)
    dual = np.clip(random.normal(size=n), low, high)
    coef, step = random.normal(size=X.shape[1]), random.uniform(0.0, 2.0, n)
    order = random.permutation(n)[: n - 7]
    others = bend, offset, damping, low, high, step
    expected_dual, expected_coef = dual.copy(), coef.copy()
    gap, bias, pressure = naive_sweep(X, order, *others, expected_dual, expected_coef, 0.3, 0.2)
    found = np.zeros(n)
    size = step * np.asarray(X.multiply(X).sum(axis=1)).ravel()
    arrays = X.indptr.astype(index), X.indices.astype(index), X.data
    answer = sweep(*arrays, order, *others, size, dual, coef, 0.3, 0.2, found)
    np.testing.assert_allclose(answer, (gap, bias), rtol=1e-12)
    np.testing.assert_allclose(dual, expected_dual, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(coef, expected_coef, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(found, pressure, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_gap_is_proved_by_the_dual(name, intercept):
    X, y = sparse_rows()
    weights = np.random.default_rng(1).uniform(0.2, 3.0, len(y))
    penalty = np.random.default_rng(2).uniform(0.003, 0.03, X.shape[1])
    problem = Problem(X, boxed(name, y), penalty, weights, intercept)
    result = problem.solve(tol=1e-9)
    assert (result.success, result.status) == (True, CONVERGED)
    dual, loss = result.dual, problem.loss
    assert ((dual >= loss.low) & (dual <= loss.high)).all()
    if intercept:
        assert abs(problem.s @ dual) <= 1e-15
    value = problem.value(result.x)
    assert result.fun == pytest.approx(value, rel=1e-12)
    proved = value - problem.lower_bound(dual)
    assert -1e-14 <= proved <= 1e-9 * value + 1e-14
    assert gap_of(result) == pytest.approx(proved, rel=1e-3, abs=1e-14)
    np.testing.assert_allclose(result.x[: X.shape[1]], problem.coef_of(dual), atol=1e-12)


@pytest.mark.parametrize("name", ["hinge", "squared_hinge", "huber"])
def test_limits_are_honest(name):
    X, y = sparse_rows(n_rows=100, n_columns=80)
    problem = Problem(X, boxed(name, y), 1e-3, intercept=True)
    best = problem.solve(tol=1e-10)
    for options in {"maxiter": 3}, {"max_passes": 4.0}:
        result = problem.solve(tol=1e-10, **options)
        assert (result.success, result.status) == (False, MAXITER)
        assert result.fun - best.fun <= gap_of(result)
        assert result.nit <= 4
        assert "limit" in result.message
    # the gap of duals whose sum is not zero proves nothing, and is not called a number
    early = problem.solve(tol=1e-10, maxiter=1, start=np.full(X.shape[1] + 1, 3.0))
    assert gap_of(early) == np.inf or abs(problem.s @ early.dual) <= 1e-15


@pytest.mark.parametrize("losses", [logistic, poisson])
@pytest.mark.parametrize("scale", [1e2, 1e4, 1e6])
def test_a_column_of_another_scale_is_no_proof(losses, scale):
    # duals of long rows are far from their best for long, and where every row is saturated no intercept is found
    X, y = sparse_rows(n_rows=100, n_columns=80)
    long = scale * np.random.default_rng(3).normal(size=(100, 1))
    targets = np.maximum(y, 0.0) if losses is poisson else y
    problem = Problem(sp.csr_array(sp.hstack([X, long])), losses(targets), 1e-3, intercept=True)
    with np.errstate(over="ignore"):
        result = problem.solve(tol=1e-6, max_passes=100.0)
    assert np.isfinite(result.fun)
    assert result.fun <= result.estimate or result.success
    if result.success:
        assert result.fun <= problem.solve(tol=1e-9, maxiter=200_000).fun * (1.0 + 2e-6)


@pytest.mark.parametrize("name", ["hinge", "squared_hinge", logistic])
def test_goes_on_from_a_dual(name):
    X, y = sparse_rows(n_rows=400, n_columns=60)
    loss = boxed(name, y) if isinstance(name, str) else name(y)
    problem = Problem(X, loss, 1e-3, intercept=True)
    cold = problem.solve(tol=1e-10)
    warm = problem.solve(cold.x, dual=cold.dual, tol=1e-8)
    assert warm.success
    assert warm.nit <= 2 < 10 * cold.nit
    np.testing.assert_allclose(warm.x, cold.x, atol=1e-4)


def test_hinge_with_intercept_against_libsvm():
    X, y = sparse_rows()
    weights = np.random.default_rng(4).uniform(0.5, 2.0, len(y))
    problem = Problem(X, boxed("hinge", y), 0.02, weights, True)
    result = problem.solve(tol=1e-10)
    C = 1.0 / (0.02 * weights.sum())
    machine = SVC(C=C, kernel="linear", tol=1e-9).fit(X.toarray(), y, sample_weight=weights)
    np.testing.assert_allclose(result.x, np.append(machine.coef_, machine.intercept_), atol=1e-5)


@pytest.mark.parametrize(("name", "liblinear"), [("hinge", "hinge"), ("squared_hinge", "squared_hinge")])
def test_hinges_against_liblinear(name, liblinear):
    X, y = sparse_rows()
    result = Problem(X, boxed(name, y), 0.02).solve(tol=1e-10)
    C = 1.0 / (0.02 * len(y))
    machine = LinearSVC(C=C, loss=liblinear, fit_intercept=False, tol=1e-9, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(result.x, machine.coef_[0], atol=1e-5)


def test_squared_error_against_ridge():
    X, y = sparse_rows()
    y = y + np.random.default_rng(5).normal(size=len(y))
    result = Problem(X, boxed("squared", y), 0.02, intercept=True).solve(tol=1e-12)
    ridge = Ridge(alpha=0.02 * len(y)).fit(X.toarray(), y)
    np.testing.assert_allclose(result.x, np.append(ridge.coef_, ridge.intercept_), atol=1e-5)


@pytest.mark.parametrize("intercept", [False, True])
def test_cross_entropy_against_newton_cholesky(intercept):
    X, y = sparse_rows()
    weights = np.random.default_rng(6).uniform(0.5, 2.0, len(y))
    problem = Problem(X, logistic(y), 0.02, weights, intercept)
    result = problem.solve(tol=1e-12)
    peer = LogisticRegression(
        C=1.0 / (0.02 * weights.sum()), solver="newton-cholesky", fit_intercept=intercept, tol=1e-10
    ).fit(X.toarray(), y, sample_weight=weights)
    expected = np.append(peer.coef_, peer.intercept_) if intercept else peer.coef_[0]
    assert result.success
    np.testing.assert_allclose(result.x, expected, atol=2e-5)
    assert result.fun - problem.value(expected) <= gap_of(result) + 1e-14
    assert abs(result.jac[-1] if intercept else 0.0) <= 1e-14


def test_deviance_against_poisson_regressor():
    X, _ = sparse_rows()
    random = np.random.default_rng(7)
    y = random.poisson(np.exp(0.5 * (X @ random.normal(size=X.shape[1])) + 1.0)).astype(float)
    result = Problem(X, poisson(y), 0.02, intercept=True).solve(tol=1e-12)
    peer = PoissonRegressor(alpha=0.02, solver="newton-cholesky", tol=1e-10).fit(X.toarray(), y)
    np.testing.assert_allclose(result.x, np.append(peer.coef_, peer.intercept_), atol=1e-5)


def test_gradient_is_that_of_the_value():
    X, y = sparse_rows()
    penalty = np.random.default_rng(2).uniform(0.003, 0.03, X.shape[1])
    problem = Problem(X, logistic(y), penalty, intercept=True)
    result = problem.solve(tol=1e-2, maxiter=2)
    direction = np.random.default_rng(8).normal(size=X.shape[1] + 1)
    t = 1e-6
    slope = (problem.value(result.x + t * direction) - problem.value(result.x - t * direction)) / (2.0 * t)
    assert result.jac @ direction == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["hinge", "squared_hinge", logistic])
class TestRows:
    """The same answer however the same rows are written down."""

    def problem(self, name, intercept=True):
        X, y = sparse_rows()
        return Problem(X, boxed(name, y) if isinstance(name, str) else name(y), 0.02, intercept=intercept), y

    def same(self, problem, expected, tol=1e-10):
        np.testing.assert_allclose(problem.solve(tol=tol).x, expected.solve(tol=tol).x, atol=1e-5)

    def test_index_and_entry_types(self, name):
        problem, _ = self.problem(name)
        X = problem.X
        wide = sp.csr_array(X)
        wide.indptr, wide.indices = X.indptr.astype(np.int64), X.indices.astype(np.int64)
        mixed = sp.csr_array(X)
        mixed.indptr = X.indptr.astype(np.int64)
        for other in wide, mixed, sp.csr_matrix(X):
            assert (problem.solve().x == replace(problem, X=other).solve().x).all()
        single = X.astype(np.float32)
        assert (replace(problem, X=single).solve().x == replace(problem, X=single.astype(float)).solve().x).all()

    def test_nothing_is_written_to(self, name):
        problem, _ = self.problem(name)
        X = problem.X.copy()
        arrays = [X.data, X.indices, X.indptr, problem.s]
        if isinstance(problem.loss, Boxed):
            arrays += [problem.loss.kinks, problem.loss.low, problem.loss.high]
        start, dual = np.zeros(X.shape[1] + 1), np.zeros(X.shape[0])
        for array in [*arrays, start, dual]:
            array.flags.writeable = False
        assert replace(problem, X=X).solve(start, dual=dual).success

    def test_a_weight_of_zero_leaves_a_row_out(self, name):
        problem, y = self.problem(name)
        kept = np.arange(len(y)) % 5 != 0
        few = Problem(
            problem.X[kept], boxed(name, y[kept]) if isinstance(name, str) else name(y[kept]), 0.02, None, True
        )
        self.same(replace(problem, weights=kept.astype(float)), few)

    def test_a_weight_is_a_repetition(self, name):
        problem, y = self.problem(name)
        counts = np.random.default_rng(9).integers(1, 4, len(y))
        rows = np.repeat(np.arange(len(y)), counts)
        loss = boxed(name, y[rows]) if isinstance(name, str) else name(y[rows])
        self.same(replace(problem, weights=counts), Problem(problem.X[rows], loss, 0.02, None, True))

    def test_a_penalty_is_a_unit_of_the_column(self, name):
        problem, _ = self.problem(name)
        units = np.random.default_rng(10).uniform(0.1, 10.0, problem.X.shape[1])
        scaled = replace(problem, X=sp.csr_array(problem.X.multiply(units)), penalty=0.02 * units**2)
        found = scaled.solve(tol=1e-10).x
        found[:-1] *= units
        np.testing.assert_allclose(found, problem.solve(tol=1e-10).x, atol=1e-5)

    def test_rows_without_entries_only(self, name):
        y = np.array([1.0, 1.0, 1.0, -1.0])
        loss = boxed(name, y) if isinstance(name, str) else name(y)
        for intercept in False, True:
            problem = Problem(sp.csr_array((4, 3)), loss, 0.02, None, intercept)
            result = problem.solve(tol=1e-9)
            assert result.success
            assert not result.x[:3].any()
            if intercept:
                shifts = np.linspace(-3.0, 3.0, 601)
                assert result.fun <= min(problem.value(np.append(np.zeros(3), b)) for b in shifts) + 1e-12

    def test_seed_does_not_matter(self, name):
        X, y = sparse_rows(n_rows=200, n_columns=300)
        problem = Problem(X, boxed(name, y) if isinstance(name, str) else name(y), 0.02)
        x, other = (problem.solve(tol=1e-10, random_state=seed).x for seed in (0, 1))
        assert (x != other).any()
        np.testing.assert_allclose(x, other, atol=1e-5)

    def test_threads_do_not_disturb_each_other(self, name):
        problem, _ = self.problem(name)
        alone = problem.solve().x
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda _: problem.solve().x, range(8)))
        assert all((x == alone).all() for x in together)

    @pytest.mark.parametrize("size", [1e-200, 1e-30, 1e30, 1e150, 1e200])
    def test_extreme_rows_end_well(self, name, size):
        """By a certificate or by a limit, never by a number that is none."""
        problem, _ = self.problem(name)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            result = replace(problem, X=problem.X * size, intercept=False).solve(tol=1e-6, maxiter=50)
        assert result.success or result.status in (MAXITER, NOT_FINITE)
        if result.success:
            assert np.isfinite(result.x).all()
            assert 0.0 <= gap_of(result) <= 1e-6 * result.fun


def test_rows_at_rest_are_not_read():
    X, y = sparse_rows(n_rows=2000, n_columns=100, density=0.05)
    result = Problem(X, boxed("hinge", y), 0.01).solve(tol=1e-8)
    assert result.success
    assert result.n_passes < 0.7 * result.nit


def test_the_best_intercept_is_in_the_middle():
    # four points on a line: every intercept from -1 to 1 is as good for the hinge
    X = sp.csr_array(np.array([[4.0], [4.0], [-4.0], [-4.0]]))
    loss = boxed("hinge", np.array([1.0, 1.0, -1.0, -1.0]))
    problem = Problem(X, loss, 1.0, intercept=True)
    result = problem.solve(start=np.array([0.0, 0.4]), tol=1e-12)
    assert result.x[0] == pytest.approx(0.25)
    assert result.x[1] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("name", ["hinge", logistic])
def test_callback_may_stop_a_run(name):
    X, y = sparse_rows()
    seen = []

    def stop(intermediate_result):
        seen.append(intermediate_result)
        raise StopIteration

    problem = Problem(X, boxed(name, y) if isinstance(name, str) else name(y), 1e-4, intercept=True)
    numbers = vars(problem.loss) if isinstance(name, str) else {"losses": problem.loss}
    method = sweeps if isinstance(name, str) else newton_sweeps
    options = numbers | {"rows": X, "weights": problem.s, "penalty": 1e-4, "intercept": True}
    result = minimize(None, np.zeros(X.shape[1] + 1), method=method, callback=stop, options=options)
    assert (result.status, result.success, len(seen)) == (CALLBACK, False, 1)
    assert problem.value(seen[0].x) == pytest.approx(seen[0].fun)
    assert result.fun == pytest.approx(problem.value(result.x))


def test_a_kink_has_finite_slopes():
    X, y = sparse_rows()
    with pytest.raises(ValueError, match="needs a width"):
        Problem(X, replace(boxed("squared_hinge", y), width=0.0)).solve()


def test_without_the_compiled_part(monkeypatch):
    X, y = sparse_rows()
    monkeypatch.setattr(duals, "sweep", None)
    with pytest.raises(ImportError, match="compiled part"):
        duals.Duals(X, np.full(len(y), 1.0 / len(y)), 0.01, np.zeros(len(y)))
