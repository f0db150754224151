"""Notice when the pixels of a chosen layer change, live or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_usm._widgets.live.pair import pair_of
from napari_usm._widgets.live.pixel_watch import PixelWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Layer


class WatchedLayer:
    """Calls back for one layer after the other.

    Parameters
    ----------
    callback : callable
        Called without anything.
    """

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._watch = PixelWatch(self._on_event)
        self._layer: Layer | None = None
        self._signals: Any = None
        #: Another one whenever the layer has got other pixels.
        self.pixels = object()

    def follow(self, layer: Layer | None) -> None:
        """Watch this layer and no other."""
        if layer is not self._layer:
            self._layer, self.pixels = layer, object()
            self._watch.follow(layer)
        # A layer may become live, or stay when it no longer is.
        pair = pair_of(layer)
        signals = None if pair is None else pair.signals
        if signals is not self._signals:
            if self._signals is not None:
                self._signals.changed.disconnect(self._on_live)
            if signals is not None:
                signals.changed.connect(self._on_live)
            self._signals = signals

    def _on_event(self, event: Any) -> None:
        if event.type == "data":
            self.pixels = object()
        self._callback()

    def _on_live(self) -> None:
        self._callback()
