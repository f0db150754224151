"""The unit that a sigma is given in: pixels, or a length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from magicgui.widgets import ComboBox

from napari_usm.axes import PIXELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm._widgets.dock.number import Number

# Of a number in another unit: all of them are shown.
_FIGURES = 4


class _Conversion(NamedTuple):
    """A value in the unit before, and its conversion."""

    unit: str
    value: float
    became: float


class SigmaUnit(ComboBox):
    """Choice of the unit of a sigma, which stays the same width in another unit.

    Parameters
    ----------
    sigma : Number
        Its value and range, in pixels at first, are converted to the unit.
    **keywords
        Of every magicgui widget.
    """

    def __init__(self, sigma: Number, **keywords: Any) -> None:
        self._sigma = sigma
        self._words = sigma.label.removesuffix(f" ({PIXELS})")
        self._range = sigma.range
        self._steps = {PIXELS: 1.0}
        self._unit, self._step = PIXELS, 1.0
        self._last: _Conversion | None = None
        super().__init__(choices=lambda _: list(self._steps), **keywords)
        self.changed.connect(self._convert)

    def follow(self, steps: Mapping[str, float]) -> None:
        """Offer pixels and these units, each with the length of a pixel along X.

        A length stays one where its unit is still offered: its pixels are others then.
        """
        offered = {PIXELS: 1.0, **steps}
        if offered == self._steps:
            return
        self._steps = offered
        self._last = None
        # The unit stands in the menu, where there is one.
        unit = "" if steps else f" ({PIXELS})"
        self._sigma.label = f"{self._words}{unit}"
        self.reset_choices()
        self._convert()

    def _convert(self) -> None:
        before, step = self._unit, self._step
        self._unit, self._step = self.value, self._steps[self.value]
        low, high = self._range
        self._sigma.range = _rounded(low * self._step), _rounded(high * self._step)
        if self._unit != before:
            value, last = self._sigma.value, self._last
            converted = _rounded(value / step * self._step)
            if last is not None and (last.unit, last.became) == (self._unit, value):
                converted = last.value  # as it was, to its last figure
            self._last = _Conversion(before, value, converted)
            self._sigma.value = converted


def _rounded(value: float) -> float:
    return float(f"{value:.{_FIGURES}g}")
