"""Blocks on threads: kernels release the GIL, so a pool of threads is enough."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
U = TypeVar("U")

_chosen: ContextVar[int | None] = ContextVar("threads", default=None)

# Threads that somebody else runs tasks on, as many as there are cores: dask's, those
# of dask's workers, and any other pool's.
_POOLS = ("ThreadPoolExecutor", "Dask")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Use this many threads inside the ``with`` block.

    Without it the environment variable ``NAPARI_USM_THREADS`` counts, then the
    number of cores; on a thread of a dask pool, or of any other pool, one.

    Parameters
    ----------
    count : int
        Threads, at least 1. The result is the same for any number.

    Raises
    ------
    TypeError, ValueError
        If `count` is not a whole number of at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> with usm.threads(1):
    ...     result = usm.unsharp_mask(np.eye(9))
    """
    from napari_usm.arguments import integer

    token = _chosen.set(integer("count", count, minimum=1))
    try:
        yield
    finally:
        _chosen.reset(token)


def thread_count() -> int:
    """Threads to use for a call from here."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    if threading.current_thread().name.startswith(_POOLS):
        return 1
    if given := os.environ.get("NAPARI_USM_THREADS"):
        if not given.isdecimal() or int(given) < 1:
            raise ValueError(
                f"`NAPARI_USM_THREADS` must be an integer of at least 1; got {given!r}"
            )
        return int(given)
    return _cores()


def in_order(function: Callable[[T], U], items: Sequence[T], count: int) -> Iterator[U]:
    """Results of `function` for all items, in their order, on `count` threads.

    Twice as many items as threads are under way or done ahead: whoever stops taking
    results stops the work soon after.
    """
    if count == 1 or len(items) == 1:
        return map(function, items)
    return _ahead(function, items, count)


def _ahead(function: Callable[[T], U], items: Sequence[T], count: int) -> Iterator[U]:
    running: deque[Future[U]] = deque()
    waiting = iter(items)
    try:
        for item in waiting:
            running.append(_submitted(function, item, count))
            if len(running) >= 2 * count:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        for future in running:
            future.cancel()


def all_of(function: Callable[[T], U], items: Sequence[T], count: int) -> list[U]:
    """Results of `function` for all items, on `count` threads, this one among them.

    For few items and little time: a thread that sleeps takes up to a millisecond to
    wake up. This one begins at once, and does whatever no other has begun.
    """
    if count == 1 or len(items) == 1:
        return [function(item) for item in items]
    results: list[Any] = [None] * len(items)
    left = deque(enumerate(items))

    def work(_: None = None) -> None:
        while left:
            try:
                place, item = left.popleft()
            except IndexError:  # another thread took the last
                return
            results[place] = function(item)

    helpers = [_submitted(work, None, count) for _ in range(min(count, len(items)) - 1)]
    try:
        work()
    finally:
        left.clear()
        for helper in helpers:
            if not helper.cancel():
                helper.result()
    return results


def _submitted(function: Callable[[T], U], item: T, count: int) -> Future[U]:
    """Return the future result of `function` for an item.

    When the program ends, pools take no more; a thread that is still at work, such as
    that of a live result, then computes it itself.
    """
    try:
        return _pool(count).submit(function, item)
    except RuntimeError:
        future: Future[U] = Future()
        try:
            future.set_result(function(item))
        except Exception as error:
            future.set_exception(error)
        return future


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    # Kept: starting threads costs as much as a megapixel. A name that is none of
    # `_POOLS` lets our own threads be told from others'.
    return ThreadPoolExecutor(count, thread_name_prefix="napari-usm")


def _forget_pools(*_: Any) -> None:
    _pool.cache_clear()


if hasattr(os, "register_at_fork"):
    # A child process inherits the pools, but none of their threads.
    os.register_at_fork(after_in_child=_forget_pools)
