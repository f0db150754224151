"""Threads never change a pixel, and are asked for in three ways."""

import threading
from concurrent.futures import ThreadPoolExecutor

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cases
import napari_usm as usm
from napari_usm._engine import memory
from napari_usm._engine.threads import all_of, in_order, thread_count
from napari_usm.api import prepare
from test_laws import calls


@pytest.fixture(autouse=True)
def every_image_is_worth_threads(monkeypatch):
    monkeypatch.setattr(memory, "_WORTH_THREADS", 1)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(calls(max_side=14), st.integers(1, 5))
def test_every_thread_count_gives_the_same_bits(call, count):
    """One thread or many: image, edge map and amount are the same."""
    image, method, parameters = call
    with usm.threads(1):
        expected = cases.sharpen(image, method, **parameters)
    with usm.threads(count):
        found = cases.sharpen(image, method, **parameters)
        alone = cases.function(method)(image, **parameters)
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_array_equal(found.edge_map, expected.edge_map)
    np.testing.assert_array_equal(found.amount, expected.amount)
    np.testing.assert_array_equal(alone, expected.image)


def test_several_threads_may_call_at_once():
    """Calls from many threads at the same time do not disturb each other."""
    images = [cases.picture((200, 300), "uint16", seed) for seed in range(8)]
    expected = [usm.adaptive_unsharp_mask(image) for image in images]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(usm.adaptive_unsharp_mask, images))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_who_decides(monkeypatch):
    """The block decides, then the environment, then the cores."""
    monkeypatch.setenv("NAPARI_USM_THREADS", "3")
    assert thread_count() == 3
    with usm.threads(7):
        assert thread_count() == 7
        with usm.threads(2):
            assert thread_count() == 2
        assert thread_count() == 7
    monkeypatch.delenv("NAPARI_USM_THREADS")
    assert thread_count() >= 1


@pytest.mark.parametrize(
    ("count", "error", "message"),
    [
        (0, ValueError, "`count` must be at least 1; got 0"),
        (2.0, TypeError, "`count` must be an integer; got 2.0"),
    ],
)
def test_bad_counts(count, error, message):
    """A count of threads is a whole number of at least 1."""
    with pytest.raises(error, match=message), usm.threads(count):
        pass


@pytest.mark.parametrize("given_", ["0", "two", "-1"])
def test_bad_environment(monkeypatch, given_):
    """A wrong environment variable is named before any pixel is touched."""
    monkeypatch.setenv("NAPARI_USM_THREADS", given_)
    with pytest.raises(ValueError, match="`NAPARI_USM_THREADS` must be an integer"):
        usm.unsharp_mask(np.eye(9))


def test_one_thread_inside_dask_and_other_pools():
    """Where somebody else runs tasks in parallel already, we add no threads."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(thread_count).result() == 1
    counts = da.zeros(4, chunks=1).map_blocks(
        lambda block: np.full_like(block, thread_count()), meta=np.empty(0)
    )
    with dask.config.set(scheduler="threads", num_workers=2):
        assert counts.compute().max() == 1


def test_all_results_come_in_order_and_errors_come_out():
    """Whatever thread makes them."""
    assert all_of(lambda x: x * x, range(9), 3) == [x * x for x in range(9)]
    assert all_of(lambda x: x, [7], 4) == [7]
    for wrong in (0, 5, 8):
        with pytest.raises(ZeroDivisionError):
            all_of(lambda x, wrong=wrong: 1 / (x - wrong), range(9), 2)


def test_the_caller_waits_for_no_thread_that_has_not_begun():
    """While all other threads are busy, it does all of the work."""
    gate, begun = threading.Event(), threading.Semaphore(0)

    def hold(_):
        begun.release()
        gate.wait(60)

    busy = threading.Thread(target=lambda: list(in_order(hold, range(3), 3)))
    busy.start()
    for _ in range(3):
        assert begun.acquire(timeout=60)
    makers = all_of(lambda _: threading.current_thread(), range(9), 3)
    gate.set()
    busy.join()
    assert set(makers) == {threading.current_thread()}


def test_threads_share_the_work():
    """What another thread has begun is not done again."""
    both = threading.Barrier(2, timeout=60)
    makers = all_of(lambda _: both.wait() >= 0 and threading.get_ident(), range(2), 2)
    assert len(set(makers)) == 2


def test_results_come_in_order_and_errors_come_out():
    """Whatever the threads do first, results keep the order of the items."""
    assert list(in_order(lambda x: x * x, range(50), 4)) == [x * x for x in range(50)]

    def fail(x):
        if x == 3:
            raise RuntimeError("a source that cannot be read")
        return x

    with pytest.raises(RuntimeError, match="cannot be read"):
        list(in_order(fail, range(50), 4))


def test_whoever_stops_stops_the_work():
    """After the last result that is taken, hardly any further block is begun."""
    begun = []
    results = in_order(lambda x: begun.append(x) or x, range(1000), 2)
    for _ in range(5):
        next(results)
    results.close()
    assert len(begun) < 20


def test_blocks_really_run_on_several_threads():
    """Two blocks of one image are under way at the same time."""
    meeting = threading.Barrier(2, timeout=10)

    class Meeting:
        shape, dtype = (2, 40, 40), np.dtype(np.uint8)

        def __getitem__(self, window):
            meeting.wait()
            return np.zeros(self.shape, np.uint8)[window]

    plan, image = prepare(Meeting(), "unsharp_mask", axes=(1, 2))
    with usm.threads(2):
        running = memory.run(plan, image, want_edge_map=False, want_report=False)
        assert memory.result_of(running).image.shape == (2, 40, 40)
