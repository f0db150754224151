"""Sigma as a length: on layers, and in docks opened through the manifest."""

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtWidgets import QLabel

import cases
import napari_usm as usm
from harness import go_live, press, says, wait_to_see
from napari_usm._methods import METHODS
from napari_usm._widgets.layers.functions import layer_function, layer_run
from napari_usm._widgets.layers.info import geometry_of

LABELS = ("z", "y", "x")
VOXEL = (0.5, 0.108, 0.108)
STACK = cases.picture((9, 20, 24), "float32")


def stack(**keywords):
    given = {"scale": VOXEL, "units": ("um",) * 3, "axis_labels": LABELS}
    return Image(STACK, name="cells", **(given | keywords))


def sharpened(layer, **controls):
    (image, keywords, _), _ = layer_function("unsharp_mask")(layer, **controls)
    return image, keywords["metadata"]["napari_usm"]["parameters"]


# --- layers ---


def test_a_length_is_as_many_pixels_as_fit_each_axis():
    """In µm, an anisotropic stack is blurred by other pixels along Z than along X."""
    pixels = tuple(0.35 / step for step in VOXEL)
    assert pixels == pytest.approx((0.7, 3.2407, 3.2407), rel=1e-4)
    image, parameters = sharpened(
        stack(), sigma=0.35, sigma_unit="µm", dimensions="volumes"
    )
    np.testing.assert_array_equal(image, usm.unsharp_mask(STACK, sigma=pixels))
    assert parameters["sigma"] == pixels
    assert "sigma_unit" not in parameters
    image, parameters = sharpened(stack(), sigma=0.35, sigma_unit="µm")
    expected = usm.unsharp_mask(STACK, sigma=pixels[1:], axes=(1, 2))
    np.testing.assert_array_equal(image, expected)
    again = usm.unsharp_mask(STACK, **parameters)
    np.testing.assert_array_equal(image, again)


def test_pixels_are_pixels():
    """Without a unit, one sigma is one number for all axes, however long they are."""
    image, parameters = sharpened(stack(), sigma=2.0, dimensions="volumes")
    np.testing.assert_array_equal(image, usm.unsharp_mask(STACK, sigma=2.0))
    assert parameters["sigma"] == 2.0


def test_a_length_for_each_axis():
    """A sequence is one length per filtered axis."""
    lengths = (1.0, 0.216, 0.108)
    _, parameters = sharpened(
        stack(), sigma=lengths, sigma_unit="um", dimensions="volumes"
    )
    assert parameters["sigma"] == pytest.approx((2, 2, 1))


@pytest.mark.parametrize("unit", ["um", "µm", "micrometer", "nm", "mm"])
def test_any_unit_of_length(unit):
    """Layers in µm take nm too: lengths are lengths."""
    sigma = 0.216 * {"nm": 1e3, "mm": 1e-3}.get(unit, 1)
    run = layer_run("unsharp_mask", stack(), sigma=sigma, sigma_unit=unit)
    assert run.parameters["sigma"] == pytest.approx((2, 2))


def test_the_default_sigma_is_one_of_the_unit():
    """A unit without a sigma: 1 µm."""
    run = layer_run("adaptive_unsharp_mask", stack(), sigma_unit="µm")
    assert run.parameters["sigma"] == (1 / 0.108,) * 2


def test_axes_in_different_units():
    """Of s, µm and nm, planes have lengths; volumes along the first have none."""
    layer = Image(
        STACK,
        scale=(3, 0.1, 50),
        units=("s", "um", "nm"),
        name="series",
        axis_labels=("z", "-2", "-1"),
    )
    assert geometry_of(layer).pixel_steps((1, 2), "um") == pytest.approx((0.1, 0.05))
    assert geometry_of(layer).length_units((1, 2)) == {
        "nm": pytest.approx(50),
        "µm": pytest.approx(0.05),
    }
    assert geometry_of(layer).length_units((0, 1, 2)) == {}
    with pytest.raises(
        ValueError,
        match=r"`sigma` must be in 'px' for 'series', where Z has no length "
        r"\(its unit is 'second'\); got 'um'",
    ):
        layer_run("unsharp_mask", layer, dimensions="volumes", sigma_unit="um")


