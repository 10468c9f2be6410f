"""Every penalty keeps the promises of the contract: derivatives, proximal points, conjugates, scales."""

import numpy as np
import pytest
from lopsided import Lopsided

from sklearn_losses.objective.kinked_penalties import ElasticNet, Grouped
from sklearn_losses.objective.penalties import L2

RANDOM = np.random.RandomState(0)
P, K = 4, 2
CASES = {
    "one strength": L2(0.3),
    "a strength a feature": L2([0.1, 0.0, 2.0, 1e3]),
    "none": L2(0.0),
    "lasso": ElasticNet(0.3),
    "elastic net": ElasticNet([0.1, 0.0, 2.0, 0.5], [0.2, 0.7, 0.0, 0.1]),
    "positive lasso": ElasticNet(0.3, positive=True),
    "positive elastic net": ElasticNet([0.1, 0.0, 2.0, 0.5], [0.2, 0.7, 0.0, 0.1], positive=True),
    "bounds": ElasticNet(0.0, positive=True),
    "of one's own": Lopsided([0.1, 0.0, 2.0, 0.5], [0.2, 0.7, 0.0, 0.1]),
    "groups": Grouped(0.4),
    "groups and squares": Grouped([0.1, 0.0, 2.0, 0.5], [0.2, 0.7, 0.0, 0.1]),
}
penalties = pytest.mark.parametrize("penalty", CASES.values(), ids=CASES)
COEF, V = RANDOM.normal(size=(K, P)), RANDOM.normal(size=(K, P))


def inside(penalty):
    """Weights at which a penalty is finite."""
    return np.abs(COEF) if getattr(penalty, "positive", False) else COEF


@penalties
def test_gradient_and_hessian_are_those_of_the_value(penalty):
    step, coef = 1e-5, inside(penalty)
    for k in range(K):
        for j in range(P):
            move = np.zeros((K, P))
            move[k, j] = step
            ahead, behind = penalty.value(coef + move), penalty.value(coef - move)
            assert (ahead - behind) / (2 * step) == pytest.approx(penalty.gradient(coef)[k, j], rel=1e-6, abs=1e-9)
            change = penalty.gradient(coef + move) - penalty.gradient(coef - move)
            product = penalty.hessian_product(coef, move)
            np.testing.assert_allclose(change / (2 * step), product / step, rtol=1e-6, atol=1e-7)
            assert product[k, j] / step >= penalty.convexity(P)[j] - 1e-12
    assert penalty.value(np.zeros((K, P))) == 0.0


@penalties
@pytest.mark.parametrize("step", [1e-3, 1.0, RANDOM.uniform(0.1, 2.0, size=P)])
def test_the_proximal_point_is_the_minimiser(penalty, step):
    steps = np.broadcast_to(step, (K, P))

    def distance(u):
        return penalty.value(u) + 0.5 * np.sum((u - COEF) ** 2 / steps)

    found = penalty.prox(COEF, steps)
    # the distance is strongly convex: its slope at the minimiser is zero, or the kink there holds it
    assert np.abs(penalty.least_slope(found, penalty.gradient(found) + (found - COEF) / steps)).max() < 1e-10
    for _ in range(50):
        beside = found + RANDOM.normal(size=(K, P)) * 10.0 ** RANDOM.uniform(-6, 0, size=(K, P))
        assert distance(found) <= distance(beside)


@penalties
def test_conjugate_and_gap_are_fenchel_young(penalty):
    coef = inside(penalty)
    v = penalty.feasible(V) * V
    assert penalty.feasible(v) == 1.0
    gap = penalty.value(coef) + penalty.conjugate(v) - np.sum(v * coef)
    assert penalty.gap(coef, v) == pytest.approx(gap, rel=1e-9, abs=1e-12)
    assert penalty.gap_by_gradient(coef, penalty.gradient(coef) - v) == pytest.approx(gap, rel=1e-9, abs=1e-12)
    found = max(np.sum(v * u) - penalty.value(u) for u in 10 * RANDOM.normal(size=(200, K, P)))
    assert found <= penalty.conjugate(v) + 1e-9
    at_best = penalty.prox(coef + v, np.ones((K, P)))  # slopes there are known without an inverse
    slopes = (1 - 1e-14) * (coef + v - at_best)
    assert penalty.gap(at_best, slopes) == pytest.approx(0.0, abs=1e-12)


@penalties
def test_shares_of_slopes_are_as_large_as_can_be(penalty):
    for size in (1e-3, 1.0, 1e3):
        share, idle = penalty.feasible(size * V), penalty.idle(size * V)
        assert 0.0 <= idle <= share <= 1.0
        assert np.isfinite(penalty.conjugate(share * size * V))
        assert penalty.conjugate(idle * size * V) == 0.0
        if share < 1.0:
            assert penalty.conjugate((share + 1e-9) * size * V) == np.inf
        if idle < share:
            assert penalty.conjugate((idle + 1e-4 * (share - idle)) * size * V) > 0.0


