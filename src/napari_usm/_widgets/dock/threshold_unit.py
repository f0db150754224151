"""The unit that a threshold is given in: an intensity, or the noise of the detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox

from napari_usm.recipe import INTENSITY, NOISE

if TYPE_CHECKING:
    from napari_usm._widgets.dock.number import Number

#: As they stand in menus: detail in units of its noise is its significance.
MENU = (("intensity", INTENSITY), ("significance", NOISE))

#: Ratio of the ends of the slider for intensities; below them there is 0.
DECADES = 1e4

# Three times the noise is more than 99.7 % of it.
_MULTIPLE, _MULTIPLES = 3.0, (0.1, 10.0)


class ThresholdUnit(ComboBox):
    """Choice of the unit of a threshold, which has a value in each.

    Parameters
    ----------
    threshold : Number
        Its value and range are those of the unit.
    **keywords
        Of every magicgui widget.
    """

    def __init__(self, threshold: Number, **keywords: Any) -> None:
        self._threshold = threshold
        self._unit = INTENSITY
        self._values = {INTENSITY: 0.0, NOISE: _MULTIPLE}
        self._ranges = {INTENSITY: threshold.range, NOISE: _MULTIPLES}
        super().__init__(**keywords)
        self.changed.connect(self._exchange)

    def fit(self, largest: float) -> None:
        """Let the slider for intensities end here; the threshold stays."""
        self._ranges[INTENSITY] = largest / DECADES, largest
        self._threshold.range = self._ranges[self._unit]

    def forget_intensity(self) -> None:
        """Put the intensity back to 0: it means nothing in another image."""
        self._values[INTENSITY] = 0.0
        if self._unit == INTENSITY:
            self._threshold.value = 0.0

    def _exchange(self) -> None:
        if self.value == self._unit:
            return
        self._values[self._unit] = self._threshold.value
        self._unit = self.value
        self._threshold.range = self._ranges[self._unit]
        self._threshold.value = self._values[self._unit]
