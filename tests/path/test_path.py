"""Paths: where they begin, that every point is certified, and how folds choose among them."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV, lasso_path
from sklearn.model_selection import GroupKFold, KFold
from sklearn.preprocessing import scale

from sklearn_losses import (
    CosineClassifier,
    CrossEntropy,
    Hinge,
    LinearRegressor,
    LogisticRegressor,
    RegularizationPathDisplay,
    SoftmaxClassifier,
    regularization_path,
)

DIABETES = load_diabetes(return_X_y=True)
X, TARGETS = scale(DIABETES[0])[::4], scale(DIABETES[1])[::4]
COUNTS = np.round(np.exp(TARGETS))
LABELS = (TARGETS > 0.3).astype(int)
CLASSES = np.digitize(TARGETS, [-0.5, 0.5])
FACTORS = np.linspace(0.5, 2.0, X.shape[1])

SMOOTH = {
    "lasso": (LinearRegressor(l1_ratio=1.0), TARGETS),
    "huber, factors": (LinearRegressor("huber", l1_ratio=0.7, penalty_factor=FACTORS), TARGETS),
    "poisson, positive": (LinearRegressor("poisson", l1_ratio=1.0, positive=True), COUNTS),
    "square root": (LinearRegressor("rmse", l1_ratio=1.0), TARGETS),
    "cross-entropy": (LogisticRegressor(l1_ratio=1.0), LABELS),
    "a free feature": (LogisticRegressor(l1_ratio=1.0, penalty_factor=[0.0, *[1.0] * 9]), LABELS),
    "softmax": (SoftmaxClassifier(l1_ratio=0.5), CLASSES),
    "groups": (SoftmaxClassifier(l1_ratio=1.0, grouped=True), CLASSES),
}
KINKED = {
    "median": (LinearRegressor("mae", l1_ratio=1.0), TARGETS),
    "quantile without intercept": (LinearRegressor("quantile", l1_ratio=1.0, fit_intercept=False), TARGETS),
    "quantile, a free feature": (
        LinearRegressor("quantile", l1_ratio=1.0, penalty_factor=[0.0, *[1.0] * 9]),
        TARGETS,
    ),
    "hinge": (LogisticRegressor("hinge", l1_ratio=1.0), LABELS),
    "hinge of three": (SoftmaxClassifier("hinge", l1_ratio=1.0), CLASSES),
    "hinge, positive": (LogisticRegressor("hinge", l1_ratio=1.0, positive=True), LABELS),
    "median, positive": (LinearRegressor("mae", l1_ratio=1.0, positive=True), TARGETS),
    "epsilon-insensitive": (LinearRegressor("epsilon_insensitive", l1_ratio=1.0), TARGETS),
    "hinge of three, groups": (SoftmaxClassifier("hinge", l1_ratio=1.0, grouped=True), CLASSES),
    "Crammer and Singer": (SoftmaxClassifier(Hinge("crammer-singer"), l1_ratio=1.0), CLASSES),
}


def penalised(model, coef):
    factor = model.penalty_factor
    return coef[..., np.ones(coef.shape[-1], bool) if factor is None else np.asarray(factor) > 0]


@pytest.mark.parametrize(("model", "y"), SMOOTH.values(), ids=SMOOTH)
def test_the_first_strength_is_the_smallest_without_weights(model, y):
    largest = regularization_path(model, X, y, n_alphas=1).alphas_[0]
    above = clone(model).set_params(alpha=largest * (1 + 1e-4), tol=1e-10).fit(X, y)
    below = clone(model).set_params(alpha=largest * (1 - 1e-2), tol=1e-12).fit(X, y)
    assert not penalised(model, above.coef_).any()
    assert penalised(model, below.coef_).any()


@pytest.mark.parametrize(("model", "y"), KINKED.values(), ids=KINKED)
def test_the_first_strength_of_a_loss_with_kinks_is_enough(model, y):
    path = regularization_path(model, X, y, n_alphas=2, eps=0.05)
    best = clone(model).set_params(alpha=path.alphas_[0], tol=1e-9).fit(X, y).objective_value_
    assert path.objective_values_[0] <= best * (1 + 1e-8)
    assert not penalised(model, path.coefs_[0]).any()
    assert penalised(model, path.coefs_[1]).any()


@pytest.mark.parametrize(("model", "y"), [*SMOOTH.values(), *KINKED.values()], ids=[*SMOOTH, *KINKED])
def test_every_point_is_the_fit_at_its_strength(model, y):
    path = regularization_path(model, X, y, n_alphas=3, eps=0.02)
    assert not penalised(model, path.coefs_[0]).any()
    assert (np.diff(path.alphas_) < 0).all()
    if model.penalty_factor is None or np.all(np.asarray(model.penalty_factor) > 0):
        assert (path.dual_gaps_ <= 1e-6 * path.objective_values_).all()
    for alpha, value in zip(path.alphas_[1:], path.objective_values_[1:], strict=True):
        alone = clone(model).set_params(alpha=alpha).fit(X, y)
        assert value == pytest.approx(alone.objective_value_, rel=2e-6)
    assert path.coefs_.shape == (3, *alone.coef_.shape)
    assert path.intercepts_.shape == (3, *np.shape(alone.intercept_))


def test_strengths_may_be_given_in_any_order():
    path = regularization_path(LinearRegressor(l1_ratio=1.0, tol=1e-12), X, TARGETS, alphas=[0.01, 1.0, 0.1])
    np.testing.assert_array_equal(path.alphas_, [1.0, 0.1, 0.01])
    centred = X - X.mean(axis=0)
    _, oracle, _ = lasso_path(centred, TARGETS - TARGETS.mean(), alphas=path.alphas_ / 2, tol=1e-10, max_iter=100_000)
    np.testing.assert_allclose(path.coefs_, oracle.T, atol=1e-6)


@pytest.mark.parametrize("stored", [sparse.csr_array, sparse.csc_array])
def test_sparse_rows_have_the_same_path(stored):
    model = LogisticRegressor(l1_ratio=1.0, tol=1e-10)
    ours = regularization_path(model, stored(X), LABELS, n_alphas=5)
    dense = regularization_path(model, X, LABELS, n_alphas=5)
    np.testing.assert_allclose(ours.alphas_, dense.alphas_, rtol=1e-10)
    np.testing.assert_allclose(ours.objective_values_, dense.objective_values_, rtol=1e-8)


@pytest.mark.parametrize("kind", ["as it is", "float32", "Fortran", "dependent", "without intercept", "free"])
def test_squared_errors_of_tall_rows_have_the_path_of_their_gram_matrix(kind):
    rng = np.random.RandomState(0)
    A, weights = rng.normal(size=(90, 6)) * np.logspace(-2, 2, 6) + 3.0, rng.randint(3, size=90)
    if kind == "dependent":  # which a Gram matrix cannot tell from rounding
        A[:, 3] = A[:, 1] + 1e-9 * A[:, 2]
    y = A @ rng.normal(size=6) + rng.normal(size=90)
    model = LinearRegressor(l1_ratio=0.9, fit_intercept=kind != "without intercept", tol=1e-9)
    if kind == "free":
        model.set_params(penalty_factor=[0.0, 1.0, 2.0, 1.0, 1.0, 1.0])
    A = {"float32": A.astype(np.float32), "Fortran": np.asfortranarray(A)}.get(kind, A)
    path = regularization_path(model, A, y, n_alphas=12, eps=1e-2, sample_weight=weights)
    for alpha, coef, value in zip(path.alphas_, path.coefs_, path.objective_values_, strict=True):
        alone = clone(model).set_params(alpha=alpha).fit(A, y, weights)
        assert value == pytest.approx(alone.objective_value_, rel=1e-8)
        np.testing.assert_array_equal(coef == 0.0, alone.coef_ == 0.0)
    if kind != "free":
        assert (path.dual_gaps_ <= 1e-9 * path.objective_values_).all()


def test_weights_count():
    weights = np.arange(len(X)) % 3
    model = LinearRegressor("huber", l1_ratio=1.0)
    ours = regularization_path(model, X, TARGETS, n_alphas=4, sample_weight=weights)
    repeated = regularization_path(model, np.repeat(X, weights, axis=0), np.repeat(TARGETS, weights), n_alphas=4)
    np.testing.assert_allclose(ours.objective_values_, repeated.objective_values_, rtol=1e-6)


def test_a_path_of_squares_alone_begins_at_the_null_model():
    path = regularization_path(LinearRegressor(), X, TARGETS, n_alphas=3)
    assert not path.coefs_[0].any()
    assert path.coefs_[1].any()
    assert 0 < path.dual_gaps_[0] < path.objective_values_[0]


# folds


def test_the_best_strength_is_that_of_the_lasso_cv():
    folds = list(KFold(5).split(X))
    path = regularization_path(LinearRegressor(l1_ratio=1.0), X, TARGETS, n_alphas=12, cv=folds)
    oracle = LassoCV(alphas=path.alphas_ / 2, cv=folds, tol=1e-6, max_iter=100_000).fit(X, TARGETS)
    assert path.best_alpha_ / 2 == pytest.approx(oracle.alpha_)
    np.testing.assert_allclose(-path.scores_, oracle.mse_path_, rtol=1e-4)
    np.testing.assert_allclose(path.best_estimator_.coef_, oracle.coef_, atol=1e-3)
    errors = path.scores_.std(axis=1, ddof=1) / np.sqrt(5)
    np.testing.assert_allclose(path.standard_errors_, errors)


def test_one_standard_error_is_never_weaker():
    A, y = load_breast_cancer(return_X_y=True)
    A = scale(A)[::3]
    options = {"n_alphas": 8, "cv": 3, "eps": 1e-2}
    model = LogisticRegressor(l1_ratio=1.0)
    best = regularization_path(model, A, y[::3], **options)
    with parallel_config("threading"):
        modest = regularization_path(model, A, y[::3], rule="one-standard-error", n_jobs=2, **options)
    assert modest.best_alpha_ >= best.best_alpha_
    at = int(np.argmax(best.mean_scores_))
    enough = best.mean_scores_[at] - best.standard_errors_[at]
    first = np.flatnonzero(best.mean_scores_ >= enough)[0]
    assert modest.best_alpha_ == modest.alphas_[first]
    assert modest.best_estimator_.alpha == modest.best_alpha_
    np.testing.assert_array_equal(modest.scores_, best.scores_)


def test_scorers():
    options = {"n_alphas": 4, "cv": 3}
    model = LogisticRegressor("squared_hinge", l1_ratio=1.0)
    own = regularization_path(model, X, LABELS, **options)
    assert (own.mean_scores_ < 0).all()
    assert (regularization_path(model, X, LABELS, scoring="accuracy", **options).mean_scores_ > 0.3).all()
    entropy = regularization_path(LogisticRegressor(l1_ratio=1.0), X, LABELS, scoring=CrossEntropy(), **options)
    alone = regularization_path(LogisticRegressor(l1_ratio=1.0), X, LABELS, scoring="neg_log_loss", **options)
    np.testing.assert_allclose(entropy.scores_, alone.scores_)


@pytest.mark.parametrize("model", [LinearRegressor(l1_ratio=1.0), LogisticRegressor(l1_ratio=1.0)], ids=["values", "p"])
def test_scorers_may_ask_about_any_rows(model):
    def scorer(fitted, rows, targets):
        seen.append(rows)
        np.testing.assert_allclose(fitted.predict(rows.copy()), fitted.predict(rows), atol=1e-12)
        return float(np.mean(fitted.predict(rows[:5]) == targets[:5]))

    seen: list = []
    y = LABELS if isinstance(model, LogisticRegressor) else TARGETS
    regularization_path(model, X, y, n_alphas=3, cv=[(np.arange(60), np.arange(60, 110))], scoring=scorer)
    assert len(seen) == 3


def test_a_scorer_that_fits_again_asks_the_new_model():
    def scorer(fitted, rows, targets):
        known = fitted.decision_function(rows)
        again = fitted.fit(rows, 1 - targets).decision_function(rows)
        assert np.corrcoef(known, again)[0, 1] < 0
        return 0.0

    model = LogisticRegressor(l1_ratio=1.0)
    regularization_path(model, X, LABELS, alphas=[1e-3], cv=[(np.arange(60), np.arange(60, 110))], scoring=scorer)


def test_groups_and_frames():
    A, y = load_wine(return_X_y=True, as_frame=True)
    A = pd.DataFrame(scale(A), columns=A.columns)
    path = regularization_path(
        SoftmaxClassifier(l1_ratio=1.0, grouped=True), A, y, n_alphas=3, cv=GroupKFold(2), groups=np.arange(len(y)) % 5
    )
    assert list(path.feature_names_in_) == list(A.columns)
    assert list(path.classes_) == [0, 1, 2]
    table = path.to_frame()
    assert list(table.columns) == [
        *("alpha", "objective_value", "dual_gap", "n_nonzero", "mean_score", "standard_error")
    ]
    assert table["n_nonzero"].tolist()[0] == 0
    display = path.plot()
    assert isinstance(display, RegularizationPathDisplay)
    assert display.best_alpha == path.best_alpha_


def test_a_path_says_what_it_is():
    path = regularization_path(LinearRegressor("mae", l1_ratio=1.0), X, TARGETS, n_alphas=3)
    assert repr(path) == (
        "RegularizationPath of LinearRegressor(l1_ratio=1.0, loss='mae'): 3 strengths from "
        f"{path.alphas_[0]:.3g} to {path.alphas_[2]:.3g}, 0 to 10 weights"
    )
    judged = regularization_path(LinearRegressor(l1_ratio=1.0), X, TARGETS, n_alphas=3, cv=3)
    assert repr(judged).endswith(f"; best alpha {judged.best_alpha_:.3g}")


def test_nothing_is_changed():
    model = LinearRegressor("huber", alpha=7.0, l1_ratio=1.0)
    before = dict(vars(model))
    path = regularization_path(model, X, TARGETS, n_alphas=3, cv=3)
    assert vars(model) == before
    assert path.best_estimator_ is not model


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"rule": "one-standard-error"}, ValueError, "there are none: give cv"),
        ({"rule": "1se", "cv": 3}, ValueError, "rule must be one of"),
        ({"alphas": [-1.0]}, ValueError, "finite numbers >= 0"),
        ({"alphas": []}, ValueError, "at least one"),
        ({"eps": 1.0}, ValueError, "between 0 and 1"),
        ({"n_alphas": 0}, ValueError, "an integer >= 1"),
        ({"estimator": CosineClassifier()}, TypeError, "got CosineClassifier"),
        ({"estimator": LinearRegressor(penalty_factor=np.zeros(10))}, ValueError, "Give alphas"),
        ({"y": np.zeros(len(X))}, ValueError, "Give alphas"),
        ({"cv": [([*range(90)], [*range(90, 110)])], "rule": "one-standard-error"}, ValueError, "more than one fold"),
    ],
)
def test_bad_input(change, error, said):
    asked = {"estimator": LinearRegressor(l1_ratio=1.0), "X": X, "y": TARGETS, "n_alphas": 3} | change
    with pytest.raises(error, match=said):
        regularization_path(asked.pop("estimator"), asked.pop("X"), asked.pop("y"), **asked)


def test_a_path_without_a_bound_speaks_of_none():
    with pytest.warns(ConvergenceWarning, match=r"The first is that of alpha = \S+: The solver says: "):
        regularization_path(LogisticRegressor("mse", max_iter=1), X, LABELS, n_alphas=3)


def test_a_path_that_does_not_converge_says_so():
    with pytest.warns(ConvergenceWarning, match=r"of 3 models did not reach tol=1e-10.*Increase max_iter or tol"):
        regularization_path(LogisticRegressor(l1_ratio=1.0, tol=1e-10, max_iter=1), X, LABELS, n_alphas=3)
