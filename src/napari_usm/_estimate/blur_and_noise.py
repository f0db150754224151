"""Blur and noise of an image from what its windows tell.

The logarithm of the spectrum of a photograph or a specimen falls in proportion to that
of the frequency, and a Gaussian blur takes the square of the frequency from it: both
are fitted where the spectrum stands clear of the noise, which is what is left at its
highest frequencies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm._estimate.ground import ground_of
from napari_usm._estimate.spectrum import rows_of, those
from napari_usm._estimate.spectrum_fit import Fit, fitted_spectra
from napari_usm._estimate.windows import side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_usm._estimate.spectrum import Rows
    from napari_usm._estimate.windows import Floats

# From the lower quartile of the power of noise to its mean, by axes of a window.
_FROM_QUARTILE = {2: 1.1, 1: 1.35}
# From its lower tenth in cells to its mean: 1.592 for white noise.
_FROM_TENTH = 1.59

# A line that noise grows along is found again and again from the one before.
_ROUNDS = 4

# Rounding to whole numbers has a standard deviation of .29; half a step is what counts
# as noise in any case, for beyond it a blur is no Gaussian.
ROUNDING = 0.29
LEAST_NOISE = 0.5

# Steps of an image of real numbers, by its range, and at most those of integers.
_STEP_OF_REALS = 2e-4
_LARGEST_STEP = 1 / 16

# Variance of the blur that a sharp image has, and below which it counts as sharp.
_SOFT = 0.08
_SHARP = 0.185

# How much more noise there must be in bright parts than in dark ones.
_CLEAR = 3.0

# Saturated pixels of a window that is left out of the noise.
_SATURATED = 0.02


class Estimate(NamedTuple):
    """Blur and noise of one image.

    Intensities are in units of `unit`.

    Attributes
    ----------
    sigmas : tuple of float
        Standard deviation of the blur along each filtered axis, in their order;
        below 0 for an axis that is too short to tell, and left alone.
    constant, growth : float
        The variance of the noise is ``constant + growth * (intensity - zero)``.
    zero : float
        Lowest intensity.
    least : float
        What noise is there at least, as a standard deviation.
    mean : float
        Mean intensity.
    unit : float
        A power of 2 about as large as the range of the image; 0 if it is flat.
    left : float
        Share of that variance that is noise, if the image's own spectrum goes on as it
        is fitted: a sharp image has fine texture. Who smooths noise goes by this
        share; who takes no noise for detail does not.
    ground : float
        How far the image is a specimen: 1 on dark ground, -1 on bright ground, 0 for
        a photograph.
    lens : float
        How far its blur is that of a lens, from 0 to 1.
    """

    sigmas: tuple[float, ...]
    constant: float
    growth: float
    zero: float
    least: float
    mean: float
    unit: float
    left: float
    ground: float = 0.0
    lens: float = 0.0

    @classmethod
    def of(cls, numbers: Floats) -> Estimate:
        """From the numbers in one row."""
        sigmas, others = np.split(numbers, [1 - len(cls._fields)])
        return cls(tuple(sigmas.tolist()), *others.tolist())

    @classmethod
    def columns(cls, numbers: Floats) -> dict[str, Floats]:
        """Return the columns of numbers (last axis) by name, without the sigmas."""
        names = cls._fields[1:]
        columns = np.moveaxis(numbers[..., -len(names) :], -1, 0)
        return dict(zip(names, columns, strict=True))

    @classmethod
    def completed(cls, numbers: Floats, axes: int) -> Floats:
        """Return numbers (last axis) of any version, with what older ones lack.

        Raises
        ------
        ValueError
            If there are too many or too few of them.
        """
        most = axes + len(cls._fields) - 1
        missing = most - numbers.shape[-1] if numbers.ndim else most
        if not 0 <= missing <= len(cls._field_defaults):
            raise ValueError(
                f"`estimate` must have {most} numbers for {axes} filtered axes; got "
                f"shape {numbers.shape}"
            )
        zeros = np.zeros((*numbers.shape[:-1], missing))
        return np.concatenate([numbers, zeros], axis=-1)

    @property
    def rounding(self) -> float:
        """Return the standard deviation of rounding alone."""
        return self.least * ROUNDING / LEAST_NOISE

    @property
    def numbers(self) -> Floats:
        """The numbers in one row."""
        return np.array([*self.sigmas, *self[1:]])

    @property
    def noise(self) -> float:
        """Standard deviation of the noise at the mean intensity, in intensity units."""
        variance = self.constant + self.growth * (self.mean - self.zero)
        return float(np.sqrt(max(variance, self.least**2))) * self.unit


def longest_blur(dimensions: int) -> float:
    """Return the largest blur that windows along so many axes can estimate."""
    return side(dimensions) / 16


def estimated(sums: Floats, axes: Sequence[int], specimens: bool = True) -> Floats:
    """Return estimates from the total of `window_rows`, one for each kept index.

    Parameters
    ----------
    sums : array
        The total.
    axes : sequence of int
        Filtered axes.
    specimens : bool
        As for `estimate_and_fits`.

    Returns
    -------
    array
        In place of the last two axes of `sums` one of numbers, see `Estimate`.
    """
    shape = sums.shape[:-2]
    found = [
        estimate_and_fits(rows_of(sums[place]), axes, specimens)[0].numbers
        for place in np.ndindex(*shape)
    ]
    return np.array(found).reshape(*shape, -1)


def blur_and_noise_of(estimates: Floats) -> tuple[Floats, Floats]:
    """Blur along each filtered axis (last axis), and noise, by rows of estimates."""
    shape = estimates.shape[:-1]
    all_of = [Estimate.of(estimates[place]) for place in np.ndindex(*shape)]
    blurs = np.reshape([np.maximum(each.sigmas, 0) for each in all_of], (*shape, -1))
    return blurs, np.reshape([each.noise for each in all_of], shape)


def estimate_and_fits(
    rows: Rows, axes: Sequence[int], specimens: bool = True
) -> tuple[Estimate, dict[tuple[int, ...], Fit]]:
    """Return the estimate from the windows of one image, and the spectra behind it.

    Parameters
    ----------
    rows : Rows
        The windows.
    axes : sequence of int
        Filtered axes.
    specimens : bool
        Without them all images are taken for photographs.

    Returns
    -------
    estimate : Estimate
        Blur and noise.
    fits : dict
        Spectra by the axes that they are of, in units of the estimate, squared. A flat
        image has none.
    """
    rows = _used(rows)
    unit = _unit(rows)
    if not unit:
        return nothing_known(axes), {}
    noise = _noise(rows, unit, specimens)
    sigmas = dict.fromkeys(axes, -1.0)
    own = []
    fits = fitted_spectra(rows, unit, noise.variance)
    for group, fit in fits.items():
        own.append(fit.power_in_corner)
        blur = fit.line.blur
        squared = max(min(blur - _SOFT, 2 * (blur - _SHARP)), 0)
        sigma = min(float(np.sqrt(squared)), longest_blur(len(axes)))
        sigmas.update(dict.fromkeys(group, sigma))
    # Part of the power in the corner is the image's own.
    left = max(noise.variance - 0.5 * min(own), noise.quantum) / noise.variance
    estimate = Estimate(
        tuple(sigmas[axis] for axis in axes),
        noise.constant,
        noise.growth,
        noise.low,
        LEAST_NOISE * noise.step,
        noise.mean,
        unit,
        left,
        ground_of(rows) if specimens else 0.0,
    )
    return estimate, fits


class _Noise(NamedTuple):
    """Noise before the image's own part is taken off, in units of the range."""

    constant: float
    growth: float
    low: float
    step: float
    mean: float
    variance: float
    quantum: float


