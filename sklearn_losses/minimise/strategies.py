"""solver="auto": one list of ways to minimise, each with what it suits and what it costs; the cheapest is taken.

Costs are multiplications, from the `Shape` of an objective alone. They rank the ways; they do not foresee times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..objective.objective import Objective
from ..objective.samples import RandomState
from ..objective.split import Split
from ..objective.triangle import has_triangle
from . import plans, thresholds
from .joint_sweeping import JointSweeping
from .plans import Array, Plan, Smooth
from .shape import Shape
from .sweeping import Sweeping


class Strategy(NamedTuple):
    """A way to minimise a smooth objective."""

    plan: Callable[[Smooth], Plan]
    suits: Callable[[Shape], bool]
    cost: Callable[[Shape], float]


def _by_products(shape: Shape) -> bool:
    return shape.linear and shape.has_curvature and not shape.has_hessians


STRATEGIES = [
    Strategy(
        plans.all_at_once,
        suits=lambda shape: shape.has_hessians,
        cost=lambda shape: thresholds.HESSIANS * shape.hessian,
    ),
    Strategy(
        plans.on_samples,
        suits=lambda shape: shape.has_hessians and shape.samples is not None,
        cost=lambda shape: thresholds.LARGEST_SHARE * thresholds.HESSIANS * shape.hessian,
    ),
    Strategy(
        plans.jointly,
        suits=lambda shape: shape.has_hessians and shape.n_outputs > 1,
        cost=lambda shape: thresholds.HESSIANS * thresholds.SMALL_HESSIAN + thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        plans.on_samples_by_class,
        suits=lambda shape: (
            shape.has_hessians
            and shape.n_outputs > 1
            and shape.factorises_by_class
            and shape.n_rows > 4 * thresholds.BY_CLASS_SAMPLES[1]
        ),
        cost=lambda shape: thresholds.HESSIANS * thresholds.SMALL_HESSIAN + thresholds.SAMPLED_PASSES * shape.a_pass,
    ),
    Strategy(
        plans.with_products,
        suits=_by_products,
        cost=lambda shape: thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        plans.swept,
        suits=lambda shape: _by_products(shape) and shape.sweeps_pay,
        cost=lambda shape: 0.5 * thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        plans.on_spheres,
        suits=lambda shape: shape.only_directions and shape.has_curvature,
        cost=lambda shape: thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        plans.gradients,
        suits=lambda shape: shape.by_gradients,
        cost=lambda shape: 2.0 * thresholds.JOINT_PASSES * shape.a_pass,
    ),
    Strategy(
        plans.scaled_gradients,
        suits=lambda shape: (
            shape.by_gradients and not shape.only_directions and shape.width <= thresholds.DENSE_PARAMETERS
        ),
        cost=lambda shape: thresholds.JOINT_PASSES * shape.a_pass,
    ),
]


def choose(shape: Shape) -> Strategy:
    """The cheapest way that suits an objective."""
    return min((one for one in STRATEGIES if one.suits(shape)), key=lambda one: one.cost(shape))


def plan(
    model: Objective,
    x: Array,
    *,
    convex: bool,
    tol: float | None,
    random_state: RandomState,
    precisely: bool = True,
) -> Plan:
    """How to minimise a smooth objective from x (`Smooth`)."""
    shape = Shape.of(model, x, convex=convex)
    return choose(shape).plan(Smooth(model, x, shape, tol, random_state, precisely))


def reduces(objective: Objective) -> bool:
    """Whether to solve in as many features as there are rows: these are few enough, and fewer than the features."""
    rows = objective.rows
    if rows.is_sparse and rows.n_rows**3 > thresholds.REDUCED_SPARSE_WORK * rows.n_entries:
        return False
    few = rows.n_rows <= thresholds.REDUCED_ROWS and rows.n_features > rows.n_rows
    return few and objective.penalty.spherical


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


def kinked_plan(model: Objective, split: Split, x: Array, most_passes: int) -> Sweeping | JointSweeping | None:
    """Sweeps to take before the exact solver, which goes on from their duals; None where it is faster alone."""
    few_features = model.rows.n_features < model.rows.n_rows
    passes = thresholds.FEW_KINKED_PASSES if few_features else thresholds.KINKED_PASSES
    if Sweeping.suits(model, x):
        return Sweeping(model, model.rows.csr(), min(passes, most_passes))
    if not model.rows.is_sparse:
        passes = min(thresholds.KINKED_PASSES, thresholds.JOINT_SWEEPS * _exact_solver_in_sweeps(split))
    if passes < thresholds.FEWEST_JOINT_PASSES or not JointSweeping.suits(model, x):
        return None
    return JointSweeping(model, split, min(passes, most_passes))


def _exact_solver_in_sweeps(split: Split) -> float:
    """How many sweeps over dense rows with a joint loss take as long as the exact solver, up to a factor."""
    size, few_rows = split.penalty.size, split.n_rows <= 2 * split.penalty.size
    # few rows all bend, and a loss of the largest violation then couples all classes; more rows take more steps
    width = size if split.together and few_rows else size // split.n_outputs
    return (1.0 if few_rows else 3.0) * (width + size**2 / (3.0 * split.n_rows))
