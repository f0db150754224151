"""Pixels up to the largest float stay finite; integers beyond 2**53 stay themselves."""

import dask.array as da
import numpy as np
import pytest

import cases
import napari_usm as usm
from cases import prepare
from napari_usm._engine import memory
from test_virtual import arrays, level_of

# Calls that go through each kind of blur and pass.
CALLS = [
    *((method, {}) for method in cases.METHODS),
    ("unsharp_mask", {"kernel": "box"}),
    ("unsharp_mask", {"sigma": 6.0}),
    ("unsharp_mask", {"sigma": (3.0, 6.0)}),
    ("laplacian_sharpen", {"median_size": 3}),
]


def no_data(dtype, value=-1.0):
    """A picture with the lowest number of its type in more than a half of it."""
    image = np.random.default_rng(0).uniform(0, 1000, (90, 100)).astype(dtype)
    image[:, :60] = value * np.finfo(dtype).max
    return image


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("method", "parameters"), CALLS)
def test_no_data_stays_and_pixels_around_it_are_finite(method, parameters, dtype):
    """In the middle of the lowest number there is no detail; its rim saturates."""
    image = no_data(dtype)
    found = cases.sharpen(image, method, **parameters)
    assert np.isfinite(found.image).all()
    assert np.isfinite(found.edge_map).all()
    np.testing.assert_array_equal(found.image[:, :15], image[:, :15])
    np.testing.assert_array_equal(found.edge_map[:, :15], 0)


@pytest.mark.parametrize("share", [1.0, 0.75, 0.51, 0.26, 0.13, -1.0])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("method", "parameters"), CALLS)
def test_constant_images_stay(method, parameters, dtype, share):
    """A flat image is itself, to rounding, up to the largest number of its type."""
    level = np.array(share * np.finfo(dtype).max, dtype)
    image = np.full((40, 60), level)
    found = cases.sharpen(image, method, **parameters)
    rounding = 10 * np.finfo(dtype).eps
    np.testing.assert_allclose(found.image / level, 1, rtol=rounding)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("method", "parameters"), CALLS)
def test_largest_and_lowest_in_turn(method, parameters, dtype):
    """Differences beyond the range of a float saturate; nothing is NaN."""
    image = no_data(dtype)
    image[::2] = -image[::2]
    found = cases.sharpen(image, method, **parameters)
    assert np.isfinite(found.image).all()
    assert np.isfinite(found.edge_map).all()


