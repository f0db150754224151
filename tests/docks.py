"""Docks driven as a user does it: by the texts that are seen, and by what is shown."""

import numpy as np
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QLabel, QPushButton

import cases
from napari_usm._widgets.layers.data import is_result

TITLES = {
    "unsharp_mask": "Unsharp mask",
    "laplacian_sharpen": "Laplacian sharpen",
    "adaptive_unsharp_mask": "Adaptive unsharp mask",
    "auto_unsharp_mask": "Auto unsharp mask",
}
PIXELS = cases.picture((20, 24), "uint16")


def buttons(widget):
    """All buttons by the texts on them."""
    return {b.text(): b for b in widget.native.findChildren(QPushButton)}


def press(widget, text):
    buttons(widget)[text].click()


def turn_wheel(widget, delta):
    """Turn the wheel over a widget alone; whether it wanted that."""
    middle = widget.rect().center()
    event = QWheelEvent(
        QPointF(middle),
        QPointF(widget.mapToGlobal(middle)),
        QPoint(),
        QPoint(0, delta),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def texts(widget):
    return [
        label.text().replace("\xa0", " ")
        for label in widget.native.findChildren(QLabel)
    ]


def says(widget, start):
    return any(text.startswith(start) for text in texts(widget))


def results(viewer):
    return [layer for layer in viewer.layers if is_result(layer)]


def on_screen(layer):
    """The pixels that napari draws."""
    return np.asarray(layer._slice.image.raw)


def wait_for(qtbot, layer, expected):
    """Wait until these pixels are on the screen; then they are the layer's data too."""
    wait_to_see(qtbot, layer, expected)
    np.testing.assert_array_equal(np.asarray(layer.data), expected)


def wait_to_see(qtbot, layer, expected):
    """Wait until these pixels are on the screen."""
    qtbot.waitUntil(lambda: np.array_equal(on_screen(layer), expected), timeout=60000)


def go_live(qtbot, widget, seen):
    """Press Live; result and edge map, when these pixels of the result are seen."""
    press(widget, "Live")
    result, edges = widget._pair.layers
    wait_to_see(qtbot, result, seen)
    return result, edges
