"""Gram matrices of sparse rows are those of the same rows written out."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_losses import LinearRegressor
from sklearn_losses.data.sparse_gram import SPARSE, sparse_moments


def sparse_data(n=80, p=60, density=0.03):
    rng = np.random.default_rng(0)
    X = sp.csr_array(rng.normal(size=(n, p)) * (rng.random((n, p)) < density))
    return X, rng.normal(size=n), rng.uniform(0.5, 2.0, n)


@pytest.mark.parametrize("rows", [slice(None), np.arange(3, 70, 2)], ids=["all", "some"])
@pytest.mark.parametrize("conditioned", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_gram_of_sparse_rows(fit_intercept, conditioned, rows):
    X, y, weights = sparse_data()
    model = LinearRegressor(fit_intercept=fit_intercept)
    sparse, dense = (model.objective(A, y, sample_weight=weights) for A in (X, X.toarray()))
    if conditioned:
        sparse, dense = sparse.conditioned(), dense.conditioned()
    curvature = np.linspace(0.0, 3.0, 80)[rows]
    assert sparse_moments(sparse.rows, rows, curvature) is not None
    found, expected = sparse.gram(rows, curvature), dense.gram(rows, curvature)
    np.testing.assert_allclose(found, expected, atol=1e-13 * np.abs(expected).max())


def test_rows_that_are_hardly_sparse_are_written_out():
    X, y, _ = sparse_data(density=2 * SPARSE)
    assert sparse_moments(LinearRegressor().objective(X, y).rows, slice(None), np.ones(80)) is None
