"""
Numbers, categories and gaps: a data frame compared end to end
==============================================================

Real tables have numbers, words and missing entries. This page takes one through a
scikit-learn pipeline and asks which loss to train its last step with: all losses on the
same folds, each at its own best strength, and a test of the differences.
"""

# %%
# The data
# --------
#
# The survey of the magazine Redbook among married women, 1974, in a data frame: did she
# have an affair? The occupations and the answer on religion are words. Some ages are
# taken out, as somebody always leaves a field empty.

import matplotlib.pyplot as plt
import numpy as np
import statsmodels.api as sm

survey = sm.datasets.fair.load_pandas().data.sample(1500, random_state=0)
OCCUPATIONS = {
    1: "student",
    2: "farm, semi-skilled",
    3: "white-collar",
    4: "skilled, teacher",
    5: "managerial",
    6: "professional",
}
RELIGIOUS = {1: "not", 2: "mildly", 3: "fairly", 4: "strongly"}

y = np.where(survey["affairs"] > 0, "yes", "no")
X = survey.drop(columns="affairs").assign(
    occupation=survey["occupation"].map(OCCUPATIONS),
    occupation_husb=survey["occupation_husb"].map(OCCUPATIONS),
    religious=survey["religious"].map(RELIGIOUS),
)
X.loc[X.sample(frac=0.05, random_state=0).index, "age"] = np.nan
X.head()

# %%
# The pipeline
# ------------
#
# Numbers are imputed and scaled, words become columns of zeros and ones. What follows
# is any model of this library.

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_losses import (
    CoefficientDisplay,
    LogisticRegressor,
    LossComparisonDisplay,
    compare_losses,
)

prepare = make_column_transformer(
    (
        make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
        make_column_selector(dtype_include="number"),
    ),
    (
        OneHotEncoder(drop="first", sparse_output=False),
        make_column_selector(dtype_exclude="number"),
    ),
    verbose_feature_names_out=False,
)
pipeline = make_pipeline(prepare, LogisticRegressor())

# %%
# The comparison
# --------------
#
# Folds are drawn once. Inside the training rows of each, a search finds the strength
# ``alpha`` for every loss by the first metric. Greater is better for all metrics. The
# hinge losses have no probabilities, hence no log loss, and the table says so.

from sklearn.model_selection import RepeatedStratifiedKFold

comparison = compare_losses(
    pipeline,
    X,
    y,
    losses=["cross_entropy", "squared_error", "focal", "hinge", "squared_hinge"],
    cv=RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0),
    scoring=["roc_auc", "accuracy", "neg_log_loss"],
    param_grid={"logisticregressor__alpha": [1e-3, 1e-2, 1e-1]},
    inner_cv=3,
)
comparison

# %%
# Folds are dots, and their ups and downs are common to all losses. The intervals are
# wide because 300 test rows are few. (``comparison.plot()`` is the short form.)

for metric in "roc_auc", "neg_log_loss":
    _, axes = plt.subplots(figsize=(5, 4))
    LossComparisonDisplay.from_comparison(comparison, metric, ax=axes)
plt.show()

# %%
# Are the differences more than chance?
# -------------------------------------
#
# The folds are paired, so the differences are known better than the scores. First how
# well the models rank. With ``rope`` also the probabilities that a loss is worse than
# cross-entropy by more than 0.01, practically the same, or better.

comparison.difference("cross_entropy", "roc_auc", adjust="holm", rope=0.01).round(3)

# %%
# And how honest their probabilities are:

comparison.difference("cross_entropy", "neg_log_loss").round(3)

# %%
# The final model
# ---------------
#
# The winner, fitted to all rows, with the strength that most folds chose. The names of
# its features come out of the pipeline.

best = comparison.best("neg_log_loss")
chosen = [params["logisticregressor__alpha"] for params in comparison.best_params[best]]
alpha = max(sorted(set(chosen)), key=chosen.count)
pipeline.set_params(logisticregressor__loss=best, logisticregressor__alpha=alpha)
pipeline.fit(X, y)
print(f"{best} with alpha = {alpha}; dual_gap_ = {pipeline[-1].dual_gap_:.0e}")

CoefficientDisplay.from_estimator(pipeline, max_features=12)
plt.show()

# %%
# **Which loss for this table?** Cross-entropy or squared error, by a hair. In ranking
# no loss is more than a hundredth from the others. As probabilities those of the focal
# loss are worse beyond doubt, and the hinge losses have none.
