"""Laws that hold for every image: drawn by hypothesis, 200 examples each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import cases
from method_cases import METHOD_CASES

# The same examples at every run: a failure belongs to the change that made it.
laws = settings(max_examples=200, deadline=None, derandomize=True)

DTYPES = ["bool", "uint8", "int16", "uint16", "int32", "float32", "float64"]


@st.composite
def images(draw, dtypes=DTYPES, min_dims=1, max_side=9):
    """Small images of any kind, without invalid pixels."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = draw(hnp.array_shapes(min_dims=min_dims, max_dims=3, max_side=max_side))
    elements = None
    if dtype.kind == "f":
        elements = st.floats(-1e4, 1e4, width=dtype.itemsize * 8, allow_subnormal=False)
    return draw(hnp.arrays(dtype, shape, elements=elements))


@st.composite
def calls(draw, **kind):
    """An image, a method and parameters that fit it."""
    image = draw(images(**kind))
    method = draw(st.sampled_from(cases.METHODS))
    chosen = st.lists(st.sampled_from(range(image.ndim)), min_size=1, unique=True)
    axes = sorted(draw(chosen))
    parameters = {"axes": axes, "mode": draw(st.sampled_from(cases.MODES))}
    if parameters["mode"] == "constant":
        parameters["cval"] = draw(st.sampled_from([0, 0.7, 7, 300, -5]))
    others = [axis for axis in range(image.ndim) if axis not in axes]
    if others and draw(st.booleans()):
        parameters["channel_axis"] = draw(st.sampled_from(others))
        parameters["color"] = "channels"
    if not METHOD_CASES[method].filters(len(axes)):
        method = "unsharp_mask"
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parameters |= METHOD_CASES[method].draw(rng, axes, 1000.0, small=True)
    return image, method, parameters


def sharpened(image, method, parameters):
    return cases.sharpen(image, method, **parameters).image


def float_result(image, method, parameters):
    return sharpened(image, method, {**parameters, "dtype": "float64"})


@laws
@given(calls(), st.data())
def test_amount_zero_is_the_identity(call, data):
    """An amount of 0 gives the very image back, of every type."""
    image, method, parameters = call
    method = data.draw(st.sampled_from(cases.THRESHOLDED))
    allowed = cases.ENTRIES[method].parameters
    parameters = {k: v for k, v in parameters.items() if k in allowed}
    result = sharpened(image, method, {**parameters, "amount": 0})
    np.testing.assert_array_equal(result, image)
    assert result.dtype == image.dtype


@laws
@given(calls(), st.floats(-1e4, 1e4, allow_subnormal=False))
def test_constants_stay(call, level):
    """A flat image is left alone, unless its border is another constant."""
    image, method, parameters = call
    parameters["mode"] = "reflect" if parameters["mode"] == "constant" else "mirror"
    flat = np.full(image.shape, level)
    found = cases.sharpen(flat, method, **parameters)
    np.testing.assert_allclose(found.image, flat, rtol=1e-12)


def test_a_flat_image_has_the_largest_gain():
    """Where no gain changes anything, the largest is taken."""
    assert cases.sharpen(np.full((9, 9), 7.0), "adaptive_unsharp_mask").gain == 3.0


@laws
@given(calls(), st.floats(-3, 3), st.floats(-3, 3))
def test_linear_in_amount(call, first, second):
    """Before the cast, what is added grows in proportion to the amount."""
    image, _, parameters = call
    for method in cases.THRESHOLDED:
        allowed = cases.ENTRIES[method].parameters
        given_ = {k: v for k, v in parameters.items() if k in allowed}
        results = [
            float_result(image.astype("float64"), method, {**given_, "amount": amount})
            for amount in (first, second, first + second)
        ]
        np.testing.assert_allclose(
            results[0] + results[1] - image, results[2], atol=1e-6
        )


@laws
@given(calls(), st.data())
def test_memory_layout_never_changes_a_pixel(call, data):
    """Order, strides, byte order and read-only arrays all give the same bits."""
    image, method, parameters = call
    expected = cases.sharpen(image, method, **parameters)
    kind = data.draw(st.sampled_from(["fortran", "strided", "swapped", "locked"]))
    if kind == "fortran":
        other = np.asfortranarray(image)
    elif kind == "strided":
        bigger = np.zeros([2 * n for n in image.shape], image.dtype)
        window = tuple(slice(None, None, 2) for _ in image.shape)
        bigger[window] = image
        other = bigger[window]
    elif kind == "swapped":
        other = image.astype(image.dtype.newbyteorder(">"))
    else:
        other = image.copy()
        other.flags.writeable = False
    found = cases.sharpen(other, method, **parameters)
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_array_equal(found.edge_map, expected.edge_map)
    assert found.image.dtype == image.dtype


