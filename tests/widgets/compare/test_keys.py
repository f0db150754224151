"""Keys while a dock is open, and the commands of the palette."""

import numpy as np
import pytest
from napari.settings import get_settings
from napari.utils.key_bindings import coerce_keybinding
from npe2 import PluginManager
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

import cases
from comparing import assert_same, canvas_of, looks_of, opened
from harness import on_screen, results, wait_for, wait_for_rest
from napari_usm._widgets.dock.keys import KEYS

PIXELS = cases.picture((40, 50), "uint16")


def click(viewer, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(canvas_of(viewer), key, modifier)


def hints(widget):
    """The second lines of the tooltips with keys."""
    dock = widget._dock
    tips = {
        name: getattr(dock, name).toolTip()
        for name in ("live", "keep", "source", "wipe", "copy")
    }
    tips["next_method"] = widget.method.tooltip
    return {name: tip.split("\n")[1] for name, tip in tips.items()}


def test_keys_of_napari_are_left_alone():
    """No key that napari has for anything, in any kind of layer."""
    taken = {
        coerce_keybinding(key)
        for keys in get_settings().shortcuts.shortcuts.values()
        for key in keys
    }
    ours = [coerce_keybinding(key) for key in KEYS.values()]
    assert len(set(ours)) == len(ours)
    assert not taken & set(ours)


def test_every_key(open_dock, qtbot):
    """They do what the buttons do."""
    viewer, widget, _, _, _ = opened(open_dock, qtbot, PIXELS)
    assert hints(widget) == {name: f"Key: {key}." for name, key in KEYS.items()}
    looks = looks_of(viewer)
    click(viewer, Qt.Key.Key_W)
    assert widget._dock.wipe.isChecked()
    click(viewer, Qt.Key.Key_W)
    assert not widget._dock.wipe.isChecked()
    assert_same(looks, looks_of(viewer))
    click(viewer, Qt.Key.Key_U, Qt.KeyboardModifier.ShiftModifier)
    assert "unsharp_mask" in QApplication.clipboard().text()
    for _ in widget.method.choices:
        method = widget.method.value
        click(viewer, Qt.Key.Key_N)
        assert widget.method.value != method
    assert widget.method.value == "unsharp_mask"
    click(viewer, Qt.Key.Key_U)
    assert not results(viewer)
    click(viewer, Qt.Key.Key_U)
    assert widget._dock.live.isChecked()
    click(viewer, Qt.Key.Key_K)
    wait_for(qtbot, lambda: not widget._keeping.is_running)
    assert [layer.name for layer in results(viewer)] == [
        "pixels sharpened",
        "pixels edge map",
    ]


def test_taken_keys_stay_as_they_are(open_dock, qtbot, make_napari_viewer, monkeypatch):
    """Those that the user has bound to the viewer, or to a command of napari's."""
    viewer, pressed = make_napari_viewer(), []
    viewer.bind_key("w", pressed.append)
    shortcuts = get_settings().shortcuts.shortcuts
    monkeypatch.setitem(shortcuts, "napari:toggle_grid", [coerce_keybinding("n")])
    viewer, widget, _, _, _ = opened(open_dock, qtbot, PIXELS, viewer=viewer)
    said = hints(widget)
    assert said["wipe"] == "No key: W is taken."
    assert said["next_method"] == "No key: N is taken."
    assert said["source"] == "Key: H."
    click(viewer, Qt.Key.Key_W)
    assert len(pressed) == 1
    assert not widget.compare.wipes
    assert coerce_keybinding("n") not in viewer.keymap
    viewer.bind_key("k", pressed.append, overwrite=True)
    viewer.window.remove_dock_widget(widget.native)
    wait_for(qtbot, lambda: len(viewer.keymap) == 2)
    assert {str(key) for key in viewer.keymap} == {"W", "K"}
    click(viewer, Qt.Key.Key_K)
    assert len(pressed) == 2


def test_two_docks_share_the_keys(open_dock, qtbot):
    """They are for the one that was used last, and end with the last."""
    viewer, first, source, _, _ = opened(open_dock, qtbot, PIXELS)
    viewer, second = open_dock("Laplacian sharpen", viewer)
    click(viewer, Qt.Key.Key_N)
    assert first.method.value == "unsharp_mask"
    assert second.method.value != "laplacian_sharpen"
    first.layer.value = source
    first.amount.value = 3.0
    click(viewer, Qt.Key.Key_N)
    assert first.method.value != "unsharp_mask"
    viewer.window.remove_dock_widget(first.native)
    qtbot.wait(50)
    method = second.method.value
    click(viewer, Qt.Key.Key_N)
    assert second.method.value != method
    viewer.window.remove_dock_widget(second.native)
    wait_for(qtbot, lambda: not viewer.keymap)
    assert not viewer.keymap


def run(name):
    PluginManager.instance().commands.execute(f"napari-usm.{name}")


def test_commands_of_the_palette(open_dock, qtbot):
    """Each does what its key or button does."""
    viewer, widget, _, result, edges = opened(open_dock, qtbot, PIXELS)
    sharpened = on_screen(result).copy()
    run("show_source")
    np.testing.assert_array_equal(on_screen(result), PIXELS)
    run("show_source")
    np.testing.assert_array_equal(on_screen(result), sharpened)
    for name, state in (
        ("wipe", "wipes"),
        ("difference", "differs"),
        ("overshoot", "stretches"),
    ):
        run(name)
        assert getattr(widget.compare, state)
        run(name)
        assert not getattr(widget.compare, state)
    assert not edges.visible
    run("copy")
    assert "unsharp_mask" in QApplication.clipboard().text()
    run("next_method")
    assert widget.method.value != "unsharp_mask"
    run("toggle_live")
    assert not results(viewer)
    run("keep")
    wait_for(qtbot, lambda: not widget._keeping.is_running)
    assert len(results(viewer)) == 2


def test_a_command_opens_a_dock(make_napari_viewer, qtbot):
    """Where there is none."""
    viewer = make_napari_viewer()
    viewer.add_image(PIXELS)
    run("toggle_live")
    qtbot.wait(50)
    result, _ = results(viewer)
    wait_for_rest(qtbot, result)
    assert not np.array_equal(on_screen(result), PIXELS)
    run("toggle_live")
    assert not results(viewer)
    run("wipe")  # there is nothing to compare: it is said in the dock
    assert not results(viewer)
    assert viewer.keymap


@pytest.mark.parametrize("word", ["sharpen", "deblur", "unsharp mask"])
def test_every_command_is_found(word):
    """By what one would type."""
    manifest = PluginManager.instance().get_manifest("napari-usm")
    commands = [
        command
        for command in manifest.contributions.commands
        if "dock.commands" in command.python_name
    ]
    assert len(commands) == 8
    assert all(word in command.title.lower() for command in commands)
