"""Notice when a dock is shown, hidden or closed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QTimer, Signal

if TYPE_CHECKING:
    from magicgui.widgets import Container
    from napari.components import LayerList
    from qtpy.QtWidgets import QWidget


class DockWatch(QObject):
    """Watches the widget inside a dock.

    Parameters
    ----------
    root : QWidget
        What napari puts into the dock.
    """

    #: The dock can be seen from now on.
    shown = Signal()
    #: The dock was taken out of its window for good.
    orphaned = Signal()

    def __init__(self, root: QWidget) -> None:
        super().__init__(root)
        self._root = root
        root.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that the dock was closed: only then it has no parent left."""
        if event.type() == QEvent.Type.ParentChange and watched.parent() is None:
            QTimer.singleShot(0, self._tell_if_orphaned)
        if event.type() == QEvent.Type.Show:
            self.shown.emit()
        return super().eventFilter(watched, event)

    def _tell_if_orphaned(self) -> None:
        if self._root.parent() is None:
            self.orphaned.emit()


def disconnect_choices(layers: LayerList, widget: Container) -> None:
    """Undo what napari connects when it docks a widget, and never lets go."""
    # Older ones do not tell of renamed layers.
    for name in ("inserted", "removed", "reordered", "renamed"):
        if (emitter := getattr(layers.events, name, None)) is not None:
            emitter.disconnect(widget.reset_choices)
