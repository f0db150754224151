"""Image layers saved as OME-Zarr and OME-TIFF by napari's own commands."""

import json

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr
from napari.layers import Image
from napari.plugins.io import save_layers
from npe2 import PluginManager

import cases
import napari_usm as usm
from harness import Counted, go_live
from napari_usm import io
from napari_usm._widgets.saving import save as saving
from napari_usm._widgets.saving.writers import SavingError
from napari_usm.io.ome_zarr import Store

STACK = cases.picture((3, 40, 44), "uint16")
GRID = {
    "scale": (2.0, 0.5, 0.25),
    "translate": (1.0, 2.0, -3.0),
    "units": ("µm", "µm", "µm"),
    "axis_labels": ("z", "y", "x"),
}
BOTH = pytest.mark.parametrize("end", [".ome.zarr", ".ome.tif"])


@pytest.fixture(autouse=True)
def plugins():
    """Writers that napari finds when it starts."""
    PluginManager.instance().discover()


def saved(path, *layers):
    """Save as napari does, by the ending of the name."""
    (written,) = save_layers(path, list(layers))
    return written


def pixels_of(path):
    """The full resolution, by readers that are not ours."""
    if path.name.endswith(".zarr"):
        return zarr.open(path, mode="r")["0"][...]
    return tifffile.imread(path, level=0)


def metadata_of(path):
    with io.open_image(path) as image:
        return image.metadata


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_refused(folder, text, *layers, end=".ome.zarr"):
    """An error that says so, and no file."""
    with pytest.raises(SavingError, match=text):
        saved(folder / f"refused{end}", *layers)
    assert left_in(folder) == []


# --- pixels and metadata ---


@BOTH
def test_pixels_and_grid_come_back(tmp_path, end):
    """Scale, translation, units and name are in the file, and no pixel is another."""
    path = tmp_path / f"cells{end}"
    assert saved(path, Image(STACK, name="cells", **GRID)) == str(path)
    np.testing.assert_array_equal(pixels_of(path), STACK)
    assert pixels_of(path).dtype == STACK.dtype
    found = metadata_of(path)
    assert found.axes == ("z", "y", "x")
    assert found.scale == GRID["scale"]
    assert found.translate == GRID["translate"]
    assert found.units == ("micrometer",) * 3
    assert found.name == "cells"


def test_ome_zarr_names_colours_and_limits(tmp_path):
    """OMERO's settings: the last colour of the colormap, and the contrast limits."""
    layer = Image(STACK, name="actin", colormap="magenta", contrast_limits=(7, 900))
    path = tmp_path / "actin.ome.zarr"
    saved(path, layer)
    (channel,) = zarr.open(path).attrs["ome"]["omero"]["channels"]
    assert (channel["label"], channel["color"]) == ("actin", "FF00FF")
    assert (channel["window"]["start"], channel["window"]["end"]) == (7, 900)


def test_a_colormap_that_ends_in_black_is_no_black_channel(tmp_path):
    path = tmp_path / "inverted.ome.zarr"
    saved(path, Image(STACK, colormap="gray_r"))
    (channel,) = zarr.open(path).attrs["ome"]["omero"]["channels"]
    assert channel["color"] == "FFFFFF"


@BOTH
def test_layers_become_channels(tmp_path, end):
    """Several layers of one grid are channels, with names and colours."""
    nuclei = Image(STACK, name="nuclei", colormap="blue", **GRID)
    actin = Image(STACK[::-1], name="actin", colormap="green", **GRID)
    path = tmp_path / f"both{end}"
    saved(path, nuclei, actin)
    np.testing.assert_array_equal(pixels_of(path), np.stack([STACK, STACK[::-1]]))
    found = metadata_of(path)
    assert found.axes == ("c", "z", "y", "x")
    assert found.scale == (1.0, *GRID["scale"])
    names = [(channel.name, channel.color) for channel in found.channels]
    assert names == [("nuclei", "0000FF"), ("actin", "00FF00")]


