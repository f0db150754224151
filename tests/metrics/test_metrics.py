"""The metrics against scikit-image, arithmetic done by hand, and their laws."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage
from skimage.feature import canny
from skimage.metrics import structural_similarity as skimage_similarity

from napari_usm.metrics import figure_of_merit, structural_similarity


def photograph(shape=(40, 33), seed=0, dtype=np.uint8):
    """Return a smooth random image that uses most of the 8-bit range."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 2)
    smooth -= smooth.min()
    return (smooth * (250 / smooth.max())).astype(dtype)


def blurred(image, sigma=1.0):
    """Return the image blurred, in its own type."""
    return ndimage.gaussian_filter(image.astype(float), sigma).astype(image.dtype)


# --- structural similarity ----------------------------------------------------


@pytest.mark.parametrize("shape", [(40,), (40, 33), (14, 15, 16)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_windowed_similarity_is_scikit_image(shape, dtype):
    """In any number of dimensions the windowed form is scikit-image's."""
    image = photograph(shape, dtype=dtype)
    test = blurred(image)
    data_range = 255 if dtype is np.uint8 else 250.0

    ours = structural_similarity(image, test, data_range=data_range)

    expected = skimage_similarity(
        image,
        test,
        data_range=data_range,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ours == pytest.approx(expected, abs=1e-11)
    assert 0.3 < ours < 0.999


@pytest.mark.parametrize(
    ("dtype", "data_range"),
    [(np.uint8, 255), (np.int8, 255), (np.uint16, 65535), (np.bool_, 1)],
)
def test_the_data_range_is_that_of_the_type(dtype, data_range):
    """Without a data range integers take the range of their type, bool takes 1."""
    values = np.random.default_rng(1).integers(0, 100, (2, 20, 20)) > 50
    image, test = values.astype(dtype) * np.array(1, dtype)

    assert structural_similarity(image, test) == structural_similarity(
        image, test, data_range=data_range
    )
    assert structural_similarity(image, test) != structural_similarity(
        image, test, data_range=2 * data_range
    )


def test_the_data_range_of_64_bit_integers():
    """The widest integers have a range too: 2^64 - 1."""
    image = np.array([[0, 2**62], [-(2**62), 2**61]])
    test = image // 2

    assert structural_similarity(image, test, window=None) == structural_similarity(
        image, test, window=None, data_range=2.0**64
    )


def test_global_similarity_by_hand():
    """The global form is the paper's equations 6 to 11, with N - 1."""
    image = np.array([[1, 2], [3, 6]])
    test = np.array([[2, 2], [4, 4]])

    result = structural_similarity(image, test, window=None, constants=(1, 2, 3))

    # Means 3 and 3: l = 1. Off the mean: -2 -1 0 3 and -1 -1 1 1; variances
    # 14/3 and 4/3, covariance (2 + 1 + 0 + 3)/3 = 2.
    deviations = np.sqrt(14 / 3 * 4 / 3)
    contrast = (2 * deviations + 2) / (18 / 3 + 2)
    structure = (2 + 3) / (deviations + 3)
    assert result == pytest.approx(contrast * structure)


def test_global_similarity_with_the_default_constants_by_hand():
    """The default constants are (0.01 L)^2, (0.03 L)^2 and half the second."""
    image = np.array([0.0, 2.0])
    test = np.array([1.0, 2.0])

    result = structural_similarity(image, test, window=None, data_range=10)

    # c1 = .01, c2 = .09, c3 = .045. Means 1 and 1.5, variances 2 and .5,
    # covariance 1, product of the deviations 1.
    luminance = (3 + 0.01) / (1 + 2.25 + 0.01)
    contrast = (2 + 0.09) / (2.5 + 0.09)
    structure = (1 + 0.045) / (1 + 0.045)
    assert result == pytest.approx(luminance * contrast * structure)


def test_the_negative_has_a_negative_similarity():
    """Structure turned over counts below 0: -1 around the same mean."""
    image = photograph().astype(float)
    negative = 2 * image.mean() - image

    result = structural_similarity(image, negative, window=None, constants=(0, 0, 0))

    assert result == pytest.approx(-1)


@pytest.mark.parametrize("window", ["gaussian", None])
@pytest.mark.parametrize("constants", [None, (0, 0, 0)])
@pytest.mark.parametrize(
    "image",
    [
        photograph(),
        photograph(dtype=np.float64) + 1e6,
        np.zeros((12, 13)),
        np.full((12, 13), 0.1),
        np.pad(photograph(), 30),
    ],
    ids=["photograph", "offset", "black", "grey", "framed"],
)
def test_equal_images_have_similarity_1(image, window, constants):
    """An image equals itself, also where a factor is 0 / 0."""
    result = structural_similarity(
        image, image.copy(), data_range=255, window=window, constants=constants
    )

    assert result == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("window", ["gaussian", None])
def test_a_factor_0_by_0_is_1(window):
    """Two flat images differ in luminance alone."""
    result = structural_similarity(
        np.full((11, 11), 0.1), np.full((11, 11), 0.3), window=window, constants=[0] * 3
    )

    # 2 * .1 * .3 / (.01 + .09)
    assert result == pytest.approx(0.6)


def test_an_offset_costs_no_digits():
    """Small differences far from 0 are measured as well as around 0."""
    image = photograph(dtype=np.float64) / 250
    test = blurred(image)
    plain = structural_similarity(image, test, data_range=1, constants=(0, 1e-4, 5e-5))

    far = structural_similarity(
        image + 2.0**24, test + 2.0**24, data_range=1, constants=(0, 1e-4, 5e-5)
    )
    # So far from 0 the luminance is 1 in both, unlike that of the plain pair.
    near = structural_similarity(
        image + 2.0**10, test + 2.0**10, data_range=1, constants=(0, 1e-4, 5e-5)
    )

    assert far == pytest.approx(near, abs=1e-6)
    assert 0.5 < plain < near < 1


def test_similarity_falls_with_the_blur():
    """The more an image is blurred the less it resembles the sharp one."""
    image = photograph()

    values = [structural_similarity(image, blurred(image, s)) for s in (0.5, 1, 2, 4)]

    assert values == sorted(values, reverse=True)
    assert structural_similarity(blurred(image, 2), image) == pytest.approx(values[2])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"image_true": np.ones((12, 12), complex)}, TypeError, "`image_true` must be"),
        ({"image_test": np.ones((12, 12), object)}, TypeError, "got dtype object"),
        ({"image_test": np.ones((12, 13))}, ValueError, r"got \(12, 12\) and \(12, 13"),
        ({"image_true": np.ones((0, 4))}, ValueError, r"not be empty; got shape \(0, "),
        (
            {"image_test": np.full((12, 12), np.nan)},
            ValueError,
            "`image_test` must be finite; got nan",
        ),
        ({"window": "box"}, ValueError, "`window` must be 'gaussian' or None; got 'bo"),
        ({"data_range": -1.0}, ValueError, "`data_range` must be positive; got -1.0"),
        ({"data_range": 0}, ValueError, "`data_range` must be positive; got 0"),
        ({"data_range": np.nan}, ValueError, "`data_range` must be positive; got nan"),
        ({"data_range": np.inf}, ValueError, "`data_range` must be finite; got inf"),
        ({"data_range": "8 bit"}, TypeError, "`data_range` must be a number; got '8"),
        ({"data_range": None}, ValueError, "given for floats.*None for float64 and"),
        ({"constants": (1, 2)}, ValueError, r"three numbers of at least 0; got \(1, 2"),
        ({"constants": (1, 2, -3)}, ValueError, "`constants` must be three numbers"),
        ({"constants": "123"}, TypeError, "`constants` must be numbers; got '123'"),
    ],
)
def test_errors_of_the_similarity(change, error, message):
    """What is wrong is told by argument, rule and value."""
    arguments = {
        "image_true": np.ones((12, 12)),
        "image_test": np.ones((12, 12)),
        "data_range": 1.0,
        **change,
    }
    with pytest.raises(error, match=message):
        structural_similarity(**arguments)


