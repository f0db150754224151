"""The layers of the results of a source layer, held as objects, not by name.

They outlive the dock that created them: a dock that is opened again updates the same
layers, and a source that was hidden comes back whenever its results go.
"""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from napari.layers.utils._link_layers import layer_is_linked
from qtpy.QtCore import QTimer

from napari_usm._widgets.layers.data import GEOMETRY, METADATA, is_result, plain_name

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from napari.components import LayerList
    from napari.layers import Layer
    from napari.types import LayerDataTuple

# Blendings that add a layer to what lies below it: over its source, a result
# would show both.
_MIXING = ("additive", "minimum", "multiplicative")

# What an edge map looks like depends on its unit: its name, and this.
_LOOK = ("colormap", "contrast_limits")
_KIND = ("name", *_LOOK)

_known: weakref.WeakKeyDictionary[Image, dict[int, ResultLayers]] = (
    weakref.WeakKeyDictionary()
)


# Layer lists whose selection changes because we add or remove layers, by `id`.
_selecting: set[int] = set()


def results_of(layers: LayerList, source: Image) -> ResultLayers:
    """Return the results of a source layer in a viewer."""
    layers = unwrapped(layers)
    per_viewer = _known.setdefault(source, {})
    # A layer list that is gone may have left its number to a new one.
    if id(layers) not in per_viewer or not per_viewer[id(layers)].belongs_to(layers):
        per_viewer[id(layers)] = ResultLayers(layers, source)
    return per_viewer[id(layers)]


class LiveKey:
    """Key of a pair whose pixels follow the controls of a dock."""


def is_edge_map(layers: LayerList, layer: Image) -> bool:
    """Return whether a layer is the edge map of one of the results in a viewer."""
    place = _place_of(layers, layer)
    return place is not None and place[2] == 1


def is_settled_result(layers: LayerList, layer: Image) -> bool:
    """Return whether a layer is a result, not live and not an edge map."""
    if not is_result(layer):
        return False
    place = _place_of(layers, layer)
    if place is None:
        return True
    source, key, which = place
    follows = isinstance(key, LiveKey) and source in unwrapped(layers)
    return which == 0 and not follows


def name_plainly(layer: Layer) -> None:
    """Name a layer that was derived from a live one without the brackets of that."""
    name = plain_name(layer.name)
    if is_result(layer) and not _is_live(layer) and name != layer.name:
        layer.name = name


def _is_live(layer: Layer) -> bool:
    """Return whether a layer is one of a live pair, in any viewer."""
    places = (
        results.place_of(layer)
        for per_viewer in _known.values()
        for results in per_viewer.values()
    )
    return any(place is not None and isinstance(place[0], LiveKey) for place in places)


def source_of(layers: LayerList, layer: Image) -> Image | None:
    """Return the layer that a result or an edge map was made of, if it is known."""
    place = _place_of(layers, layer)
    return None if place is None else place[0]


def _place_of(layers: LayerList, layer: Image) -> tuple[Image, Hashable, int] | None:
    """Return source, key of the pair and which of the two a layer of ours is."""
    layers = unwrapped(layers)
    for source, per_viewer in _known.items():
        results = per_viewer.get(id(layers))
        place = None if results is None else results.place_of(layer)
        if place is not None:
            return source, *place
    return None


def is_selecting(layers: LayerList) -> bool:
    """Return whether the plugin is selecting layers at this moment."""
    return id(unwrapped(layers)) in _selecting


def unwrapped(thing: Any) -> Any:
    """Return what a proxy stands for: a plugin's viewer makes new ones every time."""
    return getattr(thing, "__wrapped__", thing)


