"""solver="auto" for smooth losses: which of our solvers, from where, measured in what."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize

from ..certificates.sampled import SampledBound
from ..objective.objective import Objective
from ..objective.parameters import Directions, across
from ..objective.points import Points
from ..objective.preconditioners import (
    TangentInverse,
    by_class_inverse,
    dense_inverse,
    diagonal_inverse,
    kronecker_inverse,
    typical_inverse,
)
from ..objective.samples import RandomState, sample, thinned
from ..solvers import chained, newton, quasi_newton, truncated_newton
from .sweeping import Sweeping

SMALL_HESSIAN = 3e7  # multiplications: below, one dense Hessian for K classes is cheaper than thinking twice
LARGE_HESSIAN = 2e6  # multiplications: beyond, one in single precision and more steps are faster than one every step
FEW_PARAMETERS = 300  # beyond, a Hessian takes as long as dozens of products with it
DENSE_PARAMETERS = 3_000  # a dense metric of more parameters is not factorised
DENSE_ENTRIES = 4e6  # sparse rows of more entries are not written out
FEW_SPARSE_ENTRIES = 5e4  # of which not even this many are: products with sparse rows are cheap
SAMPLED_METRIC = 160.0  # a metric from 10 p rows takes p^3 / 160 non-zeros' worth of products
MANY_CLASSES = 3e9  # multiplications: above, one factorisation a class costs more than it saves
PRODUCTS_PER_METRIC = 20  # of truncated Newton, whose linear solves make up for an old metric
SPARSE_ACCURACY = 0.03  # of Newton's equations, where a product costs no more than an evaluation
MANY_STEPS = 40  # of truncated Newton, which most often takes five to fifteen
FACTORISED_PARAMETERS = 2_000  # up to which a joint Hessian is factorised after these
EIGENVALUES = 10.0  # multiplications for K^3 that the eigenvalues of a row's Hessian take
QUICK_STEPS, LINEAR_TOLERANCE = 12, 1e-14  # of L-BFGS before Newton, which has no quadratic convergence to count on
NEWTON_TOLERANCE = 1e-10  # a step or two more end near machine precision, where weights equal repetition
ON_SPHERES_ACCURACY, ON_SPHERES_TOLERANCE = 1e-3, 1e-20  # steps are cheap: down to where weights equal repetition

# A sample's optimum is as good as its size; what follows balances passes over all rows against Hessians of samples.
DIGITS = 5.0  # decimal digits of the gap that the passes over all rows have to gain
HESSIAN_COST = 33.0  # a row of a Hessian over p features costs p / 33 rows of a pass
STATISTICAL = 0.05  # of parameters over rows: accuracy beyond it is lost in the sample's own error
FEWEST_ROWS, WORTH_A_SAMPLE = 500, 4  # rows of a sample, and how many times as many it should save
BY_CLASS_SAMPLES = (1_000, 8_000)


# Sweeps over the duals of sparse rows, by the time they take beside that of truncated Newton for cross-entropy on text,
# one-hot fields and random rows, 500 to 100,000 of them, C from 0.01 to 10,000: 0.5 to 1.3, but up to 3 with more rows.
FEW_ROWS = 0.5  # for every feature
CLOSE_ROWS = 0.5  # the mean of |row|^2 over the penalty and n: below, the duals are next to the slopes at the start
KINKED_PASSES = 300.0
SWEPT_PASSES = 100.0  # which the slowest of those runs took; then truncated Newton goes on


@dataclass
class Plan:
    """A start and the arguments for `scipy.optimize.minimize`."""

    start: np.ndarray
    method: Callable
    derivatives: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    bound: SampledBound | None = None  # a better one than by the gradient
    points: Points | None = None  # where values and second derivatives share what a point has cost


def plan(
    model: Objective,
    x: np.ndarray,
    *,
    convex: bool,
    tol: float | None,
    random_state: RandomState,
    precisely: bool = True,
) -> Plan:
    """How to minimise a smooth objective from x; to prove a gap of tol, relative to F, where that is not None.

    Where that is cheap more digits are found than were asked for; not if it need not be done ``precisely``.
    """
    rows, n_outputs = model.rows, model.n_outputs
    n_rows, width = rows.n_rows, rows.n_features + 1
    if model.parameters.only_directions:
        return _on_spheres(model, x, random_state=random_state, precisely=precisely)
    if not model.parameters.linear:
        return Plan(x, quasi_newton, options=_typically(model, random_state) if width <= DENSE_PARAMETERS else {})
    if width > DENSE_PARAMETERS:
        if not model.composition.has_curvature:
            return Plan(x, quasi_newton)
        return _with_products(model, x, convex=convex, random_state=random_state)
    if not model.composition.has_curvature:
        return Plan(x, quasi_newton, options=_typically(model, random_state))
    work = n_rows * width**2 * n_outputs * (n_outputs + 1) / 2
    sizes = sample_sizes(n_rows, width) if n_outputs == 1 else None
    written_out = FEW_SPARSE_ENTRIES if convex and n_outputs == 1 else DENSE_ENTRIES
    if rows.is_sparse and n_rows * width > written_out and (convex or sizes is None):
        return _with_products(model, x, convex=convex, random_state=random_state)
    if n_outputs > 1 and not convex:
        work += EIGENVALUES * n_rows * n_outputs**3
    if n_outputs > 1 and work > SMALL_HESSIAN:
        return _jointly(model, x, tol, convex=convex, random_state=random_state)

    def inverse(part, x):
        return dense_inverse(part.hessian(x, convex=convex))

    if sizes is not None:
        return _from_samples(model, x, sizes, inverse, tol, random_state)
    few = max(10 * width, FEWEST_ROWS)
    if n_outputs == 1 and n_rows > WORTH_A_SAMPLE * few:
        part, _ = sample(model, few, random_state)
        x = _on_sample(part, x, lambda x, level: inverse(part, x), STATISTICAL * width / few)
    return _all_at_once(model, x, convex=convex)


def sample_sizes(n_rows: int, n_parameters: int) -> tuple[int, int] | None:
    """Sizes of a small and a large sample whose Hessians repay their cost; None where all rows do."""
    cost = 2.5 + n_parameters / HESSIAN_COST
    large = 20.0 * n_parameters
    for _ in range(20):
        large = math.log(10) * DIGITS * n_rows / (math.log(max(large / n_parameters, 3.0)) ** 2 * cost)
    large = int(max(large, 10 * n_parameters, 2 * FEWEST_ROWS))
    if large > n_rows / 4:
        return None
    return int(max(5 * n_parameters, min(20 * n_parameters, large / 4), FEWEST_ROWS)), large


def _all_at_once(model: Objective, x: np.ndarray, *, convex: bool) -> Plan:
    points = Points(model, convex=convex, keeps_scores=convex and model.n_parameters > FEW_PARAMETERS)
    if points.keeps_scores:
        kept = Kept(lambda x: dense_inverse(points.hessian(x)), PRODUCTS_PER_METRIC)
        options = {"preconditioner": kept, "tol": NEWTON_TOLERANCE}
        return Plan(x, truncated_newton, {"hessp": points.hessian_product}, options, points=points)

    last: dict = {"tol": NEWTON_TOLERANCE}
    if model.rows.n_rows * model.n_parameters**2 < LARGE_HESSIAN:
        return Plan(x, newton, {"hess": points.dense_hessian}, last)

    def metric(x, level):
        return dense_inverse(points.hessian(x))

    first = {"metric": metric, "tol": LINEAR_TOLERANCE, "maxiter": QUICK_STEPS}
    return Plan(x, chained, {"hess": points.dense_hessian}, {"links": [(quasi_newton, first), (newton, last)]})


def _jointly(model: Objective, x: np.ndarray, tol: float | None, *, convex: bool, random_state: RandomState) -> Plan:
    """K classes whose joint Hessian is too large to form often."""
    rows, n_outputs = model.rows, model.n_outputs
    width = rows.n_features + 1
    factorising = n_outputs * width**2 * (width + min(rows.n_rows, BY_CLASS_SAMPLES[1]))
    by_class = factorising <= MANY_CLASSES

    def inverse_of(hessian):
        return by_class_inverse(hessian) if by_class else kronecker_inverse(hessian)

    def inverse(part, x):
        return inverse_of(part.hessian(x, convex=convex))

    if rows.n_rows > 4 * BY_CLASS_SAMPLES[1] and by_class:
        return _from_samples(model, x, BY_CLASS_SAMPLES, inverse, tol, random_state)
    part = _all_or_some(model, BY_CLASS_SAMPLES[1], random_state)
    points = Points(model, convex=convex, keeps_scores=True)
    whole = part.rows is model.rows  # whose scores are at hand
    kept = Kept(lambda x: inverse_of(points.hessian(x)) if whole else inverse(part, x), PRODUCTS_PER_METRIC)
    products = {"hessp": points.hessian_product}
    written = not rows.is_sparse or rows.n_rows * width <= DENSE_ENTRIES
    if not written or model.n_parameters > FACTORISED_PARAMETERS:
        return Plan(x, truncated_newton, products, {"preconditioner": kept}, points=points)

    # conjugate gradients lose their way among losses that have all but vanished
    first = {"preconditioner": kept, "maxiter": MANY_STEPS}
    links = {"links": [(truncated_newton, first), (newton, {})]}
    return Plan(x, chained, products | {"hess": points.dense_hessian}, links, points=points)


def _on_spheres(model: Objective, x: np.ndarray, *, random_state: RandomState, precisely: bool) -> Plan:
    """Directions: steps across them, in the metric of every class's own block."""
    width, parameters = model.rows.n_features, model.parameters
    assert isinstance(parameters, Directions)
    if not model.composition.has_curvature:
        return Plan(x, quasi_newton)
    points = Points(model, keeps_scores=True)
    by_class = model.n_outputs * width**2 * (width + min(model.rows.n_rows, BY_CLASS_SAMPLES[1])) <= MANY_CLASSES
    kept: Callable = lambda x: np.copy  # noqa: E731
    if width <= DENSE_PARAMETERS and by_class:
        part = _all_or_some(model, BY_CLASS_SAMPLES[1], random_state)
        kept = Kept(lambda x: TangentInverse(part.hessian(x)), PRODUCTS_PER_METRIC)

    def metric(x):
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

    options: dict = {"preconditioner": metric, "longest": longest}
    if precisely and model.rows.n_rows * model.n_parameters**2 < LARGE_HESSIAN:
        options |= {"accuracy": ON_SPHERES_ACCURACY, "tol": ON_SPHERES_TOLERANCE}
    # a cone stops Newton's steps; what gradients remember goes on along it
    links = {"links": [(truncated_newton, options), (quasi_newton, {})]}
    return Plan(x, chained, {"hessp": points.hessian_product}, links, points=points)


