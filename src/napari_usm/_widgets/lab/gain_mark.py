"""A vertical line over a plot that the mouse drags and keys move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Qt, Signal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
    from matplotlib.lines import Line2D

# Steps of the mouse and of the keys: the second is that of the gains that are tried.
_FINE, _COARSE = 0.01, 0.1

_KEYS = {
    "left": -_COARSE,
    "right": _COARSE,
    "shift+left": -_FINE,
    "shift+right": _FINE,
}


class GainMark(QObject):
    """Marks one gain in all axes of a canvas.

    It is drawn over a copy of the plot: drawing all of it again takes longer than a
    frame.

    Parameters
    ----------
    canvas : FigureCanvasQTAgg
        What shows the plot.
    """

    #: The user has moved it here.
    moved = Signal(float)

    def __init__(self, canvas: FigureCanvasQTAgg) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._lines: list[Line2D] = []
        self._background: Any = None
        self._is_dragged = False
        #: The smallest and the largest gain that it can be moved to.
        self.range = (_FINE, 1.0)
        self.value: float | None = None
        canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for event, slot in (
            ("draw_event", self._on_draw),
            ("button_press_event", self._on_press),
            ("motion_notify_event", self._on_motion),
            ("button_release_event", self._on_release),
            ("key_press_event", self._on_key),
        ):
            canvas.mpl_connect(event, slot)

    def lie_over(self, axes: list[Axes], colour: str) -> None:
        """Belong to these axes of a new plot."""
        self._background = None
        self._lines = [
            each.axvline(self.range[0], color=colour, linewidth=2, animated=True)
            for each in axes
        ]

    def place(self, value: float | None) -> None:
        """Mark this gain, or none."""
        self.value = value
        if self._background is not None:
            self._canvas.restore_region(self._background)
            self._draw()
            self._canvas.blit(self._canvas.figure.bbox)

    def _draw(self) -> None:
        for line in self._lines if self.value is not None else ():
            line.set_xdata([self.value, self.value])
            line.axes.draw_artist(line)

    def _on_draw(self, event: Any) -> None:
        self._background = self._canvas.copy_from_bbox(self._canvas.figure.bbox)
        self._draw()

    def _on_press(self, event: Any) -> None:
        if self._lines and event.inaxes is not None and event.button == 1:
            self._is_dragged = True
            self._move_to(self._under(event))

    def _on_motion(self, event: Any) -> None:
        if self._is_dragged:
            self._move_to(self._under(event))

    def _on_release(self, event: Any) -> None:
        self._is_dragged = False

    def _on_key(self, event: Any) -> None:
        if self.value is not None and event.key in _KEYS:
            self._move_to(self.value + _KEYS[event.key])

    def _under(self, event: Any) -> float:
        """Return the gain under the mouse, also beside the axes."""
        inverted = self._lines[0].axes.transData.inverted()
        return float(inverted.transform((event.x, event.y))[0])

    def _move_to(self, value: float) -> None:
        low, high = self.range
        value = round(min(max(value, low), high), 2)
        if value != self.value:
            self.place(value)
            self.moved.emit(value)
