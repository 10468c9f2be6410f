"""Proximal operators of piecewise-linear losses against naive references: all candidates, tried in turn."""

from itertools import product

import numpy as np
import pytest

from sklearn_losses.losses.multiclass_hinge import (
    crammer_singer_curvature,
    crammer_singer_prox,
    scalar_at_kink,
    scalar_prox,
    weston_watkins_curvature,
    weston_watkins_prox,
)

N = 200


def hinge(y):
    """Kinks and slopes of y max(0, 1 - z) + (1 - y) max(0, 1 + z)."""
    return np.array([[-1.0, 1.0]]), np.column_stack([-y, 1.0 - 2.0 * y, 1.0 - y])


def scalar_losses():
    rng = np.random.default_rng(0)
    y = rng.normal(size=N)
    both = np.array([[-1.0, 1.0]])
    yield "soft hinge", *hinge(rng.random(N))
    yield "hard hinge", *hinge((rng.random(N) > 0.5).astype(float))
    yield "absolute", y[:, None], both
    yield "quantile", y[:, None], np.array([[-0.9, 0.1]])
    yield "epsilon-insensitive", np.column_stack([y - 0.1, y + 0.1]), np.array([[-1.0, 0.0, 1.0]])
    yield "percentage", y[:, None], both / np.abs(y)[:, None]
    kinks = np.sort(rng.normal(size=(N, 4)), axis=1)
    yield "four kinks", kinks, np.sort(rng.normal(size=(N, 5)), axis=1)


def scalar_value(z, kinks, slopes):
    """The loss at z (n,), zero at the first kink."""
    value = slopes[:, 0] * np.minimum(z - kinks[:, 0], 0.0)
    for j in range(kinks.shape[1]):
        end = kinks[:, j + 1] if j + 1 < kinks.shape[1] else np.inf
        value = value + slopes[:, j + 1] * np.maximum(np.minimum(z, end) - kinks[:, j], 0.0)
    return value


@pytest.mark.parametrize("name, kinks, slopes", list(scalar_losses()))
@pytest.mark.parametrize("step", [1e-3, 1.0, "rows"])
def test_scalar_prox_is_the_best_candidate(name, kinks, slopes, step):
    rng = np.random.default_rng(1)
    v = 2.0 * rng.normal(size=N)
    step = rng.uniform(0.01, 3.0, N) if step == "rows" else step
    # The minimiser is a kink or a step along one of the slopes.
    candidates = [np.broadcast_to(kink, N) for kink in kinks.T] + [v - step * slope for slope in slopes.T]
    objective = [scalar_value(u, kinks, slopes) + (u - v) ** 2 / (2.0 * step) for u in candidates]
    best = np.choose(np.argmin(objective, axis=0), candidates)
    np.testing.assert_allclose(scalar_prox(v, step, kinks, slopes), best, atol=1e-12)


@pytest.mark.parametrize("name, kinks, slopes", list(scalar_losses()))
def test_scalar_mask_is_the_jacobian(name, kinks, slopes):
    v = 2.0 * np.random.default_rng(2).normal(size=N)
    h = 1e-7
    moved = scalar_prox(v + h, 0.7, kinks, slopes) - scalar_prox(v - h, 0.7, kinks, slopes)
    jacobian = 1.0 - moved / (2.0 * h)
    np.testing.assert_allclose(scalar_at_kink(v, 0.7, kinks, slopes), jacobian, atol=1e-6)


def test_a_kink_without_a_bend_is_none():
    kinks, slopes = hinge(np.ones(3))  # no bend at -1 for a hard label
    assert not scalar_at_kink(np.full(3, -2.0), 1.0, kinks, slopes).any()


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
    u = margins(v, target) / step[:, None]
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
    w = correct + (v + 1.0 - correct) / step[:, None]
    for support in product([0.0, 1.0], repeat=v.shape[1]):
        if sum(support):
            threshold = (w @ support - 1.0) / sum(support)
            yield support * (w - threshold[:, None]) - correct


MULTICLASS = {
    "weston-watkins": (weston_watkins, weston_watkins_prox, weston_watkins_curvature, weston_watkins_duals),
    "crammer-singer": (crammer_singer, crammer_singer_prox, crammer_singer_curvature, crammer_singer_duals),
}


def multiclass_rows(n_classes, integers=False):
    rng = np.random.default_rng(n_classes)
    v = 2.0 * rng.normal(size=(N, n_classes))
    step = rng.uniform(0.01, 3.0, N)
    if integers:
        v, step = np.round(v), np.ones(N)
    return v, step, rng.integers(0, n_classes, N)


@pytest.mark.parametrize("name", MULTICLASS)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("integers", [False, True])
def test_multiclass_prox_is_the_best_candidate(name, n_classes, integers):
    value, prox, _, duals = MULTICLASS[name]
    v, step, target = multiclass_rows(n_classes, integers)

    def objective(u):
        return value(u, target) + ((u - v) ** 2).sum(axis=1) / (2.0 * step)

    best = np.min([objective(v - step[:, None] * dual) for dual in duals(v, step, target)], axis=0)
    np.testing.assert_allclose(objective(prox(v, step, target)), best, atol=1e-10)


@pytest.mark.parametrize("name", MULTICLASS)
@pytest.mark.parametrize("n_classes", [2, 4, 10])
def test_multiclass_curvature_is_the_jacobian(name, n_classes):
    _, prox, curvature, _ = MULTICLASS[name]
    v, step, target = multiclass_rows(n_classes)
    h = 1e-6
    jacobian = np.empty((N, n_classes, n_classes))
    for k, move in enumerate(h * np.eye(n_classes)):
        moved = prox(v + move, step, target) - prox(v - move, step, target)
        jacobian[:, :, k] = np.eye(n_classes)[k] - moved / (2.0 * h)
    rows, blocks = curvature(v, step, target)
    full = np.zeros_like(jacobian)
    full[rows] = blocks
    assert 0 < rows.size < N
    np.testing.assert_allclose(full, jacobian, atol=1e-7)


@pytest.mark.parametrize("name", MULTICLASS)
def test_dual_is_a_subgradient_with_zero_sum(name):
    value, prox, _, _ = MULTICLASS[name]
    v, step, target = multiclass_rows(4)
    z = prox(v, step, target)
    dual = (v - z) / step[:, None]
    np.testing.assert_allclose(dual.sum(axis=1), 0.0, atol=1e-12)
    other = z + np.random.default_rng(5).normal(size=z.shape)
    assert np.all(value(other, target) >= value(z, target) + (dual * (other - z)).sum(axis=1) - 1e-10)


@pytest.mark.parametrize("name", MULTICLASS)
def test_scalar_steps_and_rows_without_loss(name):
    _, prox, curvature, _ = MULTICLASS[name]
    target = np.array([0, 1, 2])
    z = 5.0 * np.eye(3)
    np.testing.assert_array_equal(prox(z, 1.0, target), z)
    rows, blocks = curvature(z, 1.0, target)
    assert rows.size == 0
    assert blocks.shape == (0, 3, 3)
