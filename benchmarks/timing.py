"""Calls timed in turn, so that what slows the machine slows all of them."""

import gc
import statistics
from math import ceil
from time import process_time

import numpy as np
from numba import njit

# Seconds of a turn at least: a call that takes less is repeated within it.
_TURN = 2e-3

# The result of a floating-point multiply-add is ready after four cycles on Intel's
# processors since Skylake and AMD's since Zen 3.
_LATENCY, _MULTIPLY_ADDS = 4, 300_000


class Stopwatch:
    """A call that returns its seconds.

    Parameters
    ----------
    call : callable
        What it returns is freed after the time is taken.
    clock : callable, default process_time
        The processor's time, of all threads, is not disturbed by other processes.
    """

    def __init__(self, call, clock=process_time):
        self._call, self._clock, self._count = call, clock, 1

    def __call__(self):
        """Return the seconds of the call, the mean of several if it is short."""
        start = self._clock()
        for _ in range(self._count):
            result = self._call()
        seconds = self._clock() - start
        del result
        return seconds / self._count

    def prepare(self):
        """Call once without the clock, and choose the number of calls in a turn."""
        self._count = 1
        self()
        self._count = ceil(_TURN / max(self(), 1e-7))


def in_turns(calls, turns, clock=process_time):
    """Return the seconds of each call in each turn.

    Parameters
    ----------
    calls : dict of name to callable
    turns : int
        How often each runs, after two calls that are not counted.
    clock : callable, default process_time
        For calls on several threads `time.perf_counter`.

    Returns
    -------
    dict of name to list of float
    """
    watches = {name: Stopwatch(call, clock) for name, call in calls.items()}
    for watch in watches.values():
        watch.prepare()
    times = {name: [] for name in calls}
    gc.disable()  # or one call would clear up after another
    try:
        for turn in range(turns):
            gc.collect()
            order = list(watches)
            for name in order if turn % 2 else reversed(order):
                times[name].append(watches[name]())
    finally:
        gc.enable()
    return times


def ratio(times, others):
    """Return the median of the ratios in the same turn."""
    return statistics.median(t / o for t, o in zip(times, others, strict=True))


def milliseconds(times):
    """Return the median of the times."""
    return 1000 * statistics.median(times)


def multiply_adds():
    """Take a known number of cycles; `cycles` reads the clock rate from it."""
    return _chain(_MULTIPLY_ADDS, np.float64(0.5), np.float64(0.1))


def cycles(times, chain):
    """Return the cycles of a call, from the times of `multiply_adds` in its turns."""
    return ratio(times, chain) * _LATENCY * _MULTIPLY_ADDS


@njit(cache=True, fastmath={"contract"})
def _chain(count, factor, term):
    value = term
    for _ in range(count):  # each waits for the one before
        value = value * factor + term
    return value
