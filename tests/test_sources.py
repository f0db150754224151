"""Files and the pixels of layers: the program reads the same ones, or says why not."""

import json

import dask.array as da
import numpy as np
import pytest
import skimage.io
import tifffile
from hypothesis import given
from hypothesis import strategies as st

import cases
from napari_usm import sources
from napari_usm.scripts import Script, Source
from napari_usm.sources import Fingerprint, checksum, find_reading, views
from test_laws import laws

PIXELS = cases.picture((20, 24), "uint16")
STACK = cases.picture((3, 4, 20, 24), "uint16")


def program_of(path, image):
    """A program that reads these pixels, as far as the file has them."""
    reading = find_reading(path, image)
    source = Source("cells", image.shape, image.dtype, path, reading)
    return Script("unsharp_mask", {}, source).as_python()


def read(program):
    """The image that a program reads."""
    variables = {}
    exec(program, variables)
    return np.asarray(variables["image"])


AS_IT_IS = None


def assert_reads(path, image, line):
    """The program has this line, and reads these pixels with it."""
    program = program_of(str(path), image)
    if line is AS_IT_IS:
        assert not any(word in program for word in ("= image", "series=", "level="))
    else:
        assert line in program
    np.testing.assert_array_equal(read(program), image)


def assert_refuses(path, image, why):
    """The program leaves a place for the pixels, and says why."""
    program = program_of(str(path), image)
    assert "\nimage = ...\n" in program
    assert f"# They came from {str(path)!r}.\n# That is not read: " in program
    assert why in program
    return program


# --- checksums ---


def test_a_checksum_is_of_the_pixels():
    """Not of the array that holds them; it stays what it is in other versions."""
    expected = "8f0f519744dad346"
    pixels = np.arange(24, dtype="uint16").reshape(4, 6)
    for same in (
        pixels,
        pixels.astype(">u2"),
        np.asfortranarray(pixels),
        np.repeat(pixels, 2, axis=0)[::2],
        da.from_array(pixels, chunks=2),
    ):
        assert checksum(same) == expected
    for other in (pixels.T, pixels.astype("int16"), pixels[::-1], pixels.ravel()):
        assert checksum(other) != expected


def test_a_small_image_is_compared_as_a_whole():
    """One pixel of it counts."""
    before = checksum(STACK)
    for index in np.ndindex(3, 4, 2, 2):
        other = STACK.copy()
        other[index] += 1
        assert checksum(other) != before


