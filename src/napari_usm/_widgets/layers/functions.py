"""The methods as magicgui functions: an image layer in, two layers out."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, Literal

import napari.layers
import napari.types

from napari_usm import axes
from napari_usm._engine import memory
from napari_usm._methods import METHODS
from napari_usm._widgets.dock.threshold_unit import DECADES, MENU
from napari_usm._widgets.layers.run import LayerRun
from napari_usm.recipe import INTENSITY, Recipe, has_significance, takes_length

if TYPE_CHECKING:
    from napari_usm._methods.parameter import Parameter

_SIGMA_UNIT = Annotated[
    str,
    {
        "label": "Sigma in",
        "tooltip": "Give sigma in pixels, or as a length.",
    },
]
_THRESHOLD_UNIT = Annotated[
    str,
    {
        "label": "Threshold in",
        "tooltip": "Give the threshold as an intensity, or as a significance: how many "
        "times stronger than its noise detail has to be.",
        "choices": MENU,
    },
]
_EDGE_MAP_UNIT = Annotated[
    str,
    {
        "label": "Edge map as",
        "tooltip": "Show in the edge map what is added, or its significance: how many "
        "times stronger than its noise the detail is.",
        "choices": MENU,
    },
]


def layer_function(name: str) -> Any:
    """Return the function that sharpens an image layer by a method.

    Its signature, made from the table of methods, is all that magicgui needs.
    """
    entry = METHODS[name]

    def function(
        layer: napari.layers.Image | None, **controls: Any
    ) -> list[napari.types.LayerDataTuple]:
        return memory.result_of(layer_run(name, layer, **controls).run())

    function.__name__ = name
    function.__doc__ = (
        f"{entry.label}: result and edge map of an image layer.\n\n"
        f"See `napari_usm.{name}`."
    )
    function.__signature__ = _signature(name)  # type: ignore[attr-defined]
    return function


def layer_run(
    name: str, layer: napari.layers.Image | None, **controls: Any
) -> LayerRun:
    """Return the run that the values of controls describe."""
    run = LayerRun(layer, Recipe.from_controls(name, **controls))
    run.controls = controls
    return run


def _signature(method: str) -> inspect.Signature:
    """Return the signature for magicgui: layer, parameters and dimensions."""
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    image = Annotated[napari.layers.Image, {"label": "Image"}]
    dimensions = Literal[axes.PLANES, axes.VOLUMES]  # type: ignore[valid-type]
    controls = [
        inspect.Parameter(
            name, keyword, default=_shown_default(word), annotation=_control(word)
        )
        for name, word in METHODS[method].parameters.items()
        if word.control != "none"
    ]
    units: list[tuple[str, str, Any]] = []
    if takes_length(method):
        units.append(("sigma", axes.PIXELS, _SIGMA_UNIT))
    if "threshold" in METHODS[method].parameters:
        units.append(("threshold", INTENSITY, _THRESHOLD_UNIT))
    for word, default, annotation in units:
        unit = inspect.Parameter(
            f"{word}_unit", keyword, default=default, annotation=annotation
        )
        names = [control.name for control in controls]
        controls.insert(names.index(word) + 1, unit)
    if has_significance(method):
        unit = inspect.Parameter(
            "edge_map_unit", keyword, default=INTENSITY, annotation=_EDGE_MAP_UNIT
        )
        controls.append(unit)
    arguments = [
        inspect.Parameter("layer", keyword, annotation=image),
        *controls,
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
    """Return the type and options of the control for a parameter."""
    label = f"{word.label} ({word.unit})" if word.unit else word.label
    options: dict[str, Any] = {"label": label, "tooltip": word.tip}
    if word.choices or word.presets:
        options["choices"] = word.choices or [name for name, _ in word.presets]
        return Annotated[type(options["choices"][0]), options]
    if isinstance(word.default, bool):
        return Annotated[bool, options]
    kind = type(word.default)
    low, high = word.minimum, word.maximum
    zero = word.logarithmic and low == 0
    assert high is not None
    options |= {
        "min": high / DECADES if zero else low,
        "max": high,
        "step": word.step,
        "logarithmic": word.logarithmic,
        "zero": zero,
        "integer": kind is int,
        # By name: scripts that need no window shall load no Qt.
        "widget_type": "napari_usm._widgets.dock.number.Number",
    }
    return Annotated[kind, options]
