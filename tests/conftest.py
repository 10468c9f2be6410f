"""Tests run beside each other: BLAS has one thread, but where its threads are what is tested."""

import gc

import pytest
from threadpoolctl import threadpool_limits


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Thousands of tests are made and stay: garbage is not looked for among them, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True, scope="module")
def one_blas_thread(request):
    if request.module.__name__.rpartition(".")[2] in ("test_faults", "test_interrupts", "test_threads"):
        yield
    else:
        with threadpool_limits(1):
            yield
