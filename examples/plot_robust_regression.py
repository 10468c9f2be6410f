"""
Every regression loss on one page, and what an outlier does to it
=================================================================

Squared error is one answer out of many. This page fits a line with every regression loss of the library,
first to real data, then to data of which a tenth is wrong, and compares the losses by cross-validation. At
the end, the quantile loss draws what no mean can show: how the spread of food expenditure grows with income.
"""

# %%
# The losses
# ----------
#
# One estimator, `LinearRegressor`, takes them all. ``Huber``, ``LogCosh`` and the two tubes measure errors
# against a length of their own, so the target is brought to unit scale first. It is divided only, never
# shifted, because the percentage error and the last three, the deviances with a log link, want positive
# targets.

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
# Progression of the disease in 442 patients, from ten measurements. Every loss is also a metric, and
# ``scorer()`` makes a scikit-learn scorer of it. Each column of the table is a way to keep score, each row a
# loss to train with.

from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

METRICS = {
    "RMSE": RootMeanSquaredError(),
    "MAE": AbsoluteError(),
    "MAPE": PercentageError(),
    "pinball 3/4": Quantile(quantile=0.75),
}


def cross_validation_table(X, y):
    """Print the mean of every metric over the test folds; a star marks the best of a column."""
    folds = KFold(n_splits=10, shuffle=True, random_state=0)
    scoring = {name: metric.scorer() for name, metric in METRICS.items()}
    rows, times = [], []
    for loss in LOSSES:
        model = make_pipeline(StandardScaler(), LinearRegressor(loss, alpha=1e-3))
        result = cross_validate(model, X, y, cv=folds, scoring=scoring)
        rows.append([-result[f"test_{name}"].mean() for name in METRICS])
        times.append(1e3 * result["fit_time"].mean())
    best = np.min(rows, axis=0)
    print(f"\n{'trained with':<40}" + "".join(f"{name:>13}" for name in METRICS) + f"{'fit time':>12}")
    for loss, row, time in zip(LOSSES, rows, times, strict=True):
        cells = "".join(f"{value:>12.4f}{'*' if value == low else ' '}" for value, low in zip(row, best, strict=True))
        print(f"{loss!r:<40}{cells}{time:>9.1f} ms")


X, y = load_diabetes(return_X_y=True)
y = y / y.std()
cross_validation_table(X, y)

# %%
# One should train with the loss that one is judged by: percentage error wins by far on MAPE, and the 3/4
# quantile on its own pinball loss, while both are bad at everything else. Among the losses for the centre
# there is little to choose here, because these data have no outliers. The three deviances with their log link
# do slightly better than any straight line.
#
# To see the fits, take one feature, the body mass index. The grey line is least squares in every panel.

import matplotlib.pyplot as plt


def draw_fits(x, y, xlabel, ylabel, truth=None):
    """A panel for each loss: the data, least squares in grey, and the loss's own fit in red."""
    grid = np.linspace(x.min(), x.max(), 100)[:, None]
    baseline = LinearRegressor(SquaredError(), alpha=0).fit(x[:, None], y).predict(grid)
    figure, panels = plt.subplots(3, 4, figsize=(11, 7.5), sharex=True, sharey=True, layout="constrained")
    for loss, axes in zip(LOSSES, panels.flat, strict=True):
        axes.scatter(x, y, s=7, color="0.8", edgecolor="none")
        if truth is not None:
            axes.plot(grid, truth(grid), color="black", linewidth=1, linestyle=":", label="truth")
        axes.plot(grid, baseline, color="0.55", linewidth=1.5, label="least squares")
        axes.plot(grid, LinearRegressor(loss, alpha=0).fit(x[:, None], y).predict(grid), "C3", linewidth=2)
        axes.set_title(repr(loss), fontsize=9, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].legend(frameon=False, fontsize=8, loc="upper left")
    figure.supxlabel(xlabel)
    figure.supylabel(ylabel)
    plt.show()


draw_fits(X[:, 2], y, "body mass index (centred, norm 1)", "progression (standard deviations)")

