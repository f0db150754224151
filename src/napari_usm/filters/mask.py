"""A linear mask from the image's own pixels to the result's, in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.filters.blur import Taps, half_taps
from napari_usm.filters.border import border_index
from napari_usm.filters.planes import Planes
from napari_usm.kernels.mask import PAIRS, sharpen_plane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm.filters.dtypes import Array

# What the kernel is compiled for: the types of nearly all images.
_DTYPES = (np.uint8, np.uint16, np.float32)


@dataclass(frozen=True)
class Mask:
    """A method whose detail is the image less its blur.

    Attributes
    ----------
    taps : mapping of axis to taps
        The blur.
    threshold, hard : float, bool
        What is done to the detail.
    """

    taps: Mapping[int, Taps]
    threshold: float = 0.0
    hard: bool = False

    @property
    def blurred(self) -> list[int]:
        """Axes along which there is anything to do."""
        return sorted(axis for axis, taps in self.taps.items() if taps.size > 1)


def fits(
    mask: Mask, source: np.dtype[Any], result: np.dtype[Any], mode: str, cval: float
) -> bool:
    """Whether the kernel is made for this mask, these types and this border."""
    if len(mask.blurred) > 2 or source != result or source not in _DTYPES:
        return False
    # A constant border is held in the image's own type.
    if mode != "constant" or source.kind == "f":
        return True
    return cval.is_integer() and 0 <= cval <= np.iinfo(source).max


@np.errstate(over="ignore")
def sharpen_into(
    result: Array,
    core: tuple[slice, ...],
    block: Array,
    inner: tuple[slice, ...],
    mask: Mask,
    amount: float,
    limits: tuple[float, float],
    mode: str,
    cval: float,
) -> None:
    """Sharpen a block into its place in the result.

    Parameters
    ----------
    result : array
        The whole result, C-contiguous, of the type of `block`.
    core : tuple of slice
        The block's own pixels in `result`.
    block : array
        The block with its neighbours, all of them valid.
    inner : tuple of slice
        Its own pixels in `block`; all of it along the axes behind the blurred ones.
    mask, amount, limits, mode, cval
        As for the method.
    """
    if not (block.flags.c_contiguous and block.flags.writeable):
        block = np.array(block, order="C")
    blurred = mask.blurred
    across = blurred[-1] if blurred else block.ndim - 1
    down = blurred[0] if len(blurred) == 2 else across - 1
    if down < 0:
        # One axis more, of one row.
        block, result = block[np.newaxis], result[np.newaxis]
        core, inner = (slice(0, 1), *core), (slice(0, 1), *inner)
        mask = Mask({a + 1: t for a, t in mask.taps.items()}, mask.threshold, mask.hard)
        down, across = 0, across + 1
    source = Planes(block.shape, down, across)
    target = Planes(result.shape, down, across)
    down_taps, across_taps = (_filled(mask.taps.get(axis)) for axis in (down, across))
    kind = block.dtype.type
    integers = block.dtype.kind in "iu"
    begin = target.offset((core[down].start, core[across].start), (down, across))
    for place in source.places(inner):
        there = [
            i - inner[axis].start + core[axis].start
            for i, axis in zip(place, source.others, strict=True)
        ]
        sharpen_plane(
            block.reshape(-1),
            source.offset(place, source.others),
            source.stride,
            border_index(block.shape[down], down_taps.size - 1, mode),
            border_index(block.shape[across], across_taps.size - 1, mode),
            source.step,
            down_taps,
            across_taps,
            (*_span(inner[down]), *_span(inner[across])),
            result.reshape(-1),
            begin + target.offset(there, target.others),
            target.stride,
            np.float32(amount),
            np.float32(mask.threshold),
            mask.hard,
            np.float32(limits[0]),
            np.float32(limits[1]),
            np.float32(0.5 if integers else 0.0),
            kind(cval if mode == "constant" else 0),
        )


def _filled(taps: Taps | None) -> Array:
    """Half of the taps, with zeros up to a whole number of sweeps, one at least."""
    half = np.ones(1, np.float32) if taps is None else half_taps(taps, np.float32)
    sweeps = max(1, -(-(half.size - 1) // PAIRS))
    filled = np.zeros(sweeps * PAIRS + 1, np.float32)
    filled[: half.size] = half
    return filled


def _span(window: slice) -> tuple[int, int]:
    return window.start, window.stop
