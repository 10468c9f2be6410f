"""Losses as curves: of the margin, of the probability of the true class, or of the error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..activations import Sigmoid
from ..losses import Loss
from ..losses.labels import label_losses
from .axes import GRID, axes_for, legend_beside, without_frame

N_POINTS = 601
HIGHEST = 6.0  # that is shown of losses that go on to infinity
WIDTHS = 3.6, 1.3  # of the first line and of the last


@dataclass(frozen=True)
class Abscissa:
    """What is on the horizontal axis, over which range, and on which domain losses have to be defined for it."""

    title: str
    label: str
    low: float
    high: float
    domains: tuple[str, ...]
    instead: str


AGAINST = {
    "margin": Abscissa(
        "Losses of the margin",
        "margin (signed score, positive where the sign is right)",
        -3.0,
        3.0,
        ("scores", "probabilities"),
        "against='error'",
    ),
    "probability": Abscissa(
        "Losses of the probability",
        "predicted probability of the true class",
        0.0,
        1.0,
        ("probabilities",),
        "against='margin' for losses on scores, 'error' for losses on values",
    ),
    "error": Abscissa(
        "Losses of the error",
        "prediction − target (target = 1)",
        -3.0,
        3.0,
        ("values",),
        "against='margin'",
    ),
}


class LossCurveDisplay:
    """Curves of losses for one row, side by side.

    Use `from_losses` to make one.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        Margins, probabilities or errors.
    curves : dict of str to ndarray of shape (n_points,)
        The losses there, by their labels; nan where a loss is not defined.
    against : {"margin", "probability", "error"}
        What x is.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure around it.
    lines_ : list of matplotlib Line2D
        A line for each loss.
    legend_ : matplotlib Legend
        Their labels.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_losses.displays import LossCurveDisplay
    >>> losses = ["ce", "hinge", "exponential"]
    >>> display = LossCurveDisplay.from_losses(losses, against="margin")
    >>> [line.get_label() for line in display.lines_]
    ['ce', 'hinge', 'exponential']
    >>> plt.close(display.figure_)
    """

    def __init__(self, x: NDArray, curves: dict[str, NDArray], *, against: str):
        self.x = x
        self.curves = curves
        self.against = against

    @classmethod
    def from_losses(cls, losses: Any, against: str = "margin", *, ax: Any = None) -> LossCurveDisplay:
        """Draw losses for a row whose true class is 1, or whose target is 1.

        Parameters
        ----------
        losses : list of str or Loss, or dict
            Names and loss objects; a dict gives them other labels than their name or repr.
        against : {"margin", "probability", "error"}, default="margin"
            The margin shows losses on scores, and losses on probabilities through the sigmoid; the probability of the
            true class shows the latter as they are; the error shows regression losses.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        LossCurveDisplay
        """
        if against not in AGAINST:
            raise ValueError(f"against must be one of {', '.join(map(repr, AGAINST))}; got {against!r}.")
        abscissa = AGAINST[against]
        x = np.linspace(abscissa.low, abscissa.high, N_POINTS)
        curves = {label: _curve(loss, x, against) for label, loss in label_losses(losses).items()}
        return cls(x, curves, against=against).plot(ax)

    def plot(self, ax: Any = None) -> LossCurveDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        LossCurveDisplay
            The display itself.
        """
        abscissa = AGAINST[self.against]
        self.ax_ = axes_for(ax)
        self.figure_ = self.ax_.figure
        # narrower and narrower, so that curves that coincide are seen below each other
        widths = np.linspace(*WIDTHS, len(self.curves)) if len(self.curves) > 1 else [np.mean(WIDTHS)]
        self.lines_ = [
            self.ax_.plot(self.x, curve, label=label, linewidth=width)[0]
            for (label, curve), width in zip(self.curves.items(), widths, strict=True)
        ]
        highest = max((curve[np.isfinite(curve)].max() for curve in self.curves.values()), default=HIGHEST)
        self.ax_.set(
            title=abscissa.title,
            xlabel=abscissa.label,
            ylabel="loss",
            xlim=(abscissa.low, abscissa.high),
            ylim=(-0.02 * min(highest, HIGHEST), 1.02 * min(highest, HIGHEST)),
        )
        self.ax_.grid(**GRID)
        without_frame(self.ax_)
        place = "upper center" if self.against == "error" else "best"
        self.legend_ = legend_beside(self.ax_, len(self.lines_), loc=place)
        return self


def _curve(loss: Loss, x: NDArray, against: str) -> NDArray:
    """The loss of one row at every x; nan where the prediction is not one of the loss's."""
    abscissa = AGAINST[against]
    domain = next((domain for domain in abscissa.domains if domain in loss.domains), None)
    if domain is None:
        raise ValueError(
            f"{loss} is defined on {' and '.join(loss.domains)} and has no curve against the {against}. "
            f"Draw it with {abscissa.instead}."
        )
    if domain == "values":
        prediction = 1.0 + x
    else:
        prediction = Sigmoid().forward(x) if (against, domain) == ("margin", "probabilities") else x
    defined = prediction > 0 if loss.link == "log" else np.isfinite(prediction)
    curve = np.full(len(x), np.nan)
    with np.errstate(divide="ignore"):
        values = loss.value(np.ones(defined.sum()), prediction[defined])
    curve[defined] = [loss.total(value)[0] for value in values]
    return curve
