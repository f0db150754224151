"""The control for numbers: what is shown is the value, however it was set."""

import numpy as np
import pytest
from qtpy.QtCore import QLocale, QPoint, Qt
from qtpy.QtWidgets import QLineEdit, QSlider

from harness import turn_wheel
from napari_usm._widgets.dock.number import Number, number_text, read_number

LINEAR = {"min": -1.0, "max": 10.0, "step": 0.1}
LOGARITHMIC = {"min": 0.1, "max": 20.0, "logarithmic": True}
WITH_ZERO = {"min": 0.01, "max": 100.0, "logarithmic": True, "zero": True}
INTEGER = {"min": 0, "max": 200, "step": 1, "integer": True}


@pytest.fixture
def made(qtbot):
    """Make a number, shown, and a list of the values that it reports."""

    def make(value=1, **options):
        control = Number(value, name="sigma", **(options or LOGARITHMIC))
        qtbot.addWidget(control.native)
        control.native.show()
        values = []
        control.changed.connect(values.append)
        return control, values

    return make


def slider(control):
    return control.native.findChild(QSlider)


def box(control):
    return control.native.findChild(QLineEdit)


def type_in(qtbot, control, text, key=Qt.Key.Key_Return):
    box(control).selectAll()
    if text.isascii():
        qtbot.keyClicks(box(control), text)
    else:
        box(control).insert(text)  # pasted: there is no such key
    qtbot.keyClick(box(control), key)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.35", 0.35),
        ("0,35", 0.35),
        ("1e3", 1000),
        ("2,5E-3", 0.0025),
        (" −7 ", -7),
        (".5", 0.5),
        ("5,", 5),
        ("+2", 2),
        ("-0\N{ARABIC DECIMAL SEPARATOR}5", -0.5),
        ("\N{ARABIC-INDIC DIGIT TWO}\N{ARABIC DECIMAL SEPARATOR}5", 2.5),
    ],
)
@pytest.mark.parametrize("country", ["C", "German", "English", "Arabic"])
def test_texts_that_are_numbers(qtbot, made, text, number, country):
    """All decimal signs are taken everywhere, and shown as they are there."""
    assert read_number("sigma", text) == number
    control, values = made(**LINEAR)
    box(control).parentWidget().setLocale(QLocale(getattr(QLocale.Language, country)))
    type_in(qtbot, control, text)
    assert values == [number]
    point = {"German": ",", "Arabic": "\N{ARABIC DECIMAL SEPARATOR}"}.get(country, ".")
    assert box(control).text() == number_text(float(number)).replace(".", point)


@pytest.mark.parametrize(
    "text", ["", "abc", "1,234.5", "1.2.3", "1 000", "nan", "inf", "1_0", "0x10", "1e"]
)
def test_texts_that_are_not(qtbot, made, text):
    """The old value stays and is shown again; the rule and the text are said, once."""
    control, values = made()
    reasons = []
    control.refused.connect(reasons.append)
    type_in(qtbot, control, text or " ")
    qtbot.keyClick(box(control), Qt.Key.Key_Tab)
    (reason,) = reasons
    assert reason.startswith("`sigma` must be a number such as 0.35 or 1e3; got ")
    assert text in reason
    assert (values, control.value, box(control).text()) == ([], 1, "1")


def test_numbers_that_the_method_refuses(qtbot, made):
    """A number is checked before it is taken; in Python that is an error."""

    def check(value):
        if value < 0:
            raise ValueError(f"`sigma` must be at least 0; got {value!r}")

    control, values = made()
    control.check = check
    reasons = []
    control.refused.connect(reasons.append)
    type_in(qtbot, control, "-2")
    assert reasons == ["`sigma` must be at least 0; got -2.0"]
    with pytest.raises(ValueError, match="`sigma` must be at least 0; got -1"):
        control.value = -1
    with pytest.raises(TypeError, match="`sigma` must be a real number; got '1'"):
        control.value = "1"
    with pytest.raises(ValueError, match="`sigma` must be finite"):
        control.value = np.nan
    assert (values, control.value, box(control).text()) == ([], 1, "1")


