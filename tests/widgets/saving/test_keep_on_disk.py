"""Results that are computed into files, and layers that read from them."""

import time
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
import zarr

import cases
import napari_usm as usm
from harness import (
    PIXELS,
    buttons,
    go_live,
    press,
    results,
    says,
    status,
    texts,
    wait_for,
)
from napari_usm import io
from napari_usm._engine import memory
from napari_usm._widgets.dock import widget as dock
from napari_usm._widgets.layers import room
from napari_usm._widgets.saving import store
from napari_usm.io.ome_zarr import Store

STACK = cases.picture((4, 40, 44), "uint16")
# Each plane is a chunk.
PLANES = cases.picture((4, 180, 200), "uint16")
GRID = {"scale": (2, 0.5, 0.5), "units": "µm", "axis_labels": ("z", "y", "x")}


@pytest.fixture
def path(tmp_path, monkeypatch):
    """What the user chooses in the dialog."""
    path = tmp_path / "kept.ome.zarr"
    monkeypatch.setattr(dock, "ask_new", lambda *arguments: path)
    return path


def keep_on_disk(widget):
    widget._dock.keep_on_disk.trigger()


def wait_for_results(qtbot, viewer, widget, count):
    wait_for(qtbot, lambda: len(results(viewer)) == count, 30_000)
    assert len(results(viewer)) == count, status(widget)


def keep_both(qtbot, viewer, widget, path):
    """Keep in memory, then on disk: both pairs of layers."""
    press(widget, "Keep")
    wait_for_results(qtbot, viewer, widget, 2)
    in_memory = results(viewer)
    keep_on_disk(widget)
    wait_for_results(qtbot, viewer, widget, 4)
    on_disk = [layer for layer in results(viewer) if layer not in in_memory]
    return in_memory, on_disk


def finest(layer):
    return layer.data[0] if layer.multiscale else layer.data


def left_in(folder):
    return sorted(each.name for each in folder.iterdir())


# --- pixels ---


@pytest.mark.parametrize("title", ["Unsharp mask", "Adaptive unsharp mask"])
def test_the_same_as_in_memory(open_dock, qtbot, path, title, monkeypatch):
    """Bit for bit, of several blocks; and the same look, numbers and parameters."""
    monkeypatch.setattr(store, "UNIT", PLANES[0].size)
    viewer, widget = open_dock(title)
    viewer.add_image(PLANES, name="cells", colormap="green", **GRID)
    in_memory, on_disk = keep_both(qtbot, viewer, widget, path)
    for plain, stored in zip(in_memory, on_disk, strict=True):
        assert isinstance(stored.data, zarr.Array)
        np.testing.assert_array_equal(stored.data[...], plain.data)
        assert stored.data.dtype == plain.data.dtype
        assert stored.units == plain.units
        np.testing.assert_array_equal(stored.scale, plain.scale)
        assert stored.colormap.name == plain.colormap.name
    one, other = (layers[0].metadata["napari_usm"] for layers in (in_memory, on_disk))
    assert other["report"].mean_change == one["report"].mean_change
    for name in ("method", "parameters", "amount", "gain", "range", "controls"):
        assert other[name] == one[name]
    assert left_in(path.parent) == ["kept-edge-map.ome.zarr", "kept.ome.zarr"]
    assert says(widget, "Kept as 'cells sharpened [1]'")


@pytest.mark.parametrize("color", ["channels", "luminance"])
@pytest.mark.parametrize("samples", [3, 4])
def test_rgb(open_dock, qtbot, path, color, samples):
    pixels = cases.picture((40, 44, samples), "uint8")
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(pixels, rgb=True, name="photo")
    widget.color.value = color
    in_memory, on_disk = keep_both(qtbot, viewer, widget, path)
    for plain, stored in zip(in_memory, on_disk, strict=True):
        assert stored.rgb == plain.rgb
        np.testing.assert_array_equal(np.asarray(stored.data), plain.data)


def test_significance(open_dock, qtbot, path):
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(STACK, name="cells", **GRID)
    widget.edge_map_unit.value = "× noise"
    in_memory, on_disk = keep_both(qtbot, viewer, widget, path)
    for plain, stored in zip(in_memory, on_disk, strict=True):
        np.testing.assert_array_equal(np.asarray(stored.data), plain.data)
    assert on_disk[1].contrast_limits[0] == 0


def test_volumes_of_dask(open_dock, qtbot, path, monkeypatch):
    """Blocks meet along all filtered axes, and chunks of the source are others."""
    viewer, widget = open_dock("Laplacian sharpen")
    monkeypatch.setattr(store, "UNIT", PLANES[0].size)
    lazy = da.from_array(PLANES, chunks=(3, 70, 80))
    viewer.add_image(lazy, name="cells", contrast_limits=(0, 65535), **GRID)
    widget.dimensions.value = "volumes"
    keep_on_disk(widget)
    wait_for_results(qtbot, viewer, widget, 2)
    spacing = (4.0, 1.0, 1.0)
    expected = usm.sharpen(PLANES, "laplacian_sharpen", axes=(0, 1, 2), spacing=spacing)
    for layer, pixels in zip(
        results(viewer), (expected.image, expected.edge_map), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(layer.data), pixels)


