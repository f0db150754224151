"""The colours of an image: the part of them that is filtered, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.colour import filtered_part, scaled_to_value
from napari_usm._filters.combine import add_detail, limited
from napari_usm._filters.dtypes import Array, cast, is_wide, type_limits
from napari_usm._filters.opacity import opacity, visible

if TYPE_CHECKING:
    from napari_usm._engine.blocks import Slices

    Limits = tuple[float, float]

# Overflow and invalid values are expected at the ends of a type's range.
QUIET = np.errstate(over="ignore", invalid="ignore")


@dataclass(frozen=True)
class Colours:
    """Splits blocks into the signal that is filtered and the rest, and joins them.

    The signal has the axes of the image: one index for each channel that is filtered,
    or one for all of them with ``color="luminance"`` and ``"value"``; none for alpha.

    Attributes
    ----------
    axis : int or None
        Axis of the channels.
    color : {"channels", "luminance", "value"}
        The signal: "channels" if there is no channel axis.
    has_alpha : bool
        Whether the last channel is alpha.
    ndim : int
        Number of dimensions of the image.
    dtype, working, result : dtype
        Types of the image, of the computation and of the result.
    """

    axis: int | None
    color: str
    has_alpha: bool
    ndim: int
    dtype: np.dtype[Any]
    working: np.dtype[Any]
    result: np.dtype[Any]

    def edge_slices(self, per_axis: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the items that belong to the axes of the public edge map."""
        if self.color == "channels" or self.axis is None:
            return per_axis
        return (*per_axis[: self.axis], *per_axis[self.axis + 1 :])

    def plain_slices(self, per_axis: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the items of all axes but that of the channels."""
        return tuple(item for axis, item in enumerate(per_axis) if axis != self.axis)

    def weighted(self, edge_map: Array, weight: Array) -> Array:
        """Return an edge map times a weight at each pixel, shared by all channels."""
        weight = weight.astype(edge_map.dtype)
        if self.axis is not None:
            weight = np.expand_dims(weight, self.axis)
        result: Array = edge_map * weight
        return result

    def signal_slices(self, per_axis: Slices) -> Slices:
        """Return slices of a signal: its channels are never cut."""
        return tuple(
            slice(None) if axis == self.axis else span
            for axis, span in enumerate(per_axis)
        )

    def signal_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the signal of an image or block."""
        if self.axis is None:
            return shape
        count = shape[self.axis] - self.has_alpha if self.color == "channels" else 1
        return (*shape[: self.axis], count, *shape[self.axis + 1 :])

    def opacity(self, block: Array) -> Array | None:
        """Return weights of pixels by their alpha; None if all are opaque."""
        _, alpha = self._parts(block)
        return None if alpha is None else opacity(alpha)

    def visible(self, block: Array) -> Array:
        """Return the colours of a block in the working type, NaN where alpha is 0."""
        return visible(self._working(block), self.opacity(block))

    @QUIET
    def signal(self, block: Array) -> Array:
        """Return the signal of a block in the working type."""
        return self._signal(self._working(block))

    @QUIET
    def visible_signal(self, block: Array) -> Array:
        """Return the signal of a block in the working type, NaN where alpha is 0."""
        return self._signal(self.visible(block))

    @QUIET
    def stored_signal(self, block: Array) -> Array:
        """Return the signal of a block, in the type of the image where possible."""
        mixed = self.color == "luminance"
        return self._signal(self._working(block) if mixed else self._parts(block)[0])

    @QUIET
    def public_edge_map(self, edge_map: Array) -> Array:
        """Return an edge map as float32, 0 for alpha, or without the channel axis."""
        result = cast(edge_map, np.dtype(np.float32))
        if self.axis is None:
            return result
        if self.color != "channels":
            return result.squeeze(self.axis)
        if self.has_alpha:
            margin = [(0, int(axis == self.axis)) for axis in range(self.ndim)]
            result = np.pad(result, margin)
        return result

    @QUIET
    def unlimited(
        self, colours: Array, edge_map: Array, amount: Array | float
    ) -> Array:
        """Return ``base + amount * edge_map``; `limits` apply to this.

        The base is HSV's value with ``color="value"``, else the colours themselves.
        """
        base = self._signal(colours) if self.color == "value" else colours
        return add_detail(base, edge_map, amount)

    @QUIET
    def combine(
        self, block: Array, edge_map: Array, amount: Array | float, limits: Limits
    ) -> Array:
        """Return the result of a block from its edge map."""
        low, high = limits
        stored, alpha = self._parts(block)
        colours = stored.astype(self.working, order="C")
        raw = self.unlimited(colours, edge_map, amount)
        if self.color == "value":
            new_value = np.clip(raw, low, high)
            raw = scaled_to_value(colours, self._signal(colours), new_value)
            # The value was limited; colours darker than `low` keep their hue.
            low, high = type_limits(self.result)
        result = limited(raw, low, high, self.result)
        passes = np.can_cast(self.dtype, self.result)
        if passes and is_wide(self.dtype):
            # A pixel that the working type does not see change has all its digits.
            same = (raw == colours) & (raw >= low) & (raw <= high)
            result = np.where(same, stored.astype(self.result), result)
        if alpha is None:
            return result
        weight = opacity(alpha)
        if weight is not None:
            source = (
                stored.astype(self.result) if passes else cast(colours, self.result)
            )
            result = np.where(weight > 0, result, source)
        passed = (
            alpha.astype(self.result)
            if passes
            else cast(alpha.astype(self.working), self.result)
        )
        assert self.axis is not None
        return np.concatenate([result, passed], self.axis)

    def _parts(self, block: Array) -> tuple[Array, Array | None]:
        """Return colours and alpha of a block, as they are stored."""
        if not self.has_alpha:
            return block, None
        assert self.axis is not None
        colours, alpha = np.split(block, [block.shape[self.axis] - 1], self.axis)
        return colours, alpha

    def _working(self, block: Array) -> Array:
        """Return the colours of a block in the working type."""
        return self._parts(block)[0].astype(self.working, order="C")

    def _signal(self, colours: Array) -> Array:
        if self.axis is None:
            return colours
        return filtered_part(colours, self.axis, self.color)
