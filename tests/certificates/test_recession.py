"""Whether F has a minimiser: against a linear program over all rows, and by what it says of the data."""

import warnings

import numpy as np
import pytest
from mpmath import mp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import linprog
from sklearn.exceptions import ConvergenceWarning

from sklearn_losses import (
    CrossEntropy,
    Exponential,
    LinearRegressor,
    LogisticRegressor,
    SoftmaxClassifier,
    Tweedie,
)
from sklearn_losses.certificates.recession import recession

FALLING = ["cross_entropy", "kl", "brier", "mae", "huber", "log_cosh", "focal", "gce", "exponential"]
ENDING = ["hinge", "squared_hinge", "modified_huber", "least_squares", CrossEntropy(label_smoothing=0.1)]


def found(model, X, y, **data):
    """The recession of a fitted model's objective, and that objective."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y, **data)
    objective = model.objective(X, y, **data)
    return recession(objective, objective.pack(model.coef_, model.intercept_)), objective


def exists(moved: np.ndarray, pinned: np.ndarray) -> bool:
    """Whether some direction moves margins up, none down and none of the pinned ones: a program with all rows in it."""
    held = {"A_eq": moved[pinned], "b_eq": np.zeros(pinned.sum())} if pinned.any() else {}
    upper = np.concatenate([-moved, moved])
    program = linprog(
        -moved.sum(axis=0), A_ub=upper, b_ub=np.repeat([0.0, 1.0], len(moved)), bounds=(-1e6, 1e6), **held
    )
    assert program.status == 0
    return -program.fun > 0.5


def few_levels(rng, n, p):
    """Rows among which separation is as likely as not."""
    return np.c_[rng.integers(-1, 2, (n, p)), np.ones(n)]


@pytest.mark.parametrize("loss", ["cross_entropy", "brier", "exponential"])
@pytest.mark.parametrize("seed", range(8))
def test_two_classes(loss, seed):
    rng = np.random.default_rng(seed)
    X = few_levels(rng, 14, 3)
    y = (X @ rng.normal(size=4) + 0.7 * rng.normal(size=14) > 0).astype(int)
    y[:2] = 0, 1
    result, objective = found(LogisticRegressor(loss, alpha=0), X[:, :-1], y)
    signs = 2 * y[:, None] - 1
    assert (result is not None) == exists(signs * X, np.zeros(14, bool))
    if result is not None:
        margins = signs[:, 0] * objective.scores(result.direction).gathered()
        assert margins.min() > -1e-6 * margins.max()
        assert margins.max() > 0


@pytest.mark.parametrize("seed", range(8))
def test_soft_labels_of_two_classes(seed):
    rng = np.random.default_rng(seed)
    X = few_levels(rng, 12, 3)
    p = np.clip(np.round(X @ rng.normal(size=4) + 0.5, 1), 0, 1)
    p[:2] = 0, 1
    result, _ = found(LogisticRegressor(alpha=0), X[:, :-1], np.arange(12) % 2, soft_labels=np.c_[1 - p, p])
    signs = np.where(p == 0, -1.0, 1.0)[:, None]
    assert (result is not None) == exists(signs * X, (p > 0) & (p < 1))


@pytest.mark.parametrize("seed", range(8))
def test_three_classes_with_soft_labels_among_them(seed):
    rng = np.random.default_rng(seed)
    n = 24
    X = few_levels(rng, n, 3)
    scores = X @ rng.normal(size=(4, 3)) + 0.5 * rng.normal(size=(n, 3))
    targets = np.eye(3)[scores.argmax(axis=1)]
    targets[:3] = np.eye(3)
    targets[5] = [0.5, 0.5, 0.0]
    result, objective = found(SoftmaxClassifier(alpha=0), X[:, :-1], np.arange(n) % 3, soft_labels=targets)
    differences, pinned = [], []
    for x, t in zip(X, targets, strict=True):
        best = t.argmax()
        for j in set(range(3)) - {best}:
            differences.append(np.kron(np.eye(3)[best] - np.eye(3)[j], x))
            pinned.append(t[j] > 0)
    assert (result is not None) == exists(np.array(differences), np.array(pinned))
    if result is not None:
        moved = objective.scores(result.direction).gathered()
        support = np.where(targets > 0, moved, np.inf).min(axis=1)
        assert (support - moved.max(axis=1)).min() > -1e-5 * np.ptp(moved)


@pytest.mark.parametrize("loss", ["poisson", Tweedie(1.0), Tweedie(1.3), Tweedie(1.9)], ids=repr)
@pytest.mark.parametrize("seed", range(6))
def test_counts(loss, seed):
    rng = np.random.default_rng(seed)
    X = few_levels(rng, 12, 3)
    y = rng.poisson(np.exp(1.5 * X @ rng.normal(size=4) - 1)).astype(float)
    y[0] = 1.0
    result, objective = found(LinearRegressor(loss, alpha=0), X[:, :-1], y)
    assert (result is not None) == exists(-X, y > 0)
    if result is not None:
        moved = objective.scores(result.direction).gathered()
        assert moved.max() < 1e-6 * -moved.min()
        assert np.abs(moved[y > 0]).max() < 1e-6 * -moved.min()


BY_ONE = np.r_[np.zeros(20), 1, 2, 3, -1, -2, -3]
OF_TWO = np.r_[np.arange(20) % 2, 1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("loss", FALLING + ENDING, ids=repr)
@pytest.mark.parametrize("kind", [LogisticRegressor, SoftmaxClassifier])
def test_which_losses_have_no_minimiser(loss, kind):
    X = np.c_[np.sin(np.arange(26.0)), BY_ONE]
    X[:20, 1] = 0
    result, _ = found(kind(loss, alpha=0), X, OF_TWO)
    assert (result is not None) == (loss in FALLING)
    if result is not None:
        assert not result.complete
        assert_array_equal(result.features, [1])
    separable = np.arange(26) % 2
    complete, _ = found(kind(loss, alpha=0), np.c_[X, separable], separable)
    assert (complete is not None) == (loss in FALLING)


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_only_the_levels_of_one_class_run_away(storage, fit_intercept):
    level = np.random.default_rng(0).integers(0, 20, 800)
    y = (np.random.default_rng(1).random(800) < 0.4).astype(int)
    y[level == 7], y[level == 9] = 0, 1
    X = storage(np.eye(20)[level])
    result, _ = found(LogisticRegressor(alpha=0, fit_intercept=fit_intercept), X, y)
    assert_array_equal(np.sort(result.features), [7, 9])
    counts = np.random.default_rng(2).poisson(2.0, 800) * (level != 3.0)
    result, objective = found(LinearRegressor("poisson", alpha=0, fit_intercept=fit_intercept), X, counts)
    assert_array_equal(result.features, [3])
    assert_allclose(objective.scores(result.direction).gathered(), -1.0 * (level == 3), atol=1e-5)


def test_columns_far_from_zero():
    rng = np.random.default_rng(0)
    X = np.c_[1e9 + rng.normal(size=(200, 2)), rng.random(200) < 0.1]
    y = (rng.random(200) < 0.5).astype(int)
    y[X[:, 2] == 1] = 1
    result, _ = found(LogisticRegressor(alpha=0), X, y)
    assert_array_equal(result.features, [2])
    y[np.flatnonzero(X[:, 2])[0]] = 0
    assert found(LogisticRegressor(alpha=0), X, y)[0] is None


def test_rows_of_tiny_weight_count():
    X, y = np.r_[BY_ONE, 2.0][:, None], np.r_[OF_TWO, 0]
    for weight in (1.0, 1e-6, 1e-10):
        weights = np.r_[np.ones(26), weight]
        result, _ = found(LogisticRegressor(alpha=0, tol=1e-12), X, y, sample_weight=weights)
        assert result is None, weight


TWO_MORE = np.r_[np.linspace(-2.0, -1.0, 10), np.linspace(1.0, 2.0, 10), 0.5, 1.0][:, None]
TINY = np.r_[np.ones(20), 1e-12, 1e-12]  # weights with which a model of the others has next to no loss


@pytest.mark.parametrize(
    "model", [LogisticRegressor(alpha=0), LogisticRegressor("gce", alpha=0), SoftmaxClassifier(alpha=0)]
)
def test_a_small_value_is_no_end_while_a_row_of_tiny_weight_is_on_the_wrong_side(model):
    y = np.r_[np.zeros(10), np.ones(10), 0, 1]
    with pytest.warns(ConvergenceWarning, match="perfectly separable"):
        assert model.fit(TWO_MORE, y, TINY).score(TWO_MORE, y) == 1.0


@pytest.mark.parametrize("estimator", [LogisticRegressor, SoftmaxClassifier])
def test_the_least_value_where_only_rows_of_tiny_weight_are_not_separable(estimator):
    signs = np.r_[-np.ones(10), np.ones(11), -1.0]
    model = estimator(alpha=0).fit(TWO_MORE, signs > 0, TINY)
    rows = [(mp.mpf(w), s * x, s) for w, s, x in zip(TINY, signs, TWO_MORE[:, 0], strict=True)]

    def slope(coef, intercept):
        pulls = [w / (1 + mp.exp(coef * x + intercept * s)) for w, x, s in rows]
        return [sum(pull * row[k] for pull, row in zip(pulls, rows, strict=True)) for k in (1, 2)]

    with mp.workdps(30):
        coef, intercept = mp.findroot(slope, (model.coef_[0, 0], model.intercept_[0]))
    best = np.mean(TINY * np.logaddexp(0.0, -signs * (float(coef) * TWO_MORE[:, 0] + float(intercept)))) / TINY.mean()
    assert_allclose(model.objective_value_, best, rtol=1e-6)


@pytest.mark.parametrize("size", [1e100, 1e200, 1e308])
@pytest.mark.parametrize("loss", ["cross_entropy", "brier"])
def test_huge_cells_and_tiny_weights_end_in_an_answer(loss, size):
    X = np.c_[np.sin(np.arange(26.0)), BY_ONE]
    X[3, 0] = size
    for weight in (1.0, 1e-300, 5e-324):
        weights = np.where(np.arange(26) == 5, weight, 1.0)
        for y in (OF_TWO, np.arange(26) % 2, np.arange(26) % 3):
            found(SoftmaxClassifier(loss, alpha=0), X, y, sample_weight=weights)


def test_no_events_at_all():
    X = np.random.default_rng(0).normal(size=(20, 2))
    assert found(LinearRegressor("poisson", alpha=0), X, np.zeros(20))[0].complete
    assert found(LinearRegressor("gamma", alpha=0), X, np.ones(20))[0] is None
    assert found(LinearRegressor(alpha=0), X, np.zeros(20))[0] is None


@pytest.mark.parametrize("loss", ["poisson", "tweedie"])
def test_no_events_at_all_and_a_penalty(loss):
    X, y = np.arange(8.0).reshape(4, 2), np.zeros(4)
    with pytest.warns(ConvergenceWarning, match="y is zero in every row.*the intercept could fall for ever"):
        LinearRegressor(loss).fit(X, y)
    LinearRegressor(loss, fit_intercept=False).fit(X, y)
    y[0] = 1e-3
    LinearRegressor(loss).fit(X, y)


def test_two_levels_of_one_class_each_are_named_for_k_classes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    X[:, 2] = np.arange(300) < 20
    y = rng.integers(0, 4, 300)
    y[:20] = rng.integers(0, 2, 20)  # of four classes two do not occur there
    result, _ = found(SoftmaxClassifier(Exponential(), alpha=0), X, y)
    assert_array_equal(result.features, [2])
    y[:4] = np.arange(4)
    assert found(SoftmaxClassifier(Exponential(), alpha=0), X, y)[0] is None
