"""Any part of a virtual result is that part of the whole one, bit for bit."""

import copy
import gc
import pickle
import threading
from functools import partial

import dask.array as da
import numpy as np
import pytest
import skimage.filters
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import cases
import napari_usm as usm
from method_cases import METHOD_CASES
from napari_usm._engine import memory, region
from napari_usm._engine.block import Output
from napari_usm._engine.fitting import settle
from napari_usm._engine.pyramid import (
    AveragedLevel,
    SharpenedLevel,
    SourceLevel,
    levels_of,
)
from napari_usm._engine.region import DetailCache, LiveImage
from napari_usm._engine.virtual import VirtualArray
from test_laws import calls

BYTES = 2**26


def level_of(image, method, cache=None, **parameters):
    """The only level of a result, settled."""
    plan, pixels = cases.prepare(image, method, **parameters)
    settled = memory.result_of(settle(plan, pixels))
    return SharpenedLevel(LiveImage(pixels, cache or DetailCache(BYTES)), settled)


def arrays(level):
    """Result and edge map as array-likes."""
    plan = level.plan
    image = VirtualArray(plan.shape, plan.result, partial(level.part, Output.IMAGE))
    return image, VirtualArray(
        plan.edge_shape, np.float32, partial(level.part, Output.EDGE_MAP)
    )


@st.composite
def keys(draw, shape):
    """Any index of integers, slices and ellipses, of one pixel at least."""
    key = []
    for length in shape:
        kind = draw(st.sampled_from(["all", "one", "some", "backwards"]))
        first = draw(st.integers(0, length - 1))
        last = draw(st.integers(first, length - 1))
        step = draw(st.integers(1, 4))
        key.append(
            {
                "all": slice(None),
                "one": draw(st.sampled_from([first, first - length])),
                "some": slice(first, last + 1, step),
                "backwards": slice(last, first - 1 if first else None, -step),
            }[kind]
        )
    if draw(st.booleans()):
        start = draw(st.integers(0, len(shape)))
        stop = draw(st.integers(start, len(shape)))
        key[start:stop] = [Ellipsis]
    return tuple(key)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_any_part_of_any_result(data):
    """Every index of result and edge map gives what the whole array has there."""
    image, method, parameters = data.draw(calls(max_side=14))
    expected = cases.sharpen(image, method, **parameters)
    found, edges = arrays(level_of(image, method, **parameters))
    for array, whole in ((found, expected.image), (edges, expected.edge_map)):
        key = data.draw(keys(whole.shape))
        part = array[key]
        assert isinstance(part, VirtualArray)
        assert (part.shape, part.dtype) == (whole[key].shape, whole.dtype)
        np.testing.assert_array_equal(np.asarray(part), whole[key])
        if part.ndim:
            # A viewer indexes twice: first the window, then the plane.
            np.testing.assert_array_equal(np.asarray(part[-1:]), whole[key][-1:])


@pytest.mark.parametrize("sigma", [1.3, 5])
@pytest.mark.parametrize("source", ["numpy", "dask", "zarr", "memmap", "strided"])
def test_sources(tmp_path, source, sigma):
    """Arrays of every kind are read where they are asked for."""
    image = cases.picture((2, 3, 90, 110), "uint16")
    given_as = {
        "numpy": lambda: image,
        "dask": lambda: da.from_array(image, chunks=(1, 2, 31, 50)),
        "zarr": lambda: zarr.array(image, chunks=(1, 1, 40, 40)),
        "memmap": lambda: _memmap(tmp_path / "image.npy", image),
        "strided": lambda: np.repeat(image, 2, axis=3)[..., ::2],
    }[source]()
    found, edges = arrays(level_of(given_as, "unsharp_mask", sigma=sigma, axes=(2, 3)))
    expected = cases.sharpen(image, sigma=sigma, axes=(2, 3))
    for key in (
        (1, 2),
        (0, slice(None), slice(3, 40), slice(50, 51)),
        (slice(None, None, -1), 1, slice(80, 10, -7), 60),
        (Ellipsis, 109),
    ):
        np.testing.assert_array_equal(np.asarray(found[key]), expected.image[key])
        np.testing.assert_array_equal(np.asarray(edges[key]), expected.edge_map[key])
    assert not isinstance(given_as, np.ndarray) or (given_as == image).all()


