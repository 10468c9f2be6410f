"""glum: generalised linear models by iteratively reweighted least squares, on tabmat's matrices."""

from glum import GeneralizedLinearRegressor, TweedieDistribution

from .peers import LARGEST_HESSIAN, Peer, unless

FAMILIES = {
    "CrossEntropy": "binomial",
    "SquaredError": "normal",
    "Poisson": "poisson",
    "Gamma": "gamma",
    "Tweedie": None,
}
LINKS = {"CrossEntropy": "logit", "SquaredError": "identity"}
SOLVERS = ("irls-ls", "irls-cd", "lbfgs")


class Glum(Peer):
    library = "glum"
    setting_name = "gradient_tol"
    takes_l1 = True

    def __init__(self, solver):
        self.solver = self.name = solver

    def reason_to_skip(self, problem):
        if self.solver != "lbfgs" and problem.X.shape[1] > LARGEST_HESSIAN:
            return "its Hessian is too large"
        if (self.solver == "irls-cd") != (problem.l1_ratio > 0):
            return "coordinate descent is for kinks, and the others are not"
        possible = problem.name in FAMILIES and problem.n_classes <= 2
        return unless(possible and (problem.name != "SquaredError" or problem.is_regression), "it lacks the loss")

    def fit(self, problem, setting):
        model = GeneralizedLinearRegressor(
            alpha=problem.alpha_of_half,
            l1_ratio=problem.l1_ratio,
            family=FAMILIES[problem.name] or TweedieDistribution(problem.loss.power),
            link=LINKS.get(problem.name, "log"),
            fit_intercept=problem.fit_intercept,
            solver=self.solver,
            gradient_tol=setting,
            max_iter=1000,
        )
        model.fit(problem.X, problem.y.astype(float))
        return model.coef_, model.intercept_


PEERS = [Glum(solver) for solver in SOLVERS]
