"""Plans and arguments of kernels are made once, and serve like calls alone."""

import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import dask
import dask.array as da
import numpy as np
import pytest

import cases
import napari_usm as usm
from napari_usm import api
from napari_usm._engine import block, chunks, memory
from napari_usm._engine.cache import Cache

FUNCTIONS = {
    "unsharp_mask": usm.unsharp_mask,
    "coarse": lambda image, **more: usm.unsharp_mask(image, 5.0, **more),
    "laplacian_sharpen": usm.laplacian_sharpen,
    "median": lambda image, **more: usm.laplacian_sharpen(image, median_size=7, **more),
    "gaussian_sharpen": usm.gaussian_sharpen,
    "adaptive_unsharp_mask": usm.adaptive_unsharp_mask,
    "auto_unsharp_mask": usm.auto_unsharp_mask,
    "sharpen": lambda image, **more: usm.sharpen(image, sigma=1.5, **more).image,
    "edge_map": lambda image, **more: usm.edge_map(image, sigma=1.5, **more),
}


@pytest.fixture(autouse=True)
def empty_caches(monkeypatch):
    """Begin every test without plans or arguments of calls before."""
    monkeypatch.setattr(api, "_plans", Cache(128))
    monkeypatch.setattr(block, "_bounds", Cache(2**24, lambda bound: bound.nbytes))


def count_calls(monkeypatch, owner, name):
    """Return a list that grows with every call of a function."""
    calls, function = [], getattr(owner, name)

    def counting(*arguments):
        calls.append(arguments)
        return function(*arguments)

    monkeypatch.setattr(owner, name, counting)
    return calls


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "bool"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_call(name, dtype):
    """Another image of the same kind gets the result that it gets alone."""
    function = FUNCTIONS[name]
    first, second = (cases.picture((40, 33), dtype, seed) for seed in (1, 2))
    expected = function(second)
    api._plans.clear()
    block._bounds.clear()
    function(first)
    np.testing.assert_array_equal(function(second), expected)
    np.testing.assert_array_equal(function(second), expected)


@pytest.mark.parametrize("name", ["unsharp_mask", "coarse", "laplacian_sharpen"])
def test_nothing_is_made_twice(name, monkeypatch):
    """The second call makes no plan and no arguments; another shape or type does."""
    plans = count_calls(monkeypatch, api, "make_plan")
    layouts = count_calls(monkeypatch, block, "_bind")
    function = FUNCTIONS[name]
    for _ in range(3):
        function(np.zeros((40, 33), np.float32))
        function(np.ones((40, 33), np.float32), out=np.empty((40, 33), np.float32))
    assert len(plans) == len(layouts) == 1
    function(np.zeros((40, 34), np.float32))
    function(np.zeros((40, 33), np.uint8))
    assert len(plans) == len(layouts) == 3


def test_blocks_of_a_large_image(monkeypatch):
    """Blocks that differ by their place alone share their arguments."""
    layouts = count_calls(monkeypatch, block, "_bind")
    image = cases.picture((400, 50), "uint8")
    plan, pixels = api.prepare(image, "unsharp_mask", sigma=1.0)
    found = memory.result_of(memory.run(plan, pixels, block_size=1000)).image
    assert len(memory.blocks(plan, 1000)) == 20
    assert len(layouts) == 3  # the first, the last, and all between
    np.testing.assert_array_equal(found, usm.unsharp_mask(image))


