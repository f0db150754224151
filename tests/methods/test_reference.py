"""The reference, and the product with it, against arithmetic done by hand.

The reference is also held against other libraries.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage
from skimage.filters import unsharp_mask as skimage_unsharp_mask

import cases
import reference

# With this sigma and `truncate=1` (or radius 1) the taps are [1 2 1] / 4:
# exp(-1 / (2 sigma^2)) = 1/2.
HALVING_SIGMA = np.sqrt(1 / (2 * np.log(2)))

# Two impulses of 16, one in the corner.
IMPULSES = np.zeros((5, 5))
IMPULSES[0, 0] = IMPULSES[3, 3] = 16

# Blurred with [1 2 1] x [1 2 1] / 16 and the edge pixel repeated. The inner
# impulse becomes 4 in the middle, 2 at the sides, 1 in the corners. At the
# border the taps that fall outside come back: along an axis the corner pixel
# keeps 2/4 + 1/4 and its neighbour gets 1/4, so 16 * 3/4 * 3/4 = 9,
# 16 * 3/4 * 1/4 = 3, 16 * 1/4 * 1/4 = 1. The edge map is the impulse less that.
GAUSSIAN_EDGE_MAP = np.array(
    [
        [7, -3, 0, 0, 0],
        [-3, -1, 0, 0, 0],
        [0, 0, -1, -2, -1],
        [0, 0, -2, 12, -2],
        [0, 0, -1, -2, -1],
    ]
)


@dataclass(frozen=True)
class Ours:
    """What `napari_usm` makes of a call, in the words of the reference."""

    raw: np.ndarray
    image: np.ndarray
    edge_map: np.ndarray
    amount: float
    gain: float | None
    curve: np.ndarray | None


def ours(image, method, **parameters):
    found = cases.sharpen(image, method, **parameters)
    free = {"limits": None, "dtype": "float64"}
    raw = cases.sharpen(image, method, **{**parameters, **free}).image
    curve = found.report.curve
    return Ours(raw, found.image, found.edge_map, found.amount, found.gain, curve)


@pytest.fixture(params=[cases.expected, ours], ids=["reference", "napari_usm"])
def sharpen(request):
    """Both answer to what was computed by hand."""
    return request.param


# --- by hand ------------------------------------------------------------------


def test_classic_by_hand(sharpen):
    """The classic method gives the pixels that one computes by hand."""
    image = (32 + IMPULSES).astype(np.uint8)

    result = sharpen(
        image, "unsharp_mask", sigma=HALVING_SIGMA, amount=0.5, truncate=1.0
    )

    assert_allclose(result.edge_map, GAUSSIAN_EDGE_MAP, atol=1e-5)
    # 48 + 3.5, 32 - 1.5, 32 - .5 in the corner; 48 + 6, 32 - 1, 32 - .5 inside.
    raw = [
        [51.5, 30.5, 32, 32, 32],
        [30.5, 31.5, 32, 32, 32],
        [32, 32, 31.5, 31, 31.5],
        [32, 32, 31, 54, 31],
        [32, 32, 31.5, 31, 31.5],
    ]
    assert_allclose(result.raw, raw, atol=1e-5)
    assert result.image.dtype == np.uint8
    assert (result.amount, result.gain, result.curve) == (0.5, None, None)


def test_box_by_hand_with_each_border(sharpen):
    """The box mean takes the border pixels that the mode says."""
    image = np.zeros((5, 5))
    image[0, 0] = 36

    def corner(mode):
        result = sharpen(image, "unsharp_mask", kernel="box", mode=mode, cval=9.0)
        return (image - result.edge_map)[:2, :2]

    # 36 / 9 = 4 for each copy of the corner in the 3 x 3 window.
    # d c b a | a: two copies along each axis for the corner, one beside it.
    assert_allclose(corner("reflect"), [[16, 8], [8, 4]])
    assert_allclose(corner("nearest"), [[16, 8], [8, 4]])
    # d c b | a: the corner is never repeated.
    assert_allclose(corner("mirror"), [[4, 4], [4, 4]])
    # Only zeros stand at the other end.
    assert_allclose(corner("wrap"), [[4, 4], [4, 4]])
    # Five of nine pixels are 9 outside the corner, three beside it: + 5, + 3.
    assert_allclose(corner("constant"), [[9, 7], [7, 4]])


def test_thresholds_by_hand(sharpen):
    """A soft threshold shrinks the detail, a hard one drops the weak detail."""

    def edge_map(**threshold):
        return sharpen(
            IMPULSES,
            "unsharp_mask",
            sigma=HALVING_SIGMA,
            truncate=1.0,
            **threshold,
        ).edge_map

    soft = [
        [5.5, -1.5, 0, 0, 0],
        [-1.5, 0, 0, 0, 0],
        [0, 0, 0, -0.5, 0],
        [0, 0, -0.5, 10.5, -0.5],
        [0, 0, 0, -0.5, 0],
    ]
    assert_allclose(edge_map(threshold=1.5), soft, atol=1e-5)
    hard = [
        [7, -3, 0, 0, 0],
        [-3, 0, 0, 0, 0],
        [0, 0, 0, -2, 0],
        [0, 0, -2, 12, -2],
        [0, 0, 0, -2, 0],
    ]
    assert_allclose(edge_map(threshold=1.5, hard=True), hard, atol=1e-5)
    # What is as strong as the threshold stays (the box detail of an impulse of
    # 9 is exactly 8 and -1).
    assert_array_equal(reference.threshold(np.array([-1.0, 8.0]), 1.0, True), [-1, 8])


LAPLACIAN_IMAGE = np.full((5, 5), 20, np.uint8)
LAPLACIAN_IMAGE[1, 2] = LAPLACIAN_IMAGE[4, 4] = 30


def test_laplacian_by_hand(sharpen):
    """The Laplacian method gives the pixels that one computes by hand."""
    result = sharpen(LAPLACIAN_IMAGE, "laplacian_sharpen")

    # 4 * 10 at an impulse, -10 beside it. Above the upper impulse the border
    # mirrors row 1 to row -1, so that (0, 2) sees it twice.
    edge_map = [
        [0, 0, -20, 0, 0],
        [0, -10, 40, -10, 0],
        [0, 0, -10, 0, 0],
        [0, 0, 0, 0, -10],
        [0, 0, 0, -10, 40],
    ]
    assert_allclose(result.edge_map, edge_map)
    # Times 0.7: 28, -7 and -14.
    sharpened = [
        [20, 20, 6, 20, 20],
        [20, 13, 58, 13, 20],
        [20, 20, 13, 20, 20],
        [20, 20, 20, 20, 13],
        [20, 20, 20, 13, 58],
    ]
    assert_array_equal(result.image, np.array(sharpened, np.uint8))


def test_laplacian_with_spacing_by_hand(sharpen):
    """Only the ratio of the spacings weighs the axes, squared."""
    result = sharpen(
        LAPLACIAN_IMAGE, "laplacian_sharpen", spacing=(6.0, 3.0), mode="reflect"
    )

    # The rows are twice as far apart: 1/4. The impulse has 2 * 10/4 + 2 * 10,
    # its neighbours 10/4 above and below, 10 to the sides. In the corner the
    # repeated pixel adds nothing: 10/4 + 10.
    edge_map = [
        [0, 0, -2.5, 0, 0],
        [0, -10, 25, -10, 0],
        [0, 0, -2.5, 0, 0],
        [0, 0, 0, 0, -2.5],
        [0, 0, 0, -10, 12.5],
    ]
    assert_allclose(result.edge_map, edge_map)


def test_laplacian_after_median_by_hand(sharpen):
    """The detail comes from the median, the image it is added to does not."""
    image = np.tile(np.array([0.0, 0, 8, 8, 8]), (5, 1))
    image[2, 1] = 100

    result = sharpen(image, "laplacian_sharpen", amount=0.5, median_size=3)

    # No window of 3 x 3 changes its median for the spike: left of the step it
    # has 5 zeros of 9 values, at the step 6 eights. The step of 8 is left.
    assert_allclose(result.edge_map, np.tile([0, -8, 8, 0, 0], (5, 1)))
    sharpened = np.tile([0.0, -4, 12, 8, 8], (5, 1))
    sharpened[2, 1] = 96
    assert_allclose(result.image, sharpened)


def test_adaptive_by_hand(sharpen):
    """The adaptive method takes the gain that one computes by hand."""
    image = np.zeros((5, 5))
    image[2, 2] = 9
    gains = (0.5, 1.0, 1.5, 2.0, 2.5)

    result = sharpen(image, "adaptive_unsharp_mask", gains=gains)

    edge_map = [
        [0, 0, 0, 0, 0],
        [0, -1, -1, -1, 0],
        [0, -1, 8, -1, 0],
        [0, -1, -1, -1, 0],
        [0, 0, 0, 0, 0],
    ]
    assert_allclose(result.edge_map, edge_map, atol=1e-14)
    # With t = 1/gain, y is 9 + 8t in the middle of a ring of -t. Differences
    # along an axis: 2t in each outer line of the ring, t + (9 + 9t) twice in
    # the middle line, so 18 + 24t where the image has 18: a ratio of
    # 3 / (3 + 4t), for each axis. Mixed differences: t in four corners, 9 + 9t
    # four times around the middle, so 36 + 40t for 36: 9 / (9 + 10t).
    # S = (3g / (3g + 4))^2 * 9g / (9g + 10).
    curve = [
        (3 / 11) ** 2 * 9 / 29,  # .0231
        (3 / 7) ** 2 * 9 / 19,  # .0870
        (9 / 17) ** 2 * 27 / 47,  # .1610
        (3 / 5) ** 2 * 9 / 14,  # .2314
        (15 / 23) ** 2 * 9 / 13,  # .2945
    ]
    assert_allclose(result.curve, curve)
    # Rise: .0639 (one side), (.1610 - .0231)/2 = .0690, .0722, .0667, .0630.
    assert result.gain == 1.5
    assert result.amount == pytest.approx(2 / 3)
    # 9 + 8 * 2/3 and -2/3.
    assert_allclose(result.image[2, 1:4], [-2 / 3, 43 / 3, -2 / 3])


def test_lin_by_hand(sharpen):
    """Lin et al. weigh the differences by intensity and by their own size."""
    image = np.full((5, 5), 50.0)
    image[0, 0], image[2, 2], image[4, 4] = 0, 59, 100

    result = sharpen(image, "lin_unsharp_mask", gains=[1.0])

    # The range is 0 to 100, so intensities are hundredths of it. The middle is 8 * 9
    # above its 8 neighbours together, those around it 9 below theirs. The dark corner
    # makes 50 more of its neighbours, the bright one 50 less. Both would leave the
    # range themselves: they stay.
    differences = np.array(
        [
            [0, 50, 0, 0, 0],
            [50, 50 - 9, -9, -9, 0],
            [0, -9, 72, -9, 0],
            [0, -9, -9, -50 - 9, -50],
            [0, 0, 0, -50, 0],
        ]
    )

    def share(x):  # (1 + tanh(x)) / 2
        return 1 / (1 + np.exp(-2 * x))

    edge_map = differences * share(3.5 - 0.06 * np.abs(differences))
    edge_map *= share(3 - 0.12 * np.abs(image - 50))
    assert_allclose(result.edge_map, edge_map, atol=1e-4)
    # The middle: 1 / (1 + exp(-3.84)) = .9790, 1 / (1 + exp(1.64)) = .1625.
    assert result.edge_map[2, 2] == pytest.approx(72 * 0.9790 * 0.1625, abs=0.01)
    assert result.amount == 1
    assert_allclose(result.image, image + edge_map, atol=1e-4)


def test_entropy_by_hand(sharpen):
    """Of three gains the one is taken that leaves the most entropy."""
    image = np.full((5, 5), 100.0)
    image[0, 0], image[2, 2], image[4, 4] = 0, 109, 255

    def found(gains, penalty):
        return sharpen(image, "entropy_unsharp_mask", gains=gains, penalty=penalty)

    def entropy(*counts):
        share = np.array(counts) / 25
        return -np.sum(share * np.log2(share))

    # The edge map in ninths: the dark corner is 800 below its mean, the two beside it
    # see it once (100), and (1, 1) sees the middle too (91). The bright corner, 1240
    # above, is seen by two (-155) and by (3, 3) (-164). The middle is 72 above, the six
    # others around it -9 each. Ten pixels are left.
    edge_map = np.array(
        [
            [-800, 100, 0, 0, 0],
            [100, 91, -9, -9, 0],
            [0, -9, 72, -9, 0],
            [0, -9, -9, -164, -155],
            [0, 0, 0, -155, 1240],
        ]
    )
    # The levels are the intensities. With an amount of 1/4 the six are 99.75 and look
    # like the ten; three are 103, two 96, and 95, 111, 0 and 255 are one each. With 1
    # the six are 99; 111 and 83 are two each, 110, 82, 117, 0 and 255 one. With 20 four
    # are held at 0, five at 255, and the six are 80. Beyond the range are the corners,
    # and with 20 seven more: all that are not of the ten or the six.
    curve = [
        entropy(10, 6, 5, 4),  # 1.906
        entropy(10, 6, 2, 2, 1, 1, 1, 1, 1),  # 2.533
        entropy(16, 3, 2, 1, 1, 1, 1),  # 1.884
    ]
    free = found((0.05, 1.0, 4.0), False)
    assert_allclose(free.edge_map, edge_map / 9, atol=1e-5)
    assert_allclose(free.curve, curve)
    assert free.gain == 1
    held = found((0.05, 1.0, 4.0), True)
    assert_allclose(held.curve, np.array(curve) * [16 / 25, 23 / 25, 23 / 25])
    # Without a penalty more is better, with it less.
    assert found((0.05, 4.0), False).gain == 0.05
    assert found((0.05, 4.0), True).gain == 4


def test_gaussian_sharpen_by_hand(sharpen):
    """ImageMagick's sharpen hides the amount N / (N + g0) in sigma."""
    result = sharpen(IMPULSES, "gaussian_sharpen", sigma=HALVING_SIGMA, radius=1)

    # The taps are 1/2, 1, 1/2 along an axis if the peak is 1: N = 2 * 2, so the
    # amount is 4/5. One pixel from the border `nearest` is `reflect`.
    assert result.amount == pytest.approx(0.8)
    assert_allclose(result.edge_map, GAUSSIAN_EDGE_MAP, atol=1e-5)
    # 16 + .8 * 7, -.8 * 3, -.8 and 16 + .8 * 12, -.8 * 2, -.8.
    sharpened = [
        [21.6, -2.4, 0, 0, 0],
        [-2.4, -0.8, 0, 0, 0],
        [0, 0, -0.8, -1.6, -0.8],
        [0, 0, -1.6, 25.6, -1.6],
        [0, 0, -0.8, -1.6, -0.8],
    ]
    assert_allclose(result.image, sharpened, atol=1e-5)