def test_errors_of_the_similarity_that_depend_on_the_images():
    """Short axes and types without a common range are refused."""
    short = np.ones((5, 20), np.uint8)
    with pytest.raises(ValueError, match=r"at least 11 pixels .* got shape \(5, 20\)"):
        structural_similarity(short, short)
    assert structural_similarity(short, short, window=None) == 1
    with pytest.raises(ValueError, match=r"11 pixels .* got shape \(\)"):
        structural_similarity(3, 4)
    with pytest.raises(ValueError, match=r"at least 2 pixels .* got shape \(1,\)"):
        structural_similarity([3], [4], window=None)
    with pytest.raises(ValueError, match="different types; got None for uint8 and int"):
        structural_similarity(short, short.astype(np.int16), window=None)
    with pytest.raises(ValueError, match="given for floats"):
        structural_similarity(short, short.astype(np.float32), window=None)


# --- figure of merit ----------------------------------------------------------


def line(shape, place):
    """Return a map of edges with one line, one pixel wide."""
    edges = np.zeros(shape, dtype=bool)
    edges[..., place] = True
    return edges


@pytest.mark.parametrize("alpha", [1 / 9, 0.5])
@pytest.mark.parametrize("distance", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("shape", [(20,), (6, 20), (3, 4, 20)])
def test_a_displaced_line_loses_by_its_distance(shape, distance, alpha):
    """A line that is d off has the merit 1 / (1 + alpha d^2)."""
    result = figure_of_merit(line(shape, 8), line(shape, 8 + distance), alpha=alpha)

    assert result == pytest.approx(1 / (1 + alpha * distance**2))


def test_figure_of_merit_by_hand():
    """Every edge pixel counts by its distance from the nearest true one."""
    true = np.array([[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]], dtype=bool)
    test = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]], dtype=bool)

    # Distances 0, 1 and 2 from the upper left pixel, three pixels.
    expected = (1 + 1 / (1 + 1 / 9) + 1 / (1 + 4 / 9)) / 3
    assert figure_of_merit(true, test) == pytest.approx(expected)
    # The other way: the upper left pixel is found, the lower right one is
    # 3 (and, from (0, 1), more) off; the three pixels still normalise.
    expected = (1 + 1 / (1 + 8 / 9)) / 3
    assert figure_of_merit(test, true) == pytest.approx(expected)


