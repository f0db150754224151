"""A linear mask from the image's own pixels to the result's, in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.filters.blur import Taps, half_taps
from napari_usm.filters.border import border_index
from napari_usm.filters.planes import Planes, span
from napari_usm.kernels.mask import PAIRS, sharpen_plane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm.filters.dtypes import Array
    from napari_usm.filters.one_pass import Finish


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

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Whether it blurs a line or a plane, up to a border that `dtype` can hold."""
        if mode == "constant" and dtype.kind != "f":
            held = cval.is_integer() and 0 <= cval <= np.iinfo(dtype).max
            return held and len(self.blurred) <= 2
        return len(self.blurred) <= 2

    def last_axis(self, ndim: int) -> int:
        """The last axis that is blurred; any will do if none is."""
        return max(self.blurred, default=ndim - 1)

    def sharpen_into(
        self,
        result: Array,
        core: tuple[slice, ...],
        block: Array,
        inner: tuple[slice, ...],
        finish: Finish,
    ) -> None:
        """Sharpen a block into its place in the result."""
        across = self.last_axis(block.ndim)
        down = self.blurred[0] if len(self.blurred) == 2 else across - 1
        if down < 0:
            # One axis more, of one row.
            moved = {axis + 1: taps for axis, taps in self.taps.items()}
            one = slice(0, 1)
            Mask(moved, self.threshold, self.hard).sharpen_into(
                result[np.newaxis],
                (one, *core),
                block[np.newaxis],
                (one, *inner),
                finish,
            )
            return
        source, target = (Planes(a.shape, down, across) for a in (block, result))
        taps = [_filled(self.taps.get(axis)) for axis in (down, across)]
        index = [
            border_index(block.shape[axis], half.size - 1, finish.mode)
            for axis, half in zip((down, across), taps, strict=True)
        ]
        window = (*span(inner[down]), *span(inner[across]))
        outside = finish.cval if finish.mode == "constant" else 0
        last = finish.arguments(block.dtype, self.threshold, self.hard)
        for begin, to in source.cores(inner, target, core):
            sharpen_plane(
                block.reshape(-1),
                begin,
                source.stride,
                *index,
                source.step,
                *taps,
                window,
                result.reshape(-1),
                to,
                target.stride,
                *last,
                block.dtype.type(outside),
            )


def _filled(taps: Taps | None) -> Array:
    """Half of the taps, with zeros up to a whole number of sweeps, one at least."""
    half = np.ones(1, np.float32) if taps is None else half_taps(taps, np.float32)
    sweeps = max(1, -(-(half.size - 1) // PAIRS))
    filled = np.zeros(sweeps * PAIRS + 1, np.float32)
    filled[: half.size] = half
    return filled
