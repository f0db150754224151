"""Where tasks run: threads of this process, or workers of a Dask cluster."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from napari_usm._engine.threads import in_order, thread_count, threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
U = TypeVar("U")

# Times that a task is tried again after the worker that ran it died.
_RETRIES = 3

# Tasks per thread of a cluster that are under way: enough that no worker waits, few
# enough that the scheduler holds none of a job's millions.
_AHEAD = 4


class Executor(Protocol):
    """Runs a function on items."""

    @property
    def workers(self) -> int:
        """Tasks that run at the same time."""

    @property
    def is_here(self) -> bool:
        """Return whether tasks run in this process."""

    def map(self, function: Callable[[T], U], items: Sequence[T]) -> Iterator[U]:
        """Yield results in the order of the items, as they come."""


class Threads:
    """Threads of this process.

    Parameters
    ----------
    count : int, optional
        Default: one for each core.
    """

    is_here = True

    def __init__(self, count: int | None = None) -> None:
        self.workers = thread_count() if count is None else count

    def map(self, function: Callable[[T], U], items: Sequence[T]) -> Iterator[U]:
        """Yield results in the order of the items, as they come."""
        if not items:
            return

        def alone(item: T) -> U:
            # The threads of this pool are all there shall be.
            with threads(1):
                return function(item)

        yield from in_order(alone, items, self.workers)


class Cluster:
    """Workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
        A connected client.
    """

    is_here = False

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def workers(self) -> int:
        """Return the number of threads of all workers."""
        threads: int = sum(self._client.nthreads().values())
        return max(1, threads)

    def map(self, function: Callable[[T], U], items: Sequence[T]) -> Iterator[U]:
        """Yield results in the order of the items; some are submitted at a time."""
        running: deque[Any] = deque()
        waiting = iter(items)
        try:
            for item in waiting:
                running.append(
                    self._client.submit(function, item, pure=False, retries=_RETRIES)
                )
                if len(running) >= _AHEAD * self.workers:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            if running:
                self._client.cancel(list(running), force=True)


@contextmanager
def local_cluster(processes: int) -> Iterator[Cluster]:
    """Start worker processes of one thread on this machine.

    Raises
    ------
    ImportError
        If Dask distributed is not installed.
    """
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # a free port: two may run at a time
            memory_limit=0,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield Cluster(client)


@contextmanager
def running_cluster(address: str) -> Iterator[Cluster]:
    """Connect to the scheduler of a running cluster."""
    from distributed import Client

    with Client(address, timeout="30s") as client:
        yield Cluster(client)
