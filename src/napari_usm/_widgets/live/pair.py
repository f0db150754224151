"""A result and its edge map that follow the parameters: two layers of a viewer."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import QTimer

from napari_usm._engine.block import Output
from napari_usm._widgets.layers.data import EMPTY_LIMIT, GEOMETRY, METADATA, plain_name
from napari_usm._widgets.layers.functions import layer_run
from napari_usm._widgets.layers.results import LiveKey, results_of
from napari_usm._widgets.live.array import edges_of, form
from napari_usm._widgets.live.result import LiveResult
from napari_usm._widgets.live.settled_layers import SettledInsertions
from napari_usm._widgets.live.signals import LiveSignals
from napari_usm._widgets.live.stand_ins import StandInGuard, before_screenshots
from napari_usm._widgets.live.state import Shown, State

if TYPE_CHECKING:
    from napari.components import LayerList, ViewerModel

    from napari_usm._widgets.layers.results import ResultLayers
    from napari_usm._widgets.layers.run import LayerRun
    from napari_usm._widgets.live.views import View

# What napari asks for of a pyramid comes in whole chunks: with these, small moves of
# the view ask for nothing new.
_CHUNK = 512

# What the layers take over whenever it changes in the source: else they would show
# other places, or other planes of a thick slice.
_FOLLOWED = (*GEOMETRY, "projection_mode")

_pairs: weakref.WeakKeyDictionary[Image, LivePair] = weakref.WeakKeyDictionary()


def pair_of(layer: Any) -> LivePair | None:
    """Return the live pair that a layer belongs to."""
    return _pairs.get(layer) if isinstance(layer, Image) else None


def free_pairs(layers: LayerList, source: Image) -> list[LivePair]:
    """Return the live pairs of a source layer in a viewer that have no owner."""
    results, pairs = results_of(layers, source), {*_pairs.values()}
    return [each for each in pairs if each.results is results and each.owner is None]


def finish_all() -> None:
    """Show true pixels in all live layers, as a screenshot needs them."""
    for pair in {*_pairs.values()}:
        pair.finish()


class LivePair:
    """Two layers whose pixels are sharpened when they are shown.

    They outlive the dock that made them; until somebody tunes them again, their
    parameters are those of the last time.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer that shows them.
    source : napari.layers.Image
        The layer that is sharpened.
    """

    def __init__(self, viewer: ViewerModel, source: Image) -> None:
        self.signals = LiveSignals()
        self.results: ResultLayers = results_of(viewer.layers, source)
        # Not the pair itself, which refers to the source: keys must not keep it alive.
        self.key: Any = LiveKey()
        self.owner: Any = None
        self.run: LayerRun | None = None
        self.method = ""
        self.controls: dict[str, Any] = {}
        self._views: dict[Output, View] = {}
        self._source = weakref.ref(source)
        self._dims = weakref.ref(getattr(viewer.dims, "__wrapped__", viewer.dims))
        self._live: LiveResult | None = None
        self._edge_key: Any = None
        self._refreshed: Any = None
        self._known: Shown | None = None
        self._limits: dict[str, float] = {}
        #: Whether layers are being put in place: events of that come too early.
        self.is_placing = False
        self._is_refreshed = False
        self._connected: list[tuple[Any, Any]] = []
        self._guards: weakref.WeakKeyDictionary[Image, StandInGuard] = (
            weakref.WeakKeyDictionary()
        )
        self._listen(viewer.layers, source)
        before_screenshots(finish_all)
        self.signals.ready.connect(self.refresh)
        self.signals.changed.connect(self._on_changed)
        self.signals.failed.connect(self._on_failed)

    # --- for a dock ---

    @property
    def source(self) -> Image | None:
        """Return the layer that is sharpened, as long as it is in the viewer."""
        source = self._source()
        return source if source is not None and self.results.has(source) else None

    @property
    def layers(self) -> list[Image]:
        """Return the two layers, or the one that the user has not removed."""
        return [layer for _, layer in self._present()]

    @property
    def is_deleted(self) -> bool:
        """Return whether the result has left the viewer, but not its source."""
        return self.source is not None and self.results.layer(self.key, 0) is None

    @property
    def is_updating(self) -> bool:
        """Return whether the layers do not show the latest parameters yet."""
        return self._live is not None and self._live.is_updating

    @property
    def state(self) -> State:
        """Return the state of the layer on the screen: the result if visible."""
        for which, layer in self._present():
            if layer.visible and self._live is not None:
                return self._live.state(which, self._level(layer))
        return "hidden"

    @property
    def settled(self) -> Any:
        """Return the fitted plan of these parameters, if it is known."""
        live, run = self._live, self.run
        if live is None or run is None or not live.levels:
            return None
        return live.settled if live.settled.plan is run.plan else None

    def tune(self, method: str, controls: dict[str, Any]) -> None:
        """Show this method with these values of controls from now on.

        Raises
        ------
        TypeError, ValueError
            As for any run; then nothing changes.
        """
        run = layer_run(method, self._source(), **controls)
        before, self.run = self.run, run
        self.method, self.controls = method, controls
        other = self._live is None or before.source is not run.source
        if other:
            if self._live is not None:
                self._live.stop()
            self._live = LiveResult(
                run.levels, self.signals, self._draws_on, self._views
            )
            self._edge_key = None
        self._live.tune(run.plan, method)
        if other or before is None or self._needs_other_arrays(before):
            self._place()
        self._describe()
        self._on_changed()
        self.refresh()

    def refresh(self) -> None:
        """Let napari slice the layers that are out of date."""
        if self._live is None or not self._live.levels:
            return
        plan, levels = self._live.settled.plan, self._live.levels
        # Then only the layers that got old pixels; and amounts and limits do not change
        # the edge map: 4 ms each at 2048 x 2048.
        edges = edges_of(plan)
        edge_key = repr(plan.unfinished.method), plan.method.thresholding, edges
        image_is_stale = levels is not self._refreshed
        multiplied = image_is_stale and edges in self._views
        edges_are_stale = edge_key != self._edge_key or multiplied
        self._refreshed, self._edge_key = levels, edge_key
        for which, layer in self._present():
            stale = image_is_stale if which == Output.IMAGE else edges_are_stale
            if self._live.pop_stale(which) or stale:
                self._slice(which, layer)

    def _slice(self, which: Output, layer: Image) -> None:
        """Let napari slice a layer, unless it shows the newest pixels already."""
        level = self._level(layer)
        if not (layer.visible and self._live.is_late(which, level)):
            layer.refresh(extent=False, highlight=False)

    @property
    def shown_range(self) -> tuple[float, float] | None:
        """Return the range of the result's pixels on the screen."""
        layer = self.results.layer(self.key, 0)
        if layer is None or self._live is None:
            return None
        return self._live.shown_range(Output.IMAGE, self._level(layer))

    def show_through(self, which: Output, view: View | None) -> None:
        """Show an output through a view from now on, or as it is."""
        if view is None:
            self._views.pop(which, None)
        else:
            self._views[which] = view
        for output, layer in self._present():
            if output is which:
                layer.refresh(extent=False, highlight=False)

    def forget(self) -> None:
        """Read the source again."""
        if self._live is not None and self.run is not None:
            self._live.forget()
            self._live.tune(self.run.plan, self.method)
            self._edge_key = None
            self.refresh()

    def finish(self) -> None:
        """Show true pixels now, however long that takes."""
        self._read_again()
        if self._live is None:
            return
        with self._live.waiting():
            for which, layer in self._present():
                late = isinstance(self._live.state(which, self._level(layer)), str)
                if layer.visible and late:
                    layer.refresh(extent=False, highlight=False)

    def end(self, key: Any = None) -> None:
        """Make no more pixels; layers that are left, or come back, are not live.

        They then have another key, if one is given.
        """
        self._stop()
        self.results.hand_over(self.key, object() if key is None else key)

    def _stop(self) -> None:
        for emitter, callback in self._connected:
            emitter.disconnect(callback)
        self._connected.clear()
        self._insertions.stop_soon()
        for guard in self._guards.values():
            guard.disconnect()
        self._guards.clear()
        self.owner = None
        if self._live is not None:
            self._live.stop()
        # Layers that were removed may live on, and be added again.
        for layer in [layer for layer, pair in _pairs.items() if pair is self]:
            del _pairs[layer]

    def remove(self) -> list[Image]:
        """Take both layers away; return those that stay, which are locked."""
        layers = self.layers
        self._stop()
        locked = self.results.remove(layers)
        self.results.hand_over(self.key, object())
        return locked

    # --- layers ---

    @property
    def _shown(self) -> tuple[Output, Output]:
        """Return the outputs that the two layers show."""
        edges = Output.EDGE_MAP if self.run is None else edges_of(self.run.plan)
        return Output.IMAGE, edges

    def _present(self) -> list[tuple[Output, Image]]:
        """Return result and edge map, or the one that the user has not removed."""
        names = enumerate(self._shown)
        layers = [(which, self.results.layer(self.key, n)) for n, which in names]
        return [(which, layer) for which, layer in layers if layer is not None]

    def _stand_in(self, number: int, level: int) -> Any:
        """Return what the result (0) or the edge map (1) shows instead of pixels."""
        live = self._live
        return None if live is None else live.stand_in(self._shown[number], level)

    def _draws_on(self, layer: Any) -> bool:
        """Return whether a layer is one of the two."""
        return any(ours is layer for ours in self.layers)

    def _level(self, layer: Image) -> int:
        """Return the level of a pyramid that is drawn."""
        locked = getattr(layer, "locked_data_level", None)  # older napari has none
        if locked is not None:
            return locked
        dims = self._dims()
        if layer.multiscale and dims is not None and dims.ndisplay == 3:
            return len(layer.data) - 1
        return layer.data_level

    def _place(self) -> None:
        """Put arrays of the present shapes and types into the layers."""
        run, live = self.run, self._live
        arrays = {
            which: [
                live.array(which, level, self._chunks(level, which))
                for level in range(len(run.levels))
            ]
            for which in self._shown
        }
        metadata = run.metadata(None, None, None, None)
        _, edges = self._shown
        limit = self._limits.get(edges, EMPTY_LIMIT)
        tuples = run.layers(
            arrays[Output.IMAGE], arrays[edges], limit, metadata, live=True
        )
        self.is_placing = True
        try:
            self.results.place(self.key, tuples)
        finally:
            self.is_placing = False
        for layer in self.layers:
            # Of a pyramid of planes napari keeps the coarsest level, as if it were
            # plain pixels. There is no public way to clear it; a test checks this one.
            layer._level_materializer = None
            if layer not in _pairs:
                self._connect(layer.events.visible, self._on_visible)
            _pairs[layer] = self
        for number in (0, 1):
            layer = self.results.layer(self.key, number)
            if layer is not None and layer not in self._guards:
                guard = StandInGuard(layer, partial(self._stand_in, number))
                self._guards[layer] = guard

    def _needs_other_arrays(self, before: LayerRun) -> bool:
        old, new = (
            [
                edges_of(plan),
                *(form(plan, which) for which in (Output.IMAGE, Output.EDGE_MAP)),
            ]
            for plan in (before.plan, self.run.plan)
        )
        return old != new

    def _chunks(self, level: int, which: Output) -> tuple[int, ...] | None:
        if len(self.run.levels) == 1:
            return None
        plan = self.run.plan
        shape = self.run.levels[level].shape[: len(form(plan, which)[0])]
        return tuple(
            min(n, _CHUNK) if axis in plan.axes or axis == plan.channel_axis else 1
            for axis, n in enumerate(shape)
        )

    def _describe(self) -> None:
        """Write new metadata into the layers; duplicates share the old ones."""
        settled = self.settled
        amount = gain = None
        if settled is not None:
            amount, gain, _ = settled.public
        known = self._known
        if known is not None and known.settled.plan is not self.run.plan:
            known = None  # of other parameters
        report = None if known is None else known.report
        values = None if known is None else known.values
        metadata = self.run.metadata(amount, gain, report, values)
        for layer in self.layers:
            # In place, without an event: for each one napari paints its layer list,
            # and draws 33 frames of a drag in a second instead of 38.
            layer.metadata[METADATA] = metadata

    def _on_visible(self, event: Any) -> None:
        """Update the status: a layer was shown or hidden."""
        self.signals.changed.emit()

    def _on_changed(self) -> None:
        """Keep what is known of the pixels on the screen."""
        if self.is_placing:
            return  # limits are for what the edge map is going to show
        state = self.state
        if not isinstance(state, Shown) or state.edge_limit is None:
            return
        edges = edges_of(state.settled.plan)
        if state is not self._known:
            self._known = state
            self._limits[edges] = state.edge_limit
            self.results.limit_edges(self.key, state.edge_limit)
            self.results.reach(self.key, state.values)
            self._describe()

    def _on_failed(self, reason: str) -> None:
        show_error(reason)

    # --- the source ---

    def _listen(self, layers: LayerList, source: Image) -> None:
        layers = getattr(layers, "__wrapped__", layers)
        self._insertions = SettledInsertions(layers)
        self._connect(layers.events.removed, self._on_removed)
        self._connect(layers.events.inserted, self._on_inserted)
        self._connect(source.events.data, self._on_source_data)
        # There is no public event of a refresh; a test notices if this one goes.
        self._connect(source.events._extent_augmented, self._on_source_refreshed)
        self._connect(source.events.set_data, self._on_source_drawn)
        self._drawn_at = self._place_of_dims()
        self._connect(source.events.name, self._on_source_renamed)
        for name in _FOLLOWED:
            self._connect(getattr(source.events, name), self._on_source_moved)

    def _connect(self, emitter: Any, callback: Any) -> None:
        emitter.connect(callback)
        self._connected.append((emitter, callback))

    def _on_source_data(self, event: Any = None) -> None:
        """The source got other pixels, maybe in the same array: sharpen those."""
        source = self.source
        self._is_refreshed = False
        if source is None:
            return
        if self._live is not None:
            self._live.stop()
            self._live = None
        try:
            self.tune(self.method, self.controls)
        except (TypeError, ValueError) as error:
            name = source.name
            show_warning(f"'{name}' was changed, its live result ends: {error}")
            self.remove()
            self.signals.ended.emit()

    def _on_source_refreshed(self, event: Any) -> None:
        """Read the source again, unless it is drawn because something moves.

        There is no other sign of pixels that were edited in place.
        """
        if not self._is_refreshed and self._place_of_dims() == self._drawn_at:
            self._is_refreshed = True
            # Later: if the layer itself is moved, the next event says so.
            QTimer.singleShot(0, self._read_again)

    def _on_source_drawn(self, event: Any) -> None:
        self._drawn_at = self._place_of_dims()

    def _place_of_dims(self) -> Any:
        """Return all that says which part of a layer the viewer shows."""
        dims = self._dims()
        if dims is None:
            return None
        margins = dims.margin_left, dims.margin_right
        return dims.point, dims.order, dims.ndisplay, margins

    def _read_again(self) -> None:
        """Read a source that was refreshed again."""
        if self._is_refreshed and self.source is not None:
            self.forget()
        self._is_refreshed = False

    def _on_source_renamed(self, event: Any) -> None:
        """Name the layers after the source, but for those that the user has named."""
        if self.source is not None and self._live is not None and self.layers:
            self._place()

    def _on_source_moved(self, event: Any) -> None:
        """Let the layers lie where the source lies, and project what it projects."""
        source = self.source
        self._is_refreshed = False
        for layer in self.layers if source is not None else ():
            setattr(layer, event.type, getattr(source, event.type))

    def _on_inserted(self, event: Any) -> None:
        """Name the layers of a source that has come back as live ones."""
        if event.value is self._source():
            self._on_source_renamed(event)

    def _on_removed(self, event: Any) -> None:
        if event.value is self._source():
            # Later: a viewer that is closed removes everything, one by one.
            QTimer.singleShot(0, self._on_source_gone)
        elif not self.is_placing and self.results.layer(self.key, 0) is None:
            self.end()  # an edge map that is left goes too
            self.signals.ended.emit()

    def _on_source_gone(self) -> None:
        source = self._source()
        if self.layers and source is not None and self.source is None:
            for layer in self.layers:
                self.results.rename(layer, plain_name(layer.name))
            show_warning(
                f"'{source.name}' was removed: its live result stays as it is."
            )
            self.signals.ended.emit()
