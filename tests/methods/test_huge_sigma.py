"""Sigmas beyond the image: the right blur, in the time and memory of a small one."""

import time
import tracemalloc
from functools import partial

import dask.array as da
import numpy as np
import pytest

import cases
import napari_usm as usm
import reference
from cases import prepare
from napari_usm._engine import memory
from napari_usm._filters.blur import blur
from napari_usm._filters.taps import AxisBlur, gaussian, gaussian_taps
from test_virtual import arrays, level_of


def true_blur(values, sigma, mode, cval):
    """The blur along an axis by all its places, one by one."""
    taps = gaussian_taps(sigma, int(8 * sigma))
    reach = taps.size // 2
    length = values.size
    places = [
        reference.border_index(i, length, mode) for i in range(-reach, length + reach)
    ]
    beyond = np.array([cval if i is None else values[i] for i in places])
    return np.convolve(beyond, taps, "valid")


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize("length", [1, 2, 3, 10, 37, 100])
def test_right_to_a_share_of_a_step(length, mode):
    """Before sigma is beyond an axis and after, a blur is as near to the true one."""
    values = (np.arange(length) >= length // 3).astype(np.float64)
    for times in (1.9, 2.0, 2.1, 5.0, 40.0):
        sigma = max(16.0, times * length)
        found = blur(values, {0: gaussian(sigma, 4.0)}, mode, 0.25)
        expected = true_blur(values, sigma, mode, 0.25)
        # A reflected step is several, each within 5.5e-4 on a coarser grid.
        within = 2e-5 if sigma >= 2 * length else 1.1e-3
        np.testing.assert_allclose(found, expected, atol=within)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("reflect", 130 / 4),
        ("wrap", 130 / 4),
        ("mirror", (10 / 2 + 30 + 70 + 20 / 2) / 3),
        ("nearest", (10 + 20) / 2),
        ("constant", 7.0),
    ],
)
def test_the_limit_by_hand(mode, expected, dtype):
    """The mean where an axis goes on for ever, else what lies beyond its ends."""
    image = np.array([10, 30, 70, 20], dtype)
    for sigma in (1e6, 1e12, 1e300):
        found = cases.edge_map(image, sigma=sigma, mode=mode, cval=7.0)
        np.testing.assert_allclose(image - found, expected, rtol=1e-4)


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "axes", "sigma"),
    [
        ((60, 90), (0, 1), 1e4),
        ((60, 90), (0, 1), (1e4, 1.5)),
        ((60, 90), (1, 0), (6.0, 1e4)),
        ((7, 60, 90), (0, 1, 2), (20.0, 5.0, 1.0)),
        ((60, 90, 3), (0,), 130.0),
    ],
)
def test_blocks_chunks_and_parts_agree(shape, axes, sigma, dtype, mode):
    """However an image is cut."""
    image = cases.picture(shape, dtype)
    call = {"sigma": sigma, "axes": axes, "mode": mode, "cval": 3.0}
    expected = cases.sharpen(image, **call)
    plan, pixels = prepare(image, "unsharp_mask", **call)
    found = memory.result_of(memory.run(plan, pixels, block_size=400))
    np.testing.assert_array_equal(found.image, expected.image)
    lazy = cases.sharpen(da.from_array(image, chunks=31), **call)
    np.testing.assert_array_equal(lazy.image.compute(), expected.image)
    np.testing.assert_array_equal(lazy.edge_map.compute(), expected.edge_map)
    live = arrays(level_of(image, "unsharp_mask", **call))[0]
    part = tuple(slice(n // 3, n // 2 + 1) for n in shape)
    np.testing.assert_array_equal(np.asarray(live[part]), expected.image[part])


@pytest.mark.parametrize("mode", cases.MODES)
def test_constants_and_invalid_pixels(mode):
    """A flat image stays flat, and a NaN does not count."""
    image = np.full((40, 50), 300.0, "float32")
    found = usm.unsharp_mask(image, sigma=1e5, mode=mode, cval=300.0)
    np.testing.assert_allclose(found, 300, rtol=1e-5)
    image[3, 7] = np.nan
    found = usm.unsharp_mask(image, sigma=1e5, mode=mode, cval=300.0)
    np.testing.assert_allclose(found[~np.isnan(image)], 300, rtol=1e-5)


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_taps_beyond_an_axis_are_folded(mode, dtype):
    """A kernel that is cut near is the same, with no more taps than there are pixels."""
    values = cases.picture((21,), dtype)
    taps = gaussian_taps(300.0, 600)
    found = blur(values, {0: AxisBlur(taps)}, mode, 0.7)
    assert AxisBlur(taps).within(21, mode).size <= 43
    expected = reference.blur(values, [0], [taps], mode, 0.7)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    call = {"sigma": 300.0, "truncate": 2.0, "mode": mode, "cval": 0.7}
    plane = cases.picture((21, 30), dtype)
    expected = cases.expected(plane, "unsharp_mask", **call).image
    np.testing.assert_allclose(usm.unsharp_mask(plane, **call), expected, atol=1e-5)


def _least_time(call):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize("lazy", [False, True])
def test_time_and_memory(mode, lazy):
    """Neither grows with sigma."""
    image = cases.picture((350, 500))
    pixels = da.from_array(image, chunks=250) if lazy else image

    def call(sigma):
        found = usm.unsharp_mask(pixels, sigma=sigma, mode=mode)
        return found.compute(scheduler="synchronous") if lazy else found

    small = _least_time(partial(call, 5.0))
    for sigma in (1e3, 1e4, 1e6):
        # A few times as long would be a fault; machines are busy.
        assert _least_time(partial(call, sigma)) < 6 * small
    tracemalloc.start()
    cases.sharpen(image, sigma=1e8, mode=mode)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * image.nbytes
