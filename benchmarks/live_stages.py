"""Where the time of a tick goes on the window's thread, stage by stage."""

import threading
from collections import defaultdict
from functools import wraps
from time import perf_counter

import numpy as np
from live_session import Clock
from napari._vispy.layers.scalar_field import VispyScalarFieldBaseLayer
from napari.layers import Image, Layer

from napari_usm._engine import region
from napari_usm._widgets.dock.method_page import MethodPage
from napari_usm._widgets.live import pair
from napari_usm._widgets.live.jobs import Job
from napari_usm._widgets.live.result import LiveResult

#: Functions of each stage. One that another calls is not counted in that.
STAGES = {
    "controls, recipe": (
        (MethodPage, "fit"),
        (pair, "layer_run"),
        (LiveResult, "tune"),
    ),
    "filter": ((region, "filtered"),),
    "finish": ((region, "finished"),),
    "waiting": ((Job, "wait"),),
    "napari's slices": ((Layer, "refresh"),),
    "thumbnails": ((Image, "_update_thumbnail"),),
    "canvas": ((VispyScalarFieldBaseLayer, "_on_data_change"),),
}


class StageClock(Clock):
    """A clock that notes the stages of each tick too.

    Parameters
    ----------
    layers, pair
        As for `Clock`.
    """

    def __init__(self, layers, pair=None):
        super().__init__(layers, pair)
        self._spent = defaultdict(float)
        self._inner = [0.0]
        #: Seconds of each tick by stage, the whole as "all".
        self.ticks = []

    def __enter__(self):
        self._plain = []
        for stage, functions in STAGES.items():
            for owner, name in functions:
                function = getattr(owner, name)
                self._plain.append((owner, name, function))
                setattr(owner, name, self._timed(stage, function))
        return self

    def __exit__(self, *_):
        for owner, name, function in self._plain:
            setattr(owner, name, function)

    def seconds(self, change):
        """Make a change and rest, and note the stages."""
        self._spent.clear()
        whole = super().seconds(change)
        self.ticks.append({**self._spent, "all": whole})
        return whole

    def medians(self, count):
        """Return the median milliseconds of the last ticks: stages, rest, all."""
        last = self.ticks[-count:]
        stages = [1000 * np.median([tick.get(s, 0) for tick in last]) for s in STAGES]
        whole = 1000 * np.median([tick["all"] for tick in last])
        return [*stages, whole - sum(stages), whole]

    def _timed(self, stage, function):
        @wraps(function)
        def timed(*arguments, **keywords):
            if threading.current_thread() is not threading.main_thread():
                return function(*arguments, **keywords)
            self._inner.append(0.0)
            start = perf_counter()
            try:
                return function(*arguments, **keywords)
            finally:
                seconds = perf_counter() - start
                self._spent[stage] += seconds - self._inner.pop()
                self._inner[-1] += seconds

        return timed
