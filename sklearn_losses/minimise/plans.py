"""How each strategy is set up: a start, a method of `scipy.optimize.minimize`, and what that is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize

from ..certificates.sampled import SampledBound
from ..objective.directions import Directions, across
from ..objective.objective import Objective
from ..objective.points import Points
from ..objective.preconditioners import (
    TangentInverse,
    by_class_inverse,
    dense_inverse,
    diagonal_inverse,
    kronecker_inverse,
    typical_inverse,
)
from ..objective.samples import sample, thinned
from ..solvers import chained, newton, quasi_newton, truncated_newton
from . import thresholds
from .run import Run
from .shape import Shape
from .sweeping import Sweeping

Array = np.ndarray


@dataclass
class Plan:
    """A start and the arguments for `scipy.optimize.minimize`."""

    start: Array
    method: Callable
    derivatives: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    bound: SampledBound | None = None  # a better one than by the gradient
    points: Points | None = None  # where values and second derivatives share what a point has cost


class Kept:
    """A preconditioner that is made anew only after so many uses that a better one would have paid."""

    def __init__(self, make: Callable):
        self._make, self._applied = make, thresholds.PRODUCTS_PER_PRECONDITIONER

    def __call__(self, x):
        if self._applied >= thresholds.PRODUCTS_PER_PRECONDITIONER:
            self._inverse, self._applied = self._make(x), 0
        return self._apply

    def _apply(self, vector):
        self._applied += 1
        return self._inverse(vector)


def gradients(run: Run) -> Plan:
    """L-BFGS alone."""
    return Plan(run.start, quasi_newton)


def scaled_gradients(run: Run) -> Plan:
    """L-BFGS around a typical curvature, where there is none to see, or too strange a one."""
    typical = typical_inverse(run.sampled(thresholds.TYPICAL_TIMES * run.shape.width))
    options = {"preconditioner": lambda x, level: typical if level == 0 else None, "scaled": True}
    return Plan(run.start, quasi_newton, options=options)


def all_at_once(run: Run) -> Plan:
    """Newton's method with the whole Hessian, from where a sample of the rows leads."""
    model, x, shape = run.model, run.start, run.shape
    few = max(thresholds.FEW_TIMES * shape.width, thresholds.FEWEST_ROWS)
    if shape.n_outputs == 1 and shape.n_rows > thresholds.WORTH_A_SAMPLE * few:
        part = run.sampled(few)
        x = _on_sample(part, x, lambda x, level: _inverse(part, x, shape), thresholds.STATISTICAL * shape.width / few)

    keeps_scores = shape.convex and model.n_parameters > thresholds.FEW_PARAMETERS
    points = Points(model, convex=shape.convex, keeps_scores=keeps_scores)
    if keeps_scores:
        kept = Kept(lambda x: dense_inverse(points.hessian(x)))
        options = {"preconditioner": kept, "tol": thresholds.NEWTON_TOLERANCE}
        return Plan(x, truncated_newton, {"hessp": points.hessian_product}, options, points=points)

    last: dict = {"tol": thresholds.NEWTON_TOLERANCE}
    if shape.n_rows * model.n_parameters**2 < thresholds.LARGE_HESSIAN:
        return Plan(x, newton, points.second_derivatives, last, points=points)

    def preconditioner(x, level):
        return dense_inverse(points.hessian(x))

    first = {"preconditioner": preconditioner, "tol": thresholds.LINEAR_TOLERANCE, "maxiter": thresholds.QUICK_STEPS}
    links = {"links": [(quasi_newton, first), (newton, last)]}
    return Plan(x, chained, points.second_derivatives, links, points=points)


def on_samples(run: Run) -> Plan:
    """Tall data of one output: a small sample, a large one around its Hessian, and all rows around that of this."""
    sizes = run.shape.samples
    assert sizes is not None
    return _from_samples(run, sizes, lambda part, x: _inverse(part, x, run.shape))


def on_samples_by_class(run: Run) -> Plan:
    """Tall data of K classes: the same, around a Hessian that has a block for every class."""
    shape = run.shape

    def inverse(part, x):
        return by_class_inverse(part.hessian(x, convex=shape.convex))

    return _from_samples(run, thresholds.BY_CLASS_SAMPLES, inverse)


def jointly(run: Run) -> Plan:
    """K classes whose joint Hessian is too large to form often: products, preconditioned class by class."""
    model, shape = run.model, run.shape
    inverse_of = by_class_inverse if shape.factorises_by_class else kronecker_inverse
    part = run.sampled(thresholds.BY_CLASS_SAMPLES[1])
    points = Points(model, convex=shape.convex, keeps_scores=True)
    whole = part.rows is model.rows  # whose scores are at hand
    kept = Kept(lambda x: inverse_of(points.hessian(x) if whole else part.hessian(x, convex=shape.convex)))
    products = {"hessp": points.hessian_product}
    written = not shape.is_sparse or shape.written_entries <= thresholds.DENSE_ENTRIES
    if not written or model.n_parameters > thresholds.FACTORISED_PARAMETERS:
        return Plan(run.start, truncated_newton, products, {"preconditioner": kept}, points=points)

    # conjugate gradients lose their way among losses that have all but vanished
    first = {"preconditioner": kept, "maxiter": thresholds.MANY_STEPS}
    links = {"links": [(truncated_newton, first), (newton, {})]}
    return Plan(run.start, chained, points.second_derivatives, links, points=points)


