"""The automatic method: what it estimates, and the laws on images large enough for it."""

import warnings
from unittest import mock

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

import cases
import napari_usm as usm
from cases import prepare
from napari_usm._engine import memory
from napari_usm._estimate.band_weights import FIRST_OCTAVE, band_weights, bands_of
from napari_usm._estimate.blur_and_noise import Estimate
from napari_usm._filters.bands import Bands, Noise, weighted_bands
from napari_usm._filters.fused import bands
from napari_usm._filters.fused.bands import BandsPass
from napari_usm._filters.fused.base import Finish, Layout
from napari_usm._filters.taps import AxisBlur
from test_blocks import assert_same, chunked
from test_virtual import arrays, keys, level_of

laws = settings(max_examples=60, deadline=None, derandomize=True)

METHOD = "auto_unsharp_mask"


@st.composite
def calls(draw, dtypes=("uint8", "uint16", "int16", "float32", "float64")):
    """An image that tells blur and noise, and a call that fits it."""
    shape, axes, channel = draw(
        st.sampled_from(
            [
                ((60,), (0,), None),
                ((41, 90), (0, 1), None),
                ((3, 33, 40), (1, 2), None),
                ((33, 3, 40), (0, 2), 1),
                ((20, 18, 22), (0, 1, 2), None),
                ((5, 70, 17), (0, 1, 2), None),
            ]
        )
    )
    image = cases.picture(shape, draw(st.sampled_from(dtypes)), draw(st.integers(0, 9)))
    if image.dtype.kind == "f" and draw(st.booleans()):
        spot = tuple(draw(st.integers(0, n - 1)) for n in shape)
        image[spot] = draw(st.sampled_from([np.nan, np.inf]))
    parameters = {
        "axes": axes,
        "mode": draw(st.sampled_from(cases.MODES)),
        "cval": draw(st.sampled_from([0.0, 0.7, 300])),
        "denoise": draw(st.sampled_from([0, 0.5, 1])),
        "strength": draw(st.sampled_from([0.5, 1, 2])),
        "estimate_per": draw(st.sampled_from(["image", "item"])),
    }
    if channel is not None:
        color = draw(st.sampled_from(["channels", "luminance", "value"]))
        parameters |= {"channel_axis": channel, "color": color}
    return image, parameters


@laws
@given(calls(), st.data(), st.integers(40, 5000))
def test_blocks_and_chunks_give_the_same_bits(call, data, size):
    """Neither blocks of any size nor chunks of any kind change a bit."""
    image, parameters = call
    expected = cases.sharpen(image, METHOD, **parameters)
    plan, pixels = prepare(image, METHOD, **parameters)
    running = memory.run(plan, pixels, block_size=size)
    found = usm.api.sharpened(memory.result_of(running))
    assert_same(found, expected)
    np.testing.assert_array_equal(found.report.blur, expected.report.blur)
    np.testing.assert_array_equal(found.report.noise, expected.report.noise)
    lazy = da.from_array(image, chunks=data.draw(chunked(image.shape)))
    found = cases.sharpen(lazy, METHOD, **parameters)
    made, edges, report = dask.compute(found.image, found.edge_map, found.report)
    np.testing.assert_array_equal(made, expected.image)
    np.testing.assert_array_equal(edges, expected.edge_map)
    np.testing.assert_array_equal(report.blur, expected.report.blur)
    assert found.amount == expected.amount
    assert found.gain is None


def ramp():
    """A bright photograph, of up to 255 photons."""
    rng = np.random.default_rng(3)
    ramp = np.linspace(4, 250, 170) + 20 * np.sin(np.arange(130) / 3)[:, np.newaxis]
    return rng.poisson(np.clip(ramp, 1, 220)).clip(0, 255)


def specimen():
    """Blurred points on dark ground, with noise and impulses, some in corners."""
    rng = np.random.default_rng(4)
    shape = 135, 170
    points = np.where(rng.random(shape) < 0.01, rng.exponential(900, shape), 0)
    for axis in (0, 1):
        points = gaussian_filter1d(points, 1.2, axis)
    image = rng.poisson(points.clip(0, 180) + 12)
    image[rng.integers(0, shape[0], 30), rng.integers(0, shape[1], 30)] = 255
    image[[0, 0, -1, -1, 1, 60, 61], [0, -1, 0, -1, 80, -1, 77]] = 255
    return image.clip(0, 255)