def scattered(shape, dtype, seed):
    """A picture with large, small and invalid pixels all over it."""
    rng = np.random.default_rng(seed)
    image = cases.picture(shape, dtype, seed).reshape(-1)
    numbers = np.finfo(dtype)
    values = np.array([1, -1, 0.6, 0.3, -0.24, 0.1], dtype) * numbers.max
    values = [*values, numbers.tiny, numbers.smallest_subnormal, 0, np.nan]
    where = rng.choice(image.size, image.size // 60, replace=False)
    image[where] = rng.choice(np.array(values, dtype), where.size)
    return image.reshape(shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize(
    ("method", "parameters", "shape"),
    [
        ("unsharp_mask", {}, (70, 80)),
        ("unsharp_mask", {"sigma": 6.0}, (150, 160)),
        ("unsharp_mask", {"sigma": 1.0}, (20, 30, 40)),
        ("laplacian_sharpen", {}, (70, 80)),
        ("auto_unsharp_mask", {}, (70, 80)),
    ],
)
def test_blocks_chunks_and_parts_agree(method, parameters, shape, mode, dtype):
    """Which pixels are too large for a sum does not depend on how an image is cut."""
    image = scattered(shape, dtype, len(mode))
    parameters = {**parameters, "mode": mode}
    expected = cases.sharpen(image, method, **parameters)
    assert (np.isfinite(expected.image) == np.isfinite(image)).all()
    for size in (500, 3000):
        plan, pixels = prepare(image, method, **parameters)
        found = memory.result_of(memory.run(plan, pixels, block_size=size))
        np.testing.assert_array_equal(found.image, expected.image)
        np.testing.assert_array_equal(found.edge_map, expected.edge_map)
    chunks = tuple(n // 2 - 3 for n in shape)
    lazy = cases.sharpen(da.from_array(image, chunks=chunks), method, **parameters)
    np.testing.assert_array_equal(lazy.image.compute(), expected.image)
    np.testing.assert_array_equal(lazy.edge_map.compute(), expected.edge_map)
    part = tuple(slice(n // 3, n // 2) for n in shape)
    for live, whole in zip(
        arrays(level_of(image, method, **parameters)),
        (expected.image, expected.edge_map),
        strict=True,
    ):
        np.testing.assert_array_equal(np.asarray(live[part]), whole[part])


@pytest.mark.parametrize("shape", [(90, 100), (20, 60, 100)])
@pytest.mark.parametrize("sigma", [1.0, 4.0])
def test_pixels_out_of_reach_of_a_large_one_are_as_before(sigma, shape):
    """Only where a sum overflows is anything computed another way."""
    image = cases.picture(shape, "float32")
    expected = usm.unsharp_mask(image, sigma=sigma)
    image[..., 0] = np.finfo("float32").max
    found = usm.unsharp_mask(image, sigma=sigma)
    np.testing.assert_array_equal(found[..., 60:], expected[..., 60:])


def test_rim_by_hand():
    """The mean of two large pixels and a small one, and what is added to each."""
    largest = np.finfo("float32").max
    image = np.array([-largest, -largest, -largest, 900, 900, 900], "float32")
    found = cases.sharpen(image, kernel="box", amount=0.5)
    third = -largest / np.float32(3)
    expected = [0, 0, third, -third, 0, 0]
    np.testing.assert_allclose(found.edge_map[:2], 0)
    np.testing.assert_allclose(found.edge_map, expected, rtol=1e-6, atol=1e-4)
    np.testing.assert_array_equal(found.image[:3], image[:3])


def test_amounts_beyond_float32():
    """An amount that float32 cannot hold adds nothing where there is no detail."""
    for image in (np.full((9, 9), 5, "float32"), np.full((9, 9), 5, "uint8")):
        found = usm.unsharp_mask(image, amount=1e300, kernel="box")
        np.testing.assert_array_equal(found, image)


def test_value_of_nearly_black_pixels():
    """A colour is scaled to a value far from its own without an overflow."""
    image = np.full((9, 9, 3), 3e38, "float32")
    image[4, 4] = 1e-38, 0, 0
    found = usm.unsharp_mask(
        image, sigma=1.0, amount=-1.0, channel_axis=2, color="value"
    )
    assert np.isfinite(found).all()
    assert found[4, 4, 0] > 1e38
    np.testing.assert_array_equal(found[4, 4, 1:], 0)


@pytest.mark.parametrize("dtype", ["int64", "uint64", "longdouble"])
@pytest.mark.parametrize("method", cases.THRESHOLDED)
def test_pixels_beyond_float64_are_themselves(method, dtype):
    """With an amount of 0, and where there is no detail, the image comes back."""
    if dtype == "longdouble":
        image = np.full((20, 30), 0.25 + np.finfo(dtype).eps, dtype)
        image[:, 15:] = np.finfo(dtype).max
    else:
        image = np.full((20, 30), 2**62 + 1, dtype)
        image[:, 15:] = np.iinfo(dtype).max - 1
    whole = [image, da.from_array(image, chunks=7)]
    for pixels in whole:
        none = cases.sharpen(pixels, method, amount=0.0)
        np.testing.assert_array_equal(np.asarray(none.image), image)
        found = np.asarray(cases.sharpen(pixels, method).image)
        np.testing.assert_array_equal(found[:, :8], image[:, :8])
        np.testing.assert_array_equal(found[:, 22:], image[:, 22:])
    level = level_of(image, method, amount=0.0)
    np.testing.assert_array_equal(np.asarray(arrays(level)[0][3:9]), image[3:9])


def test_large_integers_saturate_and_change_as_before():
    """Only pixels that do not change keep digits that float64 has not."""
    image = np.array([[2**60 + 1, 2**60 + 1, -(2**62) - 1]], "int64")
    limited = usm.unsharp_mask(image, amount=0.0, limits=(0, 2**59))
    np.testing.assert_array_equal(limited, [[2**59, 2**59, 0]])
    cast = usm.unsharp_mask(image, amount=0.0, dtype="uint64")
    np.testing.assert_array_equal(cast, [[2**60, 2**60, 0]])
    alpha = np.full((4, 4, 2), 2**62 + 1)
    found = usm.unsharp_mask(alpha, channel_axis=2, alpha=True)
    np.testing.assert_array_equal(found, alpha)