def test_large_planes_get_a_pyramid(open_dock, qtbot, path):
    """Level 0 is exact, the next one its means; the layer is multiscale."""
    pixels = cases.picture((1100, 600), "uint16")
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(pixels, name="slide")
    keep_on_disk(widget)
    wait_for_results(qtbot, viewer, widget, 2)
    expected = usm.sharpen(pixels)
    for layer, wanted in zip(
        results(viewer), (expected.image, expected.edge_map), strict=True
    ):
        assert layer.multiscale
        np.testing.assert_array_equal(layer.data[0][...], wanted)
        assert layer.data[1].shape == (550, 300)
    means = expected.image.reshape(550, 2, 300, 2).mean((1, 3), dtype=np.float32)
    level = results(viewer)[0].data[1][...]
    np.testing.assert_array_equal(level, np.floor(means + 0.5).astype("uint16"))


def test_a_pyramid_keeps_its_factors(open_dock, qtbot, path):
    pixels = cases.picture((128, 96), "uint16")
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image([pixels, pixels[::4, ::4]], multiscale=True, name="slide")
    keep_on_disk(widget)
    wait_for_results(qtbot, viewer, widget, 2)
    result, edges = results(viewer)
    expected = usm.sharpen(pixels)
    np.testing.assert_array_equal(result.data[0][...], expected.image)
    np.testing.assert_array_equal(edges.data[0][...], expected.edge_map)
    assert [level.shape for level in result.data] == [(128, 96), (32, 24)]


def test_axes_in_another_order_than_the_file_has(open_dock, qtbot, path):
    """OME-Zarr wants time first; the layer keeps its order."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(STACK, name="cells", axis_labels=("y", "t", "x"))
    keep_on_disk(widget)
    wait_for_results(qtbot, viewer, widget, 2)
    expected = usm.sharpen(STACK, axes=(0, 2))
    np.testing.assert_array_equal(np.asarray(results(viewer)[0].data), expected.image)
    assert zarr.open(path)["0"].shape == (40, 4, 44)


# --- the files ---


def test_what_the_files_say(open_dock, qtbot, path):
    """Scale, units, name, colour and limits of both, and the record."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(STACK, name="cells", contrast_limits=(5, 900), **GRID)
    widget.sigma.value = 2.0
    keep_on_disk(widget)
    wait_for_results(qtbot, viewer, widget, 2)
    with io.open_image(path) as image:
        assert image.metadata.scale == (2.0, 0.5, 0.5)
        assert image.metadata.units == ("micrometer",) * 3
        assert image.metadata.name == "cells sharpened"
    attributes = zarr.open(path).attrs
    (channel,) = attributes["ome"]["omero"]["channels"]
    assert (channel["window"]["start"], channel["window"]["end"]) == (5, 900)
    record = attributes["napari_usm"]
    assert record["recipe"]["parameters"]["sigma"] == 2.0
    assert record["input"]["layer"] == "cells"
    assert record["report"]["amount"] == 1.0
    beside = path.with_name("kept-edge-map.ome.zarr")
    (channel,) = zarr.open(beside).attrs["ome"]["omero"]["channels"]
    low, high = results(viewer)[1].contrast_limits
    assert (channel["window"]["start"], channel["window"]["end"]) == (low, high)
    assert zarr.open(beside).attrs["napari_usm"]["recipe"] == record["recipe"]


