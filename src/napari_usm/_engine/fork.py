"""Locks and threads that a forked process has to make again.

The child has a copy of all memory, but only of the thread that forked: a lock that
another thread held stays locked, and what it was changing may be half changed.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Renewable(Protocol):
    """An object with locks or threads."""

    def renew(self) -> None:
        """Make them again, with nothing in them."""


_registered: weakref.WeakSet[Renewable] = weakref.WeakSet()


def renew_in_child(held: Renewable) -> None:
    """Call `renew` of an object in every process that is forked from here."""
    _registered.add(held)


class ForkLock:
    """A lock that nobody holds in a process that was forked."""

    def __init__(self) -> None:
        self.renew()
        renew_in_child(self)

    def renew(self) -> None:
        """Begin with a lock that is open."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


def _renew_all() -> None:
    for held in list(_registered):
        held.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
