"""The compiled loops of coordinate descent; `quadratic` and `columns` say what they do."""

from numpy import float64, int32, int64
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
def of_columns(
    starts: NDArray[int32] | NDArray[int64],
    rows: NDArray[int32] | NDArray[int64],
    data: NDArray[float64],
    curvature: NDArray[float64],
    sums: NDArray[float64],
    inverse_total: float,
    squares: NDArray[float64],
    bends: NDArray[float64],
    kinks: NDArray[float64],
    slope: NDArray[float64],
    first: NDArray[float64],
    coef: NDArray[float64],
    image: NDArray[float64],
    positive: bool,
    tol: float,
    max_sweeps: int,
) -> tuple[int, float]: ...
