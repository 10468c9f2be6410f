"""LossComparison: differences and their oracles, the best loss, tables."""

import sys
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from compared import MODEL, Counting, X, Y, comparison_of
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_moons
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold, ShuffleSplit
from sklearn.svm import SVC

from sklearn_losses import Hinge, Huber, LogisticRegressor, Loss, SquaredError, compare_losses
from sklearn_losses.corrected_t import CorrectedMean
from sklearn_losses.displays import LossComparisonDisplay

A = [0.80, 0.82, 0.78, 0.84, 0.81]
B = [0.83, 0.82, 0.80, 0.85, 0.86]
C = [0.60, 0.72, 0.58, 0.64, 0.71]
COLUMNS = ["loss", "mean_difference", "lower", "upper", "p_value", "n_folds"]


class Kernel(Loss):
    """Stands for a kernel, so that two support vector machines can be compared."""

    domain = "scores"

    def __init__(self, kernel="rbf"):
        self.kernel = kernel


class SVCOfLoss(ClassifierMixin, BaseEstimator):
    """Somebody else's estimator with a loss."""

    def __init__(self, loss=None):
        self.loss = loss

    def fit(self, X, y):
        self.svc_ = SVC(kernel=self.loss.kernel, random_state=0).fit(X, y)
        self.classes_ = self.svc_.classes_
        return self

    def decision_function(self, X):
        return self.svc_.decision_function(X)


def test_scikit_learn_s_gallery():
    """Statistical comparison of models using grid search: t = 0.750, one-sided p 0.227, P(better) 0.773."""
    rows, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    kernels = {"rbf": Kernel("rbf"), "linear": Kernel("linear")}
    found = compare_losses(SVCOfLoss(), rows, y, losses=kernels, scoring="roc_auc", cv=folds)
    row = found.difference("linear", "roc_auc", rope=0.01).loc[0]
    assert row["loss"] == "rbf"
    assert row["n_folds"] == 100
    scale = (row["upper"] - row["mean_difference"]) / 1.9842169515
    assert row["mean_difference"] / scale == pytest.approx(0.750, abs=5e-4)
    assert row["p_value"] == pytest.approx(0.455, abs=5e-4)
    assert row["equivalent"] == pytest.approx(0.432, abs=5e-4)
    assert found.difference("linear", "roc_auc", rope=0.0).loc[0, "better"] == pytest.approx(0.773, abs=5e-4)
    assert found.difference("rbf", "roc_auc", rope=0.0).loc[0, "worse"] == pytest.approx(0.773, abs=5e-4)


def test_positive_is_better_than_the_baseline():
    found = comparison_of([A, B, C])
    frame = found.difference("a", "score")
    assert frame.columns.tolist() == COLUMNS
    assert frame["loss"].tolist() == ["b", "c"]
    assert frame["n_folds"].tolist() == [5, 5]
    assert frame.loc[0, "mean_difference"] == pytest.approx(0.022)
    assert frame.loc[1, "mean_difference"] < 0
    for i, other in enumerate((B, C)):
        mean = CorrectedMean.over_folds(np.subtract(other, A), [80] * 5, [20] * 5)
        row = frame.loc[i, COLUMNS[1:]].tolist()
        assert_allclose(row, [mean.mean, *mean.interval, mean.p_value, 5], rtol=1e-12)
    back = found.difference("b", "score")
    assert back["loss"].tolist() == ["a", "c"]
    assert_allclose(back.loc[0, "mean_difference"], -frame.loc[0, "mean_difference"])
    assert_allclose(back.loc[0, "p_value"], frame.loc[0, "p_value"])


def test_adjusted_and_with_a_region():
    found = comparison_of([A, B, C, np.add(A, 0.001)])
    plain = found.difference("a", "score")
    frame = found.difference("a", "score", adjust="holm", rope=0.01)
    assert frame.columns.tolist() == [*COLUMNS, "worse", "equivalent", "better"]
    assert (frame["p_value"] >= plain["p_value"]).all()
    assert frame.loc[1, "p_value"] == pytest.approx(2 * plain.loc[1, "p_value"])
    pd.testing.assert_frame_equal(frame[COLUMNS].drop(columns="p_value"), plain.drop(columns="p_value"))
    assert_allclose(frame[["worse", "equivalent", "better"]].sum(axis=1), 1.0)
    assert frame.loc[2, "equivalent"] == 1.0


def test_holm_counts_finite_p_values():
    without = comparison_of([A, B, C, [np.nan] * 5])
    frame = without.difference("a", "score", adjust="holm")
    assert np.isnan(frame.loc[2, "p_value"])
    assert frame.loc[2, "n_folds"] == 0
    pd.testing.assert_frame_equal(frame.loc[:1], comparison_of([A, B, C]).difference("a", "score", adjust="holm"))


