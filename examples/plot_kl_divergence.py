"""
Kullback-Leibler divergence and cross-entropy: are they the same loss?
======================================================================

The Kullback-Leibler divergence measures how far a prediction is from a target
*distribution*, cross-entropy how well it codes it. One is zero for a perfect prediction
and the other is not. Does it matter which of them one trains with?
"""

# %%
# One target, every prediction
# ----------------------------
#
# The target says "class 1 with probability 0.7". Both losses have their minimum at a
# prediction of 0.7. Between them there is a constant: the entropy of the target, which
# no model can change.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_losses import CrossEntropy, KLDivergence, SoftmaxClassifier

TARGET = 0.7
p = np.linspace(0.005, 0.995, 199)
target = np.full_like(p, TARGET)
cross_entropy = CrossEntropy().value(target, p)
divergence = KLDivergence().value(target, p)
entropy = -(TARGET * np.log(TARGET) + (1 - TARGET) * np.log(1 - TARGET))

print(f"entropy of the target           {entropy:.4f}")
print(f"smallest cross-entropy          {cross_entropy.min():.4f}")
print(f"smallest divergence             {abs(divergence.min()):.4f}")
difference = cross_entropy - divergence
print(f"difference, from {difference.min():.4f} to {difference.max():.4f}")
slopes = [loss.gradient(target, p) for loss in (CrossEntropy(), KLDivergence())]
print("the same slopes                ", np.allclose(*slopes))

# %%
# The order of the arguments does matter. Below, a target with two peaks is described by
# a single bell, once so that the divergence *from the target* is smallest, and once the
# other way round. A loss has the target first: it punishes a prediction that is almost
# zero where the target is not, and so covers both peaks.

grid = np.linspace(-5, 5, 401)


def bell(centre, width):
    """A normal density on the grid, of sum one."""
    density = np.exp(-(((grid - centre) / width) ** 2) / 2)
    return density / density.sum()


two_peaks = 0.6 * bell(-1.5, 0.6) + 0.4 * bell(1.8, 0.5)
candidates = [
    bell(c, w) for c in np.linspace(-3, 3, 61) for w in np.linspace(0.4, 3, 53)
]
kl = KLDivergence()
forward = min(candidates, key=lambda q: kl(two_peaks[None], q[None]))
backward = min(candidates, key=lambda q: kl(q[None], two_peaks[None]))

for name, q in {"KL(target, bell)": forward, "KL(bell, target)": backward}.items():
    both_ways = kl(two_peaks[None], q[None]), kl(q[None], two_peaks[None])
    print(f"smallest {name}: {both_ways[0]:.3f} there, {both_ways[1]:.3f} back")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
left.plot(p, cross_entropy, label="cross-entropy")
left.plot(p, divergence, label="divergence")
left.axhline(entropy, color="0.7", linewidth=1, zorder=0)
left.annotate("entropy", (0.02, entropy - 0.03), color="0.4", va="top")
left.axvline(TARGET, color="0.7", linewidth=1, zorder=0)
left.set(xlabel="predicted probability", ylim=(0, 2.2), title="The target is 0.7")
left.legend()
right.fill_between(grid, two_peaks, color="0.85", label="target")
right.plot(grid, forward, color="C1", label="KL(target, bell)")
right.plot(grid, backward, "--", color="C2", label="KL(bell, target)")
right.set(yticks=[], ylim=(0, 0.0185), title="It is not symmetric")
right.legend(loc="upper right", fontsize=10)
plt.show()

# %%
# Two fits
# --------
#
# Train on soft labels with each of them: the iris data, where whoever labelled them was
# nine tenths sure of telling versicolor from virginica.

from sklearn.datasets import load_iris

X, y = load_iris(return_X_y=True)
confusion = np.array([[1.0, 0.0, 0.0], [0.0, 0.9, 0.1], [0.0, 0.1, 0.9]])
soft = confusion[y]

models = {
    loss: SoftmaxClassifier(loss, alpha=1e-3).fit(X, y, soft_labels=soft)
    for loss in ("cross_entropy", "kl_divergence")
}
for loss, model in models.items():
    print(f"{loss:<15}F = {model.objective_value_:.4f}, {model.n_iter_} iterations")
weights = [model.coef_ for model in models.values()]
print("the same weights:", np.allclose(*weights, atol=1e-4))

# %%
# **Are they the same loss?** For training, yes: the same slopes, and so the same model.
# As a number to report, no: the divergence is zero for a perfect prediction, and
# cross-entropy is the entropy of the labels.
