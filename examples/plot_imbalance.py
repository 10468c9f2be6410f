"""
Rare classes: focal loss, class weights, or a threshold?
========================================================

Five rows in a hundred are positive, and a model that is right 95 times in a hundred may
find none of them. Three remedies are on offer: the focal loss, class weights, and
another threshold than one half. This page trains with each of them and looks at what
they change.
"""

# %%
# Six models
# ----------
#
# Two overlapping clouds, 5 % of the rows in the smaller one. Every loss is trained as
# it is, and with ``class_weight="balanced"``, which gives both classes the same total.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import train_test_split

from sklearn_losses import CrossEntropy, Focal, Hinge, LogisticRegressor

rng = np.random.default_rng(0)
y = (rng.random(20_000) < 0.05).astype(int)
X = rng.normal(size=(len(y), 6)) + y[:, None] * [1.2, 0.8, 0.5, 0.0, 0.0, 0.0]
X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

models = {
    f"{name}{', weights' if weight else ''}": LogisticRegressor(
        loss, class_weight=weight
    )
    for name, loss in {
        "cross-entropy": CrossEntropy(),
        "focal": Focal(gamma=2.0),
        "hinge": Hinge(),
    }.items()
    for weight in (None, "balanced")
}

print(f"{'':<24}{'ROC AUC':>9}{'avg. prec.':>12}{'recall':>9}{'precision':>11}")
for name, model in models.items():
    scores = model.fit(X, y).decision_function(X_test)
    predicted = model.predict(X_test)
    print(
        f"{name:<24}{roc_auc_score(y_test, scores):>9.3f}"
        f"{average_precision_score(y_test, scores):>12.3f}"
        f"{recall_score(y_test, predicted):>9.3f}"
        f"{precision_score(y_test, predicted, zero_division=0):>11.3f}"
    )

# %%
# The first two columns ask how well a model *ranks* the rows, and there is nothing to
# choose between the losses with probabilities, weighted or not. The last two ask which
# rows are called positive, and this is where the weights act: they move the threshold.
# The focal loss moves nothing. The hinge, unweighted, finds it best to give up the
# small class altogether: all its weights are zero.
#
# A threshold does the same
# -------------------------
#
# On the left, every point of a curve is a threshold and the marks are the default one.
# All curves are the same line: weights slide the mark along it, and so does a
# threshold. On the right, what this does to the probabilities. Their mean should be 5
# %; with weights or with the focal loss it is far from that.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.9))
chosen = {
    "cross-entropy": ("C0", "o"),
    "cross-entropy, weights": ("C1", "s"),
    "focal": ("C4", "^"),
    "focal, weights": ("C2", "v"),
}
for name, (color, marker) in chosen.items():
    model = models[name]
    scores = model.decision_function(X_test)
    precision, recall, _ = precision_recall_curve(y_test, scores)
    left.plot(recall, precision, color=color, linewidth=1)
    at_default = recall_score(y_test, scores > 0), precision_score(y_test, scores > 0)
    left.plot(*at_default, marker, color=color, markersize=9, label=name)
left.set(xlabel="recall", ylabel="precision", ylim=(0, 1))
left.set_title("One curve, other places on it")
left.legend()

for name, (color, _) in chosen.items():
    p = models[name].predict_proba(X_test)[:, 1]
    loss = CrossEntropy()(y_test, p)
    print(f"{name:<24}mean probability {p.mean():.3f}, log loss {loss:.3f}")
    right.hist(
        p, bins=np.linspace(0, 1, 41), histtype="step", color=color, linewidth=1.5
    )
    right.axvline(p.mean(), color=color, linestyle=":", linewidth=1.5)
right.set(xlabel="P(positive)", yscale="log", ylabel="test rows")
right.set_title("Dotted: the mean; 5 % are positive")
plt.show()

# %%
# With honest probabilities the threshold follows from what the errors cost: if a missed
# positive is as bad as 15 false alarms, call everything positive above 1 / (1 + 15).
# scikit-learn's ``TunedThresholdClassifierCV`` finds a threshold for any metric by
# cross-validation, here for the balanced accuracy.

from sklearn.model_selection import TunedThresholdClassifierCV

tuned = TunedThresholdClassifierCV(LogisticRegressor(), cv=5).fit(X, y)
by_cost = models["cross-entropy"].predict_proba(X_test)[:, 1] > 1 / 16
for name, predicted in {
    "tuned threshold": tuned.predict(X_test),
    "threshold 1/16": by_cost,
    "class weights": models["cross-entropy, weights"].predict(X_test),
}.items():
    recall = recall_score(y_test, predicted)
    precision = precision_score(y_test, predicted)
    print(f"{name:<18}recall {recall:.3f}, precision {precision:.3f}")

# %%
# **Focal loss, class weights, or a threshold?** A threshold: it finds as many positives
# as weights do, leaves the probabilities alone, and can be moved after training. Class
# weights are for losses without probabilities, such as the hinge. The focal loss
# changes neither the ranking nor the decisions of a linear model here, and spoils its
# probabilities.
