"""Steps by sweeps over sparse columns: those of the Hessian written out, for solvers and in fits."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_losses import LinearRegressor, LogisticRegressor
from sklearn_losses.objective import part
from sklearn_losses.objective.kinked_penalties import ElasticNet
from sklearn_losses.solvers.feature_sweeps import Columns

RANDOM = np.random.RandomState(0)


def columns(index=np.int32):
    """Sparse columns, one of them empty and one twice, and the Hessian that they make, written out."""
    matrix = sparse.csc_array(sparse.random(50, 9, density=0.4, random_state=1))
    matrix = sparse.hstack([matrix, matrix[:, [0]], sparse.csc_array((50, 1))], format="csc")
    matrix.indptr, matrix.indices = matrix.indptr.astype(index), matrix.indices.astype(index)
    random = np.random.RandomState(2)
    center, curvature, squares = random.normal(size=11), random.uniform(size=50), np.zeros(11)
    curvature[::7] = 0.0
    full = np.column_stack([matrix.toarray() - center, np.ones(50)])
    return Columns(matrix, center, curvature, squares, intercept=True), (full.T * curvature) @ full


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("damping", [0.0, 0.1])
@pytest.mark.parametrize("name", ["lasso", "positive", "factors"])
def test_sweeps_over_columns_step_where_their_matrix_does(name, damping, index):
    kinks = np.linspace(0.1, 1.0, 11)
    kink = {
        "lasso": ElasticNet(0.3),
        "positive": ElasticNet(0.2, positive=True),
        "factors": ElasticNet(kinks * (kinks > 0.15)),
    }[name]
    model, matrix = columns(index)
    if damping:
        model = model.damped(damping)
        matrix = matrix + np.diag([*model.squares, 0.0])
    coef = np.abs(RANDOM.normal(size=(1, 11))) * (np.arange(11) % 3 == 0)
    slope = matrix @ RANDOM.normal(size=12)
    step = np.zeros(12)
    for _ in range(200):  # a step has so many sweeps
        step += model.step(coef + step[:11], slope + matrix @ step, kink, 1e-12)
    left = slope + matrix @ step
    trial = coef + step[:11]
    assert np.abs(kink.least_slope(trial, left[:11] + kink.gradient(trial))).max() < 1e-8
    assert abs(left[11]) < 1e-8


def test_columns_without_curvature_stay():
    model, _ = columns()
    flat = Columns(model.matrix, model.center, np.zeros(50), np.zeros(11), intercept=True)
    np.testing.assert_array_equal(flat.step(np.ones((1, 11)), np.ones(12), ElasticNet(0.1), 1e-3), 0.0)


def rows(index=np.int32, dtype=np.float64, stored="csr"):
    """So few entries in so many columns that sweeps pay; some rows weigh nothing, one column is there twice."""
    X = sparse.csr_array(sparse.random(400, 300, density=0.05, random_state=3))
    X = sparse.hstack([X, X[:, [7]]], format="csr").astype(dtype)
    coef = np.random.RandomState(4).normal(size=301) * (np.arange(301) % 10 == 0)
    score = X @ coef + 0.3 * np.random.RandomState(5).normal(size=400)
    X.indptr, X.indices = X.indptr.astype(index), X.indices.astype(index)
    return X.asformat(stored), score, np.arange(400) % 4


MODELS = {
    "cross-entropy": LogisticRegressor(alpha=1e-3, l1_ratio=1.0),
    "elastic net": LogisticRegressor(alpha=1e-3, l1_ratio=0.5, fit_intercept=False),
    "positive": LogisticRegressor(alpha=1e-3, l1_ratio=1.0, positive=True),
    "squared error": LinearRegressor(alpha=1e-3, l1_ratio=1.0),
    "huber": LinearRegressor("huber", alpha=1e-3, l1_ratio=1.0),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_fits_without_the_compiled_part_find_the_same(model, monkeypatch):
    X, score, weights = rows()
    y = score > 0 if isinstance(model, LogisticRegressor) else score
    model.set_params(tol=1e-9)
    assert part.sweeps_pay(model.objective(X, y, weights))
    found = model.fit(X, y, weights)
    coef, value, gap = found.coef_, found.objective_value_, found.dual_gap_
    assert gap <= 1e-9 * value
    monkeypatch.setattr(part, "AVAILABLE", False)
    assert not part.sweeps_pay(model.objective(X, y, weights))
    model.fit(X, y, weights)
    assert value == pytest.approx(model.objective_value_, rel=2e-9)
    np.testing.assert_allclose(X @ coef.ravel(), X @ model.coef_.ravel(), atol=1e-3)


@pytest.mark.parametrize("kind", [{"index": np.int64}, {"dtype": np.float32}, {"stored": "csc"}])
def test_fits_do_not_depend_on_how_rows_are_stored(kind):
    model = LogisticRegressor(alpha=1e-3, l1_ratio=1.0, tol=1e-10)
    X, score, weights = rows()
    expected = model.fit(X, score > 0, weights).objective_value_
    X, _, _ = rows(**kind)
    assert part.sweeps_pay(model.objective(X, score > 0, weights))
    assert model.fit(X, score > 0, weights).objective_value_ == pytest.approx(expected, rel=1e-6)
    assert model.dual_gap_ <= 1e-10 * model.objective_value_
    kept = weights > 0
    alone = model.fit(X.tocsr()[kept], score[kept] > 0, weights[kept])
    assert alone.objective_value_ == pytest.approx(expected, rel=1e-6)
