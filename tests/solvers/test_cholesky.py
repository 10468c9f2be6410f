"""Single precision is taken only where the matrix leaves it enough digits."""

import numpy as np
import pytest

from sklearn_losses.solvers.cholesky import definite_factor, factor_if_definite, regular_factor


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


@pytest.mark.parametrize("least", [1.0, 0.0, -1e-8])
def test_a_matrix_that_is_not_definite_has_the_factor_of_one_beside_it(least):
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0]
    matrix = (turn * [least, 1.0, 1.0, 2.0, 3.0, 4.0]) @ turn.T
    factor = np.tril(definite_factor(matrix))
    np.testing.assert_allclose(factor @ factor.T, matrix, atol=1e-6)
    if least != 0.0:  # where rounding decides
        assert (factor_if_definite(matrix) is None) == (least < 0.0)
