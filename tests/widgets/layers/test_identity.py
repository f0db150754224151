"""Whose layers are whose: results are objects, and never found by their names."""

import numpy as np
import pytest
from napari.layers import Image
from napari.layers._layer_actions import (
    _convert_to_labels,
    _duplicate_layer,
    _split_stack,
)

import cases
import napari_usm as usm
from harness import PIXELS, buttons, go_live, press, results, says, wait_for_layer
from napari_usm._widgets.layers.functions import layer_function


def keep(qtbot, viewer, widget):
    """Result and edge map of a Keep while Live is off."""
    before = results(viewer)
    press(widget, "Keep")
    qtbot.waitUntil(lambda: len(results(viewer)) == len(before) + 2, timeout=60000)
    return [layer for layer in results(viewer) if layer not in before]


def test_running_again_updates_the_same_layers(open_dock):
    """Results are found as objects: renamed, moved and restyled ones are updated."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    widget()
    _, result, edges = viewer.layers
    result.name = "my favourite"
    result.colormap = "viridis"
    result.contrast_limits = (5, 10)
    edges.contrast_limits = (-7, 7)
    viewer.layers.move(1, 3)
    widget.amount.value = 3.0
    widget()
    assert len(viewer.layers) == 3
    assert {*results(viewer)} == {result, edges}
    np.testing.assert_array_equal(result.data, usm.unsharp_mask(PIXELS, amount=3.0))
    assert (result.name, result.colormap.name) == ("my favourite", "viridis")
    assert result.contrast_limits == [5, 10]
    assert edges.contrast_limits == [-7, 7]
    assert result.metadata["napari_usm"]["parameters"]["amount"] == 3.0


def test_a_deleted_result_comes_back(open_dock):
    """A result that the user deleted is added anew, beside the edge map that is left."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    widget()
    _, result, edges = viewer.layers
    viewer.layers.remove(result)
    widget()
    assert [*viewer.layers] == [source, viewer.layers["cells sharpened"], edges]
    assert viewer.layers[1] is not result


def test_no_layer_of_the_user_is_overwritten(open_dock):
    """Layers that have the results' names by chance survive, pixels and all."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    mine = viewer.add_image(np.ones((5, 5)), name="cells sharpened")
    labels = viewer.add_labels(np.ones((5, 5), int), name="cells edge map")
    widget.layer.value = source
    for _ in range(2):
        widget()
        assert len(viewer.layers) == 5
        np.testing.assert_array_equal(mine.data, np.ones((5, 5)))
        np.testing.assert_array_equal(labels.data, np.ones((5, 5)))
        assert (mine.name, labels.name) == ("cells sharpened", "cells edge map")


def test_order_and_selection(open_dock):
    """Results stand right above their source, and the selection stays where it was."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    top = viewer.add_image(PIXELS, name="top")
    widget.layer.value = source
    viewer.layers.selection = {source, top}
    widget()
    names = [layer.name for layer in viewer.layers]
    assert names == ["cells", "cells sharpened", "cells edge map", "top"]
    assert viewer.layers.selection == {source, top}
    assert widget.layer.value is source
    viewer.layers.remove(viewer.layers[1])
    viewer.layers.selection = {top}
    widget()
    assert viewer.layers.selection == {top}
    assert viewer.layers.selection.active is top


