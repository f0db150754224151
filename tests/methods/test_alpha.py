"""Alpha is the weight of a pixel: colours under alpha 0 never reach what is visible."""

import dask.array as da
import numpy as np
import pytest

import cases
from cases import prepare
from napari_usm._engine import memory
from test_virtual import arrays, level_of

COLORS = ("channels", "luminance", "value")

# `wavelet_unsharp_mask` and its reference are slow on images of the size that the others
# need for an estimate.
SHAPES = {"wavelet_unsharp_mask": (14, 12), "polesel_unsharp_mask": (14, 12)}


def cut_out(shape, dtype, seed=0):
    """Colours, some of them under alpha 0, others under half of it."""
    image = np.abs(cases.picture((*shape, 4), dtype, seed))
    full = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    share = np.random.default_rng(seed).choice([0, 0.2, 0.5, 1], shape)
    share[: shape[0] // 2] = 1
    share[:3, :4] = 0
    image[..., 3] = share * full
    return image


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("method", cases.METHODS)
def test_every_method_against_the_reference(method, color, dtype):
    """Blurs are weighted by alpha; nothing else sees a pixel of alpha 0."""
    image = cut_out(SHAPES.get(method, (40, 36)), dtype)
    call = {"channel_axis": 2, "alpha": True, "color": color}
    found = cases.sharpen(image, method, **call)
    expected = cases.expected(image, method, **call)
    slack = cases.tolerance(image, method)
    np.testing.assert_allclose(
        found.edge_map, expected.edge_map, rtol=1e-5, atol=4 * slack
    )
    cases.assert_agrees(found.image, expected.raw, expected.image, 4 * slack)
    hidden = image[..., 3] == 0
    np.testing.assert_array_equal(found.image[hidden], image[hidden])
    np.testing.assert_array_equal(found.image[..., 3], image[..., 3])
    np.testing.assert_array_equal(found.edge_map[hidden], 0)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "bool"])
@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("method", cases.METHODS)
def test_opaque_pixels_are_those_without_alpha(method, color, dtype):
    """Where all is opaque nothing changes, to the last bit.

    Only planes of bytes without alpha are blurred in integers.
    """
    image = np.abs(cases.picture((40, 36, 4), dtype))
    image[..., 3] = np.iinfo(dtype).max if image.dtype.kind in "iu" else 1
    found = cases.sharpen(image, method, channel_axis=2, alpha=True, color=color)
    plain = cases.sharpen(image[..., :3], method, channel_axis=2, color=color)
    edges = found.edge_map[..., :3] if color == "channels" else found.edge_map
    plan = cases.prepare(image[..., :3], method, channel_axis=2, color=color)[0]
    if cases.in_bytes(plan):
        change = found.image[..., :3].astype(int) - plain.image
        assert np.abs(change).max() <= 1
        np.testing.assert_allclose(edges, plain.edge_map, atol=0.05)
        return
    np.testing.assert_array_equal(found.image[..., :3], plain.image)
    np.testing.assert_array_equal(edges, plain.edge_map)
    np.testing.assert_array_equal(found.amount, plain.amount)
    for name in ("overshoot", "mean_undershoot", "noise_factor"):
        np.testing.assert_allclose(
            getattr(found.report, name), getattr(plain.report, name), rtol=1e-6
        )


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("method", cases.METHODS)
def test_hidden_colours_change_nothing(method, color, dtype):
    """Whatever stands under alpha 0, the rest of the result and report is the same."""
    image = cut_out((40, 36), dtype)
    hidden = image[..., 3] == 0
    other = image.copy()
    other[hidden, :3] = [0, 255, 7] if dtype == "uint8" else [np.nan, -1e30, 3e38]
    call = {"channel_axis": 2, "alpha": True, "color": color, "limits": "data"}
    first = cases.sharpen(image, method, **call)
    second = cases.sharpen(other, method, **call)
    np.testing.assert_array_equal(first.image[~hidden], second.image[~hidden])
    np.testing.assert_array_equal(first.edge_map, second.edge_map)
    np.testing.assert_array_equal(first.amount, second.amount)
    np.testing.assert_array_equal(second.image[hidden], other[hidden])
    for name in ("overshoot", "mean_undershoot", "mean_change", "clipped_low", "noise"):
        np.testing.assert_array_equal(
            getattr(first.report, name), getattr(second.report, name)
        )


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("method", cases.METHODS)
def test_a_flat_cut_out_stays(method, color):
    """A disc of one colour on nothing has no rim, half seen at its border or not."""
    image = np.zeros((60, 60, 4), np.uint8)
    distance = np.hypot(*(np.mgrid[:60, :60] - 30))
    image[distance < 18] = 200, 150, 100, 255
    image[(distance > 16) & (distance < 18), 3] = 90
    found = cases.sharpen(image, method, channel_axis=-1, alpha=True, color=color)
    np.testing.assert_array_equal(found.image, image)
    np.testing.assert_allclose(found.edge_map, 0, atol=1e-3)


