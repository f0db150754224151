"""Which axes a layer is filtered along, and the sentence that says so."""

import re

import pytest

from napari_usm import axes
from napari_usm.axes import Axes

UNNAMED = ("-4", "-3", "-2", "-1")


@pytest.mark.parametrize(
    ("labels", "plane", "depth", "has_z"),
    [
        (UNNAMED, (2, 3), (0, 1), False),
        (UNNAMED[1:], (1, 2), (0,), False),
        (("y", "x"), (0, 1), (), False),
        (("t", "z", "y", "x"), (2, 3), (1,), True),
        (("T", "C", "Z", "Y", "X"), (3, 4), (2,), True),
        (("x", "y", "z"), (0, 1), (2,), True),
        (("time", "y", "x"), (1, 2), (), False),
        (("y", "x", "channel"), (0, 1), (), False),
        (("t", "x"), (1,), (), False),
        (("row", "col", "wavelength"), (0, 1), (), False),
        (("rows", "columns", "bands"), (0, 1), (), False),
        (("section", "height", "width"), (1, 2), (0,), True),
        (("-3", "-2", "depth"), (0, 1), (2,), True),
        (("z", "x"), (0, 1), (), False),
        (("z slices", "position y", "position x"), (1, 2), (0,), True),
        (("something", "y", "x"), (1, 2), (0,), False),
        (("z", "plane", "y", "x"), (2, 3), (0, 1), False),
    ],
)
def test_plane_and_depth(labels, plane, depth, has_z):
    """Planes are Y and X; time and channels are never filtered; Z goes by its name."""
    own = Axes(labels)
    assert (own.plane, own.depth, own.has_z) == (plane, depth, has_z)


NOT_SPACE = re.findall(
    r"\S+",
    """t T time times Time frame frames timepoint timepoints time-points Time_Point
c ch channel channels colour colors wavelength wavelengths lambda λ band bands spectral
position positions pos scene scenes series view views phase phases angle angles well
wells field fields tile tiles site sites cycle illumination""",
)


@pytest.mark.parametrize("label", NOT_SPACE)
def test_axes_that_are_not_space(label):
    """Neither Z nor part of a plane, wherever the axis stands."""
    for labels in ((label, "y", "x"), (label, "-2", "-1")):
        assert (Axes(labels).plane, Axes(labels).depth) == ((1, 2), ())
    assert Axes(("-3", "-2", label)).plane == (0, 1)
    assert Axes((label, "-3", "-2", "-1")).depth == (1,)


def test_a_unit_of_time():
    """An axis whose unit is one of time is no Z, whatever it is called."""
    timed = Axes(UNNAMED[1:], (True, False, False))
    assert (timed.plane, timed.depth) == ((1, 2), ())
    assert Axes(UNNAMED[1:], (False, False, True)).plane == (0, 1)
    assert Axes(("z", "y", "x"), (True, True, True)).plane == (1, 2), "names first"


@pytest.mark.parametrize("labels", [UNNAMED, UNNAMED[1:], ("stack", "y", "x")])
def test_the_user_says_which_axis_is_z(labels):
    """No axis is taken for Z that does not say so by its name, not even the only one."""
    own = Axes(labels)
    with pytest.raises(ValueError, match=r"`z_axis` must say which axis is Z, .* None"):
        own.filtered(axes.VOLUMES)
    assert own.filtered(axes.VOLUMES, 0) == (0, *own.plane)
    assert own.filtered(axes.PLANES) == own.plane


def test_time_is_never_z():
    """A time series has no volumes, whatever is asked for."""
    with pytest.raises(ValueError, match=r"`dimensions` must be 'planes' where no"):
        Axes(("t", "y", "x")).filtered(axes.VOLUMES, 0)
    with pytest.raises(ValueError, match="neither time nor channel"):
        Axes(("t", "c")).filtered(axes.PLANES)


@pytest.mark.parametrize(
    ("labels", "names", "filtered"),
    [
        (("t", "z", "y", "x"), "ZYX", (1, 2, 3)),
        (("t", "z", "y", "x"), "yx", (2, 3)),
        (("t", "z", "y", "x"), "XY", (3, 2)),
        (("t", "z", "y", "x"), "z", (1,)),
        (("t", "c", "z", "y", "x"), ("depth", "row", "col"), (2, 3, 4)),
        (("Frames", "Section", "Height", "Width"), "ZYX", (1, 2, 3)),
        (("Frames", "Section", "Height", "Width"), ("SECTION", "x"), (1, 3)),
        (("something", "y", "x"), ("Something", "y"), (0, 1)),
        (("z", "plane", "y", "x"), ("plane", "y"), (1, 2)),
        (UNNAMED, "YX", (2, 3)),
        (UNNAMED, ("axis -4", "height"), (0, 2)),
    ],
)
def test_axes_by_name(labels, names, filtered):
    """Labels and common names, in any case, in the order in which they are given."""
    assert Axes(labels).filtered(names) == filtered


