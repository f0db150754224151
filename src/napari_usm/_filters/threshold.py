"""Leave weak detail alone: weaker than an intensity, or than its own noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_usm._filters.dtypes import Array


@dataclass(frozen=True, eq=False)
class DetailNoise:
    """Standard deviation of the noise of detail, which may follow the intensity.

    At each pixel it is
    ``scale * sqrt(max(constant + slope * (image - share * detail - zero), floor))``.

    Attributes
    ----------
    constant, slope, zero, floor, scale : float or array
        Numbers, or arrays that broadcast against the detail.
    share : float
        ``image - share * detail`` is the mean of the pixels around: the intensity that
        the noise follows, without another blur.
    """

    constant: Any
    slope: Any
    zero: Any
    floor: Any
    scale: Any
    share: float

    @property
    def is_one(self) -> bool:
        """Return whether one straight line, of numbers, is that of all pixels."""
        return not np.ndim(self.scale)

    def times(self, multiple: float) -> DetailNoise:
        """A multiple of it."""
        return replace(self, scale=self.scale * multiple)

    def numbers(self, dtype: np.dtype[Any]) -> tuple[Any, ...]:
        """Constant, slope, zero, floor, scale and share in the type they are used in.

        So the bits are those of the kernels, and of any other block.
        """
        each = self.constant, self.slope, self.zero, self.floor, self.scale, self.share
        with np.errstate(over="ignore"):
            return tuple(np.asarray(number).astype(dtype)[()] for number in each)

    def at(self, detail: Array, image: Array) -> Any:
        """The noise at each pixel; one number if it does not follow the intensity."""
        constant, slope, zero, floor, scale, share = self.numbers(detail.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            if self.is_one and slope == 0:
                return scale * np.sqrt(max(constant, floor))
            level = image - share * detail - zero
            # What is NaN, an invalid pixel's, counts as little.
            return scale * np.sqrt(np.fmax(constant + slope * level, floor))


@dataclass(frozen=True)
class Threshold:
    """A threshold below which detail is left alone.

    Attributes
    ----------
    limit : float
        Detail below is left alone.
    hard : bool
        Whether what is stronger is kept whole.
    in_noise : bool
        Whether `limit` is a multiple of the noise of the detail.
    noise : DetailNoise, optional
        That noise, once it is known.
    """

    limit: float = 0.0
    hard: bool = False
    in_noise: bool = False
    noise: DetailNoise | None = None

    def __bool__(self) -> bool:
        return self.limit > 0

    @property
    def is_one(self) -> bool:
        """Return whether one number or one line holds for all pixels, in float32."""
        if self.noise is None:
            return not self.in_noise
        return self.noise.is_one and bool(np.isfinite(self.numbers).all())

    @property
    def numbers(self) -> tuple[Any, ...]:
        """Return limit and noise as `finish_row` takes them in float32, if it `is_one`.

        The noise is its constant, slope, zero, floor and share; the limit is a multiple
        of it if the slope is above 0.
        """
        kind, noise = np.float32, self.noise
        if noise is None:
            with np.errstate(over="ignore"):
                return kind(self.limit), *(kind(0),) * 5
        noise = noise.times(self.limit)
        constant, slope, zero, floor, scale, share = noise.numbers(np.dtype(kind))
        if slope == 0:
            scale = scale * np.sqrt(max(constant, floor))
        return scale, constant, slope, zero, floor, share

    def of(self, detail: Array, image: Array) -> Array:
        """Detail after the threshold, from that of an image of the same type."""
        if not self:
            return detail
        limit: Any = self.limit
        if self.in_noise:
            assert self.noise is not None
            limit = self.noise.times(self.limit).at(detail, image)
        return threshold(detail, limit, self.hard)


#: All detail is taken as it is.
NO_THRESHOLD = Threshold()


def threshold(detail: Array, limit: Any, hard: bool) -> Array:
    """``sign(d) * max(|d| - limit, 0)``; hard: `d` where ``|d| >= limit``, else 0."""
    if np.ndim(limit) == 0 and limit == 0:
        return detail
    if hard:
        return np.where(np.abs(detail) >= limit, detail, 0)
    # d minus its clipped self: one rounding, and odd in d.
    soft: Array = detail - np.clip(detail, -limit, limit)
    return soft


def significance(detail: Array, image: Array, noise: DetailNoise) -> Array:
    """``|detail|`` in units of its own noise; 0 where none is known."""
    level = np.asarray(noise.at(detail, image))
    size = np.abs(detail)
    with np.errstate(over="ignore", invalid="ignore"):
        found: Array = np.divide(size, level, out=np.zeros_like(size), where=level > 0)
    return found