def stained():
    """The same where the ground is bright."""
    return 255 - specimen()


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize(
    ("draw", "ground"), [(ramp, 0), (specimen, 1), (stained, -1)], ids=str
)
def test_planes_in_one_pass_and_strips_give_the_same_bits(
    draw, ground, dtype, mode, monkeypatch
):
    """In one pass, in strips of any width, as step by step."""
    image = draw().astype(dtype)
    call = {"mode": mode, "cval": 40.5}
    plan, _ = prepare(image, METHOD, **call)
    constants = memory.result_of(memory.estimate(plan, image)).constants
    found = Estimate.of(constants.estimate.ravel())
    assert np.sign(found.ground) == ground
    assert found.growth > 0 or ground < 0
    assert plan.one_pass(constants.estimate) is not None
    with cases.stepwise():
        expected = cases.sharpen(image, METHOD, **call)
    expected, edges = expected.image, expected.edge_map
    for strip in (2048, 40, 7):
        monkeypatch.setattr(bands, "_STRIP", strip)
        np.testing.assert_array_equal(usm.auto_unsharp_mask(image, **call), expected)
        np.testing.assert_array_equal(cases.edge_map(image, METHOD, **call), edges)


@laws
@given(
    st.integers(0, 9999),
    st.sampled_from([(40, 90), (17, 130), (33, 21, 3), (16, 16, 40)]),
    st.sampled_from(["uint8", "int8", "uint16", "float32"]),
    st.sampled_from(cases.MODES),
    st.sampled_from([0.3, 1.0, 2.0, 3.3, 5.0]),
    st.sampled_from([0.0, 0.0002, 0.005, 0.1]),
    st.sampled_from([0.0, 0.3, 1.0, -0.7]),
    st.sampled_from([None, 0.0, 1.0]),
    st.sampled_from([2048, 40, 7]),
)
def test_bands_in_one_pass_are_those_of_the_steps(
    seed, shape, dtype, mode, blur, growth, ground, correction, strip
):
    """Whatever the noise, the blur and the ground, to the last bit."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(20, 60, shape).clip(3, 200) * rng.choice([0.2, 1])
    spots = rng.random(shape) < rng.choice([0, 0.01])
    low = -120 if dtype == "int8" else 0
    image = np.where(spots, 250, rng.poisson(mean)).clip(0, 240) + low
    image = image.astype(dtype)
    found = Estimate((blur, 0.8 * blur), 1e-4, growth, 0.0, 0.5 / 256, 0.1, 256.0, 1.0)
    blurs = dict(enumerate(found.sigmas))
    given = bands_of(blurs, found, 1.0, lift=ground, correction=correction)
    scaled, unit = image.astype(np.float32) / np.float32(256), np.float32(256)
    expected = weighted_bands(scaled, given, mode, 40.5 / 256) * unit
    whole = tuple(slice(0, length) for length in shape)
    layout = Layout(shape, (), image.dtype, whole, shape, mode, 40.5)
    edges, numbers = np.empty_like(expected), Finish(1.0, (0, 255)).numbers(image.dtype)
    with mock.patch.object(bands, "_STRIP", strip):
        bound = BandsPass(given, 8).bind(layout)
    assert bound(image, np.empty(0, dtype), edges, 0, numbers)
    np.testing.assert_array_equal(edges, expected)


@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64"])
def test_impulses_are_replaced(dtype):
    """Hot and dead pixels become like those around them, at borders and in pairs too."""
    clean = np.round(1000 + 10 * photograph(2, 0.5, 130))
    image = clean.astype(dtype)
    hot = [0, 129, 0, 50, 51, 90], [0, 129, 80, 60, 60, 129]
    image[hot] = 60000
    image[70, 3] = 0
    found = usm.auto_unsharp_mask(image, dtype="float64")
    expected = usm.auto_unsharp_mask(clean.astype(dtype), dtype="float64")
    # Next to a border the median is not that of a slope.
    np.testing.assert_allclose(found, expected, atol=0.03 * 60000)
    left = usm.auto_unsharp_mask(image, denoise=0, dtype="float64")
    assert (left[hot] > 50000).all()


@laws
@given(calls(), st.data())
def test_any_part_of_a_virtual_result(call, data):
    """Every index gives what the whole array has there."""
    image, parameters = call
    expected = cases.sharpen(image, METHOD, **parameters)
    found, edges = arrays(level_of(image, METHOD, **parameters))
    for array, whole in ((found, expected.image), (edges, expected.edge_map)):
        key = data.draw(keys(whole.shape))
        np.testing.assert_array_equal(np.asarray(array[key]), whole[key])


@laws
@given(calls(), st.data())
def test_flipping_never_changes_a_pixel(call, data):
    """A mirror image has the same estimate, to the last bit, and comes out mirrored."""
    image, parameters = call
    axis = data.draw(st.sampled_from(range(image.ndim)))
    if parameters.get("channel_axis") == axis:
        return  # red has another weight than blue
    expected = cases.edge_map(image, METHOD, **parameters)
    at = axis
    if expected.ndim < image.ndim:
        at -= axis > parameters["channel_axis"]
    found = cases.edge_map(np.flip(image, axis), METHOD, **parameters)
    np.testing.assert_array_equal(found, np.flip(expected, at))


@laws
@given(calls(dtypes=["float64"]), st.data())
def test_transposing_commutes(call, data):
    """No axis is special."""
    image, parameters = call
    order = data.draw(st.permutations(range(image.ndim)))
    parameters["color"] = "channels"
    moved = {**parameters, "axes": [order.index(axis) for axis in parameters["axes"]]}
    if "channel_axis" in parameters:
        moved["channel_axis"] = order.index(parameters["channel_axis"])
    expected = cases.edge_map(image, METHOD, **parameters).transpose(order)
    found = cases.edge_map(image.transpose(order), METHOD, **moved)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@laws
@given(calls(dtypes=["uint8", "float32"]), st.data())
def test_items_are_independent(call, data):
    """With an estimate for each item, what happens at one stays there."""
    image, parameters = call
    parameters |= {"color": "channels", "estimate_per": "item"}
    others = [axis for axis in range(image.ndim) if axis not in parameters["axes"]]
    if not others:
        return
    (axis,) = others
    index = data.draw(st.integers(0, image.shape[axis] - 1))
    whole = cases.edge_map(image, METHOD, **parameters)
    alone = cases.edge_map(np.take(image, [index], axis), METHOD, **parameters)
    np.testing.assert_array_equal(np.take(whole, [index], axis), alone)


def five_by_five(table, constant):
    """Weighted bands of a bright column, blurred by 1/4 1/2 1/4 along the rows."""
    image = np.zeros((5, 5))
    image[:, 2] = 16
    narrow = {1: AxisBlur(np.array([0.25, 0.5, 0.25]))}
    noise = Noise(constant, 0.0, 0.0, 0.0)
    bands = Bands(narrow, narrow, np.array(table), 0, 1.0, noise)
    return weighted_bands(image, bands, "mirror", 0.0)


def test_bands_by_hand():
    """Each row 0 0 16 0 0 becomes 0 4 8 4 0, then 2 4 6 4 2, then 3 4 5 4 3."""
    found = five_by_five([(1.0, 2.0, 3.0)] * 2, 1.0)
    # The bands are 0 -4 8 -4 0, -2 0 2 0 -2 and -1 0 1 0 -1.
    np.testing.assert_allclose(found, [[-7, -4, 15, -4, -7]] * 5)


def test_local_ratio_by_hand():
    """A weight that is the ratio itself tells the ratio of signal to noise."""
    # Of the nine nearest of 1 0 1 0 1, mirrored, five are 1 where it is 1.
    ratio = np.pi / 2 * (5 / 9) ** 2 / 0.01 - 1
    found = five_by_five([(0.0, 0.0, 2.0**octave) for octave in range(8)], 0.01)
    np.testing.assert_allclose(found, [[-ratio, 0, ratio, 0, -ratio]] * 5)


def photograph(sigma=0.0, noise=0.0, side=256):
    """Noise with the spectrum of photographs, blurred; 0 to 255."""
    rng = np.random.default_rng(4)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = 1
    blur = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
    spectrum = np.fft.fft2(rng.normal(size=(side, side))) * frequency**-1.2 * blur
    image = np.fft.ifft2(spectrum).real
    image = 128 + 40 * image / image.std()
    return image + rng.normal(0, noise, image.shape)


@pytest.mark.parametrize("noise", [1, 4])
@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.5])
def test_blur_and_noise_are_told(sigma, noise):
    """What was done to an image is found in it."""
    report = cases.sharpen(photograph(sigma, noise), METHOD).report
    np.testing.assert_allclose(report.blur, sigma, rtol=0.12)
    assert report.noise == pytest.approx(noise, rel=0.12)


@pytest.mark.parametrize("offset", [0, 1000, -300])
@pytest.mark.parametrize("factor", [1 / 255, 1.0, 200.0])
def test_any_range(factor, offset):
    """Brightness and contrast of real numbers are of no matter."""
    image = photograph(1.4, 2)
    found = cases.edge_map((image + offset) * factor, METHOD)
    expected = cases.edge_map(image, METHOD)
    np.testing.assert_allclose(found / factor, expected, atol=1e-2)


def test_photon_noise_is_told():
    """Where noise grows with the intensity, bright and dark parts are both smoothed."""
    rng = np.random.default_rng(5)
    ramp = np.tile(np.linspace(20, 2000, 256), (256, 1))
    noisy = rng.poisson(ramp).astype(np.float32)
    found = usm.auto_unsharp_mask(noisy)
    for part in (slice(40, 80), slice(176, 216)):  # the border is an edge
        before, after = (np.std((a - ramp)[:, part]) for a in (noisy, found))
        assert after < 0.5 * before


def test_z_has_a_blur_of_its_own():
    """Filtered along three axes, each has its own estimate."""
    rng = np.random.default_rng(6)
    length = np.sqrt(sum(f**2 for f in np.meshgrid(*[np.fft.fftfreq(64)] * 3)))
    length[0, 0, 0] = 1
    grid = np.meshgrid(*[np.fft.fftfreq(64)] * 3, indexing="ij")
    blur = np.exp(
        -2
        * np.pi**2
        * sum((s * f) ** 2 for s, f in zip((1.8, 1, 1), grid, strict=True))
    )
    image = np.fft.ifftn(np.fft.fftn(rng.normal(size=(64,) * 3)) * length**-1.7 * blur)
    image = image.real / image.real.std() + rng.normal(0, 0.01, image.shape)
    z, y, x = cases.sharpen(image, METHOD).report.blur
    assert (y, x) == pytest.approx((1, 1), abs=0.25)
    assert 1.4 < z < 2.2


def test_one_estimate_for_a_series():
    """A series does not flicker, unless each item is to have an estimate of its own."""
    series = np.stack([photograph(1, 1), photograph(2, 1)])
    report = cases.sharpen(series, METHOD, axes=(1, 2)).report
    assert report.blur.shape == (2,)
    apart = cases.sharpen(series, METHOD, axes=(1, 2), estimate_per="item").report
    assert apart.blur.shape == (2, 2)
    assert apart.blur[0, 0] < report.blur[0] < apart.blur[1, 0]
    assert apart.noise.shape == (2,)


def test_weights():
    """The weights are those that were tuned on photographs, to what the grid changes."""
    table = band_weights((1.0, 1.0), 1.0).table
    known = {0: (-0.62, -3.41, 1.45), 20: (23.44, -35.35, 4.03)}
    for octave, weights in known.items():
        found = table[octave - FIRST_OCTAVE]
        np.testing.assert_allclose(found, weights, rtol=0.15, atol=0.5)


def test_denoise_zero_only_sharpens():
    """Without smoothing, noise alone is left as it is."""
    noise = np.random.default_rng(0).normal(100, 5, (128, 128))
    calm = cases.sharpen(noise, METHOD)
    left = cases.sharpen(noise, METHOD, denoise=0)
    assert calm.report.smooths_noise
    assert not left.report.smooths_noise
    assert calm.report.noise_factor < 0.5
    assert 0.95 < left.report.noise_factor < 1.2
    assert np.std(calm.image) < 0.6 * np.std(noise)


def degenerate():
    """Images that there is nothing, or nothing sensible, to be told of."""
    rng = np.random.default_rng(1)
    for side in (*range(1, 9), 15, 16, 17, 40):
        yield rng.integers(0, 255, (side, side)).astype(np.uint8)
    yield rng.integers(0, 255, (1, 40)).astype(np.float32)
    yield rng.integers(0, 255, (40, 8)).astype(np.uint16)
    yield rng.normal(100, 5, (64, 64))
    yield rng.normal(100, 5, (64, 64)).astype(np.uint8)
    yield np.kron(rng.integers(0, 255, (8, 8)), np.ones((8, 8))).astype(np.uint8)
    yield np.full((64, 64), 7, np.uint8)
    yield np.full((64, 64), 255, np.uint8)
    yield np.full((64, 64), np.nan)
    yield np.full((64, 64), np.inf, np.float32)
    yield np.where(rng.random((64, 64)) < 0.4, np.nan, rng.random((64, 64)))
    yield rng.random((64, 64)) > 0.5
    yield (rng.random((64, 64)) > 0.5).astype(np.uint8)
    yield np.where(np.indices((64, 64)).sum(axis=0) % 2, 0, 255).astype(np.uint8)
    yield np.clip(photograph(1, 3) * 3 - 200, 0, 255).astype(np.uint8)
    yield np.zeros((64, 64)) + np.eye(64) * 1e-300
    yield rng.random((64, 64)) * 1e30
    yield (rng.random((64, 64)) * 3e38).astype(np.float32)
    yield rng.random((64, 64)).astype(np.float16) * np.float16(6e4)
    yield rng.integers(0, 2**63, (40, 40)).astype(np.uint64)


@pytest.mark.parametrize("method", cases.ESTIMATING)
@pytest.mark.parametrize("image", list(degenerate()))
def test_degenerate_images(image, method):
    """Every image gives finite, sensible numbers, and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = cases.sharpen(image, method)
        alone = cases.function(method)(image)
    np.testing.assert_array_equal(alone, found.image)
    valid = np.isfinite(image)
    assert np.isfinite(found.edge_map).all()
    np.testing.assert_array_equal(found.image[~valid], image[~valid])
    assert np.isfinite(found.report.blur).all()
    assert np.isfinite(found.report.noise_factor)
    if valid.any():
        span = float(image[valid].max()) - float(image[valid].min())
        assert float(np.abs(found.edge_map).max()) <= max(span, 1e-30)
    if max(image.shape) < 16 or not valid.any():
        np.testing.assert_array_equal(found.image, image)


