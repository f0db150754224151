"""Array-likes as data of layers: what is on the screen never waits for long."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.run.virtual import Index, VirtualArray
from napari_usm.widgets.layer_data import colour_mean

if TYPE_CHECKING:
    from napari_usm.run.levels import Level
    from napari_usm.run.plan import Plan

#: The two layers of a result, and what the second may show instead.
IMAGE, EDGE_MAP, SIGNIFICANCE = "image", "edge_map", "significance"

#: Where napari asks for the pixels that it shows; in 0.6 it is the second.
SLICING = ("napari.layers._scalar_field", "napari.layers.image._slice")


class LiveArray(VirtualArray):
    """Data of a layer: what is on the screen never waits, all else is exact."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        # The only way to tell what is shown from what is saved, copied or computed
        # with. If napari moves that module, all is exact, and may block; a test tells.
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if not caller.startswith(SLICING) or not self.size:
            return super().__array__(dtype, copy)
        in_window = threading.current_thread() is threading.main_thread()
        make = self._make.shown if in_window else self._make.awaited
        pixels = np.asarray(make(self._index))
        return pixels if dtype is None else pixels.astype(dtype, copy=False)


@dataclass(frozen=True)
class FrozenPixels:
    """Makes the pixels of an array whose parameters no longer change."""

    level: Level
    which: str

    def __call__(self, index: Index) -> np.ndarray:
        """True pixels, shown or not."""
        return part(self.level, self.which, index)

    shown = awaited = __call__

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenPixels:
        return self


def part(level: Level, which: str, index: Index) -> np.ndarray:
    """Pixels of one of the two layers, whose edge map has no channels."""
    if which == IMAGE:
        return level.image(index)
    plan = level.plan
    made = level.significance if which == SIGNIFICANCE else level.edge_map
    if len(index) == len(plan.edge_shape):
        return made(index)
    return colour_mean(made((*index, range(plan.edge_shape[-1]))))


def edges_of(plan: Plan) -> str:
    """What the second layer shows."""
    return SIGNIFICANCE if plan.wants_noise else EDGE_MAP


def form(plan: Plan, which: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of the data of one of the two layers."""
    if which == IMAGE:
        return plan.shape, plan.result
    # The channels of a layer, if it has any, are its last axis.
    return plan.shape[: layer_axes(plan)], np.dtype(np.float32)


def layer_axes(plan: Plan) -> int:
    """Number of a layer's axes: its channels are none."""
    return len(plan.shape) - (plan.channel_axis is not None)
