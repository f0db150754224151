"""The automatic method: what it estimates, and the laws on images large enough for it."""

import warnings
from unittest import mock

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.ndimage import gaussian_filter1d

import cases
import napari_usm as usm
import reference
from cases import prepare
from napari_usm import metrics
from napari_usm._engine import memory
from napari_usm._estimate.band_weights import FIRST_OCTAVE, band_weights, bands_of
from napari_usm._estimate.blur_and_noise import Estimate
from napari_usm._estimate.frequencies import frequencies
from napari_usm._filters.bands import Bands, Noise, weighted_bands
from napari_usm._filters.fused import bands
from napari_usm._filters.fused.bands import BandsPass
from napari_usm._filters.fused.base import Finish, Layout
from napari_usm._filters.impulses import without_impulses
from napari_usm._filters.local_floor import local_floor
from napari_usm._filters.taps import AxisBlur
from test_blocks import assert_same, chunked
from test_virtual import arrays, keys, level_of

laws = settings(max_examples=60, deadline=None, derandomize=True)

METHOD = "auto_unsharp_mask"

MODELS = ("auto", "widefield", "confocal", "gaussian")


@st.composite
def calls(draw, dtypes=("uint8", "uint16", "int16", "float32", "float64")):
    """A picture or a specimen that tells blur and noise, and a call that fits it."""
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
    dtype, seed = draw(st.sampled_from(dtypes)), draw(st.integers(0, 9))
    if draw(st.booleans()):
        image = cases.picture(shape, dtype, seed)
    else:
        offset = draw(st.sampled_from([0, 100, 1000]))
        image = cases.specimen(shape, dtype, seed, offset)
        if draw(st.booleans()):
            image = cases.in_bright_field(image)
    if image.dtype.kind == "f" and draw(st.booleans()):
        spot = tuple(draw(st.integers(0, n - 1)) for n in shape)
        image[spot] = draw(st.sampled_from([np.nan, np.inf]))
    parameters = {
        "axes": axes,
        "mode": draw(st.sampled_from(cases.MODES)),
        "cval": draw(st.sampled_from([0.0, 0.7, 300])),
        "denoise": draw(st.sampled_from([0, 0.5, 1])),
        "strength": draw(st.sampled_from([0.5, 1, 2])),
        "model": draw(st.sampled_from(MODELS)),
        "estimate_per": draw(st.sampled_from(["image", "item"])),
    }
    known = draw(st.sampled_from(["nothing", "nothing", "blur", "cutoff"]))
    if known == "blur":
        each = [draw(st.sampled_from([0.0, 0.6, 1.3])) for _ in axes]
        parameters["blur"] = draw(st.sampled_from([each[0], each]))
    elif known == "cutoff" and len(axes) == 2 and parameters["model"] in MODELS[:2]:
        parameters["cutoff"] = draw(st.sampled_from([0.25, 0.5]))
    if channel is not None:
        color = draw(st.sampled_from(["channels", "luminance", "value"]))
        parameters |= {"channel_axis": channel, "color": color}
    return image, parameters


@laws
@given(calls(), st.booleans())
def test_reference(call, has_weight):
    """Every pixel is that of slow arithmetic, which estimates once more."""
    image, parameters = call
    weight = None
    if has_weight:
        shape = list(image.shape)
        if "channel_axis" in parameters:
            del shape[parameters["channel_axis"]]
        weight = np.random.default_rng(1).uniform(0, 1, shape).astype(np.float32)
    expected = cases.expected(image, METHOD, weight=weight, **parameters)
    found = cases.edge_map(image, METHOD, weight=weight, **parameters)
    values = image[np.isfinite(image)].astype(float)
    border = [parameters["cval"]] if parameters["mode"] == "constant" else []
    slack = 3e-5 * np.ptp(np.append(values, border))
    np.testing.assert_allclose(found, expected.edge_map, atol=slack)


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
    ("draw", "ground"),
    [(ramp, 0), (specimen, 1), (stained, -1)],
    ids=["photograph", "dark", "bright"],
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