@pytest.mark.parametrize("blending", ["additive", "minimum"])
def test_a_source_that_would_shine_through_is_hidden(open_dock, blending):
    """An additive source is hidden while its result is there, and comes back after."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, blending=blending)
    widget()
    result = viewer.layers[1]
    assert (source.visible, result.visible) == (False, True)
    widget()
    assert source.visible is False
    viewer.layers.remove(result)
    assert source.visible is True


def test_results_outlive_their_dock(make_napari_viewer, open_dock, qtbot):
    """A dock that is opened again finds its layers; a hidden source still comes back."""
    viewer = make_napari_viewer()
    _, widget = open_dock("Unsharp mask", viewer)
    source = viewer.add_image(PIXELS, blending="additive")
    widget()
    _, result, edges = viewer.layers
    viewer.window.remove_dock_widget(widget.native)
    qtbot.wait(20)
    _, widget = open_dock("Unsharp mask", viewer)
    widget()
    assert [*viewer.layers] == [source, result, edges]
    viewer.layers.remove(result)
    assert source.visible is True


def test_results_that_add_up_are_shown_one_at_a_time(open_dock):
    """Of two additive results the newer is shown; the source waits for both."""
    viewer, first = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, blending="additive")
    first()
    one = viewer.layers[1]
    _, second = open_dock("Laplacian sharpen", viewer)
    second()
    other = viewer.layers[3]
    assert (source.visible, one.visible, other.visible) == (False, False, True)
    one.visible = True
    viewer.layers.remove(other)
    assert source.visible is False
    viewer.layers.remove(one)
    assert source.visible is True


def test_a_source_that_is_shown_again_stays(open_dock):
    """What the user shows by hand is not hidden at the next run."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, blending="additive")
    widget()
    source.visible = True
    widget()
    assert source.visible is True


def test_an_opaque_source_stays_visible(open_dock):
    """A source that the result covers is left alone, hidden or not."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS)
    widget()
    assert source.visible is True


def test_a_result_comes_back_below_its_edge_map(open_dock):
    """However layers were moved, a new result is above its image, its edge map above."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    widget()
    _, result, edges = viewer.layers
    viewer.layers.remove(result)
    viewer.layers.move(1, 0)
    widget()
    assert [*viewer.layers] == [source, viewer.layers[1], edges]


def test_another_number_of_dimensions_replaces_the_results(open_dock):
    """If the source's pixels got another shape, the results follow."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    widget()
    source.data = cases.picture((3, 20, 24), "uint16")
    widget()
    assert len(viewer.layers) == 3
    assert viewer.layers["cells sharpened"].data.shape == (3, 20, 24)


def test_two_docks_have_their_own_results(open_dock):
    """Two methods on one image leave four layers, each dock its own two."""
    viewer, first = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    first()
    _, second = open_dock("Laplacian sharpen", viewer)
    second.layer.value = source
    second()
    first()
    second()
    assert len(viewer.layers) == 5
    methods = sorted(
        layer.metadata["napari_usm"]["method"] for layer in results(viewer)
    )
    assert methods == ["laplacian_sharpen"] * 2 + ["unsharp_mask"] * 2
    assert isinstance(source, Image)


# --- live ---


def test_quick_changes_of_the_method(open_dock, qtbot):
    """After 50 of them there are two layers, with the pixels of the last."""
    viewer, widget = open_dock("Unsharp mask")
    pixels = cases.picture((256, 200), "uint16")
    viewer.add_image(pixels, name="cells")
    result, edges = go_live(qtbot, widget, usm.unsharp_mask(pixels))
    for turn in range(50):
        widget.method.value = cases.METHODS[turn % 3]
        if turn % 7 == 0:
            qtbot.wait(20)
    assert widget.method.value == "laplacian_sharpen"
    expected = cases.sharpen(pixels, "laplacian_sharpen")
    wait_for_layer(qtbot, result, expected.image)
    assert results(viewer) == [result, edges]
    np.testing.assert_array_equal(np.asarray(edges.data), expected.edge_map)
    made_by = result.metadata["napari_usm"]["method"]
    assert made_by == "laplacian_sharpen"


def test_live_layers_may_be_renamed_and_moved(open_dock, qtbot):
    """They are followed as objects; so is their source."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    result, edges = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    result.name, edges.name, source.name = "a", "b", "c"
    viewer.layers.move(0, 3)
    viewer.layers.move(0, 2)
    order = [*viewer.layers]
    widget.amount.value = 3.0
    wait_for_layer(qtbot, result, usm.unsharp_mask(PIXELS, amount=3.0))
    assert [*viewer.layers] == order
    assert [layer.name for layer in (result, edges, source)] == ["a", "b", "c"]
    assert widget.layer.value is source


