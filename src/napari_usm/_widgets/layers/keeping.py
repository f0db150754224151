"""Compute a result in the background, for layers that stay."""

from __future__ import annotations

import threading
from time import perf_counter
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_usm._widgets.layers.worker import worker_of

if TYPE_CHECKING:
    from napari_usm._widgets.layers.run import LayerRun, Steps
    from napari_usm._widgets.live.pair import LivePair


class Keeping(QObject):
    """One run at a time; of one that was cancelled nothing more is heard."""

    #: Steps that are done, or `PREPARING`.
    stepped = Signal(int)
    #: The run, the pair that it is for, and the layers.
    done = Signal(object, object, object)
    #: Why there are none.
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._stop: threading.Event | None = None
        self.run: LayerRun | None = None
        #: Whose layers the result is for, if not for new ones.
        self.pair: LivePair | None = None
        self.since = 0.0

    @property
    def is_running(self) -> bool:
        """Return whether a result is being computed."""
        return self._stop is not None

    def start(self, run: LayerRun, running: Steps, pair: LivePair | None) -> None:
        """Begin a run, by the generator that ends in its layers."""
        stop = threading.Event()
        worker = worker_of(run, running, stop)
        # Qt may keep a worker for ever, and its slots with it: they hold no pixels.
        worker.yielded.connect(lambda step: self._on_step(stop, step))
        worker.returned.connect(lambda tuples: self._on_done(stop, tuples))
        worker.errored.connect(lambda error: self._on_error(stop, error))
        self._stop, self.since = stop, perf_counter()
        self.run, self.pair = run, pair
        worker.start()

    def cancel(self) -> None:
        """Stop at the next pause."""
        if self._stop is not None:
            self._stop.set()
        self._forget()

    def _forget(self) -> None:
        self._stop = self.run = self.pair = None

    def _on_step(self, stop: threading.Event, step: int) -> None:
        if stop is self._stop:
            if step <= 0:
                self.since = perf_counter()  # waiting is no time of the run
            self.stepped.emit(step)

    def _on_done(self, stop: threading.Event, tuples: Any) -> None:
        if stop is self._stop:
            run, pair = self.run, self.pair
            self._forget()
            self.done.emit(run, pair, tuples)

    def _on_error(self, stop: threading.Event, error: Exception) -> None:
        # napari itself notifies of what a worker raises.
        if stop is self._stop:
            self._forget()
            self.failed.emit(str(error))
