"""The inverse of a matrix that rounding may have left singular or indefinite, by its eigenvalues."""

import numpy as np
from scipy.linalg import cho_solve, eigh

from .cholesky import factor_if_definite
from .descent import EPSILON

ROUNDING = 10.0  # times the size of the matrix and the largest eigenvalue: what is smaller may be rounding
UNCERTAIN = 1e-10  # of the largest eigenvalue: smaller ones have less than six digits


def spectral_inverse(matrix, product=None):
    """A function that applies the inverse, with absolute eigenvalues, in coordinates where the diagonal is one.

    Null directions count with one. The columns of a matrix X may be so nearly dependent that its Gram matrix does not
    show it, whose small eigenvalues are squares and so lost; a product with it, ``X'(X v)``, loses nothing before the
    last step. Where that is given, eigenvalues as small as rounding are found again by the products with their
    directions.

    Parameters
    ----------
    matrix : ndarray of shape (p, p)
        Symmetric.
    product : callable, optional
        ``product(v)`` is the matrix times a vector, more accurately than by its entries.
    """
    if not np.isfinite(matrix).all():
        return np.copy
    scale = np.sqrt(np.abs(matrix.diagonal()))
    scale[scale <= ROUNDING * EPSILON * len(scale) * scale.max(initial=0.0)] = 1.0  # columns that are rounding
    values, vectors = eigh(matrix / np.outer(scale, scale), check_finite=False)
    size = np.abs(values).max(initial=0.0)
    lost = np.abs(values) <= uncertain(len(values), product) * size
    vectors /= scale[:, None]
    if product is None or not lost.any():
        values = np.where(lost, 1.0, np.abs(values))
        return lambda vector: vectors @ ((vectors.T @ vector) / values)
    kept = ~lost
    # twice, as directions that are lost together may be of very different sizes, and have a little of the others
    for _ in range(2):
        images = vectors.T @ _images(vectors[:, lost], product)
        others = images[kept] / values[kept, None]
        among = images[lost] - images[kept].T @ others
        own = vectors[:, lost] - vectors[:, kept] @ others
        vectors[:, lost] = own @ eigh(0.5 * (among + among.T), check_finite=False)[1]
    images = vectors.T @ _images(vectors[:, lost], product)
    noise = np.abs(images[kept]).max(initial=0.0) / size  # what the products with the others could not be freed of
    return _by_blocks(values, vectors, lost, images, floor=(ROUNDING * max(EPSILON * len(values), noise)) ** 2 * size)


def uncertain(size, product):
    """The share of the largest eigenvalue below which one may be rounding, or could be known better."""
    return ROUNDING * size * EPSILON if product is None else UNCERTAIN


def _images(directions, product):
    return np.stack([product(direction) for direction in directions.T], axis=1)


def _by_blocks(values, vectors, lost, images, floor):
    """The inverse in a basis where the matrix is diagonal but for its products with the lost directions."""
    values = np.abs(values)
    values[lost] = np.abs(images[lost].diagonal())
    null = values <= floor
    values[null] = 1.0
    together = np.diag(values)
    together[:, lost], together[lost] = images, images.T
    together[null], together[:, null] = 0.0, 0.0
    roots = np.sqrt(values)
    together /= np.outer(roots, roots)
    together.flat[:: len(together) + 1] = 1.0
    basis = vectors / roots
    factor = factor_if_definite(together)
    if factor is None:
        return lambda vector: basis @ (basis.T @ vector)
    return lambda vector: basis @ cho_solve((factor, True), basis.T @ vector, check_finite=False)
