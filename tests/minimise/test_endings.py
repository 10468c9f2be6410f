"""What a solver's code means: one row a method, and no method of SciPy without one."""

import pytest
from scipy.optimize import OptimizeResult

from sklearn_losses.minimise.by_name import METHODS as NAMES
from sklearn_losses.minimise.endings import CONVERGED, FAILED, LIMIT, METHODS, ROUNDING, STOPPED, ending


def test_every_method_has_a_row():
    assert set(METHODS) == set(NAMES)


@pytest.mark.parametrize(
    ("method", "status", "success", "meaning"),
    [
        ("L-BFGS-B", 2, False, ROUNDING),
        ("TNC", 2, True, CONVERGED),
        ("TNC", 4, False, ROUNDING),
        ("BFGS", 3, False, FAILED),
        ("trust-constr", 0, False, LIMIT),
        ("trust-constr", 3, False, STOPPED),
        ("SLSQP", 9, False, LIMIT),
        ("SLSQP", 8, False, ROUNDING),
        ("COBYLA", 1, True, CONVERGED),
        ("Powell", 99, False, STOPPED),
        (None, 0, True, CONVERGED),
        (None, 3, False, FAILED),
        (None, 5, False, FAILED),
        ("", 7, True, CONVERGED),
        ("", 7, False, FAILED),
    ],
)
def test_codes(method, status, success, meaning):
    assert ending(OptimizeResult(status=status, success=success), method) is meaning