def test_value_by_hand(sharpen):
    """V alone is sharpened, and the colours keep their ratio."""
    colour = np.array([1.0, 0.5, 0.25])
    image = (32 + IMPULSES)[..., np.newaxis] * colour
    image[0, 4] = 0

    parameters = {
        "sigma": HALVING_SIGMA,
        "amount": 0.5,
        "truncate": 1.0,
        "channel_axis": 2,
        "color": "value",
    }
    result = sharpen(image, "unsharp_mask", **parameters)

    assert result.edge_map.shape == (5, 5)
    assert_allclose(result.edge_map[1:, :3], GAUSSIAN_EDGE_MAP[1:, :3], atol=1e-5)
    # V from 48 to 54; 48, 24, 12 grow by the same 9/8.
    assert_allclose(result.image[3, 3], [54, 27, 13.5])
    # The black corner has V' = .5 * (0 - 32 * (1 - 9/16)) = -7, so 0.
    assert result.edge_map[0, 4] == pytest.approx(-14)
    assert_array_equal(result.image[0, 4], 0)
    # It is V that saturates: from 48 to 50.
    limited = sharpen(image, "unsharp_mask", limits=(0, 50), **parameters)
    assert_allclose(limited.image[3, 3], [50, 25, 12.5])
    assert_allclose(limited.raw[3, 3], [54, 27, 13.5])
    # ... and at the range of the type: 5 * 48 = 240 goes to 255, not to 270.
    bright = sharpen((5 * image).astype(np.uint8), "unsharp_mask", **parameters)
    assert_array_equal(bright.image[3, 3], [255, 128, 64])


