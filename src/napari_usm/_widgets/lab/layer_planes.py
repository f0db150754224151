"""Planes of layers that are measured, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm._widgets.layers.data import METADATA
from napari_usm._widgets.layers.info import axes_of, finest
from napari_usm._widgets.live.pair import pair_of
from napari_usm._widgets.live.source import readable
from napari_usm.lab.findings import Source
from napari_usm.lab.planes import Plane
from napari_usm.lab.profile import Line

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image, Shapes

# Pixels along each side of what is measured: its middle, where a plane is larger, so
# that it takes seconds at most.
LARGEST = 1024


class Place(NamedTuple):
    """Place of a measurement, in pixels of the finest level.

    Attributes
    ----------
    spans : tuple of slice
        One for each axis of the layer but its colours; of length 1 for those that are
        not in the plane.
    axes : tuple of int
        The two that are, in order.
    shape : tuple of int
        How large the plane is along them.
    """

    spans: tuple[slice, ...]
    axes: tuple[int, int]
    shape: tuple[int, int]

    def said(self, layer: Image) -> list[str]:
        """Return place and size, in words."""
        names = axes_of(layer).names
        parts = [
            f"{names[axis]} = {span.start}"
            for axis, span in enumerate(self.spans)
            if axis not in self.axes
        ]
        sizes = [self.spans[axis].stop - self.spans[axis].start for axis in self.axes]
        whole = " × ".join(map(str, self.shape))
        if tuple(sizes) == self.shape:
            parts.append(f"{whole} pixels")
        else:
            parts.append(f"the middle {' × '.join(map(str, sizes))} of {whole} pixels")
        return parts

    def said_line(self, line: Line) -> str:
        """Return the place of a line, in pixels of the layer."""
        corner = [self.spans[axis].start for axis in self.axes]
        ends = [
            ", ".join(
                f"{at + first:.0f}" for at, first in zip(end, corner, strict=True)
            )
            for end in line
        ]
        return f"from ({ends[0]}) to ({ends[1]})"


# Displayed ranges that differ by more than this are not of the same units.
_OTHER_UNITS = 20


def displayed(layer: Image, dims: Dims) -> Place:
    """The plane of a layer that a viewer displays; of a volume, the one at its slider.

    Raises
    ------
    ValueError
        If the layer has none there.
    """
    before = dims.ndim - layer.ndim
    along = sorted(axis - before for axis in dims.displayed[-2:])
    point = np.round(layer.world_to_data(dims.point)).astype(int)
    spans, lengths = [], finest(layer).shape[: layer.ndim]
    for axis, length in enumerate(lengths):
        if axis in along:
            first = max(0, (length - LARGEST) // 2)
            spans.append(slice(first, first + min(length, LARGEST)))
        else:
            spans.append(slice(int(point[axis]), int(point[axis]) + 1))
        if along[0] < 0 or not 0 <= spans[-1].start < length:
            raise ValueError(f"'{layer.name}' has no plane where the sliders are")
    return Place(tuple(spans), tuple(along), tuple(lengths[axis] for axis in along))


def source(layer: Image, place: Place, pixels: object) -> Source:
    """Return the plane of a layer, read when it is needed.

    Parameters
    ----------
    layer : Image
        Live or not.
    place : Place
        What of it.
    pixels : object
        Another one whenever the layer has got other pixels.
    """
    pair, array = pair_of(layer), finest(layer)
    # Of a live layer the pixels change with its parameters.
    made_by = "" if pair is None else repr(pair.run.plan)
    spans = place.spans + (slice(None),) * (len(array.shape) - layer.ndim)

    def read() -> Plane:
        read = np.asarray(readable(array)[spans])
        others = tuple(a for a in range(layer.ndim) if a not in place.axes)
        return Plane(read.squeeze(others))

    where = tuple((span.start, span.stop) for span in place.spans)
    return Source((pixels, where, made_by), read)


def noise_factor(layer: Image | None) -> float | None:
    """Factor by which the noise grew in a result, as its report says; None of others.

    Several, for items or colours, as their mean. NaN as long as a live result has none.
    """
    metadata = {} if layer is None else layer.metadata.get(METADATA, {})
    if (report := metadata.get("report")) is not None:
        return float(np.mean(report.noise_factor))
    return None if pair_of(layer) is None else float("nan")


def remarks(image: Image, result: Image | None, reference: Image | None) -> list[str]:
    """Return what has to be known of the metrics: units, and means of factors."""
    lines = []
    if reference is not None and reference.dtype != image.dtype:
        spans = [np.ptp(layer.contrast_limits) for layer in (image, reference)]
        if max(spans) > _OTHER_UNITS * min(spans):
            lines.append("the reference has other units: SSIM and PSNR mean nothing")
    metadata = {} if result is None else result.metadata.get(METADATA, {})
    count = np.size(getattr(metadata.get("report"), "noise_factor", 1))
    if count > 1:
        lines.append(f"noise factor: mean of {count}")
    return lines


def drawn_line(shapes: Shapes | None, layer: Image, place: Place) -> Line | None:
    """Return the first line of a layer of shapes, on the pixels of a place."""
    if shapes is None or "line" not in shapes.shape_type:
        return None
    ends = shapes.data[list(shapes.shape_type).index("line")]
    points = []
    for end in ends:
        world = np.asarray(shapes.data_to_world(end), float)
        missing = max(0, layer.ndim - world.size)
        pixel = layer.world_to_data(np.pad(world, (missing, 0)))
        points.append(tuple(float(pixel[a]) - place.spans[a].start for a in place.axes))
    line = Line(*points)
    return line if line.length > 0 else None
