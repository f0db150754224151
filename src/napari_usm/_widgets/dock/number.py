"""The control for every number: a slider, and a box for numbers that are typed."""

from __future__ import annotations

import re
from decimal import Decimal
from math import ceil, floor, log
from typing import TYPE_CHECKING, Any

from magicgui.backends._qtpy.widgets import QBaseValueWidget
from magicgui.types import Undefined
from magicgui.widgets.bases import ValueWidget
from psygnal import Signal as PySignal
from qtpy.QtCore import QEvent, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QSlider, QWidget

from napari_usm import arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QWheelEvent

# Positions of a logarithmic slider: from one to the next of 1 to 200 it is 1.8 %.
_POSITIONS = 300

# Significant figures of the numbers that a logarithmic slider sets.
_FIGURES = 3

# Arrow steps that a page key, or a click into the groove, goes.
_PAGE = 10

# Width of the box, room for seven characters, and of the slider at least.
_BOX, _SLIDER = 54, 60

# Of one notch of a wheel, in eighths of a degree.
_NOTCH = 120

# Decimal signs of all locales: the last is the Arabic one, which boxes show there.
_POINTS = ".,\N{ARABIC DECIMAL SEPARATOR}"

_NUMBER = re.compile(rf"[+-]?(\d+[{_POINTS}]?\d*|[{_POINTS}]\d+)([eE][+-]?\d+)?")

_SliderAction = QSlider.SliderAction
_STEPS = {
    _SliderAction.SliderSingleStepAdd: 1,
    _SliderAction.SliderSingleStepSub: -1,
    _SliderAction.SliderPageStepAdd: _PAGE,
    _SliderAction.SliderPageStepSub: -_PAGE,
}
_KEYS: dict[int, int] = {
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_PageUp: _PAGE,
    Qt.Key.Key_PageDown: -_PAGE,
}


def read_number(name: str, text: str) -> float:
    """Return the number that a text stands for, with any decimal sign.

    Raises
    ------
    ValueError
        If the text is no number. A comma is a decimal sign, never one of thousands:
        "1,234" is 1.234, and "1,234.5" is refused.

    Examples
    --------
    >>> read_number("sigma", "0,35"), read_number("sigma", " 1e3 ")
    (0.35, 1000.0)
    """
    plain = text.strip().replace("\N{MINUS SIGN}", "-")
    if _NUMBER.fullmatch(plain):
        return float(re.sub(f"[{_POINTS}]", ".", plain))
    raise ValueError(f"`{name}` must be a number such as 0.35 or 1e3; got {text!r}")


def number_text(value: float) -> str:
    """Return the shortest text that stands for exactly this number.

    Examples
    --------
    >>> number_text(2.0), number_text(0.1), number_text(1e-09), number_text(7)
    ('2', '0.1', '1e-9', '7')
    """
    mantissa, e, exponent = repr(value).partition("e")
    mantissa = mantissa.removesuffix(".0")
    return mantissa if not e else f"{mantissa}e{int(exponent)}"


