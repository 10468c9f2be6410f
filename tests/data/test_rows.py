"""Rows: the same numbers from any storage, the same bits wherever and in however many parts the rows are."""

import gc
import pickle
import weakref

import numpy as np
import pytest
from cases import TRAINABLE
from elsewhere import Elsewhere
from scipy import sparse

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.activations import Sigmoid, Softmax
from sklearn_losses.data import dense, rows_of
from sklearn_losses.data import sparse as sparse_rows
from sklearn_losses.data.threads import worker_threads
from sklearn_losses.losses import CrossEntropy
from sklearn_losses.objective import kernels
from sklearn_losses.objective.objective import Objective
from sklearn_losses.objective.penalties import L2

RANDOM = np.random.RandomState(0)
N, P = 500, 6
X = np.round(RANDOM.normal(size=(N, P)), 2) * (RANDOM.uniform(size=(N, P)) < 0.6)
WEIGHTS = RANDOM.uniform(0.1, 2.0, size=N)
THETA = RANDOM.normal(size=3 * (P + 1))

OLD_BLAS = int(np.__version__.split(".")[0]) < 2


def view_of_wider(data):
    wide = np.repeat(data, 2, axis=1)
    return wide[:, ::2]


DENSE = {"C": np.array, "Fortran": np.asfortranarray, "columns of a wider one": view_of_wider}
# whose blocks compute in ways of their own: other bits, and the same numbers
OF_THEIR_OWN = {"CSR": sparse.csr_array, "CSC": sparse.csc_array, "CSR matrix": sparse.csr_matrix}


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(dense, "BLOCK_ENTRIES", 300)
    monkeypatch.setattr(sparse_rows, "BLOCK_ENTRIES", 300)


def objective(rows):
    one = rows.n_outputs == 1
    return Objective(
        rows,
        loss=CrossEntropy(),
        composition=CrossEntropy().on_scores(Sigmoid() if one else Softmax()),
        penalty=L2(0.1),
        fit_intercept=True,
    )


def targets(n_outputs, n=N):
    return (np.arange(n) % 2).astype(float) if n_outputs == 1 else np.arange(n) % 3


def answers(rows):
    """Everything that an objective asks of rows."""
    function = objective(rows)
    x = THETA[: function.n_parameters]
    scores = function.scores(x)
    here = function.at_scores(scores, np.full(rows.n_outputs, 0.1))
    hessian = function.hessian(x)
    return [
        *function.value_and_gradient(x),
        function.hessian_product(x, x[::-1]),
        hessian.dense(),
        hessian.dense(np.float32),
        hessian.of_class(0),
        scores.gathered(),
        here.mean,
        here.total,
        function.adjoint(here.dual),
        function.from_dual(x, here.mean, here.dual)[1],
        *rows.statistics(),
        *rows.draw(50, np.random.RandomState(1)),
        rows.take(np.array([3, 1, 300])),
        rows.columns(np.array([1, 4, 5])).take(np.array([3, 1, 300])),
        *rows.sum(kernels.sparse_gram, rows.spread(np.linspace(0.0, 2.0, rows.n_rows))),
    ]


def assert_same_bits(one, other):
    for a, b in zip(one, other, strict=True):
        if OLD_BLAS:  # whose products depend on where in memory an array begins
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
        else:
            np.testing.assert_array_equal(a, b)


def assert_close(one, other):
    single = getattr(one, "dtype", None) == np.float32
    np.testing.assert_allclose(one, other, rtol=2e-6 if single else 1e-10, atol=1e-8 if single else 1e-13)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("stored", [*DENSE.values(), *OF_THEIR_OWN.values()], ids=[*DENSE, *OF_THEIR_OWN])
def test_storage_changes_nothing_but_rounding(stored, n_outputs, small_blocks):
    expected = answers(rows_of(X, targets(n_outputs), WEIGHTS, n_outputs))
    for a, b in zip(answers(rows_of(stored(X), targets(n_outputs), WEIGHTS, n_outputs)), expected, strict=True):
        assert_close(a, b)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("stored", DENSE.values(), ids=DENSE)
