"""
Margin softmax: what does a margin do to a linear model?
========================================================

A softmax is content when the true class is ahead. Margin losses on cosines ask for
more: the angle between a row and its class has to be small. In face recognition,
where a network can move its features, that is how people whom it has never seen are
told apart later. What is left of it when nothing can move but the classes'
directions?
"""

# %%
# What each asks for
# ------------------
#
# All of them are the cross-entropy of scaled cosines, among which that of the true
# class is replaced by something smaller: AM-Softmax takes a constant from it, ArcFace
# makes the angle larger, SphereFace multiplies it. So does L-Softmax, the first of
# the family, which leaves the lengths of the weights free.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_losses import AMSoftmax, ArcFace, SphereFace

angle = np.linspace(0, 180, 361)
cosine = np.cos(np.radians(angle))
_, axes = plt.subplots()
axes.plot(angle, cosine, "k:", label="no margin")
for loss in AMSoftmax(margin=0.35), ArcFace(margin=0.5), SphereFace(margin=2):
    name = f"{type(loss).__name__}({loss.margin})"
    axes.plot(angle, loss.moved(cosine)[0], label=name)
axes.set(xlabel="angle with the true class, degrees", ylabel="in place of the cosine")
axes.set_title("Margins on cosines")
axes.legend()
plt.show()

# %%
# Angles with and without a margin
# --------------------------------
#
# Handwritten digits, 64 pixels each. ``CosineClassifier`` learns one direction for
# every class; AM-Softmax takes ``margin`` from the cosine between a row and its own
# class, in training only. With margin 0 it is the softmax of cosines.

from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sklearn_losses import CosineClassifier, SoftmaxClassifier

X, y = load_digits(return_X_y=True)
rows, held_out, labels, truth = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
scaler = StandardScaler().fit(rows)
rows, held_out = scaler.transform(rows), scaler.transform(held_out)


def cosines(model, rows):
    """Of the angles between rows and the classes' directions."""
    return rows @ model.coef_.T / np.linalg.norm(rows, axis=1)[:, None]


MARGINS = (0.0, 0.2, 0.35)
models = {
    m: CosineClassifier(AMSoftmax(m, scale=10.0)).fit(rows, labels) for m in MARGINS
}

for m in 0.0, 0.35:
    _, ax = plt.subplots()
    angles = np.degrees(np.arccos(cosines(models[m], held_out)))
    own = np.arange(10) == truth[:, None]
    nearest_wrong = np.where(own, np.inf, angles).min(axis=1)
    ax.hist(angles[own], bins=40, range=(0, 120), alpha=0.6, label="own class")
    ax.hist(nearest_wrong, bins=40, range=(0, 120), alpha=0.6, label="nearest other")
    ax.set(title=f"Margin {m}", xlabel="angle with a class's direction, degrees")
    ax.set(ylabel="rows held out", ylim=(0, 320))
    ax.legend()
plt.show()

# %%
# The rows stay where they are, so that their own class's angle cannot become small:
# what a margin does is to turn the directions towards the rows that are hard.
#
# How often are held-out rows right?

plain = SoftmaxClassifier(alpha=1e-2).fit(rows, labels)
print(f"softmax with lengths and intercept: {plain.score(held_out, truth):.3f}")
for m, model in models.items():
    angles = np.degrees(np.arccos(cosines(model, held_out)))
    mean = angles[np.arange(len(truth)), truth].mean()
    accuracy = model.score(held_out, truth)
    print(f"margin {m:.2f}: {accuracy:.3f}, mean angle with the own class {mean:.1f}")

# %%
# Lengths that are free
# ---------------------
#
# L-Softmax multiplies the moved cosine with both lengths. Twice an angle has a
# positive cosine up to 45 degrees only, and most digits are farther from their class:
# their score would be negative, and the best length for that is none.

import textwrap
import warnings

from sklearn_losses import LSoftmax

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    free = CosineClassifier(LSoftmax(margin=2)).fit(rows, labels)
print("lengths of the classes:", np.linalg.norm(free.coef_, axis=1).round(3))
print(textwrap.fill(str(caught[0].message), 80))

# %%
# Digits that were never seen
# ---------------------------
#
# Closed set: train on seven digits, name held-out ones of these seven. Open set:
# among all held-out rows, tell those of the other three digits by their angle, which
# should be large with every class that is known. One half is chance, one is perfect.

SEEN = np.arange(7)
known, is_new = np.isin(labels, SEEN), ~np.isin(truth, SEEN)


def report(name, model, novelty):
    """Accuracy on the known digits, and the area under the curve for the new ones."""
    closed = model.score(held_out[~is_new], truth[~is_new])
    area = roc_auc_score(is_new, novelty(model))
    print(f"{name:24} closed set {closed:.3f}, open set {area:.3f}")
    return closed, area


results = {}
for m in MARGINS:
    model = CosineClassifier(AMSoftmax(m, scale=10.0)).fit(rows[known], labels[known])
    results[m] = report(
        f"margin {m}", model, lambda model: -cosines(model, held_out).max(axis=1)
    )
plain = SoftmaxClassifier(alpha=1e-2).fit(rows[known], labels[known])
results["softmax"] = report(
    "softmax, by probability",
    plain,
    lambda model: -model.predict_proba(held_out).max(axis=1),
)

_, ax = plt.subplots(figsize=(6, 3.5))
names = [str(name) for name in results]
places = np.arange(len(names))
ax.bar(
    places - 0.2, [closed for closed, _ in results.values()], 0.4, label="closed set"
)
ax.bar(places + 0.2, [area for _, area in results.values()], 0.4, label="open set")
ax.set(xticks=places, xticklabels=names, ylim=(0.5, 1.1), xlabel="margin")
ax.set_title("Digits that are known, and digits that are new")
ax.legend(loc="upper center", ncols=2)
plt.show()

# %%
# **What is a margin good for here?** For little. It brings rows three degrees closer
# to their class, costs two points of accuracy, and tells new digits apart no better
# than the softmax of cosines or a plain softmax do. The gain that the papers report
# comes from features that are learned with the margin. With a linear model, choose
# margin and scale by cross-validation, with a margin of 0 among them, which is hard
# to beat.
