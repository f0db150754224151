"""Compare a result with its source on the same spot, from a dock."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_usm._engine.block import Output
from napari_usm._widgets.compare.divider import (
    Divider,
    camera_of,
    canvas_beside,
    is_backwards,
)
from napari_usm._widgets.compare.targets import amount_of
from napari_usm._widgets.compare.wipe import Across, Wipe
from napari_usm._widgets.dock.status import span
from napari_usm._widgets.layers.results import unwrapped
from napari_usm._widgets.live.views import added_view, source_view

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari.viewer
    from napari.layers import Image
    from qtpy.QtWidgets import QWidget

    from napari_usm._widgets.compare.targets import Target
    from napari_usm._widgets.live.views import View

# Which comparison shows a layer otherwise than it is: one at a time.
_owners: weakref.WeakKeyDictionary[Image, Compare] = weakref.WeakKeyDictionary()

#: What is said when the wipe begins.
_WIPES = {
    True: "Wipe: source left, result right of the line. Drag it.",
    False: "Wipe: source above, result below the line. Drag it.",
}
_NO_PLANE = "Wipe is off: it is for planes, not for 3-D rendering."
_NO_GRID = "Wipe is off: it needs one canvas, not napari's grid."


class Compare(QObject):
    """Comparison of a result with its source, for a dock; off at first.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the dock.
    root : QWidget
        What napari puts into the dock.
    find : callable
        Returns the result to compare. Raises a ValueError if there is none.
    announce : callable
        Called with a sentence for the user.
    """

    #: Something is shown otherwise from now on, or as it is.
    changed = Signal()

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        root: QWidget,
        find: Callable[[], Target],
        announce: Callable[[str], None],
    ) -> None:
        super().__init__(root)
        self._viewer, self._root = unwrapped(viewer), root
        self._find, self._announce = find, announce
        self._target: Target | None = None
        self._holds = False
        self._across: Across | None = None
        self._position = 0.0
        self._divider: Divider | None = None
        self._looks: dict[Image, _Look] = {}
        self._edges: Image | None = None
        self._stretched: Image | None = None
        #: Whether the divider goes from top to bottom.
        self.upright = True
        dims = self._viewer.dims.events
        self._connected = [
            (self._viewer.layers.events.removed, self._on_removed),
            (dims.ndisplay, self._on_dims),
            (dims.order, self._on_dims),
            (camera_of(self._viewer).events.orientation, self._on_dims),
            (_grid(self._viewer).events.enabled, self._on_grid),
        ]
        for emitter, callback in self._connected:
            emitter.connect(callback)

    # --- hold ---

    @property
    def holds(self) -> bool:
        """Return whether the source is shown."""
        return self._holds

    def hold(self, on: bool) -> None:
        """Show the source instead of the result, as long as a key is held."""
        if on == self._holds or (on and not self._begin()):
            return
        self._holds = on
        self._show()

    # --- wipe ---

    @property
    def wipes(self) -> bool:
        """Return whether there is a divider."""
        return self._across is not None

    def wipe(self, on: bool) -> None:
        """Show the source on one side of a divider; it begins in the middle."""
        if not on:
            self._end_wipe()
        elif not self.wipes and self._begin():
            self._begin_wipe()
        self.changed.emit()

    def turn(self, upright: bool) -> None:
        """Let the divider go from top to bottom, or from left to right."""
        self.upright = upright
        if self.wipes:
            self._end_wipe()
        self.wipe(True)

    def _begin_wipe(self) -> None:
        dims, target = self._viewer.dims, self._target
        if dims.ndisplay == 3 or _grid(self._viewer).enabled:
            self._announce(_NO_PLANE if dims.ndisplay == 3 else _NO_GRID)
            self._show()
            return
        axis = dims.displayed[-1 if self.upright else -2] - dims.ndim
        try:
            across = Across(self._viewer.layers, target.layer, axis)
        except ValueError as error:
            self._announce(str(error))
            self._show()
            return
        self._across = across
        canvas = canvas_beside(self._root)
        if canvas is not None:
            self._divider = Divider(canvas, self._viewer, self.upright)
            self._divider.moved.connect(self._move_to)
        self._announce(_WIPES[self.upright])
        self._move_to(_middle(self._viewer, self.upright))

    def _move_to(self, position: float) -> None:
        """Put the divider at a place of the world, between two pixels."""
        across = self._across
        low, high = across.ends
        self._position = across.snapped(min(max(position, low), high))
        if self._divider is not None:
            self._divider.put(self._position, across.pixel)
        self._show()

    def _end_wipe(self) -> None:
        self._across = None
        if self._divider is not None:
            self._divider.close_for_good()
            self._divider = None
        self._show()

    def _on_dims(self, event: Any) -> None:
        """Begin again where other axes are shown; in 3-D there is no wipe."""
        if self.wipes:
            self._end_wipe()
            self.wipe(True)

    def _on_grid(self, event: Any) -> None:
        if self.wipes:
            self._end_wipe()
            self._announce(_NO_GRID)
            self.changed.emit()

    # --- what was added ---

    @property
    def differs(self) -> bool:
        """Return whether the edge map times the amount is shown."""
        return self._edges is not None

    def difference(self, on: bool) -> None:
        """Show the edge map times the amount, in limits that stay, or as it was."""
        if not on:
            self._end_difference()
        elif not self.differs and self._begin():
            self._begin_difference()
        self.changed.emit()

    def _begin_difference(self) -> None:
        target = self._target
        assert target is not None
        try:
            amount = amount_of(target)
            if amount is None:
                raise ValueError("No difference yet: the amount is being estimated.")
        except ValueError as error:
            self._announce(str(error))
            self._show()
            return
        self._edges = edges = target.edges
        self._looks[edges] = _Look(edges)
        target.show_through(Output.EDGE_MAP, added_view)
        limit = max(map(abs, edges.contrast_limits)) * (abs(amount) or 1.0)
        self._looks[edges].fit((-limit, limit))
        edges.visible = True
        self._show()

    def _end_difference(self) -> None:
        edges, self._edges = self._edges, None
        if edges is not None:
            self._target.show_through(Output.EDGE_MAP, None)
            self._looks.pop(edges).restore()
            self._show()

    def update(self) -> None:
        """End a difference that can no longer be shown, and say why."""
        if self.differs and self._target is not None:
            try:
                amount_of(self._target)
            except ValueError as error:
                self._announce(str(error))
                self.difference(False)

    # --- overshoot ---

    @property
    def stretches(self) -> bool:
        """Return whether the result has limits of its own range."""
        return self._stretched is not None

    def overshoot(self, on: bool) -> None:
        """Fit the contrast limits of the result to its range, or as they were."""
        if not on:
            self._end_overshoot()
        elif not self.stretches and self._begin():
            self._begin_overshoot()
        self.changed.emit()

    def _begin_overshoot(self) -> None:
        layer, values = self._target.layer, self._target.values
        if layer.rgb or values is None or values[0] >= values[1]:
            self._announce(
                "Contrast limits do nothing for RGB images."
                if layer.rgb
                else "The result has no range yet, or a single value."
            )
            self._show()
            return
        self._stretched = layer
        self._looks[layer] = _Look(layer)
        self._looks[layer].fit(values)

    def _end_overshoot(self) -> None:
        layer, self._stretched = self._stretched, None
        if layer is not None:
            self._looks.pop(layer).restore()
            self._show()

    # --- all of it ---

    @property
    def parts(self) -> list[str]:
        """Return what a status line says of it."""
        parts = []
        if self._edges is not None:
            limits = span(self._edges.contrast_limits)
            parts.append(f"difference (edge map × amount) from {limits}")
        if self._stretched is not None:
            parts.append(f"contrast from {span(self._stretched.contrast_limits)}")
        return parts

    def stop(self) -> None:
        """Show everything as it is."""
        self._holds = False
        self._end_overshoot()
        self._end_difference()
        self._end_wipe()
        self.changed.emit()

    def close(self) -> None:
        """Stop, and leave no callback behind."""
        self.stop()
        for emitter, callback in self._connected:
            emitter.disconnect(callback)

    def _begin(self) -> bool:
        """Find a result to compare, or say why there is none."""
        if self._target is not None:
            return True
        try:
            target = self._find()
        except ValueError as error:
            self._announce(str(error))
            return False
        other = _owners.get(target.layer)
        if other is not None:
            other.stop()
        _owners[target.layer] = self
        self._target = target
        return True

    def _show(self) -> None:
        """Show the result as it is to be shown now."""
        target, view = self._target, self._view()
        if target is None:
            return
        target.show_through(Output.IMAGE, view)
        if view is None and not self._looks:
            self._target = None
            for layer in [each for each, owner in _owners.items() if owner is self]:
                del _owners[layer]

    def _view(self) -> View | None:
        if self._holds:
            return source_view
        if self._across is None:
            return None
        axis = -1 if self.upright else -2
        backwards = is_backwards(camera_of(self._viewer), axis)
        return Wipe(self._across, self._position, backwards)

    def _on_removed(self, event: Any) -> None:
        if self._target is not None and self._target.layer is None:
            self.stop()
        elif event.value is self._edges:
            self.difference(False)


class _Look:
    """Contrast limits of a layer, and whether it is shown, as they were."""

    def __init__(self, layer: Image) -> None:
        self._layer = layer
        self._visible = layer.visible
        self._limits, self._range = layer.contrast_limits, layer.contrast_limits_range
        self._fitted: tuple[Any, Any] = self._limits, self._range

    def fit(self, limits: tuple[float, float]) -> None:
        """Give the layer other limits."""
        layer = self._layer
        layer.contrast_limits = limits
        self._fitted = layer.contrast_limits, layer.contrast_limits_range

    def restore(self) -> None:
        """Put everything back, but for limits that somebody else has set since."""
        layer = self._layer
        limits, reach = self._fitted
        layer.visible = self._visible
        if layer.contrast_limits == limits:
            layer.contrast_limits = self._limits
            if layer.contrast_limits_range == reach:
                layer.contrast_limits_range = self._range


def _grid(viewer: Any) -> Any:
    return getattr(viewer, "canvas", viewer).grid  # a canvas since 0.9


def _middle(viewer: Any, upright: bool) -> float:
    """Return the middle of what is seen."""
    return float(camera_of(viewer).center[-1 if upright else -2])
