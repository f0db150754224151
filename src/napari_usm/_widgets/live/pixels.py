"""Sources of the pixels of live arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_usm._engine import memory
from napari_usm._engine.fitting import settle
from napari_usm._engine.pyramid import levels_of
from napari_usm._widgets.live.array import FrozenPixels
from napari_usm._widgets.live.settled_layers import settle_soon
from napari_usm._widgets.live.source import computed, is_in_memory

if TYPE_CHECKING:
    import numpy as np
    from napari.layers import Layer

    from napari_usm._engine.block import Output
    from napari_usm._engine.plan import Plan
    from napari_usm._engine.pyramid import Level
    from napari_usm._engine.region import LiveImage
    from napari_usm._engine.virtual import Index
    from napari_usm._widgets.live.result import LiveResult


class Moment:
    """All levels of a result under the parameters of one moment, for any thread.

    Parameters
    ----------
    images : list of LiveImage
        Pixels of each level.
    plan : Plan
        The method, made ready for level 0. What it needs of the whole image is
        estimated when the levels are first wanted, unless it is known before.
    """

    def __init__(self, images: list[LiveImage], plan: Plan) -> None:
        self._images = images
        self._plan = plan
        self._levels: tuple[Level, ...] = ()

    def take(self, levels: tuple[Level, ...]) -> None:
        """Take what has been estimated elsewhere."""
        self._levels = levels

    def levels(self) -> tuple[Level, ...]:
        """Return the levels, however long that takes.

        Without a lock: a process that is forked meanwhile would never get it. Two
        threads may both estimate, and the same.
        """
        if not self._levels:
            pixels = computed(self._images[0].pixels)
            settled = memory.result_of(settle(self._plan, pixels))
            self._levels = levels_of(self._images, settled)
        return self._levels


class LivePixels:
    """Computes the pixels of one array of a live result."""

    def __init__(self, result: LiveResult, which: Output, level: int) -> None:
        self._result = result
        self._which = which
        self._level = level

    def __call__(self, index: Index) -> np.ndarray:
        """Return true pixels."""
        return self._result.exact(self._which, self._level, index)

    def shown(self, index: Index, layer: Layer | None) -> np.ndarray:
        """Return what the screen of a layer shows."""
        if self.draws_on(layer):
            return self._result.shown(self._which, self._level, index)
        if layer is not None:
            settle_soon(layer)
        return self(index)

    def awaited(self, index: Index) -> np.ndarray:
        """Return what napari shows, when it has waited for it."""
        return self._result.awaited(self._which, self._level, index)

    def draws_on(self, layer: Layer | None) -> bool:
        """Return whether a layer is one of the two of the result."""
        return self._result.draws_on(layer)

    @property
    def in_memory(self) -> bool:
        """Return whether the source of this level is an array in memory."""
        return is_in_memory(self._result.sources[self._level])

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenPixels:
        levels = self._result.moment.levels
        return FrozenPixels(levels, self._level, self._which, self.in_memory)