def test_integers(qtbot, made):
    """Only integers are taken, in any spelling, and they are of that type."""
    control, values = made(3, **INTEGER)
    reasons = []
    control.refused.connect(reasons.append)
    type_in(qtbot, control, "1e2")
    type_in(qtbot, control, "2.5")
    qtbot.keyClick(box(control), Qt.Key.Key_Up)
    slider(control).setValue(7)
    assert values == [100, 101, 7]
    assert {type(value) for value in (*values, control.value)} == {int}
    assert reasons == ["`sigma` must be an integer; got 2.5"]


@pytest.mark.parametrize(
    ("options", "text", "position"),
    [
        (LOGARITHMIC, "35", 300),
        (LOGARITHMIC, "0.02", 0),
        (LOGARITHMIC, "0", 0),
        (LINEAR, "12.34", 100),
        (LINEAR, "-3", -10),
        (WITH_ZERO, "1000", 300),
        (WITH_ZERO, "0", -1),
        (WITH_ZERO, "1e-9", -1),
    ],
)
def test_numbers_beyond_the_slider(qtbot, made, options, text, position):
    """They can be typed; the slider stands at its end and moves on from there."""
    control, values = made(**options)
    type_in(qtbot, control, text)
    assert values == [float(text)]
    assert control.value == float(text)
    assert read_number("sigma", box(control).text()) == float(text)
    assert slider(control).value() == position
    low, high = options["min"], options["max"]
    for ends in ((low / 2, high / 2), (low, high)):
        control.range = ends
        assert values == [float(text)]
    slider(control).setValue(50)
    assert len(values) == 2
    assert low < control.value < high


@pytest.mark.parametrize("options", [LINEAR, LOGARITHMIC, WITH_ZERO])
def test_each_position_is_another_number(made, options):
    """No position of the slider is lost; each is one signal, and shown in full."""
    control, values = made(5, **options)
    first, last = slider(control).minimum(), slider(control).maximum()
    slider(control).setValue(first)
    values.clear()
    for position in range(first + 1, last + 1):
        slider(control).setValue(position)
        assert slider(control).value() == position
        assert float(box(control).text()) == control.value
        assert len(box(control).text()) <= 7
    assert len(values) == last - first
    assert np.all(np.diff(values) > 0)
    assert values[-1] == options["max"]


def test_equal_distances_are_equal_ratios(made):
    """On a logarithmic slider, to the three figures that it sets."""
    control, values = made()
    positions = range(0, 301, 50)
    for position in positions:
        slider(control).setValue(position)
    expected = [0.1 * 200 ** (position / 300) for position in positions]
    np.testing.assert_allclose(values, expected, rtol=0.005)
    assert (values[0], values[-1]) == (0.1, 20.0)


@pytest.mark.parametrize("value", [3.2, 0.123456789, 20.0, 1 / 3, 1e-9, 12345678.5])
def test_a_number_is_shown_as_it_is(qtbot, made, value):
    """All of its figures, though there may be no room: a touch does not round it."""
    control, values = made()
    control.value = value
    assert float(box(control).text()) == value
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Tab):
        qtbot.keyClick(box(control), key)
    assert (values, control.value) == ([value], value)
    control.value = value
    assert len(values) == 1


