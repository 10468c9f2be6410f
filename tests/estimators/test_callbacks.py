"""Progress as scikit-learn's callbacks see it, on versions that have them; `verbose` on all."""

import re
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.optimize import OptimizeResult
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sklearn_losses import CosineClassifier, Huber, LinearRegressor, LogisticRegressor, Loss, SoftmaxClassifier

HAS_CALLBACKS = tuple(map(int, version("scikit-learn").split(".")[:2])) >= (1, 9)
X, LABELS = load_breast_cancer(return_X_y=True)
X = scale(X)
IRIS, THREE = load_iris(return_X_y=True)
ROWS, Y = load_diabetes(return_X_y=True)
FRAME = pd.DataFrame(IRIS, columns=list("abcd"))

CASES = {
    "newton": (LogisticRegressor(), X, LABELS),
    "not convex": (LogisticRegressor("mse"), X, LABELS),
    "exact": (SoftmaxClassifier("hinge", alpha=0.1), IRIS, THREE),
    "angles": (CosineClassifier("am_softmax"), IRIS, THREE),
    "regression": (LinearRegressor(Huber(delta=20.0)), ROWS, Y),
    "scipy": (LogisticRegressor(solver="L-BFGS-B"), X, LABELS),
    "TNC": (LogisticRegressor(solver="TNC"), X, LABELS),
    "gradient descent": (LogisticRegressor(alpha=1.0, solver="gradient-descent"), X, LABELS),
}
FROM_ANOTHER = ("mse", "am_softmax")
every_case = pytest.mark.parametrize(("model", "rows", "y"), CASES.values(), ids=CASES)


