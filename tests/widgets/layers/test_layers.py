"""Layers in, layers out: functions that need no viewer and no window."""

import dask.array as da
import numpy as np
import pytest
import xarray
from napari.layers import Image, Labels
from scipy.ndimage import gaussian_filter

import cases
import napari_usm as usm
from harness import TITLES
from method_cases import METHOD_CASES
from napari_usm._widgets import samples
from napari_usm._widgets.layers.data import GEOMETRY
from napari_usm._widgets.layers.functions import layer_function

METHODS = tuple(TITLES)


def stack_layer(**keywords):
    return Image(
        cases.picture((4, 20, 24), "uint16"),
        name="cells",
        scale=(2, 0.5, 0.25),
        translate=(1, 2, 3),
        rotate=[[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]],
        units=("µm", "µm", "µm"),
        axis_labels=("z", "y", "x"),
        contrast_limits=(200, 50000),
        colormap="magma",
        gamma=0.8,
        blending="additive",
        **keywords,
    )


@pytest.mark.parametrize("method", METHODS)
def test_pixels_plane_by_plane(method):
    """A stack is sharpened in planes: each one as if it were alone."""
    layer = stack_layer()
    (image, _, kind), (edge_map, _, edge_kind) = layer_function(method)(layer)
    assert kind == edge_kind == "image"
    call = cases.spacing(method, (0.5, 0.25))
    whole = usm.sharpen(layer.data, method, axes=(1, 2), **call)
    np.testing.assert_array_equal(image, whole.image)
    np.testing.assert_array_equal(edge_map, whole.edge_map)
    if METHOD_CASES[method].estimates_noise:
        return  # no call on a single plane gives the estimate that all planes share
    if whole.gain is not None:
        call["gains"] = [whole.gain]
    for z, plane in enumerate(layer.data):
        expected = usm.sharpen(plane, method, **call)
        np.testing.assert_array_equal(image[z], expected.image)
        np.testing.assert_array_equal(edge_map[z], expected.edge_map)


@pytest.mark.parametrize("method", METHODS)
def test_volumes(method):
    """In 3-D all three axes are filtered, the Laplacian by the voxel's spacing."""
    layer = stack_layer()
    (image, _, _), _ = layer_function(method)(layer, dimensions="volumes")
    call = cases.spacing(method, (2, 0.5, 0.25))
    np.testing.assert_array_equal(image, getattr(usm, method)(layer.data, **call))


def test_layers_lie_and_look_like_their_source():
    """Geometry, units and labels are carried; the result looks like its source."""
    layer = stack_layer()
    result, edges = (
        Image(data, **keywords)
        for data, keywords, _ in layer_function("unsharp_mask")(layer)
    )
    for name in GEOMETRY:
        assert np.all(getattr(result, name) == getattr(layer, name)), name
        assert np.all(getattr(edges, name) == getattr(layer, name)), name
    np.testing.assert_array_equal(
        result.data_to_world((1, 2, 3)), layer.data_to_world((1, 2, 3))
    )
    assert result.contrast_limits == [200, 50000]
    assert (result.colormap.name, result.gamma) == ("magma", 0.8)
    assert result.blending == "additive"
    assert result.dtype == np.uint16
    assert (result.name, edges.name) == ("cells sharpened", "cells edge map")
    assert edges.visible is False
    low, high = edges.contrast_limits
    assert low == -high < 0
    assert np.mean(np.abs(edges.data) <= high) > 0.99


def test_metadata_replays_the_run():
    """What stands in the metadata gives the same pixels in Python."""
    layer = stack_layer()
    call = {
        "sigma": 1.5,
        "amount": 2.0,
        "threshold": 100.0,
        "limits": "0 to 4095 (12 bit)",
    }
    (image, keywords, _), _ = layer_function("unsharp_mask")(layer, **call)
    found = keywords["metadata"]["napari_usm"]
    again = usm.sharpen(layer.data, found["method"], **found["parameters"])
    np.testing.assert_array_equal(again.image, image)
    assert found["report"].amount == found["amount"] == 2.0
    assert image.max() == 4095
    assert set(found["versions"]) == {"napari-usm"}


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("color", ["channels", "luminance", "value"])
def test_rgb(color, channels):
    """Colour layers keep their alpha; their edge map is one signed plane."""
    pixels = cases.picture((20, 24, channels), "uint8")
    layer = Image(pixels, rgb=True, name="tissue")
    (image, keywords, _), (edge_map, edge_keywords, _) = layer_function("unsharp_mask")(
        layer, color=color
    )
    found = usm.sharpen(pixels, channel_axis=-1, color=color, alpha=channels == 4)
    np.testing.assert_array_equal(image, found.image)
    expected = found.edge_map
    if color == "channels":
        expected = expected[..., :3] @ np.array([0.2126, 0.7152, 0.0722])
    np.testing.assert_allclose(edge_map, expected, rtol=1e-5, atol=1e-4)
    assert (keywords["rgb"], edge_keywords["rgb"]) == (True, False)
    assert Image(edge_map, **edge_keywords).ndim == layer.ndim


