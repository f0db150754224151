"""The controls of one method, from its row in the table of methods."""

from __future__ import annotations

import inspect
from contextlib import suppress
from functools import partial
from math import floor, log10
from typing import TYPE_CHECKING, Any

from magicgui.widgets import create_widget

from napari_usm._methods import METHODS
from napari_usm._widgets.dock.intensity_range import IntensityRange
from napari_usm._widgets.dock.number import Number
from napari_usm._widgets.dock.sigma_unit import SigmaUnit
from napari_usm._widgets.dock.threshold_unit import ThresholdUnit
from napari_usm._widgets.layers.functions import layer_function
from napari_usm._widgets.layers.info import geometry_of, info_of
from napari_usm.recipe import NOISE, Recipe, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image

UNIT, THRESHOLD_UNIT, EDGE_MAP_UNIT = "sigma_unit", "threshold_unit", "edge_map_unit"
UNITS = UNIT, THRESHOLD_UNIT, EDGE_MAP_UNIT

# They stand in the row of the number whose unit they are.
_IN_ROW = UNIT, THRESHOLD_UNIT

_ranges = IntensityRange()


class MethodPage:
    """Controls for all parameters of a method that have one.

    Parameters
    ----------
    method : str
        Name in `METHODS`.
    on_change : callable
        Called whenever a control has another value.
    on_refused : callable
        Called with the reason why a number that was typed is not taken.
    """

    def __init__(
        self,
        method: str,
        on_change: Callable[[], None],
        on_refused: Callable[[str], None],
    ) -> None:
        self.method = method
        self._entry = METHODS[method]
        self.controls: dict[str, Any] = {}
        signature = inspect.signature(layer_function(method))
        for name, argument in signature.parameters.items():
            if name not in (*self._entry.parameters, *UNITS):
                continue
            control: Any = create_widget(
                argument.default,
                argument.annotation,
                name,
                options=self._options_of_unit(name),
            )
            control.changed.connect(lambda _: on_change())
            if isinstance(control, Number):
                control.check = partial(self._check, name)
                control.refused.connect(on_refused)
            self.controls[name] = control
        self._defaults = self.values()

    def rows(self, *, advanced: bool) -> list[tuple[Any, ...]]:
        """Return the controls row by row, those in view or those in the fold.

        The unit of a number stands in its row.
        """
        return [
            tuple(
                self.controls[n] for n in (name, f"{name}_unit") if n in self.controls
            )
            for name in self.controls
            if name not in _IN_ROW and self._is_basic(name) != advanced
        ]

    def apply_typed(self) -> None:
        """Take all numbers whose typing was not finished."""
        for control in self.controls.values():
            if isinstance(control, Number):
                control.apply_typed()

    def values(self) -> dict[str, Any]:
        """Return the values of the controls, as the layer function takes them."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, values: dict[str, Any]) -> None:
        """Give the controls these values, and their first ones where there is none.

        What a control cannot take here stays as it is: a unit that these pixels do not
        have, with its length.
        """
        wanted = {**self._defaults, **values}
        if UNIT in self.controls:
            unit = self.controls[UNIT]
            if wanted[UNIT] in unit.choices:
                unit.value = wanted[UNIT]
            else:
                del wanted["sigma"]
        # Units first: a threshold has a value of its own in each.
        for name in sorted(self.controls, key=lambda name: name != THRESHOLD_UNIT):
            if name != UNIT and name in wanted:
                with suppress(TypeError, ValueError):
                    self.controls[name].value = wanted[name]

    def forget_intensities(self) -> None:
        """Put back what means nothing in another image."""
        if THRESHOLD_UNIT in self.controls:
            self.controls[THRESHOLD_UNIT].forget_intensity()

    def reset(self) -> None:
        """Give the controls the values that they had at first."""
        self.set({})

    def fit(self, layer: Image | None, dimensions: dict[str, Any]) -> None:
        """Fit ranges and units to a layer: where detail inverts, and intensities."""
        self._fit_unit(layer, dimensions)
        if layer is None:
            return
        self._fit_intensities(layer)
        if "amount" in self.controls:
            self._fit_amount(layer, dimensions)

    def shown(self, layer: Image | None) -> dict[str, bool]:
        """Return whether controls matter now, for those that do not always."""
        shown = {"color": layer is not None and bool(layer.rgb)}
        for name, word in self._entry.parameters.items():
            if word.needs and word.control != "none":
                shown[name] = self._matters(name)
        if UNIT in self.controls:
            shown[UNIT] = shown["sigma"] and len(self.controls[UNIT].choices) > 1
        return shown

    def sigma_line(self, layer: Image, filtered: tuple[int, ...]) -> str:
        """Sigma in lengths and pixels, where it matters and there are lengths."""
        if UNIT not in self.controls or not self._matters("sigma"):
            return ""
        sigma, unit = self.controls["sigma"].value, self.controls[UNIT].value
        return geometry_of(layer).sigma_line(filtered, sigma, unit)

    def _options_of_unit(self, name: str) -> dict[str, Any]:
        """Return the options of a control that is the unit of another."""
        if name == UNIT:
            return {"widget_type": SigmaUnit, "sigma": self.controls["sigma"]}
        if name == THRESHOLD_UNIT:
            threshold = self.controls["threshold"]
            return {"widget_type": ThresholdUnit, "threshold": threshold}
        return {}

    def _is_basic(self, name: str) -> bool:
        word = self._entry.parameters.get(name)
        return name != EDGE_MAP_UNIT if word is None else word.control == "basic"

    def _matters(self, name: str) -> bool:
        """Return whether a parameter matters, by the control that it depends on."""
        needs = self._entry.parameters[name].needs
        assert needs is not None
        other, value = needs
        return bool(self.controls[other].value == value)

    def _fit_unit(self, layer: Image | None, dimensions: dict[str, Any]) -> None:
        """Offer the units of length of the axes that are filtered."""
        if UNIT not in self.controls:
            return
        units: dict[str, float] = {}
        if layer is not None:
            try:
                geometry = geometry_of(layer)
                units = geometry.length_units(geometry.axes.filtered(**dimensions))
            except ValueError:
                return  # it has still to be said which axis is Z
        self.controls[UNIT].follow(units)

    def _fit_intensities(self, layer: Image) -> None:
        span = intensity_span(layer)
        if THRESHOLD_UNIT in self.controls:
            self.controls[THRESHOLD_UNIT].fit(span)
        self.controls["cval"].fit(-span, span, 10.0 ** floor(log10(span / 50)))

    def _fit_amount(self, layer: Image, dimensions: dict[str, Any]) -> None:
        recipe = Recipe.from_controls(self.method, **self.values(), **dimensions)
        try:
            method = resolve(recipe, info_of(layer)).method
        except ValueError:
            return
        self.controls["amount"].min = method.least_amount(method.axes or ())

    def _check(self, name: str, value: float) -> None:
        """Raise if the method takes no such number."""
        given: Any = value
        if name == "threshold" and self.controls[THRESHOLD_UNIT].value == NOISE:
            given = f"{value:.12g} noise"
        self._entry.method(**{name: given}).check((0, 1))


def intensity_span(layer: Image) -> float:
    """Return how far apart the intensities of a layer are, by what is known of it."""
    return _ranges.span(layer)
