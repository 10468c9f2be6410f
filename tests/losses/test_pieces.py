"""Piecewise-linear losses of one score, against naive references: all candidates, tried in turn."""

import numpy as np
import pytest

from sklearn_losses import AbsoluteError, EpsilonInsensitive, Hinge, Loss, PercentageError, Quantile
from sklearn_losses.losses.pieces import Pieces

N = 200


def pieces_of_many_kinds():
    rng = np.random.default_rng(0)
    y = rng.normal(size=N)
    yield "soft hinge", Pieces.of(Hinge(), rng.random(N))
    yield "hard hinge", Pieces.of(Hinge(), (rng.random(N) > 0.5).astype(float))
    for loss in (AbsoluteError(), Quantile(0.9), EpsilonInsensitive(0.1), PercentageError()):
        yield repr(loss), Pieces.of(loss, y)
    kinks, slopes = np.sort(rng.normal(size=(N, 4)), axis=1), np.sort(rng.normal(size=(N, 5)), axis=1)
    yield "four kinks", Pieces(kinks, slopes, rng.normal(size=N))


KINDS = dict(pieces_of_many_kinds())


def naive_value(pieces, z):
    """The integral of the slopes from the kink where they turn positive, plus the value there."""
    bottom = np.minimum((pieces.slopes[:, 1:] < 0.0).sum(axis=1), pieces.kinks.shape[1] - 1)
    values = []
    for i, (kinks, slopes) in enumerate(zip(pieces.kinks, pieces.slopes, strict=True)):
        low, high = sorted((z[i], kinks[bottom[i]]))
        points = np.array([low, *kinks[(low < kinks) & (kinks < high)], high])
        middles = 0.5 * (points[1:] + points[:-1])
        rise = np.diff(points) @ slopes[(kinks < middles[:, None]).sum(axis=1)]
        values.append(pieces.least[i] + np.sign(z[i] - kinks[bottom[i]]) * rise)
    return np.array(values)


@pytest.mark.parametrize("name", KINDS)
def test_value(name):
    z = 2.0 * np.random.default_rng(1).normal(size=N)
    np.testing.assert_allclose(KINDS[name].value(z), naive_value(KINDS[name], z), atol=1e-13)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("step", [1e-3, 1.0, "rows"])
def test_dual_is_that_of_the_best_candidate(name, step):
    pieces, rng = KINDS[name], np.random.default_rng(1)
    v = 2.0 * rng.normal(size=N)
    step = rng.uniform(0.01, 3.0, N) if step == "rows" else step
    # the minimiser is a kink or a step along one of the slopes
    candidates = [*pieces.kinks.T, *(v - step * slope for slope in pieces.slopes.T)]
    objective = [pieces.value(u) + (u - v) ** 2 / (2.0 * step) for u in candidates]
    best = np.choose(np.argmin(objective, axis=0), candidates)
    np.testing.assert_allclose(v - step * pieces.dual(v, step), best, atol=1e-12)


@pytest.mark.parametrize("name", KINDS)
def test_bending_is_where_the_dual_moves(name):
    pieces, v, h = KINDS[name], np.random.default_rng(2).normal(size=N), 1e-7
    moved = (pieces.dual(v + h, 0.7) - pieces.dual(v - h, 0.7)) / (2.0 * h)
    expected = np.zeros(N)
    expected[pieces.bending(pieces.dual(v, 0.7))] = 1.0 / 0.7
    np.testing.assert_allclose(moved, expected, atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_a_short_step_gives_the_slope(name):
    pieces, z = KINDS[name], 2.0 * np.random.default_rng(3).normal(size=N)
    np.testing.assert_array_equal(pieces.slope(z), pieces.dual(z, 1e-9))


@pytest.mark.parametrize("name", KINDS)
def test_excess_is_that_over_the_conjugate(name):
    pieces, rng = KINDS[name], np.random.default_rng(4)
    z, share = 2.0 * rng.normal(size=N), rng.random(N)
    dual = (1.0 - share) * pieces.slopes[:, 0] + share * pieces.slopes[:, -1]
    conjugate = np.max([dual * kink - pieces.value(kink) for kink in pieces.kinks.T], axis=0)
    value, excess = pieces.value_and_excess(z, dual)
    np.testing.assert_array_equal(value, pieces.value(z))
    np.testing.assert_allclose(excess, value + conjugate - dual * z, atol=1e-12)


@pytest.mark.parametrize("name", KINDS)
def test_excess_of_a_dual_that_belongs_to_the_score_is_nothing(name):
    pieces, z = KINDS[name], 1e8 * np.random.default_rng(5).normal(size=N)
    _, excess = pieces.value_and_excess(z, pieces.slope(z))
    np.testing.assert_allclose(excess, 0.0, atol=1e-6)  # of values about 1e8
    for kink in pieces.kinks.T:
        _, excess = pieces.value_and_excess(kink, pieces.dual(kink, 1e-3))
        np.testing.assert_array_less(excess, 1e-15)


def test_a_kink_without_a_bend_is_left_out():
    assert KINDS["hard hinge"].kinks.shape == (N, 1)
    assert KINDS["soft hinge"].kinks.shape == (N, 2)


def test_a_loss_that_falls_for_ever_is_not_bounded():
    class Falling(Loss):
        domain, convex, smooth = "values", True, False

        def value(self, y, prediction):
            return np.maximum(-prediction, -2.0 * prediction)

        def pieces(self, y):
            return np.zeros((len(y), 1)), np.broadcast_to([-2.0, -1.0], (len(y), 2))

    assert not Pieces.of(Falling(), np.zeros(3)).bounded
    assert all(pieces.bounded for name, pieces in KINDS.items() if name != "four kinks")
