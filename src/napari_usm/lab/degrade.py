"""Sharp pictures to compare with, and what blur and noise make of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_usm._filters.attribute import cached_attribute

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

# Pixels along each side of the smallest picture: as many as the window of the
# structural similarity has.
SMALLEST = 11


@dataclass(frozen=True, eq=False)
class Reference:
    """A sharp picture.

    Attributes
    ----------
    name : str
        Of its file.
    pixels : (M, N) array of uint8
        HSV's value.
    """

    name: str
    pixels: Grey

    @cached_attribute
    def key(self) -> str:
        """Short name of these very pixels, whatever the file is called."""
        digest = hashlib.sha256(repr(self.pixels.shape).encode())
        digest.update(np.ascontiguousarray(self.pixels).tobytes())
        return digest.hexdigest()[:12]


def read_references(
    folder: Path, size: int | None = None
) -> tuple[list[Reference], dict[str, str]]:
    """Read every picture of a folder, by name, and go on where one is none.

    Parameters
    ----------
    folder : Path
        Hidden files and folders in it are passed over.
    size : int, optional
        Pixels along each side to take from the middle; all by default.

    Returns
    -------
    references : list of Reference
        Those that could be read.
    left_out : dict of str
        For every other file the reason.
    """
    references, left_out = [], {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        try:
            pixels = value_of(path)
        except Exception as error:  # a damaged file makes its reader raise anything
            left_out[path.name] = _reason(error)
            continue
        if min(pixels.shape) < SMALLEST:
            left_out[path.name] = f"smaller than {SMALLEST} pixels"
            continue
        references.append(Reference(path.name, _middle(pixels, size)))
    return references, left_out


def value_of(path: Path) -> Grey:
    """HSV's value, the largest of the three colours, of a picture of 8 bit."""
    from PIL import Image

    with Image.open(path) as picture:
        if picture.mode.startswith(("I", "F")):
            raise ValueError(f"not of 8 bit, but {picture.mode}")
        colours = np.asarray(picture.convert("RGB"))
    value: Grey = colours.max(axis=2)
    return value


def degraded(reference: Reference, sigma: float, noise: float) -> Grey:
    """A reference blurred by a Gaussian and with noise added, as a picture of 8 bit.

    Parameters
    ----------
    reference : Reference
        The sharp one.
    sigma : float
        Standard deviation of the blur: weights sampled up to four of it, the picture
        mirrored beyond its border with the edge pixel repeated.
    noise : float
        Standard deviation of white Gaussian noise. It is the same for the same
        pixels, sigma and noise, whoever asks.

    Returns
    -------
    (M, N) array of uint8
        Rounded half up.
    """
    from scipy import ndimage

    values = reference.pixels.astype(np.float64)
    if sigma > 0:
        values = ndimage.gaussian_filter(values, sigma, mode="reflect")
    if noise > 0:
        seed = (int(reference.key, 16), round(1e6 * sigma), round(1e6 * noise))
        values += np.random.default_rng(seed).normal(0, noise, values.shape)
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def _middle(pixels: Grey, size: int | None) -> Grey:
    if size is None:
        return pixels
    spans = [
        slice((length - min(length, size)) // 2, (length + min(length, size)) // 2)
        for length in pixels.shape
    ]
    return np.ascontiguousarray(pixels[tuple(spans)])


def _reason(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "no picture"
    return str(error) or type(error).__name__