def test_black_takes_the_new_value_in_all_colours(sharpen):
    """Where V is 0 there is no hue, and the result is grey."""
    image = np.zeros((1, 2, 3))
    image[0, 0] = 12, 6, 0

    result = sharpen(
        image,
        "laplacian_sharpen",
        amount=-0.25,
        axes=(1,),
        channel_axis=2,
        color="value",
        mode="nearest",
    )

    # The second difference is -12 and 12; a quarter is added.
    assert_allclose(result.image[0], [[9, 4.5, 0], [3, 3, 3]])


def test_luminance_by_hand(sharpen):
    """One detail, of the Rec. 709 luminance, is added to all colours."""
    image = np.zeros((2, 3, 5))
    image[0, :, 2] = 100, 200, 300
    luminance = 0.2126 * 100 + 0.7152 * 200 + 0.0722 * 300

    result = sharpen(
        image,
        "laplacian_sharpen",
        amount=1.0,
        axes=[-1],
        channel_axis=1,
        color="luminance",
    )

    assert result.edge_map.shape == (2, 5)
    detail = [0, -luminance, 2 * luminance, -luminance, 0]
    assert_allclose(result.edge_map, [detail, [0] * 5])
    assert_allclose(result.image[0], image[0] + detail)


def test_alpha_is_passed_through(sharpen):
    """The alpha channel is neither filtered nor limited."""
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (4, 6, 5), dtype=np.uint8)

    result = sharpen(
        image, "unsharp_mask", channel_axis=0, alpha=True, limits=(100, 101)
    )

    assert_array_equal(result.image[3], image[3])
    assert_array_equal(result.edge_map[3], 0)
    assert set(np.unique(result.image[:3])) <= {100, 101}


