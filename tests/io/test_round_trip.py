"""Pixels and metadata that a format can hold come back as they were."""

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image as Pillow
from yaozarrs import validate_zarr_store

from napari_usm import io
from napari_usm.io import FORMATS, Channel, FormatError, Metadata
from picture_files import CELLS, cells, metadata_of, pixels_of, write_zarr

TYPES = (
    bool,
    *(f"{kind}int{bits}" for kind in ("", "u") for bits in (8, 16, 32)),
    float,
    "f4",
)


def write(path, pixels, metadata, **record):
    io.find_format(path).write(path, pixels, metadata, record)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("suffix", [".ome.zarr", ".ome.tif", ".npy"])
def test_pixels_of_every_type(tmp_path, suffix, dtype):
    """Nothing is converted."""
    pixels = np.random.default_rng(0).integers(-9, 9, (2, 3, 40, 50)).astype(dtype)
    path = tmp_path / f"image{suffix}"
    write(path, pixels, CELLS)
    back = pixels_of(path)
    assert back.dtype == pixels.dtype
    np.testing.assert_array_equal(back, pixels)


@pytest.mark.parametrize("suffix", [".ome.zarr", ".ome.tif"])
@pytest.mark.parametrize("order", ["czyx", "zcyx", "tczyx", "tyx", "yx", "zyx", "cyx"])
def test_axes_scale_and_channels(tmp_path, suffix, order):
    """Axes keep their order, but for OME-Zarr, where time and channels come first."""
    steps = {"t": (2.0, "second"), "c": (1.0, ""), "z": (0.5, "micrometer")}
    steps |= {"y": (0.2, "micrometer"), "x": (0.25, "micrometer")}
    sizes = {"t": 2, "c": 2, "z": 3, "y": 30, "x": 40}
    pixels = cells([sizes[axis] for axis in order])
    channels = CELLS.channels if "c" in order else ()
    metadata = Metadata(
        tuple(order),
        tuple(steps[axis][0] for axis in order),
        tuple(steps[axis][1] for axis in order),
        channels=channels,
    )
    path = tmp_path / f"image{suffix}"
    write(path, pixels, metadata)
    back = metadata_of(path)
    kept = order
    if suffix == ".ome.zarr":
        kept = "".join(sorted(order, key="tczyx".index))
        pixels = pixels.transpose([order.index(axis) for axis in kept])
    assert back.axes == tuple(kept)
    assert back.scale == tuple(steps[axis][0] for axis in kept)
    assert back.units == tuple(steps[axis][1] for axis in kept)
    names = [(each.name, each.color) for each in back.channels]
    assert names == [(each.name, each.color) for each in channels]
    np.testing.assert_array_equal(pixels_of(path), pixels)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_is_valid_and_read_by_others(tmp_path, version):
    """The models of the specification take it; zarr alone finds pixels and scale."""
    pixels = cells((2, 4, 600, 700))
    path = write_zarr(tmp_path / "cells.ome.zarr", pixels, version=version)
    validate_zarr_store(path)
    group = zarr.open_group(path, mode="r")
    assert group.metadata.zarr_format == (3 if version == "0.5" else 2)
    np.testing.assert_array_equal(group["0"][:], pixels)
    attributes = group.attrs["ome"] if version == "0.5" else group.attrs
    steps = [
        level["coordinateTransformations"][0]["scale"]
        for level in attributes["multiscales"][0]["datasets"]
    ]
    assert steps == [[1, 0.5, 0.2, 0.2], [1, 0.5, 0.4, 0.4]]
    window = attributes["omero"]["channels"][1]["window"]
    assert (window["start"], window["end"]) == (90, 2000)


def test_levels_are_means(tmp_path):
    """Each pixel of a level is the rounded mean of four; the last has what is left."""
    pixels = cells((513, 1026))
    metadata = Metadata.without_scale("yx")
    path = write_zarr(tmp_path / "plane.ome.zarr", pixels, metadata)
    level = zarr.open_group(path, mode="r")["1"][:]
    assert level.shape == (256, 513)
    four = pixels[:2, :2].astype(float)
    assert level[0, 0] == np.floor(four.mean() + 0.5)
    six = pixels[510:, :2].astype(float)
    assert level[-1, 0] == np.floor(six.mean() + 0.5)


def test_factors_of_the_source_are_repeated(tmp_path):
    """A pyramid by 4 comes back as one."""
    pixels = cells((64, 128))
    metadata = Metadata(("y", "x"), (1, 1), ("", ""), factors=((4, 4), (8, 16)))
    path = write_zarr(tmp_path / "plane.ome.zarr", pixels, metadata)
    assert metadata_of(path).factors == ((4, 4), (8, 16))
    group = zarr.open_group(path, mode="r")
    assert [group[name].shape for name in "012"] == [(64, 128), (16, 32), (8, 8)]