def _memmap(path, image):
    np.save(path, image)
    return np.load(path, mmap_mode="r")


def test_only_what_is_asked_for_is_read():
    """A plane of a series reads that plane, a tile reads the tile with its halo."""
    read = []

    class Logged:
        shape, dtype = (5, 300, 400), np.dtype(np.uint16)

        def __getitem__(self, key):
            read.append(key)
            return cases.picture((5, 300, 400), "uint16")[key]

    image, edges = arrays(level_of(Logged(), "unsharp_mask", sigma=2, axes=(1, 2)))
    image[:, 100:140, 200:230][3:4][0, 5]
    assert read == []
    np.asarray(image[:, 100:140, 200:230][3:4])
    assert read == [(slice(3, 4, 1), slice(92, 148), slice(192, 238))]
    # An index of one place is that place: nothing is read again.
    np.asarray(edges[3, 100:140, 200:230])
    np.asarray(edges[3::7, 100:140, 200:230])
    assert len(read) == 1


@pytest.mark.parametrize("invalid", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "float32", "float64"])
def test_finishing_parameters_filter_nothing_anew(monkeypatch, dtype, threads, invalid):
    """Strength, threshold, limits and type are applied to detail that is kept."""
    image = cases.picture((900, 700), dtype)
    if invalid and image.dtype.kind == "f":
        image[400, 300] = np.nan
    cache, filtered = DetailCache(BYTES), []
    monkeypatch.setattr(region, "_FINISHED_HERE", 1)
    monkeypatch.setattr(
        region, "filtered", lambda *a, of=region.filtered: filtered.append(1) or of(*a)
    )
    first = level_of(image, "unsharp_mask", cache, sigma=2)
    with usm.threads(threads):
        for changed in (
            {},
            {"amount": 2.5},
            {"threshold": 0.1, "hard": True},
            {"threshold": 0.2},
            {"limits": (0, 1)},
            {"limits": "data"},
            {"dtype": "float32"},
            {"amount": -0.5, "dtype": "uint8"},
        ):
            call = {"sigma": 2, **changed}
            plan, _ = cases.prepare(image, "unsharp_mask", **call)
            settled = memory.result_of(settle(plan, image))
            found, edges = arrays(SharpenedLevel(first.pixels, settled))
            expected = cases.sharpen(image, **call)
            np.testing.assert_array_equal(np.asarray(found), expected.image)
            np.testing.assert_array_equal(np.asarray(edges), expected.edge_map)
            assert len(filtered) == 1
    plan, _ = cases.prepare(image, "unsharp_mask", sigma=2.1)
    settled = memory.result_of(settle(plan, image))
    SharpenedLevel(first.pixels, settled).part(Output.IMAGE, (range(900), range(700)))
    assert len(filtered) == 2


@pytest.mark.parametrize("method", cases.METHODS)
@pytest.mark.parametrize("color", ["channels", "luminance", "value"])
@pytest.mark.parametrize("alpha", [False, True])
def test_colours(method, color, alpha):
    """One channel of a colour image, or a crop, is that of the whole."""
    image = cases.picture((3, 40, 30, 3 + alpha), "uint8")
    call = {"channel_axis": 3, "axes": (1, 2), "color": color, "alpha": alpha}
    call |= METHOD_CASES[method].by_item
    found, edges = arrays(level_of(image, method, **call))
    expected = cases.sharpen(image, method, **call)
    for key in ((1,), (2, slice(5, 20), 7), (Ellipsis, 2), (0, 3, 4, 1)):
        np.testing.assert_array_equal(np.asarray(found[key]), expected.image[key])
    for key in ((1,), (2, slice(5, 20), 7), (slice(None, None, -2),)):
        np.testing.assert_array_equal(np.asarray(edges[key]), expected.edge_map[key])


