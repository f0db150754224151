"""A slider of equal ratios, and beside it the number that it sets."""

from __future__ import annotations

from math import log
from typing import Any

from magicgui.backends._qtpy.widgets import QBaseValueWidget
from magicgui.types import Undefined
from magicgui.widgets.bases import ValueWidget
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QSlider,
    QWidget,
)

from napari_usm.axes import figures
from napari_usm.methods import checks

# Steps of the slider: from one to the next of a range of 1 to 200 it is 1.8 %.
_STEPS = 300

# Figures of the numbers that the slider sets, and of those that are shown.
_SET, _SHOWN = 3, 4

# A spin box rounds to its decimals: to these, no length in any unit is lost.
_DECIMALS = 15

# The largest number that a spin box can be asked to take.
_LARGEST = 1e12


class LogSlider(ValueWidget[float]):
    """A number of at least 0, on a slider where equal ways are equal ratios.

    magicgui's own one tells of its position instead of its value.

    Parameters
    ----------
    value : float, optional
        The number at the start.
    min, max : float
        Ends of the slider, above 0. Any number can be typed; the slider then stands
        at its end.
    step : float, optional
        What an arrow key adds to the number; without it, a tenth of its size.
    **keywords
        Of every magicgui widget.
    """

    def __init__(
        self,
        value: Any = Undefined,
        *,
        min: float = 0.1,
        max: float = 20.0,
        step: float | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(widget_type=_Backend, **keywords)
        self.range = min, max
        self.step = step
        if value is not Undefined:
            self.value = value

    def set_value(self, value: Any) -> None:
        """Take any number that the box can hold, on the slider or not."""
        name = self.name or "value"
        number = checks.real(name, value, minimum=0)
        if number > _LARGEST:
            raise ValueError(f"`{name}` must be at most {_LARGEST:g}; got {value!r}")
        super().set_value(number)

    @property
    def range(self) -> tuple[float, float]:
        """Both ends of the slider."""
        return self._pair.range

    @range.setter
    def range(self, ends: tuple[float, float]) -> None:
        low, high = ends
        if not 0 < low < high:
            raise ValueError(f"`range` must be 0 < low < high; got {ends!r}")
        self._pair.set_range(float(low), float(high))

    @property
    def min(self) -> float:
        """The lower end of the slider."""
        return self.range[0]

    @min.setter
    def min(self, value: float) -> None:
        self.range = value, self.max

    @property
    def max(self) -> float:
        """The upper end of the slider; larger numbers can be typed."""
        return self.range[1]

    @max.setter
    def max(self, value: float) -> None:
        self.range = self.min, value

    @property
    def step(self) -> float | None:
        """What an arrow key adds to the number; None: a tenth of its size."""
        return self._pair.number.step

    @step.setter
    def step(self, value: float | None) -> None:
        self._pair.number.step = value

    @property
    def options(self) -> dict[str, Any]:
        """What makes another one like it."""
        own = {"min": self.min, "max": self.max, "step": self.step}
        return {**super().options, **own}

    @property
    def _pair(self) -> _Pair:
        return self._widget._mgui_get_native_widget()


class _Number(QDoubleSpinBox):
    """The number: it is the value, however few of its figures are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.least = 0.0
        self._step: float | None = None
        self.setDecimals(_DECIMALS)
        self.setRange(0, _LARGEST)
        self.setKeyboardTracking(False)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)

    @property
    def step(self) -> float | None:
        return self._step

    @step.setter
    def step(self, value: float | None) -> None:
        self._step = value
        kinds = QAbstractSpinBox.StepType
        adaptive = kinds.AdaptiveDecimalStepType
        self.setStepType(adaptive if value is None else kinds.DefaultStepType)
        if value is not None:
            self.setSingleStep(value)

    def stepBy(self, steps: int) -> None:
        """From 0, where a tenth of the size is nothing, step onto the slider."""
        if self.value() == 0 and self.step is None and steps > 0:
            self.setValue(self.least)
        else:
            super().stepBy(steps)

    def textFromValue(self, value: float) -> str:
        """As many figures as there is room for, as the user's country writes them."""
        return figures(value, _SHOWN).replace(".", self.locale().decimalPoint())

    def valueFromText(self, text: str) -> float:
        """What was typed; a text that nobody touched does not round the value."""
        value = self.value()
        return (
            value if text == self.textFromValue(value) else super().valueFromText(text)
        )


class _Pair(QWidget):
    """Slider and number side by side; the slider follows the number."""

    valueChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.range = (0.1, 20.0)
        self.number = _Number()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(_STEPS // 10)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 4, 0)  # as magicgui's sliders end
        row.setSpacing(4)
        row.addWidget(self.slider)
        row.addWidget(self.number)
        self.setFocusProxy(self.number)
        self.slider.valueChanged.connect(self._on_slider)
        self.number.valueChanged.connect(self._on_number)

    def value(self) -> float:
        return self.number.value()

    def setValue(self, value: float) -> None:
        self.number.setValue(value)

    def set_range(self, low: float, high: float) -> None:
        self.range = low, high
        self.number.least = low
        self._follow(self.value())

    def _on_slider(self, position: int) -> None:
        low, high = self.range
        value = low * (high / low) ** (position / _STEPS)
        ends = {0: low, _STEPS: high}
        self.number.setValue(ends.get(position, float(f"{value:.{_SET}g}")))

    def _on_number(self, value: float) -> None:
        self._follow(value)
        self.valueChanged.emit(value)

    def _follow(self, value: float) -> None:
        low, high = self.range
        inside = min(max(value, low), high)
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(_STEPS * log(inside / low) / log(high / low)))


class _Backend(QBaseValueWidget):
    """What magicgui asks of a widget, for the pair."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(_Pair, "value", "setValue", "valueChanged", **keywords)
