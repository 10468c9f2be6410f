"""
Wrong labels: which loss is not misled?
=======================================

Labels are given by people and by other programs, and some are wrong. Cross-entropy asks
a model to explain every one of them. Losses with a bound give up on some rows. This
page takes the right labels of handwritten digits, spoils up to 40 % of them, and tests
on clean ones.
"""

# %%
# Why a bound helps
# -----------------
#
# The loss of a row by the probability of its label, and the size of its slope in the
# score, which is the pull of this row on the model. A row with a wrong label is one to
# which a good model gives a small probability: look at the left end. There the
# cross-entropy grows without end, and pulls the hardest. So does the focal loss, which
# turns away from the easy rows. Generalised cross-entropy and the absolute error are
# bounded, and let go.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_losses import (
    AbsoluteError,
    CrossEntropy,
    Focal,
    GeneralizedCrossEntropy,
    SoftmaxClassifier,
)
from sklearn_losses.activations import Sigmoid

LOSSES = {
    "cross-entropy": CrossEntropy(),
    "focal": Focal(gamma=2.0),
    "generalised CE": GeneralizedCrossEntropy(q=0.7),
    "absolute error": AbsoluteError(),
}
COLORS = dict(zip(LOSSES, ["C0", "C4", "C2", "C3"], strict=True))

z = np.linspace(-7, 5, 241)
p = Sigmoid().forward(z)
its_label = np.ones_like(p)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
for name, loss in LOSSES.items():
    pull = -Sigmoid().pull_back(z, loss.gradient(its_label, p))
    left.plot(p, loss.value(its_label, p), color=COLORS[name], label=name)
    right.plot(p, pull, color=COLORS[name], label=name)
left.set(xlabel="probability of the label", ylabel="loss", ylim=(0, 4))
left.legend()
right.set(xlabel="probability of the label", ylabel="pull on the score")
plt.show()

# %%
# The experiment
# --------------
#
# Half of the digits are for training. A share of their labels is replaced by another
# class, chosen at random. Nobody knows which, so the strength of the penalty is chosen
# for each loss with the noisy labels too: on a third of the training rows.

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X = X / 16
SHARES = [0.0, 0.1, 0.2, 0.3, 0.4]
ALPHAS = [1e-3, 1e-2]
N_REPEATS = 3


def spoil(labels, share, rng):
    """Replace a share of the labels by another class."""
    wrong = rng.random(len(labels)) < share
    return np.where(wrong, (labels + rng.integers(1, 10, len(labels))) % 10, labels)


def fit(loss, X, y):
    """The model with the better of the strengths on held-out rows, fitted to all."""
    inner, outer, y_inner, y_outer = train_test_split(
        X, y, test_size=1 / 3, random_state=0
    )
    models = [
        SoftmaxClassifier(loss, alpha=alpha).fit(inner, y_inner) for alpha in ALPHAS
    ]
    best = max(models, key=lambda model: model.score(outer, y_outer))
    return best.fit(X, y)


accuracy = {name: np.zeros((len(SHARES), N_REPEATS)) for name in LOSSES}
for repeat in range(N_REPEATS):
    train, test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, random_state=repeat
    )
    for i, share in enumerate(SHARES):
        noisy = spoil(y_train, share, np.random.default_rng(repeat))
        for name, loss in LOSSES.items():
            accuracy[name][i, repeat] = fit(loss, train, noisy).score(test, y_test)

print(f"{'wrong labels':<18}" + "".join(f"{share:>8.0%}" for share in SHARES))
for name, values in accuracy.items():
    print(f"{name:<18}" + "".join(f"{value:>8.3f}" for value in values.mean(axis=1)))

# %%
# Without noise there is little to choose between. From a tenth of wrong labels on the
# unbounded losses lose. The focal loss is no remedy: it looks at the hardest rows, and
# those are the wrong ones. (Lines are means of three splits, bands go from the worst to
# the best.)

# sphinx_gallery_thumbnail_number = 2
figure, axes = plt.subplots(figsize=(6.5, 4.2))
for name, values in accuracy.items():
    mean = values.mean(axis=1)
    axes.plot(SHARES, mean, "o-", color=COLORS[name], label=name)
    axes.fill_between(
        SHARES, values.min(axis=1), values.max(axis=1), color=COLORS[name], alpha=0.15
    )
axes.xaxis.set_major_formatter("{x:.0%}")
axes.set(xlabel="wrong labels in training", ylabel="accuracy on clean labels")
axes.set_title("Digits")
axes.legend(loc="lower left")
plt.show()

# %%
# **Which loss is not misled?** One that is bounded: with 40 % wrong labels generalised
# cross-entropy and the absolute error stay close to where they were, while
# cross-entropy and the focal loss fall. With clean labels there is no reason to pay for
# it: these two are not convex, and nobody can certify their fits.
