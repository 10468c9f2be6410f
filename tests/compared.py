"""What the tests of compare_losses share: small data, models, losses that fail, and estimators that remember."""

from importlib.metadata import version

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, scale

from sklearn_losses import Huber, LogisticRegressor, Loss, SquaredError
from sklearn_losses.comparison import LossComparison

HAS_CALLBACKS = tuple(map(int, version("scikit-learn").split(".")[:2])) >= (1, 9)

X, Y = load_breast_cancer(return_X_y=True)
X, Y = scale(X)[::4, :6], Y[::4]
WORDS = np.array(["malignant", "benign"])[Y]
IRIS, THREE = load_iris(return_X_y=True)
ROWS, TARGET = load_diabetes(return_X_y=True)
ROWS, TARGET = ROWS[::3], TARGET[::3] / 100
MODEL = LogisticRegressor(alpha=0.1)
PIPELINE = Pipeline([("scale", StandardScaler()), ("model", LogisticRegressor(alpha=0.1))])


class Broken(Loss):
    """Cannot be fitted; what it declares is fine."""

    domain = "probabilities"

    def value(self, y, prediction):
        raise ValueError("no value today")

    def gradient(self, y, prediction):
        raise ValueError("no gradient today")


class BrokenSometimes(SquaredError):
    """Cannot be fitted to so many rows."""

    def __init__(self, rows=0):
        self.rows = rows

    def check_target(self, y):
        if len(y) == self.rows:
            raise ValueError(f"not {len(y)} rows")


class Counting(LogisticRegressor):
    """Remembers how many fits there were, and of how many rows."""

    fits: list = []  # noqa: RUF012

    def fit(self, X, y, sample_weight=None, soft_labels=None):
        self.fits.append(len(y))
        return super().fit(X, y, sample_weight, soft_labels)


class Recording(TransformerMixin, BaseEstimator):
    """Passes rows on, and remembers the first column of those that it was fitted with and of those that came later."""

    fitted: list = []  # noqa: RUF012
    seen: list = []  # noqa: RUF012

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.fitted.append(np.asarray(X)[:, 0])
        self.is_fitted_ = True
        return self

    def transform(self, X):
        self.seen.append(np.asarray(X)[:, 0])
        return self.factor * X


class Listening:
    """A callback that writes down what it is told, and may fail."""

    def __init__(self, fail_after=None):
        self.events, self.fail_after = [], fail_after

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context):
        self.events.append(f"end {context.task_name}")
        if self.events.count("end loss-on-fold") == self.fail_after:
            raise OSError("the screen is full")

    def teardown(self, estimator, context):
        self.events.append("teardown")


def comparison_of(scores, **options):
    """A comparison with given scores, (n_losses, n_folds), of losses a, b, c, ..."""
    scores = np.asarray(scores, dtype=float)
    n_losses, n_folds = scores.shape
    labels = "abcdefgh"[:n_losses]
    given = {
        "losses": {label: Huber(delta=1 + i) for i, label in enumerate(labels)},
        "scores": {"score": scores},
        "fit_times": np.ones_like(scores),
        "best_params": {label: [{}] * n_folds for label in labels},
        "notes": [],
        "n_train": np.full(n_folds, 80),
        "n_test": np.full(n_folds, 20),
        "splitter": "KFold(n_splits=5)",
    }
    return LossComparison(**given | options)
