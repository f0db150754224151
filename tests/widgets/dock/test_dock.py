"""The docks, opened through the manifest in a real viewer: controls and calls."""

import gc
from contextlib import suppress
from itertools import pairwise, product

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QCoreApplication, QEvent, Qt
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QLabel,
    QLineEdit,
    QSlider,
    QWidget,
)

import cases
import napari_usm as usm
from harness import (
    PIXELS,
    TITLES,
    buttons,
    go_live,
    press,
    results,
    says,
    texts,
    turn_wheel,
    wait_for_layer,
    wait_to_see,
)
from napari_usm import warm_up
from napari_usm._widgets.dock.number import Number
from napari_usm._widgets.layers.functions import layer_function
from napari_usm._widgets.live import state


def test_the_status_line_is_never_stale(open_dock):
    """As soon as a control or the image changes, the old line is gone."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    other = viewer.add_image(PIXELS[::-1], name="other")
    widget.layer.value = viewer.layers[0]
    for change in (
        lambda: setattr(widget.sigma, "value", 3.0),
        lambda: setattr(widget.layer, "value", other),
    ):
        widget()
        assert any(text.startswith("clipped") for text in texts(widget))
        change()
        assert not any(text.startswith("clipped") for text in texts(widget))


def test_what_is_offered(open_dock):
    """Images, and results as such; no edge maps, no labels."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    viewer.add_labels(np.ones((5, 5), int))
    widget()
    assert widget.layer.choices == (source, viewer.layers["cells sharpened"])
    assert widget.layer.value is source


def test_the_active_image_is_chosen(make_napari_viewer, open_dock):
    """The dock opens with the image that is selected."""
    viewer = make_napari_viewer()
    first = viewer.add_image(PIXELS)
    viewer.add_image(PIXELS)
    viewer.layers.selection.active = first
    _, widget = open_dock("Unsharp mask", viewer)
    assert widget.layer.value is first


def test_controls_that_matter_are_shown(open_dock):
    """Colour for RGB, dimensions for stacks, Z where nobody said which axis it is."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.window._qt_window.show()

    def shown():
        return {
            name for name in ("color", "dimensions", "z_axis") if widget[name].visible
        }

    def sentence():
        (text,) = (
            t for t in texts(widget) if t.startswith(("Filters", "Choose", "Add"))
        )
        return text

    assert sentence() == "Add an image to sharpen it."
    widget.layer.value = viewer.add_image(PIXELS)
    assert (shown(), sentence()) == (set(), "Filters Y and X of the plane")
    widget.layer.value = viewer.add_image(cases.picture((9, 8, 3), "uint8"), rgb=True)
    assert (shown(), sentence()) == ({"color"}, "Filters Y and X of the plane")
    widget.layer.value = viewer.add_image(np.zeros((4, 9, 8)))
    assert (shown(), sentence()) == (
        {"dimensions"},
        "Filters Y and X of each of 4 planes",
    )
    widget.dimensions.value = "volumes"
    assert (shown(), sentence()) == (
        {"dimensions", "z_axis"},
        "Choose which axis is Z.",
    )
    widget.z_axis.value = 0
    assert sentence() == "Filters axis -3, Y and X of the volume"
    widget.layer.value = viewer.add_image(
        np.zeros((4, 9, 8)), axis_labels=("z", "y", "x"), shear=(0.5, 0, 0)
    )
    assert shown() == {"dimensions"}
    assert sentence().startswith("Filters Z, Y and X of the volume\n")
    assert sentence().endswith(
        "Z and Y are not at right angles (shear or affine): filtered along the axes, "
        "by the step along each"
    )
    widget.layer.value = viewer.add_image(np.zeros((2, 4, 9, 8)))
    assert (shown(), sentence()) == (
        {"dimensions", "z_axis"},
        "Choose which axis is Z.",
    )
    widget.z_axis.value = 1
    assert sentence() == "Filters axis -3, Y and X of each of 2 volumes"
    widget()
    np.testing.assert_array_equal(results(viewer)[0].data, 0)
    widget.layer.value = viewer.add_image(
        np.zeros((4, 9, 8)), axis_labels=("t", "y", "x")
    )
    assert (shown(), sentence()) == (set(), "Filters Y and X of each of 4 planes")


def test_ranges_follow_the_image(open_dock):
    """Amounts end where detail inverts."""
    viewer, widget = open_dock("Laplacian sharpen")
    viewer.add_image(np.zeros((4, 9, 8)), scale=(2, 1, 1), contrast_limits=(0, 1))
    assert widget.amount.min == -1 / 8
    widget.dimensions.value = "volumes"
    widget.z_axis.value = 0
    assert widget.amount.min == pytest.approx(-1 / (4 * 2.25))


def test_least_amount_of_the_box(open_dock):
    """The amount ends where the chosen kernel inverts detail."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    widget.kernel.value = "box"
    assert widget.amount.min == -0.75
    assert widget.sigma.visible is False


