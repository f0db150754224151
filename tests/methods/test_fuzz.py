"""Random calls against the reference."""

import os

import numpy as np
import pytest

import cases
import napari_usm as usm
from cases import prepare
from method_cases import METHOD_CASES
from napari_usm._engine import memory

# Number of calls; more by hand: NAPARI_USM_FUZZ=20000.
CALLS = int(os.environ.get("NAPARI_USM_FUZZ", "2000"))
CHUNKS = 20
DTYPES = (*cases.INTEGERS, "uint64", *cases.FLOATS)
# The types with kernels of their own come up as often as all others together.
WEIGHTED = (*DTYPES, *("uint8", "uint16", "float32") * 4)
# So do the methods with kernels of their own.
METHODS = (*cases.METHODS, *("unsharp_mask", "laplacian_sharpen") * 4)
MOST_PIXELS = {1: 5000, 2: 5000, 3: 4000, 4: 2000}
# Items that are estimated one by one: each takes as long as an image.
MOST_ITEMS = 40


@pytest.fixture(autouse=True)
def every_image_is_worth_threads(monkeypatch):
    monkeypatch.setattr(memory, "_WORTH_THREADS", 1)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_calls(chunk):
    """Any image, call, memory layout, block size and number of threads."""
    for seed in range(chunk, CALLS, CHUNKS):
        rng = np.random.default_rng(seed)
        image, method, parameters = draw_call(rng, METHODS)
        block_size = int(rng.integers(1, 2 * image.size + 1))
        count = int(rng.integers(1, 4))
        other = elsewhere(rng, image)
        weight = draw_weight(rng, image, parameters)
        how = {"block_size": block_size, "weight": weight}
        try:
            with usm.threads(count):
                check(image, other, method, parameters, how)
        except Exception as error:
            call = ", ".join(f"{k}={v!r}" for k, v in parameters.items())
            error.add_note(
                f"seed {seed}: {method}(<{image.dtype} {image.shape}>, {call}) "
                f"on {count} threads, in blocks of {block_size} pixels, "
                f"{'without' if weight is None else 'with'} a weight"
            )
            raise


def test_order_of_axes():
    """Axes in any order give the same bits, in one pass and step by step."""
    image = cases.picture((64, 36), "float32")
    call = {"axes": (1, 0), "sigma": (0.5, 1.0)}
    alone = usm.unsharp_mask(image, **call)
    with cases.stepwise():
        expected = usm.unsharp_mask(image, **call)
    np.testing.assert_array_equal(alone, expected)


def test_border_between_two_float32():
    """A border that is no float32 is the same one in one pass and step by step."""
    image = cases.picture((64, 36), "float32")
    call = {"mode": "constant", "cval": 2.1}
    alone = usm.laplacian_sharpen(image, **call)
    with cases.stepwise():
        expected = usm.laplacian_sharpen(image, **call)
    np.testing.assert_array_equal(alone, expected)


def check(image, other, method, parameters, how):
    """Fused and step by step: the same bits, and those of the reference."""
    plan, pixels = prepare(other, method, **parameters)
    only_image = {"want_edge_map": False, "want_report": False}
    alone = memory.result_of(memory.run(plan, pixels, **only_image, **how)).image
    both = memory.result_of(memory.run(plan, pixels, want_report=False, **how))
    out = unaligned(alone)
    memory.result_of(memory.run(plan, pixels, out=out, **only_image, **how))
    with cases.stepwise():
        steps = memory.result_of(memory.run(plan, pixels, want_report=False, **how))
    np.testing.assert_array_equal(alone, both.image)
    np.testing.assert_array_equal(alone, out)
    if not cases.in_bytes(plan):
        np.testing.assert_array_equal(alone, steps.image)
        np.testing.assert_array_equal(both.edge_map, steps.edge_map)
    np.testing.assert_array_equal(other, image)

    expected = cases.expected(image, method, weight=how["weight"], **parameters)
    if expected.gain is not None:
        gain = both.fitted.public.gain
        np.testing.assert_allclose(gain, expected.gain, rtol=1e-12)
    slack = slack_of(image, method, parameters)
    sure = away_from_a_hard_threshold(image, method, parameters, slack, expected)
    np.testing.assert_allclose(
        both.edge_map[sure], expected.edge_map[sure], rtol=3e-7, atol=slack
    )
    if expected.edge_map.ndim < image.ndim:
        sure = np.expand_dims(sure, parameters["channel_axis"])
    sure = np.broadcast_to(sure, image.shape)
    cases.assert_agrees(
        alone[sure],
        expected.limited[sure],
        expected.image[sure],
        slack * (1 + np.max(np.abs(expected.amount))),
    )


def slack_of(image, method, parameters):
    """What the design allows: rounding, and 1e-3 of the range for large sigmas.

    A Gaussian that is cut before 4 sigma is never approximated.
    """
    slack = cases.tolerance(image, method)
    large = np.max(parameters.get("sigma", 0)) >= 4
    if large and parameters.get("truncate", 4.0) >= 4:
        finite = image[np.isfinite(image)].astype(np.float64)
        # A constant border is part of what is blurred.
        border = [parameters["cval"]] if parameters["mode"] == "constant" else []
        slack += 1e-3 * np.ptp(np.append(finite, border))
    return slack


