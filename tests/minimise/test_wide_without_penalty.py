"""More features than rows and no penalty: every row is fitted as well as a row can be."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from random_situations import PseudoHuber

from sklearn_losses import CrossEntropy, Huber, LinearRegressor, LogCosh, SoftmaxClassifier, SquaredError
from sklearn_losses.minimise import thresholds

STORAGE = pytest.mark.parametrize("storage", [np.asarray, sp.csr_array])


@pytest.mark.parametrize("reduced", [True, False])
@STORAGE
@pytest.mark.parametrize("loss", ["least_squares", "squared_hinge", "focal", CrossEntropy(), SquaredError()])
def test_classes_of_wide_rows_are_learned(loss, storage, reduced, monkeypatch):
    if not reduced:
        monkeypatch.setattr(thresholds, "REDUCED_ROWS", 0)
    X, y = storage(np.random.default_rng(0).normal(size=(12, 1000))), np.arange(12) % 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that they are separable
        assert SoftmaxClassifier(loss, alpha=0).fit(X, y).objective_value_ <= 1e-8


@STORAGE
@pytest.mark.parametrize("loss", [SquaredError(), Huber(0.1), LogCosh()])
def test_lines_go_through_wide_rows(loss, storage):
    random = np.random.default_rng(1)
    X, y = storage(random.normal(size=(12, 1000))), random.normal(size=12)
    assert LinearRegressor(loss, alpha=0).fit(X, y).objective_value_ <= 1e-20


@pytest.mark.parametrize("seed", [0, 12])
@pytest.mark.parametrize("shape", [(30, 35), (30, 80)])
@pytest.mark.parametrize("loss", ["log_cosh", "huber", "squared_epsilon_insensitive"])
def test_targets_far_outside_of_where_the_loss_bends(loss, shape, seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=shape)
    y = X @ random.normal(size=shape[1]) + 10.0
    assert LinearRegressor(loss, alpha=0).fit(X, y).objective_value_ <= 1e-20


def test_an_exact_fit_of_a_loss_that_declares_no_least_value():
    random = np.random.default_rng(0)
    X = random.normal(size=(20, 4))
    model = LinearRegressor(PseudoHuber(1.0), alpha=0).fit(X, X @ random.normal(size=4) + 3.0)
    assert model.result_.success
    assert model.objective_value_ <= 1e-20
