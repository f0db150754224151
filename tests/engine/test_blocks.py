"""Blocks and chunks never change a pixel: numpy in blocks, dask in any chunks."""

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cases
import napari_usm as usm
from cases import prepare
from method_cases import METHOD_CASES
from napari_usm._engine import chunks, memory
from napari_usm._engine.blocks import cut
from test_laws import calls


@st.composite
def chunked(draw, shape):
    """Any way to cut an array of this shape, into at most three along each axis.

    A single axis is cut into up to six. More would be the time of dask.
    """
    sizes = []
    most = 5 if len(shape) == 1 else 2
    for length in shape:
        cuts = draw(st.sets(st.integers(1, length), max_size=most))
        bounds = sorted({0, *cuts, length})
        sizes.append(tuple(np.diff(bounds).tolist()))
    return tuple(sizes)


@pytest.fixture(autouse=True, scope="module")
def every_chunk_is_worth_rims():
    """Put only the rims of chunks together from neighbours, however small they are."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chunks, "_WORTH_RIMS", 0)
        yield


def assert_same(found, expected):
    """The same bits in image and edge map, the same numbers beside them."""
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_array_equal(found.edge_map, expected.edge_map)
    np.testing.assert_array_equal(found.amount, expected.amount)
    for name in ("clipped_low", "clipped_high", "overshoot", "undershoot"):
        np.testing.assert_array_equal(
            getattr(found.report, name), getattr(expected.report, name)
        )
    for name in ("mean_overshoot", "mean_undershoot", "mean_change", "noise_factor"):
        np.testing.assert_allclose(
            getattr(found.report, name), getattr(expected.report, name), atol=1e-9
        )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(calls(max_side=14), st.data())
def test_every_chunking_gives_the_same_bits(call, data):
    """dask equals numpy bit for bit, however the array is cut."""
    image, method, parameters = call
    if data.draw(st.booleans()):
        parameters["limits"] = "data"
    lazy = da.from_array(image, chunks=data.draw(chunked(image.shape)))
    expected = cases.sharpen(image, method, **parameters)
    with dask.config.set(scheduler="synchronous"):
        found = cases.sharpen(lazy, method, **parameters)
        computed = usm.api.Sharpened(
            *dask.compute(
                found.image, found.edge_map, found.amount, found.gain, found.report
            )
        )
    assert_same(computed, expected)
    assert found.image.dtype == expected.image.dtype
    assert found.image.shape == expected.image.shape


@settings(max_examples=200, deadline=None, derandomize=True)
@given(calls(max_side=14), st.integers(1, 200))
def test_every_block_size_gives_the_same_bits(call, size):
    """An array in memory is filtered in blocks that leave no trace."""
    image, method, parameters = call
    expected = cases.sharpen(image, method, **parameters)
    plan, pixels = prepare(image, method, **parameters)
    running = memory.run(plan, pixels, block_size=size)
    found = usm.api.sharpened(memory.result_of(running))
    assert_same(found, expected)
    image_only = {"want_edge_map": False, "want_report": False}
    running = memory.run(plan, pixels, block_size=size, **image_only)
    np.testing.assert_array_equal(memory.result_of(running).image, expected.image)


@pytest.mark.parametrize(
    ("shape", "axes", "sigma"),
    [
        ((150, 190), (0, 1), 4),
        ((151, 190), (0, 1), (9.3, 5)),
        ((150, 190), (1, 0), (5, 0.8)),
        ((190,), (0,), 7.1),
        ((5, 90, 100), (0, 1, 2), (0.7, 4.5, 6)),
        ((90, 4, 70), (0, 2), 4.2),
        ((60, 50, 70), (0, 1, 2), 4),
        ((90, 100, 3), (0, 1), 5.5),
    ],
)
@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_coarser_grids_give_the_same_bits(dtype, mode, shape, axes, sigma):
    """The grid of a wide blur begins at pixel 0 of the image, whatever the block."""
    image = cases.picture(shape, dtype)
    call = {"sigma": sigma, "axes": axes, "mode": mode, "cval": 3.0}
    expected = cases.sharpen(image, **call)
    for block_size in (700, 4000):
        plan, pixels = prepare(image, "unsharp_mask", **call)
        running = memory.run(plan, pixels, block_size=block_size)
        assert_same(usm.api.sharpened(memory.result_of(running)), expected)
    for sizes in (-1, tuple(max(1, n // 2 - 5) for n in shape)):
        found = cases.sharpen(da.from_array(image, chunks=sizes), **call)
        np.testing.assert_array_equal(found.image, expected.image)
        np.testing.assert_array_equal(found.edge_map, expected.edge_map)


@pytest.mark.parametrize("method", cases.METHODS)
@pytest.mark.parametrize("mode", cases.MODES)
def test_blocks_of_images_with_invalid_pixels(method, mode):
    """A NaN in one block does not change the rounding in its neighbours."""
    image = cases.picture((60, 50), "float32")
    image[20:22, 30] = np.nan
    image[59, 0] = np.inf
    expected = cases.sharpen(image, method, mode=mode)
    lazy = da.from_array(image, chunks=(17, 9))
    found = cases.sharpen(lazy, method, mode=mode)
    np.testing.assert_array_equal(found.image.compute(), expected.image)
    np.testing.assert_array_equal(found.edge_map.compute(), expected.edge_map)


@pytest.mark.parametrize("row", range(0, 40, 3))
def test_invalid_pixels_next_to_a_block(row):
    """A NaN in any row, of a block or beside it, is met by the pass of the Laplacian."""
    image = cases.picture((40, 30), "float32")
    image[row, 11] = np.nan
    lazy = da.from_array(image, chunks=-1)
    for size in (1, 3, 5):
        expected = cases.sharpen(lazy, "laplacian_sharpen", median_size=size)
        for block_size in (250, 1000):
            plan, pixels = prepare(image, "laplacian_sharpen", median_size=size)
            found = memory.result_of(memory.run(plan, pixels, block_size=block_size))
            np.testing.assert_array_equal(found.image, expected.image)
            np.testing.assert_array_equal(found.edge_map, expected.edge_map)


@pytest.mark.parametrize("limits", [(-1000, -500), (1e6, 2e6), (-np.inf, -1e9)])
@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "int8", "int16", "bool", "float32"]
)
def test_limits_beside_the_type(dtype, limits):
    """Limits that no value of the type lies in give the end of its range."""
    image = cases.picture((40, 50), dtype)
    for method in ("unsharp_mask", "laplacian_sharpen"):
        found = cases.sharpen(image, method, limits=limits)
        with cases.stepwise():
            expected = cases.sharpen(image, method, limits=limits)
        np.testing.assert_array_equal(found.image, expected.image)
        if image.dtype.kind == "u":
            end = 0 if limits[1] < 0 else np.iinfo(dtype).max
            np.testing.assert_array_equal(found.image, end)


def test_pixels_near_the_end_of_float32():
    """Sums that overflow are those of the steps one by one, and sigma 0 adds none."""
    image = np.full((40, 50), 1.8e38, np.float32)
    for sigma in (0, (0, 1), 1.2, 5):
        found = cases.sharpen(image, sigma=sigma).image
        with cases.stepwise():
            expected = cases.sharpen(image, sigma=sigma).image
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(cases.sharpen(image, sigma=0).image, image)


def test_overshoot_along_an_axis_that_is_left_alone():
    """The 3-wide local range is whole at a block's edge, even where sigma is 0."""
    image = cases.picture((30, 40))
    call = {"sigma": (0, 2), "amount": 3}
    expected = cases.sharpen(image, **call)
    plan, pixels = prepare(image, "unsharp_mask", **call)
    running = memory.run(plan, pixels, block_size=50)
    assert_same(usm.api.sharpened(memory.result_of(running)), expected)
    lazy = cases.sharpen(da.from_array(image, chunks=(3, 40)), **call)
    assert lazy.report.compute().overshoot == expected.report.overshoot > 0


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("color", ["channels", "luminance", "value"])
@pytest.mark.parametrize("method", cases.METHODS)
def test_lazy_colour(method, color, alpha):
    """Colour images keep their bits in every chunking, of the channels too."""
    image = cases.picture((20, 3 + alpha, 24), "uint8")
    call = {"color": color, "alpha": alpha, "channel_axis": 1, "axes": (0, 2)}
    expected = cases.sharpen(image, method, **call)
    found = cases.sharpen(da.from_array(image, chunks=(7, 2, 11)), method, **call)
    assert found.edge_map.shape == expected.edge_map.shape
    np.testing.assert_array_equal(found.image.compute(), expected.image)
    np.testing.assert_array_equal(found.edge_map.compute(), expected.edge_map)
    np.testing.assert_allclose(
        found.report.compute().clipped_high, expected.report.clipped_high
    )


