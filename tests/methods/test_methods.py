"""Every method against the slow reference: types, dimensions, borders, colour."""

import itertools

import numpy as np
import pytest
from scipy.ndimage import median_filter

import cases
import napari_usm as usm
from method_cases import METHOD_CASES
from napari_usm._filters.median import median

SHAPES = {1: (23,), 2: (13, 11), 3: (5, 9, 8), 4: (2, 4, 5, 6)}


def shape_for(method, shape):
    """A shape like this one that the method does something to."""
    if not METHOD_CASES[method].estimates_noise:
        return shape
    return tuple(n if n < 5 else 3 * n if len(shape) < 3 else n + 12 for n in shape)


def parameters_for(method, ndim):
    """A call with nothing at its default that matters to the pixels."""
    case = METHOD_CASES[method]
    axes = tuple(range(ndim))[-(case.axes or ndim) :]
    return {**case.example(len(axes)), "axes": axes}


def check(image, method, **parameters):
    expected = cases.expected(image, method, **parameters)
    found = cases.sharpen(image, method, **parameters)
    amount = np.max(expected.amount)
    slack = cases.tolerance(image, method) * (1 + abs(amount))
    if expected.gain is not None:
        np.testing.assert_allclose(found.gain, expected.gain, rtol=1e-12)
    np.testing.assert_allclose(found.amount, expected.amount, rtol=1e-12)
    cases.assert_agrees(found.image, expected.limited, expected.image, slack)
    assert found.edge_map.dtype == np.float32
    np.testing.assert_allclose(found.edge_map, expected.edge_map, rtol=3e-7, atol=slack)