def test_by_hand():
    """The mean of three pixels of weight 1, 1/2 and 0."""
    image = np.array([[8.0, 1], [2, 0.5], [99, 0]])
    call = {"channel_axis": 1, "alpha": True, "kernel": "box", "mode": "nearest"}
    found = cases.edge_map(image, **call)[:, 0]
    means = (8 + 8 + 0.5 * 2) / 2.5, (8 + 0.5 * 2) / 1.5
    np.testing.assert_allclose(found, [8 - means[0], 2 - means[1], 0], rtol=1e-6)
    found = cases.edge_map(
        image, "laplacian_sharpen", channel_axis=1, alpha=True, mode="nearest"
    )
    np.testing.assert_allclose(found[:, 0], [6, -6, 0])


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("method", cases.METHODS)
def test_blocks_chunks_and_parts_agree(method, color, dtype):
    """However an image is cut, opaque parts and others fit together."""
    image = cut_out((64, 60), dtype, seed=3)
    call = {"channel_axis": 2, "alpha": True, "color": color}
    expected = cases.sharpen(image, method, **call)
    plan, pixels = prepare(image, method, **call)
    found = memory.result_of(memory.run(plan, pixels, block_size=500))
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_array_equal(found.edge_map, expected.edge_map)
    lazy = cases.sharpen(da.from_array(image, chunks=(17, 25, 2)), method, **call)
    np.testing.assert_array_equal(lazy.image.compute(), expected.image)
    np.testing.assert_array_equal(lazy.edge_map.compute(), expected.edge_map)
    assert lazy.report.compute().overshoot == expected.report.overshoot
    live = arrays(level_of(image, method, **call))[0]
    np.testing.assert_array_equal(
        np.asarray(live[20:45, 30:]), expected.image[20:45, 30:]
    )


@pytest.mark.parametrize("sigma", [1.0, 5.0])
def test_wide_blurs_and_thresholds(sigma):
    """Coarser grids are weighted too, and noise is that of what is seen."""
    image = cut_out((90, 80), "uint8", seed=5)
    call = {"channel_axis": 2, "alpha": True, "sigma": sigma}
    found = cases.edge_map(image, threshold="1 noise", **call)
    other = image.copy()
    other[image[..., 3] == 0, :3] = 99
    np.testing.assert_array_equal(
        cases.edge_map(other, threshold="1 noise", **call), found
    )
    significance = cases.significance(image, **call)
    np.testing.assert_array_equal(cases.significance(other, **call), significance)
    assert (significance[image[..., 3] == 0] == 0).all()


def test_nothing_visible():
    """An image without a visible pixel comes back."""
    image = cut_out((20, 30), "uint8")
    image[..., 3] = 0
    for method in cases.METHODS:
        found = cases.sharpen(image, method, channel_axis=2, alpha=True, limits="data")
        np.testing.assert_array_equal(found.image, image)