def turned():
    """An affine that turns Z into X by 30 degrees, after voxels of 4 × 1 × 1."""
    affine = np.eye(4)
    cosine, sine = np.sqrt(3) / 2, 0.5
    affine[:3, :3] = [[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]]
    affine[:3, :3] @= np.diag([4.0, 1, 1])
    return affine


GEOMETRIES = {
    "µm": ({"scale": (4, 1, 1)}, (4, 1, 1)),
    "nm": ({"scale": (400, 100, 100), "units": ("nm",) * 3}, (400, 100, 100)),
    "µm, nm, nm": (
        {"scale": (0.4, 100, 100), "units": ("um", "nm", "nm")},
        (400, 100, 100),
    ),
    "mm, µm, µm": ({"scale": (4e-3, 1, 1), "units": ("mm", "um", "um")}, (4, 1, 1)),
    "pixels": ({"scale": (4, 1, 1), "units": None}, (4, 1, 1)),
    "affine": ({"scale": (1, 1, 1), "affine": np.diag([4.0, 1, 1, 1])}, (4, 1, 1)),
    "affine and scale": (
        {"scale": (2, 1, 1), "affine": np.diag([2.0, 1, 1, 1])},
        (4, 1, 1),
    ),
    "turned": ({"scale": (1, 1, 1), "affine": turned()}, (4, 1, 1)),
    "turned by rotate": ({"scale": (4, 1, 1), "rotate": (0, 30, 0)}, (4, 1, 1)),
    "mirrored": ({"scale": (-4, 1, 1)}, (4, 1, 1)),
}


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")
@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_laplacian_sees_the_voxels_that_sigma_sees(name):
    """One geometry: whatever units and transforms say it, the spacing is the same."""
    keywords, expected = GEOMETRIES[name]
    layer = stack(**keywords)
    assert geometry_of(layer).spacing((0, 1, 2)) == pytest.approx(expected)
    (image, meta, _), _ = layer_function("laplacian_sharpen")(
        layer, dimensions="volumes"
    )
    used = meta["metadata"]["napari_usm"]["parameters"]["spacing"]
    assert used == pytest.approx(expected)
    np.testing.assert_allclose(
        image, usm.laplacian_sharpen(STACK, spacing=(4, 1, 1)), rtol=1e-6
    )
    assert geometry_of(layer).skew_line((0, 1, 2)) == ""


def test_axes_of_which_some_have_a_length():
    """Voxels whose shape nobody knows are refused; their planes are not."""
    layer = stack(units=("pixel", "um", "um"))
    with pytest.raises(
        ValueError,
        match=r"`layer` must have units of length on all axes that are filtered "
        r"together, or on none; got Z in pixel, Y in micrometer, X in micrometer",
    ):
        layer_run("laplacian_sharpen", layer, dimensions="volumes")
    assert layer_run("laplacian_sharpen", layer).parameters["spacing"] == VOXEL[1:]


@pytest.mark.parametrize("how", [{"shear": (0.5, 0, 0)}, {"affine": "skew"}])
def test_axes_that_are_not_at_right_angles(how):
    """It is said, by the names of the axes."""
    if how == {"affine": "skew"}:
        how = {"affine": np.eye(4)}
        how["affine"][0, 1] = 0.5
    line = geometry_of(stack(scale=(1, 1, 1), **how)).skew_line((0, 1, 2))
    assert line.startswith("Z and Y are not at right angles")
    assert geometry_of(stack(scale=(1, 1, 1), **how)).skew_line((1, 2)) == ""


