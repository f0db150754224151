"""The unit that a threshold is given in: an intensity, or the noise of the detail."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Any, NamedTuple

from magicgui.widgets import ComboBox
from qtpy.QtWidgets import QDoubleSpinBox

if TYPE_CHECKING:
    from magicgui.widgets import FloatSlider

INTENSITY, NOISE = "intensity", "× noise"
UNITS = INTENSITY, NOISE


class _Scale(NamedTuple):
    """A value of the slider, where it ends, and its step."""

    value: float
    end: float
    step: float


# Of the number beside the slider, at least.
_DECIMALS = 2

# Three times the noise is more than 99.7 % of it.
_IN_NOISE = _Scale(3.0, 10.0, 0.1)


class ThresholdUnit(ComboBox):
    """Choice of the unit of a threshold, which has a value of its own in each.

    Parameters
    ----------
    threshold : FloatSlider
        Its value, end and step are those of the unit.
    **keywords
        Of every magicgui widget.
    """

    def __init__(self, threshold: FloatSlider, **keywords: Any) -> None:
        self._threshold = threshold
        self._other = _IN_NOISE
        self._unit = INTENSITY
        super().__init__(**keywords)
        self.changed.connect(self._exchange)

    def fit(self, span: float, step: float) -> None:
        """Intensities have another range: one that was chosen means nothing in it."""
        fitted = _Scale(0.0, span, step)
        if self._unit == INTENSITY:
            self._show(fitted)
        else:
            self._other = fitted

    def _exchange(self) -> None:
        if self.value != self._unit:
            self._unit = self.value
            slider = self._threshold
            shown = _Scale(slider.value, slider.max, slider.step)
            self._show(self._other)
            self._other = shown

    def _show(self, scale: _Scale) -> None:
        slider = self._threshold
        decimals = max(_DECIMALS, -floor(log10(scale.step)))
        with slider.changed.blocked():
            slider.value = 0
            # The number beside it rounds whatever it is given.
            slider.native.findChild(QDoubleSpinBox).setDecimals(decimals)
            # magicgui counts in whole steps of its own: the end makes them coarse
            # enough, the step fine enough, and then they are others for the end.
            slider.max = scale.end
            slider.step = scale.step
            slider.max = scale.end
        slider.value = scale.value
