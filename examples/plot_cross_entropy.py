"""
Cross-entropy: what does a wrong answer cost?
=============================================

Cross-entropy is the negative logarithm of the probability that a model gave to what
happened. It comes in two notations, with labels 0 and 1 and with labels -1 and +1, and
has a family of relatives that cost less, or less at one end. All are drawn here.
"""

# %%
# Labels 0 and 1
# --------------
#
# The loss is ``-[y log p + (1 - y) log(1 - p)]``, of which the label keeps one half:
# ``-log p`` for y = 1 and ``-log(1 - p)`` for y = 0.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_losses import (
    CrossEntropy,
    Focal,
    GeneralizedCrossEntropy,
    KLDivergence,
    LossCurveDisplay,
)
from sklearn_losses.activations import Sigmoid

p = np.linspace(0.002, 0.998, 499)
loss = CrossEntropy()
by_label = {y: loss.value(np.full_like(p, y), p) for y in (1, 0)}

print(f"{'p':>6}{'y = 1':>9}{'y = 0':>9}")
for probability in 0.01, 0.1, 0.5, 0.9, 0.99:
    costs = [loss([y], [probability]) for y in (1, 0)]
    print(f"{probability:>6}{costs[0]:>9.3f}{costs[1]:>9.3f}")

# %%
# Each factor of ten by which a wrong answer is surer costs another 2.3.
#
# Labels -1 and +1
# ----------------
#
# With ``p`` the sigmoid of a score ``s`` and labels of -1 and +1 the two halves are one
# formula, ``log(1 + exp(-y s))``. It is the same loss, seen from the score: a straight
# line for answers that are wrong, nothing for those that are right.

s = np.linspace(-6, 6, 241)
p_of_s = Sigmoid().forward(s)
for y, sign in {1: 1, 0: -1}.items():
    same = np.allclose(
        loss.value(np.full_like(s, y), p_of_s), np.log1p(np.exp(-sign * s))
    )
    print(f"y = {sign:+d}: the two notations agree, {same}")

# %%
# In the score the derivative is the error itself, ``p - y``: between -1 and 0 for a row
# of class 1, and never small while the answer is wrong.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10.5, 3.5))
for (y, values), color in zip(by_label.items(), ["C0", "C1"], strict=True):
    sign = 2 * y - 1
    left.plot(p, values, color=color, label=f"y = {y}")
    middle.plot(s, np.log1p(np.exp(-sign * s)), color=color, label=f"y = {sign:+d}")
    right.plot(s, p_of_s - y, color=color, label=f"y = {y}")
left.set(xlabel="probability of class 1", ylim=(0, 5), title="Labels 0 and 1")
middle.set(xlabel="score", ylim=(0, 5), title="Labels -1 and +1")
right.set(xlabel="score", title="Its derivative, p - y")
for axes in left, middle, right:
    axes.legend()
left.set_ylabel("cross-entropy")
plt.show()

# %%
# The relatives
# -------------
#
# All of these are functions of the probability of the true class. The focal loss cares
# less about rows that are nearly right. Generalised cross-entropy has a bound at the
# other end. Label smoothing asks for some modesty: its smallest value is not at 1. The
# divergence is the cross-entropy itself where the label is hard. ``LossCurveDisplay``
# draws any losses side by side.

FAMILY = {
    "cross-entropy, and divergence": CrossEntropy(),
    "label smoothing 0.2": CrossEntropy(label_smoothing=0.2),
    "focal, gamma = 1": Focal(gamma=1.0),
    "focal, gamma = 2": Focal(gamma=2.0),
    "generalised, q = 0.3": GeneralizedCrossEntropy(q=0.3),
    "generalised, q = 0.7": GeneralizedCrossEntropy(q=0.7),
}
true = np.ones_like(p)
print(
    "divergence = cross-entropy:",
    np.allclose(KLDivergence().value(true, p), by_label[1]),
)

LossCurveDisplay.from_losses(FAMILY, against="probability")
plt.show()

# %%
# **What does a wrong answer cost?** Minus the logarithm of the probability that was
# left for the right one: 0.7 for not knowing, 2.3 for being wrong at 90 %, 4.6 at 99 %,
# and no end to it.
