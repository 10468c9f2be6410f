"""The losses: what to minimise, apart from how scores are made and who minimises.

A new loss is a class in one of the families' files and its row in `LOSSES`.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from .base import Loss
from .cosine import AMSoftmax, ArcFace, CosineLoss
from .deviance import Gamma, Poisson, Tweedie
from .errors import AbsoluteError, Huber, LogCosh, SquaredError
from .lengths import LSoftmax
from .margin import Exponential, Hinge, LeastSquares, ModifiedHuber, SquaredHinge
from .regression import EpsilonInsensitive, PercentageError, Quantile, SquaredEpsilonInsensitive
from .root_mean import RootMeanSquaredError
from .scorer import LossScorer
from .soft_margin import SoftMargin
from .sphere import SphereFace
from .true_class import CrossEntropy, Focal, GeneralizedCrossEntropy, KLDivergence
from .zero_one import ZeroOne

LOSSES: dict[type[Loss], tuple[str, ...]] = {
    CrossEntropy: ("cross_entropy", "ce", "log_loss"),
    KLDivergence: ("kl_divergence", "kl"),
    Focal: ("focal",),
    GeneralizedCrossEntropy: ("generalized_cross_entropy", "gce"),
    SquaredError: ("squared_error", "mse", "brier"),
    AbsoluteError: ("absolute_error", "mae"),
    Huber: ("huber",),
    LogCosh: ("log_cosh",),
    Hinge: ("hinge",),
    SquaredHinge: ("squared_hinge",),
    ModifiedHuber: ("modified_huber",),
    Exponential: ("exponential",),
    LeastSquares: ("least_squares",),
    SoftMargin: ("soft_margin",),
    AMSoftmax: ("am_softmax",),
    ArcFace: ("arcface",),
    SphereFace: ("sphereface",),
    LSoftmax: ("l_softmax",),
    ZeroOne: ("zero_one",),
    PercentageError: ("percentage_error", "mape"),
    RootMeanSquaredError: ("root_mean_squared_error", "rmse"),
    Quantile: ("quantile", "pinball"),
    EpsilonInsensitive: ("epsilon_insensitive",),
    SquaredEpsilonInsensitive: ("squared_epsilon_insensitive",),
    Poisson: ("poisson",),
    Gamma: ("gamma",),
    Tweedie: ("tweedie",),
}

NAMES: dict[str, type[Loss]] = {name: loss for loss, names in LOSSES.items() for name in names}

__all__ = ["CosineLoss", "Loss", "LossScorer", "get_loss", *(loss.__name__ for loss in LOSSES)]


def get_loss(loss: str | Loss) -> Loss:
    """The loss object for a name; a loss object is returned as it is.

    Parameters
    ----------
    loss : str or Loss
        A name of the table in the user guide, or a loss.

    Returns
    -------
    Loss

    Raises
    ------
    ValueError
        For an unknown name (with the nearest one) and for parameters of the loss that are out of range.
    TypeError
        For anything that is neither a name nor a `Loss`.

    Examples
    --------
    >>> from sklearn_losses.losses import get_loss
    >>> get_loss("brier")
    SquaredError()
    """
    if isinstance(loss, str):
        if loss not in NAMES:
            letters = {name.replace("_", ""): name for name in NAMES}
            near = get_close_matches(re.sub("[^a-z0-9]", "", loss.lower()), letters, n=1)
            hint = f" Did you mean {letters[near[0]]!r}?" if near else ""
            raise ValueError(f"Unknown loss {loss!r}.{hint} The names are: {', '.join(NAMES)}.")
        loss = NAMES[loss]()
    if isinstance(loss, type) and issubclass(loss, Loss):
        raise TypeError(f"The loss must be an instance: {loss.__name__}(), not the class {loss.__name__}.")
    if not isinstance(loss, Loss):
        raise TypeError(
            f"The loss must be one of the names {', '.join(NAMES)} or an instance of sklearn_losses.Loss; got {loss!r}."
        )
    loss.check_parameters()
    return loss