def test_dark_region_by_hand(sharpen):
    """An impulse in the black, with white 9 above it: less of the box mean."""
    image = np.zeros((5, 5))
    image[2, 2] = 36

    result = sharpen(image, "dark_region_unsharp_mask", amount=0.5, data_range=9.0)

    # The mean is 4 around the impulse: black is 1 - 4 / 9 there, and 0 - 4 or 36 - 4
    # is the detail. Elsewhere there is none.
    ring = np.zeros((5, 5))
    ring[1:4, 1:4] = -4 * 5 / 9
    ring[2, 2] = 32 * 5 / 9
    assert_allclose(result.edge_map, ring, rtol=1e-6)
    assert_allclose(result.raw, image + 0.5 * ring, rtol=1e-6)


def test_wavelet_by_hand(sharpen):
    """A step, by one level of haar, with and without a limit."""
    image = np.zeros((5, 5))
    image[:, 2:] = 40
    call = {"levels": 1, "data_range": 255.0}

    whole = sharpen(image, "wavelet_unsharp_mask", limit=30.0, **call)
    trimmed = sharpen(image, "wavelet_unsharp_mask", limit=8.0, **call)

    # Half a difference is 20 between columns 1 and 2 and 0 elsewhere, along columns 0
    # everywhere. Half the difference of these, left less right, is the detail.
    assert_allclose(whole.edge_map, [[0, -10, 10, 0, 0]] * 5, atol=1e-6)
    assert_allclose(trimmed.edge_map, [[0, -4, 4, 0, 0]] * 5, atol=1e-6)


