"""A list of jobs that runs to its end, whatever happens to one of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_usm._engine.threads import threads
from napari_usm.batch.job import OpenJob
from napari_usm.batch.record import read
from napari_usm.batch.run import Finished, attempt, message_of, run_in_units
from napari_usm.batch.units import part_of
from napari_usm.io.ome_zarr import write_plate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari_usm.batch.executors import Executor
    from napari_usm.batch.job import Job

#: Status of a job: waiting, at work, and how it ended. "part": other parts of an array
#: job have units left; "before": an earlier run did it.
STATUS = "waiting", "running", "done", "before", "part", "failed", "cancelled"


class Cancelled(Exception):
    """The batch was cancelled."""


@dataclass(frozen=True)
class Event:
    """News of a job.

    Attributes
    ----------
    index : int
        Its place in the list.
    status : str
        One of `STATUS`.
    stage : str
        While it runs: "estimate 1/2", "sharpen", "pyramid level 1" or "write".
    done, total : int
        Units of the stage.
    error : str
        Message, if it failed.
    """

    index: int
    status: str
    stage: str = ""
    done: int = 0
    total: int = 0
    error: str = ""


@dataclass(frozen=True)
class Result:
    """End of a job.

    Attributes
    ----------
    job : Job
        The job.
    status : str
        One of `STATUS`.
    error : str
        Message, if it failed.
    seconds : float
        Time that it took.
    record : dict, optional
        What was done.
    """

    job: Job
    status: str
    error: str = ""
    seconds: float = 0.0
    record: dict[str, Any] | None = None


class Batch:
    """Jobs that are run one after the other, or side by side if they are small.

    Parameters
    ----------
    jobs : sequence of Job
        What to do.
    executor : Executor
        Where.
    command : str
        For the records.
    resume : bool
        Leave out what an earlier run did, and go on with what it left.
    same_estimate : bool
        Estimate in the first image, and use its constants for all. Not for parts,
        which cannot wait for each other's files.
    part : (int, int), optional
        Run only this part of so many, such as (1, 8); (0, 8) finishes what the parts
        did.
    listener : callable
        Called with each `Event`, on the thread that runs the batch.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        executor: Executor,
        *,
        command: str = "",
        resume: bool = False,
        same_estimate: bool = False,
        part: tuple[int, int] | None = None,
        listener: Callable[[Event], None] = lambda event: None,
    ) -> None:
        if same_estimate and part is not None:
            raise ValueError(
                "`same_estimate` must be False for a part of an array job; got True: "
                "give all parts a recipe with an estimate"
            )
        self._jobs = list(jobs)
        self._executor, self._command = executor, command
        self._resume, self._same, self._part = resume, same_estimate, part
        self._listener = listener
        self._stopped = threading.Event()
        self._results: dict[int, Result] = {}

    def cancel(self) -> None:
        """Stop after the units that are under way; another thread may call this."""
        self._stopped.set()

    def run(self) -> list[Result]:
        """Run the jobs that are left, and return the ends of all.

        A job that fails does not stop the others.
        """
        waiting = list(range(len(self._jobs)))
        try:
            if self._same and waiting:
                waiting = self._with_estimate_of_first(waiting)
            large: list[int] = []
            if self._part is not None:
                waiting, large = self._mine(waiting, self._part)
            self._run_large(sorted([*large, *self._run_small(waiting)]))
        except Cancelled:
            for index in waiting:
                if index not in self._results:
                    self._end(index, "cancelled")
        self._write_plates()
        return [self._results[index] for index in sorted(self._results)]

    def _with_estimate_of_first(self, waiting: list[int]) -> list[int]:
        """Run the first job that succeeds, and give its constants to the others."""
        for place, index in enumerate(waiting):
            self._run_large(self._run_small([index]))
            record = self._results[index].record
            if self._results[index].status == "before":
                record = read(self._jobs[index])
            if record is None:
                continue
            estimate = {
                name: value
                for name, value in record.get("estimate", {}).items()
                if name not in ("gains", "curve")
            }
            left = waiting[place + 1 :]
            for other in left if estimate else ():
                job = self._jobs[other]
                recipe = replace(job.recipe, estimate=estimate)
                self._jobs[other] = replace(job, recipe=recipe)
            return left
        return []

    def _run_small(self, waiting: list[int]) -> list[int]:
        """Run the jobs that fit into memory; return the others."""
        jobs = [self._jobs[index] for index in waiting]
        run = partial(attempt, self._command, self._resume)
        large: list[int] = []
        alone = self._executor.is_here and len(jobs) < self._executor.workers
        ends: Iterator[tuple[str, Any]] = (
            map(self._with_all_threads(run), jobs)
            if alone
            else self._executor.map(run, jobs)
        )
        for index in waiting:
            self._check()
            self._listener(Event(index, "running"))
            status, detail = next(ends)
            if status == "large":
                large.append(index)
            else:
                self._end(index, status, detail)
        return large

    def _mine(
        self, waiting: list[int], part: tuple[int, int]
    ) -> tuple[list[int], list[int]]:
        """Return the small jobs of a part, and all large ones.

        Every part opens all images, so that they agree on which are large.
        """
        small: list[int] = []
        large: list[int] = []
        for index in waiting:
            self._check()
            try:
                opened = OpenJob.of(self._jobs[index])
            except Exception:  # it fails again, where that is reported
                small.append(index)
                continue
            with opened.image:
                (small if opened.is_whole else large).append(index)
        number, parts = part
        mine = part_of(len(small), (number, parts)) if number else range(0)
        return [small[k] for k in mine], large

    def _with_all_threads(self, run: Callable[[Job], Any]) -> Callable[[Job], Any]:
        def alone(job: Job) -> Any:
            with threads(self._executor.workers):
                return run(job)

        return alone

    def _run_large(self, waiting: list[int]) -> None:
        for index in waiting:
            self._check()
            self._listener(Event(index, "running"))
            try:
                finished = run_in_units(
                    self._jobs[index],
                    self._executor,
                    self._command,
                    part=self._part,
                    resume=self._resume,
                    progress=partial(self._progress, index),
                )
            except Cancelled:
                raise
            except Exception as error:  # of one image; the others go on
                self._end(index, "failed", message_of(error))
            else:
                is_part = finished.record is None
                self._end(index, "part" if is_part else "done", finished)

    def _progress(self, index: int, stage: str, done: int, total: int) -> None:
        self._listener(Event(index, "running", stage, done, total))
        self._check()

    def _write_plates(self) -> None:
        """Write the metadata of plates, for the fields that are done."""
        written = {}
        for result in self._results.values():
            if (plate := result.job.plate) and Path(result.job.output).exists():
                written[plate] = result.job
                if result.job.recipe.edge_map:
                    written[result.job.edge_map_plate] = result.job
        for plate, job in written.items():
            write_plate(job.source.path, Path(plate), job.version)

    def _check(self) -> None:
        if self._stopped.is_set():
            raise Cancelled

    def _end(self, index: int, status: str, detail: Any = None) -> None:
        job = self._jobs[index]
        if isinstance(detail, Finished):
            result = Result(job, status, "", detail.seconds, detail.record)
        else:
            result = Result(job, status, detail or "")
        self._results[index] = result
        self._listener(Event(index, status, error=result.error))
