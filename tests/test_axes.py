"""Which axes a layer is filtered along, and the sentence that says so."""

import pytest

from napari_usm import axes

UNNAMED = ("-4", "-3", "-2", "-1")


@pytest.mark.parametrize(
    ("labels", "plane", "depth"),
    [
        (UNNAMED, (2, 3), (0, 1)),
        (UNNAMED[1:], (1, 2), (0,)),
        (("y", "x"), (0, 1), ()),
        (("t", "z", "y", "x"), (2, 3), (1,)),
        (("T", "C", "Z", "Y", "X"), (3, 4), (2,)),
        (("x", "y", "z"), (0, 1), (2,)),
        (("time", "y", "x"), (1, 2), ()),
        (("y", "x", "channel"), (0, 1), ()),
        (("t", "x"), (1,), ()),
    ],
)
def test_plane_and_depth(labels, plane, depth):
    """Planes are Y and X; time and channels are never filtered; Z goes by its label."""
    assert axes.plane_axes(labels) == plane
    assert axes.depth_axes(labels) == depth


def test_the_user_says_which_axis_is_z():
    """Of several unnamed axes none is taken for Z unless it is said."""
    with pytest.raises(
        ValueError,
        match=r"`z_axis` must say which axis is Z, one of \(0, 1\); got None",
    ):
        axes.filtered_axes(UNNAMED, axes.VOLUMES)
    assert axes.filtered_axes(UNNAMED, axes.VOLUMES, 0) == (0, 2, 3)
    assert axes.filtered_axes(UNNAMED[1:], axes.VOLUMES) == (0, 1, 2)
    assert axes.filtered_axes(UNNAMED, axes.PLANES) == (2, 3)


def test_time_is_never_z():
    """A time series has no volumes, whatever is asked for."""
    with pytest.raises(
        ValueError, match=r"`z_axis` must say which axis is Z, one of \(\)"
    ):
        axes.filtered_axes(("t", "y", "x"), axes.VOLUMES, 0)
    with pytest.raises(ValueError, match="neither time nor channel"):
        axes.filtered_axes(("t", "c"), axes.PLANES)


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
            "Filters axis 0, Y and X of the volume",
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
    assert axes.sentence(shape, labels, filtered) == said


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
    assert axes.main_axis(labels, filtered) == main


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
