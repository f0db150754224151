"""Signals of a live result, on the window's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Callable


class LiveSignals(QObject):
    """Signals of a live result, on the window's thread."""

    #: Pixels are ready that napari could not wait for.
    ready = Signal()
    #: Something else is shown now or waited for, or more is known of it.
    changed = Signal()
    #: The reason why there are no pixels, once.
    failed = Signal(str)
    #: There will be no more.
    ended = Signal()

    def send(self, signal: str, *what: Any) -> None:
        """Emit a signal, unless the window is gone."""
        if isalive(self):
            getattr(self, signal).emit(*what)

    def once_drawn(self, callback: Callable[[], None]) -> None:
        """Call something after the events of this turn, painting among them."""
        QTimer.singleShot(0, lambda: QTimer.singleShot(0, callback))