def test_chunks_along_an_axis_that_is_not_blurred():
    """Rims of chunks are as long as the chunk, and not the whole of it."""
    image = np.array([[[1, 1, 0, 1, 1, 1]]], np.float32)
    lazy = da.from_array(image, chunks=((1,), (1,), (1, 1, 1, 3)))
    found = usm.unsharp_mask(lazy, sigma=(0, 0.5, 0), amount=0)
    np.testing.assert_array_equal(found.compute(), image)


def test_differences_across_chunks():
    """Gradients reach two pixels over a chunk's end: the curve is whole in 1-D too."""
    image = cases.picture((100,))
    expected = cases.sharpen(image, "adaptive_unsharp_mask").report.curve
    lazy = da.from_array(image, chunks=7)
    found = cases.sharpen(lazy, "adaptive_unsharp_mask").report.compute().curve
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_sums_of_integers_are_exact(dtype):
    """The curve of an image of integers is the same to the last bit from any blocks."""
    image = cases.picture((41, 700), dtype)
    expected = cases.sharpen(image, "adaptive_unsharp_mask").report.curve
    plan, pixels = prepare(image, "adaptive_unsharp_mask")
    for size in (60, 999, 7000):
        found = memory.result_of(
            memory.run(plan, pixels, block_size=size)
        ).fitted.constants
        np.testing.assert_array_equal(found.curve.squeeze(), expected)