def test_rgb_looks_like_its_source():
    """napari draws colours with limits, gamma and blending too: they are carried."""
    layer = Image(
        cases.picture((9, 8, 3), "uint8"),
        rgb=True,
        gamma=0.4,
        blending="additive",
        contrast_limits=(50, 150),
    )
    for call in ({}, {"dtype": "float32"}):
        (image, keywords, _), _ = layer_function("unsharp_mask")(layer, **call)
        result = Image(image, **keywords)
        assert (result.gamma, result.blending) == (0.4, "additive")
        assert result.contrast_limits == layer.contrast_limits
        if call:
            assert (image.min(), image.max()) == (50, 150)


def test_xarray_layers():
    """An xarray is an array like others, in memory or lazy."""
    pixels = cases.picture((3, 20, 22), "uint16")
    expected = usm.unsharp_mask(pixels, axes=(1, 2))
    for data in (pixels, da.from_array(pixels, chunks=(1, 10, 11))):
        layer = Image(xarray.DataArray(data), contrast_limits=(0, 65535))
        (image, _, _), _ = layer_function("unsharp_mask")(layer)
        np.testing.assert_array_equal(np.asarray(image), expected)


def test_float_rgb_stays_in_the_displayed_range():
    """Colours beyond 0 to 1 would be drawn as if at its ends: they saturate."""
    layer = Image(np.clip(cases.picture((20, 24, 3), "float32"), 0, 1), rgb=True)
    (image, _, _), _ = layer_function("unsharp_mask")(layer, amount=5.0)
    assert (image.min(), image.max()) == (0, 1)


def test_dask_stays_lazy():
    """A dask layer gives dask layers; only the gain and one plane are computed."""
    pixels = cases.picture((6, 40, 44), "uint16")
    layer = Image(da.from_array(pixels, chunks=(1, 20, 22)), contrast_limits=(0, 65535))
    for method in METHODS:
        (image, _, _), (edge_map, keywords, _) = layer_function(method)(layer)
        assert isinstance(image, da.Array)
        assert isinstance(edge_map, da.Array)
        call = cases.spacing(method, 1)
        expected = usm.sharpen(pixels, method, axes=(1, 2), **call)
        np.testing.assert_array_equal(image.compute(), expected.image)
        np.testing.assert_array_equal(edge_map.compute(), expected.edge_map)
        assert keywords["contrast_limits"][1] > 0


@pytest.mark.parametrize("lazy", [False, True])
def test_pyramids(lazy):
    """A pyramid comes back as one: each level sharpened, by a sigma as wide as it is.

    Of levels in memory that is done at once; of others, where they are shown.
    """
    pixels = cases.picture((64, 48), "uint16")
    levels = [pixels, pixels[::2, ::2].copy(), pixels[::4, ::4].copy()]
    data = [da.from_array(level, chunks=20) for level in levels] if lazy else levels
    layer = Image(data, multiscale=True, contrast_limits=(0, 65535), name="slide")
    made = layer_function("unsharp_mask")(layer, sigma=2.0)
    result, edges = (Image(pixels, **keywords) for pixels, keywords, _ in made)
    assert result.multiscale
    assert edges.multiscale
    for k, level in enumerate(levels):
        assert isinstance(result.data[k], np.ndarray) is not lazy
        expected = usm.sharpen(level, sigma=2.0 / 2**k)
        np.testing.assert_array_equal(np.asarray(result.data[k]), expected.image)
        np.testing.assert_array_equal(np.asarray(edges.data[k]), expected.edge_map)
    assert edges.contrast_limits[1] > 0