def test_a_number_is_the_same_everywhere(open_dock, qtbot):
    """What is typed is applied, shown and copied; the rest is said, and not taken."""
    viewer, widget = open_dock("Auto unsharp mask")
    viewer.add_image(PIXELS)
    widget.method.value = "unsharp_mask"
    viewer.window._qt_window.show()

    def type_in(control, text):
        box = control.native.findChild(QLineEdit)
        box.setFocus()
        box.selectAll()
        qtbot.keyClicks(box, text)
        return box

    qtbot.keyClick(type_in(widget.sigma, "0,35"), Qt.Key.Key_Return)
    qtbot.keyClick(type_in(widget.amount, "1e1"), Qt.Key.Key_Return)
    type_in(widget.threshold, "12.5")  # the button takes it
    press(widget, "Copy as Python")
    program = QApplication.clipboard().text()
    for name, value in (("sigma", 0.35), ("amount", 10), ("threshold", 12.5)):
        assert widget[name].value == value
        assert f"{name}={float(value)}" in program
    qtbot.keyClick(type_in(widget.sigma, "-2"), Qt.Key.Key_Return)
    assert "Not taken: sigma must be at least 0; got -2.0" in texts(widget)
    assert widget.sigma.value == 0.35
    widget.method.value = "auto_unsharp_mask"
    assert not says(widget, "Not taken")
    qtbot.keyClick(type_in(widget.denoise, "2"), Qt.Key.Key_Return)
    assert "Not taken: denoise must be at most 1; got 2.0" in texts(widget)
    assert widget.denoise.value == 1


def test_numbers_and_menus_have_room(open_dock, qtbot):
    """Box, slider and menu of every number can be used, whatever draws them."""
    viewer, widget = open_dock("Unsharp mask")
    units = {"units": ("um",) * 2, "scale": (0.1, 0.1)}
    viewer.add_image(PIXELS, **units)
    viewer.window._qt_window.resize(1366, 768)
    viewer.window._qt_window.show()
    widget._dock.advanced.heading.setChecked(True)
    qtbot.wait(50)
    for method in TITLES:
        widget.method.value = method
        qtbot.wait(50)
        for control in widget.controls:
            if isinstance(control, Number) and control.native.isVisible():
                assert control.native.findChild(QLineEdit).width() >= 50
                assert control.native.findChild(QSlider).width() >= 60
        assert widget.native.width() <= 400
    widget.method.value = "unsharp_mask"
    qtbot.wait(50)
    assert widget.threshold.native.parent() is widget.threshold_unit.native.parent()
    assert widget.threshold_unit.native.isVisible()


def test_the_wheel_scrolls(open_dock, qtbot):
    """Over menus, and over numbers without the focus, it changes nothing."""
    viewer, widget = open_dock("Laplacian sharpen")
    viewer.add_image(np.zeros((4, 9, 8)))
    viewer.window._qt_window.show()
    before = {control.name: control.value for control in widget.controls}
    widget.method.native.setFocus()
    for control in widget.controls:
        for part in (control.native, *control.native.findChildren(QWidget)):
            if part.isVisible() and not isinstance(part, QCheckBox):
                assert not turn_wheel(part, -120)
                assert not turn_wheel(part, 120)
    assert {control.name: control.value for control in widget.controls} == before


