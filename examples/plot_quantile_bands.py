"""
Quantile bands: where will nine in ten lie?
===========================================

Least squares answers with a mean, and says nothing about the spread around it. Where
the spread changes with the features, a mean with an error bar of one width is wrong
nearly everywhere. The quantile loss fits the edges of a band directly.
"""

# %%
# Engel's data
# ------------
#
# Household income and food expenditure of 235 Belgian families, collected by Ernst
# Engel in 1857; the example with which Koenker and Bassett introduced quantile
# regression. Their line for the median is known: 81.48 + 0.560 income.

import matplotlib.pyplot as plt
import numpy as np
import statsmodels.api as sm

from sklearn_losses import LinearRegressor, Quantile

engel = sm.datasets.engel.load_pandas().data.sort_values("income")
income, food = engel[["income"]], engel["foodexp"]

QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]
models = {
    q: LinearRegressor(Quantile(quantile=q), alpha=0).fit(income, food)
    for q in QUANTILES
}

print(f"{'quantile':>9}{'intercept':>12}{'slope':>9}{'below':>9}{'duality gap':>14}")
for q, model in models.items():
    below = np.mean(food < model.predict(income) - 1e-9)
    print(
        f"{q:>9}{model.intercept_:>12.3f}{model.coef_[0]:>9.4f}{below:>9.1%}"
        f"{model.dual_gap_:>14.0e}"
    )

# %%
# The slopes grow with the quantile: the more a family earns, the more families of the
# same income differ. The duality gap says that these lines are no approximations: each
# is optimal to rounding.

least_squares = LinearRegressor("squared_error", alpha=0).fit(income, food)
lines = {q: model.predict(income) for q, model in models.items()}
x = income["income"]

figure, axes = plt.subplots(figsize=(7.5, 4.6))
axes.fill_between(
    x, lines[0.05], lines[0.95], color="C0", alpha=0.15, label="5 % to 95 %"
)
axes.fill_between(
    x, lines[0.25], lines[0.75], color="C0", alpha=0.3, label="25 % to 75 %"
)
axes.plot(x, lines[0.5], color="C0", label="median")
axes.plot(x, least_squares.predict(income), "C3--", label="least squares")
axes.scatter(x, food, s=12, color="0.35", edgecolor="none", zorder=3)
axes.set(xlabel="household income", ylabel="food expenditure")
axes.set_title("Engel's data, 1857")
axes.legend(loc="upper left")
plt.show()

# %%
# Does the band keep its word on new data?
# ----------------------------------------
#
# Ten folds, each predicted by lines that were fitted to the others. Nine in ten
# families should be inside, among the poor as well as among the rich. The rival is
# least squares with a margin of 1.645 standard deviations.

from sklearn.model_selection import KFold, cross_val_predict

folds = KFold(n_splits=10, shuffle=True, random_state=0)


def out_of_fold(loss):
    """Predictions for every row by a model that has not seen it."""
    return cross_val_predict(LinearRegressor(loss, alpha=0), income, food, cv=folds)


lower, upper = (
    out_of_fold(Quantile(quantile=0.05)),
    out_of_fold(Quantile(quantile=0.95)),
)
mean = out_of_fold("squared_error")
margin = 1.645 * np.std(food - mean)
inside = {
    "quantile band": (lower <= food) & (food <= upper),
    "least squares": abs(food - mean) <= margin,
}
third = np.digitize(x, np.quantile(x, [1 / 3, 2 / 3]))
print(f"{'share inside':<16}{'all':>8}{'poorest':>10}{'middle':>9}{'richest':>10}")
for name, hit in inside.items():
    by_third = [hit[third == t].mean() for t in range(3)]
    print(
        f"{name:<16}{hit.mean():>8.0%}{by_third[0]:>10.0%}{by_third[1]:>9.0%}"
        f"{by_third[2]:>10.0%}"
    )

# %%
# Bands that bend
# ---------------
#
# With splines as features the edges are curves, and still the solutions of a convex
# problem.

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

rng = np.random.default_rng(0)
t = np.sort(rng.uniform(0, 10, 600))[:, None]
spread = 0.2 + 0.5 * (1 + np.cos(0.6 * t[:, 0]))
level = np.sin(t[:, 0]) + 0.3 * t[:, 0]
noisy = level + spread * (rng.gamma(2.0, 1.0, len(t)) - 2.0)

# sphinx_gallery_thumbnail_number = 2
figure, axes = plt.subplots(figsize=(7.5, 4.2))
curves = {}
for q in QUANTILES:
    splines = SplineTransformer(n_knots=9, include_bias=False)
    model = make_pipeline(splines, LinearRegressor(Quantile(quantile=q), alpha=1e-4))
    curves[q] = model.fit(t, noisy).predict(t)
axes.fill_between(t[:, 0], curves[0.05], curves[0.95], color="C0", alpha=0.15)
axes.fill_between(t[:, 0], curves[0.25], curves[0.75], color="C0", alpha=0.3)
axes.plot(t[:, 0], curves[0.5], color="C0")
axes.scatter(t[:, 0], noisy, s=8, color="0.35", edgecolor="none", zorder=3)
axes.set(xlabel="x", ylabel="y", title="Skewed noise of changing width")
plt.show()

inside = np.mean((curves[0.05] <= noisy) & (noisy <= curves[0.95]))
print(f"between the outer curves: {inside:.1%} of the rows")

# %%
# **Where will nine in ten lie?** Between the 5 % and the 95 % quantile, each fitted for
# itself: the band is as wide as the data are at each place. A mean with one margin
# covers everybody where the spread is small, and too few where it is large.