class Number(ValueWidget[float]):
    """A number on a slider, linear or logarithmic, with a box beside it.

    The slider only offers a range; any number that the method takes can be typed.
    The box shows all figures of the value.

    Parameters
    ----------
    value : float, optional
        Value at the start.
    min, max : float
        Ends of the slider.
    step : float, optional
        Step of the arrow keys. Without one it is a tenth of the number's size.
    logarithmic : bool
        Whether equal distances on the slider are equal ratios.
    zero : bool
        Whether the lower end of a logarithmic slider is followed by 0.
    integer : bool
        Whether only integers are taken.
    **keywords
        Of every magicgui widget.
    """

    #: Why a typed number was not taken.
    refused = PySignal(str)

    def __init__(
        self,
        value: Any = Undefined,
        *,
        min: float = 0.1,
        max: float = 20.0,
        step: float | None = None,
        logarithmic: bool = False,
        zero: bool = False,
        integer: bool = False,
        **keywords: Any,
    ) -> None:
        super().__init__(widget_type=_Backend, **keywords)
        #: Raises for a number that the method does not take.
        self.check: Callable[[float], None] | None = None
        self._pair.integer = integer
        self._pair.set_scale(_Scale(min, max, step, logarithmic, zero))
        self._pair.typed.connect(self._on_typed)
        if value is not Undefined:
            self.value = value

    def set_value(self, value: Any) -> None:
        """Take any number that the method takes, on the slider or not."""
        super().set_value(self._checked(value))

    def apply_typed(self) -> None:
        """Take what stands in the box, though its typing was not finished."""
        self._pair.finish_typing()

    def fit(self, low: float, high: float, step: float) -> None:
        """Put other ends and another step to the slider; the value stays."""
        scale = self._pair.scale
        self._pair.set_scale(_Scale(low, high, step, scale.logarithmic, scale.zero))

    @property
    def range(self) -> tuple[float, float]:
        """Return both ends of the slider."""
        return self._pair.scale.low, self._pair.scale.high

    @range.setter
    def range(self, ends: tuple[float, float]) -> None:
        self._pair.set_scale(self._pair.scale.between(*ends))

    @property
    def min(self) -> float:
        """Return the lower end of the slider."""
        return self.range[0]

    @min.setter
    def min(self, value: float) -> None:
        self.range = value, self.max

    @property
    def max(self) -> float:
        """Return the upper end of the slider."""
        return self.range[1]

    @max.setter
    def max(self, value: float) -> None:
        self.range = self.min, value

    @property
    def step(self) -> float | None:
        """Step of the arrow keys; None is a tenth of the number's size."""
        return self._pair.scale.step

    @property
    def options(self) -> dict[str, Any]:
        """Return the keywords that make another one like it."""
        scale = self._pair.scale
        return {
            **super().options,
            "min": scale.low,
            "max": scale.high,
            "step": scale.step,
            "logarithmic": scale.logarithmic,
            "zero": scale.zero,
            "integer": self._pair.integer,
        }

    @property
    def _pair(self) -> _Pair:
        return self._widget._mgui_get_native_widget()

    def _checked(self, value: Any) -> float:
        name = self.name or "value"
        number: float = arguments.real(name, value)
        if self._pair.integer:
            if number != int(number):
                raise ValueError(f"`{name}` must be an integer; got {value!r}")
            number = int(number)
        if self.check is not None:
            self.check(number)
        return number

    def _on_typed(self, text: str) -> None:
        try:
            self.value = read_number(self.name or "value", text)
        except ValueError as error:
            self.refused.emit(str(error))
        self._pair.show_value()


class _Scale:
    """Positions of a slider, and the numbers that they stand for.

    Parameters
    ----------
    low, high : float
        Ends.
    step : float, optional
        Step, or None for a tenth of a number's size.
    logarithmic, zero : bool
        Whether equal distances are equal ratios, and whether 0 comes below `low`.
    """

    def __init__(
        self, low: float, high: float, step: float | None, logarithmic: bool, zero: bool
    ) -> None:
        self.low, self.high, self.step = low, high, step
        self.logarithmic, self.zero = logarithmic, zero
        if not low < high or (logarithmic and low <= 0):
            least = "0 < low < high" if logarithmic else "low < high"
            raise ValueError(f"`range` must be {least}; got {(low, high)!r}")
        if step is None and not logarithmic:
            raise ValueError("`step` must be a number for a linear slider; got None")

    def between(self, low: float, high: float) -> _Scale:
        """Return the same scale between other ends."""
        return _Scale(low, high, self.step, self.logarithmic, self.zero)

    @property
    def positions(self) -> tuple[int, int]:
        """First and last position."""
        if self.logarithmic:
            return -self.zero, _POSITIONS
        # Steps are counted from 0: round numbers stay round whatever the ends are.
        first, last = (Decimal(repr(end)) / self._step for end in (self.low, self.high))
        return floor(first), ceil(last)

    def value(self, position: int) -> float:
        """Return the number at a position, in few figures."""
        first, last = self.positions
        if position in (first, last):
            return self.high if position == last else 0.0 if self.zero else self.low
        if not self.logarithmic:
            return float(position * self._step)
        if position == 0:
            return self.low
        value = self.low * (self.high / self.low) ** (position / _POSITIONS)
        return float(f"{value:.{_FIGURES}g}")

    def position(self, value: float) -> int:
        """Return the position that is nearest to a number."""
        if self.zero and value < self.low / 2:
            return -1
        inside = min(max(value, self.low), self.high)
        if not self.logarithmic:
            return round(Decimal(repr(inside)) / self._step)
        return round(_POSITIONS * log(inside / self.low) / log(self.high / self.low))

    def stepped(self, value: float, steps: int) -> float:
        """Return the number that many steps away, on the slider or where it was.

        In decimal numbers: 0.1 and 0.2 give 0.3 and nothing else.
        """
        least = 0.0 if self.zero else self.low
        low, high = min(least, value), max(self.high, value)
        sign = 1 if steps > 0 else -1
        for _ in range(abs(steps)):
            value = float(Decimal(repr(value)) + sign * self._size(value, sign))
            if self.logarithmic and value < self.low and low < value:
                # Below the slider there is only 0, if that.
                value = self.low if sign > 0 else max(low, least)
        return min(max(value, low), high)

    @property
    def _step(self) -> Decimal:
        return Decimal(repr(self.step))

    def _size(self, value: float, sign: int) -> Decimal:
        """Return the size of a step from a number: from 1 up 0.1, and down 0.01."""
        if self.step is not None:
            return self._step
        if value == 0:
            return Decimal(repr(self.low))
        decade = Decimal(repr(value)).normalize()
        exponent = decade.adjusted()
        if sign < 0 and abs(decade) == Decimal(1).scaleb(exponent):
            exponent -= 1
        return Decimal(1).scaleb(exponent - 1)