def test_the_order_in_memory_changes_no_bit(stored, n_outputs, small_blocks):
    y = targets(n_outputs)
    assert_same_bits(answers(rows_of(stored(X), y, WEIGHTS, n_outputs)), answers(rows_of(X, y, WEIGHTS, n_outputs)))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8, np.uint8, np.int16, bool])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_any_dtype_is_computed_in_double_precision(dtype, kind, small_blocks):
    if kind is not np.asarray and dtype is np.float16:
        dtype = np.float32  # SciPy has no sparse rows in half precision
    data = np.abs(np.round(10 * X)).astype(dtype)
    given = rows_of(kind(data), targets(1), WEIGHTS)
    assert given.X.dtype == dtype
    assert_same_bits(answers(given), answers(rows_of(kind(data.astype(float)), targets(1), WEIGHTS)))


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("stored", [np.array, *OF_THEIR_OWN.values()], ids=["C", *OF_THEIR_OWN])
def test_any_number_of_threads_changes_no_bit(stored, n_outputs, small_blocks, monkeypatch):
    y, data = targets(n_outputs), stored(X)
    expected = answers(rows_of(data, y, WEIGHTS, n_outputs))
    for n_threads in (2, 5):
        monkeypatch.setattr("sklearn_losses.data.threads._count_threads", lambda n=n_threads: n)
        with worker_threads(10**9) as workers:
            assert_same_bits(answers(rows_of(data, y, WEIGHTS, n_outputs, workers)), expected)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("stored", [np.array, *OF_THEIR_OWN.values()], ids=["C", *OF_THEIR_OWN])
@pytest.mark.parametrize("edges", [[1], [37, 38, 211], list(range(1, N, 7))])
def test_any_division_into_chunks_changes_no_bit(stored, n_outputs, edges, small_blocks):
    whole = rows_of(stored(X), targets(n_outputs), WEIGHTS, n_outputs)
    assert_same_bits(answers(Elsewhere(whole, edges)), answers(whole))


def test_folded_sums_have_the_same_bits_in_chunks(small_blocks, monkeypatch):
    monkeypatch.setattr("sklearn_losses.data.sums.LARGE", 10)
    monkeypatch.setattr("sklearn_losses.data.sums.HANDED_ON", 4)
    whole = rows_of(X, targets(1), WEIGHTS)
    assert_same_bits(answers(Elsewhere(whole, [37, 38, 211])), answers(whole))


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("stored", [*DENSE.values(), *OF_THEIR_OWN.values()], ids=[*DENSE, *OF_THEIR_OWN])
def test_rows_of_weight_zero_are_as_if_they_were_not_there(stored, n_outputs, small_blocks):
    unused = RANDOM.uniform(size=N) < 0.3
    unused[:5] = unused[-1] = True
    weights = np.where(unused, 0.0, WEIGHTS)
    y = targets(n_outputs)
    data = stored(X)
    given = rows_of(data, y, weights, n_outputs)
    assert given.X is data
    removed = rows_of(stored(X[~unused]), y[~unused], WEIGHTS[~unused], n_outputs)
    found, expected = answers(given), answers(removed)
    if stored in DENSE.values() or stored is sparse.csc_array:
        assert_same_bits(found, expected)
    else:  # the blocks of CSR follow from the non-zeros of all rows
        for a, b in zip(found, expected, strict=True):
            assert_close(a, b)


