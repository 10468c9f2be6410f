"""What the choice of a strategy rests on: sizes and promises of an objective, no data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..objective.objective import Objective
from ..objective.split import has_exact_form
from . import thresholds
from .joint_sweeping import JointSweeping
from .sweeping import Sweeping

ROUNDS = 20  # in which the size of a sample settles to whole rows


@dataclass(frozen=True)
class Shape:
    """An objective in numbers; the work they stand for is in multiplications."""

    n_rows: int
    n_features: int
    n_outputs: int = 1
    n_entries: int = 0  # that are stored
    is_sparse: bool = False
    convex: bool = True
    has_curvature: bool = True
    linear: bool = True  # the parameters
    only_directions: bool = False  # of them count
    exact_loss: bool = False  # of straight lines, which the exact solver takes
    kinked_penalty: bool = False
    sweeps_pay: bool = False

    @classmethod
    def of(cls, model: Objective, x: np.ndarray, *, convex: bool) -> Shape:
        """That of an objective, to be minimised from x."""
        rows = model.rows
        return cls(
            rows.n_rows,
            rows.n_features,
            model.n_outputs,
            rows.n_entries,
            rows.is_sparse,
            convex,
            model.composition.has_curvature,
            model.parameters.linear,
            model.parameters.only_directions,
            has_exact_form(model),
            not model.penalty.smooth,
            convex and _sweeps_pay(model, x),
        )

    @property
    def smoothly(self) -> bool:
        """Whether a solver that follows gradients takes it."""
        return not (self.exact_loss or self.kinked_penalty)

    @property
    def width(self) -> int:
        """Parameters of one output."""
        return self.n_features + 1

    @property
    def written_entries(self) -> int:
        """Of the rows when they are written out."""
        return self.n_rows * self.width

    @property
    def by_gradients(self) -> bool:
        """Whether there are no second derivatives to follow."""
        return self.smoothly and not (self.has_curvature and (self.linear or self.only_directions))

    @property
    def by_products(self) -> bool:
        """Whether Hessians are too large, or rows too sparse, for more than products with them."""
        return self.smoothly and self.linear and self.has_curvature and not self.has_hessians

    @property
    def a_pass(self) -> float:
        """The work of scores and their pull-back."""
        return 2.0 * (self.n_entries if self.is_sparse else self.n_rows * self.n_features) * self.n_outputs

    @property
    def hessian(self) -> float:
        """The work of the joint Hessian."""
        work = self.n_rows * self.width**2 * self.n_outputs * (self.n_outputs + 1) / 2
        if self.n_outputs > 1 and not self.convex:
            work += thresholds.EIGENVALUES * self.n_rows * self.n_outputs**3
        return work

    @property
    def factorises_by_class(self) -> bool:
        """Whether Hessians of a sample, one for every class, are worth their factorisations."""
        sampled = min(self.n_rows, thresholds.BY_CLASS_SAMPLES[1])
        return self.n_outputs * self.width**2 * (self.width + sampled) <= thresholds.MANY_CLASSES

    @cached_property
    def samples(self) -> tuple[int, int] | None:
        """Sizes of samples of tall data that has one output; None where all rows do."""
        return sample_sizes(self.n_rows, self.width) if self.n_outputs == 1 else None

    @property
    def has_hessians(self) -> bool:
        """Whether Hessians of all or some rows are formed, from rows that are written out."""
        if not (self.smoothly and self.linear and self.has_curvature and self.width <= thresholds.DENSE_PARAMETERS):
            return False
        if not self.is_sparse or not (self.convex or self.samples is None):
            return True
        few = self.convex and self.n_outputs == 1  # where products do as well
        return self.written_entries <= (thresholds.FEW_SPARSE_ENTRIES if few else thresholds.DENSE_ENTRIES)


def sample_sizes(n_rows: int, n_parameters: int) -> tuple[int, int] | None:
    """Sizes of a small and a large sample whose Hessians repay their cost; None where all rows do."""
    cost = thresholds.STEP_COST + n_parameters / thresholds.HESSIAN_COST
    large = float(thresholds.MORE_TIMES * n_parameters)
    digits = math.log(10) * thresholds.DIGITS
    for _ in range(ROUNDS):
        large = digits * n_rows / (math.log(max(large / n_parameters, 3.0)) ** 2 * cost)
    large = int(max(large, thresholds.FEW_TIMES * n_parameters, 2 * thresholds.FEWEST_ROWS))
    if large > n_rows * thresholds.LARGEST_SHARE:
        return None
    small = min(thresholds.MORE_TIMES * n_parameters, large / 4)
    return int(max(thresholds.FEWEST_TIMES * n_parameters, small, thresholds.FEWEST_ROWS)), large


def _sweeps_pay(model: Objective, x: np.ndarray) -> bool:
    """Whether sweeps over the duals of rows are faster than products with these, or than the exact solver alone."""
    rows = model.rows
    if has_exact_form(model):
        return Sweeping.suits(model, x) or JointSweeping.suits(model, x)
    if not Sweeping.suits(model, x):
        return False
    if rows.n_rows > thresholds.FEW_ROWS * rows.n_features:
        return False
    strengths = model.strengths[: model.n_weights]
    used = strengths > 0.0
    close = float(np.sum(model.parameters.variance[used] / strengths[used]))
    return close >= thresholds.CLOSE_ROWS * rows.n_rows
