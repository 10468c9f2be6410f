"""Which loss should I train with? Losses compared on the same folds, with a test of the difference."""

from .compare import compare_losses
from .result import LossComparison

__all__ = ["LossComparison", "compare_losses"]
