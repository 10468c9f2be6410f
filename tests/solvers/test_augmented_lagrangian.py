"""The exact solver on plain functions: against libsvm, liblinear and HiGHS, by its gap, and on hard cases."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from kinked_problems import (
    classes,
    crammer_singer,
    epsilon_insensitive,
    hinge,
    plain,
    quantile,
    scalar,
    soft_hinge,
    values,
    weston_watkins,
)
from scipy.optimize import linprog, minimize
from sklearn.datasets import load_iris
from sklearn.svm import SVC, LinearSVC

from sklearn_losses.losses.multiclass_hinge import WestonWatkins
from sklearn_losses.solvers.augmented_lagrangian import augmented_lagrangian
from sklearn_losses.solvers.augmented_lagrangian.intercept_interval import shift_to_middle
from sklearn_losses.solvers.augmented_lagrangian.working_rows import bends


def solve(problem, **options):
    return minimize(
        lambda x: 0.0,
        np.zeros(problem.penalty.size),
        method=augmented_lagrangian,
        options={"problem": problem, **options},
    )


def objective(problem, x):
    return problem.weights @ problem.value(problem.forward(x)) + 0.5 * (problem.penalty @ x**2)


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
    problem = plain(rows, hinge(y), 1.0 / (c * weights.sum()), weights)
    result = solve(problem)
    oracle = SVC(kernel="linear", C=c, tol=1e-10).fit(rows, y, sample_weight=weights)
    theirs = objective(problem, np.concatenate([oracle.coef_[0], oracle.intercept_]))
    assert_exact(result)
    assert theirs >= result.fun - result.dual_gap
    np.testing.assert_allclose(result.fun, theirs, rtol=1e-5)
    # F is strongly convex in the coefficients: their distance to the best is bounded by what theirs lose.
    distance = 0.5 * problem.penalty[0] * np.sum((result.x[:-1] - oracle.coef_[0]) ** 2)
    assert distance <= theirs - result.fun + 1e-9 * result.fun


def linear_program(problem):
    """Minimum of the losses without penalty, as an epigraph over the lines of every row, by HiGHS."""
    loss = problem.loss
    design = np.column_stack([problem.rows, np.ones(problem.n_rows)])
    constraints, bounds = [], []
    for line in range(loss.slopes.shape[1]):
        slope = np.broadcast_to(loss.slopes[:, line], problem.n_rows)
        contact = np.broadcast_to(loss.kinks[:, max(line - 1, 0)], problem.n_rows)
        constraints.append(sp.hstack([slope[:, None] * design, -sp.identity(problem.n_rows)]))
        bounds.append(slope * contact - loss.value(contact))
    cost = np.concatenate([np.zeros(design.shape[1]), problem.weights])
    free = [(None, None)] * cost.size
    answer = linprog(cost, sp.vstack(constraints), np.concatenate(bounds), bounds=free, method="highs")
    assert answer.status == 0
    return answer.fun


@pytest.mark.parametrize(
    "loss",
    [quantile, lambda y: quantile(y, 0.9), epsilon_insensitive],
    ids=["0.5", "0.9", "eps"],
)
def test_regression_without_penalty_is_highs(loss):
    rows, y = values(300, 5)
    problem = plain(rows, loss(y), 0.0, np.random.default_rng(1).uniform(0.5, 2.0, 300))
    result = solve(problem)
    assert_exact(result)
    np.testing.assert_allclose(result.fun, linear_program(problem), rtol=1e-10)


def multiclass_program(problem):
    """Minimum of a multi-class hinge without penalty by HiGHS."""
    n, n_classes, target = problem.n_rows, problem.n_outputs, problem.loss.target
    summed = isinstance(problem.loss, WestonWatkins)
    jacobian = problem.jacobian(np.arange(n))
    slack, matrices = [], []
    for k in range(n_classes):
        rows = np.flatnonzero(target != k)
        matrices.append(jacobian[rows, k] - jacobian[rows, target[rows]])
        slack.append(rows * n_classes + k if summed else rows)
    slack = np.concatenate(slack)
    size = n * n_classes if summed else n
    picks = sp.coo_matrix((-np.ones(slack.size), (np.arange(slack.size), slack)), (slack.size, size))
    cost = np.concatenate([np.zeros(problem.penalty.size), np.repeat(problem.weights, size // n)])
    bounds = [(None, None)] * problem.penalty.size + [(0, None)] * size
    constraints = sp.hstack([np.concatenate(matrices), picks])
    answer = linprog(cost, constraints, -np.ones(slack.size), bounds=bounds, method="highs")
    assert answer.status == 0
    return answer.fun


@pytest.mark.parametrize("loss", [weston_watkins, crammer_singer])
def test_multiclass_without_penalty_is_highs(loss):
    rows = np.random.default_rng(0).normal(size=(150, 3))
    target = (np.argmax(rows, axis=1) + (np.arange(150) % 3 == 0)) % 3
    problem = plain(rows, loss(target), 0.0)
    result = solve(problem)
    assert_exact(result)
    np.testing.assert_allclose(result.fun, multiclass_program(problem), rtol=1e-9)


def test_crammer_singer_is_liblinear():
    rows, target = load_iris(return_X_y=True)
    rows = rows - rows.mean(axis=0)
    oracle = LinearSVC(multi_class="crammer_singer", fit_intercept=False, tol=1e-9, max_iter=100_000).fit(rows, target)
    problem = plain(rows, crammer_singer(target), 1.0 / 150.0, intercept=False)
    result = solve(problem)
    assert_exact(result)
    np.testing.assert_allclose(result.x.reshape(3, -1), oracle.coef_, atol=1e-5)


# Hard cases


def hard_cases():
    rng = np.random.default_rng(0)
    rows, clean = classes(300, 5, noise=0.0)
    noisy = classes(300, 5)[1]
    flipped = np.where(rng.random(300) < 0.4, 1.0 - noisy, noisy)
    for alpha in (1e-8, 1e-3, 1.0, 1e4):
        yield f"separable, {alpha}", plain(rows, hinge(clean), alpha)
        yield f"noise, {alpha}", plain(rows, hinge(flipped), alpha)
        yield f"soft labels, {alpha}", plain(rows, soft_hinge(0.5 * (noisy + rng.random(300))), alpha)
    yield "separable, no penalty", plain(rows, hinge(clean), 0.0)
    yield "separable, no penalty or intercept", plain(rows, hinge(clean), 0.0, intercept=False)
    yield "overlapping, no penalty", plain(rows, hinge(noisy), 0.0)
    yield "duplicates", plain(np.repeat(rows, 5, axis=0), hinge(np.repeat(noisy, 5)), 1e-3)
    for alpha in (1e-8, 1e-3, 1.0):
        yield f"three rows of a class, {alpha}", plain(rows, hinge(np.arange(300) < 3), alpha)
    wide, labels = rng.normal(size=(30, 200)), rng.random(30) > 0.5
    for alpha in (0.0, 1e-8, 1e-2, 100.0):
        yield f"wide hinge, {alpha}", plain(wide, hinge(labels), alpha)
        yield f"wide absolute, {alpha}", plain(wide, quantile(wide[:, 0] + labels), alpha)
    constant = np.column_stack([rows[:, :2], np.zeros(300), np.ones(300)])
    for alpha in (0.0, 1e-2):
        yield f"one feature, {alpha}", plain(rows[:, :1], quantile(rows[:, 1]), alpha)
        yield f"constant columns, {alpha}", plain(constant, quantile(rows[:, 3]), alpha)
        yield (
            f"all residuals zero, {alpha}",
            plain(constant, quantile(constant @ [1.0, -2.0, 0.0, 1.0]), alpha),
        )
    integers = rng.integers(-2, 3, size=(5000, 4)).astype(float)
    total = integers.sum(axis=1) + rng.integers(-2, 3, size=5000)
    for alpha in (0.0, 1e-8, 1e-2, 1e4):
        yield f"integers, absolute, {alpha}", plain(integers, quantile(total), alpha)
        yield f"integers, hinge, {alpha}", plain(integers, hinge(total > 0), alpha)
    for size in (1e-3, 1e3):
        yield f"column of scale {size}", plain(rows * [1.0, size, 1.0, 1.0, 1.0], hinge(noisy), 1e-4)
        yield f"target of scale {size}", plain(rows, quantile(size**2 * rng.normal(size=300)), 1e-3)
    yield "heavy tails", plain(rows, quantile(rng.standard_cauchy(300), 0.05), 0.0)
    tails = rng.standard_cauchy(size=(150, 60))
    for alpha in (1e-8, 1e-3):
        yield f"heavy-tailed rows, {alpha}", plain(tails, hinge(rng.random(150) < 0.5), alpha)
    target = rng.integers(0, 3, 300)
    for loss in (weston_watkins, crammer_singer):
        for alpha in (1e-8, 1e-3, 1.0, 1e4):
            yield f"{loss.__name__} noise, {alpha}", plain(rows, loss(target), alpha)
            yield (
                f"{loss.__name__} separable, {alpha}",
                plain(rows, loss(np.argmax(rows[:, :3], axis=1)), alpha),
            )
        yield f"{loss.__name__} integers", plain(np.round(rows), loss(target), 1e-3)


@pytest.mark.parametrize("problem", [pytest.param(problem, id=name) for name, problem in hard_cases()])
def test_hard_cases_end_exact(problem):
    result = solve(problem)
    assert_exact(result, scale=np.max(np.abs(problem.value(problem.forward(np.zeros_like(result.x))))))
    np.testing.assert_allclose(result.fun, objective(problem, result.x), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("alpha", [1.0, 1e2, 1e4])
def test_scores_near_zero_take_no_more_steps(alpha):
    rng = np.random.default_rng(1)
    rows = (rng.random((1000, 50)) < 0.1).astype(float)
    target = np.argmax(rows @ rng.normal(size=(50, 4)), axis=1)
    assert solve(plain(rows, crammer_singer(target, 4), alpha, intercept=False)).nit < 100


@pytest.mark.parametrize("seed", [2, 7])
def test_scores_near_zero_beside_the_intercept_take_few_more(seed):
    rng = np.random.default_rng(seed)
    rows = (rng.random((600, 2)) < 0.1).astype(float)
    likely = np.argmax(rows @ rng.normal(size=(2, 3)), axis=1)
    target = np.where(rng.random(600) < 0.1, rng.integers(0, 3, 600), likely)
    result = solve(plain(rows, crammer_singer(target), 1e4))
    assert_exact(result)
    assert result.nit < 300


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_scores_far_away_take_no_more_steps(seed):
    rng = np.random.default_rng(seed)
    rows = rng.standard_cauchy(size=(150, 60))
    likely = rows / np.abs(rows).max(axis=0) @ rng.normal(size=60) > 0
    labels = np.where(rng.random(150) < 0.2, ~likely, likely)
    result = solve(plain(rows, hinge(labels), 1e-8))
    assert result.success and result.nit < 200


def test_separable_without_penalty_says_so():
    rows, y = classes(300, 5, noise=0.0)
    result = solve(plain(rows, hinge(y), 0.0))
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
    problem = plain(rows, LOSSES[name](rng.integers(-3, 4, n)), alpha, rng.uniform(0.1, 1.0, n), intercept)
    best = solve(problem)
    early = solve(problem, maxiter=steps)
    rounding = 1e-12 * max(1.0, early.fun)
    assert best.success
    assert best.dual_gap >= 0.0
    assert early.dual_gap >= early.fun - best.fun - rounding
    assert early.fun >= best.fun - best.dual_gap - rounding
    np.testing.assert_allclose(early.fun, objective(problem, early.x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("alpha", [0.0, 1e-3])
def test_dual_is_feasible_and_proves_the_gap(alpha):
    rows, y = values(200, 3)
    problem = plain(rows, quantile(y, 0.7), alpha)
    result = solve(problem)
    dual = result.dual
    assert np.all((dual >= -0.7 - 1e-12) & (dual <= 0.3 + 1e-12))
    slope = problem.adjoint(dual)
    free = problem.penalty == 0.0
    np.testing.assert_allclose(slope[free], 0.0, atol=1e-13)
    # The conjugate of a quantile loss is a * y on its interval.
    bound = -(problem.weights @ (dual * y)) - 0.5 * np.sum(slope[~free] ** 2 / problem.penalty[~free])
    np.testing.assert_allclose(bound, result.fun, rtol=1e-10)


# Uniqueness


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("alpha", [1e-4, 1.0])
def test_weights_are_repetitions_in_any_order(name, alpha):
    rng = np.random.default_rng(3)
    rows, y = rng.normal(size=(40, 3)), rng.integers(-3, 4, 40)
    counts = rng.integers(0, 4, 40)
    order = rng.permutation(np.repeat(np.arange(40), counts))
    weighted = plain(rows, LOSSES[name](y), alpha, counts.astype(float))
    repeated = plain(rows[order], LOSSES[name](y[order]), alpha)
    everywhere = plain(rows, LOSSES[name](y), alpha)
    scores = everywhere.forward(solve(weighted).x)
    np.testing.assert_allclose(everywhere.forward(solve(repeated).x), scores, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "y, middle",
    [([1.0, 2.0, 3.0, 10.0], 2.5), ([1.0, 1.0, 5.0, 5.0], 3.0), ([1.0, 2.0, 3.0], 2.0), ([4.0, 0.0], 2.0)],
)
def test_intercept_is_the_middle_of_its_interval(y, middle):
    result = solve(plain(np.zeros((len(y), 1)), quantile(y), 1.0))
    np.testing.assert_allclose(result.x, [0.0, middle], atol=1e-12)


def test_interval_without_an_end():
    everything = scalar(np.array([[-1.0], [2.0]]), np.array([[-1.0, 0.0]]))
    problem = plain(np.zeros((2, 1)), everything, 1.0)
    assert shift_to_middle(problem, np.full(2, 5.0)) == -3.0


@pytest.mark.parametrize("loss", [weston_watkins, crammer_singer])
def test_multiclass_parameters_sum_to_zero(loss):
    rows, target = load_iris(return_X_y=True)
    x = solve(plain(rows, loss(target), 1e-2)).x
    np.testing.assert_allclose(x[-3:].sum(), 0.0, atol=1e-10)
    np.testing.assert_allclose(x[:-3].reshape(3, -1).sum(axis=0), 0.0, atol=1e-10)


# Many rows, many features


@pytest.mark.parametrize("alpha", [0.0, 1e-4, 1.0])
@pytest.mark.parametrize("correlation", [0.0, 0.95])
@pytest.mark.parametrize("loss", ["hinge", "quantile"])
def test_many_rows_in_a_dozen_passes(alpha, correlation, loss):
    rows, y = values(12_000, 10)
    rows = np.sqrt(1.0 - correlation) * rows + np.sqrt(correlation) * np.random.default_rng(1).normal(size=(12_000, 1))
    problem = plain(rows, LOSSES[loss](y), alpha)
    result = solve(problem)
    assert_exact(result)
    assert problem.passes <= 20.0
    other = solve(problem, random_state=7)
    np.testing.assert_allclose(problem.forward(other.x), problem.forward(result.x), atol=1e-6)


@pytest.mark.parametrize("loss", [weston_watkins, crammer_singer])
def test_many_rows_of_three_classes(loss):
    rows, y = values(6000, 4)
    problem = plain(rows, loss(np.digitize(y, [-1.0, 1.0])), 1e-3)
    result = solve(problem)
    assert_exact(result)
    assert problem.passes <= 25.0


def test_sorted_rows_and_a_rare_class():
    rows, y = classes(6000, 5)
    y = (np.arange(6000) < 3).astype(float)
    assert_exact(solve(plain(rows, hinge(y), 1e-3)))


@pytest.mark.parametrize("intercept", [False, True])
def test_many_sparse_features(intercept):
    rng = np.random.default_rng(0)
    rows = sp.random(400, 4000, density=0.01, random_state=rng, format="csr")
    y = np.asarray(rows[:, :200].sum(axis=1)).ravel() > 1.0
    problem = plain(rows, hinge(y), 1e-3, intercept=intercept)
    result = solve(problem)
    assert result.success
    assert result.dual_gap <= 1e-6 * result.fun
    oracle = SVC(kernel="linear", C=1.0 / (400 * 1e-3), tol=1e-8)
    if intercept:
        coef = oracle.fit(rows, y).coef_.toarray()[0]
        theirs = objective(problem, np.concatenate([coef, oracle.intercept_]))
        np.testing.assert_allclose(result.fun, theirs, rtol=2e-6)


# The working rows


def test_bends_of_one_score():
    problem = plain(np.zeros((6, 1)), epsilon_insensitive(np.zeros(6), 1.0), 0.0)
    z = np.array([-3.0, -1.2, 0.0, 0.8, 1.4, 7.0])
    np.testing.assert_array_equal(bends(problem, z, np.full(6, 0.5)), [False, True, False, True, True, False])
    np.testing.assert_array_equal(problem.slope(z), [-1.0, -1.0, 0.0, 0.0, 1.0, 1.0])


def test_bends_of_three_classes():
    problem = plain(np.zeros((3, 1)), weston_watkins([0, 0, 0]), 0.0)
    z = np.array([[5.0, 0.0, 0.0], [1.1, 0.0, -9.0], [0.0, 3.0, 3.0]])
    np.testing.assert_array_equal(bends(problem, z, np.full(3, 0.2)), [False, True, False])
    np.testing.assert_array_equal(problem.slope(z), [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [-2.0, 1.0, 1.0]])


# The contract of a custom method


def test_too_few_steps_are_reported_with_the_gap():
    rows, y = classes(300, 5)
    result = solve(plain(rows, hinge(y), 1e-6), maxiter=3)
    assert not result.success
    assert result.status == 1
    assert result.nit == 3
    assert f"{result.dual_gap / result.fun:.2g} of F" in result.message


def test_callback_sees_every_step_and_can_stop():
    rows, y = classes(300, 5)
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result.fun)
        if len(seen) == 5:
            raise StopIteration

    problem = plain(rows, hinge(y), 1e-6)
    options = {"problem": problem, "unknown": 1}
    x0 = np.zeros(6)
    result = minimize(lambda x: 0.0, x0, method=augmented_lagrangian, callback=callback, options=options)
    assert result.status == 99
    assert not result.success
    assert len(seen) == result.nit == 5
    assert result.fun <= objective(problem, x0)


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("stretch", [1.0, -1e3])
def test_any_start_ends_in_the_same_place(noise, stretch):
    rows, y = classes(500, 5, noise=noise)
    problem = plain(rows, hinge(y), 1e-4)
    cold = solve(problem)
    other = minimize(lambda x: 0.0, stretch * cold.x, method=augmented_lagrangian, options={"problem": problem})
    assert_exact(other)
    np.testing.assert_allclose(other.x, cold.x, rtol=1e-7, atol=1e-9)


def test_same_bits_again():
    rows, y = values(6000, 5)
    first, second = (solve(plain(rows, quantile(y), 1e-3)) for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)