def test_the_default_window_is_the_range_of_the_channel(tmp_path):
    """An image of 12 bit is not shown as if it had 16."""
    metadata = Metadata(**{**vars(CELLS), "channels": (Channel("a"), Channel("b"))})
    pixels = cells()
    path = write_zarr(tmp_path / "cells.ome.zarr", pixels, metadata)
    windows = [each.window for each in metadata_of(path).channels]
    assert windows == [(each.min(), each.max()) for each in pixels]


@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_colours(tmp_path, samples, dtype):
    """Colours stay together where a format has them, and become channels in zarr."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, samples)).astype(dtype)
    pixels *= np.array(257, dtype) if dtype == "uint16" else np.array(1, dtype)
    metadata = Metadata.without_scale("yxs")
    for suffix in (".png", ".ome.tif", ".tif"):
        write(tmp_path / f"image{suffix}", pixels, metadata)
        assert metadata_of(tmp_path / f"image{suffix}").axes == ("y", "x", "s")
        np.testing.assert_array_equal(pixels_of(tmp_path / f"image{suffix}"), pixels)
    path = tmp_path / "image.ome.zarr"
    write(path, pixels, metadata)
    assert metadata_of(path).axes == ("c", "y", "x")
    colors = [each.color for each in metadata_of(path).channels]
    assert colors[:3] == ["FF0000", "00FF00", "0000FF"]
    np.testing.assert_array_equal(pixels_of(path), np.moveaxis(pixels, -1, 0))


def test_pictures_keep_profile_and_exif(tmp_path):
    """Colour profile, resolution and orientation are copied; pixels are not turned."""
    profile, exif = b"some profile" * 20, Pillow.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    pixels = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    for suffix in (".png", ".jpg"):
        source, target = tmp_path / f"source{suffix}", tmp_path / f"target{suffix}"
        picture = Pillow.fromarray(pixels)
        picture.save(source, icc_profile=profile, exif=exif, dpi=(300, 300))
        with io.open_image(source) as image:
            assert image.shape == pixels.shape
            write(target, image.pixels, image.metadata, text="Schärfe")
        with Pillow.open(target) as back:
            assert back.info["icc_profile"] == profile
            assert back.getexif()[0x0112] == 6
            if suffix == ".png":
                assert back.text["napari-usm"] == "Schärfe"
            else:
                assert back.info["comment"].decode() == "Schärfe"


@pytest.mark.parametrize(
    ("suffix", "dtype", "words"),
    [(".jpg", "uint16", "uint8 for JPEG"), (".png", "float32", "uint8 or uint16")],
)
def test_pictures_are_never_converted(tmp_path, suffix, dtype, words):
    """Another depth is refused."""
    with pytest.raises(FormatError, match=words):
        write(
            tmp_path / f"a{suffix}",
            np.zeros((4, 5), dtype),
            Metadata.without_scale("yx"),
        )


def test_imagej(tmp_path):
    """Hyperstacks keep unit, spacing, interval, ranges and lookup tables."""
    pixels = cells((2, 3, 2, 30, 40))
    tables = [np.zeros((3, 256), np.uint8) for _ in range(2)]
    tables[0][1], tables[1][0] = np.arange(256), np.arange(256)
    source, target = tmp_path / "source.tif", tmp_path / "target.tif"
    tifffile.imwrite(
        source,
        pixels,
        imagej=True,
        resolution=(5, 4),
        metadata={
            "axes": "TZCYX",
            "unit": "um",
            "spacing": 0.5,
            "finterval": 3.0,
            "LUTs": tables,
            "Ranges": (100.0, 900.0, 90.0, 800.0),
            "mode": "composite",
        },
    )
    with io.open_image(source) as image:
        metadata = image.metadata
        assert image.kind == "ImageJ TIFF"
        write(target, image.pixels, metadata, text="record")
    assert metadata.axes == ("t", "z", "c", "y", "x")
    assert metadata.scale == (3.0, 0.5, 1.0, 0.25, 0.2)
    assert metadata.units == ("second", "micrometer", "", "micrometer", "micrometer")
    assert [each.color for each in metadata.channels] == ["00FF00", "FF0000"]
    assert [each.window for each in metadata.channels] == [(100, 900), (90, 800)]
    back = metadata_of(target)
    assert (back.axes, back.scale, back.units) == (
        metadata.axes,
        metadata.scale,
        metadata.units,
    )
    assert back.channels == metadata.channels
    np.testing.assert_array_equal(pixels_of(target), pixels)
    with tifffile.TiffFile(target) as file:
        assert file.is_imagej
        assert "record" in file.imagej_metadata["Info"]


def test_ome_tiff_has_tiles_and_a_pyramid(tmp_path):
    """Planes above 512 pixels are cut into tiles, with further levels."""
    pixels = cells((2, 1030, 700))
    metadata = Metadata(
        ("c", "y", "x"), (1, 0.2, 0.2), ("", "micrometer", "micrometer")
    )
    path = tmp_path / "image.ome.tif"
    write(path, pixels, metadata, text='{"method": "µ"}')
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        assert series.keyframe.is_tiled
        assert [level.shape for level in series.levels] == [
            (2, 1030, 700),
            (2, 515, 350),
            (2, 257, 175),
        ]
        np.testing.assert_array_equal(series.asarray(), pixels)
        assert "napari-usm" in file.ome_metadata
        assert "method" in file.ome_metadata
    assert metadata_of(path).factors == ((1, 2, 2), (1, 4, 4))


def test_every_series_is_listed(tmp_path):
    """Each series of a TIFF file is an image."""
    path = tmp_path / "several.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(cells((30, 40)), metadata={"axes": "YX"})
        file.write(cells((3, 20, 24)), metadata={"axes": "ZYX"})
    listed = io.list_images(path)
    assert [each.inner for each in listed] == ["0", "1"]
    with io.open_image(listed[1]) as image:
        assert image.metadata.axes == ("z", "y", "x")
        assert image.shape == (3, 20, 24)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd"])
@pytest.mark.parametrize("planar", [False, True])
def test_tiff_of_others(tmp_path, compression, planar):
    """Compressed pages, and colours in planes, read as they are."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 40, 50), np.uint8)
    path = tmp_path / "image.tif"
    stored = pixels if planar else np.moveaxis(pixels, 0, -1)
    tifffile.imwrite(
        path,
        stored,
        photometric="rgb",
        planarconfig="separate" if planar else "contig",
        compression=compression,
    )
    assert metadata_of(path).axes == ("y", "x", "s")
    np.testing.assert_array_equal(pixels_of(path), np.moveaxis(pixels, 0, -1))


