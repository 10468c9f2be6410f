"""A penalty that no solver knows is minimised by what its contract gives, and certified."""

import numpy as np
import pytest
from lopsided import Lopsided
from scipy import sparse
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from sklearn_losses import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from sklearn_losses.activations import Identity, Sigmoid, Softmax
from sklearn_losses.minimise.fit import fit
from sklearn_losses.minimise.task import Task
from sklearn_losses.objective.part import sweeps_pay
from sklearn_losses.solvers.feature_sweeps import columns

X, Y = (scale(part)[::4] for part in load_diabetes(return_X_y=True))
CASES = {
    "parabola": (LinearRegressor(), Identity(), Y),
    "smooth": (LinearRegressor("log_cosh"), Identity(), Y),
    "straight lines": (LinearRegressor("mae"), Identity(), Y),
    "two classes": (LogisticRegressor(), Sigmoid(), (Y > 0).astype(int)),
    "three classes": (SoftmaxClassifier(), Softmax(), np.digitize(Y, [-0.5, 0.5])),
}


@pytest.mark.parametrize("stored", [np.array, sparse.csc_array], ids=["dense", "sparse"])
@pytest.mark.parametrize(("estimator", "link", "y"), CASES.values(), ids=CASES)
def test_fits_are_certified(estimator, link, y, stored):
    objective = estimator.objective(stored(X), y).replaced(penalty=Lopsided(0.04, 0.01))
    domain = "values" if objective.regression else "probabilities"
    found = fit(Task(objective, link, domain, tol=1e-6, max_iter=1000, random_state=0), "auto")
    assert found.converged
    assert 0.0 <= found.gap <= 1e-6 * found.value
    coef, intercept = objective.parameters.split(found.theta)
    assert (coef == 0.0).any()

    def of_both_sides(theta):  # weights as differences of parts that are not negative, for which the penalty is a line
        above, under, rest = np.split(theta, [coef.size, 2 * coef.size])
        x = np.concatenate([above - under, rest])
        data, slope = objective.replaced(penalty=Lopsided(0.0, 0.01)).value_and_gradient(x)
        slope, of_rest = np.split(slope, [coef.size])
        value = data + 0.04 * (above.sum() + 2.0 * under.sum())
        return value, np.concatenate([slope + 0.04, 0.08 - slope, of_rest])

    bounds = [(0.0, None)] * (2 * coef.size) + [(None, None)] * (len(found.theta) - coef.size)
    start = np.concatenate([np.zeros(2 * coef.size), intercept])
    if not objective.loss.smooth:
        return
    oracle = minimize(of_both_sides, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15})
    assert found.value == pytest.approx(oracle.fun, rel=1e-6)


def test_sweeps_over_columns_are_left_to_penalties_that_they_know():
    rows = sparse.random(100, 300, 0.02, format="csr", random_state=0)
    objective = LogisticRegressor(l1_ratio=0.8, alpha=0.01).objective(rows, np.arange(100) % 2)
    assert sweeps_pay(objective) == columns.AVAILABLE
    other = objective.replaced(penalty=Lopsided(0.002, 0.002))
    assert not sweeps_pay(other)
    found = fit(Task(other, Sigmoid(), "probabilities", tol=1e-6, max_iter=1000, random_state=0), "auto")
    assert found.converged
    assert 0.0 <= found.gap <= 1e-6 * found.value
