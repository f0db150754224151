"""The signal of a colour image that is filtered, and the way back to colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_usm._filters.overflow import saturated

if TYPE_CHECKING:
    from napari_usm._filters.dtypes import Array

# Rec. ITU-R BT.709, applied to the stored values.
LUMINANCE = (0.2126, 0.7152, 0.0722)


def filtered_part(values: Array, axis: int, color: str) -> Array:
    """The channels themselves, or the one signal (axis of length 1) made of them."""
    if color == "luminance":
        red, green, blue = np.split(values, 3, axis)
        mixed: Array = LUMINANCE[0] * red + LUMINANCE[1] * green + LUMINANCE[2] * blue
        return mixed
    if color == "value":
        value: Array = values.max(axis=axis, keepdims=True)
        valid = np.isfinite(values)
        if not valid.all():
            # -inf in one channel must not hide behind a larger, valid one.
            value[~valid.all(axis=axis, keepdims=True)] = np.nan
        return value
    return values


def scaled_to_value(values: Array, value: Array, new_value: Array) -> Array:
    """Colours with their HSV value changed: ``RGB * new_value / value``.

    Black has no colour to keep: all three channels become `new_value`. A pixel
    with an invalid channel stays as it is.
    """
    black = value == 0
    valid = np.isfinite(value)
    ratio = np.divide(new_value, value, out=np.ones_like(value), where=valid & ~black)
    scaled = np.where(black, new_value, values * ratio)
    overflows = valid & ~np.isfinite(scaled)
    if not overflows.any():
        return scaled
    with np.errstate(divide="ignore"):
        share = values / value
    return np.where(overflows, saturated(share * new_value, scaled.dtype), scaled)
