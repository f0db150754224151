"""One and two bands by the share of signal: by hand, and what the tables promise."""

import numpy as np
import pytest

import napari_usm as usm
import reference
from napari_usm.estimate.two_band_weights import two_band_weights
from napari_usm.filters.bands import Noise
from napari_usm.filters.gated_bands import GatedBand, SecondBand, gated_bands
from napari_usm.filters.taps import AxisBlur, gaussian_taps, sum_of_squares


def five_by_five(gate, second=None):
    """Bands of a bright column, blurred by 1/4 1/2 1/4 along the rows; noise is 1."""
    image = np.zeros((5, 5))
    image[:, 2] = 16
    blurs = {1: AxisBlur(np.array([0.25, 0.5, 0.25]))}
    first = GatedBand(blurs, 2.0, 1.0, Noise(1.0, 0.0, 0.0, 0.0), gate)
    return gated_bands(image, first, second, "mirror", 0.0)


def test_one_band_by_hand():
    """Each row 0 0 16 0 0 has the detail 0 -4 8 -4 0.

    Mirrored, its squares are 208 and 256 in sum over the nine around the -4 and the 8.
    A noise of 104 / 9 leaves 1/2 and 19/32 of them: weights 2 g - (1 - g) of 1/2 and
    25/32.
    """
    found = five_by_five(104 / 9)
    np.testing.assert_allclose(found, [[0, -2, 6.25, -2, 0]] * 5)


def test_two_bands_by_hand():
    """The detail's own detail is 2 -4 6 -4 2, its squares 160 and 180 in sum.

    A noise of 80 / 9 leaves 1/2 and 5/9 of them. With 1 of the detail and 3 of its own:
    1/2 (2 (-4) / 2 + (-4 - 12) / 2) - (-4) / 2 at the -4, and likewise at the 8.
    """
    found = five_by_five(104 / 9, SecondBand((1.0, 3.0), 80 / 9))
    middle = 19 / 32 * (4 / 9 * 16 + 5 / 9 * (8 + 18)) - 13 / 32 * 8
    np.testing.assert_allclose(found[:, 1:4], [[-4, middle, -4]] * 5)
    # Where there is no detail, only the second band is: 2, of 88/192 and 68/148.
    np.testing.assert_allclose(found[:, 0], 88 / 192 * 68 / 148 * 6)


def test_nothing_but_noise_is_taken_away():
    """Where noise explains all there is, the detail goes, as far as `denoise` says."""
    found = five_by_five(1e6)
    np.testing.assert_allclose(found, [[0, 4, -8, 4, 0]] * 5)


@pytest.mark.parametrize("blur", [1.0, 1.4, 2.0, 3.0])
def test_amounts_of_two_bands(blur):
    """From a blur of 1 on, they are about those that the study printed."""
    sigma = 0.9 * blur
    taps = [gaussian_taps(sigma, int(np.ceil(4 * sigma)))] * 2
    found = two_band_weights((blur, blur), taps)
    assert found.alone == pytest.approx(2.8, abs=0.3)
    assert found.both == pytest.approx((-0.66, 8.8), abs=1)
    expected = reference.two_band_amounts([blur, blur], taps)
    np.testing.assert_allclose([found.alone, *found.both], expected, rtol=1e-6)


def test_sum_of_squares():
    """The noise behind a detail of a detail, by its whole kernel."""
    taps = [gaussian_taps(0.7, 3), gaussian_taps(1.1, 5)]
    one, twice = [np.ones(1)] * 2, [np.convolve(each, each) for each in taps]
    found = sum_of_squares([(1, one), (-2, taps), (1, twice)])
    assert found == pytest.approx(reference.detail_kernel(taps, 2), rel=1e-12)


@pytest.mark.parametrize("method", ["one_band_unsharp_mask", "two_band_unsharp_mask"])
def test_a_blurred_noisy_edge(method):
    """The edge is steeper afterwards, and there is less noise beside it."""
    rng = np.random.default_rng(8)
    blocks = np.kron(rng.integers(40, 210, (8, 8)), np.ones((32, 32)))
    taps = gaussian_taps(1.5, 6)
    for axis in (0, 1):
        blocks = np.apply_along_axis(np.convolve, axis, blocks, taps, "same")
    noisy = blocks + rng.normal(0, 2, blocks.shape)
    found = usm.sharpen(noisy, method)
    quiet = np.s_[40:56, 40:56]
    assert np.std(found.image[quiet]) < 0.7 * np.std(noisy[quiet])
    steep = [
        np.abs(np.diff(image[72:88], axis=1)).max() for image in (noisy, found.image)
    ]
    assert steep[1] > 1.4 * steep[0]
