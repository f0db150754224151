"""From the attributes of layers to the metadata and the record of a file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import ensure_colormap
from napari.utils.transforms import Affine

from napari_usm._widgets.layers.data import METADATA, plain_name
from napari_usm.axes import PIXELS, letter_of
from napari_usm.batch.record import identified, plain, report_numbers
from napari_usm.geometry import axes_of, parse_unit
from napari_usm.io import Channel, Metadata
from napari_usm.io.image import CHANNEL, SAMPLES
from napari_usm.recipe_file import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Attributes = Mapping[str, Any]

# Parts of the largest step of a pixel that are rounding.
_ROUNDING = 1e-9

# Units that mean that a length is not known.
_NO_UNITS = "pixel", "dimensionless", PIXELS

_CHANNELS = "c", "ch", "channel", "channels"


def metadata_of(attributes: Attributes, shape: Sequence[int]) -> Metadata:
    """Return axes, scale, units and the look of a layer as the metadata of a file.

    Parameters
    ----------
    attributes : mapping
        Of the layer, as in its tuple of data and attributes.
    shape : sequence of int
        Shape of its data, of level 0.

    Raises
    ------
    ValueError
        If no format can hold its transforms.
    """
    rgb = bool(attributes.get("rgb"))
    ndim = len(shape) - rgb
    name = plain_name(str(attributes.get("name") or ""))
    scale, translate = _diagonal(attributes, ndim, name)
    units = attributes.get("units") or ("pixel",) * ndim
    units = [parse_unit(str(unit)) for unit in units]
    labels = attributes.get("axis_labels") or [str(axis - ndim) for axis in range(ndim)]
    axes = _axis_names([str(label) for label in labels], units)
    names = [f"{unit:D}" for unit in units]
    metadata = Metadata(
        axes,
        scale,
        tuple("" if each in _NO_UNITS else each for each in names),
        translate if any(translate) else (),
        name=name,
    )
    if not rgb:
        if CHANNEL in axes:
            return metadata  # which of them has this name, nobody knows
        return replace(metadata, channels=(_channel(attributes, name),))
    return replace(
        metadata,
        axes=(*metadata.axes, SAMPLES),
        scale=(*scale, 1.0),
        units=(*metadata.units, ""),
        translate=(*translate, 0.0) if any(translate) else (),
    )


def joined(each: Sequence[Metadata], name: str) -> Metadata:
    """Return the metadata of layers as the channels of one image.

    Raises
    ------
    ValueError
        If they cannot be that.
    """
    first = each[0]
    for other in each:
        if other.rgb or CHANNEL in other.axes:
            raise ValueError(
                "`layers` must have neither colours nor an axis of channels, to be "
                f"saved as channels of one image; got '{other.name}'"
            )
        same = ("axes", "scale", "units", "translate")
        for word in same:
            if getattr(other, word) != getattr(first, word):
                raise ValueError(
                    "`layers` must have one grid, to be saved as channels of one "
                    f"image; '{first.name}' has {word} {getattr(first, word)}, "
                    f"'{other.name}' has {getattr(other, word)}"
                )
    return replace(
        first,
        axes=(CHANNEL, *first.axes),
        scale=(1.0, *first.scale),
        units=("", *first.units),
        translate=(0.0, *first.translate) if first.translate else (),
        channels=tuple(channel for other in each for channel in other.channels),
        name=name,
    )


def factors_of(shapes: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Return, for each further level, pixels of level 0 per pixel."""
    return tuple(
        tuple(max(1, round(n / m)) for n, m in zip(shapes[0], shape, strict=True))
        for shape in shapes[1:]
    )


