"""Rows of a source: the blocks of an array, each read when it is needed."""

from __future__ import annotations

import numpy as np

from .dense import ArrayRows, DenseRows, dense_like
from .rows import Block, Indices, Rows, Transform

PANEL_BYTES = 64 << 20  # of columns that are read together, since they take as long as all of them


class ReadRows(DenseRows):
    """Rows of a `Source`, with targets and weights in memory."""

    def _picked(self, indices):
        if self.kept is not None:
            indices = self.kept[indices]
        if isinstance(indices, slice):
            start, stop, step = indices.indices(self.X.shape[0])
            if step == 1:
                return self.X.read(start, stop)
            indices = np.arange(start, stop, step)
        if not len(indices):
            return np.empty((0, self.n_features), self.X.dtype)
        first, last = int(indices.min()), int(indices.max()) + 1
        if last - first <= 2 * len(indices) and len(indices) <= self.block_size:
            return self.X.read(first, last)[indices - first]
        return self.X.take(indices)

    def _columns(self, starts, size):
        together = max(PANEL_BYTES // (self.X.shape[0] * size * self.X.dtype.itemsize), 1)
        for first in range(0, len(starts), together):
            some = starts[first : first + together]
            panel = self.X.read_columns(slice(some[0], some[-1] + size))
            panel = panel if self.kept is None else panel[self.kept]
            for start in some - some[0]:
                yield panel[:, start : start + size]

    def columns(self, features):
        picked = self.each(some_columns, features)[0].gathered()
        return dense_like(self, picked, self.y, self.weights)

    def _over(self, X, y, weights, **options):
        kind = ArrayRows if isinstance(X, np.ndarray) else ReadRows
        return kind(X, y, weights, self.n_outputs, workers=self.workers, meter=self.meter, **options)

    def written(self, transform: Transform | None, indices: Indices | slice = slice(None)) -> Rows:
        """Read in their order first: threads that look for rows far apart would read all there is between, again."""
        if transform is None:
            return dense_like(self, self.take(indices), self.y[indices], self.weights[indices])
        where = np.arange(self.n_rows)[indices] if isinstance(indices, slice) else indices
        return self.only(where).written(transform)


def some_columns(block: Block, features: Indices) -> tuple:
    """Some columns of a block, as a result for every row."""
    return (block.dense()[:, features],)