@pytest.mark.parametrize("dtype", [*cases.INTEGERS, "uint64", *cases.FLOATS])
@pytest.mark.parametrize("method", cases.METHODS)
def test_every_type(method, dtype):
    """Pixels of every type are what the formula says, rounded half up, saturated."""
    image = cases.picture(shape_for(method, (13, 11)), dtype)
    check(image, method, **parameters_for(method, 2))


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize(
    ("method", "ndim"),
    [
        (method, ndim)
        for method in cases.METHODS
        for ndim in SHAPES
        if ndim >= (METHOD_CASES[method].axes or 1)
    ],
)
def test_every_border_and_dimension(method, ndim, mode):
    """Every border mode is scipy's, in one to four dimensions."""
    image = cases.picture(shape_for(method, SHAPES[ndim]))
    check(image, method, mode=mode, cval=0.7, **parameters_for(method, ndim))


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize("method", cases.METHODS)
def test_axes_shorter_than_the_kernel(method, mode):
    """A border is reflected as often as it takes; one-pixel axes work."""
    for shape in ((3, 7), (1, 6), (2, 1), (1, 1)):
        check(cases.picture(shape), method, mode=mode, **parameters_for(method, 2))


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("color", ["channels", "luminance", "value"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("method", cases.METHODS)
def test_every_colour(method, dtype, color, alpha):
    """Channels, luminance and value; alpha passes through; any channel axis."""
    colours = np.abs(cases.picture((*shape_for(method, (12, 10)), 3 + alpha), dtype))
    colours[2:4, 2:4, :3] = 0
    for channel_axis in (2, 0, -2):
        image = np.moveaxis(colours, 2, channel_axis)
        check(image, method, color=color, alpha=alpha, channel_axis=channel_axis)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("limits", [None, "data", (40, 90), (-1e3, 1e3), (0.6, 1.37)])
@pytest.mark.parametrize("color", ["channels", "value"])
def test_limits(color, limits, dtype):
    """Results saturate where `limits` says, and at the range of an integer type."""
    image = np.abs(cases.picture((12, 10, 3), dtype))
    check(
        image,
        "unsharp_mask",
        amount=3.0,
        limits=limits,
        color=color,
        channel_axis=2,
    )


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint64", *cases.FLOATS])
def test_result_types(dtype):
    """`dtype` casts the result: rounded half up, saturated, never wrapped."""
    image = cases.picture((9, 8), "float32") * 300
    check(image, "unsharp_mask", amount=2.0, dtype=dtype)


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("source", ["uint16", "float32", "float64"])
def test_wide_result_types_saturate(source, dtype):
    """The largest 32-bit integers are no float32: results beyond them do not wrap."""
    image = np.array([[0, 1000, 0, 0]], source)
    info = np.iinfo(dtype)
    result = usm.unsharp_mask(image, amount=1e30, dtype=dtype)
    assert result[0, 1] == info.max
    assert result[0, 0] == info.min


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("method", cases.THRESHOLDED)
def test_thresholds(method, hard):
    """Soft shrinks the detail, hard keeps or drops it."""
    check(cases.picture((12, 9)), method, threshold=0.2, hard=hard)


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize("method", cases.METHODS)
def test_invalid_pixels(method, mode):
    """NaN and infinite pixels stay as they are and do not spread."""
    image = cases.picture(shape_for(method, (14, 12)), "float32")
    image[3, 4], image[0, 0], image[9, 11], image[5:7, 5:8] = np.nan, np.inf, -np.inf, 0
    image[10:, :3] = np.nan
    check(image, method, mode=mode, **parameters_for(method, 2))


@pytest.mark.parametrize("color", ["channels", "luminance", "value"])
def test_invalid_pixels_pass_all_limits(color):
    """An invalid pixel is no intensity: limits and colour leave it as it is."""
    image = np.abs(cases.picture((9, 8, 3), "float32"))
    image[3, 4, 1], image[0, 0], image[5, 5, 2] = np.nan, np.inf, -np.inf
    for limits in ((0.2, 1.0), "data"):
        check(image, "unsharp_mask", color=color, channel_axis=2, limits=limits)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64"])
def test_invalid_pixels_as_integers(dtype):
    """Where an integer is asked for, NaN becomes 0 and infinities saturate."""
    image = cases.picture((9, 8), "float32") * 100
    image[3, 4], image[0, 0], image[8, 7] = np.nan, np.inf, -np.inf
    check(image, "unsharp_mask", dtype=dtype)


def test_black_gets_grey():
    """Where HSV's value is 0 there is no colour to keep: all three channels rise."""
    image = np.abs(cases.picture((9, 8, 3), "float32"))
    image[4, 4] = 0
    check(image, "unsharp_mask", amount=-0.5, color="value", channel_axis=2)
    check(image - 1, "unsharp_mask", color="value", channel_axis=2)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_medians_are_scipys(size):
    """Medians by networks are those of scipy, along any two axes of any array."""
    shapes = (((9, 300), (0, 1)), ((3, 8, 9), (1, 2)), ((9, 8, 3), (0, 1)))
    for shape, axes in (*shapes, ((1, 2), (0, 1)), ((7, 2, 1), (0, 2))):
        image = np.floor(cases.picture(shape) * 10)
        window = [size if axis in axes else 1 for axis in range(len(shape))]
        expected = median_filter(image, size=window, mode="reflect")
        np.testing.assert_array_equal(median(image, size, axes), expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("size", [3, 5])
def test_medians_of_zeros_and_ones(size, dtype):
    """Networks of exchanges that are right for zeros and ones are right for all.

    Of 3 x 3 these are all windows. Of 5 x 5, where four rows of each column are sorted
    first, they are all counts of ones in the columns with all last rows. Each window
    comes as the upper and as the lower of two rows, and upside down.
    """
    if size == 3:
        windows = np.array(list(itertools.product([0, 1], repeat=9))).reshape(-1, 3, 3)
    else:
        counts = np.array(list(itertools.product(range(5), repeat=5)))
        sorted_rows = np.arange(4)[:, np.newaxis] < counts[:, np.newaxis]
        random = np.random.default_rng(2)
        rows = random.permuted(np.repeat(sorted_rows, 32, axis=0), axis=1)
        last = np.array(list(itertools.product([0, 1], repeat=5)))[:, np.newaxis]
        windows = np.concatenate([rows, np.tile(last, (3125, 1, 1))], axis=1)
    expected = windows.mean(axis=(1, 2)) > 0.5
    across = 32
    for upside in (windows, windows[:, ::-1]):
        tiles = upside.reshape(-1, across, size, size).transpose(0, 2, 1, 3)
        image = tiles.reshape(-1, across * size).astype(dtype)
        for above in (0, 1):
            found = median(np.pad(image, ((above, 0), (0, 0))), size, (0, 1))[above:]
            middles = found[size // 2 :: size, size // 2 :: size]
            np.testing.assert_array_equal(middles.ravel(), expected)


def test_detail_at_the_threshold():
    """Hard keeps the detail that just reaches the threshold, soft makes it 0."""
    image = np.array([0.0, 0, 4, 0, 0])
    call = {"method": "laplacian_sharpen", "amount": 1}
    hard = cases.edge_map(image, **call, threshold=4, hard=True)
    np.testing.assert_array_equal(hard, [0, -4, 8, -4, 0])
    soft = cases.edge_map(image, **call, threshold=4)
    np.testing.assert_array_equal(soft, [0, 0, 4, 0, 0])


@pytest.mark.parametrize("size", [3, 5, 7])
def test_medians_of_few_valid_pixels(size):
    """Of an even count of valid pixels the lower middle is the median."""
    image = cases.picture((11, 12))
    image[np.random.default_rng(1).random(image.shape) < 0.4] = np.nan
    check(image, "laplacian_sharpen", median_size=size)


@pytest.mark.parametrize("gain_per", ["image", "item"])
@pytest.mark.parametrize("color", ["channels", "value", "luminance"])
def test_gains_of_a_series(color, gain_per):
    """One gain for all, or one per item and channel, in the order of the axes."""
    image = np.abs(cases.picture((2, 9, 3, 8, 2), "float32"))
    check(
        image,
        "adaptive_unsharp_mask",
        axes=(1, 3),
        channel_axis=2,
        color=color,
        gain_per=gain_per,
    )


@pytest.mark.parametrize("kernel", ["box", "gaussian"])
def test_adaptive_gains_and_kernels(kernel):
    """Gains to try and the kernel of the mask are the caller's choice."""
    image = cases.picture((15, 16), "uint16")
    for gains in ([0.5], [0.2, 0.9], [0.05, 0.1, 0.4, 2, 7]):
        check(image, "adaptive_unsharp_mask", gains=gains, kernel=kernel, sigma=1.4)


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_gains_from_stored_pixels(dtype, mode):
    """The sums of planes as they are stored are those of the same pixels in float64."""
    calls = [
        ((37, 1100), {}),
        ((2, 37, 150), {"axes": (1, 2), "gain_per": "item"}),
        ((37, 2, 70), {"axes": (2, 0), "gains": [0.001, 0.0011, 0.3, 5.0]}),
        ((30, 31, 3), {"channel_axis": 2}),
        ((30, 3, 31), {"channel_axis": 1, "color": "channels", "cval": 7.25}),
        ((2, 31), {"gains": [50.0, 70.0, 80.0]}),
    ]
    for shape, parameters in calls:
        call = {"cval": 9.0, **parameters, "mode": mode}
        image = np.abs(cases.picture(shape, dtype))
        found = cases.sharpen(image, "adaptive_unsharp_mask", **call)
        wide = image.astype(np.float64)
        expected = cases.sharpen(wide, "adaptive_unsharp_mask", **call)
        np.testing.assert_array_equal(found.gain, expected.gain)
        curve, exact = found.report.curve, expected.report.curve
        np.testing.assert_allclose(curve, exact, rtol=1e-11)


def test_gain_of_the_largest_differences():
    """Sums of 16-bit pixels do not overflow, nor does one pixel's share of them."""
    image = np.random.default_rng(5).choice([0, 65535], (16, 5000)).astype(np.uint16)
    for gains in (None, [40.0, 50.0, 60.0]):
        check(image, "adaptive_unsharp_mask", gains=gains)
    check(np.indices(image.shape).sum(axis=0) % 2 * image, "adaptive_unsharp_mask")


@pytest.mark.parametrize("kind", ["flat", "ramp", "spot", "noise", "checkerboard"])
@pytest.mark.parametrize("shape", [(8, 9), (30,), (5, 6, 7)])
def test_gain_of_simple_images(shape, kind):
    """The gain is that of 30 filterings one after the other, flat images too."""
    image = np.full(shape, 7.0)
    grid = np.indices(shape)
    if kind == "ramp":
        image = image + grid[-1]
    elif kind == "spot":
        image[tuple(n // 2 for n in shape)] = 11
    elif kind == "noise":
        image = image + np.random.default_rng(3).normal(size=shape)
    elif kind == "checkerboard":
        image = image + grid.sum(axis=0) % 2
    check(image, "adaptive_unsharp_mask")


@pytest.mark.parametrize("sigma", [4.0, 7.5, 20.0])
def test_large_sigmas(sigma):
    """From sigma 4 on, within 1e-3 of the image's range of the true Gaussian."""
    image = cases.picture((60, 50), "float32")
    expected = cases.expected(image, "unsharp_mask", sigma=sigma)
    found = usm.unsharp_mask(image, sigma=sigma)
    np.testing.assert_allclose(found, expected.raw, atol=1e-3 * np.ptp(image))


@pytest.mark.parametrize("truncate", [0.5, 1.0, 2.0, 5.0])
def test_truncate(truncate):
    """The kernel ends at int(truncate * sigma + 0.5) pixels."""
    check(cases.picture((20, 21)), "unsharp_mask", sigma=2.3, truncate=truncate)


def test_box_kernel():
    """The box is the mean of three along every filtered axis; sigma is ignored."""
    image = cases.picture((6, 7, 8))
    check(image, "unsharp_mask", kernel="box", sigma=9)
    check(image, "unsharp_mask", kernel="box", axes=(0, 2))


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_gaussian_sharpen_radius(radius):
    """A given radius cuts ImageMagick's kernel there."""
    check(cases.picture((12, 13)), "gaussian_sharpen", radius=radius, sigma=1.3)


def test_equation():
    """`image + amount * edge_map` is the result before limits and cast."""
    image = cases.picture((10, 12), "float32")
    for method in cases.METHODS:
        found = cases.sharpen(image, method)
        np.testing.assert_allclose(
            found.image, image + found.amount * found.edge_map, rtol=0, atol=1e-5
        )


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_numbers_of_numpy(dtype):
    """A number of numpy's gives the very pixels that Python's of that value gives."""
    image = cases.picture((30, 31), dtype)
    level = 0.1 if dtype == "float32" else 3.1
    for method in cases.THRESHOLDED:
        found = cases.sharpen(image, method, threshold=np.float64(level), dtype=float)
        expected = cases.sharpen(image, method, threshold=level, dtype=float)
        np.testing.assert_array_equal(found.image, expected.image)
        np.testing.assert_array_equal(found.edge_map, expected.edge_map)
    # Half-width 2, as with 3.9; in float32 it would be 3.
    call = {"sigma": 0.62499999, "dtype": float}
    found = usm.unsharp_mask(image, truncate=np.float32(4), **call)
    np.testing.assert_array_equal(found, usm.unsharp_mask(image, truncate=3.9, **call))
    # An unsigned number has no negative.
    for method, word in {
        "laplacian_sharpen": "median_size",
        "gaussian_sharpen": "radius",
    }.items():
        found = cases.sharpen(image, method, **{word: np.uint8(3)})
        expected = cases.sharpen(image, method, **{word: 3})
        np.testing.assert_array_equal(found.image, expected.image)
    # Arrays are lists.
    arrays = {"limits": np.array([1, 2]), "sigma": np.array([0.5, 1], np.float32)}
    found = usm.unsharp_mask(image, **arrays)
    lists = {word: values.tolist() for word, values in arrays.items()}
    np.testing.assert_array_equal(found, usm.unsharp_mask(image, **lists))
