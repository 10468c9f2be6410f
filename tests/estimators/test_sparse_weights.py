"""Every loss under every penalty: the same minima as other libraries find, certified, with exact zeros."""

import itertools
import warnings

import cases
import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog, minimize
from sklearn.base import clone, is_regressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, QuantileRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_losses import LinearRegressor, LogisticRegressor, Loss, SoftmaxClassifier
from sklearn_losses.losses import Quantile

RANDOM = np.random.RandomState(0)
N, P = 50, 8
X = RANDOM.normal(size=(N, P)) * [1, 2, 0.5, 1, 3, 1, 1, 1] + [0, 1, 0, -2, 0, 0, 5, 0]
Z = (X - X.mean(axis=0)) @ [1.0, -0.5, 0, 0, 0.3, 0, 0, 0]
COUNTS = RANDOM.poisson(np.exp(0.3 * Z)) + 1.0  # which every loss takes
LABELS = (Z + RANDOM.logistic(size=N) > 0).astype(int)
CLASSES = np.argmax(X[:, :3] + RANDOM.gumbel(size=(N, 3)), axis=1)
WEIGHTS = RANDOM.uniform(0.2, 2.0, size=N)

PENALTIES = {
    "lasso": {"l1_ratio": 1.0},
    "elastic net": {"l1_ratio": 0.5},
    "factors": {"l1_ratio": 0.9, "penalty_factor": np.linspace(0.1, 3.0, P)},
    "positive": {"positive": True},
    "positive lasso": {"l1_ratio": 1.0, "positive": True},
    "grouped": {"l1_ratio": 1.0, "grouped": True},
    "grouped elastic net": {"l1_ratio": 0.5, "grouped": True},
}
WITHOUT_GROUPS = {name: penalty for name, penalty in PENALTIES.items() if "grouped" not in penalty}
WITHOUT_BOUNDS = {name: penalty for name, penalty in PENALTIES.items() if "positive" not in penalty}


EVERYWHERE = ("CrossEntropy()",)


def situations():
    """Every loss with one penalty after the other, and a few of them with all."""
    kinds = (
        (cases.REGRESSION, LinearRegressor, COUNTS, WITHOUT_GROUPS),
        (cases.CLASSIFICATION, LogisticRegressor, LABELS, WITHOUT_GROUPS),
        (cases.CLASSIFICATION, SoftmaxClassifier, CLASSES, WITHOUT_BOUNDS),
    )
    for kind, estimator, y, penalties in kinds:
        for number, case in enumerate(kind):
            names = list(penalties)
            chosen = names if repr(case.loss) in EVERYWHERE else [names[number % len(names)]]
            for name in chosen:
                model = estimator(case.loss, alpha=0.03, **penalties[name])
                yield pytest.param(model, y, id=f"{estimator.__name__}, {case.loss!r}, {name}")


def slope_left(model, y, **data):
    """The gradient that the penalty does not hold, in units of the features, beside alpha."""
    objective = model.objective(X, y, **data)
    theta = objective.pack(model.coef_, model.intercept_)
    value, gradient = objective.value_and_gradient(theta)
    coef, slope = (objective.parameters.split(vector)[0] for vector in (theta, gradient))
    return objective, value, objective.penalty.least_slope(coef, slope)


@pytest.mark.parametrize(("model", "y"), list(situations()))
def test_every_loss_with_every_penalty(model, y):
    with warnings.catch_warnings():
        # where gradients jump and no bound exists, that is said
        if not model.loss.smooth and not model.loss.convex:
            warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y, sample_weight=WEIGHTS)
    objective, value, left = slope_left(model, y, sample_weight=WEIGHTS)
    assert model.objective_value_ == pytest.approx(value, rel=1e-12)
    assert value <= objective.value(objective.pack(np.zeros(objective.n_weights), 0.0))
    if objective.composition.convex:
        assert 0 <= model.dual_gap_ <= 1e-6 * value
        better = _nearby(objective, objective.pack(model.coef_, model.intercept_))
        assert value - better <= model.dual_gap_ + 1e-13 * value
    else:
        assert np.isnan(model.dual_gap_)
    if model.loss.smooth:
        assert np.abs(left).max() < (1e-3 if objective.composition.convex else 1e-2) * model.alpha
    if model.get_params().get("positive"):
        assert model.coef_.min() >= 0.0


