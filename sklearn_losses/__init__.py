"""Linear models for scikit-learn that take any loss and minimise it to a certified optimum."""

from . import losses
from .checks import check_loss
from .estimators import LinearRegressor, LogisticRegressor, SoftmaxClassifier
from .losses import *

__version__ = "0.1.0"

__all__ = ["LinearRegressor", "LogisticRegressor", "SoftmaxClassifier", "check_loss", *losses.__all__]
