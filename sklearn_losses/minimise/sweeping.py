"""An objective of sparse rows as sweeps take it: coefficients of the rows as they are stored, numbers for every row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ..losses.pieces import Pieces
from ..objective.objective import Objective
from ..objective.split import are_hard
from ..solvers import newton_sweeps, sweeps
from ..solvers.row_sweeps import AVAILABLE
from . import thresholds

Array = np.ndarray


def _has_one_kink(model: Objective) -> bool:
    return Pieces.of(model.loss, model.targets()).kinks.shape[1] == 1


def kinked_passes(model: Objective) -> float:
    """How many passes over sparse rows are worth taking before the exact solver goes on from their duals."""
    few_features = model.rows.n_features < model.rows.n_rows
    return thresholds.FEW_KINKED_PASSES if few_features else thresholds.KINKED_PASSES


class OverRows(ABC):
    """Sweeps over the rows of an objective.

    Parameters
    ----------
    model : Objective
        The function.
    solver : callable
        Of `solvers.row_sweeps`.
    numbers : dict
        What it is told of the function.
    max_passes : float
        Limit on how often the data is read.
    """

    def __init__(self, model: Objective, solver: Callable, numbers: dict[str, Any], max_passes: float):
        self.model, self.solver, self.numbers, self.max_passes = model, solver, numbers, max_passes

    @abstractmethod
    def _start(self, x0: Array) -> Array:
        """Where the solver starts, in its own coordinates."""

    @abstractmethod
    def _model_of(self, x: Array) -> tuple[Array, Array]:
        """Coefficients and intercepts for the rows as they are stored."""

    def minimise(self, x0: Array, callback: Callable | None, *, tol: float, maxiter: int) -> OptimizeResult:
        """The solver's result, its x in the parameters of the objective."""
        told = callback and (lambda intermediate_result: callback(intermediate_result=self._in_x(intermediate_result)))
        options = self.numbers | {"tol": tol, "maxiter": maxiter, "max_passes": self.max_passes}
        result = self.solver(None, self._start(x0), callback=told, **options)
        self.model.rows.meter.count(self.model.rows, result.n_passes)
        return self._in_x(result)

    def _in_x(self, result: OptimizeResult) -> OptimizeResult:
        return OptimizeResult(result, x=self.model.parameters.of_model(*self._model_of(result.x)))


class Sweeping(OverRows):
    """Sweeps over the duals of an objective's rows; a `scipy.optimize.minimize` method where it has a gradient.

    Where it is called again it goes on from its last duals.

    Parameters
    ----------
    model : Objective
        One that `suits`.
    matrix : CSR matrix or array
        Its rows.
    max_passes : float
        Limit on how often the data is read.
    """

    def __init__(self, model: Objective, matrix: Any, max_passes: float):
        rows = model.rows
        solver, numbers = _losses(model)
        numbers |= {
            "rows": matrix,
            "weights": rows.weights_of(slice(None)),
            "penalty": model.penalty.convexity(rows.n_features),
            "intercept": model.fit_intercept,
        }
        super().__init__(model, solver, numbers, max_passes)

    @staticmethod
    def suits(model: Objective, x: Array) -> bool:
        """Whether sweeps can minimise it from x, of which they only use the intercept."""
        loss = model.composition
        return (
            AVAILABLE
            and model.n_outputs == 1
            and model.rows.has_matrix
            and loss.convex
            and model.loss.separable
            and (loss.has_curvature if loss.pieces is None else _has_one_kink(model))
            and bool((model.penalty.convexity(model.rows.n_features) > 0).all())
            and not model.parameters.split(x)[0].any()
        )

    def __call__(self, fun, x0, args=(), *, jac, callback=None, tol, maxiter, **unknown) -> OptimizeResult:
        result = self.minimise(x0, callback, tol=tol, maxiter=maxiter)
        # value and gradient are those of the objective, on which its certificate rests
        result.update(fun=fun(result.x), jac=jac(result.x), nfev=1)
        if not result.success and result.fun > fun(x0):
            # duals lose their way beside a column of another scale: there is nothing to go on from
            result.update(x=x0, fun=fun(x0), jac=jac(x0), nfev=2)
        return result

    def minimise(self, x0, callback, *, tol, maxiter):
        result = super().minimise(x0, callback, tol=tol, maxiter=maxiter)
        self.numbers["dual"] = result.dual
        return result

    def _start(self, x0):
        coef, intercept = self.model.parameters.on_rows(x0)
        return np.append(coef[0], intercept) if self.model.fit_intercept else coef[0]

    def _model_of(self, x):
        n_features = self.model.rows.n_features
        return x[None, :n_features], x[n_features:]


def _losses(model: Objective) -> tuple[Callable, dict[str, Any]]:
    """The solver, and the losses as it takes them."""
    loss, y = model.composition, model.targets()
    if loss.pieces is not None:
        pieces = Pieces.of(model.loss, y)
        constant = float(model.rows.weights_of(slice(None)) @ pieces.least)
        return sweeps, _boxed(pieces.kinks[:, 0], pieces.slopes, 0.0) | {"constant": constant}
    if loss.envelope is not None and (model.regression or are_hard(model)):
        return sweeps, _boxed(*loss.envelope(y))

    def losses(scores: Array) -> tuple[Array, Array, Array]:
        return *loss.value_and_gradient(y, scores), loss.curvature(y, scores).diagonal()

    return newton_sweeps, {"losses": losses}


def _boxed(kinks: Array, slopes: Array, width: float) -> dict[str, Any]:
    low, high = np.array(slopes.T, dtype=np.float64, order="C")
    return {"kinks": np.array(kinks, dtype=np.float64), "low": low, "high": high, "width": width}