@BOTH
def test_rgb(tmp_path, end):
    pixels = cases.picture((40, 44, 3), "uint8")
    path = tmp_path / f"rgb{end}"
    saved(path, Image(pixels, rgb=True, scale=(0.5, 0.5)))
    expected = pixels if end == ".ome.tif" else np.moveaxis(pixels, -1, 0)
    np.testing.assert_array_equal(pixels_of(path), expected)
    if end == ".ome.zarr":
        channels = zarr.open(path).attrs["ome"]["omero"]["channels"]
        assert [c["color"] for c in channels] == ["FF0000", "00FF00", "0000FF"]
    else:
        with tifffile.TiffFile(path) as file:
            assert file.series[0].axes == "YXS"


@BOTH
def test_a_pyramid_of_means(tmp_path, end):
    """Planes that are large have further levels: means of the full resolution."""
    pixels = cases.picture((1200, 40), "uint16")
    path = tmp_path / f"large{end}"
    saved(path, Image(pixels))
    half = pixels.reshape(600, 2, 20, 2).mean((1, 3), dtype=np.float32)
    half = np.floor(half + 0.5).astype("uint16")
    level = zarr.open(path)["1"][...] if end == ".ome.zarr" else None
    level = tifffile.imread(path, level=1) if level is None else level
    np.testing.assert_array_equal(level, half)


def test_a_multiscale_layer_is_a_pyramid_with_its_factors(tmp_path):
    pixels = cases.picture((128, 96), "uint16")
    path = tmp_path / "levels.ome.zarr"
    saved(path, Image([pixels, pixels[::4, ::4]], multiscale=True))
    group = zarr.open(path)
    np.testing.assert_array_equal(group["0"][...], pixels)
    assert group["1"].shape == (32, 24)
    assert "2" not in group


@pytest.mark.parametrize(
    ("labels", "units", "expected"),
    [
        (("-3", "-2", "-1"), None, ("axis -3", "y", "x")),
        (("frames", "row", "col"), None, ("t", "y", "x")),
        (("a", "b", "d"), ("s", "µm", "µm"), ("t", "y", "x")),
        (("depth", "y", "x"), None, ("z", "y", "x")),
        (("y", "x", "z"), None, ("y", "x", "z")),
        (("Channel", "Y", "X"), None, ("c", "y", "x")),
    ],
)
def test_names_of_axes(tmp_path, labels, units, expected):
    """Those that are known by label or unit; one that is not is never guessed."""
    path = tmp_path / "axes.ome.zarr"
    saved(path, Image(STACK, axis_labels=labels, units=units))
    assert metadata_of(path).axes == expected


@BOTH
def test_napari_opens_what_was_saved(make_napari_viewer, tmp_path, end):
    """Its reader, which knows neither scale nor units, shows the same pixels."""
    path = tmp_path / f"cells{end}"
    saved(path, Image(STACK, **GRID))
    viewer = make_napari_viewer()
    (layer,) = viewer.open(path, plugin="napari")
    data = layer.data[0] if layer.multiscale else layer.data
    np.testing.assert_array_equal(np.asarray(data), STACK)


def test_a_name_without_ending_is_napari_s(tmp_path):
    """Nothing changes for those who do not ask for OME."""
    assert saved(tmp_path / "cells", Image(STACK[0])).endswith("cells.tif")


def test_the_ending_is_added_for_a_chosen_kind(tmp_path):
    """The dialog of napari returns a name as it was typed."""
    from napari.plugins import _npe2

    layer = Image(STACK, name="cells")
    filters, writers = _npe2.file_extensions_string_for_layers([layer])
    assert "napari-usm OME-TIFF (*.ome.tif *.ome.tiff)" in filters
    (writer,) = (w for w in writers if w.command == "napari-usm.write_ome_tiff")
    written = save_layers(tmp_path / "cells", [layer], _writer=writer)
    assert written == [str(tmp_path / "cells.ome.tif")]


# --- lazy and live layers ---


@BOTH
def test_a_lazy_layer_never_comes_whole(tmp_path, end, monkeypatch):
    """What is read at once is a block; each is read once."""
    monkeypatch.setattr(saving, "UNIT", STACK[0].size)
    monkeypatch.setattr("napari_usm._widgets.saving.store.UNIT", STACK[0].size)
    source = Counted(STACK)
    layer = Image(source, contrast_limits=(0, 65535))
    source.read.clear()
    path = tmp_path / f"lazy{end}"
    saved(path, layer)
    np.testing.assert_array_equal(pixels_of(path), STACK)
    sizes = [STACK[spans].size for spans in source.read]
    assert sizes == [STACK[0].size] * len(STACK)