def _used(rows: Rows) -> Rows:
    return those(rows, (rows.used > 0) & (rows.valid > 0))


def _noise(rows: Rows, unit: float, specimens: bool) -> _Noise:
    """Return the power at the highest frequencies, and its growth with intensity."""
    low, high = float(rows.low.min()) / unit, float(rows.high.max()) / unit
    span = high - low
    if rows.whole.all():
        step = min(1 / unit, _LARGEST_STEP * span)
    else:
        step = _STEP_OF_REALS * span
    quantum = (ROUNDING * step) ** 2

    good = those(rows, _unspoilt(rows))
    plane = bool(rows.second[0] >= 0)
    corner = np.quantile((good.corner / unit) ** 2, 0.25)
    constant, growth = float(corner) * _FROM_QUARTILE[1 + plane], 0.0
    if plane:
        means = (rows.cell_mean / unit).ravel() - low
        noises = (rows.cell_noise / unit).ravel() ** 2
        ok = np.isfinite(means) & (means < 0.98 * span)
        by_intensity = _by_intensity(means[ok], noises[ok], quantum, specimens)
        constant, growth = by_intensity or (constant, growth)
    mean = _mean(rows.mean / unit)
    variance = max(constant + growth * (mean - low), quantum)
    return _Noise(constant, growth, low, step, mean, variance, quantum)


