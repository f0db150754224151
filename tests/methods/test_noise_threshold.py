"""Thresholds in units of the noise that the detail has at each pixel."""

from functools import partial

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import cases
import napari_usm as usm
import reference
from cases import prepare
from method_cases import METHOD_CASES
from napari_usm._engine import memory
from napari_usm._engine.block import Output
from napari_usm._engine.fitting import settle
from napari_usm._engine.pyramid import SharpenedLevel
from napari_usm._engine.region import DetailCache, LiveImage
from napari_usm._engine.virtual import VirtualArray
from napari_usm._filters.threshold import DetailNoise, Threshold, significance
from napari_usm.api import finding_noise
from test_blocks import assert_same, chunked
from test_virtual import arrays, keys, level_of

# Each call makes an estimate, in every block anew.
laws = settings(max_examples=8, deadline=None, derandomize=True)

METHODS = cases.THRESHOLDED

# What the detail and its noise depend on, and values to try.
DETAIL = {
    "unsharp_mask": ("sigma", [0.7, 1.5, 4.2]),
    "laplacian_sharpen": ("median_size", [1, 3]),
}

# Share of normally distributed noise beyond three standard deviations.
BEYOND = 0.0026998


def speckled(shape=(64, 80), dtype="float32", seed=0):
    """A picture whose noise grows with the intensity."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    light = 60 + 50 * np.cos(sum(axis / 15 for axis in grid))
    noisy = 12 * rng.poisson(light) + rng.normal(0, 9, shape)
    return np.clip(noisy, 0, 60000).astype(dtype)


@st.composite
def calls(draw, dtypes=("uint16", "int16", "float32", "float64")):
    """A noisy image, a method and a threshold in units of its noise."""
    shape, axes, channel = draw(
        st.sampled_from(
            [
                ((70,), (0,), None),
                ((41, 90), (0, 1), None),
                ((3, 33, 40), (1, 2), None),
                ((33, 3, 40), (0, 2), 1),
                ((48, 48, 3), (0, 1), 2),
                ((20, 18, 22), (0, 1, 2), None),
                ((9, 40), (0, 1), None),
            ]
        )
    )
    image = speckled(shape, draw(st.sampled_from(dtypes)), draw(st.integers(0, 9)))
    if image.dtype.kind == "f" and draw(st.booleans()):
        spot = tuple(draw(st.integers(0, n - 1)) for n in shape)
        image[spot] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    method = draw(st.sampled_from(METHODS))
    parameters = {
        "axes": axes,
        "mode": draw(st.sampled_from(cases.MODES)),
        "cval": 300.0,
        "threshold": draw(st.sampled_from(["0 noise", "0.5 noise", "2.5 noise"])),
        "hard": draw(st.booleans()),
    }
    name, values = DETAIL[method]
    parameters[name] = draw(st.sampled_from(values))
    if channel is not None:
        color = draw(st.sampled_from(["channels", "luminance", "value"]))
        parameters |= {"channel_axis": channel, "color": color}
    return image, method, parameters


@laws
@given(calls())
def test_reference(call):
    """The edge map is that of the reference, whose estimate is its own too."""
    image, method, parameters = call
    if parameters.get("sigma", 0) > 4:
        return  # within a thousandth only
    parameters["hard"] = False
    finite = np.isfinite(image)
    expected = cases.expected(image, method, **parameters)
    found = cases.sharpen(image, method, **parameters)
    slack = 2e-3 * np.ptp(image[finite].astype(float)) ** 0.5
    np.testing.assert_allclose(found.edge_map, expected.edge_map, atol=slack)


@laws
@given(calls(), st.data(), st.integers(400, 5000))
def test_blocks_and_chunks_give_the_same_bits(call, data, size):
    """Neither blocks of any size nor chunks of any kind change a bit."""
    image, method, parameters = call
    expected = cases.sharpen(image, method, **parameters)
    plan, pixels = prepare(image, method, **parameters)
    running = memory.run(plan, pixels, block_size=size)
    found = usm.api.sharpened(memory.result_of(running))
    assert_same(found, expected)
    np.testing.assert_array_equal(found.report.noise, expected.report.noise)
    lazy = da.from_array(image, chunks=data.draw(chunked(image.shape)))
    found = cases.sharpen(lazy, method, **parameters)
    made, edges, report = dask.compute(found.image, found.edge_map, found.report)
    np.testing.assert_array_equal(made, expected.image)
    np.testing.assert_array_equal(edges, expected.edge_map)
    np.testing.assert_array_equal(report.noise, expected.report.noise)
    assert found.amount == expected.amount


@laws
@given(calls(), st.data())
def test_any_part_of_a_virtual_result(call, data):
    """Every index gives what the whole array has there."""
    image, method, parameters = call
    expected = cases.sharpen(image, method, **parameters)
    found, edges = arrays(level_of(image, method, **parameters))
    for array, whole in ((found, expected.image), (edges, expected.edge_map)):
        key = data.draw(keys(whole.shape))
        np.testing.assert_array_equal(np.asarray(array[key]), whole[key])


@laws
@given(calls(), st.data(), st.integers(400, 5000))
def test_significance_of_any_part(call, data, size):
    """In blocks, chunks or windows the significance is that of the whole array."""
    image, method, parameters = call
    expected = cases.significance(image, method, **parameters)
    plan = finding_noise(prepare(image, method, **parameters)[0])
    running = memory.significance(plan, image, block_size=size)
    np.testing.assert_array_equal(memory.result_of(running), expected)
    lazy = da.from_array(image, chunks=data.draw(chunked(image.shape)))
    found = cases.significance(lazy, method, **parameters)
    np.testing.assert_array_equal(found.compute(), expected)
    settled = memory.result_of(settle(plan, image))
    level = SharpenedLevel(LiveImage(image, DetailCache(2**20)), settled)
    array = VirtualArray(
        expected.shape, "float32", partial(level.part, Output.SIGNIFICANCE)
    )
    key = data.draw(keys(expected.shape))
    np.testing.assert_array_equal(np.asarray(array[key]), expected[key])


@pytest.mark.parametrize("color", ["channels", "luminance", "value"])
@pytest.mark.parametrize(
    "method", [name for name, case in METHOD_CASES.items() if case.reference.detail]
)
def test_significance_reference(method, color):
    """The size of the detail over its noise by the reference."""
    image = speckled((50, 60, 3), "float64")
    image[20, 30, 1] = np.nan
    found = cases.significance(image, method, color=color, channel_axis=2, mode="wrap")
    once_more = METHOD_CASES[method].reference
    p = {**once_more.defaults, "mode": "wrap"}
    planes = reference.grey_planes(image, 2, color)
    expected = []
    for plane in planes:
        detail, around = once_more.detail(plane, (0, 1), p)
        how = (around, (0, 1), once_more.detail, p, False)
        expected.append(np.abs(detail) / reference.detail_noise(plane, *how))
    expected = np.stack(expected, 2) if len(planes) > 1 else expected[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert found.dtype == np.float32


def test_significance_is_what_thresholds_go_by():
    """Three is reached where a hard threshold of three times the noise keeps detail."""
    image = speckled((64, 80), "float64")
    for method in METHODS:
        kept = cases.edge_map(image, method, threshold="3 noise", hard=True) != 0
        found = cases.significance(image, method, amount=-2, threshold=7)
        np.testing.assert_array_equal(found >= 3, kept)


def test_significance_by_hand():
    """Details 3, 4 and 6 with noises 1, 2 and 4, and one where there is no noise."""
    noise = DetailNoise(0.25, 1.0, 2.0, 0.25, 2.0, 1.0)
    detail, image = np.array([[3.0, -4, 6, 0]] * 5), np.array([[5.0, -1, 12, 9]] * 5)
    # The means around are 2, 3, 6 and 9.
    expected = np.divide([[3, 4, 6, 0]] * 5, np.sqrt([1.0, 5, 17, 29]))
    np.testing.assert_allclose(significance(detail, image, noise), expected)
    nothing = significance(detail, image, noise.times(0))
    np.testing.assert_array_equal(nothing, np.zeros((5, 4)))


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("unsharp_mask", {"sigma": 5}),
        ("adaptive_unsharp_mask", {}),
        ("gaussian_sharpen", {"sigma": 1.5}),
    ],
)
def test_significance_of_pure_noise(method, parameters):
    """In noise alone, the root of the mean square is 1."""
    noise = np.random.default_rng(5).normal(100, 4, (256, 256))
    found = cases.significance(noise, method, **parameters)
    assert np.sqrt(np.mean(found**2)) == pytest.approx(1, abs=0.04)


def test_a_median_wider_than_usual_noise():
    """What a median leaves is measured in as much noise as it needs."""
    noise = np.random.default_rng(5).normal(size=30_000)
    left = ndimage.laplace(ndimage.median_filter(noise, 4097))[3000:-3000]
    method = cases.ENTRIES["laplacian_sharpen"].method(median_size=4097)
    assert method.response((0,)).gain == pytest.approx(np.var(left), rel=0.6)


def test_no_significance_of_weighted_bands():
    """The automatic method has no detail of its own kind: it says so."""
    with pytest.raises(ValueError, match=r"`method` must be .* got 'auto_unsharp"):
        cases.significance(np.zeros((4, 4)), "auto_unsharp_mask")


@pytest.mark.parametrize("method", METHODS)
def test_threads_change_nothing(method):
    """On several threads the same pixels are left alone."""
    image = speckled((900, 1200), "uint16")
    with usm.threads(1):
        expected = cases.sharpen(image, method, threshold="2 noise")
    with usm.threads(3):
        assert_same(cases.sharpen(image, method, threshold="2 noise"), expected)


@pytest.mark.parametrize("hard", [False, True])
def test_threshold_by_hand(hard):
    """A standard deviation of 1 at intensity 0, of 3 at 32 and more below 0."""
    image = np.array([[0.0, 8, 16, 32, -8]] * 5)
    detail = np.array([[3.0, -4, 4, 7, -2]] * 5)
    # Less a fourth of the detail: -0.75, 9, 15, 30.25, -7.5 around the pixels.
    noise = DetailNoise(1.0, 0.25, 0.0, 1.0, 0.5, 0.25)
    limits = 2 * 0.5 * np.sqrt([1, 3.25, 4.75, 8.5625, 1])
    soft = [[3 - limits[0], limits[1] - 4, 4 - limits[2], 7 - limits[3], -1]] * 5
    asked = Threshold(2.0, hard, in_noise=True, noise=noise)
    expected = detail if hard else soft
    np.testing.assert_allclose(asked.of(detail, image), expected, rtol=1e-12)
    # Of four times the noise, one is less, and the last just as much.
    asked = Threshold(4.0, hard, in_noise=True, noise=noise)
    kept = asked.of(detail, image) != 0
    np.testing.assert_array_equal(kept, [[True, True, False, True, hard]] * 5)


@pytest.mark.parametrize("sigma", [2.0, 30.0])
@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("unsharp_mask", {"sigma": 0.6}),
        ("unsharp_mask", {"sigma": (1, 3)}),
        ("unsharp_mask", {"sigma": 9}),
        ("unsharp_mask", {"kernel": "box"}),
        ("laplacian_sharpen", {}),
        ("laplacian_sharpen", {"spacing": (1, 2)}),
    ],
)
def test_share_of_pure_noise(method, parameters, sigma):
    """Of normally distributed noise as much stays as of a normal distribution."""
    noise = np.random.default_rng(1).normal(1000, sigma, (512, 512))
    found = cases.sharpen(noise, method, threshold="3 noise", hard=True, **parameters)
    assert found.report.noise == pytest.approx(sigma, rel=0.02)
    # Neighbours have much of their noise in common: their number counts for half.
    error = np.sqrt(BEYOND / (noise.size / 2))
    # Density there, times 3, is what the error of the estimate changes.
    error += 2 * 3 * 0.00443 * abs(found.report.noise / sigma - 1)
    assert (found.edge_map != 0).mean() == pytest.approx(BEYOND, abs=4 * error)


@pytest.mark.parametrize("method", METHODS)
def test_photon_noise_in_dark_and_bright(method):
    """Where noise grows with the intensity, dark and bright have equal chances."""
    light = np.tile(np.linspace(20, 2000, 512), (512, 1))
    noisy = np.random.default_rng(2).poisson(light).astype(np.uint16)
    found = cases.edge_map(noisy, method, threshold="3 noise", hard=True)
    dark, bright = (slice(None), slice(0, 128)), (slice(None), slice(384, 512))
    shares = [np.mean(found[part] != 0) for part in (dark, bright)]
    assert 0.5 < shares[0] / shares[1] < 2
    # As near as that of even noise.
    assert 0.7 * BEYOND < min(shares) < max(shares) < 1.4 * BEYOND
    # One number for all of them finds nothing in the dark, and only noise elsewhere.
    detail = np.abs(cases.edge_map(noisy, method))
    one = 3 * np.std(detail) / np.sqrt(1 - 2 / np.pi)
    assert np.mean(detail[dark] >= one) == 0
    assert np.mean(detail[bright] >= one) > 4 * BEYOND


@pytest.mark.parametrize("side", [128, 256])
def test_photon_noise_of_two_intensities(side):
    """A step between dark and bright is no noise, and hides none."""
    light = np.full((side, side), 100.0)
    light[:, side // 2 :] = 1000
    noisy = np.random.default_rng(1).poisson(light).astype(np.uint16)
    found = cases.edge_map(noisy, threshold="3 noise", hard=True)
    for part in (slice(8, side // 2 - 8), slice(side // 2 + 8, -8)):
        assert np.mean(found[:, part] != 0) < 2 * BEYOND


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [2.0, 0.25])
def test_brightness_is_of_no_matter(method, factor):
    """An image of twice the intensities has twice the noise, to the last bit."""
    image = speckled(dtype="float32")
    expected = cases.edge_map(image, method, threshold="2 noise") * np.float32(factor)
    found = cases.edge_map(image * np.float32(factor), method, threshold="2 noise")
    np.testing.assert_array_equal(found, expected)


def test_even_noise_is_a_plain_threshold():
    """Where noise does not follow the intensity, one number does the same."""
    noise = np.random.default_rng(3).normal(100, 5, (128, 128)).astype(np.float32)
    found = cases.sharpen(noise, threshold="2 noise")
    unsharp = reference.unsharp_mask
    factor = np.sqrt(reference.noise_energy(2, unsharp.detail, unsharp.defaults))
    expected = cases.edge_map(noise, threshold=2 * float(found.report.noise) * factor)
    np.testing.assert_allclose(found.edge_map, expected, atol=1e-4)
    assert found.report.noise_factor < 1.3


def test_each_channel_has_its_noise():
    """Channels that are sharpened apart are judged apart; a series is judged as one."""
    rng = np.random.default_rng(4)
    image = rng.normal(100, [1, 3, 9], (128, 128, 3))
    call = {"threshold": "3 noise", "hard": True}
    found = cases.sharpen(image, channel_axis=2, **call)
    np.testing.assert_allclose(found.report.noise, [1, 3, 9], rtol=0.06)
    assert np.all(np.mean(found.edge_map != 0, axis=(0, 1)) < 2 * BEYOND)
    series = np.moveaxis(image, 2, 0)
    assert cases.sharpen(series, axes=(1, 2), **call).report.noise.ndim == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "image",
    [
        np.full((40, 40), 7, np.uint8),
        np.arange(72, dtype=np.uint16).reshape(8, 9) ** 2,
        np.full((30, 30), np.nan),
        np.full((30, 30), np.inf, np.float32),
        np.random.default_rng(0).random((64, 64)) > 0.5,
        np.random.default_rng(0).random((64, 64)) * 1e-300,
        (np.random.default_rng(0).random((64, 64)) * 3e37).astype(np.float32),
    ],
)
def test_images_that_tell_no_noise(method, image):
    """Nothing is held back where nothing is known, and nothing fails."""
    found = cases.sharpen(image, method, threshold="3 noise")
    assert np.isfinite(found.edge_map).all()
    assert np.isfinite(found.report.noise)
    assert np.isfinite(found.report.noise_factor)
    if found.report.noise == 0:
        plain = cases.sharpen(image, method)
        np.testing.assert_array_equal(found.image, plain.image)
        assert found.report.noise_factor == pytest.approx(
            plain.report.noise_factor, rel=0.05
        )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("3 sigma", "`threshold` must be a number or a multiple of the noise"),
        ("noise", "`threshold` must be a number or a multiple of the noise"),
        ("3", "`threshold` must be a number or a multiple of the noise"),
        ("-1 noise", "`threshold` must be a finite multiple of at least 0"),
        ("nan noise", "`threshold` must be a finite multiple of at least 0"),
        ("inf noise", "`threshold` must be a finite multiple of at least 0"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_wrong_thresholds(method, value, message):
    """What is no threshold is named, with the rule and the value."""
    with pytest.raises(ValueError, match=message) as raised:
        cases.sharpen(np.zeros((4, 4)), method, threshold=value)
    assert repr(value) in str(raised.value)