def test_two_docks_share_the_room(open_dock, qtbot):
    """Where both fit, neither is squeezed; Qt gives most to the last one."""
    viewer, first = open_dock("Unsharp mask")
    window = viewer.window._qt_window
    window.resize(1300, 740)
    window.show()
    qtbot.wait(50)
    _, last = open_dock("Laplacian sharpen", viewer)
    qtbot.wait(300)
    for dock in (first.native.parent(), last.native.parent()):
        assert dock.height() >= dock.sizeHint().height()


@pytest.mark.parametrize("method", TITLES)
def test_tab_goes_from_top_to_bottom(open_dock, qtbot, method):
    """Through the controls of the method that is chosen, then to the buttons."""
    viewer, widget = open_dock("Laplacian sharpen")
    viewer.add_image(np.zeros((4, 9, 8)), scale=(1, 1, 1), units=("µm",) * 3)
    widget.method.value = method
    viewer.window._qt_window.show()
    viewer.window._qt_window.activateWindow()
    widget._dock.advanced.heading.click()
    qtbot.wait(20)
    stops, stop = [], widget.layer.native
    while stop is not widget._dock.reset:
        if stop.isVisible() and stop.focusPolicy() & Qt.FocusPolicy.TabFocus:
            stops.append(stop)
        stop = stop.nextInFocusChain()
        assert len(stops) < 50
    dock = widget._dock
    row = [dock.source, dock.wipe, dock._compare_choice, dock.overshoot]
    row += [dock.live, dock.keep, dock._keep_choice]
    assert stops[-len(row) :] == row
    controls = stops[: -len(row)]
    below = [widget._dock.copy, widget._dock.save_recipe, widget._dock.load_recipe]
    assert controls[-3:] == below
    middles = [each.mapTo(widget.native, each.rect().center()).y() for each in controls]
    assert len(middles) > 8
    # Two in a row are at the same height.
    assert all(below >= above - 5 for above, below in pairwise(middles))


def test_tooltips_are_for_the_person_at_the_dock(open_dock):
    """Everything has one, in words that are on the screen: no code, no other method."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    for method in TITLES:
        widget.method.value = method
        tips = [control.tooltip for control in widget.controls]
        tips += [
            button.toolTip()
            for name, button in buttons(widget).items()
            if "▸" not in name
        ]
        for tip in tips:
            assert tip.endswith(".")
            assert not {"`", "_"} & {*tip}
            assert "scipy" not in tip


def test_the_title_is_the_method(open_dock, qtbot):
    """Of the dock and of what napari draws for it, floating or not."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.window._qt_window.show()
    dock = widget.native.parent()
    for floating in (False, True):
        dock.setFloating(floating)
        for method, title in TITLES.items():
            widget.method.value = method
            qtbot.wait(20)
            assert dock.windowTitle() == f"{title} (napari-usm)"
            bar = dock.titleBarWidget()  # none in napari 0.6 when it floats
            assert bar is None or bar.title.text() == f"{title} (napari-usm)"


