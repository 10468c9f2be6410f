"""Exact minimisation of piecewise-linear losses."""

from .minimiser import augmented_lagrangian

__all__ = ["augmented_lagrangian"]
