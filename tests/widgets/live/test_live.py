"""Live results as napari shows them, in a real viewer, through the manifest."""

import gc
import inspect
from time import perf_counter

import dask.array as da
import numpy as np
import pytest
import tifffile
import xarray
import zarr
from qtpy.QtCore import QObject, Qt

import cases
import napari_usm as usm
from harness import (
    Counted,
    assert_shows,
    live_layers,
    made_by,
    on_screen,
    results,
    status,
    switch_live,
    texts,
    wait_for,
    wait_for_rest,
)
from napari_usm._widgets.layers.data import GEOMETRY, edge_limit
from napari_usm._widgets.live.array import SLICING
from napari_usm._widgets.live.result import LiveResult

CALL = {"sigma": 1.5, "amount": 2.0}
ADAPTIVE = "adaptive_unsharp_mask"
ADAPTIVE_TITLE = "Adaptive unsharp mask"

# Seconds that a slow source takes for a plane: a window that waits is held up as long.
SLOW = 0.3


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


def test_types_and_dimensions(open_dock, qtbot):
    """What is drawn is what Python gives, plane by plane, for all methods."""
    viewer, widget = open_dock("Unsharp mask")
    for dtype, shape in (
        ("uint8", (40, 50)),
        ("bool", (3, 40, 50)),
        ("uint16", (2, 3, 40, 50)),
        ("float32", (3, 40, 50)),
        ("float64", (2, 2, 3, 30, 40)),
        ("int16", (2, 2, 3, 30, 40)),
    ):
        viewer.layers.clear()
        widget.method.value = "unsharp_mask"
        pixels = cases.picture(shape, dtype)
        _, *layers = sharpen_live(viewer, widget, pixels, CALL, name=dtype)
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


def test_sources(live, qtbot, tmp_path):
    """Wherever the pixels are, and however they lie there."""
    pixels = cases.picture((3, 40, 50), "uint16")
    classic = usm.sharpen(pixels, **CALL, axes=(1, 2))
    adaptive = usm.sharpen(pixels, ADAPTIVE, axes=(1, 2))
    viewer, widget, source, *layers = live(
        pixels, call=CALL, contrast_limits=(0, 65535)
    )
    for kind, given in sources_of(pixels, tmp_path).items():
        widget.method.value = "unsharp_mask"
        source.data, source.name = given, kind
        check_planes(qtbot, viewer, layers, (classic.image, classic.edge_map), (3,))
        widget.method.value = ADAPTIVE
        check_planes(qtbot, viewer, layers, (adaptive.image, adaptive.edge_map), (3,))


def test_colours(open_dock, qtbot):
    """Red, green and blue, with alpha or without; their edge map is one plane."""
    viewer, widget = open_dock("Unsharp mask")
    for shape in ((30, 40, 3), (2, 30, 40, 4)):
        viewer.layers.clear()
        pixels = cases.picture(shape, "uint8")
        _, result, edges = sharpen_live(viewer, widget, pixels, CALL, rgb=True)
        first = (0,) * (len(shape) - 3)
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
    widget.z_axis.value = 0
    expected = usm.sharpen(pixels, **CALL)
    check_planes(qtbot, viewer, layers, (expected.image, expected.edge_map), (5,))
    widget.method.value = "laplacian_sharpen"
    expected = usm.sharpen(pixels, "laplacian_sharpen", spacing=(2, 1, 1))
    check_planes(qtbot, viewer, layers, (expected.image, expected.edge_map), (5,))


