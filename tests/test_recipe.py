"""A recipe becomes the method of one image, or an error that names the rule."""

from dataclasses import replace
from functools import partial

import numpy as np
import pint
import pytest

import napari_usm as usm
from napari_usm import recipe_file
from napari_usm._methods import METHODS
from napari_usm.geometry import Geometry
from napari_usm.recipe import ImageInfo, Recipe, resolve

PLAIN = ImageInfo((30, 40), np.dtype("uint16"))
UNIT = pint.get_application_registry().Unit


def stack(dtype="uint16", rgb=False, labels=("z", "y", "x"), units=("µm",) * 3):
    """A stack of planes, of voxels of 4 × 0.5 × 0.25 µm."""
    shape = (5, 30, 40, 4) if rgb else (5, 30, 40)
    matrix = partial(np.diag, [4.0, 0.5, 0.25])
    geometry = Geometry("cells", labels, matrix, [UNIT(unit) for unit in units])
    return ImageInfo(shape, np.dtype(dtype), geometry, rgb, (0.0, 2.0))


def test_an_image_without_names_takes_the_parameters():
    """Nothing is added to what is given."""
    given = {"sigma": 2.5, "axes": (0,), "threshold": "3 noise"}
    resolved = resolve(Recipe("unsharp_mask", given), PLAIN)
    assert resolved.parameters == given
    assert resolved.method == METHODS["unsharp_mask"].method(**given)


def test_planes_and_volumes_by_the_names_of_axes():
    """Axes, and the spacing of the methods that have one, follow from the image."""
    recipe = Recipe("laplacian_sharpen", dimensions="planes")
    assert resolve(recipe, stack()).parameters == {
        "axes": (1, 2),
        "spacing": (0.5, 0.25),
    }
    recipe = Recipe("laplacian_sharpen", dimensions="volumes")
    assert resolve(recipe, stack()).method.spacing == (4, 0.5, 0.25)


def test_axes_by_name():
    """Filtered in the order of the image; numbers for each axis follow the names."""
    for names, sigma in (("ZX", (1, 2)), ("XZ", (2, 1)), (("col", "depth"), (2, 1))):
        recipe = Recipe("unsharp_mask", {"sigma": np.array(sigma)}, names)
        found = resolve(recipe, stack()).method
        assert (found.axes, found.sigma) == ((0, 2), pytest.approx([1, 2]))
    recipe = Recipe("unsharp_mask", {"sigma": ("1 µm", "8 µm")}, "XZ")
    assert resolve(recipe, stack()).method.sigma == pytest.approx((2, 4))
    recipe = Recipe("laplacian_sharpen", {}, "XZ")
    assert resolve(recipe, stack()).method.spacing == (4, 0.25)
    recipe = Recipe("laplacian_sharpen", {"spacing": (1, 3)}, "XZ")
    assert resolve(recipe, stack()).method.spacing == (3, 1), "as given by hand"


def test_fluorescence_channels():
    """They are an axis of the image that is never filtered and never mixed."""
    info = replace(stack(labels=("c", "y", "x")), channel_axis=0)
    for given in ({}, {"color": "value", "alpha": True}):
        found = resolve(Recipe("adaptive_unsharp_mask", given, "planes"), info)
        assert found.parameters == {
            "axes": (1, 2),
            "channel_axis": 0,
            "color": "channels",
        }
    with pytest.raises(ValueError, match="here Y and X; got 'CYX': 'C'"):
        resolve(Recipe("unsharp_mask", {}, "CYX"), info)
    pixels = np.random.default_rng(0).integers(0, 99, info.shape, dtype=np.uint16)
    every = usm.sharpen(pixels, found.method)
    for one, result in zip(pixels, every.image, strict=True):
        expected = usm.sharpen(one, "adaptive_unsharp_mask").image
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("sigma", "expected"),
    [
        ("1 µm", (0.25, 2, 4)),
        ("1000 nm", (0.25, 2, 4)),
        (("4 µm", "1 µm", "500 nm"), (1, 2, 2)),
    ],
)
def test_lengths(sigma, expected):
    """A sigma in units of length, one or one for each axis, in pixels of each."""
    recipe = Recipe("unsharp_mask", {"sigma": sigma}, "volumes")
    assert resolve(recipe, stack()).method.sigma == pytest.approx(expected)


def test_colours():
    """The last axis of an RGB image is that of the channels, with alpha if it has 4."""
    parameters = resolve(
        Recipe("unsharp_mask", {}, "planes"), stack(rgb=True)
    ).parameters
    assert parameters == {"axes": (1, 2), "channel_axis": 3, "alpha": True}
    for given, limits in (({}, (0.0, 2.0)), ({"limits": "data"}, "data")):
        recipe = Recipe("unsharp_mask", given, "planes")
        found = resolve(recipe, stack("float32", rgb=True)).parameters
        assert found["limits"] == limits


def test_controls():
    """A number and its unit are one quantity; presets stand for their values."""
    recipe = Recipe.from_controls(
        "unsharp_mask",
        sigma=0.35,
        sigma_unit="µm",
        threshold=3.0,
        threshold_unit="× noise",
        edge_map_unit="× noise",
        limits="0 to 4095 (12 bit)",
        dtype="as the image",
        dimensions="volumes",
        z_axis=0,
    )
    assert recipe == Recipe(
        "unsharp_mask",
        {
            "sigma": "0.35 µm",
            "threshold": "3 noise",
            "limits": (0, 4095),
            "dtype": None,
        },
        "volumes",
        0,
        significance=True,
    )


