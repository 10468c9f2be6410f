"""Smooth functions plus a penalty with a kink: Newton's method with such a penalty in its model, and its models."""

from .proximal_newton import proximal_newton

__all__ = ["proximal_newton"]
