"""solver="auto": where to start, and one list of ways to minimise, of which the cheapest one that suits is taken.

Costs are multiplications, from the `Shape` of an objective alone. They rank the ways; they do not foresee times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..objective.objective import Objective
from ..objective.representer import apart
from ..objective.split import has_exact_form
from ..objective.triangle import has_triangle
from . import plans, starts, thresholds
from .exactly import fit_after_sweeps, fit_exactly
from .multipliers import fit_by_multipliers
from .over_features import fit_over_features
from .run import Run
from .shape import Shape
from .smoothly import fit_smoothly
from .task import Found

if TYPE_CHECKING:
    from .fit import Fitting

Array = np.ndarray

# The first place that there is.
STARTS = [starts.previous, starts.among_directions, starts.of_another_loss, starts.without_features]


class Strategy(NamedTuple):
    """A way to minimise an objective."""

    minimise: Callable[[Run], Found]
    suits: Callable[[Shape], bool]
    cost: Callable[[Shape], float]


@dataclass(frozen=True)
class Smoothly:
    """The way of a plan, for objectives that solvers can follow by gradients."""

    plan: Callable[[Run], plans.Plan]

    def __call__(self, run: Run) -> Found:
        return fit_smoothly(run, self.plan)


STRATEGIES = [
    Strategy(
        fit_exactly,
        suits=lambda shape: shape.exact_loss and not shape.kinked_penalty,
        cost=lambda shape: thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        fit_after_sweeps,
        suits=lambda shape: shape.exact_loss and not shape.kinked_penalty and shape.sweeps_pay,
        cost=lambda shape: 0.5 * thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        fit_by_multipliers,
        suits=lambda shape: shape.exact_loss and shape.kinked_penalty,
        cost=lambda shape: thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        fit_over_features,
        suits=lambda shape: shape.kinked_penalty and not shape.exact_loss,
        cost=lambda shape: thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        Smoothly(plans.all_at_once),
        suits=lambda shape: shape.has_hessians,
        cost=lambda shape: thresholds.HESSIANS * shape.hessian,
    ),
    Strategy(
        Smoothly(plans.on_samples),
        suits=lambda shape: shape.has_hessians and shape.samples is not None,
        cost=lambda shape: thresholds.LARGEST_SHARE * thresholds.HESSIANS * shape.hessian,
    ),
    Strategy(
        Smoothly(plans.jointly),
        suits=lambda shape: shape.has_hessians and shape.n_outputs > 1,
        cost=lambda shape: thresholds.HESSIANS * thresholds.SMALL_HESSIAN + thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        Smoothly(plans.on_samples_by_class),
        suits=lambda shape: (
            shape.has_hessians
            and shape.n_outputs > 1
            and shape.factorises_by_class
            and shape.n_rows > 4 * thresholds.BY_CLASS_SAMPLES[1]
        ),
        cost=lambda shape: thresholds.HESSIANS * thresholds.SMALL_HESSIAN + thresholds.SAMPLED_PASSES * shape.a_pass,
    ),
    Strategy(
        Smoothly(plans.with_products),
        suits=lambda shape: shape.by_products,
        cost=lambda shape: thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        Smoothly(plans.swept),
        suits=lambda shape: shape.by_products and shape.sweeps_pay,
        cost=lambda shape: 0.5 * thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        Smoothly(plans.on_spheres),
        suits=lambda shape: shape.only_directions and shape.has_curvature,
        cost=lambda shape: thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        Smoothly(plans.gradients),
        suits=lambda shape: shape.by_gradients,
        cost=lambda shape: 2.0 * thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        Smoothly(plans.scaled_gradients),
        suits=lambda shape: (
            shape.by_gradients and not shape.only_directions and shape.width <= thresholds.DENSE_PARAMETERS
        ),
        cost=lambda shape: thresholds.JOINT_PASSES * shape.a_pass,
    ),
]


def choose(shape: Shape) -> Strategy:
    """The cheapest way that suits an objective."""
    return min((one for one in STRATEGIES if one.suits(shape)), key=lambda one: one.cost(shape))


def start(fitting: Fitting) -> Array:
    """Where a fit starts."""
    return next(x for place in STARTS if (x := place(fitting)) is not None)


def reduces(objective: Objective) -> bool:
    """Whether to solve in as many features as there are rows: these are few enough, and fewer than the features."""
    rows = objective.rows
    wide = rows.n_rows <= thresholds.REDUCED_ROWS and rows.n_features > rows.n_rows
    if not (wide and objective.penalty.spherical and objective.parameters.linear):
        return False
    if not rows.is_sparse or rows.n_rows**3 <= thresholds.REDUCED_SPARSE_WORK * rows.n_entries:
        return True
    # the exact solver's products lead nowhere beside columns of very different sizes
    alone = objective.n_outputs == 1 and has_exact_form(objective)
    return alone and bool(apart(objective, rows.statistics()).size)


def goes_by_triangle(objective: Objective, n_fits: int) -> bool:
    """Whether so many fits of squared errors on tall rows in memory are worth a factorisation of these."""
    rows = objective.rows
    tall = rows.n_rows > thresholds.TRIANGLE_ROWS * (rows.n_features + 1)
    small = rows.n_rows * rows.n_features <= thresholds.TRIANGLE_ENTRIES
    return n_fits > thresholds.FEW_FITS and tall and small and has_triangle(objective)


def writes_out(objective: Objective) -> bool:
    """Whether to centre and scale the rows once, in a copy."""
    rows = objective.rows
    return not rows.is_sparse and rows.n_rows * rows.n_features <= thresholds.WRITTEN_ENTRIES
