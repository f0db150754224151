"""A batch as a table: its rows, totals, and the time that is left."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from napari_usm.batch.inputs import free_bytes
from napari_usm.batch.rows import PROBLEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_usm.batch.batch import Event, Result
    from napari_usm.batch.job import Job
    from napari_usm.batch.rows import Row

# Status of rows that a run has finished with.
_ENDED = "done", "before", "part", "failed", "cancelled"

# Seconds and part of the work after which a rate can be told from it.
_EARLY, _LITTLE = 1.0, 0.02


class Table:
    """Rows of a batch, before, while and after it runs.

    It reads no clock: whoever calls it says what time it is, in seconds.

    Parameters
    ----------
    rows : iterable of Row
        From `plan_rows`.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows = list(rows)
        self._run: list[int] = []
        self._since = 0.0

    @property
    def open_rows(self) -> list[int]:
        """Return the rows that have not been done yet."""
        return [index for index, row in enumerate(self.rows) if row.is_open]

    def start(
        self, indices: Sequence[int], now: float, *, overwrite: bool = False
    ) -> list[Job]:
        """Return the jobs of these rows, for a `Batch` whose events `apply` gets.

        Parameters
        ----------
        indices : sequence of int
            Rows to run.
        now : float
            Time of the start.
        overwrite : bool
            Whether outputs that are there may be replaced.
        """
        self._run, self._since = list(indices), now
        jobs = []
        for row in (self.rows[index] for index in indices):
            assert row.job is not None
            row.status, row.error, row.stage, row.skipped = "waiting", "", "", None
            row.done = row.total = 0
            jobs.append(row.replacing() if overwrite and row.replaces else row.job)
        return jobs

    def apply(self, event: Event) -> int:
        """Take over an event of the run, and return the row that it is about."""
        index = self._run[event.index]
        row = self.rows[index]
        row.status, row.stage, row.error = event.status, event.stage, event.error
        row.done, row.total = event.done, event.total
        if row.skipped is None and event.stage == "sharpen":
            row.skipped = row.fraction
        return index

    def finish(self, results: Sequence[Result]) -> None:
        """Take over the ends of all jobs of the run."""
        for index, result in zip(self._run, results, strict=False):
            row = self.rows[index]
            row.status, row.error, row.stage = result.status, result.error, ""
            row.done = row.total = 0
            if row.is_open:
                row.look()
        self._run = []

    @property
    def fraction(self) -> float:
        """Return the part of the pixels of the run that is done."""
        rows = [self.rows[index] for index in self._run] or self.rows
        total = sum(row.nbytes for row in rows)
        return sum(_part(row) * row.nbytes for row in rows) / total if total else 0.0

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds that the run will still take; None if unknown."""
        rows = [self.rows[index] for index in self._run]
        skipped = sum((row.skipped or 0.0) * row.nbytes for row in rows)
        done = sum(_part(row) * row.nbytes for row in rows) - skipped
        total = sum(row.nbytes for row in rows) - skipped
        seconds = now - self._since
        if not total or seconds < _EARLY or done < _LITTLE * total:
            return None
        return seconds * (total - done) / done

    def plan_line(self) -> str:
        """Return a sentence on what there is to do, and to write."""
        rows, left = self.rows, [self.rows[index] for index in self.open_rows]
        if not rows:
            return ""
        parts = [counted(len(rows), "image")]
        known = (
            ("before", "done before"),
            ("goes on", "interrupted, will go on"),
            ("output exists", "whose output exists"),
            (PROBLEM, "with a problem"),
        )
        counts = Counter(row.state if row.is_open else row.status for row in rows)
        parts += [f"{counts[key]} {said}" for key, said in known if counts[key]]
        if left:
            needed = sum(row.output_bytes for row in left)
            free = free_bytes(_output(left[0]))
            short = " — too little" if needed > free else ""
            parts.append(f"{size(needed)} to write, {size(free)} free{short}")
        return " · ".join(parts)

    def progress_line(self, now: float) -> str:
        """Return a sentence on how far the run is."""
        rows = [self.rows[index] for index in self._run]
        counts = Counter(row.status for row in rows)
        ended = sum(counts[status] for status in _ENDED)
        parts = [f"{ended} of {counted(len(rows), 'image')}"]
        if counts["failed"]:
            parts.append(f"{counts['failed']} failed")
        left = self.seconds_left(now)
        if left is not None:
            parts.append(f"about {duration(left)} left")
        return " · ".join(parts)

    def end_line(self, results: Sequence[Result], seconds: float) -> str:
        """Return a sentence on how a run ended."""
        counts = Counter(result.status for result in results)
        done = counts["done"] + counts["before"] + counts["part"]
        parts = [f"{done} of {counted(len(results), 'image')} done"]
        parts += [
            f"{counts[status]} {status}"
            for status in ("failed", "cancelled")
            if counts[status]
        ]
        return " · ".join([*parts, duration(seconds)])


def size(nbytes: float) -> str:
    """Return a number of bytes in words.

    Examples
    --------
    >>> size(999), size(1_234_567), size(4.2e12)
    ('999 B', '1.2 MB', '4.2 TB')
    """
    unit = "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if nbytes < 999.5:
            break
        nbytes, unit = nbytes / 1000, larger
    return f"{nbytes:.{int(unit != 'B' and nbytes < 9.95)}f} {unit}"


def duration(seconds: float) -> str:
    """Return a time in words.

    Examples
    --------
    >>> duration(0.2), duration(59), duration(61), duration(7300)
    ('1 s', '59 s', '1 min 1 s', '2 h 1 min')
    """
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, part = divmod(minutes, 60)
    if hours:
        return f"{hours} h {part} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "image"), counted(500, "image")
    ('1 image', '500 images')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _part(row: Row) -> float:
    return 1.0 if row.status in _ENDED else row.fraction


def _output(row: Row) -> str:
    assert row.job is not None
    return os.path.dirname(row.job.output)
