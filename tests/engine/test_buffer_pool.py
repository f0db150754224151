"""Memory that is used again: never while anybody can still see it."""

import gc
import threading

import numpy as np
import pytest

from napari_usm._engine import buffer_pool

SHAPE = (300, 300)


@pytest.fixture(autouse=True)
def nothing_idle():
    """Each test begins with no memory of another's."""
    buffer_pool._idle.clear()
    yield
    buffer_pool._idle.clear()


def address(array):
    """Where its first pixel is."""
    return array.__array_interface__["data"][0]


def test_memory_is_used_again():
    """What is gone leaves its memory to the next array of its size, of any type."""
    array = buffer_pool.empty(SHAPE, "float32")
    assert (array.shape, array.dtype, array.flags.writeable) == (SHAPE, "f4", True)
    assert array.flags.c_contiguous
    assert array.flags.aligned
    place = address(array)
    array.flags.writeable = False
    del array
    again = buffer_pool.empty((600, 150), "int32")
    again[:] = 7
    assert address(again) == place
    assert address(buffer_pool.empty((600, 150), "int32")) != place
    assert (again == 7).all()


@pytest.mark.parametrize(
    "look",
    [
        lambda array: array[10:, ::-3],
        lambda array: array.view(np.uint8)[..., 1:],
        lambda array: memoryview(array)[3:],
        lambda array: np.broadcast_to(array[0], (4, 300)),
        lambda array: np.asarray(array).astype("float32", copy=False)[1:],
    ],
)
def test_a_view_keeps_it(look):
    """As long as there is a view of any kind, nobody else writes there."""
    array = buffer_pool.empty(SHAPE, "float32")
    array[:] = np.arange(array.size).reshape(SHAPE)
    view = look(array)
    expected = np.array(view)
    del array
    gc.collect()
    for _ in range(3):
        buffer_pool.empty(SHAPE, "float32")[:] = -1
    np.testing.assert_array_equal(np.array(view), expected)


def test_only_so_much_is_held():
    """Four pieces wait at most; small and huge arrays are like any other."""
    arrays = [buffer_pool.empty(SHAPE, "float32") for _ in range(6)]
    del arrays
    assert len(buffer_pool._idle) == 4
    buffer_pool._idle.clear()
    for shape in ((0, 5), (5, 5), (9000, 9000)):
        assert buffer_pool.empty(shape, "uint8").shape == shape
    assert not buffer_pool._idle


def test_many_threads_never_share():
    """Each thread's pixels stay what it wrote, whoever else takes and leaves memory."""
    wrong = []

    def work(number):
        for turn in range(200):
            array = buffer_pool.empty(SHAPE, "float32")
            array[:] = number * 1000 + turn
            other = buffer_pool.empty(SHAPE, "float32")
            other[:] = -1
            if not (array == number * 1000 + turn).all():
                wrong.append((number, turn))

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
