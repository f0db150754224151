"""The curves of the lab: spectrum, S over the gains, and profiles."""

import numpy as np
import pytest
from scipy import ndimage, signal
from scipy.special import erf

from napari_usm.lab.gain import gain_curve
from napari_usm.lab.profile import Line, line_profile, strongest_edge
from napari_usm.lab.spectrum import plane_spectrum


def texture(blur, noise, size=384, seed=0):
    """Power that falls as that of photographs does, blurred, with white noise."""
    rng = np.random.default_rng(seed)
    axes = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)
    length = np.hypot(*axes)
    length[0, 0] = np.inf
    waves = np.fft.rfft2(rng.normal(size=(size, size))) * length**-1.2
    values = np.fft.irfft2(waves * np.exp(-2 * (np.pi * blur * length) ** 2))
    values = 60 * values / values.std()
    return values + rng.normal(0, noise, values.shape)


@pytest.mark.parametrize(("blur", "noise"), [(1.0, 1.0), (1.5, 2.0), (2.5, 0.5)])
def test_a_spectrum_tells_blur_and_noise(blur, noise):
    """What was put in is read off, and the curve runs through the points."""
    found = plane_spectrum(texture(blur, noise))
    assert found.blur == pytest.approx(blur, rel=0.15)
    assert found.noise == pytest.approx(noise, rel=0.1)
    fitted = np.isfinite(found.fitted)
    assert fitted.sum() >= 8
    off = np.log(found.fitted[fitted] / found.power[fitted])
    assert np.abs(off).max() < 0.7
    assert np.median(np.abs(off)) < 0.2


def test_power_is_that_of_welch():
    """Ring by ring the power is that of scipy's windows, in the same units."""
    image = texture(1.2, 1.0, 256)
    found = plane_spectrum(image)
    starts = np.arange(0, 256 - 63, 32)
    hann = signal.windows.hann(64, sym=False)
    window = np.outer(hann, hann)
    total = np.zeros((64, 64))
    for top in starts:
        for left in starts:
            part = image[top : top + 64, left : left + 64]
            total += np.abs(np.fft.fft2((part - part.mean()) * window)) ** 2
    total /= len(starts) ** 2 * np.sum(window**2)
    length = np.hypot(*np.meshgrid(*[np.fft.fftfreq(64)] * 2))
    ring = np.round(64 * length).astype(int)
    expected = ndimage.mean(total, ring, np.arange(1, ring.max() + 1))
    np.testing.assert_allclose(
        found.frequencies,
        ndimage.mean(length, ring, np.arange(1, ring.max() + 1)),
        rtol=1e-9,
    )
    # Their windows are a half pixel off, and lie where others do.
    np.testing.assert_allclose(found.power[2:40], expected[2:40], rtol=0.2)


def test_scale_and_offset_of_a_spectrum():
    """Intensities times 10 have a hundred times the power, and ten times the noise."""
    image = texture(1.5, 2.0, 256)
    one, ten = plane_spectrum(image), plane_spectrum(10 * image + 1000)
    np.testing.assert_allclose(ten.power, 100 * one.power, rtol=1e-9)
    np.testing.assert_allclose(ten.fitted, 100 * one.fitted, rtol=1e-6)
    assert (ten.blur, ten.noise) == pytest.approx((one.blur, 10 * one.noise))


@pytest.mark.parametrize(
    "plane",
    [np.zeros((64, 64)), np.ones((5, 300)), np.full((40, 40), np.nan), np.ones((1, 1))],
)
def test_nothing_to_tell(plane):
    """Flat, tiny and invalid planes have no spectrum, no edge, and the largest gain."""
    assert plane_spectrum(plane) is None
    assert strongest_edge(plane) is None
    found = gain_curve(plane)
    assert found.chosen == 3.0
    np.testing.assert_array_equal(found.gradient, 0)


