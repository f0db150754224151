"""The methods for the lab: what they share with the papers, and what is their own."""

import dask.array as da
import numpy as np
import pytest

import cases
import napari_usm as usm
import originals
from napari_usm.lab.filters.areas import coherence, local_variance


def stripes(length=200):
    """Rows of 17 0 -17 0: of medium contrast in every window, variance 64 or 193."""
    return np.tile([117.0, 100, 83, 100], (6, length // 4))


def weights_of(image, edge_map):
    """Weights of the second differences of stripes, where there are any."""
    detail = 2 * image - np.roll(image, 1, 1) - np.roll(image, -1, 1)
    inner = np.abs(detail[:, 4:-4]) > 0.1
    return edge_map[:, 4:-4][inner] / detail[:, 4:-4][inner]


def test_polesel_in_scan_order():
    """On a pattern that goes on for ever the paper's recursion comes to our weights.

    The second difference of a wave of four pixels is twice the wave: for 4 times the
    activity its weight must be 3 / 2.
    """
    image = stripes()
    edge_map = cases.edge_map(image, "polesel_unsharp_mask", data_range=255)
    np.testing.assert_allclose(weights_of(image, edge_map), 1.5, rtol=5e-3)
    scanned = originals.polesel_weights(image)
    np.testing.assert_allclose(scanned[:, -30:-10, 0], 1.5, rtol=1e-6)
    assert np.abs(scanned[:, :3, 0]).max() < 1.0  # it begins at 0, in every row


@pytest.mark.parametrize("areas", ["polesel", "improved"])
def test_areas_of_three_contrasts(areas):
    """Faint waves are left alone, and strong ones aimed at 3 times their activity."""
    wave = stripes() - 100
    call = {"areas": areas, "contrasts": (4, 28), "data_range": 255}
    for times, growth in ((0.1, 0), (1, 3), (8, 2)):
        edge_map = cases.edge_map(wave * times, "polesel_unsharp_mask", **call)
        found = weights_of(wave * times, edge_map)
        np.testing.assert_allclose(found, growth / 2, rtol=5e-3)


def test_improved_areas_spare_noise():
    """At an edge improved areas do as much as the paper's, in noise a third of it."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 20, (80, 80))
    edge = np.zeros((80, 80))
    edge[:, 40:] = 100

    def strength(image, areas):
        found = cases.edge_map(
            image, "polesel_unsharp_mask", areas=areas, data_range=255
        )
        return np.abs(found).sum()

    assert strength(noise, "improved") < strength(noise, "polesel") / 3
    assert strength(edge, "improved") > 0.99 * strength(edge, "polesel")


def test_dark_regions_are_bright_in_the_negative():
    """The negative, sharpened by a mean-weighted filter, is the result's negative."""
    image = cases.picture((30, 31)) * 80 + 90
    negative = 255 - image
    mean = negative - cases.edge_map(negative, kernel="box", mode="mirror")
    sharp = negative + 0.8 * mean / 255 * (negative - mean)
    found = usm.lab.dark_region_unsharp_mask(image, 0.8, data_range=255)
    np.testing.assert_allclose(found, 255 - sharp, rtol=1e-6)


def test_no_weight_beyond_black_and_white():
    """Below black all detail is added, above white none."""
    image = cases.picture((30, 31))
    call = {"data_range": 10.0, "kernel": "gaussian"}
    plain = cases.edge_map(image - 20, mode="mirror")
    dark = cases.edge_map(image - 20, "dark_region_unsharp_mask", **call)
    np.testing.assert_allclose(dark, plain, rtol=1e-6)
    assert not cases.edge_map(image + 20, "dark_region_unsharp_mask", **call).any()


@pytest.mark.parametrize("limit", [3, 1000])
@pytest.mark.parametrize("wavelet", ["haar", "bior2.2", "bior4.4", "rbio1.3"])
def test_wavelets_that_are_decimated(wavelet, limit):
    """Ours is the mean of the decimated transform over all places it can begin at."""
    image = np.random.default_rng(2).uniform(0, 255, (40, 48))
    shifts = [(down, across) for down in range(4) for across in range(4)]
    spun = np.mean(
        [
            np.roll(
                originals.decimated_detail(
                    np.roll(image, shift, (0, 1)), wavelet, 2, limit
                ),
                (-shift[0], -shift[1]),
                (0, 1),
            )
            for shift in shifts
        ],
        axis=0,
    )
    call = {"wavelet": wavelet, "limit": limit, "data_range": 255, "mode": "wrap"}
    found = cases.edge_map(image, "wavelet_unsharp_mask", **call)
    np.testing.assert_allclose(found, spun, rtol=1e-5, atol=1e-4)


def test_areas_weigh_wavelets():
    """Areas of low, medium and high contrast get nothing, all and two thirds."""
    wave = stripes() - 100
    call = {"data_range": 255, "contrasts": (4, 28), "limit": 1e3}
    for times, weight in ((0.1, 0), (1, 1), (8, 2 / 3)):
        image = wave * times
        whole = cases.edge_map(image, "wavelet_unsharp_mask", **call)
        assert np.abs(whole[:, 4:-4]).max() > 1
        for areas in ("polesel", "improved"):
            part = cases.edge_map(image, "wavelet_unsharp_mask", areas=areas, **call)
            expected = weight * whole[:, 4:-4]
            np.testing.assert_allclose(part[:, 4:-4], expected, rtol=1e-6)


LEVELLED = [m for m in cases.METHODS if "data_range" in cases.ENTRIES[m].parameters]


@pytest.mark.parametrize("method", LEVELLED)
def test_levels_follow_the_type(method):
    """An image in 16 bits, or from 0 to 1, is sharpened as it is in 8 bits."""
    image = cases.picture((40, 30), "uint8")
    expected = cases.edge_map(image, method)
    wide = cases.edge_map(image.astype("uint16") * 257, method)
    np.testing.assert_allclose(wide / 257, expected, rtol=1e-4, atol=1e-3)
    share = cases.edge_map(image / 255, method)
    np.testing.assert_allclose(share * 255, expected, rtol=1e-4, atol=1e-3)
    given = cases.edge_map(image.astype("uint16"), method, data_range=255)
    np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-4)


def test_variance_far_from_zero():
    """The local variance of a faint pattern on a bright ground keeps its digits."""
    pattern = np.random.default_rng(1).normal(size=(30, 31))
    near = local_variance(pattern, (0, 1), "mirror", 0.0)
    far = local_variance(pattern + 1e9, (0, 1), "mirror", 0.0)
    np.testing.assert_allclose(far, near, rtol=1e-5)


def test_coherence_of_edges_in_any_direction():
    """Gradients along one direction are coherent, whichever it is; in a blob they are not."""
    rows, columns = np.mgrid[-10:11, -10:11]
    for angle in np.linspace(0, np.pi, 7):
        ramp = np.cos(angle) * rows + np.sin(angle) * columns
        inner = coherence(ramp, (0, 1), "nearest", 0.0)[2:-2, 2:-2]
        np.testing.assert_allclose(inner, 1, rtol=1e-12)
    blob = np.exp(-(rows**2 + columns**2) / 8.0)
    assert coherence(blob, (0, 1), "nearest", 0.0)[10, 10] < 1e-12


@pytest.mark.parametrize("wavelet", ["haar", "bior2.2"])
def test_invalid_pixels_beside_a_block(wavelet):
    """What stands in for a NaN is the same for a block that it lies beside."""
    call = {"wavelet": wavelet, "levels": 1, "limit": 1e3, "data_range": 255}
    for place in range(40):
        image = np.random.default_rng(place).uniform(0, 255, 40)
        image[place] = np.nan
        expected = cases.edge_map(image, "wavelet_unsharp_mask", **call)
        lazy = da.from_array(image, chunks=20)
        found = cases.edge_map(lazy, "wavelet_unsharp_mask", **call).compute()
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("areas", ["polesel", "improved"])
def test_intensities_of_no_image(areas):
    """However large or small they are, nothing overflows on the way."""
    image = np.random.default_rng(3).uniform(-1, 1, (9, 8))
    for method in ("polesel_unsharp_mask", "wavelet_unsharp_mask"):
        for size in (1e-300, 1e36, 1e100, 1e300):
            found = cases.sharpen(image * size, method, areas=areas, data_range=255)
            assert np.isfinite(found.image).all()
    expected = cases.edge_map(image * 1e9, "polesel_unsharp_mask", areas=areas)
    found = cases.edge_map(image * 1e30, "polesel_unsharp_mask", areas=areas)
    np.testing.assert_allclose(found / 1e21, expected, rtol=1e-4)
