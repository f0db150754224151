"""Copy as Python: the program in the clipboard makes the pixels that are shown."""

import dask.array as da
import numpy as np
import pytest
import tifffile
from napari.layers import Image
from napari.layers._source import layer_source
from qtpy.QtWidgets import QApplication

import cases
import napari_usm as usm
from harness import PIXELS, press, results, says
from napari_usm._engine import fitting
from napari_usm._widgets.layers.data import colour_mean
from napari_usm._widgets.layers.functions import layer_function

VOXELS = {
    "axis_labels": ("z", "y", "x"),
    "units": ("um",) * 3,
    "scale": (0.5, 0.1, 0.1),
}


def run_copied(pixels=None):
    """Run what is in the clipboard, with these pixels where it asks for them."""
    program = QApplication.clipboard().text()
    assert "napari." not in program
    names = {} if pixels is None else {"pixels": pixels}
    exec(program.replace("image = ...", "image = pixels"), names)
    return names["result"], names["edge_map"]


def assert_same(layers, made):
    """Result and edge map of the layers are these, bit for bit."""
    result, edges = (np.asarray(layer.data) for layer in layers)
    image, edge_map = made
    assert result.dtype == image.dtype
    np.testing.assert_array_equal(result, image)
    if edge_map.ndim > edges.ndim:
        edge_map = colour_mean(edge_map)
    np.testing.assert_array_equal(edges, edge_map)


CASES = {
    "as it opens": (PIXELS, {}, {}),
    "volumes in µm": (
        cases.picture((9, 20, 24), "float32"),
        VOXELS,
        {"dimensions": "volumes", "sigma_unit": "µm", "sigma": 0.35, "amount": 2.5},
    ),
    "12 bit": (
        PIXELS // 16,
        {"contrast_limits": (0, 4095)},
        {"sigma": 4.7, "limits": "0 to 4095 (12 bit)", "threshold": 17},
    ),
    "other type": (PIXELS, {}, {"dtype": "float32", "limits": "range of the image"}),
    "RGB": (cases.picture((20, 24, 3), "uint8"), {"rgb": True}, {"amount": 3.0}),
    "RGBA, luminance": (
        cases.picture((20, 24, 4), "uint8"),
        {"rgb": True},
        {"color": "luminance", "kernel": "box"},
    ),
    "RGB of floats": (
        np.clip(cases.picture((20, 24, 3), "float32"), 0, 1),
        {"rgb": True, "contrast_limits": (0.1, 0.9)},
        {"amount": 4.0},
    ),
    "Laplacian of volumes": (
        cases.picture((9, 20, 24), "uint16"),
        VOXELS,
        {"method": "laplacian_sharpen", "dimensions": "volumes", "median_size": 3},
    ),
    "Z by hand": (
        cases.picture((2, 5, 20, 24), "uint8"),
        {},
        {"dimensions": "volumes", "z_axis": 1, "mode": "constant", "cval": 7.0},
    ),
    "adaptive": (
        cases.picture((4, 20, 24), "uint16"),
        {},
        {"method": "adaptive_unsharp_mask", "kernel": "gaussian", "sigma": 1.7},
    ),
    "adaptive, RGB": (
        cases.picture((20, 24, 3), "uint8"),
        {"rgb": True},
        {"method": "adaptive_unsharp_mask", "color": "channels"},
    ),
    "dask": (
        da.from_array(cases.picture((4, 40, 44), "uint16"), chunks=(2, 16, 20)),
        {"contrast_limits": (0, 65535)},
        {"method": "adaptive_unsharp_mask", "gain_per": "item"},
    ),
}


def test_the_program_makes_the_same_pixels(open_dock, make_napari_viewer, qtbot):
    """As those shown live, those kept, and those of a call."""
    viewer = make_napari_viewer()
    for name, case in CASES.items():
        _, widget = open_dock("Unsharp mask", viewer)
        check_program(viewer, widget, qtbot, name, *case)
        viewer.window.remove_dock_widget(widget.native)
        viewer.layers.clear()


def check_program(viewer, widget, qtbot, name, pixels, look, controls):
    """The program makes the same pixels of an image with these values of controls."""
    viewer.add_image(pixels, name=name, **look)
    for name in sorted(controls, key=lambda name: name != "method"):
        widget[name].value = controls[name]
    press(widget, "Copy as Python")
    assert says(widget, "Copied as Python")
    made = run_copied(np.asarray(pixels))
    called = layer_function(widget.method.value)(
        viewer.layers[0], **widget._control_values()
    )
    assert_same([Image(data, **look) for data, look, _ in called], made)

    press(widget, "Live")
    qtbot.waitUntil(lambda: says(widget, "Live · "), timeout=60000)
    qtbot.waitUntil(lambda: widget._pair.settled is not None, timeout=60000)
    pair = results(viewer)
    assert_same(pair, made)
    before = QApplication.clipboard().text()
    press(widget, "Copy as Python")
    assert QApplication.clipboard().text() == before
    press(widget, "Keep")
    qtbot.waitUntil(lambda: type(pair[0].data) is np.ndarray, timeout=60000)
    assert_same(pair, made)


def test_the_program_reads_a_file(open_dock, tmp_path):
    """A layer that was opened from a file needs nothing to be filled in."""
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, PIXELS)
    viewer, widget = open_dock("Unsharp mask")
    viewer.open(path, plugin="napari")
    widget.sigma.value = 2.0
    press(widget, "Copy as Python")
    assert "image = ..." not in QApplication.clipboard().text()
    made = run_copied()
    np.testing.assert_array_equal(made[0], usm.unsharp_mask(PIXELS, sigma=2.0))
    widget()
    assert_same(results(viewer), made)


