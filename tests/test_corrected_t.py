"""The statistics of overlapping folds, against formulas written out and other people's code and numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import quad
from scipy.special import gammaln
from statsmodels.stats.multitest import multipletests

from sklearn_losses.corrected_t import CorrectedMean, check_rope, holm, table_of_differences

VALUES = np.random.RandomState(0).normal(0.01, 0.03, size=20)


def over_folds(values, train=90, test=10):
    return CorrectedMean.over_folds(values, [train] * len(values), [test] * len(values))


def test_without_overlap_it_is_the_paired_t_test():
    a, b = np.random.RandomState(1).normal(size=(2, 12))
    theirs = stats.ttest_rel(a, b)
    ours = over_folds(a - b, test=0)
    assert_allclose(ours.p_value, theirs.pvalue, rtol=1e-12)
    assert_allclose(ours.interval, [*theirs.confidence_interval(0.95)], rtol=1e-12)


def test_by_hand():
    """R: d <- c(2, 1, 3, 0, 2) / 100; se <- sqrt((1 / 5 + 20 / 80) * var(d)); 2 * pt(-mean(d) / se, 4)."""
    ours = over_folds([0.02, 0.01, 0.03, 0.00, 0.02], 80, 20)
    assert_allclose(ours.scale, np.sqrt((0.2 + 0.25) * 1.3e-4), rtol=1e-12)
    t = 0.016 / np.sqrt((0.2 + 0.25) * 1.3e-4)
    assert_allclose(t, 2.091905, rtol=1e-6)
    # the distribution function of t with 4 degrees of freedom in closed form
    x = t / np.sqrt(t * t + 4)
    assert_allclose(ours.p_value, 1 - x * (1 + (1 - x * x) / 2), rtol=1e-12)
    assert_allclose(ours.interval, 0.016 + np.array([-1, 1]) * 2.7764451052 * ours.scale, rtol=1e-9)


@pytest.mark.parametrize(("n_repeats", "n_splits"), [(1, 10), (10, 10), (5, 2)])
def test_repeated_folds_have_the_factor_of_machineshop(n_repeats, n_splits):
    """F = 1 + T K / (K - 1) times the variance of a mean of independent values."""
    values = np.random.RandomState(2).normal(size=n_repeats * n_splits)
    n_rows = 100
    ours = over_folds(values, n_rows * (n_splits - 1) // n_splits, n_rows // n_splits)
    factor = 1 + n_repeats * n_splits / (n_splits - 1)
    assert_allclose(ours.scale**2, factor * values.var(ddof=1) / len(values), rtol=1e-12)


def test_folds_of_unequal_size_count_by_their_means():
    train, test = [80, 70, 90], [20, 30, 10]
    ours = CorrectedMean.over_folds(VALUES[:3], train, test)
    assert_allclose(ours.scale, np.sqrt((1 / 3 + 20 / 80) * VALUES[:3].var(ddof=1)), rtol=1e-12)


@pytest.mark.parametrize("rope", [0.0, 0.01, 0.2])
def test_posterior_by_quadrature(rope):
    ours = over_folds(VALUES)
    degrees = len(VALUES) - 1
    log_constant = (
        gammaln((degrees + 1) / 2) - gammaln(degrees / 2) - 0.5 * np.log(degrees * np.pi) - np.log(ours.scale)
    )

    def density(x):
        return np.exp(log_constant - (degrees + 1) / 2 * np.log1p(((x - ours.mean) / ours.scale) ** 2 / degrees))

    within = quad(density, -rope, rope, epsabs=1e-12)[0]
    worse, equivalent, better = ours.beyond(rope)
    assert_allclose(worse, quad(density, -np.inf, -rope, epsabs=1e-12)[0], atol=1e-9)
    assert_allclose(equivalent, within, atol=1e-9)
    assert_allclose(better, quad(density, rope, np.inf, epsabs=1e-12)[0], atol=1e-9)
    assert worse + equivalent + better == pytest.approx(1.0)


def test_differences_that_are_all_zero():
    ours = over_folds(np.zeros(5))
    assert ours.p_value == 1.0
    assert ours.interval == (0.0, 0.0)
    assert ours.beyond(0.01) == ours.beyond(0.0) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(("value", "shares"), [(0.5, (0.0, 0.0, 1.0)), (-0.5, (1.0, 0.0, 0.0))])
def test_differences_that_are_all_the_same(value, shares):
    ours = over_folds(np.full(4, value))
    assert ours.p_value == 0.0
    assert ours.interval == (value, value)
    assert ours.beyond(0.1) == shares
    assert ours.beyond(0.5) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize("values", [[], [0.3]])
def test_fewer_than_two_folds_say_nothing_about_variance(values):
    ours = over_folds(values)
    assert ours.n_folds == len(values)
    assert np.isnan(ours.mean) == (not values)
    assert np.isnan([ours.scale, ours.p_value, *ours.interval, *ours.beyond(0.1)]).all()


def test_holm_counts_finite_p_values():
    p_values = np.random.RandomState(3).uniform(0, 0.2, size=8)
    expected = np.full(8, np.nan)
    finite = np.array([0, 1, 3, 4, 6, 7])
    expected[finite] = multipletests(p_values[finite], method="holm")[1]
    p_values[[2, 5]] = np.nan
    before = p_values.copy()
    assert_allclose(holm(p_values), expected, rtol=1e-14)
    assert_allclose(p_values, before)
    assert np.isnan(holm([np.nan])).all()
    assert holm([]).shape == (0,)


def test_the_table_adjusts_tests_and_not_intervals():
    means = [over_folds(VALUES), over_folds(VALUES - 0.02), over_folds([])]
    plain, adjusted = table_of_differences(means, None, None), table_of_differences(means, "holm", 0.01)
    assert list(plain) == ["mean_difference", "lower", "upper", "p_value", "n_folds"]
    assert list(adjusted) == [*plain, "worse", "equivalent", "better"]
    assert_allclose(adjusted["p_value"], holm(plain["p_value"]))
    assert (adjusted["p_value"][:2] > plain["p_value"][:2]).any()
    for name in ("mean_difference", "lower", "upper", "n_folds"):
        assert_allclose(adjusted[name], plain[name])
    assert len(table_of_differences([], "holm", 0.01)["worse"]) == 0


@pytest.mark.parametrize("rope", [-0.1, np.inf, np.nan, "0.1"])
def test_a_region_has_a_width(rope):
    with pytest.raises(ValueError, match="rope must be a finite number"):
        check_rope(rope)
