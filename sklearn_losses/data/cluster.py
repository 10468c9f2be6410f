"""All that is asked of Dask: to keep chunks where they are, to run functions there, and to bring results."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any
from weakref import WeakSet

LOOK_AGAIN = 1.0  # seconds between looks at whether anybody is still at work
NO_WARNING = "1 PB"
PATIENCE = 10.0  # seconds without a worker, in which a lost one may come back


def client_now() -> Any:
    """The client of the cluster that computes for this thread; None where there is none."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        client = distributed.get_client()
    except ValueError:
        return None
    if client.asynchronous:
        raise TypeError("Fits wait for the cluster, and this client is asynchronous. Make one with asynchronous=False.")
    return client


class Cluster:
    """A client, and how often it was waited for.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster that holds the data.
    """

    def __init__(self, client: Any):
        self.client = client
        self.trips = 0
        self._futures: WeakSet = WeakSet()

    def load(self, delayed: Sequence) -> list:
        """Compute collections, each to a future whose result stays where it was computed."""
        futures = self.client.compute(list(delayed))
        self._futures.update(futures)
        return futures

    def submit(self, function: Callable, *arguments: Any) -> Any:
        """A future of what a function returns; it runs where its arguments are."""
        from dask import config

        with config.set({"distributed.admin.large-graph-warning-threshold": NO_WARNING}):  # targets go to their rows
            future = self.client.submit(function, *arguments, pure=False)
        self._futures.add(future)
        return future

    def close(self) -> None:
        """Let the cluster forget all results."""
        for future in list(self._futures):
            with suppress(Exception):  # the cluster may be gone
                future.release()

    def bring(self, futures: Sequence) -> list:
        """The results, in the order of the futures; one trip for all.

        Raises
        ------
        RuntimeError
            When there is no worker any more, or when data is lost that cannot be computed again.
        """
        self.trips += 1
        futures = list(futures)
        try:
            self._wait(futures)
            return self.client.gather(futures)
        except BaseException as error:
            with suppress(Exception):  # the cluster may be gone
                self.client.cancel(futures)
            if type(error).__name__ in ("CancelledError", "FutureCancelledError", "FuturesCancelledError"):
                raise RuntimeError(
                    "The cluster has lost data that it cannot compute again. Data that was scattered is lost with its "
                    "worker: load it on the workers, from files or by functions."
                ) from error
            raise

    def _wait(self, futures: list) -> None:
        from distributed import wait

        last_seen = monotonic()
        while True:
            try:
                wait(futures, timeout=LOOK_AGAIN)
                return
            except TimeoutError:
                if any(future.status in ("error", "cancelled", "lost") for future in futures):
                    return
            if self.client.nthreads():
                last_seen = monotonic()
            elif monotonic() - last_seen > PATIENCE:
                raise RuntimeError(
                    f"The cluster has had no worker for {PATIENCE:.0f} seconds. Start workers, and fit again."
                )

    def __getstate__(self):
        raise TypeError("Data on a cluster cannot be sent to another process.")
