"""Rows that are read: whatever they are in, the same rows, in any order; and what has changed is noticed."""

import gc
import itertools
import os
import pickle

import h5py
import numpy as np
import pyarrow as pa
import pytest
import zarr
from numpy.testing import assert_array_equal
from pyarrow import parquet

from sklearn_losses import RowBlocks
from sklearn_losses.data import rows_of, sources
from sklearn_losses.data.sources import sliced

RANDOM = np.random.RandomState(0)
N, P = 230, 4
X = np.round(RANDOM.normal(size=(N, P)), 2).astype(np.float32)
Y = RANDOM.normal(size=N)
EDGES = [0, 0, 1, 60, 61, 200, N]
PARTS = [X[a:b] for a, b in itertools.pairwise(EDGES)]
NAMES = list("abcd")


def written_parquet(path, rows=X, **more):
    columns = {name: rows[:, j] for j, name in enumerate(NAMES)} | more
    parquet.write_table(pa.table(columns), path, row_group_size=70)
    return path


def hdf5(folder, **options):
    path = os.path.join(folder, f"{len(options)}.h5")
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=X, **options)
    return h5py.File(path, "r")["X"]


def in_zarr(folder):
    array = zarr.create_array(os.path.join(folder, "X.zarr"), shape=X.shape, chunks=(50, P), dtype="f4")
    array[:] = X
    return array


SOURCES = {
    "HDF5": lambda folder: sliced(hdf5(folder)),
    "HDF5 in chunks": lambda folder: sliced(hdf5(folder, chunks=(30, 2), compression="gzip")),
    "zarr": lambda folder: sliced(in_zarr(folder)),
    "list": lambda folder: RowBlocks(PARTS).opened().X,
    "list of files": lambda folder: RowBlocks([hdf5(folder)]).opened().X,
    "function": lambda folder: RowBlocks(lambda: iter(PARTS)).opened().X,
    "scratch copy": lambda folder: RowBlocks(lambda: iter(PARTS), cache=folder).opened().X,
    "Parquet": lambda folder: RowBlocks.from_parquet(written_parquet(folder / "X.parquet")).opened().X,
    "Parquet, copied": lambda folder: (
        RowBlocks.from_parquet(written_parquet(folder / "X.parquet"), cache=folder).opened().X
    ),
}


@pytest.fixture(autouse=True)
def small_stretches(monkeypatch):
    monkeypatch.setattr(sources, "STRETCH_BYTES", 40 * P * X.itemsize)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_the_same_rows_from_everywhere(source, tmp_path):
    found = source(tmp_path)
    assert (found.shape, found.dtype, found.size) == (X.shape, X.dtype, X.size)
    for start, stop in [(0, N), (0, 1), (59, 62), (N - 1, N), (10, 150)]:
        assert_array_equal(found.read(start, stop), X[start:stop])
    for indices in [np.arange(0, N, 7), np.array([200, 3, 3, 60]), np.array([], dtype=np.intp)]:
        assert_array_equal(found.take(indices), X[indices])
    assert_array_equal(found.read_columns(slice(1, 3)), X[:, 1:3])


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_rows_of_a_source_are_those_of_an_array(source, tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_losses.data.read.PANEL_BYTES", 100)
    weights = np.where(np.arange(N) % 5 == 2, 0.0, RANDOM.uniform(1, 2, size=N))
    found = source(tmp_path)
    for w in (None, weights):
        here, there = rows_of(X, Y, w), rows_of(found, Y, w)
        indices = np.array([100, 3, 50])
        assert_array_equal(there.take(indices), here.take(indices))
        assert_array_equal(there.take(slice(3, 150, 7)), here.take(slice(3, 150, 7)))
        assert_array_equal(there.only(indices).take(slice(None)), here.take(indices))
        center = X.mean(axis=0)
        assert_array_equal(there.inner_products(center), here.inner_products(center))
        assert_array_equal(there.statistics(), here.statistics())


@pytest.mark.parametrize("kind", ["HDF5", "HDF5 in chunks", "zarr", "list", "list of files", "Parquet"])
def test_a_source_pickles(kind, tmp_path):
    found = SOURCES[kind](tmp_path)
    found.read(0, 100)
    assert_array_equal(pickle.loads(pickle.dumps(found)).read(50, 150), X[50:150])


def test_a_scratch_copy_does_not_pickle(tmp_path):
    with pytest.raises(TypeError, match="Make RowBlocks without cache="):
        pickle.dumps(SOURCES["scratch copy"](tmp_path))


def test_chunks_are_loaded_once_a_pass():
    calls = []

    def blocks():
        for part in PARTS:
            calls.append(len(part))
            yield part

    found = RowBlocks(blocks).opened().X
    del calls[:]
    for _ in range(2):
        for start in range(0, N, 20):
            found.read(start, min(start + 20, N))
    assert len(calls) == 2 * len(PARTS)


def test_a_scratch_copy_is_gone_with_its_source(tmp_path):
    gc.collect()
    found = RowBlocks(lambda: iter(PARTS), cache=tmp_path).opened().X
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 1
    assert os.listdir(tmp_path) == []
    del found
    gc.collect()
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after == before - 1


def test_blocks_of_other_types_have_one_that_holds_all():
    mixed = [X[:10].astype(np.uint8), X[10:20], np.ones((3, P))]
    assert RowBlocks(mixed).opened().X.dtype == np.float64
    assert RowBlocks(mixed[:2]).opened().X.dtype == np.float32


def test_targets_and_weights_in_the_blocks(tmp_path):
    triples = [(X[a:b], Y[a:b], np.abs(Y[a:b])) for a, b in itertools.pairwise(EDGES)]
    path = written_parquet(tmp_path / "X.parquet", y=Y, w=np.abs(Y))
    for blocks in (
        RowBlocks(triples),
        RowBlocks(lambda: iter(triples), tmp_path),
        RowBlocks.from_parquet(path, target="y", weight="w"),
        RowBlocks.from_parquet([path], columns=NAMES, target="y", weight="w", cache=tmp_path),
    ):
        opened = blocks.opened()
        assert_array_equal(opened.X.read(0, N), X)
        assert_array_equal(opened.y, Y)
        assert_array_equal(opened.weights, np.abs(Y))
        assert blocks.opened(targets=False).y is None
    opened = RowBlocks.from_parquet(path, columns=["c", "a"], target="b").opened()
    assert_array_equal(opened.X.read(0, N), X[:, [2, 0]])
    assert opened.X.names == ["c", "a"]


def test_single_precision_where_it_holds_the_columns(tmp_path):
    table = {"a": np.arange(5, dtype=np.int16), "b": np.ones(5, dtype=bool)}
    parquet.write_table(pa.table(table), tmp_path / "small")
    assert RowBlocks.from_parquet(tmp_path / "small").opened().X.dtype == np.float32
    parquet.write_table(pa.table(table | {"c": np.arange(5)}), tmp_path / "large")
    assert RowBlocks.from_parquet(tmp_path / "large").opened().X.dtype == np.float64


def exhausted():
    iterator = iter(PARTS)
    return lambda: iterator


def shrinking():
    calls = []

    def blocks():
        calls.append(1)
        return iter(PARTS if len(calls) == 1 else [*PARTS[:3], PARTS[3][:0], *PARTS[4:]])

    return blocks


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (exhausted(), "gave 0 blocks, and 6 the first time"),
        (shrinking(), r"Block 3 .* has shape \(0, 4\), and \(1, 4\)"),
    ],
)
def test_a_function_that_does_not_begin_anew(blocks, message):
    found = RowBlocks(blocks).opened().X
    with pytest.raises(RuntimeError, match=message):
        found.read(0, N)