@pytest.mark.parametrize(
    ("recipe", "info", "message"),
    [
        (Recipe("sharp"), PLAIN, "`method` must be one of"),
        (Recipe("unsharp_mask", {"sigmas": 1}), PLAIN, "`sigmas` must be a parameter"),
        (Recipe("unsharp_mask", {}, "planes"), PLAIN, "`dimensions` must be None"),
        (Recipe("unsharp_mask", {}, "lines"), stack(), "`dimensions` must be"),
        (
            Recipe("unsharp_mask", {}, "volumes"),
            stack(labels=("-3", "y", "x")),
            "`z_axis` must say",
        ),
        (
            Recipe("unsharp_mask", {"sigma": "1 µm"}),
            PLAIN,
            "without a scale; got '1 µm'",
        ),
        (
            Recipe("unsharp_mask", {"sigma": "1 s"}, "planes"),
            stack(),
            "`sigma` must be in 'px' or in a unit of length; got 's'",
        ),
        (
            Recipe("unsharp_mask", {"sigma": "1 µm"}, "planes"),
            stack(units=("µm", "pixel", "µm")),
            "where Y has no length",
        ),
        (
            Recipe("unsharp_mask", {"sigma": ("1 µm",) * 3}, "planes"),
            stack(),
            r"one per filtered axis \(2\)",
        ),
        (
            Recipe("unsharp_mask", {"sigma": ("1 µm", 2.0)}, "planes"),
            stack(),
            "`sigma` must be a number or a length along all axes",
        ),
        (Recipe("unsharp_mask", {"sigma": "-1 µm"}, "planes"), stack(), "at least 0"),
    ],
)
def test_recipes_that_do_not_fit(recipe, info, message):
    """The error names the argument, the rule and the value."""
    with pytest.raises((TypeError, ValueError), match=message):
        resolve(recipe, info)


# --- back to controls ---


@pytest.mark.parametrize("method", METHODS)
def test_controls_come_back(method):
    """Defaults, and another value of every control, its choices and presets."""
    words = METHODS[method].parameters
    others = {
        name: [name for name, _ in word.presets]
        or [*word.choices]
        or ([not word.default] if isinstance(word.default, bool) else [word.maximum])
        for name, word in words.items()
        if word.control != "none"
    }
    calls = [{}, *({name: value} for name in others for value in others[name])]
    for controls in calls:
        given = {**controls, "dimensions": "planes"}
        recipe = Recipe.from_controls(method, **given)
        assert recipe.as_controls() == (given, [])
        written = recipe_file.loads(recipe_file.dumps(recipe))
        assert written.as_controls() == (given, [])


def test_units_of_controls_come_back():
    """A length, a multiple of the noise, a significance, and a Z axis by its number."""
    given = {
        "sigma": 0.35,
        "sigma_unit": "µm",
        "threshold": 2.5,
        "threshold_unit": "× noise",
        "edge_map_unit": "× noise",
        "dimensions": "volumes",
        "z_axis": 1,
    }
    recipe = Recipe.from_controls("unsharp_mask", **given)
    assert recipe.as_controls() == (given, [])
    assert recipe_file.loads(recipe_file.dumps(recipe)).as_controls() == (given, [])


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        (Recipe("unsharp_mask", {"sigma": "350 nanometer"}, "YX"), (350, "nm")),
        (Recipe("unsharp_mask", {"sigma": "0.35 um"}, "ZYX"), (0.35, "µm")),
        (Recipe("unsharp_mask", {"sigma": ("1 µm", "1 µm")}, "YX"), (1, "µm")),
        (Recipe("unsharp_mask", {"sigma": (2, 2)}, ("row", "col")), (2, None)),
    ],
)
def test_recipes_by_hand_as_controls(recipe, expected):
    """Long names of units, equal numbers for each axis, and other names of axes."""
    controls, hidden = recipe.as_controls()
    assert hidden == []
    assert (controls["sigma"], controls.get("sigma_unit")) == expected
    volumes = recipe.dimensions == "ZYX"
    assert controls["dimensions"] == ("volumes" if volumes else "planes")


@pytest.mark.parametrize(
    ("recipe", "hidden"),
    [
        (Recipe("unsharp_mask", dimensions="XZ"), "axes XZ"),
        (Recipe("unsharp_mask", {"axes": (0, 2)}), "axes (0, 2)"),
        (Recipe("unsharp_mask", {"sigma": (1, 2)}, "YX"), "sigma (1, 2)"),
        (Recipe("unsharp_mask", {"limits": (1, 7)}, "YX"), "limits (1, 7)"),
        (Recipe("unsharp_mask", {"dtype": "float64"}, "YX"), "result type float64"),
        (Recipe("laplacian_sharpen", {"spacing": (1, 2)}, "YX"), "spacing (1, 2)"),
        (
            Recipe("adaptive_unsharp_mask", {}, "YX", estimate={"amount": 2.0}),
            "constants estimated before",
        ),
    ],
)
def test_what_no_control_shows_is_said(recipe, hidden):
    found = recipe.as_controls()[1]
    if recipe.dimensions is None:
        assert hidden in found
    else:
        assert found == [hidden]