@BOTH
def test_dask(tmp_path, end):
    path = tmp_path / f"dask{end}"
    lazy = da.from_array(STACK, chunks=(2, 17, 44)) + 1
    saved(path, Image(lazy, contrast_limits=(0, 65535)))
    np.testing.assert_array_equal(pixels_of(path), STACK + 1)


@BOTH
@pytest.mark.parametrize("method", ["Unsharp mask", "Adaptive unsharp mask"])
def test_live_layers(open_dock, qtbot, tmp_path, end, method):
    """Exact pixels of all planes, also of those that were never on the screen."""
    viewer, widget = open_dock(method)
    viewer.add_image(STACK, name="cells", **GRID)
    name = method.lower().replace(" ", "_")
    expected = usm.sharpen(STACK, name, axes=(1, 2))
    plane = viewer.dims.current_step[0]
    result, edges = go_live(qtbot, widget, expected.image[plane])
    path, edge_path = tmp_path / f"result{end}", tmp_path / f"edges{end}"
    saved(path, result)
    saved(edge_path, edges)
    np.testing.assert_array_equal(pixels_of(path), expected.image)
    np.testing.assert_array_equal(pixels_of(edge_path), expected.edge_map)
    found = metadata_of(path)
    assert found.name == "cells sharpened"
    assert (found.scale, found.translate) == (GRID["scale"], GRID["translate"])


def test_a_live_layer_is_saved_as_it_was(open_dock, qtbot, tmp_path, monkeypatch):
    """The bar lets the window respond: what is tuned meanwhile changes no pixel."""
    monkeypatch.setattr("napari_usm._widgets.saving.store.UNIT", STACK[0].size)
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(STACK, name="cells", **GRID)
    expected = usm.sharpen(STACK, axes=(1, 2)).image
    result, _ = go_live(qtbot, widget, expected[viewer.dims.current_step[0]])
    write = Store.write

    def tuning(self, spans, values):
        write(self, spans, values)
        widget.amount.value = 5.0

    monkeypatch.setattr(saving, "thread_count", lambda: 1)
    monkeypatch.setattr(Store, "write", tuning)
    path = tmp_path / "result.ome.zarr"
    saved(path, result)
    np.testing.assert_array_equal(pixels_of(path), expected)


# --- the record ---