def test_messages_stay_to_be_read(open_dock, qtbot):
    """What is live does not write over them; the next change of a control does."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(cases.picture((3, 20, 24), "uint16"))
    press(widget, "Live")
    press(widget, "Copy as Python")
    viewer.dims.set_current_step(0, 2)
    qtbot.wait(1000)
    assert says(widget, "Copied as Python")
    widget.amount.value = 2.0
    assert not says(widget, "Copied as Python")
    qtbot.waitUntil(lambda: says(widget, "Live · axis -3 = 2"))


def test_what_the_line_leaves_out(open_dock):
    """A blur that is none, a mean that stays; clipping comes with advice."""
    viewer, widget = open_dock("Unsharp mask")
    pixels = np.full((40, 40), 255, np.uint8)
    pixels[::2] = 0
    viewer.add_image(pixels)
    widget.amount.value = 5.0
    widget()
    line = texts(widget)[-1]
    assert ": lower the amount or take float32 as result type · " in line
    widget.dtype.value = "float32"
    widget()
    line = texts(widget)[-1]
    assert line.startswith("clipped 0 % · noise ×")
    assert "mean" not in line


def test_a_plane_too_large_for_statistics(open_dock, qtbot, monkeypatch):
    """That they are left out is said, not left to be wondered about."""
    monkeypatch.setattr(state, "REPORTED", PIXELS.size - 1)
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    assert texts(widget)[-1].endswith(" · too large for statistics of its pixels")


def test_the_threshold_follows_no_contrast_limits(open_dock, qtbot):
    """A threshold stays whatever the contrast limits become, and may lie beyond them."""
    viewer, widget = open_dock("Unsharp mask")
    pixels = cases.picture((3, 20, 24), "float32") * 4000
    source = viewer.add_image(pixels, contrast_limits=(100, 130))
    assert widget.threshold.max == pytest.approx(np.ptp(pixels), rel=0.01)
    assert widget.threshold.min == pytest.approx(widget.threshold.max / 1e4)
    widget.threshold.value = 500
    for limits in ((0, 300), (0, 65535), (0, 1e-9)):
        source.contrast_limits_range = limits
        widget.sigma.value += 0.5
        assert widget.threshold.value == 500
        assert widget.threshold.max == pytest.approx(np.ptp(pixels), rel=0.01)
    widget.threshold.value = 1e5
    widget()
    np.testing.assert_array_equal(results(viewer)[0].data, pixels)


@pytest.mark.parametrize("lazy", [False, True])
def test_the_threshold_fits_the_pixels(open_dock, lazy):
    """Not the range that napari guesses; of slow sources only what is shown is read."""
    viewer, widget = open_dock("Unsharp mask")
    pixels = np.zeros((2, 20, 24), np.uint16)
    pixels[:] = cases.picture((20, 24), "uint16") % 849
    pixels[1] *= 10
    reads = []

    def read(block):
        reads.append(block.shape)
        return block

    data = pixels
    if lazy:
        data = da.from_array(pixels, chunks=(1, 20, 24)).map_blocks(
            read, dtype=pixels.dtype
        )
    source = viewer.add_image(data)
    source.contrast_limits_range = (0, 65535)
    viewer.dims.set_current_step(0, 0)
    before = len(reads)
    widget.sigma.value = 2
    largest = np.ptp(pixels[0]) if lazy else np.ptp(pixels)
    assert widget.threshold.max == pytest.approx(largest, rel=0.01)
    widget.threshold.value = 7.5
    viewer.dims.set_current_step(0, 1)
    read_by_napari = len(reads)
    widget.sigma.value = 3
    assert len(reads) == read_by_napari
    assert before <= 1 + lazy
    assert widget.threshold.max == pytest.approx(np.ptp(pixels), rel=0.01)
    assert widget.threshold.value == 7.5


def test_each_method_keeps_its_values(open_dock):
    """Whoever compares methods finds everything as it was left."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    widget.amount.value, widget.sigma.value = 2.0, 3.0
    widget.method.value = "laplacian_sharpen"
    assert widget.amount.value == 0.7
    widget.amount.value = 0.4
    widget.method.value = "adaptive_unsharp_mask"
    assert "amount" not in [control.name for control in widget]
    with pytest.raises(AttributeError):
        _ = widget.amount
    widget.method.value = "unsharp_mask"
    assert (widget.amount.value, widget.sigma.value) == (2.0, 3.0)
    assert widget["amount"] is widget.amount
    widget.method.value = "laplacian_sharpen"
    assert widget.amount.value == 0.4


