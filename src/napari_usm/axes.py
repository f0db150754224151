"""Which axes of a layer are filtered, by its axis labels, and how to say so."""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PLANES, VOLUMES = "planes", "volumes"

# Axes that hold no neighbours of a pixel: they are never filtered.
_NOT_SPATIAL = {"t", "time", "frame", "c", "ch", "channel", "channels"}

# What napari calls an axis that nobody has named: "-3", in older ones "axis -3".
_UNNAMED = re.compile(r"(axis )?-?\d+")


def axis_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Names to show: the labels, or what is known of axes without one.

    Examples
    --------
    >>> axis_names(("-3", "-2", "-1"))
    ('axis 0', 'Y', 'X')
    """
    plane = dict(zip(reversed(plane_axes(labels)), "XY", strict=False))
    names = []
    for axis, label in enumerate(labels):
        if _UNNAMED.fullmatch(label):
            names.append(plane.get(axis, f"axis {axis}"))
        else:
            names.append(label.upper() if len(label) == 1 else label)
    return tuple(names)


def plane_axes(labels: Sequence[str]) -> tuple[int, ...]:
    """Axes of a plane: those labelled y and x, or the last two spatial ones."""
    words = [label.lower() for label in labels]
    if "y" in words and "x" in words:
        return tuple(sorted((words.index("y"), words.index("x"))))
    return tuple(_spatial_axes(labels)[-2:])


def depth_axes(labels: Sequence[str]) -> tuple[int, ...]:
    """Axes that may be Z: the one labelled so, or all spatial ones beside the plane.

    Which of several it is, is for the user to say: never for their sizes.
    """
    words = [label.lower() for label in labels]
    if "z" in words:
        return (words.index("z"),)
    plane = plane_axes(labels)
    return tuple(axis for axis in _spatial_axes(labels) if axis not in plane)


def filtered_axes(
    labels: Sequence[str], dimensions: str, depth: int | None = None
) -> tuple[int, ...]:
    """Axes to filter in planes, or in volumes of the planes along the axis `depth`.

    Raises
    ------
    ValueError
        If there is no such axis, or if it has not been said which of several it is.
    """
    plane = plane_axes(labels)
    if not plane:
        raise ValueError(
            f"`layer` must have an axis that is neither time nor channel; got {labels}"
        )
    if dimensions == PLANES:
        return plane
    if dimensions != VOLUMES:
        raise ValueError(
            f"`dimensions` must be '{PLANES}' or '{VOLUMES}'; got {dimensions!r}"
        )
    candidates = depth_axes(labels)
    if depth is None and len(candidates) == 1:
        depth = candidates[0]
    if depth not in candidates:
        raise ValueError(
            f"`z_axis` must say which axis is Z, one of {candidates}; got {depth!r}"
        )
    return tuple(sorted((depth, *plane)))


def sentence(shape: Sequence[int], labels: Sequence[str], axes: Sequence[int]) -> str:
    """What is filtered together, and how often.

    Examples
    --------
    >>> sentence((20, 512, 512), ("z", "y", "x"), (1, 2))
    'Filters Y and X of each of 20 planes'
    """
    names = axis_names(labels)
    *first, last = (names[axis] for axis in axes)
    together = f"{', '.join(first)} and {last}" if first else last
    one, many = {1: ("line", "lines"), 2: ("plane", "planes")}.get(
        len(axes), ("volume", "volumes")
    )
    count = prod(n for axis, n in enumerate(shape) if axis not in axes)
    if count == 1:
        return f"Filters {together} of the {one}"
    return f"Filters {together} of each of {count} {many}"


def _spatial_axes(labels: Sequence[str]) -> list[int]:
    return [
        axis for axis, label in enumerate(labels) if label.lower() not in _NOT_SPATIAL
    ]
