"""The compiled loops; `duals.Duals` and `joint_duals.JointDuals` say what they do."""

from numpy import float64, int32, int64
from numpy.typing import NDArray

def sweep(
    starts: NDArray[int32] | NDArray[int64],
    columns: NDArray[int32] | NDArray[int64],
    data: NDArray[float64],
    rows: NDArray[int64],
    bend: NDArray[float64],
    offset: NDArray[float64],
    damping: float,
    low: NDArray[float64],
    high: NDArray[float64],
    step: NDArray[float64],
    size: NDArray[float64],
    dual: NDArray[float64],
    coef: NDArray[float64],
    bias: float,
    rate: float,
    pressure: NDArray[float64],
) -> tuple[float, float]: ...
def joint_sweep(
    starts: NDArray[int32] | NDArray[int64],
    columns: NDArray[int32] | NDArray[int64],
    data: NDArray[float64],
    rows: NDArray[int64],
    most: float,
    total: float,
    step: NDArray[float64],
    size: NDArray[float64],
    dual: NDArray[float64],
    coef: NDArray[float64],
    classes: NDArray[int32],
    free: NDArray[int32],
    price: NDArray[float64],
    slack: float,
    room: NDArray[float64],
) -> tuple[float, float]: ...
