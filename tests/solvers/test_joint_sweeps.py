"""Sweeps over the duals of joint hinges: against a naive loop and the exact solver, and on awkward rows."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pytest
import scipy.sparse as sp
from kinked_problems import Plain
from scipy.optimize import minimize

from sklearn_losses.losses.multiclass_hinge import CrammerSinger, WestonWatkins
from sklearn_losses.solvers import augmented_lagrangian, joint_sweeps, sweeps
from sklearn_losses.solvers.row_sweeps import joint_duals
from sklearn_losses.solvers.row_sweeps.compiled import joint_sweep

CONVERGED, MAXITER, NOT_FINITE, CALLBACK = 0, 1, 4, 99
HINGES = [WestonWatkins, CrammerSinger]


def rows_of_classes(n_rows=90, n_columns=40, n_classes=6, density=0.2, seed=0):
    """Random rows, two of them without entries, and the classes of noisy linear scores."""
    random = np.random.default_rng(seed)
    X = sp.random(
        n_rows, n_columns, density, format="lil", random_state=random, data_rvs=lambda n: random.normal(size=n)
    )
    X[[3, n_rows - 1]] = 0.0
    X = sp.csr_array(X.tocsr())
    scores = X @ random.normal(size=(n_columns, n_classes)) + random.gumbel(size=(n_rows, n_classes))
    return X, scores.argmax(axis=1)


@dataclass
class Problem:
    """Joint hinges of rows X with classes y."""

    X: sp.csr_array
    y: np.ndarray
    hinge: type
    penalty: float | np.ndarray = 0.02
    weights: np.ndarray | None = None
    n_classes: int = 6

    @cached_property
    def loss(self):
        return self.hinge(self.y)

    @cached_property
    def s(self):
        weights = np.ones(len(self.y)) if self.weights is None else self.weights
        return weights / weights.sum()

    def solve(self, **options):
        options = {"tol": 1e-9, "maxiter": 100_000} | options
        most, total = (np.inf, 1.0) if self.loss.together else (1.0, np.inf)
        options |= {"rows": self.X, "weights": self.s, "penalty": self.penalty, "losses": self.loss.value_and_excess}
        options |= {"targets": self.y, "most": most, "total": total}
        start = np.zeros(self.n_classes * self.X.shape[1])
        return minimize(None, start, method=joint_sweeps, callback=options.pop("callback", None), options=options)

    def value(self, x):
        coef = x.reshape(self.n_classes, -1)
        return self.s @ self.loss.value(self.X @ coef.T) + 0.5 * np.sum(self.penalty * coef**2)

    def coef_of(self, dual):
        return -((self.X.T @ (self.s[:, None] * dual)).T / self.penalty)

    def lower_bound(self, dual):
        """The value of the dual problem: the conjugate of both hinges is the dual of the right class."""
        right = dual[np.arange(len(dual)), self.y]
        return -(self.s @ right) - 0.5 * np.sum(self.penalty * self.coef_of(dual) ** 2)


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("n_classes", [2, 3, 6, 9])
@pytest.mark.parametrize("hinge", HINGES)
def test_compiled_loop_is_the_naive_one(hinge, n_classes, index):
    X, y = rows_of_classes(n_classes=n_classes)
    n, random = len(y), np.random.default_rng(3)
    loss, step = hinge(y), random.uniform(0.5, 2.0, n)
    size = np.maximum(step * np.asarray(X.multiply(X).sum(axis=1)).ravel(), 1e-3)
    dual = loss.dual(2.0 * random.normal(size=(n, n_classes)), 0.7)
    coef = random.normal(size=(X.shape[1], n_classes))
    order = random.permutation(n)[: n - 7]
    wrong = np.ones((n, n_classes), dtype=bool)
    wrong[np.arange(n), y] = False
    classes, free = np.argsort(wrong, axis=1, kind="stable").astype(np.int32), np.full(n, n_classes - 1, dtype=np.int32)
    expected_dual, expected_coef, expected_gap = dual.copy(), coef.copy(), 0.0
    for i in order:
        one, x = loss.take(np.array([i])), X[[i]].toarray()
        scores = x @ expected_coef
        expected_gap += step[i] * one.value_and_excess(scores, expected_dual[[i]])[1][0]
        # the dual at which the scores, once they have followed, are those of the proximal operator
        new = one.dual(scores + size[i] * expected_dual[i], size[i])[0]
        expected_coef -= step[i] * np.outer(x, new - expected_dual[i])
        expected_dual[i] = new
    bounds = (np.inf, 1.0) if loss.together else (1.0, np.inf)
    arrays = X.indptr.astype(index), X.indices.astype(index), X.data
    room = np.empty((3, n_classes + 4))
    gap, worst = joint_sweep(*arrays, order, *bounds, step, size, dual, coef, classes, free, np.zeros(n), np.inf, room)
    assert gap == pytest.approx(expected_gap, rel=1e-10)
    assert worst > 0.0
    np.testing.assert_allclose(dual, expected_dual, atol=1e-10)
    np.testing.assert_allclose(coef, expected_coef, atol=1e-10)
    assert (np.sort(classes, axis=1) == np.arange(n_classes)).all()
    assert (classes[:, 0] == y).all()


@pytest.mark.parametrize("hinge", HINGES)
def test_gap_is_proved_by_the_dual(hinge):
    X, y = rows_of_classes()
    weights = np.random.default_rng(1).uniform(0.2, 3.0, len(y))
    penalty = np.random.default_rng(2).uniform(0.003, 0.03, X.shape[1])
    problem = Problem(X, y, hinge, penalty, weights)
    result = problem.solve()
    assert (result.success, result.status) == (True, CONVERGED)
    dual = result.dual
    wrong = np.where(np.arange(6) == y[:, None], 0.0, dual)
    assert (wrong >= 0.0).all()
    np.testing.assert_allclose(dual.sum(axis=1), 0.0, atol=1e-15)
    assert (wrong.sum(axis=1) <= 1.0 + 1e-15).all() if problem.loss.together else (wrong <= 1.0).all()
    value = problem.value(result.x)
    assert result.fun == pytest.approx(value, rel=1e-12)
    proved = value - problem.lower_bound(dual)
    assert -1e-14 <= proved <= 1e-9 * value + 1e-14
    assert result.dual_gap == pytest.approx(proved, rel=1e-3, abs=1e-14)
    np.testing.assert_allclose(result.x.reshape(6, -1), problem.coef_of(dual), atol=1e-12)


@pytest.mark.parametrize("hinge", HINGES)
def test_ends_where_the_exact_solver_does(hinge):
    X, y = rows_of_classes()
    weights = np.random.default_rng(4).uniform(0.5, 2.0, len(y))
    problem = Problem(X, y, hinge, 0.005, weights)
    result = problem.solve(tol=1e-10)
    plain = Plain(X, hinge(y), 0.005, weights, intercept=False, n_outputs=6)
    exact = minimize(
        None, np.zeros(6 * X.shape[1]), method=augmented_lagrangian, options={"problem": plain, "tol": 1e-12}
    )
    assert result.fun == pytest.approx(exact.fun, rel=1e-10)
    np.testing.assert_allclose(result.x, exact.x, atol=1e-5)


@pytest.mark.parametrize("hinge", HINGES)
def test_two_classes_are_the_hinge(hinge):
    X, y = rows_of_classes(n_classes=2)
    result = Problem(X, y, hinge, n_classes=2).solve(tol=1e-10)
    signs = 2.0 * y - 1.0
    numbers = {"kinks": signs, "low": np.minimum(-signs, 0.0), "high": np.maximum(-signs, 0.0), "penalty": 0.01}
    numbers |= {"rows": X, "weights": np.full(len(y), 1.0 / len(y)), "tol": 1e-10}
    binary = minimize(None, np.zeros(X.shape[1]), method=sweeps, options=numbers)
    assert result.fun == pytest.approx(binary.fun, rel=1e-9)
    first, second = result.x.reshape(2, -1)
    np.testing.assert_allclose(second - first, binary.x, atol=1e-5)


@pytest.mark.parametrize("hinge", HINGES)
class TestRows:
    """The same answer however the same rows are written down."""

    def problem(self, hinge):
        return Problem(*rows_of_classes(), hinge)

    def same(self, problem, expected):
        np.testing.assert_allclose(problem.solve(tol=1e-10).x, expected.solve(tol=1e-10).x, atol=1e-5)

    def test_index_and_entry_types(self, hinge):
        problem = self.problem(hinge)
        X = problem.X
        wide = sp.csr_array(X)
        wide.indptr, wide.indices = X.indptr.astype(np.int64), X.indices.astype(np.int64)
        for other in wide, sp.csr_matrix(X):
            assert (problem.solve().x == replace(problem, X=other).solve().x).all()
        single = X.astype(np.float32)
        assert (replace(problem, X=single).solve().x == replace(problem, X=single.astype(float)).solve().x).all()

    def test_nothing_is_written_to(self, hinge):
        problem = self.problem(hinge)
        X = problem.X.copy()
        for array in X.data, X.indices, X.indptr, problem.s, problem.y:
            array.flags.writeable = False
        other = replace(problem, X=X)
        other.s.flags.writeable = False
        assert other.solve().success

    def test_a_weight_of_zero_leaves_a_row_out(self, hinge):
        problem = self.problem(hinge)
        kept = np.arange(len(problem.y)) % 5 != 0
        self.same(replace(problem, weights=kept.astype(float)), Problem(problem.X[kept], problem.y[kept], hinge))

    def test_a_weight_is_a_repetition(self, hinge):
        problem = self.problem(hinge)
        counts = np.random.default_rng(9).integers(1, 4, len(problem.y))
        rows = np.repeat(np.arange(len(problem.y)), counts)
        self.same(replace(problem, weights=counts), Problem(problem.X[rows], problem.y[rows], hinge))

    def test_a_penalty_is_a_unit_of_the_column(self, hinge):
        problem = self.problem(hinge)
        units = np.random.default_rng(10).uniform(0.1, 10.0, problem.X.shape[1])
        scaled = replace(problem, X=sp.csr_array(problem.X.multiply(units)), penalty=0.02 * units**2)
        found = scaled.solve(tol=1e-10).x.reshape(6, -1) * units
        np.testing.assert_allclose(found.ravel(), problem.solve(tol=1e-10).x, atol=1e-5)

    def test_rows_without_entries_only(self, hinge):
        result = Problem(sp.csr_array((4, 3)), np.array([0, 1, 1, 5]), hinge).solve()
        assert result.success
        assert not result.x.any()
        assert result.fun == (1.0 if hinge is CrammerSinger else 5.0)

    def test_classes_without_rows(self, hinge):
        problem = self.problem(hinge)
        result = replace(problem, n_classes=8).solve()
        assert result.success
        assert result.fun >= problem.solve().fun

    def test_seed_does_not_matter(self, hinge):
        problem = self.problem(hinge)
        x, other = (problem.solve(tol=1e-10, random_state=seed).x for seed in (0, 1))
        assert (x != other).any()
        np.testing.assert_allclose(x, other, atol=1e-5)

    def test_threads_do_not_disturb_each_other(self, hinge):
        problem = self.problem(hinge)
        alone = problem.solve().x
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda _: problem.solve().x, range(8)))
        assert all((x == alone).all() for x in together)

    @pytest.mark.parametrize("size", [1e-200, 1e-30, 1e-6, 1e6, 1e30, 1e150, 1e200])
    def test_extreme_rows_end_well(self, hinge, size):
        """By a certificate or by a limit, never by a number that is none."""
        problem = self.problem(hinge)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            result = replace(problem, X=problem.X * size).solve(tol=1e-6, maxiter=50)
        assert result.success or result.status in (MAXITER, NOT_FINITE)
        if result.success:
            assert np.isfinite(result.x).all()
            assert 0.0 <= result.dual_gap <= 1e-6 * result.fun

    def test_limits_are_honest(self, hinge):
        problem = self.problem(hinge)
        best = problem.solve()
        for options in {"maxiter": 3}, {"max_passes": 4.0}:
            result = problem.solve(**options)
            assert (result.success, result.status) == (False, MAXITER)
            assert result.fun - best.fun <= result.dual_gap
            assert "limit" in result.message

    def test_duals_at_rest_are_not_counted(self, hinge):
        result = Problem(*rows_of_classes(n_rows=1000), hinge, 0.001).solve(tol=1e-8)
        assert result.success
        assert result.n_passes < 0.3 * result.nit

    def test_callback_may_stop_a_run(self, hinge):
        seen = []

        def stop(intermediate_result):
            seen.append(intermediate_result)
            raise StopIteration

        problem = self.problem(hinge)
        result = problem.solve(callback=stop)
        assert (result.status, result.success, len(seen)) == (CALLBACK, False, 1)
        assert problem.value(seen[0].x) == pytest.approx(seen[0].fun)

    def test_without_the_compiled_part(self, hinge, monkeypatch):
        monkeypatch.setattr(joint_duals, "joint_sweep", None)
        with pytest.raises(ImportError, match="compiled part"):
            self.problem(hinge).solve()
