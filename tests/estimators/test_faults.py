"""What breaks in the middle of a fit: the old model stays, the best point is kept, and the end is honest."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_info

from sklearn_losses import Huber, LinearRegressor, LogisticRegressor, Loss, SoftmaxClassifier
from sklearn_losses.data.threads import worker_threads

X, LABELS = load_breast_cancer(return_X_y=True)
X = scale(X)
ROWS, Y = load_diabetes(return_X_y=True)
IRIS, THREE = load_iris(return_X_y=True)


class Trouble(Exception):
    pass


class Squares(Loss):
    """Squared error that does something else from the given call of its gradient on."""

    domain = ("probabilities", "values")
    calls = 0  # a class attribute: a loss must not remember anything on the object

    def __init__(self, start=10**9, trouble="raise"):
        self.start = start
        self.trouble = trouble

    def value(self, y, prediction):
        Squares.calls += 1
        error = (prediction - y) ** 2
        if Squares.calls >= self.start:
            match self.trouble:
                case "raise":
                    raise Trouble("in the loss")
                case "interrupt":
                    raise KeyboardInterrupt
                case "nan":
                    error = error * np.nan
                case "infinity":
                    error = error + np.inf
        return error if error.ndim == 1 else error.sum(axis=1)

    def gradient(self, y, prediction):
        return 2 * (prediction - y)


class WrongSign(Squares):
    def gradient(self, y, prediction):
        return 2 * (y - prediction)


@pytest.fixture(autouse=True)
def from_the_first_call():
    Squares.calls = 0


CASES = {
    "binary": (LogisticRegressor(), X, LABELS),
    "multiclass": (SoftmaxClassifier(), IRIS, THREE),
    "regression": (LinearRegressor(), ROWS, Y),
}
every_case = pytest.mark.parametrize(("model", "rows", "y"), CASES.values(), ids=CASES)


@every_case
@pytest.mark.parametrize(("trouble", "error"), [("raise", Trouble), ("interrupt", KeyboardInterrupt)])
@pytest.mark.parametrize("start", [1, 2, 5])
def test_an_exception_leaves_the_old_model(model, rows, y, trouble, error, start):
    model = clone(model).fit(rows[:, 1:], y)
    before, predictions = deepcopy(vars(model)), model.predict(rows[:, 1:])
    model.set_params(loss=Squares(start, trouble))
    with pytest.raises(error):
        model.fit(rows, y)
    assert vars(model).keys() == before.keys()
    assert model.n_features_in_ == rows.shape[1] - 1
    assert_array_equal(model.predict(rows[:, 1:]), predictions)
    fresh = clone(model)
    Squares.calls = 0
    with pytest.raises(error):
        fresh.fit(rows, y)
    assert not [name for name in vars(fresh) if name.endswith("_")]


def test_an_interrupted_fit_with_other_classes_leaves_the_old_ones():
    model = SoftmaxClassifier().fit(IRIS, THREE)
    predictions = model.predict(IRIS)
    model.set_params(loss=Squares(4, "interrupt"))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, LABELS)
    assert_array_equal(model.classes_, [0, 1, 2])
    assert_array_equal(model.predict(IRIS), predictions)


@every_case
@pytest.mark.parametrize("trouble", ["nan", "infinity"])
@pytest.mark.parametrize("start", [4, 6])
def test_the_best_finite_point_is_kept(model, rows, y, trouble, start):
    model = clone(model).set_params(loss=Squares(start, trouble))
    with pytest.warns(ConvergenceWarning, match="without reaching tol"):
        model.fit(rows, y)
    assert np.isfinite(model.objective_value_)
    assert np.isfinite(model.coef_).all()
    Squares.calls = 0
    objective = clone(model).set_params(loss=Squares()).objective(rows, y)
    assert_allclose(objective.value(objective.pack(model.coef_, model.intercept_)), model.objective_value_)


def test_a_loss_that_is_never_finite():
    with pytest.raises(ValueError, match=r"not finite at the starting point.*check_loss"):
        LinearRegressor(Squares(2, "nan")).fit(ROWS, Y)


@every_case
def test_a_gradient_of_the_wrong_sign_is_noticed(model, rows, y):
    model = clone(model).set_params(loss=WrongSign())
    with pytest.warns(ConvergenceWarning, match="check_loss"):
        model.fit(rows, y)
    assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize(
    ("model", "rows", "y"),
    [
        (LogisticRegressor(), X, LABELS),
        (LogisticRegressor("hinge"), X, LABELS),
        (LogisticRegressor("mse"), X, LABELS),
        (LogisticRegressor(solver="gradient-descent"), X, LABELS),
        (LogisticRegressor(solver="L-BFGS-B"), X, LABELS),
        (SoftmaxClassifier("hinge"), IRIS, THREE),
        (LinearRegressor("quantile"), ROWS, Y),
        (LinearRegressor(Huber(delta=1.0)), ROWS, Y),
    ],
    ids=lambda value: repr(value) if isinstance(value, BaseEstimator) else "",
)
def test_the_iteration_limit_is_reported(model, rows, y):
    model = clone(model).set_params(max_iter=2, tol=1e-12)
    with pytest.warns(
        ConvergenceWarning, match=r"stopped after \d+ iterations at objective .* tol=1e-12.*Increase max_iter"
    ):
        model.fit(rows, y)
    assert 1 <= model.n_iter_ <= 3
    exact = clone(model).set_params(max_iter=10_000, tol=1e-8)
    if exact.solver == "auto":
        left = model.objective_value_ - exact.fit(rows, y).objective_value_
        assert left >= -1e-8 * exact.objective_value_
        assert np.isnan(model.dual_gap_) or left <= model.dual_gap_


def test_more_iterations_are_advised_only_where_these_ran_out():
    with pytest.warns(ConvergenceWarning, match="Increase tol") as caught:
        LogisticRegressor("hinge", tol=0.0).fit(X, LABELS)
    assert "max_iter" not in str(caught[0].message)


def test_a_failing_fold_gets_the_error_score():
    y = np.where(np.arange(len(Y)) < 50, 0.0, Y + 1)  # the first fold's test rows hold all zeros
    with pytest.warns(FitFailedWarning, match="PercentageError divides by the targets"):
        scores = cross_val_score(LinearRegressor("mape"), ROWS, y, cv=5, error_score=-7.0)
    assert_array_equal(scores == -7.0, [False, True, True, True, True])
    with pytest.raises(ValueError, match="PercentageError divides by the targets"):
        cross_val_score(LinearRegressor("mape"), ROWS, y, cv=5, error_score="raise")


def test_a_loss_that_cannot_be_pickled_says_so():
    class Local(Squares):
        pass

    model = LogisticRegressor(Local(), alpha=0.01)
    assert len(cross_val_score(model, X, LABELS, cv=2)) == 2
    with pytest.raises((pickle.PicklingError, AttributeError), match="Local"):
        pickle.dumps(model)


@pytest.mark.parametrize(
    ("model", "rows", "y"),
    [
        (LogisticRegressor(Huber(delta=0.5)), X, LABELS),
        (LogisticRegressor("hinge"), X, LABELS),
        (SoftmaxClassifier("brier"), IRIS, THREE),
        (LinearRegressor(Huber(delta=20.0)), ROWS, Y),
    ],
    ids=lambda value: repr(value) if isinstance(value, BaseEstimator) else "",
)
def test_concurrent_fits_share_a_loss(model, rows, y):
    many, labels = np.tile(rows, (20, 1)), np.tile(y, 20)  # large enough for threads of their own
    alone = clone(model).fit(many, labels)
    limits = [library["num_threads"] for library in threadpool_info()]
    loss = model.loss
    with ThreadPoolExecutor(4) as executor:
        fits = [executor.submit(type(model)(loss).fit, many, labels) for _ in range(4)]
        models = [fit.result() for fit in fits]
    for found in models:
        assert found.loss is loss
        assert_array_equal(found.coef_, alone.coef_)
        assert_array_equal(found.intercept_, alone.intercept_)
    assert [library["num_threads"] for library in threadpool_info()] == limits


def test_thread_limits_are_lifted_after_a_failure():
    limits = [library["num_threads"] for library in threadpool_info()]
    with pytest.raises(Trouble):
        LogisticRegressor(Squares(3)).fit(X, LABELS)
    assert [library["num_threads"] for library in threadpool_info()] == limits


def test_thread_limits_are_lifted_by_whichever_thread_ends_last():
    def limits():
        return [library["num_threads"] for library in threadpool_info()]

    before = limits()
    first, last = worker_threads(1), worker_threads(1)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        for pool, step in ((one, first.__enter__), (other, last.__enter__)):
            pool.submit(step).result()
        for pool, context in ((one, first), (other, last)):
            pool.submit(context.__exit__, None, None, None).result()
        assert limits() == before


@pytest.mark.parametrize("first", ["main", "worker"])
def test_blas_is_held_to_one_thread_in_every_thread(first):
    def inside():
        with worker_threads(1):
            return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    with ThreadPoolExecutor(1) as executor:
        if first == "main":
            assert inside() == {1}
        assert executor.submit(inside).result() == {1}
        assert inside() == {1}


def test_predicting_while_fitting():
    model = SoftmaxClassifier().fit(IRIS, THREE)
    expected = model.predict(IRIS)
    with ThreadPoolExecutor(2) as executor:
        fit = executor.submit(lambda: [model.fit(IRIS, THREE) for _ in range(5)])
        while not fit.done():
            assert_array_equal(model.predict(IRIS), expected)


def test_predicting_while_fitting_other_classes():
    names = np.array(["setosa", "versicolor", "virginica"])[THREE]
    data = [(IRIS, names), (IRIS, THREE > 0)]
    answers = [SoftmaxClassifier().fit(*some).predict(IRIS).tolist() for some in data]
    model = SoftmaxClassifier().fit(*data[0])
    with ThreadPoolExecutor(1) as executor:
        fits = executor.submit(lambda: [model.fit(*data[k % 2]) for k in range(20)])
        while not fits.done():
            assert model.predict(IRIS).tolist() in answers
        fits.result()


def test_nothing_is_left_behind_on_the_loss():
    loss = Squares()
    before = vars(loss).copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LogisticRegressor(loss, alpha=0.01).fit(X, LABELS)
    assert vars(loss) == before