def test_reach_of_floor_and_impulses():
    """A part sees 16 pixels, two blurs of them, and the neighbours of impulses."""
    rows, columns = np.indices((160, 160))
    # Darkest at the far corner of any square, and flat to the noise of real numbers.
    image = 1 - 1e-6 * (rows + columns)
    spots = np.random.default_rng(0).integers(100, 156, (12, 2))
    image[tuple(spots.T)] = 2
    image = ndimage.gaussian_filter(image, 0.7)
    # Three hot pixels are a structure, one alone would be an impulse.
    image[50, 60] = image[51, 60] = image[51, 61] = 2
    call = {"blur": 0.5}
    expected = cases.sharpen(image, METHOD, **call)
    assert expected.report.ground == 1
    found, _ = arrays(level_of(image, METHOD, **call))
    for row in range(20, 40):
        np.testing.assert_array_equal(
            np.asarray(found[row : row + 1, 30:60]),
            expected.image[row : row + 1, 30:60],
        )


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
    known = [axis for axis in parameters["axes"] if image.shape[axis] >= 16]
    if len(known) == 3 and parameters["model"] != "gaussian":
        # The first of three is Z: its planes stay planes.
        order = [0, *[axis for axis in order if axis]]
    parameters["color"] = "channels"
    moved = {**parameters, "axes": [order.index(axis) for axis in parameters["axes"]]}
    if "channel_axis" in parameters:
        moved["channel_axis"] = order.index(parameters["channel_axis"])
    expected = cases.edge_map(image, METHOD, **parameters).transpose(order)
    found = cases.edge_map(image.transpose(order), METHOD, **moved)
    # Windows are looked at twice in float32.
    slack = 5e-6 * np.ptp(image[np.isfinite(image)])
    np.testing.assert_allclose(found, expected, atol=slack)


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


# The second highest and second lowest around the pixel in the middle are 12 and 10.
CALM = [
    [10, 11, 10, 12, 10],
    [11, 10, 12, 10, 11],
    [10, 12, 11, 11, 10],
    [12, 10, 11, 10, 12],
    [10, 11, 10, 12, 10],
]


def clean_by_product(plane):
    return without_impulses(plane, (0, 1), np.array([[1.0, 0, 0, 1]]))


def clean_by_reference(plane):
    return reference.without_impulses(plane, reference.neighbours(plane, (0, 1)), 1.0)


@pytest.fixture(params=[clean_by_product, clean_by_reference])
def clean(request):
    """The rule for impulses where the standard deviation of the noise is 1."""
    return request.param


@pytest.mark.parametrize(
    ("spoilt", "expected"),
    [
        # Around the middle stand 10 10 10 10 11 11 12 12: impulses are beyond
        # 12 + 6 + 4.5 * 2 = 27 and 10 - 15 = -5.
        ({(2, 2): 40}, {(2, 2): 10.5}),
        ({(2, 2): -20}, {(2, 2): 10.5}),
        ({(2, 2): 27.5}, {(2, 2): 10.5}),
        ({(2, 2): 27}, {(2, 2): 27}),
        ({(2, 2): -5}, {(2, 2): -5}),
        # Each is the outermost around the other, and does not count. Without them
        # stand 10 10 10 10 11 12 12 around the first, 10 10 10 11 11 12 12 around the
        # second.
        ({(2, 2): 40, (2, 3): 40}, {(2, 2): 10.5, (2, 3): 11}),
        ({(2, 2): 40, (2, 3): -20}, {(2, 2): 10, (2, 3): 11}),
        # Three are a structure.
        (
            {(2, 2): 40, (2, 3): 40, (3, 2): 40},
            {(2, 2): 40, (2, 3): 40, (3, 2): 40},
        ),
        # In the corner the plane is mirrored: four times 10 and four times 11.
        ({(0, 0): 40}, {(0, 0): 10.5}),
        # An invalid pixel makes nothing of its neighbours, nor they of it.
        ({(2, 2): 40, (1, 1): np.nan}, {(2, 2): 40}),
        ({(2, 2): np.inf}, {(2, 2): np.inf}),
    ],
)
def test_impulses_by_hand(clean, spoilt, expected):
    """Single pixels far outside what is around them become its median."""
    plane = np.array(CALM, float)
    for place, value in spoilt.items():
        plane[place] = value
    wanted = plane.copy()
    for place, value in expected.items():
        wanted[place] = value
    np.testing.assert_array_equal(clean(plane), wanted)


def test_edges_and_lines_are_no_impulses(clean):
    """Edges, corners, and lines of one pixel stay as they are."""
    edge = np.tile([0.0, 0, 0, 50, 50], (5, 1))
    line = np.tile([0.0, 0, 50, 0, 0], (5, 1))
    corner = edge * (np.arange(5) > 2)[:, np.newaxis]
    for image in (edge, line, corner, np.diag([50.0] * 5)):
        for plane in (image, -image):
            np.testing.assert_array_equal(clean(plane), plane)


