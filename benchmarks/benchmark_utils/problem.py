"""A problem is data, a loss and a penalty; every solver is measured by the same objective."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sklearn_losses import (
    Hinge,
    Huber,
    LinearRegressor,
    LogisticRegressor,
    Loss,
    Quantile,
    SoftmaxClassifier,
    get_loss,
    regularization_path,
)

VARIANTS = {
    "huber_1.35": Huber(delta=1.35),
    "hinge_crammer_singer": Hinge("crammer-singer"),
    "quantile_0.9": Quantile(quantile=0.9),
}


def named_loss(name: str) -> Loss:
    """A loss by the library's name for it, or one of the variants above."""
    return VARIANTS[name] if name in VARIANTS else get_loss(name)


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimise mean loss + alpha (l1_ratio |coef| + (1 - l1_ratio) / 2 ||coef||²), the intercept unpenalised or absent.

    The mean is weighted where there are weights.
    """

    X: object
    y: np.ndarray
    loss: Loss
    alpha: float
    fit_intercept: bool = True
    l1_ratio: float = 0.0
    weights: np.ndarray | None = None

    @classmethod
    def with_C(cls, X, y, loss: str, C: float, fit_intercept: bool = True):
        """In the convention of LogisticRegression and LinearSVC; without a penalty where C is infinite."""
        return cls(X, y, named_loss(loss), 1 / (C * len(y)), fit_intercept)

    @classmethod
    def sparse(cls, X, y, loss: str, share: float, *, l1_ratio: float = 1.0, fit_intercept: bool = True):
        """With an L1 part, of a share of the strength at which no weight leaves zero."""
        problem = cls(X, y, named_loss(loss), 1.0, fit_intercept, l1_ratio)
        largest = float(regularization_path(problem.model(), X, y, n_alphas=2, eps=0.9).alphas_[0])
        return replace(problem, alpha=share * largest)

    @property
    def C(self) -> float:
        total = len(self.y) if self.weights is None else self.weights.sum()
        return 1 / (self.alpha * total) if self.alpha else np.inf

    @property
    def alpha_of_half(self) -> float:
        """The strength for libraries whose squared error is half of ours; of other losses the same for all."""
        return self.alpha / 2 if self.name == "SquaredError" else self.alpha

    @property
    def name(self) -> str:
        """The name of the loss's class, by which peers recognise what they can do."""
        return type(self.loss).__name__

    @cached_property
    def is_regression(self) -> bool:
        return self.y.dtype.kind == "f"

    @cached_property
    def n_classes(self) -> int:
        return 0 if self.is_regression else len(np.unique(self.y))

    def model(self, **settings):
        """Our estimator for this problem."""
        estimator = LinearRegressor if self.is_regression else SoftmaxClassifier
        if self.n_classes == 2:
            estimator = LogisticRegressor
        settings |= {"alpha": self.alpha, "l1_ratio": self.l1_ratio, "fit_intercept": self.fit_intercept}
        return estimator(self.loss, **settings)

    @property
    def data(self) -> dict:
        """What `fit` takes, ours and scikit-learn's."""
        return {"X": self.X, "y": self.y} | ({} if self.weights is None else {"sample_weight": self.weights})

    @cached_property
    def objective(self):
        return self.model().objective(**self.data)

    def value(self, coef, intercept) -> float:
        """The objective at a solution, in the shapes of scikit-learn."""
        n_outputs = self.n_classes if self.n_classes > 2 else 1
        coef = np.reshape(coef, (n_outputs, -1))
        intercept = np.broadcast_to(np.asarray(intercept, dtype=float), n_outputs)
        return float(self.objective.value(self.objective.pack(coef, intercept)))

    def zero(self):
        """The solution of a solver that has done nothing."""
        n_outputs = self.n_classes if self.n_classes > 2 else 1
        return np.zeros((n_outputs, self.X.shape[1])), np.zeros(n_outputs)
