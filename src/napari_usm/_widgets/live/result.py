"""The pixels of a live result: what napari shows is what is ready."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from time import perf_counter
from typing import Any

import numpy as np
from napari.layers import Layer

from napari_usm._engine import memory
from napari_usm._engine.block import Output
from napari_usm._engine.cache import Cache
from napari_usm._engine.fitting import estimate_key, settle, with_estimates
from napari_usm._engine.plan import FittedPlan, Plan
from napari_usm._engine.pyramid import Level, SharpenedLevel, levels_of
from napari_usm._engine.region import DetailCache, LiveImage
from napari_usm._engine.virtual import Index
from napari_usm._widgets.kernels import kernels_of, waiting
from napari_usm._widgets.layers.data import edge_limit, value_range
from napari_usm._widgets.live.array import (
    LiveArray,
    edges_of,
    form,
    layer_axes,
    part,
)
from napari_usm._widgets.live.jobs import Job, Latest
from napari_usm._widgets.live.pixels import LivePixels, Moment
from napari_usm._widgets.live.source import at_hand, computed, read, readable
from napari_usm._widgets.live.state import Failed, Shown, Signals, State
from napari_usm._widgets.live.views import Part, View

# Seconds that the window may be held up for new pixels; two layers ask in a row, and
# napari needs 3 ms for each.
PATIENCE = 0.02

# Bytes of details in the cache of all live results: 25 planes of 2048 x 2048.
_CACHE = DetailCache(2**29)

# Times by which the next one is judged.
_RATES = 3

# Results that are shown again and again, for each level: the plane, and a thumbnail.
_FRONT = 3

# Estimates of the source under different parameters.
_ESTIMATES = 32

# Parts of a slow source that are shown beside the result, for views.
_SOURCES = 3


@dataclass(frozen=True)
class _Front:
    levels: tuple[Level, ...]
    method: str
    pixels: np.ndarray
    shown: Shown


class LiveResult:
    """Result and edge map of some pixels, or a pyramid's, under changing parameters.

    Parameters
    ----------
    sources : sequence of array-like
        Pixels of each level.
    signals : Signals
        Where news is sent.
    draws_on : callable
        Whether a layer is one of the two of this result: its screen may show old
        pixels for a moment, that of no other layer.
    views : dict, optional
        Through which the outputs are shown; it may change at any time.
    """

    def __init__(
        self,
        sources: list[Any],
        signals: Signals,
        draws_on: Callable[[Layer | None], bool],
        views: dict[Output, View] | None = None,
    ) -> None:
        self.signals = signals
        self._views = {} if views is None else views
        self.sources = sources
        self.draws_on = draws_on
        self.levels: tuple[Any, ...] = ()  # the first is a `SharpenedLevel`
        self.moment: Moment
        self._images = self._readable()
        self._plan: Plan | None = None
        self._method = self._taken = ""
        self._known: Cache[Hashable, FittedPlan] = Cache(_ESTIMATES)
        self._front: dict[tuple[str, int], Cache[Index, _Front]] = {}
        self._given: dict[tuple[str, int], tuple[Index, _Front | None]] = {}
        self._stand_ins: dict[tuple[str, int], np.ndarray] = {}
        self._source_parts: Cache[Hashable, np.ndarray] = Cache(_SOURCES)
        self._rates: dict[Hashable, tuple[float, ...]] = {}
        self._failed: dict[Any, Failed] = {}
        self._reported: set[str] = set()
        self._stale: set[str] = set()
        self._states: dict[tuple[str, int], State] = {}
        self._unsettled: State = ""
        self._is_preparing = False
        self._waits = False
        self._era = object()
        self._latest = Latest()

    # --- parameters ---

    @property
    def settled(self) -> FittedPlan:
        """Return the fitted plan of level 0."""
        return self.levels[0].fitted

    @property
    def is_updating(self) -> bool:
        """Return whether a job is not done yet."""
        return self._latest.is_behind

    def tune(self, plan: Plan, method: str) -> bool:
        """Show this plan from now on; whether its pixels can be had at once.

        If not, the whole image is needed first: `ready` is sent when it is done.
        """
        self._plan, self._method = plan, method
        self.moment = Moment(self._images, plan)
        self._failed.clear()
        known = self._known.get(estimate_key(plan))
        if known is None and not plan.needs_estimate:
            known = _without_first_stage(plan)
        if known is not None:
            self._take(with_estimates(plan, known))
            return True
        self._unsettled = "estimating"
        era = self._era
        key = estimate_key(plan), era
        self._latest.put("settle", key, partial(self._settle, plan, era))
        return False

    def forget(self) -> None:
        """The pixels of the source may have changed: keep nothing of them."""
        self._era = object()
        self._latest.clear()
        self._known.clear()
        self._front.clear()
        self._given.clear()
        self._stand_ins.clear()
        self._source_parts.clear()
        self._failed.clear()
        self._reported.clear()
        self._images = self._readable()

    def _readable(self) -> list[LiveImage]:
        return [LiveImage(readable(each), _CACHE) for each in self.sources]

    def stop(self) -> None:
        """Cancel all jobs: these pixels are no longer shown."""
        self._plan = None
        self.forget()

    def _take(self, settled: FittedPlan) -> None:
        self.levels, self._taken = levels_of(self._images, settled), self._method
        self.moment.take(self.levels)

    def _settle(self, plan: Plan, era: object, job: Job) -> None:
        try:
            # Only the estimates of a method need kernels.
            estimates = plan.method.estimates
            if estimates and not self._kernels_are_ready(plan, self._method):
                return
            running = settle(plan, computed(self._images[0].pixels))
            while self._has_same_estimates(plan) and era is self._era:
                try:
                    next(running)
                except StopIteration as stop:
                    self._store(plan, era, stop.value)
                    break
        except Exception as error:
            failed = self._fail(error)
            if self._has_same_estimates(plan):
                self._unsettled = failed
            self._send("changed")
            return
        self._send("ready")

    def _store(self, plan: Plan, era: object, settled: FittedPlan) -> None:
        if era is not self._era:
            return  # these pixels are no more
        self._known.put(estimate_key(plan), settled)
        if self._plan is not None and self._has_same_estimates(plan):
            self._take(with_estimates(self._plan, settled))

    def _is_latest(self, plan: Plan) -> bool:
        """Return whether the method of a plan is still the latest."""
        latest = self._plan
        return latest is not None and repr(latest.method) == repr(plan.method)

    def _has_same_estimates(self, plan: Plan) -> bool:
        """Return whether the latest plan has the same estimates."""
        latest = self._plan
        return latest is not None and estimate_key(latest) == estimate_key(plan)

    def _kernels_are_ready(self, plan: Plan, method: str) -> bool:
        """Wait for kernels that are being compiled; False if no longer wanted."""
        try:
            for is_long in waiting(kernels_of(plan, method)):
                if not self._is_latest(plan):
                    return False
                if is_long:
                    self._is_preparing = True
                    self._send("changed")  # again and again: there is progress
            return True
        finally:
            if self._is_preparing:
                self._is_preparing = False
                self._send("changed")

    # --- pixels ---

    def array(self, which: Output, level: int, chunks: Any = None) -> LiveArray:
        """Return result or edge map of a level, as napari's layers take it."""
        # Of the sources: the plans of the levels may not be known yet.
        assert self._plan is not None
        shape, dtype = form(self._plan, which)
        shape = tuple(self.sources[level].shape[: len(shape)])
        return LiveArray(shape, dtype, LivePixels(self, which, level), chunks)  # type: ignore[abstract]

    def exact(self, which: Output, level: int, index: Index) -> np.ndarray:
        """Return true pixels, however long it takes."""
        return part(self.moment.levels()[level], which, index)

    def shown(self, which: Output, level: int, index: Index) -> np.ndarray:
        """Return new pixels if they are quick, else old ones; `ready` follows then."""
        if self._plan is None:
            return self.exact(which, level, index)  # napari would not be notified later
        self._stand_ins.pop((which, level), None)
        pixels = self._newest(which, level, index)
        return self._viewed(which, level, index, pixels, self._waits)

    def _newest(self, which: Output, level: int, index: Index) -> np.ndarray:
        if self._waits:
            with suppress(Exception):  # it is reported where it is computed
                return self._when_ready(which, level, index)
        levels = self.levels
        front = self._front_of(which, level, index)
        old = front is None or front.levels is not levels
        if old and self._is_ready(levels, which, level, index):
            front = self._front_of(which, level, index)
        self._given[which, level] = index, front
        if front is not None and front.levels is levels:
            self._deliver(front)
            return front.pixels
        self._set_late(levels, which, level, index)
        if front is not None:
            return front.pixels
        self._stand_ins[which, level] = self._make_stand_in(which, level, index)
        return self._stand_ins[which, level]

    def shown_range(self, which: Output, level: int) -> tuple[float, float] | None:
        """Return the range of an output's pixels on the screen, without its view."""
        _, front = self._given.get((which, level), ((), None))
        return None if front is None else value_range(front.pixels)

    def stand_in(self, which: Output, level: int) -> np.ndarray | None:
        """Return what napari got instead of pixels that were never computed."""
        return self._stand_ins.get((which, level))

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Give napari nothing but true pixels, however long that takes."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def is_late(self, which: Output, level: int) -> bool:
        """Begin with what napari shows of a level; return whether `ready` follows.

        Then napari need not slice the old pixels again meanwhile.
        """
        index, given = self._given.get((which, level), ((), None))
        front = self._front_of(which, level, index)
        if given is None or front is None or front.pixels is not given.pixels:
            return False
        if front.levels is self.levels:
            return False  # it is the view that has changed
        here = self.levels, which, level, index
        if self._is_quick(*here) or self._is_ready(*here):
            return False
        self._set_late(*here)
        return True

    def _is_ready(
        self, levels: tuple[Level, ...], which: Output, level: int, index: Index
    ) -> bool:
        """Request pixels, and wait if they are quick; return whether they are ready."""
        key = which, level, index, id(levels)
        if not levels or key in self._failed:
            return False
        if which not in (Output.IMAGE, edges_of(levels[0].plan)):
            return False  # of what was shown before, and is still settled
        if self._is_at_hand(levels[level], which, index):
            # Here: to wake another thread and be woken takes 2 ms where both sleep.
            self._try_to_compute(levels, which, level, index)
            return key not in self._failed
        patience = PATIENCE if self._is_quick(levels, which, level, index) else 0
        work = partial(self._run_job, levels, which, level, index)
        # Draw first: reading and filtering at the same time
        # takes a fifth longer for another plane of 8192 x 8192.
        hold = not patience and threading.current_thread() is threading.main_thread()
        job = self._latest.put((which, level), key, work, hold)
        if hold:
            self.signals.once_drawn(self._latest.release)
        return job.wait(patience)

    def _set_late(
        self, levels: tuple[Level, ...], which: Output, level: int, index: Index
    ) -> None:
        """Mark the pixels that napari has as old."""
        self._stale.add(which)
        key = which, level, index, id(levels)
        self._set_state(which, level, self._failed.get(key, "updating"))

    def awaited(self, which: Output, level: int, index: Index) -> np.ndarray:
        """New pixels, for a thread of napari's: it shows them when it has them."""
        self._stand_ins.pop((which, level), None)
        pixels = self._when_ready(which, level, index)
        return self._viewed(which, level, index, pixels, True)

    def _when_ready(self, which: Output, level: int, index: Index) -> np.ndarray:
        levels = self.moment.levels()
        front = self._front_of(which, level, index)
        if front is None or front.levels is not levels:
            front = self._compute(levels, which, level, index)
        self._given[which, level] = index, front
        self._deliver(front)
        return front.pixels

    def _viewed(
        self, which: Output, level: int, index: Index, pixels: np.ndarray, waits: bool
    ) -> np.ndarray:
        """Return what the view of an output makes of its pixels, if it has one."""
        view = self._views.get(which)
        if view is None:
            return pixels
        shapes = self.sources[0].shape, self.sources[level].shape
        factors = tuple(whole / n for whole, n in zip(*shapes, strict=True))
        source = partial(self._source_of, level, index, waits)
        amount = self.levels[0].fitted.public.amount if self.levels else 1.0
        seen = view(Part(pixels, index, factors, source, amount))
        if seen is not pixels:
            self._stand_ins[which, level] = seen
        return seen

    def _source_of(self, level: int, index: Index, waits: bool) -> np.ndarray | None:
        """Return pixels of the source; None if they are slow: `ready` follows then."""
        assert self._plan is not None
        key = level, index
        pixels = at_hand(self._images[level].pixels, index)
        if pixels is None:
            pixels = self._source_parts.get(key)
        if pixels is None:
            if waits:
                self._read_source(level, index)
            else:
                work = partial(self._bring_source, level, index)
                want = "source", level, index, self._era
                job = self._latest.put(("source", level), want, work)
                job.wait(PATIENCE)
            pixels = self._source_parts.get(key)
        if pixels is None:
            self._stale.add(Output.IMAGE)
            return None
        return pixels.astype(form(self._plan, Output.IMAGE)[1], copy=False)

    def _read_source(self, level: int, index: Index) -> None:
        pixels = read(self._images[level].pixels, index)
        self._source_parts.put((level, index), pixels)

    def _bring_source(self, level: int, index: Index, job: Job) -> None:
        """Read pixels of the source for a view."""
        try:
            self._read_source(level, index)
        except Exception as error:
            self._fail(error)
            return
        if not job.deliver():
            self._send("ready")

    def pop_stale(self, which: Output) -> bool:
        """Return whether napari got old pixels of an output since the last call."""
        was_stale = which in self._stale
        self._stale.discard(which)
        return was_stale

    def state(self, which: Output, level: int) -> State:
        """Return the state of the last pixels of a level that napari got."""
        if self._is_preparing:
            return "preparing"
        if not self.levels or self.settled.plan is not self._plan:
            return self._unsettled
        return self._states.get((which, level), "updating")

    def _front_of(self, which: Output, level: int, index: Index) -> _Front | None:
        fronts = self._front.get((which, level))
        return None if fronts is None else fronts.get(index)

    def _set_state(self, which: Output, level: int, state: State) -> None:
        self._states[which, level] = state
        self._send("changed")

    def _deliver(self, front: _Front) -> None:
        """Mark pixels as shown; their report is computed when there is time."""
        shown, source = front.shown, front.levels[front.shown.level]
        self._set_state(shown.which, shown.level, shown)
        few = not shown.is_too_large
        if shown.edge_limit is None and few and isinstance(source, SharpenedLevel):
            work = partial(self._report, front, source)
            self._latest.put_at_rest((shown.which, shown.level), work)

    def _run_job(
        self,
        levels: tuple[Level, ...],
        which: Output,
        level: int,
        index: Index,
        job: Job,
    ) -> None:
        if not self._kernels_are_ready(levels[0].plan, self._taken):
            return
        self._try_to_compute(levels, which, level, index)
        if not job.deliver():
            self._send("ready")

    def _try_to_compute(
        self, levels: tuple[Level, ...], which: Output, level: int, index: Index
    ) -> None:
        try:
            self._compute(levels, which, level, index)
        except Exception as error:
            self._failed[which, level, index, id(levels)] = self._fail(error)

    def _compute(
        self, levels: tuple[Any, ...], which: Output, level: int, index: Index
    ) -> _Front:
        source = levels[level]
        kind, started = _kind(source, which, index), perf_counter()
        pixels = part(source, which, index)
        seconds = perf_counter() - started
        if pixels.size:
            rates = *self._rates.get(kind, ()), seconds / pixels.size
            self._rates[kind] = rates[-_RATES:]
        pixels.flags.writeable = False
        shown = Shown(which, level, index, seconds, levels[0].fitted, source.shows)
        return self._put_front(_Front(levels, self._taken, pixels, shown))

    def _put_front(self, front: _Front) -> _Front:
        shown = front.shown
        fronts = self._front.setdefault((shown.which, shown.level), Cache(_FRONT))
        fronts.put(shown.index, front)
        return front

    def _report(self, front: _Front, source: SharpenedLevel, job: Job) -> None:
        """Compute the report on pixels, if they are still shown."""
        shown = front.shown
        if self._front_of(shown.which, shown.level, shown.index) is not front:
            return
        report = values = None
        try:
            if shown.which == Output.IMAGE:
                report = source.report(shown.index)
                values = value_range(front.pixels)
            edge_index = shown.index[: layer_axes(source.plan)]
            edges = edges_of(front.levels[0].plan)
            limit = edge_limit(part(source, edges, edge_index))
        except Exception as error:
            self._fail(error)
            return
        known = replace(shown, report=report, edge_limit=limit, values=values)
        self._put_front(replace(front, shown=known))
        if self._states.get((shown.which, shown.level)) is shown:
            self._set_state(shown.which, shown.level, known)

    def _is_at_hand(self, level: Level, which: Output, index: Index) -> bool:
        """Return whether pixels need no reading, and such ones were quick before."""
        if self._latest.is_behind:
            return False
        rates = self._rates.get(_kind(level, which, index))
        if rates is None or _size(index) * max(rates) > PATIENCE:
            return False
        return level.is_at_hand(index) or level.is_cached(index)

    def _is_quick(
        self, levels: tuple[Level, ...], which: Output, level: int, index: Index
    ) -> bool:
        """Return whether pixels are expected within the patience."""
        if self._latest.is_behind:
            return False
        # At best: what keeps the machine busy once will not do so for ever.
        rate = min(self._rates.get(_kind(levels[level], which, index), (0.0,)))
        return _size(index) * rate <= PATIENCE

    def _make_stand_in(self, which: Output, level: int, index: Index) -> np.ndarray:
        """Return stand-ins for pixels: those of the source, if they are in memory."""
        assert self._plan is not None
        _, dtype = form(self._plan, which)
        if which == Output.IMAGE and self.sources[level].dtype == dtype:
            pixels = at_hand(self._images[level].pixels, index)
            if pixels is not None:
                return pixels
        shape = [len(span) for span in index if isinstance(span, range)]
        return np.zeros(shape, dtype)

    # --- signals ---

    def _fail(self, error: Exception) -> Failed:
        """Report an error, but the same one only once."""
        failed = Failed(str(error) or type(error).__name__)
        if failed.reason not in self._reported:
            self._reported.add(failed.reason)
            self._send("failed", failed.reason)
        return failed

    def _send(self, signal: str, *what: Any) -> None:
        if self._plan is not None:
            self.signals.send(signal, *what)


def _kind(level: Level, which: Output, index: Index) -> Hashable:
    """Return a key of what takes about as long for a pixel, by the same kernels."""
    if level.is_cached(index):
        return which
    return which, level.is_at_hand(index), level.kernels


def _size(index: Index) -> int:
    """Return the number of pixels."""
    return prod(len(span) for span in index if isinstance(span, range))


def _without_first_stage(plan: Plan) -> FittedPlan:
    return memory.result_of(settle(plan, None))
