"""Piecewise-linear functions of one number from their kinks and slopes, against lines put together by hand."""

from itertools import pairwise

import numpy as np
import pytest

from sklearn_losses import LinearRegressor, LogisticRegressor, check_loss
from sklearn_losses.losses import AbsoluteError, EpsilonInsensitive, Hinge, PercentageError, Quantile
from sklearn_losses.losses.errors import KinkedErrorLoss
from sklearn_losses.losses.kinks import mirrored, slope_at, value_at
from sklearn_losses.losses.margin import KinkedMarginLoss

PIECES = [
    ((0.0,), (-1.0, 1.0)),
    ((0.0,), (-0.25, 0.75)),
    ((1.0,), (-1.0, 0.0)),
    ((-2.0,), (0.0, 3.0)),
    ((0.5,), (-2.0, 2.0)),
    ((-0.5, 0.5), (-1.0, 0.0, 1.0)),
    ((0.0, 0.0), (-1.0, 0.0, 1.0)),
    ((-1.0, 0.0, 1.0), (-3.0, -1.0, 1.0, 3.0)),
    ((-1.0, 0.0, 2.0), (-3.0, -1.0, 0.5, 0.75)),
    ((-3.0, -1.0, 4.0), (-1.0, -0.5, -0.25, 2.0)),
    ((1.0, 2.0, 3.0), (0.0, 0.5, 1.5, 4.0)),
]
X = np.concatenate([np.linspace(-5.0, 5.0, 201), [-0.5, 0.5, -1e308, 1e308, 5e-324, -5e-324]])


def by_hand(x, kinks, slopes):
    """The value as the integral of the slope from the lowest point, and the two one-sided slopes."""
    lowest = kinks[next((j for j, s in enumerate(slopes[1:]) if s >= 0), len(kinks) - 1)]

    def piece(t, side):
        return slopes[np.searchsorted(kinks, t, side=side)]

    ends = sorted([lowest, x, *(k for k in kinks if min(lowest, x) < k < max(lowest, x))])
    area = sum(piece(b, "left") * (b - a) for a, b in pairwise(ends) if b > a)
    return (area if x > lowest else -area), piece(x, "left"), piece(x, "right")


@pytest.mark.parametrize("pieces", PIECES, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_and_slopes(pieces, dtype):
    x = X[np.abs(X) < 1e30].astype(dtype)
    values, left, right = np.array([by_hand(t, *pieces) for t in x.astype(float)]).T
    assert value_at(x, pieces).dtype == slope_at(x, pieces).dtype == dtype
    np.testing.assert_allclose(value_at(x, pieces), values, rtol=4 * np.finfo(dtype).eps, atol=0)
    np.testing.assert_array_equal(slope_at(x, pieces), np.clip(0.0, left, right).astype(dtype))


@pytest.mark.parametrize("pieces", PIECES, ids=str)
def test_the_largest_numbers(pieces):
    """No nan, no value of the wrong side, and no digit lost where the value is a number."""
    slopes = pieces[1]
    with np.errstate(over="ignore"):
        values = value_at(np.array([-1e308, 1e308]), pieces)
    expected = [abs(slopes[0]) * 1e308, slopes[-1] * 1e308]
    np.testing.assert_array_equal(values, [np.inf if e > 1.79e308 else e for e in expected])
    np.testing.assert_array_equal(slope_at(np.array([-1e308, 1e308]), pieces), [slopes[0], slopes[-1]])


@pytest.mark.parametrize("pieces", PIECES, ids=str)
def test_mirrored(pieces):
    y = np.array([0.0, 0.3, 1.0])
    kinks, slopes = mirrored(y, pieces)
    assert kinks.shape[0] == slopes.shape[0] == 3 and slopes.shape[1] == kinks.shape[1] + 1
    assert (np.diff(kinks) > 0).all() and (np.diff(slopes) >= 0).all()
    for z in np.linspace(-5.05, 5.05, 102):
        expected = y * slope_at(np.array([z]), pieces) - (1 - y) * slope_at(np.array([-z]), pieces)
        np.testing.assert_allclose(slopes[np.arange(3), (kinks < z).sum(axis=1)], expected, atol=1e-15)


def test_every_kinked_loss_is_what_it_was_before_it_was_pieces():
    random = np.random.RandomState(0)
    y, p = random.normal(scale=3, size=999), random.normal(scale=3, size=999)
    p[:99] = y[:99]
    e = p - y
    for loss, value, gradient in (
        (AbsoluteError(), np.abs(e), np.sign(e)),
        (PercentageError(), np.abs(e) / np.abs(y), np.sign(e) / np.abs(y)),
        (Quantile(0.3), np.maximum(0.7 * e, -0.3 * e), np.where(e > 0, 0.7, np.where(e < 0, -0.3, 0.0))),
        (EpsilonInsensitive(1.5), np.maximum(0, np.abs(e) - 1.5), np.sign(e) * (np.abs(e) > 1.5)),
        (EpsilonInsensitive(0.0), np.abs(e), np.sign(e)),
    ):
        np.testing.assert_array_equal(loss.value(y, p), value)
        np.testing.assert_array_equal(loss.gradient(y, p), gradient)
    labels, scores = (y > 0) * 1.0, np.where(np.abs(e) < 1, np.sign(e), e)
    assert (scores == 1).any() and (scores == -1).any()
    signed = np.where(labels == 1, scores, -scores)
    np.testing.assert_array_equal(Hinge().value(labels, scores), np.maximum(0, 1 - signed))
    np.testing.assert_array_equal(Hinge().gradient(labels, scores), (signed < 1) * np.where(labels == 1, -1.0, 1.0))


def test_targets_far_from_zero_cost_no_digits():
    y, error = np.full(3, 2.0**30), np.array([-0.25, 0.0625, 0.5])
    np.testing.assert_array_equal(EpsilonInsensitive(0.1).value(y, y + error), np.maximum(0, np.abs(error) - 0.1))


class Ramp(KinkedErrorLoss):
    """An error loss in four lines."""

    domain = "values"
    convex = True

    def pieces_of_error(self):
        return (-1.0, 0.0, 2.0), (-3.0, -1.0, 0.5, 0.75)


class PinballHinge(KinkedMarginLoss):
    """A margin loss that also rises, slowly, on the right side."""

    def pieces_of_margin(self):
        return (1.0,), (-1.0, 0.5)


@pytest.mark.parametrize("loss", [Ramp(), PinballHinge()], ids=repr)
def test_a_piecewise_linear_loss_is_its_pieces(loss):
    check_loss(loss)
    random = np.random.RandomState(0)
    X, y = random.normal(size=(80, 3)), random.normal(size=80)
    estimator = LinearRegressor if "values" in loss.domains else LogisticRegressor
    model = estimator(loss, alpha=0.1, tol=1e-8).fit(X, y if estimator is LinearRegressor else y > 0)
    assert model.dual_gap_ <= 1e-8 * model.objective_value_
