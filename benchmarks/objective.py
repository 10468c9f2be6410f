"""One objective for every solver: mean loss plus a penalty.

A ridge's strength is LogisticRegression's C; with an L1 part it is a tenth of that at which all weights are zero.
"""

from typing import ClassVar

from benchmark_utils.problem import Problem, named_loss
from benchmark_utils.solver import EverySetting
from benchopt import BaseObjective


class Objective(BaseObjective):
    name = "penalised loss"
    min_benchopt_version = "1.8"
    requirements: ClassVar = ["scikit-learn"]
    parameters: ClassVar = {"loss": ["cross_entropy"], "C": [1.0], "fit_intercept": [True], "l1_ratio": [0.0]}
    sampling_strategy = "iteration"
    stopping_criterion = EverySetting()
    test_dataset_name = "bundled"

    def skip(self, X, y):
        loss, is_regression = named_loss(self.loss), y.dtype.kind == "f"
        wanted = {"values"} if is_regression else {"probabilities", "scores"}
        if not wanted & set(loss.domains):
            return True, "the loss is not made for this kind of target"
        try:
            loss.check_target(y)
        except ValueError as error:
            return True, str(error)
        return False, None

    def set_data(self, X, y):
        if self.l1_ratio:
            shape = {"l1_ratio": self.l1_ratio, "fit_intercept": self.fit_intercept}
            self.problem = Problem.sparse(X, y, self.loss, 0.1, **shape)
        else:
            self.problem = Problem.with_C(X, y, self.loss, float(self.C), self.fit_intercept)

    def get_objective(self):
        return {"problem": self.problem}

    def evaluate_result(self, coef, intercept):
        return {"value": self.problem.value(coef, intercept)}

    def get_one_result(self):
        coef, intercept = self.problem.zero()
        return {"coef": coef, "intercept": intercept}
