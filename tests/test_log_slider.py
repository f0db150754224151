"""The slider of equal ratios: the number beside it is the value."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDoubleSpinBox, QSlider

from napari_usm.widgets.log_slider import LogSlider


@pytest.fixture
def made(qtbot):
    """A log slider from 0.1 to 20, shown, and what it tells of changes."""
    control = LogSlider(1.0, name="sigma", min=0.1, max=20.0)
    qtbot.addWidget(control.native)
    control.native.show()
    told = []
    control.changed.connect(told.append)
    return control, told


def slider(control):
    return control.native.findChild(QSlider)


def number(control):
    return control.native.findChild(QDoubleSpinBox)


def type_in(qtbot, control, text, key=Qt.Key.Key_Return):
    number(control).selectAll()
    qtbot.keyClicks(number(control), text)
    qtbot.keyClick(number(control), key)


def test_a_move_tells_once(made):
    """Every position is one signal with the new number, between equal ratios."""
    control, told = made
    positions = range(0, 301, 50)
    for position in positions:
        slider(control).setValue(position)
        assert slider(control).value() == position
    expected = [0.1 * 200 ** (position / 300) for position in positions]
    np.testing.assert_allclose(told, expected, rtol=0.005)
    assert (told[0], told[-1]) == (0.1, 20.0)
    assert control.value == 20.0


def test_each_position_is_another_number(made):
    """No step of the slider is lost, and the slider stays where it was put."""
    control, told = made
    slider(control).setValue(0)
    told.clear()
    for position in range(1, 301):
        slider(control).setValue(position)
        assert slider(control).value() == position
    assert len(told) == 300
    assert np.all(np.diff(told) > 0)


@pytest.mark.parametrize("value", [3.2, 2.5, 0.123456789, 20.0, 1 / 3])
def test_a_number_stays_what_it_is(made, value):
    """A number from Python is kept to its last figures and told once."""
    control, told = made
    control.value = value
    assert told == [pytest.approx(value, rel=1e-14)]
    assert control.value == pytest.approx(value, rel=1e-14)
    control.value = value
    assert len(told) == 1


@pytest.mark.parametrize(
    ("text", "value", "position"), [("35", 35, 300), ("0.02", 0.02, 0), ("0", 0, 0)]
)
def test_typed_numbers_beyond_the_slider(qtbot, made, text, value, position):
    """Any number can be typed, 0 too; it is told when it is whole, and once."""
    control, told = made
    type_in(qtbot, control, text)
    assert told == [value]
    assert control.value == value
    assert slider(control).value() == position
    slider(control).setValue(150)
    assert told[1:] == [pytest.approx(1.41)]


def test_a_touch_does_not_round(qtbot, made):
    """Fewer figures are shown than there are: leaving the box does not cut them."""
    control, told = made
    control.value = 0.3466656
    assert number(control).text() == "0.3467"
    told.clear()
    qtbot.keyClick(number(control), Qt.Key.Key_Return)
    qtbot.keyClick(number(control), Qt.Key.Key_Tab)
    assert (control.value, told) == (0.3466656, [])


def test_steps_are_a_tenth_of_the_size(qtbot, made):
    """An arrow key goes a step of the number's own size; from 0 onto the slider."""
    control, _ = made
    for value, above in ((1.0, 1.1), (0.2, 0.21), (10.0, 11.0), (0.0, 0.1)):
        control.value = value
        qtbot.keyClick(number(control), Qt.Key.Key_Up)
        assert control.value == pytest.approx(above)
    control.step = 0.5
    assert control.step == 0.5
    control.value = 0
    qtbot.keyClick(number(control), Qt.Key.Key_Up)
    assert control.value == 0.5


def test_ends_can_be_moved(qtbot, made):
    """Another end moves the slider and neither the number nor what can be typed."""
    control, told = made
    control.value = 2.0
    told.clear()
    control.max = 2.0
    assert slider(control).value() == 300
    control.min = 1.0
    control.max = 4.0
    assert slider(control).value() == 150
    control.range = 100, 1000
    assert slider(control).value() == 0
    assert (control.min, control.max, control.value) == (100, 1000, 2.0)
    assert told == []
    type_in(qtbot, control, "7")
    assert told == [7]
    slider(control).setValue(300)
    assert told == [7, 1000]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda c: setattr(c, "value", -1), ValueError, "`sigma` must be at least 0"),
        (lambda c: setattr(c, "value", 1e13), ValueError, r"`sigma` must be at most"),
        (lambda c: setattr(c, "value", "1"), TypeError, "`sigma` must be a real"),
        (lambda c: setattr(c, "min", 0), ValueError, "0 < low < high; got"),
        (lambda c: setattr(c, "max", 0.1), ValueError, "0 < low < high; got"),
    ],
)
def test_bad_values(made, change, error, message):
    """What is no width, or no slider, is refused, and nothing changes."""
    control, told = made
    with pytest.raises(error, match=message):
        change(control)
    assert (control.value, control.range, told) == (1.0, (0.1, 20.0), [])


def test_another_country(qtbot, made):
    """Where a comma stands in numbers, it is shown and typed."""
    from qtpy.QtCore import QLocale

    control, told = made
    number(control).setLocale(QLocale(QLocale.Language.German))
    control.value = 2.5
    assert number(control).text() == "2,5"
    type_in(qtbot, control, "3,25")
    assert told == [2.5, 3.25]


def test_its_options_make_it_again(made):
    """magicgui copies a widget by its options."""
    control, _ = made
    options = {"min": 0.1, "max": 20.0, "step": None}
    assert {name: control.options[name] for name in options} == options
