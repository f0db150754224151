"""A worker thread on which only the newest job of a slot counts."""

from __future__ import annotations

import sys
import threading
from time import monotonic
from typing import TYPE_CHECKING

from napari_usm._engine.fork import renew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

# Seconds that the thread waits for more work before it ends.
_LINGER = 0.5

# Seconds without other work before what is only of interest at rest is done.
_REST = 0.12


class Job:
    """A request that somebody may wait for, for some time."""

    def __init__(self, want: Hashable, work: Callable[[Job], None]) -> None:
        self.want = want
        self._work = work
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._awaited = True

    @property
    def is_done(self) -> bool:
        """Return whether the job is done."""
        return self._done.is_set()

    def run(self) -> None:
        """Do the work."""
        try:
            self._work(self)
        finally:
            self._done.set()

    def wait(self, seconds: float) -> bool:
        """Return whether the job is done after so many seconds; then stop waiting."""
        if self._done.wait(seconds):
            return True
        with self._lock:
            self._awaited = self._done.is_set()
            return self._awaited

    def deliver(self) -> bool:
        """Mark the job as done; return whether somebody is waiting for it."""
        with self._lock:
            self._done.set()
            return self._awaited


class Latest:
    """Runs one job after the other; of those with the same slot only the newest.

    The thread starts with a job and ends soon after the last.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, Job] = {}
        self._held: dict[Hashable, Job] = {}
        self._at_rest: dict[Hashable, Job] = {}
        self._running: tuple[Hashable, Job] | None = None
        self._thread: threading.Thread | None = None
        self._change = threading.Condition()
        self._since = monotonic()
        renew_in_child(self)

    def renew(self) -> None:
        """Drop all jobs, in a process that was forked: it has no thread for them."""
        self._change = threading.Condition()
        self._thread = self._running = None
        self._waiting.clear()
        self._held.clear()
        self._at_rest.clear()

    @property
    def is_behind(self) -> bool:
        """Return whether a job is not done yet."""
        with self._change:
            running = self._running
            waiting = bool(self._waiting or self._held)
            return waiting or not (running is None or running[1].is_done)

    def put(
        self,
        slot: Hashable,
        want: Hashable,
        work: Callable[[Job], None],
        hold: bool = False,
    ) -> Job:
        """Queue a job in place of the one that waits in its slot.

        Parameters
        ----------
        slot : hashable
            Of the jobs with the same slot only the newest is done.
        want : hashable
            What it is for.
        work : callable
            Called with the job.
        hold : bool
            Do not begin before `release`.

        Returns
        -------
        Job
            The one that is under way or waiting already, if it is for the same.
        """
        with self._change:
            if self._running is not None and self._running[0] == slot:
                running = self._running[1]
                if running.want == want:
                    self._waiting.pop(slot, None)
                    self._held.pop(slot, None)
                    return running
            held = self._held.pop(slot, None)
            job: Job | None = self._waiting.get(slot, held)
            if job is None or job.want != want:
                job = Job(want, work)
            if hold and slot not in self._waiting:
                self._held[slot] = job
            else:
                self._waiting[slot] = job
                self._start()
            return job

    def release(self) -> None:
        """Begin the jobs that are held."""
        with self._change:
            if self._held:
                self._waiting.update(self._held)
                self._held.clear()
                self._start()

    def put_at_rest(self, slot: Hashable, work: Callable[[Job], None]) -> None:
        """Queue a job that is done when nothing else has been for a moment.

        The moment begins with the newest of them: while a slider moves there is none.
        """
        with self._change:
            # A thread that waits for the rest looks at the time when it wakes up.
            waits = bool(self._at_rest)
            self._at_rest[slot] = Job(None, work)
            self._since = monotonic()
            if not waits:
                self._start()

    def clear(self) -> None:
        """Cancel all jobs that have not begun."""
        with self._change:
            self._waiting.clear()
            self._held.clear()
            self._at_rest.clear()

    def _start(self) -> None:
        if self._thread is None:
            # A name that is none of a pool's: its blocks may have threads themselves.
            self._thread = threading.Thread(
                target=self._run, name="napari-usm live", daemon=True
            )
            self._thread.start()
        self._change.notify_all()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job.run()
            except Exception:
                # Reported as of any other thread; the next jobs are still done.
                error = *sys.exc_info(), threading.current_thread()
                threading.excepthook(threading.ExceptHookArgs(error))
                del error
            with self._change:
                self._running = None
            del job  # or the last job's pixels would stay

    def _next(self) -> Job | None:
        with self._change:
            self._since = monotonic()
            while True:
                if self._waiting:
                    slot = next(iter(self._waiting))
                    job = self._waiting.pop(slot)
                    self._running = slot, job
                    return job
                idle = monotonic() - self._since
                if self._at_rest and idle >= _REST:
                    return self._at_rest.pop(next(iter(self._at_rest)))
                if not self._at_rest and idle >= _LINGER:
                    self._thread = None
                    return None
                left = _REST if self._at_rest else _LINGER
                self._change.wait(left - idle)
