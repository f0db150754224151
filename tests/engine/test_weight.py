"""A weight multiplies the edge map at every door, and results go where they should."""

from functools import partial

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cases
import napari_usm as usm
from napari_usm._engine import memory
from napari_usm._engine.block import Output
from napari_usm._engine.pyramid import SharpenedLevel
from napari_usm._engine.region import DetailCache, LiveImage
from napari_usm._engine.virtual import VirtualArray
from test_blocks import chunked
from test_laws import calls, laws
from test_virtual import keys


def weight_of(image, channel_axis, seed=0):
    """A random weight, 0 and 1 among its values, of the image without channels."""
    shape = [n for axis, n in enumerate(image.shape) if axis != channel_axis]
    values = np.random.default_rng(seed).uniform(-0.3, 1.3, shape)
    return np.clip(values, 0, 1)


def channel_of(image, parameters):
    axis = parameters.get("channel_axis")
    return None if axis is None else axis % image.ndim


@laws
@given(calls(), st.data())
def test_it_multiplies_the_edge_map(call, data):
    """For every method, colour and type; the equation holds, in chunks and blocks too."""
    image, method, parameters = call
    axis = channel_of(image, parameters)
    weight = weight_of(image, axis)
    plain = cases.sharpen(image, method, **parameters)
    found = cases.sharpen(image, method, weight=weight, **parameters)
    spread = weight
    if plain.edge_map.ndim == image.ndim and axis is not None:
        spread = np.expand_dims(weight, axis)
    np.testing.assert_allclose(
        found.edge_map, plain.edge_map * spread, rtol=1e-6, atol=1e-30
    )
    np.testing.assert_array_equal(found.amount, plain.amount)
    chunks = data.draw(chunked(image.shape))
    lazy = cases.sharpen(
        da.from_array(image, chunks=chunks), method, weight=weight, **parameters
    )
    np.testing.assert_array_equal(lazy.image.compute(), found.image)
    np.testing.assert_array_equal(lazy.edge_map.compute(), found.edge_map)
    plan, pixels = cases.prepare(image, method, **parameters)
    running = memory.run(plan, pixels, weight=weight, block_size=50)
    blocks = memory.result_of(running)
    np.testing.assert_array_equal(blocks.image, found.image)
    np.testing.assert_array_equal(blocks.edge_map, found.edge_map)
    source = LiveImage(image, DetailCache(2**20), weight)
    level = SharpenedLevel(source, blocks.fitted)
    for output, whole in (
        (Output.IMAGE, found.image),
        (Output.EDGE_MAP, found.edge_map),
        (Output.IMAGE, found.image),
    ):
        key = data.draw(keys(whole.shape))
        array = VirtualArray(whole.shape, whole.dtype, partial(level.part, output))
        np.testing.assert_array_equal(np.asarray(array[key]), whole[key])


def test_the_equation_by_hand():
    """Half of the overshoot where the weight is a half, none where it is 0."""
    step = np.array([10.0, 10, 10, 10, 50, 50, 50, 50])
    whole = usm.unsharp_mask(step, 0.5)
    weight = np.array([1, 1, 1, 0.5, 0.5, 0, 0, 0])
    found = usm.unsharp_mask(step, 0.5, weight=weight)
    np.testing.assert_allclose(found, step + weight * (whole - step))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_the_ends_of_the_weight(dtype):
    """1 is no weight and 0 is the image, of any type of weight; axes broadcast."""
    image = cases.picture((3, 40, 50), dtype)
    call = {"sigma": 2.0, "threshold": 0.01, "axes": (1, 2)}
    expected = usm.unsharp_mask(image, **call)
    for one in (1, True, np.ones((50,), np.float16), np.ones((1, 40, 1), np.uint8)):
        found = usm.unsharp_mask(image, weight=one, **call)
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(usm.unsharp_mask(image, weight=0, **call), image)
    region = np.zeros((40, 50), bool)
    region[:, 25:] = True
    found = usm.unsharp_mask(image, weight=region, **call)
    np.testing.assert_array_equal(found, np.where(region, expected, image))


def test_significance_has_no_weight():
    """The size of the detail in units of its noise stays what it is."""
    image = cases.picture((64, 64), "uint16")
    expected = usm.significance(image)
    np.testing.assert_array_equal(usm.significance(image, weight=0.5), expected)


def test_the_report_counts_what_was_done():
    """Nothing is clipped where the weight is 0."""
    image = cases.picture((40, 50), "uint8")
    report = usm.sharpen(image, amount=5, weight=0).report
    assert (
        report.clipped_high.sum() == report.clipped_low.sum() == report.overshoot == 0
    )
    assert usm.sharpen(image, amount=5).report.overshoot > 0