def test_every_control(live, qtbot):
    """Whatever is changed, in view or in the fold, is followed at once."""
    pixels = cases.picture((40, 50), "uint16")
    _, widget, _, result, edges = live(pixels)
    call = {}
    for name, value in (
        ("sigma", 2.0),
        ("amount", -0.5),
        ("amount", 4.0),
        ("threshold", 900.0),
        ("hard", True),
        ("truncate", 2.0),
        ("mode", "constant"),
        ("cval", 30000.0),
        ("dtype", "float32"),
        ("dtype", "uint16"),
        ("kernel", "box"),
    ):
        widget[name].value = value
        call[name] = value
        expected = usm.sharpen(pixels, **call)
        assert_shows(qtbot, result, expected.image)
        assert_shows(qtbot, edges, expected.edge_map)
    widget.limits.value = "0 to 4095 (12 bit)"
    assert_shows(qtbot, result, usm.unsharp_mask(pixels, **call, limits=(0, 4095)))
    assert live_layers(widget) == [result, edges]
    widget._dock.reset.click()
    assert_shows(qtbot, result, usm.unsharp_mask(pixels))


# --- how it is looked at ---


@pytest.fixture
def side_by_side(live, qtbot):
    """A live pair beside plain layers of the right pixels, in one viewer."""
    pixels = cases.picture((4, 30, 50), "uint16")
    viewer, widget, source, *layers = live(pixels, call=CALL)
    expected = usm.sharpen(pixels, **CALL, axes=(1, 2))
    plain = [
        viewer.add_image(made, name=name)
        for made, name in ((expected.image, "image"), (expected.edge_map, "edges"))
    ]
    widget.layer.value = source

    def check():
        for layer, same in zip(layers, plain, strict=True):
            assert_shows(qtbot, layer, on_screen(same))

    return viewer, [*layers, *plain], check


def test_other_orders_of_the_axes(side_by_side):
    """Rolled and transposed, napari shows cuts across planes that were sharpened."""
    viewer, _, check = side_by_side
    for order in ((1, 0, 2), (2, 1, 0), (0, 2, 1), (1, 2, 0)):
        viewer.dims.order = order
        for step in (0, 3):
            viewer.dims.current_step = (step,) * 3
            check()
    viewer.dims.roll()
    check()
    viewer.dims.transpose()
    check()


def test_volumes_and_grids(side_by_side):
    """In three dimensions all planes are there; beside each other, layers show the same."""
    viewer, layers, check = side_by_side
    viewer.dims.ndisplay = 3
    check()
    assert on_screen(layers[0]).ndim == 3
    viewer.dims.ndisplay = 2
    check()
    viewer.canvas.grid.enabled = True
    viewer.dims.current_step = (3, 0, 0)
    check()


def test_thick_slices(side_by_side):
    """Planes are sharpened first and projected then, as napari projects anything."""
    viewer, layers, check = side_by_side
    viewer.dims.thickness = (3, 1, 1)
    for mode in ("none", "mean", "max"):
        for layer in layers:
            layer.projection_mode = mode
        for step in (0, 2):
            viewer.dims.current_step = (step, 0, 0)
            check()


@pytest.fixture
def asynchronous():
    """Napari's experimental setting: slices are made in threads."""
    from napari.settings import get_settings

    experimental = get_settings().experimental
    before, experimental.async_ = experimental.async_, True
    yield
    experimental.async_ = before


def test_slices_in_threads(live, qtbot, asynchronous):
    """In napari's own threads all pixels are exact; the status line follows too."""
    pixels = cases.picture((3, 40, 50), "uint16")
    viewer, widget, _, result, edges = live(pixels, call=CALL)
    for sigma, plane in ((1.0, 0), (2.0, 0), (2.0, 2), (3.0, 1)):
        widget.sigma.value = sigma
        go_to(viewer, (plane,))
        expected = usm.sharpen(pixels[plane], sigma=sigma, amount=2.0)
        assert_shows(qtbot, result, expected.image)
        assert_shows(qtbot, edges, expected.edge_map)
        assert wait_for(qtbot, lambda p=plane: f"axis -3 = {p}" in status(widget))


