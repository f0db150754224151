"""The two layers that belong to a source layer, held as objects and never by name."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari.layers import Image

from napari_usm.widgets.layer_data import GEOMETRY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import LayerList
    from napari.types import LayerDataTuple

# Blendings that add a layer to what lies below it: over its source, a result
# would show both.
_MIXING = ("additive", "minimum", "multiplicative")


class ResultLayers:
    """Result and edge map of one source layer in one viewer.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    source : Image
        The layer that is sharpened.
    """

    def __init__(self, layers: LayerList, source: Image) -> None:
        self._layers = layers
        self._source = weakref.ref(source)
        self._made: list[weakref.ref[Image] | None] = [None, None]
        self._limits: tuple[float, float] | None = None
        self._hid_source = False
        layers.events.removed.connect(self._on_removed)

    def place(self, tuples: list[LayerDataTuple]) -> None:
        """Update the two layers, or add those that are not there (any more)."""
        source = self._source()
        if source is None or source not in self._layers:
            return
        below = source
        for which, (data, keywords, _) in enumerate(tuples):
            layer = self.layer(which)
            if layer is not None and _fits(layer, data, keywords):
                self._update(layer, data, keywords)
            else:
                layer = self._replace(layer, data, keywords, below)
                self._made[which] = weakref.ref(layer)
            if which == 0:
                self._hide_source(source, layer)
            else:
                self._limits = tuple(layer.contrast_limits)
            below = layer

    def layer(self, which: int) -> Image | None:
        """The result (0) or the edge map (1), if it is in the viewer."""
        reference = self._made[which]
        layer = None if reference is None else reference()
        return layer if layer is not None and layer in self._layers else None

    def disconnect(self) -> None:
        """Let go of the viewer; the layers stay as they are."""
        self._layers.events.removed.disconnect(self._on_removed)

    def _update(self, layer: Image, data: Any, keywords: dict[str, Any]) -> None:
        """New pixels in an old layer; what the user chose of its look stays."""
        layer.data = data
        for name in (*GEOMETRY, "metadata"):
            setattr(layer, name, keywords[name])
        untouched = self._limits == tuple(layer.contrast_limits)
        if layer is self.layer(1) and untouched:
            layer.contrast_limits = keywords["contrast_limits"]

    def _replace(
        self, old: Image | None, data: Any, keywords: dict[str, Any], below: Image
    ) -> Image:
        with _selection_kept(self._layers):
            if old is not None:
                self._layers.remove(old)
            layer = Image(data, **keywords)
            self._layers.insert(self._layers.index(below) + 1, layer)
        return layer

    def _hide_source(self, source: Image, result: Image) -> None:
        if source.visible and result.visible and str(source.blending) in _MIXING:
            source.visible = False
            self._hid_source = True

    def _on_removed(self, event: Any) -> None:
        source = self._source()
        result = self._made[0] and self._made[0]()
        if self._hid_source and result is not None and event.value is result:
            self._hid_source = False
            if source is not None and source in self._layers:
                source.visible = True


def _fits(layer: Image, data: Any, keywords: dict[str, Any]) -> bool:
    """Whether napari can put this data into this layer."""
    dimensions = data.ndim - keywords["rgb"]
    return bool(layer.rgb == keywords["rgb"] and layer.ndim == dimensions)


@contextmanager
def _selection_kept(layers: LayerList) -> Iterator[None]:
    """Adding a layer selects it; what was selected before is what the user wants."""
    selected = set(layers.selection)
    yield
    layers.selection = {layer for layer in selected if layer in layers}