@pytest.mark.parametrize("lowest", [local_floor, reference.lowest])
@pytest.mark.parametrize(
    ("mode", "dark"),
    [
        ("mirror", [*range(4, 37)]),
        ("constant", [*range(4, 37)]),
        ("wrap", [*range(4, 37)]),
    ],
)
def test_local_floor_by_hand(lowest, mode, dark):
    """The darkest pixel is that of 33, no matter what is beyond the border."""
    row = np.full((1, 45), 7.0)
    row[0, 20], row[0, 44] = 2, 5
    expected = np.full((1, 45), 7.0)
    expected[0, 28:] = 5  # 44 - 16
    if mode == "wrap":
        expected[0, :16] = 5  # 44 + 16 - 45
    expected[0, dark] = 2
    np.testing.assert_array_equal(lowest(row, (0, 1), mode), expected)
    row[0, 19] = np.nan if lowest is local_floor else np.inf
    np.testing.assert_array_equal(lowest(row, (0, 1), mode), expected)


def test_clamp_by_hand():
    """What falls below the ground is lifted by half of what is missing."""
    image = np.zeros((5, 5))
    image[:, 2] = 16
    narrow = dict.fromkeys((0, 1), AxisBlur(np.array([0.25, 0.5, 0.25])))
    table = np.array([(1.0, 2.0, 3.0)] * 2)
    noise = Noise(4.0, 0.0, 0.0, 0.0)
    found = weighted_bands(
        image,
        Bands(narrow, narrow, table, 0, 1.0, noise, ground=0.5, rise=1.5),
        "mirror",
        0.0,
    )
    # The second blur is 2 4 6 4 2, its floor 2, the ground 2 + 1.5 * 2 = 5. With the
    # bands -7 -4 15 -4 -7 (see `test_bands_by_hand`) 12 and 9 are missing.
    np.testing.assert_allclose(found, [[-1, 0.5, 15, 0.5, -1]] * 5)


def test_lens_by_hand():
    """The transfer function of a lens is 0 from its cut-off frequency on."""
    # The overlap of two circles, a share of their diameter apart.
    known = {0: 1, 0.25: 0.685038, 0.5: 0.391002, 0.75: 0.144294, 1: 0, 1.5: 0}
    found = reference.lens_transfer(np.array([*known]))
    np.testing.assert_allclose(found, [*known.values()], atol=1e-6)
    # Along one axis there are frequencies of 1 / 128, 2 / 128 ... 1 / 2. A cut-off of
    # 1 / 2 goes with a sigma of .84.
    grid = frequencies(1)
    at = [int(128 * share / 2) - 1 for share in (0.25, 0.5, 0.75, 1)]
    lens = grid.passed(np.array([0.84]), 1.0)[at]
    np.testing.assert_allclose(lens, [0.685038, 0.391002, 0.144294, 0], atol=1e-6)
    # exp(-2 pi^2 .84^2 / 16) = .418732 at half of it.
    half = grid.passed(np.array([0.84]), 0.5)[at[1]]
    assert half == pytest.approx((0.391002 + 0.418732) / 2, abs=1e-5)
    # Twice as sharp along the other axis: sqrt(.1875^2 + .125^2 / 4) = .197642.
    grid = frequencies(2)
    place = np.flatnonzero((grid.along == [[0.1875], [0.125]]).all(axis=0))
    share = 0.197642 / 0.5
    expected = 2 / np.pi * (np.arccos(share) - share * np.sqrt(1 - share**2))
    found = grid.passed(np.array([0.84, 0.42]), 1.0)[place]
    assert found == pytest.approx(expected, abs=1e-5)


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


def estimate(image, **call):
    """Return the estimate of an image."""
    plan, pixels = prepare(image, METHOD, **call)
    constants = memory.result_of(memory.estimate(plan, pixels)).constants
    return Estimate.of(constants.estimate.ravel())


def share_of_height(image):
    """Mean height above the darkest pixels around, as a share of the brightest's."""
    smooth = ndimage.gaussian_filter(image.astype(float), 1, mode="mirror")
    floor = ndimage.minimum_filter(smooth, 33, mode="mirror")
    ceiling = ndimage.maximum_filter(smooth, 33, mode="mirror")
    return (smooth - floor).mean() / (ceiling - floor).mean()


@pytest.mark.parametrize("model", MODELS)
def test_photographs_have_no_ground(model):
    """They stand about as high above their darkest parts as below their brightest."""
    image = photograph(1.4, 2)
    assert share_of_height(image) >= 0.41
    assert estimate(image, model=model).ground == 0


