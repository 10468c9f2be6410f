"""Smooth functions plus a penalty with a kink: Newton's method with such a penalty in its model, and its models."""

from .columns import Columns
from .proximal_newton import minimum_of_parabola, proximal_newton

__all__ = ["Columns", "minimum_of_parabola", "proximal_newton"]