class Counted:
    """A large image that is nowhere in memory, and counts what is read of it."""

    def __init__(self, shape, dtype="uint16", offset=0):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._offset, self.nbytes = offset, 0
        self.read = np.zeros([min(n, 64) for n in shape], bool)

    def __getitem__(self, spans):
        lengths = [span.stop - span.start for span in spans]
        self.nbytes += int(np.prod(lengths)) * self.dtype.itemsize
        self.read[
            tuple(
                slice(s.start * m // n, -(-s.stop * m // n))
                for s, n, m in zip(spans, self.shape, self.read.shape, strict=True)
            )
        ] = True
        return np.full(lengths, (spans[0].start + self._offset) % 251, self.dtype)


@pytest.mark.parametrize(
    "shape",
    [(100_000, 80_000), (500, 3, 10_000, 10_000), (90_000, 90_000, 3), (2**36,)],
)
def test_of_a_large_image_little_is_read(shape):
    """Blocks all over it, at different places of every axis."""
    image = Counted(shape)
    first = checksum(image)
    assert checksum(Counted(shape)) == first
    assert checksum(Counted(shape, offset=1)) != first
    assert image.nbytes <= 2**22
    for axis in range(len(shape)):
        others = tuple(a for a in range(len(shape)) if a != axis)
        seen = image.read.any(axis=others)
        assert seen[0]
        assert seen[-1]
        assert seen.mean() > 0.3


# --- views ---


@laws
@given(st.data())
def test_any_view_is_found(data):
    """Whatever a reader leaves out, moves, adds or squeezes: what is written gives it."""
    lengths = st.sampled_from([1, 1, 2, 3, 5])
    shape = tuple(data.draw(st.lists(lengths, min_size=1, max_size=5)))
    array = np.random.default_rng(len(shape)).permutation(np.prod(shape)).reshape(shape)
    index = tuple(
        data.draw(st.integers(0, n - 1)) if data.draw(st.booleans()) else slice(None)
        for n in shape
    )
    image = array[index]
    if image.ndim > 1 and data.draw(st.booleans()):
        places = st.integers(0, image.ndim - 1)
        image = np.moveaxis(image, data.draw(places), data.draw(places))
    if data.draw(st.booleans()):
        image = image.squeeze()
    for _ in range(data.draw(st.integers(0, 2))):
        image = np.expand_dims(image, data.draw(st.integers(0, image.ndim)))
    if image.ndim == 0:
        return
    fingerprint = Fingerprint(image)
    found = [
        view
        for view in views(array.shape, image.shape)
        if fingerprint.equals(sources._Viewed(array, view))
    ]
    assert found
    for view in found:
        for is_array in (True, False):
            text = view.written(is_array)
            np.testing.assert_array_equal(eval(f"array{text}"), image)
    if image.shape == shape:
        assert found[0].written(True) == "" or not np.array_equal(image, array)


# --- files ---


def test_an_array_of_numpy(tmp_path):
    """As it is, one plane of it, or one channel at the end."""
    path = tmp_path / "cells.npy"
    np.save(path, STACK)
    assert_reads(path, STACK, AS_IT_IS)
    assert_reads(path, STACK[1], "\nimage = image[1]\n")
    assert_reads(path, STACK[:, 2], "\nimage = image[:, 2]\n")
    assert_reads(path, STACK[..., 5], "\nimage = image[..., 5]\n")
    assert_reads(path, STACK[2, 3], "\nimage = image[2, 3]\n")
    assert_reads(path, STACK[2, :, None], "\nimage = image[2].reshape(4, 1, 20, 24)\n")
    assert_reads(
        path, np.moveaxis(STACK, 1, 0), "\nimage = image.transpose(1, 0, 2, 3)\n"
    )


@pytest.mark.parametrize("other", [STACK[::-1], STACK + 1, STACK[:, :, ::2]])
def test_other_pixels(tmp_path, other):
    """Flipped, brighter, or every second row: none of these is in the file."""
    path = tmp_path / "cells.npy"
    np.save(path, STACK)
    program = assert_refuses(
        path, other, "no part of it that was compared holds the pixels of the layer.\n"
    )
    # What is filled in is compared too.
    read(
        program.replace("image = ...", "import numpy\nimage = OTHER").replace(
            "OTHER", f"numpy.array({other.tolist()}, 'uint16')"
        )
    )
    with pytest.raises(ValueError, match="`image` must "):
        read(
            program.replace(
                "image = ...", f"import numpy\nimage = numpy.load({str(path)!r})"
            )
        )


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}])
def test_series_and_channels_of_a_tiff(tmp_path, options):
    """The second scene of the same shape, and a channel that a reader split off."""
    path = tmp_path / "scenes.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for scene in STACK:
            file.write(
                scene, photometric="minisblack", metadata={"axes": "CYX"}, **options
            )
    assert_reads(path, STACK[0], AS_IT_IS)
    assert_reads(path, STACK[1], "series=1")
    assert_reads(path, STACK[2, 3], "series=2")
    assert_reads(path, STACK[2, 3], "\nimage = image[3]\n")
    assert_reads(
        path, STACK[1][None, :, None], "\nimage = image.reshape(1, 4, 1, 20, 24)\n"
    )
    assert_refuses(path, STACK[0] + 1, "no part of it")


def test_channels_of_imagej(tmp_path):
    """Its planes are one page for a program, with the channels inside."""
    path = tmp_path / "hyperstack.tif"
    tifffile.imwrite(path, STACK, imagej=True, metadata={"axes": "ZCYX"})
    assert_reads(path, STACK[:, 1], "\nimage = image[:, 1]\n")
    assert_reads(path, STACK.swapaxes(0, 1), "\nimage = image.transpose(1, 0, 2, 3)\n")


def test_a_level_of_a_tiff(tmp_path):
    """A level that was opened alone."""
    path = tmp_path / "levels.ome.tif"
    levels = [cases.picture((64, 64), "uint8"), cases.picture((32, 32), "uint8")]
    with tifffile.TiffWriter(path) as file:
        file.write(levels[0], subifds=1)
        file.write(levels[1], subfiletype=1)
    assert_reads(path, levels[0], AS_IT_IS)
    assert_reads(path, levels[1], "level=1")


def test_colours_of_a_picture(tmp_path):
    """One of them as a layer of its own."""
    path = tmp_path / "cells.png"
    picture = cases.picture((20, 24, 3), "uint8")
    skimage.io.imsave(path, picture, check_contrast=False)
    assert_reads(path, picture, AS_IT_IS)
    assert_reads(path, picture[..., 1], "\nimage = image[..., 1]\n")


