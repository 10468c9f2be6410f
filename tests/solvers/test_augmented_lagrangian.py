"""The exact solver on plain functions: against libsvm, liblinear and HiGHS, by its gap, and on hard cases."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from sklearn.datasets import load_iris
from sklearn.svm import SVC, LinearSVC

from sklearn_losses.losses.multiclass_hinge import (
    crammer_singer_curvature,
    crammer_singer_prox,
    scalar_at_kink,
    scalar_prox,
    weston_watkins_curvature,
    weston_watkins_prox,
)
from sklearn_losses.solvers.augmented_lagrangian import augmented_lagrangian
from sklearn_losses.solvers.augmented_lagrangian.envelopes import Problem
from sklearn_losses.solvers.augmented_lagrangian.few_rows import FewRows
from sklearn_losses.solvers.augmented_lagrangian.intercept_interval import shift_to_middle
from sklearn_losses.solvers.augmented_lagrangian.newton_equations import dense, in_double_precision
from sklearn_losses.solvers.augmented_lagrangian.working_rows import bends, tangent_slopes
from sklearn_losses.solvers.cholesky import LARGE_SUM


@dataclass
class Scalar:
    """A piecewise-linear loss of one score that is zero at its lowest kinks."""

    kinks: np.ndarray
    slopes: np.ndarray
    n_outputs = 1

    def value(self, z):
        terms = [self.slopes[:, 0] * np.minimum(z - self.kinks[:, 0], 0.0)]
        for j in range(self.kinks.shape[1]):
            end = self.kinks[:, j + 1] if j + 1 < self.kinks.shape[1] else np.inf
            terms.append(self.slopes[:, j + 1] * np.maximum(np.minimum(z, end) - self.kinks[:, j], 0.0))
        return sum(terms)

    def prox(self, v, step):
        return scalar_prox(v, step, self.kinks, self.slopes)

    def curvature(self, v, step):
        rows = np.flatnonzero(scalar_at_kink(v, step, self.kinks, self.slopes))
        return rows, np.ones(rows.size)

    def take(self, rows):
        return Scalar(*(a if len(a) == 1 else a[rows] for a in (self.kinks, self.slopes)))


@dataclass
class Multiclass:
    """One of the two multi-class hinges."""

    target: np.ndarray
    name: str
    n_outputs: int

    def value(self, z):
        margins = 1.0 + z - np.take_along_axis(z, self.target[:, None], axis=1)
        np.put_along_axis(margins, self.target[:, None], 0.0, axis=1)
        margins = np.maximum(margins, 0.0)
        return margins.sum(axis=1) if self.name == "weston-watkins" else margins.max(axis=1)

    def prox(self, v, step):
        function = weston_watkins_prox if self.name == "weston-watkins" else crammer_singer_prox
        return function(v, step, self.target)

    def curvature(self, v, step):
        function = weston_watkins_curvature if self.name == "weston-watkins" else crammer_singer_curvature
        return function(v, step, self.target)

    def take(self, rows):
        return replace(self, target=self.target[rows])


class Split:
    """Rows, weights, loss and penalty as the solver asks for them; counts its passes over the data."""

    def __init__(self, rows, loss, alpha, weights=None, intercept=True):
        self.rows, self.loss = rows, loss
        self.n_rows, n_features = rows.shape
        self.n_outputs = loss.n_outputs
        weights = np.ones(self.n_rows) if weights is None else weights
        self.weights = weights / weights.sum()
        self.n_intercepts = self.n_outputs * intercept
        self.cut = n_features * self.n_outputs
        self.penalty = np.concatenate([np.full(self.cut, float(alpha)), np.zeros(self.n_intercepts)])
        self.value, self.prox, self.curvature = loss.value, loss.prox, loss.curvature
        self.passes = 0.0
        self.work = self.n_outputs * (rows.nnz if sp.issparse(rows) else rows.size)

    def forward(self, x):
        self.passes += 0.5
        z = self.rows @ x[: self.cut].reshape(self.n_outputs, -1).T
        z = z + x[self.cut :] if self.n_intercepts else z
        return z[:, 0] if self.n_outputs == 1 else z

    def adjoint(self, a):
        self.passes += 0.5
        a = (self.weights * a.T).T.reshape(len(a), -1)
        return np.concatenate([(self.rows.T @ a).T.ravel(), a.sum(axis=0)[: self.n_intercepts]])

    def jacobian(self, rows):
        """The scores of some rows as a dense matrix (m, K, P)."""
        dense = self.rows[rows].toarray() if sp.issparse(self.rows) else self.rows[rows]
        eye = np.eye(self.n_outputs)
        weights = np.einsum("kl,mj->mklj", eye, dense).reshape(len(dense), self.n_outputs, self.cut)
        ones = np.broadcast_to(eye, (len(dense), *eye.shape))[:, :, : self.n_intercepts]
        return np.concatenate([weights, ones], axis=2)

    def features(self, rows):
        return self.rows[rows].toarray() if sp.issparse(self.rows) else self.rows[rows]

    def gram(self, rows, blocks, dtype):
        jacobian = self.jacobian(rows)
        blocks = blocks.reshape(-1, self.n_outputs, self.n_outputs) * self.weights[rows, None, None]
        flat = jacobian.reshape(-1, jacobian.shape[2])
        return flat.T.astype(dtype) @ (blocks @ jacobian).reshape(flat.shape).astype(dtype)

    def product(self, rows, blocks, v):
        part = self.take(rows)
        moved = part.forward(v)
        return part.adjoint(blocks * moved if moved.ndim == 1 else np.einsum("nij,nj->ni", blocks, moved))

    def take(self, rows):
        part = Split(self.rows[rows], self.loss.take(rows), 0.0, intercept=self.n_intercepts > 0)
        part.weights, part.penalty = self.weights[rows], self.penalty
        return part


def hinge(y):
    y = np.asarray(y, dtype=float)
    return Scalar((2.0 * y - 1.0)[:, None], np.column_stack([-y, 1.0 - y]))


def soft_hinge(y):
    """The hinge for probabilities y, less its least value."""
    return Scalar(np.array([[-1.0, 1.0]]), np.column_stack([-y, 1.0 - 2.0 * y, 1.0 - y]))


def quantile(y, q=0.5):
    return Scalar(np.asarray(y, dtype=float)[:, None], np.array([[-q, 1.0 - q]]))


def percentage(y):
    return Scalar(y[:, None], np.array([[-1.0, 1.0]]) / np.abs(y)[:, None])


def epsilon_insensitive(y, epsilon=0.3):
    return Scalar(np.column_stack([y - epsilon, y + epsilon]), np.array([[-1.0, 0.0, 1.0]]))


def weston_watkins(t, n_classes=3):
    return Multiclass(np.asarray(t, dtype=int), "weston-watkins", n_classes)


def crammer_singer(t, n_classes=3):
    return Multiclass(np.asarray(t, dtype=int), "crammer-singer", n_classes)


def solve(split, **options):
    return minimize(
        lambda x: 0.0,
        np.zeros(split.penalty.size),
        method=augmented_lagrangian,
        options={"split": split, **options},
    )


def objective(split, x):
    return split.weights @ split.value(split.forward(x)) + 0.5 * (split.penalty @ x**2)


def classes(n, p, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, p))
    return rows, (rows @ rng.normal(size=p) + noise * rng.normal(size=n) > 0).astype(float)


def values(n, p, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, p))
    return rows, rows @ rng.normal(size=p) + rng.standard_t(3, size=n) + 0.2


def assert_exact(result, scale=1.0):
    """Certified to ten digits, or to rounding errors of the losses' scale where the minimum is (nearly) 0.

    Nor can a gap be below the rounding of dual feasibility, one unit of a sum of slopes of size one.
    """
    assert result.success, result.message
    assert 0.0 <= result.dual_gap <= 1e-10 * abs(result.fun) + 1e-13 * scale + np.finfo(float).eps


# Oracles


@pytest.mark.parametrize("c", [1e-3, 1.0, 100.0])
def test_hinge_is_libsvm(c):
    rows, y = classes(200, 4)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, 200)
    split = Split(rows, hinge(y), 1.0 / (c * weights.sum()), weights)
    result = solve(split)
    oracle = SVC(kernel="linear", C=c, tol=1e-10).fit(rows, y, sample_weight=weights)
    theirs = objective(split, np.concatenate([oracle.coef_[0], oracle.intercept_]))
    assert_exact(result)
    assert theirs >= result.fun - result.dual_gap
    np.testing.assert_allclose(result.fun, theirs, rtol=1e-5)
    # F is strongly convex in the coefficients: their distance to the best is bounded by what theirs lose.
    distance = 0.5 * split.penalty[0] * np.sum((result.x[:-1] - oracle.coef_[0]) ** 2)
    assert distance <= theirs - result.fun + 1e-9 * result.fun


def linear_program(split):
    """Minimum of the losses without penalty, as an epigraph over the lines of every row, by HiGHS."""
    loss = split.loss
    design = np.column_stack([split.rows, np.ones(split.n_rows)])
    constraints, bounds = [], []
    for line in range(loss.slopes.shape[1]):
        slope = np.broadcast_to(loss.slopes[:, line], split.n_rows)
        contact = np.broadcast_to(loss.kinks[:, max(line - 1, 0)], split.n_rows)
        constraints.append(sp.hstack([slope[:, None] * design, -sp.identity(split.n_rows)]))
        bounds.append(slope * contact - loss.value(contact))
    cost = np.concatenate([np.zeros(design.shape[1]), split.weights])
    free = [(None, None)] * cost.size
    answer = linprog(cost, sp.vstack(constraints), np.concatenate(bounds), bounds=free, method="highs")
    assert answer.status == 0
    return answer.fun


@pytest.mark.parametrize(
    "loss",
    [quantile, lambda y: quantile(y, 0.9), percentage, epsilon_insensitive],
    ids=["0.5", "0.9", "mape", "eps"],
)
def test_regression_without_penalty_is_highs(loss):
    rows, y = values(300, 5)
    split = Split(rows, loss(y), 0.0, np.random.default_rng(1).uniform(0.5, 2.0, 300))
    result = solve(split)
    assert_exact(result)
    np.testing.assert_allclose(result.fun, linear_program(split), rtol=1e-10)


def multiclass_program(split):
    """Minimum of a multi-class hinge without penalty by HiGHS."""
    n, n_classes, target = split.n_rows, split.n_outputs, split.loss.target
    summed = split.loss.name == "weston-watkins"
    jacobian = split.jacobian(np.arange(n))
    slack, matrices = [], []
    for k in range(n_classes):
        rows = np.flatnonzero(target != k)
        matrices.append(jacobian[rows, k] - jacobian[rows, target[rows]])
        slack.append(rows * n_classes + k if summed else rows)
    slack = np.concatenate(slack)
    size = n * n_classes if summed else n
    picks = sp.coo_matrix((-np.ones(slack.size), (np.arange(slack.size), slack)), (slack.size, size))
    cost = np.concatenate([np.zeros(split.penalty.size), np.repeat(split.weights, size // n)])
    bounds = [(None, None)] * split.penalty.size + [(0, None)] * size
    constraints = sp.hstack([np.concatenate(matrices), picks])
    answer = linprog(cost, constraints, -np.ones(slack.size), bounds=bounds, method="highs")
    assert answer.status == 0
    return answer.fun


@pytest.mark.parametrize("loss", [weston_watkins, crammer_singer])
def test_multiclass_without_penalty_is_highs(loss):
    rows = np.random.default_rng(0).normal(size=(150, 3))
    target = (np.argmax(rows, axis=1) + (np.arange(150) % 3 == 0)) % 3
    split = Split(rows, loss(target), 0.0)
    result = solve(split)
    assert_exact(result)
    np.testing.assert_allclose(result.fun, multiclass_program(split), rtol=1e-9)


def test_crammer_singer_is_liblinear():
    rows, target = load_iris(return_X_y=True)
    rows = rows - rows.mean(axis=0)
    oracle = LinearSVC(multi_class="crammer_singer", fit_intercept=False, tol=1e-9, max_iter=100_000).fit(rows, target)
    split = Split(rows, crammer_singer(target), 1.0 / 150.0, intercept=False)
    result = solve(split)
    assert_exact(result)
    np.testing.assert_allclose(result.x.reshape(3, -1), oracle.coef_, atol=1e-5)


# Hard cases


def hard_cases():
    rng = np.random.default_rng(0)
    rows, clean = classes(300, 5, noise=0.0)
    noisy = classes(300, 5)[1]
    flipped = np.where(rng.random(300) < 0.4, 1.0 - noisy, noisy)
    for alpha in (1e-8, 1e-3, 1.0, 1e4):
        yield f"separable, {alpha}", Split(rows, hinge(clean), alpha)
        yield f"noise, {alpha}", Split(rows, hinge(flipped), alpha)
        yield f"soft labels, {alpha}", Split(rows, soft_hinge(0.5 * (noisy + rng.random(300))), alpha)
    yield "separable, no penalty", Split(rows, hinge(clean), 0.0)
    yield "separable, no penalty or intercept", Split(rows, hinge(clean), 0.0, intercept=False)
    yield "overlapping, no penalty", Split(rows, hinge(noisy), 0.0)
    yield "duplicates", Split(np.repeat(rows, 5, axis=0), hinge(np.repeat(noisy, 5)), 1e-3)
    for alpha in (1e-8, 1e-3, 1.0):
        yield f"three rows of a class, {alpha}", Split(rows, hinge(np.arange(300) < 3), alpha)
    wide, labels = rng.normal(size=(30, 200)), rng.random(30) > 0.5
    for alpha in (0.0, 1e-8, 1e-2, 100.0):
        yield f"wide hinge, {alpha}", Split(wide, hinge(labels), alpha)
        yield f"wide absolute, {alpha}", Split(wide, quantile(wide[:, 0] + labels), alpha)
    constant = np.column_stack([rows[:, :2], np.zeros(300), np.ones(300)])
    for alpha in (0.0, 1e-2):
        yield f"one feature, {alpha}", Split(rows[:, :1], quantile(rows[:, 1]), alpha)
        yield f"constant columns, {alpha}", Split(constant, quantile(rows[:, 3]), alpha)
        yield (
            f"all residuals zero, {alpha}",
            Split(constant, quantile(constant @ [1.0, -2.0, 0.0, 1.0]), alpha),
        )
    integers = rng.integers(-2, 3, size=(5000, 4)).astype(float)
    total = integers.sum(axis=1) + rng.integers(-2, 3, size=5000)
    for alpha in (0.0, 1e-8, 1e-2, 1e4):
        yield f"integers, absolute, {alpha}", Split(integers, quantile(total), alpha)
        yield f"integers, hinge, {alpha}", Split(integers, hinge(total > 0), alpha)
    for size in (1e-3, 1e3):
        yield f"column of scale {size}", Split(rows * [1.0, size, 1.0, 1.0, 1.0], hinge(noisy), 1e-4)
        yield f"target of scale {size}", Split(rows, quantile(size**2 * rng.normal(size=300)), 1e-3)
    yield "heavy tails", Split(rows, quantile(rng.standard_cauchy(300), 0.05), 0.0)
    tails = rng.standard_cauchy(size=(150, 60))
    for alpha in (1e-8, 1e-3):
        yield f"heavy-tailed rows, {alpha}", Split(tails, hinge(rng.random(150) < 0.5), alpha)
    target = rng.integers(0, 3, 300)
    for loss in (weston_watkins, crammer_singer):
        for alpha in (1e-8, 1e-3, 1.0, 1e4):
            yield f"{loss.__name__} noise, {alpha}", Split(rows, loss(target), alpha)
            yield (
                f"{loss.__name__} separable, {alpha}",
                Split(rows, loss(np.argmax(rows[:, :3], axis=1)), alpha),
            )
        yield f"{loss.__name__} integers", Split(np.round(rows), loss(target), 1e-3)


@pytest.mark.parametrize("split", [pytest.param(split, id=name) for name, split in hard_cases()])
def test_hard_cases_end_exact(split):
    result = solve(split)
    assert_exact(result, scale=np.max(np.abs(split.value(split.forward(np.zeros_like(result.x))))))
    np.testing.assert_allclose(result.fun, objective(split, result.x), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("alpha", [1.0, 1e2, 1e4])
def test_scores_near_zero_take_no_more_steps(alpha):
    rng = np.random.default_rng(1)
    rows = (rng.random((1000, 50)) < 0.1).astype(float)
    target = np.argmax(rows @ rng.normal(size=(50, 4)), axis=1)
    assert solve(Split(rows, crammer_singer(target, 4), alpha, intercept=False)).nit < 100


@pytest.mark.parametrize("seed", [2, 7])
def test_scores_near_zero_beside_the_intercept_take_few_more(seed):
    rng = np.random.default_rng(seed)
    rows = (rng.random((600, 2)) < 0.1).astype(float)
    likely = np.argmax(rows @ rng.normal(size=(2, 3)), axis=1)
    target = np.where(rng.random(600) < 0.1, rng.integers(0, 3, 600), likely)
    result = solve(Split(rows, crammer_singer(target), 1e4))
    assert_exact(result)
    assert result.nit < 300


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_scores_far_away_take_no_more_steps(seed):
    rng = np.random.default_rng(seed)
    rows = rng.standard_cauchy(size=(150, 60))
    likely = rows / np.abs(rows).max(axis=0) @ rng.normal(size=60) > 0
    labels = np.where(rng.random(150) < 0.2, ~likely, likely)
    result = solve(Split(rows, hinge(labels), 1e-8))
    assert result.success and result.nit < 200


def test_separable_without_penalty_says_so():
    rows, y = classes(300, 5, noise=0.0)
    result = solve(Split(rows, hinge(y), 0.0))
    assert result.success
    assert "separable" in result.message


# The certificate


LOSSES = {
    "hinge": lambda y: hinge(y > 0),
    "absolute": quantile,
    "quantile": lambda y: quantile(y, 0.8),
    "epsilon-insensitive": epsilon_insensitive,
    "weston-watkins": lambda y: weston_watkins(np.abs(y) % 3),
    "crammer-singer": lambda y: crammer_singer(np.abs(y) % 3),
}


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    name=st.sampled_from(sorted(LOSSES)),
    alpha=st.sampled_from([1e-6, 1e-3, 0.1, 10.0]),
    seed=st.integers(0, 10_000),
    n=st.integers(2, 40),
    p=st.integers(1, 6),
    integers=st.booleans(),
    intercept=st.booleans(),
    steps=st.integers(0, 12),
)
def test_gap_is_a_bound(name, alpha, seed, n, p, integers, intercept, steps):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, p))
    rows = np.round(rows) if integers else rows
    split = Split(rows, LOSSES[name](rng.integers(-3, 4, n)), alpha, rng.uniform(0.1, 1.0, n), intercept)
    best = solve(split)
    early = solve(split, maxiter=steps)
    rounding = 1e-12 * max(1.0, early.fun)
    assert best.success
    assert best.dual_gap >= 0.0
    assert early.dual_gap >= early.fun - best.fun - rounding
    assert early.fun >= best.fun - best.dual_gap - rounding
    np.testing.assert_allclose(early.fun, objective(split, early.x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("alpha", [0.0, 1e-3])
def test_dual_is_feasible_and_proves_the_gap(alpha):
    rows, y = values(200, 3)
    split = Split(rows, quantile(y, 0.7), alpha)
    result = solve(split)
    dual = result.dual
    assert np.all((dual >= -0.7 - 1e-12) & (dual <= 0.3 + 1e-12))
    slope = split.adjoint(dual)
    free = split.penalty == 0.0
    np.testing.assert_allclose(slope[free], 0.0, atol=1e-13)
    # The conjugate of a quantile loss is a * y on its interval.
    bound = -(split.weights @ (dual * y)) - 0.5 * np.sum(slope[~free] ** 2 / split.penalty[~free])
    np.testing.assert_allclose(bound, result.fun, rtol=1e-10)


# Uniqueness


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("alpha", [1e-4, 1.0])
def test_weights_are_repetitions_in_any_order(name, alpha):
    rng = np.random.default_rng(3)
    rows, y = rng.normal(size=(40, 3)), rng.integers(-3, 4, 40)
    counts = rng.integers(0, 4, 40)
    order = rng.permutation(np.repeat(np.arange(40), counts))
    weighted = Split(rows, LOSSES[name](y), alpha, counts.astype(float))
    repeated = Split(rows[order], LOSSES[name](y[order]), alpha)
    everywhere = Split(rows, LOSSES[name](y), alpha)
    scores = everywhere.forward(solve(weighted).x)
    np.testing.assert_allclose(everywhere.forward(solve(repeated).x), scores, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "y, middle",
    [([1.0, 2.0, 3.0, 10.0], 2.5), ([1.0, 1.0, 5.0, 5.0], 3.0), ([1.0, 2.0, 3.0], 2.0), ([4.0, 0.0], 2.0)],
)
def test_intercept_is_the_middle_of_its_interval(y, middle):
    result = solve(Split(np.zeros((len(y), 1)), quantile(y), 1.0))
    np.testing.assert_allclose(result.x, [0.0, middle], atol=1e-12)


def test_interval_without_an_end():
    everything = Scalar(np.array([[-1.0], [2.0]]), np.array([[-1.0, 0.0]]))
    split = Split(np.zeros((2, 1)), everything, 1.0)
    assert shift_to_middle(split, np.full(2, 5.0), 1.0) == pytest.approx(-3.0)


@pytest.mark.parametrize("loss", [weston_watkins, crammer_singer])
def test_multiclass_parameters_sum_to_zero(loss):
    rows, target = load_iris(return_X_y=True)
    x = solve(Split(rows, loss(target), 1e-2)).x
    np.testing.assert_allclose(x[-3:].sum(), 0.0, atol=1e-10)
    np.testing.assert_allclose(x[:-3].reshape(3, -1).sum(axis=0), 0.0, atol=1e-10)


# Many rows, many features


@pytest.mark.parametrize("alpha", [0.0, 1e-4, 1.0])
@pytest.mark.parametrize("correlation", [0.0, 0.95])
@pytest.mark.parametrize("loss", ["hinge", "quantile"])
def test_many_rows_in_a_dozen_passes(alpha, correlation, loss):
    rows, y = values(12_000, 10)
    rows = np.sqrt(1.0 - correlation) * rows + np.sqrt(correlation) * np.random.default_rng(1).normal(size=(12_000, 1))
    split = Split(rows, LOSSES[loss](y), alpha)
    result = solve(split)
    assert_exact(result)
    assert split.passes <= 20.0
    other = solve(split, random_state=7)
    np.testing.assert_allclose(split.forward(other.x), split.forward(result.x), atol=1e-6)


def test_many_rows_of_very_different_steepness():
    rows, y = values(6000, 4)
    split = Split(rows, percentage(y), 1e-4)
    result = solve(split)
    assert_exact(result)
    assert np.all(np.abs(result.dual * y) <= 1.0 + 1e-9)
    assert split.passes <= 30.0


def test_steep_losses_are_the_same_problem():
    rows, y = values(300, 4)
    plain = solve(Split(rows, quantile(y), 1e-3))
    steep = solve(Split(rows, Scalar(y[:, None], np.array([[-5e5, 5e5]])), 1e3))
    np.testing.assert_allclose(steep.x, plain.x, rtol=1e-8)
    np.testing.assert_allclose(steep.dual_gap, 0.0, atol=1e-10 * steep.fun)


@pytest.mark.parametrize("loss", [weston_watkins, crammer_singer])
def test_many_rows_of_three_classes(loss):
    rows, y = values(6000, 4)
    split = Split(rows, loss(np.digitize(y, [-1.0, 1.0])), 1e-3)
    result = solve(split)
    assert_exact(result)
    assert split.passes <= 25.0


def test_sorted_rows_and_a_rare_class():
    rows, y = classes(6000, 5)
    y = (np.arange(6000) < 3).astype(float)
    assert_exact(solve(Split(rows, hinge(y), 1e-3)))


@pytest.mark.parametrize("intercept", [False, True])
def test_many_sparse_features(intercept):
    rng = np.random.default_rng(0)
    rows = sp.random(400, 4000, density=0.01, random_state=rng, format="csr")
    y = np.asarray(rows[:, :200].sum(axis=1)).ravel() > 1.0
    split = Split(rows, hinge(y), 1e-3, intercept=intercept)
    result = solve(split)
    assert result.success
    assert result.dual_gap <= 1e-6 * result.fun
    oracle = SVC(kernel="linear", C=1.0 / (400 * 1e-3), tol=1e-8)
    if intercept:
        coef = oracle.fit(rows, y).coef_.toarray()[0]
        theirs = objective(split, np.concatenate([coef, oracle.intercept_]))
        np.testing.assert_allclose(result.fun, theirs, rtol=2e-6)


# The working rows


def test_bends_and_tangents():
    loss = epsilon_insensitive(np.zeros(6), 1.0)
    split = Split(np.zeros((6, 1)), loss, 0.0)
    z = np.array([-3.0, -1.2, 0.0, 0.8, 1.4, 7.0])
    np.testing.assert_array_equal(bends(split, z, np.full(6, 0.5)), [False, True, False, True, True, False])
    slopes = tangent_slopes(split, z, np.full(6, 0.1))
    np.testing.assert_allclose(slopes, [-1.0, -1.0, 0.0, 0.0, 1.0, 1.0], atol=1e-15)


def test_bends_of_three_classes():
    split = Split(np.zeros((3, 1)), weston_watkins([0, 0, 0]), 0.0)
    z = np.array([[5.0, 0.0, 0.0], [1.1, 0.0, -9.0], [0.0, 3.0, 3.0]])
    np.testing.assert_array_equal(bends(split, z, np.full(3, 0.2)), [False, True, False])
    slopes = tangent_slopes(split, z, np.full(3, 0.05))
    np.testing.assert_allclose(slopes, [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [-2.0, 1.0, 1.0]], atol=1e-14)


# The contract of a custom method


def test_too_few_steps_are_reported_with_the_gap():
    rows, y = classes(300, 5)
    result = solve(Split(rows, hinge(y), 1e-6), maxiter=3)
    assert not result.success
    assert result.status == 1
    assert result.nit == 3
    assert f"{result.dual_gap:.2e}" in result.message


def test_callback_sees_every_step_and_can_stop():
    rows, y = classes(300, 5)
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result.fun)
        if len(seen) == 5:
            raise StopIteration

    split = Split(rows, hinge(y), 1e-6)
    options = {"split": split, "unknown": 1}
    x0 = np.zeros(6)
    result = minimize(lambda x: 0.0, x0, method=augmented_lagrangian, callback=callback, options=options)
    assert result.status == 99
    assert not result.success
    assert len(seen) == result.nit == 5
    assert result.fun <= objective(split, x0)


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("stretch", [1.0, -1e3])
def test_any_start_ends_in_the_same_place(noise, stretch):
    rows, y = classes(500, 5, noise=noise)
    split = Split(rows, hinge(y), 1e-4)
    cold = solve(split)
    other = minimize(lambda x: 0.0, stretch * cold.x, method=augmented_lagrangian, options={"split": split})
    assert_exact(other)
    np.testing.assert_allclose(other.x, cold.x, rtol=1e-7, atol=1e-9)


def test_same_bits_again():
    rows, y = values(6000, 5)
    first, second = (solve(Split(rows, quantile(y), 1e-3)) for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)


# Newton's equations


def kinked_problem(loss, n_rows, n_features, alpha, intercept):
    random = np.random.default_rng(0)
    rows = random.normal(size=(n_rows, n_features))
    rows[:, 0] = 0.0
    split = Split(rows, loss, alpha, intercept=intercept)
    split.penalty[: split.cut : n_features] = 0.0
    problem = Problem(split, split.penalty, np.zeros(split.penalty.size))
    shape = n_rows if split.n_outputs == 1 else (n_rows, split.n_outputs)
    right = split.adjoint(random.normal(size=shape))
    return problem, random.normal(size=shape), right


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("alpha", [1e-6, 1e-2])
@pytest.mark.parametrize("loss", ["hinge", "weston-watkins", "crammer-singer"])
@pytest.mark.parametrize("ridge", [1e-14, 1e-6])
def test_few_rows_solve_the_same_equations(loss, alpha, intercept, ridge):
    outputs = 1 if loss == "hinge" else 4
    targets = np.random.default_rng(1).integers(0, 4, 90)
    made = hinge(targets > 1) if outputs == 1 else Multiclass(targets, loss, outputs)
    problem, v, right = kinked_problem(made, 90, 240 // outputs, alpha, intercept)
    step = 0.5
    rows, blocks = problem.split.curvature(v, step)
    rows, blocks = rows[:30], blocks[:30]
    assert FewRows.suits(problem, rows)
    few = FewRows(problem, rows, blocks, step)
    found = few.solve(right, ridge)

    jacobian = few.features  # every direction's row, to be multiplied by its vector over the outputs
    directions = np.einsum("rk,rj->rkj", few.vectors, jacobian).reshape(len(jacobian), -1)
    if intercept:
        directions = np.concatenate([directions, few.vectors], axis=1)
    penalty = np.where(problem.penalty == 0.0, 1.0, problem.penalty)
    penalty[problem.split.cut :] = 0.0
    gram = directions.T @ directions
    if ridge == 1e-14:
        np.testing.assert_allclose(gram, problem.split.gram(rows, blocks, np.float64) / step, atol=1e-12)
    hessian = gram + np.diag(penalty)
    if intercept:
        hessian[problem.split.cut :, problem.split.cut :] += few.intercepts
    if ridge == 1e-6:  # a little more of every feature's own curvature
        curvature = np.sum(few.vectors**2, axis=1) @ few.features**2 / outputs
        extra = np.tile(ridge * (few.penalty + curvature), outputs)
        hessian[np.arange(extra.size), np.arange(extra.size)] += extra
    np.testing.assert_allclose(hessian @ found, right, atol=1e-8 * np.abs(right).max())


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("loss", ["hinge", "weston-watkins", "crammer-singer"])
@pytest.mark.parametrize("duplicated", [False, True])
def test_many_rows_are_enough_in_single_precision(loss, intercept, duplicated):
    outputs = 1 if loss == "hinge" else 4
    targets = np.random.default_rng(1).integers(0, 4, 3000)
    made = hinge(targets > 1) if outputs == 1 else Multiclass(targets, loss, outputs)
    problem, v, right = kinked_problem(made, 3000, 100 // outputs, 1e-6, intercept)
    if duplicated:  # the penalty alone tells the two columns apart
        problem.split.rows[:, 2] = problem.split.rows[:, 1]
    window = problem.split.curvature(v, 2.0)
    assert window[0].size * problem.penalty.size**2 >= LARGE_SUM
    precisely = in_double_precision(problem, window, 2.0)
    for ridge in (1e-14, 1e-3):
        expected, found = precisely(right, ridge), dense(problem, window, 2.0)(right, ridge)
        exactly = duplicated or ridge == 1e-3
        np.testing.assert_allclose(found, expected, rtol=0, atol=(1e-12 if exactly else 1e-3) * np.abs(expected).max())
    assert not dense(problem, window, 2.0)(np.zeros_like(right), 1e-14).any()


def test_few_rows_leave_what_has_no_penalty_to_others():
    problem, v, right = kinked_problem(hinge(np.zeros(90)), 90, 240, 1e-2, False)
    rows, blocks = problem.split.curvature(v, 0.5)
    right[0] = 1.0
    assert FewRows(problem, rows, blocks, 0.5).solve(right, 1e-14) is None
    problem.penalty[:] = 0.0
    assert not FewRows.suits(problem, rows)
