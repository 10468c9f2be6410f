"""Minimisers, each a plain function with the signature of a custom `scipy.optimize.minimize` method.

They see numbers, never a loss: NumPy and SciPy are all they import.
"""

from .augmented_lagrangian import augmented_lagrangian
from .chained import chained
from .feature_sweeps import proximal_newton
from .gradient_descent import gradient_descent
from .newton import newton
from .quasi_newton import quasi_newton
from .row_sweeps import joint_sweeps, newton_sweeps, sweeps
from .truncated_newton import truncated_newton

__all__ = [
    "augmented_lagrangian",
    "chained",
    "gradient_descent",
    "joint_sweeps",
    "newton",
    "newton_sweeps",
    "proximal_newton",
    "quasi_newton",
    "sweeps",
    "truncated_newton",
]
