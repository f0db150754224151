"""What `sharpen` says about the data, counted by hand."""

import numpy as np
import pytest

import cases
import napari_usm as usm


def test_clipping_is_counted():
    """Pixels that the limits of the result cut off are counted, of each channel."""
    step = np.repeat([[0, 0, 0, 200, 200, 200]], 4, axis=0).astype(np.uint8)
    image = np.stack([step, np.full_like(step, 9)], axis=-1)
    # Laplacian at the edge -+200: 0 - 200 and 200 + 200, one column each.
    report = cases.sharpen(image, "laplacian_sharpen", amount=1, channel_axis=-1).report
    np.testing.assert_allclose(report.clipped_low, [1 / 6, 0])
    np.testing.assert_allclose(report.clipped_high, [1 / 6, 0])


def test_limits_beyond_the_type_clip_at_the_type():
    """Limits wider than an integer type do not hide what the type cuts off."""
    image = np.repeat([[0, 0, 0, 200, 200, 200]], 4, axis=0).astype(np.uint8)
    report = cases.sharpen(
        image, "laplacian_sharpen", amount=1, limits=(-1000, 1000)
    ).report
    assert (report.clipped_low, report.clipped_high) == (1 / 6, 1 / 6)
    # One column in six rises from 200 to 255; the one that would fall stays at 0.
    assert report.mean_change == 55 / 6


def test_rounding_is_no_clipping():
    """A saturated flat region that stays as it is is not clipped."""
    image = np.full((9, 9), 255, np.uint8)
    report = cases.sharpen(image, sigma=2.3).report
    assert report.clipped_high == [0]


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize("limits", [None, (20, 180.3)])
@pytest.mark.parametrize(
    ("shape", "axes", "channel_axis"),
    [
        ((40, 50), None, None),
        ((900,), None, None),
        ((40, 50), (0,), None),
        ((9, 10, 11), None, None),
        ((6, 9, 10, 8), (0, 1, 3), None),
        ((30, 40, 3), (0, 1), 2),
        ((20, 24, 3, 5), (0, 1), 2),
        ((4, 30, 40), (1, 2), 0),
        ((4, 40), (1,), 0),
        ((30, 4, 40), (0, 2), 1),
    ],
)
def test_reports_of_pixels_in_any_type(shape, axes, channel_axis, limits, mode):
    """Bytes, counted as they are, give the report of the same numbers in float64."""
    image = cases.picture(shape, "uint8")
    if channel_axis is not None:
        others = [axis for axis in range(len(shape)) if axis != channel_axis]
        darker = np.arange(2, shape[channel_axis] + 2) / 2  # no two channels alike
        image = (image / np.expand_dims(darker, others)).astype(np.uint8)
    # Gaussians of bytes have an arithmetic of their own.
    call = {"kernel": "box", "amount": 3, "axes": axes, "mode": mode}
    call["channel_axis"] = channel_axis
    found = cases.sharpen(image, limits=limits, **call).report
    # Fractional limits of integers are rounded with the result.
    wide = cases.sharpen(
        image.astype("int32"), limits=limits or (0, 255), **call
    ).report
    for name in ("clipped_low", "clipped_high", "overshoot", "undershoot"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wide, name))
    for name in ("mean_overshoot", "mean_undershoot", "mean_change"):
        # A value just at a half may be rounded otherwise in float64.
        np.testing.assert_allclose(getattr(found, name), getattr(wide, name), 1e-3)
    assert found.clipped_low.max() > 0
    assert found.overshoot > 0


