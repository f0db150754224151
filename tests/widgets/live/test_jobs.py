"""One thread on which only the newest request of each kind counts."""

import threading
from time import monotonic

import pytest

from napari_usm._widgets.live.jobs import _REST, Latest

TIMEOUT = 5


@pytest.fixture
def latest():
    """A thread that has ended when the test has."""
    latest = Latest()
    yield latest
    latest.clear()
    assert wait_until(lambda: latest._thread is None)


@pytest.fixture
def gate():
    """Work that waits until it is let go, and what has begun of it."""
    gate = Gate()
    yield gate
    gate.open.set()


class Gate:
    def __init__(self):
        self.open = threading.Event()
        self.begun = []
        self.delivered = []

    def work(self, name):
        def work(job):
            self.begun.append(name)
            self.open.wait(TIMEOUT)
            self.delivered.append((name, job.deliver()))

        return work


def wait_until(condition, seconds=TIMEOUT):
    end = monotonic() + seconds
    while not condition() and monotonic() < end:
        threading.Event().wait(0.002)
    return condition()


def threads_of_ours():
    return [t for t in threading.enumerate() if t.name == "napari-usm live"]


def test_the_newest_wins(latest, gate):
    """Of what is asked for while something runs, the last is done and nothing else."""
    latest.put("slot", 0, gate.work(0))
    assert wait_until(lambda: gate.begun == [0])
    jobs = [latest.put("slot", n, gate.work(n)) for n in range(1, 20)]
    assert latest.is_behind
    gate.open.set()
    assert jobs[-1].wait(TIMEOUT)
    assert gate.begun == [0, 19]
    assert not any(job.is_done for job in jobs[:-1])
    assert not latest.is_behind


def test_there_is_no_rest_while_something_moves(latest, gate):
    """What is put at rest again and again begins when that is over."""
    gate.open.set()
    for n in range(20):
        latest.put_at_rest("slot", gate.work(n))
        threading.Event().wait(_REST / 5)
    assert gate.begun == []
    assert wait_until(lambda: gate.begun == [19])


def test_slots_do_not_replace_each_other(latest, gate):
    """What waits in one slot is not forgotten for what is asked for in another."""
    latest.put("a", 0, gate.work("a0"))
    assert wait_until(lambda: gate.begun)
    jobs = [latest.put(slot, 1, gate.work(slot + "1")) for slot in "ab"]
    gate.open.set()
    assert all(job.wait(TIMEOUT) for job in jobs)
    assert gate.begun == ["a0", "a1", "b1"]


def test_the_same_is_not_asked_for_twice(latest, gate):
    """What runs or waits already is given back, and what waited behind it is dropped."""
    running = latest.put("slot", "this", gate.work("this"))
    assert wait_until(lambda: gate.begun)
    other = latest.put("slot", "other", gate.work("other"))
    assert latest.put("slot", "other", gate.work("again")) is other
    assert latest.put("slot", "this", gate.work("again")) is running
    gate.open.set()
    assert running.wait(TIMEOUT)
    assert wait_until(lambda: not threads_of_ours())
    assert gate.begun == ["this"]


def test_who_waits_gets_it_and_who_has_gone_is_told(latest, gate):
    """`deliver` says whether somebody still waits: else it must be told otherwise."""
    gone = latest.put("slot", 0, gate.work("gone"))
    assert not gone.wait(0.01)
    gate.open.set()
    assert wait_until(lambda: gone.is_done)
    awaited = latest.put("slot", 1, gate.work("awaited"))
    assert awaited.wait(TIMEOUT)
    assert wait_until(lambda: len(gate.delivered) == 2)
    assert gate.delivered == [("gone", False), ("awaited", True)]


def test_waiting_for_what_is_there(latest):
    """What was delivered between a look and the next is not lost to who waits."""
    job = latest.put("slot", 0, lambda job: job.deliver())
    assert wait_until(lambda: job.is_done)
    assert job.wait(0)


