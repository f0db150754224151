"""State of a live result: pixels on the screen, and failures; without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_usm._engine.block import Output
    from napari_usm._engine.plan import FittedPlan
    from napari_usm._engine.report import Report
    from napari_usm._engine.virtual import Index

#: Pixels that are reported on at most.
REPORTED = 2**24


@dataclass(frozen=True)
class Shown:
    """Pixels that were shown last, and how they were computed.

    Attributes
    ----------
    which, level, index
        Result or edge map, of which level, and what of it.
    seconds : float
        How long it took.
    settled : FittedPlan
        By what.
    shows : str
        What the pixels of this level are.
    report : Report, optional
        What was done to these pixels, once it is known.
    edge_limit : float, optional
        Symmetric contrast limit for their edge map, likewise.
    values : tuple of float, optional
        Smallest and largest value of the result, if that is shown, likewise.
    """

    which: Output
    level: int
    index: Index
    seconds: float
    settled: FittedPlan
    shows: str
    report: Report | None = None
    edge_limit: float | None = None
    values: tuple[float, float] | None = None

    @property
    def is_too_large(self) -> bool:
        """Return whether there are too many pixels for a report."""
        lengths = (len(each) for each in self.index if isinstance(each, range))
        return prod(lengths) > REPORTED


@dataclass(frozen=True)
class Failed:
    """Reason why there are no pixels."""

    reason: str


# What is shown, why it is not, or in a word what is waited for.
State = Shown | Failed | str


class Signals(Protocol):
    """Where a live result sends its news: Qt's signals, or a list in a test."""

    def send(self, signal: str, *what: Any) -> None:
        """Send "ready", "changed", or "failed" with a reason; from any thread."""

    def once_drawn(self, callback: Callable[[], None]) -> None:
        """Call something after the events of this turn, painting among them."""
