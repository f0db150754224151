"""The gain of a large image is that of evenly spaced rows, whoever computes it."""

import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

import napari_usm as usm
from napari_usm._engine import memory
from napari_usm._engine.fitting import settle
from napari_usm._engine.plan import make_plan
from napari_usm._methods.adaptive_unsharp_mask import AdaptiveUnsharpMask

GAINS = np.arange(1, 31) / 10


def picture(shape, dtype="uint8", seed=0):
    """Blobs of several sizes and noise, different in every plane."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.02, shape)
    for sigma in (1, 3):
        blobs = ndimage.gaussian_filter(rng.normal(size=shape), sigma)
        values += blobs / np.abs(blobs).max()
    values = (values - values.min()) / np.ptp(values)
    dtype = np.dtype(dtype)
    return (values * (np.iinfo(dtype).max if dtype.kind in "iu" else 3)).astype(dtype)


def used_rows(planes, rows, step, reach):
    """Return the numbers of plane and row, counted out one by one."""
    numbers = [(p, r) for p in range(planes) for r in range(rows)]
    return [
        (p, r)
        for p, r in numbers[step // 2 :: step]
        if r - reach >= 0 and r + 1 + reach < rows
    ]


def gain_and_curve(planes, details, used):
    """Return the gain and S over the differences that start in some rows.

    `planes` and `details` have shape (planes, rows, ..., columns).
    """
    axes = range(1, planes.ndim)
    pairs = [(a, b) for a in axes for b in axes if a < b]
    places = tuple(np.transpose(used))

    def size(values, along):
        for axis in along:
            values = np.diff(values, axis=axis)
        return np.abs(values[places]).sum()

    curve = []
    for gain in GAINS:
        after = planes + details / gain
        ratio = 1.0
        for group in [*([(axis,)] for axis in axes), pairs]:
            before = sum(size(planes, along) for along in group)
            ratio *= before / sum(size(after, along) for along in group)
        curve.append(ratio)
    return GAINS[np.argmax(np.gradient(curve))], np.array(curve)


def box(planes, mode):
    size = (1, *[3] * (planes.ndim - 1))
    return planes - ndimage.uniform_filter(planes, size, mode=mode)


def check(image, step, *, count=None, reach=1, detail=box, mode="mirror", **call):
    """Compare with the reference; the first axis of a stack is not filtered."""
    found = usm.sharpen(image, "adaptive_unsharp_mask", mode=mode, **call)
    planes = image.astype(np.float64)
    planes = planes if "axes" in call else planes[np.newaxis]
    used = used_rows(*planes.shape[:2], step, reach)
    gain, curve = gain_and_curve(planes, detail(planes, mode), used)
    assert found.report.sampled_rows == len(used)
    if count is not None:
        assert len(used) == count
    assert_allclose(found.report.curve, curve, rtol=2e-6)
    assert found.gain == gain


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "int16"])
def test_rows_of_a_plane(dtype, mode):
    """Differences are summed over every n-th row, from the middle of the first n on."""
    check(picture((520, 768), dtype), 5, count=104, mode=mode)


@pytest.mark.parametrize(
    ("shape", "step", "count"),
    [
        ((2000, 2000), 31, 64),
        ((513, 513), 3, 170),
        ((31, 80000), 31, 1),
        ((40000, 60), 31, 1290),
    ],
)
def test_step_by_the_size(shape, step, count):
    """At least 2**16 pixels are used, and at least one row of 31."""
    check(picture(shape), step, count=count)


def test_stacks_are_sampled_through_all_planes():
    """Rows are numbered from plane to plane."""
    check(picture((40, 120, 130), "uint16"), 7, axes=(1, 2))
    # 9 divides the rows: it would see the same ones of all planes.
    check(picture((40, 126, 130), "uint16"), 5, axes=(1, 2))


def test_gaussians_are_sampled():
    """The strips are as high as the kernel needs them."""

    def gaussian(planes, mode):
        return planes - ndimage.gaussian_filter(planes, (0, 1, 1), mode=mode)

    image = picture((900, 1000), "float32")
    check(image, 13, reach=4, detail=gaussian, kernel="gaussian")


def test_volumes_are_sampled():
    """Rows of a volume go through all its planes."""
    image = picture((30, 300, 120))
    found = usm.sharpen(image, "adaptive_unsharp_mask")
    # The rows first, and only then the planes.
    rows = image.astype(np.float64).swapaxes(0, 1)[np.newaxis]
    used = used_rows(1, 300, 15, 1)
    gain, curve = gain_and_curve(rows, box(rows, "mirror"), used)
    assert found.report.sampled_rows == len(used) == 20
    assert_allclose(found.report.curve, curve, rtol=2e-6)
    assert found.gain == gain


@pytest.mark.parametrize(
    ("shape", "call"),
    [
        ((512, 512), {}),
        ((700, 800), {"subsample": False}),
        ((2, 512, 512), {"axes": (1, 2), "gain_per": "item"}),
        ((2, 512, 512), {"channel_axis": 0, "color": "channels"}),
        ((512, 512, 3), {"channel_axis": 2}),
        ((700, 800), {"gains": [0.5]}),
        ((3, 200000), {}),
        ((700, 800), {"axes": (1,)}),
        ((700, 800), {"kernel": "gaussian", "sigma": 2}),
        ((700, 800), {"kernel": "gaussian", "sigma": 6}),
    ],
)
def test_all_rows(shape, call):
    """Small images, and what strips would not make faster, are used whole."""
    image = picture(shape)
    found = usm.sharpen(image, "adaptive_unsharp_mask", **call)
    exact = usm.sharpen(image, "adaptive_unsharp_mask", **{**call, "subsample": False})
    assert found.report.sampled_rows is None
    assert_array_equal(found.gain, exact.gain)
    assert_array_equal(found.report.curve, exact.report.curve)


@pytest.mark.parametrize(
    ("shape", "dtype", "call"),
    [
        ((700, 800), "uint8", {}),
        ((700, 800), "float32", {}),
        ((700, 800), "float64", {"mode": "wrap"}),
        ((5, 300, 401), "uint16", {"axes": (1, 2)}),
        ((401, 5, 300), "uint16", {"axes": (0, 2)}),
        ((2, 600, 601), "uint16", {"axes": (1, 2), "gain_per": "item"}),
        ((24, 200, 150), "uint8", {}),
        ((700, 600, 3), "uint8", {"channel_axis": 2}),
        ((700, 600, 4), "uint8", {"channel_axis": 2, "alpha": True}),
        ((3, 600, 700), "float32", {"channel_axis": 0, "color": "luminance"}),
        ((3, 600, 700), "uint16", {"channel_axis": 0, "color": "channels"}),
        ((900, 1000), "uint8", {"kernel": "gaussian"}),
    ],
)
def test_blocks_threads_and_dask_give_the_same_gain(shape, dtype, call):
    """Rows are counted from row 0 of the image, not of a block."""
    image = picture(shape, dtype)
    plan = make_plan(image.shape, image.dtype, AdaptiveUnsharpMask(**call))
    assert plan.row_sample is not None
    expected = memory.result_of(memory.estimate(plan, image, 2**30))

    def same(constants):
        assert_array_equal(constants.gain, expected.constants.gain)
        assert_allclose(constants.curve, expected.constants.curve, rtol=1e-12)

    for size in (20_000, 150_000):
        same(memory.result_of(memory.estimate(plan, image, size)).constants)
    with usm.threads(3):
        same(memory.result_of(memory.estimate(plan, image)).constants)
    chunks = tuple(max(1, length // 3) for length in shape)
    lazy = da.from_array(image, chunks=chunks)
    same(memory.result_of(settle(plan, lazy)).constants)
    delayed = usm.sharpen(lazy, "adaptive_unsharp_mask", **call)
    assert_array_equal(delayed.gain.compute(), expected.public.gain)
    assert delayed.report.compute().sampled_rows == plan.row_sample.count


def test_items_and_channels_are_sampled_as_if_alone():
    """With a gain of their own, items are independent."""
    image = picture((2, 600, 601), "uint16")
    image[1] = image[1] // 3 + picture((600, 601), "uint16", seed=3) // 2
    items = usm.sharpen(image, "adaptive_unsharp_mask", axes=(1, 2), gain_per="item")
    channels = usm.sharpen(
        image, "adaptive_unsharp_mask", channel_axis=0, color="channels"
    )
    for index, plane in enumerate(image):
        alone = usm.sharpen(plane, "adaptive_unsharp_mask")
        for found in (items, channels):
            assert found.report.sampled_rows == alone.report.sampled_rows
            assert found.gain[index] == alone.gain
            assert_array_equal(found.image[index], alone.image)


def test_invalid_pixels_of_a_sample():
    """Differences that touch an invalid pixel are left out, as of all rows."""
    image = picture((700, 800), "float32")
    image[340:350, 20:600] = np.nan
    image[::7, 5] = np.inf
    found = usm.sharpen(image, "adaptive_unsharp_mask")
    wide = usm.sharpen(image.astype(np.float64), "adaptive_unsharp_mask")
    exact = usm.sharpen(image, "adaptive_unsharp_mask", subsample=False)
    assert found.report.sampled_rows == wide.report.sampled_rows > 0
    assert found.gain == wide.gain == exact.gain
    assert_allclose(found.report.curve, wide.report.curve, rtol=1e-5)
