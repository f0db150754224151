"""How long the pixels of a layer are, by its units and all of its transforms."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING, Any

import pint
from napari.utils.transforms import Affine

from napari_usm import axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image

# A rotation leaves this much of a pixel's length, or less, on axes that it spares.
_ROUNDING = 1e-9


def length_units(layer: Image, filtered: Sequence[int]) -> dict[str, float]:
    """Units for a sigma along the filtered axes, and a pixel's length along X in each.

    That of X comes first. There is none if an axis has no length: time, or pixels
    that nobody measured.
    """
    main = axes.main_axis(layer.axis_labels, filtered)
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
    factors = _factors(layer, unit)
    # By hand: `data_to_world` adds offsets, and with them their rounding.
    own = Affine(scale=layer.scale, rotate=layer.rotate, shear=layer.shear)
    matrix = layer.affine.linear_matrix @ own.linear_matrix
    steps = []
    for axis in filtered:
        parts = [float(part) for part in matrix[:, axis]]
        least = _ROUNDING * max(abs(part) for part in parts)
        lengths = [
            None if factor is None else part * factor
            for part, factor in zip(parts, factors, strict=True)
            if abs(part) > least
        ]
        if not lengths or None in lengths:
            name = axes.axis_names(layer.axis_labels)[axis]
            raise ValueError(
                f"`sigma_unit` must be '{axes.PIXELS}' for '{layer.name}', where "
                f"{name} has no length (its unit is '{layer.units[axis]}'); "
                f"got {unit!r}"
            )
        steps.append(hypot(*lengths))
    return tuple(steps)


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
    if narrow := axes.too_narrow(pixels, layer.axis_labels, filtered):
        parts.append(narrow)
    said = ", ".join(parts)
    return said[:1].upper() + said[1:]


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