def test_polesel_by_hand(sharpen):
    """A step of high contrast: two weights, each from the five columns around it."""
    image = np.zeros((5, 5), np.uint8)
    image[:, 2:] = 60

    result = sharpen(image, "polesel_unsharp_mask", mode="mirror")

    # Columns 0 0 60 60 60, the border pixel not repeated. Only the windows of columns 1
    # and 2 hold both, with standard deviation 60 sqrt(2) / 3 = 28: high contrast, 3
    # times as active as it is. So 2 (image - mean) is wanted: -40 and 40.
    # Along a row the second difference is 0 -60 60 0 0, less its mean 40 -60 60 -20 0.
    # Around column 1 stand 1 0 1 2 3: 3 * 60 * 40 / 5 = 1440 over
    # (3 * 3600 + 1600 + 400) / 5 = 2560; around column 2 all five: 960 over 1840.
    # Down a column nothing differs.
    left = 1440 / (2560 + 1 + 2.56)
    right = 960 / (1840 + 1 + 1.84)
    assert_allclose(result.edge_map, [[0, -60 * left, 60 * right, 0, 0]] * 5, atol=1e-5)
    assert_array_equal(result.image, [[0, 0, 91, 60, 60]] * 5)


# --- invalid pixels -----------------------------------------------------------


@pytest.mark.parametrize("invalid", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("method", "parameters", "edge_map"),
    [
        # Means of (0 0 9), (0 9), -, (0 0), (0 0 0): the border repeats a pixel.
        (
            "unsharp_mask",
            {"kernel": "box", "mode": "reflect"},
            [-3, 4.5, 0, 0, 0],
        ),
        # Outside stands the valid 3: means of (3 0 9), (0 9), -, (0 0), (0 0 3).
        (
            "unsharp_mask",
            {"kernel": "box", "mode": "constant", "cval": 3.0},
            [-4, 4.5, 0, 0, -1],
        ),
        # The first pixel sees the 9 on both sides, the 9 only the 0.
        ("laplacian_sharpen", {"mode": "mirror"}, [-18, 9, 0, 0, 0]),
        # Medians of (0 0 9), (0 9): 0 of the lower middle, -, (0 0), (0 0 0).
        ("laplacian_sharpen", {"median_size": 3}, [0, 0, 0, 0, 0]),
    ],
)
def test_an_invalid_pixel_stays_and_does_not_spread(
    invalid, method, parameters, edge_map
):
    """Neighbours of an invalid pixel are filtered as if it were not there."""
    image = np.array([0.0, 9, invalid, 0, 0])

    result = cases.expected(image, method, amount=2.0, **parameters)

    assert_allclose(result.edge_map, edge_map, atol=1e-14)
    assert_array_equal(result.image[2], invalid)
    limited = cases.expected(image, method, limits=(0, 5), **parameters)
    assert_array_equal(limited.image[2], invalid)
    assert np.delete(limited.image, 2).max() == 5
    assert_allclose(
        np.delete(result.image, 2), np.delete(image + 2.0 * np.array(edge_map), 2)
    )


