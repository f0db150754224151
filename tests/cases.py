"""Images and calls that many tests share."""

from contextlib import contextmanager
from unittest import mock

import numpy as np
from scipy import ndimage

import napari_usm as usm
import reference
from method_cases import METHOD_CASES
from napari_usm import api
from napari_usm._engine.plan import FittedPlan, Plan
from napari_usm._filters.fused.mask import MaskPass

METHODS = tuple(METHOD_CASES)
# Those that follow an image's blur and noise.
ESTIMATING = tuple(name for name, case in METHOD_CASES.items() if case.estimates_noise)
# Those with an amount and a threshold.
THRESHOLDED = tuple(name for name, case in METHOD_CASES.items() if case.has_threshold)
MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
INTEGERS = ("bool", "uint8", "int8", "uint16", "int16", "int32", "uint32", "int64")
FLOATS = ("float16", "float32", "float64")


#: Arguments that are no parameters of a method.
ARRAYS = {"weight", "out"}

#: Rows of the tables of methods, those of the lab too.
ENTRIES = {**usm.METHODS, **usm.lab.METHODS}


def function(method):
    """The public function of a method: one for the lab stands in `napari_usm.lab`."""
    return getattr(usm if method in usm.METHODS else usm.lab, method)


def spacing(method, steps):
    """The argument for pixels of this size, of a method that takes their spacing."""
    return {"spacing": steps} if "spacing" in ENTRIES[method].parameters else {}


def sharpen(image, method="unsharp_mask", **parameters):
    """`napari_usm.sharpen`, by the name of a method for the lab too."""
    return _call(usm.sharpen, image, method, parameters)


def edge_map(image, method="unsharp_mask", **parameters):
    """`napari_usm.edge_map`, likewise."""
    return _call(usm.edge_map, image, method, parameters)


def significance(image, method="unsharp_mask", **parameters):
    """`napari_usm.significance`, likewise."""
    return _call(usm.significance, image, method, parameters)


def expected(image, method="unsharp_mask", **parameters):
    """The `Reference` of a call: the result of slow arithmetic."""
    return reference.sharpen(image, METHOD_CASES[method].reference, **parameters)


def prepare(image, method, **parameters):
    """`napari_usm.api.prepare`, likewise."""
    return _call(api.prepare, image, method, parameters)


def _call(function, image, method, parameters):
    if method in usm.lab.METHODS:
        arrays = {name: parameters.pop(name) for name in ARRAYS & parameters.keys()}
        return function(image, ENTRIES[method].method(**parameters), **arrays)
    return function(image, method, **parameters)


@contextmanager
def stepwise():
    """Compute step by step, without a fused kernel."""
    none = property(lambda _: None)  # also of plans that have been used
    with (
        mock.patch.object(Plan, "stored", none),
        mock.patch.object(FittedPlan, "numbers", none),
        mock.patch.object(FittedPlan, "one_pass", none),
    ):
        yield


def in_bytes(plan):
    """Whether a kernel blurs planes of bytes in integers: the steps do so in floats."""
    bytes_ = plan.dtype in (np.uint8, np.bool_)
    return bytes_ and isinstance(plan.unfinished.one_pass(), MaskPass)


def picture(shape, dtype="float64", seed=0):
    """Smooth structure, an edge and noise, in most of the range of the type."""
    dtype = np.dtype(dtype)
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    waves = sum(np.sin(axis / (2 + k)) for k, axis in enumerate(grid))
    values = waves + (grid[0] > shape[0] / 2) + rng.normal(0, 0.3, shape)
    values = (values - values.min()) / max(np.ptp(values), 1e-9)
    if dtype.kind == "b":
        return values > 0.5
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        # Up to 2**40: sums of larger numbers are beyond what float64 can tell.
        low, high = max(info.min, -(2**40)), min(info.max, 2**40)
        return np.floor(low + values * (high - low)).astype(dtype)
    return (values * 3 - 1).astype(dtype)


def specimen(shape, dtype="uint16", seed=0, offset=100):
    """Foci on a dark ground, in the counts of a camera whose offset is not 0.

    The brightest are saturated, some pixels are hot or dead, and bright ones are
    noisier than dark ones.
    """
    dtype = np.dtype(dtype)
    rng = np.random.default_rng(seed)
    full = min(4095, np.iinfo(dtype).max) if dtype.kind in "iu" else 4095
    foci = rng.lognormal(0, 0.5, shape) * (rng.random(shape) < 0.005)
    light = ndimage.gaussian_filter(foci, 1.3, mode="wrap")
    light *= 240 / max(light.max(), 1e-9)
    counts = full * (rng.poisson(light + 2) / 200 + offset / 4095)
    counts += rng.normal(0, full / 800, shape)
    spoilt = rng.random(shape)
    counts[spoilt < 0.001] = full
    counts[spoilt > 0.999] = 0
    return np.clip(np.round(counts), 0, full).astype(dtype)


def in_bright_field(image):
    """The same specimen as what takes light away: the negative of its image."""
    low, high = image.min(), image.max()
    return (high - image) + low


def tolerance(image, method=""):
    """What rounding in the working type may change, for values like the image's.

    What an estimate of its rounds off counts too.
    """
    times, estimate = 1, 0.0
    if method:
        case = METHOD_CASES[method]
        times, estimate = case.rounding, case.slack_of_estimate
    dtype = image.dtype
    narrow = dtype.kind == "b" or dtype.itemsize <= 2 or dtype == np.float32
    eps = np.finfo(np.float32 if narrow else np.float64).eps
    finite = image[np.isfinite(image)].astype(np.float64)
    largest = np.abs(finite).max() if finite.size else 1.0
    return (200 * times * eps + estimate) * max(largest, 1.0)


def assert_agrees(result, expected_raw, expected, slack):
    """A result equals the reference to `slack` before it is rounded and cast."""
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    if result.dtype.kind == "f":
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(result[~finite], expected[~finite])
        rounding = np.finfo(result.dtype).eps
        np.testing.assert_allclose(
            result[finite].astype(np.float64),
            expected[finite].astype(np.float64),
            rtol=rounding,
            atol=slack,
        )
        return
    # One level apart only where rounding could have gone either way.
    finite_raw = np.nan_to_num(expected_raw)
    unsure = np.abs(finite_raw - np.floor(finite_raw) - 0.5) <= slack
    apart = np.abs(result.astype(np.float64) - expected.astype(np.float64))
    assert np.all(apart[~unsure] == 0)
    assert np.all(apart[unsure] <= np.maximum(1, slack))
