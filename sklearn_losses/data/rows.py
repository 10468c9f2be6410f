"""The rows of a problem, which alone touch X: two contracts, `Rows` and `Block`.

Whatever the rest of the package wants to know of X is a sum over rows, or a result for every row. Both are computed by
*kernels*: functions of a block and of a few small things, which stand in a module, so that they and their arguments
can be sent to where the rows are. A kernel sees whole blocks only, and blocks are numbered through all rows: what it
returns depends neither on threads nor on how the rows are stored in parts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .gram import gram
from .sums import Sums
from .threads import Workers

if TYPE_CHECKING:
    from .lengths import Lengths

Array = NDArray[np.floating]
Indices = NDArray[np.intp]
Kernel = Callable[..., tuple]
Transform = Callable[..., Array]  # transform(rows, out=None): dense rows in other coordinates


class Meter:
    """Counts passes over the data of one fit; reading a part of it is a part of a pass.

    Parameters
    ----------
    n_entries : int
        What a pass reads.
    stamps : sequence of FileStamp
        Of the files that the data are in, which are to stay as they are.

    Attributes
    ----------
    n_entries : int
        The same.
    passes : float
        How many so far.
    known_finite : bool
        Whether a finite sum over all entries has shown that they are finite.
    """

    def __init__(self, n_entries: int, stamps: Sequence = ()):
        self.n_entries, self._stamps = n_entries, stamps
        self.passes = 0.0
        self.known_finite = False

    def count(self, rows: Rows, passes: float = 1.0) -> None:
        """Add the reading of some rows; a product in one direction only is half of it.

        Raises
        ------
        RuntimeError
            When a file is not what it was.
        """
        if passes:
            for stamp in self._stamps:
                stamp.check()
        self.passes += passes * rows.n_rows * rows.n_features / self.n_entries


class Block(ABC):
    """Some rows of X with their targets and weights, in float64 and small enough for the cache.

    Weights are positive; rows of weight zero are in no block. Every sum over the rows is weighted here, so that
    no kernel does.

    Parameters
    ----------
    y : ndarray
        Targets (m,), class codes (m,) of integers, or soft rows (m, K).
    weights : ndarray of shape (m,)
        The rows' weights.
    n_outputs : int
        How many scores a row gets: K.
    """

    def __init__(self, y: NDArray, weights: Array, n_outputs: int):
        self.y, self.weights, self.n_outputs = y, weights, n_outputs

    @cached_property
    def targets(self) -> Array:
        """The targets as losses take them: of class codes, rows with a one in the column of their class."""
        if self.y.dtype.kind not in "iu":
            return self.y
        rows = np.zeros((len(self.y), self.n_outputs))
        rows[np.arange(len(self.y)), self.y] = 1.0
        return rows

    @abstractmethod
    def scores(self, coef: Array, intercept: Array) -> Array:
        """``X coef' + intercept`` for coef (K, p) and intercept (K,): (m,) where K is 1, else (m, K).

        Several outputs stand column by column, which is the order that reductions over classes like.
        """

    @abstractmethod
    def dense(self) -> Array:
        """The rows as an array (m, p), perhaps X's own: not to be written to."""

    @abstractmethod
    def products(self, curvature: Array) -> tuple[Array, Array, float]:
        """The weighted sums over rows of curvature (m,) x (row row'), of curvature x row, and of curvature."""

    @abstractmethod
    def lengths(self) -> Lengths:
        """The rows' Euclidean lengths."""

    @abstractmethod
    def _adjoint(self, dual: Array) -> Array:
        """``dual' X``, (p,) or (K, p)."""

    def mean(self, values: Array) -> Any:
        """What the rows add to a weighted mean of values, (m,) or (m, K)."""
        return np.dot(self.weights, values)

    def pull_back(self, dual: Array) -> tuple[Array, Array]:
        """The weighted sums over rows of dual x row and of dual, (K, p) and (K,): the transpose of `scores`."""
        weighted = self.weighted(dual)
        total = np.array(weighted.sum(axis=0), ndmin=1)
        return self._adjoint(weighted).reshape(len(total), -1), total

    def gram(
        self, curvature: Array, dtype: type = np.float64, *, ones: bool, transform: Transform | None = None
    ) -> Array:
        """The weighted sum over rows of curvature x (row row'), computed in ``dtype``.

        Curvature is (m,), or (m, K, K) for a matrix in the order of K rows of coefficients, then K intercepts. With
        ``ones`` a row has an intercept's one at its end. With a transform it is taken of transformed rows.
        """
        return gram(self.features(dtype, ones=ones, transform=transform), self.weighted(curvature), ones=ones)

    def features(self, dtype: type = np.float64, *, ones: bool = False, transform: Transform | None = None) -> Array:
        """The dense rows, transformed, with a last column of ones if wanted; with that they are a new array."""
        dense = self.dense()
        if not ones:
            return (dense if transform is None else transform(dense)).astype(dtype, copy=False)
        features = np.empty((len(dense), dense.shape[1] + 1), dtype)
        features[:, -1] = 1.0
        if transform is not None and dtype == np.float64:
            transform(dense, out=features[:, :-1])
        else:
            features[:, :-1] = dense if transform is None else transform(dense)
        return features

    def weighted(self, rows: Array) -> Array:
        """Arrays of one entry a row, (m, ...), times the rows' weights."""
        return rows * (self.weights if rows.ndim == 1 else self.weights.reshape(-1, *(1,) * (rows.ndim - 1)))


