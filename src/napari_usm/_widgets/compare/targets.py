"""Results that can be compared with their sources: live pairs, and layers that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_usm._engine.block import Output
from napari_usm._widgets.compare.kept import ViewedLayer
from napari_usm._widgets.layers.data import METADATA, is_result, value_range
from napari_usm._widgets.layers.results import results_of, source_of, unwrapped
from napari_usm._widgets.live.pair import pair_of

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Image

    from napari_usm._widgets.live.pair import LivePair
    from napari_usm._widgets.live.views import View

#: What has to be done first.
NO_RESULT = "Nothing to compare yet: press Live or Keep."


class Target(Protocol):
    """A result, its edge map and its source."""

    @property
    def layer(self) -> Image | None:
        """Return the result, if it is in the viewer."""

    @property
    def edges(self) -> Image | None:
        """Return its edge map, if it is in the viewer."""

    @property
    def values(self) -> tuple[float, float] | None:
        """Return the range of the result, if it is known."""

    def show_through(self, which: Output, view: View | None) -> None:
        """Show result or edge map through a view from now on, or as it is."""


class LiveTarget:
    """The layers of a live pair."""

    def __init__(self, pair: LivePair) -> None:
        self._pair = pair

    @property
    def layer(self) -> Image | None:
        """Return the result, if it is in the viewer."""
        return self._pair.results.layer(self._pair.key, 0)

    @property
    def edges(self) -> Image | None:
        """Return its edge map, if it is in the viewer."""
        return self._pair.results.layer(self._pair.key, 1)

    @property
    def values(self) -> tuple[float, float] | None:
        """Return the range of the result on the screen, if that is known."""
        return self._pair.shown_range

    def show_through(self, which: Output, view: View | None) -> None:
        """Show result or edge map through a view from now on, or as it is."""
        self._pair.show_through(which, view)


class KeptTarget:
    """A result that stays, and its edge map.

    Parameters
    ----------
    layers : LayerList
        The layers of the viewer.
    result, source : napari.layers.Image
        The result, and the image that it was made of.

    Raises
    ------
    ValueError
        If the source has other pixels by now.
    """

    def __init__(self, layers: LayerList, result: Image, source: Image) -> None:
        self._layers = layers
        self._result, self._source = result, source
        self._viewed: dict[Output, ViewedLayer] = {}
        shapes = [
            tuple((each.data[0] if each.multiscale else each.data).shape)
            for each in (result, source)
        ]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"'{source.name}' has other pixels than those that '{result.name}' was "
                f"made of: its shape must be {shapes[0]}, and is {shapes[1]}"
            )

    @property
    def layer(self) -> Image | None:
        """Return the result, if it is in the viewer and its source too."""
        both = self._result in self._layers and self._source in self._layers
        return self._result if both else None

    @property
    def edges(self) -> Image | None:
        """Return its edge map, if it is in the viewer."""
        results = results_of(self._layers, self._source)
        place = results.place_of(self._result)
        return None if place is None else results.layer(place[0], 1)

    @property
    def values(self) -> tuple[float, float] | None:
        """Return the range of the result."""
        known = self._result.metadata[METADATA]["range"]
        if known is None:
            data = self._result.data
            known = value_range(
                np.asarray(data[-1] if self._result.multiscale else data)
            )
        return known

    def show_through(self, which: Output, view: View | None) -> None:
        """Show result or edge map through a view from now on, or as it is."""
        viewed = self._viewed.get(which)
        if view is None:
            if viewed is not None:
                del self._viewed[which]
                viewed.end()
        elif viewed is not None:
            viewed.view = view
            viewed.refresh()
        else:
            source = self._source
            levels = list(source.data) if source.multiscale else [source.data]
            layer = self._result if which is Output.IMAGE else self.edges
            amount = self._result.metadata[METADATA]["amount"]
            self._viewed[which] = ViewedLayer(self._layers, layer, view, levels, amount)


def amount_of(target: Target) -> float | None:
    """Return by which the edge map of a target is multiplied, if it is known yet.

    Raises
    ------
    ValueError
        If what was added cannot be shown by the edge map.
    """
    layer = target.layer
    if layer is None or target.edges is None:
        raise ValueError("No difference: the edge map of this result was deleted.")
    metadata = layer.metadata[METADATA]
    if metadata["edge_map"] != Output.EDGE_MAP:
        raise ValueError(
            "No difference: the edge map shows the significance. Choose intensity "
            "under Advanced."
        )
    amount = metadata["amount"]
    if np.ndim(amount) > 0:
        raise ValueError(
            "No difference: the amount is not the same for the whole image."
        )
    return None if amount is None else float(amount)


def target_of(layers: LayerList, pair: LivePair | None, chosen: Image | None) -> Target:
    """Return what a dock compares: its live result, or one that stays.

    That is the active layer if it is a result, else the newest of the chosen image.

    Raises
    ------
    ValueError
        If there is none.
    """
    layers = unwrapped(layers)
    if pair is not None:
        target = LiveTarget(pair)
        if target.layer is None:
            raise ValueError(NO_RESULT)
        return target
    result = _kept(layers, chosen)
    if result is None:
        raise ValueError(NO_RESULT)
    if (other := pair_of(result)) is not None:
        return LiveTarget(other)
    source = source_of(layers, result)
    if source is None or source not in layers:
        raise ValueError(
            f"The image that '{result.name}' was made of is not in the viewer."
        )
    return KeptTarget(layers, result, source)


def _kept(layers: LayerList, chosen: Image | None) -> Image | None:
    active: Any = layers.selection.active
    if active is not None and is_result(active):
        return _result_beside(layers, active)
    if chosen is None:
        return None
    results = results_of(layers, chosen).results
    return max(results, key=layers.index, default=None)


def _result_beside(layers: LayerList, layer: Image) -> Image:
    """Return the result that belongs to an edge map; a result is its own."""
    source = source_of(layers, layer)
    results = None if source is None else results_of(layers, source)
    place = None if results is None else results.place_of(layer)
    return layer if place is None else results.layer(place[0], 0) or layer