def test_a_place_that_is_not_there():
    """What is beyond the image is refused, and never reaches a kernel."""
    level = level_of(cases.picture((9, 8), "uint8"), "unsharp_mask")
    for wrong in ((9, 0), (range(3, 10), 0), (0, range(7, -2, -1))):
        with pytest.raises(IndexError, match="is beyond axis"):
            level.part(Output.IMAGE, wrong)


def test_the_report_of_a_part():
    """What a plane's report says is what a call on that plane says."""
    image = cases.picture((3, 90, 110), "uint8")
    level = level_of(image, "unsharp_mask", sigma=1.2, amount=4, axes=(1, 2))
    found = level.report((1, range(90), range(110)))
    expected = cases.sharpen(image[1], sigma=1.2, amount=4).report
    assert found.clipped_low == expected.clipped_low > 0
    assert (found.overshoot, found.noise_factor) == (
        expected.overshoot,
        expected.noise_factor,
    )
    assert found.mean_change == pytest.approx(expected.mean_change)
    part = level.report((1, range(20, 60), range(30, 50)))
    assert 0 < part.overshoot <= found.overshoot


def test_the_pass_that_filters_finishes_too(monkeypatch):
    """A first look costs no second pass, and leaves detail for the next ones."""
    image = cases.picture((300, 200), "uint16")
    level = level_of(image, "unsharp_mask", sigma=2, amount=1.5)
    rows = range(300), range(200)
    with monkeypatch.context() as patched:
        patched.setattr(region, "finished", None)
        first = level.part(Output.IMAGE, rows)
    np.testing.assert_array_equal(first, usm.unsharp_mask(image, sigma=2, amount=1.5))
    assert level.is_cached(rows)
    np.testing.assert_array_equal(level.part(Output.IMAGE, rows), first)


def test_one_pass_finishes_both_outputs(monkeypatch):
    """While image and edge map are wanted in turn, a threshold is applied once."""
    image, rows = cases.picture((300, 200), "uint16"), (range(300), range(200))
    finished, wanted = region.finished, []

    def counting(fitted, part, box, outputs, weight):
        wanted.append(list(outputs))
        return finished(fitted, part, box, outputs, weight)

    monkeypatch.setattr(region, "finished", counting)
    cache = DetailCache(BYTES)
    first = level_of(image, "unsharp_mask", cache)
    first.part(Output.EDGE_MAP, rows)
    for threshold, outputs in ((1.0, (0, 1)), (2.0, (0, 1)), (3.0, (0,)), (4.0, (0,))):
        plan, _ = cases.prepare(image, "unsharp_mask", threshold=threshold)
        level = SharpenedLevel(first.pixels, memory.result_of(settle(plan, image)))
        expected = cases.sharpen(image, threshold=threshold)
        for output in outputs:
            which = (Output.IMAGE, Output.EDGE_MAP)[output]
            np.testing.assert_array_equal(
                level.part(which, rows), (expected.image, expected.edge_map)[output]
            )
    both, alone = [Output.IMAGE, Output.EDGE_MAP], [Output.IMAGE]
    assert wanted == [both, both, both, alone]


def test_numpy_takes_it():
    """What numpy and napari ask of an array: copies, types, masks, a length."""
    image = cases.picture((4, 9, 8), "uint8")
    whole = usm.unsharp_mask(image, axes=(1, 2))
    array, _ = arrays(level_of(image, "unsharp_mask", axes=(1, 2)))
    assert (array.shape, array.ndim, array.size, len(array)) == ((4, 9, 8), 3, 288, 4)
    np.testing.assert_array_equal(np.max(array), whole.max())
    np.testing.assert_array_equal(np.stack([array[0], array[1]]), whole[:2])
    np.testing.assert_array_equal(array.astype(float), whole.astype(float))
    np.testing.assert_array_equal(array[whole > 9], whole[whole > 9])
    np.testing.assert_array_equal(array[:, [1, 3]], whole[:, [1, 3]])
    np.testing.assert_array_equal(np.asarray(array[2:2]), whole[2:2])
    assert np.asarray(array[1, 2, 3]).shape == ()
    mine = np.array(array, copy=True)
    mine[:] = 0
    np.testing.assert_array_equal(np.asarray(array), whole)
    for wrong in ((0, 0, 0, 0), (4,), (..., 0, ...)):
        with pytest.raises(IndexError):
            array[wrong]
    with pytest.raises(TypeError, match="no length"):
        len(array[0, 0, 0])
    assert repr(array) == "<VirtualArray uint8 (4, 9, 8)>"


