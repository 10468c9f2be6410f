"""An objective of sparse rows as sweeps take it: coefficients of the rows as they are stored, numbers for every row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ..objective.objective import Objective
from ..solvers import newton_sweeps, sweeps
from ..solvers.row_sweeps import AVAILABLE

Array = np.ndarray


class Sweeping:
    """A `scipy.optimize.minimize` method for an objective, by sweeps over the duals of its rows.

    Where it is called again it goes on from its last duals.

    Parameters
    ----------
    model : Objective
        One that `suits`.
    max_passes : float
        Limit on how often the data is read.
    """

    def __init__(self, model: Objective, max_passes: float):
        self.model, self.max_passes = model, max_passes
        self.dual: Array | None = None
        rows = model.rows
        self.numbers: dict[str, Any] = {
            "rows": rows.csr(),
            "weights": rows.weights_of(slice(None)),
            "penalty": model.penalty.convexity(rows.n_features),
            "intercept": model.fit_intercept,
        }
        self.solver, of_losses = self._losses()
        self.numbers |= of_losses

    @staticmethod
    def suits(model: Objective, x: Array) -> bool:
        """Whether sweeps can minimise it from x, where they only know what the intercept is good for."""
        matrix, _ = model.parameters.split(x)
        return (
            AVAILABLE
            and model.n_outputs == 1
            and model.rows.is_sparse
            and model.composition.convex
            and model.loss.separable
            and model.composition.has_curvature
            and bool((model.penalty.convexity(model.rows.n_features) > 0).all())
            and not matrix.any()
        )

    def __call__(self, fun, x0, args=(), *, jac, callback=None, tol, maxiter, **unknown) -> OptimizeResult:
        told = callback and (lambda intermediate_result: callback(intermediate_result=self._in_x(intermediate_result)))
        coef, intercept = self.model.parameters.on_rows(x0)
        start = np.append(coef[0], intercept) if self.model.fit_intercept else coef[0]
        options = self.numbers | {"tol": tol, "maxiter": maxiter, "max_passes": self.max_passes, "dual": self.dual}
        result = self.solver(None, start, callback=told, **options)
        self.dual = result.dual
        self.model.rows.meter.passes += result.n_passes
        # value and gradient are those of the objective, on which its certificate rests
        x = self._in_x(result).x
        return OptimizeResult(result, x=x, fun=fun(x), jac=jac(x), nfev=1)

    def _in_x(self, result: OptimizeResult) -> OptimizeResult:
        """A result with x in the parameters of the objective."""
        n_features = self.model.rows.n_features
        coef, intercept = result.x[None, :n_features], result.x[n_features:]
        return OptimizeResult(result, x=self.model.parameters.of_model(coef, intercept))

    def _losses(self) -> tuple[Callable, dict[str, Any]]:
        """The solver, and the losses as it takes them."""
        loss, y = self.model.composition, self.model.targets()
        hard = self.model.regression or bool(np.isin(y, (0.0, 1.0)).all())
        if loss.envelope is not None and hard:
            kinks, slopes, width = loss.envelope(y)
            low, high = np.ascontiguousarray(slopes.T, dtype=np.float64)
            return sweeps, {"kinks": np.array(kinks, dtype=np.float64), "low": low, "high": high, "width": width}

        def losses(scores: Array) -> tuple[Array, Array, Array]:
            return *loss.value_and_gradient(y, scores), loss.curvature(y, scores).diagonal()

        return newton_sweeps, {"losses": losses}