def _typically(model: Objective, random_state: RandomState) -> dict:
    """Options of `quasi_newton` in the metric of a typical curvature."""
    typical = typical_inverse(_all_or_some(model, 40 * (model.rows.n_features + 1), random_state))
    return {"metric": lambda x, level: typical if level == 0 else None, "scaled": True}


def _all_or_some(model: Objective, size: int, random_state: RandomState) -> Objective:
    """The model written out, over a sample of its rows where it has more than so many."""
    return model.written() if model.rows.n_rows <= size else sample(model, size, random_state)[0]


def _with_products(model: Objective, x: np.ndarray, *, convex: bool, random_state: RandomState) -> Plan:
    """Sparse rows, or very many features; where features are few beside the entries, in the metric of a sample."""
    rows, width = model.rows, model.rows.n_features + 1
    size = 10 * width
    points = Points(model, convex=convex, keeps_scores=True)

    def diagonal(x):
        return diagonal_inverse(points.hessian(x))

    metric: Callable = diagonal
    if model.n_outputs == 1 and size * width <= DENSE_ENTRIES and width**3 <= SAMPLED_METRIC * rows.n_entries:
        part = _all_or_some(model, size, random_state)
        metric = Kept(lambda x: dense_inverse(part.hessian(x, convex=convex)), PRODUCTS_PER_METRIC)
    options = {"preconditioner": metric, "accuracy": SPARSE_ACCURACY}
    products = {"hessp": points.hessian_product}
    if convex and _sweeps_pay(model, x):
        links = {"links": [(Sweeping(model, rows.csr(), SWEPT_PASSES), {}), (truncated_newton, options)]}
        return Plan(x, chained, products, links, points=points)
    return Plan(x, truncated_newton, products, options, points=points)