def test_two_viewers(live, make_napari_viewer, qtbot):
    """The same pixels in two viewers are two images, each with its own controls."""
    pixels = cases.picture((3, 40, 50), "uint16")
    first = live(pixels, call={"sigma": 1.0})
    second = live(pixels, call={"sigma": 3.0}, viewer=make_napari_viewer())
    for plane in (0, 2):
        for (viewer, _, _, result, edges), sigma in ((first, 1.0), (second, 3.0)):
            go_to(viewer, (plane,))
            expected = usm.sharpen(pixels[plane], sigma=sigma)
            assert_shows(qtbot, result, expected.image)
            assert_shows(qtbot, edges, expected.edge_map)
    switch_live(first[1], False)
    assert (len(results(first[0])), len(results(second[0]))) == (0, 2)


def test_one_layer_in_two_viewers(live, make_napari_viewer, open_dock, qtbot):
    """A layer object that two viewers show has a result of its own in each."""
    pixels = cases.picture((40, 50), "uint16")
    viewer, first, source, result, _ = live(pixels, call={"sigma": 1.0})
    other, second = open_dock("Unsharp mask", make_napari_viewer())
    other.add_layer(source)
    second.sigma.value = 3.0
    switch_live(second)
    assert_shows(qtbot, result, usm.unsharp_mask(pixels))
    assert_shows(qtbot, live_layers(second)[0], usm.unsharp_mask(pixels, 3.0))
    switch_live(first, False)
    assert (len(viewer.layers), len(other.layers)) == (1, 3)


def test_two_docks(live, open_dock, qtbot):
    """Two docks on one image have a pair each; neither disturbs the other's."""
    pixels = cases.picture((40, 50), "uint16")
    viewer, first, source, result, _ = live(pixels, call=CALL)
    _, second = open_dock("Laplacian sharpen", viewer)
    second.layer.value = source
    switch_live(second)
    other, _ = live_layers(second)
    assert len(viewer.layers) == 5
    first.sigma.value = 4.0
    second.amount.value = 2.0
    assert_shows(qtbot, result, usm.unsharp_mask(pixels, 4.0, 2.0))
    assert_shows(qtbot, other, usm.laplacian_sharpen(pixels, 2.0, spacing=(1, 1)))
    viewer.layers.selection.active = other
    assert first.method.value == "unsharp_mask"
    assert live_layers(first)[0] is result
    switch_live(second, False)
    assert len(viewer.layers) == 3
    first.sigma.value = 2.0
    assert_shows(qtbot, result, usm.unsharp_mask(pixels, 2.0, 2.0))


# --- pyramids ---


def pyramid(pixels, count=3):
    return [pixels[..., :: 2**k, :: 2**k] for k in range(count)]


def look_at(layers, corners, canvas):
    """Let layers draw a part of the plane on a canvas of so many pixels."""
    for layer in layers:
        layer._update_draw(1, np.array(corners), canvas)


@pytest.mark.parametrize(
    ("shape", "lazy"), [((480, 640), False), ((3, 480, 640), True)]
)
def test_pyramids(live, qtbot, shape, lazy):
    """Every level is sharpened as wide as it has to be, and so is the thumbnail."""
    given = images = pyramid(cases.picture(shape, "uint16"))
    if lazy:
        given = [
            da.from_array(each, chunks=(1,) * (each.ndim - 2) + (100, 130))
            for each in images
        ]
    limits = (0, 65535)
    viewer, widget, _, *pair = live(
        given, call={"amount": 2.0}, multiscale=True, contrast_limits=limits
    )
    for sigma, plane in ((3.0, 0), (6.0, 0), (6.0, 2)):
        widget.sigma.value = sigma
        go_to(viewer, (plane,))
        levels = []
        for k, image in enumerate(images):
            seen = image[plane] if image.ndim == 3 else image
            made = usm.sharpen(seen, sigma=sigma / 2**k, amount=2.0)
            levels.append((made.image, made.edge_map))
        for level in (2, 0, 1):
            for layer, expected in zip(pair, levels[level], strict=True):
                layer.locked_data_level = level
                assert_shows(qtbot, layer, expected)
            said = "ms" if level == 0 else f"level {level}: sharpened"
            assert wait_for(qtbot, lambda w=said: w in status(widget))
        for layer, expected in zip(pair, levels[2], strict=True):
            layer.locked_data_level = None
            np.testing.assert_array_equal(layer._slice.thumbnail.raw, expected)