def copied(qtbot, widget, source):
    """What the program in the clipboard gives of a layer that is shown live."""
    widget.layer.value = source
    press(widget, "Live")
    qtbot.waitUntil(lambda: says(widget, "Live · "), timeout=60000)
    press(widget, "Copy as Python")
    return QApplication.clipboard().text()


def test_a_layer_that_left_its_file(open_dock, qtbot, tmp_path):
    """Pixels that were replaced or edited are asked for, and the file's are refused."""
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, PIXELS)
    viewer, widget = open_dock("Unsharp mask")
    replaced, edited = (viewer.open(path, plugin="napari")[0] for _ in range(2))
    replaced.data = replaced.data[::-1].copy()
    edited.data[:5] = 0
    edited.refresh()
    for source in (replaced, edited):
        program = copied(qtbot, widget, source)
        assert "\nimage = ...\n" in program
        with pytest.raises(ValueError, match="`image` must hold the pixels"):
            exec(program, {})
        assert "no part of it that was compared holds the pixels" in program
        assert says(widget, "Copied as Python: fill in the pixels")
        assert_same(results(viewer)[:2], run_copied(source.data))
        with pytest.raises(ValueError, match="`image` must hold the pixels"):
            run_copied(PIXELS)
        press(widget, "● Live")


def test_another_part_of_a_file(open_dock, qtbot, tmp_path):
    """A scene, a channel that was split off, and a lazy one: the program has the line."""
    path = str(tmp_path / "scenes.ome.tif")
    scenes = cases.picture((2, 3, 20, 24), "uint16")
    with tifffile.TiffWriter(path, ome=True) as file:
        for scene in scenes:
            file.write(scene, photometric="minisblack", metadata={"axes": "CYX"})
    viewer, widget = open_dock("Unsharp mask")
    for pixels, line in (
        (scenes[1], "series=1"),
        (scenes[0, 2], "image = image[2]"),
        (da.from_array(scenes[1, 1], chunks=8), "image = image[1]"),
    ):
        with layer_source(path=path, reader_plugin="other"):
            source = viewer.add_layer(Image(pixels, name="cells"))
        assert line in copied(qtbot, widget, source)
        assert says(widget, "Copied as Python: paste it")
        assert_same(results(viewer)[:2], run_copied())
        press(widget, "● Live")


def test_a_pyramid_of_a_group(open_dock, qtbot, tmp_path):
    """Its largest level is found by its pixels, whatever it is called; so is a channel."""
    zarr = pytest.importorskip("zarr")
    path = str(tmp_path / "cells.zarr")
    pixels = cases.picture((2, 64, 48), "uint16")
    group = zarr.open_group(path, mode="w")
    arrays = []
    for name, step in (("small", 2), ("full", 1)):
        level = pixels[:, ::step, ::step]
        array = group.create_array(name, shape=level.shape, dtype=level.dtype)
        array[...] = level
        arrays.insert(0, array)
    viewer, widget = open_dock("Unsharp mask")
    for levels, line in (
        ([da.from_zarr(each) for each in arrays], "cells.zarr/full"),
        ([da.from_zarr(each)[1] for each in arrays], "\nimage = image[1]\n"),
    ):
        with layer_source(path=path, reader_plugin="other"):
            source = viewer.add_layer(Image(levels, name="cells", multiscale=True))
        assert line in copied(qtbot, widget, source)
        result, _ = run_copied()
        np.testing.assert_array_equal(result, np.asarray(results(viewer)[0].data[0]))
        press(widget, "● Live")


def test_a_gain_of_a_sample_is_in_the_program(open_dock, qtbot, monkeypatch):
    """Of a large image, what is shown and kept has the gain that was found in a part."""
    monkeypatch.setattr(fitting, "_SAMPLE", 2048)
    monkeypatch.setattr(fitting, "_ITEM", 1024)
    for function in (fitting.settle, fitting.fitting_steps, fitting.is_sampled):
        monkeypatch.setitem(function.__kwdefaults__, "whole", 4096)
    y, x = np.mgrid[:60, :64]
    waves = 20000 + 8000 * np.sin(x / 6) * np.cos(y / 7)
    pixels = np.repeat(waves[np.newaxis], 6, axis=0).astype("uint16")
    pixels[:, :10] = PIXELS[:10, :1]  # edges, where the middle has none
    pixels[:, :10, ::2] = 0
    viewer, widget = open_dock("Adaptive unsharp mask")
    viewer.add_image(pixels, name="large")
    press(widget, "Copy as Python")
    made = run_copied(pixels)
    whole = usm.sharpen(pixels, "adaptive_unsharp_mask", axes=(1, 2))
    assert not np.array_equal(made[0], whole.image)
    press(widget, "Live")
    qtbot.waitUntil(lambda: widget._pair.settled is not None, timeout=60000)
    pair = results(viewer)
    assert_same(pair, made)
    widget.kernel.value = "gaussian"
    press(widget, "Copy as Python")
    made = run_copied(pixels)
    qtbot.waitUntil(lambda: widget._pair.settled is not None, timeout=60000)
    assert_same(pair, made)
    press(widget, "Keep")
    qtbot.waitUntil(lambda: type(pair[0].data) is np.ndarray, timeout=60000)
    assert_same(pair, made)


def test_what_cannot_be_sharpened_is_not_copied(open_dock, notifications):
    """That is said, and the clipboard stays as it is."""
    QApplication.clipboard().setText("mine")
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(np.zeros((2, 4, 9, 8)))
    widget.dimensions.value = "volumes"
    press(widget, "Copy as Python")
    assert notifications() == ["Choose which axis is Z."]
    assert QApplication.clipboard().text() == "mine"
