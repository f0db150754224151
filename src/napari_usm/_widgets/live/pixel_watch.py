"""Notice when a layer gets other pixels, of another length, or other axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image

_EVENTS = ("data", "scale", "rotate", "shear", "affine", "units", "axis_labels")


class PixelWatch:
    """Calls back for one layer after the other.

    Parameters
    ----------
    callback : callable
        A method; napari holds it weakly.
    """

    def __init__(self, callback: Callable[..., None]) -> None:
        self._callback = callback
        self._layer: Image | None = None

    def follow(self, layer: Image | None) -> None:
        """Watch this layer and no other."""
        if layer is self._layer:
            return
        for emitter in self._emitters():
            emitter.disconnect(self._callback)
        self._layer = layer
        for emitter in self._emitters():
            emitter.connect(self._callback)

    def _emitters(self) -> list[Any]:
        if self._layer is None:
            return []
        return [getattr(self._layer.events, name) for name in _EVENTS]
