"""
The lasso of a median: which features does a typical row have?
==============================================================

The lasso finds the features of the mean. Where a few rows are far from all others, the
mean is theirs, and so are the features. The same penalty with the absolute error finds
the features of the median.
"""

# %%
# Heavy tails
# -----------
#
# A hundred rows, sixty features, of which three matter. The noise comes from a Cauchy
# distribution: most rows are close to their mean, some are anywhere.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_losses import LinearRegressor, regularization_path

rng = np.random.default_rng(1)
X = rng.normal(size=(100, 60))
truth = np.zeros(60)
truth[:3] = [2.0, -1.5, 1.0]
y = X @ truth + 0.4 * rng.standard_cauchy(100)

# %%
# Both losses choose their own strength on the same folds, judged by the absolute error.

models = {}
for loss in ("squared_error", "absolute_error"):
    path = regularization_path(
        LinearRegressor(loss, l1_ratio=1.0),
        X,
        y,
        n_alphas=25,
        eps=0.02,
        cv=5,
        scoring="neg_median_absolute_error",
    )
    models[loss] = model = path.best_estimator_
    kept = np.flatnonzero(model.coef_)
    wrong = np.setdiff1d(kept, [0, 1, 2])
    error = np.linalg.norm(model.coef_ - truth)
    gap = model.dual_gap_ / model.objective_value_
    print(
        f"{loss:>14}: {len(kept):2d} features, {len(wrong):2d} wrong; "
        f"{error:.2f} from the truth; relative gap {gap:.0e}"
    )

# %%
# The weights that were found, beside the true ones.

# sphinx_gallery_thumbnail_number = 2
for loss, model in models.items():
    _, ax = plt.subplots()
    ax.stem(model.coef_, linefmt="0.7", markerfmt="C0.", basefmt="0.7")
    ax.plot(range(3), truth[:3], "k_", markersize=14, label="truth")
    ax.set(title=loss, xlabel="feature", ylabel="weight", ylim=(-1.8, 2.2))
    ax.legend(loc="upper right")
plt.show()

# %%
# **Which features does a typical row have?** The squared error misses all three that
# matter; the absolute error finds them, with weights close to the true ones, and a few
# small ones beside. With absolute values in the loss and in the penalty the problem is
# a linear programme: it is solved as it is, to a proven gap.
