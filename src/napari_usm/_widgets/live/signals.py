"""Signals of a live result, on the window's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Qt, QTimer, Signal

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

    _changes = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._is_coming = False
        self._changes.connect(self._send_changed, Qt.ConnectionType.QueuedConnection)

    def send(self, signal: str, *what: Any) -> None:
        """Emit a signal, unless the window is gone.

        Several `changed` are sent once, after this turn: pixels come before words.
        """
        if not isalive(self):
            return
        if signal != "changed":
            getattr(self, signal).emit(*what)
        elif not self._is_coming:
            self._is_coming = True
            self._changes.emit()

    def _send_changed(self) -> None:
        self._is_coming = False
        self.changed.emit()

    def once_drawn(self, callback: Callable[[], None]) -> None:
        """Call something after the events of this turn, painting among them."""
        QTimer.singleShot(0, lambda: QTimer.singleShot(0, callback))