def test_a_duplicate_of_a_live_layer(open_dock, qtbot):
    """It stays as it was, while the original goes on; it can be sharpened again."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    result, _ = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    viewer.layers.selection = {result}
    _duplicate_layer(viewer.layers)
    copy = viewer.layers["cells sharpened copy"]
    viewer.layers.selection.active = copy
    widget.amount.value = 3.0
    wait_for_layer(qtbot, result, usm.unsharp_mask(PIXELS, amount=3.0))
    np.testing.assert_array_equal(np.asarray(copy.data), usm.unsharp_mask(PIXELS))
    assert widget.layer.choices == (source, copy)
    assert widget.layer.value is source
    press(widget, "● Live")
    assert [*viewer.layers] == [source, copy]
    np.testing.assert_array_equal(np.asarray(copy.data), usm.unsharp_mask(PIXELS))


def test_a_live_edge_map_that_is_deleted(open_dock, qtbot):
    """The result stays live, and the edge map away."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    result, edges = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    viewer.layers.remove(edges)
    widget.sigma.value, widget.amount.value = 2.0, 3.0
    wait_for_layer(qtbot, result, usm.unsharp_mask(PIXELS, 2.0, 3.0))
    assert "● Live" in buttons(widget)
    assert [*viewer.layers] == [source, result]


@pytest.mark.parametrize("selected", [False, True])
def test_a_live_result_that_is_deleted(open_dock, qtbot, selected):
    """Its edge map goes with it, Live is off, and the line says why."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    result, edges = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    if selected:
        viewer.layers.selection = {result, edges}
        viewer.layers.remove_selected()
    else:
        viewer.layers.remove(result)
    assert "Live" in buttons(widget)
    assert says(widget, "Live is off: its result was deleted.")
    qtbot.waitUntil(lambda: [*viewer.layers] == [source])
    widget.amount.value = 2.0
    assert not says(widget, "Live is off")
    qtbot.wait(50)
    assert [*viewer.layers] == [source]
    go_live(qtbot, widget, usm.unsharp_mask(PIXELS, amount=2.0))
    assert len(viewer.layers) == 3


def test_a_kept_result_that_is_deleted(open_dock, qtbot):
    """Its edge map goes with it; an edge map that is deleted leaves the result."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    first, other = keep(qtbot, viewer, widget), keep(qtbot, viewer, widget)
    viewer.layers.remove(first[0])
    qtbot.waitUntil(lambda: first[1] not in viewer.layers)
    viewer.layers.remove(other[1])
    qtbot.wait(20)
    assert [*viewer.layers] == [source, other[0]]


def test_names_of_results(open_dock, qtbot):
    """A live name is not that of a file; it goes when Keep makes the layers plain."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    pair = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    assert [layer.name for layer in pair] == [
        "cells [sharpened]",
        "cells [edge map ×1]",
    ]
    widget.edge_map_unit.value = "× noise"
    qtbot.waitUntil(lambda: pair[1].name == "cells [significance]")
    pair[0].name = "mine"
    press(widget, "Keep")
    qtbot.waitUntil(lambda: type(pair[1].data) is np.ndarray, timeout=60000)
    assert [layer.name for layer in pair] == ["mine", "cells significance"]
    widget.edge_map_unit.value = "intensity"
    again = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    press(widget, "Keep")
    qtbot.waitUntil(lambda: type(again[1].data) is np.ndarray, timeout=60000)
    assert [layer.name for layer in again] == ["cells sharpened", "cells edge map"]


def test_a_live_result_that_is_added_again(open_dock, qtbot):
    """It is a plain result: so it is named, offered, and sharpened again."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    once = usm.unsharp_mask(PIXELS)
    result, edges = go_live(qtbot, widget, once)
    viewer.layers.remove(result)
    qtbot.waitUntil(lambda: [*viewer.layers] == [source])
    viewer.add_layer(result)
    viewer.add_layer(edges)
    assert [result.name, edges.name] == ["cells sharpened", "cells edge map"]
    assert widget.layer.choices == (source, result)
    again, _ = go_live(qtbot, widget, once)
    assert again.name == "cells [sharpened]"
    widget.layer.value = result
    qtbot.wait(20)
    wait_for_layer(qtbot, widget._pair.layers[0], usm.unsharp_mask(once))


