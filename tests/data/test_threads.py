"""Workers: every item once, results in order, failures reported, and nobody waits for himself."""

from threading import Barrier, get_ident

import pytest

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
