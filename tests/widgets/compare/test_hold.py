"""The source instead of the result, as long as a key or a button is held."""

import dask.array as da
import numpy as np
import pytest
from napari.components import LayerList

import cases
import napari_usm as usm
from comparing import (
    CALL,
    LIMITS,
    assert_same,
    hold_button,
    hold_key,
    levels_of,
    looks_of,
    opened,
)
from harness import (
    Counted,
    assert_shows,
    live_layers,
    on_screen,
    press,
    results,
    says,
    switch_live,
    texts,
    wait_for,
    wait_for_rest,
)
from napari_usm._widgets.compare.kept import ViewedLayer
from napari_usm._widgets.live.views import source_view


@pytest.mark.parametrize("keep", [False, True])
def test_a_key_or_a_button_shows_the_source(open_dock, qtbot, keep):
    """In place, at once, at the same limits; and the result when it is released."""
    pixels = cases.picture((3, 40, 50), "uint16")
    viewer, widget, _, result, _ = opened(open_dock, qtbot, pixels, keep)
    viewer.dims.set_current_step(0, 1)
    expected = usm.unsharp_mask(pixels, **CALL, axes=(1, 2))
    assert_shows(qtbot, result, expected[1])
    looks = looks_of(viewer)
    for hold in (
        lambda on: hold_key(viewer, hold=on),
        lambda on: hold_button(widget, on),
    ):
        hold(True)
        np.testing.assert_array_equal(on_screen(result), pixels[1])  # in this turn
        assert tuple(result.contrast_limits) == LIMITS
        np.testing.assert_array_equal(result.data, expected)  # true all the time
        viewer.dims.set_current_step(0, 2)
        assert_shows(qtbot, result, pixels[2])
        viewer.dims.set_current_step(0, 1)
        hold(False)
        np.testing.assert_array_equal(on_screen(result), expected[1])
        wait_for_rest(qtbot)
        assert_same(looks, looks_of(viewer))


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("wrap", [np.asarray, da.from_array])
def test_each_level_of_a_pyramid(open_dock, qtbot, keep, wrap):
    """The source's pixels of that level, and the thumbnail as it was."""
    images = levels_of(cases.picture((480, 640), "uint16"))
    viewer, _, _, result, _ = opened(
        open_dock, qtbot, [wrap(each) for each in images], keep, multiscale=True
    )
    for level in (2, 0, 1):
        result.locked_data_level = level
        if not keep:
            wait_for_rest(qtbot, result)
        sharpened, looks = on_screen(result).copy(), looks_of(viewer)
        assert not np.array_equal(sharpened, images[level])
        hold_key(viewer)
        assert_shows(qtbot, result, images[level])
        hold_key(viewer, hold=False)
        np.testing.assert_array_equal(on_screen(result), sharpened)
        wait_for_rest(qtbot)
        assert_same(looks, looks_of(viewer))


def test_levels_without_a_lock(open_dock, qtbot):
    """What napari has chosen by the zoom stays too."""
    images = levels_of(cases.picture((480, 640), "uint16"))
    viewer, _, _, result, _ = opened(open_dock, qtbot, images, True, multiscale=True)
    corners = np.array([[30, 40], [200, 300]])
    result._update_draw(1, corners, (170, 260))
    assert result.data_level == 0
    shown, place = on_screen(result).copy(), result.corner_pixels.copy()
    (y0, x0), (y1, x1) = place
    hold_key(viewer)
    np.testing.assert_array_equal(
        on_screen(result), images[0][y0 : y1 + 1, x0 : x1 + 1]
    )
    hold_key(viewer, hold=False)
    assert result.data_level == 0
    np.testing.assert_array_equal(result.corner_pixels, place)
    np.testing.assert_array_equal(on_screen(result), shown)


def test_a_slow_source(open_dock, qtbot):
    """It is read in the background, and shown when it is there."""
    pixels = cases.picture((3, 40, 50), "uint16")
    viewer, _, source, result, _ = opened(open_dock, qtbot, Counted(pixels, 0.2))
    source.visible = False
    shown = on_screen(result).copy()
    hold_key(viewer)
    np.testing.assert_array_equal(on_screen(result), shown)
    plane = viewer.dims.current_step[0]
    assert_shows(qtbot, result, pixels[plane])
    hold_key(viewer, hold=False)
    np.testing.assert_array_equal(on_screen(result), shown)


@pytest.mark.parametrize("keep", [False, True])
def test_other_type_of_result(open_dock, qtbot, keep):
    """The source's values, in the type of the result."""
    pixels = cases.picture((40, 50), "uint8")
    viewer, widget = open_dock("Unsharp mask")
    widget.layer.value = viewer.add_image(pixels)
    widget.dtype.value = "float32"
    switch_live(widget)
    result, _ = live_layers(widget)
    wait_for_rest(qtbot, result)
    if keep:
        press(widget, "Keep")
        wait_for(qtbot, lambda: not widget._keeping.is_running)
    assert result.dtype == np.float32
    hold_key(viewer)
    assert_shows(qtbot, result, pixels.astype("float32"))
    hold_key(viewer, hold=False)


