"""The range of a layer's intensities, by a sample of pixels that are at hand."""

from __future__ import annotations

import weakref
from contextlib import suppress
from math import ceil, isfinite

import numpy as np
from napari.layers import Image

from napari_usm._widgets.layers.info import finest
from napari_usm._widgets.live.source import is_in_memory

# Pixels that are looked at: a millisecond.
_SAMPLE = 2**16

_FIGURES = 3


class IntensityRange:
    """Remembers the range of each layer, until its pixels are others.

    Arrays in memory are sampled as a whole. Of anything else only what napari shows
    is looked at, so that nothing is read; the range then grows with what is seen.
    """

    def __init__(self) -> None:
        # By `id`: a reference would keep the pixels in memory.
        self._known: weakref.WeakKeyDictionary[Image, tuple[int, float]] = (
            weakref.WeakKeyDictionary()
        )
        self._seen: weakref.WeakKeyDictionary[Image, int] = weakref.WeakKeyDictionary()

    def forget(self, layer: Image) -> None:
        """Look at the pixels again the next time."""
        self._known.pop(layer, None)
        self._seen.pop(layer, None)

    def span(self, layer: Image) -> float:
        """Return the difference of the highest and the lowest intensity, above 0.

        As long as nothing is known of the pixels it is that of the contrast limits.
        """
        data = finest(layer)
        number, known = self._known.get(layer, (0, 0.0))
        if number != id(data):
            self.forget(layer)
            known = 0.0
        in_memory = is_in_memory(data)
        if not in_memory or not known:
            pixels = data if in_memory else _on_screen(layer)
            if pixels is not None and self._seen.get(layer) != id(pixels):
                self._seen[layer] = id(pixels)
                known = max(known, _span(pixels, layer.rgb))
                self._known[layer] = id(data), known
        return known if known else _span_of_limits(layer)


def _on_screen(layer: Image) -> np.ndarray | None:
    """Return what napari shows of a layer, if it has it already."""
    if not getattr(layer, "loaded", True):
        return None
    # There is no public way to it. Without it, the contrast limits are taken.
    with suppress(AttributeError):
        raw = layer._slice.image.raw
        return raw if isinstance(raw, np.ndarray) else None
    return None


def _span(pixels: np.ndarray, rgb: bool) -> float:
    """Return the span of a regular sample, in few figures; 0 if there is none."""
    if rgb:
        pixels = pixels[..., :3]  # no alpha
    axes = pixels.ndim - rgb
    stride = max(1, ceil((pixels.size / _SAMPLE) ** (1 / max(1, axes))))
    sample = pixels[(slice(None, None, stride),) * axes]
    if sample.dtype.kind not in "buif":
        return 0.0
    sample = sample[np.isfinite(sample)].astype(np.float64)
    span = float(np.ptp(sample)) if sample.size else 0.0
    return float(f"{span:.{_FIGURES}g}") if isfinite(span) else 0.0


def _span_of_limits(layer: Image) -> float:
    low, high = layer.contrast_limits_range
    span = float(high) - float(low)
    return span if 0 < span < np.inf else 1.0
