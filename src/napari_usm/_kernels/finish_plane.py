"""From detail that is kept to the result: what is left when only the strength moves."""

import numpy as np

from napari_usm._kernels.buffers import buffer
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_row
from napari_usm._kernels.memory import DETAIL, LINES, load, store

# Pixels at a time: few enough for the first-level cache.
_ROW = 2048


@kernel
def finish_pixels(image, detail, span, result, edges, finish):
    """Do the last steps of a one-pass kernel, for pixels that lie in a row.

    image, detail : (n,), detail in float32 and before any threshold
    span          : the first pixel, and the last + 1
    result, edges : (n,), of the image's type and float32; one of no pixels is not
                    wanted
    finish        : see `finish_row`
    """
    row = buffer(_ROW, np.float32)
    first, last = span
    for at in range(first, last, _ROW):
        count = min(_ROW, last - at)
        for x in range(count):
            store(row, x, load(detail, at + x, LINES), DETAIL)
        finish_row(image, at, row, count, result, edges, at, finish)
