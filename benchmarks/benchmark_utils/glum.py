"""glum: generalised linear models by iteratively reweighted least squares, on tabmat's matrices."""

from glum import GeneralizedLinearRegressor, TweedieDistribution

from .peers import LARGEST_HESSIAN, Peer, unless

FAMILIES = {"CrossEntropy": "binomial", "Poisson": "poisson", "Gamma": "gamma", "Tweedie": None}
SOLVERS = ("irls-ls", "lbfgs")


class Glum(Peer):
    library = "glum"
    setting_name = "gradient_tol"

    def __init__(self, solver):
        self.solver = self.name = solver

    def reason_to_skip(self, problem):
        if self.solver == "irls-ls" and problem.X.shape[1] > LARGEST_HESSIAN:
            return "its Hessian is too large"
        return unless(problem.name in FAMILIES and problem.n_classes <= 2, "it does not have the loss")

    def fit(self, problem, setting):
        model = GeneralizedLinearRegressor(
            alpha=problem.alpha,
            l1_ratio=0,
            family=FAMILIES[problem.name] or TweedieDistribution(problem.loss.power),
            link="logit" if problem.name == "CrossEntropy" else "log",
            fit_intercept=problem.fit_intercept,
            solver=self.solver,
            gradient_tol=setting,
            max_iter=1000,
        )
        model.fit(problem.X, problem.y.astype(float))
        return model.coef_, model.intercept_


PEERS = [Glum(solver) for solver in SOLVERS]
