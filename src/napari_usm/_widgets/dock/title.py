"""The title of the dock that a widget stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QLabel

from napari_usm._widgets.dock.watch import dock_of

if TYPE_CHECKING:
    from qtpy.QtWidgets import QDockWidget, QWidget


class DockTitle(QObject):
    """Shows a title that may change; napari has one for good.

    Parameters
    ----------
    root : QWidget
        What napari puts into the dock.
    """

    def __init__(self, root: QWidget) -> None:
        super().__init__(root)
        self._root = root
        self._text = ""
        self._dock: QDockWidget | None = None

    def set(self, text: str) -> None:
        """Show this title from now on."""
        if text != self._text:
            self._text = text
            self.show()

    def show(self) -> None:
        """Show the title in the dock, if there is one by now."""
        if not isalive(self._root):
            return  # the window was closed meanwhile
        dock = dock_of(self._root)
        if dock is None or not self._text:
            return
        dock.setWindowTitle(self._text)
        # napari draws the title itself, in a bar that it makes again for every place.
        title = getattr(dock.titleBarWidget(), "title", None)
        if isinstance(title, QLabel):
            title.setText(self._text)
        if dock is not self._dock:
            self._dock = dock
            dock.topLevelChanged.connect(self._show_later)
            dock.dockLocationChanged.connect(self._show_later)

    def _show_later(self, _: object) -> None:
        QTimer.singleShot(0, self.show)