@pytest.mark.parametrize(
    ("blocks", "error", "message"),
    [
        (iter(PARTS), TypeError, r"new iterator.*list_iterator\. It can be run through once.*without calling it"),
        (X, TypeError, "takes a list of blocks"),
        ([X, X[:, :2]], ValueError, "Block 1 has 2 columns, and the blocks before have 4"),
        ([X, (X, Y)], ValueError, "Block 1 has 1 arrays beside X, and the blocks before have 0"),
        ([(X, Y, Y, Y)], ValueError, r"Block 0 is a tuple of 4; it should be \(X, y\) or \(X, y, weights\)"),
        ([(X, Y[:-1])], ValueError, r"Block 0 has 230 rows, and its y the shape \(229,\)"),
        ([X[0]], ValueError, "Expected 2D array, got 1D array"),
        ([X.astype(str)], TypeError, "Block 0 has dtype <U.*must hold real numbers"),
        ([X.astype(complex)], TypeError, "Block 0 has dtype complex128"),
        ([], ValueError, "0 sample"),
        ([X[:0]], ValueError, "0 sample"),
    ],
)
def test_odd_blocks(blocks, error, message):
    with pytest.raises(error, match=message):
        RowBlocks(blocks).opened()


def test_odd_caches_and_columns(tmp_path):
    path = written_parquet(tmp_path / "X.parquet", text=["a"] * N)
    with pytest.raises(ValueError, match="cache must be a directory"):
        RowBlocks([X], cache=path)
    with pytest.raises(ValueError, match="There is no column 'z'"):
        RowBlocks.from_parquet(path, target="z")
    with pytest.raises(ValueError, match=r"column 'text' is of the type string.*columns="):
        RowBlocks.from_parquet(path).opened()
    with pytest.raises(ValueError, match="no columns but target"):
        RowBlocks.from_parquet(path, columns=[])
    written_parquet(path, X[:0])
    with pytest.raises(ValueError, match="0 sample"):
        RowBlocks.from_parquet(path).opened()


def test_files_that_change_are_noticed_before_a_pass(tmp_path):
    np.save(tmp_path / "X.npy", X)
    written_parquet(tmp_path / "X.parquet")
    sources_of_files = [
        (tmp_path / "X.npy", np.asarray(np.load(tmp_path / "X.npy", mmap_mode="r"))[5:]),
        (tmp_path / "X.parquet", RowBlocks.from_parquet(tmp_path / "X.parquet").opened().X),
    ]
    for path, data in sources_of_files:
        rows = rows_of(data, np.zeros(data.shape[0]))
        rows.meter.count(rows)
        with open(path, "ab") as file:
            file.write(b"more")
        with pytest.raises(RuntimeError, match=rf"{path.name} has \d+ bytes instead of \d+.*fit again"):
            rows.meter.count(rows)
        path.unlink()
        with pytest.raises(RuntimeError, match=f"{path.name} can no longer be read"):
            rows.meter.count(rows)