class ResultLayers:
    """Results and edge maps of one source layer, each pair under a key.

    That is the name of a method for what a call leaves, which the next one updates.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    source : Image
        The layer that is sharpened.
    """

    def __init__(self, layers: LayerList, source: Image) -> None:
        self._layers = weakref.ref(layers)
        self._source = weakref.ref(source)
        self._references: dict[tuple[Hashable, int], weakref.ref[Image]] = {}
        self._limits: dict[Hashable, tuple[float, float]] = {}
        self._shows: weakref.WeakKeyDictionary[Image, str] = weakref.WeakKeyDictionary()
        self._looks: weakref.WeakKeyDictionary[Image, dict[str, Any]] = (
            weakref.WeakKeyDictionary()
        )
        # As we named them: a layer with another name has that of the user.
        self._names: weakref.WeakKeyDictionary[Image, str] = weakref.WeakKeyDictionary()
        self._hid_source = self._listens = False

    def belongs_to(self, layers: LayerList) -> bool:
        """Return whether these are layers of that list."""
        return self._layers() is layers

    def has(self, layer: Image) -> bool:
        """Return whether a layer is in the viewer."""
        layers = self._layers()
        return layers is not None and layer in layers

    def layer(self, key: Hashable, which: int) -> Image | None:
        """The result (0) or the edge map (1) of a pair, if it is in the viewer."""
        reference = self._references.get((key, which))
        layer = None if reference is None else reference()
        return layer if layer is not None and self.has(layer) else None

    def place_of(self, layer: Image) -> tuple[Hashable, int] | None:
        """Return the key of a pair and which of the two a layer is, if it is one."""
        places = (place for place, each in self._references.items() if each() is layer)
        return next(places, None)

    def hand_over(self, key: Hashable, to: Hashable) -> None:
        """Put a pair that is no longer live under another key, and name it so.

        Also what is not in the viewer: it may be added again.
        """
        for which in (0, 1):
            if (reference := self._references.pop((key, which), None)) is None:
                continue
            self._references[to, which] = reference
            if (layer := reference()) is not None:
                self.rename(layer, plain_name(layer.name))
        if key in self._limits:
            self._limits[to] = self._limits.pop(key)

    def remove(self, unwanted: Iterable[Image]) -> list[Image]:
        """Take layers out of the viewer; return those that stay: they are locked."""
        layers = self._layers()
        if layers is None:
            return []
        present = [layer for layer in unwanted if layer in layers]
        locked = [layer for layer in present if _is_locked(layer)]
        with _ours(layers):
            for layer in present:
                if layer not in locked:
                    layers.remove(layer)
        return locked

    def limit_edges(self, key: Hashable, limit: float) -> None:
        """Fit the contrast limits of an edge map, unless they are the user's."""
        edges = self.layer(key, 1)
        if edges is None or self._limits.get(key) != tuple(edges.contrast_limits):
            return
        if layer_is_linked(edges):
            return  # other layers of the user's would get these limits
        signed = edges.contrast_limits[0] < 0
        fitted = (-limit if signed else 0.0, limit)
        if tuple(edges.contrast_limits) != fitted:
            edges.contrast_limits = fitted
            self._limits[key] = tuple(edges.contrast_limits)

    def reach(self, key: Hashable, values: tuple[float, float] | None) -> None:
        """Let the contrast slider of a result reach its source's range, and values."""
        result, source = self.layer(key, 0), self._source()
        if result is None or source is None or result.rgb or layer_is_linked(result):
            return
        ranges = [source.contrast_limits_range, result.contrast_limits_range]
        ranges += [] if values is None else [values]
        lows, highs = zip(*ranges, strict=True)
        result.contrast_limits_range = min(lows), max(highs)

    def place(self, key: Hashable, tuples: list[LayerDataTuple]) -> None:
        """Update the two layers of a pair, or add those that are missing."""
        layers, source = self._layers(), self._source()
        if layers is None or source is None or source not in layers:
            return
        before = {self.layer(key, which) for which in (0, 1)}
        with _ours(layers), _selection_kept(layers):
            result = self._put(layers, key, 0, tuples[0], self._topmost(source))
            edges = self._put(layers, key, 1, tuples[1], result)
        # Last: what is visible may be read in the background, and that slows down all
        # that napari does for new layers.
        for layer, (_, keywords, _) in zip((result, edges), tuples, strict=True):
            if layer not in before:
                layer.visible = keywords.get("visible", True)
        self.reach(key, tuples[0][1]["metadata"][METADATA]["range"])

    def _put(
        self,
        layers: LayerList,
        key: Hashable,
        which: int,
        layer_data: LayerDataTuple,
        below: Image,
    ) -> Image:
        data, keywords, _ = layer_data
        layer = self.layer(key, which)
        if layer is not None and _fits(layer, keywords):
            self._update(layer, key, which, data, keywords)
            return layer
        if layer is not None and not _is_locked(layer):
            layers.remove(layer)
        # Hidden until it is in its place: napari slices a visible layer when it is
        # created and again when it is inserted.
        layer = Image(data, **{**keywords, "visible": False})
        self._references[key, which] = weakref.ref(layer)
        layers.insert(layers.index(below) + 1, layer)
        self._names[layer] = layer.name
        self._listen(True)
        if which == 0:
            self._hide_what_shines_through(layer)
            if (edges := self.layer(key, 1)) is not None:
                layers.move(layers.index(edges), layers.index(layer) + 1)
        else:
            self._limits[key] = tuple(layer.contrast_limits)
            self._shows[layer] = _shown_by(keywords)
        return layer

    def _update(
        self,
        layer: Image,
        key: Hashable,
        which: int,
        data: Any,
        keywords: dict[str, Any],
    ) -> None:
        """New pixels in an old layer; what the user chose of its look stays."""
        if which == 1:
            self._turn_to(layer, key, keywords)
        self.rename(layer, keywords["name"])
        layer.data = data
        for name in GEOMETRY:
            setattr(layer, name, keywords[name])
        # In place, without an event: layers that are linked would get it too.
        layer.metadata.update(keywords["metadata"])
        if which == 1:
            self.limit_edges(key, keywords["contrast_limits"][1])

    def _turn_to(self, layer: Image, key: Hashable, keywords: dict[str, Any]) -> None:
        """Let a layer that shows something else look like it: like the last time."""
        # Not by the layer's metadata, which may already be that of the next output.
        before, now = self._shows[layer], _shown_by(keywords)
        self._shows[layer] = now
        if before == now:
            return
        fitted = self._limits.get(key) == tuple(layer.contrast_limits)
        looks = self._looks.setdefault(layer, {})
        named = self._names.get(layer) == layer.name
        looks[before] = {name: getattr(layer, name) for name in _KIND}, fitted, named
        first = {name: keywords[name] for name in _KIND}, True, True
        look, fitted, named = looks.get(now, first)
        if layer_is_linked(layer):
            self._layers().unlink_layers([layer], _LOOK)
        for name, value in look.items():
            setattr(layer, name, value)
        if named:
            self._names[layer] = layer.name
        else:
            self._names.pop(layer, None)
        self._limits.pop(key, None)
        if fitted:
            self._limits[key] = tuple(layer.contrast_limits)

    def rename(self, layer: Image, name: str) -> None:
        """Give a layer this name, or one like it, unless the user has named it."""
        if self._names.get(layer) != layer.name:
            return
        base, _, number = layer.name.rpartition(" ")
        numbered = number.startswith("[") and number[1:-1].isdecimal()
        if name != (base if numbered else layer.name):
            layer.name = name
            self._names[layer] = layer.name

    @property
    def results(self) -> list[Image]:
        """Return all results that are in the viewer, without their edge maps."""
        results = (self.layer(key, 0) for key, which in self._references if which == 0)
        return [layer for layer in results if layer is not None]

    def _topmost(self, source: Image) -> Image:
        """The highest of a source and all its results, which would cover a new one."""
        ours = (self.layer(*place) for place in self._references)
        family = [source, *(layer for layer in ours if layer is not None)]
        return max(family, key=self._layers().index)

    def _hide_what_shines_through(self, result: Image) -> None:
        """Of source and results that add up, only the newest result is shown."""
        source = self._source()
        if str(result.blending) not in _MIXING:
            return
        for other in self.results:
            if other is not result:
                other.visible = False
        if source is not None and source.visible:
            source.visible = False
            self._hid_source = True
            self._listen(True)

    def _on_removed(self, event: Any) -> None:
        """Take an edge map away with its result, and show a hidden source again."""
        layers, removed = self._layers(), event.value
        if layers is None:
            return
        self._show_source(removed)
        place = self.place_of(removed)
        if place is not None and place[1] == 0 and not is_selecting(layers):
            edges = self._references.get((place[0], 1))
            if edges is not None:
                # Later: whoever removes several layers may be about to remove this one.
                both = edges, weakref.ref(removed)
                QTimer.singleShot(0, partial(self._remove_edges, *both))
        ours = (reference() for reference in self._references.values())
        self._listen(self._hid_source or any(each in layers for each in ours))

    def _remove_edges(
        self, edge_map: weakref.ref[Image], removed: weakref.ref[Image]
    ) -> None:
        """Remove the edge map of a result that was removed and has not come back."""
        edges, result = edge_map(), removed()
        place = None if edges is None else self.place_of(edges)
        if edges is None or place is None:
            return
        now = self._references.get((place[0], 0))
        replaced = now is not None and now() is not result
        if not replaced and (result is None or not self.has(result)):
            self.remove([edges])

    def _show_source(self, removed: Image) -> None:
        """Show the source again when the last of its results that are shown goes."""
        source = self._source()
        if removed is source:
            self._hid_source = False
        elif (
            self._hid_source
            and self.place_of(removed) is not None
            and not any(result.visible for result in self.results)
        ):
            self._hid_source = False
            if source is not None:
                source.visible = True

    def _listen(self, listens: bool) -> None:
        """Listen to the viewer only while there is something to wait for."""
        layers = self._layers()
        if layers is not None and listens != self._listens:
            removed = layers.events.removed
            (removed.connect if listens else removed.disconnect)(self._on_removed)
            self._listens = listens


def _is_locked(layer: Image) -> bool:
    """Return whether the user protects a layer from being removed."""
    return bool(getattr(layer, "locked", False))  # older napari has no locks


def _shown_by(keywords: dict[str, Any]) -> str:
    """Return the output that an edge map shows."""
    return keywords["metadata"][METADATA]["edge_map"]


def _fits(layer: Image, keywords: dict[str, Any]) -> bool:
    """Return whether napari can put this data into this layer."""
    same = all(getattr(layer, name) == keywords[name] for name in ("rgb", "multiscale"))
    return same and layer.ndim == len(keywords["scale"])


@contextmanager
def _ours(layers: LayerList) -> Iterator[None]:
    """Mark selections as the plugin's, for `is_selecting`."""
    _selecting.add(id(layers))
    try:
        yield
    finally:
        _selecting.discard(id(layers))


@contextmanager
def _selection_kept(layers: LayerList) -> Iterator[None]:
    """Adding a layer selects it; what was selected before is what the user wants."""
    selected = set(layers.selection)
    yield
    layers.selection = {layer for layer in selected if layer in layers}
