"""Data in files and on a cluster, beside dask-ml and beside memory: ``python benchmarks/larger_than_memory.py --help``.

Cluster: binary cross-entropy on 50 features whose chunks are persisted on a `LocalCluster` of two processes. Our
default settings are timed on the cluster, with the passes and the round trips that a fit takes, and in the memory of
the calling process. dask-ml's LogisticRegression minimises the same objective in the same chunks: each of its solvers
is run from few iterations to many until it is within a relative distance of 1e-6 of the optimum, which is our very
tight run's in memory; one that does not come so close within the limit of seconds shows what it reached. (It penalises
the intercept too, or nothing at all; at this strength that is far below 1e-6.)

Files: the same loss on 50 features of single precision in a file. A fit is compared with its passes times one reading
of the file in stretches of 16 MB, entries added up: their quotient should be at most 1.5 times that of a raw memory map
in cache. Parquet is also fitted from a scratch copy, which decodes it once.

Run it on a quiet machine: this is a plain script. With ``--write`` the table is a file of comma-separated values too.
"""

import argparse
import importlib
import itertools
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import dask
import dask.array as da
import numpy as np
from benchmark_utils.data import classification
from benchmark_utils.table import shown, write_table
from benchmark_utils.timing import best_time
from distributed import Client, LocalCluster

from sklearn_losses import LogisticRegressor, RowBlocks
from sklearn_losses.data.cluster import Cluster

WANTED = 1e-6  # relative suboptimality
TIGHT = 1e-11  # tolerance of the reference run
ALPHA = 1e-7
N_FEATURES = 50
ON_CLUSTER = (500_000, 2_000_000)  # rows
IN_FILES = 2_000_000
CHUNKS = 8
STRETCH = 16 << 20  # bytes that are read at once
FASTER, SLOWER = 5.0, 1.5  # what is aimed at: beside dask-ml, and beside a memory map
SETTINGS = {
    "lbfgs": (4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 40, 60, 80, 120, 200, 500),
    "newton": (1, 2, 3, 4, 5, 6, 8, 12, 20),
    "admm": (1, 2, 5, 10, 20, 50, 100, 250, 1000),
}
NEVER = {"admm": {"abstol": 0.0, "reltol": 0.0}}  # that iterations end before their number


@dataclass
class Line:
    """A line of the table; the ratio is to what its part compares with."""

    problem: str
    who: str
    seconds: float
    note: str
    suboptimality: float = np.nan
    passes: float = np.nan
    trips: float = np.nan
    ratio: float = np.nan
    held: str = ""

    def __str__(self):
        reached = "" if np.isnan(self.suboptimality) else f"{max(self.suboptimality, 0.0):.0e}"
        counts = [f"{count:.1f}" if count % 1 else f"{count:.0f}" for count in (self.passes, self.trips)]
        passes, trips = ("" if count == "nan" else count for count in counts)
        ratio = "" if np.isnan(self.ratio) else f"{self.ratio:.2f}x"
        return (
            f"{self.problem:<30}{self.who:<26}{self.seconds:>9.3f} s{reached:>8}{passes:>7}{trips:>6}{ratio:>9} "
            f"{self.held:<4}{self.note}"
        )


HEADER = f"{'problem':<30}{'who':<26}{'time':>11}{'subopt':>8}{'passes':>7}{'trips':>6}{'ratio':>9} held"


@contextmanager
def counted_trips():
    """A list that grows with every round trip of ours."""
    made, bring = [], Cluster.bring

    def counted(cluster, futures):
        made.append(len(futures))
        return bring(cluster, futures)

    Cluster.bring = counted
    try:
        yield made
    finally:
        Cluster.bring = bring


def installed(name):
    """A module, or None, which is said."""
    try:
        return importlib.import_module(name)
    except Exception as error:  # also of versions that do not fit together
        print(f"not installed, or not with these versions: {name} ({type(error).__name__}: {error})")
        return None


# On a cluster


def loaded(path, start, stop):
    """Some rows of a file; what the workers run."""
    return np.load(path, mmap_mode="r")[start:stop].copy()


def in_chunks(path, array):
    """An array of a file's rows in chunks."""
    np.save(path, array)
    edges = np.linspace(0, len(array), CHUNKS + 1).astype(int)
    chunks = [
        da.from_delayed(dask.delayed(loaded)(str(path), start, stop), (stop - start, *array.shape[1:]), array.dtype)
        for start, stop in itertools.pairwise(edges)
    ]
    return da.concatenate(chunks).persist()


