"""A result that is made in the background, to stay."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_usm.widgets.run_worker import PREPARING, worker_of

if TYPE_CHECKING:
    from napari_usm.run.live import Settled
    from napari_usm.widgets.layer_run import LayerRun


class Keeping(QObject):
    """One run at a time; of one that was cancelled nothing more is heard."""

    #: Steps that are done, or `PREPARING`.
    stepped = Signal(int)
    #: The layers.
    done = Signal(object)
    #: Why there are none.
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._worker: Any = None
        self.run: LayerRun | None = None
        self.since = 0.0

    @property
    def is_running(self) -> bool:
        """Whether a result is being made."""
        return self._worker is not None

    def start(self, run: LayerRun, settled: Settled | None) -> None:
        """Begin; what was found for the whole image may be given, if it is known."""
        worker = worker_of(run, settled)
        worker.yielded.connect(lambda step: self._on_step(worker, step))
        worker.returned.connect(lambda tuples: self._on_done(worker, tuples))
        worker.errored.connect(lambda error: self._on_error(worker, error))
        self._worker, self.run, self.since = worker, run, perf_counter()
        worker.start()

    def cancel(self) -> None:
        """Stop at the next pause."""
        if self._worker is not None:
            self._worker.quit()
            self._worker = None

    def _on_step(self, worker: Any, step: int) -> None:
        if worker is self._worker:
            if step == PREPARING:
                self.since = perf_counter()  # that is no time of the run's own
            self.stepped.emit(step)

    def _on_done(self, worker: Any, tuples: Any) -> None:
        if worker is self._worker:
            self._worker = None
            self.done.emit(tuples)

    def _on_error(self, worker: Any, error: Exception) -> None:
        # napari itself notifies of what a worker raises.
        if worker is self._worker:
            self._worker = None
            self.failed.emit(str(error))