@pytest.mark.parametrize("keep", [False, True])
def test_what_ends_it(open_dock, qtbot, keep):
    """A dock that is closed, a layer that is removed while a key is held."""
    pixels = cases.picture((40, 50), "uint16")
    expected = usm.unsharp_mask(pixels, **CALL)
    viewer, widget, _, result, _ = opened(open_dock, qtbot, pixels, keep)
    data = result.data
    hold_key(viewer)
    viewer.layers.remove(result)
    hold_key(viewer, hold=False)
    np.testing.assert_array_equal(result.data, expected)
    if keep:
        assert result.data is data
        viewer.layers.append(result)
        assert_shows(qtbot, result, expected)
    else:
        switch_live(widget)
        result, _ = live_layers(widget)
        wait_for_rest(qtbot, result)
    data = result.data
    hold_key(viewer)
    np.testing.assert_array_equal(on_screen(result), pixels)
    viewer.window.remove_dock_widget(widget.native)
    wait_for(qtbot, lambda: not viewer.keymap)
    assert not viewer.keymap
    hold_key(viewer, hold=False)
    assert result.data is data
    np.testing.assert_array_equal(on_screen(result), expected)


def test_live_off_while_the_key_is_held(open_dock, qtbot):
    """Both layers go; the key is released later."""
    pixels = cases.picture((40, 50), "uint16")
    viewer, widget, _, _, _ = opened(open_dock, qtbot, pixels)
    hold_key(viewer)
    switch_live(widget, False)
    hold_key(viewer, hold=False)
    assert not results(viewer)
    hold_key(viewer)
    assert says(widget, "Nothing to compare yet")
    hold_key(viewer, hold=False)


def test_data_of_a_kept_layer_can_be_used_meanwhile(open_dock, qtbot):
    """Copies and other layers get the true pixels, and writing writes."""
    pixels = cases.picture((3, 40, 50), "uint16")
    viewer, _, _, result, _ = opened(open_dock, qtbot, pixels, True)
    data = result.data
    expected = data.copy()
    hold_key(viewer)
    other = viewer.add_image(result.data)
    np.testing.assert_array_equal(other.data, expected)
    assert other.data is data
    np.testing.assert_array_equal(result.data[1], expected[1])
    result.data[0, 0, 0] = expected[0, 0, 0] = 7
    hold_key(viewer, hold=False)
    assert result.data is data
    np.testing.assert_array_equal(data, expected)


def test_other_pixels_meanwhile(open_dock, qtbot):
    """What the user gives a layer while the key is held stays."""
    pixels = cases.picture((40, 50), "uint16")
    viewer, _, _, result, _ = opened(open_dock, qtbot, pixels, True)
    hold_key(viewer)
    result.data = given = np.ones_like(pixels)
    hold_key(viewer, hold=False)
    assert result.data is given
    np.testing.assert_array_equal(on_screen(result), given)


def test_levels_that_the_source_has_not(make_napari_viewer):
    """They show means of its pixels: a file may have more levels than its source."""
    pixels = cases.picture((3, 37, 51), "uint16")
    shapes = [(3, 37, 51), (3, 19, 26), (3, 10, 13)]
    result = make_napari_viewer().add_image(
        [np.zeros(shape, "uint16") for shape in shapes], multiscale=True
    )
    viewed = ViewedLayer(LayerList([result]), result, source_view, [pixels])
    for level, factor in enumerate((1, 2, 4)):
        result.locked_data_level = level
        plane = pixels[int(result._slice_input.world_slice.point[0])]
        means = [
            [
                plane[y : y + factor, x : x + factor].astype(float).mean()
                for x in range(0, 51, factor)
            ]
            for y in range(0, 37, factor)
        ]
        expected = np.floor(np.array(means) + 0.5).astype("uint16")
        np.testing.assert_array_equal(on_screen(result), expected)
    viewed.end()
    assert not on_screen(result).any()
    assert result.locked_data_level == 2


def test_a_source_of_another_shape(open_dock, qtbot):
    """A kept result of pixels that are no more cannot be compared, and says so."""
    pixels = cases.picture((40, 50), "uint16")
    viewer, widget, source, result, _ = opened(open_dock, qtbot, pixels, True)
    source.data = pixels[:30]
    viewer.layers.selection.active = result
    hold_key(viewer)
    assert any("has other pixels" in text for text in texts(widget))
    hold_key(viewer, hold=False)