class Recording:
    """A callback that writes down what it is told."""

    def __init__(self, stop_after=None, fail_after=None):
        self.stop_after, self.fail_after = stop_after, fail_after
        self.events, self.models = [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.events.append("begin")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.events.append("end")
        self.models.append(fitted_estimator)
        if len(self.models) == self.fail_after:
            raise OSError("the screen is full")
        return len(self.models) == self.stop_after

    def teardown(self, estimator, context):
        self.events.append("teardown")


NUMBER = r"([-+.\de]+)"


@every_case
def test_verbose_prints_a_line_an_iteration_and_one_at_the_end(model, rows, y, capsys):
    model = clone(model).set_params(verbose=1).fit(rows, y)
    *iterations, last = capsys.readouterr().out.splitlines()
    name, effort = type(model).__name__, rf"{NUMBER} passes, {NUMBER} s"
    start = "(, on the start by another loss)?"
    pattern = rf"{name}: iteration (\d+){start}, objective {NUMBER}(?:, estimated gap {NUMBER})?, {effort}"
    lines = [re.fullmatch(pattern, line) for line in iterations]
    assert [int(line[1]) for line in lines] == list(range(1, len(lines) + 1))
    on_start = [line[2] is not None for line in lines]
    assert on_start == sorted(on_start, reverse=True)
    assert any(on_start) == (model.loss in FROM_ANOTHER)
    gap = "" if np.isnan(model.dual_gap_) else rf", gap at most {NUMBER}"
    assert (lines[-1][4] is None) == (not gap)
    end = re.fullmatch(rf"{name}: converged after (\d+) iterations, objective {NUMBER}{gap}, {effort}", last)
    assert int(end[1]) == model.n_iter_ == len(lines)
    assert float(end[2]) == pytest.approx(model.objective_value_)
    if gap:
        assert float(end[3]) == pytest.approx(model.dual_gap_, rel=0.1)
    for k in (5, 6):  # passes and seconds only grow
        counts = [float(line[k]) for line in lines] + [float(end[end.lastindex + k - 6])]
        assert counts == sorted(counts)
    model.set_params(verbose=0).fit(rows, y)
    assert capsys.readouterr().out == ""


def test_verbose_says_when_a_fit_has_only_stopped(capsys):
    with pytest.warns(ConvergenceWarning):
        LogisticRegressor(verbose=1, max_iter=1, tol=1e-14).fit(X, LABELS)
    assert "LogisticRegressor: stopped after 1 iterations, objective 0." in capsys.readouterr().out.splitlines()[-1]


@every_case
def test_callbacks_follow_the_fit(model, rows, y):
    model = clone(model)
    if not HAS_CALLBACKS:
        assert not hasattr(model, "set_callbacks")
    else:
        record = Recording()
        plain = clone(model).fit(rows, y)
        model.set_callbacks(record).fit(rows, y)
        assert_array_equal(model.coef_, plain.coef_)
        assert record.events[0] == "setup"
        assert record.events[-1] == "teardown"
        assert record.events.count("begin") == record.events.count("end")
        assert record.events.count("end") >= 2
        for snapshot in record.models:
            assert snapshot is not model
            assert snapshot.predict(rows).shape == y.shape
        assert_array_equal(record.models[-1].predict(rows), model.predict(rows))


@every_case
def test_a_callback_stops_the_fit(model, rows, y):
    model = clone(model)
    if not HAS_CALLBACKS:
        assert not hasattr(model, "set_callbacks")
    else:
        record = Recording(stop_after=1)
        with pytest.warns(ConvergenceWarning, match="stopped after"):
            model.set_callbacks(record).set_params(tol=1e-12).fit(rows, y)
        before = 15 if model.loss in FROM_ANOTHER else 0  # steps of the loss whose solution it starts from
        assert 1 <= model.n_iter_ <= before + 2
        assert record.events.count("end") <= 3
        assert record.events[-1] == "teardown"
        assert np.isfinite(model.objective_value_)
        model.predict(rows)


def past_the_limit(fun, x0, args=(), *, jac, callback, **other):
    x = x0
    for _ in range(20):
        x = x - 0.01 * jac(x, *args)
        callback(OptimizeResult(x=x, fun=fun(x, *args)))
    return OptimizeResult(x=x, fun=fun(x, *args), nit=20, success=True, status=0, message="")


@pytest.mark.parametrize("solver", ["TNC", "Nelder-Mead", "Powell", "COBYLA", "gradient-descent", past_the_limit])
@pytest.mark.parametrize("max_iter", [1, 3])
def test_callbacks_hear_of_no_more_iterations_than_they_were_told_of(solver, max_iter):
    model = LogisticRegressor(solver=solver, max_iter=max_iter, tol=1e-14)
    if not HAS_CALLBACKS:
        assert not hasattr(model, "set_callbacks")
    else:
        record = Recording()
        with pytest.warns(ConvergenceWarning):
            model.set_callbacks(record).fit(X[:, :3], LABELS)
        assert record.events[-1] == "teardown"
        assert model.n_iter_ <= (20 if callable(solver) else max_iter)


@every_case
def test_a_callback_that_fails_is_torn_down(model, rows, y):
    model = clone(model)
    if not HAS_CALLBACKS:
        assert not hasattr(model, "set_callbacks")
    else:
        model.fit(rows, y)
        coef = model.coef_
        record = Recording(fail_after=1)
        with pytest.raises(OSError, match="the screen is full"):
            model.set_callbacks(record).set_params(tol=1e-8).fit(rows, y)
        assert record.events[-1] == "teardown"
        assert model.coef_ is coef


class Failing(Loss):
    domain = "probabilities"

    def value(self, y, prediction):
        return prediction

    def gradient(self, y, prediction):
        raise RuntimeError("no gradient today")


def test_teardown_runs_when_the_fit_fails():
    if not HAS_CALLBACKS:
        assert not hasattr(LogisticRegressor(), "set_callbacks")
    else:
        for model, error in ((LogisticRegressor(Failing()), RuntimeError), (LogisticRegressor(alpha=-1), ValueError)):
            record = Recording()
            with pytest.raises(error):
                model.set_callbacks(record).fit(X, LABELS)
            assert record.events.count("setup") == record.events.count("teardown")


def test_a_progress_bar(capsys):
    if not HAS_CALLBACKS:
        assert not hasattr(LogisticRegressor(), "set_callbacks")
    else:
        from sklearn.callback import ProgressBar

        for model, rows, y in CASES.values():
            clone(model).set_callbacks(ProgressBar()).fit(rows, y)
        assert "LogisticRegressor" in capsys.readouterr().out


def test_a_progress_bar_over_a_search(capsys):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegressor()),
        {"logisticregressor__loss": ["cross_entropy", "hinge"], "logisticregressor__alpha": [1e-3, 1e-2]},
        cv=2,
    )
    if not HAS_CALLBACKS:
        assert not hasattr(search, "set_callbacks")
    else:
        from sklearn.callback import ProgressBar

        search.set_callbacks(ProgressBar()).fit(X, LABELS)
        assert "GridSearchCV" in capsys.readouterr().out
        assert search.best_score_ > 0.95


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_along_the_way(weighted):
    if not HAS_CALLBACKS:
        assert not hasattr(LogisticRegressor(), "set_callbacks")
    else:
        from sklearn.callback import ScoringMonitor

        for model, rows, y, scoring in (
            (LogisticRegressor(), X, LABELS, "neg_log_loss"),
            (SoftmaxClassifier("hinge", alpha=0.1), IRIS, THREE, "accuracy"),
            (LinearRegressor(), ROWS, Y, "r2"),
        ):
            monitor = ScoringMonitor(scoring=scoring)
            weights = {"sample_weight": np.ones(len(y))} if weighted else {}
            model.set_callbacks(monitor).fit(rows, y, **weights)
            scores = [row[scoring] for row in monitor.get_logs().data]
            assert len(scores) == model.n_iter_ + 1


