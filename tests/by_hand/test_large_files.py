"""Files of 400 MB and more, in a process that may allocate less: `tests/estimators/test_memory.py` at full size."""

import pytest
from estimators.test_memory import exact, fit_and_predict


@pytest.mark.parametrize("door", ["blocks", "map"])
@pytest.mark.parametrize(("kind", "megabytes"), [("float32", 400), ("uint8", 400), ("float64", 800)])
def test_large_files(kind, megabytes, door, tmp_path):
    fit_and_predict(tmp_path, (kind, megabytes, door))


def test_a_large_exact_fit(tmp_path):
    fit_and_predict(tmp_path, exact(400, "map"))