def test_a_live_result_whose_source_was_deleted(open_dock, qtbot):
    """It is a plain result as long as its source is away."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    once = usm.unsharp_mask(PIXELS)
    result, edges = go_live(qtbot, widget, once)
    viewer.layers.remove(source)
    qtbot.waitUntil(lambda: result.name == "cells sharpened")
    assert edges.name == "cells edge map"
    assert result in widget.layer.choices
    widget.layer.value = result
    twice, _ = go_live(qtbot, widget, usm.unsharp_mask(once))
    assert twice.name == "cells sharpened [sharpened]"
    press(widget, "● Live")
    viewer.add_layer(source)
    assert [result.name, edges.name] == ["cells [sharpened]", "cells [edge map ×1]"]
    assert widget.layer.choices == (source,)


@pytest.mark.parametrize("command", [_convert_to_labels, _split_stack])
def test_names_of_what_is_derived(open_dock, qtbot, command):
    """napari's commands pass the name on, but what they make is not live."""
    viewer, widget = open_dock("Unsharp mask")
    pixels = np.stack([PIXELS, PIXELS[::-1]])
    viewer.add_image(pixels, name="cells", projection_mode="none")
    press(widget, "Live")
    viewer.layers.selection = {viewer.layers["cells [sharpened]"]}
    command(viewer.layers)
    names = ["cells sharpened"]
    if command is _split_stack:
        names = ["cells sharpened layer 0", "cells sharpened layer 1"]
    qtbot.waitUntil(lambda: [x.name for x in viewer.layers] == ["cells", *names])


def test_linked_layers(open_dock, qtbot):
    """What the dock fits in its layers changes nothing in those linked to them."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells", contrast_limits=(10, 50000))
    source.metadata = {"mine": 1}
    span = source.contrast_limits_range
    result, edges = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    viewer.layers.link_layers([source, result, edges])
    widget.amount.value, widget.sigma.value = 3.0, 2.0
    wait_for_layer(qtbot, result, usm.unsharp_mask(PIXELS, 2.0, 3.0))
    widget.edge_map_unit.value = "× noise"
    qtbot.waitUntil(lambda: edges.name == "cells [significance]")
    press(widget, "Keep")
    qtbot.waitUntil(lambda: type(edges.data) is np.ndarray, timeout=60000)
    assert source.metadata == {"mine": 1}
    assert tuple(source.contrast_limits) == (10, 50000)
    assert source.contrast_limits_range == span
    assert source.colormap.name == "gray"
    assert edges.colormap.name == "inferno"
    assert edges.contrast_limits[0] == 0
    assert widget.layer.value is source
    source.opacity = 0.5
    assert result.opacity == edges.opacity == 0.5


def test_locked_layers_stay(open_dock, qtbot):
    """Live ends, and what the user has locked stays as it is."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    result, _ = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    result.locked = True  # napari before 0.9 takes this for any other attribute
    press(widget, "● Live")
    assert [*viewer.layers] == [source, result]
    assert says(widget, "Live is off; 'cells sharpened' stays: it is locked.")
    np.testing.assert_array_equal(np.asarray(result.data), usm.unsharp_mask(PIXELS))
    other, _ = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    assert other is not result


