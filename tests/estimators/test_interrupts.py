"""An interrupt at any line: the model is the old one or the new one, and nothing is held for ever."""

import os
import sys
import warnings
from threading import Thread

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from threadpoolctl import threadpool_info

import sklearn_losses
from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.data import threads

FOLDER = os.path.dirname(sklearn_losses.__file__)
RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(40, 3))
Y = X[:, 0] + RANDOM.normal(size=40)
LABELS = (Y > 0).astype(int)
THREE = np.digitize(Y, [-0.7, 0.7])


def interrupted(call, chosen) -> bool:
    """Run a call, and press Ctrl-C when the package comes to a line for the n-th time that ``chosen`` says yes to."""

    def line(frame, event, argument):
        if event == "line" and chosen(frame.f_code.co_filename, frame.f_lineno):
            sys.settrace(None)
            raise KeyboardInterrupt
        return line

    usual = sys.gettrace()
    sys.settrace(lambda frame, *_: line if frame.f_code.co_filename.startswith(FOLDER) else None)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(usual)
    return False


def lines_of(call) -> list:
    """The lines of the package that a call comes to, in the order of the first time."""
    seen = {}

    def note(file, number):
        seen.setdefault((file, number))
        return False

    assert not interrupted(call, note)
    return list(seen)


def blas_limits():
    return [library["num_threads"] for library in threadpool_info()]


def assert_free():
    """Whether another thread can fit: the lock is nobody's."""
    free = []

    def take():
        with threads.worker_threads(1):
            free.append(True)

    thread = Thread(target=take, daemon=True)
    thread.start()
    thread.join(10)
    assert free


def assert_whole_after_interrupts(model, before, X, y, lines):
    usual, old = blas_limits(), dict(vars(before))
    predictions = {2: before.predict(X[:, :2]), 3: clone(model).fit(X, y).predict(X)}
    for here in lines:
        model.__dict__ = dict(old)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            interrupted(lambda: model.fit(X, y), lambda *at, here=here: at == here)
        assert blas_limits() == usual, here
        assert not threads._limit.holders, here
        assert_array_equal(model.predict(X[:, : model.n_features_in_]), predictions[model.n_features_in_])
        kept = vars(model)
        if model.n_features_in_ == 2:
            assert kept.keys() == old.keys(), here
            assert all(kept[name] is old[name] for name in old), here
    assert_free()


CASES = {
    "two classes": (LogisticRegressor(), LABELS, 1),
    "three classes, three threads": (SoftmaxClassifier(), THREE, 3),
    "regression": (LinearRegressor("poisson", solver="L-BFGS-B"), Y**2, 1),
}


@pytest.mark.parametrize(("model", "y", "n_threads"), CASES.values(), ids=CASES)
def test_of_a_fit(model, y, n_threads, monkeypatch):
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 0)
    monkeypatch.setattr(threads, "_count_threads", lambda: n_threads)
    model = clone(model)
    lines = lines_of(lambda: clone(model).fit(X, y))
    doors = [here for here in lines if here[0].endswith(("linear_model.py", "threads.py"))]
    others = [here for here in lines if here not in doors]
    assert len(doors) > 50
    assert_whole_after_interrupts(model, clone(model).fit(X[:, :2], y), X, y, doors[::2] + others[::40])


def test_of_cleaning_up_and_of_starting_threads():
    def work():
        with threads.worker_threads(1) as workers:
            assert list(workers.map(str, range(3))) == ["0", "1", "2"]

    usual, lines = blas_limits(), lines_of(work)
    for here in lines:
        for time in (1, 2, 3):
            count = iter(range(1, 1000))
            interrupted(work, lambda *at, here=here, time=time, count=count: at == here and next(count) == time)
            assert blas_limits() == usual
            assert not threads._limit.holders
    assert_free()
