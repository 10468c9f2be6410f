"""Sums of many products in single precision, which takes half the time, where that is enough."""

from scipy.linalg import get_lapack_funcs

LARGE_SUM = 1e6  # multiplications from which it is worth a try
UNEXPLAINED = 1e-4  # of a diagonal entry: a thousand times the error of single precision


def regular_factor(matrix):
    """The lower Cholesky factor of a matrix that was summed in single precision; None if its digits are too few.

    A squared pivot, relative to its diagonal entry, is what the coordinates before it leave unexplained.
    """
    (factorise,) = get_lapack_funcs(("potrf",), (matrix,))
    factor, failed = factorise(matrix, lower=1)
    regular = not failed and (factor.diagonal() ** 2 > UNEXPLAINED * matrix.diagonal()).all()
    return factor if regular else None
