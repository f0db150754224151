"""Tasks of workers: functions of a job, as data, and of the place of a unit.

A worker opens the image and the output by itself, once for each job; only numbers
travel.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_usm._engine.blocks import grown
from napari_usm._engine.estimate import statistics_in_parts
from napari_usm._engine.fork import ForkLock
from napari_usm._engine.memory import compute
from napari_usm.batch.job import OpenJob
from napari_usm.batch.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._engine.blocks import Slices
    from napari_usm._engine.estimate import Part, Statistics
    from napari_usm._engine.tally import Tally
    from napari_usm.batch.job import Job

# Jobs that a worker has open at a time.
_OPEN = 4

_opened: OrderedDict[tuple[str, str], _Working] = OrderedDict()
_lock = ForkLock()


class _Working:
    """A job on one worker: its image and, once a unit is written, its outputs."""

    def __init__(self, job: Job) -> None:
        self.opened = OpenJob.of(job)
        self._outputs: Outputs | None = None
        self._lock = ForkLock()

    @property
    def outputs(self) -> Outputs:
        """Return the stores of the work folder."""
        with self._lock:
            if self._outputs is None:
                self._outputs = Outputs(self.opened)
            return self._outputs


def working(job: Job) -> _Working:
    """Return a job opened on this worker."""
    key = str(job.work_folder), job.key
    with _lock:
        if key not in _opened:
            _opened[key] = _Working(job)
            while len(_opened) > _OPEN:
                _opened.popitem(last=False)[1].opened.image.resources.close()
        _opened.move_to_end(key)
        return _opened[key]


def close(job: Job) -> None:
    """Close the image of a job on this worker."""
    with _lock:
        found = _opened.pop((str(job.work_folder), job.key), None)
    if found is not None:
        found.opened.image.resources.close()


@dataclass(frozen=True)
class Estimate:
    """Statistics of a unit, in the round after the `earlier` ones."""

    job: Job
    earlier: Sequence[Statistics]

    def __call__(self, core: Slices) -> list[Part]:
        """Return the statistics of the unit, in parts that fit into a cache."""
        opened = working(self.job).opened
        plan = opened.plan
        whole = [slice(0, length) for length in plan.shape]
        block = grown(core, whole, plan.estimate_halo, plan.grid)
        return statistics_in_parts(plan, opened.image.pixels, block, self.earlier)


@dataclass(frozen=True)
class Sharpen:
    """Reads a unit with its neighbours, sharpens it and writes it."""

    job: Job
    estimate: dict[str, Any]

    def __call__(self, core: Slices) -> Tally:
        """Return the statistics of the unit for the report."""
        here = working(self.job)
        fitted = here.opened.fitted(self.estimate)
        parts, counts = compute(fitted, here.opened.image.pixels, core)
        here.outputs.write(core, parts.image, getattr(parts, here.opened.edges.value))
        return counts


@dataclass(frozen=True)
class Reduce:
    """Computes a unit of a level of a pyramid from the level before."""

    job: Job
    name: str
    rank: int

    def __call__(self, core: Slices) -> None:
        """Write the unit."""
        working(self.job).outputs.stores[self.name].reduce(self.rank, core)
