"""What was added, and the contrast limits that show the overshoot."""

import numpy as np
import pytest

import cases
import napari_usm as usm
from comparing import (
    CALL,
    LIMITS,
    assert_same,
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
    status,
    switch_live,
    wait_for,
    wait_for_rest,
)


@pytest.mark.parametrize("keep", [False, True])
def test_difference(open_dock, qtbot, keep):
    """The edge map times the amount, in limits that the line says; and no trace."""
    pixels = cases.picture((3, 40, 50), "uint16")
    viewer, widget, _, result, edges = opened(open_dock, qtbot, pixels, keep)
    viewer.dims.set_current_step(0, 1)
    made = usm.sharpen(pixels, **CALL, axes=(1, 2))
    assert_shows(qtbot, result, made.image[1])
    wait_for_rest(qtbot)
    if not keep:
        wait_for(qtbot, lambda: "noise" in status(widget))
    edges.visible = True  # it gets its thumbnail
    wait_for_rest(qtbot)
    qtbot.wait(50)
    edges.visible = False
    looks = looks_of(viewer)
    low, high = edges.contrast_limits
    widget._dock.difference.trigger()
    assert edges.visible
    assert_shows(qtbot, edges, 2 * made.edge_map[1])
    np.testing.assert_array_equal(edges.data, made.edge_map)
    np.testing.assert_allclose(edges.contrast_limits, (2 * low, 2 * high))
    qtbot.wait(20)
    assert "difference (edge map × amount) from −" in status(widget)
    if not keep:
        limits = edges.contrast_limits
        widget.amount.value = 3.0
        assert_shows(qtbot, edges, np.float32(3) * made.edge_map[1])
        assert edges.contrast_limits == limits
        widget.amount.value = 2.0
        assert_shows(qtbot, edges, 2 * made.edge_map[1])
        wait_for_rest(qtbot, result)
    hold_key(viewer)
    np.testing.assert_array_equal(on_screen(result), pixels[1])
    hold_key(viewer, hold=False)
    widget._dock.difference.trigger()
    wait_for(qtbot, lambda: "difference" not in status(widget))
    assert "difference" not in status(widget)
    wait_for_rest(qtbot)
    assert_same(looks, looks_of(viewer))


@pytest.mark.parametrize("keep", [False, True])
def test_difference_on_levels(open_dock, qtbot, keep):
    images = levels_of(cases.picture((240, 320), "uint16"))
    _, widget, _, result, edges = opened(
        open_dock, qtbot, images, keep, multiscale=True
    )
    for level in (2, 0, 1):
        edges.locked_data_level = level
        edges.visible = True
        if not keep:
            wait_for_rest(qtbot, result)
        expected = on_screen(edges).copy()
        assert expected.any()
        widget._dock.difference.trigger()
        assert_shows(qtbot, edges, 2 * expected)
        assert edges.locked_data_level == level
        widget._dock.difference.trigger()
        assert_shows(qtbot, edges, expected)


def test_where_there_is_no_difference(open_dock, qtbot):
    """A deleted edge map, a significance: the line says so."""
    pixels = cases.picture((40, 50), "uint16")
    viewer, widget, _, _, edges = opened(open_dock, qtbot, pixels)
    limits = edges.contrast_limits
    widget._dock.difference.trigger()
    assert widget._dock.difference.isChecked()
    widget.edge_map_unit.value = widget.edge_map_unit.choices[-1]
    wait_for(qtbot, lambda: not widget.compare.differs)
    assert not widget._dock.difference.isChecked()
    widget._dock.difference.trigger()
    assert says(widget, "No difference: the edge map shows the significance")
    widget.edge_map_unit.value = widget.edge_map_unit.choices[0]
    wait_for_rest(qtbot, edges)
    assert edges.contrast_limits == limits
    assert not edges.visible
    widget._dock.difference.trigger()
    viewer.layers.remove(edges)
    assert not widget.compare.differs
    assert edges.contrast_limits == limits
    widget._dock.difference.trigger()
    assert says(widget, "No difference: the edge map of this result was deleted")


def test_one_gain_for_each_plane(open_dock, qtbot):
    """Its edge map is multiplied by many amounts."""
    viewer, widget = open_dock("Adaptive unsharp mask")
    widget.layer.value = viewer.add_image(cases.picture((3, 40, 50), "uint8"))
    switch_live(widget)
    result, _ = live_layers(widget)
    wait_for_rest(qtbot, result)
    wait_for(qtbot, lambda: "noise" in status(widget))
    widget._dock.difference.trigger()
    assert widget.compare.differs
    widget.gain_per.value = "item"
    wait_for_rest(qtbot, result)
    wait_for(qtbot, lambda: not widget.compare.differs)
    assert not widget.compare.differs
    assert says(widget, "No difference: the amount is not the same")


@pytest.mark.parametrize("keep", [False, True])
def test_overshoot(open_dock, qtbot, keep):
    """The limits are the result's range; what the user sets meanwhile stays."""
    pixels = cases.picture((40, 50), "float32")
    viewer, widget, _, result, _ = opened(open_dock, qtbot, pixels, keep)
    expected = usm.unsharp_mask(pixels, **CALL)
    assert_shows(qtbot, result, expected)
    if not keep:
        wait_for(qtbot, lambda: "noise" in status(widget))
    looks = looks_of(viewer)
    press(widget, "Wipe")
    press(widget, "Overshoot")
    extremes = expected.min(), expected.max()
    np.testing.assert_allclose(result.contrast_limits, extremes)
    qtbot.wait(20)
    assert "contrast from −" in status(widget)
    press(widget, "Wipe")
    press(widget, "Overshoot")
    assert tuple(result.contrast_limits) == LIMITS
    qtbot.wait(20)
    assert "contrast from" not in status(widget)
    wait_for_rest(qtbot)
    assert_same(looks, looks_of(viewer))
    press(widget, "Overshoot")
    result.contrast_limits = (0.25, 0.5)
    press(widget, "Overshoot")
    assert tuple(result.contrast_limits) == (0.25, 0.5)
    result.contrast_limits = LIMITS
    press(widget, "Overshoot")
    viewer.window.remove_dock_widget(widget.native)
    wait_for(qtbot, lambda: not viewer.keymap)
    assert tuple(result.contrast_limits) == LIMITS


def test_no_overshoot_of_colours(open_dock, qtbot):
    """Contrast limits do nothing for them, and the line says so."""
    viewer, widget = open_dock("Unsharp mask")
    pixels = cases.picture((40, 50, 3), "uint8")
    widget.layer.value = viewer.add_image(pixels, rgb=True)
    switch_live(widget)
    wait_for_rest(qtbot, *live_layers(widget))
    press(widget, "Overshoot")
    assert says(widget, "Contrast limits do nothing for RGB")
    assert not widget._dock.overshoot.isChecked()