@pytest.mark.parametrize("cval", [2.1, 1e18, 1e25, 1e38])
def test_a_far_border_in_one_pass(cval):
    """It is the same border in one pass and step by step."""
    image = photograph(1, 3).astype(np.uint8)
    call = {"mode": "constant", "cval": cval}
    with cases.stepwise():
        steps = cases.sharpen(image, METHOD, **call)
    np.testing.assert_array_equal(usm.auto_unsharp_mask(image, **call), steps.image)
    np.testing.assert_array_equal(cases.edge_map(image, METHOD, **call), steps.edge_map)


@pytest.mark.parametrize("method", cases.ESTIMATING)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_border_far_beyond_the_range(dtype, method):
    """However far it is, what does not reach it is as it is with any border."""
    image = (1e-30 * photograph(1, 3)).astype(dtype)
    far = cases.sharpen(image, method, mode="constant", cval=1e30)
    near = cases.sharpen(image, method, mode="constant", cval=0.0)
    alone = cases.function(method)(image, mode="constant", cval=1e30)
    np.testing.assert_array_equal(alone, far.image)
    assert np.isfinite(far.report.noise_factor)
    assert not np.isnan(far.edge_map).any()
    inner = (slice(40, -40),) * 2
    np.testing.assert_array_equal(far.edge_map[inner], near.edge_map[inner])


def test_sharp_images_stay():
    """An image that is sharp and clean is hardly changed."""
    rng = np.random.default_rng(2)
    blocks = np.kron(rng.integers(0, 255, (16, 16)), np.ones((16, 16)))
    image = blocks.astype(np.uint8)
    change = usm.auto_unsharp_mask(image).astype(float) - image
    assert np.abs(change).mean() < 1.5
