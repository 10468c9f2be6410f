"""From scores to one number and its derivatives: row blocks, weighted mean, penalty, and the coordinates of solvers."""

from .composition import compose
from .coordinates import Conditioned, Coordinates, condition, sample_rows
from .objective import Objective
from .rows import Rows
from .reduction import Reduction
from .split import Split, hard_labels, has_exact_form
from .threads import worker_threads

__all__ = [
    "Conditioned",
    "Coordinates",
    "Objective",
    "Reduction",
    "Rows",
    "Split",
    "compose",
    "condition",
    "hard_labels",
    "has_exact_form",
    "sample_rows",
    "worker_threads",
]
