"""Single precision is taken only where the matrix leaves it enough digits."""

import numpy as np
import pytest

from sklearn_losses.solvers.cholesky import regular_factor


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_factor_of_a_regular_matrix(dtype):
    rows = np.random.default_rng(0).standard_normal((50, 6)) * np.logspace(-3, 3, 6)
    matrix = (rows.T @ rows).astype(dtype)
    factor = np.tril(regular_factor(matrix))
    assert factor.dtype == dtype
    np.testing.assert_allclose(factor @ factor.T, matrix, rtol=1e-4)


@pytest.mark.parametrize("kind", ["duplicated", "nearly duplicated", "indefinite", "undefined"])
def test_other_matrices_have_none(kind):
    rows = np.random.default_rng(0).standard_normal((50, 6))
    rows[:, 5] = rows[:, 0] + (1e-3 * rows[:, 5] if kind == "nearly duplicated" else 0.0)
    matrix = rows.T @ rows
    if kind == "indefinite":
        matrix[2, 2] *= -1.0
    if kind == "undefined":
        matrix[3, 3] = np.nan
    assert regular_factor(matrix.astype(np.float32)) is None
