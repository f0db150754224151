"""Specimens with their ground truth, as a lens and a camera show them.

Filaments, nuclei, puncta and membranes are drawn at a quarter of the pixel size,
blurred by the point spread function of a widefield or confocal microscope (scalar
Gibson-Lanni model, by psfmodels), and counted by a camera: Poisson noise, read noise,
an offset, 12 bits. The reference is the same specimen through a lens of half the
wavelength, without noise: twice the resolution. Widefield planes have light of the
planes 1 µm above and below in them. Small stacks have voxels three times as high as
wide.

All is drawn from seeds: everybody gets the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np
import psfmodels
from scipy import ndimage, spatial, special
from scipy.signal import fftconvolve

SIDE = 256
FINER = 4  # a specimen is drawn on pixels this much smaller
PHOTONS = (20, 150, 1000, 5000)
HAZE = 0.35  # of the planes above and below, as a share of the plane in focus

STACK = (32, 160, 160)
SPACING = 3  # height of a voxel over its width

OFFSET = 100  # of the camera, in counts
READ_NOISE = 2.0  # in electrons
FULL = 4095


@dataclass(frozen=True)
class Optics:
    """A microscope.

    Attributes
    ----------
    name : str
        For tables.
    kind : {'widefield', 'confocal'}
        What kind of microscope.
    na : float
        Numerical aperture.
    wavelength : float
        Of the emitted light, in µm.
    pixel : float
        Width of a pixel in the specimen, in µm.
    excitation : float, optional
        Wavelength of the laser, in µm.
    """

    name: str
    kind: str
    na: float
    wavelength: float
    pixel: float
    excitation: float = 0.488

    @property
    def sigma(self):
        """Blur in focus as the standard deviation of a Gaussian, in pixels."""
        factor = 0.21 if self.kind == "widefield" else 0.15
        return factor * self.wavelength / self.na / self.pixel

    @property
    def cutoff(self):
        """Cut-off frequency of the lens, in cycles per pixel."""
        return 2 * self.na / self.wavelength * self.pixel


PLANE_OPTICS = (
    Optics("widefield 1.4", "widefield", 1.4, 0.52, 0.065),
    Optics("widefield 0.95", "widefield", 0.95, 0.6, 0.11),
    Optics("confocal 1.4", "confocal", 1.4, 0.525, 0.05),
)
STACK_OPTICS = (
    Optics("confocal 1.3", "confocal", 1.3, 0.525, 0.07),
    Optics("widefield 1.3", "widefield", 1.3, 0.525, 0.07),
)


@dataclass(frozen=True)
class Image:
    """An image to sharpen, and what it should become.

    Attributes
    ----------
    name : str
        Specimen or file.
    pixels : array
        As the camera counted them.
    reference : array
        The same at twice the resolution or in focus.
    photons : int, optional
        Photons of the brightest pixels.
    optics : Optics, optional
        The microscope, where it is known.
    psf : array, optional
        Its point spread function in focus, or in a stack all of it.
    """

    name: str
    pixels: np.ndarray
    reference: np.ndarray
    photons: int | None = None
    optics: Optics | None = None
    psf: np.ndarray | None = None


def planes(photons=PHOTONS, optics=PLANE_OPTICS, specimens=None):
    """Yield the phantoms of planes.

    Parameters
    ----------
    photons : sequence of int
        Photons of the brightest pixels.
    optics : sequence of Optics
        Which of the `PLANE_OPTICS`.
    specimens : sequence of str, optional
        Which of the `SPECIMENS`; all by default.
    """
    for microscope in optics:
        fine = replace(microscope, pixel=microscope.pixel / FINER)
        blur, haze, sharper = _plane_psfs(fine)
        in_focus = _plane_psfs(microscope)[0]
        for number, (name, draw) in enumerate(SPECIMENS.items()):
            if specimens is not None and name not in specimens:
                continue
            seed = 100 * number + PLANE_OPTICS.index(microscope)
            specimen = draw(FINER * SIDE, np.random.default_rng(seed))
            light = _binned(_convolved(specimen, blur))
            if haze is not None:
                light = light + HAZE * _binned(_convolved(specimen, haze))
            reference = _binned(_convolved(specimen, sharper)).astype(np.float32)
            for peak in photons:
                rng = np.random.default_rng(peak + number)
                pixels = camera(light, peak, rng)
                yield Image(name, pixels, reference, peak, microscope, in_focus)


def stacks(photons=PHOTONS, shape=STACK):
    """Yield the phantoms of stacks, of filaments and of nuclei.

    Parameters
    ----------
    photons : sequence of int
        Photons of the brightest voxels.
    shape : (int, int, int)
        Planes, rows and columns.
    """
    sharper = _stack_psf(Optics("reference", "confocal", 1.4, 0.26, 0.07, 0.26))
    for number, draw in enumerate((_filaments_in_stack, _nuclei_in_stack)):
        specimen = draw(np.random.default_rng(number + 5), shape)
        reference = _convolved(specimen, sharper).astype(np.float32)
        for microscope in STACK_OPTICS:
            psf = _stack_psf(microscope)
            light = _convolved(specimen, psf).clip(0)
            for peak in photons:
                pixels = camera(light, peak, np.random.default_rng(peak))
                name = draw.__name__.removeprefix("_").split("_")[0]
                yield Image(name, pixels, reference, peak, microscope, psf)


def spots(sigma, photons, distance=12):
    """Return an image of spots and their places, which are that far apart.

    Parameters
    ----------
    sigma : float
        Standard deviation of a spot, in pixels; the light that falls on a pixel is
        that on all of its area.
    photons : int
        Photons of a spot in the middle of a pixel, before that.
    distance : int
        Pixels from one to the next.
    """
    rng = np.random.default_rng(0)
    places = np.arange(8, SIDE - 8, distance)
    edges = np.arange(SIDE + 1) - 0.5
    light = np.full((SIDE, SIDE), 2.0)
    for row in places:
        for column in places:
            centre = np.add((row, column), rng.uniform(-0.5, 0.5, 2))
            down, right = (
                np.diff(special.erf((edges - at) / sigma / np.sqrt(2))) / 2
                for at in centre
            )
            light += photons * 2 * np.pi * sigma**2 * np.outer(down, right)
    electrons = rng.poisson(np.round(light, 3)) + rng.normal(0, READ_NOISE, light.shape)
    counts = np.clip(np.round(OFFSET + electrons), 0, None).astype(np.uint16)
    return counts, list(product(places, places))


def camera(light, photons, rng):
    """Return what a camera of 12 bits counts.

    Parameters
    ----------
    light : array
        Intensity, of any unit.
    photons : int
        Photons where it is brightest (at its 99.9th percentile).
    rng : numpy.random.Generator
        Source of the noise.
    """
    expected = np.clip(light / np.percentile(light, 99.9), 0, None) * photons
    # Where a Fourier transform of another library rounds otherwise, the same is drawn.
    electrons = rng.poisson(np.round(expected, 3)).astype(float)
    electrons += rng.normal(0, READ_NOISE, light.shape)
    counts = np.round(OFFSET + camera_gain(photons) * electrons)
    return np.clip(counts, 0, FULL).astype(np.uint16)


def camera_gain(photons):
    """Return the counts per electron."""
    return min(8.0, 3500 / (photons * 1.05))


def with_hot_pixels(image, seed, share=0.001):
    """Return an image in which a share of the pixels is hot, one in five of it dead."""
    rng = np.random.default_rng(seed)
    pixels = image.pixels.copy()
    defect = rng.random(pixels.shape) < share
    n = np.count_nonzero(defect)
    hot = rng.random(n) < 0.8
    pixels[defect] = np.where(hot, rng.uniform(0.5, 1, n) * FULL, 0)
    return replace(image, pixels=pixels)


# Point spread functions


@lru_cache(16)
def _plane_psfs(optics):
    """Return the PSF in focus, that of haze or None, and that of the reference."""
    n = min(2 * round(1.6 / optics.pixel / 2) + 1, 129)
    sharper = _in_focus(optics, optics.wavelength / 2, n)
    in_focus = _in_focus(optics, optics.wavelength, n)
    if optics.kind == "confocal":
        # As wide as the Airy disk.
        pinhole = 0.61 * optics.wavelength / optics.na / optics.pixel
        disk = np.clip(pinhole + 0.5 - np.hypot(*_centred(n)), 0, 1)
        detected = ndimage.convolve(in_focus, disk / disk.sum(), mode="constant")
        psf = _normalized(_in_focus(optics, optics.excitation, n) * detected)
        return psf, None, sharper
    around = _psf(optics, optics.wavelength, n, planes=5, height=0.5)
    return in_focus, _normalized(around[0] + around[4]), sharper


def _in_focus(optics, wavelength, n):
    return _normalized(_psf(optics, wavelength, n)[0])


def _psf(optics, wavelength, n, planes=1, height=0.2):
    """Return a PSF of planes by n by n pixels, `height` apart in µm."""
    # Air, water or oil.
    index = 1.0 if optics.na < 1 else 1.33 if optics.na < 1.2 else 1.515
    psf = psfmodels.make_psf(
        z=planes,
        nx=n,
        dxy=optics.pixel,
        dz=height,
        pz=0,
        model="scalar",
        NA=optics.na,
        wvl=wavelength,
        ni0=index,
        ni=index,
        ns=index,
    )
    return psf.astype(float)


@lru_cache(8)
def _stack_psf(optics):
    """Return the PSF of a stack; the pinhole of a confocal microscope is a point."""
    one = {"n": 41, "planes": 25, "height": SPACING * optics.pixel}
    psf = _psf(optics, optics.wavelength, **one)
    if optics.kind == "confocal":
        psf = _normalized(psf) * _normalized(_psf(optics, optics.excitation, **one))
    return _normalized(psf)


def _normalized(psf):
    return psf / psf.sum()


def _centred(n):
    return np.mgrid[:n, :n] - n // 2


def _convolved(specimen, psf):
    """Return a specimen, mirrored at its borders, through a lens."""
    padded = np.pad(specimen, [(n // 2, n // 2) for n in psf.shape], mode="reflect")
    return fftconvolve(padded, psf, mode="valid")


def _binned(fine):
    """Return the light that falls on pixels of the camera."""
    rows, columns = (n // FINER for n in fine.shape)
    return fine.reshape(rows, FINER, columns, FINER).mean((1, 3))


# Specimens of n by n fine pixels


def _filaments(n, rng):
    """Curved lines of different brightness."""
    image = np.zeros((n, n))
    for _ in range(26):
        place, angle, curvature = rng.uniform(0, n, 2), rng.uniform(0, 2 * np.pi), 0
        brightness = rng.lognormal(0, 0.35)
        for _ in range(int(1.6 * n)):
            i, j = int(place[0]), int(place[1])
            if 0 <= i < n - 1 and 0 <= j < n - 1:
                down, right = place[0] - i, place[1] - j
                share = np.outer((1 - down, down), (1 - right, right))
                image[i : i + 2, j : j + 2] += brightness * share
            curvature = 0.98 * curvature + rng.normal(0, 0.0012)
            angle += curvature
            place = place + 0.9 * np.array([np.sin(angle), np.cos(angle)])
    return ndimage.gaussian_filter(image, 0.8)


def _nuclei(n, rng):
    """Textured ellipses with bright foci and dark nucleoli."""
    mask = _cells(n, rng, 9)
    image = mask * np.exp(0.35 * _texture(n, rng))
    y, x = np.mgrid[:n, :n]
    for _ in range(40):
        i, j = rng.uniform(0, n, 2)
        here = mask[int(i), int(j)]
        if here > 0.3:
            distance = np.hypot(y - i, x - j)
            if rng.random() < 0.3:
                image *= 1 - 0.7 * np.exp(-((distance / (0.014 * n)) ** 4))
            else:
                brightness, radius = rng.uniform(0.8, 2.5), rng.uniform(2, 5)
                image += here * brightness * np.exp(-(distance**2) / 2 / radius**2)
    return image + 0.02


def _puncta(n, rng):
    """Small spots in and between dim cells."""
    mask = _cells(n, rng, 6)
    image = 0.04 * mask + 0.01
    for _ in range(330):
        i, j = rng.uniform(8, n - 9, 2)
        if mask[int(i), int(j)] > 0.1 or rng.random() < 0.1:
            sigma = rng.uniform(0.7, 3)
            brightness = rng.lognormal(0, 0.6) * 6 / sigma**2
            top, left = int(i) - 8, int(j) - 8
            y, x = np.mgrid[top : top + 17, left : left + 17]
            spot = np.exp(-((y - i) ** 2 + (x - j) ** 2) / 2 / sigma**2)
            image[top : top + 17, left : left + 17] += brightness * spot
    return image


def _membranes(n, rng):
    """Wavy borders of cells that touch, and a dim texture inside."""
    centres = rng.uniform(-0.1 * n, 1.1 * n, (60, 2))
    y, x = np.mgrid[:n, :n]
    bend_y, bend_x = (
        160 * ndimage.gaussian_filter(rng.normal(size=(n, n)), 25) for _ in range(2)
    )
    places = np.stack([(y + bend_y).ravel(), (x + bend_x).ravel()], axis=1)
    distances, _ = spatial.cKDTree(centres).query(places, k=2)
    between = (distances[:, 1] - distances[:, 0]).reshape(n, n)
    image = np.exp(-((between / 3) ** 2)) + 0.12 * np.exp(0.3 * _texture(n, rng))
    uneven = 0.8 + 0.2 * _texture(n, rng, 1.6).clip(-2, 2)
    return image * uneven.clip(0.2)


SPECIMENS = {
    "filaments": _filaments,
    "nuclei": _nuclei,
    "puncta": _puncta,
    "membranes": _membranes,
}


def _cells(n, rng, count):
    """Return ellipses of different brightness."""
    y, x = np.mgrid[:n, :n]
    rows, columns = rng.uniform(0, n, count), rng.uniform(0, n, count)
    image = np.zeros((n, n))
    for row, column in zip(rows, columns, strict=True):
        radius, longer = rng.uniform(0.09, 0.14) * n, rng.uniform(0.75, 1.3)
        angle = rng.uniform(0, np.pi)
        along = (x - column) * np.cos(angle) + (y - row) * np.sin(angle)
        across = -(x - column) * np.sin(angle) + (y - row) * np.cos(angle)
        inside = (radius - np.hypot(along * longer, across / longer)) / 2 + 0.5
        image = np.maximum(image, np.clip(inside, 0, 1) * rng.uniform(0.5, 1))
    return image


def _texture(n, rng, slope=1.2):
    """Return noise whose spectrum falls with the frequency, of standard deviation 1."""
    length = np.hypot(*np.meshgrid(np.fft.fftfreq(n), np.fft.fftfreq(n)))
    spectrum = np.fft.fft2(rng.normal(size=(n, n)))
    noise = np.fft.ifft2(spectrum * np.maximum(length, 4 / n) ** -slope).real
    return noise / noise.std()


# Specimens of a stack


def _filaments_in_stack(rng, shape):
    """Curved lines, most of them along the planes."""
    image = np.zeros(shape)
    for _ in range(40):
        place = rng.uniform(0, 1, 3) * shape
        direction = _unit(rng.normal(size=3) * [0.3, 1, 1])
        for _ in range(400):
            voxel = np.floor(place).astype(int)
            if np.any(voxel < 0) or np.any(voxel >= shape):
                break
            image[tuple(voxel)] += 1
            direction = _unit(direction + rng.normal(size=3) * 0.03 * [0.5, 1, 1])
            place = place + 0.7 * direction * [1 / SPACING, 1, 1]
    return ndimage.gaussian_filter(image, (0.3, 0.7, 0.7))


def _nuclei_in_stack(rng, shape):
    """Textured balls."""
    z, y, x = np.ogrid[tuple(slice(n) for n in shape)]
    image = np.full(shape, 0.02)
    texture = ndimage.gaussian_filter(rng.normal(size=shape), (0.8, 2.5, 2.5))
    for _ in range(14):
        centre, radius = rng.uniform(0, 1, 3) * shape, rng.uniform(12, 20)
        distance = (SPACING * (z - centre[0])) ** 2
        distance = distance + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
        image[distance < radius**2] = rng.uniform(0.5, 1)
    texture = np.exp(0.5 * texture / texture.std())
    return ndimage.gaussian_filter(image, (0.3, 0.8, 0.8)) * texture


def _unit(vector):
    return vector / np.linalg.norm(vector)
