"""Displays: what they show, where they draw, and that they touch nothing else."""

import sys
from itertools import pairwise
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from compared import comparison_of
from matplotlib.colors import to_rgba
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sklearn_losses import (
    CrossEntropy,
    Hinge,
    Huber,
    LinearRegressor,
    LogisticRegressor,
    Poisson,
    SoftmaxClassifier,
    SquaredError,
)
from sklearn_losses.displays import (
    CoefficientDisplay,
    ConvergenceDisplay,
    LossComparisonDisplay,
    LossCurveDisplay,
    RegularizationPathDisplay,
)

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)
X = X.iloc[::4, :6]
Y = Y.iloc[::4]
FITTED = make_pipeline(StandardScaler(), LogisticRegressor(alpha=0.1)).fit(X, Y)
IRIS = load_iris(as_frame=True)
SOFTMAX = SoftmaxClassifier(alpha=0.01).fit(IRIS.data, IRIS.target_names[IRIS.target])
SCORES = [[0.80, 0.82, 0.78], [0.83, np.nan, 0.80]]
ALPHAS = np.logspace(0, -3, 7)
COEFS = np.outer(1 - ALPHAS, [1.0, -2.0, 0.5])


def a_path(**attributes):
    return SimpleNamespace(**{"alphas_": ALPHAS, "coefs_": COEFS} | attributes)


DRAWERS = {
    "curves": lambda ax=None: LossCurveDisplay.from_losses(["ce", "hinge"], ax=ax),
    "convergence": lambda ax=None: ConvergenceDisplay.from_estimators([LogisticRegressor(alpha=0.1)], X, Y, ax=ax),
    "comparison": lambda ax=None: LossComparisonDisplay.from_comparison(comparison_of(SCORES), ax=ax),
    "path": lambda ax=None: RegularizationPathDisplay.from_path(a_path(best_alpha_=0.1), ax=ax),
    "coefficients": lambda ax=None: CoefficientDisplay.from_estimator(FITTED, ax=ax),
}
every_display = pytest.mark.parametrize("draw", DRAWERS.values(), ids=DRAWERS)


@pytest.fixture(autouse=True)
def no_figure_stays():
    plt.close("all")
    yield
    plt.close("all")


def texts(artists):
    return [artist.get_text() for artist in artists]


# what all have in common


@every_display
def test_axes_are_made(draw):
    display = draw()
    assert display.figure_ is display.ax_.figure
    assert plt.get_fignums() == [display.figure_.number]
    assert display.ax_.get_title()
    assert display.ax_.get_xlabel()
    display.figure_.canvas.draw()


