"""Progress of a command, on the standard error."""

from __future__ import annotations

import sys
from time import monotonic


class Progress:
    """Tells what is done and about how long the rest takes.

    On a terminal one line is written anew; in a file there is one for each name.

    Parameters
    ----------
    total : int
        Steps to do.
    """

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._began = monotonic()
        self._name = ""
        if total:
            print(f"{total} results to measure", file=sys.stderr)

    def advance(self, steps: int, name: str) -> None:
        """Some more steps are done, at the thing of this name."""
        self._done += steps
        terminal = sys.stderr.isatty()
        last = self._done == self._total
        if not terminal and name == self._name and not last:
            return
        self._name = name
        left = (monotonic() - self._began) * (self._total / self._done - 1)
        line = f"{self._done} of {self._total}, {_duration(left)} left: {name}"
        if terminal:
            # Blanks wipe out what a longer line has left.
            line = f"\r{line:70}"
        end = "" if terminal and not last else "\n"
        print(line, end=end, file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
