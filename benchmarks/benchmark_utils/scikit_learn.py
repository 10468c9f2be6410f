"""scikit-learn's linear estimators, liblinear among them, each where it minimises the objective of `Problem`."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog
from sklearn.linear_model import (
    ElasticNet,
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
SCALING = 100.0  # of a penalised intercept, so that its penalty is next to nothing


class Logistic(Peer):
    """LogisticRegression with one of its solvers; liblinear penalises the intercept, which is scaled for it."""

    library = "scikit-learn"
    takes_weights = True

    def __init__(self, solver):
        self.solver, self.name = solver, f"LogisticRegression {solver}"
        self.takes_l1 = solver in ("liblinear", "saga")

    def reason_to_skip(self, problem):
        if problem.name != "CrossEntropy":
            return "it minimises cross-entropy"
        if self.solver == "liblinear" and problem.n_classes > 2:
            return "liblinear is binary"
        if self.solver == "newton-cholesky" and problem.X.shape[1] > LARGEST_HESSIAN:
            return "its Hessian is too large"
        whole = problem.l1_ratio in (0.0, 1.0)
        return unless(self.solver != "liblinear" or whole, "liblinear has no elastic net")

    def fit(self, problem, setting):
        model = LogisticRegression(
            C=problem.C,
            l1_ratio=problem.l1_ratio,
            fit_intercept=problem.fit_intercept,
            intercept_scaling=SCALING if self.solver == "liblinear" else 1.0,
            solver=self.solver,
            tol=setting,
            max_iter=MAX_ITER,
        )
        model.fit(**problem.data)
        return model.coef_, model.intercept_


class SupportVectors(Peer):
    """LinearSVC, that is liblinear: hinge, squared hinge, or Crammer and Singer's joint hinge."""

    library = "scikit-learn"
    takes_weights = True

    def __init__(self, dual=True):
        self.dual, self.name = dual, f"LinearSVC {'dual' if dual else 'primal'}"

    def reason_to_skip(self, problem):
        if problem.name not in ("Hinge", "SquaredHinge"):
            return "it minimises the hinge and its square"
        if not problem.alpha:
            return "it needs a penalty"
        if problem.n_classes > 2:
            if problem.fit_intercept:
                return "it penalises the intercepts"
            joint = problem.name == "Hinge" and problem.loss.multiclass == "crammer-singer"
            return unless(joint and self.dual, "its joint hinge is Crammer and Singer's")
        return unless(self.dual or problem.name == "SquaredHinge", "it solves the hinge in the dual only")

    def fit(self, problem, setting):
        model = LinearSVC(
            loss="hinge" if problem.name == "Hinge" else "squared_hinge",
            multi_class="crammer_singer" if problem.n_classes > 2 else "ovr",
            C=problem.C,
            fit_intercept=problem.fit_intercept,
            intercept_scaling=SCALING,
            dual=self.dual,
            tol=setting,
            max_iter=10 * MAX_ITER,
            random_state=0,
        )
        model.fit(**problem.data)
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
    takes_l1 = True

    def reason_to_skip(self, problem):
        if problem.name not in ("Quantile", "AbsoluteError") or not problem.is_regression:
            return "it minimises the pinball loss"
        return too_large(problem) or unless(problem.alpha == 0 or problem.l1_ratio == 1, "it has no squares")

    def fit(self, problem, setting):
        quantile, factor = getattr(problem.loss, "quantile", 0.5), 0.5 if problem.name == "AbsoluteError" else 1.0
        model = QuantileRegressor(
            quantile=quantile, alpha=factor * problem.alpha, fit_intercept=problem.fit_intercept, solver=setting
        )
        model.fit(problem.X, problem.y)
        return model.coef_, model.intercept_


class HingeProgram(Peer):
    """The hinge with absolute weights as a linear program for HiGHS, written down as in a textbook."""

    library, name = "scipy", "linprog"
    settings = ("highs-ds", "highs-ipm")
    setting_name = "method"
    takes_l1 = True

    def reason_to_skip(self, problem):
        if problem.name != "Hinge" or problem.n_classes != 2:
            return "it minimises the binary hinge"
        return too_large(problem) or unless(problem.l1_ratio == 1, "it has no squares")

    def fit(self, problem, setting):
        n, p = problem.X.shape
        signs = np.where(problem.y == problem.y.max(), 1.0, -1.0)
        rows = signs[:, None] * problem.X
        # weights in two halves, the intercept, and every row's loss
        constraints = sparse.hstack([-rows, rows, -signs[:, None], -sparse.eye_array(n)], format="csc")
        cost = np.concatenate([np.full(2 * p, problem.alpha), [0.0], np.full(n, 1 / n)])
        limit = (None, None) if problem.fit_intercept else (0, 0)
        bounds = [(0, None)] * (2 * p) + [limit] + [(0, None)] * n
        x = linprog(cost, constraints, -np.ones(n), bounds=bounds, method=setting).x
        return x[:p] - x[p : 2 * p], x[2 * p]


class Penalised(Peer):
    """ElasticNet, whose loss is half of ours."""

    library, name = "scikit-learn", "ElasticNet"
    takes_l1 = True

    def reason_to_skip(self, problem):
        return unless(problem.name == "SquaredError" and problem.is_regression, "it minimises the squared error")

    def fit(self, problem, setting):
        model = ElasticNet(
            alpha=problem.alpha_of_half,
            l1_ratio=problem.l1_ratio,
            fit_intercept=problem.fit_intercept,
            tol=setting,
            max_iter=100 * MAX_ITER,
        )
        model.fit(problem.X, problem.y)
        return model.coef_, model.intercept_


def too_large(problem):
    stored = problem.X.nnz if sparse.issparse(problem.X) else np.prod(problem.X.shape)
    return unless(stored <= LARGEST_PROGRAM, "it would take hours")


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
    HingeProgram(),
    Penalised(),
    *map(LogLinkGLM, GLM_SOLVERS),
]
