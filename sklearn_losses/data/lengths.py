"""How long rows are, without an overflow or underflow on the way, so that they can be divided by their lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from .rows import Array, Block

LEAST = 1e-290  # lengths from here to its inverse can be multiplied and inverted


class Lengths:
    """Euclidean lengths in two factors, for a length may be beyond floats where no entry is.

    Parameters
    ----------
    largest, rest : ndarray of shape (n,)
        The size of the largest entry, and the length after the division by it; zero and one for rows of zeros.

    Attributes
    ----------
    values : ndarray of shape (n,)
        The lengths.
    """

    def __init__(self, largest: Array, rest: Array):
        self.largest, self.rest = largest, rest

    @property
    def values(self) -> Array:
        with np.errstate(over="ignore"):
            return self.largest * self.rest

    def __getitem__(self, where: Any) -> Lengths:
        return Lengths(self.largest[where], self.rest[where])

    def divide(self, values: Array) -> Array:
        """Values, (n,) or (n, m), divided by their row's length, as a new array; rows of zeros by one."""
        shape = (-1, *(1,) * (values.ndim - 1))
        with np.errstate(over="ignore"):
            whole = _or_one(self.largest) * self.rest
        if whole.min(initial=1.0) > LEAST and whole.max(initial=1.0) < 1.0 / LEAST:
            return values * (1.0 / whole).reshape(shape)
        divided = values / _or_one(self.largest).reshape(shape)
        divided /= self.rest.reshape(shape)
        return divided


def lengths_of_dense(rows: Array) -> Lengths:
    """The lengths of dense rows."""
    largest = np.abs(rows).max(axis=1, initial=0.0)
    scaled = rows / _or_one(largest)[:, None]
    return Lengths(largest, _or_one(np.sqrt(np.einsum("ij,ij->i", scaled, scaled))))


def lengths_of_sparse(matrix: Any) -> Lengths:
    """The lengths of the rows of a sparse matrix in canonical form."""
    entries, n_rows = matrix.tocoo(), matrix.shape[0]
    sizes, largest = np.abs(entries.data).astype(np.float64), np.zeros(n_rows)
    np.maximum.at(largest, entries.row, sizes)
    squares = np.bincount(entries.row, weights=(sizes / _or_one(largest)[entries.row]) ** 2, minlength=n_rows)
    return Lengths(largest, _or_one(np.sqrt(squares)))


def factors(block: Block) -> tuple:
    """Both factors of the lengths of a block's rows, (m, 2), as a result for every row."""
    lengths = block.lengths()
    return (np.column_stack([lengths.largest, lengths.rest]),)


def _or_one(sizes: Array) -> Array:
    return np.where(sizes > 0.0, sizes, 1.0)
