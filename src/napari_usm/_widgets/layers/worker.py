"""A run on a layer as one of napari's workers."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker

from napari_usm._widgets.kernels import kernels_of, waiting

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    import napari.types

    from napari_usm._widgets.layers.run import LayerRun, Steps


# Yielded while another process compiles the kernels of a run.
PREPARING = -1


def worker_of(run: LayerRun, running: Steps, stop: threading.Event) -> Any:
    """Return the worker for a run, not started.

    At every pause it yields how many steps are done, before the first `PREPARING` as
    often as it takes, and 0. If it shall stop it returns None there.
    """
    return create_worker(_counted, run, running, stop, _start_thread=False)


class RunError(Exception):
    """A run that ended in a RuntimeError, which Qt's worker would keep to itself."""


def _counted(
    run: LayerRun, running: Steps, stop: threading.Event
) -> Generator[int, None, list[napari.types.LayerDataTuple] | None]:
    """A run as napari's workers want it: they stop only where something is yielded."""
    with closing(running):  # files that are not complete are removed
        return (yield from _until_stopped(run, running, stop))


def _until_stopped(
    run: LayerRun, running: Steps, stop: threading.Event
) -> Generator[int, None, list[napari.types.LayerDataTuple] | None]:
    for is_long in waiting(kernels_of(run.plan, run.method)):
        if is_long:
            yield PREPARING
        if stop.is_set():
            return None
    yield 0
    step = 0
    # It ends by itself: one that is abandoned would keep its results.
    while not stop.is_set():
        try:
            next(running)
        except StopIteration as done:
            return done.value
        except RuntimeError as error:
            raise RunError(str(error)) from error
        step += 1
        yield step
    return None