def test_gradients_skip_invalid_pixels():
    """A difference that touches an invalid pixel counts nowhere."""
    image = np.array([0.0, 9, np.nan, 0, 0])

    result = cases.expected(image, "adaptive_unsharp_mask", gains=(1.0, 2.0))

    # mirror: means (9 0 9), (0 9), -, (0 0), (0 0 0): the edge map is -6, 4.5,
    # 0, 0, 0. Left are the first and the last difference, 9 + 10.5t and 0, and
    # no second difference.
    assert_allclose(result.edge_map, [-6, 4.5, 0, 0, 0], atol=1e-14)
    assert_allclose(result.curve, [9 / 19.5, 9 / 14.25])


def test_an_invalid_colour_makes_luminance_and_value_invalid():
    """Where one colour is invalid, none of the three changes."""
    rng = np.random.default_rng(2)
    image = rng.uniform(size=(4, 5, 3))
    image[1, 2, 0] = np.nan
    image[3, 3, 1] = -np.inf

    for color in ("luminance", "value"):
        result = cases.expected(image, "unsharp_mask", channel_axis=2, color=color)

        assert np.isfinite(result.edge_map).all()
        for pixel in ((1, 2), (3, 3)):
            assert result.edge_map[pixel] == 0
            assert_array_equal(result.image[pixel], image[pixel])
        changed = ~np.isclose(result.image, image, equal_nan=True)
        assert changed.any(axis=2).sum() == 18


# --- border, kernels, types ---------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "numpy_mode"),
    [
        ("reflect", "symmetric"),
        ("mirror", "reflect"),
        ("nearest", "edge"),
        ("wrap", "wrap"),
    ],
)
@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_border_index_is_numpy_pad(mode, numpy_mode, length):
    """The border goes on as numpy pads it, however far."""
    width = 4 * length + 3

    indices = [
        reference.border_index(position, length, mode)
        for position in range(-width, length + width)
    ]

    assert indices == np.pad(np.arange(length), width, numpy_mode).tolist()


def test_border_index_of_a_constant_is_none():
    """Outside a constant border there is no index."""
    found = [reference.border_index(i, 2, "constant") for i in range(-2, 4)]

    assert found == [None, None, 0, 1, None, None]


@pytest.mark.parametrize(("sigma", "width"), [(0.3, 3), (1.0, 9), (1.5, 13)])
def test_width_of_imagemagick(sigma, width):
    """`gaussian_sharpen` is as wide as ImageMagick's kernel."""
    assert reference.gaussian_sharpen_radius(sigma, 0) == (width - 1) // 2
    assert reference.gaussian_sharpen_radius(sigma, 2) == 2


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.0])
def test_kernel_of_imagemagick(sigma):
    """`gaussian_sharpen` is ImageMagick's one kernel, divided by its sum."""
    radius = reference.gaussian_sharpen_radius(sigma, 0)
    v, u = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    kernel = -np.exp(-(u**2 + v**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    kernel[radius, radius] = -2 * kernel.sum()
    kernel /= kernel.sum()
    image = np.random.default_rng(3).uniform(size=(20, 17))

    result = cases.expected(image, "gaussian_sharpen", sigma=sigma)

    expected = ndimage.correlate(image, kernel, mode="nearest")
    assert_allclose(result.image, expected, atol=1e-12)


def test_gaussian_sharpen_of_sigma_0_is_the_identity():
    """A sigma of 0 changes nothing."""
    image = np.random.default_rng(4).uniform(size=(4, 5))

    result = cases.expected(image, "gaussian_sharpen", sigma=0)

    assert_array_equal(result.image, image)


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("uint8", [-0.6, -0.5, 0.5, 1.49, 254.5, 300], [0, 0, 1, 1, 255, 255]),
        ("int8", [-128.6, -1.5, -0.5, 126.5, 200], [-128, -1, 0, 127, 127]),
        ("int64", [-1e30, 1e30], [-(2**63), 2**63 - 1]),
        ("uint64", [-1, 2.0**63, 1e30], [0, 2**63, 2**64 - 1]),
        ("bool", [-1, 0.49, 0.5, 3], [False, False, True, True]),
        ("uint16", [np.nan, np.inf, -np.inf], [0, 65535, 0]),
        ("float32", [-1.5, np.inf], [-1.5, np.inf]),
    ],
)
def test_cast(dtype, values, expected):
    """Integers are rounded half up and saturated, floats kept."""
    result = reference.cast(np.array(values), np.dtype(dtype))

    assert_array_equal(result, np.array(expected, dtype), strict=True)