def test_big_endian(tmp_path):
    """Pixels come in the byte order of this machine."""
    pixels = cells((5, 30, 40))
    tifffile.imwrite(tmp_path / "a.tif", pixels, byteorder=">")
    np.save(tmp_path / "a.npy", pixels.astype(">u2"))
    for name in ("a.tif", "a.npy"):
        back = pixels_of(tmp_path / name)
        assert back.dtype.isnative
        np.testing.assert_array_equal(back, pixels)


def test_names_of_axes_are_not_guessed(tmp_path):
    """What a file does not say is unknown, until a user says it."""
    np.save(tmp_path / "a.npy", cells((3, 30, 40)))
    tifffile.imwrite(tmp_path / "a.tif", cells((5, 30, 40)))
    assert metadata_of(tmp_path / "a.npy").axes == ("?", "?", "?")
    assert metadata_of(tmp_path / "a.tif").axes == ("?", "y", "x")
    with io.open_image(tmp_path / "a.npy", "ZYX") as image:
        assert image.metadata.axes == ("z", "y", "x")
    for wrong in ("YX", "ZZX", "SYX"):
        with pytest.raises(ValueError, match=f"`input_axes` .* got '{wrong}'"):
            io.open_image(tmp_path / "a.npy", wrong)


def test_what_cannot_be_read(tmp_path):
    """Errors name the file and what is wrong with it."""
    (tmp_path / "text.tif").write_text("no image")
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "notes.txt").write_text("no image")
    tifffile.imwrite(tmp_path / "whole.tif", cells((5, 30, 40)))
    data = (tmp_path / "whole.tif").read_bytes()
    (tmp_path / "half.tif").write_bytes(data[: len(data) // 2])
    tifffile.imwrite(tmp_path / "packed.tif", cells((5, 30, 40)), compression="zlib")
    data = (tmp_path / "packed.tif").read_bytes()
    (tmp_path / "half packed.tif").write_bytes(data[: len(data) - 900])
    zarr.open_group(tmp_path / "empty.zarr", mode="w")
    for name in ("text.tif", "text.png", "notes.txt", "empty.zarr"):
        with pytest.raises(FormatError, match=name):
            io.open_image(tmp_path / name)
    for name in ("half.tif", "half packed.tif"):
        with pytest.raises(FormatError, match="truncated"):
            io.open_image(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="missing"):
        io.open_image(tmp_path / "missing.tif")


def test_what_ome_zarr_cannot_hold(tmp_path):
    """Six axes, or axes without names, are refused before anything is written."""
    path = tmp_path / "a.ome.zarr"
    for axes in ("tczyxq", "?yx", "yxqr"):
        with pytest.raises(FormatError, match="OME-Zarr"):
            write(
                path, np.zeros((2,) * len(axes), np.uint8), Metadata.without_scale(axes)
            )
        assert not path.exists()


def test_formats_have_different_suffixes():
    """The first format that fits a name is the right one."""
    assert io.find_format("a.ome.tif").name == "ome-tiff"
    assert io.find_format("A.TIF").name == "tiff"
    assert io.find_format("a.ome.zarr/").name == "ome-zarr"
    assert io.find_format("a.txt") is None
    assert len({suffix for each in FORMATS for suffix in each.suffixes}) == sum(
        len(each.suffixes) for each in FORMATS
    )
