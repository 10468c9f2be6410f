"""Fits of joint hinges by sweeps: with and without them, what is handed over, and which fits they are for."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_losses import Hinge, SoftmaxClassifier
from sklearn_losses.minimise import exactly, joint_sweeping, thresholds

HINGES = [Hinge("weston-watkins"), Hinge("crammer-singer")]


@pytest.fixture(params=HINGES, ids=lambda loss: loss.multiclass)
def hinge(request):
    return request.param


@pytest.fixture
def swept(monkeypatch):
    """The results of all sweeps."""
    results = []

    def listening(*args, **options):
        results.append(joint_sweeps(*args, **options))
        return results[-1]

    joint_sweeps = joint_sweeping.joint_sweeps
    monkeypatch.setattr(joint_sweeping, "joint_sweeps", listening)
    return results


@pytest.fixture
def started_from(monkeypatch):
    """The duals, or None, from which the exact solver was started."""
    duals = []

    def listening(*args, **keywords):
        duals.append(keywords["options"]["dual"])
        return minimize(*args, **keywords)

    minimize = exactly.minimize
    monkeypatch.setattr(exactly, "minimize", listening)
    return duals


def table(n=200, p=80, n_classes=5, seed=0):
    """Rows of three kinds of columns: of any scale, rare, and empty; and the classes of noisy scores."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, p)) * 10.0 ** random.uniform(-2.0, 2.0, p)
    X[:, ::3] *= random.random((n, len(X[0, ::3]))) < 0.2
    X[:, 4] = 0.0
    scores = X @ (random.normal(size=(p, n_classes)) / (1e-9 + np.abs(X).max(axis=0)[:, None]))
    return X, (3.0 * scores + random.gumbel(size=(n, n_classes))).argmax(axis=1)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, sp.csc_array, lambda X: X.astype(np.float32)])
@pytest.mark.parametrize("shape", [(200, 80), (60, 150)])
def test_same_with_and_without_the_compiled_part(hinge, shape, form, swept, monkeypatch):
    X, y = table(*shape)
    weights = np.random.default_rng(1).integers(0, 3, len(y))
    model = SoftmaxClassifier(hinge, alpha=0.01, fit_intercept=False)
    found = model.fit(form(X), y, sample_weight=weights)
    assert len(swept) == 1
    value, gap, coef = found.objective_value_, found.dual_gap_, found.coef_
    monkeypatch.setattr(joint_sweeping, "AVAILABLE", False)
    other = model.fit(form(X), y, sample_weight=weights)
    assert len(swept) == 1
    assert gap <= 1e-6 * value
    assert abs(value - other.objective_value_) <= gap + other.dual_gap_
    # both are as near to the minimum as the strong convexity of the penalty says
    assert 0.5 * 0.01 * np.sum((coef - other.coef_) ** 2) <= 2.0 * (gap + other.dual_gap_)
    assert not coef[:, 4].any()


@pytest.mark.parametrize("near", [True, False])
def test_exact_solver_goes_on_from_duals_that_are_near(hinge, near, swept, started_from, monkeypatch):
    monkeypatch.setattr(thresholds, "KINKED_PASSES", 60.0)
    monkeypatch.setattr(thresholds, "HANDED_OVER", 1.0 if near else 0.0)
    X, y = table()
    model = SoftmaxClassifier(hinge, alpha=1e-2, fit_intercept=False).fit(X, y)
    assert len(swept) == len(started_from) == 1
    assert not swept[0].success
    assert started_from[0] is swept[0].dual if near else started_from[0] is None
    assert model.dual_gap_ <= 1e-6 * model.objective_value_


def test_sweeps_that_arrive_are_the_end(hinge, swept, started_from):
    random = np.random.default_rng(0)
    X, y = random.normal(size=(60, 150)), random.integers(5, size=60)
    model = SoftmaxClassifier(hinge, alpha=0.1, fit_intercept=False).fit(X, y)
    assert swept[0].success
    assert not started_from
    assert model.result_.success
    assert 0.0 <= model.dual_gap_ <= 1e-6 * model.objective_value_


@pytest.mark.parametrize(
    "settings",
    [
        {"fit_intercept": True},
        {"alpha": 0.0},
        {"penalty_factor": np.append(0.0, np.ones(79))},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_what_has_no_penalty_is_not_swept(hinge, settings, swept):
    X, y = table()
    model = SoftmaxClassifier(hinge, **{"alpha": 0.01, "fit_intercept": False} | settings).fit(X, y)
    assert not swept
    assert model.result_.success


def test_few_parameters_are_not_swept(hinge, swept):
    """Newton's method is faster than the sweeps would be."""
    X, y = table(150, 5, 3)
    assert SoftmaxClassifier(hinge, alpha=0.01, fit_intercept=False).fit(X, y).result_.success
    assert not swept


def test_iterations_are_limited(hinge, swept):
    X, y = table()
    model = SoftmaxClassifier(hinge, alpha=1e-4, fit_intercept=False, max_iter=12)
    with pytest.warns(Warning, match="12|tol"):
        model.fit(X, y)
    assert swept[0].n_passes <= 14.0
    assert model.n_iter_ <= 16
    assert model.objective_value_ - model.dual_gap_ >= 0.0