def test_live_results_follow_the_name_of_their_source(open_dock, qtbot):
    """Those that the user has named keep their name, and all keep their pixels."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    result, edges = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    source.name = "nuclei"
    assert [layer.name for layer in (result, edges)] == [
        "nuclei [sharpened]",
        "nuclei [edge map ×1]",
    ]
    result.name = "mine"
    source.name = "cells"
    assert [layer.name for layer in (result, edges)] == ["mine", "cells [edge map ×1]"]
    wait_for_layer(qtbot, result, usm.unsharp_mask(PIXELS))


def test_names_of_live_results_that_are_taken(open_dock, qtbot):
    """Layers of the user's with those names survive everything."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    ones = np.ones((5, 5))
    mine = viewer.add_image(ones, name="cells [sharpened]")
    labels = viewer.add_labels(ones.astype(int), name="cells [edge map ×1]")
    widget.layer.value = source
    result, _ = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    widget.amount.value = 2.0
    wait_for_layer(qtbot, result, usm.unsharp_mask(PIXELS, amount=2.0))
    press(widget, "Keep")
    qtbot.waitUntil(lambda: type(result.data) is np.ndarray, timeout=60000)
    go_live(qtbot, widget, usm.unsharp_mask(PIXELS, amount=2.0))
    press(widget, "● Live")
    assert len(viewer.layers) == 5
    for layer, name in ((mine, "cells [sharpened]"), (labels, "cells [edge map ×1]")):
        assert layer.name == name
        np.testing.assert_array_equal(layer.data, ones)


def test_two_live_docks_on_one_image(open_dock, qtbot):
    """Each has its own pair, and its own controls, whatever the other one does."""
    viewer, first = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    _, second = open_dock("Laplacian sharpen", viewer)
    first.amount.value, second.amount.value = 3.0, 0.5
    sharp = usm.unsharp_mask(PIXELS, amount=3.0)
    one = go_live(qtbot, first, sharp)
    assert (second.method.value, second.amount.value) == ("laplacian_sharpen", 0.5)
    other = go_live(qtbot, second, usm.laplacian_sharpen(PIXELS, 0.5))
    assert {*viewer.layers} == {source, *one, *other}
    second.amount.value = 0.25
    wait_for_layer(qtbot, other[0], usm.laplacian_sharpen(PIXELS, 0.25))
    np.testing.assert_array_equal(np.asarray(one[0].data), sharp)
    viewer.layers.selection.active = other[0]
    assert (first.method.value, first.amount.value) == ("unsharp_mask", 3.0)
    press(first, "Keep")
    qtbot.waitUntil(lambda: type(one[0].data) is np.ndarray, timeout=60000)
    assert "● Live" in buttons(second)
    assert (second.method.value, second.amount.value) == ("laplacian_sharpen", 0.25)
    press(second, "● Live")
    assert {*viewer.layers} == {source, *one}


@pytest.mark.parametrize("how", ["selected", "pressed"])
def test_a_live_pair_outlives_its_dock(make_napari_viewer, open_dock, qtbot, how):
    """It stays as it is, until a dock opened later adopts it."""
    viewer = make_napari_viewer()
    _, widget = open_dock("Laplacian sharpen", viewer)
    source = viewer.add_image(PIXELS, name="cells")
    widget.amount.value = 0.5
    expected = usm.laplacian_sharpen(PIXELS, 0.5)
    pair = go_live(qtbot, widget, expected)
    viewer.window.remove_dock_widget(widget.native)
    qtbot.wait(20)
    np.testing.assert_array_equal(np.asarray(pair[0].data), expected)
    _, widget = open_dock("Unsharp mask", viewer)
    assert widget.layer.value is source
    if how == "selected":
        viewer.layers.selection.active = pair[1]
        assert "● Live" in buttons(widget)
        method, amount = widget.method.value, widget.amount.value
        assert (method, amount) == ("laplacian_sharpen", 0.5)
        widget.amount.value = 0.25
        wait_for_layer(qtbot, pair[0], usm.laplacian_sharpen(PIXELS, 0.25))
    else:
        press(widget, "Live")
        wait_for_layer(qtbot, pair[0], usm.unsharp_mask(PIXELS))
    assert [*viewer.layers] == [source, *pair]


