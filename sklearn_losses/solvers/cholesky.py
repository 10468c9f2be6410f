"""Cholesky factors, of sums of many products in single precision where that is enough, with a ridge where they fail."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor
from scipy.linalg.lapack import dpotrf, spotrf

LARGE_SUM = 1e6  # multiplications from which single precision, which takes half the time, is worth a try
UNEXPLAINED = 1e-4  # of a diagonal entry: a thousand times the error of single precision
FIRST_RIDGE, LARGER = 1e-12, 10.0  # of the largest diagonal entry, and how much larger the next one is


def factor_of_sum(matrix, work):
    """The lower Cholesky factor of ``matrix(dtype)``, a sum of so many products that are computed in a dtype.

    A large one is tried in single precision first; one that is not definite gets a little added to its diagonal.
    """
    if work >= LARGE_SUM:
        factor = regular_factor(matrix(np.float32).astype(np.float64))
        if factor is not None:
            return factor
    return definite_factor(matrix(np.float64))


def regular_factor(matrix, unexplained=UNEXPLAINED):
    """The lower Cholesky factor of a matrix; None if rounding of its entries may have made it.

    A squared pivot, relative to its diagonal entry, is what the coordinates before it leave unexplained.
    """
    factorise = spotrf if matrix.dtype == np.float32 else dpotrf
    factor, failed = factorise(matrix.T, lower=1, clean=0)
    regular = not failed and (factor.diagonal() ** 2 > unexplained * matrix.diagonal()).all()
    return factor if regular else None


def definite_factor(matrix):
    """The lower Cholesky factor of a matrix, or of one with a little added to its diagonal until it is definite."""
    ridge = FIRST_RIDGE * matrix.diagonal().max() + np.finfo(float).tiny
    while (factor := factor_if_definite(matrix)) is None:
        matrix = matrix + ridge * np.eye(len(matrix))
        ridge *= LARGER
    return factor


def factor_if_definite(matrix):
    """The lower Cholesky factor of a matrix as it is; None where it has none."""
    try:
        return cho_factor(matrix, lower=True, check_finite=False)[0]
    except LinAlgError:
        return None
