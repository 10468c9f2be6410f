"""This library's solver."""

from .peers import Peer


class Ours(Peer):
    library, name = "sklearn_losses", "auto"

    def reason_to_skip(self, problem):
        return None

    def fit(self, problem, setting):
        model = problem.model(tol=setting).fit(problem.X, problem.y)
        return model.coef_, model.intercept_


PEERS = [Ours()]
