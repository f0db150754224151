"""Pixels of a live result outside its own two layers: true, settled, and theirs."""

import numpy as np
import pytest
from napari.layers import Labels, _layer_actions

import cases
import napari_usm as usm
from harness import (
    Counted,
    assert_shows,
    live_layers,
    on_screen,
    switch_live,
    wait_for_rest,
)

# Seconds that a slow source takes for a plane.
SLOW = 0.1

PIXELS = cases.picture((5, 40, 50), "uint16")
EXPECTED = usm.sharpen(PIXELS, axes=(1, 2))


@pytest.fixture
def live(open_dock, qtbot):
    """A function: viewer, dock and the result of some pixels, when it is shown."""

    def opened(pixels, **keywords):
        viewer, widget = open_dock("Unsharp mask")
        source = viewer.add_image(pixels, contrast_limits=(0, 65535), **keywords)
        widget.layer.value = source
        switch_live(widget)
        result, edges = live_layers(widget)
        viewer.dims.set_current_step(0, 0)
        assert_shows(qtbot, result, EXPECTED.image[0])
        return viewer, widget, result, edges

    return opened


def pyramid(pixels, wrap=lambda level: level):
    return [wrap(pixels), wrap(pixels[:, ::2, ::2])]


def slow(pixels):
    return Counted(pixels, SLOW)


def added(viewer, action):
    """The layers that an action adds."""
    before = set(viewer.layers)
    action()
    return sorted(set(viewer.layers) - before, key=viewer.layers.index)


# --- other layers ---


@pytest.mark.parametrize("wrap", [np.asarray, slow])
def test_split_stack(live, qtbot, wrap):
    """Each part shows its plane at once, and keeps it when the parameters change."""
    viewer, widget, result, _ = live(wrap(PIXELS))
    viewer.layers.selection = {result}
    parts = added(viewer, lambda: _layer_actions._split_stack(viewer.layers, 0))
    shown = [np.array(on_screen(part)) for part in parts]
    assert sorted(map(bytes, shown)) == sorted(map(bytes, EXPECTED.image))
    widget.sigma.value = 3.0
    qtbot.wait(50)
    for part, pixels in zip(parts, shown, strict=True):
        part.refresh()
        np.testing.assert_array_equal(on_screen(part), pixels)
        np.testing.assert_array_equal(part.data, pixels)


def test_extract_a_level(live, qtbot):
    """A level of a pyramid is right on every plane that is shown later."""
    levels = pyramid(PIXELS, slow)
    viewer, widget, result, _ = live(levels, multiscale=True)
    # What napari's command does; older ones have none.
    level = viewer.add_image(result.data[0], contrast_limits=(0, 65535))
    widget.sigma.value = 3.0
    qtbot.wait(50)
    viewer.dims.set_current_step(0, 3)
    np.testing.assert_array_equal(on_screen(level), EXPECTED.image[3])


@pytest.mark.filterwarnings("ignore:projection mode:UserWarning")
def test_labels_can_be_painted(live, qtbot):
    """Labels of a result are an array of their own."""
    viewer, _, result, _ = live(PIXELS)
    viewer.layers.selection = {result}
    _layer_actions._convert_to_labels(viewer.layers)
    (labels,) = (layer for layer in viewer.layers if isinstance(layer, Labels))
    np.testing.assert_array_equal(labels.data, EXPECTED.image)
    labels.data_setitem(tuple(np.array([n]) for n in (0, 1, 2)), 7)
    assert labels.data[0, 1, 2] == 7


@pytest.mark.parametrize("how", ["added", "assigned", "in another viewer"])
@pytest.mark.parametrize("wrap", [np.asarray, slow])
def test_the_data_in_another_layer(live, make_napari_viewer, qtbot, wrap, how):
    """Whoever puts the data into a layer gets the pixels of that moment."""
    viewer, widget, result, _ = live(wrap(PIXELS))
    if how == "assigned":
        other = viewer.add_image(np.zeros_like(PIXELS))
        other.data = result.data
    else:
        target = make_napari_viewer() if how == "in another viewer" else viewer
        target.dims.set_current_step(0, 0)
        other = target.add_image(result.data)
    place = int(other._slice_input.world_slice.point[0])
    np.testing.assert_array_equal(on_screen(other), EXPECTED.image[place])
    widget.sigma.value = 3.0
    qtbot.wait(50)
    other.refresh()
    np.testing.assert_array_equal(on_screen(other), EXPECTED.image[place])
    np.testing.assert_array_equal(other.data, EXPECTED.image)


