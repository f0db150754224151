"""Source on one side of a line across the canvas, the result on the other."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._widgets.layers.info import finest
from napari_usm._widgets.live.views import source_view

if TYPE_CHECKING:
    from napari.components import LayerList
    from napari.layers import Image

    from napari_usm._widgets.live.views import Part

# Part of a pixel by which a line may be out of step with the pixels of a plane.
_STRAIGHT = 1e-6


class Across:
    """Positions of a layer's pixels along one axis of the world.

    Parameters
    ----------
    layers : LayerList
        The layers of the viewer: their units are those of the world.
    layer : napari.layers.Image
        The layer.
    axis : int
        Counted from the last axis, -1.

    Raises
    ------
    ValueError
        If the layer has no such axis.
    """

    def __init__(self, layers: LayerList, layer: Image, axis: int) -> None:
        self._layers, self._layer = weakref.ref(layers), weakref.ref(layer)
        self.axis = axis
        if -axis > layer.ndim:
            raise ValueError(
                f"'{layer.name}' lies in one plane along an axis that is shown: turn "
                "the view to two axes that it has"
            )

    def line(self) -> tuple[np.ndarray, float]:
        """Return the steps along the layer's axes, and where its first pixel is."""
        layer, layers = self._layer(), self._layers()
        if layer is None or layers is None:
            return np.zeros(-self.axis), 0.0
        origin = np.zeros(layer.ndim)
        first = layer.data_to_world(origin)[self.axis]
        steps = [
            layer.data_to_world(origin + unit)[self.axis] - first
            for unit in np.eye(layer.ndim)
        ]
        factor = _unit(layers, layer, self.axis)
        return factor * np.array(steps), factor * first

    def snapped(self, position: float) -> float:
        """Return the nearest place between two pixels, where pixels are not turned."""
        steps, first = self.line()
        along = np.flatnonzero(np.abs(steps) > _STRAIGHT * np.abs(steps).max())
        if len(along) != 1:
            return position
        step = steps[along[0]]
        edge = np.floor((position - first) / step) + 0.5
        return float(first + step * edge)

    @property
    def pixel(self) -> float:
        """Return the length of a pixel along the axis."""
        steps, _ = self.line()
        return float(np.abs(steps).max())

    @property
    def ends(self) -> tuple[float, float]:
        """Return where the layer begins and ends."""
        steps, first = self.line()
        layer = self._layer()
        lengths = (
            [0] * len(steps) if layer is None else finest(layer).shape[: layer.ndim]
        )
        corners = [
            step * np.array([-0.5, length - 0.5])
            for step, length in zip(steps, lengths, strict=True)
        ]
        low = first + sum(min(each) for each in corners)
        return float(low), float(first + sum(max(each) for each in corners))


def _unit(layers: LayerList, layer: Image, axis: int) -> float:
    """Return the length of a layer's unit in that of the viewer's world."""
    units = getattr(layers.extent, "units", None)
    if units is None:
        return 1.0
    return float((1 * layer.units[axis]).to(units[axis]).magnitude)


@dataclass(frozen=True)
class Wipe:
    """Shows the source before a position: left of the line, or above it.

    Attributes
    ----------
    across : Across
        Where the pixels are.
    position : float
        Where the line is.
    backwards : bool
        Whether coordinates grow to the left, or upwards.
    """

    across: Across
    position: float
    backwards: bool = False

    def __call__(self, part: Part) -> np.ndarray:
        """Return the pixels of both, or of one where the line is beyond the part."""
        steps, first = self.across.line()
        before = first - self.position
        if self.backwards:
            steps, before = -steps, -before
        places = []
        for step, span, factor in zip(steps, part.index, part.factors, strict=False):
            if isinstance(span, int):
                before += step * span * factor
            else:
                places.append(step * factor * np.asarray(span))
        moving = [i for i, each in enumerate(places) if _varies(each, places)]
        if not moving:
            return part.pixels if before >= 0 else source_view(part)
        if len(moving) > 1:
            total = sum(np.ix_(*places)) + before
            return _mixed(part, total < 0)
        (axis,) = moving
        is_source = places[axis] + before < 0
        count = int(np.count_nonzero(is_source))
        if count in (0, len(is_source)):
            return source_view(part) if count else part.pixels
        side = slice(count) if is_source[0] else slice(len(is_source) - count, None)
        return _mixed(part, (slice(None),) * axis + (side,))


def _varies(places: np.ndarray, others: list[np.ndarray]) -> bool:
    longest = max(float(np.ptp(each)) for each in others)
    return float(np.ptp(places)) > _STRAIGHT * longest


def _mixed(part: Part, where: Any) -> np.ndarray:
    """Return the source's pixels at some places, and the result's at all others."""
    source = part.source()
    if source is None:
        return part.pixels
    seen = part.pixels.copy()
    seen[where] = source[where]
    return seen