def test_specimens_in_bright_field():
    """They are treated upside down."""
    light = micrograph(1.5, photons=1000).astype(float)
    noise = np.random.default_rng(0).normal(0, 60, light.shape)
    image = ndimage.gaussian_filter(light, 1, mode="wrap") + noise
    dark, bright = (cases.sharpen(sign * image, METHOD) for sign in (1, -1))
    assert (dark.report.ground, bright.report.ground) == (1, -1)
    assert bright.report.lifted == dark.report.lifted > 0
    np.testing.assert_allclose(bright.report.blur, dark.report.blur, rtol=1e-6)
    np.testing.assert_allclose(bright.edge_map, -dark.edge_map, atol=1e-2)
    assert share_of_height(-image) > 0.63
    plain = cases.sharpen(-image, METHOD, model="gaussian")
    assert bright.image.max() < plain.image.max()


@pytest.mark.parametrize("offset", [100, 1000])
def test_specimens_stand_on_a_ground(offset):
    """However large the offset of the camera is."""
    image = cases.specimen((160, 160), seed=3, offset=offset)
    assert share_of_height(image) < 0.36
    assert estimate(image).ground == 1
    assert estimate(image, model="gaussian").ground == 0
    found, plain = (usm.auto_unsharp_mask(image, model=m) for m in ("auto", "gaussian"))
    assert found.min() > plain.min()
    report = cases.sharpen(image, METHOD).report
    assert report.ground == 1
    assert report.lens == estimate(image).lens
    # Of the ground itself, half is below its mean and more.
    assert 0.2 < report.lifted < 0.9