@pytest.mark.parametrize("invalid", [np.nan, np.inf, -np.inf])
def test_sums_of_blocks_with_and_without_invalid_pixels(invalid):
    """Only a block with an invalid pixel is summed the general way: no one can tell."""
    image = cases.picture((60, 70), "float32")
    image[33, 41] = invalid
    wide = cases.sharpen(image.astype(np.float64), "adaptive_unsharp_mask").report
    plan, pixels = prepare(image, "adaptive_unsharp_mask")
    for size in (60, 999, 7000):
        found = memory.result_of(
            memory.run(plan, pixels, block_size=size)
        ).fitted.constants
        np.testing.assert_allclose(found.curve.squeeze(), wide.curve, rtol=1e-11)


@pytest.mark.parametrize("mode", cases.MODES)
@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "int8", "int16", "bool", "float32"]
)
def test_one_pass_gives_the_same_bits(dtype, mode):
    """Whatever a kernel does in one pass, it does as the steps one by one."""
    calls = [
        ("unsharp_mask", {"sigma": 2.3, "amount": 3.0, "threshold": 1}),
        ("unsharp_mask", {"sigma": 1.0}),  # four taps on a side: one whole sweep
        ("unsharp_mask", {"kernel": "box", "threshold": 5, "hard": True}),
        ("adaptive_unsharp_mask", {}),
        ("auto_unsharp_mask", {"strength": 2, "denoise": 0.5}),
        ("auto_unsharp_mask", {"limits": (20, 200)}),
        ("gaussian_sharpen", {"sigma": 0.7}),
        ("laplacian_sharpen", {"median_size": 3, "spacing": (1, 2)}),
        ("laplacian_sharpen", {"median_size": 5, "limits": (20, 200)}),
        ("laplacian_sharpen", {"median_size": 7}),
        ("laplacian_sharpen", {"amount": -0.1, "threshold": 5}),
        # Details of integers are integers: some are as large as the threshold.
        ("laplacian_sharpen", {"threshold": 5, "hard": True}),
    ]
    shapes = (((37, 301), (0, 1)), ((3, 20, 31), (1, 2)), ((17, 4, 23), (0, 2)))
    for shape, axes in (*shapes, ((20, 31, 3), (0, 1)), ((9, 20, 31), (0, 1, 2))):
        image = cases.picture(shape, dtype)
        for method, parameters in calls:
            if not METHOD_CASES[method].filters(len(axes)):
                continue
            call = {**parameters, "axes": axes, "mode": mode, "cval": 7.25}
            if len(axes) == 3:
                call.pop("spacing", None)
            found = cases.sharpen(image, method, **call)
            with cases.stepwise():
                expected = cases.sharpen(image, method, **call)
            if not cases.in_bytes(cases.prepare(image, method, **call)[0]):
                np.testing.assert_array_equal(found.image, expected.image)
                np.testing.assert_array_equal(found.edge_map, expected.edge_map)
            alone = cases.function(method)(image, **call)
            np.testing.assert_array_equal(alone, found.image)
            edge_map = cases.edge_map(image, method, **call)
            np.testing.assert_array_equal(edge_map, found.edge_map)