def test_tiles_of_a_pyramid(live, qtbot):
    """A part of the view is that part of the level, and small moves cost nothing."""
    images = pyramid(cases.picture((2, 1200, 1600), "uint16"))
    viewer, _, _, result, edges = live(images, call=CALL, multiscale=True)
    go_to(viewer, (1,))
    whole = usm.sharpen(images[0][1], **CALL)
    for top, left in ((100, 200), (103, 210), (700, 900)):
        corners = [[top, left], [top + 250, left + 300]]
        look_at((result, edges), corners, (250, 300))
        assert result.data_level == 0
        for layer, expected in ((result, whole.image), (edges, whole.edge_map)):
            (y0, x0), (y1, x1) = layer.corner_pixels[:, -2:]
            assert (y1 - y0, x1 - x0) < (1100, 1100)
            assert_shows(qtbot, layer, expected[y0 : y1 + 1, x0 : x1 + 1])


def test_a_pyramid_without_a_blur(live, qtbot):
    """The Laplacian has no width to scale: near levels are means, far ones the source."""
    images = pyramid(cases.picture((240, 320), "uint16"))
    _, widget, _, result, edges = live(
        images, "Laplacian sharpen", call={"amount": 2.0}, multiscale=True
    )
    fine = usm.sharpen(images[0], "laplacian_sharpen", amount=2.0)
    means = fine.image.reshape(120, 2, 160, 2).mean((1, 3))
    for level, expected, said in (
        (0, fine.image, ""),
        (1, np.floor(means + 0.5).astype(np.uint16), "level 1: means"),
        (2, images[2], "level 2: not sharpened"),
    ):
        result.locked_data_level = level
        assert_shows(qtbot, result, expected)
        assert wait_for(qtbot, lambda s=said: s in status(widget)), status(widget)
    edges.locked_data_level = 2
    assert_shows(qtbot, edges, np.zeros((60, 80), np.float32))
    edges.locked_data_level = 0
    assert_shows(qtbot, edges, fine.edge_map)


# --- what it costs ---


@pytest.fixture
def filtered(monkeypatch):
    """The boxes that were filtered, one after the other."""
    from napari_usm._engine import region as module

    boxes = []
    original = module.filtered

    def counted(plan, read, box, *rest):
        boxes.append(box)
        return original(plan, read, box, *rest)

    monkeypatch.setattr(module, "filtered", counted)
    return boxes


@pytest.fixture
def made(monkeypatch):
    """What napari asked for and was made: result or edge map."""
    names = []
    original = LiveResult._compute

    def counted(self, levels, which, *rest):
        names.append(which)
        return original(self, levels, which, *rest)

    monkeypatch.setattr(LiveResult, "_compute", counted)
    return names


def test_amounts_filter_nothing(live, qtbot, filtered, made):
    """A new strength blurs nothing again and leaves the edge map alone."""
    pixels = cases.picture((60, 70), "uint16")
    _, widget, _, result, edges = live(pixels, call=CALL)
    wait_for_rest(qtbot, result)
    del made[:]
    count = len(filtered)
    for amount in (0.5, 1.0, 3.0):
        widget.amount.value = amount
        expected = usm.sharpen(pixels, sigma=1.5, amount=amount)
        assert_shows(qtbot, result, expected.image)
        assert_shows(qtbot, edges, expected.edge_map)
    assert len(filtered) == count
    assert set(made) == {"image"}
    widget.threshold.value = 500.0
    expected = usm.sharpen(pixels, sigma=1.5, amount=3.0, threshold=500.0)
    assert_shows(qtbot, result, expected.image)
    assert_shows(qtbot, edges, expected.edge_map)
    assert len(filtered) == count
    widget.sigma.value = 2.0
    assert_shows(qtbot, result, usm.unsharp_mask(pixels, 2.0, 3.0, threshold=500.0))
    assert len(filtered) == count + 1


