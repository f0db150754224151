"""Results that tests compare with their sources."""

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from harness import (
    buttons,
    live_layers,
    press,
    results,
    switch_live,
    wait_for,
    wait_for_rest,
)

CALL = {"sigma": 1.5, "amount": 2.0}
LIMITS = (0, 65535)


def opened(
    open_dock, qtbot, pixels, keep=False, viewer=None, title="Unsharp mask", **keywords
):
    """A dock and its result, live or kept; viewer, dock, source, result, edge map."""
    viewer, widget = open_dock(title, viewer)
    widget.method.value = "unsharp_mask"
    source = viewer.add_image(pixels, contrast_limits=LIMITS, **keywords)
    widget.layer.value = source
    for name, value in CALL.items():
        widget[name].value = value
    switch_live(widget)
    result, edges = live_layers(widget)
    wait_for_rest(qtbot, result)
    if keep:
        press(widget, "Keep")
        wait_for(qtbot, lambda: not widget._keeping.is_running)
        result, edges = results(viewer)
    return viewer, widget, source, result, edges


def canvas_of(viewer):
    """The widget that napari draws on."""
    return viewer.window._qt_viewer.canvas.native


def hold_key(viewer, key=Qt.Key.Key_H, hold=True):
    act = QTest.keyPress if hold else QTest.keyRelease
    act(canvas_of(viewer), key)


def hold_button(widget, hold=True):
    button = buttons(widget)["Source"]
    act = QTest.mousePress if hold else QTest.mouseRelease
    act(button, Qt.MouseButton.LeftButton)


def looks_of(viewer):
    """All of the layers that must not change."""
    return [
        (
            layer.name,
            layer.visible,
            tuple(layer.contrast_limits),
            tuple(layer.contrast_limits_range),
            layer.opacity,
            layer.data if not layer.multiscale else list(layer.data),
            getattr(layer, "locked_data_level", None),
            layer.thumbnail.tobytes(),
        )
        for layer in viewer.layers
    ]


def assert_same(looks, others):
    for some, other in zip(looks, others, strict=True):
        for a, b in zip(some, other, strict=True):
            if isinstance(a, list):
                assert all(x is y for x, y in zip(a, b, strict=True))
            else:
                assert a is b or (not hasattr(a, "shape") and a == b)


def levels_of(pixels):
    return [pixels, pixels[::2, ::2], pixels[::4, ::4]]