def test_lazy_gains_per_item():
    """One gain for each item, found inside the graph, is that of the whole array."""
    image = cases.picture((5, 20, 24), "uint16")
    call = {"axes": (1, 2), "gain_per": "item"}
    expected = cases.sharpen(image, "adaptive_unsharp_mask", **call)
    lazy = da.from_array(image, chunks=(2, 7, 11))
    found = cases.sharpen(lazy, "adaptive_unsharp_mask", **call)
    assert found.gain.shape == (5,)
    np.testing.assert_array_equal(found.gain.compute(), expected.gain)
    np.testing.assert_array_equal(found.image.compute(), expected.image)


@pytest.mark.parametrize("method", cases.METHODS)
def test_nothing_is_computed_at_the_call(method):
    """A call on a dask array reads no pixel, estimates included."""
    read = []

    def load(block):
        read.append(block.shape)
        return block

    image = da.zeros((40, 40), chunks=10).map_blocks(load, meta=np.empty((0, 0)))
    cases.sharpen(image, method, limits="data")
    assert read == []


def test_only_what_is_needed_is_read():
    """One tile of a lazy result reads its own chunk and the neighbours'."""
    read = []

    def load(block, block_info=None):
        read.append(block_info[0]["chunk-location"])
        return block

    image = da.zeros((100, 100), chunks=20).map_blocks(load, meta=np.empty((0, 0)))
    result = usm.unsharp_mask(image, sigma=2)
    with dask.config.set(scheduler="synchronous"):
        np.asarray(result[:20, :20])
    assert sorted(set(read)) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_blocks_cover_an_image_once():
    """Cores of blocks are the image, each pixel once; big ones are cut."""
    for size in (1, 50, 10**6):
        seen = np.zeros((5, 31, 33), int)
        blocks = cut(seen.shape, {1: 4, 2: None}, {1: 3}, [], size)
        for block in blocks:
            seen[block.core] += 1
            grown = np.arange(seen.size).reshape(seen.shape)[block.grown]
            core = np.arange(seen.size).reshape(seen.shape)[block.core]
            np.testing.assert_array_equal(grown[block.inner], core)
        assert np.all(seen == 1)
        assert (len(blocks) > 1) == (size < seen.size)


def test_progress_is_told_beforehand():
    """A run pauses as often as it says, and can be stopped at every pause."""
    image = cases.picture((40, 50), "uint8")
    for method in cases.METHODS:
        plan, pixels = prepare(image, method)
        running = memory.run(plan, pixels, block_size=300)
        first = memory.estimate_steps(plan, 300)
        blocks = len(memory.blocks(plan, 300))
        assert sum(1 for _ in running) == first + blocks > 1
