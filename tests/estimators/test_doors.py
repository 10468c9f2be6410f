"""X from files: the same fits, bit for bit, the same predictions, and errors that name the row."""

import itertools
import os
import pickle

import h5py
import numpy as np
import pyarrow as pa
import pytest
import zarr
from numpy.testing import assert_allclose, assert_array_equal
from pyarrow import dataset, parquet
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import cross_val_score

from sklearn_losses import CosineClassifier, LinearRegressor, LogisticRegressor, RowBlocks, SoftmaxClassifier
from sklearn_losses.data import threads
from sklearn_losses.data.threads import worker_threads
from sklearn_losses.estimators import callbacks

N, P = 700, 5
RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(N, P)).astype(np.float32)
SCORES = X @ np.arange(1.0, P + 1.0) + 3 * RANDOM.logistic(size=N)
BINARY, THREE = (SCORES > 0).astype(int), np.digitize(SCORES, [-4, 4])
WEIGHTS = np.where(np.arange(N) % 9 == 4, 0.0, RANDOM.uniform(0.5, 2.0, size=N))
EDGES = [0, 3, 250, 251, 600, N]

FITS = {
    "two classes": (LogisticRegressor(), BINARY),
    "brier": (LogisticRegressor("brier"), BINARY),
    "three classes": (SoftmaxClassifier(), THREE),
    "huber": (LinearRegressor("huber"), SCORES),
    "least squares": (LinearRegressor(), SCORES),
    "hinge": (LogisticRegressor("hinge"), BINARY),
    "quantile": (LinearRegressor("quantile"), SCORES),
    "lasso": (LinearRegressor(alpha=0.5, l1_ratio=1.0), SCORES),
    "by name": (LogisticRegressor(solver="L-BFGS-B"), BINARY),
}


@pytest.fixture
def in_blocks(monkeypatch):
    """Small data that is treated as if it were large."""
    monkeypatch.setattr("sklearn_losses.data.dense.BLOCK_ENTRIES", 400)
    monkeypatch.setattr("sklearn_losses.minimise.thresholds.WRITTEN_ENTRIES", 0)
    monkeypatch.setattr("sklearn_losses.estimators.scoring.BLOCK_BYTES", 1000)


def cut(array):
    return [array[a:b] for a, b in itertools.pairwise(EDGES)]


def memory_map(folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


def hdf5(folder):
    path = os.path.join(folder, "X.h5")
    with h5py.File(path, "w") as file:
        file["X"] = X
    return h5py.File(path, "r")["X"]


def in_parquet(folder, rows=X, **columns):
    names = [f"x{j}" for j in range(P)]
    parquet.write_table(pa.table(dict(zip(names, rows.T, strict=True)) | columns), folder / "X", row_group_size=250)
    return folder / "X"


def in_zarr(folder):
    stored = zarr.create_array(folder / "X.zarr", shape=X.shape, chunks=(130, P), dtype=X.dtype, overwrite=True)
    stored[:] = X
    return stored


DOORS = {
    "memory map": memory_map,
    "by columns": lambda folder: np.asfortranarray(X),
    "HDF5": hdf5,
    "zarr": in_zarr,
    "blocks": lambda folder: RowBlocks(cut(X)),
    "function": lambda folder: RowBlocks(lambda: iter(cut(X))),
    "Parquet": lambda folder: RowBlocks.from_parquet(in_parquet(folder)),
}


@pytest.mark.parametrize("name", FITS)
def test_the_same_bits_through_every_door(name, tmp_path, in_blocks):
    model, y = FITS[name]
    weights = None if model.loss in ("brier", "quantile") else WEIGHTS
    here = clone(model).fit(X, y, weights)
    number = list(FITS).index(name)
    for door in [*DOORS, *DOORS][number % 7 : number % 7 + 4]:  # another four for every fit
        there = clone(model).fit(DOORS[door](tmp_path), y, weights)
        assert_array_equal(there.coef_, here.coef_, err_msg=door)
        assert there.objective_value_ == here.objective_value_, door
        assert_array_equal(there.dual_gap_, here.dual_gap_)
        assert there.coef_.dtype == here.coef_.dtype


@pytest.mark.parametrize("n_threads", [2, 3])
def test_the_same_bits_with_any_number_of_threads(n_threads, tmp_path, in_blocks, monkeypatch):
    here = LogisticRegressor().fit(X, BINARY)
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 0)
    monkeypatch.setattr(threads, "_count_threads", lambda: n_threads)
    for name in ("HDF5", "function", "Parquet"):
        assert_array_equal(LogisticRegressor().fit(DOORS[name](tmp_path), BINARY).coef_, here.coef_)