def filaments(side=192, count=14, seed=0):
    """Winding lines of different brightness."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((side, side))
    for _ in range(count):
        turns = ndimage.gaussian_filter1d(rng.normal(0, 0.25, 2 * side), 8, mode="wrap")
        way = rng.uniform(0, 2 * np.pi) + np.cumsum(turns)
        path = 0.7 * np.cumsum([np.cos(way), np.sin(way)], axis=1)
        place = (path + rng.uniform(0, side, (2, 1))).astype(int) % side
        np.add.at(truth, tuple(place), rng.uniform(0.4, 1))
    return truth


def micrograph(sigma, truth=None, photons=300, seed=0):
    """Counts of a camera behind a lens whose core has this sigma.

    As much light again comes from far out of focus.
    """
    truth = filaments(seed=seed) if truth is None else truth
    line = (np.fft.fftfreq(length) for length in truth.shape)
    length = np.hypot(*np.meshgrid(*line, indexing="ij"))
    haze = np.exp(-2 * (5 * np.pi * sigma * length) ** 2)
    passed = reference.lens_transfer(length * sigma / 0.42) + haze
    light = np.maximum(np.fft.ifft2(np.fft.fft2(truth) * passed).real, 0)
    rng = np.random.default_rng(seed)
    electrons = rng.poisson(light * photons / np.quantile(light, 0.999) + 2)
    counts = 100 + 2 * electrons + rng.normal(0, 3, truth.shape)
    return np.round(np.clip(counts, 0, 65535)).astype(np.uint16)


@pytest.mark.parametrize("sign", [1, -1])
def test_partly_a_specimen(sign):
    """Between photographs and specimens everything is between too."""
    light = micrograph(1.5).astype(float) - 100
    image = photograph(1.4, 2)[:192, :192] + 0.5 * sign * light
    found = cases.sharpen(image, METHOD)
    expected = reference.auto_estimate(image, (0, 1), False)
    assert 0.1 < sign * found.report.ground < 0.9
    assert found.report.ground == pytest.approx(expected.ground, rel=1e-5)
    assert found.report.lens == pytest.approx(expected.lens, rel=1e-4)
    by_reference = cases.expected(image, METHOD).edge_map
    np.testing.assert_allclose(found.edge_map, by_reference, atol=1e-2)


def test_impulses_without_noise():
    """Whole numbers are never more exact than to their steps."""
    rows, columns = np.indices((96, 96))
    image = np.round(100 + 60 * np.sin(rows / 90) * np.cos(columns / 70))
    image[12::24, 12::24] += np.reshape([*range(2, 18)], (4, 4))
    image = image.astype(np.uint8)
    found = usm.auto_unsharp_mask(image, dtype="float32")
    expected = cases.expected(image, METHOD, dtype="float32")
    np.testing.assert_allclose(found, expected.image, atol=5e-3)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("photons", [100, 1000])
@pytest.mark.parametrize("model", ["auto", "widefield"])
def test_blur_of_a_lens_is_told(model, photons, sigma):
    """The lens that a specimen was seen through is found in its image."""
    found = estimate(micrograph(sigma, photons=photons), model=model)
    np.testing.assert_allclose(found.sigmas, sigma, rtol=0.25)
    assert found.ground == 1
    assert found.lens > 0.5


def test_metrics_estimate_specimens():
    """Blur and noise of a specimen are those of the reference."""
    for image, axes in (
        (micrograph(1.5), (0, 1)),
        (cases.specimen((3, 48, 40)), (1, 2)),
        (cases.specimen((20, 24, 36), "float64"), (0, 1, 2)),
    ):
        whole = image.dtype.kind == "u"
        expected = reference.auto_estimate(image.astype(float), axes, whole)
        blur = metrics.estimate_blur(image, axes=axes)
        np.testing.assert_allclose(blur, [*expected.sigmas.values()], rtol=1e-5)
        noise = metrics.estimate_noise(image, axes=axes)
        assert noise == pytest.approx(expected.noise, rel=1e-5)


def test_known_blur():
    """A given blur or cut-off frequency is taken as it is."""
    image = micrograph(1.5)
    assert estimate(image, blur=1.1).sigmas == (1.1, 1.1)
    assert estimate(image, blur=(1.1, 0.7)).sigmas == (1.1, 0.7)
    assert estimate(image, blur=1.1).lens == 0
    assert estimate(image, blur=1.1, model="widefield").lens == 1
    known = estimate(image, cutoff=0.3)
    np.testing.assert_allclose(known.sigmas, 0.42 / 0.3)
    assert known.lens == 1
    assert known.noise == estimate(image).noise
    assert estimate(image, model="confocal").lens == 0
    # A lens that lets everything pass blurs nothing.
    sharp = estimate(image, cutoff=2.0)
    np.testing.assert_allclose(sharp.sigmas, 0.21)


@pytest.mark.parametrize("model", MODELS[:3])
def test_hot_pixels_are_of_no_consequence(model):
    """One pixel in a thousand changes next to nothing around it."""
    image = micrograph(1.5)
    rng = np.random.default_rng(2)
    hot = rng.random(image.shape) < 0.001
    spoilt = np.where(hot, rng.uniform(2000, 60000, image.shape), image)
    found = usm.auto_unsharp_mask(spoilt.astype(np.uint16), model=model, dtype=float)
    expected = usm.auto_unsharp_mask(image, model=model, dtype=float)
    change = np.std(expected - image)
    assert np.std((found - expected)[~hot]) < 0.05 * change
    assert np.abs((found - expected)[hot]).mean() < change


def specimens():
    """Micrographs with what else there is in files."""
    rng = np.random.default_rng(7)
    plain = micrograph(1.5)
    y, x = np.indices(plain.shape)
    barred = plain.copy()
    barred[170:176, 120:180] = 65535
    yield "scale bar", barred
    yield "black bar", np.where(barred == 65535, 0, plain)
    yield "stripes", plain + (3 * (y % 2)).astype(np.uint16)
    vignette = 1 - 0.6 * (np.hypot(y - 96, x - 96) / 136) ** 2
    yield "vignetting", (plain * vignette).astype(np.uint16)
    low, high = np.quantile(plain, [0.01, 0.995])
    bytes_ = np.clip((plain - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    yield "stretched to 8 bits", bytes_
    blocks = bytes_.reshape(24, 8, 24, 8).astype(float)
    mean = blocks.mean(axis=(1, 3), keepdims=True)
    coarse = mean + np.round((blocks - mean) / 16) * 16
    yield "blocks", np.clip(coarse, 0, 255).astype(np.uint8).reshape(plain.shape)
    spot = 200 * np.exp(-((y - 90) ** 2 + (x - 101) ** 2) / 4)
    yield "single spot", rng.poisson(spot + 20).astype(np.uint16)
    yield "empty field", rng.poisson(np.full((192, 192), 30)).astype(np.uint16)
    yield "dark frame", np.round(rng.normal(100, 2, (192, 192))).astype(np.uint16)


@pytest.mark.parametrize("model", MODELS[:3])
@pytest.mark.parametrize(
    "image", [pytest.param(image, id=name) for name, image in specimens()]
)
def test_specimens_of_all_sorts(image, model):
    """Nothing comes out darker than what is around it by more than the noise."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = cases.sharpen(image, METHOD, model=model, dtype="float32")
    assert np.isfinite(found.image).all()
    image = image.astype(float)
    # The finest bands are twice as fine.
    smooth = ndimage.gaussian_filter(image, 0.7, mode="mirror")
    floor = ndimage.minimum_filter(smooth, 33, mode="mirror")
    short = np.minimum(floor, image) - found.image
    assert short.max() <= found.report.noise
    assert found.image.max() <= image.max() + np.ptp(image)


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
