"""Array-likes as data of layers: what is on the screen never waits for long."""

from __future__ import annotations

import sys
import threading
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer

from napari_usm._engine.block import Output
from napari_usm._engine.virtual import Index, VirtualArray
from napari_usm._widgets.layers.data import colour_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from napari_usm._engine.plan import Plan
    from napari_usm._engine.pyramid import Level

#: Modules of napari that read data to show it; in 0.6 it is the second.
SLICING = ("napari.layers._scalar_field", "napari.layers.image._slice")

# Pixels that are computed at once for another layer: 0.1 s, of a source in memory.
_AT_ONCE = 2**24

# Calls between the array and the layer that is sliced; there are five in napari 0.9.
_DEPTH = 10


class LiveArray(VirtualArray):
    """Data of a layer that a live result draws on: its screen never waits.

    Only the slices of the result's own two layers may hold old pixels for a moment.
    Whoever else reads, indexes or copies it gets the true pixels of that moment.
    """

    _compute: Any  # `LivePixels`, or `FrozenPixels`

    def __getitem__(self, key: Any) -> Any:
        """Return a view: of pixels that follow for napari, that stay for others."""
        view = super().__getitem__(key)
        if isinstance(view, LiveArray) and not is_slicing(sys._getframe(1)):
            view._compute = deepcopy(view._compute)
        return view

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        frame = sys._getframe(1)
        if not self.size or not is_slicing(frame):
            return super().__array__(dtype, copy)
        if threading.current_thread() is threading.main_thread():
            pixels = self._compute.shown(self._index, _sliced_layer(frame))
        else:
            pixels = self._compute.awaited(self._index)
        pixels = np.asarray(pixels)
        return pixels if dtype is None else pixels.astype(dtype, copy=False)

    def settled(self, layer: Layer) -> Any:
        """Return what a layer may keep: if it is no screen, the pixels of this moment.

        Plain ones where that is quick.
        """
        if self._compute.draws_on(layer):
            return self
        if self.size <= _AT_ONCE and self._compute.in_memory:
            return np.array(self)
        return deepcopy(self)


def is_slicing(frame: FrameType) -> bool:
    """Return whether a caller is napari, which slices a layer for the screen."""
    # The caller is the only way to tell a slice for the screen from any other use. If
    # napari moves these modules, all is exact, and may block; a test guards it.
    return str(frame.f_globals.get("__name__", "")).startswith(SLICING)


def _sliced_layer(frame: FrameType | None) -> Layer | None:
    """Return the layer that napari is slicing, from the calls that lead here."""
    for _ in range(_DEPTH):
        if frame is None:
            return None
        caller = frame.f_locals.get("self")
        layer = getattr(caller, "layer", caller)  # of its slicing state, or itself
        if isinstance(layer, Layer):
            return layer
        frame = frame.f_back
    return None


@dataclass(frozen=True)
class FrozenPixels:
    """Computes pixels of one level under parameters that no longer change.

    Attributes
    ----------
    levels : callable
        Returns all levels; they may be estimated only then.
    number : int
        Which of them.
    which : str
        Result or edge map.
    in_memory : bool
        Whether the source of that level is an array in memory.
    """

    levels: Callable[[], Sequence[Level]]
    number: int
    which: Output
    in_memory: bool = False

    def __call__(self, index: Index) -> np.ndarray:
        """Return true pixels."""
        return part(self.levels()[self.number], self.which, index)

    awaited = __call__

    def shown(self, index: Index, layer: Layer | None) -> np.ndarray:
        """Return the same pixels for the screen of any layer."""
        return self(index)

    def draws_on(self, layer: Layer) -> bool:
        """Return False: no layer has to follow these pixels."""
        return False

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenPixels:
        return self


def part(level: Level, output: Output, index: Index) -> np.ndarray:
    """Return pixels of one of the two layers, whose edge map has no channels."""
    plan = level.plan
    if output is Output.IMAGE or len(index) == len(plan.edge_shape):
        return level.part(output, index)
    return colour_mean(level.part(output, (*index, range(plan.edge_shape[-1]))))


def edges_of(plan: Plan) -> Output:
    """Return the output that the second layer shows."""
    return Output.SIGNIFICANCE if plan.wants_noise else Output.EDGE_MAP


def form(plan: Plan, output: Output) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and type of the data of one of the two layers."""
    if output is Output.IMAGE:
        return plan.shape, plan.result
    # The channels of a layer, if it has any, are its last axis.
    return plan.shape[: layer_axes(plan)], np.dtype(np.float32)


def layer_axes(plan: Plan) -> int:
    """Return the number of a layer's axes: its channels are none."""
    return len(plan.shape) - (plan.channel_axis is not None)
