"""Recipes to choose from: those of the open sharpening docks, and of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_usm import axes, recipe_file
from napari_usm._methods import METHODS
from napari_usm._widgets.dock.controls import SharpenControls
from napari_usm._widgets.dock.watch import DockWatch
from napari_usm._widgets.layers.info import axes_of
from napari_usm.recipe import Recipe, plain_python

_MOVES = QEvent.Type.ChildAdded, QEvent.Type.ChildRemoved, QEvent.Type.ParentChange


class Recipes(QObject):
    """Recipes by the names to show; those of docks follow their controls.

    Parameters
    ----------
    root : QWidget
        A widget in the window whose docks have recipes.
    """

    #: There are other recipes, or one has changed.
    changed = Signal()

    def __init__(self, root: QWidget) -> None:
        super().__init__(root)
        self._root = root
        self._window: QMainWindow | None = None
        self._docks: list[SharpenControls] = []
        self._files: dict[str, Recipe] = {}
        root.installEventFilter(self)

    def __getitem__(self, name: str) -> Recipe:
        """Return the recipe of this name.

        Raises
        ------
        TypeError, ValueError
            If the controls of a dock do not describe one.
        """
        if name in self._files:
            return self._files[name]
        return recipe_of(self._named()[name])

    @property
    def names(self) -> list[str]:
        """Return the names: of docks first, then of files."""
        return [*self._named(), *self._files]

    def load(self, path: str) -> str:
        """Add the recipe of a file, and return its name.

        Raises
        ------
        OSError, ValueError
            As for `recipe_file.load`.
        """
        name = Path(path).name
        self._files[name] = recipe_file.load(path)
        self.changed.emit()
        return name

    def refresh(self) -> None:
        """Look for docks that were opened or closed."""
        if not isalive(self._root):
            return
        window = _main_window(self._root)
        if window is not None and window is not self._window:
            self._window = window
            window.installEventFilter(self)
        docks = [] if window is None else sharpening_docks(window)
        if docks == self._docks:
            return
        for dock in self._docks:
            if dock not in docks:
                dock.changed.disconnect(self._on_changed)
        for dock in docks:
            if dock not in self._docks:
                dock.changed.connect(self._on_changed)
        self._docks = docks
        self.changed.emit()

    def let_go(self) -> None:
        """Follow nothing any more."""
        if self._window is not None and isalive(self._window):
            self._window.removeEventFilter(self)
        for dock in self._docks:
            dock.changed.disconnect(self._on_changed)
        self._docks = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that the window has got or lost a dock, this one too."""
        if event.type() in _MOVES:
            # The dock gets its widget later than the window gets the dock.
            QTimer.singleShot(0, self.refresh)
        return super().eventFilter(watched, event)

    def _on_changed(self, *_: Any) -> None:
        self.changed.emit()

    def _named(self) -> dict[str, SharpenControls]:
        named: dict[str, SharpenControls] = {}
        for dock in self._docks:
            label = f"{METHODS[dock.method.value].label} (dock)"
            count = sum(name.startswith(label) for name in named)
            named[f"{label} {count + 1}" if count else label] = dock
        return named


def _main_window(widget: QWidget) -> QMainWindow | None:
    """Return the window that a widget is docked in, floating or not."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QMainWindow):
        parent = parent.parentWidget()
    return parent


def sharpening_docks(window: QMainWindow) -> list[SharpenControls]:
    """Return the sharpening docks of a window that are open."""
    roots = [watch.parent() for watch in window.findChildren(DockWatch)]
    widgets = [getattr(root, "_magic_widget", None) for root in roots]
    return [widget for widget in widgets if isinstance(widget, SharpenControls)]


def recipe_of(dock: SharpenControls) -> Recipe:
    """Return the recipe that the controls of a sharpening dock describe.

    Raises
    ------
    TypeError, ValueError
        If they describe none.
    """
    values = {control.name: control.value for control in dock.controls}
    layer, method = values.pop("layer"), values.pop("method")
    if layer is None or not axes_of(layer).depth:
        # A choice from another image, which is not shown.
        values |= {"dimensions": axes.PLANES, "z_axis": None}
    return Recipe.from_controls(method, **values)


def recipe_line(recipe: Recipe) -> str:
    """Return a recipe in words: what is in view in a dock, and what was changed."""
    known = METHODS[recipe.method].parameters
    parts = [METHODS[recipe.method].label]
    for name, value in recipe.parameters.items():
        said = known[name]
        is_number = said.control == "basic" and not said.choices
        if is_number or value != said.default:
            parts.append(f"{said.label.lower()} {_short(value)}")
    filtered = recipe.dimensions
    if filtered is not None:
        parts.append(filtered if isinstance(filtered, str) else ", ".join(filtered))
    if recipe.edge_map:
        parts.append("with edge map")
    if recipe.estimate is not None:
        parts.append("with shared estimate")
    return " · ".join(parts)


def _short(value: Any) -> str:
    value = plain_python(value)
    if isinstance(value, float):
        return axes.figures(value, 3)
    if isinstance(value, tuple):
        return " × ".join(map(_short, value))
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