def test_only_the_controls_of_the_method_are_shown(open_dock):
    """The sliders of another one are hidden, labels and all."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.window._qt_window.show()
    viewer.add_image(PIXELS)

    def labels():
        found = widget.native.findChildren(QLabel)
        return {label.text() for label in found if label.isVisible()}

    sigma = widget.sigma
    assert {"Sigma (px)", "Amount", "Threshold"} <= labels()
    widget.method.value = "adaptive_unsharp_mask"
    assert not {"Sigma (px)", "Amount", "Threshold"} & labels()
    assert not sigma.native.isVisible()
    widget.kernel.value = "gaussian"
    assert "Sigma (px)" in labels()


@pytest.mark.parametrize("live", [False, True])
def test_reset(open_dock, qtbot, live):
    """All controls of the method are back; with Live on, so is what is shown."""
    viewer, widget = open_dock("Unsharp mask")
    pixels = cases.picture((3, 20, 24), "uint16")
    labels = ("z", "y", "x")
    viewer.add_image(pixels, units=("um",) * 3, scale=(2, 0.5, 0.5), axis_labels=labels)
    first = {control.name: control.value for control in widget} | widget._page.values()
    widget.sigma_unit.value = "µm"
    widget.sigma.value, widget.amount.value, widget.threshold.value = 2.0, -0.9, 100
    widget.hard.value, widget.mode.value = True, "wrap"
    widget.dimensions.value, widget.limits.value = "volumes", "0 to 4095 (12 bit)"
    plane = viewer.dims.current_step[0]
    expected = usm.unsharp_mask(pixels, axes=(1, 2))
    if live:
        press(widget, "Live")
        qtbot.wait(50)
        assert not np.array_equal(np.asarray(results(viewer)[0].data), expected)
    press(widget, "Reset")
    after = {control.name: control.value for control in widget} | widget._page.values()
    assert after == first
    if live:
        assert "● Live" in buttons(widget)
        wait_to_see(qtbot, results(viewer)[0], expected[plane])
    else:
        assert len(viewer.layers) == 1
        widget()
    np.testing.assert_array_equal(np.asarray(results(viewer)[0].data), expected)


def test_reset_reads_the_pixels_anew(open_dock, qtbot):
    """Pixels that were written in place are seen by nobody until then."""
    viewer, widget = open_dock("Unsharp mask")
    pixels = PIXELS.copy()
    viewer.add_image(pixels)
    result, _ = go_live(qtbot, widget, usm.unsharp_mask(pixels))
    pixels[:] = pixels[::-1].copy()
    press(widget, "Reset")
    wait_for_layer(qtbot, result, usm.unsharp_mask(pixels))


def test_a_run_leaves_two_layers_with_the_right_pixels(make_napari_viewer, open_dock):
    """Calling the widget runs once: result and edge map, bit for bit as in Python."""
    viewer = make_napari_viewer()
    source = viewer.add_image(cases.picture((3, 20, 24), "uint16"), name="cells")
    for method, title in TITLES.items():
        _, widget = open_dock(title, viewer)
        tuples = widget()
        assert [keywords["name"] for _, keywords, _ in tuples] == [
            "cells sharpened",
            "cells edge map",
        ]
        assert len(viewer.layers) == 3
        _, result, edges = viewer.layers
        expected = usm.sharpen(source.data, method, axes=(1, 2))
        np.testing.assert_array_equal(result.data, expected.image)
        np.testing.assert_array_equal(edges.data, expected.edge_map)
        assert (result.visible, edges.visible) == (True, False)
        viewer.layers.remove(result)
        viewer.layers.remove(edges)


def test_edge_map_is_positive_where_it_brightens(open_dock):
    """At a step, the edge map is below 0 on the dark side and above on the bright."""
    viewer, widget = open_dock("Laplacian sharpen")
    step = np.zeros((8, 8), np.uint8) + 50
    step[:, 4:] = 90
    viewer.add_image(step, name="step")
    widget()
    edges = viewer.layers["step edge map"]
    np.testing.assert_array_equal(edges.data[4], [0, 0, 0, -40, 40, 0, 0, 0])
    assert edges.contrast_limits == [-40, 40]


def test_an_rgb_stack(open_dock):
    """A stack of colour planes is a stack: its channels are no axis of it."""
    viewer, widget = open_dock("Adaptive unsharp mask")
    pixels = cases.picture((3, 12, 14, 3), "uint8")
    viewer.add_image(pixels, rgb=True)
    widget()
    expected = usm.sharpen(pixels, "adaptive_unsharp_mask", axes=(1, 2), channel_axis=3)
    result, edges = results(viewer)
    np.testing.assert_array_equal(result.data, expected.image)
    np.testing.assert_array_equal(edges.data, expected.edge_map)
    assert result.rgb
    assert not edges.rgb


def test_degenerate_images(open_dock):
    """Flat, all-NaN and one-pixel images give layers, no errors and no warnings."""
    shapes = (9, 9), (1, 9), (1, 1)
    for fill, shape, method in product((7, np.nan), shapes, TITLES):
        pixels = np.full(shape, fill, np.float32)
        source = Image(pixels, contrast_limits=(0, 10))
        result, _ = (
            Image(data, **keywords)
            for data, keywords, _ in layer_function(method)(source)
        )
        np.testing.assert_allclose(result.data, pixels, rtol=1e-6)
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_layer(source)
    widget()
    np.testing.assert_array_equal(results(viewer)[0].data, [[np.nan]])


def test_a_missing_z_is_said(open_dock, qtbot, notifications):
    """In the words of the sentence, whether Live is on or not."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(np.zeros((4, 9, 8)))
    widget.set_live(True)
    widget.dimensions.value = "volumes"
    qtbot.waitUntil(lambda: says(widget, "Live · not yet: Choose which axis is Z."))
    widget.set_live(False)
    press(widget, "Live")
    assert notifications() == ["Choose which axis is Z."]
    assert says(widget, "Choose which axis is Z.")
    assert not results(viewer)


