"""The Hessian is one operator: what it applies, writes out and knows in part agree; and so do its inverses."""

import numpy as np
import pytest

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.objective.points import Points
from sklearn_losses.objective.preconditioners import (
    by_class_inverse,
    dense_inverse,
    diagonal_inverse,
    kronecker_inverse,
    typical_inverse,
)

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(120, 4)) * [1.0, 1e3, 1e-2, 1.0] + [0.0, 1.0, 5.0, 0.0]
WEIGHTS = RANDOM.uniform(0.1, 2.0, size=120)
KINDS = {
    "two classes": LogisticRegressor(alpha=0.1),
    "three classes": SoftmaxClassifier(alpha=0.1),
    "without an intercept": SoftmaxClassifier(alpha=0.1, fit_intercept=False),
    "margins": SoftmaxClassifier("squared_hinge", alpha=0.1),
    "not convex": SoftmaxClassifier("brier", alpha=0.1),
    "a root": LinearRegressor("rmse", alpha=0.1),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def problem(kind):
    y = np.arange(120) % 3
    y = y > 0 if kind == "two classes" else X[:, 0] + RANDOM.normal(size=120) if kind == "a root" else y
    return KINDS[kind].objective(X, y, WEIGHTS)


def point(objective):
    return 0.3 * np.random.RandomState(1).normal(size=objective.n_parameters)


@kinds
@pytest.mark.parametrize("form", ["as it is", "conditioned", "written"])
def test_products_are_differences_of_gradients(kind, form):
    objective = problem(kind)
    objective = objective if form == "as it is" else objective.conditioned()
    objective = objective.written() if form == "written" else objective
    x = point(objective) * (1e-3 if form == "as it is" else 1.0)
    v = np.random.RandomState(2).normal(size=x.shape)
    step = 1e-5 * (1e-3 if form == "as it is" else 1.0)

    def gradient(t):
        return objective.value_and_gradient(x + t * step * v)[1]

    change = (8 * (gradient(1) - gradient(-1)) - (gradient(2) - gradient(-2))) / (12 * step)
    product = objective.hessian(x).apply(v)
    np.testing.assert_allclose(product, change, rtol=1e-5, atol=1e-6 * np.abs(change).max())
    if kind not in ("a root", "not convex"):
        np.testing.assert_allclose(objective.hessian(x).dense() @ v, product, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("kind", ["two classes", "three classes", "without an intercept", "margins"])
def test_the_blocks_of_the_classes_are_those_of_the_matrix(kind):
    objective = problem(kind).conditioned()
    hessian = objective.hessian(point(objective))
    whole = hessian.dense()
    for k in range(objective.n_outputs):
        index = objective.parameters.by_class(np.arange(len(whole)))[k].astype(int)
        np.testing.assert_allclose(hessian.of_class(k), whole[np.ix_(index, index)], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["three classes", "without an intercept", "margins", "not convex"])
def test_the_common_shift_is_taken_care_of_once(kind):
    objective = problem(kind).conditioned()
    hessian = objective.hessian(point(objective), convex=kind != "not convex")
    shift = objective.parameters.of_classes(np.tile(RANDOM.normal(size=4 + objective.fit_intercept), (3, 1)))
    _, gradient = objective.value_and_gradient(0 * shift)
    assert shift @ gradient == pytest.approx(0, abs=1e-12)
    assert np.linalg.eigvalsh(hessian.dense(definite=True))[0] > 1e-3
    np.testing.assert_allclose(hessian.without_common_shift(shift), 0, atol=1e-14)
    for inverse in (dense_inverse(hessian), by_class_inverse(hessian)):
        for applied in (inverse, inverse.of_share(0.5)):
            assert shift @ applied(RANDOM.normal(size=shift.shape)) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("kind", ["two classes", "three classes", "margins"])
def test_inverses_undo_the_hessian(kind):
    objective = problem(kind).conditioned()
    x = point(objective)
    hessian = objective.hessian(x)
    v = hessian.without_common_shift(RANDOM.normal(size=x.shape))
    np.testing.assert_allclose(dense_inverse(hessian)(hessian.apply(v)), v, rtol=1e-6, atol=1e-8)
    share = dense_inverse(hessian).of_share(0.25)
    mixed = 0.25 * (hessian.apply(v) - objective.strengths * v) + objective.strengths * v
    np.testing.assert_allclose(share(mixed), v, rtol=1e-6, atol=1e-8)
    inverses = [typical_inverse(objective), diagonal_inverse(hessian)]
    if objective.n_outputs > 1:
        inverses += [by_class_inverse(hessian), kronecker_inverse(hessian)]
    for inverse in inverses:  # approximations: definite, and of the right size
        assert 0.02 < (v @ inverse(hessian.apply(v))) / (v @ v) < 50


def test_a_point_is_paid_for_once():
    objective = problem("three classes").conditioned()
    points, x = Points(objective, keeps_scores=True), point(objective)
    before = objective.n_passes
    points.value_and_gradient(x)
    assert objective.n_passes - before == 1
    for v in np.eye(len(x))[:3]:
        np.testing.assert_array_equal(points.hessian_product(x.copy(), v), objective.hessian_product(x, v))
    assert objective.n_passes - before == 1 + 3 + 3 * 1.5
    moved = x + 1.0
    points.hessian_product(moved, moved)
    np.testing.assert_array_equal(points.hessian(moved).x, moved)
    x += 1.0  # a solver may write into its own vectors
    np.testing.assert_array_equal(points.hessian_product(x, moved), objective.hessian_product(moved, moved))


def test_what_is_found_does_not_change_the_objective():
    objective = problem("two classes")
    before = dict(vars(objective))
    conditioned = objective.conditioned()
    conditioned.written().only(np.arange(5))
    objective.replaced(penalty=objective.penalty.times(2.0))
    objective.value_and_gradient(point(objective))
    objective.hessian(point(objective)).dense()
    assert {name: value for name, value in vars(objective).items() if name != "strengths"} == before