def away_from_a_hard_threshold(image, method, parameters, slack, expected):
    """Where rounding cannot decide whether a detail is kept."""
    level = parameters.get("threshold", 0)
    if not (level and parameters["hard"]):
        return np.ones(expected.edge_map.shape, bool)
    whole = cases.expected(image, method, **{**parameters, "threshold": 0})
    return np.abs(np.abs(whole.edge_map) - level) > slack


def draw_call(rng, methods=cases.METHODS, dtypes=WEIGHTED):
    """An image, a method and parameters that fit it."""
    method = str(rng.choice(methods))
    case = METHOD_CASES[method]
    ndim = int(rng.integers(case.axes or 1, 5))
    count = case.axes or int(rng.integers(1, ndim + 1))
    axes = [int(axis) for axis in rng.permutation(ndim)[:count]]
    shape = draw_shape(rng, ndim)
    parameters = {"mode": str(rng.choice(cases.MODES))}

    others = [axis for axis in range(ndim) if axis not in axes]
    color = None
    if others and rng.random() < 0.5:
        channel = int(rng.choice(others))
        color = str(rng.choice(["channels", "channels", "luminance", "value"]))
        alpha = bool(rng.random() < 0.3)
        shape[channel] = 3 + alpha if color != "channels" else shape[channel] + alpha
        signed = channel - ndim if rng.random() < 0.5 else channel
        parameters |= {"channel_axis": signed, "color": color, "alpha": alpha}
    if len(axes) < ndim - (color is not None) or rng.random() < 0.5:
        parameters["axes"] = [axis - ndim * int(rng.integers(2)) for axis in axes]
    else:
        axes = sorted(axes)  # the default: all but the channels

    image = draw_image(rng, shape, dtypes, positive=color == "value")
    low, high = draw_range(image)
    if parameters["mode"] == "constant":
        cval = rng.uniform(low - (high - low) / 4, high + (high - low) / 4)
        parameters["cval"] = float(round(cval) if rng.random() < 0.5 else cval)
    if rng.random() < 0.2:
        parameters["limits"] = "data"
    elif rng.random() < 0.2:
        parameters["limits"] = tuple(sorted(rng.uniform(low, high, 2).tolist()))
    if rng.random() < 0.2:
        parameters["dtype"] = str(rng.choice(["float64", "float32", "uint8", "int16"]))
    parameters |= case.draw(rng, axes, high - low, small=False)
    if np.prod([shape[axis] for axis in others]) > MOST_ITEMS:
        parameters |= dict.fromkeys(case.by_item, "image")
    return image, method, parameters


def draw_shape(rng, ndim):
    """Lengths of all sorts, one pixel and long thin ones too."""
    longest = MOST_PIXELS[ndim] ** (1 / ndim)
    shape = np.exp(rng.uniform(0, np.log(2 * longest), ndim)).astype(int)
    while np.prod(shape) > MOST_PIXELS[ndim]:
        shape[np.argmax(shape)] //= 2
    if rng.random() < 0.3:
        shape.sort()  # rows of several vectors
    return shape.tolist()


def draw_image(rng, shape, dtypes, positive):
    """Structure or noise of any type, sometimes flat, sometimes with invalid pixels."""
    dtype = str(rng.choice(dtypes))
    image = cases.picture(shape, dtype, int(rng.integers(2**32)))
    kind = rng.random()
    if kind < 0.2:
        image = rng.permutation(image.ravel()).reshape(shape)
    elif kind < 0.25:
        image[...] = image.flat[0]
    elif kind < 0.4 and dtype not in ("bool", "float16"):
        image = cases.specimen(shape, dtype, int(rng.integers(2**32)))
        if kind < 0.3:
            image = cases.in_bright_field(image)
    if positive:
        image = np.maximum(image, image.dtype.type(0))
    if image.dtype.kind == "f" and rng.random() < 0.3:
        share = rng.choice([0.01, 0.1, 0.6])
        invalid = rng.random(shape) < share
        image[invalid] = rng.choice([np.nan, np.inf, -np.inf], invalid.sum())
    return image


def draw_range(image):
    """Smallest and largest value."""
    finite = image[np.isfinite(image)].astype(np.float64)
    return finite.min(initial=0.0), finite.max(initial=1.0)


def draw_weight(rng, image, parameters):
    """None, or a weight for each pixel of the image without its channels."""
    if rng.random() < 0.7:
        return None
    shape = list(image.shape)
    if "channel_axis" in parameters:
        del shape[parameters["channel_axis"]]
    return np.clip(rng.uniform(-0.3, 1.3, shape), 0, 1).astype(np.float32)


def unaligned(image):
    """Other pixels in memory that begins at an odd address."""
    memory = np.full(image.nbytes + 1, 99, np.uint8)
    return memory[1:].view(image.dtype).reshape(image.shape)


def elsewhere(rng, image):
    """The same pixels in other memory: with gaps, backwards, axes in any order."""
    order = rng.permutation(image.ndim)
    steps = rng.choice([1, 1, 1, 2, -1, -3], image.ndim)
    if rng.random() < 0.1:
        image = image.astype(image.dtype.newbyteorder())
    lengths = [n * abs(step) for n, step in zip(image.shape, steps, strict=True)]
    memory = np.zeros([lengths[axis] for axis in order], image.dtype)
    places = memory.transpose(np.argsort(order))
    other = places[tuple(slice(None, None, step) for step in steps)]
    if rng.random() < 0.1:
        other = unaligned(image)
    other[...] = image
    other.flags.writeable = bool(rng.random() < 0.7)
    return other
