"""Keep stand-ins, shown while true pixels are computed, out of all but the canvas."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers.utils.layer_utils import calc_data_range
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from napari.layers import Image


class StandInGuard:
    """Keeps thumbnail and contrast limits of a layer free of stand-ins.

    Parameters
    ----------
    layer : napari.layers.Image
        One of the two layers of a live result.
    stand_in : callable
        Returns the stand-in that a level of the layer shows, or None.
    """

    def __init__(
        self, layer: Image, stand_in: Callable[[int], np.ndarray | None]
    ) -> None:
        self._layer = weakref.ref(layer)
        self._stand_in = stand_in
        self._thumbnail = layer.thumbnail.copy()
        self._limits = layer.contrast_limits
        self._scale_later = False
        events = layer.events
        self._connected = [
            (events.thumbnail, self._on_thumbnail),
            (events.contrast_limits, self._on_limits),
            (events.set_data, self._on_slice),
        ]
        for emitter, callback in self._connected:
            emitter.connect(callback)

    def disconnect(self) -> None:
        """Let the layer be as any other."""
        for emitter, callback in self._connected:
            emitter.disconnect(callback)

    def _on_thumbnail(self, event: Any = None) -> None:
        layer = self._layer()
        if layer is None:
            return
        coarsest = len(layer.data) - 1 if layer.multiscale else 0
        if self._stand_in(coarsest) is None:
            self._thumbnail = layer.thumbnail.copy()
        elif not np.array_equal(layer.thumbnail, self._thumbnail):
            layer.thumbnail = self._thumbnail

    def _on_limits(self, event: Any = None) -> None:
        """Put limits off that auto-contrast has set by a stand-in."""
        layer = self._layer()
        if layer is None:
            return
        pixels = self._stand_in(layer.data_level)
        if pixels is None or not _are_of(layer, pixels):
            self._limits = layer.contrast_limits
        elif layer.contrast_limits != self._limits:
            self._scale_later = True
            layer.contrast_limits = self._limits

    def _on_slice(self, event: Any = None) -> None:
        """Scale the contrast by the true pixels that have arrived."""
        layer = self._layer()
        if (
            layer is not None
            and self._scale_later
            and self._stand_in(layer.data_level) is None
        ):
            self._scale_later = False
            layer.reset_contrast_limits()


def _are_of(layer: Image, pixels: np.ndarray) -> bool:
    """Return whether the contrast limits of a layer are the range of some pixels."""
    limits = calc_data_range(pixels, rgb=layer.rgb, dtype=layer.dtype)
    return tuple(layer.contrast_limits) == tuple(limits)


_watched: weakref.WeakSet[Any] = weakref.WeakSet()


def before_screenshots(finish: Callable[[], None]) -> None:
    """Call a function before a window is drawn for a screenshot.

    napari waits there for slices that its own threads compute; there is no public
    event before a screenshot.
    """

    def on_draw(event: Any) -> None:
        if _takes_screenshot():
            finish()

    for widget in QApplication.allWidgets():
        canvas = getattr(widget, "_vispy_canvas", None)
        if canvas is not None and canvas not in _watched:
            _watched.add(canvas)
            canvas.events.draw.connect(on_draw, position="first")


def _takes_screenshot() -> bool:
    """Return whether one of the callers takes a screenshot of a viewer."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        is_named = frame.f_code.co_name.endswith("screenshot")
        if is_named and frame.f_globals.get("__name__", "").startswith("napari."):
            return True
        frame = frame.f_back
    return False