@penalties
def test_the_least_slope_is_that_of_the_steepest_descent(penalty):
    at_zero = inside(penalty) * (np.arange(P) % 2)
    gradient = penalty.gradient(at_zero) + V  # of some function of slope V and the penalty
    slope = penalty.least_slope(at_zero, gradient)
    step = 1e-7

    def along(move):
        return np.sum(V * move) + (penalty.value(at_zero + step * move) - penalty.value(at_zero)) / step

    size = np.sum(slope**2)
    assert along(-slope) == pytest.approx(-size, rel=1e-3, abs=1e-5)
    for _ in range(100):
        move = RANDOM.normal(size=(K, P))
        assert along(move) >= -np.sqrt(size) * np.linalg.norm(move) - 1e-4


@penalties
def test_it_is_smooth_where_weights_are_free_and_steps_stay_there(penalty):
    coef = inside(penalty) * (np.arange(P) % 2)
    free = penalty.free(coef)
    trial = np.where(free, coef + 3 * V, coef + V)
    faced = penalty.on_face(coef, trial)
    assert (faced[~free] == 0.0).all()
    assert ((faced == trial) | (faced == 0.0)).all()
    assert np.isfinite(penalty.value(faced))
    nudge = np.where(free, 1e-9 * V, 0.0)
    change = penalty.gradient(coef + nudge) - penalty.gradient(coef)
    assert np.abs(change).max() < 1e-5
    assert (penalty.holds(P) >= (penalty.convexity(P) > 0)).all()


@penalties
def test_the_penalty_of_some_features(penalty):
    some = np.array([3, 0])
    alone = np.zeros((K, P))
    alone[:, some] = inside(penalty)[:, some]
    assert penalty.take(some).value(inside(penalty)[:, some]) == pytest.approx(penalty.value(alone), rel=1e-14)


def test_a_weight_without_a_penalty_has_a_conjugate_at_zero_only():
    v = np.ones((1, 4))
    for penalty in (L2(0.0), L2([1.0, 0.0, 1.0, 1.0])):
        assert penalty.conjugate(v) == penalty.gap(v, v) == np.inf
        assert penalty.feasible(v) == 0.0
    assert L2([1.0, 0.0, 1.0, 1.0]).conjugate(np.array([[1.0, 0.0, 2.0, 0.0]])) == 2.5


def test_the_gap_does_not_cancel():
    coef = np.array([[1e8, 1.0]])
    assert L2(1e-4).gap(coef, 1e-4 * coef + [[1e-9, 0.0]]) == pytest.approx(1e-18 / 2e-4, rel=1e-3)


@penalties
def test_solvers_may_take_a_smooth_one_for_squares_and_a_kink_for_a_cone(penalty):
    coef = inside(penalty)
    if penalty.smooth:
        np.testing.assert_array_equal(penalty.hessian_product(coef, V), penalty.convexity(P) * V)
        assert penalty.value(coef) == pytest.approx(0.5 * np.sum(penalty.convexity(P) * coef**2), rel=1e-14)
        return
    kink = penalty.kink()
    assert kink.value(3.0 * coef) == pytest.approx(3.0 * kink.value(coef), rel=1e-14)
    squares = 0.5 * np.sum(penalty.convexity(P) * coef**2)
    assert penalty.value(coef) == pytest.approx(kink.value(coef) + squares, rel=1e-14)


@penalties
def test_the_same_penalty_in_other_units(penalty):
    inverse_scale = np.array([1e-3, 1.0, 0.0, 1e5])
    assert penalty.scaled(inverse_scale).value(COEF) == pytest.approx(penalty.value(COEF * inverse_scale), rel=1e-12)
    np.testing.assert_allclose(
        penalty.scaled(inverse_scale).gradient(COEF), penalty.gradient(COEF * inverse_scale) * inverse_scale, rtol=1e-12
    )
    assert penalty.times(3.0).value(COEF) == pytest.approx(3.0 * penalty.value(COEF), rel=1e-14)


def test_squares_overflow_only_with_the_penalty():
    assert L2(1e-300).value(np.full((1, 1), 1e200)) == pytest.approx(5e99)
    assert L2(1e-200).scaled(np.array([1e150])).strength == pytest.approx(1e100)


def test_a_sphere_has_one_strength():
    assert [L2(0.1).spherical, L2(0.0).spherical, L2([0.1, 0.1]).spherical] == [True, True, False]