def test_limits_and_dtype():
    """The result saturates at the limits, its raw values do not."""
    image = (32 + IMPULSES).astype(np.uint16)
    kept = {"sigma": HALVING_SIGMA, "truncate": 1.0, "amount": 0.5}

    free = cases.expected(image, "unsharp_mask", dtype="float32", **kept)
    data = cases.expected(image, "unsharp_mask", limits="data", **kept)
    given = cases.expected(image, "unsharp_mask", limits=(31, 50), **kept)

    assert free.image.dtype == np.float32
    assert (free.image.min(), free.image.max()) == (30.5, 54)
    assert data.image.dtype == np.uint16
    assert (data.image.min(), data.image.max()) == (32, 48)
    assert (given.image.min(), given.image.max()) == (31, 50)
    assert_array_equal(given.raw, free.raw)


# --- the gain of the adaptive method ------------------------------------------


def test_gain_has_the_axes_that_are_not_filtered():
    """Gain, amount and curve keep item and channel axes in image order."""
    image = np.random.default_rng(5).uniform(size=(2, 6, 4, 7, 5))
    image[:, :, 3] = 1  # opaque, where that is alpha

    def sharpen(**parameters):
        return cases.expected(image, "adaptive_unsharp_mask", axes=(1, 3), **parameters)

    items = sharpen(gain_per="item")
    assert items.gain.shape == items.amount.shape == (2, 4, 5)
    assert items.curve.shape == (2, 4, 5, 30)
    colours = sharpen(gain_per="item", channel_axis=2, color="channels", alpha=True)
    assert_array_equal(colours.gain, items.gain[:, :3])
    assert_allclose(colours.image[:, :, :3], items.image[:, :, :3])
    for index in np.ndindex(2, 4, 5):
        t, c, x = index
        alone = cases.expected(image[t, :, c, :, x], "adaptive_unsharp_mask")
        assert alone.gain == items.gain[index]
        assert_array_equal(alone.image, items.image[t, :, c, :, x])
    first = cases.expected(
        image.swapaxes(0, 2),
        "adaptive_unsharp_mask",
        axes=(1, 3),
        gain_per="item",
        channel_axis=0,
        color="channels",
    )
    assert_array_equal(first.gain, items.gain.swapaxes(0, 1))
    between = cases.expected(
        np.moveaxis(image, (1, 3), (0, 4)),
        "adaptive_unsharp_mask",
        axes=(0, 4),
        gain_per="item",
        channel_axis=1,
        color="channels",
    )
    assert_array_equal(between.gain, items.gain)
    per_channel = sharpen(channel_axis=4, color="channels")
    assert per_channel.gain.shape == (5,)
    assert isinstance(sharpen().gain, float)


def test_the_gain_of_value_is_that_of_the_largest_colour():
    """With `color="value"` the gain is found on V."""
    image = np.random.default_rng(6).uniform(size=(8, 9, 3))

    result = cases.expected(image, "adaptive_unsharp_mask", channel_axis=-1)
    value = cases.expected(image.max(axis=2), "adaptive_unsharp_mask")

    assert result.gain == value.gain
    assert_array_equal(result.edge_map, value.edge_map)
    assert_allclose(result.image.max(axis=2), np.maximum(value.image, 0), rtol=1e-14)


@pytest.mark.parametrize(
    "image",
    [
        np.full((5, 6), 0.1),
        np.full((5, 6), 0.1, np.float32),
        np.ones((1, 1)),
        np.full((4, 4), np.nan),
    ],
    ids=["constant", "float32", "one pixel", "invalid"],
)
def test_the_gain_of_a_flat_image_is_the_largest(image):
    """Where S does not vary nothing speaks for a strong mask."""
    result = cases.expected(image, "adaptive_unsharp_mask")

    assert result.gain == 3.0
    assert_array_equal(result.curve, 1)
    assert_allclose(result.image, image, rtol=1e-6)


def test_a_single_gain_is_taken():
    """With one gain to choose from there is nothing to estimate."""
    image = np.random.default_rng(7).uniform(size=(5, 6))

    result = cases.expected(image, "adaptive_unsharp_mask", gains=[0.5])

    assert (result.gain, result.amount) == (0.5, 2.0)


