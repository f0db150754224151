"""Noise as a unit in docks and layers: of the threshold, and of the edge map."""

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLineEdit

import cases
import napari_usm as usm
import reference
from harness import TITLES, go_live, on_screen, press, says, texts, wait_to_see
from napari_usm._engine import memory
from napari_usm._widgets.layers.functions import layer_function, layer_run
from test_noise_threshold import speckled

PIXELS = speckled((70, 90), "uint16")
CALL = {"threshold": 3.0, "threshold_unit": "× noise", "edge_map_unit": "× noise"}


def looks(layer):
    return layer.name, layer.colormap.name, tuple(layer.contrast_limits)


@pytest.mark.parametrize("method", cases.THRESHOLDED)
@pytest.mark.parametrize("pixels", [PIXELS, da.from_array(PIXELS, chunks=40)])
def test_layers_in_units_of_noise(method, pixels):
    """What a call leaves is what Python makes; the layers say how."""
    result, edges = layer_function(method)(Image(pixels, name="cells"), **CALL)
    call = {"threshold": "3 noise", **cases.spacing(method, (1.0, 1.0))}
    np.testing.assert_array_equal(result[0], cases.function(method)(PIXELS, **call))
    np.testing.assert_array_equal(edges[0], usm.significance(PIXELS, method, **call))
    assert edges[1]["name"] == "cells significance"
    assert edges[1]["contrast_limits"][0] == 0
    made = result[1]["metadata"]["napari_usm"]
    assert made["parameters"]["threshold"] == "3 noise"
    assert made["edge_map"] == "significance"


def test_levels_in_units_of_noise():
    """A pyramid is judged by the noise of its largest level, for each level's blur."""
    pixels = PIXELS[:64, :88]
    levels = [pixels, pixels[::2, ::2], pixels[::4, ::4]]
    layer = Image(levels, multiscale=True, name="cells")
    run = layer_run("unsharp_mask", layer, sigma=2.0, **CALL)
    images, edges = (made[0] for made in memory.result_of(run.run()))
    expected = usm.unsharp_mask(pixels, sigma=2, threshold="3 noise")
    np.testing.assert_array_equal(images[0], expected)
    np.testing.assert_array_equal(edges[0], usm.significance(pixels, sigma=2))
    for level, sigma in ((1, 1.0), (2, 0.5)):
        unsharp = reference.unsharp_mask
        p = {**unsharp.defaults, "sigma": sigma}
        plane = levels[level].astype(float)
        detail = usm.edge_map(plane, sigma=sigma)
        estimate = reference.auto_estimate(pixels.astype(float), (0, 1), True)
        variance = estimate.variance(plane - detail)
        noise = np.sqrt(variance * reference.noise_energy(2, unsharp.detail, p))
        np.testing.assert_allclose(edges[level], np.abs(detail) / noise, atol=1e-4)


@pytest.mark.parametrize(
    ("method", "unit"),
    [
        ("adaptive_unsharp_mask", "threshold_unit"),
        ("auto_unsharp_mask", "edge_map_unit"),
    ],
)
def test_units_that_a_method_has_not(method, unit):
    """What makes no sense for a method is refused, not ignored."""
    with pytest.raises(ValueError, match=method):
        layer_run(method, Image(PIXELS), **{unit: "× noise"})
    assert unit not in layer_function(method).__signature__.parameters


def test_a_dock_in_units_of_noise(open_dock, qtbot, make_napari_viewer):
    """Live: the threshold in noise, the edge map as significance, and back again."""
    viewer = make_napari_viewer()
    viewer.add_image(PIXELS, name="cells")
    _, widget = open_dock(TITLES["unsharp_mask"], viewer)
    result, edges = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    edges.visible = True
    wait_to_see(qtbot, edges, usm.edge_map(PIXELS))
    widget.threshold.value = 60
    wait_to_see(qtbot, edges, usm.edge_map(PIXELS, threshold=60))
    qtbot.waitUntil(lambda: edges.contrast_limits[1] != 1)
    edges.name = "mine"

    widget.threshold_unit.value = "× noise"
    assert widget.threshold.value == 3
    expected = usm.sharpen(PIXELS, threshold="3 noise")
    wait_to_see(qtbot, result, expected.image)
    wait_to_see(qtbot, edges, expected.edge_map)
    noise = f"noise σ {float(expected.report.noise):.3g}"
    qtbot.waitUntil(lambda: any(noise in text for text in texts(widget)))
    # Nothing is estimated anew for another multiple, or another blur.
    live = widget._pair._live
    assert len(live._known._values) == 1
    widget.threshold.value, widget.sigma.value = 2.5, 1.7
    call = {"threshold": "2.5 noise", "sigma": 1.7}
    wait_to_see(qtbot, result, usm.unsharp_mask(PIXELS, **call))
    assert len(live._known._values) == 1

    widget.edge_map_unit.value = "× noise"
    found = usm.significance(PIXELS, sigma=1.7)
    wait_to_see(qtbot, edges, found)
    name, colormap, limits = looks(edges)
    assert (name, colormap, limits[0]) == ("cells [significance]", "inferno", 0)
    high = np.quantile(found, 0.999)
    qtbot.waitUntil(lambda: edges.contrast_limits[1] == pytest.approx(high, rel=0.01))
    assert says(widget, "Live")
    press(widget, "Copy as Python")
    program = QApplication.clipboard().text()
    assert "significance = usm.significance(" in program
    assert 'threshold="2.5 noise"' in program
    press(widget, "Keep")
    qtbot.waitUntil(lambda: not widget._keeping.is_running, timeout=60000)
    np.testing.assert_array_equal(edges.data, found)
    np.testing.assert_array_equal(result.data, usm.unsharp_mask(PIXELS, **call))


