"""Recipes that the dock saves, and those that are loaded or dropped onto it."""

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

import cases
import napari_usm as usm
from harness import (
    PIXELS,
    TITLES,
    go_live,
    press,
    results,
    status,
    wait_for,
    wait_to_see,
)
from napari_usm import recipe_file
from napari_usm._widgets.dock import widget as dock
from napari_usm.recipe import Recipe

STACK = cases.picture((4, 40, 44), "uint16")
GRID = {"scale": (2, 0.5, 0.5), "units": "µm", "axis_labels": ("z", "y", "x")}


@pytest.fixture
def path(tmp_path, monkeypatch):
    """What the user chooses in the dialogs."""
    path = tmp_path / "mine.json"
    for ask in ("ask_new", "ask_existing"):
        monkeypatch.setattr(dock, ask, lambda *arguments: path)
    return path


def saved(path, method="unsharp_mask", dimensions="YX", **more):
    """A recipe in a file."""
    words = {word: more.pop(word) for word in ("estimate", "z_axis") if word in more}
    recipe_file.save(Recipe(method, more, dimensions, **words), path)
    return path


def dropped(widget, *paths, text=""):
    """Drop files onto the dock; whether it took them."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    if text:
        mime.setText(text)
    rest = (
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter = QDragEnterEvent(QPoint(20, 20), *rest)
    drop = QDropEvent(QPointF(20, 20), *rest)
    for event in (enter, drop):
        event.ignore()
        QApplication.sendEvent(widget.native, event)
    return drop.isAccepted()


def tune(widget, **values):
    for name, value in values.items():
        getattr(widget, name).value = value


@pytest.mark.parametrize("method", TITLES)
def test_what_was_saved_comes_back(open_dock, path, method):
    """All controls of a method, in a dock that was reset."""
    viewer, widget = open_dock(TITLES[method])
    viewer.add_image(STACK, **GRID)
    widget.dimensions.value = "volumes"
    words = usm.METHODS[method].parameters
    for name, word in words.items():
        if word.control != "none":
            control = getattr(widget, name)
            choices = getattr(control, "choices", None)
            if choices:
                control.value = choices[-1]
            elif isinstance(word.default, bool):
                control.value = not word.default
            else:
                control.value = word.maximum
    if method == "auto_unsharp_mask":
        # Two that say the same, and one that no model of a photograph has.
        widget.cutoff.value, widget.model.value = 0.0, "confocal"
    before = widget._control_values()
    press(widget, "Save recipe…")
    assert "Saved as 'mine.json'." in status(widget)
    press(widget, "Reset")
    assert widget._control_values() != before
    press(widget, "Load recipe…")
    assert status(widget) == "Recipe 'mine.json' is loaded."
    assert widget._control_values() == before


def test_units_come_back(open_dock, path):
    """As a user reads them in the file."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(STACK, **GRID)
    tune(widget, sigma_unit="µm", threshold_unit="× noise", edge_map_unit="× noise")
    tune(widget, sigma=0.35, threshold=2.5)
    before = widget._control_values()
    press(widget, "Save recipe…")
    recipe = recipe_file.load(path)
    assert recipe.parameters["sigma"] == "0.35 µm"
    assert recipe.parameters["threshold"] == "2.5 noise"
    assert recipe.significance
    press(widget, "Reset")
    press(widget, "Load recipe…")
    assert widget._control_values() == before


def test_the_z_axis_comes_back(open_dock, path):
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(STACK[None])
    tune(widget, dimensions="volumes", z_axis=1)
    press(widget, "Save recipe…")
    tune(widget, z_axis=0)
    press(widget, "Load recipe…")
    assert (widget.dimensions.value, widget.z_axis.value) == ("volumes", 1)


def test_a_saved_recipe_makes_the_same_pixels(open_dock, path):
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    tune(widget, sigma=2.5, amount=1.25)
    press(widget, "Save recipe…")
    recipe = recipe_file.load(path)
    widget()
    expected = usm.sharpen(PIXELS, recipe.method, **recipe.parameters).image
    np.testing.assert_array_equal(results(viewer)[0].data, expected)


