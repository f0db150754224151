"""The controls of one method, made from its row in the table of methods."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import create_widget

from napari_usm.methods import METHODS
from napari_usm.widgets.functions import core_parameters, layer_function
from napari_usm.widgets.layer_run import layer_parameters
from napari_usm.widgets.physical import axes_of, length_units, sigma_line
from napari_usm.widgets.sigma_unit import SigmaUnit
from napari_usm.widgets.threshold_unit import ThresholdUnit

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image

UNIT, THRESHOLD_UNIT, EDGE_MAP_UNIT = "sigma_unit", "threshold_unit", "edge_map_unit"
UNITS = UNIT, THRESHOLD_UNIT, EDGE_MAP_UNIT


class MethodPage:
    """Controls for all parameters of a method that have one.

    Parameters
    ----------
    method : str
        Name in `METHODS`.
    on_change : callable
        Called whenever a control has another value.
    """

    def __init__(self, method: str, on_change: Callable[[], None]) -> None:
        self.method = method
        self._entry = METHODS[method]
        self._span = 0.0
        self.controls: dict[str, Any] = {}
        signature = inspect.signature(layer_function(method))
        for name, argument in signature.parameters.items():
            if name not in (*self._entry.parameters, *UNITS):
                continue
            control = create_widget(
                argument.default,
                argument.annotation,
                name,
                options=self._options_of_unit(name),
            )
            control.changed.connect(lambda _: on_change())
            self.controls[name] = control
        self._defaults = self.values()

    @property
    def in_view(self) -> list[Any]:
        """Controls that are always in view."""
        return [w for name, w in self.controls.items() if self._is_basic(name)]

    @property
    def advanced(self) -> list[Any]:
        """Controls in the fold."""
        return [w for name, w in self.controls.items() if not self._is_basic(name)]

    def values(self) -> dict[str, Any]:
        """Values of the controls, as the layer function takes them."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, values: dict[str, Any]) -> None:
        """Give the controls these values, and their first ones where there is none.

        What a control cannot take here, it does not: a unit that these pixels do not
        have, with its length, or an intensity beyond their range.
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
            control = self.controls[name]
            if name == UNIT or name not in wanted:
                continue
            with suppress(TypeError, ValueError):
                if name == "amount":  # it may go further down with another kernel
                    control.min = min(control.min, wanted[name])
                control.value = wanted[name]

    def reset(self) -> None:
        """Give the controls the values that they had at first."""
        self.set({})

    def fit(self, layer: Image | None, dimensions: dict[str, Any]) -> None:
        """Fit ranges and units to a layer: where detail inverts, and intensities."""
        self._fit_unit(layer, dimensions)
        if layer is None:
            return
        if "threshold" in self.controls:
            self._fit_threshold(layer)
        if "amount" in self.controls:
            self._fit_amount(layer, dimensions)

    def shown(self, layer: Image | None) -> dict[str, bool]:
        """Whether controls matter now, for those that do not always."""
        found = {"color": layer is not None and bool(layer.rgb)}
        for name, word in self._entry.parameters.items():
            if word.needs and word.control != "none":
                found[name] = self._matters(name)
        if UNIT in self.controls:
            found[UNIT] = found["sigma"] and len(self.controls[UNIT].choices) > 1
        return found

    def sigma_line(self, layer: Image, filtered: tuple[int, ...]) -> str:
        """Sigma in lengths and pixels, where it matters and there are lengths."""
        if UNIT not in self.controls or not self._matters("sigma"):
            return ""
        sigma, unit = self.controls["sigma"].value, self.controls[UNIT].value
        return sigma_line(layer, filtered, sigma, unit)

    def _options_of_unit(self, name: str) -> dict[str, Any]:
        """What makes a control for the unit of another, if it is one."""
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
        """Whether the control that a parameter depends on has the value for it."""
        other, value = self._entry.parameters[name].needs
        return bool(self.controls[other].value == value)

    def _fit_unit(self, layer: Image | None, dimensions: dict[str, Any]) -> None:
        """Offer the units of length of the axes that are filtered."""
        if UNIT not in self.controls:
            return
        units: dict[str, float] = {}
        if layer is not None:
            try:
                units = length_units(layer, axes_of(layer).filtered(**dimensions))
            except ValueError:
                return  # it has still to be said which axis is Z
        self.controls[UNIT].follow(units)

    def _fit_threshold(self, layer: Image) -> None:
        low, high = layer.contrast_limits_range
        span = max(high - low, 1e-6)
        if span != self._span:
            self._span = span
            step = 10.0 ** np.floor(np.log10(span / 50))
            self.controls[THRESHOLD_UNIT].fit(span, step)

    def _fit_amount(self, layer: Image, dimensions: dict[str, Any]) -> None:
        try:
            given = layer_parameters(layer, self.method, **dimensions)
        except ValueError:
            return
        known = {k: v for k, v in self.values().items() if k in self._entry.parameters}
        parameters = {**core_parameters(self._entry, known), **given}
        least = self._entry.method(**parameters).least_amount(given["axes"])
        control = self.controls["amount"]
        control.min = min(least, control.value)
