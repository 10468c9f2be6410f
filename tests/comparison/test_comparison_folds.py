"""compare_losses: the folds, who gets which metadata, what fails or warns, and callbacks."""

import numpy as np
import pandas as pd
import pytest
from compared import (
    HAS_CALLBACKS,
    MODEL,
    PIPELINE,
    ROWS,
    TARGET,
    Broken,
    BrokenSometimes,
    Counting,
    Listening,
    Recording,
    X,
    Y,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    ShuffleSplit,
    StratifiedKFold,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_losses import LinearRegressor, LogisticRegressor, SquaredError, compare_losses

WEIGHTS = np.random.RandomState(0).uniform(0.1, 3.0, size=len(Y))
GROUPS = np.arange(len(Y)) % 6
ALPHAS = {"alpha": [0.1, 1e-3]}


def weight_of(estimator, X, y):
    """A metric that shows which fit it was."""
    return (estimator[-1] if isinstance(estimator, Pipeline) else estimator).coef_[0, 0]


# folds


@pytest.mark.parametrize("seed", [3, np.random.RandomState(3)])
def test_an_integer_is_shuffled_where_a_random_state_is_given(seed):
    plain = compare_losses(MODEL, X, Y, losses=["ce"], cv=4)
    assert plain.splitter == repr(StratifiedKFold(4))
    assert_array_equal(plain.scores["score"][0], cross_validate(MODEL, X, Y, cv=4)["test_score"])
    shuffled = compare_losses(MODEL, X, Y, losses=["ce"], cv=4, random_state=seed)
    folds = StratifiedKFold(4, shuffle=True, random_state=3)
    assert_array_equal(shuffled.scores["score"][0], cross_validate(MODEL, X, Y, cv=folds)["test_score"])


def test_folds_of_regression():
    found = compare_losses(LinearRegressor(), ROWS, TARGET, losses=["mse"], cv=3, random_state=0)
    loop = cross_validate(LinearRegressor(), ROWS, TARGET, cv=KFold(3, shuffle=True, random_state=0))
    assert_array_equal(found.scores["score"][0], loop["test_score"])


def test_random_folds_are_drawn_once(recorded):
    splitter = ShuffleSplit(3, test_size=0.3, random_state=np.random.RandomState(0))
    inner = KFold(2, shuffle=True, random_state=np.random.RandomState(1))
    model = make_pipeline(Recording(), Counting())
    grid = {"counting__alpha": [0.1, 1.0]}
    same = {"one": "ce", "two": "ce"}
    found = compare_losses(model, X, Y, losses=same, cv=splitter, scoring=weight_of, param_grid=grid, inner_cv=inner)
    assert len(recorded.fitted) == 3 * (2 + 1)
    assert_array_equal(*found.scores["weight_of"])
    assert found.best_params["one"] == found.best_params["two"]
    assert len({tuple(rows) for rows in recorded.fitted}) == 9


def test_given_splits_and_masks():
    splits = [(np.arange(40, 140), np.arange(40)), (np.arange(100), np.arange(100, 140))]
    masks = [tuple(np.isin(np.arange(len(Y)), rows) for rows in split) for split in splits]
    found = compare_losses(MODEL, X, Y, losses=["ce"], cv=splits)
    assert found.n_train.tolist() == [100, 100]
    assert found.n_test.tolist() == [40, 40]
    assert found.splitter == "the given splits"
    masked = compare_losses(MODEL, X, Y, losses=["ce"], cv=iter(masks), param_grid=ALPHAS, inner_cv=masks_of_train)
    assert masked.n_train.tolist() == [100, 100]
    assert_array_equal(compare_losses(MODEL, X, Y, losses=["ce"], cv=masks).scores["score"], found.scores["score"])
    with pytest.raises(ValueError, match="gives no folds"):
        compare_losses(MODEL, X, Y, losses=["ce"], cv=[])


class MasksOfTrain:
    """A splitter of somebody's that gives masks."""

    def split(self, X, y=None, groups=None):
        part = np.arange(len(X)) % 2 == 0
        yield part, ~part
        yield ~part, part

    def get_n_splits(self, X=None, y=None, groups=None):
        return 2


masks_of_train = MasksOfTrain()


@pytest.mark.parametrize("inner_cv", [GroupKFold(3), 3])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_groups_stay_whole_in_the_inner_search_too(inner_cv, task, recorded):
    model, y = (LogisticRegressor(), Y) if task == "classification" else (LinearRegressor(), TARGET[: len(Y)])
    marked = np.column_stack([GROUPS, X])
    model = Pipeline([("remember", Recording()), ("model", model)])
    compare_losses(
        model,
        marked,
        y,
        losses=["mse"],
        cv=GroupKFold(3),
        groups=pd.Series(GROUPS),
        inner_cv=inner_cv,
        param_grid={"model__alpha": [0.1, 1.0]},
    )
    assert len(recorded.fitted) == 3 * (3 + 1)
    for fitted, tested in zip(recorded.fitted, recorded.seen[1::2], strict=True):
        assert not set(fitted) & set(tested)
        assert set(fitted) | set(tested) <= set(range(6))


def test_a_training_part_with_too_few_groups(recorded):
    model, grid = make_pipeline(Recording(), LogisticRegressor()), {"logisticregressor__alpha": [1, 2]}
    with pytest.raises(ValueError, match=r"inner_cv cannot split the training part of fold 0: .*groups"):
        compare_losses(model, X, Y, losses=["ce"], cv=LeaveOneGroupOut(), groups=GROUPS % 3, param_grid=grid)
    assert recorded.fitted == []


# metadata


@pytest.mark.parametrize("model", [MODEL, PIPELINE])
def test_weights_go_to_the_last_step(model):
    options = {"losses": ["ce"], "cv": 3, "scoring": ["accuracy", weight_of]}
    found = compare_losses(model, X, Y, sample_weight=WEIGHTS.tolist(), **options)
    name = "model__sample_weight" if model is PIPELINE else "sample_weight"
    scoring = {"accuracy": "accuracy", "weight": weight_of}
    loop = cross_validate(model, X, Y, cv=3, params={name: WEIGHTS}, scoring=scoring)
    assert_array_equal(found.scores["weight_of"][0], loop["test_weight"])
    assert_array_equal(found.scores["accuracy"][0], loop["test_accuracy"])
    assert (found.scores["weight_of"] != compare_losses(model, X, Y, **options).scores["weight_of"]).all()
    by_params = compare_losses(model, X, Y, params={"sample_weight": WEIGHTS}, **options)
    assert_array_equal(by_params.scores["weight_of"], found.scores["weight_of"])


@pytest.mark.parametrize("model", [MODEL, PIPELINE])
def test_soft_labels_are_cut_to_the_folds_of_both_searches(model):
    soft = np.column_stack([0.9 - 0.8 * Y, 0.1 + 0.8 * Y])
    grid = {"model__alpha": [0.5, 0.4]} if model is PIPELINE else {"alpha": [0.5, 0.4]}
    options = {"losses": ["kl"], "cv": 2, "inner_cv": 2, "scoring": weight_of, "param_grid": grid}
    found = compare_losses(model, X, Y, params={"soft_labels": soft}, **options)
    name = next(iter(grid))
    for fold, (train, _) in enumerate(StratifiedKFold(2).split(X, Y)):
        best = clone(model).set_params(**found.best_params["kl"][fold], **{name.replace("alpha", "loss"): "kl"})
        best.fit(X[train], Y[train], **{name.replace("alpha", "soft_labels"): soft[train]})
        assert found.scores["weight_of"][0, fold] == weight_of(best, None, None)
    if model is PIPELINE:
        addressed = compare_losses(model, X, Y, params={"model__soft_labels": soft}, **options)
        assert_array_equal(addressed.scores["weight_of"], found.scores["weight_of"])


def test_metadata_of_a_transformer():
    found = compare_losses(
        PIPELINE, X, Y, losses=["ce"], cv=2, params={"scale__sample_weight": WEIGHTS}, scoring=weight_of
    )
    loop = cross_validate(PIPELINE, X, Y, cv=2, params={"scale__sample_weight": WEIGHTS}, scoring=weight_of)
    assert_array_equal(found.scores["weight_of"][0], loop["test_score"])


def test_weights_that_are_given_twice_or_do_not_fit():
    with pytest.raises(ValueError, match="given twice"):
        compare_losses(MODEL, X, Y, losses=["ce"], sample_weight=WEIGHTS, params={"sample_weight": WEIGHTS})
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        compare_losses(MODEL, X, Y, losses=["ce"], sample_weight=WEIGHTS[1:])


def test_routing_does_exactly_what_is_requested():
    weighted = get_scorer("accuracy")
    with config_context(enable_metadata_routing=True):
        weighted.set_score_request(sample_weight=True)
        model = Pipeline(
            [
                ("scale", StandardScaler().set_fit_request(sample_weight=False)),
                ("model", LogisticRegressor().set_fit_request(sample_weight=True)),
            ]
        )
        scoring = {"plain": "accuracy", "weighted": weighted, "own": SquaredError(), "weight": weight_of}
        found = compare_losses(model, X, Y, losses=["ce"], cv=2, sample_weight=WEIGHTS, scoring=scoring)
        grouped = compare_losses(model, X, Y, losses=["ce"], cv=GroupKFold(3), groups=GROUPS, scoring="accuracy")
    unrouted = clone(PIPELINE).set_params(model__alpha=1e-4)
    del scoring["weighted"]
    loop = compare_losses(unrouted, X, Y, losses=["ce"], cv=2, sample_weight=WEIGHTS, scoring=scoring)
    for metric in scoring:
        assert_array_equal(found.scores[metric], loop.scores[metric])
    by_hand = []
    for train, test in StratifiedKFold(2).split(X, Y):
        unrouted.fit(X[train], Y[train], model__sample_weight=WEIGHTS[train])
        by_hand.append(accuracy_score(Y[test], unrouted.predict(X[test]), sample_weight=WEIGHTS[test]))
    assert_allclose(found.scores["weighted"][0], by_hand, rtol=1e-14)
    assert (found.scores["weighted"] != found.scores["plain"]).any()
    assert grouped.n_folds == 3


def test_routing_asks_back_where_nothing_is_requested():
    with config_context(enable_metadata_routing=True):
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            compare_losses(LogisticRegressor(), X, Y, losses=["ce"], sample_weight=WEIGHTS, scoring="accuracy")
        asking = LogisticRegressor().set_fit_request(sample_weight=True)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            compare_losses(asking, X, Y, losses=["ce"], sample_weight=WEIGHTS, scoring=SquaredError().scorer())
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            compare_losses(asking, X, Y, losses=["ce"], sample_weight=WEIGHTS)
        own = asking.set_score_request(sample_weight=True)
        found = compare_losses(own, X, Y, losses=["ce"], sample_weight=WEIGHTS, cv=2)
    for fold, (train, test) in enumerate(StratifiedKFold(2).split(X, Y)):
        fitted = LogisticRegressor().fit(X[train], Y[train], WEIGHTS[train])
        assert found.scores["score"][0, fold] == fitted.score(X[test], Y[test], WEIGHTS[test])


# what fails or warns


def test_a_fit_that_fails_is_counted_and_named():
    losses = ["mse", BrokenSometimes(rows=112), "huber"]
    splits = list(KFold(4).split(ROWS))
    n_rows = len(splits[0][0])
    losses[1].set_params(rows=n_rows)
    splits[1:] = [(train[:-1], test) for train, test in splits[1:]]
    found = compare_losses(LinearRegressor(), ROWS, TARGET, losses=losses, cv=splits)
    assert np.isnan(found.scores["score"]).tolist() == [[False] * 4, [True, False, False, False], [False] * 4]
    note = f"BrokenSometimes(rows={n_rows}): 1 of 4 fits failed; the first: ValueError: not {n_rows} rows"
    assert found.notes == [note]
    assert note in repr(found)
    assert note in found._repr_html_()
    assert "(3 of 4 folds)" in repr(found)
    assert found.to_frame()["score"].isna().sum() == 1
    assert found.difference("mse", "score")["n_folds"].tolist() == [3, 4]
    assert found.best("score") != repr(losses[1])
    assert found.best_params[repr(losses[1])] == [{}] * 4


def test_the_score_of_a_fit_that_fails():
    options = {"losses": ["ce", Broken()], "cv": 3, "scoring": ["accuracy", "roc_auc"]}
    found = compare_losses(MODEL, X, Y, error_score=-1, **options)
    assert (found.scores["accuracy"][1] == -1).all()
    assert (found.scores["roc_auc"][1] == -1).all()
    assert found.notes == ["Broken(): all 3 fits failed; the first: ValueError: no value today"]
    with pytest.raises(ValueError, match="no value today"):
        compare_losses(MODEL, X, Y, error_score="raise", **options)
    everything = compare_losses(MODEL, X, Y, losses=[Broken()], cv=3)
    assert "–" in repr(everything)
    with pytest.raises(ValueError, match=r"No loss has a score by 'score' in every fold. .*no value today"):
        everything.best("score")


def test_a_search_that_fails():
    found = compare_losses(MODEL, X, Y, losses=["ce", Broken()], cv=2, inner_cv=2, param_grid=ALPHAS)
    assert found.best_params["Broken()"] == [{}, {}]
    assert np.isnan(found.scores["score"][1]).all()
    assert found.notes == [
        "Broken(): all 2 fits failed; the first: no candidate of the inner search could be fitted and scored",
        "Broken(): all 8 fits of the inner search failed; the first: ValueError: no value today",
    ]
    with pytest.raises(ValueError, match="no value today"):
        compare_losses(MODEL, X, Y, losses=[Broken()], cv=2, inner_cv=2, param_grid=ALPHAS, error_score="raise")


def test_a_candidate_that_fails_is_not_chosen():
    n_rows = len(next(KFold(2).split(ROWS))[0])
    grid = {"loss__rows": [len(range(0, n_rows, 2)), 0]}
    found = compare_losses(
        LinearRegressor(), ROWS, TARGET, losses=[BrokenSometimes()], cv=KFold(2), inner_cv=KFold(2), param_grid=grid
    )
    assert [chosen["loss__rows"] for chosen in found.best_params["BrokenSometimes()"]] == [0, 0]
    assert "fits of the inner search failed" in found.notes[0]
    assert np.isfinite(found.scores["score"]).all()


def test_a_fit_that_warns_is_counted_and_named():
    model = LogisticRegressor(solver="gradient-descent", max_iter=2)
    found = compare_losses(model, X, Y, losses=["ce"], cv=3, inner_cv=2, param_grid={"alpha": [1e-3, 1e-2]})
    assert np.isfinite(found.scores["score"]).all()
    assert len(found.notes) == 2
    assert found.notes[0].startswith("ce: all 3 fits warned; the first: ConvergenceWarning: LogisticRegressor with")
    assert found.notes[1].startswith("ce: all 12 fits of the inner search warned; the first: ConvergenceWarning:")


class Fragile(TransformerMixin, BaseEstimator):
    """Fails on training rows or on test rows."""

    def __init__(self, where="fit"):
        self.where = where

    def fit(self, X, y=None):
        if self.where == "fit":
            raise ValueError("these rows cannot be learned from")
        self.is_fitted_ = True
        return self

    def fit_transform(self, X, y=None):
        return self.fit(X).is_fitted_ and X

    def transform(self, X):
        raise ValueError("these rows cannot be transformed")


def test_transformers_that_fail():
    unfitted = compare_losses(make_pipeline(Fragile(), MODEL), X, Y, losses=["ce", "hinge"], cv=2)
    words = "all 2 fits failed; the first: ValueError: these rows cannot be learned from"
    assert unfitted.notes == [f"ce, hinge: {words}"]
    untransformed = compare_losses(make_pipeline(Fragile("transform"), MODEL), X, Y, losses=["ce"], cv=2, error_score=0)
    assert untransformed.notes == ["ce: score is missing in all 2 folds: ValueError: these rows cannot be transformed"]
    assert np.isnan(untransformed.scores["score"]).all()


# callbacks


@pytest.mark.parametrize("where", ["estimator", "step"])
def test_callbacks_move_from_the_estimator_to_the_comparison(where):
    model = clone(PIPELINE)
    if not HAS_CALLBACKS:
        assert not hasattr(model, "set_callbacks")
    else:
        holder = model if where == "estimator" else model["model"]
        listening = Listening()
        holder.set_callbacks(listening)
        grid = {"model__alpha": [1, 2]}
        found = compare_losses(model, X, Y, losses=["ce", "hinge"], cv=2, inner_cv=2, param_grid=grid)
        task = ["begin loss-on-fold", "end loss-on-fold"]
        assert listening.events == ["setup", "begin compare", *task * 4, "end compare", "teardown"]
        assert found.notes == []
        assert holder._skl_callbacks == [listening]
        failing = Listening(fail_after=2)
        holder.set_callbacks(failing)
        with pytest.raises(OSError, match="the screen is full"):
            compare_losses(model, X, Y, losses=["ce", "hinge"], cv=2)
        assert failing.events[-1] == "teardown"
        assert failing.events.count("end loss-on-fold") == 2


@pytest.mark.parametrize("where", ["estimator", "step", "both"])
def test_a_progress_bar(where, capsys):
    model = clone(PIPELINE)
    if not HAS_CALLBACKS:
        assert not hasattr(model, "set_callbacks")
    else:
        from sklearn.callback import ProgressBar

        bar = ProgressBar()
        for holder in {"estimator": [model], "step": [model["model"]], "both": [model, model["model"]]}[where]:
            holder.set_callbacks(bar)
        found = compare_losses(model, X, Y, losses=["ce", "hinge"], cv=2)
        assert np.isfinite(found.scores["score"]).all()
        shown = capsys.readouterr().out
        assert "LossComparer - compare" in shown
        assert "100%" in shown
