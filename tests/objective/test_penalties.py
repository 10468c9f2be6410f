"""Every penalty keeps the promises of the contract: derivatives, proximal points, conjugates, scales."""

import numpy as np
import pytest
from scipy.optimize import minimize

from sklearn_losses.objective.penalties import L2

RANDOM = np.random.RandomState(0)
P, K = 4, 2
CASES = {"one strength": L2(0.3), "a strength a feature": L2([0.1, 0.0, 2.0, 1e3]), "none": L2(0.0)}
penalties = pytest.mark.parametrize("penalty", CASES.values(), ids=CASES)
COEF, V = RANDOM.normal(size=(K, P)), RANDOM.normal(size=(K, P))


@penalties
def test_gradient_and_curvature_are_those_of_the_value(penalty):
    step = 1e-5
    for k in range(K):
        for j in range(P):
            move = np.zeros((K, P))
            move[k, j] = step
            ahead, behind = penalty.value(COEF + move), penalty.value(COEF - move)
            assert (ahead - behind) / (2 * step) == pytest.approx(penalty.gradient(COEF)[k, j], rel=1e-6, abs=1e-9)
            change = penalty.gradient(COEF + move) - penalty.gradient(COEF - move)
            curvature = np.zeros((K, P))
            curvature[k, j] = penalty.curvature(COEF)[k, j]
            np.testing.assert_allclose(change / (2 * step), curvature, rtol=1e-6, atol=1e-7)
    assert penalty.value(np.zeros((K, P))) == 0.0
    assert (penalty.convexity(P) <= penalty.curvature(COEF) + 1e-15).all()


@penalties
@pytest.mark.parametrize("step", [1e-3, 1.0, RANDOM.uniform(0.1, 2.0, size=(K, P))])
def test_the_proximal_point_is_the_minimiser(penalty, step):
    def distance(u):
        u = u.reshape(K, P)
        return penalty.value(u) + 0.5 * np.sum((u - COEF) ** 2 / step)

    found = penalty.prox(COEF, step)
    best = minimize(distance, COEF.ravel(), method="BFGS", options={"gtol": 1e-10}).fun
    assert distance(found) <= best * (1 + 1e-9) + 1e-12


@penalties
def test_conjugate_and_gap_are_fenchel_young(penalty):
    held = np.broadcast_to(penalty.curvature(COEF) > 0, (K, P))
    v = np.where(held, V, 0.0)
    gap = penalty.value(COEF) + penalty.conjugate(v) - np.sum(v * COEF)
    assert penalty.gap(COEF, v) == pytest.approx(gap, rel=1e-9, abs=1e-12)
    for _ in range(50):
        u = RANDOM.normal(size=(K, P)) * 10
        assert np.sum(v * u) - penalty.value(u) <= penalty.conjugate(v) + 1e-9
    assert penalty.gap(COEF, penalty.gradient(COEF)) == 0.0
    assert penalty.feasible(v) == 1.0


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


def test_a_sphere_has_one_positive_strength():
    assert [L2(0.1).spherical, L2(0.0).spherical, L2([0.1, 0.1]).spherical] == [True, False, False]