def nothing_known(axes: Sequence[int]) -> Estimate:
    """Of an image that is flat, or that has too few pixels."""
    return Estimate((-1.0,) * len(axes), *(0.0,) * 7)


def _unit(rows: Rows) -> float:
    """The power of 2 above the range; 0 if there is none, or beyond any number."""
    if not rows.used.size:
        return 0.0
    with np.errstate(over="ignore"):
        span = rows.high.max() - rows.low.min()
        unit = float(np.ldexp(1.0, np.frexp(span)[1]))
    # Of an infinite range the exponent is 0.
    return unit if span > 0 and np.isfinite([span, unit]).all() else 0.0


def _unspoilt(rows: Rows) -> NDArray[np.bool_]:
    """Windows without saturated or invalid pixels; all, if too few are left."""
    at_low = np.where(rows.low == rows.low.min(), rows.at_low, 0)
    at_high = np.where(rows.high == rows.high.max(), rows.at_high, 0)
    good: NDArray[np.bool_] = (at_low + at_high <= _SATURATED) & (rows.valid == 1)
    enough = good.sum() >= max(4, 0.1 * good.size)
    return good if enough else np.ones_like(good)


def _by_intensity(
    means: Floats, noises: Floats, quantum: float, specimens: bool
) -> tuple[float, float] | None:
    """Noise that grows with the intensity, if it clearly does: constant and growth."""
    order = np.lexsort((noises, means))
    means, noises = means[order], noises[order]
    if means.size < 40:
        return None
    # Few parts of a specimen are bright: their noise is in question, and most bins.
    first, last = np.quantile(means, [0.005, 0.999 if specimens else 0.995])
    along = np.clip((means - first) / max(last - first, 1e-6), 0, 1)
    bins = np.minimum((np.sqrt(along) if specimens else along) * 8, 7).astype(int)
    inside = [bins == each for each in range(8)]
    inside = [own for own in inside if own.sum() >= 10]
    if len(inside) < 2:
        return None
    at = np.array([means[own].mean() for own in inside])
    count = np.sqrt([min(own.sum(), 100) for own in inside])
    constant, growth = 1.0, 0.0
    for _ in range(_ROUNDS):
        # In units of the line so far: else the dark end of a bin counts for all of it.
        line = np.maximum(constant + growth * means, quantum)
        tenths = [np.quantile(noises[own] / line[own], 0.1) for own in inside]
        noise = _FROM_TENTH * np.array(tenths) * (constant + growth * at)
        constant, growth = _rising_line(at, noise, count / np.maximum(noise, quantum))
    dark, bright = np.quantile(means, [0.05, 0.999 if specimens else 0.95])
    least = max(constant + growth * float(dark), 4 * quantum)
    clear = constant + growth * float(bright) > _CLEAR * least
    return (constant, growth) if clear else None


def _rising_line(x: Floats, y: Floats, weight: Floats) -> tuple[float, float]:
    """The line nearest to the points of those that neither begin nor end below 0."""
    terms = np.stack([weight, weight * x], axis=1)
    target = weight * y
    both = np.linalg.lstsq(terms, target, rcond=None)[0]
    if both.min() >= 0:
        return float(both[0]), float(both[1])
    flat, steep = (float(term @ target) / float(term @ term or 1) for term in terms.T)
    lines = (flat, 0.0), (0.0, steep)
    return min(lines, key=lambda line: float(np.sum((terms @ line - target) ** 2)))


def _mean(values: Floats) -> float:
    """Mean of the values, whatever their order."""
    return float(np.sort(values).sum() / values.size)
