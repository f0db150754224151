"""A run on a layer as one of napari's workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker

if TYPE_CHECKING:
    from collections.abc import Generator

    import napari.types

    from napari_usm.widgets.layer_run import LayerRun


def worker_of(run: LayerRun) -> Any:
    """The worker for a run, not started: it yields at every pause."""
    return create_worker(_counted, run, _start_thread=False)


class RunError(Exception):
    """A run that ended in a RuntimeError, which Qt's worker would keep to itself."""


def _counted(
    run: LayerRun,
) -> Generator[int, None, list[napari.types.LayerDataTuple]]:
    """A run as napari's workers want it: every pause with a number."""
    running = run.run()
    step = 0
    while True:
        try:
            next(running)
        except StopIteration as stop:
            return stop.value
        except RuntimeError as error:
            raise RunError(str(error)) from error
        step += 1
        yield step
