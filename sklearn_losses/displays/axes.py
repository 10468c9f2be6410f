"""Where displays draw: axes that are given, or a figure of their own."""

from __future__ import annotations

from typing import Any

GRID = {"alpha": 0.3, "linewidth": 0.6}
MOST_INSIDE = 6  # entries of a legend that leave room for what it explains


def axes_for(ax: Any, size: tuple[float, float] | None = None) -> Any:
    """The axes as they are given, or those of a new figure of a size in inches."""
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            "Displays need matplotlib, which is not installed: pip install 'sklearn-losses[plot]'."
        ) from error
    return pyplot.subplots(figsize=size, layout="constrained")[1]


def legend_beside(ax: Any, n_entries: int, **options: Any) -> Any:
    """A legend, inside where it is short, to the right of the axes where it would cover what it explains."""
    if n_entries > MOST_INSIDE:
        return legend_outside(ax, **options)
    return ax.legend(frameon=False, fontsize="small", **options)


def legend_outside(ax: Any, **options: Any) -> Any:
    """A legend to the right of the axes."""
    beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
    return ax.legend(frameon=False, fontsize="small", **options | beside)


def without_frame(ax: Any) -> None:
    """Leave the left and the lower edge."""
    ax.spines[["top", "right"]].set_visible(False)