def test_missing_and_spurious_edges_both_cost():
    """Half the edges have half the merit, and so have twice as many far away."""
    true = line((10, 40), 5)
    half = true.copy()
    half[5:] = False
    twice = true | line((10, 40), 35)

    assert figure_of_merit(true, half) == pytest.approx(0.5)
    far = 1 / (1 + 30**2 / 9)
    assert figure_of_merit(true, twice) == pytest.approx((1 + far) / 2)


def test_images_without_edges():
    """Two images without edges agree; one with and one without do not."""
    nothing = np.zeros((9, 9), dtype=bool)
    edges = line((9, 9), 4)

    assert figure_of_merit(nothing, nothing) == 1
    assert figure_of_merit(nothing, edges) == 0
    assert figure_of_merit(edges, nothing) == 0


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6, 200])
def test_a_flat_image_has_no_edges(value):
    """The rounding of a flat image is not taken for edges."""
    assert figure_of_merit(np.full((30, 30), value), np.zeros((30, 30), bool)) == 1


def test_rounding_has_no_edges():
    """An image that is flat but for its last digit has no edges."""
    last_digit = np.random.default_rng(0).integers(0, 2, (30, 30))
    image = 1e6 + last_digit * np.spacing(1e6)

    assert np.unique(image).size == 2
    assert figure_of_merit(image, np.zeros((30, 30), bool)) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_edges_are_those_of_canny(dtype):
    """Edges: sigma sqrt(2), high at the 70th percentile, low at 0.4 of it."""
    image, test = photograph(dtype=dtype), photograph(seed=1, dtype=dtype)

    def edges(values):
        values = values.astype(float)
        smooth = ndimage.gaussian_filter(values, np.sqrt(2), mode="mirror")
        gradient = [ndimage.sobel(smooth, axis) for axis in (0, 1)]
        high = np.percentile(np.hypot(*gradient), 70)
        return canny(values, np.sqrt(2), 0.4 * high, high, mode="mirror")

    assert 20 < edges(image).sum() < 700
    assert edges(image).sum() != edges(test).sum()
    assert figure_of_merit(image, test) == figure_of_merit(edges(image), edges(test))
    assert 0 < figure_of_merit(image, test) < 1
    assert figure_of_merit(image, edges(image)) == 1


