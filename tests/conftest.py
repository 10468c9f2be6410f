"""Tests run beside each other: BLAS has one thread, but where its threads are what is tested."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="module")
def one_blas_thread(request):
    if request.module.__name__.rpartition(".")[2] in ("test_faults", "test_interrupts", "test_threads"):
        yield
    else:
        with threadpool_limits(1):
            yield
