"""skglm: a datafit, a penalty and a solver, compiled by numba. (The first fit compiles; it is never the one that counts.)"""

import numpy as np
from scipy import sparse
from skglm import GeneralizedLinearEstimator
from skglm.datafits import Huber, Logistic, Poisson
from skglm.penalties import L2, L1_plus_L2
from skglm.solvers import LBFGS, AndersonCD, ProxNewton

from .peers import Peer, unless

SOLVERS = {"LBFGS": LBFGS, "ProxNewton": ProxNewton, "AndersonCD": AndersonCD}
LOSSES = {
    "LBFGS": ("CrossEntropy", "Poisson"),
    "ProxNewton": ("CrossEntropy", "Poisson"),
    "AndersonCD": ("CrossEntropy", "Huber"),
}


class Skglm(Peer):
    library = "skglm"

    def __init__(self, solver):
        self.solver = self.name = solver

    def reason_to_skip(self, problem):
        if problem.name not in LOSSES[self.solver] or problem.n_classes > 2:
            return "it does not have the loss"
        if problem.name == "Huber" and not problem.is_regression:
            return "it does not have the loss"
        return unless(self.solver != "LBFGS" or not problem.fit_intercept, "its LBFGS has no intercept")

    def fit(self, problem, setting):
        datafit = {"CrossEntropy": Logistic, "Poisson": Poisson}.get(problem.name)
        settings = {} if self.solver == "LBFGS" else {"fit_intercept": problem.fit_intercept, "max_epochs": 1000}
        ridge = L2(problem.alpha) if self.solver == "LBFGS" else L1_plus_L2(problem.alpha, 0.0)
        model = GeneralizedLinearEstimator(
            datafit() if datafit else Huber(problem.loss.delta),
            ridge,
            SOLVERS[self.solver](tol=setting, max_iter=1000, **settings),
        )
        X = sparse.csc_matrix(problem.X) if sparse.issparse(problem.X) else problem.X
        y = problem.y if problem.is_regression else np.where(problem.y == problem.y.max(), 1.0, -1.0)
        model.fit(X, y)
        return model.coef_, model.intercept_


PEERS = [Skglm(solver) for solver in SOLVERS]
