"""
Learning speed through saturation: what slows squared error down?
=================================================================

A sigmoid is flat at both ends. A model that is sure and wrong sits on such an end, and
has to be moved by the gradient. Cross-entropy moves it at once, squared error leaves it
where it is for a long time. This page follows both, step by step.
"""

# %%
# One row of class 1
# ------------------
#
# The score of a row of class 1 goes downhill by plain gradient descent, from a start
# that is more and more wrong. A step needs ``dL/dz``, which is the chain rule's product
# of ``dL/dp`` (the loss) and ``dp/dz`` (the sigmoid); ``pull_back`` multiplies them.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_losses import CrossEntropy, LogisticRegressor, SquaredError
from sklearn_losses.activations import Sigmoid

LOSSES = {"cross-entropy": CrossEntropy(), "squared error": SquaredError()}
COLORS = {"cross-entropy": "C0", "squared error": "C1"}
STARTS = [-2.0, -4.0, -6.0]
N_STEPS = 300

sigmoid = Sigmoid()
of_class_1 = np.ones(1)


def slope(loss, z):
    """The derivative dL/dz of a loss at the score z, for a row of class 1."""
    return sigmoid.pull_back(z, loss.gradient(of_class_1, sigmoid.forward(z)))


def trajectory(loss, start):
    """Probabilities of class 1 on the way down."""
    z, path = np.array([start]), []
    for _ in range(N_STEPS):
        path.append(sigmoid.forward(z)[0])
        z = z - slope(loss, z)
    return np.array(path)


paths = {
    (name, start): trajectory(loss, start)
    for name, loss in LOSSES.items()
    for start in STARTS
}

print("steps until P(class 1) is 0.9")
print(f"{'start':>6}" + "".join(f"{name:>16}" for name in LOSSES))
for start in STARTS:
    steps = [np.argmax(paths[name, start] >= 0.9) for name in LOSSES]
    print(f"{start:>6.0f}" + "".join(f"{count:>16}" for count in steps))

# %%
# On the left the reason, on the right the result. The slope of cross-entropy is the
# error itself, ``p - 1``; that of squared error has one more factor, ``p (1 - p)``,
# which is nothing where the model is sure. Its path is flat first, and then steep.

z = np.linspace(-8, 4, 241)
# sphinx_gallery_thumbnail_number = 2
_, left = plt.subplots()
_, right = plt.subplots()
for name, loss in LOSSES.items():
    slopes = [-slope(loss, np.array([score]))[0] for score in z]
    left.plot(z, slopes, color=COLORS[name], label=name)
    for start, style in zip(STARTS, [":", "--", "-"], strict=True):
        right.plot(paths[name, start], style, color=COLORS[name])
    right.plot([], color=COLORS[name], label=name)
left.set(xlabel="score", ylabel="size of the slope", title="How hard a loss pulls")
left.legend()
right.set(xlabel="steps", ylabel="P(class 1)", xlim=(0, 260), title="Trajectories")
for start, style in zip(STARTS, [":", "--", "-"], strict=True):
    right.plot([], style, color="0.4", label=f"from {start:.0f}")
right.legend(loc="center")
plt.show()

# %%
# Two weights, and a whole data set
# ---------------------------------
#
# The same happens in the space of weights. Two clouds of points, and a start that calls
# each of them by the other's name. The gradient comes from ``estimator.objective``.

rng = np.random.default_rng(0)
y = np.repeat([0, 1], 100)
X = rng.normal(size=(200, 2)) + 2 * (2 * y[:, None] - 1) * np.array([1.0, 0.5])

grid = np.linspace(-6, 6, 61)
start = np.array([-5.0, -2.0])
figure, panels = plt.subplots(1, 2, figsize=(9, 4), sharex=True, sharey=True)
for (name, loss), axes in zip(LOSSES.items(), panels, strict=True):
    model = LogisticRegressor(loss, alpha=1e-3, fit_intercept=False)
    objective = model.objective(X, y)
    surface = [[objective.value(np.array([a, b])) for a in grid] for b in grid]
    theta, path = start, [start]
    for _ in range(200):
        theta = theta - objective.value_and_gradient(theta)[1]
        path.append(theta)
    path = np.array(path)
    best = model.fit(X, y).coef_[0]
    accuracy = np.mean((X @ theta > 0) == y)
    print(f"{name:<15}after 200 steps at {theta.round(2)}, accuracy {accuracy:.2f}")

    axes.contour(grid, grid, surface, levels=15, colors="0.75", linewidths=1)
    axes.plot(*path.T, ".-", color=COLORS[name], markersize=5, label="200 steps")
    axes.plot(*start, "s", color="black", label="start")
    axes.plot(*best, "*", color="black", markersize=13, label="optimum")
    axes.set(xlabel="weight 1", title=name)
panels[0].set(ylabel="weight 2")
panels[0].legend(loc="upper left")
plt.show()

# %%
# The fit of the library does not crawl: it starts squared error from the solution of
# the cross-entropy, where nothing is saturated in the wrong place, and uses curvature.

for loss in LOSSES.values():
    model = LogisticRegressor(loss, alpha=1e-3, fit_intercept=False).fit(X, y)
    print(f"{loss!r:<32}accuracy {model.score(X, y):.2f}, {model.n_iter_} iterations")

# %%
# **What slows squared error down?** The factor ``p (1 - p)`` of the sigmoid, which
# cross-entropy cancels: the surer the mistake, the harder cross-entropy pulls, and the
# less squared error does.