def on_spheres(run: Run) -> Plan:
    """Directions: steps across them, preconditioned by every class's own block."""
    model, shape, parameters = run.model, run.shape, run.model.parameters
    assert isinstance(parameters, Directions)
    points = Points(model, keeps_scores=True)
    kept: Callable = lambda x: np.copy  # noqa: E731
    if shape.width <= thresholds.DENSE_PARAMETERS and shape.factorises_by_class:
        part = run.sampled(thresholds.BY_CLASS_SAMPLES[1])
        kept = Kept(lambda x: TangentInverse(part.hessian(x)))

    def preconditioner(x):
        directions, lengths = parameters.directions(x)
        inverse = kept(x)

        def apply(vector):
            tangent = across(directions, parameters.split(vector)[0]) * lengths
            return (across(directions, parameters.split(inverse(tangent.ravel()))[0]) * lengths).ravel()

        return apply

    def longest(x, direction):
        # the derivatives here know nothing of directions further away than half a right angle
        turned, lengths = parameters.split(direction)[0], parameters.directions(x)[1]
        return 1.0 / max(float(np.max(np.linalg.norm(turned / lengths, axis=1))), 1.0)

    options: dict = {"preconditioner": preconditioner, "longest": longest}
    if run.precisely and shape.n_rows * model.n_parameters**2 < thresholds.LARGE_HESSIAN:
        options |= {"accuracy": thresholds.ON_SPHERES_ACCURACY, "tol": thresholds.ON_SPHERES_TOLERANCE}
    # a cone stops Newton's steps; what gradients remember goes on along it
    links = {"links": [(truncated_newton, options), (quasi_newton, {})]}
    return Plan(run.start, chained, {"hessp": points.hessian_product}, links, points=points)


def with_products(run: Run) -> Plan:
    """Sparse rows, or very many features; where features are few beside the entries, a sample preconditions."""
    model, shape = run.model, run.shape
    points = Points(model, convex=shape.convex, keeps_scores=True)
    size = thresholds.FEW_TIMES * shape.width
    factorises = shape.width**3 <= thresholds.SAMPLED_PRECONDITIONER * shape.n_entries

    def by_diagonal(x):
        return diagonal_inverse(points.hessian(x))

    options: dict = {"preconditioner": by_diagonal, "accuracy": thresholds.SPARSE_ACCURACY}
    if shape.n_outputs == 1 and size * shape.width <= thresholds.DENSE_ENTRIES and factorises:
        part = run.sampled(size)
        # rows near their targets may have all the curvature, and the sample none of them
        options |= {"preconditioner": Kept(lambda x: _inverse(part, x, shape)), "simpler": by_diagonal}
    return Plan(run.start, truncated_newton, {"hessp": points.hessian_product}, options, points=points)


def swept(run: Run) -> Plan:
    """Sweeps over the duals of sparse rows; where they take long, products go on."""
    after = with_products(run)
    sweeping = Sweeping(run.model, run.model.rows.csr(), thresholds.SWEPT_PASSES)
    links = {"links": [(sweeping, {}), (after.method, after.options)]}
    return Plan(run.start, chained, after.derivatives, links, points=after.points)


def _inverse(part: Objective, x: Array, shape: Shape):
    return dense_inverse(part.hessian(x, convex=shape.convex))


def _from_samples(run: Run, sizes: tuple[int, int], inverse: Callable) -> Plan:
    model, x, task = run.model, run.start, run.task
    n_rows, width = run.shape.n_rows, run.shape.width
    large, weights = sample(model, sizes[1], task.random_state)
    small = thinned(large, sizes[0])
    share = thresholds.STATISTICAL * width
    x = _on_sample(small, x, lambda x, level: inverse(small, x), share / sizes[0])
    first = inverse(small, x)
    x = _on_sample(large, x, lambda x, level: first if level == 0 else inverse(large, x), share / sizes[1])

    nearly = inverse(large, x)

    def preconditioner(x, level):
        size = min(sizes[1] * 4**level, int(n_rows * thresholds.LARGEST_SHARE))
        return nearly if level == 0 else inverse(sample(model, size, task.random_state)[0], x)

    bound = SampledBound(model, large, weights, nearly, task.tol) if task.has_bound and task.loss.separable else None
    return Plan(x, quasi_newton, options={"preconditioner": preconditioner}, bound=bound)


def _on_sample(part: Objective, x: Array, preconditioner: Callable, tol: float) -> Array:
    options = {"preconditioner": preconditioner, "tol": tol}
    options |= {"patience": thresholds.SAMPLE_PATIENCE, "maxiter": thresholds.SAMPLE_STEPS}
    return minimize(part.value_and_gradient, x, jac=True, method=quasi_newton, options=options).x