class PerRow(ABC):
    """Results of a kernel for every row, a part for every block; they stay with the rows.

    Handed to a kernel of the same rows, it reaches it as the part of its block.
    """

    @abstractmethod
    def gathered(self) -> Array:
        """All of it as one array, where parts are arrays and fit into memory."""


class Rows(ABC):
    """A source of rows: numbered blocks, and sums over them.

    Attributes
    ----------
    n_rows, n_features, n_outputs : int
        Rows of positive weight, columns, and scores of a row.
    n_entries : int
        Stored numbers: the multiplications of a product with one vector.
    is_sparse : bool
        Whether products are cheaper than those of dense rows of this size.
    has_matrix : bool
        Whether `csr` and `csc` have one to give.
    origin : ndarray of shape (p,) or None
        What has been subtracted from every row.
    lengths : Lengths or None
        What every row has been divided by.
    meter : Meter
        Counts the passes; shared by all rows that are made of these.
    workers : Workers
        Who works on the blocks, and may work on other things between.
    """

    n_rows: int
    n_features: int
    n_outputs: int
    n_entries: int
    is_sparse: bool
    has_matrix = False
    origin: Array | None
    lengths: Lengths | None
    meter: Meter
    workers: Workers

    @abstractmethod
    def sum(self, kernel: Kernel, *small: Any, passes: float = 1.0, entries: int = 0) -> Sums:
        """``kernel(block, *small)``, a tuple of numbers and new arrays, summed over all blocks in a fixed order.

        Parameters
        ----------
        kernel : callable
            A function of a module; it and ``small`` pickle.
        *small
            Arguments; a `PerRow` reaches the kernel as the part of its block.
        passes : float
            How much of a pass over X the kernel is: a product in one direction is half of one.
        entries : int
            About how many numbers the result has, where they are many.
        """

    @abstractmethod
    def each(self, kernel: Kernel, *small: Any, passes: float = 1.0) -> tuple:
        """The same for ``(part, *sums)``: the parts of all blocks as a `PerRow`, then the sums."""

    @abstractmethod
    def spread(self, values: Array) -> PerRow:
        """An array with one entry a row, (n, ...), as what `each` would have found."""

    @abstractmethod
    def statistics(self) -> tuple[Array, Array]:
        """Weighted mean and standard deviation of every column, (p,) each; exactly zero for constant columns.

        They only steer solvers, so that for tall data they may come from a sample.
        """

    @abstractmethod
    def draw(self, size: int, random: np.random.RandomState, chances: PerRow | None = None) -> tuple[Indices, Array]:
        """About ``size`` rows, sorted, drawn by their chances, and weights of sum one that keep every mean unbiased.

        Chances are the rows' weights unless they are given. One row is drawn from each of ``size`` strata of the same
        chance, so that sorted data is covered evenly; one whose chance is larger than a stratum counts so often.
        """

    @abstractmethod
    def weights_of(self, indices: Indices | slice) -> Array:
        """The weights of some rows."""

    @abstractmethod
    def targets_of(self, indices: Indices | slice) -> NDArray:
        """The targets of some rows, as they were given."""

    @abstractmethod
    def take(self, indices: Indices | slice) -> Array:
        """Some rows as a new dense array in float64."""

    @abstractmethod
    def only(self, indices: Indices) -> Rows:
        """Some rows as they are stored, with their targets and weights as they are."""

    @abstractmethod
    def written(self, transform: Transform | None, indices: Indices | slice = slice(None)) -> Rows:
        """Some rows (all by default) in memory, dense, transformed, with their targets and weights as they are.

        The same rows where they are that already.
        """

    @abstractmethod
    def csr(self) -> Any:
        """The rows as a CSR matrix in float64, without duplicates; None where there is none."""

    def csc(self) -> Any:
        """The same as a CSC matrix."""
        matrix = self.csr()
        return None if matrix is None else matrix.tocsc()

    @abstractmethod
    def inner_products(self, center: Array) -> Array:
        """``A A'`` for the rows A less a center, (n, n); in memory only."""

    @abstractmethod
    def with_weights(self, weights: Array) -> Rows:
        """The same rows with other weights."""

    @abstractmethod
    def with_targets(self, y: NDArray, weights: Array) -> Rows:
        """The same rows with other targets and weights."""

    @abstractmethod
    def with_features(self, features: Array) -> Rows:
        """Rows of these dense features, with the targets and weights of the rows in their order; in memory only."""

    @abstractmethod
    def columns(self, features: Indices) -> Rows:
        """The same rows of some features only, in rising order, copied; in memory only."""

    @abstractmethod
    def unit(self) -> Rows:
        """The same rows divided by their lengths, block by block; rows of zeros stay. It takes a pass."""

    @abstractmethod
    def from_origin(self, origin: Array) -> Rows:
        """The same rows less an origin, without the digits that the subtraction from sums would cost."""
