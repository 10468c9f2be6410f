"""RowBlocks: rows that a user hands over in blocks, with their targets and weights if they like."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from .blocks import Opened, opened
from .parquet import ParquetFiles

__all__ = ["RowBlocks"]


class RowBlocks:
    """Data in blocks of rows, for data that is larger than memory: given to ``fit``, ``predict`` and ``score`` as X.

    A fit reads the blocks in order, a few times, one or two of them at once; nothing else is held of X. Results have
    the bits that they would have in memory, whatever the blocks.

    Parameters
    ----------
    blocks : list or callable
        A list of blocks, or a function without arguments that returns an iterator over them: a new one every time,
        over the same data. A block is an array (m, p), or a tuple (X, y) or (X, y, weights) of it with targets and
        weights (m,). Arrays are of any type of numbers; those of a list may be memory maps or datasets of a file, of
        which then a few rows at a time are read.
    cache : str or path, optional
        A directory for a scratch copy, which takes as much room as the data and is gone after the fit. It saves
        decoding or computing the blocks again on every pass.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_losses import LogisticRegressor, RowBlocks
    >>> def blocks():
    ...     for seed in range(4):
    ...         X = np.random.default_rng(seed).normal(size=(500, 3))
    ...         yield X, X[:, 0] > 0
    >>> model = LogisticRegressor().fit(RowBlocks(blocks))
    >>> round(model.score(RowBlocks(blocks)), 2)
    1.0
    >>> model.predict(RowBlocks(blocks)).shape
    (2000,)
    """

    def __init__(
        self,
        blocks: Sequence | Callable[[], Iterable] | ParquetFiles,
        cache: str | os.PathLike[str] | None = None,
    ):
        if not callable(blocks) and not isinstance(blocks, list | tuple | ParquetFiles):
            hint = (
                "It can be run through once, and a fit takes several passes. " if isinstance(blocks, Iterator) else ""
            )
            raise TypeError(
                "RowBlocks takes a list of blocks, or a function that returns a new iterator over them every time it "
                f"is called; got {type(blocks).__name__}. {hint}Write RowBlocks(function), without calling it."
            )
        if cache is not None and not os.path.isdir(cache):
            raise ValueError(f"cache must be a directory for a scratch copy; {os.fspath(cache)!r} is none.")
        self.blocks, self.cache = blocks, cache

    @classmethod
    def from_parquet(
        cls,
        path: str | os.PathLike[str] | Sequence,
        *,
        columns: Sequence[str] | None = None,
        target: str | None = None,
        weight: str | None = None,
        cache: str | os.PathLike[str] | None = None,
    ) -> RowBlocks:
        """The rows of a Parquet file, of several, or of a directory of them. It takes pyarrow (the extra ``files``).

        Parameters
        ----------
        path : str, path or list
            What ``pyarrow.dataset.dataset`` takes.
        columns : list of str, optional
            The features, in this order; by default all columns but target and weight.
        target : str, optional
            The column that is y.
        weight : str, optional
            The column of sample weights.
        cache : str or path, optional
            As above; without it every pass decodes the file again.

        Returns
        -------
        RowBlocks
            Whose features have names. It becomes float32 where all columns are of half or single precision or small
            integers, and float64 otherwise.
        """
        return cls(ParquetFiles(path, columns=columns, target=target, weight=weight), cache)

    def __repr__(self) -> str:
        return f"RowBlocks({self.blocks!r}{'' if self.cache is None else f', cache={self.cache!r}'})"

    def __array__(self, *_, **__):
        raise TypeError(
            "RowBlocks are read in blocks by fit, predict, score and objective, and never become one array. What takes "
            "rows by their numbers, such as cross-validation, needs an array: a memory map, or some rows."
        )

    def opened(self, *, targets: bool = True) -> Opened:
        """What is in the blocks; without targets and weights unless they are wanted."""
        if isinstance(self.blocks, ParquetFiles):
            return self.blocks.opened(self.cache, targets)
        return opened(self.blocks, self.cache, targets)
