"""Rows read from files, beside the same rows in memory: ``python benchmarks/files.py --help``.

A fit that reads a file in p passes should take little more than the same fit in memory and p times the reading of the
file. So each way to store the rows is read once, block by block with a sum over its entries, and then fitted; shown are
the fit beside that in memory, and beside its passes times one reading. Files are in the cache of the system.

It needs ``pip install 'sklearn_losses[parquet]' h5py zarr``; what is not there is left out, and said.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from benchmark_utils import data

from sklearn_losses import LogisticRegressor, RowBlocks

BLOCK = 8_000  # rows that are read at a time
REPETITIONS = 3


@dataclass
class Stored:
    """Rows on disk: what a fit takes, and how to read all of them once."""

    X: Callable
    read: Callable


def by_slices(open_again):
    """What is read by slices, in float64 as fits need it."""

    def read():
        X = open_again()
        return sum(np.asarray(X[i : i + BLOCK], dtype=np.float64).sum() for i in range(0, X.shape[0], BLOCK))

    return Stored(open_again, read)


def memory_map(X, folder, dtype):
    path = folder / f"{np.dtype(dtype).name}.npy"
    np.save(path, X.astype(dtype))
    return by_slices(lambda: np.load(path, mmap_mode="r"))


def hdf5(X, folder):
    import h5py

    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=X, chunks=(BLOCK, X.shape[1]))
    return by_slices(lambda: h5py.File(path, "r")["X"])


def zarr_array(X, folder):
    import zarr

    path = str(folder / "rows.zarr")
    zarr.save_array(path, X)
    return by_slices(lambda: zarr.open(path, mode="r"))


def parquet(X, folder):
    import pyarrow
    import pyarrow.dataset
    import pyarrow.parquet

    path = folder / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.table(dict(zip(map(str, range(X.shape[1])), X.T, strict=True))), path)

    def read():
        batches = pyarrow.dataset.dataset(path).to_batches()
        return sum(np.column_stack(batch.columns).sum() for batch in batches if batch.num_rows)

    return Stored(lambda: RowBlocks.from_parquet(path, cache=folder), read)


WAYS = {
    "memory map": lambda X, folder: memory_map(X, folder, np.float64),
    "memory map, float32": lambda X, folder: memory_map(X, folder, np.float32),
    "HDF5": hdf5,
    "zarr": zarr_array,
    "Parquet, with a scratch copy": parquet,
}


def timed(function):
    """Seconds of the fastest of a few calls, and what that returned."""
    times, found = [], None
    for _ in range(REPETITIONS):
        start = perf_counter()
        found = function()
        times.append(perf_counter() - start)
    return min(times), found


def show(name, seconds, in_memory, reading, model):
    passes = model.result_.n_passes
    ratios = f"{seconds / in_memory:>14.2f}x{seconds / (passes * reading):>17.2f}x"
    print(f"{name:<30}{seconds:>9.3f} s{passes:>8.1f}{reading:>11.3f} s{ratios}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the number of rows")
    args = parser.parse_args()
    X, y = data.classification(int(args.scale * 500_000), 50)
    titles = f"{'rows':<30}{'fit':>11}{'passes':>8}{'one reading':>13}{'beside memory':>15}{'passes x reading':>18}"
    print(f"{len(X):,} x 50, cross-entropy\n{titles}")
    model = LogisticRegressor()
    in_memory, _ = timed(lambda: model.fit(X, y))
    show("in memory", in_memory, in_memory, timed(X.sum)[0], model)
    with tempfile.TemporaryDirectory() as name:
        for number, (way, store) in enumerate(WAYS.items()):
            folder = Path(name) / str(number)
            folder.mkdir()
            try:
                stored = store(X, folder)
            except ImportError as error:
                print(f"{way:<30}{error}")
                continue
            seconds, _ = timed(lambda stored=stored: model.fit(stored.X(), y))
            show(way, seconds, in_memory, timed(stored.read)[0], model)


if __name__ == "__main__":
    main()