@every_display
def test_axes_are_given(draw):
    figure, (left, right) = plt.subplots(1, 2)
    display = draw(ax=right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert not left.has_data()
    assert right.has_data()


@every_display
def test_plot_draws_again(draw):
    display = draw()
    first = display.ax_
    assert display.plot() is display
    assert display.ax_ is not first
    assert len(display.ax_.lines) == len(first.lines)
    assert len(display.ax_.collections) == len(first.collections)
    assert texts(display.ax_.get_yticklabels()) == texts(first.get_yticklabels())
    assert display.plot(ax=first).ax_ is first


@every_display
def test_no_global_state_is_touched(draw):
    before = dict(plt.rcParams)
    draw()
    assert dict(plt.rcParams) == before


@every_display
def test_what_is_written_can_be_read(draw):
    """All of it is inside the figure, and no two labels stand on top of each other."""
    display = draw()
    display.figure_.canvas.draw()
    inside, whole = display.ax_.get_tightbbox(), display.figure_.bbox
    assert inside.x0 >= whole.x0 - 2
    assert inside.x1 <= whole.x1 + 2
    assert inside.y0 >= whole.y0 - 2
    assert inside.y1 <= whole.y1 + 2
    low, high = sorted(display.ax_.get_ylim())
    shown = [text for text in display.ax_.get_yticklabels() if low <= text.get_position()[1] <= high]
    boxes = sorted((text.get_window_extent() for text in shown), key=lambda box: box.y0)
    assert len(boxes) >= 2
    assert all(upper.y0 >= lower.y1 for lower, upper in pairwise(boxes))


@every_display
def test_matplotlib_is_needed_to_draw_and_said_so(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-losses\[plot\]'"):
        draw()


# losses as curves


def test_curves_of_the_margin():
    losses = {"log": CrossEntropy(), "svm": Hinge(), "brier": SquaredError(), "0/1": "zero_one"}
    display = LossCurveDisplay.from_losses(losses)
    x = display.x
    assert (x.min(), x.max()) == (-3.0, 3.0)
    assert_allclose(display.curves["log"], np.log1p(np.exp(-x)), rtol=1e-12)
    assert_allclose(display.curves["svm"], np.maximum(0, 1 - x), rtol=1e-12)
    assert_allclose(display.curves["brier"], (1 / (1 + np.exp(x))) ** 2, rtol=1e-9)
    assert_array_equal(display.curves["0/1"], x <= 0)
    assert texts(display.legend_.get_texts()) == list(losses)
    for line, curve in zip(display.lines_, display.curves.values(), strict=True):
        assert_array_equal(line.get_ydata(), curve)


def test_curves_of_the_probability():
    display = LossCurveDisplay.from_losses(["ce", "focal", SquaredError()], "probability")
    p = display.x
    assert (p[0], p[-1]) == (0, 1)
    assert display.curves["ce"][0] == np.inf
    assert_allclose(display.curves["ce"][1:], -np.log(p[1:]), atol=1e-14)
    assert_allclose(display.curves["SquaredError()"], (1 - p) ** 2, atol=1e-14)
    assert display.ax_.get_ylim()[1] < 10
    assert "probability" in display.ax_.get_xlabel()


def test_curves_of_the_error():
    display = LossCurveDisplay.from_losses(["mse", Huber(delta=0.5), "rmse", "mape", Poisson()], against="error")
    e = display.x
    assert_allclose(display.curves["mse"], e**2, atol=1e-14)
    assert_allclose(
        display.curves["Huber(delta=0.5)"], np.where(abs(e) < 0.5, e**2 / 2, 0.5 * abs(e) - 0.125), atol=1e-14
    )
    assert_allclose(display.curves["rmse"], abs(e), atol=1e-12)
    assert_allclose(display.curves["mape"], abs(e), atol=1e-12)
    positive = e > -1
    assert np.isnan(display.curves["Poisson()"][~positive]).all()
    assert_allclose(display.curves["Poisson()"][positive], e[positive] - np.log1p(e[positive]), atol=1e-12)
    assert display.legend_ is display.ax_.get_legend()


@pytest.mark.parametrize(
    ("losses", "against", "message"),
    [
        (["hinge"], "probability", "Draw it with against='margin'"),
        (["hinge"], "error", "Draw it with against='margin'"),
        (["poisson"], "margin", "Draw it with against='error'"),
        (["ce"], "score", "against must be one of 'margin', 'probability', 'error'"),
        (["ce", "ce"], "margin", "'ce' twice"),
        ([], "margin", "losses is empty"),
    ],
)
def test_curves_that_do_not_exist(losses, against, message):
    with pytest.raises(ValueError, match=message):
        LossCurveDisplay.from_losses(losses, against)
    assert plt.get_fignums() == []


def test_many_curves_have_their_legend_beside_them():
    losses = ["hinge", "squared_hinge", "modified_huber", "exponential", "least_squares", "ce", "mse"]
    display = LossCurveDisplay.from_losses(losses)
    display.figure_.canvas.draw()
    assert display.legend_.get_window_extent().x0 >= display.ax_.get_window_extent().x1


# convergence


def test_the_gap_is_never_below_the_distance():
    models = {"newton": LogisticRegressor(alpha=0.01), "bfgs": LogisticRegressor(alpha=0.01, solver="L-BFGS-B")}
    display = ConvergenceDisplay.from_estimators(models, scale(X), Y)
    assert display.minima["newton"] == display.minima["bfgs"]
    for label, trace in display.traces.items():
        fitted = models[label].fit(scale(X), Y)
        assert trace.values[-1] == fitted.objective_value_
        assert trace.gaps[-1] == fitted.dual_gap_
        assert trace.passes[-1] == fitted.result_.n_passes
        assert (np.diff(trace.passes) >= 0).all()
        assert (np.diff(trace.values) <= 0).all()
        excess = trace.values - display.minima[label]
        assert (excess >= 0).all()
        assert (trace.gaps >= excess - 1e-15).all()
        assert excess[-1] <= 1e-6 * fitted.objective_value_
    assert [line.get_label() for line in display.lines_] == list(models)
    for line, gap in zip(display.lines_, display.gap_lines_, strict=True):
        assert line.get_color() == gap.get_color()
        assert gap.get_linestyle() == "--"
    assert display.ax_.get_yscale() == "log"
    assert texts(display.legend_.get_texts())[-1] == "dashed: certified gap"


def test_without_a_certificate_there_is_no_gap():
    display = ConvergenceDisplay.from_estimators(LogisticRegressor("mse", alpha=0.01), scale(X), Y)
    assert np.isnan(display.traces["LogisticRegressor(alpha=0.01, loss='mse')"].gaps).all()
    assert (display.lines_[0].get_ydata() > 0).all()


def test_estimators_of_different_objectives_have_their_own_minima():
    weights = np.linspace(0.5, 2, len(Y))
    models = [LinearRegressor(alpha=0.1), LinearRegressor(alpha=1.0)]
    display = ConvergenceDisplay.from_estimators(models, scale(X), Y, sample_weight=weights)
    assert list(display.minima) == ["LinearRegressor(alpha=0.1)", "LinearRegressor(alpha=1.0)"]
    for model, least in zip(models, display.minima.values(), strict=True):
        assert least == pytest.approx(model.fit(scale(X), Y, sample_weight=weights).objective_value_, rel=1e-6)


@pytest.mark.parametrize(
    ("estimators", "error", "message"),
    [
        ([], ValueError, "estimators is empty"),
        ([FITTED], TypeError, "give the last step"),
        ([LogisticRegressor], TypeError, "models of this package"),
        ({"theirs": SimpleNamespace()}, TypeError, "models of this package"),
    ],
)
def test_estimators_without_traces(estimators, error, message):
    with pytest.raises(error, match=message):
        ConvergenceDisplay.from_estimators(estimators, X, Y)


# comparisons


def test_a_comparison():
    found = comparison_of(SCORES)
    display = LossComparisonDisplay.from_comparison(found)
    points = np.ma.filled(display.folds_.get_offsets(), np.nan)
    assert_array_equal(points[np.isfinite(points[:, 0])], [[0.8, 0], [0.82, 0], [0.78, 0], [0.83, 1], [0.8, 1]])
    assert_allclose(display.means_.get_offsets(), [[0.8, 0], [0.815, 1]])
    half = 4.302652729911275 * np.sqrt((1 / 3 + 20 / 80) * np.var(SCORES[0], ddof=1))
    first, _ = display.intervals_.get_segments()
    assert_allclose(first, [[0.8 - half, 0], [0.8 + half, 0]])
    assert texts(display.ax_.get_yticklabels()) == ["a", "b"]
    assert display.ax_.get_ylim() == (1.5, -0.5)
    assert display.ax_.get_xlabel() == "score (greater is better)"
    assert texts(display.legend_.get_texts()) == ["a fold", "mean", "95 % interval"]


def test_a_loss_without_any_score_keeps_its_row():
    display = LossComparisonDisplay.from_comparison(
        comparison_of([[0.1, 0.2], [np.nan, np.nan], [-np.inf, 0.3]]), "score"
    )
    assert texts(display.ax_.get_yticklabels()) == ["a", "b", "c"]
    assert np.isfinite(display.ax_.get_xlim()).all()
    assert [(text.get_text(), text.get_position()[1]) for text in display.ax_.texts] == [("no score", 1)]
    display.figure_.canvas.draw()


# paths


def test_a_path():
    display = RegularizationPathDisplay.from_path(a_path(best_alpha_=0.1))
    for line, weights in zip(display.lines_, COEFS.T, strict=True):
        assert_array_equal(line.get_ydata(), weights)
        assert_array_equal(line.get_xdata(), ALPHAS)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_xlim() == (1.0, 1e-3)
    assert display.best_line_.get_xdata()[0] == 0.1
    assert texts(display.legend_.get_texts()) == ["x0", "x1", "x2", "chosen: 0.1"]
    assert RegularizationPathDisplay.from_path(a_path()).best_line_ is None


def test_a_path_of_several_classes():
    coefs = np.random.RandomState(0).normal(size=(7, 4, 3))
    lengths = RegularizationPathDisplay.from_path(a_path(coefs_=coefs))
    assert_allclose(lengths.coefs, np.sqrt((coefs**2).sum(axis=1)))
    assert "length" in lengths.ax_.get_ylabel()
    one = RegularizationPathDisplay.from_path(a_path(coefs_=coefs), output=2)
    assert_array_equal(one.coefs, coefs[:, 2])
    binary = RegularizationPathDisplay.from_path(a_path(coefs_=COEFS[:, None]))
    assert_array_equal(binary.coefs, COEFS)
    assert binary.ax_.get_ylabel() == "weight"


def test_a_path_of_many_features_names_the_largest():
    coefs = np.random.RandomState(0).normal(size=(7, 30))
    names = [f"feature {i}" for i in range(30)]
    display = RegularizationPathDisplay.from_path(a_path(coefs_=coefs), feature_names=names)
    named = texts(display.legend_.get_texts())
    assert len(named) == 12
    sizes = dict(zip(names, abs(coefs).max(axis=0), strict=True))
    assert set(named) == set(sorted(names, key=sizes.get)[-12:])
    assert display.legend_.get_title().get_text() == "12 largest of 30"


def test_a_path_to_no_penalty():
    display = RegularizationPathDisplay.from_path(a_path(alphas_=np.append(ALPHAS[:-1], 0.0)))
    assert display.ax_.get_xscale() == "symlog"
    display.figure_.canvas.draw()


def test_names_of_a_path():
    named = RegularizationPathDisplay.from_path(a_path(feature_names_in_=np.array(["a", "b", "c"], dtype=object)))
    assert named.feature_names == ["a", "b", "c"]
    with pytest.raises(ValueError, match="2 names, but the path has 3 features"):
        RegularizationPathDisplay.from_path(a_path(), feature_names=["a", "b"])


# coefficients


def test_the_weights_of_a_pipeline():
    display = CoefficientDisplay.from_estimator(FITTED)
    weights = pd.Series(FITTED[-1].coef_[0], index=X.columns)
    expected = weights.reindex(weights.abs().sort_values(ascending=False, kind="stable").index)
    assert display.feature_names == texts(display.ax_.get_yticklabels()) == list(expected.index)
    assert_array_equal(display.coefs, [expected])
    assert_allclose(display.points_[0].get_offsets(), np.column_stack([expected, range(6)]))
    assert display.ax_.get_xlabel() == "weight for class 1"
    assert display.legend_ is None


def test_the_weights_of_several_classes():
    display = CoefficientDisplay.from_estimator(SOFTMAX, max_features=2)
    assert display.coefs.shape == (3, 2)
    assert display.labels == texts(display.legend_.get_texts()) == list(IRIS.target_names)
    assert "(2 largest of 4)" in display.ax_.get_title()
    assert [points.get_facecolor()[0].tolist() for points in display.points_] == [
        list(to_rgba(f"C{i}")) for i in range(3)
    ]
    assert CoefficientDisplay.from_estimator(SOFTMAX, max_features=None).n_left_out == 0


def test_the_weights_of_a_regression_and_of_somebody_else():
    model = LinearRegressor(alpha=0.1).fit(scale(X), Y)
    display = CoefficientDisplay.from_estimator(model)
    assert set(display.feature_names) == {f"x{i}" for i in range(6)}
    assert display.ax_.get_xlabel() == "weight for the prediction"
    named = CoefficientDisplay.from_estimator(model, feature_names=X.columns)
    assert set(named.feature_names) == set(X.columns)
    theirs = make_pipeline(LogisticRegression()).fit(X.iloc[:, :2], Y)
    assert set(CoefficientDisplay.from_estimator(theirs).feature_names) == set(X.columns[:2])


def test_weights_that_cannot_be_shown():
    with pytest.raises(ValueError, match="2 names, but the model has 6 features"):
        CoefficientDisplay.from_estimator(FITTED, feature_names=["a", "b"])
    with pytest.raises(ValueError, match="not fitted"):
        CoefficientDisplay.from_estimator(LogisticRegressor())
    with pytest.raises(TypeError, match="coef_ of linear models"):
        CoefficientDisplay.from_estimator(StandardScaler().fit(X))
