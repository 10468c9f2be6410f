"""Several methods one after the other."""

from .descent import CALLBACK


def chained(fun, x0, args=(), *, links, maxiter=1000, **options):
    """Minimise by one method after the other, each from where the last one ended, until one succeeds.

    A `scipy.optimize.minimize` method, for a fast method that may fail before a sure one.

    Parameters
    ----------
    fun, x0, args
        As in `scipy.optimize.minimize`.
    links : list of (method, options)
        The methods, with options of their own; ``maxiter`` among them limits the steps of that method.
    maxiter : int
        Limit on the number of steps together.
    **options
        Passed to all methods.

    Returns
    -------
    scipy.optimize.OptimizeResult
        That of the last method that ran, with the counts of all.
    """
    nit = nfev = 0
    for method, own in links:
        left = maxiter - nit
        result = method(fun, x0, args, **options | own | {"maxiter": min(left, own.get("maxiter", left))})
        nit, nfev, x0 = nit + result.nit, nfev + result.nfev, result.x
        if result.success or result.status == CALLBACK:
            break
    result.nit, result.nfev, result.njev = nit, nfev, nfev
    return result
