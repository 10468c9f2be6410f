"""An objective with a joint hinge as sweeps take it: coefficients of the rows as they are stored, numbers for each."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data import csr_of
from ..objective.objective import Objective
from ..objective.split import Split
from ..solvers import joint_sweeps
from ..solvers.row_sweeps import AVAILABLE
from . import thresholds
from .sweeping import OverRows, kinked_passes

Array = np.ndarray


class JointSweeping(OverRows):
    """Sweeps over the dual vectors of an objective's rows.

    Parameters
    ----------
    model : Objective
        One that `suits`.
    split : Split
        The same row by row.
    max_passes : float
        Limit on how often the data is read.
    """

    def __init__(self, model: Objective, split: Split, max_passes: float):
        most, total = (np.inf, 1.0) if split.together else (1.0, np.inf)
        strengths = _strengths(model)
        numbers: dict[str, Any] = {
            "rows": csr_of(model.rows),
            "weights": split.weights,
            "penalty": np.where(strengths > 0.0, strengths, 1.0),  # columns without one are empty
            "losses": split.value_and_excess,
            "targets": split.targets,
            "most": most,
            "total": total,
        }
        super().__init__(model, joint_sweeps, numbers, max_passes)

    @staticmethod
    def suits(model: Objective, x: Array) -> bool:
        """Whether sweeps can minimise it from x, of which they use nothing."""
        rows = model.rows
        return (
            AVAILABLE
            and model.n_outputs > 1
            and not model.fit_intercept
            and model.parameters.linear
            and (rows.has_matrix or (not rows.is_sparse and rows.n_entries <= thresholds.WRITTEN_ENTRIES))
            and model.loss.joint_pieces is not None
            and JointSweeping.passes(model) >= thresholds.FEWEST_JOINT_PASSES
            and _is_penalised(model)
            and not x.any()
        )

    @staticmethod
    def passes(model: Objective) -> float:
        """How many of them may be worth taking: over dense rows a share of those that the exact solver costs."""
        if model.rows.is_sparse:
            return kinked_passes(model)
        return min(thresholds.KINKED_PASSES, thresholds.JOINT_SWEEPS * _exact_solver_in_sweeps(model))

    def _start(self, x0):
        return x0

    def _model_of(self, x):
        coef = x.reshape(self.model.n_outputs, -1)
        return coef, np.zeros(len(coef))


def _exact_solver_in_sweeps(model: Objective) -> float:
    """How many sweeps over dense rows take as long as the exact solver, up to a factor."""
    size, n_rows, few_rows = model.n_parameters, model.rows.n_rows, model.rows.n_rows <= 2 * model.n_parameters
    # few rows all bend, and a loss of the largest violation then couples all classes; more rows take more steps
    together = model.loss.joint_pieces(np.zeros(1, dtype=int)).together
    width = size if together and few_rows else size // model.n_outputs
    return (1.0 if few_rows else 2.25) * (width + size**2 / (3.0 * n_rows))


def _strengths(model: Objective) -> Array:
    return np.asarray(model.penalty.convexity(model.rows.n_features))


def _is_penalised(model: Objective) -> bool:
    """Whether all columns have a penalty, but for those that conditioning has emptied."""
    rows, free = model.rows, np.flatnonzero(_strengths(model) == 0.0)
    if not len(free):
        return True
    return not rows.is_sparse and len(free) < rows.n_features and not rows.columns(free).take(slice(None)).any()