def test_no_image_is_said(open_dock, notifications):
    """Without an image there is a notification, and nothing else."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_labels(np.ones((5, 5), int))
    assert widget() == []
    for text in ("Keep", "Live", "Copy as Python"):
        press(widget, text)
    assert notifications() == [notifications()[0]] * 4
    assert notifications()[0] == "Add an image to sharpen it."
    assert {"Keep", "Live"} <= {*buttons(widget)}
    assert len(viewer.layers) == 1


def test_a_pyramid(open_dock):
    """A call sharpens every level of what is in memory; the sentence is of level 0."""
    levels = [cases.picture((64, 48)), cases.picture((32, 24))]
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(levels, multiscale=True, name="slide", contrast_limits=(-1, 2))
    assert "Filters Y and X of the plane" in [t.split("\n")[0] for t in texts(widget)]
    widget.sigma.value = 2.0
    widget()
    result, edges = results(viewer)
    for level, sigma in ((0, 2.0), (1, 1.0)):
        expected = usm.sharpen(levels[level], sigma=sigma)
        np.testing.assert_array_equal(result.data[level], expected.image)
        np.testing.assert_array_equal(edges.data[level], expected.edge_map)


def test_pixels_of_another_kind_are_said(open_dock, notifications):
    """Pixels that are no real numbers are refused before any is touched."""
    viewer, widget = open_dock("Unsharp mask")
    for dtype in (complex, object):
        layer = viewer.add_image(PIXELS)
        with suppress(TypeError, RuntimeError):  # napari cannot draw them either
            layer.data = np.ones((8, 8), dtype)
        assert widget() == []
        expected = f"must be bool, integer or real; got {np.dtype(dtype)}"
        assert expected in notifications()[-1]
        viewer.layers.clear()


def test_a_dock_starts_with_what_it_shows(make_napari_viewer, open_dock, monkeypatch):
    """The kernels for a dock's method and the chosen image come first."""
    asked = []
    monkeypatch.setattr(
        warm_up.session, "start", lambda *kernels: asked.append(kernels)
    )
    viewer = make_napari_viewer()
    for method, dtype in (("laplacian_sharpen", "uint8"), ("unsharp_mask", "float32")):
        viewer.add_image(PIXELS.astype(dtype))
        open_dock(TITLES[method], viewer)
        assert asked.pop() == (method, dtype)
    assert asked == []


def test_closing_the_dock_leaves_no_callback(make_napari_viewer, qtbot, open_dock):
    """A closed dock lets go of the viewer; its layers stay."""
    viewer = make_napari_viewer()
    removed = viewer.layers.events.removed
    before = len(removed.callbacks)
    for _ in range(3):
        _, widget = open_dock("Unsharp mask", viewer)
        viewer.add_image(PIXELS)
        widget()
        viewer.window.remove_dock_widget(widget.native)
        qtbot.wait(20)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        viewer.layers.clear()
    del widget
    gc.collect()
    assert len(removed.callbacks) == before, removed.callbacks