@pytest.mark.parametrize("method", cases.METHODS)
def test_out(method):
    """Results go into `out`, which is given back."""
    image = cases.picture((40, 50), "uint16")
    out, edges = np.zeros_like(image), np.zeros(image.shape, np.float32)
    found = cases.sharpen(image, method, out=out)
    assert found.image is out
    np.testing.assert_array_equal(out, cases.sharpen(image, method).image)
    assert cases.edge_map(image, method, out=edges) is edges
    np.testing.assert_array_equal(edges, found.edge_map)
    alone = np.zeros_like(image)
    assert cases.function(method)(image, out=alone) is alone
    np.testing.assert_array_equal(alone, out)


def test_out_of_the_significance():
    """It is of float32, like the edge map."""
    image = cases.picture((64, 64), "uint16")
    out = np.zeros(image.shape, np.float32)
    assert usm.significance(image, out=out) is out
    np.testing.assert_array_equal(out, usm.significance(image))


IMAGE = cases.picture((6, 7, 3), "uint8")
RGB = {"channel_axis": 2}


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        (
            np.ones((7, 6)),
            ValueError,
            r"`weight` must broadcast .* \(6, 7\); got shape",
        ),
        (np.ones((6, 7, 3)), ValueError, r"without its channels, \(6, 7\)"),
        (np.ones((1, 6, 7)), ValueError, r"got shape \(1, 6, 7\)"),
        (np.full((6, 7), np.nan), ValueError, "from 0 to 1 at all pixels; got nan"),
        (np.full((6, 7), 1.5), ValueError, "from 0 to 1 at all pixels; got 1.5"),
        (-1, ValueError, "from 0 to 1 at all pixels; got -1"),
        (np.full((6, 7), 255, np.uint8), ValueError, "got 255"),
        (1j, TypeError, "`weight` must be bool, integer or real; got complex128"),
        ("half", TypeError, "`weight` must be bool, integer or real"),
        (np.ma.masked_less([0.5] * 7, 1), TypeError, "`weight` must not be a masked"),
    ],
)
def test_what_is_no_weight(weight, error, message):
    """The rule and the value are named at the call, for dask images too."""
    for image in (IMAGE, da.from_array(IMAGE, chunks=3)):
        for call in (usm.sharpen, usm.edge_map, usm.significance, usm.unsharp_mask):
            with pytest.raises(error, match=message):
                call(image, weight=weight, **RGB)


def test_values_of_a_lazy_weight():
    """Those of a dask weight are checked when they are computed."""
    weight = da.from_array(np.full((6, 7), 2.0), chunks=3)
    found = usm.unsharp_mask(da.from_array(IMAGE, chunks=3), weight=weight, **RGB)
    with pytest.raises(ValueError, match="`weight` must lie from 0 to 1"):
        found.compute()
    good = da.from_array(weight_of(IMAGE, 2), chunks=(2, 7))
    expected = usm.unsharp_mask(IMAGE, weight=weight_of(IMAGE, 2), **RGB)
    lazy = usm.unsharp_mask(da.from_array(IMAGE, chunks=3), weight=good, **RGB)
    np.testing.assert_array_equal(lazy.compute(), expected)
    np.testing.assert_array_equal(usm.unsharp_mask(IMAGE, weight=good, **RGB), expected)


def read_only():
    out = np.zeros_like(IMAGE)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        (
            np.zeros((7, 6, 3), np.uint8),
            ValueError,
            r"`out` must have shape \(6, 7, 3\)",
        ),
        (np.zeros((6, 7, 3)), TypeError, "`out` must have dtype uint8; got float64"),
        (read_only(), ValueError, "`out` must be writeable"),
        (IMAGE, ValueError, "`out` must not share memory with `image`"),
        (np.zeros((3, 7, 6), np.uint8).T, ValueError, "`out` must be C-contiguous"),
        ([0], TypeError, "`out` must be a numpy array; got list"),
    ],
)
def test_what_is_no_out(out, error, message):
    """Nothing is computed, and nothing written."""
    before = IMAGE.copy()
    for call in (usm.sharpen, usm.unsharp_mask):
        with pytest.raises(error, match=message):
            call(IMAGE, out=out, **RGB)
    np.testing.assert_array_equal(IMAGE, before)


def test_no_out_of_a_lazy_array():
    """A dask array stays lazy."""
    with pytest.raises(TypeError, match="`out` must be None for a dask array"):
        usm.unsharp_mask(
            da.from_array(IMAGE, chunks=3), out=np.zeros_like(IMAGE), **RGB
        )
