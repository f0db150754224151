"""A mask from the image's own pixels to the result's in one pass, on every pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.border import border_index
from napari_usm._filters.fused.bound import BoundPlanes, nbytes_of
from napari_usm._filters.fused.planes import span
from napari_usm._filters.mask import Mask
from napari_usm._filters.taps import BOX, half_taps
from napari_usm._kernels.integers import BYTES
from napari_usm._kernels.mask import PLANES, sharpen_planes
from napari_usm._kernels.sweeps import PAIRS, UNROLLED

if TYPE_CHECKING:
    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import Layout
    from napari_usm._filters.taps import AxisBlur


# Sums of pixels beyond the border must be finite in float32.
LARGE = 8e37


@dataclass(frozen=True, eq=False)
class MaskPass:
    """A mask whose blur is on every pixel, along up to three axes."""

    mask: Mask

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Return whether it blurs three axes, or two with a border of type `dtype`."""
        if mode != "constant":
            return len(self.mask.blurred) <= 3
        if dtype.kind == "f":
            held = abs(cval) < LARGE
        else:
            info = np.iinfo(dtype)
            held = cval.is_integer() and info.min <= cval <= info.max
        return held and len(self.mask.blurred) <= 2

    def last_axis(self, ndim: int) -> int:
        """Return the last axis that is blurred; any will do if none is."""
        return max(self.mask.blurred, default=ndim - 1)

    def bind(self, layout: Layout) -> BoundPlanes:
        """Return the filter with its arguments for a layout."""
        blurs, across = self.mask.blurs, self.last_axis(len(layout.shape))
        if across == 0:
            moved = {axis + 1: blur for axis, blur in blurs.items()}
            return MaskPass(Mask(moved)).bind(layout.with_front())
        *deep, down = self.mask.blurred[:-1] or [across - 1]
        in_bytes = (
            None if deep else _byte_taps(layout, blurs.get(down), blurs.get(across))
        )
        if in_bytes is None:
            taps = [
                filled_taps(blurs.get(axis), 1, layout.shape[axis], layout.mode)
                for axis in (down, across)
            ]
        else:
            taps = [half for half, _ in in_bytes]
        rows, columns = (
            border_index(layout.shape[axis], half.size - 1, layout.mode)
            for axis, half in zip((down, across), taps, strict=True)
        )
        source, to, cores = layout.planes(down, across, deep[0] if deep else None)
        groups, deep_taps, apart = [(_ALONE, 1, 0)], None, (0, 0)
        if deep:
            (axis,) = deep
            deep_taps = filled_taps(blurs[axis], 1, layout.shape[axis], layout.mode)
            groups = _groups(layout, axis, deep_taps.size - 1)
            apart = source.distance(axis), to.distance(axis)
        # Blurred over planes, a row is float32.
        row_type = np.dtype(np.float32) if deep else layout.dtype
        tables = rows, columns, deep_taps, *taps
        known = tables if in_bytes is None else (rows, columns, None, None, None)
        window = (*span(layout.inner[down]), *span(layout.inner[across]))
        no_row = np.empty(0, row_type)
        calls: list[tuple[tuple[Any, ...], int]] = []
        for place, begin in cores:
            start = source.offset(place, source.others)
            where = start, apart[0], source.stride, source.step
            calls += [
                (
                    (where, planes, *known, in_bytes, (count, *window), no_row),
                    begin + before * apart[1],
                )
                for planes, count, before in groups
            ]
        return BoundPlanes(
            sharpen_planes,
            calls,
            (apart[1], to.stride),
            (row_type.type(layout.outside),),
            nbytes_of([*tables, *(planes for planes, _, _ in groups)], len(calls)),
        )


# Planes to take of a plane that is not blurred over others.
_ALONE = np.zeros(1, np.int64)


def _groups(layout: Layout, axis: int, reach: int) -> list[tuple[Array, int, int]]:
    """Return every eight planes of the core along an axis, sharpened at once.

    They are the planes to take, how many of the eight there are, and how many of the
    core come before them.
    """
    start, stop = span(layout.inner[axis])
    around = border_index(layout.shape[axis], reach + PLANES, layout.mode)
    return [
        (
            around[first + PLANES : first + 2 * reach + 2 * PLANES],
            min(PLANES, stop - first),
            first - start,
        )
        for first in range(start, stop, PLANES)
    ]


def _byte_taps(
    layout: Layout, down: AxisBlur | None, across: AxisBlur | None
) -> tuple[tuple[Array, Array], tuple[Array, Array]] | None:
    """Return the taps down and across for a plane of bytes, if both have them."""
    if layout.dtype != np.uint8 or down is None or across is None:
        return None
    both = byte_taps(down), byte_taps(across)
    return None if both[0] is None or both[1] is None else (both[0], both[1])


@lru_cache(64)
def filled_taps(
    blur: AxisBlur | None, least: int = 1, length: int = 0, mode: str = ""
) -> Array:
    """Half of the taps, with zeros up to `least` pairs or a whole number of sweeps.

    They are those that an axis of `length` pixels needs, if that is given.
    """
    half = np.ones(1, np.float32)
    if blur is not None:
        taps = blur.within(length, mode) if length else blur.taps
        half = half_taps(taps, np.float32)
    pairs = half.size - 1
    pairs = least if pairs <= least else -(-pairs // PAIRS) * PAIRS
    filled = np.zeros(1 + pairs, np.float32)
    filled[: half.size] = half
    filled.flags.writeable = False
    return filled


@lru_cache(64)
def byte_taps(blur: AxisBlur) -> tuple[Array, Array] | None:
    """Return the weights of a blur of planes of bytes, in units of 2**-15.

    They are rounded, and the centre is what the others leave, so that their sum is 1.
    There are none for the box, whose sums are exact in float32, for a blur that hardly
    blurs, whose centre does not fit into 16 bits, and for those of more than 16 pixels
    on each side.

    Returns
    -------
    half : (1 + radius,) array of int32
        The centre and one side, filled up with zeros to a multiple of four.
    vectors : array of int16
        For `kernels.integers`: all weights by twos, then all but the first by twos
        behind them, every two as often as a vector takes them.
    """
    if blur is BOX or blur.factor > 1 or not 0 < blur.radius <= UNROLLED:
        return None
    whole = np.rint(np.pad(blur.taps, -blur.radius % PAIRS) * 2**15).astype(np.int64)
    radius = whole.size // 2
    whole[radius] += 2**15 - whole.sum()
    if whole[radius] >= 2**15:
        return None
    twos = np.stack([np.append(whole, 0), np.append(0, whole)])
    pairs = twos.reshape(-1, 1, 2).astype(np.int16)
    half, vectors = whole[radius:].astype(np.int32), np.repeat(pairs, BYTES // 2, 1)
    vectors = vectors.reshape(-1)
    for array in (half, vectors):
        array.flags.writeable = False
    return half, vectors
