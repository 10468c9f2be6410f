"""celer: working sets and extrapolation in the dual, for the lasso and its logistic sister."""

import numpy as np
from celer import Lasso, LogisticRegression

from .peers import Peer, unless


class WorkingSets(Peer):
    library, name = "celer", "celer"
    takes_l1 = True

    def reason_to_skip(self, problem):
        if problem.l1_ratio != 1:
            return "it has absolute values only"
        if problem.name == "SquaredError" and problem.is_regression:
            return None
        possible = problem.name == "CrossEntropy" and problem.n_classes == 2
        return unless(possible and not problem.fit_intercept, "its logistic regression has no intercept")

    def fit(self, problem, setting):
        if problem.is_regression:
            model = Lasso(alpha=problem.alpha_of_half, fit_intercept=problem.fit_intercept, tol=setting, max_iter=1000)
        else:
            model = LogisticRegression(C=problem.C, tol=setting, max_iter=1000)
        model.fit(problem.X, problem.y)
        return np.ravel(model.coef_), np.ravel(getattr(model, "intercept_", 0.0))[0]


PEERS = [WorkingSets()]
