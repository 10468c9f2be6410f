"""Workers: every item once, results in order, failures reported, and nobody waits for himself."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event, Thread, get_ident, stack_size

import pytest
from threadpoolctl import threadpool_info

from sklearn_losses.data.threads import ALONE, Workers, worker_threads


@pytest.fixture(params=[1, 2, 4])
def workers(request, monkeypatch):
    monkeypatch.setattr("sklearn_losses.data.threads._count_threads", lambda: request.param)
    with worker_threads(10**9) as made:
        yield made


@pytest.mark.parametrize("n_items", [0, 1, 3, 100])
def test_every_item_once_and_in_order(workers, n_items):
    seen = []

    def square(i):
        seen.append(i)
        return i * i

    assert list(workers.map(square, range(n_items))) == [i * i for i in range(n_items)]
    assert sorted(seen) == list(range(n_items))


def test_the_threads_work_at_the_same_time(workers):
    count = 1 if workers is ALONE else 1 + workers._others
    together = Barrier(count, timeout=10)
    threads = list(workers.map(lambda _: (together.wait(), get_ident())[1], range(count)))
    assert len(set(threads)) == count
    assert get_ident() in threads


@pytest.mark.parametrize("bad", [0, 5, 9])
def test_a_failure_reaches_the_caller(workers, bad):
    def fail(i):
        if i == bad:
            raise ValueError(f"item {i}")

    with pytest.raises(ValueError, match=f"item {bad}"):
        list(workers.map(fail, range(10)))
    assert list(workers.map(abs, [-1])) == [1]


def test_a_map_inside_a_map(workers):
    products = workers.map(lambda i: sum(workers.map(lambda j: i * j, range(4))), range(20))
    assert list(products) == [6 * i for i in range(20)]


def test_little_work_is_done_alone():
    with worker_threads(10) as workers:
        assert workers is ALONE
    assert list(Workers().map(str, (1, 2))) == ["1", "2"]


def test_a_failure_ends_the_work_of_the_others(workers):
    begun = []

    def fail(i):
        begun.append(i)
        raise ValueError(f"item {i}")

    with pytest.raises(ValueError, match="item"):
        list(workers.map(fail, range(1000)))
    assert len(begun) <= 4


@contextmanager
def no_more_threads():
    """A real lack of them: no address space holds the stack that a new thread asks for."""
    usual = stack_size(1 << 46)
    try:
        yield
    finally:
        stack_size(usual)


def test_without_new_threads_the_caller_works_alone(monkeypatch):
    monkeypatch.setattr("sklearn_losses.data.threads._count_threads", lambda: 4)
    with no_more_threads(), pytest.raises(RuntimeError, match="can't start new thread"):
        Thread(target=int).start()
    with no_more_threads(), worker_threads(10**9) as made:
        assert made is ALONE


@pytest.mark.parametrize("started", [0, 1, 2])
def test_some_new_threads_are_as_good_as_none(monkeypatch, started):
    start, count = Thread.start, []

    def start_some(thread):
        count.append(thread)
        if len(count) > started:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(Thread, "start", start_some)
    monkeypatch.setattr("sklearn_losses.data.threads._count_threads", lambda: 4)
    with worker_threads(10**9) as made:
        assert list(made.map(str, range(50))) == [str(i) for i in range(50)]
        assert made is ALONE


def test_an_executor_that_was_shut_down_leaves_it_to_the_caller():
    executor = ThreadPoolExecutor(2)
    executor.shutdown()
    assert list(Workers(executor, 2).map(abs, (-1, -2, -3))) == [1, 2, 3]


def in_a_child(function) -> int:
    """The number that a function gives in a forked process."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, str(function()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return int(answer)


def blas_threads() -> int:
    return max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_has_the_limits_of_its_own_fits_only():
    inside, end = Event(), Event()

    def fit():
        with worker_threads(1):
            inside.set()
            end.wait(10)

    def nested() -> int:
        with worker_threads(1):
            return blas_threads()

    usual = blas_threads()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(fit)
        assert inside.wait(10)
        held = blas_threads(), in_a_child(blas_threads), in_a_child(nested)
        with worker_threads(1):  # this one is in the child too
            held += (in_a_child(blas_threads),)
        end.set()
    assert held == (1, usual, 1, 1)
    assert blas_threads() == usual
