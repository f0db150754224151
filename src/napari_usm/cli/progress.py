"""Progress of a batch: bars on a terminal, a line for each image elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.batch import Event, Job

_ENDS = {
    "done": "done",
    "before": "done before",
    "part": "units are left for other parts",
    "failed": "failed",
    "cancelled": "cancelled",
}


class Reporter:
    """Prints the events of a batch.

    Parameters
    ----------
    jobs : sequence of Job
        Those of the batch.
    quiet : bool
        Whether to print no lines.
    """

    def __init__(self, jobs: Sequence[Job], quiet: bool = False) -> None:
        self._jobs, self._quiet = jobs, quiet
        self._ended = 0
        self._bars: Any = None
        self._all = self._one = None
        if sys.stderr.isatty() and jobs:
            self._bars = _bars()
            self._all = self._bars.add_task("images", total=len(jobs))

    def __enter__(self) -> Reporter:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def listen(self, event: Event) -> None:
        """Show an event."""
        job = self._jobs[event.index]
        if event.status == "running":
            if self._bars is not None and event.total:
                self._show_units(event, job)
            return
        self._ended += 1
        if self._bars is not None:
            self._bars.update(self._all, completed=self._ended)
            if self._one is not None:
                self._bars.remove_task(self._one)
                self._one = None
        if not self._quiet:
            line = (
                f"[{self._ended}/{len(self._jobs)}] {job.source}: {_ENDS[event.status]}"
            )
            if event.status == "done":
                line += f", {job.output}"
            print(line, flush=True)

    def _show_units(self, event: Event, job: Job) -> None:
        words = f"{job.source}: {event.stage}"
        if self._one is None:
            self._one = self._bars.add_task(words, total=event.total)
        self._bars.update(
            self._one, description=words, completed=event.done, total=event.total
        )


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
