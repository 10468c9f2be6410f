"""Fits on cosines against twenty random starts each, on three data sets; ArcFace's share is printed with ``-rP``."""

import warnings

import pytest
from estimators.test_cosine_classifier import from_elsewhere
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from sklearn_losses import AMSoftmax, ArcFace, CosineClassifier, SphereFace

DATA = {load.__name__: load(return_X_y=True) for load in (load_iris, load_wine, load_digits)}


def excess(loss, X, y):
    """How much higher the fit ends than the best of twenty random starts, as a share of that."""
    found = CosineClassifier(loss).fit(X, y).objective_value_
    with warnings.catch_warnings():
        # a random start may lead to where descents take long, and its value counts all the same
        warnings.simplefilter("ignore", ConvergenceWarning)
        best = min(from_elsewhere(loss, X, y, seed) for seed in range(20))
    return found / best - 1.0


@pytest.mark.parametrize("loss", [AMSoftmax(), AMSoftmax(0.2, 10.0), SphereFace(), SphereFace(margin=2)], ids=repr)
@pytest.mark.parametrize("name", DATA)
def test_no_random_start_ends_lower(loss, name):
    X, y = DATA[name]
    assert excess(loss, scale(X), y) <= 1e-3


@pytest.mark.parametrize("name", DATA)
def test_arcface_is_near_the_best_mostly(name):
    X, y = DATA[name]
    losses = [ArcFace(margin, size) for margin in (0.2, 0.5) for size in (10.0, 30.0, 64.0)]
    shares = {repr(loss): excess(loss, scale(X), y) for loss in losses}
    print(name, shares)
    assert sum(share <= 1e-3 for share in shares.values()) >= 4