def test_views_keep_their_moment(live, qtbot):
    """An index into the data is of the moment at which it is taken."""
    _, widget, result, edges = live(slow(PIXELS))
    plane, edge_plane = result.data[2], edges.data[2]
    widget.sigma.value = 3.0
    qtbot.wait(50)
    np.testing.assert_array_equal(plane, EXPECTED.image[2])
    np.testing.assert_array_equal(edge_plane, EXPECTED.edge_map[2])
    np.testing.assert_array_equal(result.data[2], usm.unsharp_mask(PIXELS[2], 3.0))


def test_an_estimate_keeps_its_moment(open_dock, qtbot):
    """A view of pixels whose gain is not estimated yet, too."""
    viewer, widget = open_dock("Adaptive unsharp mask")
    widget.layer.value = viewer.add_image(slow(PIXELS), contrast_limits=(0, 65535))
    switch_live(widget)
    result, _ = live_layers(widget)
    plane = result.data[1]
    switch_live(widget, False)
    expected = usm.adaptive_unsharp_mask(PIXELS, axes=(1, 2))
    np.testing.assert_array_equal(plane, expected[1])


def test_a_copy_stays_when_the_source_is_edited(live, qtbot):
    """Small results of arrays in memory are computed at once for another layer."""
    pixels = PIXELS.copy()
    viewer, _, result, _ = live(pixels)
    other = viewer.add_image(result.data)
    pixels[:] = 0
    other.refresh()
    np.testing.assert_array_equal(other.data, EXPECTED.image)


# --- stand-ins ---


@pytest.fixture
def late(live, qtbot):
    """A result on a plane that is still computed: black stands in for it."""
    viewer, widget, result, _ = live(slow(PIXELS), visible=False)
    widget.sigma.value = 1.5
    wait_for_rest(qtbot, result)
    thumbnail = result.thumbnail.copy()
    viewer.dims.set_current_step(0, 3)
    assert not on_screen(result).any()
    expected = usm.unsharp_mask(PIXELS[3], sigma=1.5)
    return viewer, result, thumbnail, expected


def test_no_thumbnail_of_a_stand_in(late, qtbot):
    """The thumbnail stays until there are pixels for a new one."""
    _, result, thumbnail, expected = late
    np.testing.assert_array_equal(result.thumbnail, thumbnail)
    result.colormap = "green"
    np.testing.assert_array_equal(result.thumbnail, thumbnail)
    assert_shows(qtbot, result, expected)
    assert not np.array_equal(result.thumbnail, thumbnail)


def test_no_contrast_of_a_stand_in(late, qtbot):
    """Auto-contrast waits for the pixels; limits of the user's are taken at once."""
    _, result, _, expected = late
    result.reset_contrast_limits()
    assert result.contrast_limits == [0, 65535]
    assert_shows(qtbot, result, expected)
    assert result.contrast_limits == [expected.min(), expected.max()]


def test_limits_of_the_user_are_no_stand_ins(late, qtbot):
    """What the user sets while pixels are computed stays."""
    _, result, _, expected = late
    result.contrast_limits = (10, 20000)
    assert_shows(qtbot, result, expected)
    assert result.contrast_limits == [10, 20000]


@pytest.mark.parametrize("canvas_only", [True, False])
def test_frames_of_a_film(make_napari_viewer, open_dock, canvas_only):
    """A screenshot in the same turn as a step to another plane has that plane."""
    viewer, widget = open_dock("Unsharp mask", make_napari_viewer(show=True))
    source = viewer.add_image(slow(PIXELS), contrast_limits=(0, 65535))
    widget.layer.value = source
    switch_live(widget)
    result, edges = live_layers(widget)
    edges.visible = True
    for place in (3, 1, 4):
        viewer.dims.set_current_step(0, place)
        viewer.screenshot(canvas_only=canvas_only, flash=False)
        np.testing.assert_array_equal(on_screen(result), EXPECTED.image[place])
        np.testing.assert_array_equal(on_screen(edges), EXPECTED.edge_map[place])
