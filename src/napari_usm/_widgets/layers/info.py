"""Pixels, shape, axes and geometry of a layer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.transforms import Affine

from napari_usm import geometry
from napari_usm.geometry import Geometry
from napari_usm.recipe import ImageInfo

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_usm.axes import Axes


def finest(layer: Image) -> Any:
    """Return the pixels of a layer, of a pyramid those of the finest level."""
    return layer.data[0] if layer.multiscale else layer.data


def geometry_of(layer: Image) -> Geometry:
    """Return the physical geometry of a layer."""
    matrix = partial(_linear_matrix, layer)
    return Geometry(layer.name, layer.axis_labels, matrix, layer.units)


def axes_of(layer: Image) -> Axes:
    """Return the axes of a layer, by its labels and units."""
    return geometry.axes_of(layer.axis_labels, layer.units)


def info_of(layer: Image) -> ImageInfo:
    """Return shape, type, axes and colours of a layer."""
    return ImageInfo(
        tuple(finest(layer).shape),
        np.dtype(layer.dtype),
        geometry_of(layer),
        layer.rgb,
        tuple(layer.contrast_limits),
    )


def _linear_matrix(layer: Image) -> np.ndarray:
    """Return the matrix of all transforms, from pixels to the world."""
    # By hand: `data_to_world` adds offsets, and with them their rounding.
    layer_matrix = Affine(scale=layer.scale, rotate=layer.rotate, shear=layer.shear)
    matrix: np.ndarray = layer.affine.linear_matrix @ layer_matrix.linear_matrix
    return matrix
