"""What napari is given of a live result, and what it is told later."""

import threading
from time import sleep

import numpy as np
import pytest

import cases
import napari_usm as usm
from napari_usm import api
from napari_usm._engine import region
from napari_usm._engine.block import Output
from napari_usm._widgets.live.result import PATIENCE, LiveResult
from napari_usm._widgets.live.signals import LiveSignals

SHAPE = (40, 50)
WHOLE = (range(40), range(50))


@pytest.fixture
def image():
    """A plane."""
    return cases.picture(SHAPE, "uint16")


@pytest.fixture
def slow(monkeypatch):
    """Whole planes take longer to filter than anybody waits."""

    def slowly(fitted, read, box, *result, of=region.filtered):
        sleep(5 * PATIENCE if fitted.plan.shape == SHAPE else 0)
        return of(fitted, read, box, *result)

    monkeypatch.setattr(region, "filtered", slowly)


def tuned(result, image, **parameters):
    """Show the classic mask with these parameters from now on."""
    plan, _ = api.prepare(image, "unsharp_mask", **parameters)
    assert result.tune(plan, "unsharp_mask")
    return usm.sharpen(image, "unsharp_mask", **parameters)


def test_what_comes_late_is_told(qtbot, slow, image):
    """Old pixels at once, then a signal, then the new ones; each in their turn."""
    result = LiveResult([image], LiveSignals(), lambda layer: True)
    first = tuned(result, image, sigma=1.0)
    with qtbot.waitSignal(result.signals.ready):
        result.shown(Output.IMAGE, 0, WHOLE)
        assert result.pop_stale(Output.IMAGE)
        assert not result.pop_stale(Output.IMAGE)
    np.testing.assert_array_equal(result.shown(Output.IMAGE, 0, WHOLE), first.image)
    assert not result.pop_stale(Output.IMAGE)

    second = tuned(result, image, sigma=2.0)
    with qtbot.waitSignal(result.signals.ready):
        assert result.is_late(Output.IMAGE, 0), "napari has what there is"
        assert result.pop_stale(Output.IMAGE)
    third = tuned(result, image, sigma=3.0)
    assert not result.is_late(Output.IMAGE, 0), "there is more than napari has"
    with qtbot.waitSignal(result.signals.ready):
        np.testing.assert_array_equal(
            result.shown(Output.IMAGE, 0, WHOLE), second.image
        )
        assert result.is_late(Output.IMAGE, 0)
    np.testing.assert_array_equal(result.shown(Output.IMAGE, 0, WHOLE), third.image)


def test_nothing_is_late_that_was_never_shown(image):
    """What napari has not asked for, or comes soon, it shall ask for."""
    result = LiveResult([image], LiveSignals(), lambda layer: True)
    tuned(result, image, sigma=1.0)
    assert not result.is_late(Output.IMAGE, 0)
    result.shown(Output.IMAGE, 0, WHOLE)
    expected = tuned(result, image, sigma=2.0)
    assert not result.is_late(Output.IMAGE, 0)
    np.testing.assert_array_equal(result.shown(Output.IMAGE, 0, WHOLE), expected.image)


def test_a_thumbnail_does_not_hide_what_was_missed(qtbot, slow, image):
    """A level that is there in time says nothing of one that is not."""
    small = np.ascontiguousarray(image[::2, ::2])
    result = LiveResult([image, small], LiveSignals(), lambda layer: True)
    tuned(result, image, sigma=1.0)
    thumbnail = Output.EDGE_MAP, 1, (range(20), range(25))
    result.shown(*thumbnail)
    with qtbot.waitSignal(result.signals.ready):
        result.shown(Output.EDGE_MAP, 0, WHOLE)
        result.shown(*thumbnail)
    assert result.pop_stale(Output.EDGE_MAP)


def test_one_slow_moment_does_not_make_it_late(image):
    """A machine that was busy once is waited for again."""
    result = LiveResult([image], LiveSignals(), lambda layer: True)
    tuned(result, image, sigma=1.0)
    for sigma in (1.1, 1.2, 1.3):
        tuned(result, image, sigma=sigma)
        result.shown(Output.IMAGE, 0, WHOLE)
    (kind,) = result._rates
    result._rates[kind] = (*result._rates[kind][1:], 1.0)
    expected = tuned(result, image, sigma=1.4)
    np.testing.assert_array_equal(result.shown(Output.IMAGE, 0, WHOLE), expected.image)
    result._rates[kind] = (1.0, 1.0, 1.0)
    tuned(result, image, sigma=1.5)
    assert result.is_late(Output.IMAGE, 0)


def test_what_was_quick_is_filtered_here(image, monkeypatch):
    """No other thread is woken for what takes less time; only the first time."""
    result = LiveResult([image], LiveSignals(), lambda layer: True)
    tuned(result, image, sigma=1.0)
    result.shown(Output.IMAGE, 0, WHOLE)
    monkeypatch.setattr(result._latest, "put", None)
    for sigma in (1.1, 1.2):
        expected = tuned(result, image, sigma=sigma)
        np.testing.assert_array_equal(
            result.shown(Output.IMAGE, 0, WHOLE), expected.image
        )


class News:
    """What a result sends, without Qt; jobs that read begin at once."""

    def __init__(self):
        self.sent = []
        self.is_ready = threading.Event()

    def send(self, signal, *what):
        self.sent.append((signal, *what))
        if signal in ("ready", "failed"):
            self.is_ready.set()

    def once_drawn(self, callback):
        callback()


def test_without_a_window(slow, image):
    """What is late is sent when it is ready, by whatever listens."""
    news = News()
    result = LiveResult([image], news, lambda layer: True)
    expected = tuned(result, image, sigma=1.0)
    stand_in = result.shown(Output.IMAGE, 0, WHOLE)
    assert result.state(Output.IMAGE, 0) == "updating"
    np.testing.assert_array_equal(stand_in, image)
    assert news.is_ready.wait(20)
    np.testing.assert_array_equal(result.shown(Output.IMAGE, 0, WHOLE), expected.image)
    assert result.state(Output.IMAGE, 0).level == 0


def test_a_failure_is_sent_once(image):
    """Pixels that cannot be read: the reason, and no pixels."""

    class Broken:
        shape, dtype, ndim = image.shape, image.dtype, 2

        def __getitem__(self, key):
            raise OSError("the disk is gone")

    news = News()
    result = LiveResult([Broken()], news, lambda layer: True)
    plan, _ = api.prepare(image, "unsharp_mask")
    result.tune(plan, "unsharp_mask")
    result.shown(Output.IMAGE, 0, WHOLE)
    assert news.is_ready.wait(20)
    result.shown(Output.IMAGE, 0, WHOLE)
    assert news.sent.count(("failed", "the disk is gone")) == 1
    assert result.state(Output.IMAGE, 0).reason == "the disk is gone"