def test_amounts_share_arguments(monkeypatch):
    """A slider that changes the amount needs no new arguments."""
    layouts = count_calls(monkeypatch, block, "_bind")
    image = cases.picture((40, 33), "float32")
    for function in (usm.unsharp_mask, usm.laplacian_sharpen):
        for amount in (0.5, 1.0, 2.0):
            found = function(image, amount=amount)
            edge_map = usm.edge_map(image, function.__name__)
            np.testing.assert_allclose(found, image + amount * edge_map, rtol=1e-6)
    # With and without a result, for either function.
    assert len(layouts) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"amount": 0.0}, {"amount": -0.0}),
        ({"mode": "constant", "cval": 0.0}, {"mode": "constant", "cval": -0.0}),
        ({"sigma": 1}, {"sigma": 1.0}),
        ({"sigma": (1, 2)}, {"sigma": [1, 2]}),
        ({"sigma": (1.0, 2.0)}, {"sigma": (2.0, 1.0)}),
        ({"limits": (0, 1)}, {"limits": (0.0, 1.5)}),
        ({"dtype": "float32"}, {"dtype": np.uint8}),
        ({"dtype": np.dtype("float32")}, {"dtype": float}),
        ({"threshold": 0.0}, {"threshold": "3 noise"}),
        ({"amount": np.float64(2)}, {"amount": np.float32(0.1)}),
        ({"sigma": np.array([1, 2])}, {"sigma": np.array([1.0, 2.5])}),
    ],
)
def test_parameters_that_are_nearly_equal(first, second):
    """Each of two calls gets its result, to the sign of a zero."""
    image = cases.picture((30, 33), "float32")
    image[:9, :9] = -0.0
    expected = []
    for parameters in (first, second):
        api._plans.clear()
        block._bounds.clear()
        expected.append(usm.unsharp_mask(image, **parameters))
    for _ in range(2):
        for parameters, result in zip((first, second), expected, strict=True):
            found = usm.unsharp_mask(image, **parameters)
            assert found.dtype == result.dtype
            assert found.tobytes() == result.tobytes()


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ({"amount": 1}, {"amount": True}, "`amount` must be a real number; got True"),
        ({"hard": False}, {"hard": 0}, "`hard` must be True or False; got 0"),
        ({"sigma": (1, 2)}, {"sigma": (True, 2)}, "`sigma` must be a real number"),
        ({"axes": (0, 1)}, {"axes": (False, True)}, "`axes` must be an integer"),
        ({"sigma": 1.0}, {"sigma": "1.0"}, "`sigma` must be a real number"),
        ({"dtype": "float32"}, {"dtype": "complex64"}, "`dtype` must be bool, integer"),
        ({}, {"amount": np.array([[1.0]])}, "`amount` must be a real number"),
        ({}, {"amount": object()}, "`amount` must be a real number"),
        ({}, {"limits": ([0], [1])}, "`limits` must be two real numbers"),
    ],
)
def test_errors_of_the_second_call(good, bad, message):
    """An equal parameter of another type is refused, as often as it is given."""
    image = cases.picture((30, 33), "float32")
    for _ in range(3):
        usm.unsharp_mask(image, **good)
        usm.sharpen(image, **good)
        with pytest.raises(TypeError, match=message):
            usm.unsharp_mask(image, **bad)
        with pytest.raises(TypeError, match=message):
            usm.sharpen(image, **bad)


def test_huge_numbers():
    """A number of more digits than Python writes is refused as ever."""
    for _ in range(2):
        with pytest.raises(ValueError, match="digits"):
            usm.unsharp_mask(np.zeros((9, 9)), amount=10**5000)


def test_a_list_that_changes():
    """A list is read at every call."""
    image, sigma = cases.picture((30, 33), "float32"), [1.0, 2.0]
    usm.unsharp_mask(image, sigma)
    sigma[0] = 0.5
    expected = usm.unsharp_mask(image, (0.5, 2.0))
    np.testing.assert_array_equal(usm.unsharp_mask(image, sigma), expected)


def test_strides_and_byte_orders():
    """Views, read-only and byte-swapped images get the pixels of their copies."""
    image = cases.picture((40, 66), "uint16")
    views = [
        image[::2],
        image[:, ::2],
        image[5:35, 4:40],
        image.T,
        image[::-1],
        image.astype(">u2"),
        np.broadcast_to(image[:1], image.shape),
    ]
    for sigma in (1.0, 5.0):
        for view in [*views, *views]:
            expected = usm.unsharp_mask(view.astype("uint16", order="C"), sigma)
            np.testing.assert_array_equal(usm.unsharp_mask(view, sigma), expected)
    for view in [*views, *views]:
        expected = usm.laplacian_sharpen(view.astype("uint16", order="C"))
        np.testing.assert_array_equal(usm.laplacian_sharpen(view), expected)


@pytest.mark.parametrize("name", ["unsharp_mask", "coarse", "laplacian_sharpen"])
def test_invalid_pixels_after_valid_ones(name):
    """An image with NaN goes step by step, the next one does not."""
    function, image = FUNCTIONS[name], cases.picture((40, 33), "float32")
    invalid = image.copy()
    invalid[20, 20] = np.nan
    expected = function(image)
    with cases.stepwise():
        stepwise = function(invalid)
    for _ in range(2):
        np.testing.assert_array_equal(function(invalid), stepwise)
        np.testing.assert_array_equal(function(image), expected)


def test_steps_of_a_plan_that_was_used():
    """`cases.stepwise` takes no kernel, whatever has been cached."""
    image = cases.picture((40, 33), "float32")
    usm.unsharp_mask(image)
    with cases.stepwise():
        usm.unsharp_mask(image)
        plan, _ = api.prepare(image, "unsharp_mask")
        assert plan.known.one_pass is None
    assert plan.known.one_pass is not None


