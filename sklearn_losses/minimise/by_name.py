"""SciPy's own methods by name: what each of them needs, and the options that let our stopping rule decide."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches

from scipy.optimize import OptimizeResult, minimize

from ..objective.points import Points

EVALUATIONS = 20  # for every iteration, as SciPy's line searches take at most
IN_SWEEPS = ("nelder-mead", "cobyla", "cobyqa")  # whose iterations are so small that a sweep of them counts as one
NEVER = 1e-14  # tolerances that leave the decision to the callback

# method: (what it needs, its options for the iteration limit and for tolerances)
METHODS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "nelder-mead": ("value", ("maxiter", "maxfev"), ("xatol", "fatol")),
    "powell": ("value", ("maxiter", "maxfev"), ("xtol", "ftol")),
    "cobyla": ("value", ("maxiter",), ("tol",)),
    "cobyqa": ("value", ("maxfev",), ("final_tr_radius",)),  # its callback hears of every evaluation
    "cg": ("gradient", ("maxiter",), ("gtol",)),
    "bfgs": ("gradient", ("maxiter",), ("gtol",)),
    "l-bfgs-b": ("gradient", ("maxiter", "maxfun"), ("gtol", "ftol")),
    "tnc": ("gradient", ("maxfun",), ("gtol", "ftol", "xtol")),
    "slsqp": ("gradient", ("maxiter",), ("ftol",)),
    "newton-cg": ("product", ("maxiter",), ("xtol",)),
    "trust-ncg": ("product", ("maxiter",), ("gtol",)),
    "trust-krylov": ("product", ("maxiter",), ("gtol",)),
    "trust-constr": ("product", ("maxiter",), ("gtol", "xtol")),
    "dogleg": ("hessian", ("maxiter",), ("gtol",)),
    "trust-exact": ("hessian", ("maxiter",), ("gtol",)),
}

SPELLED = (
    *("Nelder-Mead", "Powell", "COBYLA", "COBYQA", "CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", "Newton-CG"),
    *("trust-ncg", "trust-krylov", "trust-constr", "dogleg", "trust-exact"),
)


def check_method(name: str) -> None:
    """Raise a ValueError unless SciPy's `minimize` has a method of this name."""
    if name.lower() not in METHODS:
        letters = {solver.replace("-", "").lower(): solver for solver in (*SPELLED, "gradient-descent", "auto")}
        near = get_close_matches(re.sub("[^a-z]", "", name.lower()), letters, n=1)
        hint = f" Did you mean {letters[near[0]]!r}?" if near else ""
        raise ValueError(
            f"The 'solver' parameter must be 'auto', 'gradient-descent', a callable, or a method of "
            f"scipy.optimize.minimize: {', '.join(sorted(METHODS))}. Got {name!r} instead.{hint}"
        )


def minimize_by_name(name, model, fun, x, *, convex, callback, tol, max_iter) -> OptimizeResult:
    """Run one of SciPy's methods on a model in conditioned coordinates.

    Parameters
    ----------
    name : str
        The method's name.
    model : Objective
        In conditioned parameters; for Hessians and products.
    fun : callable
        Value and gradient.
    x : ndarray
        Start.
    convex : bool
        Whether the loss is, in the scores.
    callback : callable
        Called with every iterate, or once a sweep; it stops the run by StopIteration.
    tol : float
        Tolerance for the method itself.
    max_iter : int
        Iteration limit; for methods without gradients a limit on sweeps, of as many steps as there are parameters.

    Raises
    ------
    ValueError
        When the method cannot run this problem; the message says why.
    """
    needs, limits, tolerances = METHODS[name.lower()]
    if needs in ("product", "hessian") and not model.composition.has_curvature:
        raise ValueError(
            f"solver={name!r} needs second derivatives, and {model.loss} has no curvature(y, prediction). "
            "Use 'auto' or a method that needs gradients only, such as 'L-BFGS-B'."
        )
    if name.lower() == "dogleg" and not convex:
        raise ValueError(
            f"solver='dogleg' needs a positive definite Hessian, and {model.loss} is not convex in the "
            "scores. Use 'auto', 'trust-exact' or 'L-BFGS-B'."
        )
    steps = len(x) if name.lower() in IN_SWEEPS else 1
    own_limit = name.lower() not in ("tnc", "cobyla")  # releases of the latter differ by a step
    counted = Counted(callback, steps, None if own_limit else max_iter * steps)
    options: dict[str, float] = dict.fromkeys(limits, max_iter * steps)
    if limits[-1] != "maxiter" and name.lower() != "cobyqa":
        options[limits[-1]] = EVALUATIONS * max_iter * (len(x) if needs == "value" else 1)
    if name.lower() == "cobyla":
        options["maxiter"] = max(options["maxiter"], len(x) + 2)  # that it needs to begin
    options |= dict.fromkeys(tolerances, tol)
    points = Points(model)
    by_need: dict[str, dict] = {
        "value": {},
        "gradient": {"jac": True},
        "product": {"jac": True, "hessp": points.hessian_product},
        "hessian": {"jac": True, "hess": points.dense_hessian},
    }
    derivatives = by_need[needs]
    objective = fun if derivatives else lambda point: fun(point)[0]
    try:
        return minimize(objective, x, method=name, callback=counted, options=options, **derivatives)
    except ValueError as error:
        if "infs or NaNs" in str(error):
            raise ValueError(
                f"solver={name!r} came upon second derivatives of {model.loss} that are not finite. Use 'auto' or "
                "'L-BFGS-B', rescale X or y, or examine the loss with sklearn_losses.check_loss."
            ) from error
        if "Unknown solver" not in str(error):
            raise
        raise ValueError(f"The installed SciPy has no method {name!r}; it came with a later release.") from error
    except StopIteration:  # TNC lets it through
        status, message = (3, "The iteration limit was reached.") if counted.is_over else (99, "The callback stopped.")
        return OptimizeResult(x=x, status=status, success=False, nit=counted.n_steps, message=message)


class Counted:
    """A callback that is told once in so many steps, and ends a method that has no limit on them.

    Parameters
    ----------
    callback : callable
        Who is told.
    steps : int
        Of how many steps each time.
    limit : int or None
        How many steps there may be.
    """

    def __init__(self, callback: Callable, steps: int, limit: int | None):
        self._callback, self._steps, self._limit = callback, steps, limit
        self.n_steps = 0
        self.is_over = False

    def __call__(self, intermediate_result):
        self.n_steps += 1
        if (self.n_steps - 1) % self._steps == 0:
            self._callback(intermediate_result)
        self.is_over = self.n_steps == self._limit
        if self.is_over:
            raise StopIteration