def test_the_curve_of_the_paper():
    """S is the product of the three ratios of the gradients' norms, gain by gain."""
    image = texture(1.0, 1.0, 40)
    found = gain_curve(image)
    z = image - ndimage.uniform_filter(image, 3, mode="mirror")
    for gain, s in zip(found.gains, found.curve, strict=True):
        sharp = image + z / gain
        expected = 1.0
        for axes in ((0,), (1,), (0, 1)):
            before, after = image, sharp
            for axis in axes:
                before, after = np.diff(before, axis=axis), np.diff(after, axis=axis)
            expected *= np.abs(before).sum() / np.abs(after).sum()
        assert s == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(found.gradient, np.gradient(found.curve))
    assert found.chosen == found.gains[found.gradient.argmax()]


def test_the_curve_of_colours():
    """Colours have the curve of their largest channel, if they are opaque."""
    rng = np.random.default_rng(2)
    colours = rng.integers(0, 255, (30, 32, 4)).astype(np.uint8)
    colours[..., 3] = 255
    found = gain_curve(colours, channel_axis=2, alpha=True)
    alone = gain_curve(colours[..., :3].max(axis=2))
    np.testing.assert_allclose(found.curve, alone.curve)
    assert found.chosen == alone.chosen


def test_the_curve_of_a_cut_out():
    """What is hidden under alpha 0 is no part of the curve."""
    rng = np.random.default_rng(2)
    colours = rng.integers(0, 255, (30, 32, 4)).astype(np.uint8)
    colours[..., 3] = 255 * (np.arange(32) > 9)
    found = gain_curve(colours, channel_axis=2, alpha=True)
    colours[:, :10, :3] = 7
    other = gain_curve(colours, channel_axis=2, alpha=True)
    np.testing.assert_array_equal(found.curve, other.curve)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 200.0])
def test_the_line_goes_straight_across_the_edge(angle):
    """In the direction in which it becomes brighter, with the edge in its middle."""
    direction = np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))])
    grid = np.mgrid[:80, :80] - 39.7
    across = np.tensordot(direction, grid, 1)
    weak = 0.2 * (across > 20)
    found = strongest_edge(ndimage.gaussian_filter((across > 0) + weak, 1.0))
    ends = np.array(found)
    np.testing.assert_allclose((ends[1] - ends[0]) / found.length, direction, atol=0.05)
    assert found.length == pytest.approx(32)
    assert abs(direction @ (ends.mean(axis=0) - 39.7)) < 1


def test_the_profile_of_a_blurred_edge():
    """It is the error function, along a line that is not along the pixels either."""
    sigma, direction = 2.0, np.array([0.6, 0.8])
    grid = np.mgrid[:64, :64] - 31.5
    plane = 50 + 30 * erf(np.tensordot(direction, grid, 1) / (sigma * 2**0.5))
    line = Line(tuple(31.5 - 10 * direction), tuple(31.5 + 10 * direction))
    distances, values = line_profile(plane, line)
    np.testing.assert_allclose(distances, np.arange(21), atol=1e-9)
    expected = 50 + 30 * erf((distances - 10) / (sigma * 2**0.5))
    # Linear interpolation of a curve: off by an eighth of its second derivative.
    np.testing.assert_allclose(values, expected, atol=30 / sigma**2 / 8)


def test_beyond_the_plane_there_is_nothing():
    """A line that leaves the plane has invalid values there, and others elsewhere."""
    plane = np.arange(12.0).reshape(3, 4)
    distances, values = line_profile(plane, Line((1.0, 1.0), (1.0, 5.0)))
    np.testing.assert_array_equal(distances, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(values, [5, 6, 7, np.nan, np.nan])


def test_an_edge_beside_invalid_pixels_does_not_count():
    """The step from valid to invalid pixels is none of the image's."""
    plane = np.full((80, 80), 10.0)
    plane[:, 60:] += 0.1
    plane[:, :10] = np.nan
    plane[30:40, 25] = np.inf
    (_, left), (_, right) = strongest_edge(plane)
    assert left < 59.5 < right


def test_the_strongest_edge_has_room_for_its_line():
    """A steeper one at the border is passed over, and the line is as long as any."""
    plane = np.zeros((100, 120))
    plane[:, 60:] = 1
    plane[:, :4] = 9
    plane[97:] = -9
    found = strongest_edge(plane)
    assert found.length == pytest.approx(32)
    assert found.start[1] < 59.5 < found.stop[1]