def test_hidden_layers_cost_nothing(live, qtbot, filtered):
    """Nothing is made of what nobody sees; it is right when it is seen again."""
    pixels = cases.picture((3, 60, 70), "uint16")
    viewer, widget, _, result, edges = live(pixels, call=CALL)
    wait_for_rest(qtbot, result)
    result.visible = edges.visible = False
    count = len(filtered)
    for sigma in (0.7, 2.0, 3.0):
        widget.sigma.value = sigma
        go_to(viewer, (int(sigma),) if sigma < 3 else (2,))
        qtbot.wait(30)
    assert status(widget) == "Live · its layers are hidden"
    wait_for_rest(qtbot, result)
    assert len(filtered) == count
    expected = usm.sharpen(pixels[2], sigma=3.0, amount=2.0)
    edges.visible = True
    assert_shows(qtbot, edges, expected.edge_map)
    assert status(widget).startswith("Live · edge map · axis -3 = 2 · ")
    result.visible = True
    assert_shows(qtbot, result, expected.image)
    assert status(widget).startswith("Live · axis -3 = 2 · ")


def test_a_plane_is_made_once(live, qtbot, filtered):
    """The result, its edge map and the report share what was filtered."""
    pixels = cases.picture((3, 60, 70), "uint16")
    viewer, widget, _, _, edges = live(pixels, call=CALL)
    for plane in (0, 1, 2, 0, 1, 2):
        go_to(viewer, (plane,))
        assert_shows(qtbot, edges, usm.edge_map(pixels[plane], **CALL))
    assert wait_for(qtbot, lambda: "noise ×" in status(widget))
    assert len(filtered) == 3


class Turns(QObject):
    """How long the window was held up, at most, while this was watching."""

    def __init__(self):
        super().__init__()
        self.longest = 0.0
        self._last = perf_counter()
        self.startTimer(1, Qt.TimerType.PreciseTimer)

    def timerEvent(self, event):
        now = perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now


@pytest.fixture
def slow(live, qtbot):
    """A live pair of a source that takes a while; the source's layer is hidden."""
    pixels = cases.picture((5, 60, 70), "uint16")
    source = Counted(pixels, SLOW)
    viewer, widget, _, result, edges = live(
        source, call=CALL, visible=False, contrast_limits=(0, 65535)
    )
    go_to(viewer, (1,))
    assert_shows(qtbot, edges, usm.edge_map(pixels[1], **CALL))
    assert_shows(qtbot, result, usm.unsharp_mask(pixels[1], **CALL))
    wait_for_rest(qtbot, result)
    del source.read[:]
    gc.disable()  # napari is large: a collection alone holds the window up for 0.2 s
    yield pixels, source, viewer, widget, result, edges
    gc.enable()


def test_a_slow_source(slow, qtbot):
    """The newest wins, old pixels stay meanwhile, and the window is never held up."""
    pixels, source, _, widget, result, edges = slow
    sigmas = [1.5 + step / 10 for step in range(31)]
    right = {usm.unsharp_mask(pixels[1], sigma, 2.0).tobytes() for sigma in sigmas}
    turns = Turns()
    for sigma in sigmas[1:]:
        widget.sigma.value = sigma
        assert on_screen(result).tobytes() in right  # old ones, and never none
        qtbot.wait(5)
    expected = usm.sharpen(pixels[1], sigma=4.5, amount=2.0)
    assert_shows(qtbot, result, expected.image)
    assert_shows(qtbot, edges, expected.edge_map)
    assert turns.longest < SLOW / 2
    assert len(source.read) <= 6
    assert wait_for(qtbot, lambda: "noise ×" in status(widget))


