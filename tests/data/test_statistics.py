"""Centers and spreads of columns: of any size, any offset and any weights, the same in every storage."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_losses import LinearRegressor, LogisticRegressor
from sklearn_losses.data import rows_of
from sklearn_losses.data import sparse as sparse_rows

RANDOM = np.random.RandomState(0)
KINDS = {"dense": np.asarray, "CSR": sparse.csr_array, "CSC": sparse.csc_array}
storages = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def statistics(data, weights=None):
    return rows_of(data, np.zeros(data.shape[0]), weights).statistics()


@storages
@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e150, 1e300])
def test_columns_of_any_size(size, kind):
    data = RANDOM.normal(size=(50, 3))
    data[:, 2] = 7.0
    center, spread = statistics(kind(data * size))
    np.testing.assert_allclose(center, data.mean(axis=0) * size, rtol=1e-10, atol=1e-12 * size)
    np.testing.assert_allclose(spread[:2], data[:, :2].std(axis=0) * size, rtol=1e-10)
    assert spread[2] == 0


@storages
@pytest.mark.parametrize("several", [False, True])
def test_columns_with_zeros(kind, several, monkeypatch):
    if several:
        monkeypatch.setattr(sparse_rows, "BLOCK_ENTRIES", 200)
    data = sparse.random(200, 6, density=0.3, random_state=0).toarray()
    weights = RANDOM.uniform(size=200)
    center, spread = statistics(kind(data), weights)
    np.testing.assert_allclose(center, np.average(data, axis=0, weights=weights), rtol=1e-12)
    variance = np.average((data - center) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(spread, np.sqrt(variance), rtol=1e-12)


@storages
@pytest.mark.parametrize("offset", [1e4, 1.7e9, 1e12, -1e15])
@pytest.mark.parametrize("zeros", [0, 1])
def test_columns_far_from_zero(kind, offset, zeros):
    data = offset + RANDOM.randint(0, 50, size=(300, 1)).astype(float)
    data[:zeros] = 0.0
    center, spread = statistics(kind(data))
    np.testing.assert_allclose(center, data.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(spread, (data - data.mean(axis=0)).std(axis=0), rtol=1e-6)


@storages
@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("heavy", [1e8, 1e17, 1e30])
def test_a_dominating_weight_makes_no_column_constant(kind, offset, heavy):
    data = offset + RANDOM.normal(size=(40, 3))
    data[:, 1] = 0.0
    data[3, 1] = 5.0
    data[:, 2] = 5.0
    weights = np.ones(40)
    weights[3] = heavy
    center, spread = statistics(kind(data), weights)
    np.testing.assert_allclose(center, data[3], rtol=1e-6)
    assert (spread[:2] > 0).all() and spread[2] == 0
    share = 39 / heavy
    np.testing.assert_allclose(spread[1], 5.0 * np.sqrt(share), rtol=1e-2 if heavy < 1e15 else 10.0)


def test_a_far_first_row_is_no_variation():
    data = np.zeros((1_000, 1))
    data[0] = 1e9
    data[1:, 0] = np.arange(999)
    weights = np.r_[1e-30, np.full(999, 1 / 999)]
    center, spread = statistics(data, weights)
    np.testing.assert_allclose(center, 499.0, rtol=1e-6)
    np.testing.assert_allclose(spread, np.arange(999).std(), rtol=1e-6)


@storages
def test_a_column_is_constant_only_if_it_is_so_exactly(kind):
    data = np.full((20, 3), 0.3)
    data[3, 1] = np.nextafter(0.3, 1)
    data[5, 2] = 0.3 + 1e-14
    _, spread = statistics(kind(data))
    assert spread[0] == 0 and (spread[1:] > 0).all()
    np.testing.assert_allclose(spread[1:], (data[:, 1:] - 0.3).std(axis=0), rtol=0.5)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_hinge", "hinge"])
def test_sparse_columns_far_from_zero_fit_as_dense_ones(kind, loss):
    random = np.random.RandomState(1)
    data = random.normal(size=(400, 4)) * (random.uniform(size=(400, 4)) < 0.4)
    data[:, 1] = 1.7e9 + random.randint(0, 10, size=400)
    data[:, 3] = 1e12
    y = (data[:, 0] + 0.3 * (data[:, 1] - 1.7e9) + random.normal(size=400) > 1.5).astype(int)
    one = LogisticRegressor(loss, alpha=1e-3, tol=1e-12).fit(data, y)
    other = LogisticRegressor(loss, alpha=1e-3, tol=1e-12).fit(kind(data), y)
    assert other.objective_value_ == pytest.approx(one.objective_value_, rel=1e-10)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-5, atol=1e-9)
    assert np.abs(one.coef_[0, 1]) > 0.01


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array])
def test_sparse_rows_less_an_origin_are_the_dense_ones(kind, n_outputs):
    random = np.random.RandomState(2)
    data = random.normal(size=(100, 5)) * (random.uniform(size=(100, 5)) < 0.4)
    data[:, [1, 4]] = 1e10 + random.normal(size=(100, 2))
    weights = np.where(random.uniform(size=100) < 0.2, 0.0, 1.0)
    origin = np.array([0.0, 1e10, 0.3, 0.0, 1e10])
    y = np.zeros(100)
    moved = rows_of(kind(data), y, weights, n_outputs).from_origin(origin)
    np.testing.assert_array_equal(moved.origin, [0.0, 1e10, 0.0, 0.0, 1e10])  # the third is sparse, and stays so
    expected = (data - moved.origin)[weights > 0]
    np.testing.assert_array_equal(moved.take(slice(None)), expected)
    coef = random.normal(size=(n_outputs, 5))
    found = moved.block(0).scores(coef, np.ones(n_outputs))
    np.testing.assert_allclose(found.reshape(-1, n_outputs), expected @ coef.T + 1.0, rtol=1e-12)
    dual = random.normal(size=found.shape)
    coefs, intercepts = moved.block(0).pull_back(dual)
    dual = dual.reshape(-1, n_outputs) / len(expected)
    np.testing.assert_allclose(coefs, dual.T @ expected, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(intercepts, dual.sum(axis=0), rtol=1e-10)
    np.testing.assert_array_equal(moved.only(np.array([3, 8])).take(slice(None)), expected[[3, 8]])


def test_statistics_do_not_cost_sparse_regressions_their_digits():
    random = np.random.RandomState(3)
    data = np.column_stack([1.7e9 + random.normal(size=200), random.normal(size=200)])
    y = 3.0 * (data[:, 0] - 1.7e9) + data[:, 1]
    dense_fit = LinearRegressor(alpha=1e-6).fit(data, y)
    sparse_fit = LinearRegressor(alpha=1e-6).fit(sparse.csr_array(data), y)
    assert sparse_fit.objective_value_ == pytest.approx(dense_fit.objective_value_, rel=1e-9)
