"""Tools timed in turn, so that what slows the machine slows all of them."""

import gc
import statistics
from time import perf_counter


def stopwatch(call):
    """A tool that runs `call` and gives its seconds; what it returns is freed after."""

    def seconds():
        start = perf_counter()
        result = call()
        stop = perf_counter()
        del result
        return stop - start

    return seconds


def in_turns(tools, turns):
    """Seconds of each tool in each turn, after one call of all that is not counted.

    Parameters
    ----------
    tools : dict of name to callable
        Each gives its own seconds.
    turns : int
        How often.

    Returns
    -------
    dict of name to list of float
    """
    for tool in tools.values():
        tool()
    times = {name: [] for name in tools}
    gc.disable()  # or one tool would clear up after another
    try:
        for _ in range(turns):
            gc.collect()
            for name, tool in tools.items():
                times[name].append(tool())
    finally:
        gc.enable()
    return times


def ratio(times, others):
    """Median of the ratios in the same turn."""
    return statistics.median(t / o for t, o in zip(times, others, strict=True))


def milliseconds(times):
    """Median of the times."""
    return 1000 * statistics.median(times)
