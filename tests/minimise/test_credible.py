"""Ends that a solver claims where there is no bound."""

from types import SimpleNamespace

import numpy as np
import pytest

from sklearn_losses import LinearRegressor
from sklearn_losses.minimise.credible import leaves_slope


@pytest.mark.parametrize("loss", ["poisson", "squared_error", "log_cosh"])
def test_a_slope_is_seen_whatever_a_preconditioner_makes_of_it(loss):
    random = np.random.default_rng(0)
    X, y = random.standard_t(3, size=(200, 5)), random.poisson(2.0, size=200)
    fitted = LinearRegressor(loss, alpha=0, tol=1e-12).fit(X, y)
    model = fitted.objective(X, y).conditioned()
    end = model.from_theta(np.append(fitted.coef_, fitted.intercept_))
    null = SimpleNamespace(value=model.value(np.zeros(6)))
    task = SimpleNamespace(loss=model.loss, convex=True)
    run = SimpleNamespace(model=model, task=task, null=null, allowed=lambda value: 1e-6 * value)

    def left(x):
        return leaves_slope(run, x, *model.value_and_gradient(x))

    assert not left(end)
    assert left(end + 0.01)