def test_a_large_page_is_not_read(tmp_path, monkeypatch):
    """That is said, and nothing is read of it; smaller levels still are."""
    path = tmp_path / "large.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(PIXELS, subifds=1, compression="zlib")
        file.write(PIXELS[::2, ::2], subfiletype=1, compression="zlib")
    monkeypatch.setattr(sources, "_LARGEST_PAGE", PIXELS.nbytes // 2)
    assert_refuses(path, PIXELS, "it could not be read (ValueError: one page holds")
    assert_reads(path, PIXELS[::2, ::2], "level=1")


@pytest.mark.parametrize("version", [None, 2, 3])
def test_groups_of_zarr(tmp_path, version):
    """Levels by their metadata, by walking if there are none, and their channels."""
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "cells.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=version or 3)
    halves = STACK[..., ::2, ::2]
    for name, pixels in (("b/full", STACK), ("a/half", halves), ("0", STACK + 1)):
        array = group.create_array(name, shape=pixels.shape, dtype=pixels.dtype)
        array[...] = pixels
    if version:
        listed = [{"datasets": [{"path": "b/full"}, {"path": "a/half"}]}]
        given_ = {"multiscales": listed}
        group.attrs.update(given_ if version == 2 else {"ome": given_})
        order = [name for name, _ in sources._arrays_of_group(group)]
        assert order == ["b/full", "a/half", "0"]
    assert_reads(path, STACK, 'cells.zarr/b/full"')
    assert_reads(path, halves, 'cells.zarr/a/half"')
    assert_reads(path, halves[:, 2], "\nimage = image[:, 2]\n")
    assert_reads(path / "b" / "full", STACK, 'cells.zarr/b/full"')
    assert_reads(
        path / "b", STACK[:, None], "\nimage = image[...].reshape(3, 1, 4, 20, 24)\n"
    )
    assert_refuses(path, STACK + 2, "no part of it")
    assert_refuses(path / "a", STACK, "no part of it")


@pytest.mark.parametrize("name", ["gone.tif", "gone.npy", "gone.png", "gone.zarr"])
@pytest.mark.parametrize("content", [None, b"", b"not an image"])
def test_files_that_cannot_be_read(tmp_path, name, content):
    """Gone or broken: the program says so, with the reader's words."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert_refuses(path, PIXELS, "it could not be read (")


def test_files_of_other_kinds(tmp_path):
    """What has no reader here is left to be filled in."""
    assert_refuses(tmp_path / "cells.czi", PIXELS, "no reader of such files is known")
    program = program_of(None, PIXELS)
    assert "came from" not in program
    assert "checksum(image) != " in program


def test_a_layer_that_cannot_be_read(tmp_path):
    """Its file went: there is nothing to compare with, which is said."""

    def gone(block):
        raise OSError("the disk\nis gone")

    path = tmp_path / "cells.npy"
    np.save(path, PIXELS)
    layer = da.from_array(PIXELS).map_blocks(gone, dtype=PIXELS.dtype)
    program = assert_refuses(
        path, layer, "the layer could not be read (OSError: the disk is gone).\n"
    )
    assert "checksum" not in program


def test_a_file_that_changes_later(tmp_path):
    """The program that was right stops, be shape and type the same."""
    path = tmp_path / "cells.npy"
    np.save(path, PIXELS)
    program = program_of(str(path), PIXELS)
    read(program)
    other = PIXELS.copy()
    other[-1, -1] += 1
    np.save(path, other)
    with pytest.raises(ValueError, match="`image` must hold the pixels of the layer"):
        read(program)


def test_a_large_file_is_sampled(tmp_path, monkeypatch):
    """Of a file beyond the limit blocks are compared, in the program too."""
    monkeypatch.setattr(sources, "_WHOLE", 2**10)
    monkeypatch.setattr(sources, "_BLOCK", 2**6)
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, STACK, compression="zlib", photometric="minisblack")
    assert_reads(path, STACK, AS_IT_IS)
    assert_reads(path, STACK[:, 1], "\nimage = image[:, 1]\n")
    assert_refuses(path, STACK[:, :, ::-1], "no part of it")


def test_metadata_of_no_sense(tmp_path):
    """Broken metadata of a group are a problem of the file, and no error."""
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "cells.zarr"
    group = zarr.open_group(path, mode="w")
    group.attrs["multiscales"] = json.loads('[{"datasets": [{"path": "missing"}]}]')
    assert_refuses(path, PIXELS, "it could not be read (KeyError")
