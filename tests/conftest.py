"""Tests run beside each other: BLAS has one thread, but where its threads are what is tested."""

import pytest
from threadpoolctl import threadpool_limits

from sklearn_losses.solvers.row_sweeps import AVAILABLE

# one file is about the compiled part alone; `.ci/run` says whether it has to be there
collect_ignore = [] if AVAILABLE else ["minimise/test_joint_sweeping.py"]


@pytest.fixture(autouse=True, scope="module")
def one_blas_thread(request):
    if request.module.__name__.rpartition(".")[2] in ("test_faults", "test_interrupts", "test_threads"):
        yield
    else:
        with threadpool_limits(1):
            yield