def test_switching_back_restores_the_look(open_dock, qtbot, make_napari_viewer):
    """Name, colours and limits of an edge map come back with it, as the user left them."""
    viewer = make_napari_viewer()
    viewer.add_image(PIXELS, name="cells")
    _, widget = open_dock(TITLES["laplacian_sharpen"], viewer)
    call = {"spacing": (1.0, 1.0)}
    _, edges = go_live(qtbot, widget, usm.laplacian_sharpen(PIXELS, **call))
    edges.visible = True
    detail = usm.edge_map(PIXELS, "laplacian_sharpen", **call)
    wait_to_see(qtbot, edges, detail)
    edges.contrast_limits, edges.name = (-7, 9), "mine"
    edges.colormap = "gray"
    mine = looks(edges)
    widget.edge_map_unit.value = "× noise"
    found = usm.significance(PIXELS, "laplacian_sharpen", **call)
    wait_to_see(qtbot, edges, found)
    edges.contrast_limits = (3, 5)
    theirs = looks(edges)
    widget.edge_map_unit.value = "intensity"
    wait_to_see(qtbot, edges, detail)
    assert looks(edges) == mine
    widget.edge_map_unit.value = "× noise"
    wait_to_see(qtbot, edges, found)
    assert looks(edges) == theirs
    assert on_screen(edges).dtype == np.float32


def test_each_unit_has_its_own_value(open_dock, make_napari_viewer):
    """A threshold of an image means nothing in another; a multiple of noise does."""
    viewer = make_napari_viewer()
    viewer.add_image(PIXELS, name="cells")
    viewer.add_image(PIXELS / 1e4, name="faint")
    _, widget = open_dock(TITLES["unsharp_mask"], viewer)
    widget.layer.value = viewer.layers["cells"]
    widget.threshold.value = 40
    widget.threshold_unit.value = "× noise"
    widget.threshold.value = 4
    widget.threshold_unit.value = "intensity"
    assert widget.threshold.value == 40
    widget.threshold_unit.value = "× noise"
    widget.layer.value = viewer.layers["faint"]
    assert (widget.threshold.value, widget.threshold.max) == (4, 10)
    tuples = widget()
    assert (
        tuples[0][1]["metadata"]["napari_usm"]["parameters"]["threshold"] == "4 noise"
    )
    press(widget, "Reset")
    assert (widget.threshold_unit.value, widget.threshold.value) == ("intensity", 0)
    # A result that is selected brings its unit back, and then its value.
    viewer.layers.selection.active = viewer.layers["faint sharpened"]
    assert (widget.threshold_unit.value, widget.threshold.value) == ("× noise", 4)


def test_thresholds_of_any_range(open_dock, make_napari_viewer, qtbot):
    """The slider ends where the intensities do, and its number shows what was chosen."""
    viewer = make_napari_viewer()
    _, widget = open_dock(TITLES["unsharp_mask"], viewer)
    box = widget.threshold.native.findChild(QLineEdit)
    for size in (1e-9, 1e-5, 1.0, 1e-3, 1e6):
        pixels = PIXELS / PIXELS.max() * size
        widget.layer.value = viewer.add_image(pixels)
        assert widget.threshold.max == pytest.approx(np.ptp(pixels), rel=0.01)
        box.selectAll()
        qtbot.keyClicks(box, f"{size / 5:g}")
        qtbot.keyClick(box, Qt.Key.Key_Return)
        assert widget.threshold.value == float(f"{size / 5:g}")
        assert float(box.text()) == widget.threshold.value
