"""Laplacian sharpening in one pass: Laplacian, threshold, combine, limits, cast."""

import numpy as np

from napari_usm.kernels.compiled import kernel
from napari_usm.kernels.finish import finish_row
from napari_usm.kernels.memory import DETAIL, LINES, RING, load, store

_f = np.float32


@kernel
def sharpen_plane(
    image,
    calm,
    start,
    stride,
    rows,
    columns,
    step,
    row_weight,
    column_weight,
    core,
    result,
    edges,
    target,
    finish,
    outside,
):
    """Sharpen one plane of a block by the Laplacian of its calmed image.

    image, calm   : (n,), of one type; row r of the plane is at
                    ``start + r * stride``, its columns are `step` pixels apart
    rows, columns : (count + 2,), where the pixel at each place from -1 on is taken
                    from; -1 for the value `outside`
    *_weight      : float32, of the second differences down and across
    The others are those of `mask.sharpen_plane`.
    """
    first, last, left, right = core
    count = columns.size - 2
    begin, inside = left * step, (right - left) * step
    line = np.empty(columns.size * step, np.float32)
    above = np.empty(count * step, np.float32)
    below = np.empty(count * step, np.float32)
    detail = np.empty(inside, np.float32)
    for row in range(first, last):
        _take(above, calm, start, stride, rows[row], outside)
        _take(below, calm, start, stride, rows[row + 2], outside)
        here = start + row * stride
        for x in range(count * step):
            store(line, step + x, _f(load(calm, here + x, RING)), LINES)
        for c in range(step):
            line[c] = _place(calm, here, columns[0], step, c, outside)
            end = (count + 1) * step + c
            line[end] = _place(calm, here, columns[count + 1], step, c, outside)
        for x in range(inside):
            i = begin + x
            twice = _f(2) * load(line, step + i, LINES)
            down = row_weight * (
                twice - (load(above, i, LINES) + load(below, i, LINES))
            )
            beside = load(line, i, LINES) + load(line, 2 * step + i, LINES)
            across = column_weight * (twice - beside)
            store(detail, x, down + across, DETAIL)
        to = target[0] + (row - first) * target[1]
        finish_row(image, here + begin, detail, inside, result, edges, to, finish)


@kernel
def _take(line, calm, start, stride, row, outside):
    if row < 0:
        line[:] = outside
        return
    at = start + row * stride
    for x in range(line.size):
        store(line, x, _f(load(calm, at + x, RING)), LINES)


@kernel
def _place(calm, start, column, step, c, outside):
    return outside if column < 0 else _f(calm[start + column * step + c])
