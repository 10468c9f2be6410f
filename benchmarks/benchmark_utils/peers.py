"""What a solver has to say about itself, whichever library it is from."""

import warnings

import numpy as np

TOLERANCES = tuple(float(f"1e-{k}") for k in range(1, 11))
LARGEST_HESSIAN = 10_000  # parameters; beyond, solvers that form it run out of memory or patience


class Peer:
    """One solver of one library.

    A peer is run over a range of settings, from the loosest to the tightest, so that the loosest one that reaches
    the wanted accuracy is known. What is timed is `fit`: what a user of that library would call, with the data as
    the user has them.
    """

    library: str
    name: str
    settings: tuple = TOLERANCES
    setting_name: str = "tol"
    compiles: bool = False  # at its first call, which is then not timed
    takes_l1: bool = False
    takes_weights: bool = False

    def why_not(self, problem) -> str | None:
        """Why this solver cannot minimise the objective of the problem, or None."""
        if problem.l1_ratio and not self.takes_l1:
            return "its penalty has no absolute values"
        if problem.weights is not None and not self.takes_weights:
            return "it takes no weights"
        return self.reason_to_skip(problem)

    def reason_to_skip(self, problem) -> str | None:
        """The same, for problems whose weights and penalty it takes."""
        raise NotImplementedError

    def fit(self, problem, setting):
        """Minimise, and return coefficients and intercept."""
        raise NotImplementedError

    def run(self, problem, setting):
        """`fit` without the warnings of loose settings."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return self.fit(problem, setting)

    def __str__(self) -> str:
        return f"{self.library} {self.name}"


def unless(possible: bool, reason: str) -> str | None:
    """The reason where something is not possible."""
    return None if possible else reason
