"""A blurred image's own spectrum, fitted where it stands clear of the noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm._estimate.spectrum import (
    CORNER,
    FREQUENCIES,
    MULTIPLES,
    RING_COUNTS,
    RINGS,
)

if TYPE_CHECKING:
    from napari_usm._estimate.spectrum import Rows
    from napari_usm._estimate.windows import Floats

# Slope of a spectrum of n axes without blur is that number and this: in planes 2.4. It
# weighs as much as four frequencies.
SLOPE = 0.4
_PRIOR = 2.0

# Where the spectrum is fitted, and how far it must stand above the noise.
_FIRST, _LAST = 0.04, 0.5
_CLEAR = 3.0


class Spectrum(NamedTuple):
    """A mean spectrum: its frequencies, how often each stands, and its power."""

    frequencies: Floats
    counts: Floats
    power: Floats
    dimensions: int


class Line(NamedTuple):
    """Model that is fitted to the logarithm of a spectrum."""

    level: float
    blur: float
    slope: float

    def power(self, frequencies: Floats) -> Floats:
        """Power of the image without noise, at frequencies above 0."""
        f = frequencies
        falling = 4 * np.pi**2 * self.blur * f**2 + self.slope * np.log(f)
        power: Floats = np.exp(self.level - falling)
        return power


class Fit(NamedTuple):
    """A spectrum, and the line that is fitted to a part of it above the noise."""

    spectrum: Spectrum
    line: Line
    part: slice
    noise: float

    @property
    def power_in_corner(self) -> float:
        """Mean power of the image itself where the noise is measured.

        In units of the range of the image: there is no more than 1.
        """
        spectrum, line, *_ = self
        far = spectrum.frequencies > CORNER[spectrum.dimensions]
        f = spectrum.frequencies[far]
        blur = max(line.blur, 0)
        log = line.level - 4 * np.pi**2 * blur * f**2 - line.slope * np.log(f)
        power = np.exp(np.minimum(log, 0))
        return float(np.average(power, weights=spectrum.counts[far]))

    @property
    def last(self) -> float:
        """Return the highest frequency that is clear of noise."""
        return float(self.spectrum.frequencies[self.part.stop - 1])

    @property
    def flat_blur(self) -> float:
        """Return the blur of an image whose spectrum would be flat without it."""
        f = self.spectrum.frequencies[self.part]
        above = np.log(_above_noise(self.spectrum.power[self.part], self.noise))
        terms = np.stack([np.ones_like(f), -4 * np.pi**2 * f**2], axis=1)
        squared = float(np.linalg.lstsq(terms, above, rcond=None)[0][1])
        return float(np.sqrt(max(squared, 0.0)))

    def times(self, unit: float) -> Fit:
        """Return the fit for an image whose intensities are multiplied by a factor."""
        spectrum, line, part, noise = self
        return Fit(
            spectrum._replace(power=spectrum.power * unit**2),
            line._replace(level=line.level + 2 * float(np.log(unit))),
            part,
            noise * unit**2,
        )


def fitted_spectra(rows: Rows, unit: float, noise: float) -> dict[tuple[int, ...], Fit]:
    """Spectra with their fits, by the axes that they are of.

    Parameters
    ----------
    rows : Rows
        The windows of the image.
    unit : float
        Intensity that is 1; about the range of the image.
    noise : float
        Variance of the noise, in units of `unit`, squared; so is the power.
    """
    return {
        group: _fit(spectrum, noise) for group, spectrum in _spectra(rows, unit).items()
    }


def _spectra(rows: Rows, unit: float) -> dict[tuple[int, ...], Spectrum]:
    """The spectra by the axes that they are of.

    The two axes of a plane have one blur; of more axes, each has its own, for the
    planes of a stack may be further apart than its pixels.
    """
    told = sorted({*rows.first.astype(int), *rows.second.astype(int)} - {-1})
    if len(told) == 1:
        power = _mean_power(rows.rings[:, : FREQUENCIES.size] / unit)
        return {tuple(told): Spectrum(FREQUENCIES, MULTIPLES, power, 1)}
    if len(told) == 2:
        power = _mean_power(rows.rings / unit)
        return {tuple(told): Spectrum(RINGS, RING_COUNTS, power, 2)}
    found: dict[tuple[int, ...], Spectrum] = {}
    for axis in told:
        down, across = rows.down[rows.first == axis], rows.across[rows.second == axis]
        power = _mean_power(np.concatenate([down, across]) / unit)
        found[(axis,)] = Spectrum(FREQUENCIES, MULTIPLES, power, 1)
    return found


def _fit(spectrum: Spectrum, noise: float) -> Fit:
    """The spectrum above its noise."""
    frequencies, _, power, dimensions = spectrum
    first = last = int(np.argmax(frequencies > _FIRST))
    while frequencies[last] < _LAST and power[last] > _CLEAR * noise:
        last += 1
    last = max(last, first + 3)
    f, p = frequencies[first:last], power[first:last]
    above = np.log(_above_noise(p, noise))
    terms = np.stack([np.ones_like(f), -4 * np.pi**2 * f**2, -np.log(f)], axis=1)
    terms = np.vstack([terms, [0, 0, _PRIOR]])
    target = np.append(above, _PRIOR * (dimensions + SLOPE))
    line = Line(*np.linalg.lstsq(terms, target, rcond=None)[0].tolist())
    return Fit(spectrum, line, slice(first, last), noise)


def _above_noise(power: Floats, noise: float) -> Floats:
    """Return the power of the image itself, above 0."""
    above: Floats = np.maximum(np.maximum(power - noise, 0.05 * power), 1e-300)
    return above


def _mean_power(roots: Floats) -> Floats:
    """Mean of the squares over the windows, whatever their order."""
    power: Floats = np.sort(roots**2, axis=0).sum(axis=0) / len(roots)
    return power