def test_a_live_pair_is_kept_on_disk(open_dock, qtbot, path):
    """Its two layers read from the files; Live is off."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    expected = usm.sharpen(PIXELS)
    result, edges = go_live(qtbot, widget, expected.image)
    keep_on_disk(widget)
    assert wait_for(qtbot, lambda: isinstance(result.data, zarr.Array))
    assert results(viewer) == [result, edges]
    assert (result.name, edges.name) == ("cells sharpened", "cells edge map")
    np.testing.assert_array_equal(result.data[...], expected.image)
    np.testing.assert_array_equal(edges.data[...], expected.edge_map)
    assert "Live" in buttons(widget)


def test_what_was_kept_can_be_sharpened_again(open_dock, qtbot, path):
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    keep_on_disk(widget)
    wait_for_results(qtbot, viewer, widget, 2)
    widget.layer.value = results(viewer)[0]
    twice = usm.unsharp_mask(usm.unsharp_mask(PIXELS))
    result, _ = go_live(qtbot, widget, twice)
    np.testing.assert_array_equal(np.asarray(result.data), twice)


# --- choices ---


def test_what_memory_cannot_hold_is_offered_the_disk(
    open_dock, qtbot, path, monkeypatch, notifications
):
    """Keep says the sizes and asks for a file."""
    free = SimpleNamespace(available=2000)
    monkeypatch.setattr(room.psutil, "virtual_memory", lambda: free)
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    press(widget, "Keep")
    assert "keep them on disk, or crop the layer first" in notifications()[-1]
    wait_for_results(qtbot, viewer, widget, 2)
    np.testing.assert_array_equal(
        np.asarray(results(viewer)[0].data), usm.unsharp_mask(PIXELS)
    )


def test_the_menu_keeps_in_memory_too(open_dock, qtbot):
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    widget._dock.keep_in_memory.trigger()
    wait_for_results(qtbot, viewer, widget, 2)
    assert type(results(viewer)[0].data) is np.ndarray


def test_a_dialog_that_is_cancelled(open_dock, monkeypatch):
    asked = []
    monkeypatch.setattr(dock, "ask_new", lambda *arguments: asked.append(arguments))
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="a/b: cells")
    keep_on_disk(widget)
    assert asked[0][2] == "a b  cells sharpened.ome.zarr"
    assert len(viewer.layers) == 1
    assert not widget._keeping.is_running


def test_without_an_image_nothing_is_asked(open_dock, path, notifications):
    _, widget = open_dock("Unsharp mask")
    keep_on_disk(widget)
    assert "Add an image to sharpen it." in texts(widget)
    assert left_in(path.parent) == []


# --- faults ---


@pytest.mark.parametrize(
    ("begin", "text"),
    [
        (lambda path: path.mkdir(), "exists: choose another name"),
        (
            lambda path: path.with_name("kept-edge-map.ome.zarr").mkdir(),
            "exists: choose another name",
        ),
        (lambda path: path.parent.rmdir(), "is no folder"),
    ],
)
def test_names_that_cannot_be_used(open_dock, path, begin, text):
    """Refused before anything is computed; what is there stays."""
    begin(path)
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    keep_on_disk(widget)
    assert any(text in each for each in texts(widget))
    assert not widget._keeping.is_running
    if path.parent.exists():
        assert len(left_in(path.parent)) == 1


def test_a_layer_that_files_cannot_hold(open_dock, path):
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells", rotate=30)
    keep_on_disk(widget)
    assert any("no rotation, shear" in each for each in texts(widget))
    assert left_in(path.parent) == []


@pytest.mark.parametrize("fault", ["write", "reduce", "finish"])
def test_a_failing_disk_leaves_nothing(open_dock, qtbot, path, monkeypatch, fault):
    """The line says why, and there are neither files nor layers."""

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, fault, full)
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(cases.picture((600, 600), "uint8"), name="cells")
    with qtbot.captureExceptions() as raised:
        keep_on_disk(widget)
        qtbot.waitUntil(lambda: says(widget, "Failed: "), timeout=20_000)
    assert len(raised) == 1
    assert says(widget, "Failed: [Errno 28] No space left on device")
    assert left_in(path.parent) == []
    assert len(viewer.layers) == 1
    assert "Keep" in buttons(widget)


def test_a_result_whose_name_was_taken_meanwhile(open_dock, qtbot, path, monkeypatch):
    """The edge map, which had its name already, goes too."""
    publish = store.files.publish

    def later(partial, target):
        if target == path:
            path.mkdir()
        publish(partial, target)

    monkeypatch.setattr(store.files, "publish", later)
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    with qtbot.captureExceptions() as raised:
        keep_on_disk(widget)
        qtbot.waitUntil(lambda: says(widget, "Failed: "), timeout=20_000)
    assert len(raised) == 1
    assert left_in(path.parent) == ["kept.ome.zarr"]
    assert left_in(path) == []


@pytest.mark.parametrize("end", ["cancel", "remove", "close"])
def test_cancelled_on_the_way(open_dock, qtbot, path, monkeypatch, end):
    """Nothing is left, however it was stopped, though threads were writing."""
    monkeypatch.setattr(store, "UNIT", PLANES[0].size)
    monkeypatch.setattr(memory, "worth_threads", lambda pixels: 2)
    write = Store.write

    def slowly(self, spans, values):
        time.sleep(0.1)
        write(self, spans, values)

    monkeypatch.setattr(Store, "write", slowly)
    viewer, widget = open_dock("Unsharp mask")
    layer = viewer.add_image(np.repeat(PLANES, 10, axis=0), name="cells", **GRID)
    keep_on_disk(widget)
    qtbot.waitUntil(lambda: widget._dock._progress.value() > 1, timeout=20_000)
    assert len(left_in(path.parent)) == 2
    if end == "cancel":
        press(widget, "Cancel")
    elif end == "remove":
        viewer.layers.remove(layer)
    else:
        viewer.window.remove_dock_widget(widget.native)
    qtbot.waitUntil(lambda: left_in(path.parent) == [], timeout=10_000)
    qtbot.wait(300)
    assert left_in(path.parent) == []
    assert results(viewer) == []