def fit_dask_ml(models, solver, X, y, max_iter):
    """Coefficients and intercept of a solver of dask-ml after so many iterations at most."""
    options = {"penalty": "l2", "C": 1 / (ALPHA * len(X)), "tol": 1e-12, "solver_kwargs": NEVER.get(solver)}
    model = models.LogisticRegression(solver=solver, max_iter=max_iter, **options).fit(X, y)
    return model.coef_, model.intercept_


def sweep(fit, suboptimality, settings, limit):
    """The first setting that is close enough, or else the best: seconds, suboptimality and setting."""
    runs = []
    for setting in settings:
        start = perf_counter()
        reached = suboptimality(*fit(setting))
        runs.append((perf_counter() - start, reached, setting))
        if reached <= WANTED or runs[-1][0] > limit:
            break
    seconds, reached, setting = min(runs, key=lambda run: run[1])
    if reached <= WANTED:
        seconds = min(seconds, best_time(lambda: fit(setting), min(limit, seconds / 2)))
    return seconds, reached, setting


def measure_cluster(n_rows, folder, models, solvers, limit):
    """Ours on the cluster and in memory, then dask-ml's solvers."""
    X, y = classification(n_rows, N_FEATURES)
    problem = f"cluster, {n_rows:,} x {N_FEATURES}"
    model = LogisticRegressor(alpha=ALPHA)
    objective = model.objective(X, y)

    def value(coef, intercept):
        return objective.value(objective.pack(np.reshape(coef, (1, -1)), np.reshape(intercept, 1)))

    best = LogisticRegressor(alpha=ALPHA, tol=TIGHT).fit(X, y)
    optimum = value(best.coef_, best.intercept_)

    def suboptimality(coef, intercept):
        return (value(coef, intercept) - optimum) / optimum

    far_X, far_y = in_chunks(folder / "X.npy", X), in_chunks(folder / "y.npy", y)
    with counted_trips() as trips:
        far = LogisticRegressor(alpha=ALPHA).fit(far_X, far_y)
    seconds = best_time(lambda: LogisticRegressor(alpha=ALPHA).fit(far_X, far_y), limit)
    there = Line(problem, "ours, cluster", seconds, f"certified {far.dual_gap_ / far.objective_value_:.0e}")
    there.suboptimality = suboptimality(far.coef_, far.intercept_)
    there.passes, there.trips = far.result_.n_passes, len(trips)
    yield there
    here = Line(problem, "ours, in memory", best_time(lambda: model.fit(X, y), limit), "")
    here.suboptimality, here.passes = suboptimality(model.coef_, model.intercept_), model.result_.n_passes
    here.ratio = here.seconds / there.seconds
    here.note = "same bits" if np.array_equal(model.coef_, far.coef_) else "other bits"
    yield here
    for solver in solvers if models else ():
        found = sweep(
            lambda setting, solver=solver: fit_dask_ml(models, solver, far_X, far_y, setting),
            suboptimality,
            SETTINGS[solver],
            limit,
        )
        line = Line(problem, f"dask-ml {solver}", found[0], f"max_iter={found[2]}", found[1])
        line.ratio = line.seconds / there.seconds
        line.held = "yes" if line.ratio >= FASTER else "NO"
        if line.suboptimality > WANTED:
            line.note += ", not reached"
            line.held = "yes" if line.ratio >= FASTER else ""  # who has not arrived is no slower than that
        yield line


# Files


def in_hdf5(folder, X, h5py):
    with h5py.File(folder / "X.h5", "w") as file:
        file["X"] = X
    return h5py.File(folder / "X.h5", "r")["X"]


def in_zarr(folder, X, zarr):
    stored = zarr.create_array(folder / "X.zarr", shape=X.shape, chunks=(20_000, N_FEATURES), dtype=X.dtype)
    stored[:] = X
    return stored


def in_parquet(folder, X, parquet):
    arrow = importlib.import_module("pyarrow")
    columns = {f"x{j}": X[:, j] for j in range(N_FEATURES)}
    parquet.write_table(arrow.table(columns), folder / "X.parquet", row_group_size=100_000)
    return folder / "X.parquet"


def stretches(X):
    """An array's rows, 16 MB at a time."""
    size = STRETCH // (N_FEATURES * X.dtype.itemsize)
    return (np.asarray(X[start : start + size]) for start in range(0, X.shape[0], size))