def test_pairs_of_finite_scores():
    gaps = np.array(B)
    gaps[[1, 3]] = np.nan, -np.inf
    found = comparison_of([A, gaps, [np.nan] * 4 + [0.9]])
    frame = found.difference("a", "score", rope=0.01)
    pairs = np.subtract(B, A)[[0, 2, 4]]
    mean = CorrectedMean.over_folds(pairs, [80] * 3, [20] * 3)
    assert frame.loc[0, "n_folds"] == 3
    assert_allclose(frame.loc[0, "p_value"], mean.p_value)
    assert frame.loc[1, "n_folds"] == 1
    assert frame.loc[1, "mean_difference"] == pytest.approx(0.09)
    assert frame.loc[1, ["lower", "upper", "p_value", "worse", "equivalent", "better"]].isna().all()


def test_differences_that_are_all_zero():
    row = comparison_of([A, A]).difference("a", "score", rope=0.0).loc[0]
    assert row[["mean_difference", "lower", "upper"]].tolist() == [0, 0, 0]
    assert row["p_value"] == 1
    assert row[["worse", "equivalent", "better"]].tolist() == [0, 1, 0]


def test_one_loss_has_no_others():
    frame = comparison_of([A]).difference("a", "score", adjust="holm", rope=0.1)
    assert frame.columns.tolist() == [*COLUMNS, "worse", "equivalent", "better"]
    assert len(frame) == 0


def test_a_single_fold():
    found = compare_losses(MODEL, X, Y, losses=["ce", "hinge"], cv=ShuffleSplit(1, random_state=0))
    with pytest.raises(ValueError, match=r"ShuffleSplit\(n_splits=1.* gives a single fold"):
        found.difference("ce", "score")
    assert found.best("score") in ("ce", "hinge")
    assert "1 fold" in repr(found)


def test_uneven_folds_are_warned_of_and_count_by_their_means():
    sizes = {"n_train": np.array([80, 80, 70, 70, 60]), "n_test": np.array([20, 20, 30, 30, 40])}
    found = comparison_of([A, B], **sizes)
    with pytest.warns(UserWarning, match="train on 60 to 80 rows") as caught:
        frame = found.difference("a", "score")
    assert caught[0].filename == __file__
    mean = CorrectedMean.over_folds(np.subtract(B, A), [72] * 5, [28] * 5)
    assert_allclose(frame.loc[0, "p_value"], mean.p_value, rtol=1e-12)
    comparison_of([A, B], n_train=np.array([80, 80, 80, 80, 73])).difference("a", "score")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("d", "score"), "no loss 'd' in this comparison.* There are: a, b"),
        (("a", "scores"), "no metric 'scores' in this comparison. Did you mean 'score'"),
        (("a", "score", "bonferroni"), "adjust must be 'holm' or None"),
        (("a", "score", None, -0.1), "rope must be a finite number"),
    ],
)
def test_questions_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        comparison_of([A, B]).difference(*arguments)


def test_losses_and_metrics_may_be_given_as_they_were():
    found = compare_losses(MODEL, X, Y, losses=[Hinge(), "ce"], cv=2, scoring=[SquaredError(), "accuracy"])
    pd.testing.assert_frame_equal(
        found.difference(Hinge(), SquaredError()), found.difference("Hinge()", "SquaredError()")
    )


def test_the_best_loss():
    assert comparison_of([A, B, C]).best("score") == "b"
    assert comparison_of([A, A]).best("score") == "a"


def test_a_loss_that_misses_a_fold_is_not_the_best():
    easy = np.array(B)
    easy[2] = np.nan
    assert comparison_of([A, easy, C]).best("score") == "a"
    assert np.isnan(comparison_of([A, easy]).means("score")).tolist() == [False, True]
    # a fold in which no loss has a score says nothing of them
    everyone = np.array([A, B])
    everyone[:, 2] = np.nan
    found = comparison_of(everyone)
    assert found.best("score") == "b"
    assert_allclose(found.means("score"), np.nanmean(everyone, axis=1))
    assert comparison_of([A, [-np.inf] * 5]).best("score") == "a"
    with pytest.raises(ValueError, match="No loss has a score by 'score' in every fold"):
        comparison_of([easy, np.where(np.isnan(easy), 0.5, np.nan)]).best("score")


def test_the_frame():
    chosen = {"a": [{"alpha": 0.1}] * 4 + [{}], "b": [{"alpha": 0.2, "loss__delta": 3}] * 5}
    frame = comparison_of([A, B], best_params=chosen).to_frame()
    assert frame.columns.tolist() == ["loss", "fold", "fit_time", "score", "param_alpha", "param_loss__delta"]
    assert frame["loss"].tolist() == ["a"] * 5 + ["b"] * 5
    assert frame["fold"].tolist() == [*range(5)] * 2
    assert frame["score"].tolist() == A + B
    assert frame["param_alpha"].isna().tolist() == [False] * 4 + [True] + [False] * 5
    assert frame.groupby("loss")["score"].mean()["a"] == pytest.approx(np.mean(A))


