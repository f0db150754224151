"""Docks driven as a user does it, and what a viewer shows of layers."""

import numpy as np
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QLabel, QPushButton

import cases
import napari_usm as usm
from napari_usm._widgets.layers.data import METADATA, is_result
from napari_usm._widgets.live.pair import pair_of

#: Methods of the menus, and the titles of their docks.
TITLES = {
    name: entry.label for name, entry in usm.METHODS.items() if entry.audience == "menu"
}
PIXELS = cases.picture((20, 24), "uint16")

# Milliseconds that anything may take on a busy machine that compiles its kernels first.
PATIENCE = 60_000


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
    """The texts of a dock, after this turn."""
    QApplication.sendPostedEvents()
    return [
        label.text().replace("\xa0", " ")
        for label in widget.native.findChildren(QLabel)
    ]


def says(widget, start):
    return any(text.startswith(start) for text in texts(widget))


def results(viewer):
    return [layer for layer in viewer.layers if is_result(layer)]


def on_screen(layer):
    """The pixels of a layer that napari draws."""
    return np.asarray(layer._slice.image.raw)


def wait_for_layer(qtbot, layer, expected):
    """Wait until these pixels are on the screen; then they are the layer's data too."""
    wait_to_see(qtbot, layer, expected)
    np.testing.assert_array_equal(np.asarray(layer.data), expected)


def wait_to_see(qtbot, layer, expected):
    """Wait until these pixels are on the screen."""
    qtbot.waitUntil(
        lambda: np.array_equal(on_screen(layer), expected), timeout=PATIENCE
    )


def go_live(qtbot, widget, seen):
    """Press Live; result and edge map, when these pixels of the result are seen."""
    press(widget, "Live")
    result, edges = widget._pair.layers
    wait_to_see(qtbot, result, seen)
    return result, edges


def assert_shows(qtbot, layer, expected):
    """Sooner or later a layer is drawn with these pixels, and with their type."""
    expected = np.asarray(expected)

    def same():
        pixels = on_screen(layer)
        return pixels.shape == expected.shape and np.array_equal(
            pixels, expected, equal_nan=expected.dtype.kind == "f"
        )

    wait_for(qtbot, same)
    np.testing.assert_array_equal(on_screen(layer), expected)
    assert on_screen(layer).dtype == expected.dtype


def wait_for(qtbot, condition, patience=PATIENCE):
    """Let the window turn until a condition holds, and go on if it never does."""
    waited = 0
    while not condition() and waited < patience:
        qtbot.wait(5)
        waited += 5
    return condition()


def wait_for_rest(qtbot, *layers):
    """Let the window turn until nothing that layers show is being made."""
    qtbot.wait(20)  # the last change of a control may still be on its way
    wait_for(qtbot, lambda: not any(pair_of(layer).is_updating for layer in layers))
    qtbot.wait(5)


def button(widget, *names):
    """The button that has one of these texts."""
    (found,) = (b for b in widget.native.findChildren(QPushButton) if b.text() in names)
    return found


def live_button(widget):
    """The button that switches Live on and off."""
    return button(widget, "Live", "● Live")


def switch_live(widget, on=True):
    """Press Live, if it is not as it should be; the two layers of the pair."""
    if live_button(widget).isChecked() != on:
        live_button(widget).click()
    assert live_button(widget).isChecked() == on


def live_layers(widget):
    """Result and edge map that a dock's controls are followed by."""
    return widget._pair.layers


def status(widget):
    """The status line of a dock, of which there is one at most, after this turn."""
    QApplication.sendPostedEvents()
    return widget._dock._status.text().replace("\xa0", " ")


def made_by(layer):
    """What a result says of how it was made."""
    return layer.metadata[METADATA]


class Counted:
    """An array that counts and may slow down how often parts of it are read."""

    def __init__(self, pixels, seconds=0.0):
        self.pixels = pixels
        self.seconds = seconds
        self.read = []
        self.shape, self.dtype = pixels.shape, pixels.dtype
        self.ndim, self.size = pixels.ndim, pixels.size

    def __getitem__(self, key):
        import time

        self.read.append(key)
        time.sleep(self.seconds)
        return self.pixels[key]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[...], dtype)
