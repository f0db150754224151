"""One job from its start, or from where it was interrupted, to its outputs."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from napari_usm._engine import memory, report
from napari_usm._engine.block import Output
from napari_usm._engine.estimate import reduce_rounds, rounds
from napari_usm._engine.tally import Tally
from napari_usm.batch import estimates, record, tasks
from napari_usm.batch.job import OpenJob, write_units
from napari_usm.batch.journal import Journal, entries
from napari_usm.batch.outputs import EDGE_MAP, IMAGE, RECORD, write_whole
from napari_usm.batch.units import level_units, part_of
from napari_usm.io import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari_usm._engine.blocks import Slices
    from napari_usm._engine.estimate import Part, Statistics
    from napari_usm.batch.executors import Executor
    from napari_usm.batch.job import Job

# In a work folder: which job it is of, and what was estimated.
_HEADER, _ESTIMATE = "job.json", "estimate.json"

# Memory for a pixel of a level of a pyramid: the eight that it may be the mean of, as
# they are stored and as float64, and sums of them.
_BYTES_OF_MEAN = 160


@dataclass(frozen=True)
class Finished:
    """Result of a job.

    Attributes
    ----------
    record : dict, optional
        What was done. None if other parts of an array job have units left to do.
    seconds : float
        Time that this run took.
    """

    record: dict[str, Any] | None
    seconds: float


def run_whole(job: Job, opened: OpenJob, command: str) -> Finished:
    """Run a job in memory."""
    start = time.monotonic()
    _check_free(job)
    _ = job.stamp
    plan, image = opened.plan, opened.image
    pixels = np.asarray(image.pixels[(slice(None),) * len(image.shape)])
    shared = job.recipe.estimate
    fitted = None if shared is None else opened.fitted(dict(shared))
    done = memory.result_of(memory.run(plan, pixels, fitted=fitted))
    assert done.image is not None
    assert done.edge_map is not None
    assert done.report is not None
    job.check_unchanged()
    said = record.make(opened, done.fitted, done.report)
    if job.recipe.edge_map:
        edges = done.edge_map
        if opened.edges is Output.SIGNIFICANCE:
            running = memory.significance(plan, pixels, fitted=done.fitted)
            edges = memory.result_of(running)
        output = Path(job.edge_map_output)
        write_whole(job, output, edges, opened.edge_metadata, said)
    write_whole(job, Path(job.output), done.image, image.metadata, said)
    seconds = time.monotonic() - start
    record.write(job, said, seconds, command)
    return Finished(record.stored(said), seconds)


def _check_free(job: Job) -> None:
    """Make room for the outputs; raise if one may not be replaced."""
    for output in map(Path, job.outputs):
        if output.exists() and not job.overwrite:
            raise FileExistsError(files.exists(output))
    for path in (*map(Path, job.outputs), job.record_path):
        path.parent.mkdir(parents=True, exist_ok=True)
        files.remove_abandoned(path)


def run_in_units(
    job: Job,
    executor: Executor,
    command: str,
    *,
    part: tuple[int, int] | None = None,
    resume: bool = False,
    progress: Callable[[str, int, int], None],
) -> Finished:
    """Run a job unit by unit, with a journal.

    Parameters
    ----------
    job : Job
        An image of any size.
    executor : Executor
        Where units run.
    command : str
        For the record.
    part : (int, int), optional
        Only this part of so many, such as (1, 8); (0, 8) is none of them, and only
        finishes what they did.
    resume : bool
        Go on with what an interrupted run left.
    progress : callable
        Called with the stage, the units done and their number.

    Raises
    ------
    FileExistsError
        If the output exists, or an interrupted run left something and `resume` is
        False.
    Busy
        If another run works on the output.
    """
    start = time.monotonic()
    number, parts = part or (1, 1)
    folder = job.work_folder
    share = _enter(job, folder, resume or parts > 1)
    with Journal(folder, number) as journal:
        running = _Run(job, share, executor, journal, progress)
        try:
            running.prepare()
            running.sharpen(part_of(len(running.units), (number, parts)))
            with FileLock(folder / "finish.lock"):
                said = running.finish(command, start)
        finally:
            tasks.close(job)
    if said is not None:
        files.remove(folder)
    return Finished(said, time.monotonic() - start)


def _enter(job: Job, folder: Path, resume: bool) -> int:
    """Make the work folder, or check that it is that of the same job.

    Returns
    -------
    int
        Memory of a worker in the first run, by which the image was cut into units.
    """
    header = folder / _HEADER
    if folder.exists() and not resume:
        if not job.overwrite:
            raise FileExistsError(
                f"`output` was left incomplete by an interrupted run, in {folder}: "
                "add --resume to go on, or --overwrite to start again"
            )
        discard(job)
    if not (folder / RECORD).exists():
        _check_free(job)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "enter.lock"):
        if not header.exists():
            text = json.dumps({"key": job.key, "memory": job.memory})
            _write(header, text)
        if not is_of(job):
            raise ValueError(
                "`resume` must be given the recipe and the input of the interrupted "
                f"run in {folder}; at least one of them has changed"
            )
        _ = tasks.working(job).outputs  # created once, before other parts need them
    return int(json.loads(header.read_text())["memory"])


def discard(job: Job) -> None:
    """Remove what an interrupted run left of a job.

    Raises
    ------
    Busy
        If a run is at work on it.
    """
    with Journal(job.work_folder, 1):
        pass
    files.remove(job.work_folder)


def is_of(job: Job) -> bool:
    """Return whether a work folder is that of this job, and not of another recipe."""
    try:
        said = json.loads((job.work_folder / _HEADER).read_text(encoding="utf-8"))
    except FileNotFoundError:  # interrupted before its first step
        return True
    return bool(said.get("key") == job.key)


def _write(path: Path, text: str) -> None:
    """Write a file of a work folder, which appears when it is complete."""
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.rename(path)


class _Run:
    """A job under way."""

    def __init__(
        self,
        job: Job,
        memory: int,
        executor: Executor,
        journal: Journal,
        progress: Callable[[str, int, int], None],
    ) -> None:
        self._job, self._memory, self._executor = job, memory, executor
        self._journal, self._progress = journal, progress
        self._here = tasks.working(job)
        self._folder = job.work_folder
        self._is_complete = (self._folder / RECORD).exists()
        self._estimate: dict[str, Any] = {}
        self.units: list[Slices] = []

    def prepare(self) -> None:
        """Cut the image into units, and estimate what has to be known of all of it."""
        if self._is_complete:
            return
        here = self._here
        self.units = write_units(here.opened, here.outputs.units, self._memory)
        path = self._folder / _ESTIMATE
        with FileLock(self._folder / "estimate.lock"):
            if not path.exists():
                _write(path, json.dumps(self._estimated()))
        self._estimate = json.loads(path.read_text())

    def _estimated(self) -> dict[str, Any]:
        plan = self._here.opened.plan
        if (shared := self._job.recipe.estimate) is not None:
            return estimates.as_numbers(self._here.opened.fitted(dict(shared)))

        def blocks_of(earlier: Sequence[Statistics]) -> Iterator[list[Part]]:
            task = tasks.Estimate(self._job, earlier)
            stage = f"estimate {len(earlier) + 1}/{rounds(plan)}"
            for done, parts in enumerate(self._executor.map(task, self.units), 1):
                yield parts
                self._progress(stage, done, len(self.units))

        running = reduce_rounds(plan, blocks_of)
        return estimates.as_numbers(memory.result_of(running))

    def sharpen(self, mine: range) -> None:
        """Sharpen those units that are not done yet."""
        if self._is_complete:
            return
        done = {entry["unit"] for entry in entries(self._folder) if "unit" in entry}
        left = [index for index in mine if index not in done]
        total, before = len(mine), len(mine) - len(left)
        self._progress("sharpen", before, total)
        task = tasks.Sharpen(self._job, self._estimate)
        results = self._executor.map(task, [self.units[index] for index in left])
        for count, (index, counts) in enumerate(zip(left, results, strict=True)):
            self._journal.add({"unit": index, "counts": _as_numbers(counts)})
            self._progress("sharpen", before + count + 1, total)
        self._journal.flush()

    def finish(self, command: str, start: float) -> dict[str, Any] | None:
        """Finish the outputs if all units are done; return the record."""
        if not self._folder.joinpath(_HEADER).exists():
            return None  # another part has just finished them
        path = self._folder / RECORD
        if not path.exists():
            counts = {
                entry["unit"]: entry["counts"]
                for entry in entries(self._folder)
                if "unit" in entry
            }
            if len(counts) < len(self.units):
                return None
            self._reduce()
            self._job.check_unchanged()
            said = self._record([counts[index] for index in range(len(self.units))])
            self._journal.flush()
            _write(path, json.dumps(said))
        said = json.loads(path.read_text())
        self._progress("write", 0, 1)
        self._here.outputs.finish(said)
        record.write(self._job, said, time.monotonic() - start, command)
        self._progress("write", 1, 1)
        return record.stored(said)

    def _reduce(self) -> None:
        """Compute the further levels of pyramids."""
        done = {
            (entry["store"], entry["level"], entry["of_level"])
            for entry in entries(self._folder)
            if "level" in entry
        }
        for name in (IMAGE, EDGE_MAP):
            if (store := self._here.outputs.stores.get(name)) is None:
                continue
            for rank in range(1, store.level_count):
                units = level_units(store, rank, self._memory // _BYTES_OF_MEAN)
                left = [k for k in range(len(units)) if (name, rank, k) not in done]
                task = tasks.Reduce(self._job, name, rank)
                results = self._executor.map(task, [units[k] for k in left])
                for count, (k, _) in enumerate(zip(left, results, strict=True)):
                    self._journal.add({"store": name, "level": rank, "of_level": k})
                    self._progress(f"pyramid level {rank}", count + 1, len(left))

    def _record(self, counts: list[dict[str, Any]]) -> dict[str, Any]:
        opened = self._here.opened
        fitted = opened.fitted(self._estimate)
        sample = np.asarray(opened.image.pixels[report.sample_slices(fitted.plan)])
        tallies = [_from_numbers(each) for each in counts]
        return record.make(opened, fitted, report.finish(fitted, tallies, sample))


def _as_numbers(counts: Tally) -> dict[str, Any]:
    return {
        field.name: value.tolist() if isinstance(value, np.ndarray) else value
        for field in fields(counts)
        for value in [getattr(counts, field.name)]
    }


def _from_numbers(numbers: dict[str, Any]) -> Tally:
    arrays = {name: np.asarray(numbers[name], np.int64) for name in ("below", "above")}
    return Tally(**{**numbers, **arrays})


def attempt(command: str, resume: bool, job: Job) -> tuple[str, Any]:
    """Run a job in memory if it is small enough.

    Returns
    -------
    status : {"done", "before", "large", "failed"}
        "before": an earlier run did it, "large": it has to be run in units.
    detail : Finished, str or None
        The result, or the message of an error.
    """
    try:
        if resume and is_done(job):
            return "before", None
        if job.work_folder.exists():
            return "large", None
        opened = OpenJob.of(job)
        with opened.image:
            if not opened.is_whole:
                return "large", None
            return "done", run_whole(job, opened, command)
    except Exception as error:  # of one file; the others go on
        return "failed", message_of(error)


def is_done(job: Job) -> bool:
    """Return whether the record of an output is that of this job."""
    if not Path(job.output).exists() or job.work_folder.exists():
        return False
    said = record.read(job)
    return said is not None and bool(said.get("key") == job.key)


def message_of(error: BaseException) -> str:
    """Return an error in one line."""
    text = " ".join(str(error).split())
    if text.startswith("`") or (isinstance(error, ValueError | TypeError) and text):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