@pytest.mark.parametrize(("model", "y"), FITS.values(), ids=FITS)
def test_predictions_from_files(model, y, tmp_path, in_blocks):
    model = clone(model).fit(X, y)
    for door in DOORS.values():
        data = door(tmp_path)
        for method in ("predict", "decision_function", "predict_proba", "predict_log_proba"):
            if hasattr(model, method):
                found, expected = getattr(model, method)(data), getattr(model, method)(X)
                assert found.dtype == expected.dtype
                assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        assert model.score(data, y) == pytest.approx(model.score(X, y))
        weighted = model.score(X, y, sample_weight=WEIGHTS)
        assert model.score(data, y, sample_weight=WEIGHTS) == pytest.approx(weighted)


@pytest.mark.parametrize(("model", "y"), list(FITS.values())[:4], ids=list(FITS)[:4])
def test_targets_in_the_blocks(model, y, tmp_path, in_blocks):
    blocks = RowBlocks(list(zip(cut(X), cut(y), cut(WEIGHTS), strict=True)))
    file = RowBlocks.from_parquet(in_parquet(tmp_path, y=y, w=WEIGHTS), target="y", weight="w", cache=tmp_path)
    here = clone(model).fit(X, y, WEIGHTS)
    for data in (blocks, file):
        there = clone(model).fit(data)
        assert_array_equal(there.coef_, here.coef_)
        assert there.score(data) == pytest.approx(here.score(X, y, WEIGHTS))
        theta = np.ones(there.objective(data).n_parameters)
        assert there.objective(data).value(theta) == here.objective(X, y, WEIGHTS).value(theta)


def test_cosines_of_a_file(tmp_path, in_blocks):
    model = CosineClassifier(tol=1e-3)
    here, data = clone(model).fit(X[:200], THREE[:200]), RowBlocks([X[:120], X[120:200]])
    assert_array_equal(clone(model).fit(data, THREE[:200]).coef_, here.coef_)
    assert_allclose(here.decision_function(data), here.decision_function(X[:200]))


def test_soft_labels_beside_a_file(tmp_path, in_blocks):
    soft = np.eye(3)[THREE] * 0.9 + 0.1 / 3
    here = SoftmaxClassifier().fit(X, THREE, soft_labels=soft)
    assert_array_equal(SoftmaxClassifier().fit(hdf5(tmp_path), THREE, soft_labels=soft).coef_, here.coef_)


def test_wide_data_in_a_file(tmp_path):
    rows, y = make_classification(60, 200, random_state=0)
    with h5py.File(tmp_path / "wide.h5", "w") as file:
        file["X"] = rows
        there = LogisticRegressor(alpha=0.1).fit(file["X"], y)
    assert_array_equal(there.coef_, LogisticRegressor(alpha=0.1).fit(rows, y).coef_)


def test_an_objective_of_a_file_pickles(tmp_path):
    objective = LogisticRegressor().objective(hdf5(tmp_path), BINARY)
    theta = np.ones(P + 1)
    assert pickle.loads(pickle.dumps(objective)).value(theta) == objective.value(theta)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float16, np.int16, np.int64, bool, np.longdouble, ">f8"])
@pytest.mark.parametrize("sparse", [False, True])
def test_any_numbers_are_computed_with_in_double_precision(dtype, sparse, in_blocks):
    if sparse and np.dtype(dtype) in (np.float16, np.longdouble, np.dtype(">f8")):
        return
    rows = np.abs(np.round(2 * X)).astype(dtype)
    data, numbers = (kind(r) for kind in (csr_array if sparse else np.asarray,) for r in (rows, rows.astype(float)))
    here, there = LogisticRegressor().fit(numbers, BINARY), LogisticRegressor().fit(data, BINARY)
    assert_array_equal(there.coef_, here.coef_)
    assert there.coef_.dtype == np.float64
    assert_allclose(there.decision_function(data), here.decision_function(numbers), rtol=1e-12)
    single = LogisticRegressor().fit(X, BINARY)
    assert single.decision_function(data).dtype == np.float64
    assert_allclose(single.decision_function(data), single.decision_function(numbers), rtol=1e-12)


def test_feature_names_come_from_the_file(tmp_path):
    data = RowBlocks.from_parquet(in_parquet(tmp_path))
    model = LogisticRegressor().fit(data, BINARY)
    assert model.feature_names_in_.tolist() == ["x0", "x1", "x2", "x3", "x4"]
    path = in_parquet(tmp_path)
    other = RowBlocks.from_parquet(path, columns=["x0", "x1", "x2", "x4", "x3"])
    with pytest.raises(ValueError, match=r"feature names should match .* column 3 is 'x4', and was 'x3'"):
        model.predict(other)
    four = RowBlocks.from_parquet(path, columns=["x0", "x1", "x2", "x4"])
    with pytest.raises(ValueError, match="has 4 features, but LogisticRegressor is expecting 5"):
        model.predict(four)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(RowBlocks([X]))
    assert not hasattr(model.fit(RowBlocks([X]), BINARY), "feature_names_in_")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(("model", "y"), [FITS["two classes"], FITS["hinge"]], ids=["smooth", "kinked"])
