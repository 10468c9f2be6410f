"""Linear models for scikit-learn that take any loss and minimise it to a certified optimum."""

from . import losses
from .checks import check_loss
from .estimators import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from .losses import *
from .versions import __version__ as __version__
from .versions import show_versions

__all__ = ["LinearRegressor", "LogisticRegressor", "SoftmaxClassifier", "check_loss", "show_versions", *losses.__all__]
