"""Three weighted bands of planes, from the image's own pixels to the result's."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.bands import MEAN, farthest, found_by
from napari_usm._filters.border import border_index, continued
from napari_usm._filters.fused.bound import BoundPlanes, nbytes_of
from napari_usm._filters.fused.mask import LARGE, filled_taps
from napari_usm._filters.fused.planes import span
from napari_usm._kernels.bands_plane import sharpen_bands
from napari_usm._kernels.floor_plane import REACH
from napari_usm._kernels.sweeps import PAIRS, ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_usm._filters.bands import Bands, Noise
    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import Layout

_FLOAT = np.dtype(np.float32)

# Columns at a time, at most: the rows that wait then stay in the second-level cache.
_STRIP = 2048

# Further away than any row.
_NEVER = 2**62


@dataclass(frozen=True, eq=False)
class BandsPass:
    """Three bands along two axes.

    Attributes
    ----------
    bands : Bands
        The bands of the image times ``2 ** -exponent``.
    exponent : int
        That of a power of 2 which is a normal number of float32, like its inverse.
    """

    bands: Bands
    exponent: int

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Return whether a constant border is within range."""
        near = abs(cval) * 2.0**-self.exponent <= farthest(_FLOAT)
        return mode != "constant" or (near and abs(cval) < LARGE)

    def last_axis(self, ndim: int) -> int:
        """Return the last axis that is blurred."""
        return max(self.bands.narrow)

    def bind(self, layout: Layout) -> BoundPlanes:
        """Return the filter with its arguments for a layout."""
        down, across = sorted(self.bands.narrow)
        source, to, cores = layout.planes(down, across)
        taps = self._taps(down, across)
        margin = max(taps[3].size - 1, self._floor)
        inner, length = layout.inner[across], layout.shape[across]
        rows, ends = self._rows(
            taps, layout.inner[down], layout.shape[down], layout.mode
        )
        window = span(layout.inner[down])
        outside = _FLOAT.type(np.ldexp(layout.outside, -self.exponent))
        units = _FLOAT.type(2.0**-self.exponent), _FLOAT.type(2.0**self.exponent)
        ground = _FLOAT.type(self.bands.ground), _FLOAT.type(self.bands.rise)
        calls: list[tuple[tuple[Any, ...], int]] = []
        for own, near in self._strips(inner, length, layout.mode):
            columns = border_index(near.stop - near.start, margin, layout.mode)
            core = (*window, own.start - near.start, own.stop - near.start)
            before = (own.start - inner.start) * to.step
            for place, begin in cores:
                start = source.offset(place, source.others) + near.start * source.step
                given = (
                    (start, source.stride, source.step),
                    rows,
                    columns,
                    ends,
                    outside,
                    taps,
                    core,
                    _numbers(self.bands.noise),
                    self._impulses(layout.shape[down]),
                    ground,
                    found_by(self.bands, _FLOAT),
                    units,
                )
                calls.append((given, begin + before))
        tables = [rows, *taps, *(given[2] for given, _ in calls)]
        nbytes = nbytes_of(tables, len(calls))
        return BoundPlanes(sharpen_bands, calls, (to.stride,), (), nbytes)

    def _taps(self, down: int, across: int) -> tuple[Array, ...]:
        """Return the taps of both blurs and of the local mean, down and across."""
        mean = {down: MEAN, across: MEAN}
        return tuple(
            filled_taps(blurs[axis], PAIRS)
            for blurs in (self.bands.narrow, self.bands.wide, mean)
            for axis in (down, across)
        )

    def _rows(
        self, taps: tuple[Array, ...], own: slice, length: int, mode: str
    ) -> tuple[Array, tuple[int, int]]:
        """Return the index of the rows, and the ends that need the border."""
        narrow, wide, mean = (taps[k].size - 1 for k in (0, 2, 4))
        # The floor is as far away as the wide blur and the mean, or further.
        before = 2 * narrow + max(wide + mean, self._floor)
        places = np.arange(own.start - before, own.stop + before + ROWS)
        ends = -_NEVER, _NEVER
        if mode in ("nearest", "constant"):
            ends = before - own.start, before - own.start + length
        return continued(places, length, mode), ends

    def _strips(
        self, own: slice, length: int, mode: str
    ) -> Iterator[tuple[slice, slice]]:
        """Columns to do at a time, without and with their neighbours."""
        across = max(self.bands.narrow)
        narrow, wide = self.bands.narrow[across], self.bands.wide[across]
        # One more for the neighbours of an impulse.
        reach = 2 * narrow.reach + max(wide.reach + MEAN.reach, self._floor) + 1
        count = -(-length // _STRIP)
        if mode == "wrap":  # neighbours are on the far side too
            reach, count = length, 1
        bounds = np.linspace(own.start, own.stop, count + 1, dtype=int).tolist()
        for start, stop in itertools.pairwise(bounds):
            near = slice(max(0, start - reach), min(length, stop + reach))
            yield slice(start, stop), near

    @property
    def _floor(self) -> int:
        """Pixels on each side that the floor needs of the second blur."""
        return REACH if self.bands.ground else 0

    def _impulses(self, rows: int) -> tuple[Any, ...]:
        """Return rows of the image, noise around impulses, and their share."""
        noise, correction = self.bands.impulses, self.bands.correction
        searched = 0 if noise is None else rows
        return searched, _numbers(noise or self.bands.noise), _FLOAT.type(correction)


def _numbers(noise: Noise) -> tuple[Any, ...]:
    """Return the numbers of noise as the kernel takes them."""
    return tuple(map(_FLOAT.type, noise.numbers))
