"""The compiled loops of coordinate descent; `quadratic` says what they do."""

from numpy import float64
from numpy.typing import NDArray

def of_gram(
    gram: NDArray[float64],
    kinks: NDArray[float64],
    coef: NDArray[float64],
    slope: NDArray[float64],
    positive: bool,
    tol: float,
    max_sweeps: int,
) -> int: ...
def of_groups(
    gram: NDArray[float64],
    kinks: NDArray[float64],
    bends: NDArray[float64],
    coef: NDArray[float64],
    slope: NDArray[float64],
    move: NDArray[float64],
    tol: float,
    max_sweeps: int,
) -> int: ...