@pytest.mark.parametrize("stored", [np.array, sparse.csr_array, sparse.csc_array])
def test_a_row_of_weight_zero_may_hold_anything(stored):
    data, y, weights = X.copy(), RANDOM.normal(size=N), np.ones(N)
    data[7], y[7], weights[7] = 1e300, 1e300, 0.0
    model = LinearRegressor(alpha=0.1).fit(stored(data), y, weights)
    other = LinearRegressor(alpha=0.1).fit(np.delete(data, 7, axis=0), np.delete(y, 7))
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-6)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix])
def test_repeated_entries_are_added_up_and_left_to_the_caller(kind):
    indices = RANDOM.randint(0, P, size=3 * N)
    parts = (np.ones(3 * N), (np.repeat(np.arange(N), 3), indices))
    counts = sparse.coo_array(parts, shape=(N, P))
    major, minor = (counts.row, counts.col) if "csr" in kind.__name__ else (counts.col, counts.row)
    order = np.argsort(major, kind="stable")
    pointers = np.searchsorted(major[order], np.arange((N if "csr" in kind.__name__ else P) + 1))
    repeated = kind((counts.data[order], minor[order], pointers), shape=(N, P))
    assert repeated.nnz == 3 * N and not repeated.has_canonical_format
    before = [repeated.data.copy(), repeated.indices.copy(), repeated.indptr.copy()]
    expected = answers(rows_of(counts.toarray(), targets(1), WEIGHTS))
    for a, b in zip(answers(rows_of(repeated, targets(1), WEIGHTS)), expected, strict=True):
        assert_close(a, b)
    for array, old in zip((repeated.data, repeated.indices, repeated.indptr), before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize(("heavy", "by_weight"), [(1.0, True), (1e6, True), (1.0, False)])
@pytest.mark.parametrize("entries", [100, dense.BLOCK_ENTRIES])
def test_row_samples_keep_the_weighted_mean(heavy, by_weight, entries, monkeypatch):
    monkeypatch.setattr(dense, "BLOCK_ENTRIES", entries)
    weights = RANDOM.uniform(0.5, 1.5, size=10_000)
    weights[17] *= heavy
    rows = rows_of(np.zeros((10_000, 2)), np.zeros(10_000), weights)
    values = np.linspace(0, 1, 10_000)
    chances = None if by_weight else rows.spread(np.full(10_000, 1e-4))
    indices, drawn = rows.draw(500, np.random.RandomState(0), chances)
    assert (np.diff(indices) > 0).all()
    assert drawn.sum() == pytest.approx(1.0)
    # one draw from each stratum of sorted rows: the error is that of a stratum, not of a random sample
    assert drawn @ values[indices] == pytest.approx(rows.weights @ values, abs=2e-3 if by_weight else 5e-2)


def estimators_of(case):
    two, three = {"probabilities", "scores"} & set(case.domains), "values" in case.domains
    return [LogisticRegressor, SoftmaxClassifier] * bool(two) + [LinearRegressor] * three


# every loss, with one of its estimators after the other
FITS = [
    pytest.param(case.loss, estimator, id=f"{case}-{estimator.__name__}")
    for number, case in enumerate(TRAINABLE)
    for estimator in [estimators_of(case)[number % len(estimators_of(case))]]
]


@pytest.mark.parametrize(("loss", "estimator"), FITS)
def test_every_fit_runs_on_rows_that_are_elsewhere(loss, estimator, monkeypatch):
    random = np.random.RandomState(3)
    data = random.normal(size=(90, 3))
    if estimator is LinearRegressor:
        y = random.uniform(0.5, 3.0, size=90)
    else:
        y = (data[:, 0] + random.normal(size=90) > 0).astype(int) + (random.uniform(size=90) < 0.2) * (
            estimator is SoftmaxClassifier
        )
    monkeypatch.setattr(dense, "BLOCK_ENTRIES", 200)
    monkeypatch.setattr("sklearn_losses.minimise.thresholds.WRITTEN_ENTRIES", 0)
    here = estimator(loss, alpha=0.01, max_iter=200).fit(data, y)
    sent = {}

    def elsewhere(*arguments):
        return Elsewhere(rows_of(*arguments), [20, 41, 70], sent)

    monkeypatch.setattr("sklearn_losses.estimators.linear_model.rows_of", elsewhere)
    there = estimator(loss, alpha=0.01, max_iter=200).fit(data, y)
    assert sent
    np.testing.assert_array_equal(there.coef_, here.coef_)
    assert there.objective_value_ == here.objective_value_


@pytest.mark.parametrize("stored", [*DENSE.values(), *OF_THEIR_OWN.values()], ids=[*DENSE, *OF_THEIR_OWN])
def test_memory_of_rows_goes_with_them_and_not_with_the_next_garbage_collection(stored, small_blocks):
    rows = rows_of(stored(X), targets(3), WEIGHTS, 3)
    answers(rows)
    gone = weakref.ref(rows)
    gc.disable()
    try:
        del rows
        assert gone() is None
    finally:
        gc.enable()


def test_an_objective_pickles():
    function = objective(rows_of(X, targets(3), WEIGHTS, 3))
    assert pickle.loads(pickle.dumps(function)).value(THETA) == function.value(THETA)


@pytest.mark.parametrize("n_heavy", [1, 3, 400])
def test_row_samples_keep_the_light_rows_beside_heavy_ones(n_heavy):
    weights = RANDOM.uniform(0.5, 1.5, size=10_000)
    heavy = RANDOM.choice(10_000, n_heavy, replace=False)
    weights[heavy] *= 1e8
    rows = rows_of(np.zeros((10_000, 2)), np.zeros(10_000), weights)
    indices, drawn = rows.draw(500, np.random.RandomState(0))
    assert len(indices) >= 300
    assert drawn.sum() == pytest.approx(1.0)
    if n_heavy < 400:  # all of them, as heavy as they are
        at = np.isin(indices, heavy)
        np.testing.assert_array_equal(indices[at], np.sort(heavy))
        np.testing.assert_allclose(drawn[at], rows.weights[np.sort(heavy)])
        # and the others, together, what they weigh
        assert drawn[~at].sum() == pytest.approx(np.delete(rows.weights, heavy).sum(), rel=0.05)
