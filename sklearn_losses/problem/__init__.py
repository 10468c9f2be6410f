"""From scores to one number and its derivatives: row blocks, weighted mean, penalty, and the coordinates of solvers."""

from .composition import compose
from .coordinates import Conditioned, Coordinates, condition
from .objective import Objective
from .reduction import Reduction
from .rows import Rows
from .split import Split, hard_labels, has_exact_form, weighted_median
from .threads import ALONE, Workers, worker_threads

__all__ = [
    "ALONE",
    "Conditioned",
    "Coordinates",
    "Objective",
    "Reduction",
    "Rows",
    "Split",
    "Workers",
    "compose",
    "condition",
    "hard_labels",
    "has_exact_form",
    "weighted_median",
    "worker_threads",
]
