"""The estimators: one objective, any loss."""

from .classifiers import LogisticRegressor, SoftmaxClassifier
from .cosine import CosineClassifier
from .regressor import LinearRegressor

__all__ = ["CosineClassifier", "LinearRegressor", "LogisticRegressor", "SoftmaxClassifier"]
