"""The methods as magicgui functions: an image layer in, two layers out."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, Literal

import napari.layers
import napari.types

from napari_usm import axes
from napari_usm.methods import METHODS, Entry
from napari_usm.run import eager
from napari_usm.widgets.layer_run import LayerRun

if TYPE_CHECKING:
    from napari_usm.methods.parameter import Parameter


def layer_function(name: str) -> Any:
    """The function that sharpens an image layer by a method.

    Its signature, made from the table of methods, is all that magicgui needs.
    """
    entry = METHODS[name]

    def function(
        layer: napari.layers.Image | None, **controls: Any
    ) -> list[napari.types.LayerDataTuple]:
        return eager.result_of(layer_run(name, layer, **controls).run())

    function.__name__ = name
    function.__doc__ = (
        f"{entry.label}: result and edge map of an image layer.\n\n"
        f"See `napari_usm.{name}`."
    )
    function.__signature__ = _signature(entry)
    return function


def layer_run(
    name: str,
    layer: napari.layers.Image | None,
    dimensions: str = axes.PLANES,
    z_axis: int | None = None,
    **controls: Any,
) -> LayerRun:
    """The run that the values of controls ask for."""
    given = core_parameters(METHODS[name], controls)
    return LayerRun(layer, name, dimensions, z_axis, **given)


def core_parameters(entry: Entry, controls: dict[str, Any]) -> dict[str, Any]:
    """What the core is given for the values of controls: presets have names there."""
    return {
        name: dict(entry.parameters[name].presets).get(value, value)
        for name, value in controls.items()
    }


def _signature(entry: Entry) -> inspect.Signature:
    """What magicgui reads: the layer, what has a control, and the dimensions."""
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    image = Annotated[napari.layers.Image, {"label": "Image"}]
    dimensions = Literal[axes.PLANES, axes.VOLUMES]
    arguments = [
        inspect.Parameter("layer", keyword, annotation=image),
        *(
            inspect.Parameter(
                name, keyword, default=_shown_default(word), annotation=_control(word)
            )
            for name, word in entry.parameters.items()
            if word.control != "none"
        ),
        inspect.Parameter(
            "dimensions", keyword, default=axes.PLANES, annotation=dimensions
        ),
        inspect.Parameter("z_axis", keyword, default=None, annotation=int | None),
    ]
    return inspect.Signature(
        arguments, return_annotation=list[napari.types.LayerDataTuple]
    )


def _shown_default(word: Parameter) -> Any:
    names = [name for name, value in word.presets if value == word.default]
    return names[0] if names else word.default


def _control(word: Parameter) -> Any:
    """Type and options of the control for a parameter."""
    label = f"{word.label} ({word.unit})" if word.unit else word.label
    options: dict[str, Any] = {"label": label, "tooltip": word.help}
    if word.choices or word.presets:
        options["choices"] = word.choices or [name for name, _ in word.presets]
        return Annotated[type(options["choices"][0]), options]
    if isinstance(word.default, bool):
        return Annotated[bool, options]
    kind = type(word.default)
    options |= {"min": word.minimum, "max": word.maximum, "step": word.step}
    widget = "Slider" if word.control == "basic" else "SpinBox"
    options["widget_type"] = widget if kind is int else f"Float{widget}"
    return Annotated[kind, options]
