"""The pixels of a live result: what napari shows is what is ready."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from time import perf_counter
from typing import Any

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal

from napari_usm import warm_up
from napari_usm.run import eager
from napari_usm.run.latest import Job, Latest
from napari_usm.run.levels import Level, SharpenedLevel, levels_of
from napari_usm.run.live import DetailCache, LiveImage, Settled
from napari_usm.run.plan import Plan
from napari_usm.run.report import Report
from napari_usm.run.settle import settle
from napari_usm.run.virtual import Index
from napari_usm.widgets.layer_data import edge_limit
from napari_usm.widgets.live_array import (
    EDGE_MAP,
    IMAGE,
    FrozenPixels,
    LiveArray,
    form,
    layer_axes,
    part,
)
from napari_usm.widgets.slow_source import at_hand, computed, readable

# Seconds that the window may be held up for new pixels; two layers ask in a row, and
# napari needs 3 ms for each.
PATIENCE = 0.02

# Bytes of detail that is kept for all live results: 25 planes of 2048 x 2048.
_CACHE = DetailCache(2**29)

# A report on more pixels would make the machine busy at every change.
_REPORTED = 2**24

# Results that are shown again and again, for each level: the plane, and a thumbnail.
_FRONT = 3


@dataclass(frozen=True)
class Shown:
    """What was shown last.

    Attributes
    ----------
    level, index
        Of which level, and what of it.
    seconds : float
        How long it took.
    settled : Settled
        By what.
    shows : str
        What the pixels of this level are.
    report : Report, optional
        What was done to these pixels, once it is known.
    edge_limit : float, optional
        Symmetric contrast limit for their edge map, likewise.
    """

    level: int
    index: Index
    seconds: float
    settled: Settled
    shows: str
    report: Report | None = None
    edge_limit: float | None = None


class LiveSignals(QObject):
    """What a live result tells, on the window's thread."""

    #: Pixels are there that napari could not wait for.
    ready = Signal()
    #: A `Shown`: pixels were given to napari; then again, with their report.
    shown = Signal(object)
    #: The same, of what is on the screen: no thumbnails, and nothing outdated.
    on_screen = Signal(object)
    #: What is being waited for, in a word.
    waiting = Signal(str)
    #: Why there are no pixels.
    failed = Signal(str)
    #: There will be no more.
    ended = Signal()


@dataclass(frozen=True)
class _Front:
    levels: tuple[Level, ...]
    pixels: np.ndarray
    shown: Shown