def test_at_rest(latest, gate):
    """What can wait is done once, after all else, and only when there is a pause."""
    done = []
    gate.open.set()
    for n in range(3):
        latest.put_at_rest("rest", lambda job, n=n: done.append((n, len(gate.begun))))
        latest.put("slot", n, gate.work(n))
    assert not latest.is_behind or not done
    assert wait_until(lambda: done)
    assert len(done) == 1
    assert done[0][0] == 2
    assert done[0][1] == len(gate.begun)


def test_what_is_forgotten_is_not_done(latest, gate):
    """`clear` drops what waits, now or for a pause; what runs is finished."""
    running = latest.put("a", 0, gate.work("running"))
    assert wait_until(lambda: gate.begun)
    latest.put("b", 0, gate.work("waiting"))
    latest.put_at_rest("rest", gate.work("at rest"))
    latest.clear()
    gate.open.set()
    assert running.wait(TIMEOUT)
    assert wait_until(lambda: not threads_of_ours())
    assert gate.begun == ["running"]


def test_the_thread_ends_and_comes_back(latest, gate):
    """Without work there is no thread; there is one again as soon as there is work."""
    gate.open.set()
    for n in range(2):
        assert latest.put("slot", n, gate.work(n)).wait(TIMEOUT)
        assert len(threads_of_ours()) == 1
        assert wait_until(lambda: not threads_of_ours(), 1)
    assert gate.begun == [0, 1]


def test_its_result_is_let_go(latest):
    """What the last work held is free as soon as it is done."""
    import weakref

    class Pixels:
        pass

    pixels = Pixels()
    seen = weakref.ref(pixels)
    latest.put("slot", 0, lambda job, pixels=pixels: None).wait(TIMEOUT)
    del pixels
    assert wait_until(lambda: seen() is None, 0.3)


def test_an_error_is_told_and_the_next_is_done(latest, gate, monkeypatch):
    """Work that fails is done for who waits; it costs neither the thread nor the rest."""
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args))

    def fail(job):
        gate.open.wait(TIMEOUT)
        raise OSError("the disk is gone")

    failing = latest.put("a", 0, fail)
    next_one = latest.put("b", 0, gate.work("next"))
    latest.put_at_rest("rest", fail)
    gate.open.set()
    assert failing.wait(TIMEOUT)
    assert next_one.wait(TIMEOUT)
    assert wait_until(lambda: len(told) == 2)
    assert str(told[0].exc_value) == "the disk is gone"
    later = latest.put("a", 0, gate.work("later"))
    assert later.wait(TIMEOUT)
    assert gate.begun == ["next", "later"]
    assert not latest.is_behind


def test_many_who_ask(latest):
    """From many threads at once: nothing is lost, and the last of each slot is done."""
    done = {slot: [] for slot in range(4)}
    last = {}

    def ask(slot):
        for n in range(200):
            last[slot] = latest.put(slot, n, lambda job, n=n: done[slot].append(n))

    threads = [threading.Thread(target=ask, args=(slot,)) for slot in done]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(last[slot].wait(TIMEOUT) for slot in done)
    assert wait_until(lambda: not latest.is_behind)
    for numbers in done.values():
        assert numbers[-1] == 199
        assert numbers == sorted(set(numbers))


def test_a_held_job_begins_when_it_is_released(latest, gate):
    """A held job waits, takes the place of an older one, and counts as behind."""
    gate.open.set()
    latest.put("slot", 0, gate.work(0), hold=True)
    latest.put("slot", 1, gate.work(1), hold=True)
    assert not wait_until(lambda: gate.begun, 0.2)
    assert latest.is_behind
    latest.release()
    assert wait_until(lambda: not latest.is_behind)
    assert gate.begun == [1]


def test_a_held_job_begins_when_it_is_wanted_at_once(latest, gate):
    """A second request for the same without `hold` does not wait for `release`."""
    gate.open.set()
    held = latest.put("slot", 0, gate.work(0), hold=True)
    assert latest.put("slot", 0, gate.work(0)) is held
    assert held.wait(TIMEOUT)
    latest.release()
    assert gate.begun == [0]


def test_held_jobs_are_cancelled(latest, gate):
    """Nothing is left to begin after `clear`."""
    latest.put("slot", 0, gate.work(0), hold=True)
    latest.clear()
    latest.release()
    assert not latest.is_behind
    assert gate.begun == []