def test_the_contrast_does_not_count():
    """Each image has thresholds of its own: scaled, it has the same edges."""
    image = photograph(dtype=np.float64)

    assert figure_of_merit(image, image) == 1
    assert figure_of_merit(image, 0.25 * image + 16) == 1


def test_edges_are_those_of_sobel():
    """Sobel: above twice the root mean square, thinned across the steeper axis."""
    image, test = photograph(), photograph(seed=1)

    def edges(values):
        down, across = (ndimage.sobel(values.astype(float), axis) for axis in (0, 1))
        size = np.hypot(down, across)
        found = np.zeros(size.shape, bool)
        for y in range(1, size.shape[0] - 1):
            for x in range(1, size.shape[1] - 1):
                dy, dx = (0, 1) if abs(across[y, x]) >= abs(down[y, x]) else (1, 0)
                first = size[y, x] > size[y - dy, x - dx]
                second = size[y, x] >= size[y + dy, x + dx]
                found[y, x] = first and second
        return found & (size > 2 * np.sqrt((size**2).mean()))

    assert 10 < edges(image).sum() < 200
    result = figure_of_merit(image, test, edges="sobel")
    assert result == figure_of_merit(edges(image), edges(test))
    assert 0 < result < 1


def test_the_edge_of_a_step_is_one_pixel_wide():
    """Of the two pixels that a step lies between, Sobel's edge is the first."""
    step = np.zeros((9, 12))
    step[:, 6:] = 100

    for image in (step, step.T):
        edges = line((9, 12), 5)
        edges[[0, -1]] = False
        edges = edges if image is step else edges.T
        assert figure_of_merit(edges, image, edges="sobel") == 1
        assert figure_of_merit(image, edges, edges="sobel") == 1


@pytest.mark.parametrize("edges", ["canny", "sobel"])
def test_thresholds_of_the_reference(edges):
    """With those of the reference a weaker image has fewer edges, a stronger more."""
    image = photograph(dtype=np.float64)

    def merit(test, thresholds):
        return figure_of_merit(image, test, edges=edges, thresholds=thresholds)

    assert merit(image, "reference") == merit(0.5 * image, "own") == 1
    assert merit(0.5 * image, "reference") < 0.7
    assert merit(2 * image, "reference") < 0.95


def test_thresholds_of_the_reference_are_canny_s():
    """They are found in the reference, and both images' edges by them."""
    image = photograph(dtype=np.float64)
    noisy = 2 * image + np.random.default_rng(3).normal(0, 30, image.shape)
    smooth = ndimage.gaussian_filter(image, np.sqrt(2), mode="mirror")
    size = np.hypot(*(ndimage.sobel(smooth, axis) for axis in (0, 1)))
    high = np.percentile(size, 70)
    edges, noisy_edges = (
        canny(each, np.sqrt(2), 0.4 * high, high, mode="mirror")
        for each in (image, noisy)
    )

    result = figure_of_merit(image, noisy, thresholds="reference")

    assert result == figure_of_merit(edges, noisy_edges)
    assert result != figure_of_merit(image, noisy)