def test_a_ratio_without_gradient_counts_as_1():
    """An axis along which nothing changes does not matter."""
    line = np.array([1.0, 2, 8, 3, 3, 9, 4])
    image = np.tile(line, (5, 1))

    result = cases.expected(image, "adaptive_unsharp_mask")

    # Only the differences along the line are left; alone it also has a second
    # difference.
    edge = result.edge_map[0]
    before = np.abs(np.diff(line)).sum()
    gains = np.arange(1, 31) / 10
    after = np.array([np.abs(np.diff(line + edge / gain)).sum() for gain in gains])
    assert_allclose(result.curve, before / after)
    alone = cases.expected(line, "adaptive_unsharp_mask")
    second = np.abs(np.diff(line, 2)).sum()
    second_after = [np.abs(np.diff(line + edge / gain, 2)).sum() for gain in gains]
    assert_allclose(alone.curve, before / after * second / np.array(second_after))


def test_mixed_differences_of_three_axes_are_summed():
    """In three dimensions the mixed differences of all pairs make one ratio."""
    image = np.random.default_rng(8).uniform(size=(4, 5, 6))

    result = cases.expected(image, "adaptive_unsharp_mask", gains=[0.7, 1.0])

    sharpened = image + result.edge_map / 0.7

    def norm(array, *axes):
        for axis in axes:
            array = np.diff(array, axis=axis)
        return np.abs(array).sum()

    expected = 1.0
    for axis in range(3):
        expected *= norm(image, axis) / norm(sharpened, axis)
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected *= sum(norm(image, *pair) for pair in pairs)
    expected /= sum(norm(sharpened, *pair) for pair in pairs)
    assert result.curve[0] == pytest.approx(expected)


# --- other libraries ----------------------------------------------------------


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.3])
@pytest.mark.parametrize("shape", [(12, 14), (4, 9, 7), (3, 20)])
def test_classic_is_scikit_image(sigma, shape):
    """The classic method is scikit-image's, whose radius is our sigma."""
    image = np.random.default_rng(9).uniform(0, 4095, shape)

    result = cases.expected(image, "unsharp_mask", sigma=sigma, amount=1.7)

    expected = skimage_unsharp_mask(
        image, radius=sigma, amount=1.7, preserve_range=True
    )
    assert_allclose(result.image, expected, atol=1e-9)


def test_classic_with_channels_is_scikit_image():
    """Each channel is sharpened on its own, as in scikit-image."""
    image = np.random.default_rng(10).uniform(size=(9, 3, 8))

    result = cases.expected(image, "unsharp_mask", sigma=1.5, channel_axis=1)

    expected = skimage_unsharp_mask(
        image, radius=1.5, amount=1.0, preserve_range=True, channel_axis=1
    )
    assert_allclose(result.image, expected, atol=1e-12)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("shape", [(7,), (6, 5), (2, 1, 4)])
def test_filters_are_scipy(mode, shape):
    """Gaussian, Laplacian and median are scipy's, with all of its borders."""
    image = np.random.default_rng(11).normal(size=shape)
    border = {"mode": mode, "cval": 2.5}

    gaussian = cases.expected(image, "unsharp_mask", sigma=2.0, **border)
    plain = cases.expected(image, "laplacian_sharpen", amount=1.0, **border)
    denoised = cases.expected(
        image, "laplacian_sharpen", amount=1.0, median_size=3, **border
    )

    blurred = ndimage.gaussian_filter(image, 2.0, **border)
    assert_allclose(gaussian.edge_map, image - blurred, atol=1e-12)
    assert_allclose(plain.image, image - ndimage.laplace(image, **border), atol=1e-12)
    filtered = ndimage.median_filter(image, 3, mode="reflect")
    detail = -ndimage.laplace(filtered, **border)
    assert_allclose(denoised.edge_map, detail, atol=1e-12)


def test_sigma_and_spacing_follow_the_axes():
    """One sigma or spacing per axis stands in the order of `axes`."""
    image = np.random.default_rng(12).uniform(size=(6, 7, 8))

    one = cases.expected(image, "unsharp_mask", sigma=(2.0, 0), axes=(2, 0))
    two = cases.expected(image, "laplacian_sharpen", spacing=(2, 1), axes=(2, 0))

    blurred = ndimage.gaussian_filter1d(image, 2.0, axis=2)
    assert_allclose(one.image, 2 * image - blurred, atol=1e-12)
    second = [
        ndimage.correlate1d(image, [1, -2, 1], axis, mode="mirror") for axis in (0, 2)
    ]
    assert_allclose(two.image, image - 0.7 * (second[0] + second[1] / 4), atol=1e-12)
