"""What sharpening did, in numbers: by hand, and against the report and a law."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.special import erf
from skimage.metrics import peak_signal_noise_ratio

import cases
import napari_usm as usm
from napari_usm import metrics


def specimen(shape=(72, 64), dtype=np.uint8, seed=0):
    """A smooth random image with a little noise, that uses most of 8 bit."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 3)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    return (smooth * 240 + rng.normal(7, 1.5, shape)).clip(0, 255).astype(dtype)


# --- peak signal-to-noise ratio ---


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_peak_ratio_is_scikit_image(dtype):
    """For every type it is scikit-image's."""
    image, test = specimen(dtype=dtype), specimen(dtype=dtype, seed=1)
    full = {"u": 255, "i": 65535, "f": 300}[np.dtype(dtype).kind]
    given = {"data_range": full} if dtype is np.float32 else {}

    result = metrics.peak_signal_to_noise_ratio(image, test, **given)

    expected = peak_signal_noise_ratio(image, test, data_range=full)
    assert result == pytest.approx(expected, abs=1e-6)


def test_peak_ratio_by_hand():
    """An error of a tenth of the range everywhere is 20 dB; none is infinite."""
    image = np.zeros((3, 4))

    assert metrics.peak_signal_to_noise_ratio(
        image, image - 5, data_range=50
    ) == pytest.approx(20)
    assert metrics.peak_signal_to_noise_ratio(image, image, data_range=1) == np.inf


# --- over- and undershoot, clipping ---


def test_overshoot_by_hand():
    """Beyond the largest and smallest of the 3 x 3 pixels around each."""
    image = np.array([[0, 0, 0, 9], [0, 0, 5, 9], [0, 0, 0, 9]])
    after = np.array([[-1, 6, 0, 11], [0, 8, 12, 9], [1, -2, 0, 9]])

    found = metrics.overshoot(image, after)

    # Up to 5 and down to 0 are (0, 1), (1, 1) and (2, 1), to 9 what is right of them;
    # (0, 0), (1, 0) and (2, 0) are to be 0.
    assert found == (3, 2, (1 + 3 + 3 + 2 + 1) / 12, (1 + 2) / 12)
    # Along the columns alone (0, 1) and (1, 1) are to be 0, (1, 2) up to 5.
    over = (6 + 8 + 7 + 2 + 1) / 12
    assert metrics.overshoot(image, after, axes=(0,)) == (8, 2, over, 3 / 12)


