"""Activations: the factor dp/dz of the chain rule, from scores to predictions.

A new link is a class here; losses that are convex through it say so in ``convex_through``.
"""

from .base import Activation, Link
from .curvature import Blocks, ByProducts, Centred, Covariance, Curvature, Diagonal, absolute
from .elementwise import Elementwise, Exp, Identity
from .softmax import LogSoftmax, Softmax
from .two_classes import ComplementaryLogLog, LogComplementaryLogLog, LogProbit, LogSigmoid, Probit, Sigmoid

__all__ = [
    "Activation",
    "Blocks",
    "ByProducts",
    "Centred",
    "ComplementaryLogLog",
    "Covariance",
    "Curvature",
    "Diagonal",
    "Elementwise",
    "Exp",
    "Identity",
    "Link",
    "LogComplementaryLogLog",
    "LogProbit",
    "LogSigmoid",
    "LogSoftmax",
    "Probit",
    "Sigmoid",
    "Softmax",
    "absolute",
]
