"""The last steps of every one-pass kernel, for one row."""

import numpy as np

from napari_usm.kernels.compiled import kernel
from napari_usm.kernels.memory import load, store

_f = np.float32


@kernel
def finish_row(
    result, to, image, at, detail, count, amount, threshold, hard, low, high, rounding
):
    """From a row of detail to the result's: the steps of `filters`, in their order.

    result, to : buffer 1, and where its row begins
    image, at  : buffer 0, likewise
    detail     : buffer 4, float32
    """
    if threshold > 0:
        for x in range(count):
            d = load(detail, x, 4)
            if not hard:
                d = d - min(max(d, -threshold), threshold)
            elif abs(d) < threshold:
                d = _f(0)
            store(detail, x, d, 4)
    for x in range(count):
        value = _f(load(image, at + x, 0)) + amount * load(detail, x, 4)
        store(result, to + x, min(max(value, low), high) + rounding, 1)
