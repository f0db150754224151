"""Physical geometry of a layer: axes, and the steps from pixel to pixel along them.

Everything that depends on the shape of a voxel comes from here: sigma in a unit of
length, the spacing of the Laplacian, and the sentences about both.
"""

from __future__ import annotations

from itertools import combinations
from math import hypot
from typing import TYPE_CHECKING, Any

import numpy as np
import pint
from napari.utils.transforms import Affine

from napari_usm import axes
from napari_usm.axes import Axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image

# A rotation leaves this much of a pixel's length, or less, on axes that it spares.
_ROUNDING = 1e-9

# Axes whose cosine is larger are not at right angles: half a degree.
_SKEW = 0.01

# A step that was converted from one unit to another shall be the same number again.
_FIGURES = 12


def axes_of(layer: Image) -> Axes:
    """Return the axes of a layer, by its labels and units."""
    timed = [dict(unit.dimensionality) == {"[time]": 1} for unit in layer.units]
    return Axes(layer.axis_labels, timed)


def length_units(layer: Image, filtered: Sequence[int]) -> dict[str, float]:
    """Units for a sigma along the filtered axes, and a pixel's length along X in each.

    That of X comes first. There is none if an axis has no length: time, or pixels
    that nobody measured.
    """
    main = axes_of(layer).main(filtered)
    found = {}
    for name in dict.fromkeys(_name(layer.units[axis]) for axis in (main, *filtered)):
        try:
            steps = pixel_steps(layer, filtered, name)
        except ValueError:
            continue
        found[name] = steps[filtered.index(main)]
    return found


def pixel_steps(layer: Image, filtered: Sequence[int], unit: Any) -> tuple[float, ...]:
    """Length of one step from pixel to pixel along each filtered axis.

    Raises
    ------
    TypeError, ValueError
        If the unit is none of length, or if an axis has no length.
    """
    steps = _steps(layer, filtered, _factors(layer, unit))
    for axis, step in zip(filtered, steps, strict=True):
        if step is None:
            raise ValueError(
                f"`sigma_unit` must be '{axes.PIXELS}' for '{layer.name}', where "
                f"{axes_of(layer).names[axis]} has no length (its unit is "
                f"'{layer.units[axis]}'); got {unit!r}"
            )
    return tuple(step for step in steps if step is not None)


def spacing(layer: Image, filtered: Sequence[int]) -> tuple[float, ...]:
    """Return the steps from pixel to pixel, all in the unit of the last filtered axis.

    They are plain numbers where no filtered axis has a unit of length.

    Raises
    ------
    ValueError
        If some of the axes have a unit of length, and others have none.
    """
    has_length = [_is_length(layer.units[axis]) for axis in filtered]
    if not any(has_length):
        steps = _steps(layer, filtered, [1.0] * layer.ndim)
    elif all(has_length):
        steps = _steps(
            layer, filtered, _factors(layer, _name(layer.units[filtered[-1]]))
        )
    else:
        steps = [None]
    if None in steps:
        units = [f"{axes_of(layer).names[a]} in {layer.units[a]}" for a in filtered]
        raise ValueError(
            "`layer` must have units of length on all axes that are filtered together, "
            f"or on none; got {', '.join(units)} for '{layer.name}'"
        )
    return tuple(float(f"{step:.{_FIGURES}g}") for step in steps)


def skew_line(layer: Image, filtered: Sequence[int]) -> str:
    """Return a sentence if filtered axes are not at right angles in the world."""
    unit = layer.units[filtered[-1]]
    factors = _factors(layer, _name(unit)) if _is_length(unit) else [1.0] * layer.ndim
    scales = np.array([[factor or 1.0] for factor in factors])
    vectors = (_linear_matrix(layer) * scales).T
    for first, second in combinations(filtered, 2):
        one, other = vectors[first], vectors[second]
        lengths = np.linalg.norm(one) * np.linalg.norm(other)
        if lengths and abs(one @ other) > _SKEW * lengths:
            pair = axes_of(layer).listed((first, second))
            return (
                f"{pair} are not at right angles (shear or affine): filtered along "
                "the axes, by the step along each"
            )
    return ""


def sigma_line(layer: Image, filtered: Sequence[int], sigma: float, unit: str) -> str:
    """What a sigma is in pixels and as a length, and where it is too narrow."""
    pixels: Sequence[float] = (sigma,) * len(filtered)
    parts = []
    if unit != axes.PIXELS:
        steps = pixel_steps(layer, filtered, unit)
        pixels = axes.sigma_in_pixels(sigma, steps)
        parts.append(axes.sigma_sentence(sigma, unit, pixels, axes.PIXELS))
    elif units := length_units(layer, filtered):
        other = next(iter(units))
        lengths = [sigma * step for step in pixel_steps(layer, filtered, other)]
        parts.append(axes.sigma_sentence(sigma, axes.PIXELS, lengths, other))
    if narrow := axes.too_narrow(axes_of(layer), pixels, filtered):
        parts.append(narrow)
    said = ", ".join(parts)
    return said[:1].upper() + said[1:]


def _linear_matrix(layer: Image) -> np.ndarray:
    """Return the matrix of all transforms, from pixels to the world."""
    # By hand: `data_to_world` adds offsets, and with them their rounding.
    own = Affine(scale=layer.scale, rotate=layer.rotate, shear=layer.shear)
    matrix: np.ndarray = layer.affine.linear_matrix @ own.linear_matrix
    return matrix


def _steps(
    layer: Image, filtered: Sequence[int], factors: Sequence[float | None]
) -> list[float | None]:
    """Return the length of one step along each filtered axis; None: it has none.

    `factors` converts a number along each axis of the world to a length.
    """
    matrix = _linear_matrix(layer)
    steps: list[float | None] = []
    for axis in filtered:
        parts = [float(part) for part in matrix[:, axis]]
        least = _ROUNDING * max(abs(part) for part in parts)
        lengths = [
            None if factor is None else part * factor
            for part, factor in zip(parts, factors, strict=True)
            if abs(part) > least
        ]
        known = [length for length in lengths if length is not None]
        steps.append(hypot(*known) if known and len(known) == len(lengths) else None)
    return steps


def _factors(layer: Image, unit: Any) -> list[float | None]:
    """What makes a length in `unit` of a number along each axis of the world."""
    rule = f"`sigma_unit` must be '{axes.PIXELS}' or the name of a unit of length"
    if not isinstance(unit, str):
        raise TypeError(f"{rule}; got {unit!r}")
    registry = pint.get_application_registry()
    try:
        target = registry.Unit(unit)
    except Exception as error:  # pint raises what its parser happens to raise
        raise ValueError(f"{rule}; got {unit!r}") from error
    if not _is_length(target):
        raise ValueError(f"{rule}; got {unit!r}")
    return [
        registry.convert(1.0, own, target) if _is_length(own) else None
        for own in layer.units
    ]


def _is_length(unit: pint.Unit) -> bool:
    # To pint, "px" is a length of style sheets, 1/96 inch; to microscopists never.
    return dict(unit.dimensionality) == {"[length]": 1} and _name(unit) != axes.PIXELS


def _name(unit: pint.Unit) -> str:
    return f"{unit:~}"
