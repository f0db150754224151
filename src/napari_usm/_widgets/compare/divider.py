"""A line across the canvas that can be dragged, without a layer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_usm._widgets.dock.watch import dock_of

if TYPE_CHECKING:
    import napari.viewer
    from qtpy.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

# Pixels of the screen around the line where it can be taken.
_REACH = 4

_LINE, _EDGE = QColor(255, 255, 255), QColor(0, 0, 0)

_STEPS: dict[tuple[bool, int], int] = {
    (True, Qt.Key.Key_Left): -1,
    (True, Qt.Key.Key_Right): 1,
    (False, Qt.Key.Key_Up): -1,
    (False, Qt.Key.Key_Down): 1,
}


def canvas_beside(root: QWidget) -> QWidget | None:
    """Return what napari draws on, in the window that a dock belongs to."""
    dock = dock_of(root)
    window = None if dock is None else dock.parent()
    if not isinstance(window, QMainWindow):
        return None
    return window.centralWidget().findChild(QOpenGLWidget)


class Divider(QWidget):
    """A line at a place of the world: drag it, or click it and use the arrow keys.

    Parameters
    ----------
    canvas : QWidget
        What napari draws on.
    viewer : napari.viewer.Viewer
        Whose canvas it is.
    upright : bool
        Whether the line goes from top to bottom, or from left to right.
    """

    #: It was moved to another place of the world, by the user.
    moved = Signal(float)

    def __init__(
        self, canvas: QWidget, viewer: napari.viewer.Viewer, upright: bool
    ) -> None:
        super().__init__(canvas)
        self._canvas, self._upright = canvas, upright
        self._camera = camera_of(viewer)
        self._position, self._pixel = 0.0, 1.0
        self._grabbed_at: float | None = None
        shape = Qt.CursorShape
        self.setCursor(shape.SplitHCursor if upright else shape.SplitVCursor)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Divider between source and result")
        self.setToolTip("Drag the line, or click it and use the arrow keys.")
        canvas.installEventFilter(self)
        events = self._camera.events
        self._emitters = events.center, events.zoom, events.orientation
        for emitter in self._emitters:
            emitter.connect(self._place)

    def put(self, position: float, pixel: float) -> None:
        """Show the line at a position; `pixel` is the least that a key moves it by."""
        self._position, self._pixel = position, pixel
        self._place()
        self.show()

    def close_for_good(self) -> None:
        """Take the line away, and leave no callback behind."""
        for emitter in self._emitters:
            emitter.disconnect(self._place)
        self._canvas.removeEventFilter(self)
        if self.hasFocus():
            self._canvas.setFocus()
        self.hide()
        self.setParent(None)
        self.deleteLater()

    def _scale(self) -> tuple[float, float]:
        """Return screen pixels for a unit of the world, and where its origin is."""
        axis = -1 if self._upright else -2
        length = self._canvas.width() if self._upright else self._canvas.height()
        zoom = self._camera.zoom * (-1 if is_backwards(self._camera, axis) else 1)
        return zoom, length / 2 - zoom * self._camera.center[axis]

    def _place(self, event: Any = None) -> None:
        zoom, origin = self._scale()
        at = round(origin + zoom * self._position)
        # Far outside of the canvas a widget would be at no place at all.
        at = min(max(at, -1000), 100_000)
        if self._upright:
            self.setGeometry(at - _REACH, 0, 2 * _REACH + 1, self._canvas.height())
        else:
            self.setGeometry(0, at - _REACH, self._canvas.width(), 2 * _REACH + 1)

    def _move_to(self, at: float) -> None:
        """Move to a place of the canvas, in screen pixels."""
        length = self._canvas.width() if self._upright else self._canvas.height()
        zoom, origin = self._scale()
        self.moved.emit((min(max(at, 0), length) - origin) / zoom)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the canvas."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a light line with dark edges: it is seen on every picture."""
        painter = QPainter(self)
        for place, colour in ((-1, _EDGE), (0, _LINE), (1, _EDGE)):
            if self._upright:
                painter.fillRect(_REACH + place, 0, 1, self.height(), colour)
            else:
                painter.fillRect(0, _REACH + place, self.width(), 1, colour)

    def _on_canvas(self, event: QMouseEvent) -> float:
        point = self.mapTo(self._canvas, event.position().toPoint())
        return float(point.x() if self._upright else point.y())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the line."""
        if event.button() == Qt.MouseButton.LeftButton:
            zoom, origin = self._scale()
            self._grabbed_at = self._on_canvas(event) - origin - zoom * self._position
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the line, if it is held."""
        if self._grabbed_at is not None:
            self._move_to(self._on_canvas(event) - self._grabbed_at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the line go."""
        self._grabbed_at = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by a pixel of the image or of the screen, whichever is larger."""
        step = _STEPS.get((self._upright, event.key()))
        if step is None:
            event.ignore()
            return
        zoom, origin = self._scale()
        at = origin + zoom * self._position
        self._move_to(at + step * max(1.0, self._pixel * abs(zoom)))


def camera_of(viewer: Any) -> Any:
    """Return the camera of a viewer."""
    return getattr(viewer, "scene", viewer).camera  # a scene since 0.9


def is_backwards(camera: Any, axis: int) -> bool:
    """Return whether X (-1) grows to the left, or Y (-2) upwards."""
    return camera.orientation2d[axis].value in ("left", "up")
