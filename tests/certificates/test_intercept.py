"""The best intercept is found wherever the rows are, and never raises the mean."""

import numpy as np
import pytest
from scipy.optimize import minimize

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.certificates.intercept import best_shift


def objective_of(loss, classes, y_unit=1.0):
    random = np.random.default_rng(3)
    X = random.normal(size=(60, 2))
    if classes == 0:
        y = y_unit * np.abs(X[:, 0] + random.normal(size=60))
        return LinearRegressor(loss).objective(X, y)
    model = LogisticRegressor(loss) if classes == 2 else SoftmaxClassifier(loss)
    return model.objective(X, random.integers(0, classes, 60))


CASES = [
    *((loss, 0) for loss in ("squared_error", "huber", "log_cosh", "poisson", "rmse")),
    *((loss, classes) for loss in ("ce", "squared_hinge", "modified_huber", "exponential") for classes in (2, 3)),
]


@pytest.mark.parametrize(("loss", "classes"), CASES)
@pytest.mark.parametrize(("away", "spread"), [(0.0, 1.0), (3.0, 1e-3), (3.0, 20.0), (50.0, 1.0)])
def test_no_other_shift_is_better(loss, classes, away, spread):
    objective = objective_of(loss, classes)
    random = np.random.default_rng(0)
    scores = away + spread * random.normal(size=60 if classes in (0, 2) else (60, classes))
    scores = objective.rows.spread(scores)
    shift, slopes = best_shift(objective, scores)

    def mean(shift):
        return objective.at_scores(scores, shift).mean

    assert slopes.mean == pytest.approx(mean(shift), rel=1e-12)
    assert slopes.mean <= mean(0 * shift) * (1 + 1e-12)
    other = min(
        minimize(mean, x0, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13}).fun
        for x0 in (shift, 0 * shift)
    )
    assert slopes.mean <= other * (1 + 1e-9) + 1e-15


@pytest.mark.parametrize("away", [1e3, -1e5, 1e9])
def test_rows_that_are_all_saturated_come_back(away):
    objective = objective_of("ce", 2)
    shift, slopes = best_shift(objective, objective.rows.spread(np.full(60, away)))
    share = objective.rows.weights @ objective.rows.y
    assert slopes.mean == pytest.approx(-share * np.log(share) - (1 - share) * np.log(1 - share), rel=1e-9)
    assert shift[0] == pytest.approx(-away, rel=0.01)


@pytest.mark.parametrize("unit", [1e3, 1e6, 1e12])
def test_targets_of_any_unit(unit):
    objective = objective_of("log_cosh", 0, unit)
    shift, slopes = best_shift(objective, objective.rows.spread(np.zeros(60)))
    middle = np.sort(objective.rows.y)[29:31]
    assert middle[0] <= shift[0] <= middle[1]
    assert np.isfinite(slopes.mean)
