"""The button that switches a live result on and off."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QPushButton


class LiveButton(QPushButton):
    """Says by a dot whether it is on.

    Parameters
    ----------
    tooltip : str
        What being live means here.
    """

    def __init__(self, tooltip: str) -> None:
        super().__init__("Live")
        self.setToolTip(tooltip)
        self.setCheckable(True)
        self.toggled.connect(self._say)

    def show_live(self, on: bool) -> None:
        """Say whether it is live, without being pressed."""
        with QSignalBlocker(self):
            self.setChecked(on)
        self._say(on)

    def _say(self, on: bool) -> None:
        self.setText("● Live" if on else "Live")