def test_a_pair_comes_back_with_its_image_and_axes(
    make_napari_viewer, open_dock, qtbot
):
    """Adopted while another image is chosen, it is that of its own source as before."""
    viewer = make_napari_viewer()
    _, widget = open_dock("Unsharp mask", viewer)
    pixels = cases.picture((3, 5, 20, 24), "uint16")
    source = viewer.add_image(pixels, name="series")
    widget.dimensions.value, widget.z_axis.value = "volumes", 1
    expected = usm.unsharp_mask(pixels, axes=(1, 2, 3))
    pair = go_live(qtbot, widget, expected[viewer.dims.current_step[:2]])
    viewer.window.remove_dock_widget(widget.native)
    qtbot.wait(20)
    viewer.add_image(PIXELS, name="other")
    _, widget = open_dock("Unsharp mask", viewer)
    assert widget.layer.value is not source
    viewer.layers.selection.active = pair[0]
    assert widget.layer.value is source
    assert (widget.dimensions.value, widget.z_axis.value) == ("volumes", 1)
    qtbot.wait(50)
    np.testing.assert_array_equal(np.asarray(pair[0].data), expected)


# --- selecting ---


def test_a_selected_result_brings_its_parameters_back(open_dock, qtbot):
    """Kept ones, and duplicates of them; with their method, but no pixel changes."""
    viewer, widget = open_dock("Unsharp mask")
    pixels = cases.picture((6, 20, 24), "uint16")
    viewer.add_image(pixels, name="cells", axis_labels=("z", "y", "x"))
    widget.sigma.value, widget.amount.value = 2.5, -0.9
    widget.threshold.value, widget.limits.value = 100, "0 to 4095 (12 bit)"
    first, _ = keep(qtbot, viewer, widget)
    kept = first.data.copy()
    widget.kernel.value = "box"
    widget.amount.value = 4.0
    widget.method.value = "laplacian_sharpen"
    widget.dimensions.value, widget.median_size.value = "volumes", 3
    _, second = keep(qtbot, viewer, widget)
    assert widget.median_size.value == 3
    viewer.layers.selection = {first}
    _duplicate_layer(viewer.layers)
    copy = viewer.layers["cells sharpened copy"]
    for layer in (first, copy):
        viewer.layers.selection.active = second
        assert widget.method.value == "laplacian_sharpen"
        assert (widget.dimensions.value, widget.median_size.value) == ("volumes", 3)
        viewer.layers.selection.active = layer
        assert (widget.method.value, widget.dimensions.value) == (
            "unsharp_mask",
            "planes",
        )
        assert (widget.sigma.value, widget.amount.value) == (2.5, -0.9)
        assert (widget.threshold.value, widget.kernel.value) == (100, "gaussian")
        assert widget.limits.value == "0 to 4095 (12 bit)"
    again, _, _ = widget()[0]
    np.testing.assert_array_equal(again, kept)
    np.testing.assert_array_equal(first.data, kept)


def test_nothing_comes_back_while_live(open_dock, qtbot):
    """What is live follows the controls, and those are the user's."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    kept, _ = keep(qtbot, viewer, widget)
    widget.amount.value = 3.0
    live, _ = go_live(qtbot, widget, usm.unsharp_mask(PIXELS, amount=3.0))
    for layer in (kept, live, kept):
        viewer.layers.selection.active = layer
        assert widget.amount.value == 3.0
    press(widget, "● Live")
    assert widget.amount.value == 3.0


def test_what_is_not_selected_by_the_user_changes_nothing(open_dock, qtbot):
    """Layers that are added or removed for the user leave his controls alone."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    kept, _ = keep(qtbot, viewer, widget)
    viewer.layers.selection.active = kept
    widget.amount.value = 3.0
    second, _ = keep(qtbot, viewer, widget)
    assert widget.amount.value == 3.0
    np.testing.assert_array_equal(second.data, usm.unsharp_mask(PIXELS, amount=3.0))
    widget.amount.value = 4.0
    live, _ = go_live(qtbot, widget, usm.unsharp_mask(PIXELS, amount=4.0))
    assert viewer.layers.selection.active is kept
    viewer.layers.selection.active = live
    press(widget, "● Live")
    assert widget.amount.value == 4.0


