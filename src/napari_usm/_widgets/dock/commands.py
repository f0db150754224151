"""Commands of napari's palette, for the dock that was used last."""

from __future__ import annotations

from typing import Any

import napari

from napari_usm._methods import METHODS
from napari_usm._widgets.dock.keys import keys_of

# Which dock is opened where there is none.
_FIRST = "unsharp_mask"


def toggle_live() -> None:
    """Switch Live on or off."""
    _run("live")


def keep() -> None:
    """Keep the result."""
    _run("keep")


def show_source() -> None:
    """Show the source instead of the result until the next call."""
    dock = _dock()
    if dock is not None:
        dock.compare.hold(not dock.compare.holds)


def wipe() -> None:
    """Switch the divider on or off."""
    _run("wipe")


def difference() -> None:
    """Show the edge map times the amount, or as it was."""
    _run("difference")


def overshoot() -> None:
    """Fit the contrast limits to the result's range, or as they were."""
    _run("overshoot")


def copy() -> None:
    """Copy a program that makes the same pixels."""
    _run("copy")


def next_method() -> None:
    """Choose the next method of the menu."""
    _run("next_method")


def _run(name: str) -> None:
    dock = _dock()
    if dock is not None:
        dock.run_command(name)


def _dock() -> Any:
    """Return the dock that was used last; a new one where there is none."""
    viewer = napari.current_viewer()
    if viewer is None:
        return None
    dock = keys_of(viewer).dock
    if dock is None:
        title = METHODS[_FIRST].label
        _, dock = viewer.window.add_plugin_dock_widget("napari-usm", title)
    return dock
