"""Whole regularisation paths: one model for every strength of the penalty, each certified."""

from .regularization import regularization_path
from .result import RegularizationPath

__all__ = ["RegularizationPath", "regularization_path"]
