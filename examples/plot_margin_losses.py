"""
Margin losses side by side: what do they do with a row that is far off?
=======================================================================

A margin says how far a score is on the right side: positive is right, negative is
wrong. What one would like to minimise, the number of errors, is a step at zero that no
solver can follow. The margin losses are its convex stand-ins. They differ at the two
ends, and this is where data differ, too.
"""

# %%
# The losses
# ----------

import matplotlib.pyplot as plt
import numpy as np

from sklearn_losses import (
    CrossEntropy,
    Exponential,
    Hinge,
    LeastSquares,
    LogisticRegressor,
    LossCurveDisplay,
    ModifiedHuber,
    SoftMargin,
    SquaredHinge,
    ZeroOne,
)

LOSSES = {
    "least squares": LeastSquares(),
    "squared hinge": SquaredHinge(),
    "modified Huber": ModifiedHuber(),
    "hinge": Hinge(),
    "soft margin": SoftMargin(),
    "exponential": Exponential(),
}

_, left = plt.subplots(figsize=(4.8, 4))
_, right = plt.subplots(figsize=(4.8, 4))
shown = LOSSES | {"cross-entropy": CrossEntropy()}
display = LossCurveDisplay.from_losses(shown, against="margin", ax=left)
lines = dict(zip(shown, display.lines_, strict=True))
lines["cross-entropy"].set(color="0.3", linestyle=":", linewidth=2)
left.plot(display.x, display.x < 0, color="black", linewidth=1, label="errors")
left.set(ylim=(-0.1, 9), title="Margin losses", xlabel="margin")
left.legend(loc="upper right")

of_class_1 = np.ones_like(display.x)
for name, loss in LOSSES.items():
    style = {"color": lines[name].get_color(), "linewidth": lines[name].get_linewidth()}
    right.plot(display.x, loss.gradient(of_class_1, display.x), **style)
right.axhline(0, color="0.8", linewidth=1, zorder=0)
right.set(xlabel="margin", ylabel="slope", ylim=(-8.5, 4), title="Their slopes")
plt.show()

# %%
# *On the wrong side* (left): the hinge pulls with a force of one however far off a row
# is, the soft margin with at most one, the modified Huber with at most four, the
# squared hinge and least squares in proportion, the exponential without measure. *On
# the right side* (right): the three hinges leave rows alone from a margin of 1 on, and
# least squares pushes them back.
#
# One row with a wrong label
# --------------------------
#
# Two clouds, and then a single point of the lower one, far up on the other side. The
# lines are where each model's score is zero.

rng = np.random.default_rng(1)
y = np.repeat([0, 1], 40)
X = 0.6 * rng.normal(size=(80, 2)) + np.where(y[:, None] == 1, 1.0, -1.0)
outlier = np.array([[4.0, 7.0]])
data = {
    "Clean": (X, y),
    "One point more": (np.vstack([X, outlier]), np.append(y, 0)),
}


def line(model, x):
    """The second coordinate at which the model's score is zero."""
    (a, b), c = model.coef_[0], model.intercept_[0]
    return -(a * x + c) / b


x = np.array([-3.0, 5.0])
figure, panels = plt.subplots(1, 2, figsize=(9.5, 4.2), sharex=True, sharey=True)
turned = {}
for axes, (title, (rows, labels)) in zip(panels, data.items(), strict=True):
    axes.scatter(*rows.T, c=np.where(labels, "0.25", "0.7"), s=14)
    for name, loss in LOSSES.items():
        model = LogisticRegressor(loss, alpha=1e-2).fit(rows, labels)
        axes.plot(x, line(model, x), color=lines[name].get_color(), label=name)
        direction = np.degrees(np.arctan2(*model.coef_[0][::-1]))
        right_ones = model.score(X, y)
        turned.setdefault(name, []).append((direction, right_ones))
    axes.set(title=title, ylim=(-3, 8), xlim=(-3, 5))
panels[0].legend(loc="upper left")
plt.show()

print(f"{'':<16}{'turned by':>12}{'right, clean':>14}{'right, with it':>16}")
for name, ((before, right_before), (after, right_after)) in turned.items():
    print(
        f"{name:<16}{after - before:>10.0f} °{right_before:>14.2f}{right_after:>16.2f}"
    )

# %%
# Joint classes
# -------------
#
# With K classes there is a margin for each wrong class, the lead of the true one. Every
# margin loss is the sum over them; ``Hinge("crammer-singer")`` takes the largest term.
# ``ZeroOne`` is there for evaluation only.

scores = np.array([[2.0, 1.5, -1.0], [0.2, 0.1, 0.0]])
truth = [0, 2]
for loss in [*LOSSES.values(), Hinge("crammer-singer")]:
    print(f"{loss!r:<36}{loss(truth, scores):.3f}")
print(f"{'errors':<36}{ZeroOne()(truth, scores.argmax(axis=1)):.3f}")

# %%
# **What do they do with a row that is far off?** The hinge and the soft margin pull on
# it no harder than on any other row that is wrong, and the modified Huber at most four
# times as hard. The others let a single wrong label turn the line, the exponential the
# most.
