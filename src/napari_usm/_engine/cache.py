"""A cache of limited size for values that several threads compute."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from napari_usm._engine.fork import renew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """The values used last, up to a total size; any thread may use it.

    Parameters
    ----------
    capacity : int
        Total size beyond which the values unused for longest are dropped.
    size : callable, optional
        Returns the size of a value. By default every size is 1: values are counted.
    largest : int, optional
        Size beyond which a value is not added, `capacity` by default. A value larger
        than the capacity is alone in the cache.

    Examples
    --------
    >>> squares = Cache(2)
    >>> for number in (1, 2, 3):
    ...     squares.put(number, number**2)
    >>> squares.get(1), squares.get(2), squares.get(3)
    (None, 4, 9)
    """

    def __init__(
        self,
        capacity: int,
        size: Callable[[Value], int] = lambda value: 1,
        largest: int | None = None,
    ) -> None:
        self._capacity, self._size = capacity, size
        self._largest = capacity if largest is None else largest
        self._values: dict[Key, Value] = {}  # the one used last comes last
        self._total = 0
        # Reentrant: garbage collected in the middle of a call may drop values.
        self._lock = threading.RLock()
        renew_in_child(self)

    def renew(self) -> None:
        """Drop everything, in a process that was forked."""
        self._lock = threading.RLock()
        self.clear()

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, and mark it as used last."""
        with self._lock:
            value = self._values.pop(key, None)
            if value is not None:
                self._values[key] = value
            return value

    def put(self, key: Key, value: Value) -> None:
        """Add or replace a value, and drop those unused for longest."""
        size = self._size(value)
        if size > self._largest:
            return
        with self._lock:
            self._pop(key)
            self._values[key] = value
            self._total += size
            for oldest in list(self._values)[:-1]:
                if self._total <= self._capacity:
                    break
                self._pop(oldest)

    def drop(self, unwanted: Callable[[Key], bool]) -> None:
        """Drop the values whose keys are unwanted."""
        with self._lock:
            for key in filter(unwanted, list(self._values)):
                self._pop(key)

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._values.clear()
            self._total = 0

    def _pop(self, key: Key) -> None:
        value = self._values.pop(key, None)
        if value is not None:
            self._total -= self._size(value)
