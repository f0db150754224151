"""A live result of the adaptive method whose gain is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from superqt.utils import qthrottled

from napari_usm._widgets.live.pair import LivePair, free_pairs

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

# Milliseconds between two gains that are followed: a frame of most screens.
_FRAME = 16

#: The method whose gain it is.
METHOD = "adaptive_unsharp_mask"


class LiveGain(QObject):
    """Has a live pair at most, and tunes it.

    The gain comes last, so that the detail stays cached, and a tick filters nothing.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer that shows it.
    """

    #: There is no pair any more.
    ended = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._gain = 1.0
        self._follow_soon = qthrottled(self._follow, timeout=_FRAME)
        self.pair: LivePair | None = None

    def begin(self, image: Image, gain: float) -> Image:
        """Return the layer of a live result, a new one or one without an owner.

        Raises
        ------
        TypeError, ValueError
            As for any run.
        """
        pairs = free_pairs(self._viewer.layers, image)
        free = [pair for pair in pairs if pair.method == METHOD]
        pair = free[0] if free else LivePair(self._viewer, image)
        pair.tune(METHOD, {"gains": (gain,)})
        self.pair, pair.owner = pair, self
        pair.signals.ended.connect(self._on_ended)
        return pair.layers[0]

    def tune(self, gain: float) -> None:
        """Follow, no more often than the screen shows."""
        self._gain = gain
        if self.pair is not None:
            self._follow_soon()

    def let_go(self) -> None:
        """Give up the ownership of the result, and leave it as it is."""
        self._follow_soon.cancel()
        if self.pair is not None:
            pair, self.pair = self.pair, None
            pair.signals.ended.disconnect(self._on_ended)
            pair.owner = None

    def remove(self) -> None:
        """Take the result away."""
        pair = self.pair
        self.let_go()
        if pair is not None:
            pair.remove()

    def _follow(self) -> None:
        if self.pair is not None and not self.pair.is_placing:
            self.pair.tune(METHOD, {"gains": (self._gain,)})

    def _on_ended(self) -> None:
        self.let_go()
        self.ended.emit()
