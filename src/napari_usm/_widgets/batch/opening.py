"""Images of a batch as layers, with the scale and units that their files have."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np

from napari_usm import io
from napari_usm._widgets.layers.results import unwrapped
from napari_usm.geometry import parse_unit
from napari_usm.io.image import UNKNOWN

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image as ImageLayer

    from napari_usm.batch.job import Job
    from napari_usm.io import Image

# Bytes of pixels that are read at once; of more, planes are read when they are shown.
_AT_ONCE = 2**26


class Opening:
    """Opens results of a batch above their inputs, twice the same only once.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Where they are shown.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        # By path, and the time of the run: a result that was replaced is read again.
        self._opened: dict[tuple[str, int], weakref.ref[ImageLayer]] = {}

    def open(self, job: Job) -> tuple[ImageLayer, ImageLayer]:
        """Return the layers of the input and of the result of a job that is done.

        Raises
        ------
        OSError, ValueError
            If one of them cannot be read.
        """
        name = Path(job.source.path).name.partition(".")[0]
        if job.source.inner:
            name = f"{name} {job.source.inner}"
        layers = unwrapped(self._viewer.layers)
        selected = set(layers.selection)
        # Both are opened before one is shown.
        source = io.open_image(job.source, job.input_axes)
        result = io.open_image(job.output, job.input_axes)
        below = self._layer((str(job.source), 0), source, name)
        look = {} if below.rgb else {"contrast_limits": below.contrast_limits}
        run = job.record_path.stat().st_mtime_ns
        above = self._layer((job.output, run), result, f"{name} sharpened", **look)
        if layers.index(above) < layers.index(below):
            layers.move(layers.index(above), layers.index(below) + 1)
        # A sharpening dock follows the selection, and the batch follows the dock.
        layers.selection = selected or {above}
        return below, above

    def _layer(
        self, key: tuple[str, int], image: Image, name: str, **look: Any
    ) -> ImageLayer:
        """Return the layer of an image, a new one unless there is one in the viewer."""
        opened = self._opened.get(key)
        layer = None if opened is None else opened()
        if layer is not None and layer in unwrapped(self._viewer.layers):
            image.resources.close()
            layer.visible = True
            return layer
        layer = unwrapped(
            self._viewer.add_image(
                _pixels(image), name=name, **layer_attributes(image), **look
            )
        )
        self._opened[key] = weakref.ref(layer)
        return layer


def layer_attributes(image: Image) -> dict[str, Any]:
    """Return geometry, axes and colours of an image, as napari's layers take them."""
    metadata = image.metadata
    count = len(image.shape) - metadata.rgb
    labels = [
        f"axis {axis - count}" if label == UNKNOWN else label
        for axis, label in enumerate(metadata.axes[:count])
    ]
    return {
        "rgb": metadata.rgb,
        "scale": metadata.scale[:count],
        "translate": metadata.translate[:count] or None,
        "units": [parse_unit(unit) for unit in metadata.units[:count]],
        "axis_labels": labels,
    }


def _pixels(image: Image) -> Any:
    if image.nbytes <= _AT_ONCE:
        with image:
            # A copy: the file of a memory map could not be replaced on Windows.
            return np.array(image.pixels)
    # Copies of the layer read from the file too: it is closed after the last of them.
    weakref.finalize(image.pixels, image.resources.close)
    return da.from_array(image.pixels, image.chunks or "auto")