def test_scores_along_the_way_with_soft_labels():
    if not HAS_CALLBACKS:
        assert not hasattr(LogisticRegressor(), "set_callbacks")
    else:
        from sklearn.callback import ScoringMonitor

        soft = 0.9 * np.eye(3)[THREE] + 0.1 / 3
        monitor = ScoringMonitor(scoring="accuracy")
        SoftmaxClassifier(alpha=0.01).set_callbacks(monitor).fit(IRIS, THREE, soft_labels=soft)
        assert monitor.get_logs().data[-1]["accuracy"] > 0.9


class Predicting(Recording):
    """Predicts the rows of the fit with every model on the way, and keeps the names that these know."""

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        fitted_estimator.predict(X)
        self.models.append(fitted_estimator)


REFITS = {
    "fewer features": (IRIS, IRIS[:, :2]),
    "more features": (IRIS[:, :2], IRIS),
    "names at last": (IRIS, FRAME),
    "names no more": (FRAME, IRIS),
    "other names": (FRAME, FRAME.rename(columns=str.upper)),
    "fewer names": (FRAME, FRAME[["b", "c"]]),
}


@pytest.mark.parametrize(("first", "second"), REFITS.values(), ids=REFITS)
@pytest.mark.parametrize(
    "model", [SoftmaxClassifier(), CosineClassifier(), LinearRegressor("log_cosh"), LogisticRegressor("hinge")]
)
def test_predicting_during_a_refit_with_other_features(model, first, second):
    model = clone(model)
    y = THREE > 0 if isinstance(model, LogisticRegressor) else THREE
    if not HAS_CALLBACKS:
        assert not hasattr(model, "set_callbacks")
    else:
        callback = Predicting()
        model.fit(first, y)
        model.set_callbacks(callback).fit(second, y)  # warnings are errors
        silent = model.loss in FROM_ANOTHER  # about the steps of the loss whose solution it starts from
        assert 1 < len(callback.models) <= model.n_iter_ if silent else len(callback.models) == model.n_iter_ + 1
        names = getattr(model, "feature_names_in_", None)
        for snapshot in callback.models:
            assert snapshot.n_features_in_ == second.shape[1]
            assert_array_equal(getattr(snapshot, "feature_names_in_", None), names)
        assert hasattr(model, "feature_names_in_") == hasattr(second, "columns")


def test_clones_and_copies_go_without_trouble():
    model = SoftmaxClassifier(verbose=1)
    assert clone(model).verbose == 1
    if HAS_CALLBACKS:
        model.set_callbacks(Recording())
        clone(model).set_params(verbose=0).fit(IRIS, THREE)