@pytest.mark.parametrize("units", [None, ("pixel",) * 3, ("px",) * 3, ("s",) * 3])
def test_pixels_without_a_length(units):
    """Nobody measured these pixels: to pint a "px" is a length, to us it is not."""
    layer = stack(units=units)
    assert geometry_of(layer).length_units((1, 2)) == {}
    with pytest.raises(ValueError, match=r"`sigma` must be in 'px' for 'cells'"):
        layer_run("unsharp_mask", layer, sigma_unit="µm")


@pytest.mark.parametrize(
    ("unit", "error"),
    [(None, TypeError), (3, TypeError), ("", ValueError), ("((", ValueError)]
    + [(word, ValueError) for word in ("s", "furlongz", "2 um", "um**2", "pixel")],
)
def test_no_unit_of_length(unit, error):
    """What is no unit of length is refused by name."""
    with pytest.raises(error, match=r"must be (in )?'px' or (in a|the name of a) unit"):
        layer_run("unsharp_mask", stack(), sigma_unit=unit)


@pytest.mark.parametrize("sigma", [-1, float("nan"), (1.0, 2.0, 3.0), "1"])
def test_no_length(sigma):
    """A sigma that is none is refused in units as it is in pixels."""
    with pytest.raises((TypeError, ValueError), match="`sigma` must"):
        layer_run("unsharp_mask", stack(), sigma=sigma, sigma_unit="µm")


@pytest.mark.parametrize("method", ["laplacian_sharpen", "gaussian_sharpen"])
def test_methods_without_a_sigma_per_axis(method):
    """They have no control for its unit, and refuse one."""
    with pytest.raises(ValueError, match=f"`sigma_unit` must be 'px' for {method}"):
        layer_run(method, stack(), sigma_unit="µm")
    assert "sigma_unit" not in layer_function(method).__signature__.parameters


def test_the_table_says_which_slider_is_logarithmic():
    """Sigma, and what it begins and ends at."""
    sigma = METHODS["unsharp_mask"].parameters["sigma"]
    assert (sigma.logarithmic, sigma.minimum, sigma.maximum) == (True, 0.1, 20.0)
    assert not METHODS["unsharp_mask"].parameters["amount"].logarithmic


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")  # it draws no better
def test_every_transform_counts():
    """A step is as long as it is in the world: affine, shear and rotation included."""
    assert geometry_of(stack(affine=np.diag([1, 2, 4, 1]))).pixel_steps(
        (0, 1, 2), "um"
    ) == (pytest.approx((0.5, 0.216, 0.432)))
    layer = stack(
        rotate=[[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]],
        shear=[0.1, 0.2, 0.3],
        translate=(1e4, -3e5, 7),
        affine=[[0, 2, 0, 5], [1, 0, 0, 0], [0, 0.5, 3, 0], [0, 0, 0, 1]],
    )
    origin = np.array(layer.data_to_world((0, 0, 0)))
    steps = [np.array(layer.data_to_world(unit)) - origin for unit in np.eye(3)]
    expected = [np.linalg.norm(step) for step in steps]
    np.testing.assert_allclose(
        geometry_of(layer).pixel_steps((0, 1, 2), "um"), expected, rtol=1e-8
    )


