"""Worker threads for row blocks: as many as the BLAS would use, while the BLAS itself is held to one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from threading import Event, RLock, get_ident
from typing import Any

from threadpoolctl import ThreadpoolController

# below this many multiplications a pass, waking a second thread costs more than it saves
WORTH_A_THREAD = 1_000_000


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
        left = deque(range(len(items)))  # which threads may share without a lock

        def take() -> int | None:
            with suppress(IndexError):
                return left.popleft()
            return None

        def work() -> None:
            while (i := take()) is not None:
                ready[i] = function(items[i])

        others = []
        with suppress(RuntimeError):  # the interpreter is shutting down: no thread begins anything any more
            for _ in range(min(self._others, len(items) - 1)):
                others.append(self._executor.submit(work))
        handed_over = 0
        try:
            while (i := take()) is not None:
                ready[i] = function(items[i])
                while handed_over in ready:
                    yield ready.pop(handed_over)
                    handed_over += 1
        finally:
            left.clear()
            for other in others:
                if not other.cancel():  # who has not begun by now is not needed, and may be waiting for us
                    other.result()
        for i in range(handed_over, len(items)):
            yield ready.pop(i)


ALONE = Workers()


@contextmanager
def worker_threads(work: int) -> Iterator[Workers]:
    """Workers for the row blocks; the calling thread alone for a problem with little ``work`` (multiplications a pass).

    Meanwhile every BLAS call runs in one thread, so that a result has the same bits however many threads there
    are. Concurrent fits share the limit: the first one in sets it and the last one out lifts it. Where the system has
    no more threads to give, the calling thread works alone.
    """
    holder = Holder()
    with _cleaning_up(lambda: _limit.let_go(holder)):
        n_threads = _limit.hold(holder)
        if n_threads > 1 and work >= WORTH_A_THREAD:
            with ThreadPoolExecutor(n_threads - 1) as executor:
                yield Workers(executor, n_threads - 1) if _all_begin(executor, n_threads - 1) else ALONE
        else:
            yield ALONE


def _all_begin(executor: Executor, count: int) -> bool:
    """Whether so many threads can be started: each waits until the others are there."""
    gate = Event()
    with _cleaning_up(gate.set):
        try:
            for _ in range(count):
                executor.submit(gate.wait)
        except RuntimeError:  # can't start new thread
            return False
        return True


@contextmanager
def _cleaning_up(undo: Callable[[], None]) -> Iterator[None]:
    """Around what has to be undone, by a function that may be called twice: an interrupt may fall into the first."""
    try:
        try:
            yield
        finally:
            undo()
    finally:
        undo()


class Holder:
    """A fit that holds the BLAS to one thread."""

    def __init__(self) -> None:
        self.thread = get_ident()


class Limit:
    """Who holds the BLAS libraries to one thread, and how many threads these had before."""

    def __init__(self) -> None:
        self.lock = RLock()  # keeps threads from fighting over the limit
        self.holders: set[Holder] = set()
        self.threads: dict[Any, int] = {}
        self.n_threads = 1

    def unlock(self) -> None:
        with suppress(RuntimeError):  # it is not ours
            self.lock.release()

    def hold(self, holder: Holder) -> int:
        """Hold the BLAS to one thread; how many it had."""
        with _cleaning_up(self.unlock):
            self.lock.acquire()
            if not self.threads:
                self.n_threads = _count_threads()
                self.threads = {library: library.num_threads for library in _blas()}
            self.holders.add(holder)
            _set_threads(dict.fromkeys(self.threads, 1))
            return self.n_threads

    def let_go(self, holder: Holder) -> None:
        """Give the BLAS its threads back, unless others hold it too."""
        with _cleaning_up(self.unlock):
            self.lock.acquire()
            self.holders.discard(holder)
            if not self.holders:
                _set_threads(self.threads)
                self.threads = {}

    def forget_other_threads(self) -> None:
        """In a forked child, where neither the fits of other threads are nor whoever had the lock."""
        self.lock = RLock()
        self.holders = {holder for holder in self.holders if holder.thread == get_ident()}
        if not self.holders:
            _set_threads(self.threads)
            self.threads = {}


@cache
def _blas() -> list:
    return ThreadpoolController().select(user_api="blas").lib_controllers


def _count_threads() -> int:
    return max((library.num_threads for library in _blas()), default=1)


def _set_threads(threads: dict[Any, int]) -> None:
    for library, count in threads.items():
        library.set_num_threads(count)
        # newer versions of threadpoolctl listen to one thread until it says so
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)


_limit = Limit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_limit.forget_other_threads)
