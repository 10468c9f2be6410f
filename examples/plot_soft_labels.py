"""
Soft labels and distillation: what is a row worth that says how sure it is?
===========================================================================

A label says "yes" or "no". A soft label says "yes, with probability 0.7": the shares of
several annotators' votes, or what another model believes. Every classifier here trains
on them, with any loss: ``fit(X, y, soft_labels=P)``. This page counts how many rows
they save.
"""

# %%
# The teacher
# -----------
#
# A survey of 6,366 married women, from the magazine Redbook in 1974: age, years
# married, children, religiousness, education, occupations, and how happy they call
# their marriage. Who had an affair? A random forest learns it from two thirds of the
# data. Its out-of-bag probabilities are those of trees that did not see the row.

import matplotlib.pyplot as plt
import numpy as np
import statsmodels.api as sm
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sklearn_losses import CrossEntropy, LogisticRegressor

survey = sm.datasets.fair.load_pandas().data
y = (survey["affairs"] > 0).to_numpy(dtype=int)
X = StandardScaler().fit_transform(survey.drop(columns="affairs"))
X, X_test, y, y_test = train_test_split(
    X, y, test_size=1 / 3, random_state=0, stratify=y
)

teacher = RandomForestClassifier(
    n_estimators=200, min_samples_leaf=20, oob_score=True, random_state=0
).fit(X, y)
beliefs = teacher.oob_decision_function_
print("rows of the teacher       ", len(X))
print("its accuracy on test rows ", round(teacher.score(X_test, y_test), 3))
print("its probabilities         ", beliefs[:3].round(2).tolist())

# %%
# The students
# ------------
#
# A linear model sees only a handful of the rows. It is told, for each of them, either
# what happened, or what the teacher decided, or how five annotators voted who share the
# teacher's belief, or that belief itself.

SIZES = [20, 50, 100, 200, 500, 1000]
N_REPEATS = 20

rng = np.random.default_rng(0)
votes = rng.binomial(5, beliefs[:, 1]) / 5
targets = {
    "labels": np.eye(2)[y],
    "the teacher's decisions": np.eye(2)[beliefs.argmax(axis=1)],
    "shares of five votes": np.column_stack([1 - votes, votes]),
    "the teacher's probabilities": beliefs,
}


def student(rows, soft):
    """A linear model of a few rows and their soft labels."""
    model = LogisticRegressor("cross_entropy", alpha=1e-2)
    return model.fit(X[rows], y[rows], soft_labels=soft[rows])


log_loss = {name: np.zeros((len(SIZES), N_REPEATS)) for name in targets}
accuracy = {name: np.zeros((len(SIZES), N_REPEATS)) for name in targets}
for repeat in range(N_REPEATS):
    order = np.random.default_rng(repeat).permutation(len(X))
    for i, size in enumerate(SIZES):
        for name, soft in targets.items():
            model = student(order[:size], soft)
            predicted = model.predict_proba(X_test)
            log_loss[name][i, repeat] = CrossEntropy()(y_test, predicted)
            accuracy[name][i, repeat] = model.score(X_test, y_test)

for title, table in {"log loss": log_loss, "accuracy": accuracy}.items():
    print(f"\n{title + ', rows:':<30}" + "".join(f"{size:>8}" for size in SIZES))
    for name, values in table.items():
        means = values.mean(axis=1)
        print(f"{name:<30}" + "".join(f"{mean:>8.3f}" for mean in means))

# %%
# A hard label is one draw from the probability that the model is after; the soft label
# is the probability. The teacher's decisions are good enough for decisions. Their
# probabilities are not, because nothing in them says how often the teacher is wrong.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
for k, name in enumerate(targets):
    left.plot(SIZES, log_loss[name].mean(axis=1), "o-", color=f"C{k}", label=name)
    right.plot(SIZES, accuracy[name].mean(axis=1), "o-", color=f"C{k}", label=name)
for axes in left, right:
    axes.set(xscale="log", xlabel="rows to learn from")
    axes.set_xticks(SIZES, SIZES)
    axes.minorticks_off()
left.set(ylabel="log loss on test rows", title="Probabilities")
right.set(ylabel="accuracy on test rows", title="Decisions")
right.legend(loc="lower right")
plt.show()

# %%
# **What is a row worth that says how sure it is?** Here, about ten others: 20 rows with
# the teacher's probabilities teach as much as 200 with labels, and 50 as much as 500.
