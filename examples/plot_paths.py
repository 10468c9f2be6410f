"""
Paths: in which order do features come in?
==========================================

With a strong penalty on absolute values no feature has a weight. As it gives way they
come in one after the other, the most telling first. The order depends on the loss: a
loss that believes every target follows a few wild ones, and brings in features that
have nothing to say.
"""

# %%
# Diabetes, with a few targets gone wrong
# ---------------------------------------
#
# Ten measurements of 442 patients and the progression of their disease a year later.
# In one row of twenty the target has lost its decimal point.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from sklearn_losses import LinearRegressor, regularization_path

data = load_diabetes(as_frame=True)
X = StandardScaler().set_output(transform="pandas").fit_transform(data.data)
rng = np.random.default_rng(0)
wrong = rng.random(len(X)) < 0.05
y = np.where(wrong, 10 * data.target, data.target) / data.target.std()

# %%
# Three losses, one path each
# ---------------------------
#
# Each path begins where its own penalty holds all weights at zero, and every one of its
# points is certified to be within a millionth of the minimum.

losses = ["squared_error", "huber", "absolute_error"]
paths = {}
for loss in losses:
    path = regularization_path(
        LinearRegressor(loss, l1_ratio=1.0),
        X,
        y,
        n_alphas=40,
        eps=0.01,
        cv=5,
        scoring="neg_median_absolute_error",
        rule="one-standard-error",
    )
    paths[loss] = path
    kept = X.columns[path.best_estimator_.coef_ != 0]
    certified = np.all(path.dual_gaps_ <= 1e-6 * path.objective_values_)
    print(f"{loss:>15}: certified: {certified}, keeps {', '.join(kept)}")

# %%
# The weights of each loss against the strength. The dotted line is the strongest
# penalty whose score on five folds is within one standard error of the best.

for loss, path in paths.items():
    display = path.plot()
    display.ax_.set_title(loss)
plt.show()

# %%
# **In which order do features come in?** In that of what they say about y, as the loss
# sees it: the squared error follows the wrong targets, and with them one feature more
# and other weights. It takes one word to ask a loss that does not, and the certificate
# is the same.
