"""Live results as napari shows them, in a real viewer, through the manifest."""

import dask.array as da
import numpy as np
import pytest
import xarray
import zarr

import cases
import napari_usm as usm
from screens import assert_shows, live_layers, switch_live

CALL = {"sigma": 1.5, "amount": 2.0}
ADAPTIVE = "adaptive_unsharp_mask"


@pytest.fixture
def live(open_dock, qtbot):
    """A function: a dock on an image of its own, live; viewer, dock, source, layers."""

    def opened(pixels, title="Unsharp mask", viewer=None, **keywords):
        viewer, widget = open_dock(title, viewer)
        return viewer, widget, *sharpen_live(viewer, widget, pixels, **keywords)

    return opened


def sharpen_live(viewer, widget, pixels, call=None, **keywords):
    """Add an image and sharpen it live; the source and its two layers, both shown."""
    source = viewer.add_image(pixels, **keywords)
    widget.layer.value = source
    for name, value in (call or {}).items():
        widget[name].value = value
    switch_live(widget)
    result, edges = live_layers(widget)
    edges.visible = True
    return source, result, edges


def go_to(viewer, plane):
    viewer.dims.current_step = (*plane, 0, 0)


def check_planes(qtbot, viewer, layers, expected, leading):
    """Result and edge map are right on the first and the last plane, and in between."""
    for plane in {tuple(0 for _ in leading), tuple(n - 1 for n in leading)}:
        go_to(viewer, plane)
        for layer, pixels in zip(layers, expected, strict=True):
            assert_shows(qtbot, layer, pixels[plane])


# --- what is sharpened ---


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("uint8", (40, 50)),
        ("bool", (3, 40, 50)),
        ("uint16", (2, 3, 40, 50)),
        ("float32", (3, 40, 50)),
        ("float64", (2, 2, 3, 30, 40)),
        ("int16", (2, 2, 3, 30, 40)),
    ],
)
def test_types_and_dimensions(live, qtbot, dtype, shape):
    """What is drawn is what Python gives, plane by plane, for all methods."""
    pixels = cases.picture(shape, dtype)
    viewer, widget, _, *layers = live(pixels, call=CALL)
    filtered = {"axes": (pixels.ndim - 2, pixels.ndim - 1)}
    for method, call in (
        ("unsharp_mask", CALL),
        ("laplacian_sharpen", {"spacing": (1, 1)}),
        (ADAPTIVE, {}),
    ):
        widget.method.value = method
        expected = usm.sharpen(pixels, method, **call, **filtered)
        pair = expected.image, expected.edge_map
        check_planes(qtbot, viewer, layers, pair, shape[:-2])


def sources_of(pixels, folder):
    """The same pixels, in every kind of array that is not a plain one."""
    fixed = pixels.copy()
    fixed.flags.writeable = False
    mapped = np.memmap(folder / "a", pixels.dtype, "w+", shape=pixels.shape)
    mapped[:] = pixels
    chunks = (1, 20, 30)
    stored = zarr.create_array(
        folder / "a.zarr", shape=pixels.shape, chunks=chunks, dtype=pixels.dtype
    )
    stored[:] = pixels
    return {
        "read-only": fixed,
        "Fortran": np.asfortranarray(pixels),
        "reversed": pixels[:, ::-1, ::-1].copy()[:, ::-1, ::-1],
        "memmap": mapped,
        "zarr": stored,
        "dask": da.from_array(pixels, chunks=chunks),
        "xarray": xarray.DataArray(da.from_array(pixels, chunks=chunks)),
    }


def test_sources(open_dock, qtbot, tmp_path):
    """Wherever the pixels are, and however they lie there."""
    pixels = cases.picture((3, 40, 50), "uint16")
    classic = usm.sharpen(pixels, **CALL, axes=(1, 2))
    adaptive = usm.sharpen(pixels, ADAPTIVE, axes=(1, 2))
    viewer, widget = open_dock("Unsharp mask")
    for kind, given in sources_of(pixels, tmp_path).items():
        viewer.layers.clear()
        widget.method.value = "unsharp_mask"
        _, *layers = sharpen_live(
            viewer, widget, given, CALL, contrast_limits=(0, 65535), name=kind
        )
        check_planes(qtbot, viewer, layers, (classic.image, classic.edge_map), (3,))
        widget.method.value = ADAPTIVE
        check_planes(qtbot, viewer, layers, (adaptive.image, adaptive.edge_map), (3,))


@pytest.mark.parametrize("shape", [(30, 40, 3), (2, 30, 40, 4)])
def test_colours(live, qtbot, shape):
    """Red, green and blue, with alpha or without; their edge map is one plane."""
    pixels = cases.picture(shape, "uint8")
    first = (0,) * (len(shape) - 3)
    viewer, widget, _, result, edges = live(pixels, rgb=True, call=CALL)
    go_to(viewer, first)
    for color in ("channels", "luminance", "value"):
        widget.color.value = color
        expected = usm.sharpen(
            pixels,
            **CALL,
            color=color,
            axes=(len(shape) - 3, len(shape) - 2),
            channel_axis=-1,
            alpha=shape[-1] == 4,
        )
        one = expected.edge_map
        if color == "channels":
            one = one[..., :3] @ np.array([0.2126, 0.7152, 0.0722])
        assert_shows(qtbot, result, expected.image[first])
        np.testing.assert_allclose(edges.data, one, rtol=1e-4, atol=1e-3)
        assert_shows(qtbot, edges, np.asarray(edges.data)[first])


def test_axes_of_one_pixel(open_dock, qtbot):
    """An axis of one pixel is no reason not to sharpen along the other."""
    viewer, widget = open_dock("Unsharp mask")
    for shape in ((1, 40), (40, 1), (1, 1), (1, 1, 40, 50), (3, 1, 50), (2, 40, 1)):
        viewer.layers.clear()
        pixels = cases.picture(shape, "uint16")
        _, *layers = sharpen_live(
            viewer, widget, pixels, CALL, contrast_limits=(0, 65535)
        )
        expected = usm.sharpen(pixels, **CALL, axes=(len(shape) - 2, len(shape) - 1))
        pair = expected.image, expected.edge_map
        check_planes(qtbot, viewer, layers, pair, shape[:-2])


def test_invalid_pixels(live, qtbot):
    """A plane of NaN and single invalid pixels stay as they are, and do not spread."""
    pixels = cases.picture((3, 40, 50), "float32")
    pixels[0] = np.nan
    pixels[2, 5, 6], pixels[2, 7, 8] = np.inf, np.nan
    viewer, _, _, *layers = live(pixels, call=CALL, contrast_limits=(0, 1))
    expected = usm.sharpen(pixels, **CALL, axes=(1, 2))
    check_planes(qtbot, viewer, layers, (expected.image, expected.edge_map), (3,))


def test_volumes(live, qtbot):
    """Filtered along three axes, a plane shows its part of the volume."""
    pixels = cases.picture((5, 40, 50), "uint16")
    viewer, widget, _, *layers = live(pixels, call=CALL, scale=(2, 1, 1))
    widget.dimensions.value = "volumes"
    expected = usm.sharpen(pixels, **CALL)
    check_planes(qtbot, viewer, layers, (expected.image, expected.edge_map), (5,))
    widget.method.value = "laplacian_sharpen"
    expected = usm.sharpen(pixels, "laplacian_sharpen", spacing=(2, 1, 1))
    check_planes(qtbot, viewer, layers, (expected.image, expected.edge_map), (5,))
