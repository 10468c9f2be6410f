"""Shares with which slopes sum to zero, to all digits."""

import numpy as np
import pytest

from sklearn_losses.solvers.balancing import shares_of_signs, stationary


@pytest.mark.parametrize("weight", [1e-300, 1.0, 1e300])
def test_the_heavier_sign_is_scaled_down(weight):
    slopes = weight * np.array([3.0, -1.0, 0.5, -0.25])
    weights = np.array([0.5, 1.0, 1.0, 2.0])
    shares = shares_of_signs(weights, slopes)
    np.testing.assert_allclose(shares, [0.75, 1.0, 0.75, 1.0])
    np.testing.assert_array_equal(shares_of_signs(weights, -slopes), shares)
    np.testing.assert_array_equal(shares_of_signs(weights, np.abs(slopes)), np.zeros(4))
    np.testing.assert_array_equal(shares_of_signs(weights, np.zeros(4)), np.ones(4))


@pytest.mark.parametrize("size", [2, 3, 8])
@pytest.mark.parametrize("seed", range(5))
def test_stationary_vector_to_all_digits(size, seed):
    rng = np.random.default_rng(seed)
    flow = 10.0 ** rng.uniform(-9, 0, (size, size))
    np.fill_diagonal(flow, 0.0)
    np.fill_diagonal(flow, -flow.sum(axis=1))
    found = stationary(flow)
    assert found.max() == 1.0
    assert (found > 0.0).all()
    inflow = found @ np.where(np.eye(size), 0.0, flow)
    np.testing.assert_allclose(inflow, -found * np.diag(flow), rtol=1e-13)


def test_stationary_vector_of_classes_that_nothing_leaves():
    flow = np.array([[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, -2.0]])
    np.testing.assert_array_equal(stationary(flow), [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(stationary(np.zeros((3, 3))), np.ones(3))
