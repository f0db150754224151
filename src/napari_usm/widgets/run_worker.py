"""A run on a layer as one of napari's workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker

from napari_usm import warm_up

if TYPE_CHECKING:
    from collections.abc import Generator

    import napari.types

    from napari_usm.run.live import Settled
    from napari_usm.widgets.layer_run import LayerRun


# Yielded while the kernels of a run are being compiled elsewhere.
PREPARING = -1

# Seconds until that is said, and until a run that is cancelled meanwhile has ended.
_PATIENCE = 0.2


def worker_of(run: LayerRun, settled: Settled | None = None) -> Any:
    """The worker for a run, not started.

    At every pause it yields how many steps are done, before the first `PREPARING` as
    often as it takes, and 0.
    """
    return create_worker(_counted, run, settled, _start_thread=False)


class RunError(Exception):
    """A run that ended in a RuntimeError, which Qt's worker would keep to itself."""


def _counted(
    run: LayerRun, settled: Settled | None
) -> Generator[int, None, list[napari.types.LayerDataTuple]]:
    """A run as napari's workers want it: they stop only where something is yielded."""
    dimensions = warm_up.VOLUMES if len(run.plan.axes) > 2 else warm_up.PLANES
    kernels = run.method, dimensions, run.plan.dtype.name
    while not warm_up.session.wait(*kernels, _PATIENCE):
        yield PREPARING
    yield 0
    running = run.keep(settled)
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
