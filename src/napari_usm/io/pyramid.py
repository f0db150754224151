"""The smaller levels of an image on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.dtypes import cast
from napari_usm._filters.means import block_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_usm.io.image import Metadata

# An axis is halved with the others while its steps are shorter than this times the
# shortest, so that voxels become cubes.
_LONGER = 1.5

# No image of our time needs more levels.
_MOST = 16


class Averaged:
    """A level of a pyramid: means of the pixels of the level before, computed on read.

    Parameters
    ----------
    below : array-like
        The level before.
    factors : sequence of int
        Pixels of it per pixel of this level.
    shape : sequence of int, optional
        Shape of this level. Default: as many whole blocks as there are, at least one.
    """

    def __init__(
        self, below: Any, factors: Sequence[int], shape: Sequence[int] | None = None
    ) -> None:
        self._below, self._factors = below, tuple(factors)
        self.dtype = np.dtype(below.dtype)
        if shape is None:
            pairs = zip(below.shape, self._factors, strict=True)
            shape = [max(1, length // factor) for length, factor in pairs]
        self.shape = tuple(shape)

    def __getitem__(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        """Return the pixels in these slices, one for each axis."""
        inside = [
            slice(*span.indices(length)[:2])
            for span, length in zip(spans, self.shape, strict=True)
        ]
        axes = zip(inside, self._factors, self.shape, self._below.shape, strict=True)
        below = tuple(
            slice(
                span.start * factor,
                whole if span.stop == length else min(span.stop * factor, whole),
            )
            for span, factor, length, whole in axes
        )
        values = np.asarray(self._below[below])
        lengths = [span.stop - span.start for span in inside]
        means = block_means(values, self._factors, lengths)
        working = np.float64 if self.dtype.itemsize > 2 else np.float32
        return cast(means.astype(working), self.dtype)


def next_factors(
    shape: Sequence[int],
    metadata: Metadata,
    most: int,
    planes: bool = False,
) -> list[tuple[int, ...]]:
    """Return, for each further level, the pixels of the level before per pixel.

    Parameters
    ----------
    shape : sequence of int
        Shape of the image.
    metadata : Metadata
        Its axes, scale, and the pyramid that its source has, which is repeated.
    most : int
        Planes with no longer side need no further level.
    planes : bool
        Whether only Y and X are halved, and the pyramid of the source is ignored.
    """
    if metadata.factors and not planes:
        steps = []
        latest: tuple[int, ...] = (1,) * len(shape)
        for factors in metadata.factors:
            if any(f % n for f, n in zip(factors, latest, strict=True)):
                break
            steps.append(tuple(f // n for f, n in zip(factors, latest, strict=True)))
            latest = factors
        return steps
    halved = [axis for axis, name in enumerate(metadata.axes) if name in ("y", "x")]
    depth = [axis for axis, name in enumerate(metadata.axes) if name == "z"]
    if planes or not all(metadata.units[axis] for axis in (*halved, *depth)):
        depth = []
    lengths, steps_now = list(shape), list(metadata.scale)
    levels: list[tuple[int, ...]] = []
    while halved and len(levels) < _MOST:
        if max(lengths[axis] for axis in halved) <= most:
            break
        shortest = min(steps_now[axis] for axis in halved)
        chosen = [axis for axis in halved if lengths[axis] > 1]
        chosen += [
            axis
            for axis in depth
            if lengths[axis] > 1 and steps_now[axis] <= _LONGER * shortest
        ]
        factors = tuple(2 if axis in chosen else 1 for axis in range(len(shape)))
        for axis in chosen:
            lengths[axis] //= 2
            steps_now[axis] *= 2
        levels.append(factors)
    return levels
