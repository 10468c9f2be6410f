"""Tests run beside each other: BLAS has one thread, but where its threads are what is tested."""

import gc

import pytest
from threadpoolctl import threadpool_limits


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is collected stays to the end: it is not searched for garbage, then or later."""
    gc.disable()
    collected = yield
    gc.freeze()
    gc.enable()
    return collected


@pytest.fixture(autouse=True, scope="module")
def one_blas_thread(request):
    if request.module.__name__.rpartition(".")[2] in ("test_faults", "test_interrupts", "test_threads"):
        yield
    else:
        with threadpool_limits(1):
            yield
