"""The journal of a job: the units that are done, on a disk that may lose its power."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

# Least seconds between two times that everything is forced onto the disk, and how much
# longer than that takes: a tenth of the time at most. What was written since the last
# time is done again after an interruption.
_INTERVAL = 1.0
_SHARE = 10


class Busy(RuntimeError):
    """Another run works on the same output."""


class Journal:
    """Entries of one run, appended to a file that no other run may open.

    An entry is written only after the pixels that it speaks of are on the disk.

    Parameters
    ----------
    folder : Path
        Work folder of the job.
    part : int
        Number of the part of an array job; 0 for a run alone.

    Raises
    ------
    Busy
        If another run holds it.
    """

    def __init__(self, folder: Path, part: int = 0) -> None:
        self.path = folder / f"journal-{part}.jsonl"
        self._lock = FileLock(f"{self.path}.lock")
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise Busy(
                f"`output` must not be written by two runs at once; {folder} is in use"
            ) from None
        self._waiting: list[str] = []
        self._next = time.monotonic() + _INTERVAL
        _cut_half_line(self.path)
        self._file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115 (closed on exit)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # An interrupt does not wait for the disk: the last units are done again.
            if kind is None or issubclass(kind, Exception):
                self.flush()
        finally:
            self._file.close()
            self._lock.release()

    def add(self, entry: dict[str, Any]) -> None:
        """Note that something is done."""
        self._waiting.append(json.dumps(entry))
        if time.monotonic() > self._next:
            self.flush()

    def flush(self) -> None:
        """Force pixels onto the disk, then the entries that wait for them."""
        start = time.monotonic()
        if self._waiting:
            if hasattr(os, "sync"):
                os.sync()
            self._file.write("".join(f"{line}\n" for line in self._waiting))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._waiting.clear()
        now = time.monotonic()
        self._next = now + max(_INTERVAL, _SHARE * (now - start))


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the complete entries of all runs on a job."""
    for path in sorted(folder.glob("journal-*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            yield json.loads(line)


def _cut_half_line(path: Path) -> None:
    """Remove the end of a file whose last line was not written completely."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with open(path, "r+b") as file:
            file.truncate(whole)