@pytest.mark.parametrize("distance", [0, 3, 6])
def test_a_displaced_step_loses_by_its_distance(distance):
    """The edge of a step in an image is one line, and moves with the step."""
    step = np.zeros((20, 40))
    step[:, 15] = 60
    step[:, 16:] = 100
    moved = np.roll(step, distance, axis=1)
    moved[:, :distance] = 0

    result = figure_of_merit(step, moved)

    assert result == pytest.approx(1 / (1 + distance**2 / 9))


def test_the_merit_falls_with_the_blur():
    """The more an image is blurred the fewer edges lie in their place."""
    rng = np.random.default_rng(2)
    image = np.kron(rng.integers(0, 256, (9, 9)), np.ones((7, 7)))

    merits = [
        figure_of_merit(image, ndimage.gaussian_filter(image, s)) for s in (0, 2, 5)
    ]

    assert merits[0] == 1
    assert merits == sorted(merits, reverse=True)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"image_true": np.ones((4, 4), complex)}, TypeError, "got dtype complex128"),
        ({"image_true": np.ones((4, 5))}, ValueError, r"got \(4, 5\) and \(4, 4\)"),
        ({"image_true": np.ones((0, 4))}, ValueError, "`image_true` must not be empty"),
        ({"image_test": np.full((4, 4), np.inf)}, ValueError, "finite; got inf"),
        ({"alpha": 0.0}, ValueError, "`alpha` must be positive and finite; got 0.0"),
        ({"alpha": np.nan}, ValueError, "`alpha` must be positive and finite; got nan"),
        ({"alpha": "1/9"}, TypeError, "`alpha` must be a number; got '1/9'"),
        ({"edges": "log"}, ValueError, "`edges` must be 'canny' or 'sobel'; got 'log'"),
        ({"edges": ["log"]}, ValueError, r"`edges` must be .*; got \['log'\]"),
        ({"thresholds": 3}, ValueError, "must be 'own' or 'reference'; got 3"),
        (
            {"image_true": np.eye(4) > 0, "thresholds": "reference"},
            ValueError,
            "must be 'own' for a boolean `image_true`, .* got 'reference'",
        ),
        (
            {"image_true": np.ones((4, 4, 4)), "image_test": np.ones((4, 4, 4))},
            ValueError,
            "`image_true` must have two axes, .* got 3 axes of float64",
        ),
        (
            {"image_true": np.ones(4, bool), "image_test": np.ones(4)},
            ValueError,
            "`image_test` must have two axes, .* got 1 axes of float64",
        ),
    ],
)
def test_errors_of_the_figure_of_merit(change, error, message):
    """What is wrong is told by argument, rule and value."""
    arguments = {"image_true": np.ones((4, 4)), "image_test": np.ones((4, 4)), **change}
    with pytest.raises(error, match=message):
        figure_of_merit(**arguments)


# --- both ---------------------------------------------------------------------


@pytest.mark.parametrize("metric", [structural_similarity, figure_of_merit])
def test_metrics_read_any_array_and_write_none(metric):
    """Memory layout and byte order do not matter, and inputs stay as they are."""
    image = photograph().astype(np.uint16)
    test = blurred(image)
    kept = image.copy()
    expected = metric(image, test)
    image.flags.writeable = test.flags.writeable = False

    assert metric(np.asfortranarray(image), test) == pytest.approx(expected, abs=1e-12)
    assert metric(image.astype(">u2"), test.astype(">u2")) == expected
    assert metric(image[::-1], test[::-1]) == pytest.approx(expected, abs=1e-12)
    assert metric(image.tolist(), test.tolist()) >= 0
    assert_array_equal(image, kept)
    assert type(expected) is float


def test_importing_the_metrics_is_light():
    """Importing loads no scipy, no scikit-image and nothing else of the package."""
    code = "import sys, napari_usm.metrics; print(*sys.modules)"

    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )

    loaded = answer.stdout.split()
    assert not {"scipy", "skimage"}.intersection(loaded)
    ours = [name for name in loaded if name.startswith("napari_usm")]
    assert ours[0] == "napari_usm"
    assert all(name.startswith("napari_usm.metrics") for name in ours[1:])
