"""Rows on how long the window is held up: live layers beside plain ones.

The plain layers hold the same pixels in memory, so that what they take is napari's own
share: reading the source, slicing, thumbnails, textures and drawing.
"""

from functools import partial

import numpy as np
from live_drag import drag, turns
from live_session import Session, settle
from qtpy.QtWidgets import QApplication

HEAD = ["longest turn of the event loop, ms", "plain layers", "live layers"]
DRAG_HEAD = ["frames in a second of dragging, uint16 2048²", "frames"]

# Windows that are opened, and drags that are tried: the median counts. Layers are not
# added and removed again and again: software OpenGL may crash.
SESSIONS, DRAGS = 3, 5


def turn_rows(stack):
    """Live on, and steps from plane to plane of a stack that is read as it is shown."""
    live, pixels = live_turns(stack)
    plain = plain_turns(stack, pixels)
    shape = " × ".join(map(str, stack.shape))
    for action in live:
        name = f"{action}, {stack.dtype} {shape}, zarr"
        yield [name, median(plain[action]), median(live[action])]


def live_turns(stack):
    """Seconds of the longest turns with a live result, and the pixels of its layers."""
    found = {"Live on": [], "another plane": []}
    for _ in range(SESSIONS):
        session = Session(show=True)
        with session.source(stack, contrast_limits=(0, 65535)):
            settle()
            is_behind = partial(getattr, session.dock, "is_updating")
            found["Live on"].append(turns(session.dock._dock.live.click, is_behind))
            found["another plane"] += steps(session, is_behind)
            pixels = [np.array(layer.data) for layer in session.dock._pair.layers]
        session.viewer.close()
    return found, pixels


def plain_turns(stack, pixels):
    """Seconds of the longest turns with plain layers of the same pixels."""
    found = {"Live on": [], "another plane": []}
    for _ in range(SESSIONS):
        session = Session(show=True)
        with session.source(stack, contrast_limits=(0, 65535)):
            settle()
            found["Live on"].append(turns(partial(add, session.viewer, pixels)))
            found["another plane"] += steps(session)
        session.viewer.close()
    return found


def steps(session, is_behind=lambda: False):
    """Seconds of the longest turn for each of some steps from plane to plane."""
    dims = session.viewer.dims
    count = int(dims.nsteps[0])
    return [
        turns(partial(dims.set_current_step, 0, step * 5 % count), is_behind)
        for step in range(1, count)
    ]


def frame_rows(image):
    """Frames that are drawn while napari's opacity slider is dragged, and ours."""
    session = Session(show=True)
    frames = [0]
    for widget in QApplication.allWidgets():
        if (canvas := getattr(widget, "_vispy_canvas", None)) is not None:
            canvas.events.draw.connect(lambda _: count(frames))
    with session.source(image):
        pair = session.live()
        pair.layers[1].visible = False
        result = pair.layers[0]
        controls = session.dock
        moves = {
            "opacity of the result": lambda at: setattr(
                result, "opacity", 0.5 + at / 2
            ),
            "the same pixels refreshed": lambda _: result.refresh(),
            "amount": lambda at: setattr(controls.amount, "value", 0.5 + at),
            "sigma": lambda at: setattr(controls.sigma, "value", 1.01 + 4 * at),
        }
        for name, move in moves.items():
            drawn = []
            for _ in range(DRAGS):
                settle(pair)
                frames[0] = 0
                drag(move)
                drawn.append(frames[0])
            yield [name, f"{np.median(drawn):.0f}"]
    session.viewer.close()


def add(viewer, pixels):
    """Add result and edge map as plain layers, the second hidden."""
    viewer.add_image(pixels[0], contrast_limits=(0, 65535))
    viewer.add_image(pixels[1], contrast_limits=(-99, 99), visible=False)


def count(frames):
    """Count a frame."""
    frames[0] += 1


def median(seconds):
    """Median in milliseconds."""
    return f"{1000 * np.median(seconds):.0f}"