def test_planes_of_a_slow_source(slow, qtbot):
    """A plane that is not there yet is not the previous one; the line says so."""
    pixels, source, viewer, widget, result, edges = slow
    turns = Turns()
    for plane in (3, 4):
        go_to(viewer, (plane,))
        assert not on_screen(edges).any()
        assert status(widget) == "Live · updating…"
    for plane in [0, 2, 4, 3, 1] * 10:
        go_to(viewer, (plane,))
        qtbot.wait(1)
    assert wait_for(qtbot, lambda: status(widget).startswith("Live · axis -3 = 1 · "))
    go_to(viewer, (2,))
    assert_shows(qtbot, edges, usm.edge_map(pixels[2], **CALL))
    assert_shows(qtbot, result, usm.unsharp_mask(pixels[2], **CALL))
    assert wait_for(qtbot, lambda: status(widget).startswith("Live · axis -3 = 2 · "))
    assert len(source.read) <= 8
    assert turns.longest < SLOW / 2


# --- what the layers are ---


def test_napari_still_asks_from_there():
    """What is shown is told from what is computed with by who asks: the module's name."""
    from napari.layers._scalar_field import _slice

    assert _slice.__name__.startswith(SLICING)
    asked = inspect.getsource(_slice._ScalarFieldSliceRequest._project_thick_slice)
    assert "np.asarray(data[" in asked


def test_everybody_else_gets_exact_pixels(slow, qtbot, tmp_path):
    """Whatever is on the screen: arrays, files and copies have the true pixels."""
    pixels, _, _, widget, result, edges = slow
    widget.sigma.value = 4.0
    qtbot.wait(20)
    expected = usm.sharpen(pixels, sigma=4.0, amount=2.0, axes=(1, 2))
    np.testing.assert_array_equal(result.data[1], expected.image[1])
    np.testing.assert_array_equal(np.asarray(edges.data), expected.edge_map)
    np.testing.assert_array_equal(np.max(result.data), expected.image.max())
    result.save(str(tmp_path / "a.tif"))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), expected.image)


def duplicate(viewer, layer):
    """What napari's menu does; the new layer."""
    from napari.layers._layer_actions import _duplicate_layer

    before = set(viewer.layers)
    viewer.layers.selection = {layer}
    _duplicate_layer(viewer.layers)
    (twin,) = set(viewer.layers) - before
    return twin


@pytest.mark.parametrize("shape", [(3, 60, 70), (240, 320)])
def test_a_duplicate_is_frozen(live, qtbot, shape):
    """A copy stays as it is, with what it says of itself; the original goes on."""
    pixels = cases.picture(shape, "uint16")
    given = pixels if len(shape) == 3 else pyramid(pixels)
    keywords = {"multiscale": len(shape) == 2, "contrast_limits": (0, 65535)}
    viewer, widget, source, result, _ = live(given, call=CALL, **keywords)
    assert wait_for(qtbot, lambda: made_by(result)["report"] is not None)
    twin = duplicate(viewer, result)
    widget.layer.value = source
    widget.sigma.value = 3.0
    widget.amount.value = 1.0
    wait_for_rest(qtbot, result)
    filtered = {"axes": (pixels.ndim - 2, pixels.ndim - 1)}
    for layer, call in ((twin, CALL), (result, {"sigma": 3.0, "amount": 1.0})):
        data = layer.data if len(shape) == 3 else layer.data[0]
        expected = usm.unsharp_mask(pixels, **call, **filtered)
        np.testing.assert_array_equal(np.asarray(data), expected)
        told = made_by(layer)["parameters"]
        assert {name: told[name] for name in call} == call
    switch_live(widget, False)
    assert twin in viewer.layers
    assert result not in viewer.layers
    viewer.layers.remove(source)
    twin.refresh()
    np.testing.assert_array_equal(
        np.asarray(twin.data if len(shape) == 3 else twin.data[0]),
        usm.unsharp_mask(pixels, **CALL, **filtered),
    )