def _nearby(objective, theta):
    """The lowest of many values near a point."""
    random = np.random.RandomState(0)
    zero = theta == 0
    values = []
    for size in (1e-1, 1e-3, 1e-5):
        for _ in range(7):
            move = size * random.normal(size=theta.shape) * (1 if random.uniform() < 0.3 else ~zero)
            values.append(objective.value(theta + move))
    return np.nanmin(values)


STORED = [sparse.csr_array, sparse.csc_array, np.float32, sparse.csr_matrix]


@pytest.mark.parametrize(
    ("loss", "stored"),
    [*zip(["squared_error", "huber", "rmse", Quantile(0.3)], STORED, strict=True), ("rmse", STORED[0])],
)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_regression_is_the_same_however_rows_are_stored(stored, loss, fit_intercept):
    options = {"alpha": 0.3, "l1_ratio": 0.8, "tol": 1e-9, "fit_intercept": fit_intercept}
    model = LinearRegressor(loss, **options).fit(stored(X), COUNTS)
    exact = LinearRegressor(loss, **options).fit(X, COUNTS)
    assert model.objective_value_ == pytest.approx(exact.objective_value_, rel=1e-6)
    assert (model.coef_ == 0).sum() >= 1


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_array, sparse.csc_array], ids=str)
@pytest.mark.parametrize("grouped", [False, True])
def test_classes_are_the_same_however_rows_are_stored(stored, grouped):
    options = {"alpha": 0.05, "l1_ratio": 0.8, "tol": 1e-9, "grouped": grouped}
    soft = np.random.RandomState(1).dirichlet(np.ones(3), N)
    model = SoftmaxClassifier(**options).fit(stored(X), CLASSES, soft_labels=soft)
    exact = SoftmaxClassifier(**options).fit(X, CLASSES, soft_labels=soft)
    assert model.objective_value_ == pytest.approx(exact.objective_value_, rel=1e-9)
    np.testing.assert_array_equal(model.coef_ == 0, exact.coef_ == 0)


CONSTANT = {
    "hinge": (LogisticRegressor("hinge"), LABELS),
    "median": (LinearRegressor("mae"), COUNTS),
    "hinge of three": (SoftmaxClassifier("hinge"), CLASSES),
    "cross-entropy": (LogisticRegressor(), LABELS),
    "root": (LinearRegressor("rmse"), COUNTS),
    "softmax": (SoftmaxClassifier(grouped=True), CLASSES),
}


# two opposite ways for every model, one pair of ways after the other: storage, intercept, ratio
WAYS = list(itertools.product([np.asarray, sparse.csr_array], [True, False], [1.0, 0.5]))
CONSTANT_IN_WAYS = [
    pytest.param(model, y, *way, id=f"{name}, {way[0].__name__}, {way[1]}, {way[2]}")
    for number, (name, (model, y)) in enumerate(CONSTANT.items())
    for way in (WAYS[number % 4], WAYS[7 - number % 4])
]


@pytest.mark.parametrize(("model", "y", "stored", "fit_intercept", "ratio"), CONSTANT_IN_WAYS)
def test_columns_that_say_nothing_are_no_reason_for_no_bound(model, y, stored, fit_intercept, ratio):
    empty = np.column_stack([X, np.zeros(N), np.full(N, 3.1 if fit_intercept else 0.0)])
    options = {"alpha": 0.05, "l1_ratio": ratio, "fit_intercept": fit_intercept}
    found = clone(model).set_params(**options).fit(stored(empty), y)
    best = clone(model).set_params(**options, tol=1e-9).fit(X, y).objective_value_
    assert not found.coef_[..., P:].any()
    assert found.objective_value_ - best <= found.dual_gap_ * (1 + 1e-9) + 1e-13 * best
    assert found.dual_gap_ <= 1e-6 * best


# other libraries


