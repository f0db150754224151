"""Resolution of a microscope: from its objective and wavelengths, or from a bead.

Wavelengths are in nanometres, lengths in µm, frequencies in cycles per µm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import expm1, hypot, log, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm import arguments

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

WIDEFIELD, CONFOCAL, LIGHT_SHEET = MODALITIES = "widefield", "confocal", "light sheet"

# Wavelengths that lenses of microscopes pass, in nm; other numbers are other units.
_WAVELENGTHS = 400.0, 1100.0

# Vacuum, and a little above the densest immersion.
_INDICES = 1.0, 2.0

# Sigma of the least-squares Gaussian over that of the same curvature at the peak:
# 0.21 over sqrt(2) / (2 pi), both in wavelengths per numerical aperture.
_NEAREST = 0.21 * 2 * pi / sqrt(2)

_FWHM = 2 * sqrt(2 * log(2))  # of a Gaussian of sigma 1

# Radius of an Airy disc, in wavelengths per numerical aperture.
_AIRY = 0.61

# Beyond it a pinhole is open: exp(500) is nearly the largest number.
_OPEN = 500.0

# Pixels along an axis of the image of a bead, and those of its narrowest sigma.
_LEAST, _NARROWEST = 5, 0.2


@dataclass(frozen=True)
class Optics:
    """Objective, wavelengths and kind of a microscope.

    Attributes
    ----------
    numerical_aperture : float
        Numerical aperture of the objective, below `refractive_index`.
    wavelength : float
        Wavelength of the light that is detected (emission), 400 to 1100 nm.
    refractive_index : float
        Refractive index of the immersion: 1 for air, 1.33 for water, 1.515 for oil.
    modality : {"widefield", "confocal", "light sheet"}
        Kind of the microscope. A spinning disk is confocal.
    excitation : float, optional
        Wavelength of the light that excites, in nm; a confocal microscope needs it.
    pinhole : float
        Diameter of the pinhole of a confocal microscope, in Airy units: diameters of
        the Airy disc of `wavelength`.
    sheet : float, optional
        Thickness of a light sheet, full width at half maximum, in µm. None: the
        objective alone limits the resolution along Z.

    Raises
    ------
    TypeError, ValueError
        If a number breaks its rule: the argument, the rule and the value.

    Examples
    --------
    >>> oil = Optics(1.4, 525, 1.515)
    >>> round(oil.lateral_sigma, 3), round(oil.axial_sigma, 3)
    (0.076, 0.207)
    >>> round(oil.cutoff, 2), round(oil.nyquist, 3)
    (5.33, 0.094)
    >>> Optics(1.4, 0.525, 1.515)
    Traceback (most recent call last):
        ...
    ValueError: `wavelength` must be from 400 to 1100, in nm; got 0.525
    """

    numerical_aperture: float
    wavelength: float
    refractive_index: float
    modality: str = WIDEFIELD
    excitation: float | None = None
    pinhole: float = 1.0
    sheet: float | None = None

    def __post_init__(self) -> None:
        index = arguments.real("refractive_index", self.refractive_index)
        if not _INDICES[0] <= index <= _INDICES[1]:
            raise ValueError(
                f"`refractive_index` must be from {_INDICES[0]:g} to {_INDICES[1]:g}; "
                f"got {self.refractive_index!r}"
            )
        aperture = arguments.above("numerical_aperture", self.numerical_aperture, 0)
        if aperture >= index:
            raise ValueError(
                f"`numerical_aperture` must be below the refractive index, {index:g}; "
                f"got {self.numerical_aperture!r}"
            )
        _check_wavelength("wavelength", self.wavelength)
        arguments.choice("modality", self.modality, MODALITIES)
        if self.excitation is not None:
            _check_wavelength("excitation", self.excitation)
        elif self.modality == CONFOCAL:
            raise ValueError(
                "`excitation` must be given for a confocal microscope, in nm; got None"
            )
        arguments.real("pinhole", self.pinhole, minimum=0)
        if self.sheet is not None:
            arguments.above("sheet", self.sheet, 0)

    @classmethod
    def of(cls, described: Any) -> Optics:
        """Return the optics that metadata describe: a mapping of these attributes.

        Raises
        ------
        TypeError, ValueError
            If a key is missing or unknown, or if a number breaks its rule.

        Examples
        --------
        >>> Optics.of({"numerical_aperture": 0.8, "wavelength": 600})
        Traceback (most recent call last):
            ...
        ValueError: `optics` must have the refractive index; got numerical_aperture, \