def test_the_source_moves(live, qtbot):
    """Where the source is put in the world, its layers are."""
    pixels = cases.picture((3, 40, 50), "uint16")
    _, _, source, *layers = live(pixels, "Laplacian sharpen")
    source.scale = (3, 2, 1)
    source.translate = (1, 2, 3)
    source.units = ("µm", "µm", "µm")
    source.axis_labels = ("z", "y", "x")
    source.rotate = 20
    source.shear = (0, 0.1, 0)
    affine = np.eye(4)
    affine[:3, 3] = 5, 6, 7
    source.affine = affine
    for layer in layers:
        for name in GEOMETRY:
            assert np.all(getattr(layer, name) == getattr(source, name)), name
        np.testing.assert_array_equal(layer.extent.world, source.extent.world)
    ends = np.array([source.data_to_world(end) for end in np.eye(3)])
    steps = np.linalg.norm(ends - source.data_to_world((0, 0, 0)), axis=1)
    assert not np.allclose(steps, source.scale), "the shear makes a step longer"
    spacing = {"spacing": tuple(steps[1:])}  # a longer step is a flatter slope
    plane = pixels[int(layers[0]._data_slice.point[0])]
    expected = usm.sharpen(plane, "laplacian_sharpen", **spacing)
    assert_shows(qtbot, layers[0], expected.image)
    assert_shows(qtbot, layers[1], expected.edge_map)
    made = made_by(layers[0])["parameters"]["spacing"]
    assert made == pytest.approx(spacing["spacing"])


def test_the_look_is_the_users(live, qtbot):
    """Colours and limits that were chosen stay while parameters and pixels change."""
    pixels = cases.picture((3, 40, 50), "uint16")
    viewer, widget, source, result, edges = live(pixels)
    for layer in (result, edges):
        layer.colormap, layer.gamma, layer.opacity = "viridis", 0.5, 0.8
    result.contrast_limits = (5, 10)
    edges.contrast_limits = (-7, 7)
    result.name = "mine"
    for change in (
        lambda: setattr(widget.sigma, "value", 3.0),
        lambda: setattr(widget.method, "value", "laplacian_sharpen"),
        lambda: go_to(viewer, (2,)),
        lambda: setattr(source, "data", cases.picture((3, 40, 50), "uint16", seed=1)),
    ):
        change()
        wait_for_rest(qtbot, result)
        qtbot.wait(200)
        for layer, limits in ((result, [5, 10]), (edges, [-7, 7])):
            look = layer.colormap.name, layer.gamma, layer.opacity
            assert look == ("viridis", 0.5, 0.8)
            assert layer.contrast_limits == limits
    assert result.name == "mine"
    np.testing.assert_array_equal(source.contrast_limits, [0, 65535])


def test_limits_of_the_edge_map_follow(live, qtbot):
    """They fit the plane on the screen, whichever layers are shown."""
    pixels = cases.picture((60, 70), "uint16")
    _, widget, _, result, edges = live(pixels)
    for sigma, *shown in ((0.6, True, True), (4.0, False, True), (2.0, True, False)):
        result.visible, edges.visible = shown
        widget.sigma.value = sigma
        limit = edge_limit(usm.edge_map(pixels, sigma=sigma))
        assert wait_for(
            qtbot, lambda n=limit: edges.contrast_limits == pytest.approx([-n, n])
        )


def test_the_layers_tell_how_they_are_made(live, qtbot):
    """Method, parameters, controls and report are those of what is shown."""
    pixels = cases.picture((40, 50), "uint8")
    _, widget, _, result, edges = live(pixels, ADAPTIVE_TITLE)
    expected = usm.sharpen(pixels, ADAPTIVE)
    assert wait_for(qtbot, lambda: made_by(result)["report"] is not None)
    for layer in (result, edges):
        told = made_by(layer)
        assert (told["method"], told["gain"]) == (ADAPTIVE, expected.gain)
        assert told["report"].clipped_low == expected.report.clipped_low
        assert told["controls"]["gain_per"] == "image"
    widget.method.value = "unsharp_mask"
    widget.sigma.value = 2.0
    wait_for_rest(qtbot, result)
    for layer in (result, edges):
        told = made_by(layer)
        assert (told["method"], told["gain"]) == ("unsharp_mask", None)
        assert told["parameters"]["sigma"] == told["controls"]["sigma"] == 2.0
        again = usm.sharpen(pixels, told["method"], **told["parameters"])
        np.testing.assert_array_equal(again.image, result.data)
        assert told["report"] is None or told["report"].method == "unsharp_mask"