def test_z_by_name_where_no_label_says_it():
    """The name Z then is that of the chosen axis."""
    own = Axes(UNNAMED)
    assert own.filtered("zYX", 1) == (1, 2, 3)
    with pytest.raises(ValueError, match=r"`z_axis` must say which axis is Z, one of"):
        own.filtered("ZYX")


@pytest.mark.parametrize(
    ("labels", "names", "error", "said"),
    [
        (("t", "z", "y", "x"), "YQ", ValueError, "here Z, Y and X; got 'YQ': 'Q'"),
        (("t", "z", "y", "x"), "TYX", ValueError, "here Z, Y and X; got 'TYX': 'T'"),
        (("c", "y", "x"), ("channel", "y"), ValueError, "here Y and X; .*: 'channel'"),
        (("c", "y", "x"), "CYX", ValueError, "here Y and X; got 'CYX': 'C'"),
        (("y", "x"), "ZYX", ValueError, "here Y and X; got 'ZYX': 'Z'"),
        (("z", "y", "x"), "YXY", ValueError, "without repeats, .*: 'Y'"),
        (("z", "y", "x"), ("row", "y"), ValueError, r"got \('row', 'y'\): 'y'"),
        (("z", "y", "x"), "", ValueError, "got ''"),
        (("z", "y", "x"), (), ValueError, r"got \(\)"),
        (("z", "y", "x"), ("", "y"), ValueError, ": ''"),
        (("", "y", "x"), ("nothing",), ValueError, ": 'nothing'"),
        (("section", "slice", "y"), ("z",), ValueError, "'z' is the name of"),
        (("z", "y", "x"), 2, TypeError, "got 2"),
        (("z", "y", "x"), (0, 1), TypeError, r"got \(0, 1\)"),
        (("z", "y", "x"), b"YX", TypeError, "got b'YX'"),
    ],
)
def test_names_that_are_refused(labels, names, error, said):
    """The error holds the rule, the names that exist and the one that is wrong."""
    rule = "`dimensions` must be 'planes', 'volumes' or names of axes in space, "
    with pytest.raises(error, match=f"{rule}.*{said}"):
        Axes(labels).filtered(names)


@pytest.mark.parametrize(
    ("shape", "labels", "filtered", "said"),
    [
        ((5, 6), ("-2", "-1"), (0, 1), "Filters Y and X of the plane"),
        (
            (20, 5, 6),
            ("-3", "-2", "-1"),
            (1, 2),
            "Filters Y and X of each of 20 planes",
        ),
        (
            (20, 5, 6),
            ("-3", "-2", "-1"),
            (0, 1, 2),
            "Filters axis -3, Y and X of the volume",
        ),
        (
            (3, 7, 5, 6),
            ("t", "z", "y", "x"),
            (1, 2, 3),
            "Filters Z, Y and X of each of 3 volumes",
        ),
        ((9, 5), ("t", "x"), (1,), "Filters X of each of 9 lines"),
    ],
)
def test_sentence(shape, labels, filtered, said):
    """One sentence says what is filtered together, and how often."""
    assert Axes(labels).sentence(shape, filtered) == said


def test_sigma_in_pixels():
    """A length over those of the pixels, one for all axes or one for each."""
    assert axes.sigma_in_pixels(3, (1.5, 0.5, 0.25)) == (2, 6, 12)
    assert axes.sigma_in_pixels((3, 1, 0), (1.5, 0.5, 0.25)) == (2, 2, 0)
    with pytest.raises(ValueError, match=r"`sigma` must be one number or one per"):
        axes.sigma_in_pixels((3, 1), (1.5, 0.5, 0.25))
    with pytest.raises(ValueError, match=r"`sigma` must be at least 0; got -1"):
        axes.sigma_in_pixels(-1, (1.5, 0.5))


@pytest.mark.parametrize(
    ("labels", "filtered", "main"),
    [
        (("z", "y", "x"), (0, 1, 2), 2),
        (("x", "y", "z"), (0, 1), 0),
        (("row", "column"), (0, 1), 1),
        (UNNAMED, (2, 3), 3),
    ],
)
def test_main_axis(labels, filtered, main):
    """X goes by its label; without one the last filtered axis is as good."""
    assert Axes(labels).main(filtered) == main


@pytest.mark.parametrize(
    ("value", "count", "text"),
    [
        (0, 2, "0"),
        (3.24, 2, "3.2"),
        (9.99, 2, "10"),
        (123.4, 2, "123"),
        (0.000123, 2, "0.00012"),
        (2.0, 4, "2"),
        (0.34666, 4, "0.3467"),
    ],
)
def test_figures(value, count, text):
    """Numbers are short, and none is written with an exponent."""
    assert axes.figures(value, count) == text
