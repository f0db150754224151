"""A divider across the canvas: source on one side, result on the other."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

import cases
import napari_usm as usm
from comparing import (
    CALL,
    LIMITS,
    assert_same,
    canvas_of,
    hold_key,
    levels_of,
    looks_of,
    opened,
)
from harness import (
    assert_shows,
    live_layers,
    on_screen,
    press,
    says,
    switch_live,
    texts,
    wait_for,
    wait_for_rest,
)
from napari_usm._widgets.compare.divider import Divider


def wipe(widget, position=None):
    """Press Wipe; put the divider at a place of the world."""
    press(widget, "Wipe")
    assert widget._dock.wipe.isChecked(), " | ".join(texts(widget))
    if position is not None:
        widget.compare._move_to(position)


def dividers(viewer):
    return [each for each in canvas_of(viewer).findChildren(Divider) if each.isVisible]


def wiped(source, result, count, axis=-1):
    """The source up to a place along an axis, and the result from there."""
    seen, place = np.array(result), [slice(None)] * result.ndim
    place[axis] = slice(count)
    seen[tuple(place)] = source[tuple(place)]
    return seen


@pytest.mark.parametrize("keep", [False, True])
def test_planes(open_dock, qtbot, keep):
    """Both ways, in each plane, in every order of the axes; and no trace."""
    pixels = cases.picture((5, 40, 50), "uint16")
    viewer, widget, _, result, _ = opened(open_dock, qtbot, pixels, keep)
    expected = usm.unsharp_mask(pixels, **CALL, axes=(1, 2))
    viewer.dims.set_current_step(0, 1)
    assert_shows(qtbot, result, expected[1])
    looks = looks_of(viewer)
    wipe(widget, 19.5)
    assert says(widget, "Wipe: source left")
    for plane in (1, 4):
        viewer.dims.set_current_step(0, plane)
        assert_shows(qtbot, result, wiped(pixels[plane], expected[plane], 20))
    np.testing.assert_array_equal(result.data, expected)
    widget._dock.wipe_ways[1].trigger()
    widget.compare._move_to(6.5)
    assert_shows(qtbot, result, wiped(pixels[4], expected[4], 7, 0))
    viewer.dims.order = (1, 2, 0)
    viewer.dims.set_current_step(1, 6)
    widget.compare._move_to(10.5)
    both = (np.transpose(each[:, 6]) for each in (pixels, expected))
    assert_shows(qtbot, result, wiped(*both, 11, 0))
    press(widget, "Wipe")
    viewer.dims.order = (0, 1, 2)
    viewer.dims.set_current_step(1, 20)
    viewer.dims.set_current_step(0, 1)
    assert_shows(qtbot, result, expected[1])
    wait_for_rest(qtbot)
    assert_same(looks, looks_of(viewer))


@pytest.mark.parametrize("keep", [False, True])
def test_levels_of_a_pyramid(open_dock, qtbot, keep):
    """Pixels whose middle lies before the divider are the source's, at each level."""
    images = levels_of(cases.picture((480, 640), "uint16"))
    viewer, widget, _, result, _ = opened(
        open_dock, qtbot, images, keep, multiscale=True
    )
    for level in (2, 0, 1):
        result.locked_data_level = level
        if not keep:
            wait_for_rest(qtbot, result)
        sharpened, looks = on_screen(result).copy(), looks_of(viewer)
        for at in (251, 254):
            wipe(widget, at - 0.4)
            count = -(-at // 2**level)  # of 0, 4, 8, ... those below 250.5
            assert_shows(qtbot, result, wiped(images[level], sharpened, count))
            hold_key(viewer)
            assert_shows(qtbot, result, images[level])
            hold_key(viewer, hold=False)
            assert_shows(qtbot, result, wiped(images[level], sharpened, count))
            press(widget, "Wipe")
        np.testing.assert_array_equal(on_screen(result), sharpened)
        wait_for_rest(qtbot)
        assert_same(looks, looks_of(viewer))


def test_tiles_of_a_pyramid(open_dock, qtbot):
    """The divider is where it is, whatever part of a level is drawn."""
    images = levels_of(cases.picture((1200, 1600), "uint16"))
    _, widget, _, result, _ = opened(open_dock, qtbot, images, multiscale=True)
    expected = usm.unsharp_mask(images[0], **CALL)
    wipe(widget, 399.5)
    for top, left in ((100, 200), (700, 900)):
        result._update_draw(
            1, np.array([[top, left], [top + 250, left + 300]]), (250, 300)
        )
        (y0, x0), (y1, x1) = result.corner_pixels
        seen = wiped(images[0], expected, 400)[y0 : y1 + 1, x0 : x1 + 1]
        assert_shows(qtbot, result, seen)


def test_colours_and_places(open_dock, qtbot):
    """RGB; scales, units that differ from the viewer's, and a layer that is turned."""
    pixels = cases.picture((40, 50, 3), "uint8")
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(np.zeros((9, 9)), units=("nm", "nm"), visible=False)
    widget.layer.value = viewer.add_image(
        pixels, rgb=True, scale=(2, 2), translate=(0, 100), units=("µm", "µm")
    )
    switch_live(widget)
    result, _ = live_layers(widget)
    wait_for_rest(qtbot, result)
    expected = np.array(result.data)
    unit = float((1 * result.units[1]).to(viewer.layers.extent.units[1]).magnitude)
    wipe(widget, unit * (100 + 2 * 11.4))
    assert_shows(qtbot, result, wiped(pixels, expected, 12, 1))
    widget.layer.value.rotate = 30
    widget.compare._move_to(unit * 130.3)
    rows, columns = np.ix_(np.arange(40), np.arange(50))
    across = 100 + 2 * (rows * np.sin(np.pi / 6) + columns * np.cos(np.pi / 6))
    seen = np.where((across < 130.3)[..., None], pixels, expected)
    assert_shows(qtbot, result, seen)


def test_a_camera_that_looks_the_other_way(open_dock, qtbot):
    """The source is on the left of the line, whichever way X grows."""
    pixels = cases.picture((40, 50), "uint16")
    viewer, widget, _, result, _ = opened(open_dock, qtbot, pixels)
    expected = usm.unsharp_mask(pixels, **CALL)
    wipe(widget)
    viewer.scene.camera.orientation2d = ("up", "left")
    widget.compare._move_to(19.5)
    assert_shows(qtbot, result, wiped(expected, pixels, 20))
    widget.compare.turn(False)
    widget.compare._move_to(9.5)
    assert_shows(qtbot, result, wiped(expected, pixels, 10, 0))


def test_sliders_while_it_is_on(open_dock, qtbot):
    """The result's side follows them."""
    pixels = cases.picture((40, 50), "uint16")
    _, widget, _, result, _ = opened(open_dock, qtbot, pixels)
    wipe(widget, 19.5)
    widget.amount.value = 4.0
    expected = usm.unsharp_mask(pixels, sigma=1.5, amount=4.0)
    assert_shows(qtbot, result, wiped(pixels, expected, 20))
    widget.layer.value.data = other = cases.picture((40, 50), "uint16")[::-1].copy()
    expected = usm.unsharp_mask(other, sigma=1.5, amount=4.0)
    assert_shows(qtbot, result, wiped(other, expected, 20))


def shown_window(viewer, qtbot):
    viewer.window._qt_window.show()
    viewer.window._qt_window.resize(1200, 700)
    qtbot.wait(200)
    viewer.reset_view()
    qtbot.wait(100)


@pytest.mark.parametrize("upright", [True, False])
def test_drag_and_arrow_keys(open_dock, qtbot, upright):
    """The mouse moves the line, and so do the keys; the line is at the divider."""
    pixels = cases.picture((40, 50), "uint16")
    viewer, widget, _, result, _ = opened(open_dock, qtbot, pixels)
    expected = usm.unsharp_mask(pixels, **CALL)
    shown_window(viewer, qtbot)
    widget.compare.turn(upright)
    axis = 1 if upright else 0

    def check(count):
        assert_shows(qtbot, result, wiped(pixels, expected, count, axis))
        (line,) = dividers(viewer)
        zoom, center = viewer.scene.camera.zoom, viewer.scene.camera.center[-2:]
        canvas = canvas_of(viewer)
        middle = (canvas.height() / 2, canvas.width() / 2)[axis]
        at = middle + zoom * (count - 0.5 - center[axis])
        place = line.geometry().center()
        assert abs((place.y(), place.x())[axis] - at) <= 1
        return line, zoom

    line, zoom = check(25 if upright else 20)
    center = viewer.scene.camera.center
    start = QPoint(line.width() // 2, line.height() // 2)
    by = round(6 * zoom)
    end = start + (QPoint(by, 0) if upright else QPoint(0, by))
    QTest.mousePress(line, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(line, end)
    QTest.mouseRelease(line, Qt.MouseButton.LeftButton, pos=end)
    line, _ = check(31 if upright else 26)
    assert viewer.scene.camera.center == center
    step = viewer.dims.current_step
    for _ in range(2):
        QTest.keyClick(line, Qt.Key.Key_Left if upright else Qt.Key.Key_Up)
    check(29 if upright else 24)
    QTest.keyClick(line, Qt.Key.Key_Right if upright else Qt.Key.Key_Down)
    check(30 if upright else 25)
    assert viewer.dims.current_step == step
    viewer.scene.camera.zoom *= 3
    viewer.scene.camera.center = (0, 22, 27)
    line, _ = check(30 if upright else 25)
    QTest.keyClick(line, Qt.Key.Key_W)  # other keys go on to napari
    assert not widget.compare.wipes
    assert_shows(qtbot, result, expected)
    qtbot.wait(20)
    assert not canvas_of(viewer).findChildren(Divider)


def test_no_wipe_in_3d_nor_in_a_grid(open_dock, qtbot):
    """It is off then, and says so."""
    pixels = cases.picture((5, 40, 50), "uint16")
    viewer, widget, _, result, _ = opened(open_dock, qtbot, pixels, True)
    expected = np.array(result.data)
    for refuse, allow, word in (
        (
            lambda: setattr(viewer.dims, "ndisplay", 3),
            lambda: setattr(viewer.dims, "ndisplay", 2),
            "3-D",
        ),
        (
            lambda: setattr(viewer.canvas.grid, "enabled", True),
            lambda: setattr(viewer.canvas.grid, "enabled", False),
            "grid",
        ),
    ):
        wipe(widget)
        refuse()
        for _ in range(2):
            assert not widget._dock.wipe.isChecked()
            said = [text for text in texts(widget) if text.startswith("Wipe is off")]
            assert any(word in text for text in said)
            assert isinstance(result.data, np.ndarray)
            press(widget, "Wipe")
        hold_key(viewer)
        if word == "3-D":
            np.testing.assert_array_equal(on_screen(result), pixels)
        hold_key(viewer, hold=False)
        allow()
    plane = viewer.dims.current_step[0]
    assert_shows(qtbot, result, expected[plane])


def test_two_docks_and_two_viewers(open_dock, qtbot, make_napari_viewer):
    """Each has its divider; of two on one layer, the second takes over."""
    some, others = cases.picture((40, 50), "uint16"), cases.picture((30, 70), "uint16")
    first = opened(open_dock, qtbot, some)
    second = opened(
        open_dock, qtbot, others, viewer=first[0], title="Laplacian sharpen"
    )
    first[1].layer.value = first[2]  # it has followed the selection
    third = opened(open_dock, qtbot, others, True, viewer=make_napari_viewer())
    for position, (_, widget, source, result, _) in zip(
        (20, 30, 40), (first, second, third), strict=True
    ):
        wipe(widget, position - 0.5)
        expected = usm.unsharp_mask(source.data, **CALL)
        assert_shows(qtbot, result, wiped(source.data, expected, position))
    expected = usm.unsharp_mask(some, **CALL)
    assert_shows(qtbot, first[3], wiped(some, expected, 20))
    press(first[1], "Wipe")
    assert second[1].compare.wipes
    assert third[1].compare.wipes
    assert_shows(qtbot, first[3], expected)
    viewer, widget = open_dock("Laplacian sharpen", third[0])
    viewer.layers.selection.active = third[3]
    wipe(widget, 9.5)
    assert not third[1]._dock.wipe.isChecked()
    expected = usm.unsharp_mask(others, **CALL)
    assert_shows(qtbot, third[3], wiped(others, expected, 10))


@pytest.mark.parametrize("keep", [False, True])
def test_what_ends_it(open_dock, qtbot, keep):
    """The layer or its source is removed, the dock is closed, Live ends, Keep."""
    pixels = cases.picture((40, 50), "uint16")
    viewer, widget, source, result, _ = opened(open_dock, qtbot, pixels, keep)
    expected = usm.unsharp_mask(pixels, **CALL)
    wipe(widget)
    viewer.layers.remove(source)
    qtbot.wait(20)
    assert not widget.compare.wipes
    assert_shows(qtbot, result, expected)
    viewer.layers.clear()
    viewer, widget, _, result, _ = opened(open_dock, qtbot, pixels, keep, viewer)
    wipe(widget)
    if not keep:
        press(widget, "Keep")
        wait_for(qtbot, lambda: not widget._keeping.is_running)
        assert not widget.compare.wipes
        assert_shows(qtbot, result, expected)
        wipe(widget)
    viewer.window.remove_dock_widget(widget.native)
    wait_for(qtbot, lambda: not viewer.keymap)
    assert_shows(qtbot, result, expected)
    assert isinstance(result.data, np.ndarray)
    assert tuple(result.contrast_limits) == LIMITS
    qtbot.wait(20)
    assert not canvas_of(viewer).findChildren(Divider)


def test_auto_contrast_is_of_the_result(open_dock, qtbot):
    """Limits that are set by the pixels on the screen wait for those of the result."""
    pixels = cases.picture((40, 50), "uint16")
    viewer, _, _, result, _ = opened(open_dock, qtbot, pixels, True)
    expected = usm.unsharp_mask(pixels, **CALL)
    hold_key(viewer)
    result.reset_contrast_limits(mode="slice")
    assert tuple(result.contrast_limits) == LIMITS
    hold_key(viewer, hold=False)
    assert tuple(result.contrast_limits) == (expected.min(), expected.max())