@BOTH
def test_the_record_of_a_result(open_dock, tmp_path, end):
    """Recipe, versions and report are in the file."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(STACK, name="cells", **GRID)
    widget.amount.value = 2.0
    widget()
    path = tmp_path / f"result{end}"
    saved(path, viewer.layers[1])
    if end == ".ome.zarr":
        record = zarr.open(path).attrs["napari_usm"]
    else:
        with tifffile.TiffFile(path) as file:
            ome = tifffile.xml2dict(file.ome_metadata)["OME"]
        comment = ome["StructuredAnnotations"]["CommentAnnotation"]
        assert comment["Namespace"] == "napari-usm"
        record = json.loads(comment["Value"])
    assert record["recipe"]["method"] == "unsharp_mask"
    assert record["recipe"]["parameters"]["amount"] == 2.0
    assert record["report"]["amount"] == 2.0
    assert "napari-usm" in record["versions"]


def test_a_layer_that_is_no_result_has_no_record(tmp_path):
    path = tmp_path / "plain.ome.zarr"
    saved(path, Image(STACK, metadata={"mine": object()}))
    assert zarr.open(path).attrs["napari_usm"] == {}


# --- refused ---


@BOTH
@pytest.mark.parametrize(
    "transform",
    [
        {"rotate": 30},
        {"shear": (0.2,)},
        {"affine": [[1, 0.3, 0], [0, 1, 0], [0, 0, 1]]},
    ],
)
def test_other_transforms_are_refused(tmp_path, end, transform):
    layer = Image(STACK[0], name="turned", **transform)
    assert_refused(tmp_path, "no rotation, shear .*'turned'", layer, end=end)


def test_an_affine_that_only_scales_and_moves_is_saved(tmp_path):
    path = tmp_path / "cells.ome.zarr"
    affine = [[2, 0, 10], [0, 4, 20], [0, 0, 1]]
    saved(path, Image(STACK[0], scale=(0.5, 0.5), translate=(1, 1), affine=affine))
    found = metadata_of(path)
    assert (found.scale, found.translate) == ((1.0, 2.0), (12.0, 24.0))


@BOTH
@pytest.mark.parametrize(
    ("other", "text"),
    [
        (Image(STACK, name="other", **{**GRID, "scale": (1, 1, 1)}), "one grid.*scale"),
        (Image(STACK, name="other", **{**GRID, "translate": (0, 0, 0)}), "translate"),
        (Image(STACK[:2], name="other", **GRID), "one shape"),
        (Image(STACK.astype("float32"), name="other", **GRID), "one dtype"),
    ],
)
def test_layers_of_several_grids_are_refused(tmp_path, end, other, text):
    layer = Image(STACK, name="cells", **GRID)
    assert_refused(tmp_path, text, layer, other, end=end)


def test_what_a_format_cannot_hold_is_refused(tmp_path):
    """Before anything is read."""
    many = Counted(np.zeros((2, 2, 2, 2, 8, 8), "uint16"))
    layer = Image(many, contrast_limits=(0, 1))
    many.read.clear()
    assert_refused(tmp_path, "at most 5 in all; .*: name the axes in layer", layer)
    integers = Counted(np.zeros((8, 8), "int64"))
    layer = Image(integers, contrast_limits=(0, 1))
    integers.read.clear()
    assert_refused(tmp_path, "OME-TIFF cannot hold", layer, end=".ome.tif")
    assert many.read == integers.read == []


def test_a_folder_is_never_replaced(tmp_path):
    path = tmp_path / "cells.ome.zarr"
    saved(path, Image(STACK))
    with pytest.raises(FileExistsError, match="exists: choose another name"):
        saved(path, Image(STACK + 1))
    np.testing.assert_array_equal(pixels_of(path), STACK)
    assert left_in(tmp_path) == ["cells.ome.zarr"]


def test_a_file_is_replaced_when_it_is_complete(tmp_path):
    """napari's dialog has asked."""
    path = tmp_path / "cells.ome.tif"
    saved(path, Image(STACK))
    saved(path, Image(STACK + 1))
    np.testing.assert_array_equal(pixels_of(path), STACK + 1)


@BOTH
def test_a_failing_disk_leaves_nothing(tmp_path, end, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    module = "ome_zarr.Store.write" if end == ".ome.zarr" else "ome_zarr.Scratch.write"
    monkeypatch.setattr(f"napari_usm.io.{module}", full)
    layer = Image(Counted(STACK), contrast_limits=(0, 1))
    with pytest.raises(OSError, match="No space left"):
        saved(tmp_path / f"cells{end}", layer)
    assert left_in(tmp_path) == []


@BOTH
def test_a_source_that_cannot_be_read_leaves_nothing(tmp_path, end):
    class Broken(Counted):
        def __getitem__(self, key):
            raise OSError("the disk was pulled out")

    layer = Image(STACK, contrast_limits=(0, 1))
    layer_data = Broken(STACK), layer.as_layer_data_tuple()[1], "image"
    form = io.find_format(f"x{end}")
    with pytest.raises(OSError, match="pulled out"):
        saving.save(
            tmp_path / f"cells{end}",
            form,
            saving.Picture.of([layer_data], "cells"),
            lambda done, total: None,
        )
    assert left_in(tmp_path) == []


@BOTH
def test_cancel_at_the_bar(tmp_path, end, monkeypatch):
    """Nothing is left, and what was there before stays."""
    from napari.utils import cancelable_progress

    def update(self, count=1):
        self.cancel()

    monkeypatch.setattr(cancelable_progress, "update", update)
    layer = Image(da.from_array(STACK), contrast_limits=(0, 1))
    assert_refused(tmp_path, "Saving was cancelled", layer, end=end)
