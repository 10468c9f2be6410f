"""
Progress and early stopping: what happens during a fit?
=======================================================

scikit-learn 1.9 brought callbacks: objects that are told about every iteration of a
fit, may look at the model as it is, and may end the fit. The estimators here support
them. (In scikit-learn they are experimental, and may still change. Older versions have
none; everything else works without.)
"""

# %%
# Data with too much to learn
# ---------------------------
#
# 300 handwritten digits, a fifth of them with a wrong label. A model that learns them
# by heart will be wrong about new ones.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split

from sklearn_losses import CrossEntropy, SoftmaxClassifier

X, y = load_digits(return_X_y=True)
X, X_new, y, y_new = train_test_split(X / 16, y, train_size=300, random_state=0)
rng = np.random.default_rng(0)
wrong = rng.random(len(y)) < 0.2
y = np.where(wrong, rng.integers(0, 10, len(y)), y)

# %%
# Watching
# --------
#
# Without any callback, ``verbose=1`` prints a line for each iteration. With one,
# ``ScoringMonitor`` keeps any score along the way, here the training data's log loss.
# The first entry of its log is that of the fit as a whole.

monitor = ScoringMonitor(scoring="neg_log_loss")
SoftmaxClassifier(alpha=1e-3).set_callbacks(monitor).fit(X, y)
scores = [row["neg_log_loss"] for row in monitor.get_logs().data]
print("log loss after each iteration", -np.round(scores[1:], 3))

# %%
# ``ProgressBar`` (it needs the package ``rich``) draws a bar for every level, also
# where fits are nested in a search.

search = GridSearchCV(SoftmaxClassifier(), {"alpha": [1e-3, 1e-2]}, cv=2)
search.set_callbacks(ProgressBar()).fit(X, y)

# %%
# Stopping
# --------
#
# A callback is any class with these four methods. This one scores the model on rows
# that it does not learn from, and asks to stop when nothing has got better for a while.


class StopEarly:
    """Ends a fit whose loss on other rows has not improved for some iterations."""

    def __init__(self, X, y, patience):
        self.X, self.y, self.patience = X, y, patience
        self.history = []

    def setup(self, estimator, context):
        self.history = []

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        probabilities = fitted_estimator.predict_proba(self.X)
        self.history.append(CrossEntropy()(self.y, probabilities))
        return len(self.history) - np.argmin(self.history) > self.patience

    def teardown(self, estimator, context):
        pass


inner, held_out, y_inner, y_held_out = train_test_split(X, y, random_state=0)


def fit(patience, **parameters):
    """A fit that is watched on the held-out rows; a stopped one warns that it is."""
    watch = StopEarly(held_out, y_held_out, patience)
    model = SoftmaxClassifier(**parameters).set_callbacks(watch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(inner, y_inner), watch.history


descent = {"solver": "gradient-descent", "max_iter": 300}
runs = {
    "hardly a penalty": fit(patience=10_000, alpha=1e-6, **descent),
    "stopped early": fit(patience=10, alpha=1e-6, **descent),
    "alpha = 0.01": fit(patience=10_000, alpha=1e-2, **descent),
}
print(f"{'':<18}{'iterations':>12}{'held-out loss':>15}{'accuracy on new rows':>22}")
for name, (model, history) in runs.items():
    print(
        f"{name:<18}{model.n_iter_:>12}{history[-1]:>15.3f}"
        f"{model.score(X_new, y_new):>22.3f}"
    )

# %%
# Without a penalty worth the name the held-out loss falls, turns, and rises: the model
# begins to learn the wrong labels. Stopping ends that. A penalty prevents it.

figure, axes = plt.subplots(figsize=(7, 4.2))
styles = {"hardly a penalty": "C3-", "alpha = 0.01": "C0-"}
for name, style in styles.items():
    axes.plot(runs[name][1], style, label=name)
stopped = runs["stopped early"][1]
axes.plot(len(stopped) - 1, stopped[-1], "ko", markersize=9, label="stopped early")
axes.set(xlabel="iterations of gradient descent", ylabel="log loss on held-out rows")
axes.set(ylim=(0.9, 2.4), title="Digits, a fifth of the labels wrong")
axes.legend()
plt.show()

# %%
# **What happens during a fit?** Whatever you ask to be shown, and it ends when you say
# so. For a better model, choose ``alpha``: its optimum is the same for every solver,
# while where an early stop ends depends on the path.