@pytest.mark.parametrize("method", usm.METHODS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_overshoot_is_that_of_the_report(method, dtype):
    """The report of every method says the same, NaN or not."""
    image = specimen((40, 36), dtype)
    if dtype is np.float64:
        image[5, 7] = np.nan
    white = {"data_range"} & cases.ENTRIES[method].parameters.keys()
    done = cases.sharpen(image, method, **dict.fromkeys(white, 255))

    found = metrics.overshoot(image, done.image)

    report = done.report
    assert found.overshoot == pytest.approx(report.overshoot, rel=1e-5)
    assert found.undershoot == pytest.approx(report.undershoot, rel=1e-5)
    assert found.mean_overshoot == pytest.approx(report.mean_overshoot, rel=1e-5)
    assert found.mean_undershoot == pytest.approx(report.mean_undershoot, rel=1e-5)
    assert found.overshoot > 0


def test_overshoot_of_planes():
    """Neighbours in other planes are none, if only planes were filtered."""
    planes = specimen((3, 24, 20), np.float64)
    done = cases.sharpen(planes, axes=(1, 2))

    found = metrics.overshoot(planes, done.image, axes=(1, 2))

    assert found.overshoot == pytest.approx(done.report.overshoot, rel=1e-6)
    everywhere = metrics.overshoot(planes, done.image)
    assert everywhere.mean_overshoot < 0.9 * found.mean_overshoot


def test_clipped_by_hand():
    """Pixels at an end count, and those beyond; the others do not."""
    image = np.array([[0, 1, 255, 255], [3, 4, 5, 6]], np.uint8)

    assert metrics.clipped(image) == (1 / 8, 2 / 8)
    assert metrics.clipped(image, limits=(3, 6)) == (3 / 8, 3 / 8)
    assert metrics.clipped(image + 1.0, limits="data") == (1 / 8, 2 / 8)
    assert metrics.clipped([np.nan, -np.inf, 0.5, 2], limits=(0, 1)) == (1 / 3, 1 / 3)
    assert metrics.clipped(np.eye(2) > 0) == (0.5, 0.5)
    assert metrics.clipped(np.array([-(2**63), 0, 5])) == (1 / 3, 0)
    assert metrics.clipped([np.nan], limits=(0, 1)) == (0, 0)


# --- noise ---


@pytest.mark.parametrize(
    ("shape", "axes", "parameters", "within"),
    [
        ((4096,), None, {"sigma": 1, "amount": 2}, 0.03),
        ((192, 200), None, {"sigma": 1, "amount": 2}, 0.02),
        ((192, 200), None, {"sigma": 3, "amount": 0.5}, 0.02),
        ((192, 200), None, {"amount": 1, "kernel": "box"}, 0.02),
        ((4, 96, 100), (1, 2), {"sigma": 1, "amount": 2}, 0.02),
        ((32, 32, 36), None, {"sigma": 1, "amount": 2}, 0.03),
    ],
)
def test_noise_grows_as_the_kernel_says(shape, axes, parameters, within):
    """In white noise it is the root of the sum of squares of the kernel."""
    noise = np.random.default_rng(4).normal(100, 5, shape)
    done = usm.unsharp_mask(noise, axes=axes, **parameters)
    middle = tuple(1 if axes and a not in axes else 41 for a in range(len(shape)))
    impulse = np.zeros(middle)
    impulse[tuple(n // 2 for n in middle)] = 1
    kernel = usm.unsharp_mask(impulse, axes=axes, **parameters)

    factor = metrics.noise_factor(noise, done, axes=axes)

    assert factor == pytest.approx(np.sqrt((kernel**2).sum()), rel=within)
    assert factor > 1.2


def test_noise_is_measured_beside_the_edges():
    """Of an image with edges everywhere but in a corner, the corner tells."""
    rng = np.random.default_rng(5)
    image = np.kron(rng.integers(0, 2, (30, 30)) * 100.0, np.ones((7, 7)))
    image[:80, :80] = np.linspace(0, 30, 80)  # a slope is no noise
    noisy = image + rng.normal(0, 2, image.shape)

    factor = metrics.noise_factor(noisy, usm.unsharp_mask(noisy, 1, 2))

    assert factor == pytest.approx(2.72, rel=0.05)


def test_noise_that_is_not_there():
    """Without noise, or a block to find it in, nothing grew."""
    image = np.kron(np.eye(4), np.ones((8, 8)))
    for each in (image, np.zeros((1, 1)), np.full((16, 16), np.nan), np.eye(3) > 0):
        factor = metrics.noise_factor(each, each)
        assert factor == 1
        assert type(factor) is float
    assert metrics.noise_factor(image, 3 * image) == 1


def test_faint_noise_is_noise():
    """Far from 0 it counts as it does near: only rounding is none."""
    noise = np.random.default_rng(0).normal(0, 1, (64, 64))
    near = metrics.noise_factor(noise, 2 * noise)
    far = metrics.noise_factor(1e10 + noise, 1e10 + 2 * noise)
    assert far == pytest.approx(near, rel=1e-4)
    ramp = np.linspace(1, 1.5, 64 * 64).reshape(64, 64)
    for dtype in (np.float32, np.float64):
        slope = ramp.astype(dtype)
        assert metrics.noise_factor(slope, slope + noise) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(("shape", "axes"), [((90, 80), None), ((40, 36, 34), None)])
def test_estimates_are_those_of_the_automatic_mask(dtype, shape, axes):
    """Blur and noise are what the report of the automatic mask says."""
    image = ndimage.gaussian_filter(specimen(shape, dtype), 1)
    report = cases.sharpen(image, "auto_unsharp_mask", axes=axes).report

    assert metrics.estimate_blur(image, axes=axes).tolist() == report.blur.tolist()
    assert metrics.estimate_noise(image, axes=axes) == report.noise.item()
    assert report.blur.max() > 0.5


def test_estimates_of_what_tells_nothing():
    """Too small or flat: neither blur nor noise."""
    for image in (np.zeros((1, 1)), np.eye(8), np.full((40, 40), 7)):
        assert metrics.estimate_blur(image).tolist() == [0, 0]
        assert metrics.estimate_noise(image) == 0
    halves = np.repeat([-1.7e308, 1.7e308], 800).reshape(40, 40)
    assert metrics.estimate_noise(halves) == 0  # their difference is no number


# --- edges along a line ---


def step(sigma, spacing=0.1):
    """A step of 40 blurred by a Gaussian."""
    x = np.arange(-100, 101) * spacing
    return 10 + 20 * (1 + erf(x / (sigma * np.sqrt(2))))


@pytest.mark.parametrize("sigma", [0.7, 1.5])
def test_acutance_of_a_blurred_step(sigma):
    """The integral of a squared Gaussian, between where it falls to 1/20."""
    end = sigma * np.sqrt(2 * np.log(20))
    square = (40**2 / (2 * np.pi * sigma**2)) * sigma * np.sqrt(np.pi)
    square *= erf(end / sigma)
    height = 40 * erf(end / (sigma * np.sqrt(2)))

    result = metrics.acutance(step(sigma), spacing=0.1)

    assert result == pytest.approx(square / (2 * end) / height, rel=0.03)
    assert metrics.acutance(-step(sigma)[::-1], spacing=0.1) == pytest.approx(result)


def test_acutance_by_hand():
    """Gradients 2, 6 and 2, from 10 to 20; the rest is no edge."""
    profile = [10, 10, 12, 18, 20, 20]

    assert metrics.acutance(profile) == pytest.approx((4 + 36 + 4) / 3 / 10)
    # In units of half a pixel gradients double.
    halves = metrics.acutance(profile, spacing=0.5)
    assert halves == pytest.approx(4 * 44 / 30)
    assert metrics.acutance([5, 5, 5]) == 0
    assert metrics.acutance([5, 9, 5]) == 0


def test_sharpening_raises_acutance():
    """It does so by the overshoot, too."""
    edge = step(1.5, 0.5)
    values = [metrics.acutance(usm.unsharp_mask(edge, 2, a)) for a in (0, 1, 2)]
    assert values == sorted(values)
    assert values[2] > 1.5 * values[0]


@pytest.mark.parametrize("sigma", [0.7, 1.5])
def test_width_of_a_blurred_step(sigma):
    """From 10 to 90 % a Gaussian edge is 2.563 sigmas wide, whichever way it goes."""
    for profile in (step(sigma), -step(sigma), step(sigma)[::-1]):
        result = metrics.edge_width(profile, spacing=0.1)
        assert result == pytest.approx(2.5631 * sigma, rel=2e-3)


def test_width_by_hand():
    """Between pixels the profile is a straight line; what lies beyond is no edge."""
    assert metrics.edge_width([0, 10]) == pytest.approx(0.8)
    assert metrics.edge_width([0, 0, 2, 8, 10, 10], spacing=3) == pytest.approx(6)
    assert metrics.edge_width([0, 1.5, 0, 10, 12, 10]) == pytest.approx(0.8)
    assert metrics.edge_width([3, 3]) == np.inf


# --- errors ---


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: metrics.overshoot(np.ones((4, 5)), np.ones((5, 4))),
            ValueError,
            r"`image` and `sharpened` must have the same shape; got \(4, 5\) and \(5, 4",
        ),
        (
            lambda: metrics.noise_factor(np.ones(4), np.ones(4, complex)),
            TypeError,
            "`sharpened` must be boolean, integer or real; got dtype complex128",
        ),
        (
            lambda: metrics.overshoot(np.ones(4), np.ones(4), axes=(1,)),
            ValueError,
            "`axes` must lie in -1..0 .* got 1",
        ),
        (
            lambda: metrics.estimate_blur(np.ones((3, 0))),
            ValueError,
            r"`image` must not be empty; got shape \(3, 0\)",
        ),
        (
            lambda: metrics.estimate_noise(np.ones((3, 3)), axes=2),
            TypeError,
            "`axes` must be a sequence of integers; got 2",
        ),
        (
            lambda: metrics.peak_signal_to_noise_ratio(np.ones(3), np.ones(3)),
            ValueError,
            "`data_range` must be given for floats",
        ),
        (
            lambda: metrics.peak_signal_to_noise_ratio([1], [2], data_range=0),
            ValueError,
            "`data_range` must be positive; got 0",
        ),
        (
            lambda: metrics.clipped([0.5]),
            ValueError,
            "`limits` must be given for floats, .* got None for float64",
        ),
        (
            lambda: metrics.clipped([1, 2], limits=(5, 3)),
            ValueError,
            r"`limits` must be \(low, high\) with low <= high; got \(5, 3\)",
        ),
        (
            lambda: metrics.acutance(np.ones((3, 3))),
            ValueError,
            r"`profile` must have one axis of at least 2 pixels; got shape \(3, 3\)",
        ),
        (
            lambda: metrics.edge_width([1, np.nan]),
            ValueError,
            "`profile` must be finite; got nan",
        ),
        (
            lambda: metrics.edge_width([1, 2], spacing=0),
            ValueError,
            "`spacing` must be above 0; got 0",
        ),
    ],
)
def test_errors(call, error, message):
    """What is wrong is told by argument, rule and value."""
    with pytest.raises(error, match=message):
        call()