def test_a_selected_image_is_chosen(open_dock, qtbot):
    """By a click into the layer list, with its values and its live result."""
    viewer, widget = open_dock("Unsharp mask")
    one = viewer.add_image(PIXELS, name="one")
    other = viewer.add_image(PIXELS[::-1], name="other")
    assert widget.layer.value is other
    viewer.layers.selection.active = one
    assert widget.layer.value is one
    widget.amount.value = 3.0
    sharp = usm.unsharp_mask(PIXELS, amount=3.0)
    pair = go_live(qtbot, widget, sharp)
    qtbot.wait(20)
    viewer.layers.selection.active = other
    assert widget.layer.value is other
    assert "Live" in buttons(widget)
    widget.amount.value, widget.threshold.value = 0.5, 100
    widget.method.value = "laplacian_sharpen"
    qtbot.wait(50)
    viewer.layers.selection.active = one
    assert (widget.layer.value, widget.method.value) == (one, "unsharp_mask")
    assert (widget.amount.value, widget.threshold.value) == (3.0, 0)
    assert "● Live" in buttons(widget)
    widget.amount.value = 2.0
    wait_for_layer(qtbot, pair[0], usm.unsharp_mask(PIXELS, amount=2.0))
    viewer.layers.selection.active = other
    assert widget.method.value == "laplacian_sharpen"
    widget.method.value = "unsharp_mask"
    assert (widget.amount.value, widget.threshold.value) == (0.5, 100)
    assert [*viewer.layers] == [one, *pair, other]


def test_images_that_are_added(open_dock, qtbot):
    """Without Live a new image is chosen; with it, nothing changes."""
    viewer, widget = open_dock("Unsharp mask")
    channels = viewer.add_image(np.stack([PIXELS] * 3), channel_axis=0)
    assert widget.layer.value is channels[2]
    go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    new = viewer.add_image(PIXELS, name="new")
    qtbot.wait(20)
    assert widget.layer.value is channels[2]
    assert "● Live" in buttons(widget)
    viewer.layers.selection.active = channels[0]
    assert widget.layer.value is channels[0]
    viewer.layers.selection.active = new
    assert widget.layer.value is new


def test_another_image_while_live(open_dock, qtbot):
    """Chosen in the dock, Live goes on with it; the result of the first is not touched."""
    viewer, widget = open_dock("Unsharp mask")
    one = viewer.add_image(PIXELS, name="one")
    other = viewer.add_image(PIXELS[::-1], name="other")
    widget.layer.value = one
    widget.amount.value = 3.0
    sharp = usm.unsharp_mask(PIXELS, amount=3.0)
    pair = go_live(qtbot, widget, sharp)
    widget.layer.value = other
    qtbot.waitUntil(lambda: len(viewer.layers) == 6, timeout=60000)
    widget.amount.value = 0.5
    second = [layer for layer in results(viewer) if layer not in pair]
    wait_for_layer(qtbot, second[0], usm.unsharp_mask(PIXELS[::-1], amount=0.5))
    np.testing.assert_array_equal(np.asarray(pair[0].data), sharp)
    widget.layer.value = one
    assert widget.amount.value == 3.0
    qtbot.wait(50)
    np.testing.assert_array_equal(np.asarray(pair[0].data), sharp)
    assert "● Live" in buttons(widget)
    assert len(viewer.layers) == 6


def test_an_image_without_values(open_dock):
    """It goes on with those of the last image, but for the threshold."""
    viewer, widget = open_dock("Unsharp mask")
    one = viewer.add_image(PIXELS, name="one")
    other = viewer.add_image(PIXELS / 1e4, name="other")
    widget.layer.value = one
    widget.sigma.value, widget.threshold.value = 3.0, 200
    widget.layer.value = other
    assert (widget.sigma.value, widget.threshold.value) == (3.0, 0)
    widget.layer.value = one
    assert (widget.sigma.value, widget.threshold.value) == (3.0, 200)


