"""The unit that a threshold is given in: an intensity, or the noise of the detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from magicgui.widgets import ComboBox

if TYPE_CHECKING:
    from magicgui.widgets import FloatSlider

INTENSITY, NOISE = "intensity", "× noise"
UNITS = INTENSITY, NOISE


class _Scale(NamedTuple):
    """A value of the slider, where it ends, and its step."""

    value: float
    end: float
    step: float


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
        with slider.changed.blocked():
            slider.value = 0
            slider.max, slider.step = scale.end, scale.step
        slider.value = scale.value