def record_of(attributes: Attributes, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return what is known about the making of a layer; nothing if it is no result."""
    known = (attributes.get("metadata") or {}).get(METADATA)
    if not isinstance(known, dict):
        return {}
    record = {
        "resolved": {"parameters": plain(known.get("parameters", {}))},
        "versions": dict(known.get("versions", {})),
        "result": {"dtype": dtype.name},
    }
    for name in ("amount", "gain"):
        if known.get(name) is not None:
            record[name] = plain(known[name])
    if known.get("report") is not None:
        record["report"] = report_numbers(known["report"])
    if (recipe := known.get("recipe")) is not None and recipe.dimensions is not None:
        record["recipe"] = json.loads(dumps(recipe))
    return record


def joined_record(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one record for the channels of an image, with the recipe of all."""
    if len(records) == 1 or not any(records):
        return identified(records[0]) if records[0] else {}
    joined: dict[str, Any] = {"channels": list(records)}
    recipes = [record.get("recipe") for record in records]
    if recipes[0] is not None and all(recipe == recipes[0] for recipe in recipes):
        joined["recipe"] = recipes[0]
    return identified(joined)


def _diagonal(
    attributes: Attributes, ndim: int, name: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return scale and translation of a layer, if it has no other transforms."""
    own = Affine(
        scale=attributes.get("scale", (1.0,) * ndim),
        translate=attributes.get("translate", (0.0,) * ndim),
        rotate=attributes.get("rotate"),
        shear=attributes.get("shear"),
        ndim=ndim,
    )
    outer = attributes.get("affine")
    outer = np.eye(ndim + 1) if outer is None else np.asarray(outer, np.float64)
    matrix = outer @ own.affine_matrix
    linear = matrix[:-1, :-1]
    steps = np.diag(linear)
    if np.abs(linear - np.diag(steps)).max() > _ROUNDING * np.abs(linear).max():
        raise ValueError(
            f"`layer` must have no rotation, shear or other affine transform, which "
            f"files do not hold; got '{name}': set layer.rotate, layer.shear and "
            "layer.affine, or save it without them"
        )
    if not np.all(steps > 0):
        raise ValueError(
            f"`layer` must have a scale above 0 along each axis; got {steps.tolist()} "
            f"for '{name}'"
        )
    if np.array_equal(outer, np.eye(ndim + 1)):
        steps = np.asarray(attributes.get("scale", steps), np.float64)
    return tuple(map(float, steps)), tuple(map(float, matrix[:-1, -1]))


def _axis_names(labels: Sequence[str], units: Sequence[Any]) -> tuple[str, ...]:
    """Return names of axes as files have them: t, c, z, y, x where they are known."""
    known = axes_of(labels, units)
    names = [label.strip().lower() for label in known.names]
    timed = [axis for axis, is_time in enumerate(known.timed) if is_time]
    times = timed or [
        axis
        for axis, name in enumerate(names)
        if name in ("t", "time", "frame", "frames", "timepoint", "timepoints")
    ]
    channels = [axis for axis, name in enumerate(names) if name in _CHANNELS]
    depth = known.depth if known.has_z else ()
    for letter, places in (("t", times), (CHANNEL, channels), ("z", depth)):
        if len(places) == 1:
            names[places[0]] = letter
    plane = [letter_of(labels[axis]) for axis in known.plane]
    if sorted(plane) != ["x", "y"]:
        plane = [*"yx"[-len(plane) :]]
    for letter, axis in zip(plane, known.plane, strict=True):
        names[axis] = letter
    return tuple(names)


def _channel(attributes: Attributes, name: str) -> Channel:
    """Return a layer as a channel: its name, the last colour, and its limits."""
    limits = attributes.get("contrast_limits")
    window = None if limits is None else (float(limits[0]), float(limits[1]))
    color = "FFFFFF"
    if (colormap := attributes.get("colormap")) is not None:
        last = np.asarray(ensure_colormap(colormap).colors)[-1, :3]
        digits = np.clip(np.round(255 * last), 0, 255).astype(int)
        color = "".join(f"{digit:02X}" for digit in digits)
    if color == "000000":
        color = "FFFFFF"  # of a colormap that is inverted
    return Channel(name, color, window)
