"""Of a dask array only the chunks at work are in memory, estimates or not."""

import threading
import weakref

import dask
import dask.array as da
import numpy as np
import pytest

import cases
import napari_usm as usm

COUNT = 60


class Source:
    """Planes that are made when they are read; how often, and how many there are."""

    def __init__(self):
        self.reads = self.alive = self.most = 0
        self._lock = threading.RLock()

    def __call__(self, block_info=None):
        number = block_info[None]["chunk-location"][0]
        plane = np.random.default_rng(number).normal(100, 9, (1, 70, 64))
        plane += 50 * (np.arange(64) > 30)
        with self._lock:
            self.reads += 1
            self.alive += 1
            self.most = max(self.most, self.alive)
        weakref.finalize(plane, self._gone)
        return plane

    def _gone(self):
        with self._lock:
            self.alive -= 1

    def array(self):
        """The planes as a dask array."""
        chunks = ((1,) * COUNT, 70, 64)
        return da.map_blocks(self, chunks=chunks, dtype=np.float64, meta=np.empty(0))


CALLS = {
    "unsharp_mask": ("unsharp_mask", {}, 1),
    "adaptive": ("adaptive_unsharp_mask", {}, 2),
    "adaptive, a gain each": ("adaptive_unsharp_mask", {"gain_per": "item"}, 2),
    "auto": ("auto_unsharp_mask", {}, 3),
    "auto, blur known": ("auto_unsharp_mask", {"blur": 1.0}, 2),
    "in noise": ("unsharp_mask", {"threshold": "3 noise"}, 2),
    "limits by the data": ("unsharp_mask", {"limits": "data"}, 2),
    "several rounds": ("entropy_unsharp_mask", {}, 4),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("workers", [1, 2])
def test_few_chunks_are_in_memory(call, workers):
    """A chunk goes when it is done, and is read again for the pixels."""
    method, parameters, reads = CALLS[call]
    source = Source()
    found = cases.sharpen(source.array(), method, axes=(1, 2), **parameters)
    ends = found.image.map_blocks(lambda block: block[:, :2].copy(), chunks=(1, 2, 64))
    with dask.config.set(scheduler="threads", num_workers=workers):
        seen = ends.compute()
    assert source.most <= 10 * workers
    assert source.reads == reads * COUNT
    image = Source().array().compute(scheduler="synchronous")
    expected = cases.sharpen(image, method, axes=(1, 2), **parameters)
    np.testing.assert_array_equal(seen, expected.image[:, :2])


def test_an_edge_map_without_estimate_reads_once():
    """The gain changes no edge map: nothing is read for it."""
    source = Source()
    found = cases.sharpen(source.array(), "adaptive_unsharp_mask", axes=(1, 2))
    found.edge_map.compute(scheduler="synchronous")
    assert source.reads == COUNT


@pytest.mark.parametrize("method", cases.METHODS)
def test_sources_give_the_same_pixels_again(method):
    """Random numbers, data in the graph, and chunks that are computed already."""
    image = cases.picture((3, 40, 50), "float32")
    held = da.from_array(image, chunks=(1, 25, 50))
    random = da.random.default_rng(0).random((3, 40, 50), chunks=(1, 25, 50))
    computed = held.map_blocks(np.negative).map_blocks(np.negative)
    for lazy in (held, random, computed, computed.persist()):
        whole = lazy.compute()
        expected = cases.sharpen(whole, method, axes=(1, 2), limits="data")
        found = cases.sharpen(lazy, method, axes=(1, 2), limits="data")
        image_, edge_map, amount = dask.compute(
            found.image, found.edge_map, found.amount
        )
        np.testing.assert_array_equal(image_, expected.image)
        np.testing.assert_array_equal(edge_map, expected.edge_map)
        np.testing.assert_array_equal(amount, expected.amount)
        again = cases.sharpen(lazy, method, axes=(1, 2), limits="data")
        assert again.image.name == found.image.name


def test_chunks_in_memory_are_not_cloned():
    """What is computed already stands in the graph once."""
    lazy = Source().array().persist(scheduler="synchronous")
    found = usm.adaptive_unsharp_mask(lazy, axes=(1, 2))
    arrays = [
        each for each in dict(found.dask).values() if isinstance(each, np.ndarray)
    ]
    assert len(arrays) == COUNT
