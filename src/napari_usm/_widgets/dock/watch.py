"""Notice when a dock is shown, hidden or closed for good, and where it has no room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QDockWidget, QMainWindow

if TYPE_CHECKING:
    from magicgui.widgets import Container
    from napari.components import LayerList
    from qtpy.QtWidgets import QWidget


class DockWatch(QObject):
    """Watches the widget inside a dock.

    When it is shown first, and there is no room for it below other docks of ours, it is
    put before them, with tabs.

    Parameters
    ----------
    root : QWidget
        What napari puts into the dock.
    """

    #: The dock can be seen from now on, or is the tab in front.
    shown = Signal()
    #: The dock was taken out of its window for good.
    orphaned = Signal()

    def __init__(self, root: QWidget) -> None:
        super().__init__(root)
        self._root = root
        self._was_shown = False
        root.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that the dock was closed: only then it has no parent left."""
        if event.type() == QEvent.Type.ParentChange and watched.parent() is None:
            QTimer.singleShot(0, self._emit_if_orphaned)
        if event.type() == QEvent.Type.Show:
            self.shown.emit()
            if not self._was_shown:
                self._was_shown = True
                QTimer.singleShot(0, self._on_first_shown)
        return super().eventFilter(watched, event)

    @property
    def in_view(self) -> bool:
        """Return whether the dock is visible, and not behind another tab."""
        # To Qt what lies behind is visible, beyond the edge of the window.
        root = self._root
        return root.isVisible() and not root.visibleRegion().isEmpty()

    def _on_first_shown(self) -> None:
        dock = dock_of(self._root)
        if dock is not None:
            dock.visibilityChanged.connect(self._on_visibility)
            self._tab_if_crowded(dock)

    def _on_visibility(self, visible: bool) -> None:
        if visible:
            self.shown.emit()

    def _tab_if_crowded(self, dock: QDockWidget) -> None:
        """Put the dock before the last of ours in its area, if they squeeze another."""
        window = dock.parent()
        if dock.isFloating() or not isinstance(window, QMainWindow):
            return
        area = window.dockWidgetArea(dock)
        ours = [
            other
            for other in window.findChildren(QDockWidget)
            if other.findChild(DockWatch) is not None
            and window.dockWidgetArea(other) == area
            and not (other.isFloating() or other.isHidden())
        ]
        needed = sum(each.sizeHint().height() for each in ours)
        if len(ours) > 1 and needed > window.centralWidget().height():
            first = next(other for other in reversed(ours) if other is not dock)
            window.tabifyDockWidget(first, dock)
            dock.raise_()
        elif len(ours) > 1:
            # Qt gives most of the room to the one that came last.
            heights = [each.sizeHint().height() for each in ours]
            window.resizeDocks(ours, heights, Qt.Orientation.Vertical)

    def _emit_if_orphaned(self) -> None:
        if self._root.parent() is None:
            self.orphaned.emit()


def dock_of(widget: QObject | None) -> QDockWidget | None:
    """Return the dock that a widget is in."""
    while widget is not None and not isinstance(widget, QDockWidget):
        widget = widget.parent()
    return widget


def disconnect_choices(layers: LayerList, widget: Container) -> None:
    """Disconnect what napari connects when it docks a widget and never disconnects."""
    # Older versions of napari have no event for renamed layers.
    for name in ("inserted", "removed", "reordered", "renamed"):
        if (emitter := getattr(layers.events, name, None)) is not None:
            emitter.disconnect(widget.reset_choices)