wavelength
        """
        if isinstance(described, cls):
            return described
        if not isinstance(described, Mapping):
            raise TypeError(
                f"`optics` must be an Optics or a mapping of its attributes; got "
                f"{described!r}"
            )
        known = [field.name for field in fields(cls)]
        given = ", ".join(map(str, described)) or "nothing"
        if unknown := [name for name in described if name not in known]:
            raise ValueError(
                f"`optics` must have no keys but {', '.join(known)}; got {unknown[0]!r}"
            )
        missing = [name for name in known[:3] if described.get(name) is None]
        if missing:
            words = " and the ".join(name.replace("_", " ") for name in missing)
            raise ValueError(f"`optics` must have the {words}; got {given}")
        return cls(**described)

    @property
    def lateral_sigma(self) -> float:
        """Return the sigma in the plane of the nearest Gaussian, in µm.

        With cos = sqrt(1 - (NA / n)²) and k = 2 pi / wavelength, a point-spread
        function by the Debye integral has at its peak the curvature of a Gaussian of
        sigma [1]_

        1 / (n k) · sqrt(7 (1 - cos^1.5) / (4 - 7 cos^1.5 + 3 cos^3.5)),

        which is 0.225 wavelength / NA for low apertures. The Gaussian that comes
        nearest by least squares is narrower, 0.21 wavelength / NA [1]_: the formula
        times 0.93, right to 1 % up to NA / n = 0.95. Light is a vector: with its
        polarisation, which the formula leaves out, the sigma is larger, by 1 % at
        NA / n = 0.3 and by 15 to 21 % from 0.9 on.

        A confocal point-spread function is that of the excitation times that of the
        emission, the latter blurred by the pinhole. A product of Gaussians is one,
        whose 1 / sigma² is the sum of theirs; a Gaussian that is blurred by a disc of
        radius R has at its peak 1 / sigma² times a / (exp(a) - 1), where
        a = R² / (2 sigma²). Right to 5 %.

        References
        ----------
        .. [1] B. Zhang, J. Zerubia, J.-C. Olivo-Marin, "Gaussian approximations of
           fluorescence microscope point-spread function models", Applied Optics 46,
           1819-1829, 2007.
        """
        emission = self._lateral(self.wavelength)
        if self.modality != CONFOCAL or self.excitation is None:
            return emission
        share = min((self._pinhole_radius / emission) ** 2 / 2, _OPEN)
        flat = sqrt(expm1(share) / share) if share else 1.0
        return _product(self._lateral(self.excitation), emission * flat)

    @property
    def axial_sigma(self) -> float:
        """Return the sigma along Z of the nearest Gaussian, in µm.

        As `lateral_sigma`, with the curvature along Z [1]_:

        5 sqrt(7) (1 - cos^1.5) / (sqrt(6) n k sqrt(4 cos^5 - 25 cos^3.5 + 42 cos^2.5 -
        25 cos^1.5 + 4)),

        times 0.93; the curvature is 0.78 n wavelength / NA² for low apertures. The
        pinhole of a confocal microscope widens the emission along Z by as much as the
        variance of its disc, R² / 4, does in the plane: a rule that is right to 7 %. A
        light sheet multiplies by a Gaussian of its thickness.

        References
        ----------
        .. [1] Zhang et al. 2007, as in `lateral_sigma`.
        """
        emission = self._axial(self.wavelength)
        if self.modality == LIGHT_SHEET and self.sheet is not None:
            return _product(emission, self.sheet / _FWHM)
        if self.modality != CONFOCAL or self.excitation is None:
            return emission
        share = self._pinhole_radius / (2 * self._lateral(self.wavelength))
        return _product(self._axial(self.excitation), emission * hypot(1, share))

    @property
    def lateral_fwhm(self) -> float:
        """Return the full width at half maximum in the plane, in µm.

        0.51 wavelength / NA, of an Airy pattern [1]_, right to 4 %; of a confocal
        microscope that of the Gaussian of `lateral_sigma`.

        References
        ----------
        .. [1] M. Born, E. Wolf, "Principles of Optics", section 8.5.2.
        """
        if self.modality == CONFOCAL:
            return _FWHM * self.lateral_sigma
        return 0.51 * self.wavelength / self.numerical_aperture / 1000

    @property
    def axial_fwhm(self) -> float:
        """Return the full width at half maximum along Z, in µm.

        0.88 wavelength / (n - sqrt(n² - NA²)) [1]_, right to 4 %; of a confocal
        microscope and of a light sheet of known thickness that of the Gaussian of
        `axial_sigma`.

        References
        ----------
        .. [1] S. Wilhelm, "Confocal laser scanning microscopy", Carl Zeiss, 2008.
        """
        if self.modality != WIDEFIELD and self.axial_sigma < self._axial(
            self.wavelength
        ):
            return _FWHM * self.axial_sigma
        return 0.88 * self.wavelength / (1000 * self._sagitta)

    @property
    def cutoff(self) -> float:
        """Return the frequency in the plane from which nothing passes, per µm.

        2 NA / wavelength [1]_. A confocal microscope passes what the excitation adds, 2
        NA / excitation more; little of it stands above the noise.

        References
        ----------
        .. [1] J. W. Goodman, "Introduction to Fourier Optics", section 6.3.
        """
        passed = 2000 * self.numerical_aperture / self.wavelength
        if self.modality == CONFOCAL and self.excitation is not None:
            passed += 2000 * self.numerical_aperture / self.excitation
        return passed

    @property
    def axial_cutoff(self) -> float:
        """Return the frequency along Z from which nothing passes, per µm.

        (n - sqrt(n² - NA²)) / wavelength: the height of the cap of the sphere of
        wave vectors that the objective takes in; of a confocal microscope that of the
        excitation is added. A light sheet is not counted.
        """
        passed = 1000 * self._sagitta / self.wavelength
        if self.modality == CONFOCAL and self.excitation is not None:
            passed += 1000 * self._sagitta / self.excitation
        return passed

    @property
    def nyquist(self) -> float:
        """Return the largest pixel in the plane that loses nothing, in µm."""
        return 1 / (2 * self.cutoff)

    @property
    def axial_nyquist(self) -> float:
        """Return the largest step along Z that loses nothing, in µm."""
        return 1 / (2 * self.axial_cutoff)

    def transfer(self, frequency: ArrayLike) -> NDArray[np.float64]:
        """Return the share of the contrast that passes at frequencies in the plane.

        2 / pi (acos u - u sqrt(1 - u²)), u = frequency / cutoff, for a lens in focus
        and incoherent light [1]_. A confocal microscope has that of the Gaussian of
        `lateral_sigma`, and 0 from the cut-off on.

        Parameters
        ----------
        frequency : array-like of float
            Cycles per µm, of either sign.

        References
        ----------
        .. [1] J. W. Goodman, "Introduction to Fourier Optics", section 6.3.

        Examples
        --------
        >>> oil = Optics(1.4, 525, 1.515)
        >>> oil.transfer([0, oil.cutoff / 2, oil.cutoff]).round(2).tolist()
        [1.0, 0.39, 0.0]
        """
        lengths = np.abs(np.asarray(frequency, np.float64))
        part = np.minimum(lengths / self.cutoff, 1.0)
        if self.modality == CONFOCAL:
            gaussian = np.exp(-2 * (pi * self.lateral_sigma * lengths) ** 2)
            return np.where(part < 1, gaussian, 0.0)
        passed = np.arccos(part) - part * np.sqrt(1 - part**2)
        return np.asarray(2 / pi * passed, np.float64)

    def sigma_in_pixels(
        self, pixel_size: float | Sequence[float] | None, axes: str = "YX"
    ) -> tuple[float, ...]:
        """Return the sigma of the nearest Gaussian along each axis, in pixels.

        Parameters
        ----------
        pixel_size : float or sequence of float
            Step from pixel to pixel in µm, one for all axes or one for each.
        axes : str
            Letters X, Y and Z.

        Raises
        ------
        TypeError, ValueError
            If a size is missing or not above 0, or if an axis has another letter.

        Examples
        --------
        >>> oil = Optics(1.4, 525, 1.515)
        >>> [round(sigma, 2) for sigma in oil.sigma_in_pixels((0.2, 0.05, 0.05), "ZYX")]
        [1.03, 1.52, 1.52]
        >>> oil.sigma_in_pixels(None)
        Traceback (most recent call last):
            ...
        ValueError: `pixel_size` must be given, in µm; got None
        """
        letters = _letters(axes)
        if pixel_size is None:
            raise ValueError("`pixel_size` must be given, in µm; got None")
        sizes = arguments.per_axis("pixel_size", pixel_size, len(letters))
        for size in sizes:
            arguments.above("pixel_size", size, 0)
        sigmas = {"Z": self.axial_sigma}
        return tuple(
            sigmas.get(letter, self.lateral_sigma) / size
            for letter, size in zip(letters, sizes, strict=True)
        )

    def _lateral(self, wavelength: float) -> float:
        index, cos = self._cone
        curved = sqrt(7 * (1 - cos**1.5) / (4 - 7 * cos**1.5 + 3 * cos**3.5))
        return _NEAREST * curved * wavelength / (2000 * pi * index)

    def _axial(self, wavelength: float) -> float:
        index, cos = self._cone
        flat = 4 * cos**5 - 25 * cos**3.5 + 42 * cos**2.5 - 25 * cos**1.5 + 4
        curved: float = 5 * sqrt(7) * (1 - cos**1.5) / sqrt(6 * flat)
        return _NEAREST * curved * wavelength / (2000 * pi * index)

    @property
    def _pinhole_radius(self) -> float:
        wide = _AIRY * self.pinhole * self.wavelength
        return wide / (1000 * self.numerical_aperture)

    @property
    def _sagitta(self) -> float:
        """Return by how much light along the axis has the longer wave vector."""
        index, cos = self._cone
        sagitta: float = index * (1 - cos)
        return sagitta

    @property
    def _cone(self) -> tuple[float, float]:
        """Return the refractive index, and the cosine of the angle of the light."""
        index = float(self.refractive_index)
        return index, sqrt(1 - (self.numerical_aperture / index) ** 2)


def sigma_from_bead(image: ArrayLike) -> tuple[float, ...]:
    """Return the sigma of the image of one bead along each axis, in pixels.

    A Gaussian on even ground is fitted by least squares [1]_. Its full width at half
    maximum is 2.355 sigma. A bead of diameter d adds d² / 20 to the variance: choose
    one below the resolution.

    Parameters
    ----------
    image : array-like
        Line, plane or stack with one bright bead, at least 5 pixels along each axis.

    Raises
    ------
    TypeError, ValueError
        If the image is none of real numbers, is flat, or shows no bead that is narrower
        than the image.

    References
    ----------
    .. [1] R. W. Cole, T. Jinadasa, C. M. Brown, "Measuring and interpreting point
       spread functions to determine confocal microscope resolution and ensure quality
       control", Nature Protocols 6, 1929-1941, 2011.

    Examples
    --------
    >>> y, x = np.mgrid[:21, :25]
    >>> bead = 10 + 99 * np.exp(-((y - 9.6) ** 2 / 8 + (x - 12.3) ** 2 / 4.5))
    >>> [round(sigma, 3) for sigma in sigma_from_bead(bead)]
    [2.0, 1.5]
    """
    from scipy.optimize import least_squares  # late: importing it takes 0.2 s

    pixels = _bead_pixels(image)
    ground = float(np.median(pixels))
    height = float(pixels.max()) - ground
    if not height > 0:
        raise ValueError(
            "`image` must show a bead that is brighter than its ground; got a maximum "
            f"of {pixels.max():g} on a median of {ground:g}"
        )
    scaled = (pixels - ground) / height
    places = np.meshgrid(*map(np.arange, pixels.shape), indexing="ij", sparse=True)
    count = pixels.ndim

    def left(found: NDArray[np.float64]) -> NDArray[np.float64]:
        centre, sigma = found[2 : 2 + count], found[2 + count :]
        spot = np.float64(found[1])
        for place, middle, width in zip(places, centre, sigma, strict=True):
            spot = spot * np.exp(-(((place - middle) / width) ** 2) / 2)
        return np.asarray(found[0] + spot - scaled).ravel()

    peak = np.unravel_index(np.argmax(pixels), pixels.shape)
    sides = np.array(pixels.shape, np.float64)
    begin = [0.0, 1.0, *map(float, peak), *_half_widths(scaled, peak)]
    low = [-np.inf, 0.0, *(-1.0,) * count, *(_NARROWEST,) * count]
    high = [np.inf, np.inf, *sides, *2 * sides]
    fit = least_squares(left, begin, bounds=(low, high), x_scale="jac")
    centre, sigma = fit.x[2 : 2 + count], fit.x[2 + count :]
    inside = (centre >= 0).all() and (centre <= sides - 1).all()
    narrow = (sigma < sides / 2).all() and (sigma > 1.01 * _NARROWEST).all()
    if not (fit.success and inside and narrow and fit.x[1] > 0):
        widths = ", ".join(f"{each:.3g}" for each in sigma)
        raise ValueError(
            "`image` must show one bead, whole, wider than a pixel and narrower than "
            f"the image; got a fit of sigma {widths} pixels"
        )
    return tuple(float(each) for each in sigma)


def _bead_pixels(image: ArrayLike) -> NDArray[np.float64]:
    """Return the pixels of a bead, when they were checked."""
    pixels = np.asarray(image)
    if pixels.dtype.kind not in "biuf":
        raise TypeError(f"`image` must hold real numbers; got {pixels.dtype}")
    if not 1 <= pixels.ndim <= 3 or min(pixels.shape) < _LEAST:
        raise ValueError(
            f"`image` must have one to three axes of at least {_LEAST} pixels; got "
            f"shape {pixels.shape}"
        )
    pixels = pixels.astype(np.float64)
    if not np.isfinite(pixels).all():
        wrong = pixels[~np.isfinite(pixels)][0]
        raise ValueError(f"`image` must be finite; got {wrong}")
    return pixels


def _half_widths(scaled: NDArray[np.float64], peak: Sequence[np.intp]) -> list[float]:
    """Return a first sigma along each axis: from pixels above half of the maximum."""
    widths = []
    for axis in range(scaled.ndim):
        index: tuple[Any, ...] = (*peak[:axis], slice(None), *peak[axis + 1 :])
        line = scaled[index]
        below = np.flatnonzero(line < 0.5)
        after = below[below > peak[axis]].min(initial=len(line))
        before = below[below < peak[axis]].max(initial=-1)
        widths.append(max((after - before - 1) / _FWHM, 2 * _NARROWEST))
    return widths


def _product(one: float, other: float) -> float:
    """Return the sigma of the product of two Gaussians."""
    return 1 / sqrt(one**-2 + other**-2)


def _letters(axes: Any) -> str:
    if not isinstance(axes, str):
        raise TypeError(f"`axes` must be letters of X, Y and Z; got {axes!r}")
    letters = axes.upper()
    if not letters or set(letters) - set("XYZ"):
        raise ValueError(f"`axes` must be letters of X, Y and Z; got {axes!r}")
    return letters


def _check_wavelength(name: str, value: Any) -> None:
    low, high = _WAVELENGTHS
    if not low <= arguments.real(name, value) <= high:
        raise ValueError(
            f"`{name}` must be from {low:g} to {high:g}, in nm; got {value!r}"
        )
