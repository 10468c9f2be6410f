"""Snap ML: coordinate ascent on the dual, compiled; it penalises the intercept, so it is used without one."""

import numpy as np
from snapml import LogisticRegression, SupportVectorMachine

from .peers import Peer, unless

MODELS = {
    "CrossEntropy": (LogisticRegression, {}),
    "Hinge": (SupportVectorMachine, {"loss": "hinge"}),
    "SquaredHinge": (SupportVectorMachine, {"loss": "squared_hinge"}),
}


class DualAscent(Peer):
    library, name = "snapml", "dual"

    def reason_to_skip(self, problem):
        if problem.name not in MODELS or problem.n_classes != 2:
            return "it has two classes, and not the loss"
        return unless(problem.alpha > 0 and not problem.fit_intercept, "it penalises the intercept")

    def fit(self, problem, setting):
        kind, options = MODELS[problem.name]
        model = kind(regularizer=1 / problem.C, tol=setting, max_iter=100_000, fit_intercept=False, **options)
        model.fit(problem.X, problem.y.astype(float))
        return np.ravel(model.coef_), 0.0


PEERS = [DualAscent()]