def test_offsets_change_no_pixel():
    """Where a layer lies makes no difference, not in the last bit."""
    here, _ = sharpened(stack(), sigma=0.35, sigma_unit="µm")
    there, _ = sharpened(stack(translate=(1e5, 1e6, 3e5)), sigma=0.35, sigma_unit="µm")
    np.testing.assert_array_equal(here, there)


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_a_rotation_into_time():
    """An axis that leans into time has no length; one that does not keeps its own."""
    turned = np.eye(4)
    turned[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    layer = stack(units=("s", "um", "um"), affine=turned, axis_labels=("t", "y", "x"))
    assert geometry_of(layer).length_units((1, 2)) == {}
    assert geometry_of(layer).pixel_steps((2,), "um") == (0.108,)


# --- the dock ---


def said(widget):
    (text,) = (
        label.text()
        for label in widget.native.findChildren(QLabel)
        if label.text().startswith(("Filters", "Say"))
    )
    return text.split("\n")[1:]


def shows(widget, name):
    return not widget[name].native.isHidden()


@pytest.mark.parametrize("title", ["Unsharp mask", "Adaptive unsharp mask"])
def test_a_run_in_micrometres(open_dock, title):
    """The pixels of a run in µm are those of a sigma in pixels per axis."""
    viewer, widget = open_dock(title)
    viewer.add_layer(stack())
    if title.startswith("Adaptive"):
        widget.kernel.value = "gaussian"
    widget.dimensions.value = "volumes"
    widget.sigma_unit.value = "µm"
    widget.sigma.value = 0.35
    (image, _, _), (edge_map, _, _) = widget()
    method = title.lower().replace(" ", "_")
    call = {"kernel": "gaussian"} if title.startswith("Adaptive") else {}
    sigma = tuple(0.35 / step for step in VOXEL)
    expected = usm.sharpen(STACK, method, sigma=sigma, axes=(0, 1, 2), **call)
    np.testing.assert_array_equal(image, expected.image)
    np.testing.assert_array_equal(edge_map, expected.edge_map)
    assert said(widget) == ["0.35 µm = 0.7 × 3.2 × 3.2 px"]
    widget.dimensions.value = "planes"
    assert said(widget) == ["0.35 µm = 3.2 × 3.2 px"]


def test_keep_and_live_in_micrometres(open_dock, qtbot):
    """They ask for the same as a call; the length follows the pixels' size."""
    viewer, widget = open_dock("Unsharp mask")
    source = viewer.add_layer(stack())
    widget.sigma_unit.value = "µm"
    widget.sigma.value = 0.35
    press(widget, "Keep")
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=60000)
    found = viewer.layers[1].metadata["napari_usm"]["parameters"]
    assert found["sigma"] == (0.35 / 0.108,) * 2
    assert says(widget, "Kept as 'cells sharpened' · clipped")
    plane = viewer.dims.current_step[0]
    expected = usm.unsharp_mask(STACK, sigma=0.35 / 0.108, axes=(1, 2))
    np.testing.assert_array_equal(viewer.layers[1].data, expected)
    result, _ = go_live(qtbot, widget, expected[plane])
    source.scale = (0.5, 0.25, 0.1)
    sigma = (0.35 / 0.25, 0.35 / 0.1)
    expected = usm.unsharp_mask(STACK, sigma=sigma, axes=(1, 2))
    wait_to_see(qtbot, result, expected[plane])
    assert said(widget) == ["0.35 µm = 1.4 × 3.5 px"]


def test_another_unit_is_the_same_width(open_dock):
    """The value is converted, slider and label follow, and back it is what it was."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_layer(stack())
    widget.sigma.value = 3.2
    assert said(widget) == ["3.2 px = 0.35 × 0.35 µm"]
    position = widget.sigma._pair.slider.value()
    widget.sigma_unit.value = "µm"
    assert widget.sigma.value == pytest.approx(3.2 * 0.108)
    assert widget.sigma.range == pytest.approx((0.0108, 2.16))
    assert widget.sigma._pair.slider.value() == position
    labels = [label.text() for label in widget.native.findChildren(QLabel)]
    assert "Sigma" in labels  # the unit stands beside it
    assert "Sigma (px)" not in labels
    widget.sigma_unit.value = "px"
    assert (widget.sigma.value, widget.sigma.range) == (3.2, (0.1, 20))
    viewer.layers.clear()
    assert widget.sigma.label == "Sigma (px)"


def test_a_unit_and_back(open_dock):
    """Four figures are shown and used; back it is the number that was typed."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_layer(stack())
    widget.sigma.value = 3.14159
    widget.sigma_unit.value = "µm"
    assert widget.sigma.value == 0.3393
    widget.sigma_unit.value = "px"
    assert widget.sigma.value == 3.14159
    widget.sigma_unit.value = "µm"
    widget.sigma.value = 0.54
    widget.sigma_unit.value = "px"
    assert widget.sigma.value == 5


