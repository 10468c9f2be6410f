"""scikit-learn's linear estimators, liblinear among them, each where it minimises the objective of `Problem`."""

import numpy as np
from sklearn.linear_model import (
    GammaRegressor,
    HuberRegressor,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.svm import LinearSVC

from .peers import LARGEST_HESSIAN, Peer, unless

MAX_ITER = 1000
LARGEST_PROGRAM = 2_000_000  # entries of X; HiGHS takes a minute for half of them, and cannot be interrupted


class Logistic(Peer):
    """LogisticRegression with one of its solvers; liblinear penalises the intercept, so it is used without one."""

    library = "scikit-learn"

    def __init__(self, solver):
        self.solver, self.name = solver, f"LogisticRegression {solver}"

    def reason_to_skip(self, problem):
        if problem.name != "CrossEntropy":
            return "it minimises cross-entropy"
        if self.solver == "liblinear" and problem.n_classes > 2:
            return "liblinear is binary"
        if self.solver == "newton-cholesky" and problem.X.shape[1] > LARGEST_HESSIAN:
            return "its Hessian is too large"
        return unless(self.solver != "liblinear" or not problem.fit_intercept, "liblinear penalises the intercept")

    def fit(self, problem, setting):
        C = problem.C if problem.alpha else np.inf
        model = LogisticRegression(
            C=C, fit_intercept=problem.fit_intercept, solver=self.solver, tol=setting, max_iter=MAX_ITER
        )
        model.fit(problem.X, problem.y)
        return model.coef_, model.intercept_


class SupportVectors(Peer):
    """LinearSVC, that is liblinear: hinge, squared hinge, or Crammer and Singer's joint hinge."""

    library = "scikit-learn"

    def __init__(self, dual=True):
        self.dual, self.name = dual, f"LinearSVC {'dual' if dual else 'primal'}"

    def reason_to_skip(self, problem):
        if problem.name not in ("Hinge", "SquaredHinge"):
            return "it minimises the hinge and its square"
        if problem.fit_intercept or not problem.alpha:
            return "it penalises the intercept, and needs a penalty"
        if problem.n_classes > 2:
            joint = problem.name == "Hinge" and problem.loss.multiclass == "crammer-singer"
            return unless(joint and self.dual, "its joint hinge is Crammer and Singer's")
        return unless(self.dual or problem.name == "SquaredHinge", "it solves the hinge in the dual only")

    def fit(self, problem, setting):
        model = LinearSVC(
            loss="hinge" if problem.name == "Hinge" else "squared_hinge",
            multi_class="crammer_singer" if problem.n_classes > 2 else "ovr",
            C=problem.C,
            fit_intercept=False,
            dual=self.dual,
            tol=setting,
            max_iter=10 * MAX_ITER,
            random_state=0,
        )
        model.fit(problem.X, problem.y)
        return model.coef_, model.intercept_


SGD_LOSSES = {
    "CrossEntropy": "log_loss",
    "Hinge": "hinge",
    "SquaredHinge": "squared_hinge",
    "ModifiedHuber": "modified_huber",
}


class StochasticGradient(Peer):
    """SGDClassifier; its accuracy grows with the number of epochs, not with a tolerance."""

    library, name = "scikit-learn", "SGDClassifier"
    settings = (1, 3, 10, 30, 100, 300, 1000)
    setting_name = "epochs"

    def reason_to_skip(self, problem):
        if problem.name not in SGD_LOSSES:
            return "it does not have the loss"
        return unless(problem.n_classes == 2 and problem.alpha > 0, "it is binary, and needs a penalty")

    def fit(self, problem, setting):
        model = SGDClassifier(
            loss=SGD_LOSSES[problem.name],
            alpha=problem.alpha,
            fit_intercept=problem.fit_intercept,
            max_iter=setting,
            tol=None,
            average=True,
            random_state=0,
        )
        model.fit(problem.X, problem.y)
        return model.coef_, model.intercept_


class JointHuber(Peer):
    """HuberRegressor, which estimates the scale as well.

    It is the same problem where the scale comes out as one (see `data`); elsewhere its suboptimality shows.
    """

    library, name = "scikit-learn", "HuberRegressor"

    def reason_to_skip(self, problem):
        return unless(problem.name == "Huber" and problem.is_regression, "it minimises the Huber loss")

    def fit(self, problem, setting):
        model = HuberRegressor(
            epsilon=problem.loss.delta,
            alpha=problem.alpha * len(problem.y),
            fit_intercept=problem.fit_intercept,
            tol=setting,
            max_iter=MAX_ITER,
        )
        model.fit(problem.X, problem.y)
        return model.coef_, model.intercept_


class LinearProgram(Peer):
    """QuantileRegressor, a linear program for HiGHS: exact, so that there is nothing to set."""

    library, name = "scikit-learn", "QuantileRegressor"
    settings = ("highs",)
    setting_name = "solver"

    def reason_to_skip(self, problem):
        if problem.name not in ("Quantile", "AbsoluteError") or not problem.is_regression:
            return "it minimises the pinball loss"
        if np.prod(problem.X.shape) > LARGEST_PROGRAM:
            return "it would take hours"
        return unless(problem.alpha == 0, "its penalty is the absolute value")

    def fit(self, problem, setting):
        quantile = getattr(problem.loss, "quantile", 0.5)
        model = QuantileRegressor(quantile=quantile, alpha=0, fit_intercept=problem.fit_intercept, solver=setting)
        model.fit(problem.X, problem.y)
        return model.coef_, model.intercept_


GLMS = {"Poisson": PoissonRegressor, "Gamma": GammaRegressor, "Tweedie": TweedieRegressor}


class LogLinkGLM(Peer):
    """PoissonRegressor, GammaRegressor and TweedieRegressor."""

    library = "scikit-learn"

    def __init__(self, solver):
        self.solver, self.name = solver, f"GLM {solver}"

    def reason_to_skip(self, problem):
        return unless(problem.name in GLMS, "it minimises the deviances")

    def fit(self, problem, setting):
        model = GLMS[problem.name](
            alpha=problem.alpha,
            fit_intercept=problem.fit_intercept,
            solver=self.solver,
            tol=setting,
            max_iter=MAX_ITER,
        )
        if problem.name == "Tweedie":
            model.set_params(power=problem.loss.power, link="log")
        model.fit(problem.X, problem.y)
        return model.coef_, model.intercept_


LOGISTIC_SOLVERS = ("lbfgs", "newton-cg", "newton-cholesky", "liblinear", "sag", "saga")
GLM_SOLVERS = ("lbfgs", "newton-cholesky")
PEERS = [
    *map(Logistic, LOGISTIC_SOLVERS),
    SupportVectors(dual=True),
    SupportVectors(dual=False),
    StochasticGradient(),
    JointHuber(),
    LinearProgram(),
    *map(LogLinkGLM, GLM_SOLVERS),
]
