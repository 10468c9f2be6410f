"""Collections of Dask, on a cluster and without one: the same bits, few trips, and clear ends to what breaks."""

import gc
import itertools
import multiprocessing
import os
import signal
import time
import warnings
from unittest.mock import patch

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask.core import flatten
from distributed import Client, LocalCluster
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone

from sklearn_losses import CosineClassifier, LinearRegressor, LogisticRegressor, Loss, SoftmaxClassifier
from sklearn_losses.data import cluster as of_cluster
from sklearn_losses.data.dask_collections import as_it_is, column_of, pieces
from sklearn_losses.data.threads import worker_threads

N, P = 40_000, 30  # four blocks, too many entries to be copied here: sums are those of several chunks' blocks
RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(N, P)).astype(np.float32)
SCORES = X @ np.linspace(-2.0, 2.0, P) + 3 * RANDOM.logistic(size=N)
BINARY, THREE = (SCORES > 0).astype(int), np.digitize(SCORES, [-4, 4])
WEIGHTS = np.where(np.arange(N) % 9 == 4, 0.0, RANDOM.uniform(0.5, 2.0, size=N))
NAMES = [f"x{j}" for j in range(P)]

FITS = {
    "two classes": (LogisticRegressor(), BINARY),
    "three classes": (SoftmaxClassifier("brier", alpha=0.01), THREE),
    "huber": (LinearRegressor("huber"), SCORES),
    "lasso": (LogisticRegressor(alpha=0.03, l1_ratio=1.0), BINARY),
}
every_fit = pytest.mark.parametrize(("model", "y"), FITS.values(), ids=FITS)