class _Wheel:
    """Turns a widget with the focus by whole notches of the wheel."""

    #: The wheel was turned by so many notches, or an arrow or page key was pressed.
    turned = Signal(int)

    hasFocus: Callable[[], bool]  # of the widget
    _rest = 0

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Emit whole notches; without the focus, leave the wheel to the dock."""
        if not self.hasFocus():
            event.ignore()
            return
        event.accept()
        # Touchpads send small parts of a notch.
        self._rest += event.angleDelta().y()
        notches = int(self._rest / _NOTCH)
        self._rest -= notches * _NOTCH
        if notches:
            self.turned.emit(notches)


class _Slider(_Wheel, QSlider):  # type: ignore[misc]
    """A slider that the wheel moves only when it has the focus."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setMinimumWidth(_SLIDER)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


class _Box(_Wheel, QLineEdit):  # type: ignore[misc]
    """A box for a number, with the keys of a spin box."""

    def __init__(self) -> None:
        super().__init__()
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # napari's style decides on the width of boxes; only a style undoes that.
        self.setStyleSheet(f"min-width: {_BOX}px; max-width: {_BOX}px")

    def event(self, event: QEvent) -> bool:
        """Keep keys that the box needs from being shortcuts of the window."""
        is_shortcut = event.type() == QEvent.Type.ShortcutOverride
        if is_shortcut and isinstance(event, QKeyEvent) and event.key() in _KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step by arrow and page keys, and take back by Escape what was typed."""
        if event.key() in _KEYS:
            self.turned.emit(_KEYS[event.key()])
        elif event.key() == Qt.Key.Key_Escape and self.isModified():
            self.undo_typing()
        else:
            super().keyPressEvent(event)

    def undo_typing(self) -> None:
        """Show the value again."""
        self.parentWidget().show_value()


class _Pair(QWidget):
    """Slider and box side by side; the value is this widget's."""

    valueChanged = Signal(object)

    #: A text that was typed, which may be no number.
    typed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value: float = 0
        self.integer = False
        self.scale = _Scale(0, 1, 0.1, False, False)
        self.box, self.slider = _Box(), _Slider()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.slider, 1)
        row.addWidget(self.box)
        self.setFocusProxy(self.box)
        self.slider.valueChanged.connect(self._on_position)
        self.slider.actionTriggered.connect(self._on_action)
        self.slider.turned.connect(self._step)
        self.box.turned.connect(self._step)
        self.box.editingFinished.connect(self.finish_typing)

    def value(self) -> float:
        return self._value

    def setValue(self, value: float) -> None:
        changed = value != self._value
        self._value = value
        self.show_value()
        self._follow()
        if changed:
            self.valueChanged.emit(value)

    def set_scale(self, scale: _Scale) -> None:
        """Put other ends to the slider; the value stays."""
        self.scale = scale
        self._follow()

    def show_value(self) -> None:
        """Write the value into the box, instead of whatever stands there."""
        point = self.locale().decimalPoint()
        self.box.setText(number_text(self._value).replace(".", point))
        self.box.setCursorPosition(0)
        self.box.setModified(False)

    def finish_typing(self) -> None:
        """Take what was typed, if anything was."""
        if self.box.isModified():
            self.box.setModified(False)  # leaving the box shall not say it twice
            self.typed.emit(self.box.text())

    def _on_position(self, position: int) -> None:
        if position != self.scale.position(self._value):
            self._set(self.scale.value(position))

    def _on_action(self, action: int) -> None:
        """Step as the keys do; the slider then stands at the value."""
        steps = _STEPS.get(_SliderAction(action))
        if steps is not None:
            self._step(steps)

    def _step(self, steps: int) -> None:
        self.finish_typing()
        self._set(self.scale.stepped(self._value, steps))
        self._follow()

    def _set(self, value: float) -> None:
        self.setValue(int(value) if self.integer else float(value))

    def _follow(self) -> None:
        first, last = self.scale.positions
        with QSignalBlocker(self.slider):
            self.slider.setRange(first, last)
            self.slider.setValue(self.scale.position(self._value))


class _Backend(QBaseValueWidget):
    """Connects the pair to magicgui."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(_Pair, "value", "setValue", "valueChanged", **keywords)
