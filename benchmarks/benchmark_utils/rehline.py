"""ReHLine: piecewise linear-quadratic losses with a ridge penalty, by coordinate descent in C++."""

from rehline import plq_Ridge_Classifier, plq_Ridge_Regressor

from .peers import Peer, unless


def rehline_loss(problem):
    """The loss in ReHLine's words, or None."""
    loss = problem.loss
    if not problem.is_regression:
        return {"Hinge": {"name": "svm"}, "SquaredHinge": {"name": "squared SVM"}}.get(problem.name)
    return {
        "AbsoluteError": lambda: {"name": "MAE"},
        "Quantile": lambda: {"name": "QR", "qt": loss.quantile},
        "Huber": lambda: {"name": "huber", "tau": loss.delta},
        "EpsilonInsensitive": lambda: {"name": "SVR", "epsilon": loss.epsilon},
    }.get(problem.name, lambda: None)()


class ReHLine(Peer):
    library, name = "ReHLine", "ridge"

    def reason_to_skip(self, problem):
        if rehline_loss(problem) is None or problem.n_classes > 2:
            return "it does not have the loss"
        return unless(
            not problem.fit_intercept and problem.alpha > 0, "it penalises the intercept, and needs a penalty"
        )

    def fit(self, problem, setting):
        estimator = plq_Ridge_Regressor if problem.is_regression else plq_Ridge_Classifier
        model = estimator(loss=rehline_loss(problem), C=problem.C, fit_intercept=False, tol=setting, max_iter=100_000)
        model.fit(problem.X, problem.y)
        return model.coef_, 0.0


PEERS = [ReHLine()]