def test_a_dock_is_as_it_was_left(make_napari_viewer, open_dock, qtbot):
    """Image, method, values and Live; but an image that was selected since is chosen."""
    viewer = make_napari_viewer()
    _, widget = open_dock("Unsharp mask", viewer)
    one = viewer.add_image(PIXELS, name="one")
    viewer.add_image(PIXELS[::-1], name="other")
    widget.layer.value = one
    widget.sigma.value = 3.0
    widget.method.value = "laplacian_sharpen"
    widget.amount.value = 0.5
    pair = go_live(qtbot, widget, usm.laplacian_sharpen(PIXELS, 0.5))
    viewer.window.remove_dock_widget(widget.native)
    qtbot.wait(20)
    _, widget = open_dock("Unsharp mask", viewer)
    assert widget.layer.value is one
    assert (widget.method.value, widget.amount.value) == ("laplacian_sharpen", 0.5)
    assert "● Live" in buttons(widget)
    assert widget._pair.layers == [*pair]
    widget.method.value = "unsharp_mask"
    assert widget.sigma.value == 3.0
    viewer.window.remove_dock_widget(widget.native)
    qtbot.wait(20)
    viewer.layers.selection.active = one
    _, widget = open_dock("Adaptive unsharp mask", viewer)
    assert (widget.layer.value, widget.method.value) == (one, "adaptive_unsharp_mask")
    third = viewer.add_image(PIXELS, name="third")
    _, widget = open_dock("Unsharp mask", viewer)
    assert (widget.layer.value, widget.method.value) == (third, "unsharp_mask")


def test_a_result_is_sharpened_again(open_dock, qtbot):
    """On purpose: it is offered as a result, and never chosen by accident."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(PIXELS, name="cells")
    kept, _ = keep(qtbot, viewer, widget)
    live = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    assert widget.layer.choices == (source, kept)
    menu = widget.layer.native
    assert [menu.itemText(n) for n in range(menu.count())] == [
        "cells",
        "cells sharpened (result)",
    ]
    press(widget, "● Live")
    viewer.layers.selection.active = kept
    assert widget.layer.value is source
    widget.layer.value = kept
    once = usm.unsharp_mask(PIXELS)
    again = go_live(qtbot, widget, usm.unsharp_mask(once))
    assert again[0].name == "cells sharpened [sharpened]"
    assert {*live} & {*viewer.layers} == set()
    press(widget, "● Live")
    viewer.layers.remove(source)
    assert widget.layer.value is kept
    _, second = open_dock("Laplacian sharpen", viewer)
    assert second.layer.value is None
    assert second.layer.choices == (None, kept)


def test_parameters_that_do_not_fit_stay_away(open_dock, qtbot):
    """A threshold or a length of another image means nothing here; the rest comes."""
    viewer, widget = open_dock("Unsharp mask")
    far = viewer.add_image(PIXELS, name="far", units=("um", "um"), scale=(0.1, 0.1))
    widget.layer.value = far
    widget.sigma_unit.value = "µm"
    widget.sigma.value, widget.amount.value = 0.5, 2.0
    widget.threshold.value = 1000
    kept, _ = keep(qtbot, viewer, widget)
    near = viewer.add_image(np.ones((9, 9), np.float32), contrast_limits=(0, 1))
    widget.layer.value = near
    widget.sigma.value, widget.amount.value = 3.0, 1.0
    viewer.layers.selection.active = kept
    assert widget.layer.value is near
    assert (widget.sigma_unit.value, widget.sigma.value) == ("px", 3.0)
    assert (widget.threshold.value, widget.amount.value) == (0, 2.0)


@pytest.mark.parametrize(
    ("method", "controls", "shown"),
    [
        ("unsharp_mask", {"amount": 2.0}, {"method": "unsharp_mask", "amount": 2.0}),
        # No method of the menus: the dock stays as it is.
        ("gaussian_sharpen", {"sigma": 2.0}, {"method": "laplacian_sharpen"}),
    ],
)
def test_results_of_functions_can_be_selected(open_dock, method, controls, shown):
    """Those made in Python without a dock, by any method, have fewer parameters."""
    viewer, widget = open_dock("Laplacian sharpen")
    source = viewer.add_image(PIXELS, name="cells")
    widget.layer.value = source
    (data, keywords, _), _ = layer_function(method)(source, **controls)
    made = Image(data, **keywords)
    viewer.add_layer(made)
    viewer.layers.selection.active = source
    viewer.layers.selection.active = made
    assert {name: getattr(widget, name).value for name in shown} == shown
    np.testing.assert_array_equal(made.data, data)
