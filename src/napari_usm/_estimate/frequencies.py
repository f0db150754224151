"""Frequencies that a filter is fitted over, and what stands there in any image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_usm._estimate.spectrum_fit import SLOPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._estimate.windows import Floats

# Along each axis from 0 to 1/2, by the number of axes.
_STEPS = {1: 64, 2: 32, 3: 16, 4: 8}

# The spectrum of a specimen on dark ground falls by so much steeper.
_STEEPER = 0.6

# A Gaussian of sigma 1 and a lens of this cut-off, in cycles per pixel, have cores that
# are as wide.
CUTOFF = 0.42

# High frequencies are seen, and count, a little more.
_EMPHASIS = 0.25


@dataclass(frozen=True, eq=False)
class Frequencies:
    """All frequencies of a grid but 0, in cycles per pixel.

    Attributes
    ----------
    along : (axes, n) array
        Along each axis, from 0 to 1/2.
    count : (n,) array
        How many frequencies each stands for, by signs.
    total : float
        The sum of those, and 1 for frequency 0.
    """

    along: Floats
    count: Floats
    total: float

    def spectrum(self, ground: float = 0.0) -> Floats:
        """Return the power of an image without blur.

        In planes f^-2.4 for a photograph, f^-3 for a specimen on dark `ground`.
        """
        slope = len(self.along) + SLOPE + _STEEPER * ground
        power: Floats = self._length**-slope
        return power

    @property
    def weight(self) -> Floats:
        """Return the weight of errors at each frequency."""
        weight: Floats = self.count * self._length**_EMPHASIS
        return weight

    @property
    def _length(self) -> Floats:
        length: Floats = np.linalg.norm(self.along, axis=0)
        return length

    def passed(self, sigmas: Floats, lens: float = 0.0) -> Floats:
        """Return the transfer function of a blur.

        Parameters
        ----------
        sigmas : (axes,) array
            Standard deviations of a Gaussian.
        lens : float
            Share of a lens whose core is as wide, from 0 to 1. It is the incoherent
            transfer function of a circular pupil [1]_.

        References
        ----------
        .. [1] J. W. Goodman, "Introduction to Fourier Optics", section 6.3.
        """
        squares: Floats = sigmas**2 @ self.along**2
        gaussian: Floats = np.exp(-2 * np.pi**2 * squares)
        if not lens:
            return gaussian
        u = np.minimum(np.sqrt(squares) / CUTOFF, 1.0)
        pupil = 2 / np.pi * (np.arccos(u) - u * np.sqrt(1 - u * u))
        mixed: Floats = (1 - lens) * gaussian + lens * pupil
        return mixed

    def transfer(self, taps: Sequence[Floats]) -> Floats:
        """Return the transfer function of symmetric weights along each axis."""
        product = np.ones_like(self.count)
        for frequencies, weights in zip(self.along, taps, strict=True):
            offsets = np.arange(weights.size) - weights.size // 2
            line, place = np.unique(frequencies, return_inverse=True)
            product *= (np.cos(2 * np.pi * np.outer(line, offsets)) @ weights)[place]
        return product


@lru_cache(4)
def frequencies(axes: int) -> Frequencies:
    """Return the frequencies of a number of axes."""
    steps = _STEPS.get(axes, 4)
    line = np.arange(steps + 1) / (2 * steps)
    twice = np.where((line == 0) | (line == 0.5), 1.0, 2.0)
    along, count = (
        np.reshape(np.meshgrid(*[each] * axes, indexing="ij"), (axes, -1))
        for each in (line, twice)
    )
    counts = count.prod(axis=0)
    kept = along.any(axis=0)
    return Frequencies(along[:, kept], counts[kept], float(counts.sum()))