class LiveResult:
    """Result and edge map of some pixels, or a pyramid's, under changing parameters.

    Parameters
    ----------
    sources : sequence of array-like
        Pixels of each level.
    signals : LiveSignals
        Where to tell.
    """

    def __init__(self, sources: list[Any], signals: LiveSignals) -> None:
        self.signals = signals
        self.sources = sources
        self.levels: tuple[Level, ...] = ()
        self._images = self._readable()
        self._asked: Plan | None = None
        self._method = ""
        self._known: OrderedDict[str, Settled] = OrderedDict()
        self._front: dict[tuple[str, int], OrderedDict[Index, _Front]] = {}
        self._rates: dict[bool, float] = {}
        self._failed: set[Any] = set()
        self._stale: set[str] = set()
        self._told: Shown | None = None
        self._latest = Latest()
        self._lock = threading.RLock()

    # --- parameters ---

    @property
    def settled(self) -> Settled:
        """What level 0 is sharpened by."""
        return self.levels[0].settled

    @property
    def is_updating(self) -> bool:
        """Whether what is shown is not yet what was asked for."""
        return self._latest.is_behind

    def tune(self, plan: Plan, method: str) -> bool:
        """Show this plan from now on; whether its pixels can be had at once.

        If not, something is found in the whole image first: `ready` tells when.
        """
        self._asked, self._method = plan, method
        self._failed.clear()
        key = repr(plan.method)
        if key in self._known or not eager.needs_first_stage(plan):
            known = self._known.get(key) or _without_first_stage(plan)
            self._take(replace(known, plan=plan))
            return True
        self._latest.put("settle", key, partial(self._settle, plan))
        return False

    def forget(self) -> None:
        """The pixels of the source may have changed: keep nothing of them."""
        self._latest.clear()
        self._known.clear()
        self._front.clear()
        self._failed.clear()
        self._images = self._readable()

    def _readable(self) -> list[LiveImage]:
        return [LiveImage(readable(each), _CACHE) for each in self.sources]

    def stop(self) -> None:
        """Do nothing more: nobody looks at these pixels any longer."""
        self._asked = None
        self._latest.clear()

    def _take(self, settled: Settled) -> None:
        self.levels = levels_of(self._images, settled)

    def _settle(self, plan: Plan, job: Job) -> None:
        self._tell("waiting", "estimating")
        try:
            if not self._kernels_are_there(plan):
                return
            running = settle(plan, computed(self._images[0].pixels))
            while self._is_asked(plan):
                try:
                    next(running)
                except StopIteration as stop:
                    self._keep(plan, stop.value)
                    break
        except Exception as error:
            self._fail(("settle", repr(plan.method)), error)
            return
        self._tell("ready")

    def _keep(self, plan: Plan, settled: Settled) -> None:
        self._known[repr(plan.method)] = settled
        while len(self._known) > 32:
            self._known.popitem(last=False)
        if self._is_asked(plan):
            self._take(replace(settled, plan=self._asked))

    def _is_asked(self, plan: Plan) -> bool:
        """Whether this is still what is wanted, though maybe asked for once more."""
        asked = self._asked
        return asked is not None and repr(asked.method) == repr(plan.method)

    def _kernels_are_there(self, plan: Plan) -> bool:
        """Wait while kernels are compiled elsewhere; False if nobody waits any more."""
        dimensions = warm_up.VOLUMES if len(plan.axes) > 2 else warm_up.PLANES
        kernels = self._method, dimensions, plan.dtype.name
        while not warm_up.session.wait(*kernels, 0.2):
            self._tell("waiting", "preparing")
            if not self._is_asked(plan):
                return False
        return True

    # --- pixels ---

    def array(self, which: str, level: int, chunks: Any = None) -> LiveArray:
        """Result or edge map of a level, as napari's layers take it."""
        # Of the sources: the plans of the levels may not be known yet.
        shape, dtype = form(self._asked, which)
        shape = tuple(self.sources[level].shape[: len(shape)])
        return LiveArray(shape, dtype, LivePixels(self, which, level), chunks)

    def exact(self, which: str, level: int, index: Index) -> np.ndarray:
        """True pixels, however long it takes."""
        return part(self._exact_levels()[level], which, index)

    def shown(self, which: str, level: int, index: Index) -> np.ndarray:
        """New pixels if they can be had at once; else old ones, and `ready` tells."""
        levels = self.levels
        front = self._front_of(which, level, index)
        if front is not None and front.levels is levels:
            self._deliver(which, front)
            return front.pixels
        key = which, level, index, id(levels)
        if levels and key not in self._failed:
            late = self._latest.is_behind
            work = partial(self._make, levels, which, level, index)
            job = self._latest.put((which, level), key, work)
            quick = not late and self._expected(levels[level], index) <= PATIENCE
            if job.wait(PATIENCE if quick else 0):
                front = self._front_of(which, level, index)
        if front is not None and front.levels is levels:
            self._deliver(which, front)
            return front.pixels
        self._stale.add(which)
        return self._stand_in(which, level, index) if front is None else front.pixels

    def is_stale(self, which: str) -> bool:
        """Whether what napari got last of result or edge map was not up to date."""
        return which in self._stale

    def _front_of(self, which: str, level: int, index: Index) -> _Front | None:
        with self._lock:
            return self._front.get((which, level), {}).get(index)

    def _deliver(self, which: str, front: _Front) -> None:
        """These are shown now: tell what they are, unless that has been told."""
        self._stale.discard(which)
        if which == IMAGE and self._told is not front.shown:
            self._told = front.shown
            self._tell("shown", front.shown)

    def _make(
        self,
        levels: tuple[Level, ...],
        which: str,
        level: int,
        index: Index,
        job: Job,
    ) -> None:
        try:
            if not self._kernels_are_there(levels[0].plan):
                return
            source = levels[level]
            kept, started = source.is_kept(index), perf_counter()
            pixels = part(source, which, index)
            seconds = perf_counter() - started
        except Exception as error:
            self._fail((which, level, index, id(levels)), error)
            return
        if pixels.size:
            self._rates[kept] = seconds / pixels.size
        pixels.flags.writeable = False
        shown = Shown(level, index, seconds, levels[0].settled, source.shows)
        with self._lock:
            fronts = self._front.setdefault((which, level), OrderedDict())
            fronts[index] = _Front(levels, pixels, shown)
            fronts.move_to_end(index)
            while len(fronts) > _FRONT:
                fronts.popitem(last=False)
        if not job.deliver():
            self._tell("ready")

    def report(self, shown: Shown) -> None:
        """Tell what was done to these pixels, when there is time."""
        levels = self.levels
        if not levels or levels[0].settled is not shown.settled:
            return
        source = levels[shown.level]
        pixels = prod(len(asked) for asked in shown.index if isinstance(asked, range))
        if pixels <= _REPORTED and isinstance(source, SharpenedLevel):
            work = partial(self._report, shown, source, self._method)
            self._latest.put_at_rest(work)

    def _report(
        self, shown: Shown, source: SharpenedLevel, method: str, job: Job
    ) -> None:
        try:
            report = source.report(shown.index, method)
            edge_index = shown.index[: layer_axes(source.plan)]
            limit = edge_limit(part(source, EDGE_MAP, edge_index))
        except Exception as error:
            self._tell("failed", str(error))
            return
        if self.levels and self.levels[shown.level] is source:
            known = replace(shown, report=report, edge_limit=limit)
            with self._lock:
                front = self._front_of(IMAGE, shown.level, shown.index)
                if front is not None and front.shown is shown:
                    self._told = known
                    fronts = self._front[IMAGE, shown.level]
                    fronts[shown.index] = replace(front, shown=known)
            self._tell("shown", known)

    def _expected(self, level: Level, index: Index) -> float:
        """Seconds that these pixels will take, as far as is known; 0 if it is not."""
        pixels = prod(len(asked) for asked in index if isinstance(asked, range))
        return pixels * self._rates.get(level.is_kept(index), 0.0)

    def _exact_levels(self) -> tuple[Level, ...]:
        """What was asked for last, though it may not be shown yet."""
        plan, levels = self._asked, self.levels
        if plan is None or (levels and levels[0].plan is plan):
            return levels
        settled = eager.result_of(settle(plan, computed(self._images[0].pixels)))
        return levels_of(self._images, settled)

    def _stand_in(self, which: str, level: int, index: Index) -> np.ndarray:
        """Where there are no old pixels: the source's, if they are at hand."""
        plan = self.levels[level].plan if self.levels else self._asked
        _, dtype = form(plan, which)
        source = self.sources[level]
        if which == IMAGE and source.dtype == dtype:
            pixels = at_hand(self._images[level].pixels, index)
            if pixels is not None:
                return pixels
        shape = [len(asked) for asked in index if isinstance(asked, range)]
        return np.zeros(shape, dtype)

    # --- telling ---

    def _fail(self, key: Any, error: Exception) -> None:
        self._failed.add(key)
        self._tell("failed", str(error) or type(error).__name__)

    def _tell(self, signal: str, *what: Any) -> None:
        if isalive(self.signals):
            getattr(self.signals, signal).emit(*what)


class LivePixels:
    """Makes the pixels of one array of a live result."""

    def __init__(self, result: LiveResult, which: str, level: int) -> None:
        self._result = result
        self._which = which
        self._level = level

    def __call__(self, index: Index) -> np.ndarray:
        """True pixels."""
        return self._result.exact(self._which, self._level, index)

    def shown(self, index: Index) -> np.ndarray:
        """What napari shows."""
        return self._result.shown(self._which, self._level, index)

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenPixels:
        levels = self._result._exact_levels()
        return FrozenPixels(levels[self._level], self._which)


def _without_first_stage(plan: Plan) -> Settled:
    return eager.result_of(settle(plan, None))