def kinked_plan(model: Objective, x: np.ndarray) -> Sweeping | None:
    """Sweeps to take before the exact solver, which goes on from their duals; None where it is faster alone."""
    if not Sweeping.suits(model, x):
        return None
    matrix = model.rows.csr()
    return None if matrix is None else Sweeping(model, matrix, KINKED_PASSES)


def _sweeps_pay(model: Objective, x: np.ndarray) -> bool:
    """Whether sweeps over the duals of sparse rows are faster than products with them."""
    rows = model.rows
    if not Sweeping.suits(model, x) or rows.n_rows > FEW_ROWS * rows.n_features:
        return False
    strengths = model.strengths[: model.n_weights]
    used = strengths > 0.0
    return float(np.sum(model.parameters.variance[used] / strengths[used])) >= CLOSE_ROWS * rows.n_rows


class Kept:
    """A metric that is made anew only after it has been applied so often that a better one would have paid."""

    def __init__(self, make: Callable, times: int):
        self._make, self._times, self._applied = make, times, times

    def __call__(self, x):
        if self._applied >= self._times:
            self._metric, self._applied = self._make(x), 0
        return self._apply

    def _apply(self, vector):
        self._applied += 1
        return self._metric(vector)


def _from_samples(model: Objective, x: np.ndarray, sizes: tuple[int, int], inverse, tol, random_state) -> Plan:
    """Tall data: a small sample, a large one in its metric, then all rows in the metric of the large one."""
    n_rows, width = model.rows.n_rows, model.rows.n_features + 1
    large, weights = sample(model, sizes[1], random_state)
    small = thinned(large, sizes[0])
    x = _on_sample(small, x, lambda x, level: inverse(small, x), STATISTICAL * width / sizes[0])
    first = inverse(small, x)
    x = _on_sample(
        large, x, lambda x, level: first if level == 0 else inverse(large, x), STATISTICAL * width / sizes[1]
    )

    nearly = inverse(large, x)

    def metric(x, level):
        # a quarter of the rows at most: a sample is a copy
        size = min(sizes[1] * 4**level, n_rows // 4)
        return nearly if level == 0 else inverse(sample(model, size, random_state)[0], x)

    bound = SampledBound(model, large, weights, nearly, tol) if tol is not None else None
    return Plan(x, quasi_newton, options={"metric": metric}, bound=bound)


def _on_sample(part: Objective, x: np.ndarray, metric, tol: float) -> np.ndarray:
    options = {"metric": metric, "tol": tol, "patience": 3.0, "maxiter": 100}
    return minimize(part.value_and_gradient, x, jac=True, method=quasi_newton, options=options).x