@pytest.fixture(scope="module")
def quick_starts():
    """Workers are forks of a process that has imported everything once, with one thread for the BLAS as ever."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dask.array", "dask.dataframe", "distributed", "sklearn_losses"])
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    # distributed also sets variables, one of which makes the processes of later tests give back memory all the time
    with patch.dict(os.environ, one_thread):
        first = context.Process(target=int)
        first.start()
        first.join()
        with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
            yield


@pytest.fixture(scope="module")
def two_processes(quick_starts):
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def client(two_processes):
    with two_processes.as_current():
        yield two_processes


@pytest.fixture
def trips(monkeypatch):
    """A list that grows with every trip to a cluster."""
    made, bring = [], of_cluster.Cluster.bring

    def counted(self, futures):
        made.append(len(futures))
        return bring(self, futures)

    monkeypatch.setattr(of_cluster.Cluster, "bring", counted)
    return made


def loaded(path, start, stop):
    return np.load(path, mmap_mode="r")[start:stop]


def in_chunks(path, count, rows=X, load=loaded):
    """An array of the rows of a file, in uneven chunks."""
    edges = np.unique(np.round(np.linspace(0, 1, count + 1) ** 1.3 * len(rows)).astype(int)).tolist()
    chunks = [
        da.from_delayed(dask.delayed(load)(path, start, stop), (stop - start, rows.shape[1]), dtype=rows.dtype)
        for start, stop in itertools.pairwise(edges)
    ]
    return da.concatenate(chunks)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("rows") / "X.npy"
    np.save(file, X)
    return str(file)


@pytest.fixture
def frame():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dd.from_pandas(pd.DataFrame(X, columns=NAMES).assign(y=BINARY, w=WEIGHTS), npartitions=3)


def is_empty(client):
    """Whether a cluster holds nothing for us; it forgets in its own time."""
    gc.collect()
    last = time.monotonic() + 30
    while client.futures and time.monotonic() < last:
        time.sleep(0.02)
    return not client.futures


@every_fit
def test_the_same_bits_on_a_cluster(model, y, path, client):
    weights = None if model.loss == "huber" else WEIGHTS
    here = clone(model).fit(X, y, weights)
    there = clone(model).fit(in_chunks(path, 1 if model.loss == "brier" else 7), y, weights)
    assert_array_equal(there.coef_, here.coef_)
    assert there.objective_value_ == here.objective_value_
    assert_array_equal(there.dual_gap_, here.dual_gap_)
    assert is_empty(client)


@every_fit
def test_the_same_bits_without_a_cluster(model, y, path):
    assert of_cluster.client_now() is None
    here = clone(model).fit(X, y, WEIGHTS)
    there = clone(model).fit(in_chunks(path, 3), da.from_array(y, chunks=17_000), da.from_array(WEIGHTS, chunks=9_000))
    assert_array_equal(there.coef_, here.coef_)
    assert there.objective_value_ == here.objective_value_


@pytest.mark.parametrize("loss", ["hinge", "quantile"])
def test_exact_fits(loss, path, client):
    model, y = (LogisticRegressor(loss), BINARY) if loss == "hinge" else (LinearRegressor(loss), SCORES)
    here, there = clone(model).fit(X[:5000], y[:5000]), clone(model).fit(in_chunks(path, 3)[:5000], y[:5000])
    assert there.dual_gap_ <= 1e-6 * there.objective_value_
    assert abs(there.objective_value_ - here.objective_value_) <= here.dual_gap_ + there.dual_gap_


def test_cosines_and_soft_labels(path, client):
    rows, soft = in_chunks(path, 3)[:3000], np.eye(3)[THREE[:3000]] * 0.9 + 0.1 / 3
    here, model = X[:3000], SoftmaxClassifier()
    expected = model.fit(here, THREE[:3000], soft_labels=soft).coef_
    assert_array_equal(model.fit(rows, THREE[:3000], soft_labels=soft).coef_, expected)
    model = CosineClassifier(tol=1e-2)
    assert_array_equal(model.fit(rows, THREE[:3000]).coef_, clone(model).fit(here, THREE[:3000]).coef_)


def test_targets_travel_without_a_warning(path, client):
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "10 kB"}):
        LinearRegressor().fit(in_chunks(path, 2), SCORES)


def test_an_asynchronous_client_is_refused(monkeypatch):
    class Asynchronous:
        asynchronous = True

    monkeypatch.setattr("distributed.get_client", Asynchronous)
    with pytest.raises(TypeError, match="this client is asynchronous"):
        of_cluster.client_now()


def test_a_fit_takes_few_trips(path, client, trips):
    model = LogisticRegressor(alpha=1e-7).fit(in_chunks(path, 4), BINARY)
    assert model.dual_gap_ <= 1e-6 * model.objective_value_
    assert 4 <= len(trips) <= 10
    assert max(trips) <= 8  # futures a trip: no row, and no block, is asked for by itself


@pytest.mark.parametrize("loss", ["brier", "focal", "gce", "huber", "log_cosh", "squared_hinge", "exponential"])
def test_so_does_any_smooth_loss(loss, path, client, trips):
    rows = in_chunks(path, 4)
    model = LogisticRegressor(loss).fit(rows, BINARY)
    assert model.result_.success
    assert 4 <= len(trips) <= (11 if loss == "gce" else 10)  # whose curvature a sample of 5,000 rows knows badly


def test_targets_on_the_cluster_too(path, client):
    rows, y, weights = in_chunks(path, 3), da.from_array(BINARY, chunks=13_000), da.from_array(WEIGHTS, chunks=N)
    here, there = LogisticRegressor().fit(X, BINARY, WEIGHTS), LogisticRegressor().fit(rows, y, weights)
    assert_array_equal(there.coef_, here.coef_)
    assert there.score(rows, y, weights) == pytest.approx(here.score(X, BINARY, WEIGHTS))
    theta = np.ones(P + 1)
    with worker_threads(0):  # as in a fit: the BLAS's own threads would add up in another order
        assert there.objective(rows, y, weights).value(theta) == here.objective(X, BINARY, WEIGHTS).value(theta)


@pytest.mark.parametrize("with_client", [False, True])
def test_dataframes(frame, with_client, request):
    if with_client:
        request.getfixturevalue("client")
    here = LogisticRegressor().fit(pd.DataFrame(X, columns=NAMES), BINARY, WEIGHTS)
    there = LogisticRegressor().fit(frame[NAMES], frame["y"], frame["w"])
    assert_array_equal(there.coef_, here.coef_)
    assert there.coef_.dtype == np.float32
    assert there.feature_names_in_.tolist() == NAMES
    found = there.predict_proba(frame[NAMES])
    assert isinstance(found, da.Array)
    assert_allclose(found.compute(), here.predict_proba(pd.DataFrame(X, columns=NAMES)), rtol=1e-5)
    assert there.score(frame[NAMES], frame["y"]) == pytest.approx(here.score(pd.DataFrame(X, columns=NAMES), BINARY))
    with pytest.raises(ValueError, match="feature names should match"):
        there.predict(frame[NAMES[::-1]])
    few = frame[frame["x0"] > 3.5]  # with partitions that are empty
    assert len(there.predict(few[NAMES]).compute()) == len(few)


@every_fit
def test_predictions_are_collections(model, y, path):
    model = clone(model).fit(X, y)
    rows = in_chunks(path, 3)
    for method in ("predict", "decision_function", "predict_proba", "predict_log_proba"):
        if hasattr(model, method):
            found, expected = getattr(model, method)(rows), getattr(model, method)(X)
            assert isinstance(found, da.Array)
            assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
            assert found.chunks[0] == rows.chunks[0]
            assert_allclose(found.compute(), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="30 features"):
        model.predict(rows[:, :3])


def test_chunks_are_not_computed_under_the_names_that_their_owner_uses():
    # or the scheduler meets two plans of one name, which it warns may end in a deadlock
    rows = da.concatenate([da.from_delayed(dask.delayed(np.ones)((4, 2)), (4, 2), float) for _ in range(3)])
    owned = set(flatten(rows.__dask_keys__()))
    for chunk in [*pieces(rows, as_it_is), *column_of(rows[:, 0])]:
        assert owned.isdisjoint(chunk.__dask_graph__())


def test_a_loss_of_ones_own(path, client):
    class Cubed(Loss):
        domain = "values"
        convex = True
        lower_bound = 0.0

        def value(self, y, prediction):
            return np.abs(prediction - y) ** 3

        def gradient(self, y, prediction):
            return 3 * np.abs(prediction - y) * (prediction - y)

    here, there = (LinearRegressor(Cubed()).fit(rows[:9000], SCORES[:9000]) for rows in (X, in_chunks(path, 3)))
    assert_array_equal(there.coef_, here.coef_)


# What breaks


def assert_left_alone(model, fit, error, message, client=None):
    """A fit that fails, soon, leaves the model and the cluster as they were."""
    before, begun = dict(vars(model)), time.monotonic()
    with pytest.raises(error, match=message):
        fit(model)
    assert time.monotonic() - begun < 120
    assert vars(model) == before
    assert client is None or is_empty(client)


def when_trip(monkeypatch, number, do):
    """Do something in the middle of a trip."""
    made, wait = [], of_cluster.Cluster._wait

    def waited(self, futures):
        made.append(1)
        if len(made) == number:
            do()
        wait(self, futures)

    monkeypatch.setattr(of_cluster.Cluster, "_wait", waited)


def slowly(path, start, stop):
    time.sleep(1.0)
    return loaded(path, start, stop)


def test_a_worker_that_is_killed_changes_no_bit(path, client, monkeypatch):
    here = LogisticRegressor().fit(X, BINARY)
    pids = list(client.run(os.getpid).values())
    when_trip(monkeypatch, 4, lambda: os.kill(pids[0], signal.SIGKILL))
    assert_array_equal(LogisticRegressor().fit(in_chunks(path, 4), BINARY).coef_, here.coef_)
    client.wait_for_workers(2)


def test_scattered_data_that_is_lost(client, monkeypatch):
    parts = client.scatter([X[:20_000], X[20_000:]])
    rows = da.concatenate([da.from_delayed(part, (20_000, P), dtype=X.dtype) for part in map(dask.delayed, parts)])
    holders = {address for where in client.who_has(parts).values() for address in where}
    pids = client.run(os.getpid)
    model = LogisticRegressor().fit(X[:, :2], BINARY)
    when_trip(monkeypatch, 3, lambda: os.kill(pids[min(holders)], signal.SIGKILL))
    assert_left_alone(model, lambda m: m.fit(rows, BINARY), RuntimeError, r"lost data .* load it on the workers")
    client.wait_for_workers(2)


def test_no_worker_is_left(path, client, monkeypatch):
    monkeypatch.setattr(of_cluster, "PATIENCE", 0.2)
    monkeypatch.setattr(of_cluster, "LOOK_AGAIN", 0.1)
    monkeypatch.setattr(client, "nthreads", dict)
    model = LogisticRegressor().fit(X[:, :2], BINARY)
    rows = in_chunks(path, 3, load=slowly)
    assert_left_alone(model, lambda m: m.fit(rows, BINARY), RuntimeError, r"no worker for .* Start workers", client)


def failing(path, start, stop):
    if start > 0:
        raise OSError("no such disk")
    return loaded(path, start, stop)


@pytest.mark.parametrize("with_client", [False, True])
def test_a_chunk_that_fails(with_client, path, request):
    client = request.getfixturevalue("client") if with_client else None
    model = LogisticRegressor().fit(X[:, :2], BINARY)
    rows = in_chunks(path, 3, load=failing)
    assert_left_alone(model, lambda m: m.fit(rows, BINARY), OSError, "no such disk", client)


@pytest.mark.parametrize("with_client", [False, True])
def test_the_row_of_an_undefined_entry_is_named(with_client, tmp_path, request):
    client = request.getfixturevalue("client") if with_client else None
    bad = X.copy()
    bad[31_234, 2] = np.nan
    np.save(tmp_path / "bad.npy", bad)
    model = LogisticRegressor().fit(X[:, :2], BINARY)
    rows = in_chunks(str(tmp_path / "bad.npy"), 3)
    for changed in (clone(model), clone(model).set_params(loss="hinge")):
        model.set_params(loss=changed.loss)
        fit = lambda m: m.fit(rows, BINARY)  # noqa: E731
        assert_left_alone(model, fit, ValueError, r"contains NaN.*such row is row 31234\.", client)


def test_an_interrupt_leaves_nothing_behind(path, client, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    model = LogisticRegressor().fit(X[:, :2], BINARY)
    when_trip(monkeypatch, 3, interrupt)
    assert_left_alone(model, lambda m: m.fit(in_chunks(path, 3), BINARY), KeyboardInterrupt, None, client)


def sparse_chunk(path, start, stop):
    return csr_array(loaded(path, start, stop))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda rows: rows[rows[:, 0] > 0], ValueError, r"unknown lengths.*compute_chunk_sizes\(\)"),
        (lambda rows: rows.rechunk({1: 10}), ValueError, r"columns in 3 chunks.*rechunk"),
        (lambda rows: rows[:, 0], ValueError, "Expected 2D array, got 1D array"),
        (lambda rows: rows[:100].astype(str), TypeError, "must be matrices of numbers"),
        (lambda rows: rows[:100], ValueError, "inconsistent numbers of samples"),
        (lambda rows: dask.delayed(np.ones)((3, 3)), TypeError, "X is a Delayed"),
    ],
)
def test_odd_collections(change, error, message, path):
    with pytest.raises(error, match=message):
        LogisticRegressor().fit(change(in_chunks(path, 2)), BINARY)


def test_odd_chunks_and_columns(path, frame):
    with pytest.raises(TypeError, match="sparse matrices, and must be arrays"):
        LogisticRegressor().fit(in_chunks(path, 2, load=sparse_chunk), BINARY)
    with pytest.raises(ValueError, match="X must hold numbers: column 'x0' has dtype"):
        LogisticRegressor().fit(frame.assign(x0="text")[NAMES], BINARY)
    with pytest.raises(TypeError, match="cannot be sent to another process"):
        of_cluster.Cluster(None).__getstate__()