COMPUTATIONS = {
    "==": lambda a: a == a[0, 0, 0],
    "!=": lambda a: a != 0,
    ">": lambda a: a > 100,
    "- both": lambda a: (a - 1, 1 - a),
    "* float": lambda a: a * 2.0,
    "@": lambda a: a[0, :, :8] @ np.eye(8),
    "-": lambda a: -a,
    "~": lambda a: ~a,
    "**": lambda a: a**2,
    "divmod": lambda a: divmod(a, 3),
    "& of two": lambda a: a & a,
    "max": lambda a: a.max(),
    "mean": lambda a: a.mean(axis=(1, 2)),
    "any": lambda a: a.any(axis=0),
    "argmax": lambda a: a.argmax(),
    "copy": lambda a: a.copy(),
    "ravel": lambda a: a.ravel(),
    "reshape": lambda a: a.reshape(-1, 8),
    "T": lambda a: a.T,
    "tolist": lambda a: a[0].tolist(),
    "nbytes": lambda a: (a.nbytes, a[1].nbytes, a.itemsize),
    "iteration": list,
    "in": lambda a: (a[0, 0, 0] in a, -1 in a),
    "one pixel": lambda a: (float(a[1, 2, 3]), int(a[1, 2, 3]), bool(a[1, 2, 3])),
    "as an index": lambda a: list(range(300))[a[1, 2, 3]],
    "np.max": lambda a: np.max(a, axis=0, keepdims=True),
    "np.sort": lambda a: np.sort(a, axis=None),
    "np.clip": lambda a: np.clip(a, 5, 50),
    "np.where": lambda a: np.where(a > 9, a, 0),
    "np.concatenate": lambda a: np.concatenate([a, a[:1]]),
    "np.percentile": lambda a: np.percentile(a, 30),
    "np.zeros_like": lambda a: np.zeros_like(a),
    "np.add.reduce": lambda a: np.add.reduce(a, axis=1),
    "np.hypot, out": lambda a: np.hypot(a, 1.0, out=np.empty(a.shape)),
    "in place": lambda a: np.ones(a.shape).__iadd__(a),
    "scipy": lambda a: ndimage.gaussian_filter(a, 1),
    "skimage": lambda a: skimage.filters.threshold_otsu(a),
    "dask": lambda a: (da.ones(a.shape, chunks=4) + a).compute(),
    "pickle": lambda a: pickle.loads(pickle.dumps(a)),
}


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_computing_with_it(name):
    """Whatever numpy's arrays do, an array of computed pixels does: the same values."""
    image = cases.picture((4, 9, 8), "uint8")
    whole = usm.unsharp_mask(image, axes=(1, 2))
    array, _ = arrays(level_of(image, "unsharp_mask", axes=(1, 2)))
    got, expected = COMPUTATIONS[name](array), COMPUTATIONS[name](whole)
    assert type(got) is type(expected)
    np.testing.assert_equal(got, expected)


def test_dask_computes_what_is_asked_for():
    """A dask array of computed pixels reads its chunks when it is computed."""
    computed = []

    def make(index):
        computed.append(index)
        return np.zeros([len(part) for part in index if isinstance(part, range)])

    array = VirtualArray((4, 6), float, make)
    lazy = da.from_array(array, chunks=(1, 6))
    assert computed == []
    lazy[2].compute()
    assert [index[0] for index in computed] == [2]


WRITING = {
    "item": lambda a: a.__setitem__(0, 1),
    "in place": lambda a: a.__iadd__(1),
    "out": lambda a: np.add(1, 1, out=a),
    "at": lambda a: np.add.at(a, 0, 1),
    "sort": lambda a: a.sort(),
    "fill": lambda a: a.fill(0),
    "truth of many": bool,
}


