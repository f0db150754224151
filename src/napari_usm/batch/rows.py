"""The plan of a batch: for each image its size, what is filtered, and its output."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_usm import io
from napari_usm.batch.inputs import Problem, plan_jobs
from napari_usm.batch.job import OpenJob
from napari_usm.batch.run import is_done, is_of, message_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_usm._engine.plan import Plan
    from napari_usm.batch.job import Job
    from napari_usm.recipe import Recipe

#: Folder of the results where none is chosen.
FOLDER = "sharpened"

#: Status of a row without a job.
PROBLEM = "problem"

#: What an earlier run left at the place of an output: nothing, the same result, a part
#: of it, or a part of the result of another recipe.
EARLIER = "", "done", "part", "other"


@dataclass(frozen=True)
class Request:
    """Inputs, output and recipe of a batch.

    Attributes
    ----------
    inputs : tuple of str
        Files, folders and patterns, as for `plan_jobs`.
    recipe : Recipe
        What to do with each image.
    output : str
        Folder of the results. Empty: a folder "sharpened" in each folder of inputs.
    format : str, optional
        Name of a format in `io.FORMATS`. Default: that of the input.
    excluded : frozenset of str
        Images that are left out, as `Row.input` has them.
    memory : int
        Bytes that a job may use.
    """

    inputs: tuple[str, ...]
    recipe: Recipe
    output: str = ""
    format: str | None = None
    excluded: frozenset[str] = frozenset()
    memory: int = 2**30


@dataclass
class Row:
    """An image of a batch: its job, or why there is none.

    Attributes
    ----------
    input : str
        The image.
    job : Job, optional
        What will be done.
    error : str
        Why there is no job, or why it failed.
    nbytes, output_bytes : int
        Bytes of the pixels that are read and written, uncompressed.
    filtered : str
        Sentence that says which axes are filtered.
    plan : Plan, optional
        The method, ready for the image.
    earlier : str
        One of `EARLIER`.
    is_occupied : bool
        Whether there are other files at the place of the outputs.
    status : str
        One of `batch.STATUS`, or `PROBLEM`.
    stage : str
        While it runs: what is done, as in `Event`.
    done, total : int
        Units of the stage.
    """

    input: str
    job: Job | None = None
    error: str = ""
    nbytes: int = 0
    output_bytes: int = 0
    filtered: str = ""
    plan: Plan | None = field(default=None, repr=False)
    earlier: str = ""
    is_occupied: bool = False
    status: str = "waiting"
    stage: str = ""
    done: int = 0
    total: int = 0
    # Part that was done before this run, for its rate.
    skipped: float | None = field(default=None, repr=False)

    @classmethod
    def of(cls, job: Job) -> Row:
        """Return the row of a job: its image is opened, and no pixel is read."""
        name = str(job.source)
        try:
            opened = OpenJob.of(job)
            with opened.image:
                plan = opened.plan
                row = cls(
                    name,
                    job,
                    nbytes=opened.image.nbytes,
                    output_bytes=opened.output_bytes,
                    filtered=opened.description,
                    plan=plan,
                )
            row.look()
        except Exception as error:  # readers raise what they like
            return cls(name, error=message_of(error), status=PROBLEM)
        return row

    @property
    def replaces(self) -> bool:
        """Return whether the job would replace what is there."""
        other = self.is_occupied and self.earlier != "done"
        return other or self.earlier == "other"

    @property
    def is_open(self) -> bool:
        """Return whether there is a job that has not been done yet."""
        return self.job is not None and self.status in (
            "waiting",
            "failed",
            "cancelled",
        )

    @property
    def fraction(self) -> float:
        """Return the part of the pixels that is done."""
        if self.status in ("done", "before") or self.stage == "write":
            return 1.0
        if self.stage == "sharpen":
            return self.done / max(self.total, 1)
        return 1.0 if self.stage.startswith("pyramid") else 0.0

    @property
    def state(self) -> str:
        """Return the state in a few words."""
        if self.status == "running":
            part = f" {100 * self.done // self.total} %" if self.total else ""
            return (self.stage or "at work") + part
        if self.status == "waiting":
            if self.earlier == "part":
                return "goes on"
            return "output exists" if self.replaces else "ready"
        return {"before": "done before", "part": "done in part"}.get(
            self.status, self.status
        )

    def look(self) -> None:
        """Look for results of earlier runs at the place of the outputs."""
        job = self.job
        if job is None:
            return
        self.is_occupied = any(Path(output).exists() for output in job.outputs)
        if is_done(job):
            self.earlier = "done"
            self.status = "before" if self.status == "waiting" else self.status
        elif job.work_folder.exists():
            self.earlier = "part" if is_of(job) else "other"
        else:
            self.earlier = ""

    def replacing(self) -> Job:
        """Return the job, allowed to replace its outputs."""
        assert self.job is not None
        self.job = replace(self.job, overwrite=True)
        return self.job


def plan_rows(request: Request) -> Iterator[Row]:
    """Yield the rows of a batch, sorted by the path of the input.

    Raises
    ------
    ValueError
        As for `plan_jobs`, or if there is an address of the web and no output.
    """
    found: list[Job | Problem] = []
    groups: dict[str, list[str]] = {}
    for given in request.inputs:
        output = request.output or default_output(given)
        groups.setdefault(output, []).append(given)
    for output, inputs in groups.items():
        jobs, problems = plan_jobs(
            inputs,
            output,
            request.recipe,
            format=request.format,
            memory=request.memory,
        )
        found += [*jobs, *problems]
    for each in sorted(found, key=_name):
        if _name(each) in request.excluded:
            continue
        if isinstance(each, Problem):
            yield Row(each.path, error=each.message, status=PROBLEM)
        else:
            yield Row.of(each)


def default_output(given: str) -> str:
    """Return the folder of the results of an input.

    Raises
    ------
    ValueError
        If the input is on the web.

    Examples
    --------
    >>> Path(default_output("data/cells.tif")).parts
    ('data', 'sharpened')
    """
    if "://" in given:
        raise ValueError(f"`output` must be a folder for {given}; got none")
    path = Path(given)
    is_folder = path.is_dir() and io.find_format(path) is None
    return str((path if is_folder else path.parent) / FOLDER)


def _name(each: Job | Problem) -> str:
    return each.path if isinstance(each, Problem) else str(each.source)
