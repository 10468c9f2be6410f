"""How solvers end, in five words; a row for every method, whose codes mean what its library says they mean."""

from __future__ import annotations

from enum import Enum

from scipy.optimize import OptimizeResult

from ..solvers import descent


class Ending(Enum):
    """What a solver says of its end."""

    CONVERGED = "converged"
    LIMIT = "limit"
    ROUNDING = "rounding"
    STOPPED = "stopped"
    FAILED = "failed"


CONVERGED, LIMIT, ROUNDING, STOPPED, FAILED = Ending
_TRUST_REGION = {0: CONVERGED, 1: LIMIT, 2: ROUNDING, 3: FAILED}

OURS = {
    descent.CONVERGED: CONVERGED,
    descent.MAXITER: LIMIT,
    descent.ROUNDING: ROUNDING,
    descent.NO_DECREASE: FAILED,
    descent.NOT_FINITE: FAILED,
    descent.DIVERGED: FAILED,
    descent.CALLBACK: STOPPED,
}

# a code that is not here is a failure, unless the result says success
METHODS: dict[str, dict[int, Ending]] = {
    "nelder-mead": {0: CONVERGED, 1: LIMIT, 2: LIMIT},
    "powell": {0: CONVERGED, 1: LIMIT, 2: LIMIT},
    "cobyla": {2: LIMIT, 3: LIMIT, 7: ROUNDING, 20: LIMIT, 30: STOPPED},
    "cobyqa": {0: CONVERGED, 1: CONVERGED, 3: STOPPED, 5: LIMIT, 6: LIMIT},
    "cg": {0: CONVERGED, 1: LIMIT, 2: ROUNDING},
    "bfgs": {0: CONVERGED, 1: LIMIT, 2: ROUNDING},
    "newton-cg": {0: CONVERGED, 1: LIMIT, 2: ROUNDING},
    "l-bfgs-b": {0: CONVERGED, 1: LIMIT, 2: ROUNDING},  # 2 is "abnormal": its line search found no lower value
    "tnc": {0: CONVERGED, 1: CONVERGED, 2: CONVERGED, 3: LIMIT, 4: ROUNDING, 6: ROUNDING, 7: STOPPED},
    "slsqp": {0: CONVERGED, 8: ROUNDING, 9: LIMIT},
    "dogleg": _TRUST_REGION,
    "trust-ncg": _TRUST_REGION,
    "trust-krylov": _TRUST_REGION,
    "trust-exact": _TRUST_REGION,
    "trust-constr": {0: LIMIT, 1: CONVERGED, 2: CONVERGED, 3: STOPPED},
}


def ending(result: OptimizeResult, method: str | None = None) -> Ending:
    """What a result of one of our solvers, of SciPy's method of that name, or of a user's callable ("") says."""
    status = result.get("status")
    if status == descent.CALLBACK:  # SciPy's code for it too
        return STOPPED
    codes = OURS if method is None else METHODS.get(method.lower(), {})
    found = codes.get(status) if isinstance(status, int) else None
    return found or (CONVERGED if result.get("success") else FAILED)
