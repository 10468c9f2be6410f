"""The three estimators: one objective, any loss."""

from .classifiers import LogisticRegressor, SoftmaxClassifier
from .regressor import LinearRegressor

__all__ = ["LinearRegressor", "LogisticRegressor", "SoftmaxClassifier"]
