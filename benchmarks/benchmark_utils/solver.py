"""How benchopt runs a `Peer`: a point of the curve for each of its settings."""

from benchopt import BaseSolver
from benchopt.stopping_criterion import StoppingCriterion


class EverySetting(StoppingCriterion):
    """Stop after the tightest setting; benchopt's own criteria would stop where two settings end at the same point."""

    def check_convergence(self, objective_list):
        done = len(objective_list) - 1  # the first is the starting point
        total = len(self.solver.peer.settings)
        return done >= total, done / total


class LibrarySolver(BaseSolver):
    """The peers of one library; which one is benchopt's parameter ``method``."""

    peers: tuple = ()

    @property
    def peer(self):
        return next(peer for peer in self.peers if peer.name == self.method)

    def skip(self, problem):
        reason = self.peer.why_not(problem)
        return reason is not None, reason

    def set_objective(self, problem):
        self.problem = problem

    def warm_up(self):
        if self.peer.compiles:
            self.peer.run(self.problem, self.peer.settings[0])

    def get_next(self, stop_val):
        return stop_val + 1

    def run(self, stop_val):
        settings = self.peer.settings
        self.solution = self.problem.zero()
        if stop_val > 0:
            self.solution = self.peer.run(self.problem, settings[min(stop_val, len(settings)) - 1])

    def get_result(self):
        coef, intercept = self.solution
        return {"coef": coef, "intercept": intercept}
