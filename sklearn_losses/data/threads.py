"""Worker threads for row blocks: as many as the BLAS would use, while the BLAS itself is held to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

# below this many multiplications a pass, waking a second thread costs more than it saves
WORTH_A_THREAD = 1_000_000

_lock = Lock()
_holders = 0
_limiter: Any = None
_n_threads = 1


class Workers:
    """The calling thread and those of an executor; the calling thread alone without one.

    Parameters
    ----------
    executor : concurrent.futures.Executor, optional
        Where the others are.
    others : int
        How many.
    """

    def __init__(self, executor: Executor | None = None, others: int = 0):
        self._executor, self._others = executor, others

    def map(self, function: Callable, items: Iterable) -> Iterator:
        """The function of every item, in their order; whoever is free takes the next one.

        A result is handed over, and forgotten, as soon as those before it are.
        """
        if self._executor is None:
            yield from map(function, items)
            return
        items = list(items)
        ready: dict[int, Any] = {}
        left, lock = iter(range(len(items))), Lock()

        def take() -> int | None:
            with lock:
                return next(left, None)

        def work() -> None:
            while (i := take()) is not None:
                ready[i] = function(items[i])

        others = [self._executor.submit(work) for _ in range(min(self._others, len(items) - 1))]
        handed_over = 0
        try:
            while (i := take()) is not None:
                ready[i] = function(items[i])
                while handed_over in ready:
                    yield ready.pop(handed_over)
                    handed_over += 1
        finally:
            for other in others:
                if not other.cancel():  # who has not begun by now is not needed, and may be waiting for us
                    other.result()
        for i in range(handed_over, len(items)):
            yield ready.pop(i)


ALONE = Workers()


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def worker_threads(work: int) -> Iterator[Workers]:
    """Workers for the row blocks; the calling thread alone for a problem with little ``work`` (multiplications a pass).

    Meanwhile every BLAS call runs in one thread, so that a result has the same bits however many threads there
    are. Concurrent fits share the limit: the first one in sets it and the last one out lifts it.
    """
    n_threads = _hold_blas()
    try:
        if n_threads > 1 and work >= WORTH_A_THREAD:
            with ThreadPoolExecutor(n_threads - 1) as executor:
                yield Workers(executor, n_threads - 1)
        else:
            yield ALONE
    finally:
        _release_blas()


def _count_threads() -> int:
    return max((library.num_threads for library in _blas().lib_controllers), default=1)


def _hold_blas() -> int:
    global _holders, _limiter, _n_threads
    with _lock:
        if _holders == 0:
            _n_threads = _count_threads()
            _limiter = _blas().limit(limits=1)
            _give_up_control()
        _holders += 1
        return _n_threads


def _release_blas() -> None:
    global _holders, _limiter
    with _lock:
        _holders -= 1
        if _holders == 0:
            _limiter.restore_original_limits()
            _give_up_control()
            _limiter = None


def _give_up_control() -> None:
    """Let other threads set limits too: newer versions of threadpoolctl listen to one thread until it says so.

    Our lock is what keeps threads from fighting over the limit.
    """
    for library in _blas().lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)