@pytest.mark.parametrize("name", WRITING)
def test_what_is_refused(name):
    """Writing to computed pixels is an error that says what to do instead."""
    array, _ = arrays(level_of(cases.picture((4, 9, 8), "uint8"), "unsharp_mask"))
    kind, rule = TypeError, r"read-only.*numpy\.array"
    if name in ("out", "at"):
        rule = "array"  # numpy says so itself
    if name == "truth of many":
        kind, rule = ValueError, "ambiguous"
    with pytest.raises(kind, match=rule):
        WRITING[name](array)
    assert not hasattr(array, "data"), "a wrapper of another array has that"


def test_a_copy_has_its_own_maker():
    """A deep copy asks a copy of whoever makes the pixels."""

    class Maker:
        value = 1

        def __call__(self, index):
            return np.full((2, 3), self.value)[np.ix_(*index)]

        def __deepcopy__(self, memo):
            twin = Maker()
            twin.value = self.value
            return twin

    maker = Maker()
    array = VirtualArray((2, 3), int, maker)
    twin = copy.deepcopy(array)
    maker.value = 5
    assert (np.asarray(array).max(), np.asarray(twin[1:]).max()) == (5, 1)


def test_the_cache_is_bounded():
    """What was not used for longest goes first; a large part is kept alone, if at all."""
    image = cases.picture((4, 64, 64), "float32")
    plane = 2 * 64 * 64 * 4
    level = level_of(image, "unsharp_mask", DetailCache(2 * plane), axes=(1, 2))
    rows = range(64), range(64)
    level.part(Output.IMAGE, (0, *rows))
    level.part(Output.IMAGE, (1, *rows))
    level.part(Output.IMAGE, (0, *rows))
    level.part(Output.IMAGE, (2, *rows))
    assert [level.is_cached((z, *rows)) for z in range(4)] == [True, False, True, False]
    level.part(Output.IMAGE, (range(4), *rows))
    assert level.is_cached((range(4), *rows))
    assert not level.is_cached((0, *rows))
    tiny = level_of(image, "unsharp_mask", DetailCache(plane // 2), axes=(1, 2))
    tiny.part(Output.IMAGE, (range(4), *rows))
    assert not tiny.is_cached((range(4), *rows))


def test_what_is_kept_goes_with_its_image():
    """An image that nobody has any more leaves nothing in the cache."""
    image, cache = cases.picture((64, 64), "float32"), DetailCache(BYTES)
    index = range(64), range(64)
    first, second = (level_of(image, "unsharp_mask", cache) for _ in range(2))
    first.part(Output.IMAGE, index)
    assert not second.is_cached(index)
    second.part(Output.IMAGE, index)
    assert len(cache._values) == 2
    del first
    gc.collect()
    assert len(cache._values) == 1
    assert second.is_cached(index)


def test_many_threads_at_once():
    """A viewer may slice in threads of its own: all get the right pixels."""
    image = cases.picture((8, 80, 90), "uint16")
    expected = usm.unsharp_mask(image, axes=(1, 2))
    array, _ = arrays(level_of(image, "unsharp_mask", DetailCache(10**5), axes=(1, 2)))
    wrong = []

    def look(z):
        for _ in range(20):
            if (np.asarray(array[z]) != expected[z]).any():
                wrong.append(z)

    threads = [threading.Thread(target=look, args=[z % 8]) for z in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_image_of_another_shape_is_said():
    """Pixels that come in another shape than was planned are refused."""
    image = cases.picture((40, 50), "uint16")
    level = level_of(image, "unsharp_mask")
    changed = SharpenedLevel(
        LiveImage(image[:20].astype(float), DetailCache(BYTES)), level.fitted
    )
    with pytest.raises(ValueError, match="`image` must stay as it was"):
        changed.part(Output.IMAGE, (range(40), range(50)))


# --- what is found in a whole image ---


def test_a_sample_of_a_large_image():
    """A gain for an image that is too large is that of the middle of some planes."""
    image = cases.picture((9, 60, 70), "uint8")
    plan, _ = cases.prepare(image, "adaptive_unsharp_mask", axes=(1, 2))
    whole = memory.result_of(settle(plan, image))
    assert whole.sample is None
    expected = cases.sharpen(image, "adaptive_unsharp_mask", axes=(1, 2))
    assert whole.constants.gain == expected.gain
    part = memory.result_of(settle(plan, image, whole=1000))
    assert part.sample == image.shape  # smaller than the smallest sample
    assert part.constants.gain == expected.gain


@pytest.mark.parametrize("scope", ["image", "item"])
def test_where_a_sample_lies(monkeypatch, scope):
    """It is the middle of planes, of all of them where each has its own gain."""
    from napari_usm._engine import fitting as module

    monkeypatch.setattr(module, "_ITEM", 20 * 20)
    monkeypatch.setattr(module, "_SAMPLE", 3 * 20 * 20)
    image = cases.picture((9, 60, 70), "uint8")
    call = {"axes": (1, 2), "gain_per": scope}
    plan, _ = cases.prepare(image, "adaptive_unsharp_mask", **call)
    found = memory.result_of(settle(plan, image, whole=1000))
    planes = slice(None) if scope == "item" else slice(0, 9, 3)
    sample = image[planes, 20:40, 25:45]
    expected = cases.sharpen(sample, "adaptive_unsharp_mask", **call)
    assert found.sample == sample.shape
    np.testing.assert_array_equal(np.squeeze(found.constants.gain), expected.gain)


@pytest.mark.parametrize("lazy", [False, True])
def test_limits_by_the_data_need_all_of_it(lazy):
    """However large an image is, its own minimum and maximum are not guessed."""
    image = cases.picture((9, 60, 70), "float32")
    given_as = da.from_array(image, chunks=(2, 60, 70)) if lazy else image
    call = {"axes": (1, 2), "limits": "data"}
    plan, pixels = cases.prepare(given_as, "adaptive_unsharp_mask", **call)
    found = memory.result_of(settle(plan, pixels, whole=1000))
    assert found.sample is None
    assert found.limits == (image.min(), image.max())
    level = SharpenedLevel(LiveImage(pixels, DetailCache(BYTES)), found)
    expected = usm.adaptive_unsharp_mask(image, **call)
    whole = level.part(Output.IMAGE, tuple(range(n) for n in image.shape))
    np.testing.assert_array_equal(whole, expected)


# --- pyramids ---


def pyramid(image, count, axes):
    levels = [image]
    for _ in range(count - 1):
        key = tuple(
            slice(None, None, 2) if axis in axes else slice(None)
            for axis in range(image.ndim)
        )
        levels.append(levels[-1][key])
    return levels


def levels(images, method, **parameters):
    plan, pixels = cases.prepare(images[0], method, **parameters)
    cache = DetailCache(BYTES)
    settled = memory.result_of(settle(plan, pixels))
    return levels_of([LiveImage(image, cache) for image in images], settled)


def whole_of(level):
    return level.part(Output.IMAGE, tuple(range(n) for n in level.plan.shape))


@pytest.mark.parametrize("dtype", ["uint16", "float64"])
def test_blurs_follow_the_level(dtype):
    """Sigma is divided by the factor of each axis; a box counts as its deviation."""
    images = pyramid(cases.picture((3, 120, 160), dtype), 3, (1, 2))
    for kernel, sigma in (("gaussian", 3.0), ("box", np.sqrt(2 / 3))):
        call = {"kernel": kernel, "sigma": sigma, "amount": 2, "axes": (1, 2)}
        for k, level in enumerate(levels(images, "unsharp_mask", **call)):
            same = call if k == 0 else {**call, "kernel": "gaussian"}
            expected = cases.sharpen(images[k], **{**same, "sigma": sigma / 2**k})
            np.testing.assert_array_equal(whole_of(level), expected.image)
            crop = level.part(Output.IMAGE, (1, range(5, 20), range(30, 7, -2)))
            np.testing.assert_array_equal(crop, expected.image[1, 5:20, 30:7:-2])


def test_a_gain_holds_for_all_levels():
    """It is found at full resolution; where each plane has its own, on its planes."""
    image = cases.picture((6, 120, 160), "uint8")
    image[3:] //= 2
    images = pyramid(image, 2, (0, 1, 2))
    call = {"axes": (1, 2), "gain_per": "item"}
    found = cases.sharpen(image, "adaptive_unsharp_mask", **call)
    _, coarse = levels(images, "adaptive_unsharp_mask", **call)
    expected = np.stack(
        [
            usm.unsharp_mask(
                plane, np.sqrt(2 / 3) / 2, 1 / found.gain[2 * z + 1], mode="mirror"
            )
            for z, plane in enumerate(images[1])
        ]
    )
    np.testing.assert_array_equal(whole_of(coarse), expected)


def test_methods_without_a_blur_show_means():
    """One step down the Laplacian shows means of the full result; below, the source."""
    image = cases.picture((2, 121, 160), "uint16")
    images = pyramid(image, 3, (1, 2))
    finest, middle, coarse = levels(images, "laplacian_sharpen", axes=(1, 2))
    assert isinstance(finest, SharpenedLevel)
    assert isinstance(middle, AveragedLevel)
    assert isinstance(coarse, SourceLevel)
    full = cases.sharpen(image, "laplacian_sharpen", axes=(1, 2))
    padded = np.concatenate([full.image, full.image[:, -1:]], axis=1).astype(float)
    means = padded.reshape(2, 61, 2, 80, 2).mean(axis=(2, 4))
    expected = np.floor(means + 0.5).astype(np.uint16)
    np.testing.assert_array_equal(whole_of(middle), expected)
    np.testing.assert_array_equal(
        middle.part(Output.IMAGE, (1, range(60, 3, -5), 7)), expected[1, 60:3:-5, 7]
    )
    edges = full.edge_map[1, 20:24, 30:32].astype(float).reshape(2, 2, 1, 2)
    np.testing.assert_allclose(
        middle.part(Output.EDGE_MAP, (1, range(10, 12), 15)),
        edges.mean(axis=(1, 2, 3)),
        rtol=1e-6,
    )
    np.testing.assert_array_equal(whole_of(coarse), images[2])
    assert not coarse.part(Output.EDGE_MAP, (1, range(5), range(3))).any()


def test_levels_of_no_whole_factor():
    """A method without a blur shows the source where pixels are no whole blocks."""
    images = [cases.picture((90, 90), "uint8"), cases.picture((60, 60), "uint8")]
    assert isinstance(levels(images, "laplacian_sharpen")[1], SourceLevel)
    level = levels(images, "unsharp_mask", sigma=3)[1]
    np.testing.assert_array_equal(whole_of(level), usm.unsharp_mask(images[1], 2))


def test_a_pyramid_in_colour():
    """Edge maps of a signal made of all colours have no channel axis at any level."""
    image = cases.picture((80, 90, 3), "uint8")
    images = pyramid(image, 2, (0, 1))
    for method in ("unsharp_mask", "laplacian_sharpen"):
        found = levels(images, method, channel_axis=2, color="luminance")
        expected = cases.sharpen(images[0], method, channel_axis=2, color="luminance")
        np.testing.assert_array_equal(
            found[0].part(Output.EDGE_MAP, (range(9), 4)), expected.edge_map[:9, 4]
        )
        assert found[1].part(Output.EDGE_MAP, (range(9), 4)).shape == (9,)
        assert found[1].part(Output.IMAGE, (range(9), 4, range(3))).shape == (9, 3)


@pytest.mark.parametrize("color", ["luminance", "value"])
def test_kept_detail_of_colours_larger_than_a_part(color):
    """Colours are finished step by step, in parts, from detail without neighbours."""
    image = cases.picture((700, 800, 3), "uint8")
    call = {"sigma": 4.5, "amount": 2.0, "channel_axis": 2, "color": color}
    plan, _ = cases.prepare(image, "unsharp_mask", **call)
    level = SharpenedLevel(
        LiveImage(image, DetailCache(2**26)),
        memory.result_of(memory.estimate(plan, image)),
    )
    expected = cases.sharpen(image, "unsharp_mask", **call)
    for _ in range(2):  # the second is made of detail that is kept
        found = level.part(Output.IMAGE, tuple(range(n) for n in image.shape))
        np.testing.assert_array_equal(found, expected.image)
