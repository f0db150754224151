"""The spectrum of a plane, with the blur and the noise that are read from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_usm import arguments
from napari_usm._estimate.blur_and_noise import estimate_and_fits
from napari_usm._estimate.second_look import look_twice
from napari_usm._estimate.spectrum import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PLANE = (0, 1)


@dataclass(frozen=True, eq=False)
class PlaneSpectrum:
    """Mean power of a plane at each length of a frequency, and what is fitted to it.

    Attributes
    ----------
    frequencies : (K,) array of float64
        Cycles per pixel, above 0, up to the corner at the root of 1/2.
    power : (K,) array of float64
        Mean power of the windows, in squared intensity units per pixel: that of white
        noise is its variance at every frequency.
    fitted : (K,) array of float64
        Power of a blurred image and of its noise; NaN where the power was not fitted,
        for it is too near the noise, or that of the image's largest structures.
    blur : float
        Sigma of the blur in pixels, 0 for a sharp image.
    noise : float
        Standard deviation of the noise at the mean intensity.
    """

    frequencies: NDArray[np.float64]
    power: NDArray[np.float64]
    fitted: NDArray[np.float64]
    blur: float
    noise: float

    @property
    def columns(self) -> dict[str, NDArray[np.float64]]:
        """As a table, with the level of the noise in every row."""
        return {
            "frequency": self.frequencies,
            "power": self.power,
            "fitted": self.fitted,
            "noise": np.full_like(self.power, self.noise**2),
        }


def plane_spectrum(plane: NDArray[np.generic]) -> PlaneSpectrum | None:
    """Spectrum of a plane, as `auto_unsharp_mask` sees it.

    Parameters
    ----------
    plane : (M, N) array
        Bool, integer or real; invalid pixels are left out.

    Returns
    -------
    PlaneSpectrum or None
        None for a plane that is flat, or of fewer than 16 pixels along an axis: there
        is nothing to fit.

    Notes
    -----
    The windows, the fit and the estimates are those of `auto_unsharp_mask`: the
    spectrum falls by ``exp(-4 π² b f²) / f ** slope``, to the level of the noise. The
    blur that is told is a little less than the root of b, for a sharp image falls off
    too.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_usm.lab.spectrum import plane_spectrum
    >>> noise = np.random.default_rng(0).normal(100, 5, (256, 256))
    >>> found = plane_spectrum(noise)
    >>> found.blur, round(found.noise, 1)
    (0.0, 5.1)
    >>> round(float(found.power[20:].mean() ** 0.5), 1)
    5.0
    """
    arguments.unmasked("plane", plane)
    found, estimate = look_twice(plane, _PLANE)
    if not found.size:
        return None
    fit = estimate_and_fits(rows_of(found), _PLANE)[1].get(_PLANE)
    if fit is None:
        return None
    fit = fit.times(estimate.unit)
    frequencies, power = fit.spectrum.frequencies, fit.spectrum.power
    fitted = np.full_like(power, np.nan)
    fitted[fit.part] = fit.line.power(frequencies[fit.part]) + estimate.noise**2
    return PlaneSpectrum(
        frequencies[1:],
        power[1:],
        fitted[1:],
        estimate.sigmas[0],
        estimate.noise,
    )
