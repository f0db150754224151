"""The sums of `gradient_gain` for planes less their box mean, from the stored pixels.

Nine times the detail is nine times the pixel less the sum of nine: whole numbers
for an image of integers, so that the sums do not depend on the blocks by a bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._estimate.gradient_gain import look_up
from napari_usm._filters.border import border_index
from napari_usm._filters.fused.planes import span
from napari_usm._kernels.gradients import box_planes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._estimate.gradient_gain import Floats, Slices
    from napari_usm._filters.dtypes import Array

# What differences are exact in: those of 16-bit pixels in int32, and those of
# float32 pixels in float64 but for the last bits of very different ones.
_COMPUTED_IN = {
    np.dtype(np.uint8): np.int32,
    np.dtype(np.uint16): np.int32,
    np.dtype(np.float32): np.float64,
}

# Pixels of a box, and what the sums of integers are multiplied by.
_BOX = TIMES_OF_INTEGERS = 9


def fits_box(
    dtype: np.dtype[Any],
    axes: Sequence[int],
    lengths: Sequence[int],
    mode: str,
    cval: float,
) -> bool:
    """Return whether `box_sums` takes images of this type and shape."""
    if dtype not in _COMPUTED_IN or len(axes) != 2:
        return False
    if mode == "constant" and dtype.kind != "f":
        held = float(cval).is_integer() and 0 <= cval <= np.iinfo(dtype).max
    else:
        held = True
    return held and all(lengths[axis] > 1 for axis in axes)


def box_sums(
    image: Array,
    gains: Floats,
    axes: Sequence[int],
    kept: Sequence[int],
    core: Slices,
    mode: str,
    cval: float,
) -> Floats | None:
    """`gradient_sums` of one block of planes and its detail by a box.

    Parameters
    ----------
    image : array
        The block with neighbours, of a type and shape that `fits_box`.
    mode, cval : str, float
        Its border.

    Returns
    -------
    array of float64 or None
        For integers nine times the sums, which leaves the gain as it is. None if
        a pixel is invalid.
    """
    down, across = sorted(axes)
    others = [axis for axis in range(image.ndim) if axis not in axes]
    own = tuple(core[a] if a in others else slice(None) for a in range(image.ndim))
    order = [*kept, *(axis for axis in others if axis not in kept), down, across]
    planes = np.require(image[own].transpose(order), requirements=["C", "A", "W"])
    *places, height, width = planes.shape
    window = (*span(core[down]), *span(core[across]))
    index = [border_index(length, 1, mode) for length in (height, width)]

    kind = _COMPUTED_IN[image.dtype]
    row = window[3] - window[2] + 1
    x, z = np.empty(2 * row, kind), np.empty(2 * row, kind)
    limits, table = look_up(_BOX * gains)
    whole = image.dtype.kind != "f"
    found = np.zeros(
        (*places[: len(kept)], 4, 2, gains.size + 2), np.int64 if whole else np.float64
    )
    size = height * width
    count = math.prod(places[len(kept) :])
    for number, place in enumerate(np.ndindex(*places[: len(kept)])):
        box_planes(
            planes.reshape(-1),
            (number * count * size, size, count),
            width,
            *index,
            window,
            image.dtype.type(cval if mode == "constant" else 0),
            x,
            z,
            limits,
            table,
            found[place],
        )
    sums = found.astype(np.float64)
    if whole:
        sums[..., 0, :] *= _BOX
    else:
        sums[..., 1, :] /= _BOX
        if not np.isfinite(sums).all():
            return None
    # The kernel finds across before down; here each stands where its axis does.
    rows = [int(axis == down) for axis in axes]
    sums = sums[..., [*rows, 2, 3], :, :]
    lengths = [places[order.index(a)] if a in kept else 1 for a in range(image.ndim)]
    return sums.reshape(*lengths, *sums.shape[-3:])
