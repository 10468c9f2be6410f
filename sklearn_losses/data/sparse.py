"""Sparse rows, by rows (CSR) or by columns (CSC)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .dense import dense_like, written
from .gram import moments
from .in_memory import RowsInMemory
from .lengths import Lengths, lengths_of_sparse
from .rows import Array, Block, Indices, Rows, Transform
from .statistics import statistics_of_sparse

BLOCK_ENTRIES = 4_000_000  # that are stored, 48 MB with their columns, and scores
MOSTLY_FULL = 0.5  # share of stored entries from which a column is stored densely for the sake of its digits


@dataclass
class Moved:
    """Columns less their origin, which are not sparse: their numbers, and their entries (n, m)."""

    columns: Indices
    entries: Array

    def only(self, where: slice | Indices) -> Moved:
        return Moved(self.columns, self.entries[where])


class SparseBlock(Block):
    """Rows of a sparse matrix.

    Parameters
    ----------
    matrix : sparse matrix
        Rows in float64.
    local : ndarray of intp, optional
        Those of them that are meant.
    moved : Moved, optional
        The columns that stand apart, for these rows; the matrix has zeros there.
    divisors : Lengths, optional
        What the rows are divided by: their products are, so that the matrix is not copied.
    """

    def __init__(
        self,
        matrix: Any,
        y: NDArray,
        weights: Array,
        n_outputs: int,
        local: Indices | None = None,
        moved: Moved | None = None,
        divisors: Lengths | None = None,
    ):
        super().__init__(y, weights, n_outputs)
        self.matrix, self.local, self.moved, self.divisors = matrix, local, moved, divisors

    def scores(self, coef, intercept):
        scores = self.matrix @ (coef[0] if self.n_outputs == 1 else coef.T)
        if self.local is not None:
            scores = scores[self.local]
        scores = np.asfortranarray(scores)
        if self.moved is not None:
            apart = self.moved.entries @ coef[:, self.moved.columns].T
            scores += apart.reshape(scores.shape)
        if self.divisors is not None:
            scores = self.divisors.divide(scores)
        scores += intercept if self.n_outputs > 1 else intercept[0]
        return scores

    def dense(self):
        dense = self.stored().toarray()
        if self.moved is not None:
            dense[:, self.moved.columns] = self.moved.entries
        return dense if self.divisors is None else self.divisors.divide(dense)

    def products(self, curvature):
        scaled = self.weighted(curvature)
        if self.moved is not None or self.divisors is not None:
            return moments(self.dense(), scaled)
        stored = self.stored()
        stored = stored if stored.format == "csc" else stored.tocsc()
        bent = sparse.csc_array((stored.data * scaled[stored.indices], stored.indices, stored.indptr), stored.shape)
        return (stored.T @ bent).toarray(), stored.T @ scaled, float(scaled.sum())

    def lengths(self):
        return lengths_of_sparse(self.stored())

    def stored(self) -> Any:
        """The rows as a matrix."""
        return self.matrix if self.local is None else self.matrix[self.local]

    def _adjoint(self, dual):
        dual = dual if self.divisors is None else self.divisors.divide(dual)
        everywhere = dual
        if self.local is not None:
            everywhere = np.zeros((self.matrix.shape[0], *dual.shape[1:]))
            everywhere[self.local] = dual
        product = (self.matrix.T @ everywhere).T
        if self.moved is not None:
            product[..., self.moved.columns] += dual.T @ self.moved.entries
        return product


class SparseRows(RowsInMemory):
    """Rows of a sparse matrix in canonical form, in blocks of rows if it is CSR; CSC is one block."""

    is_sparse = True

    def __init__(self, X, y, weights, n_outputs=1, *, moved: Moved | None = None, **options):
        self.moved, self.has_matrix = moved, moved is None
        self._by_column: Any = None
        super().__init__(X, y, weights, n_outputs, **options)

    @property
    def n_entries(self) -> int:  # type: ignore[override]
        return int(self.X.nnz)

    def _block_size(self) -> int:
        if self.X.format != "csr":
            return self.n_rows
        stored = self.X.nnz // max(self.X.shape[0], 1)
        return BLOCK_ENTRIES // (stored + 4 * self.n_outputs + 1) + 1

    def _block(self, where: slice) -> SparseBlock:
        first, last, local = where.start, where.stop, None
        if self.kept is not None:
            local = self.kept[where]
            first, last = local[0], local[-1] + 1
            local = local - first
        moved = None if self.moved is None else self.moved.only(where)
        matrix = self._between(first, last)
        divisors = None if self.lengths is None else self.lengths[where]
        return SparseBlock(matrix, self.y[where], self.weights[where], self.n_outputs, local, moved, divisors)

    def _between(self, first: int, last: int) -> Any:
        X = self.X
        if X.format == "csr" and (first > 0 or last < X.shape[0]):
            start, stop = X.indptr[first], X.indptr[last]
            parts = (X.data[start:stop], X.indices[start:stop], X.indptr[first : last + 1] - start)
            X = sparse.csr_array(parts, shape=(last - first, self.n_features))
        elif first > 0 or last < X.shape[0]:
            X = X[first:last]
        return X if X.dtype == np.float64 else X.astype(np.float64)

    def _picked(self, indices):
        return self.X[indices if self.kept is None else self.kept[indices]]

    def dense(self, where):
        dense = np.asarray(self._picked(where).toarray(), dtype=np.float64)
        if self.moved is not None:
            dense[:, self.moved.columns] = self.moved.entries[where]
        return dense if self.lengths is None else self.lengths[where].divide(dense)

    def only(self, indices):
        moved = None if self.moved is None else self.moved.only(indices)
        lengths = None if self.lengths is None else self.lengths[indices]
        X, y, weights = self._picked(indices), self.y[indices], self.weights[indices]
        return self._over(X, y, weights, origin=self.origin, lengths=lengths, moved=moved)

    def columns(self, features):
        if self._by_column is None:
            X = self.X if self.kept is None else self._picked(slice(None))
            self._by_column = X if X.format == "csc" else X.tocsc()
        moved, origin = self.moved, self.origin
        if moved is not None:
            here = np.isin(moved.columns, features)
            moved = Moved(np.searchsorted(features, moved.columns[here]), moved.entries[:, here])
        origin = None if origin is None else origin[features]
        return self._over(self._by_column[:, features], self.y, self.weights, origin=origin, moved=moved)

    def _over(self, X, y, weights, **options):
        options = {"moved": self.moved} | options
        return SparseRows(X, y, weights, self.n_outputs, workers=self.workers, meter=self.meter, **options)

    def written(self, transform: Transform | None, indices: Indices | slice = slice(None)) -> Rows:
        return written(self, transform, indices)

    def with_features(self, features: Array) -> Rows:
        return dense_like(self, features, self.y, self.weights)

    def csr(self):
        return None if self.moved is not None else _in_float64(self._meant().tocsr())

    def csc(self):
        return None if self.moved is not None else _in_float64(self._meant().tocsc())

    def _meant(self) -> Any:
        return self.X if self.kept is None else self._picked(slice(None))

    def statistics(self):
        return statistics_of_sparse(self, float(self.weights.min()))

    def inner_products(self, center):
        self.meter.count(self)
        X = self._picked(slice(None)).astype(np.float64)
        products, along = (X @ X.T).toarray(), X @ center
        return products - along[:, None] - along + center @ center

    def from_origin(self, origin):
        """The same with the columns that are mostly full stored densely, less their origin; the others as they are."""
        X = self._picked(slice(None)) if self.kept is not None else self.X
        stored = np.bincount(X.indices, minlength=self.n_features) if X.format == "csr" else np.diff(X.indptr)
        columns = np.flatnonzero((origin != 0) & (stored > MOSTLY_FULL * self.n_rows))
        if not len(columns):
            return self
        entries = np.asarray(X[:, columns].toarray(), dtype=np.float64) - origin[columns]
        apart = np.zeros(self.n_features, bool)
        apart[columns] = True
        of_column = apart[X.indices] if X.format == "csr" else np.repeat(apart, np.diff(X.indptr))
        rest = type(X)((np.where(of_column, 0, X.data), X.indices, X.indptr), shape=X.shape)
        subtracted = np.where(apart, origin, 0.0)
        return self._over(rest, self.y, self.weights, origin=subtracted, moved=Moved(columns, entries))


def csr_of(rows: Rows) -> Any:
    """The rows as a CSR matrix in float64: as they are stored, or of dense ones what is not zero."""
    return rows.csr() if rows.has_matrix else sparse.csr_array(rows.take(slice(None)))


def _in_float64(X: Any) -> Any:
    return X if X.dtype == np.float64 else X.astype(np.float64)
