"""A viewer with a dock that is live, and a clock on what it shows."""

from contextlib import contextmanager
from time import perf_counter, sleep

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_usm import warm_up
from napari_usm._widgets.live.pair import pair_of

# Seconds of rest after a tick. The dock follows once a frame, 16 ms: a tick that comes
# sooner waits for the next. After 120 ms the report on what is shown is made.
REST = 0.025


class Session:
    """One viewer with the dock.

    Parameters
    ----------
    show : bool
        Whether it has a window: without one, napari does everything but draw.
    """

    def __init__(self, show=False):
        # The first ticks, which are not counted, compile; no process does beside them.
        warm_up.session = warm_up.WarmUp(())
        self.viewer = napari.Viewer(show=show)
        added = self.viewer.window.add_plugin_dock_widget("napari-usm", "Unsharp mask")
        self.dock = added[1]

    @contextmanager
    def source(self, data, **keywords):
        """A layer of these pixels, chosen in the dock, as long as it is needed."""
        layer = self.viewer.add_image(data, name="source", **keywords)
        self.dock.layer.value = layer
        try:
            yield layer
        finally:
            self.viewer.layers.clear()
            process_events(REST)

    def live(self, method="unsharp_mask"):
        """Press Live; the pair of layers that follows now, both of them visible."""
        self.dock.method.value = method
        self.dock._dock.live.click()
        pair = next(filter(None, map(pair_of, self.viewer.layers)))
        for layer in pair.layers:
            layer.visible = True
        settle(pair)
        return pair

    @contextmanager
    def plain(self, pair):
        """The pixels of both layers in two more, of plain arrays."""
        layers = [
            self.viewer.add_image(
                np.array(layer.data),
                rgb=layer.rgb,
                contrast_limits=layer.contrast_limits,
            )
            for layer in pair.layers
        ]
        yield layers
        for layer in layers:
            self.viewer.layers.remove(layer)


class Clock:
    """Seconds from a change until layers have got the last of their new pixels.

    Parameters
    ----------
    layers : sequence of napari.layers.Image
        Whose slices to watch.
    pair : LivePair, optional
        What to wait for, if it makes pixels of its own.
    """

    def __init__(self, layers, pair=None):
        self._pair = pair
        self._stamp = 0.0
        self._layers = layers

    def seconds(self, change):
        """Make a change and rest; how long it took, what came late included."""
        for layer in self._layers:
            # Last: after those of napari that hand the pixels to the canvas.
            layer.events.set_data.connect(self._on_data, position="last")
        start = self._stamp = perf_counter()
        change()
        # From what came last, or the next change would have to wait for a frame.
        rest = perf_counter() + REST
        while perf_counter() < max(rest, self._stamp + REST) or is_updating(self._pair):
            process_events(REST / 10)
        for layer in self._layers:
            layer.events.set_data.disconnect(self._on_data)
        return self._stamp - start

    def _on_data(self, event):
        self._stamp = perf_counter()


def settle(pair=None):
    """Let the window live until nothing is to be done any more, and rest."""
    process_events(REST)
    while is_updating(pair):
        process_events(REST)


def is_updating(pair):
    """Whether there is a pair that does not show yet what was asked for."""
    return pair is not None and pair.is_updating


def process_events(seconds):
    """Let the window live for so long."""
    end = perf_counter() + seconds
    while perf_counter() < end:
        QApplication.processEvents()
        sleep(2e-4)  # or it would take a core from what it waits for
