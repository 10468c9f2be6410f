"""Linear models for scikit-learn that take any loss and minimise it to a certified optimum."""

from . import losses
from .checks import check_loss
from .comparison import LossComparison, compare_losses
from .data import RowBlocks
from .displays import (
    CoefficientDisplay,
    ConvergenceDisplay,
    LossComparisonDisplay,
    LossCurveDisplay,
    RegularizationPathDisplay,
)
from .estimators import CosineClassifier, LinearRegressor, LogisticRegressor, SoftmaxClassifier
from .losses import *
from .path import RegularizationPath, regularization_path
from .versions import __version__ as __version__
from .versions import show_versions

__all__ = [
    "CoefficientDisplay",
    "ConvergenceDisplay",
    "CosineClassifier",
    "LinearRegressor",
    "LogisticRegressor",
    "LossComparison",
    "LossComparisonDisplay",
    "LossCurveDisplay",
    "RegularizationPath",
    "RegularizationPathDisplay",
    "RowBlocks",
    "SoftmaxClassifier",
    "check_loss",
    "compare_losses",
    "regularization_path",
    "show_versions",
    *losses.__all__,
]
