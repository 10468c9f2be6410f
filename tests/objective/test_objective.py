"""The objective against naive formulas, finite differences, and itself in other storage, blocks and threads."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import check_grad
from sklearn.datasets import make_classification, make_regression

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.activations import Sigmoid, Softmax
from sklearn_losses.data import dense, rows_of
from sklearn_losses.data import sparse as sparse_rows
from sklearn_losses.data.threads import ALONE, worker_threads
from sklearn_losses.losses import NAMES
from sklearn_losses.objective.objective import Objective
from sklearn_losses.objective.penalties import L2

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(60, 4))
WEIGHTS = RANDOM.uniform(0.1, 2.0, size=60)


def classes(n_classes, n_rows=60):
    return np.arange(n_rows) % n_classes


def point(objective, scale=0.3):
    return np.random.RandomState(1).normal(scale=scale, size=objective.n_parameters)


def objectives():
    """One objective for every estimator, loss and kind of problem that fits."""
    for name, loss in NAMES.items():
        if not loss.trainable or name != next(n for n, c in NAMES.items() if c is loss):
            continue
        if {"probabilities", "scores"} & set(loss().domains):
            for n_classes in (2, 3, 4):
                estimator = SoftmaxClassifier(name, alpha=0.1)
                yield f"{name}-{n_classes}", estimator.objective(X, classes(n_classes), sample_weight=WEIGHTS)
        if "values" in loss().domains:
            y = np.random.RandomState(2).uniform(0.5, 3.0, size=60)
            yield (
                f"{name}-regression",
                LinearRegressor(name, alpha=0.1).objective(X, y, sample_weight=WEIGHTS),
            )


OBJECTIVES = dict(objectives())


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_is_that_of_the_value(name):
    objective = OBJECTIVES[name]
    theta = point(objective)
    error = check_grad(objective.value, lambda t: objective.value_and_gradient(t)[1], theta, seed=0)
    assert error < 1e-5 * (1 + np.abs(objective.value_and_gradient(theta)[1]).max())


@pytest.mark.parametrize("name", OBJECTIVES)
def test_hessian_product_is_the_change_of_the_gradient(name):
    objective = OBJECTIVES[name]
    theta, direction = point(objective), np.random.RandomState(3).normal(size=objective.n_parameters)

    def gradient(step):
        return objective.value_and_gradient(theta + step * direction)[1]

    change = (8 * (gradient(1e-4) - gradient(-1e-4)) - (gradient(2e-4) - gradient(-2e-4))) / 12e-4
    np.testing.assert_allclose(objective.hessian_product(theta, direction), change, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [n for n, o in OBJECTIVES.items() if o.loss.separable])
def test_dense_hessian_holds_the_products(name):
    objective = OBJECTIVES[name]
    theta = point(objective)
    products = [objective.hessian_product(theta, e) for e in np.eye(objective.n_parameters)]
    np.testing.assert_allclose(objective.hessian(theta).dense(), np.array(products), rtol=1e-9, atol=1e-11)


def test_value_is_the_weighted_mean_plus_penalty():
    estimator = SoftmaxClassifier(alpha=0.3)
    y = classes(3)
    objective = estimator.objective(X, y, sample_weight=WEIGHTS)
    coef, intercept = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=3)
    p = Softmax().forward(X @ coef.T + intercept)
    naive = np.average(-np.log(p[np.arange(60), y]), weights=WEIGHTS) + 0.15 * np.sum(coef**2)
    assert objective.value(objective.pack(coef, intercept)) == pytest.approx(naive, rel=1e-14)


def test_pack_and_unpack_have_the_shapes_of_the_fitted_attributes():
    for estimator, y in (
        (LogisticRegressor(), classes(2)),
        (SoftmaxClassifier(), classes(3)),
        (LinearRegressor(), X[:, 0]),
        (LinearRegressor(fit_intercept=False), X[:, 0]),
    ):
        model = estimator.fit(X, y)
        objective = model.objective(X, y)
        coef, intercept = objective.unpack(objective.pack(model.coef_, model.intercept_))
        np.testing.assert_array_equal(coef, model.coef_)
        np.testing.assert_array_equal(intercept, model.intercept_)
        assert np.shape(intercept) == np.shape(model.intercept_)
        assert objective.value(objective.pack(coef, intercept)) == pytest.approx(model.objective_value_, rel=1e-12)


def test_a_parameter_vector_of_another_length_is_refused():
    objective = LogisticRegressor().objective(X, classes(2))
    with pytest.raises(ValueError, match=r"theta must have shape \(5,\)"):
        objective.value(np.zeros(4))
    with pytest.raises(ValueError, match="coef must hold 1 x 4"):
        objective.pack(np.zeros((1, 3)))


def build(X, y, n_outputs, workers=ALONE):
    activation = Sigmoid() if n_outputs == 1 else Softmax()
    loss = NAMES["cross_entropy"]()
    return Objective(
        rows_of(X, y, None, n_outputs, workers),
        loss=loss,
        composition=loss.on_scores(activation),
        penalty=L2(0.1),
        fit_intercept=True,
    )


TALL, LABELS = make_classification(30_000, 30, n_informative=5, n_classes=3, random_state=0)


@pytest.mark.parametrize("entries", [dense.BLOCK_ENTRIES, 10_000])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_same_bits_with_any_number_of_threads(n_outputs, entries, monkeypatch):
    monkeypatch.setattr(dense, "BLOCK_ENTRIES", entries)
    y = (LABELS > 0).astype(float) if n_outputs == 1 else LABELS
    theta = np.random.RandomState(4).normal(size=n_outputs * 31)
    answers = []
    for n_threads in (1, 2, 3):
        monkeypatch.setattr("sklearn_losses.data.threads._count_threads", lambda n=n_threads: n)
        with worker_threads(10**9) as workers:
            assert (workers is ALONE) == (n_threads == 1)
            objective = build(TALL, y, n_outputs, workers)
            assert objective.rows.n_blocks > (2 if entries > 10_000 else 64)
            value, gradient = objective.value_and_gradient(theta)
            answers.append((value, gradient, objective.hessian(theta).dense(), objective.hessian_product(theta, theta)))
    for answer in answers[1:]:
        for one, other in zip(answers[0], answer, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_blocks_of_any_size_give_one_answer(n_outputs, monkeypatch):
    y = (LABELS > 0).astype(float) if n_outputs == 1 else LABELS
    theta = np.random.RandomState(4).normal(size=n_outputs * 31)
    reference = build(TALL, y, n_outputs).value_and_gradient(theta)
    for entries in (300, 50_000, 10**9):
        monkeypatch.setattr(dense, "BLOCK_ENTRIES", entries)
        value, gradient = build(TALL, y, n_outputs).value_and_gradient(theta)
        assert value == pytest.approx(reference[0], rel=1e-13)
        np.testing.assert_allclose(gradient, reference[1], rtol=1e-10, atol=1e-14)


def storages(directory):
    """X in every storage that the rows take."""
    data = np.round(TALL, 1) * (np.abs(TALL) > 1)
    yield "C", data
    yield "Fortran", np.asfortranarray(data)
    read_only = data.copy()
    read_only.flags.writeable = False
    yield "read-only", read_only
    np.save(directory / "X.npy", data)
    yield "memory-mapped", np.load(directory / "X.npy", mmap_mode="r")
    for kind in (sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix):
        yield kind.__name__, kind(data)
    yield "float32", data.astype(np.float32)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_storage_does_not_matter(n_outputs, tmp_path):
    y = (LABELS > 0).astype(float) if n_outputs == 1 else LABELS
    theta = np.random.RandomState(4).normal(size=n_outputs * 31)
    answers = {}
    for name, data in storages(tmp_path):
        objective = build(data, y, n_outputs)
        answers[name] = [*objective.value_and_gradient(theta), objective.hessian_product(theta, theta)]
    for name, answer in answers.items():
        tolerance = 2e-6 if name == "float32" else 1e-10
        for one, other in zip(answers["C"], answer, strict=True):
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance, err_msg=name)


def test_float32_rows_are_computed_in_float64():
    single = TALL.astype(np.float32)
    y = (LABELS > 0).astype(float)
    theta = np.random.RandomState(4).normal(size=31)
    for one, other in zip(
        build(single, y, 1).value_and_gradient(theta),
        build(single.astype(np.float64), y, 1).value_and_gradient(theta),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_sparse_rows_in_several_blocks(monkeypatch):
    data = sparse.random(5_000, 40, density=0.2, format="csr", random_state=0)
    y = (np.arange(5_000) % 2).astype(float)
    theta = np.random.RandomState(4).normal(size=41)
    whole = build(data, y, 1).value_and_gradient(theta)
    monkeypatch.setattr(sparse_rows, "BLOCK_ENTRIES", 3_000)
    objective = build(data, y, 1)
    assert objective.rows.n_blocks > 1
    value, gradient = objective.value_and_gradient(theta)
    assert value == pytest.approx(whole[0], rel=1e-13)
    np.testing.assert_allclose(gradient, whole[1], rtol=1e-10, atol=1e-15)


def test_regression_objective_counts_passes():
    data, y = make_regression(100, 3, random_state=0)
    objective = LinearRegressor().objective(data, y)
    objective.value(np.zeros(4))
    objective.scores(np.zeros(4))
    assert objective.n_passes == 1.5