def test_units_are_offered_where_there_are_some(open_dock):
    """Only lengths are, and only where sigma matters."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_layer(Image(STACK, name="plain"))
    assert widget.sigma_unit.choices == ("px",)
    assert not shows(widget, "sigma_unit")
    assert said(widget) == []
    layer = viewer.add_layer(stack())
    widget.layer.value = layer
    assert widget.sigma_unit.choices == ("px", "µm")
    assert shows(widget, "sigma_unit")
    widget.kernel.value = "box"
    assert not shows(widget, "sigma_unit")
    assert said(widget) == []
    widget.kernel.value = "gaussian"
    series = stack(units=("s", "um", "um"), axis_labels=("z", "-2", "-1"))
    widget.layer.value = viewer.add_layer(series)
    assert shows(widget, "sigma_unit")
    widget.sigma_unit.value = "µm"
    widget.dimensions.value = "volumes"
    assert (widget.sigma_unit.value, widget.sigma.value) == ("px", 1)
    assert not shows(widget, "sigma_unit")


def test_a_layer_without_units_falls_back_to_pixels(open_dock):
    """The width in pixels stays; of another layer in µm, the length stays."""
    viewer, widget = open_dock("Unsharp mask")
    plain = viewer.add_layer(Image(STACK))
    fine, coarse = viewer.add_layer(stack()), viewer.add_layer(stack(scale=(2, 2, 2)))
    widget.layer.value = fine
    widget.sigma_unit.value = "µm"
    widget.sigma.value = 0.54
    widget.layer.value = coarse
    assert (widget.sigma_unit.value, widget.sigma.value) == ("µm", 0.54)
    assert widget.sigma.range == (0.2, 40)
    assert said(widget) == [
        "0.54 µm = 0.27 × 0.27 px, too narrow along Y and X to matter"
    ]
    widget.layer.value = fine
    widget.layer.value = plain
    assert (widget.sigma_unit.value, widget.sigma.value) == ("px", 5)
    assert widget.sigma.range == (0.1, 20)
    widget()
    np.testing.assert_array_equal(
        viewer.layers[1].data, usm.unsharp_mask(STACK, sigma=5.0, axes=(1, 2))
    )
    viewer.layers.clear()
    assert widget.sigma_unit.choices == ("px",)


def test_units_that_come_later(open_dock):
    """A layer that is measured, or labelled, while the dock is open is followed."""
    viewer, widget = open_dock("Unsharp mask")
    layer = viewer.add_layer(Image(STACK))
    layer.units = ("um",) * 3
    assert said(widget) == ["1 px = 1 × 1 µm"]
    layer.scale = VOXEL
    assert said(widget) == ["1 px = 0.11 × 0.11 µm"]
    widget.sigma_unit.value = "µm"
    layer.affine = np.diag([1, 2, 2, 1])
    assert widget.sigma.range == pytest.approx((0.0216, 4.32))
    layer.units = ("pixel",) * 3
    assert (widget.sigma_unit.value, widget.sigma.value) == ("px", 0.5)
    callbacks = len(layer.events.units.callbacks)
    widget.layer.value = viewer.add_layer(stack())
    assert len(layer.events.units.callbacks) == callbacks - 1


def test_too_narrow_a_sigma_is_said(open_dock):
    """Where a sigma blurs nothing, the user need not wonder why."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_layer(stack(units=None))
    widget.sigma.value = 0.29
    assert said(widget) == ["Too narrow along Y and X to matter"]
    widget.sigma.value = 0.3
    assert said(widget) == []
    widget.layer.value = viewer.add_layer(stack())
    widget.dimensions.value = "volumes"
    widget.sigma_unit.value = "µm"
    widget.sigma.value = 0.1
    assert said(widget) == [
        "0.1 µm = 0.2 × 0.93 × 0.93 px, too narrow along Z to matter"
    ]
