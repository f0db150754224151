"""The demonstration: a sample, the dock, and one run."""

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
    viewer = open_demo()
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


def open_demo() -> napari.Viewer:
    """A viewer with a sample, the dock and the finished result."""
    viewer = napari.Viewer()
    viewer.open_sample(_PLUGIN, "cell")
    _, widget = viewer.window.add_plugin_dock_widget(_PLUGIN, "Unsharp mask")
    widget.sigma.value = 2.0
    widget.amount.value = 2.0
    widget()
    _settle()
    return viewer


def _canvas(viewer: napari.Viewer) -> Any:
    _settle()
    return viewer.screenshot(canvas_only=True, flash=False)


def _settle() -> None:
    for _ in range(5):
        QApplication.processEvents()


def _save(path: Path, picture: Any) -> Path:
    Image.fromarray(np.asarray(picture)[..., :3]).save(path)
    return path