@pytest.mark.parametrize("width", [1, 2, 31, 33, 63, 64, 65, 130, 2047, 2049, 9000])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_integers_are_counted_exactly(dtype, width):
    """Rows that are no multiple of a register, and sums of the largest differences."""
    info = np.iinfo(dtype)
    rng = np.random.default_rng(width)
    image = rng.integers(info.min, info.max + 1, (5, width), dtype)
    image[2] = np.where(np.arange(width) % 2, info.min, info.max)
    found = usm.sharpen(image, sigma=2, amount=5, mode="nearest")
    raw = image + np.float32(5) * found.edge_map
    padded = np.pad(image.astype(np.int64), 1, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(5, -1, 9)
    after = found.image.astype(np.int64)
    over = np.maximum(after - around.max(axis=-1), 0)
    under = np.maximum(around.min(axis=-1) - after, 0)
    expected = {
        "clipped_low": np.mean(np.floor(raw + 0.5) < info.min),
        "clipped_high": np.mean(np.floor(raw + 0.5) > info.max),
        "overshoot": over.max(),
        "undershoot": under.max(),
        "mean_overshoot": over.sum() / over.size,
        "mean_undershoot": under.sum() / under.size,
        "mean_change": (after - image).sum() / after.size,
    }
    for name, value in expected.items():
        assert getattr(found.report, name) == value, name


@pytest.mark.parametrize("mode", ["nearest", "wrap"])
@pytest.mark.parametrize("width", [1, 15, 16, 17, 33, 130, 2047, 2065, 4100])
@pytest.mark.parametrize("is_valid", [True, False])
def test_floats_are_counted(width, mode, is_valid):
    """Rows that are no multiple of a vector, with and without an invalid pixel."""
    image = np.random.default_rng(width).random((6, width), np.float32)
    if not is_valid:
        image[2, width // 2] = np.nan
    found = usm.sharpen(image, kernel="box", amount=2, mode=mode, limits=(0.2, 0.7))
    padded = np.pad(
        image.astype(np.float64), 1, mode="edge" if mode[0] == "n" else mode
    )
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(6, -1, 9)
    counts = np.isfinite(image) & np.isfinite(found.image)
    after = found.image.astype(np.float64)
    over = np.maximum(after - np.nanmax(around, axis=-1), 0)[counts]
    under = np.maximum(np.nanmin(around, axis=-1) - after, 0)[counts]
    raw = (image + np.float32(2) * found.edge_map)[counts]
    expected = {
        "clipped_low": np.sum(raw < np.float32(0.2)) / image.size,
        "clipped_high": np.sum(raw > np.float32(0.7)) / image.size,
        "overshoot": over.max(),
        "undershoot": under.max(),
        "mean_overshoot": over.mean(),
        "mean_undershoot": under.mean(),
        "mean_change": (after - image)[counts].mean(),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(
            getattr(found.report, name), value, 1e-5, 1e-7, err_msg=name
        )


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_few_results_at_a_limit(dtype):
    """The only result that is cut off is counted, wherever it is."""
    limits = (20, 100)
    for place in [(0, 0), (3, 64), (6, 2048), (9, 4999)]:
        image = np.full((10, 5000), 60, dtype)
        image[place] = 99
        found = usm.sharpen(image, amount=0.8, limits=limits).report
        assert (found.clipped_low, found.clipped_high) == (0, 1 / image.size)
        found = usm.sharpen(120 - image, amount=0.8, limits=limits).report
        assert (found.clipped_low, found.clipped_high) == (1 / image.size, 0)


def test_overshoot():
    """Overshoot is what goes beyond the 3-wide neighbourhood, largest and mean."""
    step = np.array([10.0, 10, 10, 50, 50, 50])
    report = cases.sharpen(step, "laplacian_sharpen", amount=0.5).report
    # -10 and 70 where the neighbourhood is 10 to 50.
    assert (report.overshoot, report.undershoot) == (20, 20)
    assert report.mean_overshoot == report.mean_undershoot == 20 / 6
    assert report.mean_change == 0


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("unsharp_mask", {"sigma": 1.5, "amount": 2}),
        ("unsharp_mask", {"sigma": (0, 1), "amount": -0.5}),
        ("unsharp_mask", {"kernel": "box", "amount": 1}),
        ("laplacian_sharpen", {"amount": 0.7}),
        ("laplacian_sharpen", {"amount": 0.7, "spacing": (1, 3)}),
        ("gaussian_sharpen", {"sigma": 1.2}),
        ("adaptive_unsharp_mask", {"gains": [0.4]}),
    ],
)
def test_noise_factor_of_a_kernel(method, call):
    """The noise factor is the root of the sum of squares of the impulse response."""
    impulse = np.zeros((41, 41))
    impulse[20, 20] = 1
    found = cases.sharpen(impulse, method, **call)
    expected = np.sqrt(np.sum(found.image**2))
    np.testing.assert_allclose(found.report.noise_factor, expected, rtol=1e-9)


def test_noise_factor_is_measured_without_a_kernel():
    """With a threshold above the noise, hardly any noise is added; below it, nearly all."""
    noise = np.random.default_rng(7).normal(100, 5, (200, 200))

    def factor(threshold):
        report = cases.sharpen(noise, amount=2, threshold=threshold).report
        return float(report.noise_factor)

    assert factor(0.001) == pytest.approx(factor(0), rel=0.02)
    assert factor(30) == pytest.approx(1, abs=0.01)
    measured = usm.unsharp_mask(noise, amount=2, threshold=4)
    assert factor(4) == pytest.approx(np.std(measured) / np.std(noise), rel=0.05)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("color", ["channels", "luminance", "value"])
def test_noise_factor_of_colours(color, alpha):
    """The noise of a colour image is that of what is filtered, alpha left out."""
    noise = np.random.default_rng(7).normal(100, 5, (150, 150, 3 + alpha))
    call = {"color": color, "alpha": alpha, "channel_axis": 2, "amount": 2.0}
    report = cases.sharpen(noise, threshold=30, **call).report
    assert report.noise_factor == pytest.approx(1, abs=0.01)
    report = cases.sharpen(noise, threshold=1e-3, **call).report
    linear = cases.sharpen(noise, **call).report
    assert report.noise_factor == pytest.approx(linear.noise_factor, rel=0.02)


def test_noise_factor_knows_no_border():
    """A dark border is no noise: the factor measured is the kernel's own."""
    noise = np.random.default_rng(7).normal(100, 5, (150, 150))
    call = {"sigma": 5, "mode": "constant", "cval": 1000}
    measured = cases.sharpen(noise, threshold=1e-6, **call).report.noise_factor
    assert measured == pytest.approx(
        cases.sharpen(noise, **call).report.noise_factor, rel=0.02
    )


def test_value_cut_off_at_zero_is_clipped():
    """HSV's value is at least 0: what would be less is counted as clipped."""
    image = np.abs(np.random.default_rng(0).normal(1, 1, (40, 40, 3)))
    call = {"channel_axis": 2, "amount": 10.0}
    report = cases.sharpen(image, color="value", **call).report
    value = cases.sharpen(image.max(axis=2), amount=10.0).image
    np.testing.assert_allclose(report.clipped_low, np.mean(value < 0))


def test_inverted_detail_is_said():
    """An amount so negative that detail turns into its negative is reported."""
    image = np.eye(9)
    for kernel, least in (("gaussian", -1), ("box", -0.75)):
        for amount, inverts in ((least, False), (least - 0.01, True)):
            report = cases.sharpen(image, kernel=kernel, amount=amount).report
            assert report.inverts_detail is inverts


def test_the_curve_is_reported():
    """The adaptive method tells which gains it tried and what it found for each."""
    image = np.random.default_rng(2).normal(size=(3, 20, 20))
    report = cases.sharpen(
        image, "adaptive_unsharp_mask", axes=(1, 2), gain_per="item"
    ).report
    assert report.curve.shape == (3, 30)
    np.testing.assert_allclose(report.gains, np.arange(1, 31) / 10)
    steepest = np.gradient(report.curve, axis=1).argmax(axis=1)
    np.testing.assert_array_equal(report.gain, report.gains[steepest])
    assert cases.sharpen(image).report.curve is None


@pytest.mark.parametrize(
    ("method", "own"),
    [
        ("unsharp_mask", {"threshold": 1.0}),
        ("dark_region_unsharp_mask", {}),
        ("polesel_unsharp_mask", {"areas": "improved"}),
        ("wavelet_unsharp_mask", {"areas": "polesel"}),
    ],
)
def test_noise_near_the_end_of_float32(method, own):
    """Noise that overflows is no warning: what is left of it is measured."""
    image = np.random.default_rng(0).uniform(-3e38, 3e38, (12, 13)).astype(np.float32)
    found = cases.sharpen(image, method, **own)
    assert np.isfinite(found.report.noise_factor)
