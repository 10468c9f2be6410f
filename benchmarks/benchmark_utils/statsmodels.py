"""statsmodels: quantile regression by reweighted least squares, and GLMs, both without a penalty."""

import numpy as np
import statsmodels.api as sm

from .peers import Peer, unless

FAMILIES = {"CrossEntropy": sm.families.Binomial, "Poisson": sm.families.Poisson}


def design(problem):
    """X with the intercept as its last column, which statsmodels wants from its users."""
    return np.column_stack([problem.X, np.ones(len(problem.y))]) if problem.fit_intercept else problem.X


def coefficients(problem, params):
    return (params[:-1], params[-1]) if problem.fit_intercept else (params, 0.0)


class QuantReg(Peer):
    library, name = "statsmodels", "QuantReg"
    setting_name = "p_tol"

    def reason_to_skip(self, problem):
        if problem.name not in ("Quantile", "AbsoluteError") or not problem.is_regression:
            return "it minimises the pinball loss"
        return unless(problem.alpha == 0, "it has no penalty")

    def fit(self, problem, setting):
        model = sm.QuantReg(problem.y, design(problem))
        result = model.fit(q=getattr(problem.loss, "quantile", 0.5), p_tol=setting, max_iter=1000)
        return coefficients(problem, result.params)


class ReweightedGLM(Peer):
    library, name = "statsmodels", "GLM"

    def reason_to_skip(self, problem):
        if problem.name not in FAMILIES or problem.n_classes > 2:
            return "it does not have the loss"
        return unless(problem.alpha == 0, "its ridge penalty is not fitted by its fast solver")

    def fit(self, problem, setting):
        model = sm.GLM(problem.y.astype(float), design(problem), family=FAMILIES[problem.name]())
        return coefficients(problem, model.fit(tol=setting, maxiter=1000).params)


PEERS = [QuantReg(), ReweightedGLM()]
