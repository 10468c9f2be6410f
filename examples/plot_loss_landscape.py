"""
The loss landscape of one weight: convex or not?
================================================

Gradient descent, Newton's method and every other solver see one thing only: the
objective as a function of the weights. With a single weight it can be drawn. Under
cross-entropy it has one valley. Does squared error on the same probabilities have one
valley, too?
"""

# %%
# Seven points on a line and a model without an intercept, so that there is one weight.
# The two largest points carry the labels that spoil it: 0.5 below zero is a "1", and 10
# above zero is a "0".

import matplotlib.pyplot as plt
import numpy as np

from sklearn_losses import LogisticRegressor

X = np.array([[-3.0], [-2.0], [-1.0], [-0.5], [1.0], [2.0], [10.0]])
y = np.array([0, 0, 0, 1, 1, 1, 0])

# %%
# ``estimator.objective(X, y)`` is the function that a fit would minimise. Evaluate it,
# and its derivative, over a range of weights.

weights = np.linspace(-4, 6, 1001)
landscapes = {}
for loss in "cross_entropy", "squared_error":
    model = LogisticRegressor(loss, alpha=0, fit_intercept=False)
    objective = model.objective(X, y)
    values, slopes = zip(
        *(objective.value_and_gradient(np.array([w])) for w in weights), strict=True
    )
    landscapes[loss] = np.array(values), np.array(slopes)[:, 0]

    below = np.array(values[1:-1]) < np.minimum(values[:-2], values[2:])
    bends = np.diff(landscapes[loss][1]) / np.diff(weights)
    print(f"{loss}: second derivative from {bends.min():.3f} to {bends.max():.3f}")
    for i in 1 + np.flatnonzero(below):
        print(f"   valley at weight {weights[i]:5.2f}, F = {values[i]:.4f}")

# %%
# The second derivative settles it. That of cross-entropy is never negative: the
# function is convex, and its one valley is the optimum. That of squared error changes
# its sign, and there are two valleys.

COLORS = {"cross_entropy": "C0", "squared_error": "C1"}
figure, panels = plt.subplots(1, 2, figsize=(9, 3.6))
for axes, (loss, (values, slopes)) in zip(panels, landscapes.items(), strict=True):
    axes.plot(weights, values, color=COLORS[loss])
    bottoms = 1 + np.flatnonzero(np.diff(np.sign(slopes)) > 0)
    axes.plot(weights[bottoms], values[bottoms], "o", color="black", markersize=7)
    axes.set(xlabel="weight", ylabel="F")
panels[0].set_title("Cross-entropy: one valley")
panels[1].set_title("Squared error on probabilities: two")
plt.show()

# %%
# Where one ends depends on where one starts
# ------------------------------------------
#
# Follow the slope downhill in small steps, from five weights.


def descend(objective, weight, step=0.2, n_steps=5000):
    """Plain gradient descent; the last weight."""
    for _ in range(n_steps):
        weight = weight - step * objective.value_and_gradient(np.array([weight]))[1][0]
    return weight


starts = [-2.0, 0.0, 1.0, 2.0, 5.0]
print(f"{'start':<16}" + "".join(f"{start:>8.1f}" for start in starts))
for loss in landscapes:
    objective = LogisticRegressor(loss, alpha=0, fit_intercept=False).objective(X, y)
    ends = [descend(objective, start) for start in starts]
    print(f"{loss:<16}" + "".join(f"{end:>8.2f}" for end in ends))

# %%
# Cross-entropy ends in the same place from everywhere. Squared error does not, and the
# valley that is right for six of the seven points is reached only from its own side. A
# fit of the library starts a loss like this from the solution of the cross-entropy, and
# takes the valley that it finds there. It says as much: there is no bound to report.

for loss in landscapes:
    model = LogisticRegressor(loss, alpha=1e-6, fit_intercept=False).fit(X, y)
    print(
        f"{loss:<16}weight {model.coef_[0, 0]:6.3f}, F = {model.objective_value_:.4f}, "
        f"dual_gap_ = {model.dual_gap_:.0e}"
    )

# %%
# **Convex or not?** Cross-entropy is, so that its fit can be certified; squared error
# on probabilities is not, and its answer is one of several valleys. (This is not all to
# its disfavour: its deeper valley ignores the point with the wrong label, which drags
# the cross-entropy to a weight of almost zero.)
