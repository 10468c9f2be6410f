"""
Every regression loss on one page, and what an outlier does to it
=================================================================

Squared error is one answer out of many. This page fits a line with every regression
loss of the library, first to real data, then to data of which a tenth is wrong, and
compares the losses by cross-validation. Which of them finds the line that made the
data?
"""

# %%
# The losses
# ----------
#
# One estimator, `LinearRegressor`, takes them all. ``Huber``, ``LogCosh`` and the two
# tubes measure errors against a length of their own, so the target is brought to unit
# scale first. It is divided only, never shifted, because the percentage error and the
# last three, the deviances with a log link, want positive targets.

import numpy as np

from sklearn_losses import (
    AbsoluteError,
    EpsilonInsensitive,
    Gamma,
    Huber,
    LinearRegressor,
    LogCosh,
    PercentageError,
    Poisson,
    Quantile,
    RootMeanSquaredError,
    SquaredEpsilonInsensitive,
    SquaredError,
    Tweedie,
)

LOSSES = [
    SquaredError(),
    RootMeanSquaredError(),
    AbsoluteError(),
    Huber(delta=0.5),
    LogCosh(),
    PercentageError(),
    Quantile(quantile=0.75),
    EpsilonInsensitive(epsilon=0.5),
    SquaredEpsilonInsensitive(epsilon=0.5),
    Poisson(),
    Gamma(),
    Tweedie(power=1.5),
]

# %%
# Real data: diabetes
# -------------------
#
# Progression of the disease in 442 patients, from ten measurements. Every loss is also
# a metric, so each column of the table is a way to keep score, and each row a loss to
# train with. ``compare_losses`` uses the same folds for all of them. Its scores are
# minus the losses, as greater is better; the table shows the losses, with a star for
# the best.

from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_losses import compare_losses

X, y = load_diabetes(return_X_y=True)
y = y / y.std()
folds = KFold(n_splits=10, shuffle=True, random_state=0)
comparison = compare_losses(
    make_pipeline(StandardScaler(), LinearRegressor(alpha=1e-3)),
    X,
    y,
    losses=LOSSES,
    cv=folds,
    scoring={
        "RMSE": RootMeanSquaredError(),
        "MAE": AbsoluteError(),
        "MAPE": PercentageError(),
        "pinball 3/4": Quantile(quantile=0.75),
    },
)

means = {metric: comparison.means(metric) for metric in comparison.metrics}
print(f"{'trained with':<40}" + "".join(f"{metric:>11} " for metric in means))
for i, label in enumerate(comparison.losses):
    cells = [
        f"{-mean[i]:>11.3f}{'*' if label == comparison.best(metric) else ' '}"
        for metric, mean in means.items()
    ]
    print(f"{label:<40}" + "".join(cells))

# %%
# One should train with the loss that one is judged by: percentage error wins by far on
# MAPE, and the 3/4 quantile on its own pinball loss, while both are bad at everything
# else. Among the losses for the centre there is little to choose here, because these
# data have no outliers. The three deviances with their log link do slightly better than
# any straight line.
#
# To see the fits, take one feature, the body mass index.

import matplotlib.pyplot as plt


def draw_fits(x, y, xlabel, ylabel, truth=None):
    """A panel for each loss: the data, least squares, and the loss's own fit."""
    grid = np.linspace(x.min(), x.max(), 100)[:, None]
    baseline = LinearRegressor(SquaredError(), alpha=0).fit(x[:, None], y).predict(grid)
    figure, panels = plt.subplots(3, 4, figsize=(10, 7), sharex=True, sharey=True)
    for loss, axes in zip(LOSSES, panels.flat, strict=True):
        own = LinearRegressor(loss, alpha=0).fit(x[:, None], y).predict(grid)
        axes.scatter(x, y, s=7, color="0.8", edgecolor="none", label="data")
        if truth is not None:
            axes.plot(grid, truth(grid), "k:", linewidth=1.5, label="truth")
        axes.plot(grid, baseline, color="0.5", linewidth=3, label="least squares")
        axes.plot(grid, own, "C3", label="the panel's loss")
        axes.set_title(repr(loss).removesuffix("()").replace("(", "\n("), fontsize=9)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    figure.supxlabel(xlabel)
    figure.supylabel(ylabel)
    plt.show()


draw_fits(X[:, 2], y, "body mass index (centred, norm 1)", "progression (scaled)")

# %%
# A tenth of the data is wrong
# ----------------------------
#
# A line with unit slope and a little noise. Then a tenth of the targets, all at the
# right end, are replaced by something small, as if a sensor had failed.

rng = np.random.default_rng(0)


def truth(x):
    """The line behind the data."""
    return 1.0 + x


n_samples = 300
x = np.sort(rng.uniform(0, 5, n_samples))
y = truth(x) + 0.25 * rng.standard_normal(n_samples)
y[-60::2] = rng.uniform(0.1, 1.0, 30)
y = np.maximum(y, 0.1)

# sphinx_gallery_thumbnail_number = 3
draw_fits(x, y, "x", "y", truth)

# %%
# Cross-validation has a trap here: the test folds hold outliers too, and a mean of
# squares rewards the model that bends towards them. The median of the absolute errors
# does not. Next to it stands what one never knows in practice, the distance from the
# true line.

from sklearn.model_selection import cross_val_predict

print(
    f"{'trained with':<40}{'RMSE':>8}{'median |e|':>12}{'from truth':>12}{'slope':>8}"
)
for loss in LOSSES:
    model = LinearRegressor(loss, alpha=1e-3)
    prediction = cross_val_predict(model, x[:, None], y, cv=folds)
    rmse = RootMeanSquaredError()(y, prediction)
    from_truth = RootMeanSquaredError()(truth(x), prediction)
    median = np.median(np.abs(y - prediction))
    slope = np.diff(model.fit(x[:, None], y).predict([[2.4], [2.6]]))[0] / 0.2
    print(f"{loss!r:<40}{rmse:>8.3f}{median:>12.3f}{from_truth:>12.3f}{slope:>8.2f}")

# %%
# Least squares has the best RMSE and is far from the line that made nine tenths of the
# data. Absolute error and Huber with a small ``delta`` find it.

grid = np.linspace(0, 5, 100)[:, None]
shown = {
    SquaredError(): "C3",
    LogCosh(): "C2",
    Huber(delta=0.5): "C1",
    AbsoluteError(): "C0",
}
figure, axes = plt.subplots(figsize=(7, 4.4))
axes.scatter(x, y, s=10, color="0.75", edgecolor="none")
for loss, color in shown.items():
    model = LinearRegressor(loss, alpha=0).fit(x[:, None], y)
    axes.plot(grid, model.predict(grid), color, label=repr(loss).removesuffix("()"))
axes.plot(grid, truth(grid), "k:", label="truth")
axes.set(xlabel="x", ylabel="y", title="A tenth of the data is wrong")
axes.legend(loc="upper left")
plt.show()

# %%
# A bound on the pull of a row is not the whole story. The percentage error divides by
# the target, so that small targets weigh the most, and here the wrong ones are small.
#
# **Which of them finds the line that made the data?** Absolute error and a Huber loss
# whose ``delta`` is the size of the noise: an outlier pulls on them with the same force
# however far away it is. Least squares has the best cross-validated RMSE, and is wrong.
