"""The joint hinges as row functions, against naive references: all candidates, tried in turn."""

from itertools import product

import numpy as np
import pytest

from sklearn_losses.losses.multiclass_hinge import CrammerSinger, WestonWatkins

N = 200


def margins(z, target):
    """1 + z_j - z_t for j != t, zero for j = t."""
    everything = np.arange(len(z))
    result = 1.0 + z - z[everything, target][:, None]
    result[everything, target] = 0.0
    return result


def weston_watkins(z, target):
    return np.maximum(margins(z, target), 0.0).sum(axis=1)


def crammer_singer(z, target):
    return np.maximum(margins(z, target), 0.0).max(axis=1)


def weston_watkins_duals(v, step, target):
    """For every way to put the dual coordinates at 0, at 1 or between: the dual that this would give."""
    u = margins(v, target) / step
    everything = np.arange(len(v))
    for pattern in product([0, 1, None], repeat=v.shape[1]):
        inside = np.array([p is None for p in pattern]) & (np.arange(v.shape[1]) != target[:, None])
        ones = np.array([p == 1 for p in pattern]) & (np.arange(v.shape[1]) != target[:, None])
        total = (ones.sum(axis=1) + (u * inside).sum(axis=1)) / (1.0 + inside.sum(axis=1))
        dual = np.where(inside, u - total[:, None], ones)
        dual[everything, target] = -dual.sum(axis=1)
        yield dual


def crammer_singer_duals(v, step, target):
    """For every support of the weights: the dual that it would give."""
    correct = np.eye(v.shape[1])[target]
    w = correct + (v + 1.0 - correct) / step
    for support in product([0.0, 1.0], repeat=v.shape[1]):
        if sum(support):
            threshold = (w @ support - 1.0) / sum(support)
            yield support * (w - threshold[:, None]) - correct


JOINT = {
    "weston-watkins": (WestonWatkins, weston_watkins, weston_watkins_duals),
    "crammer-singer": (CrammerSinger, crammer_singer, crammer_singer_duals),
}


def scores_and_classes(n_classes, integers=False):
    rng = np.random.default_rng(n_classes)
    v = 2.0 * rng.normal(size=(N, n_classes))
    return np.round(v) if integers else v, rng.integers(0, n_classes, N)


@pytest.mark.parametrize("name", JOINT)
def test_value(name):
    kind, value, _ = JOINT[name]
    v, target = scores_and_classes(4)
    np.testing.assert_allclose(kind(target).value(v), value(v, target), rtol=1e-13)


@pytest.mark.parametrize("name", JOINT)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("step", [0.05, 1.0, 3.0])
def test_dual_is_that_of_the_best_candidate(name, n_classes, integers, step):
    kind, value, duals = JOINT[name]
    v, target = scores_and_classes(n_classes, integers)

    def objective(u):
        return value(u, target) + ((u - v) ** 2).sum(axis=1) / (2.0 * step)

    best = np.min([objective(v - step * dual) for dual in duals(v, step, target)], axis=0)
    np.testing.assert_allclose(objective(v - step * kind(target).dual(v, step)), best, atol=1e-10)


@pytest.mark.parametrize("name", JOINT)
@pytest.mark.parametrize("n_classes", [2, 4, 10])
def test_bending_is_where_the_dual_moves(name, n_classes):
    v, target = scores_and_classes(n_classes)
    joint, h, step = JOINT[name][0](target), 1e-6, 0.8
    jacobian = np.empty((N, n_classes, n_classes))
    for k, move in enumerate(h * np.eye(n_classes)):
        jacobian[:, :, k] = step * (joint.dual(v + move, step) - joint.dual(v - move, step)) / (2.0 * h)
    rows, support = joint.bending(joint.dual(v, step))
    assert 0 < rows.size < N
    expected = np.zeros_like(jacobian)
    for row, mask in zip(rows, support.astype(float), strict=True):
        expected[row] = np.diag(mask) - np.outer(mask, mask) / mask.sum()
    np.testing.assert_allclose(jacobian, expected, atol=1e-7)


@pytest.mark.parametrize("name", JOINT)
def test_dual_is_a_subgradient_with_zero_sum(name):
    kind, value, _ = JOINT[name]
    v, target = scores_and_classes(4)
    joint = kind(target)
    dual = joint.dual(v, 0.3)
    z = v - 0.3 * dual
    np.testing.assert_allclose(dual.sum(axis=1), 0.0, atol=1e-12)
    other = z + np.random.default_rng(5).normal(size=z.shape)
    assert np.all(value(other, target) >= value(z, target) + (dual * (other - z)).sum(axis=1) - 1e-10)
    _, excess = joint.value_and_excess(z, dual)
    np.testing.assert_allclose(excess, 0.0, atol=1e-13)


@pytest.mark.parametrize("name", JOINT)
def test_slope_is_that_of_a_short_step(name):
    v, target = scores_and_classes(5)
    joint = JOINT[name][0](target)
    np.testing.assert_allclose(joint.slope(v), joint.dual(v, 1e-6), atol=1e-12)


@pytest.mark.parametrize("name", JOINT)
def test_excess_is_that_over_the_conjugate(name):
    kind, value, _ = JOINT[name]
    v, target = scores_and_classes(4)
    joint = kind(target)
    dual = joint.dual(np.random.default_rng(6).normal(size=v.shape), 0.5)
    found, excess = joint.value_and_excess(v, dual)
    conjugate = dual[np.arange(N), target]
    np.testing.assert_allclose(excess, value(v, target) + conjugate - (dual * v).sum(axis=1), atol=1e-12)
    np.testing.assert_array_equal(found, joint.value(v))
    assert (excess >= 0.0).all()


@pytest.mark.parametrize("name", JOINT)
def test_rows_without_loss_have_no_dual(name):
    joint = JOINT[name][0](np.array([0, 1, 2]))
    dual = joint.dual(5.0 * np.eye(3), 1.0)
    assert not dual.any()
    rows, support = joint.bending(dual)
    assert rows.size == 0
    assert support.shape == (0, 3)
