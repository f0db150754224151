"""ImageMagick's `-unsharp`, timed from outside."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from timing import stopwatch


@cache
def command():
    """The command where it is installed, else None."""
    for name in ("magick", "convert-im6.q16", "convert"):
        if found := shutil.which(name):
            answer = subprocess.run([found, "-version"], capture_output=True, text=True)
            if answer.stdout.startswith("Version: ImageMagick"):
                return found
    return None


class Unsharp:
    """A tool for `in_turns`.

    Its time is that of a process that reads and sharpens, less that of one that only
    reads: there is no call in this process that could be timed.

    Parameters
    ----------
    image : (M, N) array of uint8 or uint16
        Written to a file, which is read twice for each time.
    sigma : float
        The amount is 1.
    threads : int
        As many as ours.
    """

    def __init__(self, image, sigma, threads):
        self._folder = TemporaryDirectory()
        path = Path(self._folder.name, "image.pgm")
        height, width = image.shape
        head = f"P5 {width} {height} {np.iinfo(image.dtype).max}\n"
        path.write_bytes(
            head.encode() + image.astype(image.dtype.newbyteorder(">")).tobytes()
        )
        self._read = [command(), "-limit", "thread", str(threads), str(path)]
        self._filter = ["-unsharp", f"0x{sigma}+1+0"]

    def __call__(self):
        """Seconds of the filter alone."""
        return self._seconds(self._filter) - self._seconds([])

    def _seconds(self, options):
        process = [*self._read, *options, "null:"]
        return stopwatch(lambda: subprocess.run(process, check=True))()
