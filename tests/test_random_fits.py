"""The random tester, briefly, and what it stands on: its formulas, its oracles, and that it sees what is wrong."""

import numpy as np
import pytest
from naive_minimum import by_linear_programme, is_piecewise, minimise
from naive_objective import FORMULAS
from promises import best_constant, broken_promises
from random_fits import reproduction, run, shrunk
from random_situations import CLASSIFICATION, REGRESSION, Kind, Situation, draw
from scipy.special import expit

from sklearn_losses import LogisticRegressor, losses

SEEDS = range(8)


def test_every_promise_is_kept_by_random_fits():
    failures = run(SEEDS, n_relatives=2, report=lambda line: None)
    shown = [reproduction(*reversed(found[0])) for found in failures.values()]
    assert not shown, f"{len(shown)} kinds of broken promises\n\n" + "\n\n".join(shown)


def test_every_loss_is_drawn():
    elsewhere = {"SoftMargin"}  # cross-entropy with a margin, held against that in its own tests
    trainable = {loss.__name__ for loss in losses.LOSSES if loss.trainable and loss.domain != "cosines"} - elsewhere
    drawn = {type(draw(seed).loss).__name__ for seed in range(800)}
    assert trainable <= drawn == set(FORMULAS)


@pytest.mark.parametrize("name", ["SquaredError", "LeastSquares"])
def test_newton_in_80_bits_finds_what_least_squares_finds(name):
    situation = plain(name, alpha=1e-2)
    naive, X = situation.naive(), situation.X
    y = situation.y if name == "SquaredError" else 2 * situation.y - 1
    rows = np.vstack([np.c_[X, np.ones(len(X))] / np.sqrt(len(X)), np.sqrt(0.5e-2) * np.eye(4)[:3]])
    closed = np.linalg.lstsq(rows, np.r_[y / np.sqrt(len(X)), np.zeros(3)], rcond=None)[0]
    coef, intercept = minimise(naive, best_constant(naive, convex=True))
    np.testing.assert_allclose(np.r_[coef[0], intercept].astype(float), closed, rtol=1e-9)


@pytest.mark.parametrize("name", [name for name, kind in (CLASSIFICATION | REGRESSION).items() if kind.convex])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_the_oracle_ends_where_no_direction_leads_down(name, alpha):
    situation = plain(name, alpha=alpha)
    naive = situation.naive()
    coef, intercept = minimise(naive, best_constant(naive, convex=True))
    least = naive.value(coef, intercept)
    random = np.random.default_rng(0)
    for size in (1e-1, 1e-3, 1e-5):
        for _ in range(20):
            moved = naive.value(coef + size * random.normal(size=coef.shape), intercept + size * random.normal())
            assert moved >= least - 1e-9 * abs(least)
    if is_piecewise(naive) and alpha == 0:
        programme = float(naive.value(*by_linear_programme(naive)))
        assert programme == pytest.approx(float(least), rel=1e-7)


def test_a_false_certificate_and_a_silent_failure_are_seen(monkeypatch):
    honest = LogisticRegressor.fit

    def boastful(self, X, y, **arguments):
        honest(self, X, y, **arguments)
        self.coef_ = self.coef_ + 0.1
        self.objective_value_ = self.objective(X, y).value(self.objective(X, y).pack(self.coef_, self.intercept_))
        self.dual_gap_ = 1e-12
        return self

    monkeypatch.setattr(LogisticRegressor, "fit", boastful)
    broken = {b.promise: b for b in broken_promises(plain("CrossEntropy", alpha=0.1), seed=0)[0]}
    assert {"gap_bounds_the_distance", "no_silence_far_from_the_optimum"} <= broken.keys()
    lines = reproduction(shrunk(broken["gap_bounds_the_distance"], 0, seconds=1.0), 0)
    assert "model.fit(X, y)" in lines
    exec(lines, {})


def plain(name: str, **settings) -> Situation:
    """Forty ordinary rows for a loss."""
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 3))
    table = CLASSIFICATION if name in CLASSIFICATION and name != "SquaredError" else REGRESSION
    kind: Kind = table[name]
    if table is CLASSIFICATION:
        y = (random.random(40) < expit(X[:, 0])).astype(int)
        return Situation("LogisticRegressor", kind(random), kind, settings, X, y)
    y = X[:, 0] + random.normal(size=40)
    return Situation("LinearRegressor", kind(random), kind, settings, X, np.exp(y) if kind.positive else y)
