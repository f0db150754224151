"""From an image layer to the layers of its result and edge map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import Colormap

from napari_usm._filters.colour import LUMINANCE

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.types import LayerDataTuple

# Key in `layer.metadata` of the layers of the plugin.
METADATA = "napari_usm"

# Where the pixels of a layer are in the world.
GEOMETRY = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")

# Which part of the pixels is seen, and how those between two planes or two pixels are
# made: the same for result and edge map. Older napari has no locked level.
VIEW = (
    "projection_mode",
    "interpolation2d",
    "interpolation3d",
    "custom_interpolation_kernel_2d",
    "depiction",
    "plane",
    "experimental_clipping_planes",
    "locked_data_level",
)

# How the result looks: like its source. Contrast limits that follow the overshoot
# would show the rest of the image greyer than it was.
LOOK = (
    *VIEW,
    "gamma",
    "blending",
    "contrast_limits",
    "opacity",
    "rendering",
    "attenuation",
    "iso_threshold",
)

# Blue is darker, red is brighter, and nothing is the grey of nothing.
DIVERGING = Colormap(
    [
        [0.13, 0.30, 0.75, 1],
        [0.55, 0.70, 0.95, 1],
        [0.93, 0.93, 0.93, 1],
        [0.96, 0.60, 0.50, 1],
        [0.75, 0.08, 0.15, 1],
    ],
    name="napari-usm diverging",
    display_name="diverging",
)

# A colormap of napari, for what has no sign.
SIZES = "inferno"

# Part of the edge map's pixels within its contrast limits: a single hot pixel
# would make all others grey.
_SHOWN = 0.999

# What follows the name of the source in the names of live layers, and of others.
_LIVE, _PLAIN = (
    ("[sharpened]", "[edge map ×1]", "[significance]"),
    ("sharpened", "edge map", "significance"),
)

# For an edge map of which nothing is known yet.
EMPTY_LIMIT = 1.0
_SAMPLE = 2**20

# Values that are all compared for a range: 0.1 s.
_MANY = 2**26


def is_result(layer: Any) -> bool:
    """Return whether a layer is one of the plugin's, which is not offered as input."""
    return METADATA in layer.metadata


def plain_name(name: str) -> str:
    """Return a name without the brackets that say that a layer is live."""
    for live, plain in zip(_LIVE, _PLAIN, strict=True):
        # The last: what stands before may be the name of a source.
        name = plain.join(name.rsplit(live, 1))
    return name


def geometry(layer: Image) -> dict[str, Any]:
    """Return the keywords that put another layer exactly where this one is."""
    return {name: getattr(layer, name) for name in GEOMETRY}


def _state(layer: Image, names: tuple[str, ...]) -> dict[str, Any]:
    """Return attributes of a layer in the form that a new layer takes."""
    _, state, _ = layer.as_layer_data_tuple()
    return {name: state[name] for name in names if name in state}


def result_tuple(
    layer: Image, image: Any, metadata: dict[str, Any], *, live: bool = False
) -> LayerDataTuple:
    """Return the sharpened layer: it looks like its source and lies where that lies.

    A list of arrays is a pyramid. The name of one that stays can be that of a file;
    that of a live one cannot.
    """
    # An RGB layer has no colormap, but napari draws it with all the rest.
    colormap = {} if layer.rgb else {"colormap": layer.colormap}
    keywords = {
        **geometry(layer),
        **_state(layer, LOOK),
        **colormap,
        "name": f"{layer.name} {(_LIVE if live else _PLAIN)[0]}",
        "rgb": layer.rgb,
        "multiscale": isinstance(image, list),
        "metadata": {METADATA: metadata},
    }
    return image, keywords, "image"


def edge_map_tuple(
    layer: Image,
    edge_map: Any,
    metadata: dict[str, Any],
    limit: float,
    in_noise: bool = False,
    *,
    live: bool = False,
) -> LayerDataTuple:
    """The edge-map layer: signed, in intensity units, for an amount of 1, hidden.

    Or the size of the detail, in units of its noise.
    """
    keywords = {
        **geometry(layer),
        **_state(layer, VIEW),
        "name": f"{layer.name} {(_LIVE if live else _PLAIN)[1 + in_noise]}",
        "rgb": False,
        "multiscale": isinstance(edge_map, list),
        "colormap": SIZES if in_noise else DIVERGING,
        "contrast_limits": (0.0 if in_noise else -limit, limit),
        "visible": False,
        "metadata": {METADATA: metadata},
    }
    return edge_map, keywords, "image"


def shown_edge_map(layer: Image, edge_map: Any) -> Any:
    """One signed value per pixel: of colours sharpened apart, their Rec. 709 mean."""
    if not layer.rgb or edge_map.ndim == layer.ndim:
        return edge_map
    return colour_mean(edge_map)


def colour_mean(edge_map: Any) -> Any:
    """Return the Rec. 709 mean of red, green and blue, the last axis."""
    red, green, blue = (edge_map[..., channel] for channel in range(3))
    mean = LUMINANCE[0] * red + LUMINANCE[1] * green + LUMINANCE[2] * blue
    return mean.astype(np.float32)


def value_range(image: np.ndarray) -> tuple[float, float]:
    """Return smallest and largest finite value, of a sample where there are many."""
    values = np.ravel(image)[:: max(1, image.size // _MANY)]
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def edge_limit(edge_map: Any) -> float:
    """Return the symmetric contrast limit that shows an edge map, above 0."""
    step = max(1, edge_map.size // _SAMPLE)
    sizes = np.abs(np.ravel(edge_map)[::step])
    limit = float(np.quantile(sizes, _SHOWN)) if sizes.size else 0.0
    # An edge map of few, thin lines: show those.
    limit = limit or float(np.abs(edge_map).max())
    return limit if limit > 0 else EMPTY_LIMIT