def test_a_plane_of_a_lazy_result_does_not_estimate_again():
    """Showing one plane reads that plane, for the adaptive method too."""
    read = []

    def load(block, block_info=None):
        read.append(block_info[0]["chunk-location"][0])
        return block

    pixels = da.from_array(cases.picture((6, 20, 22)), chunks=(1, 20, 22))
    lazy = pixels.map_blocks(load, meta=np.empty((0, 0, 0)))
    layer = Image(lazy, contrast_limits=(-1, 2))
    (image, _, _), _ = layer_function("adaptive_unsharp_mask")(layer)
    read.clear()
    np.asarray(image[3])
    assert read == [3]


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (None, TypeError, "`layer` must be an image layer; got none: add or select"),
        (
            Labels(np.ones((5, 5), int), name="nuclei"),
            TypeError,
            r"`layer` must be an image layer; got 'nuclei' \(Labels\)",
        ),
        (np.ones((5, 5)), TypeError, "`layer` must be an image layer; got array"),
    ],
)
def test_layers_that_cannot_be_sharpened(layer, error, message):
    """What is no image is refused, by name."""
    with pytest.raises(error, match=message):
        layer_function("unsharp_mask")(layer)


def test_magicgui_makes_a_widget_of_the_function():
    """The functions are what magicgui wraps: every control is a parameter."""
    from magicgui.signature import magic_signature

    for method in METHODS:
        names = [
            p.name for p in magic_signature(layer_function(method)).parameters.values()
        ]
        assert names[0] == "layer"
        units = {"sigma_unit", "threshold_unit", "edge_map_unit"}
        others = {"layer", "dimensions", "z_axis", *units}
        assert set(names) - others <= set(usm.METHODS[method].parameters)


@pytest.mark.parametrize(
    "name", ["moon", "camera", "cell", "retina", "immunohistochemistry", "filaments"]
)
def test_samples(name):
    """Every sample makes layers; pictures are whole, the stack has units."""
    made = getattr(samples, name)()
    layers = [Image(data, **keywords) for data, keywords, _ in made]
    assert layers[-1].name == name
    assert layers[-1].data.dtype.kind == "u"
    assert layers[-1].data.max() > 100


def test_the_stack_comes_with_its_truth():
    """The generated stack is its truth, blurred and counted in photons."""
    (truth, known, _), (stack, look, _) = samples.filaments()
    assert truth.shape == stack.shape
    assert known["scale"] == look["scale"] == (0.4, 0.1, 0.1)
    assert known["visible"] is False
    blurred = gaussian_filter(truth, np.divide((0.5, 0.2, 0.2), look["scale"]))
    assert np.corrcoef(blurred.ravel(), stack.ravel())[0, 1] > 0.9
    np.testing.assert_array_equal(stack, samples.filaments()[1][0])


LOOKS = {
    "projection_mode": "max",
    "interpolation2d": "cubic",
    "interpolation3d": "nearest",
    "depiction": "plane",
    "rendering": "attenuated_mip",
    "attenuation": 0.2,
    "iso_threshold": 0.3,
    "opacity": 0.6,
    "gamma": 0.7,
    "blending": "opaque",
}


def test_looks_come_along(open_dock):
    """A result is seen as its source is; an edge map lies and projects like it."""
    pixels = np.pad(np.full((3, 12, 12), 200, np.uint16), 4)
    plane = {"position": (1, 2, 3), "normal": (0, 1, 0), "thickness": 2}
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(pixels, contrast_limits=(50, 150), plane=plane, **LOOKS)
    source.contrast_limits_range = (0, 220)
    widget.layer.value = source
    widget()
    result, edges = (layer for layer in viewer.layers if layer is not source)
    for name, value in LOOKS.items():
        assert str(getattr(result, name)) == str(getattr(source, name)) == str(value)
    for layer in (result, edges):
        assert layer.projection_mode == "max"
        assert layer.interpolation2d == "cubic"
        assert (layer.depiction, layer.plane) == ("plane", source.plane)
    assert result.contrast_limits == [50, 150]
    assert result.data.max() > 220, "there is overshoot"
    assert result.contrast_limits_range == [0, result.data.max()]


@pytest.mark.parametrize("mode", ["none", "sum", "mean", "max", "min"])
@pytest.mark.parametrize("switch", [False, True])
def test_thick_slices_of_nothing_added(open_dock, qtbot, mode, switch):
    """With amount 0 a result shows what its source shows, however that is projected."""
    pixels = cases.picture((6, 20, 24), "uint16")
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_image(pixels, projection_mode="mean" if switch else mode)
    widget.layer.value = source
    widget.amount.value = 0.0
    widget.set_live(True)
    result, _ = widget._pair.layers
    viewer.dims.thickness = (3, 1, 1)
    source.projection_mode = mode
    viewer.dims.current_step = (3, 0, 0)
    want = source._slice.image.raw
    qtbot.waitUntil(lambda: np.array_equal(result._slice.image.raw, want))