def test_what_shines_through(live):
    """An additive source is hidden under its live result and comes back after it."""
    pixels = cases.picture((40, 50), "uint16")
    _, widget, source, result, _ = live(pixels, blending="additive")
    assert (source.visible, result.visible) == (False, True)
    widget.sigma.value = 2.0
    switch_live(widget, False)
    assert source.visible


# --- the status line ---


def test_the_line_is_never_stale(live, qtbot):
    """It tells what is on the screen: plane, gain, clipped pixels, whose they are."""
    pixels = cases.picture((3, 60, 70), "uint8")
    viewer, widget, source, result, edges = live(pixels, call={"amount": 1.0})
    other = viewer.add_image(pixels[:, ::-1], name="other")
    widget.layer.value = source
    result, edges = live_layers(widget)

    def line_of(plane, method="unsharp_mask", image=pixels, **call):
        if "gains" in usm.METHODS[method].parameters:
            call["gains"] = [gain_of(image)]
        report = usm.sharpen(image[plane], method, **call).report
        clipped = 100 * float(np.mean(report.clipped_low + report.clipped_high))
        clipped = f"clipped {clipped:.2g} %" if clipped >= 0.01 else "clipped"
        gain = f"λ {call['gains'][0]:.3g} → " if "gains" in call else ""
        return f"Live · axis -3 = {plane} · ", gain, clipped

    def tells(parts):
        line = status(widget)
        return line.startswith(parts[0]) and all(part in line for part in parts)

    go_to(viewer, (0,))
    assert wait_for(qtbot, lambda: tells(line_of(0)))
    widget.amount.value = 5.0
    assert not tells(line_of(0))
    assert wait_for(qtbot, lambda: tells(line_of(0, amount=5.0)))
    go_to(viewer, (2,))
    assert not status(widget).startswith("Live · axis -3 = 0")
    assert wait_for(qtbot, lambda: tells(line_of(2, amount=5.0)))
    go_to(viewer, (0,))
    assert wait_for(qtbot, lambda: tells(line_of(0, amount=5.0)))
    widget.method.value = ADAPTIVE
    qtbot.wait(20)
    assert not tells(line_of(0, amount=5.0))
    assert wait_for(qtbot, lambda: tells(line_of(0, ADAPTIVE)))
    edges.visible = False
    result.visible = False
    assert status(widget) == "Live · its layers are hidden"
    edges.visible = True
    assert status(widget).startswith("Live · edge map · axis -3 = 0 · ")
    result.visible = True
    assert wait_for(qtbot, lambda: tells(line_of(0, ADAPTIVE)))
    widget.layer.value = other
    assert wait_for(qtbot, lambda: tells(line_of(0, ADAPTIVE, pixels[:, ::-1])))
    switch_live(widget, False)
    qtbot.wait(200)
    assert status(widget) == ""


def gain_of(image):
    return usm.sharpen(image, ADAPTIVE, axes=(1, 2)).gain


def test_the_sentence_follows_other_pixels(live, qtbot):
    """If the image gets another shape, what is said of its planes is not the old."""
    _, widget, source, _, _ = live(cases.picture((3, 40, 50), "uint16"))
    assert "Filters Y and X of each of 3 planes" in texts(widget)
    source.data = cases.picture((7, 40, 50), "uint16")
    assert "Filters Y and X of each of 7 planes" in texts(widget)
