"""Which axes of a layer are filtered, how wide, and how to say so."""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.methods import checks

if TYPE_CHECKING:
    from collections.abc import Sequence

PLANES, VOLUMES = "planes", "volumes"

# The unit of a sigma where pixels have no length, or nobody asks for it.
PIXELS = "px"

# Below this sigma a pixel gives less than half a percent to each neighbour.
_NARROW = 0.3

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
    together = _listed(labels, axes)
    one, many = {1: ("line", "lines"), 2: ("plane", "planes")}.get(
        len(axes), ("volume", "volumes")
    )
    count = prod(n for axis, n in enumerate(shape) if axis not in axes)
    if count == 1:
        return f"Filters {together} of the {one}"
    return f"Filters {together} of each of {count} {many}"


def main_axis(labels: Sequence[str], axes: Sequence[int]) -> int:
    """The filtered axis whose pixels stand for all on a slider: X, or the last one."""
    names = axis_names(labels)
    return next((axis for axis in axes if names[axis] == "X"), axes[-1])


def sigma_in_pixels(sigma: Any, steps: Sequence[float]) -> tuple[float, ...]:
    """A sigma in pixels, per axis: a length over those of the axes' pixels.

    Raises
    ------
    TypeError, ValueError
        If it is neither one length nor one for each axis.

    Examples
    --------
    >>> sigma_in_pixels(0.5, (2.0, 0.25, 0.25))
    (0.25, 2.0, 2.0)
    """
    lengths = checks.per_axis("sigma", sigma, len(steps), minimum=0)
    return tuple(length / step for length, step in zip(lengths, steps, strict=True))


def sigma_sentence(
    sigma: float, unit: str, others: Sequence[float], other_unit: str
) -> str:
    """A sigma in one unit, and in another along each filtered axis.

    Examples
    --------
    >>> sigma_sentence(0.35, "µm", (0.22, 3.24, 3.24), "px")
    '0.35 µm = 0.22 × 3.2 × 3.2 px'
    """
    product = " × ".join(figures(other, 2) for other in others)
    return f"{figures(sigma, 4)} {unit} = {product} {other_unit}"


def too_narrow(
    pixels: Sequence[float], labels: Sequence[str], axes: Sequence[int]
) -> str:
    """Along which axes a sigma in pixels, one per filtered axis, hardly blurs at all.

    Examples
    --------
    >>> too_narrow((0.2, 1.0, 1.0), ("z", "y", "x"), (0, 1, 2))
    'too narrow along Z to matter'
    """
    narrow = [a for a, sigma in zip(axes, pixels, strict=True) if sigma < _NARROW]
    return f"too narrow along {_listed(labels, narrow)} to matter" if narrow else ""


def figures(value: float, count: int) -> str:
    """A number in so many figures, or all of those before its point; no exponent.

    Examples
    --------
    >>> figures(0.34567, 2), figures(2.0, 2), figures(1234.5, 2)
    ('0.35', '2', '1234')
    """
    return np.format_float_positional(
        value,
        precision=max(count, len(str(int(abs(value))))),
        unique=False,
        fractional=False,
        trim="-",
    )


def _listed(labels: Sequence[str], axes: Sequence[int]) -> str:
    names = axis_names(labels)
    *first, last = (names[axis] for axis in axes)
    return f"{', '.join(first)} and {last}" if first else last


def _spatial_axes(labels: Sequence[str]) -> list[int]:
    return [
        axis for axis, label in enumerate(labels) if label.lower() not in _NOT_SPATIAL
    ]