@laws
@given(calls(), st.data())
def test_flipping_an_axis_never_changes_a_pixel(call, data):
    """Taps are symmetric and added in pairs: a mirror image comes out mirrored."""
    image, method, parameters = call
    axis = data.draw(st.sampled_from(range(image.ndim)))
    expected = np.flip(cases.edge_map(image, method, **parameters), axis)
    found = cases.edge_map(np.flip(image, axis), method, **parameters)
    np.testing.assert_array_equal(found, expected)


@laws
@given(calls(dtypes=["float64"]), st.data())
def test_transposing_commutes(call, data):
    """No axis is special: transposing before or after is the same to rounding."""
    image, method, parameters = call
    order = data.draw(st.permutations(range(image.ndim)))
    moved = dict(parameters)
    # Axes and sigma keep belonging together: both in the order of the call.
    moved["axes"] = [order.index(axis) for axis in parameters["axes"]]
    if "channel_axis" in parameters:
        moved["channel_axis"] = order.index(parameters["channel_axis"])
    expected = cases.edge_map(image, method, **parameters).transpose(order)
    found = cases.edge_map(image.transpose(order), method, **moved)
    size = max(1, np.abs(image).max())
    near = 1e-6 * size
    if parameters.get("threshold") and parameters.get("hard"):
        # A hard threshold may drop on one side what rounding keeps on the other.
        away = np.abs(np.abs(expected) - parameters["threshold"]) > near
        dropped = (expected == 0) | (found == 0)
        np.testing.assert_allclose(found[~dropped], expected[~dropped], atol=near)
        assert np.all((expected[dropped & away] == 0) | (found[dropped & away] == 0))
    else:
        np.testing.assert_allclose(found, expected, atol=near)


@laws
@given(calls(dtypes=["uint8", "uint16", "float32"], max_side=12))
def test_one_pass_gives_the_same_bits(call):
    """The result alone, in one pass, is that by way of the edge map."""
    image, method, parameters = call
    alone = cases.function(method)(image, **parameters)
    np.testing.assert_array_equal(alone, sharpened(image, method, parameters))


@laws
@given(calls(), st.data())
def test_items_are_independent(call, data):
    """What happens at one index of an axis that is not filtered stays there."""
    image, method, parameters = call
    others = [axis for axis in range(image.ndim) if axis not in parameters["axes"]]
    if not others:
        return
    parameters |= METHOD_CASES[method].by_item
    axis = data.draw(st.sampled_from(others))
    if METHOD_CASES[method].mixes_channels and axis == parameters.get("channel_axis"):
        return
    index = data.draw(st.integers(0, image.shape[axis] - 1))
    whole = sharpened(image, method, parameters)
    alone = sharpened(np.take(image, [index], axis), method, parameters)
    slack = METHOD_CASES[method].slack_of_items
    np.testing.assert_allclose(np.take(whole, [index], axis), alone, rtol=slack)


@laws
@given(calls())
def test_input_is_never_written(call):
    """The image that was given is the same afterwards."""
    image, method, parameters = call
    before = image.copy()
    cases.sharpen(image, method, **parameters)
    np.testing.assert_array_equal(image, before)


@laws
@given(calls(dtypes=["uint8", "float32"], max_side=12), st.data())
def test_invalid_pixels_do_not_spread(call, data):
    """Pixels out of a NaN's reach keep every bit; all others stay finite."""
    image, method, parameters = call
    image = image.astype(np.float32)
    spot = tuple(data.draw(st.integers(0, n - 1)) for n in image.shape)
    bad = image.copy()
    bad[spot] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    result = cases.edge_map(bad, method, **parameters)
    assert np.all(np.isfinite(result))
    assert result[spot] == 0
    kept = sharpened(bad, method, parameters)
    np.testing.assert_array_equal(kept[spot], bad[spot])
    assert np.all(
        np.isfinite(np.delete(kept.ravel(), np.ravel_multi_index(spot, image.shape)))
    )


@pytest.mark.parametrize("method", cases.METHODS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "uint32", "uint64"])
def test_the_ends_of_the_range_saturate(method, dtype):
    """At the ends of an integer type results saturate and never wrap round."""
    info = np.iinfo(dtype)
    image = np.full((8, 8), info.min, dtype)
    image[:, 4:] = info.max
    result = sharpened(image, method, METHOD_CASES[method].keeps_noise)
    np.testing.assert_array_equal(result, image)
