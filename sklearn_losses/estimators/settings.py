"""The parameters of an estimator: checked, with errors that say what, why and what to do instead."""

from __future__ import annotations

from functools import partial
from numbers import Integral

import numpy as np

from ..losses.base import is_real


def check_fit_parameters(estimator) -> None:
    """Raise a ValueError that names a parameter of the fit that is out of its range."""
    demand = partial(_demand, estimator)
    tol, max_iter, solver, seed = estimator.tol, estimator.max_iter, estimator.solver, estimator.random_state
    demand("tol", is_real(tol) and 0 <= tol < np.inf, "a finite number >= 0")
    demand("max_iter", isinstance(max_iter, Integral) and int(max_iter) >= 1, "an integer >= 1")
    demand("warm_start", isinstance(estimator.warm_start, bool | np.bool_), "a bool")
    demand(
        "verbose",
        isinstance(estimator.verbose, bool | Integral) and int(estimator.verbose) >= 0,
        "an integer >= 0",
    )
    demand(
        "random_state",
        seed is None
        or isinstance(seed, np.random.RandomState)
        or seed is np.random
        or (isinstance(seed, Integral) and 0 <= int(seed) < 2**32),
        "an integer from 0 to 2**32 - 1, a numpy.random.RandomState or None",
    )
    demand(
        "solver",
        isinstance(solver, str) or callable(solver),
        "'auto', 'gradient-descent', the name of a scipy.optimize.minimize method, or a callable",
    )


def check_penalty(estimator) -> None:
    """Raise a ValueError where the penalty or the intercept is not what it may be."""
    alpha = estimator.alpha
    _demand(estimator, "alpha", is_real(alpha) and 0 <= alpha < np.inf, "a finite number >= 0")
    _demand(estimator, "fit_intercept", isinstance(estimator.fit_intercept, bool | np.bool_), "a bool")
    ratio, factor = estimator.l1_ratio, estimator.penalty_factor
    _demand(estimator, "l1_ratio", is_real(ratio) and 0 <= ratio <= 1, "a number from 0 to 1")
    for name in ("positive", "grouped"):
        _demand(estimator, name, isinstance(getattr(estimator, name, False), bool | np.bool_), "a bool")
    if factor is not None:
        try:
            factors = np.asarray(factor)
        except ValueError:  # lists of several lengths
            factors = np.asarray(None)
        valid = (
            factors.dtype.kind in "iufb" and factors.ndim == 1 and bool((np.isfinite(factors) & (factors >= 0)).all())
        )
        _demand(estimator, "penalty_factor", valid, "None or an array of finite numbers >= 0, one a feature")
    if getattr(estimator, "grouped", False) and ratio == 0:
        raise ValueError(
            f"grouped=True of {type(estimator).__name__} does nothing with l1_ratio=0: squares have no groups. Set "
            "l1_ratio > 0, or grouped=False."
        )
    _check_solver_of_penalty(estimator)


def _check_solver_of_penalty(estimator) -> None:
    """Raise a ValueError where the penalty has kinks or bounds that the solver would not see."""
    bounds = getattr(estimator, "positive", False)
    kinks = estimator.alpha > 0 and estimator.l1_ratio > 0
    if (bounds or kinks) and estimator.solver != "auto":
        part = "positive=True bounds the weights" if bounds else f"l1_ratio={estimator.l1_ratio!r} has a kink at zero"
        raise ValueError(
            f"solver={estimator.solver!r} of {type(estimator).__name__} follows gradients, and {part}, where there are "
            "none: its weights would not be zero, nor its minimum one. Use solver='auto'."
        )


def check_factors(estimator, n_features: int) -> None:
    """Raise a ValueError where there is not one penalty factor a feature."""
    factor = estimator.penalty_factor
    if factor is not None and len(factor) != n_features:
        raise ValueError(
            f"penalty_factor of {type(estimator).__name__} has {len(factor)} numbers, but X has {n_features} features: "
            "give one a feature."
        )


def _demand(estimator, parameter: str, valid: bool, wanted: str) -> None:
    if not valid:
        raise ValueError(
            f"The {parameter!r} parameter of {type(estimator).__name__} must be {wanted}. "
            f"Got {getattr(estimator, parameter)!r} instead."
        )
