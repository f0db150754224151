"""The demonstration: a sample, the dock, and a live result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from pathlib import Path

_PLUGIN = "napari-usm"


def show() -> None:
    """Open the demonstration and wait until its window is closed."""
    open_demo()
    napari.run()


def write_pictures(folder: Path) -> list[Path]:
    """Write what the demonstration shows: before, after, edge map and window."""
    viewer, dock = open_demo()
    while dock.is_updating:  # kernels are compiled, once on a machine
        _settle()
    _settle()
    window = viewer.window._qt_window
    window.resize(1280, 720)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, shown in (("before", 0), ("after", 1), ("edge_map", 2)):
        for index, layer in enumerate(viewer.layers):
            layer.visible = index == shown
        written.append(_save(folder / f"{name}.png", _canvas(viewer)))
    for index, layer in enumerate(viewer.layers):
        layer.visible = index < 2
    _settle()
    whole = viewer.screenshot(canvas_only=False, flash=False)
    written.append(_save(folder / "window.png", whole))
    viewer.close()
    return written


def open_demo() -> tuple[napari.Viewer, Any]:
    """Return a viewer with a sample and a live result, and the dock that it follows."""
    viewer = napari.Viewer()
    viewer.open_sample(_PLUGIN, "cell")
    _, dock = viewer.window.add_plugin_dock_widget(_PLUGIN, "Unsharp mask")
    dock.sigma.value = 2.0
    dock.amount.value = 2.0
    dock.set_live(True)
    _settle()
    return viewer, dock


def _canvas(viewer: napari.Viewer) -> Any:
    _settle()
    return viewer.screenshot(canvas_only=True, flash=False)


def _settle() -> None:
    for _ in range(5):
        QApplication.processEvents()


def _save(path: Path, picture: Any) -> Path:
    Image.fromarray(np.asarray(picture)[..., :3]).save(path)
    return path