@pytest.mark.parametrize("ratio", [1.0, 0.4])
@pytest.mark.parametrize("positive", [False, True])
def test_squared_error_is_that_of_scikit_learn(ratio, positive):
    A, y = load_diabetes(return_X_y=True)
    oracle = ElasticNet(alpha=0.02, l1_ratio=ratio, positive=positive, tol=1e-12, max_iter=100_000).fit(A, y)
    ours = LinearRegressor(alpha=0.04, l1_ratio=ratio, positive=positive, tol=1e-12).fit(A, y)
    np.testing.assert_allclose(ours.coef_, oracle.coef_, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(ours.coef_ == 0, oracle.coef_ == 0)


def test_many_features_are_those_of_the_lasso():
    random = np.random.RandomState(0)
    A = random.normal(size=(50, 300))
    y = A[:, :5].sum(axis=1) + random.normal(size=50)
    oracle = Lasso(alpha=0.05, tol=1e-10, max_iter=100_000).fit(A, y)
    for rows in (A, sparse.csr_array(A)):
        ours = LinearRegressor(alpha=0.1, l1_ratio=1.0, tol=1e-10).fit(rows, y)
        np.testing.assert_allclose(ours.coef_, oracle.coef_, atol=1e-6)


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_cross_entropy_is_that_of_saga(ratio):
    A, y = load_wine(return_X_y=True)
    A = StandardScaler().fit_transform(A)
    options = {"solver": "saga", "l1_ratio": ratio, "tol": 1e-10, "max_iter": 100_000}
    if "deprecated" not in str(LogisticRegression().penalty):  # before 1.8 the ratio asks for its penalty by name
        options["penalty"] = "elasticnet"
    oracle = LogisticRegression(C=1 / (0.02 * len(y)), **options).fit(A, y)
    ours = SoftmaxClassifier(alpha=0.02, l1_ratio=ratio, tol=1e-12).fit(A, y)
    objective = ours.objective(A, y)
    assert ours.objective_value_ <= objective.value(objective.pack(oracle.coef_, oracle.intercept_)) * (1 + 1e-12)
    np.testing.assert_allclose(ours.predict_proba(A), oracle.predict_proba(A), atol=1e-5)


def test_an_intercept_is_not_penalised():
    A, y = load_breast_cancer(return_X_y=True)
    A = StandardScaler().fit_transform(A)
    ours = LogisticRegressor(alpha=1.0, l1_ratio=1.0).fit(A, y)
    assert not ours.coef_.any()
    assert ours.intercept_[0] == pytest.approx(np.log(y.mean() / (1 - y.mean())), rel=1e-6)


@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_quantiles_are_those_of_highs(quantile):
    A, y = load_diabetes(return_X_y=True)
    oracle = QuantileRegressor(quantile=quantile, alpha=0.02).fit(A, y)
    ours = LinearRegressor(Quantile(quantile), alpha=0.02, l1_ratio=1.0).fit(A, y)
    objective = ours.objective(A, y)
    best = objective.value(objective.pack(oracle.coef_, oracle.intercept_))
    assert ours.objective_value_ - best <= ours.dual_gap_ + 1e-12 * best
    assert ours.dual_gap_ <= 1e-6 * best


@pytest.mark.parametrize("shape", [(60, 8), (30, 50)])
@pytest.mark.parametrize("positive", [False, True])
def test_the_hinge_is_a_linear_programme(shape, positive):
    random = np.random.RandomState(0)
    A, (n, p) = random.normal(size=shape), shape
    signs = np.where(A[:, 0] + random.normal(size=n) > 0, 1.0, -1.0)
    alpha = 0.03
    # weights as differences of two that are not negative, the intercept, and a slack a row
    costs = np.concatenate([np.full(2 * p, alpha), [0.0], np.full(n, 1 / n)])
    margins = np.hstack([-signs[:, None] * A, signs[:, None] * A, -signs[:, None], -np.eye(n)])
    negative = (0, 0) if positive else (0, None)
    bounds = [(0, None)] * p + [negative] * p + [(None, None)] + [(0, None)] * n
    best = linprog(costs, A_ub=margins, b_ub=-np.ones(n), bounds=bounds, method="highs").fun
    ours = LogisticRegressor("hinge", alpha=alpha, l1_ratio=1.0, positive=positive).fit(A, signs)
    assert ours.dual_gap_ <= 1e-6 * best
    assert -1e-12 <= ours.objective_value_ - best <= ours.dual_gap_ + 1e-12


@pytest.mark.parametrize("loss", ["poisson", "huber", "log_cosh", "squared_error"])
@pytest.mark.parametrize("alpha", [0.0, 0.02])
def test_bounds_are_those_of_l_bfgs_b(loss, alpha):
    ours = LinearRegressor(loss, alpha=alpha, positive=True, tol=1e-10).fit(X, COUNTS)
    smooth = LinearRegressor(loss, alpha=alpha).objective(X, COUNTS)
    bounds = [(0, None)] * P + [(None, None)]
    options = {"maxiter": 100_000, "maxfun": 100_000, "ftol": 1e-15, "gtol": 1e-10}
    best = minimize(
        smooth.value_and_gradient, np.zeros(P + 1), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    ).fun
    assert ours.objective_value_ <= best * (1 + 1e-9)
    assert ours.coef_.min() == 0.0


# what follows from the objective


@pytest.mark.parametrize("loss", ["cross_entropy", "huber", "hinge", "quantile"])
def test_factors_are_other_units_of_the_features(loss):
    factors = np.linspace(0.5, 2.0, P)
    regression = loss in ("huber", "quantile")
    make, y = (LinearRegressor, COUNTS) if regression else (LogisticRegressor, LABELS)
    ours = make(loss, alpha=0.03, l1_ratio=1.0, penalty_factor=factors, tol=1e-9).fit(X, y)
    rescaled = make(loss, alpha=0.03, l1_ratio=1.0, tol=1e-9).fit(X / factors, y)
    assert ours.objective_value_ == pytest.approx(rescaled.objective_value_, rel=1e-8)
    np.testing.assert_allclose(np.ravel(ours.coef_) * factors, np.ravel(rescaled.coef_), atol=1e-5)


@pytest.mark.parametrize("make", [LinearRegressor, LogisticRegressor])
def test_a_factor_of_zero_leaves_a_feature_alone(make):
    y = COUNTS if make is LinearRegressor else LABELS
    factors = np.array([0.0, *[1.0] * (P - 1)])
    model = make(alpha=10.0, l1_ratio=1.0, penalty_factor=factors).fit(X, y)
    alone = make(alpha=0.0).fit(X[:, :1], y)
    np.testing.assert_allclose(np.ravel(model.coef_), [np.ravel(alone.coef_)[0], *[0.0] * (P - 1)], rtol=1e-5)
    assert np.isnan(model.dual_gap_)


@pytest.mark.parametrize("ratio", [0.5, 1.0])
def test_groups_of_two_classes_are_single_weights(ratio):
    grouped = SoftmaxClassifier(alpha=0.02, l1_ratio=ratio, grouped=True).fit(X, LABELS)
    plain = LogisticRegressor(alpha=0.02, l1_ratio=ratio).fit(X, LABELS)
    np.testing.assert_array_equal(grouped.coef_, plain.coef_)


def test_groups_are_zero_together_and_lengths_are_penalised():
    model = SoftmaxClassifier(alpha=0.08, l1_ratio=1.0, grouped=True, tol=1e-12).fit(X, CLASSES)
    zero = model.coef_ == 0
    assert (zero.all(axis=0) == zero.any(axis=0)).all()
    assert 0 < zero.all(axis=0).sum() < P
    smooth = SoftmaxClassifier(alpha=0.0).objective(X, CLASSES)
    slope = smooth.value_and_gradient(smooth.pack(model.coef_, model.intercept_))[1][: 3 * P].reshape(3, P)
    lengths = np.linalg.norm(model.coef_, axis=0)
    used = lengths > 0
    np.testing.assert_allclose(slope[:, used], -0.08 * model.coef_[:, used] / lengths[used], atol=1e-8)
    assert np.linalg.norm(slope, axis=0)[~used].max() <= 0.08


def test_classes_have_a_zero_where_their_shift_is_free():
    A, y = load_wine(return_X_y=True)
    A = StandardScaler().fit_transform(A)
    for classes in (y, np.where(A[:, 0] > 1, 3, y)):  # three and four of them
        coef = SoftmaxClassifier(alpha=0.005, l1_ratio=1.0).fit(A, classes).coef_
        assert (coef == 0).any(axis=0).all()
        k = len(coef)
        ordered = np.sort(coef, axis=0)
        assert (ordered[(k - 1) // 2] <= 0).all() and (ordered[k // 2] >= 0).all()


class Quartic(Loss):
    """Value and gradient alone, as a user may write it."""

    domain = ("values",)
    convex = True
    lower_bound = 0.0

    def value(self, y, prediction):
        return (prediction - y) ** 4

    def gradient(self, y, prediction):
        return 4 * (prediction - y) ** 3


class Unbounded(Quartic):
    """The same, which does not say how low it gets."""

    lower_bound = None


def test_a_loss_of_ones_own_needs_no_curvature():
    y = Z + 0.3 * RANDOM.normal(size=N)
    model = LinearRegressor(Quartic(), alpha=0.05, l1_ratio=1.0).fit(X, y)
    assert model.dual_gap_ <= 1e-6 * model.objective_value_
    assert 0 < (model.coef_ == 0).sum() < P
    elastic = LinearRegressor(Unbounded(), alpha=0.05, l1_ratio=0.9).fit(X, y)
    assert elastic.dual_gap_ <= 1e-6 * elastic.objective_value_


def test_no_bound_is_claimed_for_a_lasso_whose_loss_declares_none():
    y = Z + 0.3 * RANDOM.normal(size=N)
    model = LinearRegressor(Unbounded(), alpha=0.05, l1_ratio=1.0, tol=1e-9).fit(X, y)
    certified = LinearRegressor(Quartic(), alpha=0.05, l1_ratio=1.0, tol=1e-9).fit(X, y)
    assert np.isnan(model.dual_gap_)
    assert model.objective_value_ == pytest.approx(certified.objective_value_, rel=1e-7)


def test_a_square_root_lasso_that_interpolates_ends_at_its_kink():
    random = np.random.RandomState(0)
    A = random.normal(size=(20, 40))
    y = A[:, 0] + A[:, 1]
    model = LinearRegressor("rmse", alpha=0.01, l1_ratio=1.0).fit(A, y)
    assert model.dual_gap_ <= 1e-6 * model.objective_value_
    np.testing.assert_allclose(model.predict(A), y, atol=1e-4)
    np.testing.assert_allclose(model.coef_[:2], 1.0, atol=1e-3)


# in scikit-learn


def test_pipelines_searches_and_selection():
    A, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegressor(alpha=0.02))
    search = GridSearchCV(model, {"logisticregressor__l1_ratio": [0.0, 1.0]}, cv=3).fit(A, y)
    assert search.best_score_ > 0.9
    chosen = SelectFromModel(LogisticRegressor(alpha=0.05, l1_ratio=1.0)).fit(StandardScaler().fit_transform(A), y)
    assert 0 < chosen.get_support().sum() < A.shape[1]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (LinearRegressor(l1_ratio=1.1), "'l1_ratio' parameter of LinearRegressor must be a number from 0 to 1"),
        (LinearRegressor(l1_ratio="1"), "must be a number from 0 to 1"),
        (LinearRegressor(penalty_factor=[1.0, 2.0]), "has 2 numbers, but X has 8 features"),
        (LinearRegressor(penalty_factor=[-1.0] * P), "finite numbers >= 0"),
        (LinearRegressor(penalty_factor=[np.nan] * P), "finite numbers >= 0"),
        (LinearRegressor(penalty_factor=2.0), "an array of finite numbers"),
        (LinearRegressor(positive=1), "'positive' parameter of LinearRegressor must be a bool"),
        (LinearRegressor(l1_ratio=0.5, solver="L-BFGS-B"), "solver='L-BFGS-B' .* follows gradients.*Use solver='auto'"),
        (LinearRegressor(positive=True, solver="gradient-descent"), "bounds the weights"),
        (SoftmaxClassifier(grouped=True), "does nothing with l1_ratio=0"),
        (SoftmaxClassifier(grouped=None), "'grouped' parameter of SoftmaxClassifier must be a bool"),
    ],
)
def test_bad_parameters(model, said):
    y = COUNTS if is_regressor(model) else CLASSES
    with pytest.raises(ValueError, match=said):
        model.fit(X, y)
    assert not hasattr(model, "coef_")
