"""Every branch of solver="auto" ends at the same certified optimum."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from sklearn_losses import CrossEntropy, LinearRegressor, LogisticRegressor, Loss, SoftmaxClassifier
from sklearn_losses.activations import Sigmoid
from sklearn_losses.data import dense
from sklearn_losses.minimise import plans, shape, strategies, thresholds
from sklearn_losses.minimise.exactly import fit_after_sweeps, fit_exactly
from sklearn_losses.minimise.multipliers import fit_by_multipliers
from sklearn_losses.minimise.null import Null
from sklearn_losses.minimise.over_features import fit_over_features
from sklearn_losses.minimise.recorder import Recorder
from sklearn_losses.minimise.run import Run
from sklearn_losses.minimise.shape import Shape
from sklearn_losses.minimise.task import Task
from sklearn_losses.objective import samples
from sklearn_losses.objective.preconditioners import diagonal_inverse
from sklearn_losses.solvers import chained, newton, quasi_newton, truncated_newton

ANGLES = {"linear": False, "only_directions": True}

BINARY = make_classification(6_000, 12, n_informative=6, random_state=0)
JOINT = make_classification(3_000, 10, n_informative=8, n_classes=5, random_state=0)


class PlainCrossEntropy(Loss):
    """Cross-entropy by its value and gradient alone."""

    domain = "probabilities"
    convex = True

    def value(self, y, prediction):
        return CrossEntropy().value(y, np.clip(prediction, 1e-300, 1 - 1e-16))

    def gradient(self, y, prediction):
        return CrossEntropy().gradient(y, np.clip(prediction, 1e-300, 1 - 1e-16))


@pytest.fixture
def chosen(monkeypatch):
    """The methods of the plans that were chosen."""
    methods = []
    fit_smoothly = strategies.fit_smoothly

    def spy(run, plan):
        def told(run):
            found = plan(run)
            methods.append((found.method, sorted(found.options)))
            return found

        return fit_smoothly(run, told)

    monkeypatch.setattr(strategies, "fit_smoothly", spy)
    return methods


def test_no_sample_is_larger_than_a_copy_may_be(monkeypatch):
    monkeypatch.setattr(samples, "MOST_ENTRIES", 1_200.0)
    objective = LogisticRegressor().objective(*BINARY)
    task = Task(objective, Sigmoid(), "probabilities", tol=1e-6, max_iter=100, random_state=0)
    model = objective.conditioned()
    run = Run(task, model, Recorder(task.loss, None), np.zeros(model.n_parameters), Null(task))
    assert [run.sampled(size).rows.n_rows for size in (50, 5_000, 10**6)] == [50, 100, 100]


def fit(estimator, X, y):
    model = estimator.fit(X, y)
    assert model.dual_gap_ <= model.tol * model.objective_value_
    return model


def reference(estimator, X, y):
    return type(estimator)(**{**estimator.get_params(deep=False), "tol": 1e-10}).fit(X, y).objective_value_


@pytest.mark.parametrize(
    ("expected", "sizes"),
    [
        (plans.all_at_once, {"n_rows": 150, "n_features": 4, "n_outputs": 3}),
        (plans.all_at_once, {"n_rows": 5_000, "n_features": 50}),
        (plans.all_at_once, {"n_rows": 900, "n_features": 50, "is_sparse": True, "n_entries": 4_000}),
        (plans.on_samples, {"n_rows": 500_000, "n_features": 20}),
        (plans.on_samples, {"n_rows": 500_000, "n_features": 20, "convex": False}),
        (plans.jointly, {"n_rows": 1_797, "n_features": 64, "n_outputs": 10}),
        (plans.jointly, {"n_rows": 1_797, "n_features": 64, "n_outputs": 10, "convex": False}),
        (plans.on_samples_by_class, {"n_rows": 100_000, "n_features": 60, "n_outputs": 8}),
        (plans.jointly, {"n_rows": 100_000, "n_features": 784, "n_outputs": 10}),
        (plans.with_products, {"n_rows": 20_000, "n_features": 50_000, "is_sparse": True, "n_entries": 1_000_000}),
        (plans.with_products, {"n_rows": 20_000, "n_features": 50_000, "n_outputs": 20, "is_sparse": True}),
        (plans.with_products, {"n_rows": 5_000, "n_features": 4_000}),
        (plans.swept, {"n_rows": 20_000, "n_features": 50_000, "is_sparse": True, "sweeps_pay": True}),
        (plans.on_spheres, {"n_rows": 1_797, "n_features": 64, "n_outputs": 10, **ANGLES}),
        (plans.scaled_gradients, {"n_rows": 1_797, "n_features": 64, "n_outputs": 10, "linear": False}),
        (plans.scaled_gradients, {"n_rows": 1_797, "n_features": 64, "has_curvature": False}),
        (plans.gradients, {"n_rows": 100, "n_features": 5_000, "has_curvature": False}),
        (plans.gradients, {"n_rows": 100, "n_features": 5, "has_curvature": False, **ANGLES}),
        (fit_exactly, {"n_rows": 150, "n_features": 4, "exact_loss": True}),
        (fit_after_sweeps, {"n_rows": 900, "n_features": 50, "exact_loss": True, "sweeps_pay": True}),
        (fit_by_multipliers, {"n_rows": 150, "n_features": 4, "exact_loss": True, "kinked_penalty": True}),
        (fit_over_features, {"n_rows": 150, "n_features": 4, "kinked_penalty": True}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_choice_rests_on_numbers_alone(expected, sizes):
    sizes = {"n_entries": sizes["n_rows"] * sizes["n_features"]} | sizes
    chosen = strategies.choose(Shape(**sizes)).minimise
    assert chosen in (expected, strategies.Smoothly(expected))


def test_small_data_take_newton(chosen):
    fit(LogisticRegressor(alpha=1e-3), BINARY[0][:300], BINARY[1][:300])
    assert chosen == [(newton, ["tol"])]


def test_tall_data_take_samples(chosen, monkeypatch):
    monkeypatch.setattr(shape, "sample_sizes", lambda n_rows, n_parameters: (500, 1_500))
    model = fit(LogisticRegressor(alpha=1e-3), *BINARY)
    assert chosen == [(quasi_newton, ["preconditioner"])]
    monkeypatch.undo()
    assert model.objective_value_ == pytest.approx(reference(model, *BINARY), rel=1e-6)


@pytest.mark.parametrize("many", [1e20, 0.0], ids=["by class", "kronecker"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_hinge", "brier"])
def test_several_classes(chosen, monkeypatch, many, fit_intercept, loss):
    estimator = SoftmaxClassifier(loss, alpha=1e-3, fit_intercept=fit_intercept)
    expected = reference(estimator, *JOINT)
    monkeypatch.setattr(thresholds, "SMALL_HESSIAN", 0.0)
    monkeypatch.setattr(thresholds, "MANY_CLASSES", many)
    chosen.clear()
    model = estimator.fit(*JOINT)
    assert (chained, ["links"]) in chosen
    assert model.objective_value_ == pytest.approx(expected, rel=1e-6)


def test_where_truncated_newton_gets_lost_newton_takes_over(chosen):
    random = np.random.RandomState(0)
    X = random.normal(size=(300, 150))
    y = (X @ random.normal(size=(150, 3)) + 3 * random.normal(size=(300, 3))).argmax(axis=1)
    model = fit(SoftmaxClassifier("squared_hinge", alpha=1e-6), X, y)
    assert chosen == [(chained, ["links"])]
    assert model.n_iter_ < 200
    assert model.result_.n_passes < 2_000


def test_flat_directions_do_not_hide_the_others():
    # weights over 16 orders of magnitude: Newton's own steps are so long that a ten-thousandth of them is taken
    random = np.random.RandomState(2)
    X = random.normal(size=(47, 21))
    X[0, 0] = 1e3
    soft, weights = random.dirichlet(np.full(6, 0.3), 47), 10.0 ** random.uniform(-8, 8, 47)
    y = soft.argmax(axis=1)
    y[:6] = range(6)
    soft = 0.9 * np.eye(6)[y] + 0.1 * soft
    values = []
    for order in (slice(None), slice(None, None, -1)):
        model = SoftmaxClassifier(alpha=1e-12, tol=1e-10)
        model.fit(X[order], y[order], sample_weight=weights[order], soft_labels=soft[order])
        assert model.dual_gap_ <= 1e-10 * model.objective_value_  # however little so weak a penalty bounds
        assert model.n_iter_ < 400
        values.append(model.objective_value_)
    assert values[0] == pytest.approx(values[1], rel=1e-8)


def test_several_classes_of_tall_data(chosen, monkeypatch):
    expected = reference(SoftmaxClassifier(alpha=1e-3), *JOINT)
    monkeypatch.setattr(thresholds, "SMALL_HESSIAN", 0.0)
    monkeypatch.setattr(thresholds, "BY_CLASS_SAMPLES", (200, 600))
    chosen.clear()
    model = fit(SoftmaxClassifier(alpha=1e-3), *JOINT)
    assert chosen == [(quasi_newton, ["preconditioner"])]
    assert model.objective_value_ == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("kind", "n_classes"), [(sparse.csr_array, 3), (sparse.csc_matrix, 2)])
def test_many_sparse_features_take_products(chosen, kind, n_classes):
    random = np.random.RandomState(0)  # sparse.random would permute all places, and take most of the time
    filled = random.uniform(size=40_000), random.randint(5_000, size=40_000), np.arange(0, 40_001, 10)
    X = kind(sparse.csr_array(filled, shape=(4_000, 5_000)))
    y = np.arange(4_000) % n_classes
    model = fit(SoftmaxClassifier(alpha=1e-3), X, y)
    assert chosen == [(truncated_newton, ["accuracy", "preconditioner"])]
    assert model.objective_value_ == pytest.approx(reference(model, X, y), rel=1e-6)


def test_sparse_rows_of_many_classes_are_not_written_out(chosen, monkeypatch):
    monkeypatch.setattr(thresholds, "DENSE_ENTRIES", 1e4)
    X, y = sparse.csr_array(JOINT[0][:1_500]), JOINT[1][:1_500]
    model = fit(SoftmaxClassifier(alpha=1e-3), X, y)
    assert chosen == [(truncated_newton, ["accuracy", "preconditioner"])]
    assert model.objective_value_ == pytest.approx(reference(model, X.toarray(), y), rel=1e-6)


def test_samples_of_sparse_rows_keep_to_the_same_limit(chosen, monkeypatch):
    seen = []
    monkeypatch.setattr(plans, "diagonal_inverse", lambda *args: seen.append(args) or diagonal_inverse(*args))
    X = sparse.csr_array(sparse.random(3_000, 40, density=0.3, random_state=0))
    y = (X.sum(axis=1) > 6).astype(int)
    fit(LogisticRegressor(alpha=1e-3), X, y)
    assert not seen
    monkeypatch.setattr(thresholds, "DENSE_ENTRIES", 1e4)
    fit(LogisticRegressor(alpha=1e-3), X, y)
    assert seen


@pytest.mark.parametrize("shape", [(3_000, 40), (600, 100), (900, 1_000)])
@pytest.mark.parametrize("scale", [0.0, 3.0])
def test_sparse_rows_take_products_too(chosen, shape, scale):
    # preconditioned by a sample of the rows, by all rows, and by the diagonal
    random = np.random.RandomState(0)
    X = sparse.csr_array(sparse.random(*shape, density=0.3, random_state=0))
    X = sparse.csr_array(X @ sparse.diags_array(10.0 ** random.uniform(-scale, scale, shape[1])))
    y = (X @ random.normal(size=shape[1]) > 0).astype(int)
    model = fit(LogisticRegressor(alpha=1e-3), X, y)
    by_sample = ["simpler"] if shape[1] < 900 else []
    assert chosen == [(truncated_newton, ["accuracy", "preconditioner", *by_sample])]
    assert model.objective_value_ == pytest.approx(reference(model, X.toarray(), y), rel=1e-6)


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_hinge"])
def test_a_column_far_from_zero_is_left_out_of_sweeps(loss):
    # it stands apart from the others, which are no matrix of all rows then
    random = np.random.RandomState(0)
    stamps = 1.6e9 + random.normal(size=(300, 1))
    X = sparse.hstack([sparse.random(300, 700, density=0.02, random_state=0), stamps], format="csr")
    y = random.randint(2, size=300)
    model = LogisticRegressor(loss, alpha=1e-4)
    found, dense = fit(model, X, y).objective_value_, fit(model, X.toarray(), y).objective_value_
    assert found == pytest.approx(dense, rel=2e-6)


@pytest.mark.parametrize("loss", ["hinge", "mae", "huber"])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_one_large_column_beside_many_small_ones(kind, loss):
    # in inner products of rows nothing would be left of the small ones
    random = np.random.RandomState(0)
    X = random.normal(size=(120, 500)) * (random.uniform(size=(120, 500)) < 0.03)
    score = X[:, :20].sum(axis=1) + 0.1 * random.normal(size=120)
    shifts = random.normal(size=120)
    score += 0.5 * shifts
    X = np.column_stack([X, 1.5e9 + 1e6 * shifts])
    estimator, y = (LogisticRegressor, score > 0.3) if loss == "hinge" else (LinearRegressor, score)
    model = estimator(loss, alpha=1e-3)
    found = fit(model, kind(X), y)
    assert found.n_iter_ < 100
    near = found.objective_value_
    X[:, -1] -= 1.5e9
    assert near == pytest.approx(fit(model, X, y).objective_value_, rel=3e-6)


def test_few_rows_of_many_features_are_reduced(chosen):
    X = np.random.RandomState(0).normal(size=(60, 500))
    model = fit(LogisticRegressor(alpha=1e-2), X, np.arange(60) % 2)
    assert chosen == [(newton, ["tol"])]
    assert model.coef_.shape == (1, 500)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_a_loss_without_curvature(chosen, n_classes):
    X, y = BINARY if n_classes == 2 else JOINT
    model = fit(SoftmaxClassifier(PlainCrossEntropy(), alpha=1e-3), X, y)
    assert chosen == [(quasi_newton, ["preconditioner", "scaled"])]
    assert model.objective_value_ == pytest.approx(reference(SoftmaxClassifier(alpha=1e-3), X, y), rel=1e-6)


@pytest.mark.parametrize("loss", ["poisson", "huber", "log_cosh", "rmse", "squared_epsilon_insensitive"])
def test_regression_on_samples(monkeypatch, loss):
    X = scale(BINARY[0])
    y = np.random.RandomState(0).poisson(np.exp(0.3 * X[:, 0])).astype(float)
    expected = reference(LinearRegressor(loss, alpha=1e-3), X, y)
    monkeypatch.setattr(shape, "sample_sizes", lambda n_rows, n_parameters: (500, 1_500))
    assert fit(LinearRegressor(loss, alpha=1e-3), X, y).objective_value_ == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("order", ["sorted", "rare", "heavy"])
def test_awkward_rows_still_take_few_passes(monkeypatch, order):
    X, y = BINARY
    X, y, weights = np.tile(X, (8, 1)), np.tile(y, 8), None
    if order == "sorted":
        rows = np.lexsort((X[:, 0], y))
        X, y = X[rows], y[rows]
    elif order == "rare":
        X = np.column_stack([X, np.zeros((len(X), 3))])
        X[np.arange(5), -1] = X[np.arange(9), -2][:5] = 1.0
    else:
        weights = np.ones(len(X))
        weights[:7] = 1e4
    monkeypatch.setattr(shape, "sample_sizes", lambda n_rows, n_parameters: (500, 2_000))
    monkeypatch.setattr(dense, "FEW_ROWS", 1)
    model = LogisticRegressor(alpha=1e-3).fit(X, y, sample_weight=weights)
    assert model.dual_gap_ <= 1e-6 * model.objective_value_
    assert model.result_.n_passes <= 15


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", ["tweedie", "huber", "absolute_error", "squared_hinge", "hinge"])
def test_features_that_a_gram_matrix_loses_are_found_again(loss, fit_intercept):
    random = np.random.RandomState(0)
    X = random.normal(size=(40, 60))
    score = X @ random.normal(size=60) / 8
    X *= 10.0 ** random.uniform(-6, 6, 60)
    if "hinge" in loss:
        y, estimator, alpha = np.where(random.rand(40) < 0.3, 1, (score > 0).astype(int)), LogisticRegressor, 1e-3
    else:
        y, estimator, alpha = np.exp(score) + random.exponential(size=40), LinearRegressor, 1e-6
    model = fit(estimator(loss, alpha=alpha, fit_intercept=fit_intercept), X, y)
    objective = model.objective(X, y)
    value = objective.value(objective.pack(model.coef_, model.intercept_))
    assert value == pytest.approx(model.objective_value_, rel=1e-9)
    again = fit(estimator(loss, alpha=alpha, fit_intercept=fit_intercept), X[::-1], y[::-1])
    assert again.objective_value_ == pytest.approx(model.objective_value_, rel=2e-6)


def test_constant_columns_of_tall_data():
    y = np.arange(40_000) % 3 == 0
    model = fit(LogisticRegressor(), np.full((40_000, 1), 3.0), y)
    assert model.coef_ == 0.0
    assert model.predict_proba([[3.0]])[0, 1] == pytest.approx(y.mean(), rel=1e-3)


def test_steps_leave_the_common_shift_of_classes_alone():
    random = np.random.RandomState(0)
    X = random.normal(size=(600, 60)) * 10.0 ** random.uniform(-6, 6, 60)
    y = random.randint(0, 3, 600)
    model = fit(SoftmaxClassifier(alpha=1e-8), X, y)
    np.testing.assert_allclose(model.coef_.mean(axis=0), 0.0, atol=1e-12 * np.abs(model.coef_).max())


def test_what_is_reported_of_wide_data_is_that_of_the_weights_also_without_convergence():
    random = np.random.RandomState(0)
    X = random.normal(size=(40, 60))
    y = np.exp(X @ random.normal(size=60) / 8) + random.exponential(size=40)
    X *= 10.0 ** random.uniform(-6, 6, 60)
    for settings in ({"max_iter": 2}, {"tol": 0.0}):
        with pytest.warns(ConvergenceWarning):
            model = LinearRegressor("tweedie", alpha=1e-8, **settings).fit(X, y)
        objective = model.objective(X, y)
        value = objective.value(objective.pack(model.coef_, model.intercept_))
        assert value == pytest.approx(model.objective_value_, rel=1e-9)


def test_small_values_that_are_differences_of_large_ones():
    random = np.random.RandomState(0)
    X = random.normal(size=(12, 150))
    y = np.exp(random.normal(size=12))
    model = LinearRegressor("poisson", alpha=1e-6, fit_intercept=False, tol=1e-9).fit(X, y)
    assert model.objective_value_ < 1e-6
    assert model.dual_gap_ <= 1e-9 * model.objective_value_
