"""Pictures of losses, fits and comparisons, after scikit-learn's displays: ``from_...`` draws, ``plot`` draws again.

Every display keeps what it shows as attributes, ``plot(ax=None)`` sets ``ax_``, ``figure_`` and the artists, and
matplotlib is imported only there.
"""

from .coefficients import CoefficientDisplay
from .compared import LossComparisonDisplay
from .convergence import ConvergenceDisplay
from .loss_curves import LossCurveDisplay
from .path import RegularizationPathDisplay

__all__ = [
    "CoefficientDisplay",
    "ConvergenceDisplay",
    "LossComparisonDisplay",
    "LossCurveDisplay",
    "RegularizationPathDisplay",
]