def row_groups(path, parquet):
    """A file's row groups as matrices."""
    file = parquet.ParquetFile(path)
    for number in range(file.num_row_groups):
        table = file.read_row_group(number, use_threads=False)
        yield np.column_stack([column.to_numpy() for column in table.columns])


def read_once(blocks):
    """Add up the entries of all blocks."""
    for block in blocks:
        block.sum()


def doors(folder, X):
    """By name: what is fitted, and a function that goes through the file once."""
    np.save(folder / "X.npy", X)
    mapped = np.load(folder / "X.npy", mmap_mode="r")
    yield "memory map", mapped, lambda: stretches(mapped)
    for name, write in (("h5py", in_hdf5), ("zarr", in_zarr)):
        if (library := installed(name)) is not None:
            stored = write(folder, X, library)
            yield name, stored, lambda stored=stored: stretches(stored)
    if (parquet := installed("pyarrow.parquet")) is not None:
        path = in_parquet(folder, X, parquet)
        for name, cache in (("Parquet, scratch copy", folder), ("Parquet", None)):
            yield name, RowBlocks.from_parquet(path, cache=cache), lambda: row_groups(path, parquet)


def measure_files(n_rows, folder, limit):
    """A fit through every door, in readings."""
    X, y = classification(n_rows, N_FEATURES)
    X = X.astype(np.float32)
    in_memory = LogisticRegressor(alpha=ALPHA).fit(X, y)
    of_map = None
    for name, data, blocks in doors(folder, X):
        model = LogisticRegressor(alpha=ALPHA)
        reading = best_time(lambda blocks=blocks: read_once(blocks()), limit)
        seconds = best_time(lambda data=data, model=model: model.fit(data, y), limit)
        line = Line(f"file, {n_rows:,} x {N_FEATURES}", name, seconds, "", passes=model.result_.n_passes)
        line.ratio = seconds / (line.passes * reading)
        of_map = of_map or line.ratio
        line.held = "yes" if line.ratio <= SLOWER * of_map else "NO"
        bits = "same" if np.array_equal(model.coef_, in_memory.coef_) else "other"
        line.note = f"one reading {reading:.3f} s, {line.ratio / of_map:.2f} times the map's ratio, {bits} bits"
        yield line


def lines_of(args):
    """All lines, as they are measured."""
    with TemporaryDirectory(dir=args.directory) as name:
        if "cluster" in args.parts:
            models = installed("dask_ml.linear_model") if args.solvers else None
            with (
                LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
                Client(cluster) as client,
            ):
                client.wait_for_workers(2)
                for n_rows in ON_CLUSTER:
                    yield from measure_cluster(int(n_rows * args.scale), Path(name), models, args.solvers, args.limit)
        if "files" in args.parts:
            yield from measure_files(int(IN_FILES * args.scale), Path(name), args.limit)


TITLES = ["problem", "who", "seconds", "suboptimality", "passes", "round trips", "ratio", "held", "note"]


def texts(line):
    """A line of the table of comma-separated values."""
    numbers = (line.seconds, line.suboptimality, line.passes, line.trips, line.ratio)
    return [line.problem, line.who, *(shown(number, ".3g") for number in numbers), line.held, line.note]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=("cluster", "files"), default=("cluster", "files"))
    parser.add_argument("--solvers", nargs="*", choices=tuple(SETTINGS), default=tuple(SETTINGS), help="of dask-ml")
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the rows")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds after which a peer is not run tighter")
    parser.add_argument("--directory", help="for the files, some GB; the system's by default")
    parser.add_argument("--write", metavar="FILE", help="where to write the table as comma-separated values")
    return parser.parse_args()


def main():
    args = arguments()
    warnings.simplefilter("ignore")
    print(f"relative suboptimality wanted: {WANTED:g}; scale {args.scale:g}\n{HEADER}", flush=True)
    lines = []
    for line in lines_of(args):
        print(line, flush=True)
        lines.append(line)
        if args.write:
            write_table(args.write, TITLES, map(texts, lines))
    print(
        f"\nRatios: of dask-ml and of memory, time over that of ours on the cluster (dask-ml: at least {FASTER:g}); of "
        f"files, time over passes x one reading (at most {SLOWER:g} times that of the memory map)."
    )


if __name__ == "__main__":
    main()
