"""Keys of a viewer that work while a sharpening dock is open in it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.settings import get_settings
from napari.utils.key_bindings import USER_KEYMAP, coerce_keybinding

from napari_usm._widgets.layers.results import unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari.viewer
    from napari.components import LayerList

#: Command to its key: letters that napari uses for no layer and no command.
KEYS = {
    "live": "U",
    "keep": "K",
    "source": "H",
    "wipe": "W",
    "copy": "Shift+U",
    "next_method": "N",
}

_known: weakref.WeakKeyDictionary[LayerList, DockKeys] = weakref.WeakKeyDictionary()


def keys_of(viewer: napari.viewer.Viewer) -> DockKeys:
    """Return the keys of a viewer, which all its docks share."""
    layers = unwrapped(viewer.layers)
    if layers not in _known:
        _known[layers] = DockKeys(viewer)
    return _known[layers]


class DockKeys:
    """Keys for the dock that was used last; bound while there is one.

    A key that napari, the user or another plugin has bound is left alone.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where they are bound.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        self._viewer = weakref.ref(unwrapped(viewer))
        self._docks: list[weakref.ref[Any]] = []
        self._bound: dict[str, Callable[..., Any]] = {}

    @property
    def dock(self) -> Any:
        """Return the dock that was used last, or None."""
        docks = [dock for each in self._docks if (dock := each()) is not None]
        return docks[-1] if docks else None

    def add(self, dock: Any) -> None:
        """Bind the keys for a dock that has been opened, or used."""
        self._docks = [each for each in self._docks if each() not in (None, dock)]
        self._docks.append(weakref.ref(dock))
        if not self._bound:
            self._bind()

    def remove(self, dock: Any) -> None:
        """Unbind the keys, if this was the last dock that is open."""
        self._docks = [each for each in self._docks if each() not in (None, dock)]
        viewer = self._viewer()
        if self._docks or viewer is None:
            return
        for name, function in self._bound.items():
            if viewer.keymap.get(coerce_keybinding(KEYS[name])) is function:
                viewer.bind_key(KEYS[name], None)
        self._bound.clear()

    def hint(self, name: str) -> str:
        """Return the end of a tooltip: the key, or that somebody else has it."""
        key = KEYS[name]
        return f"Key: {key}." if name in self._bound else f"No key: {key} is taken."

    def _bind(self) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        for name, key in KEYS.items():
            if not _is_taken(viewer, key):
                self._bound[name] = function = self._function(name)
                viewer.bind_key(key, function)

    def _function(self, name: str) -> Callable[..., Any]:
        """Return what napari calls when a key is pressed; it goes on at the release."""
        keys = weakref.ref(self)

        def run(viewer: Any) -> Any:
            dock = None if keys() is None else keys().dock
            ending = None if dock is None else dock.run_command(name)
            yield
            if ending is not None:
                ending()

        run.__doc__ = f"Sharpening: {name.replace('_', ' ')}."
        return run


def _is_taken(viewer: Any, key: str) -> bool:
    """Return whether a key is bound to something, in this viewer or in the settings."""
    binding = coerce_keybinding(key)
    keymaps = viewer.keymap, type(viewer).class_keymap, USER_KEYMAP
    if any(binding in keymap for keymap in keymaps):
        return True
    shortcuts = get_settings().shortcuts.shortcuts.values()
    return any(
        binding == coerce_keybinding(each) for keys in shortcuts for each in keys
    )
