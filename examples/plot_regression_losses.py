"""
Regression losses, and how far one outlier moves each
=====================================================

Every regression loss is a statement about errors: which are harmless, which are
terrible, and whether too high is as bad as too low. This page draws them by family, and
then takes a line through fifty points and moves the last point away. How far does the
line follow?
"""

# %%
# Errors and tubes
# ----------------
#
# These are functions of the error ``e = prediction - y``. The left panel shows the
# loss, the right one its slope, which is the force with which a row pulls on the fit.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_losses import (
    AbsoluteError,
    EpsilonInsensitive,
    Gamma,
    Huber,
    LinearRegressor,
    LogCosh,
    LossCurveDisplay,
    PercentageError,
    Poisson,
    Quantile,
    RootMeanSquaredError,
    SquaredEpsilonInsensitive,
    SquaredError,
    Tweedie,
)

ERRORS = [SquaredError(), AbsoluteError(), Huber(delta=1.0), LogCosh()]
TUBES = [
    Quantile(quantile=0.75),
    EpsilonInsensitive(epsilon=0.5),
    SquaredEpsilonInsensitive(epsilon=0.5),
]


def draw_with_slopes(losses, title):
    """Losses, and their slopes, against the error."""
    _, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
    display = LossCurveDisplay.from_losses(losses, against="error", ax=left)
    error = np.linspace(-3, 3, 601)
    for loss, line in zip(losses, display.lines_, strict=True):
        slope = loss.gradient(np.zeros_like(error), error)
        right.plot(error, slope, color=line.get_color())
    right.axhline(0, color="0.8", linewidth=1, zorder=0)
    left.set(title=title, xlabel="prediction - y")
    right.set(title="Their slopes", xlabel="prediction - y", ylim=(-3.5, 3.5))
    plt.show()


draw_with_slopes(ERRORS, "Errors")

# %%
# Squared error pulls in proportion to the error, the other three with a force of at
# most one. The quantile loss pulls harder on one side, and inside a tube there is no
# force.

draw_with_slopes(TUBES, "Quantiles and tubes")

# %%
# Relative errors and deviances
# -----------------------------
#
# The others look at the target as well. A prediction of 3 for a target of 2 is worse
# for them than one of 11 for 10. Each panel is for one target, the curves have their
# zero at it.

RELATIVE = [PercentageError(), Poisson(), Gamma(), Tweedie(power=1.5)]
figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.6), sharey=True)
for target, panel in zip([1.0, 4.0], panels, strict=True):
    prediction = np.linspace(0.05, 8, 500)
    for k, loss in enumerate(RELATIVE):
        values = loss.value(np.full_like(prediction, target), prediction)
        panel.plot(prediction, values, f"C{k}", label=repr(loss))
    panel.axvline(target, color="0.8", linewidth=1, zorder=0)
    panel.set(xlabel="prediction", ylim=(0, 3), title=f"The target is {target:.0f}")
panels[0].set(ylabel="loss")
panels[1].legend()
plt.show()

# %%
# One outlier
# -----------
#
# Fifty points near a line of slope 1. The last target is moved, from where it belongs
# to 40 above it, and every loss fits the line anew.

rng = np.random.default_rng(0)
x = np.linspace(0, 4, 50)
y = 1.0 + x + 0.3 * rng.standard_normal(50)
shifts = np.array([0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0])


def slopes_when_moved(loss):
    """Slopes of the fitted line, for every place of the last target."""
    fitted = []
    for shift in shifts:
        moved = np.append(y[:-1], y[-1] + shift)
        model = LinearRegressor(loss, alpha=0).fit(x[:, None], moved)
        low, high = model.predict([[1.5], [2.5]])
        fitted.append(high - low)
    return np.array(fitted)


FITTED = [
    SquaredError(),
    RootMeanSquaredError(),
    AbsoluteError(),
    Huber(delta=0.5),
    LogCosh(),
    PercentageError(),
    Quantile(quantile=0.75),
    EpsilonInsensitive(epsilon=0.5),
    SquaredEpsilonInsensitive(epsilon=0.5),
    Poisson(),
    Gamma(),
    Tweedie(power=1.5),
]
moved = {repr(loss): slopes_when_moved(loss) for loss in FITTED}
print(f"{'the last point is moved by':<40}" + "".join(f"{s:>6.1f}" for s in shifts))
for name, slopes in moved.items():
    print(f"{name:<40}" + "".join(f"{slope:>6.2f}" for slope in slopes))

# %%
# Squared error follows without end, and so do the root of its mean, the square of a
# tube and, on their logarithmic scale, the deviances. Those whose slope is bounded
# stop.

SHOWN = {
    "SquaredError()": "C3-",
    "SquaredEpsilonInsensitive(epsilon=0.5)": "C1--",
    "Poisson()": "C4-.",
    "LogCosh()": "C2-",
    "Huber(delta=0.5)": "C0-",
    "AbsoluteError()": "k:",
}
# sphinx_gallery_thumbnail_number = 4
figure, axes = plt.subplots(figsize=(7, 4.2))
for name, style in SHOWN.items():
    axes.plot(shifts, moved[name], style, label=name)
axes.set(xlabel="the last point is moved up by", ylabel="slope of the line")
axes.set_title("How far the line follows one of fifty points")
axes.legend()
plt.show()

# %%
# **How far does one outlier move each?** As far as its slope lets it: without limit
# where the slope grows with the error, and hardly at all where it is bounded (absolute
# and percentage error, Huber, log-cosh, quantiles, and the tube that is not squared).
