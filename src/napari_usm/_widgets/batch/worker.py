"""Planning and running of a batch on threads, with news on that of the window."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from napari_usm._widgets.kernels import waiting
from napari_usm.batch import Batch
from napari_usm.batch.executors import Threads
from napari_usm.batch.journal import Busy
from napari_usm.batch.rows import plan_rows
from napari_usm.batch.run import discard, message_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.batch import Event, Job
    from napari_usm.batch.rows import Request, Row


class Planning(QObject):
    """Plans in the background; only the newest request is answered."""

    #: The rows, as a list.
    planned = Signal(object)
    #: Why there are none.
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._stop: threading.Event | None = None

    @property
    def is_running(self) -> bool:
        """Return whether a plan is still to come."""
        return self._stop is not None

    def ask(self, request: Request) -> None:
        """Plan this, and nothing that was asked for before."""
        self.cancel()
        stop = self._stop = threading.Event()
        worker = create_worker(_planned, request, stop, _start_thread=False)
        worker.returned.connect(lambda found: self._on_planned(stop, found))
        worker.start()

    def cancel(self) -> None:
        """Stop at the next image."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    def _on_planned(self, stop: threading.Event, found: list[Row] | str) -> None:
        if stop is not self._stop:
            return
        self._stop = None
        if isinstance(found, str):
            self.failed.emit(found)
        else:
            self.planned.emit(found)


def _planned(request: Request, stop: threading.Event) -> list[Row] | str:
    """Return the rows of a batch, or why there are none."""
    rows: list[Row] = []
    try:
        for row in plan_rows(request):
            if stop.is_set():
                break
            rows.append(row)
    except Exception as error:  # napari would open a window for it
        return message_of(error)
    return rows


class Running(QObject):
    """Runs one batch at a time in the background."""

    #: There are events to take.
    came = Signal()
    #: The results in a list, or why the batch could not be run.
    ended = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._batch: Batch | None = None
        self._worker: Any = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._events: dict[int, Event] = {}

    @property
    def is_running(self) -> bool:
        """Return whether a batch is at work."""
        return self._batch is not None

    def start(
        self,
        jobs: Sequence[Job],
        kernels: set[tuple[str, str, str]],
        discarded: Sequence[Job] = (),
    ) -> None:
        """Run jobs; what earlier runs left of them goes on.

        Parameters
        ----------
        jobs : sequence of Job
            The batch.
        kernels : set of (str, str, str)
            Kernels to wait for, as the warm-up names them: compiled in this process
            they would stop the window.
        discarded : sequence of Job
            Jobs of which an interrupted run left what is of no use.
        """
        self._stop = threading.Event()
        self._events = {}
        batch = self._batch = Batch(
            jobs,
            Threads(),
            command="napari: Batch sharpening",
            resume=True,
            listener=self._listen,
        )
        worker = self._worker = create_worker(
            self._run, batch, kernels, discarded, _start_thread=False
        )
        worker.returned.connect(self._on_end)
        worker.start()

    def cancel(self) -> None:
        """Stop after the units that are under way."""
        self._stop.set()
        if self._batch is not None:
            self._batch.cancel()

    def take(self) -> list[Event]:
        """Return the newest event of each job that there is one of."""
        with self._lock:
            events, self._events = self._events, {}
        return list(events.values())

    @property
    def _is_stopped(self) -> bool:
        """Return whether the batch is cancelled, or napari waits for its end."""
        return self._stop.is_set() or self._worker.abort_requested

    def _run(
        self,
        batch: Batch,
        kernels: set[tuple[str, str, str]],
        discarded: Sequence[Job],
    ) -> Any:
        """Run a batch when its kernels are ready; return the results, or an error."""
        try:
            for each in kernels:
                for _ in waiting(each):
                    if self._is_stopped:
                        break
            if self._is_stopped:
                batch.cancel()
                discarded = ()
            for job in discarded:
                with suppress(Busy):  # which the batch reports
                    discard(job)
            return batch.run()
        except Exception as error:  # napari would open a window for it
            return message_of(error)

    def _listen(self, event: Event) -> None:
        if self._is_stopped:
            self.cancel()
        with self._lock:
            is_first = not self._events
            self._events[event.index] = event
        if is_first:  # the others are taken with it
            self.came.emit()

    def _on_end(self, results: Any) -> None:
        self._batch = None
        self.ended.emit(results)
