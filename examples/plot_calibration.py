"""
Calibration: whose probabilities can be taken at their word?
============================================================

Of the days on which a forecast says "70 % rain", it should rain on seven in ten. Losses
on probabilities all hand out probabilities, but they do not all ask for honest ones.
This page trains with each of them where the truth is known.
"""

# %%
# Labels from a known probability
# -------------------------------
#
# The labels are drawn from the very model that is fitted, so each loss could find it.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV

from sklearn_losses import (
    AbsoluteError,
    CrossEntropy,
    Focal,
    GeneralizedCrossEntropy,
    Hinge,
    Huber,
    LogCosh,
    LogisticRegressor,
    SquaredError,
    get_loss,
)
from sklearn_losses.activations import Sigmoid

rng = np.random.default_rng(0)
n_train, n_test = 5_000, 20_000
X = rng.normal(size=(n_train + n_test, 4))
truth = Sigmoid().forward(X @ [1.0, -0.7, 0.5, 0.0] + 0.3)
y = (rng.random(len(X)) < truth).astype(int)
X, X_test = X[:n_train], X[n_train:]
y, y_test, truth = y[:n_train], y[n_train:], truth[n_train:]

# %%
# The hinge has no probabilities of its own. ``CalibratedClassifierCV`` fits a sigmoid
# to its scores, on rows that it was not trained on.

models = {
    repr(loss): LogisticRegressor(loss)
    for loss in (
        CrossEntropy(),
        CrossEntropy(label_smoothing=0.2),
        SquaredError(),
        Huber(delta=0.25),
        LogCosh(),
        Focal(gamma=2.0),
        GeneralizedCrossEntropy(q=0.7),
        AbsoluteError(),
    )
}
models["Hinge(), calibrated"] = CalibratedClassifierCV(LogisticRegressor(Hinge()))

# %%
# A score that is never below that of the true probabilities, such as the log loss or
# the Brier score, tells how much a model loses. The last column is the distance itself.

log_loss, brier = get_loss("log_loss"), get_loss("brier")
forecasts = {"the truth": truth}
for name, model in models.items():
    forecasts[name] = model.fit(X, y).predict_proba(X_test)[:, 1]

print(f"{'':<34}{'accuracy':>9}{'log loss':>10}{'Brier':>8}{'from the truth':>16}")
for name, p in forecasts.items():
    accuracy = np.mean((p > 0.5) == y_test)
    print(
        f"{name:<34}{accuracy:>9.3f}{log_loss(y_test, p):>10.3f}"
        f"{brier(y_test, p):>8.3f}{np.abs(p - truth).mean():>16.3f}"
    )

# %%
# All are equally good at telling the classes apart. As forecasts they are not. In the
# picture a good forecast is on the diagonal: below it at the right end it claims too
# much, above it too little.

panels = {
    "Honest": ["CrossEntropy()", "SquaredError()", "LogCosh()", "Hinge(), calibrated"],
    "Too modest": ["Focal()", "CrossEntropy(label_smoothing=0.2)"],
    "Too sure": ["GeneralizedCrossEntropy()", "AbsoluteError()", "Huber(delta=0.25)"],
}
edges = np.linspace(0, 1, 11)
figure, all_axes = plt.subplots(1, 3, figsize=(10, 3.9), sharey=True)
for axes, (title, names) in zip(all_axes, panels.items(), strict=True):
    axes.plot([0, 1], [0, 1], color="0.8", linewidth=1)
    for name in names:
        p = forecasts[name]
        bins = np.digitize(p, edges[1:-1])
        enough = [b for b in range(10) if np.sum(bins == b) >= 50]
        said = [p[bins == b].mean() for b in enough]
        came_true = [y_test[bins == b].mean() for b in enough]
        axes.plot(said, came_true, "o-", markersize=5, label=name)
    axes.set(xlabel="predicted probability", title=title, ylim=(-0.02, 1.4))
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.legend(loc="upper left", fontsize=9)
all_axes[0].set(ylabel="share that came true")
plt.show()

# %%
# **Whose probabilities can be taken at their word?** Those of cross-entropy and of
# squared error, which are proper scoring rules: nothing does better than the truth. The
# focal loss and label smoothing are too modest, generalised cross-entropy and the
# absolute error too sure; calibrate them before use, as one has to calibrate the hinge.
