"""
Sigmoid and softmax, and how much a score moves a probability
=============================================================

A linear model makes scores. The sigmoid turns one score into the probability of class
1, the softmax turns K scores into K probabilities. How far does a small change of a
score move them? Their derivatives say so, and every gradient of this library passes
through them.
"""

# %%
# One score: the sigmoid
# ----------------------
#
# ``forward`` maps scores to probabilities and ``jacobian`` is the derivative, which
# needs no second look at the score: with ``p`` at hand it is ``p (1 - p)``.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_losses.activations import Sigmoid, Softmax

sigmoid = Sigmoid()
z = np.linspace(-7, 7, 281)
p = sigmoid.forward(z)
slope = sigmoid.jacobian(z)

print(
    f"{'score':>6}{'p':>10}{'1 - p':>10}{'p(-score)':>11}{'slope':>9}{'p (1 - p)':>11}"
)
for row in range(0, len(z), 40):
    mirrored = sigmoid.forward(-z[row : row + 1])[0]
    print(
        f"{z[row]:>6.0f}{p[row]:>10.4f}{1 - p[row]:>10.4f}{mirrored:>11.4f}"
        f"{slope[row]:>9.4f}{p[row] * (1 - p[row]):>11.4f}"
    )

# %%
# The table shows both identities: ``1 - p(z) = p(-z)``, and the slope. The slope is 1/4
# where the model is undecided and next to nothing where it is sure, rightly or wrongly.

# %%
# Three scores: the softmax
# -------------------------
#
# All probabilities share one denominator, so each score moves all of them. Let the
# score of class 1 run, with those of classes 2 and 3 at rest.

softmax = Softmax()
scores = np.column_stack([z, np.full_like(z, 1.0), np.full_like(z, 0.0)])
probabilities = softmax.forward(scores)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
left.plot(z, p, label="p")
left.plot(z, slope, "--", label="its slope")
left.axhline(0.25, color="0.8", linewidth=1, zorder=0)
left.annotate("1/4", (-7, 0.27), color="0.4")
left.set(xlabel="score", title="Sigmoid")
left.legend(loc="upper left")
for k, name in enumerate(["class 1", "class 2", "class 3"]):
    right.plot(z, probabilities[:, k], color=f"C{k + 2}", label=name)
right.set(xlabel="score of class 1", title="Softmax")
right.legend(loc="center right")
plt.show()

# %%
# Its derivative is a matrix: what score ``j`` does to probability ``i``. On the
# diagonal it is ``p_i (1 - p_i)``, as for the sigmoid, beside it ``-p_i p_j``. What one
# class wins the others lose, so that every row sums to zero.

example = np.array([[2.0, 1.0, 0.0]])
p = softmax.forward(example)[0]
jacobian = softmax.jacobian(example)[0]
print("probabilities", p.round(3))
print("by the formula", np.allclose(jacobian, np.diag(p) - np.outer(p, p)))
print("sums of rows ", abs(jacobian.sum(axis=1)).max().round(12))

figure, axes = plt.subplots(figsize=(5.4, 3.8))
image = axes.imshow(jacobian, cmap="RdBu", vmin=-0.25, vmax=0.25)
for i, j in np.ndindex(3, 3):
    dark = abs(jacobian[i, j]) > 0.15
    color = "white" if dark else "black"
    axes.text(j, i, f"{jacobian[i, j]:.3f}", ha="center", va="center", color=color)
axes.set_xticks(range(3), [f"score {j + 1}" for j in range(3)])
axes.set_yticks(range(3), [f"p{i + 1} = {p[i]:.2f}" for i in range(3)])
axes.spines[:].set_visible(False)
axes.tick_params(length=0)
axes.set_title("What a score does to a probability")
figure.colorbar(image)
plt.show()

# %%
# **How far does a score move a probability?** By at most a quarter of its own change,
# and by almost nothing where the model is already sure.
