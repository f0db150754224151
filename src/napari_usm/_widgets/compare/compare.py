"""Compare a result with its source on the same spot, from a dock."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari_usm._engine.block import Output
from napari_usm._widgets.live.views import source_view

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari.viewer
    from napari.layers import Image

    from napari_usm._widgets.compare.targets import Target

# Which comparison shows a layer otherwise than it is: one at a time.
_owners: weakref.WeakKeyDictionary[Image, Compare] = weakref.WeakKeyDictionary()


class Compare:
    """What a dock shows of a result beside or instead of it; nothing at first.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the dock.
    find : callable
        Returns the result to compare. Raises a ValueError if there is none.
    announce : callable
        Called with a sentence for the user.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        find: Callable[[], Target],
        announce: Callable[[str], None],
    ) -> None:
        self._viewer = viewer
        self._find, self._announce = find, announce
        self._target: Target | None = None
        self._holds = False
        viewer.layers.events.removed.connect(self._on_removed)

    def hold(self, on: bool) -> None:
        """Show the source instead of the result, as long as a key is held."""
        if on == self._holds or (on and not self._begin()):
            return
        self._holds = on
        self._show()

    @property
    def holds(self) -> bool:
        """Return whether the source is shown."""
        return self._holds

    def stop(self) -> None:
        """Show everything as it is."""
        self._holds = False
        self._show()

    def close(self) -> None:
        """Stop, and leave no callback behind."""
        self.stop()
        self._viewer.layers.events.removed.disconnect(self._on_removed)

    def _begin(self) -> bool:
        """Find a result to compare, or say why there is none."""
        if self._target is not None:
            return True
        try:
            target = self._find()
        except ValueError as error:
            self._announce(str(error))
            return False
        layer = target.layer
        other = _owners.get(layer)
        if other is not None:
            other.stop()
        _owners[layer] = self
        self._target = target
        return True

    def _show(self) -> None:
        """Show the result as it is to be shown now."""
        target = self._target
        if target is None:
            return
        target.show_through(Output.IMAGE, source_view if self._holds else None)
        if not self._holds:
            self._target = None
            for layer in [each for each, owner in _owners.items() if owner is self]:
                del _owners[layer]

    def _on_removed(self, event: Any) -> None:
        if self._target is not None and self._target.layer is None:
            self.stop()