def test_threads_of_the_moment(monkeypatch):
    """The number of threads is that of each call."""
    monkeypatch.setattr(memory, "_WORTH_THREADS", 1)
    image = cases.picture((400, 50), "float32")
    used = count_calls(monkeypatch, memory, "in_order")
    expected = usm.unsharp_mask(image)
    for count in (1, 2, 5, 2, 1):
        with usm.threads(count):
            np.testing.assert_array_equal(usm.unsharp_mask(image), expected)
        assert used[-1][2] == count
        assert len(used[-1][1]) >= count


def test_many_threads():
    """Calls of several kinds at a time do not mix up their arguments."""
    images = [
        cases.picture((30 + n % 5, 33), dtype, n)
        for n in range(10)
        for dtype in ("uint8", "float32")
    ]
    functions = [FUNCTIONS[name] for name in ("unsharp_mask", "coarse", "median")]
    calls = [(function, image) for image in images for function in functions]
    expected = [function(image) for function, image in calls]
    api._plans.clear()
    block._bounds.clear()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            results = pool.map(lambda call: call[0](call[1]), calls)
            for found, result in zip(results, expected, strict=True):
                np.testing.assert_array_equal(found, result)


@pytest.mark.parametrize("worth", [0, 2**21])
def test_chunks(worth, monkeypatch):
    """Chunks of a dask array share arguments, with and without rims of their own."""
    image = cases.picture((200, 150), "uint8")
    expected = usm.unsharp_mask(image)
    monkeypatch.setattr(chunks, "_WORTH_RIMS", worth)
    block._bounds.clear()
    layouts = count_calls(monkeypatch, block, "_bind")
    lazy = usm.unsharp_mask(da.from_array(image, chunks=(20, 15)))
    with dask.config.set(scheduler="sync"):
        np.testing.assert_array_equal(lazy, expected)
    # Of 100 chunks: corners, edges and the inside, of up to five parts each.
    assert len(layouts) <= (9 if worth else 45)


def test_bounds():
    """However many kinds of image there are, few plans and arguments are kept."""
    for length in range(20, 20 + 200):
        usm.unsharp_mask(np.zeros((2, length), np.uint8))
    assert len(api._plans._values) <= 128
    # A long axis makes large arguments, and the largest are not kept.
    for length in range(2**20, 2**20 + 5):
        usm.unsharp_mask(np.zeros((2, length), np.uint8))
    usm.unsharp_mask(np.zeros((1, 2**22), np.uint8))
    assert block._bounds._total <= 2**24


def test_no_pixels_are_kept():
    """Neither the image nor its result lives on in a cache."""
    for name, function in FUNCTIONS.items():
        image = cases.picture((40, 33), "float32")
        result = function(image)
        gone = weakref.ref(image), weakref.ref(result)
        del image, result
        gc.collect()
        assert [each() for each in gone] == [None, None], name


def test_pickled_plans():
    """A plan that was used is no larger than a new one."""
    image = cases.picture((40, 33), "float32")
    plan, pixels = api.prepare(image, "unsharp_mask", sigma=1.5)
    new = len(pickle.dumps(plan))
    memory.result_of(memory.run(plan, pixels))
    assert len(pickle.dumps(plan)) == new
    again = pickle.loads(pickle.dumps(plan.known))
    found = memory.result_of(memory.run(again.plan, pixels, fitted=again)).image
    np.testing.assert_array_equal(found, usm.unsharp_mask(image, 1.5))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_out(name):
    """Results are written to `out` by every function, in blocks and on threads."""
    function, image = FUNCTIONS[name], cases.picture((40, 33), "float32")
    expected = function(image)
    for _ in range(2):
        out = np.full(image.shape, 7, np.float32)
        assert function(image, out=out) is out
        np.testing.assert_array_equal(out, expected)
        with pytest.raises(ValueError, match="`out` must not share memory with `imag"):
            function(image, out=image)


def test_out_on_threads(monkeypatch):
    """Blocks on threads are written to `out`."""
    monkeypatch.setattr(memory, "_WORTH_THREADS", 1)
    image = cases.picture((200, 50), "uint8")
    expected = usm.unsharp_mask(image)
    out = np.zeros_like(image)
    with usm.threads(3):
        usm.unsharp_mask(image, out=out)
    np.testing.assert_array_equal(out, expected)


def test_out_shared_with_a_weight():
    """A weight must not be written to while it is read."""
    image = cases.picture((40, 33), "float32")
    memory_ = np.full((41, 33), 0.5, np.float32)
    with pytest.raises(ValueError, match="`out` must not share memory with `weight`"):
        usm.unsharp_mask(image, weight=memory_[:-1], out=memory_[1:])
    with pytest.raises(ValueError, match="`out` must not share memory with `weight`"):
        usm.edge_map(image, weight=memory_[:-1], out=memory_[1:])