def test_the_row_of_an_undefined_entry_is_named(value, model, y, tmp_path, in_blocks):
    bad = X.copy()
    bad[613, 2] = value
    model = clone(model).fit(X[:, :3], y)
    before = dict(vars(model))
    for data in (RowBlocks(cut(bad)), RowBlocks.from_parquet(in_parquet(tmp_path, bad))):
        with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity).*The first such row is row 613\."):
            model.fit(data, y)
        assert vars(model) == before
        with pytest.raises(ValueError, match=r"row 613\."):
            clone(model).fit(X, y).predict(data if isinstance(data.blocks, list) else RowBlocks([bad]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((RowBlocks([(X, BINARY)]), BINARY), "y is given twice"),
        ((RowBlocks([(X, BINARY, WEIGHTS)]), None, WEIGHTS), "Weights are given twice"),
        ((RowBlocks([X]),), "requires y to be passed"),
        ((X,), "requires y to be passed"),
        ((RowBlocks([X]), BINARY[1:]), "inconsistent numbers of samples"),
        ((RowBlocks([X[:, :0]]), BINARY), "0 feature"),
    ],
)
def test_what_is_missing_or_given_twice(arguments, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegressor().fit(*arguments)


def test_a_score_takes_y():
    model = LogisticRegressor().fit(X, BINARY)
    with pytest.raises(ValueError, match=r"LogisticRegressor\.score requires y"):
        model.score(RowBlocks([X]))


def test_data_of_one_dimension(tmp_path):
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["X"], file["text"] = X[:, 0], np.array([[b"a"]])
        with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
            LogisticRegressor().fit(file["X"], BINARY)
        with pytest.raises(TypeError, match=r"X has dtype .*must hold real numbers"):
            LogisticRegressor().fit(file["text"], BINARY)


def test_a_file_that_shrinks_between_passes_leaves_the_old_model(tmp_path, in_blocks, monkeypatch):
    data = RowBlocks.from_parquet(in_parquet(tmp_path))
    model = LogisticRegressor(verbose=1).fit(X[:, :3], BINARY)
    before = dict(vars(model))
    monkeypatch.setattr(callbacks.Progress, "say", lambda *_: in_parquet(tmp_path, X[:10]))
    with pytest.raises(RuntimeError, match=r"X has \d+ bytes instead of \d+ since it was first read"):
        model.fit(data, BINARY)
    assert vars(model) == before


def test_a_store_that_is_written_to_between_passes(tmp_path, in_blocks, monkeypatch):
    stored = zarr.create_array(tmp_path / "X", shape=X.shape, chunks=(100, P), dtype=X.dtype)
    stored[:] = X
    monkeypatch.setattr(callbacks.Progress, "say", lambda *_: stored.__setitem__(slice(5), 7.0))
    with pytest.raises(RuntimeError, match=r"X has .* since it was first read"):
        LogisticRegressor(verbose=1).fit(zarr.open_array(tmp_path / "X", mode="r"), BINARY)
    assert stored.shape == X.shape


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: str(folder / "X"), r"X is '.*X', which is not opened here. RowBlocks\.from_parquet"),
        (lambda folder: folder / "X", "which is not opened here"),
        (lambda folder: dataset.dataset(in_parquet(folder)), "X is a FileSystemDataset, which is not opened here"),
        (lambda folder: iter([X]), r"run through once.* Pass RowBlocks\(function\)"),
    ],
)
def test_what_stands_for_rows_and_is_none(make, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        LogisticRegressor().fit(make(tmp_path), BINARY)
    with pytest.raises(TypeError, match=message):
        LogisticRegressor().fit(X, BINARY).predict(make(tmp_path))


def test_blocks_do_not_become_an_array():
    with pytest.raises(TypeError, match="cross-validation, needs an array"):
        cross_val_score(LogisticRegressor(), RowBlocks([X]), BINARY)


def test_an_interrupt_while_a_function_gives_blocks(in_blocks):
    calls = []

    def blocks():
        calls.append(1)
        yield from cut(X)[:3]
        if len(calls) > 2:
            raise KeyboardInterrupt
        yield from cut(X)[3:]

    model = LogisticRegressor().fit(X[:, :3], BINARY)
    before = dict(vars(model))
    with pytest.raises(KeyboardInterrupt):
        model.fit(RowBlocks(blocks), BINARY)
    assert vars(model) == before
    with worker_threads(1):
        pass
