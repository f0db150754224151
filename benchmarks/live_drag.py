"""A slider that is dragged for a second, in the window's own event loop."""

from dataclasses import dataclass
from time import perf_counter, sleep

import numpy as np
from qtpy.QtCore import QEventLoop, Qt, QTimer

# Positions in a second, as a mouse sends them.
POSITIONS = 60

# Seconds that are waited for the last pixels.
PATIENCE = 10


class Slow:
    """Pixels that take a while to read, whatever part of them is read.

    Parameters
    ----------
    array : array
        The pixels.
    seconds : float
        How long.
    """

    def __init__(self, array, seconds):
        self._array, self._seconds = array, seconds
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.size = array.size

    def __getitem__(self, key):
        sleep(self._seconds)
        return self._array[key]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[...], dtype)


@dataclass
class Drag:
    """What came of it.

    Attributes
    ----------
    moves : int
        Positions that the window got to.
    longest : float
        Seconds of the longest turn of the event loop.
    late : float
        Seconds from the last position to the last pixels.
    """

    moves: int
    longest: float
    late: float


def turns(action, is_behind=lambda: False, rest=0.5):
    """Return the seconds of the longest turn of the event loop from an action on.

    Parameters
    ----------
    action : callable
        What a user does; its time counts as part of a turn.
    is_behind : callable
        Whether there are pixels to be waited for.
    rest : float
        Seconds to watch the loop after the last of them.
    """
    loop, longest = QEventLoop(), 0.0
    last = busy = perf_counter()

    def turn():
        nonlocal longest, last, busy
        now = perf_counter()
        longest, last = max(longest, now - last), now
        if is_behind():
            busy = now
        if now - busy > rest:
            loop.quit()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(turn)
    timer.start(1)
    QTimer.singleShot(0, action)
    loop.exec()
    timer.stop()
    return longest


def drag(move, is_behind=lambda: False):
    """Call `move` with positions in 0..1 for a second, each taken from the clock.

    A window that is busy misses positions, as it would of a mouse.

    Parameters
    ----------
    move : callable
        Sets a position.
    is_behind : callable
        Whether there are pixels to be waited for.
    """
    loop, found = QEventLoop(), Drag(0, 0.0, 0.0)
    start = last = perf_counter()
    reached = 0

    def turn():
        nonlocal last, reached
        now = perf_counter()
        found.longest = max(found.longest, now - last)
        last = now
        position = min(int((now - start) * POSITIONS), POSITIONS)
        if position > reached:
            reached, found.moves = position, found.moves + 1
            move(position / POSITIONS)
        elif reached == POSITIONS and (not is_behind() or now - start > PATIENCE):
            found.late = now - start - 1
            loop.quit()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(turn)
    timer.start(1)
    loop.exec()
    timer.stop()
    return found