def test_frames_need_pandas_and_say_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    found = comparison_of([A, B])
    for call in (found.to_frame, lambda: found.difference("a", "score")):
        with pytest.raises(ImportError, match=r"pip install 'sklearn-losses\[frame\]'"):
            call()
    assert "0.810 ± 0.022" in repr(found)
    assert found.best("score") == "b"


def test_fit_times_hold_the_search():
    alone = compare_losses(Counting(), X, Y, losses=["ce"], cv=2)
    searched = compare_losses(Counting(), X, Y, losses=["ce"], cv=2, param_grid={"alpha": np.logspace(-3, 2, 20)})
    assert (alone.fit_times > 0).all()
    assert searched.fit_times.sum() > alone.fit_times.sum()


def test_the_table_in_a_terminal():
    gaps = [*B[:1], np.nan, *B[2:]]
    chosen = {
        "a": [{"model__alpha": 0.1}] * 3 + [{"model__alpha": 0.001}] * 2,
        "bb": [{"model__alpha": 1e-5, "model__loss__kind": kind} for kind in ("wide", "wide", "narrow", "x", "y")],
        "c": [{}] * 5,
    }
    given = comparison_of([A, gaps, C], best_params=chosen, notes=["c: all 5 fits wondered"])
    given.losses = {"a": Huber(), "bb": Huber(), "c": Huber()}
    given.scores = {"score": np.array([A, gaps, C]), "roc": np.array([[-0.5] * 5, [np.nan] * 5, [-1.0] * 5])}
    given.metrics = ["score", "roc"]
    given.fit_times = np.array([[0.0123] * 5, [1.234] * 5, [12.0] * 5])
    lines = repr(given).splitlines()
    assert lines[0] == "3 losses on the same 5 folds of 80 + 20 rows (KFold)"
    assert [line.rstrip() == line for line in lines] == [True] * len(lines)
    table = [[cell for cell in line.split("  ") if cell.strip()] for line in lines[2:6]]
    assert [[cell.strip() for cell in row] for row in table] == [
        ["loss", "score", "roc", "fit time", "alpha", "loss__kind"],
        ["a", "0.810 ± 0.022 *", "-0.5000 ± 0.0000 *", "12.3 ms", "0.1 ×3, 0.001 ×2"],
        ["bb", "0.835 ± 0.026 (4 of 5 folds)", "–", "1.23 s", "1e-05", "wide ×2, narrow ×1, x ×1, ..."],
        ["c", "0.650 ± 0.063", "-1.0000 ± 0.0000", "12 s"],
    ]
    starts = [lines[2].index(name.strip()) for name in table[0]]
    assert all(line[start - 2 : start] in ("  ", "") for line in lines[3:6] for start in starts[1:])
    assert lines[-1] == "- c: all 5 fits wondered"
    assert "greater is better" in lines[-2]


class Cells(HTMLParser):
    """The text of every row of a table, and tags that do not match."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.open, self.tags = [], [], set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def test_the_table_in_a_notebook():
    given = comparison_of([A, B], notes=["a: 1 < 2 & <script>"])
    given.losses = {"<b>a</b>": Huber(), "b": Huber()}
    given.best_params = {"<b>a</b>": [{}] * 5, "b": [{}] * 5}
    html = given._repr_html_()
    cells = Cells(html)
    assert cells.open == []
    assert cells.rows == [
        ["loss", "score", "fit time"],
        ["<b>a</b>", "0.810 ± 0.022", "1 s"],
        ["b", "0.832 ± 0.024 *", "1 s"],
    ]
    assert "script" not in cells.tags
    assert "b" not in cells.tags
    assert "a: 1 &lt; 2 &amp; &lt;script&gt;" in html


def test_equals_are_all_marked():
    lines = repr(comparison_of([A, A, C])).splitlines()
    assert [line.count("*") for line in lines[3:6]] == [1, 1, 0]
    assert "*" not in repr(comparison_of([A])).splitlines()[3]


def test_plot_draws_the_first_metric():
    found = compare_losses(MODEL, X, Y, losses=["ce", "hinge"], cv=2, scoring=["accuracy", "roc_auc"])
    display = found.plot()
    assert isinstance(display, LossComparisonDisplay)
    assert display.metric == "accuracy"
    again = found.plot("roc_auc", ax=display.ax_)
    assert again.metric == "roc_auc"
    assert again.ax_ is display.ax_
    with pytest.raises(ValueError, match="no metric 'auc'"):
        found.plot("auc")
    plt.close("all")


def test_scores_are_those_of_the_fitted_losses():
    split = np.arange(100), np.arange(100, len(Y))
    found = compare_losses(MODEL, X, Y, losses=["hinge"], cv=[split], scoring="roc_auc")
    fitted = LogisticRegressor("hinge", alpha=0.1).fit(X[:100], Y[:100])
    assert found.scores["roc_auc"][0, 0] == roc_auc_score(Y[100:], fitted.decision_function(X[100:]))
