"""Other layers that hold the data of a live result: they get pixels that stay.

And a name without the brackets of a live layer, which napari's commands pass on.

napari's commands (Split stack, Extract level, Convert to labels, ...), other plugins
and scripts put the very array of a live layer into other layers.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_usm._widgets.layers.results import name_plainly
from napari_usm._widgets.live.array import LiveArray

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Layer


class SettledInsertions:
    """Settles every layer that is added to a list.

    Parameters
    ----------
    layers : LayerList
        The layers of a viewer with a live result.
    """

    def __init__(self, layers: LayerList) -> None:
        self._inserted = layers.events.inserted
        self._inserted.connect(self._on_inserted)

    def stop_soon(self) -> None:
        """Stop after this turn: napari removes a layer before it adds parts of it."""
        QTimer.singleShot(0, lambda: self._inserted.disconnect(self._on_inserted))

    def _on_inserted(self, event: Any) -> None:
        settle(event.value)
        name_plainly(event.value)


def settle(layer: Layer) -> None:
    """Replace data of a live result by the pixels of this moment."""
    _replace(layer, _levels(layer), _settled(layer))


def settle_soon(layer: Layer) -> None:
    """Do so as soon as napari has sliced the layer, with the pixels of now."""
    reference, before, settled = weakref.ref(layer), _levels(layer), _settled(layer)

    def replace() -> None:
        if (layer := reference()) is not None:
            _replace(layer, before, settled)

    QTimer.singleShot(0, replace)


def _replace(layer: Layer, before: list[Any], settled: list[Any]) -> None:
    """Replace the data of each level, unless they are others by now or may stay."""
    if _is_same(settled, before) or not _is_same(_levels(layer), before):
        return
    layer.data = settled if _is_pyramid(layer) else settled[0]


def _settled(layer: Layer) -> list[Any]:
    return [
        each.settled(layer) if isinstance(each, LiveArray) else each
        for each in _levels(layer)
    ]


def _levels(layer: Layer) -> list[Any]:
    return list(layer.data) if _is_pyramid(layer) else [layer.data]


def _is_pyramid(layer: Layer) -> bool:
    return bool(getattr(layer, "multiscale", False))


def _is_same(some: list[Any], others: list[Any]) -> bool:
    return all(a is b for a, b in zip(some, others, strict=True))
