"""Draws the picture of the README and of the site's front page: ``python docs/picture.py``."""

from pathlib import Path

import gallery
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_losses import (
    AbsoluteError,
    Huber,
    LinearRegressor,
    LossCurveDisplay,
    SoftmaxClassifier,
    SquaredError,
    compare_losses,
)

FILE = Path(__file__).parent / "_static" / "losses.png"


def draw_curves(axes):
    """What losses are: functions of a margin."""
    losses = ["cross_entropy", "hinge", "modified_huber", "exponential"]
    LossCurveDisplay.from_losses(losses, against="margin", ax=axes)
    axes.set(title="Any loss ...", xlabel="margin")


def draw_fits(axes):
    """What they do: lines through data of which a tenth is wrong."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 5, 150))
    y = 1 + x + 0.25 * rng.standard_normal(150)
    y[-30::2] = rng.uniform(0.1, 1.0, 15)
    axes.scatter(x, y, s=10, color="0.7", edgecolor="none")
    ends = np.array([[0.0], [5.0]])
    for loss, color in {SquaredError(): "C3", Huber(delta=0.5): "C1", AbsoluteError(): "C0"}.items():
        model = LinearRegressor(loss, alpha=0).fit(x[:, None], y)
        axes.plot(ends, model.predict(ends), color=color, label=type(loss).__name__)
    axes.set(title="... solved to the optimum ...", xlabel="x")
    axes.legend(fontsize="small", loc="upper left")


def draw_comparison(axes):
    """Which one to take: the same folds for all."""
    X, y = load_wine(return_X_y=True)
    comparison = compare_losses(
        make_pipeline(StandardScaler(), SoftmaxClassifier(alpha=0.01)),
        X,
        y,
        losses=["cross_entropy", "squared_error", "focal", "gce"],
        cv=10,
        scoring="neg_log_loss",
        random_state=0,
    )
    comparison.plot(ax=axes)
    axes.set(title="... and compared on the same folds", xlabel="minus log loss, wine")
    axes.get_legend().remove()


def main():
    """Draw the three panels and save them."""
    gallery.set_style({}, "")
    figure, panels = plt.subplots(1, 3, figsize=(12, 3.6))
    for draw, axes in zip((draw_curves, draw_fits, draw_comparison), panels, strict=True):
        draw(axes)
    figure.savefig(FILE, dpi=100, pil_kwargs={"optimize": True})
    print(f"saved {FILE.relative_to(FILE.parents[2])}")


if __name__ == "__main__":
    main()