@pytest.mark.parametrize(
    ("options", "value", "up", "down", "page"),
    [
        (LINEAR, 0.2, 0.3, 0.1, 1.2),
        (LINEAR, 9.95, 10, 9.85, 10),
        (LINEAR, 12, 12, 11.9, 12),
        (LOGARITHMIC, 1, 1.1, 0.99, 2),
        (LOGARITHMIC, 0.2, 0.21, 0.19, 0.3),
        (LOGARITHMIC, 10, 11, 9.9, 20),
        (LOGARITHMIC, 0.1, 0.11, 0.1, 0.2),
        (LOGARITHMIC, 0, 0.1, 0, 0.19),
        (WITH_ZERO, 0.01, 0.011, 0, 0.02),
        (WITH_ZERO, 0, 0.01, 0, 0.019),
        (INTEGER, 5, 6, 4, 15),
    ],
)
def test_keys_step(qtbot, made, options, value, up, down, page):
    """In the box and on the slider, by the same steps, at once and to the figure."""
    control, values = made(**options)
    slider_keys = Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_PageUp
    box_keys = Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp
    for widget, keys in ((box(control), box_keys), (slider(control), slider_keys)):
        for key, expected in zip(keys, (up, down, page), strict=True):
            control.value = value
            values.clear()
            qtbot.keyClick(widget, key)
            assert control.value == expected
            assert values == ([] if expected == value else [expected])


def test_a_click_into_the_groove(qtbot, made):
    """It goes as far as a page key, towards the click, and takes effect at once."""
    for options, value in ((LINEAR, 2.0), (LOGARITHMIC, 2.0)):
        control, values = made(**options)
        control.native.resize(400, 30)
        right = QPoint(slider(control).width() - 3, slider(control).height() // 2)
        button = Qt.MouseButton.LeftButton
        qtbot.mouseClick(slider(control), button, pos=right)
        assert values == [value]


def test_the_wheel_needs_the_focus(qtbot, made, monkeypatch):
    """Without it the wheel is left to what lies around; with it, it steps."""
    control, values = made()
    for widget in (box(control), slider(control)):
        control.value = 1
        values.clear()
        monkeypatch.setattr(widget, "hasFocus", lambda: False)
        assert not turn_wheel(widget, 120)
        assert values == []
        monkeypatch.setattr(widget, "hasFocus", lambda: True)
        assert turn_wheel(widget, 120)
        assert turn_wheel(widget, -240)
        assert values == [1.1, 0.99]
        for _ in range(4):  # a touchpad
            turn_wheel(widget, 30)
        assert values[2:] == [1]


def test_escape_and_unfinished_typing(qtbot, made):
    """Escape shows the value again; a step or an action takes what was typed first."""
    control, values = made()
    box(control).selectAll()
    qtbot.keyClicks(box(control), "7")
    assert values == []
    qtbot.keyClick(box(control), Qt.Key.Key_Escape)
    assert (box(control).text(), values) == ("1", [])
    box(control).selectAll()
    qtbot.keyClicks(box(control), "2,5")
    control.apply_typed()
    assert values == [2.5]
    box(control).selectAll()
    qtbot.keyClicks(box(control), "7")
    qtbot.keyClick(box(control), Qt.Key.Key_Up)
    assert values == [2.5, 7, 7.1]


def test_ends_can_be_moved(made):
    """Other ends move the slider and not the number."""
    control, values = made(2.0)
    control.max = 2.0
    assert slider(control).value() == 300
    control.min = 1.0
    control.max = 4.0
    assert slider(control).value() == 150
    control.range = 100, 1000
    assert slider(control).value() == 0
    assert (control.min, control.max, control.value) == (100, 1000, 2.0)
    assert values == []
    slider(control).setValue(300)
    assert values == [1000]
    other, values = made(0.5, **LINEAR)
    other.fit(-1e6, 1e6, 1e4)
    assert (slider(other).minimum(), slider(other).maximum()) == (-100, 100)
    slider(other).setValue(99)
    assert values == [990000]
    for ends in ((0, 1), (3, 3), (2, 1)):
        with pytest.raises(ValueError, match="0 < low < high; got"):
            control.range = ends
    with pytest.raises(ValueError, match="low < high; got"):
        made(**LINEAR)[0].min = 10


def test_its_options_make_it_again(made):
    """magicgui copies a widget by its options."""
    for options in (LINEAR, LOGARITHMIC, WITH_ZERO, INTEGER):
        control, _ = made(**options)
        assert {name: control.options[name] for name in options} == options