def test_a_recipe_is_dropped(open_dock, qtbot, tmp_path):
    """With another method than the dock's; what is live follows."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    result, _ = go_live(qtbot, widget, usm.unsharp_mask(PIXELS))
    path = saved(tmp_path / "new.json", "laplacian_sharpen", amount=0.5, median_size=3)
    assert dropped(widget, path)
    expected = usm.laplacian_sharpen(PIXELS, 0.5, median_size=3)
    wait_to_see(qtbot, result, expected)
    assert widget.method.value == "laplacian_sharpen"
    assert (widget.amount.value, widget.median_size.value) == (0.5, 3)
    assert "Recipe 'new.json' is loaded." in status(widget)


@pytest.mark.parametrize("end", [".ome.zarr", ".ome.tif"])
def test_a_result_is_dropped(open_dock, qtbot, tmp_path, end):
    """An image that was saved gives back its recipe."""
    from napari.plugins.io import save_layers

    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS, name="cells")
    tune(widget, sigma=3.0, amount=2.0)
    widget()
    path = tmp_path / f"saved{end}"
    save_layers(path, [results(viewer)[0]])
    press(widget, "Reset")
    assert dropped(widget, path)
    assert wait_for(qtbot, lambda: widget.sigma.value == 3.0, 2000)
    assert widget.amount.value == 2.0


def test_what_is_not_one_file_is_left_to_others(open_dock, tmp_path):
    """Several files, or text."""
    _, widget = open_dock("Unsharp mask")
    path = saved(tmp_path / "one.json", sigma=5.0)
    assert not dropped(widget, path, path)
    assert not dropped(widget, text="hello")
    assert widget.sigma.value == 1.0


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        ({"sigma": (1, 2)}, "sigma (1, 2)"),
        ({"sigma": "0.35 µm"}, "sigma 0.35 µm"),
        ({"dimensions": "ZYX"}, "dimensions volumes"),
        ({"limits": (1, 7)}, "limits (1, 7)"),
        ({"estimate": {"amount": 2.0}}, "constants estimated before"),
    ],
)
def test_what_cannot_be_shown_is_said(open_dock, tmp_path, recipe, text):
    """All else is taken."""
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    widget.load_recipe(saved(tmp_path / "new.json", amount=3.0, **recipe))
    line = status(widget)
    assert line.startswith(f"Recipe 'new.json' is loaded, but for {text}: the controls")
    assert widget.amount.value == 3.0


def test_a_method_without_controls_changes_nothing(open_dock, tmp_path, notifications):
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    tune(widget, sigma=3.0)
    before = widget._control_values()
    widget.load_recipe(saved(tmp_path / "new.json", "gaussian_sharpen", sigma=2.0))
    assert "'gaussian_sharpen' has no controls in the dock" in status(widget)
    assert "'gaussian_sharpen' has no controls" in notifications()[-1]
    assert widget._control_values() == before
    assert widget.method.value == "unsharp_mask"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "must be JSON"),
        ('{"version": 1, "method": "unsharp_mask", "code": "x"}', "key of a recipe"),
        ('{"version": 9, "method": "unsharp_mask"}', "version"),
        (None, "No such file"),
    ],
)
def test_files_that_are_no_recipes(open_dock, tmp_path, notifications, text, said):
    viewer, widget = open_dock("Unsharp mask")
    viewer.add_image(PIXELS)
    before = widget._control_values()
    path = tmp_path / "wrong.json"
    if text is not None:
        path.write_text(text)
    widget.load_recipe(path)
    assert said in status(widget)
    assert said in notifications()[-1]
    assert widget._control_values() == before


def test_without_an_image(open_dock, path):
    """Recipes are saved and loaded all the same."""
    _, widget = open_dock("Unsharp mask")
    tune(widget, sigma=3.0)
    press(widget, "Save recipe…")
    press(widget, "Reset")
    press(widget, "Load recipe…")
    assert widget.sigma.value == 3.0


def test_a_disk_that_cannot_be_written(open_dock, path, notifications):
    path.parent.rmdir()
    _, widget = open_dock("Unsharp mask")
    press(widget, "Save recipe…")
    assert "No such file" in status(widget)


def test_a_dialog_that_is_cancelled(open_dock, monkeypatch):
    for ask in ("ask_new", "ask_existing"):
        monkeypatch.setattr(dock, ask, lambda *arguments: None)
    _, widget = open_dock("Unsharp mask")
    press(widget, "Save recipe…")
    press(widget, "Load recipe…")
    assert "recipe" not in status(widget).lower()
