"""One run of a method on one layer: checked at once, then step by step."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_usm import api, axes
from napari_usm.methods import METHODS
from napari_usm.run import eager
from napari_usm.run.report import sample_slices
from napari_usm.widgets.layer_data import (
    edge_limit,
    edge_map_tuple,
    result_tuple,
    shown_edge_map,
)
from napari_usm.widgets.physical import pixel_steps

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.types import LayerDataTuple

    from napari_usm.api import Sharpened


class LayerRun:
    """Sharpening of one image layer.

    Parameters
    ----------
    layer : napari.layers.Image
        Layer with the pixels; its axis labels and scale decide on the axes.
    method : str
        Name in `METHODS`.
    dimensions : {"planes", "volumes"}
        Whether planes are filtered, or volumes.
    z_axis : int, optional
        The third axis of the volumes, where the labels do not say.
    sigma_unit : str
        "px", or the unit of length that `sigma` is given in.
    **parameters
        Of the method. `axes`, `channel_axis`, `alpha` and `spacing` come from the
        layer.

    Raises
    ------
    TypeError, ValueError
        Before any pixel is touched: the argument, the rule and the value.
    """

    def __init__(
        self,
        layer: Image,
        method: str,
        dimensions: str = axes.PLANES,
        z_axis: int | None = None,
        sigma_unit: str = axes.PIXELS,
        **parameters: Any,
    ) -> None:
        _check(layer)
        self.layer = layer
        self.method = method
        self.source = layer.data
        self.parameters = {
            **parameters,
            **layer_parameters(layer, method, dimensions, z_axis),
        }
        if sigma_unit != axes.PIXELS:
            self.parameters["sigma"] = self._sigma_in_pixels(sigma_unit)
        result = np.dtype(self.parameters.get("dtype") or layer.dtype)
        if layer.rgb and result.kind == "f" and self.parameters.get("limits") is None:
            # Colours beyond the range that is shown would be drawn as if at its end.
            self.parameters["limits"] = tuple(layer.contrast_limits)
        self.plan, self.pixels = api.prepare(self.source, method, **self.parameters)
        self.lazy = api.is_dask(self.pixels)

    @property
    def steps(self) -> int:
        """How often `run` pauses."""
        if self.lazy:
            from napari_usm.run import lazy

            return lazy.first_stage_steps(self.plan, self.pixels)
        return eager.steps(self.plan)

    def run(self) -> Generator[None, None, list[LayerDataTuple]]:
        """Pause `steps` times; return result and edge map as layers."""
        if self.lazy:
            found = yield from self._lazy()
            edge_map = shown_edge_map(self.layer, found.edge_map)
            middle = edge_map[self.plan.edge_slices(sample_slices(self.plan))]
            limit = edge_limit(np.asarray(middle))
        else:
            outcome = yield from eager.run(self.plan, self.pixels, name=self.method)
            found = api.sharpened(self.plan, outcome)
            edge_map = shown_edge_map(self.layer, found.edge_map)
            limit = edge_limit(edge_map)
        metadata = {
            "method": self.method,
            "parameters": self.parameters,
            "amount": found.amount,
            "gain": found.gain,
            "report": None if self.lazy else found.report,
            "versions": {"napari-usm": version("napari-usm")},
        }
        return [
            result_tuple(self.layer, found.image, metadata),
            edge_map_tuple(self.layer, edge_map, metadata, limit),
        ]

    def _sigma_in_pixels(self, unit: str) -> tuple[float, ...]:
        if not takes_sigma_unit(self.method):
            raise ValueError(
                f"`sigma_unit` must be '{axes.PIXELS}' for {self.method}, which has no "
                f"sigma per axis; got {unit!r}"
            )
        default = METHODS[self.method].parameters["sigma"].default
        sigma = self.parameters.get("sigma", default)
        steps = pixel_steps(self.layer, self.parameters["axes"], unit)
        return axes.sigma_in_pixels(sigma, steps)

    def _lazy(self) -> Generator[None, None, Sharpened]:
        """Lazy results; what needs the whole array is computed here, once.

        Left in the graph, it would be computed again for every plane that is shown.
        """
        from napari_usm.run import lazy

        constants = yield from lazy.first_stage(self.plan, self.pixels)
        results = lazy.run(self.plan, self.pixels, self.method, constants)
        return api.Sharpened(**vars(results))


def takes_sigma_unit(method: str) -> bool:
    """Whether a method has a sigma for each axis: pixels need not be square."""
    sigma = METHODS[method].parameters.get("sigma")
    return sigma is not None and sigma.kind != "float"


def layer_parameters(
    layer: Image, method: str, dimensions: str, z_axis: int | None
) -> dict[str, Any]:
    """Parameters that follow from a layer instead of a control."""
    filtered = axes.filtered_axes(layer.axis_labels, dimensions, z_axis)
    parameters: dict[str, Any] = {"axes": filtered}
    if layer.rgb:
        parameters["channel_axis"] = layer.ndim
        parameters["alpha"] = layer.data.shape[-1] == 4
    if "spacing" in METHODS[method].parameters:
        parameters["spacing"] = tuple(abs(float(layer.scale[a])) for a in filtered)
    return parameters


def _check(layer: Any) -> None:
    if not isinstance(layer, Image):
        raise TypeError(f"`layer` must be an image layer; got {_describe(layer)}")
    if layer.multiscale:
        raise ValueError(
            "`layer` must have a single scale, pyramids cannot be sharpened yet; "
            f"got {_describe(layer)} with {len(layer.data)} levels"
        )


def _describe(layer: Any) -> str:
    if layer is None:
        return "none: add or select an image first"
    name = getattr(layer, "name", None)
    return f"'{name}' ({type(layer).__name__})" if name else repr(layer)
