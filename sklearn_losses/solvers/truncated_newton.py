"""Newton's method with conjugate gradients on Hessian products, for many sparse features."""

import numpy as np

from .descent import Descent
from .line_search import line_search

FLATTEN = 0.2  # a longer step costs an evaluation, which is less than another linear system
MISLED = 1e-3  # a first step of conjugate gradients so short: the preconditioner misses nearly all of the curvature
SHARE_OF_TARGET = 0.1  # the linear system needs no more digits than the tolerance asks for


def truncated_newton(
    fun,
    x0,
    args=(),
    *,
    jac=None,
    hess=None,
    hessp=None,
    callback=None,
    tol=1e-6,
    atol=0.0,
    maxiter=200,
    estimate=None,
    preconditioner=None,
    simpler=None,
    accuracy=0.1,
    max_products=250,
    longest=None,
    **unknown,
):
    """Minimise a smooth function by Newton's method with preconditioned conjugate gradients.

    A `scipy.optimize.minimize` method. The Newton system is solved until the preconditioned residual has
    fallen by `accuracy`, or until the gradient expected after the step would meet the tolerance. A direction
    of negative curvature ends the inner iteration with what has been found before it.

    Parameters
    ----------
    fun, x0, args, jac, callback
        As in `scipy.optimize.minimize`.
    hessp : callable
        ``hessp(x, v, *args)`` is the product of the Hessian at x with v, called many times at the same x.
    tol, atol : float
        Stop when the estimate of the gap is at most ``tol * |value| + atol``.
    maxiter : int
        Limit on the number of steps.
    estimate : callable, optional
        ``estimate(x, value, gradient)`` of the value minus the minimum, at best a bound; None or inf where
        there is none: then the Newton decrement decides.
    preconditioner : callable, optional
        ``preconditioner(x)`` returns a function that applies a symmetric positive definite approximation of
        the inverse Hessian at x to a vector; most often the division by its diagonal.
    simpler : callable, optional
        Another one, which takes its place for good where it turns out to miss nearly all of the curvature.
    accuracy : float
        Relative accuracy of the linear solves.
    max_products : int
        Limit on the products of one linear solve.
    longest : callable, optional
        ``longest(x, direction)`` is the longest step along a direction that is worth trying first, where the second
        derivatives at x say nothing about points far away.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With `nhessp`, the number of Hessian products, and `estimate`, of the gap at the end.
    """
    if hessp is None:
        raise ValueError("truncated_newton needs Hessian products: pass hessp, or use quasi_newton.")
    run = Descent(fun, x0, args, jac=jac, callback=callback, tol=tol, atol=atol, maxiter=maxiter, estimate=estimate)
    products = 0
    while run.status is None and not run.certified():
        start = run.point

        def solved(residual, size, first_size):
            # The residual is the gradient to expect after the step.
            expected = run.estimated(residual, 0.5 * size)
            return size <= accuracy**2 * first_size or expected <= SHARE_OF_TARGET * run.target

        def product(vector, x=start.x):
            return hessp(x, vector, *args)

        def solution(preconditioner, x=start.x, gradient=start.gradient):
            precondition = np.copy if preconditioner is None else preconditioner(x)
            return _newton_direction(product, gradient, precondition, solved, max_products)

        direction, used, share, left = solution(preconditioner)
        if share < MISLED and simpler is not None:
            products += used
            preconditioner, simpler = simpler, None
            direction, used, _, left = solution(preconditioner)
        products += used
        slope = float(direction @ start.gradient)
        if run.finished(-0.5 * slope, direction, left=0.5 * left):
            break
        first = 1.0 if longest is None else min(1.0, longest(start.x, direction))
        point, _ = line_search(run.evaluate, start, direction, slope, first=first, flatten=FLATTEN)
        if point is None:
            run.give_up(direction, slope)
        else:
            run.advance(point)
    return run.result(nhessp=products)


def _newton_direction(product, gradient, precondition, solved, max_products):
    """Conjugate gradients on ``H d = -gradient``: direction, number of products, first step's length, residual left."""
    direction = np.zeros_like(gradient)
    residual = gradient.copy()
    preconditioned = precondition(residual)
    search = -preconditioned
    size = first_size = float(residual @ preconditioned)
    first_share = np.inf
    for used in range(1, max_products + 1):
        image = product(search)
        curvature = float(search @ image)
        if not curvature > 0.0:
            return (search if used == 1 else direction), used, first_share, size
        share = size / curvature
        first_share = share if used == 1 else first_share
        direction += share * search
        residual += share * image
        preconditioned = precondition(residual)
        size, previous = float(residual @ preconditioned), size
        if solved(residual, size, first_size):
            break
        search *= size / previous
        search -= preconditioned
    return direction, used, first_share, size
