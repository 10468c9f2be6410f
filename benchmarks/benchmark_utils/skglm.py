"""skglm: a datafit, a penalty and a solver, compiled by numba. The first fit compiles and does not count."""

import numpy as np
from scipy import sparse
from skglm import GeneralizedLinearEstimator
from skglm.datafits import Huber, Logistic, Poisson, Quadratic
from skglm.penalties import L2, L1_plus_L2
from skglm.solvers import LBFGS, AndersonCD, ProxNewton
from skglm.utils.jit_compilation import compiled_clone

from .peers import Peer, unless


def datafit(problem):
    """The loss in skglm's words."""
    if problem.name == "Huber":
        return Huber(problem.loss.delta)
    return {"CrossEntropy": Logistic, "Poisson": Poisson, "SquaredError": Quadratic}[problem.name]()


def data(problem):
    """Columns first where X is sparse, and labels -1 and +1."""
    X = sparse.csc_matrix(problem.X) if sparse.issparse(problem.X) else problem.X
    y = problem.y if problem.is_regression else np.where(problem.y == problem.y.max(), 1.0, -1.0)
    return X, y


SOLVERS = {
    "ProxNewton": (ProxNewton, {"max_iter": 1000, "max_pn_iter": 1000}, ("CrossEntropy", "Poisson")),
    "AndersonCD": (AndersonCD, {"max_iter": 1000, "max_epochs": 1000}, ("CrossEntropy", "Huber", "SquaredError")),
}


class CoordinateDescent(Peer):
    """Its solvers with working sets, given an elastic net."""

    library, compiles, takes_l1 = "skglm", True, True

    def __init__(self, solver):
        self.name = solver
        self.solver, self.limits, self.losses = SOLVERS[solver]

    def reason_to_skip(self, problem):
        possible = problem.name in self.losses and problem.n_classes <= 2
        errors = problem.name in ("Huber", "SquaredError")
        return unless(possible and errors == (errors and problem.is_regression), "it does not have the loss")

    def fit(self, problem, setting):
        solver = self.solver(tol=setting, fit_intercept=problem.fit_intercept, **self.limits)
        model = GeneralizedLinearEstimator(
            datafit(problem),
            L1_plus_L2(problem.alpha_of_half, problem.l1_ratio),
            solver,
        )
        model.fit(*data(problem))
        return model.coef_, model.intercept_


class QuasiNewton(Peer):
    """SciPy's L-BFGS-B on its compiled datafits. GeneralizedLinearEstimator cannot call it, so `solve` does."""

    library, name = "skglm", "LBFGS"
    compiles = True

    def reason_to_skip(self, problem):
        if problem.name not in ("CrossEntropy", "Poisson") or problem.n_classes > 2:
            return "it does not have the loss"
        if problem.name == "Poisson" and sparse.issparse(problem.X):
            return "its Poisson datafit is dense there"
        return unless(not problem.fit_intercept, "it has no intercept")

    def fit(self, problem, setting):
        solver = LBFGS(tol=setting, max_iter=1000)
        compiled = compiled_clone(datafit(problem)), compiled_clone(L2(problem.alpha))
        return solver.solve(*data(problem), *compiled)[0], 0.0


PEERS = [*map(CoordinateDescent, SOLVERS), QuasiNewton()]