# %%
# A tenth of the data is wrong
# ----------------------------
#
# A line with unit slope and a little noise. Then a tenth of the targets, all at the right end, are replaced
# by something small, as if a sensor had failed.

rng = np.random.default_rng(0)


def truth(x):
    """The line behind the data."""
    return 1.0 + x


n_samples = 300
x = np.sort(rng.uniform(0, 5, n_samples))
y = truth(x) + 0.25 * rng.standard_normal(n_samples)
y[-60::2] = rng.uniform(0.1, 1.0, 30)
y = np.maximum(y, 0.1)

draw_fits(x, y, "x", "y", truth)

# %%
# Cross-validation has a trap here: the test folds hold outliers too, and a mean of squares rewards the model
# that bends towards them. The median of the absolute errors does not. Next to it stands what one never knows
# in practice, the distance from the true line.

from sklearn.model_selection import cross_val_predict

folds = KFold(n_splits=10, shuffle=True, random_state=0)
print(f"\n{'trained with':<40}{'RMSE':>10}{'median |error|':>16}{'from the truth':>16}{'slope at 2.5':>14}")
for loss in LOSSES:
    model = LinearRegressor(loss, alpha=1e-3)
    prediction = cross_val_predict(model, x[:, None], y, cv=folds)
    rmse = RootMeanSquaredError()(y, prediction)
    from_truth = RootMeanSquaredError()(truth(x), prediction)
    slope = np.diff(model.fit(x[:, None], y).predict([[2.4], [2.6]]))[0] / 0.2
    median = np.median(np.abs(y - prediction))
    print(f"{loss!r:<40}{rmse:>10.3f}{median:>16.3f}{from_truth:>16.3f}{slope:>14.2f}")

# %%
# Least squares has the best RMSE and is far from the line that made nine tenths of the data. Absolute error
# and Huber with a small ``delta`` find it: an outlier pulls on them with the same force however far away it
# is.
#
# A bound on the pull is not the whole story. The percentage error divides by the target, so that small
# targets weigh the most, and here the wrong ones are small.
#
# Quantiles: Engel's data
# -----------------------
#
# Household income and food expenditure of 235 Belgian families, collected by Ernst Engel in 1857; the example
# with which Koenker and Bassett introduced quantile regression. Their line for the median is known: 81.48 +
# 0.560 income.

import statsmodels.api as sm

engel = sm.datasets.engel.load_pandas().data.sort_values("income")
income, food = engel[["income"]], engel["foodexp"]

QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]
models = {q: LinearRegressor(Quantile(quantile=q), alpha=0).fit(income, food) for q in QUANTILES}

print(f"\n{'quantile':>9}{'intercept':>12}{'slope':>9}{'below the line':>16}{'duality gap':>14}")
for q, model in models.items():
    below = np.mean(food < model.predict(income) - 1e-9)
    print(f"{q:>9}{model.intercept_:>12.3f}{model.coef_[0]:>9.4f}{below:>16.1%}{model.dual_gap_:>14.0e}")

# %%
# The slopes grow with the quantile: the more a family earns, the more families of the same income differ. The
# duality gap says that these lines are not approximations: each is optimal to rounding. Least squares lies
# above the median where incomes are low, pulled by a few rich families that spend little on food.

least_squares = LinearRegressor(alpha=0).fit(income, food)
lines = {q: model.predict(income) for q, model in models.items()}

figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
axes.fill_between(income["income"], lines[0.05], lines[0.95], color="C0", alpha=0.12, label="5 % to 95 %")
axes.fill_between(income["income"], lines[0.25], lines[0.75], color="C0", alpha=0.25, label="25 % to 75 %")
axes.plot(income["income"], lines[0.5], color="C0", linewidth=2, label="median")
axes.plot(income["income"], least_squares.predict(income), color="C3", linestyle="--", label="least squares")
axes.scatter(income["income"], food, s=12, color="0.35", edgecolor="none", zorder=3)
axes.set(xlabel="household income", ylabel="food expenditure")
axes.legend(frameon=False, loc="upper left")
axes.spines[["top", "right"]].set_visible(False)
plt.show()
