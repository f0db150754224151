"""Show a layer of plain data through views, without a change of the data."""

from __future__ import annotations

import sys
import weakref
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine.virtual import VirtualArray
from napari_usm._filters.dtypes import cast
from napari_usm._filters.means import block_means
from napari_usm._widgets.live.array import LiveArray, is_slicing
from napari_usm._widgets.live.settled_layers import SettledInsertions
from napari_usm._widgets.live.source import read, readable
from napari_usm._widgets.live.stand_ins import StandInGuard
from napari_usm._widgets.live.views import Part

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Image, Layer

    from napari_usm._engine.virtual import Index
    from napari_usm._widgets.live.views import View


class ViewedLayer:
    """A layer whose slices on the screen are shown through a view, until `end`.

    Parameters
    ----------
    layers : LayerList
        The layers of its viewer.
    layer : napari.layers.Image
        A layer that is not live.
    view : View
        What is shown instead of its pixels.
    source : sequence of array-like, optional
        Levels of the image that it was made of.
    amount : float or array
        By which its edge map is multiplied in the result.
    """

    def __init__(
        self,
        layers: LayerList,
        layer: Image,
        view: View,
        source: list[Any],
        amount: Any = 1.0,
    ) -> None:
        self.view = view
        self._layer = weakref.ref(layer)
        self._given = list(layer.data) if layer.multiscale else layer.data
        self._shown: dict[int, np.ndarray] = {}
        levels = list(layer.data) if layer.multiscale else [layer.data]
        whole, source = tuple(levels[0].shape), [readable(each) for each in source]
        arrays = []
        for number, level in enumerate(levels):
            pixels = ViewedPixels(
                self, level, readable(level), whole, number, source, amount
            )
            arrays.append(ViewedArray(level.shape, level.dtype, pixels))  # type: ignore[abstract]
        self._put: Any = arrays if layer.multiscale else arrays[0]
        self._guard = StandInGuard(layer, self._shown.get)
        self._insertions = SettledInsertions(layers)
        _replace(layer, self._put)

    @property
    def layer(self) -> Image | None:
        """Return the layer."""
        return self._layer()

    def refresh(self) -> None:
        """Slice the layer again: the view has changed."""
        layer = self.layer
        if layer is not None:
            layer.refresh(extent=False, highlight=False)

    def end(self) -> None:
        """Put the data back, unless somebody has given the layer others."""
        self._insertions.stop_soon()
        layer = self.layer
        if layer is None:
            return
        self._shown.clear()
        first, put = (layer.data, self._put)
        if layer.multiscale:
            first, put = first[0], put[0]
        if first is put:
            _replace(layer, self._given)
        self._guard.disconnect()

    def show(self, part: Part, level: int) -> np.ndarray:
        """Return what the view makes of a part."""
        self._shown.pop(level, None)
        seen = self.view(part)
        if seen is not part.pixels:
            self._shown[level] = seen
        return seen


class ViewedArray(LiveArray):
    """Data of a layer that is shown through a view.

    Only napari's slices of that layer get what the view makes of them; whatever else
    is done with it, is done with the array that it stands for.
    """

    _compute: ViewedPixels

    def __getitem__(self, key: Any) -> Any:
        """Return a view for napari's slices; a part of the array itself for others."""
        if is_slicing(sys._getframe(1)):
            return VirtualArray.__getitem__(self, key)
        return self._compute.array[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._compute.array[key] = value

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return deepcopy(self._compute.array, memo)

    def settled(self, layer: Layer) -> Any:
        """Return what another layer gets: the array itself."""
        return self if self._compute.draws_on(layer) else self._compute.array


@dataclass(frozen=True)
class ViewedPixels:
    """Pixels of one level of a layer that is shown through a view.

    Attributes
    ----------
    viewed : ViewedLayer
        The layer.
    array : array-like
        The data of that level.
    pixels : array-like
        The same, as they are read.
    whole : tuple of int
        Shape of level 0.
    level : int
        Which one it is.
    source : list of array-like
        Levels of the source.
    amount : float or array
        By which the edge map is multiplied in the result.
    """

    viewed: ViewedLayer
    array: Any
    pixels: Any
    whole: tuple[int, ...]
    level: int
    source: list[Any]
    amount: Any

    def __call__(self, index: Index) -> np.ndarray:
        """Return the pixels of the layer."""
        return read(self.pixels, index)

    def shown(self, index: Index, layer: Layer | None) -> np.ndarray:
        """Return what the screen of a layer shows."""
        return self.awaited(index) if self.draws_on(layer) else self(index)

    def awaited(self, index: Index) -> np.ndarray:
        """Return what the layer itself shows."""
        sizes = zip(self.whole, self.array.shape, strict=True)
        factors = tuple(whole / length for whole, length in sizes)
        source = partial(self._source, index)
        part = Part(self(index), index, factors, source, self.amount)
        return self.viewed.show(part, self.level)

    def draws_on(self, layer: Layer | None) -> bool:
        """Return whether it is the layer that is shown through the view."""
        return layer is not None and layer is self.viewed.layer

    def _source(self, index: Index) -> np.ndarray:
        """Return the source's pixels; of a level that it has not, means of level 0."""
        dtype, shape = self.array.dtype, self.array.shape
        for level in self.source:
            if tuple(level.shape) == tuple(shape):
                return read(level, index).astype(dtype, copy=False)
        return _means(self.source[0], index, shape, dtype)


def _means(
    whole: Any, index: Index, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    factors = [_factor(n, m) for n, m in zip(whole.shape, shape, strict=True)]
    spans = [range(i, i + 1) if isinstance(i, int) else i for i in index]
    forwards = [span if span.step > 0 else span[::-1] for span in spans]
    box = tuple(
        range(span[0] * f, min((span[-1] + 1) * f, n))
        for span, f, n in zip(forwards, factors, whole.shape, strict=True)
    )
    lengths = [span[-1] + 1 - span[0] for span in forwards]
    means = cast(block_means(read(whole, box), factors, lengths), dtype)
    return means[
        tuple(0 if isinstance(i, int) else slice(None, None, i.step) for i in index)
    ]


def _factor(whole: int, length: int) -> int:
    """Return the power of two by which a length is halved to another, rounded up."""
    factor = 1
    while -(-whole // factor) > length:
        factor *= 2
    return factor


def _replace(layer: Image, data: Any) -> None:
    """Give a layer an array of the same pixels; what it shows of a pyramid stays."""
    corners, level = layer.corner_pixels, layer.data_level
    locked = getattr(layer, "locked_data_level", None)  # older napari has none
    # The pixels are the same: nobody has to compute from them again.
    with layer.events.data.blocker():
        layer.data = data
    if not layer.multiscale:
        return
    if isinstance(layer.data[0], ViewedArray):
        # Of a pyramid of planes napari keeps the coarsest level, as if it were plain
        # pixels. There is no public way to clear it; a test checks this one.
        layer._level_materializer = None
    layer.corner_pixels = corners
    layer.data_level = level
    if locked is not None:
        layer.locked_data_level = locked
    layer.refresh(extent=False, highlight=False)
