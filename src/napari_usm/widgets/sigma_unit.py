"""The unit that a sigma is given in: pixels, or a length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox

from napari_usm.axes import PIXELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm.widgets.log_slider import LogSlider

# A length that is turned to pixels and back shall be the same number again.
_FIGURES = 12


class SigmaUnit(ComboBox):
    """Choice of the unit of a sigma, which stays the same width in another unit.

    Parameters
    ----------
    sigma : LogSlider
        Its value and range, in pixels at first, are kept in the unit.
    **keywords
        Of every magicgui widget.
    """

    def __init__(self, sigma: LogSlider, **keywords: Any) -> None:
        self._sigma = sigma
        self._words = sigma.label.removesuffix(f" ({PIXELS})")
        self._range = sigma.range
        self._steps = {PIXELS: 1.0}
        self._unit, self._step = PIXELS, 1.0
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
        self.reset_choices()
        self._convert()

    def _convert(self) -> None:
        unit, before = self.value, self._step
        converted = unit != self._unit
        self._unit, self._step = unit, self._steps[unit]
        low, high = self._range
        self._sigma.range = low * self._step, high * self._step
        if converted:
            self._sigma.label = f"{self._words} ({unit})"
            width = self._sigma.value / before * self._step
            self._sigma.value = float(f"{width:.{_FIGURES}g}")
