"""compare_losses: the same as the loops that it replaces; losses, grids and metrics, checked before the first fit."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from compared import IRIS, MODEL, PIPELINE, ROWS, TARGET, THREE, WORDS, Counting, Recording, X, Y
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, SGDClassifier
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_losses import (
    CrossEntropy,
    Focal,
    Hinge,
    Huber,
    LinearRegressor,
    LogisticRegressor,
    Quantile,
    SquaredError,
    ZeroOne,
    compare_losses,
)
from sklearn_losses.comparison import parts as parts_module
from sklearn_losses.comparison import search as search_module
from sklearn_losses.comparison.asked import Asked
from sklearn_losses.estimators.along import certified_models


@pytest.fixture
def fits():
    Counting.fits.clear()
    return Counting.fits


def first_weight(estimator, X, y):
    return estimator.coef_[0, 0]


# the loops that it replaces


@pytest.mark.parametrize("kind", ["array", "sparse", "frame", "list", "words", "pipeline"])
def test_it_is_the_loop_of_cross_validate(kind):
    rows = {"sparse": sparse.csc_array(X), "frame": pd.DataFrame(X), "list": X.tolist()}.get(kind, X)
    y = {"frame": pd.Series(Y), "list": Y.tolist(), "words": WORDS}.get(kind, Y)
    model, name = (PIPELINE, "model__loss") if kind == "pipeline" else (MODEL, "loss")
    losses = {"ce": "cross_entropy", "brier": SquaredError()} | ({"svm": Hinge()} if kind == "frame" else {})
    scoring = ["accuracy", "roc_auc"]
    found = compare_losses(model, rows, y, losses=losses, cv=3, scoring=scoring)
    for label, loss in losses.items():
        loop = cross_validate(clone(model).set_params(**{name: loss}), rows, y, cv=3, scoring=scoring)
        for metric in scoring:
            assert_array_equal(found.scores[metric][list(losses).index(label)], loop[f"test_{metric}"])


def test_regression_by_the_estimator_s_own_score():
    found = compare_losses(LinearRegressor(), ROWS, TARGET, losses=["mse", Huber(delta=0.5), "rmse"], cv=4)
    loop = cross_validate(LinearRegressor("rmse"), ROWS, TARGET, cv=4)
    assert found.metrics == ["score"]
    assert_array_equal(found.scores["score"][2], loop["test_score"])


@pytest.mark.parametrize("kind", ["model", "pipeline", "another loss"])
def test_it_is_the_loop_of_nested_cross_validation(kind):
    model, prefix = (PIPELINE, "model__") if kind == "pipeline" else (MODEL, "")
    loss = SquaredError() if kind == "another loss" else CrossEntropy()
    grid = {f"{prefix}alpha": [1e-3, 1.0, 0.03], f"{prefix}fit_intercept": [True, False]}
    found = compare_losses(
        model, X, Y, losses=[loss], cv=2, scoring=["neg_log_loss", "accuracy"], param_grid=grid, inner_cv=2
    )
    search = GridSearchCV(clone(model).set_params(**{f"{prefix}loss": loss}), grid, cv=2, scoring="neg_log_loss")
    splits = list(StratifiedKFold(2).split(X, Y))
    for fold, (train, test) in enumerate(splits):
        search.fit(X[train], Y[train])
        assert found.best_params[repr(loss)][fold] == search.best_params_
        assert found.scores["neg_log_loss"][0, fold] == search.score(X[test], Y[test])
        assert found.scores["accuracy"][0, fold] == search.best_estimator_.score(X[test], Y[test])
    names = [f"param_{name}" for name in grid]
    assert found.to_frame().columns.tolist() == ["loss", "fold", "fit_time", "neg_log_loss", "accuracy", *names]


def test_the_estimator_and_the_losses_stay_as_they_are():
    model, loss = clone(PIPELINE), Huber()
    before = repr(model)
    compare_losses(model, X, Y, losses=[loss], cv=2, param_grid={"model__loss__delta": [0.1, 0.2]}, inner_cv=2)
    assert repr(model) == before
    assert not hasattr(model["scale"], "mean_")
    assert loss.delta == 1.0


def test_work_is_shared_and_no_fit_is_made_twice(fits, recorded):
    model = make_pipeline(Recording(), Counting())
    grid = {"counting__alpha": [0.1, 1.0]}
    compare_losses(model, X, Y, losses=["ce", "squared_hinge"], cv=3, inner_cv=2, param_grid=grid)
    assert len(fits) == 2 * 3 * (2 * 2 + 1)
    assert len(recorded.fitted) == 3 * (2 + 1)
    assert len(recorded.seen) == 2 * 3 * (2 + 1)


def test_one_candidate_needs_no_search(fits):
    found = compare_losses(Counting(), X, Y, losses=["ce"], cv=3, param_grid={"alpha": [0.5]})
    assert len(fits) == 3
    assert found.best_params == {"ce": [{"alpha": 0.5}] * 3}


def test_a_grid_over_the_transformers():
    grid = {"scale": [MinMaxScaler(), StandardScaler()], "model__alpha": [0.1, 1e-4]}
    found = compare_losses(PIPELINE, X, Y, losses=["ce"], cv=2, inner_cv=2, param_grid=grid, scoring="neg_log_loss")
    search = GridSearchCV(PIPELINE, grid, cv=2, scoring="neg_log_loss")
    train, test = next(StratifiedKFold(2).split(X, Y))
    assert found.scores["neg_log_loss"][0, 0] == search.fit(X[train], Y[train]).score(X[test], Y[test])
    assert repr(found.best_params["ce"][0]) == repr(search.best_params_)


def test_a_pipeline_in_a_pipeline():
    model = Pipeline([("scale", StandardScaler()), ("end", Pipeline([("model", LogisticRegressor())]))])
    grid = {"end__model__alpha": [0.1, 1.0]}
    found = compare_losses(model, X, Y, losses=["hinge"], cv=2, inner_cv=2, param_grid=grid)
    same = compare_losses(PIPELINE, X, Y, losses=["hinge"], cv=2, inner_cv=2, param_grid={"model__alpha": [0.1, 1.0]})
    assert_array_equal(found.scores["score"], same.scores["score"])


# strengths share their way, and nothing else


CONVEX = ["cross_entropy", "squared_hinge", "hinge"]
STRENGTHS = {"alpha": np.logspace(-4, 1, 5)}


@pytest.fixture
def recorded_models(monkeypatch):
    """The certified models that searches get without fits of their own."""
    models = []

    def recording(*arguments, **metadata):
        for model in certified_models(*arguments, **metadata):
            models.append(model)
            yield model

    monkeypatch.setattr(parts_module, "certified_models", recording)
    return models


def searched(monkeypatch, model, *, together, **arguments):
    """The scores of every candidate in every inner search, loss by loss and fold by fold; and the comparison."""
    seen = []
    choose = search_module.InnerSearch.choose

    def remember(search):
        seen.append(np.array(search._scores))
        return choose(search)

    with monkeypatch.context() as patch:
        patch.setattr(search_module.InnerSearch, "choose", remember)
        if not together:
            patch.setattr(Asked, "has_strengths", False)
        found = compare_losses(model, X, Y, cv=2, inner_cv=3, param_grid=STRENGTHS, **arguments)
    return np.array(seen), found


def test_candidates_score_as_cold_fits_do(monkeypatch, recorded_models):
    arguments = {"losses": CONVEX, "scoring": Hinge()}
    scores, found = searched(monkeypatch, MODEL, together=True, **arguments)
    assert len(recorded_models) == 2 * 2 * 3 * 5  # all but the hinge's
    cold, same = searched(monkeypatch, MODEL, together=False, **arguments)
    assert len(recorded_models) == 2 * 2 * 3 * 5
    assert scores.shape == (2 * len(CONVEX), 3, 5)
    assert_allclose(scores, cold, rtol=1e-4)
    assert found.best_params == same.best_params
    assert_array_equal(found.scores["Hinge()"], same.scores["Hinge()"])


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        (LogisticRegressor(), Focal()),  # not convex
        (Counting(), "cross_entropy"),  # a subclass may fit in another way
        (LogisticRegressor(solver="newton-cg"), "cross_entropy"),
        (LogisticRegressor(penalty_factor=[0.0, *[1.0] * (X.shape[1] - 1)]), "cross_entropy"),  # no certificate
    ],
)
def test_what_is_not_certified_or_known_is_fitted(model, loss, monkeypatch, recorded_models):
    _, found = searched(monkeypatch, model, together=True, losses=[loss], scoring="accuracy")
    assert not any(recorded_models)
    assert not found.notes


def test_what_fails_is_fitted_one_by_one_and_counted(recorded_models):
    counts = np.abs(TARGET)
    counts[:3] = -1.0  # which the deviance does not know
    found = compare_losses(
        LinearRegressor(), ROWS, counts, losses=["poisson"], cv=2, inner_cv=2, param_grid={"alpha": [0.1, 1.0, 10.0]}
    )
    assert "poisson: 3 of 12 fits of the inner search failed" in " ".join(found.notes)
    assert len(recorded_models) == 9


@pytest.mark.parametrize(("model", "loss"), [(MODEL, "hinge"), (PIPELINE, "cross_entropy"), (MODEL, "squared_hinge")])
def test_the_choice_is_fitted_cold(model, loss):
    name = "model__" if model is PIPELINE else ""

    def weight(estimator, X, y):
        return first_weight(estimator[-1] if isinstance(estimator, Pipeline) else estimator, X, y)

    grid = {f"{name}alpha": [1e-3, 1e-2, 1e-1]}
    found = compare_losses(model, X, Y, losses=[loss], cv=2, inner_cv=2, scoring=["accuracy", weight], param_grid=grid)
    for fold, (train, test) in enumerate(StratifiedKFold(2).split(X, Y)):
        cold = clone(model).set_params(**{f"{name}loss": loss}, **found.best_params[loss][fold])
        assert found.scores["weight"][0, fold] == weight(cold.fit(X[train], Y[train]), X[test], Y[test])


def test_paths():
    candidates = [{"a": 1, "s": 0.1}, {"s": 5.0}, {"a": 1, "s": 3.0}, {"a": 1}, {}, {"a": np.ones(2), "s": 1.0}]
    assert search_module.paths(candidates, "s") == [[3], [4], [2, 0], [1], [5]]
    assert search_module.paths(candidates, "") == [[i] for i in range(len(candidates))]


# losses, grids and estimators, checked before the first fit


def test_labels():
    found = compare_losses(MODEL, X, Y, losses=["ce", Huber(delta=0.5)], cv=2)
    assert list(found.losses) == ["ce", "Huber(delta=0.5)"]
    assert repr(found.losses["ce"]) == "CrossEntropy()"
    found = compare_losses(
        MODEL, X, Y, losses={"narrow": Huber(delta=0.5), "wide": Huber(delta=2.0), "log": "ce"}, cv=2
    )
    assert list(found.losses) == list(found.best_params) == ["narrow", "wide", "log"]


@pytest.mark.parametrize(
    ("losses", "error", "message"),
    [
        (["hinge", "ce", "hinge"], ValueError, "'hinge' twice"),
        ([Hinge(), Hinge()], ValueError, "'Hinge()' twice"),
        ([], ValueError, "losses is empty"),
        ("hinge", TypeError, "must be a list"),
        (Hinge(), TypeError, "must be a list"),
        (None, TypeError, "must be a list"),
        (["hinje"], ValueError, "Did you mean 'hinge'"),
        ([Hinge], TypeError, "must be an instance"),
        ([accuracy_score], TypeError, "instance of sklearn_losses.Loss"),
        ({1: "hinge"}, TypeError, "must be strings"),
        (["ce", ZeroOne()], ValueError, "cannot be trained"),
        (["ce", Quantile()], ValueError, "Use it with LinearRegressor"),
        (["ce", Huber(delta=-1.0)], ValueError, "delta"),
    ],
)
def test_losses_that_cannot_be_compared(losses, error, message, fits):
    with pytest.raises(error, match=re.escape(message)):
        compare_losses(Counting(), X, Y, losses=losses)
    assert fits == []


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"alhpa": [1.0]}, "Invalid parameter 'alhpa'"),
        ({"alpha": [1.0, -1.0]}, "'alpha' parameter of Counting must be a finite number"),
        ({"loss": ["ce", "hinge"]}, "go into losses="),
        ({"loss__gama": [1.0]}, "'loss__gama', a parameter that none of the losses takes; they take loss__delta"),
        ({"loss__delta": [1.0, -1.0]}, "delta"),
        ({"model__alpha": [1.0]}, "Invalid parameter 'model'"),
        ({"alpha": []}, "alpha"),
    ],
)
def test_grids_that_cannot_be_searched(grid, message, fits):
    with pytest.raises(ValueError, match=message):
        compare_losses(Counting(), X, Y, losses=["hinge", Huber()], param_grid=grid)
    assert fits == []


@pytest.mark.parametrize("name", ["end", "end__model", "end__model__loss", "steps", "end__steps"])
def test_a_grid_cannot_replace_the_model(name):
    with pytest.raises(ValueError, match="would replace the loss itself"):
        compare_losses(Pipeline([("end", PIPELINE)]), X, Y, losses=["hinge"], param_grid={name: [1]})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LinearRegression(), "exchanges the loss"),
        (SGDClassifier(), "exchanges the loss"),
        (LogisticRegressor, "exchanges the loss"),
        (make_pipeline(StandardScaler()), "exchanges the loss"),
        (make_pipeline(StandardScaler(), "passthrough"), "exchanges the loss"),
        (LogisticRegressor(tol=-1.0), "'tol' parameter"),
        (make_pipeline(StandardScaler(), LogisticRegressor(alpha="strong")), "'alpha' parameter"),
        (LinearRegressor(), "Use it with LogisticRegressor"),
    ],
)
def test_estimators_that_cannot_be_compared(model, message):
    with pytest.raises(ValueError, match=message):
        compare_losses(model, X, Y, losses=["hinge"])


def test_targets_that_do_not_suit_the_estimator(fits):
    with pytest.raises(ValueError, match="Only binary classification"):
        compare_losses(Counting(), IRIS, THREE, losses=["hinge"])
    with pytest.raises(ValueError, match="only one class"):
        compare_losses(Counting(), X, np.zeros(len(X)), losses=["hinge"])
    with pytest.raises(ValueError, match="mixed types"):
        compare_losses(Counting(), X[:3], np.array([0, "a", 1], dtype=object), losses=["hinge"], cv=KFold(2))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        compare_losses(Counting(), X, Y[1:], losses=["hinge"])
    with pytest.raises(ValueError, match="needs targets y"):
        compare_losses(Counting(), X, None, losses=["hinge"])
    assert fits == []


@pytest.mark.parametrize("error_score", ["ignore", None])
def test_error_score_is_a_number_or_raise(error_score):
    with pytest.raises(ValueError, match="error_score must be 'raise' or the number"):
        compare_losses(MODEL, X, Y, losses=["hinge"], error_score=error_score)


def test_a_parameter_that_only_some_losses_take():
    grid = {"loss__delta": [0.1, 0.5], "alpha": [0.1, 1.0]}
    found = compare_losses(MODEL, X, Y, losses=["huber", "ce"], cv=2, inner_cv=2, param_grid=grid)
    assert all(set(chosen) == {"loss__delta", "alpha"} for chosen in found.best_params["huber"])
    assert all(set(chosen) == {"alpha"} for chosen in found.best_params["ce"])
    frame = found.to_frame()
    assert frame["param_loss__delta"].isna().tolist() == [False, False, True, True]
    assert frame["param_alpha"].notna().all()


def test_grids_that_become_alike_are_searched_once(fits):
    grids = [{"alpha": [0.1, 1.0]}, {"alpha": [0.1, 1.0], "loss__delta": [0.5, 2.0]}, {"loss__gamma": [1.0]}]
    found = compare_losses(
        Counting(), X, Y, losses=["focal", "huber", "hinge"], cv=2, inner_cv=2, param_grid=grids, scoring=ZeroOne()
    )
    candidates = {"focal": 2 + 1, "huber": 2 + 4, "hinge": 2}
    assert len(fits) == sum(2 * (2 * n + 1) for n in candidates.values())
    assert all(set(chosen) == {"alpha"} for chosen in found.best_params["hinge"])


# metrics


def test_metrics_of_every_kind():
    scorer = make_scorer(accuracy_score)
    given = ["accuracy", scorer, SquaredError(), first_weight]
    found = compare_losses(MODEL, X, Y, losses=["ce"], cv=2, scoring=given)
    assert found.metrics == ["accuracy", repr(scorer), "SquaredError()", "first_weight"]
    assert_array_equal(found.scores["accuracy"], found.scores[repr(scorer)])
    brier = cross_validate(MODEL, X, Y, cv=2, scoring=SquaredError().scorer())["test_score"]
    assert_array_equal(found.scores["SquaredError()"][0], brier)
    assert (brier < 0).all()
    named = compare_losses(MODEL, X, Y, losses=["ce"], cv=2, scoring=dict(zip("abcd", given, strict=True)))
    assert named.metrics == list("abcd")
    assert_array_equal(named.scores["c"][0], brier)
    alone = compare_losses(MODEL, X, Y, losses=["ce"], cv=2, scoring=SquaredError())
    assert alone.metrics == ["SquaredError()"]
    assert alone.best(SquaredError()) == alone.best("SquaredError()") == "ce"


@pytest.mark.parametrize(
    ("scoring", "error", "message"),
    [
        ("acuracy", ValueError, "Did you mean 'accuracy'"),
        ("brier", ValueError, re.escape("scoring=SquaredError()")),
        (["accuracy", "accuracy"], ValueError, "two metrics called 'accuracy'"),
        ({"fold": "accuracy"}, ValueError, "cannot be called 'fold'"),
        ({"param_x": "accuracy"}, ValueError, "cannot be called 'param_x'"),
        ({3: "accuracy"}, ValueError, "cannot be called 3"),
        ([], ValueError, "scoring is empty"),
        (SquaredError, TypeError, "loss objects"),
        ([None], TypeError, "scoring takes names"),
        (7, TypeError, "scoring takes names"),
        (Huber(delta=-1.0), ValueError, "delta"),
    ],
)
def test_metrics_that_are_none(scoring, error, message, fits):
    with pytest.raises(error, match=message):
        compare_losses(Counting(), X, Y, losses=["ce"], scoring=scoring)
    assert fits == []


@pytest.mark.parametrize(("model", "error_score"), [(MODEL, np.nan), (PIPELINE, "raise")])
def test_a_loss_without_probabilities(model, error_score):
    scoring = ["neg_log_loss", CrossEntropy(), "accuracy"]
    name = "model__alpha" if model is PIPELINE else "alpha"
    found = compare_losses(
        model,
        X,
        Y,
        losses=["ce", "hinge"],
        cv=3,
        inner_cv=2,
        scoring=scoring,
        param_grid={name: [10.0, 1e-3]},
        error_score=error_score,
    )
    for metric in scoring[:2]:
        assert np.isnan(found.scores[str(metric)][1]).all()
        assert np.isfinite(found.scores[str(metric)][0]).all()
    assert np.isfinite(found.scores["accuracy"]).all()
    assert [chosen[name] for chosen in found.best_params["hinge"]] == [1e-3] * 3
    for text in (repr(found), found._repr_html_()):
        assert "hinge: neg_log_loss is missing in all 3 folds" in text
        assert "hinge: CrossEntropy() is missing in all 3 folds" in text
        assert (
            "hinge: the inner search went by minus Hinge() in all 3 folds, because neg_log_loss had no answer" in text
        )
    frame = found.difference("ce", "neg_log_loss", adjust="holm", rope=0.01)
    assert frame.loc[0, "n_folds"] == 0
    assert frame.drop(columns=["loss", "n_folds"]).isna().all(axis=None)


def test_a_search_by_the_loss_itself_is_one_by_its_scorer():
    model, grid = LogisticRegressor("hinge"), {"alpha": [1e-3, 1e-2, 1e-1]}
    found = compare_losses(model, X, Y, losses=["hinge"], cv=2, inner_cv=3, scoring="neg_log_loss", param_grid=grid)
    search = GridSearchCV(model, grid, cv=3, scoring=Hinge().scorer())
    for fold, (train, _) in enumerate(StratifiedKFold(2).split(X, Y)):
        assert found.best_params["hinge"][fold] == search.fit(X[train], Y[train]).best_params_


def test_a_metric_that_fails_fails_alone():
    def fussy(estimator, X, y):
        raise RuntimeError("not today")

    def talkative(estimator, X, y):
        warnings.warn("if you say so", UserWarning, stacklevel=1)
        return 0.5

    found = compare_losses(
        MODEL, X, Y, losses=["ce"], cv=2, scoring=[fussy, talkative, "accuracy"], error_score="raise"
    )
    assert np.isnan(found.scores["fussy"]).all()
    assert (found.scores["talkative"] == 0.5).all()
    assert found.notes == [
        "ce: fussy is missing in all 2 folds: RuntimeError: not today",
        "ce: talkative warned in all 2 folds; the first: UserWarning: if you say so",
    ]


def test_a_callable_sees_the_whole_pipeline(recorded):
    seen = []

    def look(estimator, X, y):
        seen.append((type(estimator), X.shape, estimator.predict(X).shape == y.shape))
        return estimator[-1].coef_[0, 0]

    model = make_pipeline(StandardScaler(), Recording(), LogisticRegressor())
    found = compare_losses(model, pd.DataFrame(X), Y, losses=["ce"], cv=2, scoring=look)
    assert seen == [(Pipeline, (len(test), X.shape[1]), True) for _, test in StratifiedKFold(2).split(X, Y)]
    assert_array_equal(
        found.scores["look"][0], cross_validate(model, pd.DataFrame(X), Y, cv=2, scoring=look)["test_score"]
    )


def test_a_split_on_which_no_candidate_has_a_score_does_not_decide():
    def unless_alone(estimator, X, y):
        return CrossEntropy().scorer()(estimator, X, y) if len(set(y)) == 2 else np.nan

    order = np.argsort(Y, kind="stable")
    found = compare_losses(
        MODEL,
        X[order],
        Y[order],
        losses=["ce"],
        cv=KFold(2, shuffle=True, random_state=0),
        inner_cv=KFold(4),
        scoring=unless_alone,
        param_grid={"alpha": [1e3, 1e-2]},
    )
    assert found.best_params["ce"] == [{"alpha": 1e-2}] * 2
    note = "ce: unless_alone is missing for 12 of 16 fits of the inner search; the first: it is nan"
    assert found.notes == [note]
